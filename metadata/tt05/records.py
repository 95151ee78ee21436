"""What TT 05's descriptions say to the rest of the archive, and how they become those of an AIP."""

from __future__ import annotations

from collections.abc import Mapping

from metadata.dates import RecordDate
from metadata.holdings import Level, Record
from metadata.identifiers import ArchiveCode
from metadata.package_kinds import PackageKind
from metadata.tt05.field_rules import judge_document, judge_dossier
from metadata.tt05.fields import Fields, RecordRefused, document_kind, read_simpledc, write_simpledc
from metadata.tt05.profile import DocumentKind, FieldType, Form, Profile, default_profile

__all__ = [
    "Fields",
    "RecordRefused",
    "document_kind",
    "document_record",
    "dossier_record",
    "judge_document",
    "judge_dossier",
    "notation",
    "read_simpledc",
    "sip_to_aip_batch",
    "sip_to_aip_document",
    "sip_to_aip_dossier",
    "sip_to_aip_loose_document",
    "write_simpledc",
]


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
    forms = profile.form(None, PackageKind.SIP_HOSO), profile.form(None, PackageKind.AIP_HOSO)
    return _convert(fields, _archival(fields, archive), *forms, profile)


def sip_to_aip_batch(fields: Fields, archive: ArchiveCode, profile: Profile | None = None) -> Fields:
    """EAD.xml of an AIP_tailieu from that of a SIP_tailieu: the same, for a batch of documents of no dossier."""
    profile = profile or default_profile()
    forms = profile.form(None, PackageKind.SIP_TAILIEU), profile.form(None, PackageKind.AIP_TAILIEU)
    return _convert(fields, _archival(fields, archive), *forms, profile)


def _archival(fields: Fields, archive: ArchiveCode) -> dict[str, str]:
    return {"arcFileCode": fields.get("arcFileCode") or f"{archive}.{fields.get('fileCode')}"}


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
    return _convert(
        fields, added, profile.form(kind, PackageKind.SIP_HOSO), profile.form(kind, PackageKind.AIP_HOSO), profile
    )


def sip_to_aip_loose_document(
    fields: Fields, archive: ArchiveCode, kind: DocumentKind = DocumentKind.TEXT, profile: Profile | None = None
) -> Fields:
    """EAD_doc (EAD_pic, EAD_media) of an AIP_tailieu: arcDocCode = archive code + ``.`` + docCode, all else is kept."""
    profile = profile or default_profile()
    code = fields.get("docCode")
    archival = fields.get("arcDocCode") or (f"{archive}.{code}" if code else "")
    forms = profile.form(kind, PackageKind.SIP_TAILIEU), profile.form(kind, PackageKind.AIP_TAILIEU)
    return _convert(fields, {"arcDocCode": archival} if archival else {}, *forms, profile)


def _convert(fields: Fields, added: Mapping[str, str], sip: Form, aip: Form, profile: Profile) -> Fields:
    known = fields.named(profile.aliases)
    pairs: list[tuple[str, str]] = []
    for name, rule in aip.fields.items():
        texts = (added[name],) if name in added else known.all(name)
        dated = rule.type is FieldType.DATE
        pairs += [(name, RecordDate.read(text).tt05 if dated else text) for text in texts]
    extra = [(n, t) for n, t in known if n not in aip.fields and n not in sip.fields]
    return Fields(tuple(pairs + extra))
