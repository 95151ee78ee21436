"""The Source port: where a package's files are read from, whatever it came in."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from metadata.findings import Findings


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SCARCE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


def is_full(error: OSError) -> bool:
    """Whether a disk of ours has no room; reading a package never meets that."""
    return error.errno in _FULL


def is_ours(error: OSError) -> bool:
    """Whether an error is this machine's and no fault of the package: its disk, its open files, its memory."""
    return error.errno in _FULL or error.errno in _SCARCE


class EntryKind(StrEnum):
    """What an entry of a source is. Only FILE and FOLDER are ever accepted."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    SPECIAL = "special"
    SPARSE = "sparse"


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One entry: its path as received (folders without their last ``/``), its size in bytes (0 unless a file)."""

    path: str
    size: int
    kind: EntryKind


class Source(Protocol):
    """A submission as files. Nothing of it is ever changed; no link is followed. One thread at a time may use it."""

    @property
    def name(self) -> str:
        """The last part of the path it was opened from, for people."""
        ...

    @property
    def media_type(self) -> str:
        """Of the archive file that it is; empty for a folder. Of a compressed tar it is that of the compression."""
        ...

    def entries(self) -> Iterator[SourceEntry]:
        """Every entry, in the source's own order; names are judged by the caller."""
        ...

    def enter(self, root: str) -> None:
        """The package begins in ``root`` (empty, or a folder with its ``/``): ``open`` takes paths from there on."""
        ...

    def open(self, path: str) -> BinaryIO:
        """Read the file at ``path``: ``read(n)`` and ``readinto`` fill as far as the file goes.

        Raises OSError when it cannot be read; BrokenEntryError, from reading too, when an archive lies about it.
        """
        ...

    def close(self) -> None:
        """Let go of everything, quarantined copies included. May be called twice."""
        ...


class BrokenEntryError(OSError):
    """Bytes inside an archive that are not what its directory says. ``note`` adds the finding."""

    def __init__(self, code: str, place: str, **details: object) -> None:
        super().__init__(errno.EIO, code)
        self.code = code
        self.place = place
        self.details = details

    def note(self, findings: Findings) -> None:
        """Add what is wrong to ``findings``."""
        findings.add(self.code, self.place, **self.details)
