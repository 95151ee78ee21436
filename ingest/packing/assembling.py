"""From rows to dossiers: which document belongs where, what packing can fill in, what is missing or wrong."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from ingest.packing.faults import Faults
from ingest.packing.model import FILE_CODE, ORDINAL, Document, Dossier, Row, Submission
from metadata.dates import RecordDate
from metadata.findings import Findings, Severity
from metadata.identifiers import AgencyCode, RecordCode
from metadata.package_kinds import PackageKind
from metadata.tt05.field_rules import judge_document, judge_dossier
from metadata.tt05.fields import Fields
from metadata.tt05.profile import DocumentKind, Profile

_FILE_CODE = re.compile(r"(?P<agency>.+?)\.(1[89]|20)\d\d\..+", re.DOTALL)
_DATES = {DocumentKind.TEXT: "issuedDate", DocumentKind.PICTURE: "photoTime", DocumentKind.MEDIA: "recordDate"}
_DOC_ID = 25
_MAY_STAY = frozenset({"TT05-LENGTH", "TT05-PERMANENT", "TT05-DATE-PARTIAL"})
_ABSURD = 10  # times the length that the circular allows: no archive takes that
_ABOUT = {"PERMANENT": "maintenance", "PERIOD": "endDate"}
_OF_DOSSIER = ("maintenance", "mode", "language", "riskRecovery", "riskRecoveryStatus", "confidenceLevel")
_FROM_DOSSIER = "theo hồ sơ / as the dossier has it"
_FROM_DOCUMENTS = "theo các văn bản / from the documents"
_FROM_CODE = "theo mã hồ sơ và số thứ tự / from dossier code and ordinal"
_DEFAULT = "không / no"


def assemble(submission: Submission, faults: Faults) -> list[Dossier]:
    """Put every document into its dossier, in the order of the source; what does not fit is in ``faults``."""
    dossiers: dict[str, Dossier] = {}
    every = []
    for row in submission.dossiers:
        dossier = Dossier(row, row.get(FILE_CODE))
        every.append(dossier)
        first = dossiers.setdefault(_key(dossier.code), dossier)
        if first is not dossier and dossier.code:
            _twice(faults, row, first.row, FILE_CODE, dossier.code)
    for row in submission.documents:
        code = _dossier_of(row, dossiers)
        found = dossiers.get(_key(code)) if code or len(every) > 1 else every[0] if every else None
        if found is None:
            faults.add_of(row, "PACK-NO-DOSSIER", FILE_CODE, value=code)
        else:
            _put(row, found)
    for dossier in every:
        if not dossier.documents and not dossier.row.faulty:
            faults.add_of(dossier.row, "PACK-DOSSIER-EMPTY", FILE_CODE, value=dossier.code)
    return every


def _put(row: Row, dossier: Dossier) -> None:
    ordinal = row.get(ORDINAL) or row.get("docCode").rpartition(".")[2]
    number = int(ordinal) if ordinal.isascii() and ordinal.isdigit() and len(ordinal) <= 7 else 0
    dossier.documents.append(Document(row, number or len(dossier.documents) + 1))


def _dossier_of(row: Row, dossiers: Mapping[str, Dossier]) -> str:
    """The code that a document gives, else the one that its own code begins with."""
    if code := row.get(FILE_CODE):
        return code
    code = row.get("docCode")
    while code := code.rpartition(".")[0]:
        if _key(code) in dossiers:
            return code
    return row.get("docCode").rpartition(".")[0]


def _key(code: str) -> str:
    return unicodedata.normalize("NFC", code)


def _twice(faults: Faults, row: Row, first: Row, field: str, value: str) -> None:
    faults.add_of(row, "PACK-TWICE", field, value=value, field=field, other=first.place(field))
    first.faulty = True


class Completer:
    """Fills what can be known from the rest, and says what it filled: a column at a time."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._filled: Counter[tuple[str, DocumentKind | None, str, str]] = Counter()

    def complete(self, dossier: Dossier) -> None:
        """Fill the empty fields of a dossier and its documents."""
        for document in dossier.documents:
            self._document(document, dossier)
        row, documents = dossier.row, dossier.documents
        self._fill(row, "totalDoc", str(len(documents)), _FROM_DOCUMENTS)
        pages = [document.row.get("numberOfPage") for document in documents if document.row.kind is DocumentKind.TEXT]
        if all(page.isascii() and page.isdigit() and len(page) < 8 for page in pages):
            self._fill(row, "numberOfPage", str(sum(map(int, pages))), _FROM_DOCUMENTS)
        dated = (document.row.get(_DATES[document.row.kind]) for document in documents if document.row.kind)
        days = [RecordDate.read(text) for text in dated]
        known = sorted((day for day in days if day.iso), key=lambda day: day.iso or "")
        if known:
            self._fill(row, "startDate", known[0].tt05, _FROM_DOCUMENTS)
            self._fill(row, "endDate", known[-1].tt05, _FROM_DOCUMENTS)
        if row.get("confidenceLevel") == "01":
            self._fill(row, "numberOfPaper", "0", _DEFAULT)

    def tell(self, faults: Faults) -> None:
        """Note what was filled."""
        for (place, kind, field, how), count in self._filled.items():
            label = self._profile.form(kind, "sip").fields[field].label
            faults.add("PACK-FILLED", place, field=field, label=label, count=count, how=how)

    def _document(self, document: Document, dossier: Dossier) -> None:
        row = document.row
        for field in _OF_DOSSIER:
            self._fill(row, field, dossier.row.get(field), _FROM_DOSSIER)
        if dossier.code:
            self._fill(row, "docCode", f"{dossier.code}.{document.ordinal:07}", _FROM_CODE)
        if code := row.get("docCode"):
            short = code if len(code) <= _DOC_ID else hashlib.sha256(code.encode()).hexdigest()[:20].upper()
            self._fill(row, "docId", short, _FROM_CODE)
        if row.get("confidenceLevel") in {"01", "03"}:
            self._fill(row, "process", "0", _DEFAULT)

    def _fill(self, row: Row, field: str, value: str, how: str) -> None:
        if value and field in self._profile.form(row.kind, "sip").fields and not row.get(field):
            row.values[field] = value
            self._filled[row.origin.name, row.kind, field, how] += 1


class Judge:
    """Judges dossiers by the profile. What the check of a package would note must be put right before packing.

    What a clerk may not be able to put right (``_MAY_STAY``) stays what the profile makes of it.
    """

    def __init__(self, profile: Profile, faults: Faults) -> None:
        self._profile = _strict(profile)
        self._faults = faults
        self._codes: dict[str, Row] = {}

    def judge(self, dossier: Dossier) -> None:
        """Look at every field of a dossier and of its documents."""
        row = dossier.row
        if dossier.code and not self._is_file_code(dossier.code):
            self._faults.add_of(row, "PACK-FILE-CODE", FILE_CODE, value=dossier.code)
        total = row.get("totalDoc")
        said = total.isascii() and total.isdigit() and bool(dossier.documents)
        if said and int(total[:10]) != len(dossier.documents):
            self._faults.add_of(row, "PACK-TOTAL", "totalDoc", value=total, found=len(dossier.documents))
        cells = CellFindings(self._faults, row)
        judge_dossier(fields_of(row, self._profile), cells, row.place(), profile=self._profile)
        for document in dossier.documents:
            self._document(document.row, dossier.code)

    def _document(self, row: Row, dossier: str) -> None:
        kind = row.kind or DocumentKind.TEXT
        cells = CellFindings(self._faults, row)
        judge_document(fields_of(row, self._profile), cells, row.place(), kind=kind, profile=self._profile)
        code = row.get("docCode")
        if code and dossier and not re.fullmatch(rf"{re.escape(dossier)}\.?[0-9]{{7}}", code):
            cells.add("TT05-DOC-CODE", "", field="docCode", value=code, wanted=f"{dossier}.0000001")
        for field in ("docCode", "docId"):
            value = row.get(field)
            first = self._codes.setdefault(f"{field} {_key(value)}", row) if value else row
            if first is not row:
                _twice(self._faults, row, first, field, value)
                return

    def _is_file_code(self, code: str) -> bool:
        form = self._profile.packages[PackageKind.SIP_HOSO].code_form
        match = _FILE_CODE.fullmatch(code)
        try:
            RecordCode(code)
            return (
                match is not None and bool(AgencyCode(match["agency"])) and (form is None or bool(form.fullmatch(code)))
            )
        except ValueError:
            return False


class CellFindings(Findings):
    """What a judge finds in one row, put where the value stands."""

    def __init__(self, faults: Faults, row: Row) -> None:
        super().__init__()
        self._faults = faults
        self._row = row

    def weigh(self, severity: Severity, code: str, place: str, **details: object) -> None:
        """Note it of the row. ``place`` is not needed: the row knows its own."""
        field = str(details.get("field") or next((name for part, name in _ABOUT.items() if part in code), ""))
        plain, length, limit = code.removesuffix("-NOTED"), details.get("length"), details.get("limit")
        absurd = isinstance(length, int) and isinstance(limit, int) and length > _ABSURD * limit
        if absurd or plain not in _MAY_STAY:
            severity, code = Severity.ERROR, plain
        self._faults.weigh_of(self._row, severity, code, field, **details)


def fields_of(row: Row, profile: Profile) -> Fields:
    """The row as a record: the fields of its form, in the form's order."""
    form = profile.form(row.kind, "sip")
    return Fields.of((name, row.values[name]) for name in form.fields if row.get(name))


def _strict(profile: Profile) -> Profile:
    weights = {
        check: "error" if severity == "warning" and f"TT05-{check.upper()}" not in _MAY_STAY else severity
        for check, severity in profile.severities.items()
    }
    return replace(profile, severities=weights)
