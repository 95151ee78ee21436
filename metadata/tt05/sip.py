"""Writing a SIP_hoso (TT 05 Phụ lục III, form A) to a folder: what an agency's packing software does."""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from metadata.mets.model import MetsAgent, MetsAltRecord, MetsEntry, MetsPackage
from metadata.mets.writer import (
    CSIP_PROFILE,
    MetsRepresentation,
    write_representation_mets,
    write_root_mets,
)
from metadata.tt05.profile import DocumentKind
from metadata.tt05.records import Fields, write_simpledc
from metadata.tt05.schema import package_schemas

# TT 05's own table (Phụ lục, kiểu MIME); what the machine's mime.types says must not change a package.
_TYPES = {
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".htm": "text/html",
    ".html": "text/html",
    ".xml": "text/xml",
    ".xsd": "text/xml",
    ".rtf": "application/rtf",
    ".pdf": "application/pdf",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
    ".mp4": "video/mp4",
    ".avi": "video/x-msvideo",
    ".wmv": "video/x-ms-wmv",
    ".mov": "video/quicktime",
    ".qt": "video/quicktime",
    ".mp3": "audio/mpeg",
    ".wma": "audio/x-ms-wma",
    ".aac": "audio/aac",
}

Content = bytes | Path


@dataclass(frozen=True, slots=True)
class SipDocument:
    """One document of a dossier: ``name`` becomes ``EAD_doc_<name>.xml``, ``files`` lie in ``data`` by their names."""

    name: str
    fields: Fields
    files: Mapping[str, Content]
    kind: DocumentKind = DocumentKind.TEXT


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: the agency's name, its fonds (mã phông), the submission agreement, the packing software."""

    agency: str
    fonds: str
    agreement: str
    software: str = "Tàng Thư"
    software_version: str = "0.1.0"


@dataclass(frozen=True, slots=True)
class SipDossier:
    """A dossier to be sent. ``id`` is the package's identity, given so that the same dossier gives the same bytes."""

    id: uuid.UUID
    fields: Fields
    documents: Sequence[SipDocument]
    created: datetime
    sender: Sender
    status: str = "NEW"
    schemas: Mapping[str, Content] = field(default_factory=lambda: package_schemas("sip"))
    documentation: Mapping[str, Content] = field(default_factory=dict)

    @property
    def objid(self) -> str:
        """``uuid-{UUID}`` in upper case: the OBJID and the name of the folder."""
        return f"uuid-{str(self.id).upper()}"


def write_sip_hoso(parent: Path, dossier: SipDossier) -> Path:
    """Write the package as a new folder of ``parent`` named by its OBJID, and return that folder.

    Deterministic. Raises OSError, FileExistsError among them when the folder is there.
    """
    folder = parent / dossier.objid
    folder.mkdir(parents=True)
    representation = _write_representation(folder / "representations" / "rep1", dossier)
    ead = _Folder(folder).write("metadata/descriptive/EAD.xml", _simpledc(dossier.fields))
    root = _Folder(folder)
    schemas = [root.write(f"schemas/{name}", content) for name, content in dossier.schemas.items()]
    documentation = [root.write(f"documentation/{name}", content) for name, content in dossier.documentation.items()]
    sender = dossier.sender
    out = io.BytesIO()
    write_root_mets(
        out,
        MetsPackage(
            objid=dossier.objid,
            package=dossier.objid,
            scope="root",
            oais_type="SIP",
            profile=CSIP_PROFILE,
            label=dossier.fields.get("title"),
            created=dossier.created,
            agents=(
                MetsAgent(
                    "CREATOR", "OTHER", sender.software, "SOFTWARE", (("SOFTWARE VERSION", sender.software_version),)
                ),
            ),
            status=dossier.status,
            alt_records=(MetsAltRecord("SUBMISSIONAGREEMENT", sender.agreement),),
        ),
        descriptive=[ead],
        schemas=schemas,
        documentation=documentation,
        representations=[MetsRepresentation("rep1", representation)],
    )
    root.write("METS.xml", out.getvalue())
    return folder


def _write_representation(folder: Path, dossier: SipDossier) -> MetsEntry:
    """Write ``representations/rep1`` and return the entry of its METS file, relative to the package root."""
    inside = _Folder(folder)
    documents: list[MetsEntry] = []
    files: list[MetsEntry] = []
    for document in dossier.documents:
        path = f"metadata/descriptive/EAD_{document.kind}_{document.name}.xml"
        documents.append(inside.write(path, _simpledc(document.fields)))
        files += [inside.write(f"data/{name}", content, path) for name, content in document.files.items()]
    sender = dossier.sender
    out = io.BytesIO()
    write_representation_mets(
        out,
        MetsPackage(
            objid="rep1",
            package=dossier.objid,
            scope="rep1",
            oais_type="SIP",
            profile=CSIP_PROFILE,
            label=dossier.fields.get("title"),
            created=dossier.created,
            agents=(
                MetsAgent("CREATOR", "ORGANIZATION", sender.agency, notes=(("IDENTIFICATIONCODE", sender.fonds),)),
            ),
            status=dossier.status,
            schemas="../../schemas",
        ),
        files=lambda: files,
        documents=lambda: documents,
        representation_type="ORIGINAL",
    )
    _Folder(folder).write("METS.xml", out.getvalue())
    return _entry("representations/rep1/METS.xml", folder / "METS.xml")


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path

    def write(self, name: str, content: Content, document: str = "") -> MetsEntry:
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            with content.open("rb") as source, target.open("wb") as sink:
                while chunk := source.read(1024 * 1024):
                    sink.write(chunk)
        return _entry(name, target, document)


def _entry(name: str, target: Path, document: str = "") -> MetsEntry:
    with target.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
    return MetsEntry(name, target.stat().st_size, media_type(name), digest, document=document)


def media_type(name: str) -> str:
    """The media type that TT 05's table of formats gives for a file name; application/octet-stream for others."""
    return _TYPES.get(Path(name).suffix.lower(), "application/octet-stream")


def _simpledc(fields: Fields) -> bytes:
    out = io.BytesIO()
    write_simpledc(out, fields)
    return out.getvalue()
