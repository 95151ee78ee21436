"""What must be remembered while a package is written, on disk: flat in memory at any number of files."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from metadata.mets import MetsEntry

_TABLES = (
    "CREATE TABLE entry (kind TEXT, seq INTEGER, path TEXT, size INTEGER, mime TEXT, sha256 BLOB, document TEXT)",
    "CREATE INDEX by_kind ON entry (kind, seq)",
    "CREATE TABLE given (what TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE received (folded TEXT, name TEXT, member INTEGER, PRIMARY KEY (folded, name)) WITHOUT ROWID",
)


class Scratch:
    """A temporary database in ``work``, gone when the context ends."""

    def __init__(self, work: Path) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.NamedTemporaryFile(dir=work, prefix="dip-", suffix=".sqlite")  # noqa: SIM115
        self._database = sqlite3.connect(self._file.name)
        for statement in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", *_TABLES):
            self._database.execute(statement)
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._file.close()

    def add_entry(self, kind: str, entry: MetsEntry) -> None:
        """Note a file for a METS; ``kind`` says which list of files it is in."""
        self._sequence += 1
        row = (kind, self._sequence, entry.path, entry.size, entry.mime, entry.sha256, entry.document)
        self._database.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def entries(self, kind: str) -> Iterator[MetsEntry]:
        """The files of one list in the order in which they were noted."""
        query = "SELECT path, size, mime, sha256, document FROM entry WHERE kind = ? ORDER BY seq"
        for path, size, mime, sha256, document in self._database.execute(query, (kind,)):
            yield MetsEntry(path, size, mime, sha256, document=document)

    def give(self, what: str) -> bool:
        """Note that a file went out or a path was used; whether it is the first time."""
        return self._database.execute("INSERT OR IGNORE INTO given VALUES (?)", (what,)).rowcount == 1

    def note_received(self, name: str, member: int) -> None:
        """Note which member is the description that the agency sent under ``name``."""
        self._database.execute("INSERT INTO received VALUES (?, ?, ?)", (name.lower(), name, member))

    def received(self, name: str) -> int | None:
        """The member noted under ``name``, else under that name in other letters (EAD_DOC_… for EAD_doc_…)."""
        query = "SELECT member FROM received WHERE folded = ? ORDER BY name <> ?, name"
        row = self._database.execute(query, (name.lower(), name)).fetchone()
        return row[0] if row else None
