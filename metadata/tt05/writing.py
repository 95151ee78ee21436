"""Writing a package of TT 05 in form A to a folder. One function for all five, because only data differs."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from metadata.mets.model import MetsAgent, MetsAltRecord, MetsEntry, MetsPackage
from metadata.mets.writer import MetsRepresentation, write_representation_mets, write_root_mets
from metadata.package_kinds import PackageKind
from metadata.tt05.fields import Fields, write_simpledc
from metadata.tt05.packages import MetsRules
from metadata.tt05.profile import DocumentKind, default_profile
from metadata.tt05.schema import package_schemas

Content = bytes | Path
Write = Callable[[BinaryIO], None]
LINK = ".fetch.txt"
_REPRESENTATION = "representations/rep1/"


@dataclass(frozen=True, slots=True)
class PackedDocument:
    """One document: ``name`` becomes ``EAD_doc_<name>.xml``, ``files`` lie in ``data`` by their names.

    A file named ``….fetch.txt`` is a linked document (Holeyfile): it only says which document, held already, is meant.
    """

    name: str
    fields: Fields
    files: Mapping[str, Content]
    kind: DocumentKind = DocumentKind.TEXT


@dataclass(frozen=True, slots=True)
class Packed:
    """A package to be written. Everything is given, so that the same values give the same bytes.

    ``agency`` made the content and ``fonds`` is its code; ``software`` is name and version of the packing software.
    ``agreement`` is the registration of the submission (SIP), "" for none. ``premis`` and ``premis_rep1`` write the
    PREMIS files of an AIP or DIP; None when there is none. ``schemas`` None means those of the profile.
    """

    kind: PackageKind
    objid: str
    title: str
    fields: Fields
    documents: Sequence[PackedDocument]
    created: datetime
    agency: str
    fonds: str
    software: tuple[str, str]
    agreement: str = ""
    status: str = "NEW"
    schemas: Mapping[str, Content] | None = None
    documentation: Mapping[str, Content] = field(default_factory=dict)
    premis: Write | None = None
    premis_rep1: Write | None = None


def write_package(parent: Path, packed: Packed) -> Path:
    """Write the package as a new folder of ``parent`` named by its OBJID (``:`` as ``_``), and return that folder.

    Files are copied as streams. Raises OSError, FileExistsError among them when the folder is there.
    """
    folder = parent / packed.objid.replace(":", "_")
    folder.mkdir(parents=True)
    return _Writer(folder, packed).write()


class _Writer:
    def __init__(self, folder: Path, packed: Packed) -> None:
        self._folder = folder
        self._packed = packed
        self._rules = default_profile().packages[packed.kind]

    def write(self) -> Path:
        packed = self._packed
        inner = self._representation()
        ead = self._put("metadata/descriptive/EAD.xml", simpledc(packed.fields))
        premis = self._premis("metadata/preservation/PREMIS.xml", packed.premis)
        schemas = package_schemas(packed.kind) if packed.schemas is None else packed.schemas
        out = io.BytesIO()
        write_root_mets(
            out,
            self._mets("root", packed.objid, self._rules.root_mets, "schemas"),
            descriptive=[ead],
            preservation=premis,
            schemas=[self._put(f"schemas/{name}", content) for name, content in schemas.items()],
            documentation=[
                self._put(f"documentation/{name}", content) for name, content in packed.documentation.items()
            ],
            representations=[MetsRepresentation("rep1", inner)],
        )
        self._put("METS.xml", out.getvalue())
        return self._folder

    def _representation(self) -> MetsEntry:
        """Write ``representations/rep1`` and return the entry of its METS file, relative to the package's root."""
        documents: list[MetsEntry] = []
        files: list[MetsEntry] = []
        for document in self._packed.documents:
            path = f"metadata/descriptive/EAD_{document.kind}_{document.name}.xml"
            documents.append(self._put(path, simpledc(document.fields), base=_REPRESENTATION))
            files += [
                self._put(f"data/{name}", content, document=path, base=_REPRESENTATION)
                for name, content in document.files.items()
            ]
        premis = self._premis("metadata/preservation/PREMIS_rep1.xml", self._packed.premis_rep1, _REPRESENTATION)
        package = self._mets("rep1", "", self._rules.representation_mets, "../../schemas")
        target = self._folder / _REPRESENTATION / "METS.xml"
        target.parent.mkdir(parents=True, exist_ok=True)
        (target.parent / "data").mkdir(exist_ok=True)
        with target.open("wb") as out:
            write_representation_mets(
                out,
                package,
                files=lambda: (entry for entry in files if not entry.path.endswith(LINK)),
                documents=lambda: documents,
                preservation=premis,
                linked=[entry for entry in files if entry.path.endswith(LINK)],
                representation_type=self._rules.representation_mets.division_type,
            )
        return _entry(f"{_REPRESENTATION}METS.xml", target)

    def _mets(self, scope: str, objid: str, rules: MetsRules, schemas: str) -> MetsPackage:
        packed, agent = self._packed, rules.agent
        name, note = packed.software if scope == "root" else (packed.agency, packed.fonds)
        agreement = (MetsAltRecord(rules.agreement, packed.agreement),) if rules.agreement else ()
        package = MetsPackage(
            objid=objid,
            package=packed.objid,
            scope=scope,
            oais_type=self._rules.oais_type,
            profile=rules.profile,
            label=packed.title,
            created=packed.created,
            agents=(MetsAgent(agent.role, agent.type, name, agent.other_type, ((agent.note, note),)),),
            type=rules.types[0],
            status=packed.status,
            alt_records=agreement,
            schemas=schemas,
        )
        return package if objid else representation_identity(package)

    def _premis(self, path: str, write: Write | None, base: str = "") -> list[MetsEntry]:
        if write is None:
            return []
        target = self._folder / base / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            write(out)
        return [_entry(path, target)]

    def _put(self, path: str, content: Content, document: str = "", base: str = "") -> MetsEntry:
        target = self._folder / base / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            with content.open("rb") as source, target.open("wb") as sink:
                while chunk := source.read(1024 * 1024):
                    sink.write(chunk)
        return _entry(path, target, document)


def representation_identity(package: MetsPackage) -> MetsPackage:
    """The same with the OBJID that form A wants of a representation: ``uuid-{UUID}``, derived from the package."""
    return replace(package, objid=package.id("OBJID"))


def _entry(name: str, target: Path, document: str = "") -> MetsEntry:
    with target.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
    mime = default_profile().media_type(name)
    return MetsEntry(name, target.stat().st_size, mime, digest, document=document)


def simpledc(fields: Fields) -> bytes:
    """The bytes of EAD.xml or of a document's description."""
    out = io.BytesIO()
    write_simpledc(out, fields)
    return out.getvalue()
