"""What the archive holds, as values: the same whether they come from an ingest, the catalogue or a rebuild."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from metadata.characteristics import Characteristics
from metadata.dates import RecordDate
from metadata.identifiers import (
    AgencyCode,
    AipId,
    ArchiveCode,
    FondsCode,
    ObjId,
    Puid,
    RecordCode,
    StoreId,
    VersionId,
)
from metadata.outcomes import Fixity


class PackageType(StrEnum):
    """What kind of information package an AIP holds."""

    AIP_HOSO = "AIP_hoso"  # TT 05 Phụ lục I: a dossier
    AIP_TAILIEU = "AIP_tailieu"  # TT 05 Phụ lục II: documents of no dossier
    EARK = "E-ARK_AIP"  # made of an E-ARK SIP
    PLAIN = "plain"  # a bag of files with no descriptive standard

    @property
    def describes_documents(self) -> bool:
        """Whether documents have descriptions of their own; else each content file is a document."""
        return self in (PackageType.AIP_HOSO, PackageType.AIP_TAILIEU)

    @property
    def dossier_file(self) -> str:
        """Where the archive's own description of the whole lies, relative to the package's folder."""
        name = "dossier.xml" if self is PackageType.EARK else "EAD.xml"
        return f"metadata/descriptive/{name}"


@dataclass(frozen=True, slots=True)
class AipVersion:
    """One sealed AIP object. ``content`` is the SHA-256 of the submission as sent (see ``docs/aip-format.md``)."""

    id: VersionId
    key: str
    package_type: PackageType
    archive: ArchiveCode
    agency: AgencyCode
    fonds: FondsCode
    objid: ObjId
    code: RecordCode
    title: str
    content: bytes
    size: int
    file_count: int
    payload_bytes: int
    created: datetime

    @property
    def aip(self) -> AipId:
        return self.id.aip


class Role(StrEnum):
    """What a member of the AIP is for."""

    CONTENT = "content"  # data/<objid>/representations/*/data/**
    METADATA = "metadata"  # METS, PREMIS, EAD
    SUPPORT = "support"  # schemas, documentation
    SUBMISSION = "submission"  # data/submission/**
    TAG = "tag"  # the bag's own tag files


@dataclass(frozen=True, slots=True)
class Format:
    """An identified format. ``basis`` is signature, container, text, extension or none; ``warning`` may be empty."""

    puid: Puid | None
    name: str
    version: str
    mime: str
    basis: str
    warning: str = ""


UNIDENTIFIED = Format(None, "", "", "application/octet-stream", "none")


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the AIP object, in the order in which it lies there (``number`` from 1).

    ``path`` is relative to the bag root. ``offset`` is where the local header begins, ``data`` where the bytes begin.
    ``characteristics`` is what checks say of it; None when nobody looked.
    """

    number: int
    path: str
    role: Role
    offset: int
    data: int
    size: int
    crc32: int
    sha256: bytes
    sha512: bytes
    format: Format | None = None
    characteristics: Characteristics | None = None


class Level(StrEnum):
    DOSSIER = "dossier"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Record:
    """A dossier (``number`` 0) or a document of it (``number`` from 1): the fields people search and see.

    ``fields`` are all fields as received, in their order, under TT 05's names. ``members`` are the numbers of the
    member files that carry the document.
    """

    number: int
    level: Level
    code: str
    title: str
    type_name: str
    notation: str
    organ: str
    language: str
    access: str
    start: RecordDate
    end: RecordDate
    pages: int | None
    keywords: str
    fields: Mapping[str, str]
    members: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Replica:
    """One copy of an AIP version in one store, and what the last look found."""

    version: VersionId
    store: StoreId
    outcome: Fixity
    checked: datetime | None
    due: datetime
