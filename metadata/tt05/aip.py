"""Writing an AIP_hoso or an AIP_tailieu (TT 05 Phụ lục I, II, form A) as a folder: what another archive hands over."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from metadata.events import Event
from metadata.package_kinds import PackageKind
from metadata.premis import Category, PremisObject, write_premis
from metadata.tt05.fields import Fields
from metadata.tt05.writing import Content, Packed, PackedDocument, write_package
from metadata.xml import legal

FileObject = Callable[[str, Content], PremisObject]


@dataclass(frozen=True, slots=True)
class AipPackage:
    """An AIP to be written. ``fields`` and those of ``documents`` are in AIP form (``records.sip_to_aip_…``).

    ``events`` tell its life; TT 05 wants an ``information package creation`` among them. ``file_object`` gives the
    PREMIS object of a content file from its path in ``rep1`` and its content.
    """

    id: uuid.UUID
    fields: Fields
    documents: Sequence[PackedDocument]
    created: datetime
    agency: str
    fonds: str
    software: tuple[str, str]
    events: Sequence[Event]
    file_object: FileObject | None = None
    status: str = "NEW"
    schemas: Mapping[str, Content] | None = None
    documentation: Mapping[str, Content] = field(default_factory=dict)

    @property
    def objid(self) -> str:
        """``urn:{mã phông}:uuid-{UUID}``; the folder has ``_`` for ``:``."""
        return f"urn:{legal(self.fonds)}:uuid-{str(self.id).upper()}"


def write_aip_hoso(parent: Path, package: AipPackage) -> Path:
    """Write the package as a new folder of ``parent``, and return it. Deterministic. Raises OSError."""
    return write_package(parent, _packed(PackageKind.AIP_HOSO, package))


def write_aip_tailieu(parent: Path, package: AipPackage) -> Path:
    """The same for documents of no dossier."""
    return write_package(parent, _packed(PackageKind.AIP_TAILIEU, package))


def _packed(kind: PackageKind, package: AipPackage) -> Packed:
    whole = PremisObject("AIP", package.objid, Category.INTELLECTUAL_ENTITY, package.objid)
    return Packed(
        kind=kind,
        objid=package.objid,
        title=package.fields.get("title"),
        fields=package.fields,
        documents=package.documents,
        created=package.created,
        agency=package.agency,
        fonds=package.fonds,
        software=package.software,
        status=package.status,
        schemas=package.schemas,
        documentation=package.documentation,
        premis=lambda out: write_premis(out, [whole], package.events),
        premis_rep1=lambda out: write_premis(out, _objects(package)),
    )


def _objects(package: AipPackage) -> Iterator[PremisObject]:
    make = package.file_object or (lambda path, _: PremisObject("File", f"{package.objid}/{path}", original_name=path))
    for document in package.documents:
        for name, content in document.files.items():
            yield make(f"data/{name}", content)
