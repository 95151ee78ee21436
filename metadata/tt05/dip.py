"""DIP of TT 05 (Phụ lục V): the reader's request as EAD.xml, and documents of an AIP as the DIP describes them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from metadata.dates import RecordDate
from metadata.events import Event
from metadata.identifiers import ArchiveCode
from metadata.package_kinds import PackageKind
from metadata.premis import Category, PremisObject, write_premis
from metadata.tt05.profile import DocumentKind, FieldType, Profile, default_profile
from metadata.tt05.records import Fields
from metadata.tt05.schema import package_schemas
from metadata.tt05.writing import Content, Packed, PackedDocument, write_package
from metadata.xml import legal

DIP_PROFILE = "https://earkdip.dilcis.eu/profile/E-ARK-DIP.xml"
_PACKAGE = "dip"
_OF_DOSSIER = frozenset({"maintenance", "riskRecovery", "riskRecoveryStatus"})


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """A reader's request, as EAD.xml of a DIP tells it; ``purpose`` and ``fee_object_type`` are codes of their lists.

    Raises ValueError, naming the field, for one that is missing, too long, or holds characters that XML cannot.
    """

    request_id: str
    request_date: str
    purpose: str
    purpose_content: str = ""
    fee_object_type: str = ""
    research_topic: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        for name, rule in default_profile().form(None, _PACKAGE).fields.items():
            text = dict(self.fields()).get(name, "")
            if rule.length and len(text) > rule.length:
                raise ValueError(f"{name}: {len(text)} > {rule.length}")
            if legal(text) != text:
                raise ValueError(f"{name}: {text[:80]!r}")
        if not self.request_id.strip():
            raise ValueError("requestID")
        if RecordDate.read(self.request_date).day is None:
            raise ValueError(f"requestDate: {self.request_date[:80]!r}")

    def fields(self) -> Fields:
        """The fields of EAD.xml in form A's order; those that are empty are left out."""
        pairs = (
            ("requestID", self.request_id.strip()),
            ("requestDate", RecordDate.read(self.request_date).tt05),
            ("purpose", self.purpose),
            ("purposeContent", self.purpose_content),
            ("feeObjectType", self.fee_object_type),
            ("researchTopic", self.research_topic),
            ("description", self.description),
        )
        return Fields(tuple((name, text) for name, text in pairs if text))


def dip_document(
    fields: Fields,
    received: Fields,
    dossier: Fields,
    archive: ArchiveCode,
    kind: DocumentKind = DocumentKind.TEXT,
    profile: Profile | None = None,
) -> Fields:
    """EAD_doc (EAD_pic, EAD_media) of a DIP from that of the AIP.

    ``received`` is the description as the agency sent it (empty when there is none): it has what form A leaves out of
    an AIP and puts into a DIP (docId, maintenance, riskRecovery). What neither has, but is of the whole, is the
    ``dossier``'s. arcDocCode = archive code + ``.`` + docCode. Fields that no form of TT 05 knows follow as they are.
    """
    profile = profile or default_profile()
    own, sent, whole = (one.named(profile.aliases) for one in (fields, received, dossier))
    form = profile.form(kind, _PACKAGE).fields
    pairs: list[tuple[str, str]] = []
    for name, rule in form.items():
        if name == "arcDocCode":
            texts = _codes(fields, received, archive)
        else:
            texts = own.all(name) or sent.all(name) or (whole.all(name) if name in _OF_DOSSIER else ())
        pairs += [(name, RecordDate.read(text).tt05 if rule.type is FieldType.DATE else text) for text in texts]
    known = {name for package in profile.packages for name in profile.form(kind, package).fields}
    extra = [(name, text) for name, text in own if name not in known]
    return Fields(tuple(pairs + extra))


def _codes(fields: Fields, received: Fields, archive: ArchiveCode) -> tuple[str, ...]:
    """The archival code of a document; a code that begins with the dossier's archival code is one already."""
    if archival := fields.get("arcDocCode"):
        return (archival,)
    code, dossier = fields.get("docCode") or received.get("docCode", "arcDocCode"), fields.get("arcFileCode")
    if not code or (dossier and code.startswith(f"{dossier}.")):
        return (code,) if code else ()
    return (f"{archive}.{code}",)


@dataclass(frozen=True, slots=True)
class DipPackage:
    """A DIP to be written as a folder. ``fields`` of the documents are in DIP form (:func:`dip_document`).

    ``archive`` gives it out; ``title`` is what people see of it. ``events`` are told in PREMIS.xml, when there are any.
    """

    id: uuid.UUID
    request: AccessRequest
    title: str
    documents: Sequence[PackedDocument]
    created: datetime
    archive: str
    fonds: str
    software: tuple[str, str]
    events: Sequence[Event] = ()
    documentation: Mapping[str, Content] = field(default_factory=dict)

    @property
    def objid(self) -> str:
        """``uuid-{UUID}``."""
        return f"uuid-{str(self.id).upper()}"


def write_dip(parent: Path, package: DipPackage) -> Path:
    """Write the package as a new folder of ``parent``, and return it. Deterministic. Raises OSError."""
    whole = PremisObject("DIP", package.objid, Category.INTELLECTUAL_ENTITY, package.objid)
    return write_package(
        parent,
        Packed(
            kind=PackageKind.DIP,
            objid=package.objid,
            title=package.title,
            fields=package.request.fields(),
            documents=package.documents,
            created=package.created,
            agency=package.archive,
            fonds=package.fonds,
            software=package.software,
            documentation=package.documentation,
            premis=(lambda out: write_premis(out, [whole], package.events)) if package.events else None,
        ),
    )


def dip_schemas() -> dict[str, bytes]:
    """The files of the ``schemas`` folder of a DIP by name."""
    return package_schemas(_PACKAGE)
