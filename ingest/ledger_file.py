"""The file under a ledger, and the questions asked of it before anything is read: what clashes, what disagrees."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ingest.ledger_rows import Disagreement, Totals, fold_name, same_nfc
from metadata.identifiers import Digest

_BATCH = 1000
_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -16000;
PRAGMA temp_store = FILE;
CREATE TABLE file (seq INTEGER PRIMARY KEY, path TEXT NOT NULL, size INTEGER NOT NULL, folded TEXT,
                   target TEXT, role TEXT, placed INTEGER);
CREATE TABLE declared (id INTEGER PRIMARY KEY, path TEXT NOT NULL, algorithm TEXT, digest BLOB,
                       source TEXT NOT NULL, size INTEGER, mime TEXT NOT NULL);
CREATE TABLE document (number INTEGER PRIMARY KEY, record TEXT NOT NULL, form TEXT NOT NULL, ead TEXT NOT NULL,
                       origin TEXT NOT NULL, identifier TEXT NOT NULL, held TEXT NOT NULL);
CREATE TABLE document_file (document INTEGER NOT NULL, position INTEGER NOT NULL, path TEXT NOT NULL,
                            PRIMARY KEY (document, position)) WITHOUT ROWID;
CREATE TABLE named (id TEXT NOT NULL, path TEXT NOT NULL);
CREATE TABLE described (id TEXT NOT NULL, path TEXT NOT NULL, label TEXT NOT NULL);
CREATE TABLE linked (description TEXT NOT NULL, id TEXT NOT NULL);
CREATE TABLE result (number INTEGER, seq INTEGER, path TEXT, role TEXT, start INTEGER, data INTEGER,
                     size INTEGER NOT NULL, crc32 INTEGER NOT NULL, sha256 BLOB NOT NULL, sha512 BLOB NOT NULL);
CREATE TABLE identified (seq INTEGER PRIMARY KEY, puid TEXT, name TEXT, version TEXT, mime TEXT, basis TEXT,
                         warning TEXT);
CREATE TABLE scanned (seq INTEGER PRIMARY KEY, outcome TEXT NOT NULL, name TEXT NOT NULL);
CREATE TABLE examined (seq INTEGER PRIMARY KEY, validity TEXT NOT NULL, facts TEXT NOT NULL, pages INTEGER,
                       signature TEXT, signatures INTEGER NOT NULL);
CREATE TABLE remark (seq INTEGER NOT NULL, position INTEGER NOT NULL, code TEXT NOT NULL, details TEXT NOT NULL);
CREATE TABLE kept_text (seq INTEGER PRIMARY KEY, text BLOB NOT NULL);
CREATE TABLE report (seq INTEGER PRIMARY KEY, report BLOB NOT NULL);
"""
_INSERT = {
    "file": "INSERT INTO file (path, size, folded) VALUES (?, ?, ?)",
    "declared": "INSERT INTO declared (path, algorithm, digest, source, size, mime) VALUES (?, ?, ?, ?, ?, ?)",
    "document": "INSERT INTO document VALUES (?, ?, ?, ?, ?, ?, ?)",
    "document_file": "INSERT INTO document_file VALUES (?, ?, ?)",
    "named": "INSERT INTO named VALUES (?, ?)",
    "described": "INSERT INTO described VALUES (?, ?, ?)",
    "linked": "INSERT INTO linked VALUES (?, ?)",
    "result": "INSERT INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "identified": "INSERT INTO identified VALUES (?, ?, ?, ?, ?, ?, ?)",
    # Of what is said of the whole and of files in it the gravest stays, whichever is said first.
    "scanned": "INSERT INTO scanned VALUES (?, ?, ?) ON CONFLICT (seq) DO UPDATE SET outcome = excluded.outcome, "
    "name = excluded.name WHERE scanned.outcome = 'CLEAN' OR (excluded.outcome = 'INFECTED' AND "
    "(scanned.outcome <> 'INFECTED' OR excluded.name < scanned.name))",
    "examined": "INSERT INTO examined VALUES (?, ?, ?, ?, ?, ?)",
    "remark": "INSERT INTO remark VALUES (?, ?, ?, ?)",
    "kept_text": "INSERT INTO kept_text VALUES (?, ?)",
    "report": "INSERT INTO report VALUES (?, ?)",
}
_LARGE = 16
"""Rows of ``kept_text`` and ``report`` that wait in memory: each may be megabytes."""


class LedgerFile:
    """What came and what was declared of it. Raises sqlite3.Error when the disk under ``path`` fails or is full."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._path = path
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.executescript(_SCHEMA)
        self._db.execute("BEGIN")
        self._waiting: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _INSERT}
        self._settled = False
        self._indexed = False
        self._joined = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Forget everything; the file is removed. May be called twice."""
        self._db.close()
        self._path.unlink(missing_ok=True)

    # What came

    def add_file(self, path: str, size: int) -> None:
        """Note a file of the package, by its path in the source and its size in bytes."""
        self._add("file", (path, size, fold_name(path)))

    def settle(self, root: str = "") -> None:
        """End the noting of files: ``root`` (empty, or a folder with its ``/``) is cut from every path."""
        self._flush()
        if root:
            cut = len(root) + 1, len(fold_name(root) or root) + 1
            self._db.execute("UPDATE file SET path = substr(path, ?), folded = substr(folded, ?)", cut)
        self._db.execute("CREATE INDEX file_path ON file (path)")
        self._db.execute("CREATE INDEX file_folded ON file (folded) WHERE folded IS NOT NULL")
        self._settled = True

    @property
    def settled(self) -> bool:
        """Whether all files are noted: what was refused at its names never is."""
        return self._settled

    def declare(
        self, path: str, digest: Digest | None, source: str, *, size: int | None = None, mime: str = ""
    ) -> None:
        """Note what ``source`` (a manifest, a METS) says of the file at ``path``; the file need not exist."""
        algorithm, value = (None, None) if digest is None else (digest.algorithm.value, digest.value)
        self._add("declared", (path, algorithm, value, source, size, mime))

    def name_file(self, identifier: str, path: str) -> None:
        """A METS calls the file at ``path`` by this ID."""
        self._add("named", (identifier, path))

    def describe(self, identifier: str, path: str, label: str = "") -> None:
        """A METS calls the description at ``path`` by this ID, and labels it so."""
        self._add("described", (identifier, path, label))

    def link(self, description: str, identifier: str) -> None:
        """A METS says that the file of the second ID belongs to the description of the first."""
        self._add("linked", (description, identifier))

    # Questions before the pass

    def linked_files(self, description: str, folder: str) -> tuple[str, ...]:
        """Files under ``folder`` that a METS links with the description, in the order of the links."""
        self._index()
        sql = (
            "SELECT n.path FROM described e JOIN linked l ON l.description = e.id JOIN named n ON n.id = l.id "
            "WHERE e.path = ? AND n.path >= ? AND n.path < ? ORDER BY l.rowid"
        )
        return tuple(dict.fromkeys(row[0] for row in self._rows(sql, (description, *under(folder)))))

    def label_of(self, description: str) -> str:
        """The label that a METS gives a description; "" when it has none."""
        self._index()
        row = self._one("SELECT label FROM described WHERE path = ? AND label <> ''", (description,))
        return str(row[0]) if row else ""

    def without_document(self, folder: str) -> Iterator[str]:
        """Files under ``folder`` that no document has."""
        self._index()
        sql = (
            "SELECT path FROM file f WHERE path >= ? AND path < ? "
            "AND NOT EXISTS (SELECT 1 FROM document_file p WHERE p.path = f.path) ORDER BY path"
        )
        yield from (row[0] for row in self._rows(sql, under(folder)))

    def files_with_stem(self, folder: str, stem: str) -> tuple[str, ...]:
        """Files right in ``folder`` whose name without its last extension is ``stem``."""
        sql = "SELECT path FROM file WHERE path = ? OR (path >= ? AND path < ?) ORDER BY path"
        start = folder + stem
        found = (str(row[0]) for row in self._rows(sql, (start, f"{start}.", f"{start}/")))
        return tuple(path for path in found if path == start or path.rpartition(".")[0] == start)

    def totals(self, folder: str = "") -> Totals:
        """How many files lie under ``folder``, and their bytes together."""
        sql = "SELECT count(*), coalesce(sum(size), 0) FROM file WHERE path >= ? AND path < ?"
        files, size = self._one(sql, under(folder))
        return Totals(files, size)

    def size_of(self, path: str) -> int | None:
        """The size of the file at ``path``; None when there is none."""
        row = self._one("SELECT size FROM file WHERE path = ?", (path,))
        return int(row[0]) if row else None

    def paths(self, folder: str = "") -> Iterator[str]:
        """Paths under ``folder``, in byte order."""
        sql = "SELECT path FROM file WHERE path >= ? AND path < ? ORDER BY path"
        yield from (str(row[0]) for row in self._rows(sql, under(folder)))

    def children(self, folder: str, limit: int = 1000) -> list[str]:
        """Names right in ``folder``, folders with ``/``: at most ``limit``. Costs what it gives, not all files."""
        names: list[str] = []
        at, end = under(folder)
        while len(names) < limit:
            row = self._one("SELECT path FROM file WHERE path >= ? AND path < ? ORDER BY path LIMIT 1", (at, end))
            if not row:
                break
            name, slash, _ = row[0][len(folder) :].partition("/")
            names.append(name + slash)
            at = f"{folder}{name}0" if slash else f"{row[0]}\0"
        return names

    def ending(self, folder: str, end: str, limit: int) -> list[str]:
        """At most ``limit`` files under ``folder`` whose names end so, in either case of letters, in byte order."""
        sql = "SELECT path FROM file WHERE path >= ? AND path < ? AND path LIKE ? ORDER BY path LIMIT ?"
        return [row[0] for row in self._rows(sql, (*under(folder), f"%{end}", limit))]

    def tops(self, limit: int = 100) -> tuple[str, ...]:
        """The first names at the root, folders with their ``/``: at most ``limit`` of them."""
        sql = (
            "SELECT DISTINCT CASE instr(path, '/') WHEN 0 THEN path ELSE substr(path, 1, instr(path, '/')) END "
            "FROM file ORDER BY 1 LIMIT ?"
        )
        return tuple(row[0] for row in self._rows(sql, (limit,)))

    def alike(self, *patterns: str) -> Iterator[str]:
        """Paths like any of the patterns (``%`` for anything, ``!`` before a literal sign), ASCII in any case."""
        for pattern in patterns:
            yield from (row[0] for row in self._rows("SELECT path FROM file WHERE path LIKE ? ESCAPE '!'", (pattern,)))

    def outside(self, folder: str, source: str | None = None) -> Iterator[str]:
        """Files that do not lie under ``folder``; with ``source``, those of them that it does not declare."""
        self._index()
        sql = (
            "SELECT path FROM file f WHERE (path < ? OR path >= ?) AND (? IS NULL OR NOT EXISTS "
            "(SELECT 1 FROM declared d WHERE d.path = f.path AND d.source = ?)) ORDER BY path"
        )
        yield from (row[0] for row in self._rows(sql, (*under(folder), source, source)))

    def duplicates(self) -> Iterator[str]:
        """Paths that the source holds more than once."""
        yield from (row[0] for row in self._rows("SELECT path FROM file GROUP BY path HAVING count(*) > 1"))

    def files_as_folders(self) -> Iterator[str]:
        """Paths that are a file and, in other files' paths, also a folder."""
        sql = (
            "SELECT path FROM file a WHERE EXISTS "
            "(SELECT 1 FROM file b WHERE b.path >= a.path || '/' AND b.path < a.path || '0') ORDER BY path"
        )
        yield from (row[0] for row in self._rows(sql))

    def look_alikes(self) -> Iterator[tuple[str, str]]:
        """Pairs of different paths that are one after NFC and case folding, in byte order within their group."""
        sql = (
            "WITH name AS (SELECT path, coalesce(folded, path) AS key FROM file), "
            "many AS (SELECT key FROM name GROUP BY key HAVING count(DISTINCT path) > 1) "
            "SELECT key, path FROM name JOIN many USING (key) ORDER BY key, path"
        )
        for _, group in groupby(self._rows(sql), key=lambda row: row[0]):
            first, *others = (str(row[1]) for row in group)
            yield from ((first, other) for other in others if other != first)

    def folder_look_alikes(self) -> Iterator[tuple[str, str]]:
        """Pairs of different folders that are one after NFC. One of them is not in NFC: only such are looked at."""
        self._db.execute("CREATE TEMP TABLE spelling (nfc TEXT, path TEXT, PRIMARY KEY (nfc, path)) WITHOUT ROWID")
        last = ""
        for path in self.paths():
            folder = path[: path.rfind("/") + 1]
            if folder != last and not unicodedata.is_normalized("NFC", folder):
                self._spell(folder)
            last = folder
        sql = (
            "SELECT s.nfc, s.path FROM spelling s WHERE EXISTS (SELECT 1 FROM file f WHERE f.path >= s.nfc "
            "AND f.path < substr(s.nfc, 1, length(s.nfc) - 1) || '0') UNION ALL SELECT a.path, b.path FROM spelling a "
            "JOIN spelling b ON b.nfc = a.nfc AND b.path > a.path ORDER BY 1, 2"
        )
        yield from ((one[:-1], other[:-1]) for one, other in self._rows(sql))
        self._db.execute("DROP TABLE spelling")

    def _spell(self, folder: str) -> None:
        at = folder.find("/") + 1
        while at:
            part = folder[:at]
            nfc = unicodedata.normalize("NFC", part)
            if nfc != part:
                self._db.execute("INSERT OR IGNORE INTO spelling VALUES (?, ?)", (nfc, part))
            at = folder.find("/", at) + 1

    def twin(self, path: str) -> str | None:
        """The one file spelled otherwise whose path is ``path`` after NFC; None when there is none, or several."""
        sql = "SELECT path FROM file WHERE folded = ? UNION SELECT path FROM file WHERE path = ?"
        folded = fold_name(path) or path
        found = [row[0] for row in self._rows(sql, (folded, folded)) if row[0] != path and same_nfc(row[0], path)]
        return found[0] if len(found) == 1 else None

    def respell(self) -> Iterator[str]:
        """What is declared of a path that is missing is from now on meant of its twin; gives the paths as declared."""
        self._db.execute("CREATE TEMP TABLE spelt (path TEXT PRIMARY KEY, twin TEXT) WITHOUT ROWID")
        for lost in self.missing():
            twin = None if lost.path.isascii() else self.twin(lost.path)
            if twin is not None:
                self._db.execute("INSERT OR IGNORE INTO spelt VALUES (?, ?)", (lost.path, twin))
        self._db.execute(
            "UPDATE declared SET path = (SELECT twin FROM spelt s WHERE s.path = declared.path) "
            "WHERE path IN (SELECT path FROM spelt)"
        )
        yield from (row[0] for row in self._rows("SELECT path FROM spelt ORDER BY path"))
        self._db.execute("DROP TABLE spelt")

    def is_declared(self, path: str, source: str | None = None) -> bool:
        """Whether anything, or ``source``, declares ``path``."""
        self._index()
        sql = "SELECT 1 FROM declared WHERE path = ? AND (? IS NULL OR source = ?) LIMIT 1"
        return bool(self._one(sql, (path, source, source)))

    def missing(self) -> Iterator[Disagreement]:
        """What is declared and not there: path, and the source that declares it."""
        self._index()
        sql = (
            "SELECT d.path, d.source, '' FROM declared d WHERE NOT EXISTS "
            "(SELECT 1 FROM file f WHERE f.path = d.path) ORDER BY d.path, d.id"
        )
        yield from (Disagreement(*row) for row in self._rows(sql))

    def undeclared(self, folder: str = "") -> Iterator[str]:
        """Files under ``folder`` that nothing declares."""
        self._index()
        sql = (
            "SELECT path FROM file f WHERE path >= ? AND path < ? "
            "AND NOT EXISTS (SELECT 1 FROM declared d WHERE d.path = f.path) ORDER BY path"
        )
        yield from (row[0] for row in self._rows(sql, under(folder)))

    def not_in(self, source: str, folder: str) -> Iterator[str]:
        """Files under ``folder`` that ``source`` does not declare though another source does."""
        self._index()
        sql = (
            "SELECT path FROM file f WHERE path >= ? AND path < ? "
            "AND EXISTS (SELECT 1 FROM declared d WHERE d.path = f.path) "
            "AND NOT EXISTS (SELECT 1 FROM declared d WHERE d.path = f.path AND d.source = ?) ORDER BY path"
        )
        yield from (row[0] for row in self._rows(sql, (*under(folder), source)))

    def sizes_differing(self) -> Iterator[Disagreement]:
        """Files whose declared size is not their size: path, source, declared size."""
        self._index()
        sql = (
            "SELECT d.path, d.source, d.size FROM declared d JOIN file f ON f.path = d.path "
            "WHERE d.size IS NOT NULL AND d.size <> f.size ORDER BY d.path, d.id"
        )
        yield from (Disagreement(row[0], row[1], str(row[2])) for row in self._rows(sql))

    def digests_differing(self) -> Iterator[Disagreement]:
        """Paths declared with two digests of one algorithm: path, the sources, the algorithm."""
        self._index()
        sql = (
            "SELECT path, group_concat(DISTINCT source), algorithm FROM declared WHERE algorithm IS NOT NULL "
            "GROUP BY path, algorithm HAVING count(DISTINCT digest) > 1 ORDER BY path"
        )
        yield from (Disagreement(*row) for row in self._rows(sql))

    def declared_twice(self, *, differing: bool) -> Iterator[Disagreement]:
        """Paths that one source declares twice under one algorithm: path, source, algorithm.

        With ``differing`` those with different digests, without it those with one and the same.
        """
        self._index()
        sql = (
            "SELECT path, source, coalesce(algorithm, '') FROM declared GROUP BY path, source, algorithm "
            "HAVING count(*) > 1 AND (count(DISTINCT digest) > 1) = ? ORDER BY path"
        )
        yield from (Disagreement(*row) for row in self._rows(sql, (differing,)))

    # Machinery

    def _add(self, table: str, row: tuple[Any, ...]) -> None:
        waiting = self._waiting[table]
        waiting.append(row)
        if len(waiting) >= (_LARGE if table in ("kept_text", "report") else _BATCH):
            self._db.executemany(_INSERT[table], waiting)
            waiting.clear()

    def _flush(self) -> None:
        for table, waiting in self._waiting.items():
            if waiting:
                self._db.executemany(_INSERT[table], waiting)
                waiting.clear()

    def _index(self) -> None:
        self._flush()
        if not self._settled:
            raise ValueError("settle() comes first")
        if not self._indexed:
            self._db.execute("CREATE INDEX declared_path ON declared (path)")
            self._db.execute("CREATE INDEX named_id ON named (id)")
            self._db.execute("CREATE INDEX described_path ON described (path)")
            self._db.execute("CREATE INDEX linked_description ON linked (description)")
            self._db.execute("CREATE INDEX result_seq ON result (seq)")
            self._db.execute("CREATE INDEX document_file_path ON document_file (path)")
            self._indexed = True

    def _one(self, sql: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...]:
        return next(self._rows(sql, values), ())

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        self._flush()
        return self._db.execute(sql, values)


def under(folder: str) -> tuple[str, str | bytes]:
    """Bounds of the paths under a folder; SQLite sorts every BLOB after every text."""
    return (folder, folder[:-1] + "0") if folder else ("", b"")
