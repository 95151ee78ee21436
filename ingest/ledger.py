"""The ledger of one package: every file, what was declared of it, where it goes, what was found of it.

A package may have a million files, so nothing about files is kept in memory: the ledger is a temporary SQLite file
that only its owner reads (no journal, no syncing; a crash throws it away with the rest of the work folder).
One thread at a time may use it.

The order of work: ``add_file`` for all files, ``settle`` once, then ``declare``, ``plan`` and ``add_document``, then
the one pass reads ``files()`` and answers with ``record``, ``identified``, ``scanned`` and ``examined``;
``add_generated`` notes what the archive wrote itself; ``members()`` and the rest give everything back in the order in
which it lies in the AIP.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from ingest.ledger_checks import CHECKED, CHECKS, FOUND, CheckedLedger, checked_of, found_of
from ingest.ledger_file import under
from ingest.ledger_rows import (
    Declared,
    Disagreement,
    PlacedContent,
    Placement,
    PlannedDocument,
    PlannedFile,
    Totals,
    pack_record,
    unpack_record,
)
from metadata.bagit import manifest_line
from metadata.holdings import Member, Record, Role
from metadata.identifiers import Algorithm, Digest
from metadata.tt05.records import Fields
from storage.hashing import MemberDigests

__all__ = ["Declared", "Disagreement", "Ledger", "Placement", "PlannedDocument", "PlannedFile", "Totals"]

_ORDER = {Role.CONTENT: 0, Role.SUPPORT: 1, Role.SUBMISSION: 2, Role.METADATA: 3, Role.TAG: 4}
_ROLES = {str(role): role for role in Role}
_ALGORITHMS = {str(algorithm): algorithm for algorithm in Algorithm}
_JOIN_CONTENT = f"""CREATE TEMP TABLE content AS
SELECT f.path, f.target, r.size, r.sha256, r.sha512,
  coalesce((SELECT mime FROM declared d WHERE d.path = f.path AND mime <> '' LIMIT 1), '') AS declared_mime,
  coalesce((SELECT ead FROM document_file p JOIN document d ON d.number = p.document
            WHERE p.path = f.path ORDER BY d.number LIMIT 1), '') AS ead,
  {FOUND}, {CHECKED}
FROM result r JOIN file f ON f.seq = r.seq {CHECKS}
WHERE f.role = ? ORDER BY r.number"""  # noqa: S608


class Ledger(CheckedLedger):
    """The files of one package, on disk."""

    # Where everything goes

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
        self._db.execute(sql, (target, len(folder) + 1, role.value, _ORDER[role], *under(folder)))

    def add_document(
        self,
        record: Record,
        form: Fields,
        ead_name: str,
        paths: tuple[str, ...],
        origin: str = "",
        *,
        identifier: str = "",
        held: str = "",
    ) -> None:
        """Note a document: its record (``members`` still empty), its AIP fields, its EAD file's name, its files.

        ``origin`` is the path of the description it was read from, empty when there was none; ``identifier`` its docId;
        ``held`` where the document is held that this one only links to.
        """
        names = ead_name, origin, identifier, held
        self._add("document", (record.number, pack_record(record), json.dumps(form.pairs), *names))
        self._waiting["document_file"].extend((record.number, at, path) for at, path in enumerate(paths))

    # The pass

    def files(self) -> Iterator[PlannedFile]:
        """Every file in the order in which it is read and placed: content, support, submission; each by path bytes.

        Answers (``record`` and the others) may be noted meanwhile. Raises ValueError when a file has no plan.
        """
        self._index()
        sql = (
            "SELECT f.seq, f.path, f.size, f.target, f.role, d.algorithm, d.digest, d.source, d.mime "
            "FROM file f LEFT JOIN declared d ON d.path = f.path ORDER BY f.placed, f.path, f.seq, d.id"
        )
        planned: PlannedFile | None = None
        for seq, path, size, target, role, algorithm, digest, source, mime in self._rows(sql):
            declared = (Declared(Digest(_ALGORITHMS[algorithm], digest), source),) if algorithm else ()
            if planned is not None and planned.seq == seq:
                planned = replace(planned, declared=planned.declared + declared, mime=planned.mime or mime or "")
                continue
            if planned is not None:
                yield planned
            if target is None:
                raise ValueError(f"no plan for {path!r}")
            planned = PlannedFile(seq, path, size, target, _ROLES[role], mime or "", declared)
        if planned is not None:
            yield planned

    def record(self, seq: int, digests: MemberDigests, placed: Placement | None) -> None:
        """Note what the pass found of file ``seq`` and where it lies in the AIP; ``placed`` None: it was only read."""
        self._forget_content()
        d = digests
        number, *at = (None, None, None) if placed is None else (placed.number, placed.offset, placed.data)
        self._add("result", (number, seq, None, None, *at, d.size, d.crc32, d.sha256, d.sha512))

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
            "SELECT r.number, coalesce(f.target, r.path), coalesce(f.role, r.role), r.start, r.data, r.size, r.crc32, "  # noqa: S608
            f"r.sha256, r.sha512, {FOUND}, {CHECKED} FROM result r LEFT JOIN file f ON f.seq = r.seq {CHECKS} "
            "WHERE r.number IS NOT NULL ORDER BY r.number"
        )
        for number, path, role, start, data, size, crc, sha256, sha512, *more in self._rows(sql):
            found, checked = found_of(*more[:7]), checked_of(*more[7:])
            yield Member(number, path, _ROLES[role], start, data, size, crc, sha256, sha512, found, checked)

    def content(self, folder: str = "") -> Iterator[PlacedContent]:
        """Every content file placed so far under ``folder`` of the AIP (all when empty), in member order, each once.

        Joined once: METS and PREMIS ask four times for each representation.
        """
        self._index()
        if not self._joined:
            self._db.execute(_JOIN_CONTENT, (Role.CONTENT.value,))
            self._joined = True
        sql, bounds = "SELECT * FROM content", under(folder) if folder else ()
        if folder:
            self._db.execute("CREATE INDEX IF NOT EXISTS content_target ON content (target)")
            sql += " WHERE target >= ? AND target < ? ORDER BY rowid"
        for path, target, size, sha256, sha512, mime, ead, *more in self._rows(sql, bounds):
            found, checked = found_of(*more[:7]), checked_of(*more[7:])
            yield PlacedContent(path, target, size, sha256, sha512, mime, found, ead, checked)

    def generated(self, folder: str) -> Iterator[tuple[str, int, bytes]]:
        """Path, size and SHA-256 of what the archive wrote under ``folder`` (a path in the AIP), in member order."""
        self._flush()
        sql = "SELECT path, size, sha256 FROM result WHERE seq IS NULL AND path >= ? AND path < ? ORDER BY number"
        yield from self._rows(sql, under(folder))

    def placed_under(self, folder: str) -> Iterator[tuple[str, int, str, bytes]]:
        """Target, size, MIME type as declared and SHA-256 of what was received and lies under ``folder``, by member."""
        self._index()
        sql = (
            "SELECT f.target, r.size, coalesce((SELECT mime FROM declared d WHERE d.path = f.path AND mime <> '' "
            "LIMIT 1), 'application/octet-stream'), r.sha256 FROM result r JOIN file f ON f.seq = r.seq "
            "WHERE f.target >= ? AND f.target < ? ORDER BY r.number"
        )
        yield from self._rows(sql, under(folder))

    def identified_count(self) -> tuple[int, int]:
        """How many files have a PUID, of how many that were looked at."""
        self._flush()
        found, looked = self._one("SELECT count(puid), count(*) FROM identified")
        return int(found), int(looked)

    def documents(self) -> Iterator[PlannedDocument]:
        """Every document by number; ``record.members`` are the numbers of its files placed so far."""
        self._index()
        sql = (
            "SELECT d.number, d.record, d.form, d.ead, d.origin, d.identifier, d.held, p.path, r.number "
            "FROM document d LEFT JOIN document_file p ON p.document = d.number LEFT JOIN file f ON f.path = p.path "
            "LEFT JOIN result r ON r.seq = f.seq ORDER BY d.number, p.position"
        )
        for number, group in groupby(self._rows(sql), key=lambda row: row[0]):
            rows = list(group)
            _, record, form, ead, origin, identifier, held, *_ = rows[0]
            members = tuple(row[8] for row in rows if row[8] is not None)
            paths = tuple(row[7] for row in rows if row[7] is not None)
            fields = Fields(tuple((name, value) for name, value in json.loads(form)))
            found = unpack_record(number, record, members)
            yield PlannedDocument(found, fields, ead, origin, paths, identifier, held)

    def document_names(self) -> Iterator[tuple[str, str]]:
        """What each document is called beside its record, by number: its docId, and where a linked one is held."""
        self._flush()
        yield from self._rows("SELECT identifier, held FROM document ORDER BY number")

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
            digest.update(manifest_line(sha256, path))
        return digest.digest()
