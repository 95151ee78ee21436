"""TT 05's descriptive records: EAD.xml and EAD_doc_*.xml, which are ``<simpledc>`` documents, not EAD."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from metadata.dates import RecordDate
from metadata.findings import Findings
from metadata.holdings import Level, Record
from metadata.identifiers import ArchiveCode
from metadata.refusal import DocumentRefused
from metadata.tt05.profile import (
    DocumentKind,
    FieldRule,
    FieldType,
    Form,
    Need,
    Profile,
    default_profile,
    split_codes,
)
from metadata.xml import Element, Opened, Readable, escape_text, iter_elements

_FIELD_LIMIT = 1000
_FILE_NAME = re.compile(r"EAD_(?P<kind>doc|pic|media)_(?P<name>.+)\.xml", re.IGNORECASE | re.DOTALL)
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class RecordRefused(DocumentRefused):
    """A document that is no TT 05 record at all. ``code`` is TT05-ROOT or TT05-TOO-MANY-FIELDS."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Names and texts in the order in which they were received. A name may stand more than once."""

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Fields:
        return cls(tuple(pairs.items() if isinstance(pairs, Mapping) else pairs))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)

    def get(self, *names: str) -> str:
        """The first text that is not empty under the first of ``names`` that has one, else ``""``."""
        for name in names:
            for key, text in self.pairs:
                if key == name and text:
                    return text
        return ""

    def all(self, name: str) -> tuple[str, ...]:
        """Every text under ``name``, in order."""
        return tuple(text for key, text in self.pairs if key == name)

    def joined(self) -> dict[str, str]:
        """One text for each name, in order of first appearance; texts of a repeated name joined by ``; ``."""
        result: dict[str, str] = {}
        for name, text in self.pairs:
            result[name] = f"{result[name]}; {text}" if result.get(name) and text else result.get(name, "") or text
        return result

    def named(self, aliases: Mapping[str, str]) -> Fields:
        """The same with every alias replaced by the name it stands for, unless that name is there too."""
        present = {name for name, _ in self.pairs}
        return Fields(
            tuple((aliases[n] if n in aliases and aliases[n] not in present else n, t) for n, t in self.pairs)
        )


def document_kind(file_name: str) -> tuple[DocumentKind, str] | None:
    """What ``EAD_doc_File1.xml`` describes and the name in it (``File1``); None for other names. Any case."""
    match = _FILE_NAME.fullmatch(file_name)
    return (DocumentKind(match["kind"].lower()), match["name"]) if match else None


def read_simpledc(stream: Readable, place: str = "EAD.xml") -> Fields:
    """Read a ``<simpledc>`` document: its fields in order, texts without white space around them.

    Namespaces and order do not matter; a field with fields in it gives those. Raises XmlRefused, RecordRefused.
    """
    pairs: list[tuple[str, str]] = []
    root = ""
    for event in iter_elements(stream, None, place=place):
        if isinstance(event, Opened) and not root:
            root = event.name.rpartition("}")[2]
            if root.lower() != "simpledc":
                raise RecordRefused("TT05-ROOT", place, root=root)
        elif isinstance(event, Element):
            pairs.extend(_leaves(event))
        if len(pairs) > _FIELD_LIMIT:
            raise RecordRefused("TT05-TOO-MANY-FIELDS", place, limit=_FIELD_LIMIT)
    return Fields(tuple(pairs))


def _leaves(element: Element) -> Iterator[tuple[str, str]]:
    if not element.children:
        yield element.local, element.text.strip()
    for child in element.children:
        yield from _leaves(child)


def write_simpledc(out: BinaryIO, fields: Fields) -> None:
    """Write a ``<simpledc>`` document in UTF-8. Raises ValueError for a name that is no XML name."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>\n<simpledc>\n']
    for name, text in fields:
        if not _FIELD_NAME.fullmatch(name):
            raise ValueError(f"not a field name: {name[:80]!r}")
        lines.append(f"  <{name}>{escape_text(text)}</{name}>\n")
    lines.append("</simpledc>\n")
    out.write("".join(lines).encode("utf-8"))


def dossier_record(fields: Fields, members: tuple[int, ...] = (), profile: Profile | None = None) -> Record:
    """The dossier as people search and see it (``number`` 0), from either the SIP's or the AIP's EAD.xml.

    ``language`` is in words, ``access`` is the code of ``mode`` (01 public, 02 conditional, 03 secret).
    """
    profile = profile or default_profile()
    known = fields.named(profile.aliases)
    return Record(
        number=0,
        level=Level.DOSSIER,
        code=known.get("arcFileCode", "fileCode"),
        title=known.get("title"),
        type_name="",
        notation="",
        organ="",
        language=profile.labels("language", known.get("language")).vi,
        access=known.get("mode"),
        start=RecordDate.read(known.get("startDate")),
        end=RecordDate.read(known.get("endDate")),
        pages=_number(known.get("numberOfPage")),
        keywords=known.get("keyword"),
        fields=fields.joined(),
        members=members,
    )


def document_record(
    fields: Fields, number: int, members: tuple[int, ...] = (), profile: Profile | None = None
) -> Record:
    """A document as people search and see it (``number`` from 1), from an EAD_doc, EAD_pic or EAD_media file.

    ``type_name`` and ``language`` are in words, ``access`` is the code of ``mode``.
    """
    profile = profile or default_profile()
    known = fields.named(profile.aliases)
    day = RecordDate.read(known.get("issuedDate", "photoTime", "recordDate"))
    return Record(
        number=number,
        level=Level.DOCUMENT,
        code=known.get("docCode", "docId"),
        title=known.get("subject", "imageTitle", "movieTitle", "eventName"),
        type_name=_type_name(known, profile),
        notation=notation(known.get("codeNumber"), known.get("codeNotation")),
        organ=known.get("organName", "photographer", "recorder"),
        language=profile.labels("language", known.get("language")).vi,
        access=known.get("mode"),
        start=day,
        end=day,
        pages=_number(known.get("numberOfPage")),
        keywords=known.get("keyword"),
        fields=fields.joined(),
        members=members,
    )


def _type_name(fields: Fields, profile: Profile) -> str:
    for name in ("typeName", "typePic", "typeMedia"):
        if code := fields.get(name):
            return profile.label(name, code).vi
    return ""


def notation(number: str, sign: str) -> str:
    """``123`` and ``QĐ-UBND`` as people write them: ``123/QĐ-UBND``. A sign that has the number already stays."""
    if not number or not sign or sign.startswith(f"{number}/"):
        return sign or number
    return f"{number}/{sign.removeprefix('/')}"


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None


def sip_to_aip_dossier(fields: Fields, archive: ArchiveCode, profile: Profile | None = None) -> Fields:
    """EAD.xml of an AIP_hoso from that of a SIP_hoso (TT 05 Điều 25): arcFileCode = archive code + ``.`` + fileCode.

    Fields come in form A's order, dates as DD/MM/YYYY; fields that neither form knows follow as received.
    """
    profile = profile or default_profile()
    code = fields.get("fileCode")
    added = {"arcFileCode": fields.get("arcFileCode") or f"{archive}.{code}"}
    return _convert(fields, added, profile.form(None, "sip"), profile.form(None, "aip"), profile)


def sip_to_aip_document(
    fields: Fields,
    arc_file_code: str,
    ordinal: int,
    kind: DocumentKind = DocumentKind.TEXT,
    profile: Profile | None = None,
) -> Fields:
    """EAD_doc (EAD_pic, EAD_media) of an AIP_hoso from that of a SIP_hoso: arcFileCode and docOrdinal (from 1) added.

    What form A leaves out of an AIP (docId, maintenance, riskRecovery…) is left out: it stays in ``submission/``.
    """
    profile = profile or default_profile()
    added = {"arcFileCode": arc_file_code, "docOrdinal": str(ordinal)}
    return _convert(fields, added, profile.form(kind, "sip"), profile.form(kind, "aip"), profile)


def _convert(fields: Fields, added: Mapping[str, str], sip: Form, aip: Form, profile: Profile) -> Fields:
    known = fields.named(profile.aliases)
    pairs: list[tuple[str, str]] = []
    for name, rule in aip.fields.items():
        texts = (added[name],) if name in added else known.all(name)
        dated = rule.type is FieldType.DATE
        pairs += [(name, RecordDate.read(text).tt05 if dated else text) for text in texts]
    extra = [(n, t) for n, t in known if n not in aip.fields and n not in sip.fields]
    return Fields(tuple(pairs + extra))


def judge_dossier(
    fields: Fields, findings: Findings, place: str, *, package: str = "sip", profile: Profile | None = None
) -> None:
    """Check EAD.xml against its form; what departs from it becomes findings ``TT05-…`` as the profile weighs them."""
    profile = profile or default_profile()
    form = profile.form(None, package)
    judge = _Judge(profile, form, findings, place)
    judge.fields(fields)
    maintenance = fields.get("maintenance")
    if form.permanent and maintenance and maintenance.zfill(2) != form.permanent:
        judge.add("permanent", "PERMANENT", value=maintenance)


def judge_document(
    fields: Fields,
    findings: Findings,
    place: str,
    *,
    kind: DocumentKind = DocumentKind.TEXT,
    package: str = "sip",
    profile: Profile | None = None,
) -> None:
    """Check an EAD_doc, EAD_pic or EAD_media file against its form."""
    profile = profile or default_profile()
    _Judge(profile, profile.form(kind, package), findings, place).fields(fields)


@dataclass(frozen=True, slots=True)
class _Judge:
    profile: Profile
    form: Form
    findings: Findings
    place: str

    def add(self, check: str, code: str, **details: object) -> None:
        severity = self.profile.severities[check]
        if severity != "off":
            self.findings.add(f"TT05-{code}" + ("-NOTED" if severity == "warning" else ""), self.place, **details)

    def fields(self, received: Fields) -> None:
        known = received.named(self.profile.aliases)
        for name in dict.fromkeys(name for name, _ in known):
            if name not in self.form.fields:
                self.add("unknown", "UNKNOWN-FIELD", field=name)
            elif len(known.all(name)) > 1:
                self.add("repeated", "REPEATED", field=name)
        for rule in self.form.fields.values():
            text = known.get(rule.name)
            if not text:
                self._missing(rule, known)
            else:
                self._text(rule, text)

    def _missing(self, rule: FieldRule, known: Fields) -> None:
        if rule.need is Need.REQUIRED:
            check = "identity" if rule.name in self.form.identity else "required"
            self.add(check, "REQUIRED", field=rule.name, label=rule.label)
        elif rule.need is Need.CONDITIONAL and rule.when is not None:
            cause, values = rule.when
            if known.get(cause) in values:
                self.add(
                    "conditional", "CONDITION", field=rule.name, label=rule.label, cause=cause, value=known.get(cause)
                )

    def _text(self, rule: FieldRule, text: str) -> None:
        details = {"field": rule.name, "label": rule.label, "value": text}
        if rule.length and len(text) > rule.length:
            self.add("length", "LENGTH", field=rule.name, label=rule.label, length=len(text), limit=rule.length)
        if rule.type is FieldType.DATE and RecordDate.read(text).year is None:
            self.add("date", "DATE", **details)
        elif rule.type is FieldType.NUMBER and _number(text) is None:
            self.add("number", "NUMBER", **details)
        elif rule.type is FieldType.BOOLEAN and text not in ("0", "1"):
            self.add("boolean", "BOOLEAN", **details)
        elif rule.type in (FieldType.CODE, FieldType.CODES):
            codes = [text] if rule.type is FieldType.CODE else split_codes(text)
            if any(code not in self.profile.lists[rule.name] for code in codes):
                self.add("code", "CODE", **details)
