"""Where the entries of an archive lie: a temporary SQLite file, so that memory stays flat whatever it holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ingest.sources.port import EntryKind

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Located:
    """An entry and where it lies. ``start`` is its local header (ZIP) or its bytes (tar); the rest is ZIP's."""

    path: str
    kind: EntryKind
    start: int
    packed: int
    size: int
    crc: int = 0
    method: int = 0
    flags: int = 0
    name: bytes = b""


class EntryIndex:
    """Raises sqlite3.Error when the disk fails or is full."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._path = path
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; "
            "CREATE TABLE entry (id INTEGER PRIMARY KEY, path BLOB, kind TEXT, start INTEGER, packed INTEGER, "
            "size INTEGER, crc INTEGER, method INTEGER, flags INTEGER, name BLOB);"
        )
        self._db.execute("BEGIN")
        self._waiting: list[tuple[bytes, str, int, int, int, int, int, int, bytes]] = []

    def add(self, entry: Located) -> None:
        """Note an entry."""
        e = entry
        self._waiting.append(
            (_packed(e.path), e.kind.value, e.start, e.packed, e.size, e.crc, e.method, e.flags, e.name)
        )
        if len(self._waiting) >= _BATCH:
            self._flush()

    def settle(self) -> None:
        """End the noting; ``find`` needs it."""
        self._flush()
        self._db.execute("CREATE INDEX entry_path ON entry (path)")

    def find(self, path: str) -> Located | None:
        """The first entry at ``path``."""
        with closing(
            self._db.execute("SELECT * FROM entry WHERE path = ? ORDER BY id LIMIT 1", (_packed(path),))
        ) as cursor:
            row = cursor.fetchone()
        return None if row is None else Located(path, EntryKind(row[2]), *row[3:])

    def by_position(self) -> Iterator[Located]:
        """Every entry, as they lie in the archive."""
        yield from self._all("SELECT * FROM entry ORDER BY start, id")

    def in_order(self) -> Iterator[Located]:
        """Every entry, as they were noted."""
        yield from self._all("SELECT * FROM entry ORDER BY id")

    def close(self) -> None:
        """Remove the file. May be called twice."""
        self._db.close()
        self._path.unlink(missing_ok=True)

    def _all(self, sql: str) -> Iterator[Located]:
        self._flush()
        with closing(self._db.execute(sql)) as cursor:
            for _, path, kind, *numbers in cursor:
                yield Located(path.decode("utf-8", "surrogateescape"), EntryKind(kind), *numbers)

    def _flush(self) -> None:
        if self._waiting:
            self._db.executemany("INSERT INTO entry VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._waiting)
            self._waiting.clear()


def _packed(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")
