"""What the checks say of each file, in the ledger: facts, remarks, text, signature evidence, the scanner's word.

Answers come in any order while the pass runs and are given back in the order of the files, so that the same package
gives the same findings and the same AIP whichever check was done first.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ingest.ledger_file import LedgerFile
from ingest.ledger_rows import CheckCounts, CountedPages, PlacedReport, PlacedText, packed_pages
from metadata.characteristics import Characteristics, Facts
from metadata.holdings import Format
from metadata.identifiers import Puid
from metadata.outcomes import SignatureOutcome, Validity, Virus
from preservation.antivirus.port import ScanResult
from preservation.formats.port import Inspection, Remark
from preservation.signatures.port import SignatureReport
from preservation.signed import ASIDE

FOUND = "i.seq, i.puid, i.name, i.version, i.mime, i.basis, i.warning"
"""Columns of a row that :func:`found_of` reads."""
CHECKED = "e.seq, e.validity, e.facts, e.signature, e.signatures, v.outcome, v.name"
"""Columns of a row that :func:`checked_of` reads."""
CHECKS = (
    "LEFT JOIN identified i ON i.seq = r.seq LEFT JOIN examined e ON e.seq = r.seq LEFT JOIN scanned v ON v.seq = r.seq"
)
"""The tables of both, beside a table ``r`` with a ``seq``."""
_BESIDE = (*ASIDE, *(end.upper() for end in ASIDE))
_ORDER = "ORDER BY f.placed, f.path, f.seq"


class CheckedLedger(LedgerFile):
    """The part of a ledger that is about checks."""

    _any_beside: bool | None = None

    # Answers of the checks, while the pass runs

    def identified(self, seq: int, format: Format) -> None:
        """Note the format of file ``seq``."""
        self._forget_content()
        puid = None if format.puid is None else format.puid.value
        self._add("identified", (seq, puid, format.name, format.version, format.mime, format.basis, format.warning))

    def scanned(self, seq: int, result: ScanResult) -> None:
        """Note what the virus scanner said of file ``seq``."""
        self._forget_content()
        self._add("scanned", (seq, result.outcome.value, result.name))

    def examined(self, seq: int, inspection: Inspection, signatures: SignatureReport | None) -> None:
        """Note what a look into content file ``seq`` found; ``signatures`` None: none were looked for."""
        self._forget_content()
        facts, outcome, count = inspection.facts, signatures and signatures.outcome, 0
        if signatures is not None and outcome is not None:
            count = len(signatures.verdicts)
            self._add("report", (seq, zlib.compress(_json(signatures.fields()), 1)))
        packed = json.dumps(facts.fields(), ensure_ascii=False)
        self._add("examined", (seq, inspection.validity.value, packed, facts.pages, outcome and outcome.value, count))
        for at, one in enumerate(inspection.remarks):
            self._add("remark", (seq, at, one.code, json.dumps(dict(one.details))))
        if inspection.text:
            self._add("kept_text", (seq, zlib.compress(inspection.text.encode("utf-8", "replace"), 1)))

    def remark(self, seq: int, at: int, remark: Remark) -> None:
        """Note something to say of file ``seq``: ``at`` orders what is said of one file (inspections count from 0)."""
        self._add("remark", (seq, at, remark.code, json.dumps(dict(remark.details))))

    # Before and while the pass runs

    def signatures_beside(self, path: str) -> int:
        """How many files there are that sign the one at ``path``, by their names."""
        if self._any_beside is None:
            self._any_beside = any(next(self.alike(f"%{end}"), None) for end in ASIDE)
        if not self._any_beside:
            return 0
        return sum(self.size_of(path + end) is not None for end in _BESIDE)

    def _forget_content(self) -> None:
        if self._joined:
            self._db.execute("DROP TABLE content")
            self._joined = False

    # After the pass

    def remarks(self) -> Iterator[tuple[str, Remark]]:
        """Everything that checks have to say: the path as received, and the remark."""
        sql = "SELECT f.path, m.code, m.details FROM remark m JOIN file f ON f.seq = m.seq "
        for path, code, details in self._rows(f"{sql}{_ORDER}, m.position"):
            yield path, Remark(code, json.loads(details))

    def scans(self) -> Iterator[tuple[str, ScanResult]]:
        """The scanner's word on every file that is not clean: its path as received, and the word."""
        sql = "SELECT f.path, v.outcome, v.name FROM scanned v JOIN file f ON f.seq = v.seq WHERE v.outcome <> ? "
        for path, outcome, name in self._rows(f"{sql}{_ORDER}", (Virus.CLEAN.value,)):
            yield path, ScanResult(Virus(outcome), name)

    def texts(self) -> Iterator[PlacedText]:
        """The words of every content file that is placed and has any, in member order, one at a time in memory."""
        sql = (
            "SELECT r.number, f.path, f.target, t.text FROM result r JOIN file f ON f.seq = r.seq "
            "JOIN kept_text t ON t.seq = r.seq WHERE r.number IS NOT NULL ORDER BY r.number"
        )
        for number, path, target, text in self._rows(sql):
            yield PlacedText(number, path, target, zlib.decompress(text).decode())

    def signature_reports(self) -> Iterator[PlacedReport]:
        """What was found of signatures, with its evidence, of every placed file that has any, in member order."""
        sql = (
            "SELECT r.number, f.path, f.target, p.report FROM result r JOIN file f ON f.seq = r.seq "
            "JOIN report p ON p.seq = r.seq WHERE r.number IS NOT NULL ORDER BY r.number"
        )
        for number, path, target, report in self._rows(sql):
            yield PlacedReport(number, path, target, SignatureReport.of_fields(json.loads(zlib.decompress(report))))

    def check_counts(self) -> CheckCounts:
        """How many files came to which outcome."""
        virus = self._rows("SELECT outcome, count(*) FROM scanned GROUP BY outcome")
        scanned = Counter({Virus(outcome): int(count) for outcome, count in virus})
        found = self._rows("SELECT validity, count(*) FROM examined GROUP BY validity")
        validity = Counter({Validity(outcome): int(count) for outcome, count in found})
        signed = self._rows("SELECT signature, count(*) FROM examined WHERE signature IS NOT NULL GROUP BY signature")
        return CheckCounts(scanned, validity, Counter({SignatureOutcome(key): int(count) for key, count in signed}))

    def described(self, path: str, *fields: str) -> tuple[str, ...]:
        """These fields in the description of the first document that has the file at ``path``; "" for what is not."""
        self._index()
        sql = (
            "SELECT d.form FROM document_file p JOIN document d ON d.number = p.document WHERE p.path = ? "
            "ORDER BY d.number LIMIT 1"
        )
        row = self._one(sql, (path,))
        known = dict(json.loads(row[0])) if row else {}
        return tuple(str(known.get(field, "")) for field in fields)

    def counted_pages(self) -> Iterator[CountedPages]:
        """Every document that says how many pages it has and of whose files all pages were counted, by number; files
        that sign others have none."""
        self._index()
        sql = (
            "SELECT d.number, d.origin, d.record, min(f.path), sum(e.pages) FROM document d "
            "JOIN document_file p ON p.document = d.number JOIN file f ON f.path = p.path "
            "LEFT JOIN examined e ON e.seq = f.seq WHERE lower(substr(f.path, -4)) NOT IN (?, ?) "
            "GROUP BY d.number HAVING count(*) = count(e.pages) ORDER BY d.number"
        )
        for number, origin, record, path, counted in self._rows(sql, ASIDE):
            said = packed_pages(record)
            if said is not None:
                yield CountedPages(number, origin or path, said, int(counted))


def found_of(seq: int | None, puid: str | None, *texts: str) -> Format | None:
    """The format in a row's columns ``FOUND``; None when nobody looked."""
    if seq is None:
        return None
    name, version, mime, basis, warning = texts
    return Format(None if puid is None else Puid(puid), name, version, mime, basis, warning)


def checked_of(
    seq: int | None,
    validity: str | None,
    facts: str | None,
    signature: str | None,
    signatures: int | None,
    virus: str | None,
    virus_name: str | None,
) -> Characteristics | None:
    """What checks say in a row's columns ``CHECKED``; None when nobody looked."""
    if seq is None and virus is None:
        return None
    return _checked(validity, facts, signature, signatures, virus, virus_name)


@lru_cache(maxsize=4096)
def _checked(
    validity: str | None,
    facts: str | None,
    signature: str | None,
    signatures: int | None,
    virus: str | None,
    virus_name: str | None,
) -> Characteristics:
    """Many files are alike, and each is asked for several times."""
    return Characteristics(
        Validity(validity) if validity else Validity.NOT_CHECKED,
        Virus(virus) if virus else Virus.NOT_SCANNED,
        virus_name or "",
        SignatureOutcome(signature) if signature else None,
        signatures or 0,
        Facts.of_fields(json.loads(facts)) if facts else Facts(),
    )


def _json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "backslashreplace")
