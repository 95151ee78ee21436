"""The ledger of one package: every file, what was declared of it, where it goes, what was found of it.

A package may have a million files, so nothing about files is kept in memory: the ledger is a temporary SQLite file
that only its owner reads (no journal, no syncing; a crash throws it away with the rest of the work folder).
One thread at a time may use it.

The order of work: ``add_file`` for all files, ``settle`` once, then ``declare``, ``plan`` and ``add_document``, then
the one pass reads ``files()`` and answers with ``record`` and ``identified``; ``add_generated`` notes what the archive
wrote itself; ``members()`` and ``documents()`` give the whole back in the order in which it lies in the AIP.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ingest.ledger_rows import (
    Declared,
    Disagreement,
    PlacedContent,
    Placement,
    PlannedDocument,
    PlannedFile,
    Totals,
    fold_name,
    pack_record,
    same_nfc,
    unpack_record,
)
from metadata.holdings import Format, Member, Record, Role
from metadata.identifiers import Algorithm, Digest, Puid
from metadata.tt05.records import Fields
from storage.hashing import MemberDigests

__all__ = ["Declared", "Disagreement", "Ledger", "Placement", "PlannedDocument", "PlannedFile", "Totals"]

_BATCH = 1000
_ORDER = {Role.CONTENT: 0, Role.SUPPORT: 1, Role.SUBMISSION: 2, Role.METADATA: 3, Role.TAG: 4}
_ALGORITHMS = {str(algorithm): algorithm for algorithm in Algorithm}
_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -16000;
PRAGMA temp_store = FILE;
CREATE TABLE file (seq INTEGER PRIMARY KEY, path TEXT NOT NULL, size INTEGER NOT NULL, folded TEXT,
                   target TEXT, role TEXT, placed INTEGER);
CREATE TABLE declared (id INTEGER PRIMARY KEY, path TEXT NOT NULL, algorithm TEXT, digest BLOB,
                       source TEXT NOT NULL, size INTEGER, mime TEXT NOT NULL);
CREATE TABLE document (number INTEGER PRIMARY KEY, record TEXT NOT NULL, form TEXT NOT NULL, ead TEXT NOT NULL,
                       origin TEXT NOT NULL);
CREATE TABLE document_file (document INTEGER NOT NULL, position INTEGER NOT NULL, path TEXT NOT NULL,
                            PRIMARY KEY (document, position)) WITHOUT ROWID;
CREATE TABLE result (number INTEGER, seq INTEGER, path TEXT, role TEXT, start INTEGER, data INTEGER,
                     size INTEGER NOT NULL, crc32 INTEGER NOT NULL, sha256 BLOB NOT NULL, sha512 BLOB NOT NULL);
CREATE TABLE identified (seq INTEGER PRIMARY KEY, puid TEXT, name TEXT, version TEXT, mime TEXT, basis TEXT,
                         warning TEXT);
"""
_INSERT = {
    "file": "INSERT INTO file (path, size, folded) VALUES (?, ?, ?)",
    "declared": "INSERT INTO declared (path, algorithm, digest, source, size, mime) VALUES (?, ?, ?, ?, ?, ?)",
    "document": "INSERT INTO document VALUES (?, ?, ?, ?, ?)",
    "document_file": "INSERT INTO document_file VALUES (?, ?, ?)",
    "result": "INSERT INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "identified": "INSERT INTO identified VALUES (?, ?, ?, ?, ?, ?, ?)",
}


class Ledger:
    """The files of one package, on disk. Raises sqlite3.Error when the disk under ``path`` fails or is full."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._path = path
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.executescript(_SCHEMA)
        self._db.execute("BEGIN")
        self._waiting: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _INSERT}
        self._settled = False
        self._indexed = False

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
            self._db.execute("UPDATE file SET path = substr(path, ?), folded = substr(folded, ?)", (len(root) + 1,) * 2)
        self._db.execute("CREATE INDEX file_path ON file (path)")
        self._db.execute("CREATE INDEX file_folded ON file (folded) WHERE folded IS NOT NULL")
        self._settled = True

    def declare(
        self, path: str, digest: Digest | None, source: str, *, size: int | None = None, mime: str = ""
    ) -> None:
        """Note what ``source`` (a manifest, a METS) says of the file at ``path``; the file need not exist."""
        algorithm, value = (None, None) if digest is None else (digest.algorithm.value, digest.value)
        self._add("declared", (path, algorithm, value, source, size, mime))

    def plan(self, path: str, target: str, role: Role) -> None:
        """The file at ``path`` goes to ``target`` in the AIP (relative to the bag root) as ``role``."""
        self._flush()
        self._db.execute(
            "UPDATE file SET target = ?, role = ?, placed = ? WHERE path = ?", (target, role.value, _ORDER[role], path)
        )

    def plan_all(self, folder: str, target: str, role: Role) -> None:
        """Every file under ``folder`` (empty, or ending with ``/``) not planned yet goes under ``target``."""
        self._flush()
        sql = (
            "UPDATE file SET target = ? || substr(path, ?), role = ?, placed = ? "
            "WHERE target IS NULL AND path >= ? AND path < ?"
        )
        self._db.execute(sql, (target, len(folder) + 1, role.value, _ORDER[role], *_under(folder)))

    def add_document(
        self, record: Record, form: Fields, ead_name: str, paths: tuple[str, ...], origin: str = ""
    ) -> None:
        """Note a document: its record (``members`` still empty), its AIP fields, its EAD file's name, its files.

        ``origin`` is the path of the description it was read from, empty when there was none.
        """
        self._add("document", (record.number, pack_record(record), json.dumps(form.pairs), ead_name, origin))
        self._waiting["document_file"].extend((record.number, at, path) for at, path in enumerate(paths))

    # Questions before the pass

    def totals(self, folder: str = "") -> Totals:
        """How many files lie under ``folder``, and their bytes together."""
        sql = "SELECT count(*), coalesce(sum(size), 0) FROM file WHERE path >= ? AND path < ?"
        files, size = self._one(sql, _under(folder))
        return Totals(files, size)

    def size_of(self, path: str) -> int | None:
        """The size of the file at ``path``; None when there is none."""
        row = self._one("SELECT size FROM file WHERE path = ?", (path,))
        return int(row[0]) if row else None

    def paths(self, folder: str = "") -> Iterator[str]:
        """Paths under ``folder``, in byte order."""
        sql = "SELECT path FROM file WHERE path >= ? AND path < ? ORDER BY path"
        yield from (str(row[0]) for row in self._rows(sql, _under(folder)))

    def tops(self, limit: int = 100) -> tuple[str, ...]:
        """The first names at the root, folders with their ``/``: at most ``limit`` of them."""
        sql = (
            "SELECT DISTINCT CASE instr(path, '/') WHEN 0 THEN path ELSE substr(path, 1, instr(path, '/')) END "
            "FROM file ORDER BY 1 LIMIT ?"
        )
        return tuple(row[0] for row in self._rows(sql, (limit,)))

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

    def twin(self, path: str) -> str | None:
        """The one file spelled otherwise whose path is ``path`` after NFC; None when there is none, or several."""
        sql = "SELECT path FROM file WHERE folded = ? UNION SELECT path FROM file WHERE path = ?"
        folded = fold_name(path) or path
        found = [row[0] for row in self._rows(sql, (folded, folded)) if row[0] != path and same_nfc(row[0], path)]
        return found[0] if len(found) == 1 else None

    def respell(self, declared: str, path: str) -> None:
        """What is declared of ``declared`` is meant of the file at ``path``."""
        self._flush()
        self._db.execute("UPDATE declared SET path = ? WHERE path = ?", (path, declared))

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
        yield from (row[0] for row in self._rows(sql, _under(folder)))

    def not_in(self, source: str, folder: str) -> Iterator[str]:
        """Files under ``folder`` that ``source`` does not declare though another source does."""
        self._index()
        sql = (
            "SELECT path FROM file f WHERE path >= ? AND path < ? "
            "AND EXISTS (SELECT 1 FROM declared d WHERE d.path = f.path) "
            "AND NOT EXISTS (SELECT 1 FROM declared d WHERE d.path = f.path AND d.source = ?) ORDER BY path"
        )
        yield from (row[0] for row in self._rows(sql, (*_under(folder), source)))

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

    def declared_twice(self) -> Iterator[Disagreement]:
        """Paths that one source declares twice under one algorithm: path, source, algorithm."""
        self._index()
        sql = (
            "SELECT path, source, coalesce(algorithm, '') FROM declared GROUP BY path, source, algorithm "
            "HAVING count(*) > 1 ORDER BY path"
        )
        yield from (Disagreement(*row) for row in self._rows(sql))

    # The pass

    def files(self) -> Iterator[PlannedFile]:
        """Every file in the order in which it is read and placed: content, support, submission; each by path bytes.

        ``record`` and ``identified`` may be called meanwhile. Raises ValueError when a file has no plan.
        """
        self._index()
        sql = (
            "SELECT f.seq, f.path, f.size, f.target, f.role, d.algorithm, d.digest, d.source, d.mime "
            "FROM file f LEFT JOIN declared d ON d.path = f.path ORDER BY f.placed, f.path, f.seq, d.id"
        )
        for _, group in groupby(self._rows(sql), key=lambda row: row[0]):
            rows = list(group)
            seq, path, size, target, role, *_ = rows[0]
            if target is None:
                raise ValueError(f"no plan for {path!r}")
            declared = tuple(Declared(Digest(_ALGORITHMS[row[5]], row[6]), row[7]) for row in rows if row[5])
            mime = next((row[8] for row in rows if row[8]), "")
            yield PlannedFile(seq, path, size, target, Role(role), mime, declared)

    def record(self, seq: int, digests: MemberDigests, placed: Placement | None) -> None:
        """Note what the pass found of file ``seq`` and where it lies in the AIP; ``placed`` None: it was only read."""
        d = digests
        number, *at = (None, None, None) if placed is None else (placed.number, placed.offset, placed.data)
        self._add("result", (number, seq, None, None, *at, d.size, d.crc32, d.sha256, d.sha512))

    def identified(self, seq: int, format: Format) -> None:
        """Note the format of file ``seq``."""
        puid = None if format.puid is None else format.puid.value
        self._add("identified", (seq, puid, format.name, format.version, format.mime, format.basis, format.warning))

    def add_generated(self, path_in_aip: str, role: Role, placed: Placement, digests: MemberDigests) -> None:
        """Note a member that the archive wrote itself (METS, PREMIS, EAD, findings, tag files)."""
        d = digests
        at = placed.offset, placed.data
        self._add("result", (placed.number, None, path_in_aip, role.value, *at, d.size, d.crc32, d.sha256, d.sha512))

    # Answers after the pass

    def members(self) -> Iterator[Member]:
        """Every member placed so far, in the order in which it lies in the AIP."""
        self._flush()
        sql = (
            "SELECT r.number, coalesce(f.target, r.path), coalesce(f.role, r.role), r.start, r.data, r.size, r.crc32, "
            "r.sha256, r.sha512, i.seq, i.puid, i.name, i.version, i.mime, i.basis, i.warning FROM result r "
            "LEFT JOIN file f ON f.seq = r.seq LEFT JOIN identified i ON i.seq = r.seq "
            "WHERE r.number IS NOT NULL ORDER BY r.number"
        )
        for number, path, role, start, data, size, crc, sha256, sha512, seq, *form in self._rows(sql):
            found = None if seq is None else _format(*form)
            yield Member(number, path, Role(role), start, data, size, crc, sha256, sha512, found)

    def content(self) -> Iterator[PlacedContent]:
        """Every content file placed so far, in member order, each once."""
        self._index()
        sql = (
            "SELECT f.path, f.target, r.size, r.sha256, r.sha512, "
            "coalesce((SELECT mime FROM declared d WHERE d.path = f.path AND mime <> '' LIMIT 1), ''), "
            "coalesce((SELECT ead FROM document_file p JOIN document d ON d.number = p.document "
            "WHERE p.path = f.path ORDER BY d.number LIMIT 1), ''), "
            "i.seq, i.puid, i.name, i.version, i.mime, i.basis, i.warning FROM result r "
            "JOIN file f ON f.seq = r.seq LEFT JOIN identified i ON i.seq = r.seq "
            "WHERE f.role = ? ORDER BY r.number"
        )
        for path, target, size, sha256, sha512, mime, ead, seq, *form in self._rows(sql, (Role.CONTENT.value,)):
            found = None if seq is None else _format(*form)
            yield PlacedContent(path, target, size, sha256, sha512, mime, found, ead)

    def generated(self, folder: str) -> Iterator[tuple[str, int, bytes]]:
        """Path, size and SHA-256 of what the archive wrote under ``folder`` (a path in the AIP), in member order."""
        self._flush()
        sql = "SELECT path, size, sha256 FROM result WHERE seq IS NULL AND path >= ? AND path < ? ORDER BY number"
        yield from self._rows(sql, _under(folder))

    def placed_under(self, folder: str) -> Iterator[tuple[str, int, str, bytes]]:
        """Target, size, MIME type as declared and SHA-256 of what was received and lies under ``folder``, by member."""
        self._index()
        sql = (
            "SELECT f.target, r.size, coalesce((SELECT mime FROM declared d WHERE d.path = f.path AND mime <> '' "
            "LIMIT 1), 'application/octet-stream'), r.sha256 FROM result r JOIN file f ON f.seq = r.seq "
            "WHERE f.target >= ? AND f.target < ? ORDER BY r.number"
        )
        yield from self._rows(sql, _under(folder))

    def identified_count(self) -> tuple[int, int]:
        """How many files have a PUID, of how many that were looked at."""
        self._flush()
        found, looked = self._one("SELECT count(puid), count(*) FROM identified")
        return int(found), int(looked)

    def originals(self) -> Iterator[tuple[int, str]]:
        """Member number and path as received, of every file of the submission, in member order."""
        self._flush()
        sql = "SELECT r.number, f.path FROM result r JOIN file f ON f.seq = r.seq WHERE r.number > 0 ORDER BY r.number"
        yield from self._rows(sql)

    def documents(self) -> Iterator[PlannedDocument]:
        """Every document by number; ``record.members`` are the numbers of its files placed so far."""
        self._index()
        sql = (
            "SELECT d.number, d.record, d.form, d.ead, d.origin, p.path, r.number FROM document d "
            "LEFT JOIN document_file p ON p.document = d.number LEFT JOIN file f ON f.path = p.path "
            "LEFT JOIN result r ON r.seq = f.seq ORDER BY d.number, p.position"
        )
        for number, group in groupby(self._rows(sql), key=lambda row: row[0]):
            rows = list(group)
            _, record, form, ead, origin, *_ = rows[0]
            members = tuple(row[6] for row in rows if row[6] is not None)
            paths = tuple(row[5] for row in rows if row[5] is not None)
            fields = Fields(tuple((name, value) for name, value in json.loads(form)))
            yield PlannedDocument(unpack_record(number, record, members), fields, ead, origin, paths)

    def content_digest(self) -> bytes:
        """SHA-256 over ``<sha256 hex>  <path>\\n`` of every file as sent, by path bytes; CR, LF and % encoded.

        The identity of what was sent: equal for the same package as a folder, a tar or a ZIP.
        Raises ValueError when a file has not been recorded.
        """
        self._index()
        digest = hashlib.sha256()
        sql = "SELECT f.path, r.sha256 FROM file f LEFT JOIN result r ON r.seq = f.seq ORDER BY f.path"
        for path, sha256 in self._rows(sql):
            if sha256 is None:
                raise ValueError(f"not read yet: {path!r}")
            shown = path.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
            digest.update(f"{sha256.hex()}  {shown}\n".encode())
        return digest.digest()

    # Machinery

    def _add(self, table: str, row: tuple[Any, ...]) -> None:
        waiting = self._waiting[table]
        waiting.append(row)
        if len(waiting) >= _BATCH:
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
            self._db.execute("CREATE INDEX result_seq ON result (seq)")
            self._db.execute("CREATE INDEX document_file_path ON document_file (path)")
            self._indexed = True

    def _one(self, sql: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...]:
        return next(self._rows(sql, values), ())

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        self._flush()
        with closing(self._db.execute(sql, values)) as cursor:
            yield from cursor


def _under(folder: str) -> tuple[str, str | bytes]:
    """Bounds of the paths under a folder; SQLite sorts every BLOB after every text."""
    return (folder, folder[:-1] + "0") if folder else ("", b"")


def _format(puid: str | None, name: str, version: str, mime: str, basis: str, warning: str) -> Format:
    return Format(None if puid is None else Puid(puid), name, version, mime, basis, warning)
