"""Backups and drills: what was put away beside the records, and whether it could be taken out again (TT 05 Điều 27)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, TypeVar

from metadata.dates import read_utc, utc_text
from metadata.identifiers import StoreId
from metadata.journal import Entry, Numbered

T = TypeVar("T")


class BackupKind(StrEnum):
    """FULL holds everything, INCREMENTAL what changed since the backup that it names as its base."""

    FULL = "full"
    INCREMENTAL = "incremental"


class BackupOutcome(StrEnum):
    """MADE: it lies in ``stores``, was read back from each and matched. FAILED: it does not count."""

    MADE = "made"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup. ``at`` is the moment whose state it holds, ``ended`` when it counted, both aware UTC.

    ``size`` is in bytes in one store, ``objects`` how many objects that is, ``rows`` and ``versions`` what they hold.
    ``stores`` are those in which it was read back and matched, ``digest`` is the SHA-256 of its manifest. ``base`` is
    empty for a full one. ``note`` says why it failed, or which stores it does not lie in; ``person`` who asked for it.
    """

    id: str
    kind: BackupKind
    base: str
    at: datetime
    ended: datetime
    outcome: BackupOutcome
    size: int = 0
    objects: int = 0
    rows: int = 0
    versions: int = 0
    stores: tuple[StoreId, ...] = ()
    digest: bytes = b""
    note: str = ""
    person: str = ""

    def document(self) -> dict[str, Any]:
        """For the journal: everything but what the entry itself says."""
        return {
            "kind": self.kind.value,
            "base": self.base,
            "at": utc_text(self.at),
            "bytes": self.size,
            "objects": self.objects,
            "rows": self.rows,
            "versions": self.versions,
            "stores": [store.value for store in self.stores],
            "manifest": self.digest.hex(),
            "note": self.note,
        }

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """The inverse, from the journal. Raises ValueError, KeyError or TypeError for an entry of something else."""
        told: Mapping[str, Any] = entry.document
        size, objects, rows, versions = (_of_kind(int, told[name]) for name in ("bytes", "objects", "rows", "versions"))
        return cls(
            entry.subject, BackupKind(told["kind"]), _of_kind(str, told["base"]), read_utc(told["at"]), entry.at,
            BackupOutcome(entry.act), size, objects, rows, versions, tuple(StoreId(store) for store in told["stores"]),
            bytes.fromhex(told["manifest"]), _of_kind(str, told["note"]), entry.person,
        )  # fmt: skip

    @classmethod
    def all_of(cls, entries: Iterable[Numbered]) -> list[Self]:
        """Those that are backups: an entry may have come from a store that somebody else rules, and tell anything."""
        return list(_read(cls.of, entries))


class DrillOutcome(StrEnum):
    """INCOMPLETE: something could not be looked at (a store away, no room), and nothing was found to be wrong."""

    PASSED = "passed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Drill:
    """One restore on trial. ``aips`` of ``files`` files and ``size`` bytes were taken out, unpacked and validated.

    ``backup`` is the one whose chain was loaded and compared with the catalogue, empty when none was; ``rows`` of it
    were compared. ``seconds`` is how long it all took. ``problems`` are the first 100 sentences on what was wrong.
    """

    id: str
    at: datetime
    seconds: float
    outcome: DrillOutcome
    aips: tuple[str, ...] = ()
    files: int = 0
    size: int = 0
    backup: str = ""
    rows: int = 0
    problems: tuple[str, ...] = ()
    person: str = ""

    def document(self) -> dict[str, Any]:
        """For the journal: everything but what the entry itself says."""
        return {
            "seconds": round(self.seconds, 3),
            "aips": list(self.aips),
            "files": self.files,
            "bytes": self.size,
            "backup": self.backup,
            "rows": self.rows,
            "problems": list(self.problems),
        }

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """The inverse, from the journal. Raises ValueError, KeyError or TypeError for an entry of something else."""
        told: Mapping[str, Any] = entry.document
        files, size, rows = (_of_kind(int, told[name]) for name in ("files", "bytes", "rows"))
        aips, problems = (tuple(_of_kind(str, one) for one in told[name]) for name in ("aips", "problems"))
        return cls(
            entry.subject, entry.at, float(told["seconds"]), DrillOutcome(entry.act), aips, files, size,
            _of_kind(str, told["backup"]), rows, problems, entry.person,
        )  # fmt: skip

    @classmethod
    def all_of(cls, entries: Iterable[Numbered]) -> list[Self]:
        """Those that are drills: an entry may have come from a store that somebody else rules, and tell anything."""
        return list(_read(cls.of, entries))


def _of_kind(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"not {kind.__name__}: {value!r}"[:100])
    return value


def _read(of: Callable[[Entry], T], entries: Iterable[Numbered]) -> Iterator[T]:
    for numbered in entries:
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            yield of(numbered.entry)
