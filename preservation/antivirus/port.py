"""The VirusScanner port. One contract suite (``tests/contracts/scanner.py``) holds every implementation to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from metadata.errors import TemporaryError
from metadata.outcomes import Virus
from storage.port import Bytes


class ScannerUnavailable(TemporaryError):
    """The scanner does not answer, or not as a scanner must. What waits for it is not refused, and does not pass."""


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The scanner's word on one file. ``name``: what it calls an infection, or why it could not scan; else empty."""

    outcome: Virus
    name: str = ""

    @property
    def code(self) -> str | None:
        """The finding that it leads to; None for a clean file."""
        if self == NO_SCANNER:
            return "VIRUS-NO-SCANNER"
        return _CODES[self.outcome]


_CODES = {Virus.CLEAN: None, Virus.INFECTED: "VIRUS-FOUND", Virus.NOT_SCANNED: "VIRUS-NOT-SCANNED"}
NO_SCANNER = ScanResult(Virus.NOT_SCANNED, "no scanner")
"""What an archive without a scanner says of every file."""


class Scan(Protocol):
    """One file on its way through the scanner."""

    def write(self, data: Bytes) -> None:
        """The next bytes; they may be reused by the caller when this returns. Raises ScannerUnavailable."""
        ...

    def end(self) -> ScanResult:
        """Everything was written: blocks until the verdict. Raises ScannerUnavailable."""
        ...

    def abandon(self) -> None:
        """No verdict is wanted any more. No error."""
        ...


class VirusScanner(Protocol):
    """Scans files while they are read. Safe to use from several threads, each with its own scans."""

    @property
    def name(self) -> str:
        """Engine and version of its database, for the PREMIS agent; as of the last :meth:`ready`."""
        ...

    def ready(self) -> None:
        """Ask whether the scanner is there and finds what it must find. Raises ScannerUnavailable."""
        ...

    def begin(self, size: int) -> Scan:
        """A new file of ``size`` bytes. Raises ScannerUnavailable."""
        ...

    def close(self) -> None: ...
