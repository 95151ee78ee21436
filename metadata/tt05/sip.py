"""Writing a SIP_hoso or a SIP_tailieu (TT 05 Phụ lục III, IV, form A): what an agency's packing software does."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from metadata.package_kinds import PackageKind
from metadata.tt05.fields import Fields
from metadata.tt05.profile import default_profile
from metadata.tt05.writing import Content, Packed, PackedDocument, write_package

SipDocument = PackedDocument


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
    """A dossier to be sent, or a batch of loose documents.

    ``id`` is the package's identity, given so that the same dossier gives the same bytes. ``schemas`` None means those
    of the profile.
    """

    id: uuid.UUID
    fields: Fields
    documents: Sequence[SipDocument]
    created: datetime
    sender: Sender
    status: str = "NEW"
    schemas: Mapping[str, Content] | None = None
    documentation: Mapping[str, Content] = field(default_factory=dict)

    @property
    def objid(self) -> str:
        """``uuid-{UUID}`` in upper case: the OBJID and the name of the folder."""
        return f"uuid-{str(self.id).upper()}"


def write_sip_hoso(parent: Path, dossier: SipDossier) -> Path:
    """Write the package as a new folder of ``parent`` named by its OBJID, and return that folder.

    Deterministic. Raises OSError, FileExistsError among them when the folder is there.
    """
    return write_package(parent, _packed(PackageKind.SIP_HOSO, dossier))


def write_sip_tailieu(parent: Path, batch: SipDossier) -> Path:
    """The same for documents of no dossier (Điều 17 k2); ``batch.fields`` are those of the batch."""
    return write_package(parent, _packed(PackageKind.SIP_TAILIEU, batch))


def _packed(kind: PackageKind, dossier: SipDossier) -> Packed:
    sender = dossier.sender
    return Packed(
        kind=kind,
        objid=dossier.objid,
        title=dossier.fields.get("title"),
        fields=dossier.fields,
        documents=dossier.documents,
        created=dossier.created,
        agency=sender.agency,
        fonds=sender.fonds,
        software=(sender.software, sender.software_version),
        agreement=sender.agreement,
        status=dossier.status,
        schemas=dossier.schemas,
        documentation=dossier.documentation,
    )


def media_type(name: str) -> str:
    """The media type that TT 05's table of formats gives for a file name; application/octet-stream for others."""
    return default_profile().media_type(name)
