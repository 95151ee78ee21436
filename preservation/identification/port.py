"""The Identifier port. One contract suite (``tests/contracts/identifier.py``) holds every implementation to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from metadata.errors import TemporaryError
from metadata.holdings import Format

WINDOW = 128 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """What an identifier may look at: the file's name and size, its first and last 128 KiB.

    ``spool`` is the whole file on disk when the pass kept one (containers up to a bound), else None.
    For a file of at most 128 KiB both windows are the whole file.
    """

    name: str
    size: int
    head: bytes
    tail: bytes
    spool: Path | None = None


class IdentifierUnavailable(TemporaryError):
    """Nobody can look at files now, which says nothing of any file."""


class Identifier(Protocol):
    """Answers what format a file has. Never raises for any content; what it cannot tell has no PUID and a warning."""

    @property
    def name(self) -> str:
        """Name, version and signature file, for the PREMIS agent."""
        ...

    def ready(self) -> None:
        """Ask whether files can be looked at. Raises IdentifierUnavailable."""
        ...

    def identify(self, sample: Sample) -> Format: ...

    def close(self) -> None: ...
