"""What the archive writes into an AIP about the package: EAD, EAD_doc, PREMIS, METS, findings, bag-info.

Everything is written from the ledger as a stream. All identifiers are derived and the only time is that of the first
claim, so that the same submission gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import UTC
from importlib.metadata import version as distribution_version
from typing import BinaryIO, cast

from ingest.describing.events import making_events
from ingest.describing.examination import Examination
from ingest.describing.making import Making
from ingest.describing.signatures import premis_signatures
from ingest.describing.spool import CHUNK, Spool
from ingest.ledger import Ledger
from ingest.ledger_rows import PlacedContent
from ingest.packages import Examined
from ingest.receipt import findings_document
from metadata.characteristics import Characteristics
from metadata.dates import utc_text
from metadata.events import Event
from metadata.findings import Findings
from metadata.holdings import PackageType, Role
from metadata.mets import (
    AIP_PROFILE,
    CSIP_PROFILE,
    EARK_AIP_PROFILE,
    MetsAgent,
    MetsEntry,
    MetsPackage,
    MetsRepresentation,
    write_representation_mets,
    write_root_mets,
)
from metadata.package_kinds import PackageKind
from metadata.premis import Category, PremisObject, PremisSignature, write_premis
from metadata.tt05.fields import Fields, write_simpledc
from metadata.tt05.schema import package_schemas
from metadata.tt05.writing import representation_identity
from storage.aip.writer import AipWriter
from storage.hashing import digest_bytes

__all__ = ["Making", "describe"]

SOFTWARE = "Tàng Thư"
_MADE_OF_SIP = {
    PackageType.AIP_HOSO: PackageKind.AIP_HOSO,
    PackageType.AIP_TAILIEU: PackageKind.AIP_TAILIEU,
}
_UNSEEN = Characteristics()
_XML, _TT05_XML = "application/xml", "text/xml"


def describe(
    examined: Examined, ledger: Ledger, findings: Findings, writer: AipWriter, making: Making
) -> list[tuple[str, str]]:
    """Write every generated member, the root METS.xml last, and give the fields of bag-info.txt."""
    return _Description(examined, ledger, findings, writer, making).write()


class _Description:
    def __init__(
        self, examined: Examined, ledger: Ledger, findings: Findings, writer: AipWriter, making: Making
    ) -> None:
        self._examined = examined
        self._ledger = ledger
        self._findings = findings
        self._writer = writer
        self._making = making
        self._type = examined.package_type
        self._root = f"data/{examined.folder}/"
        self._many = len(examined.representations) > 1
        self._links = frozenset(examined.links)
        self._described = {one.path: one for one in examined.descriptions}

    def write(self) -> list[tuple[str, str]]:
        self._put("data/findings.json", findings_document(self._findings))
        checks = Examination(self._ledger, self._making.work, self._put_spooled, self._put).write()
        ead = self._put_fields(f"{self._root}{self._type.dossier_file}", self._examined.form)
        if self._type.describes_documents:
            folder = self._folder(self._examined.representations[0])
            for document in self._ledger.documents():
                self._put_fields(f"{folder}metadata/descriptive/{document.ead_name}", Fields.of(document.form))
        schemas = self._put_schemas()
        representations = []
        for name in self._examined.representations:
            path = f"{self._folder(name)}metadata/preservation/PREMIS_{name}.xml"
            premis_files = self._put_premis(path, self._file_objects(name), ())
            representations.append(MetsRepresentation(name, self._put_representation_mets(name, premis_files)))
        base = self._identified_below(self._examined.representations[0])
        events = making_events(self._making, self._examined, self._ledger, self._findings, checks, base)
        premis = self._put_premis(f"{self._root}metadata/preservation/PREMIS.xml", [self._package_object()], events)
        self._put_root_mets(ead, premis, schemas, representations)
        return self._bag_info()

    def _folder(self, name: str) -> str:
        """The folder of a representation, relative to the bag root."""
        return f"{self._root}representations/{name}/"

    def _content(self, name: str) -> Iterator[PlacedContent]:
        return self._ledger.content(self._folder(name) if self._many else "")

    # Members

    def _put(self, path: str, data: bytes, role: Role = Role.METADATA) -> MetsEntry:
        digests = digest_bytes(data)
        self._ledger.add_generated(path, role, self._writer.add(path, data, digests), digests)
        return MetsEntry(path.removeprefix(self._root), digests.size, self._xml, digests.sha256)

    def _put_schemas(self) -> list[MetsEntry]:
        """The schemas of what the archive wrote, where those that came are of what came."""
        kind = _MADE_OF_SIP.get(self._type) if self._examined.carried is None else None
        if kind is None:
            return []
        schemas = package_schemas(kind).items()
        return [self._put(f"{self._root}schemas/{name}", data, Role.SUPPORT) for name, data in schemas]

    def _put_fields(self, path: str, fields: Fields) -> MetsEntry:
        out = io.BytesIO()
        write_simpledc(out, fields)
        return self._put(path, out.getvalue())

    def _put_spooled(self, path: str, spool: Spool) -> MetsEntry:
        """A document that may be large: written to the work folder first, because its size comes before its bytes."""
        digests = spool.digests()
        if digests.size <= CHUNK:
            placed = self._writer.add(path, b"".join(spool.chunks()), digests)
        else:
            member = self._writer.begin(path, digests.size)
            for chunk in spool.chunks():
                member.write(chunk)
            placed = member.end(digests)
        self._ledger.add_generated(path, Role.METADATA, placed, digests)
        return MetsEntry(path.removeprefix(self._root), digests.size, self._xml, digests.sha256)

    # PREMIS

    def _put_premis(self, path: str, objects: Iterable[PremisObject], events: Iterable[Event]) -> MetsEntry:
        with Spool(self._making.work / "premis.xml") as spool:
            write_premis(cast(BinaryIO, spool), objects, events)
            return self._put_spooled(path, spool)

    def _identified_below(self, name: str) -> str:
        """What the identifiers of files of a representation leave out of their paths."""
        return self._root if self._many else self._folder(name)

    def _file_objects(self, name: str) -> Iterator[PremisObject]:
        base, folder = self._identified_below(name), self._folder(name)
        reports = (one for one in self._ledger.signature_reports() if one.target.startswith(folder))
        report = next(reports, None)
        for one in self._content(name):
            signatures: tuple[PremisSignature, ...] = ()
            if report is not None and report.target == one.target:
                signatures, report = premis_signatures(report.report), next(reports, None)
            found = one.characteristics or _UNSEEN
            yield PremisObject(
                "File",
                f"{self._making.version}/{one.target.removeprefix(base)}",
                Category.FILE,
                one.path,
                one.size,
                one.sha256,
                one.sha512,
                one.format,
                found.validity if self._making.inspector else None,
                found.facts,
                signatures,
            )

    def _package_object(self) -> PremisObject:
        return PremisObject("AIP", str(self._making.version), Category.INTELLECTUAL_ENTITY, self._examined.objid.value)

    # METS

    def _package(self, scope: str, objid: str, schemas: str) -> MetsPackage:
        examined = self._examined
        eark, loose = self._type is PackageType.EARK, self._type is PackageType.AIP_TAILIEU
        software = MetsAgent(
            "CREATOR", "OTHER", SOFTWARE, "SOFTWARE", (("SOFTWARE VERSION", distribution_version("tangthu")),)
        )
        agency = MetsAgent(
            "CREATOR", "ORGANIZATION", examined.agency.value, "", (("IDENTIFICATIONCODE", examined.fonds.value),)
        )
        profile = CSIP_PROFILE if scope != "root" else EARK_AIP_PROFILE if eark else AIP_PROFILE
        return MetsPackage(
            objid=objid,
            package=str(self._making.version),
            scope=scope,
            oais_type="AIP",
            profile=profile,
            label=examined.title,
            created=self._making.created,
            agents=(software,) if scope == "root" or eark else (agency,),
            type="Collection" if loose else "Mixed",
            schemas=schemas,
            csip=eark,
        )

    @property
    def _xml(self) -> str:
        """The media type of XML: TT 05 has a table of its own."""
        return _XML if self._type is PackageType.EARK else _TT05_XML

    def _put_representation_mets(self, name: str, premis: MetsEntry) -> MetsEntry:
        folder = self._folder(name)
        package = self._package(name, name, "../../schemas")
        if self._type is not PackageType.EARK:
            package = representation_identity(package)
        with Spool(self._making.work / "mets.xml") as spool:
            write_representation_mets(
                cast(BinaryIO, spool),
                package,
                files=lambda: self._content_entries(name),
                linked=list(self._content_entries(name, linked=True)) if self._links else (),
                documents=lambda: self._document_entries(name),
                preservation=[premis._replace(path=premis.path.removeprefix(f"representations/{name}/"))],
                schemas=self._support(f"{folder}schemas/", folder),
                documentation=self._support(f"{folder}documentation/", folder),
                representation_type="" if self._type is PackageType.EARK else "NORMALIZED",
            )
            return self._put_spooled(f"{folder}METS.xml", spool)

    def _content_entries(self, name: str, *, linked: bool = False) -> Iterator[MetsEntry]:
        """The files of a representation but for those that only link to a document: ``linked`` gives these."""
        folder, described = self._folder(name), self._type.describes_documents
        for one in self._content(name):
            if self._links and (one.path in self._links) is not linked:
                continue
            document = f"metadata/descriptive/{one.ead_name}" if described and one.ead_name else ""
            yield MetsEntry(one.target.removeprefix(folder), one.size, one.mime, one.sha256, document=document)

    def _document_entries(self, name: str) -> Iterator[MetsEntry]:
        """Descriptions of documents that the archive wrote, each with its names; else those that came."""
        folder = self._folder(name)
        inside = f"{folder}metadata/descriptive/"
        if not self._type.describes_documents:
            yield from self._received(inside, folder)
            return
        written = zip(self._ledger.generated(inside), self._ledger.document_names(), strict=True)
        for (path, size, sha256), (identifier, held) in written:
            yield MetsEntry(path.removeprefix(folder), size, self._xml, sha256, label=identifier, title=held)

    def _put_root_mets(
        self,
        ead: MetsEntry,
        premis: MetsEntry,
        schemas: list[MetsEntry],
        representations: list[MetsRepresentation],
    ) -> None:
        package = self._package("root", self._examined.aip_objid, "schemas")
        with Spool(self._making.work / "mets.xml") as spool:
            write_root_mets(
                cast(BinaryIO, spool),
                package,
                descriptive=[ead, *self._descriptions()],
                preservation=[premis],
                schemas=[*self._support(f"{self._root}schemas/", self._root), *schemas],
                documentation=self._support(f"{self._root}documentation/", self._root),
                representations=representations,
            )
            self._put_spooled(f"{self._root}METS.xml", spool)

    def _descriptions(self) -> Iterator[MetsEntry]:
        """Descriptions of the whole that are kept as they came."""
        if self._type is PackageType.EARK:
            yield from self._received(f"{self._root}metadata/descriptive/", self._root)

    def _received(self, folder: str, base: str) -> Iterator[MetsEntry]:
        """Descriptions that came and lie under ``folder``, each with its standard; paths relative to ``base``."""
        for target, size, mime, sha256 in self._ledger.placed_under(folder):
            said = self._described.get(target.removeprefix(self._root))
            kind, version = (said.md_type, said.md_version) if said else ("OTHER", "")
            yield MetsEntry(target.removeprefix(base), size, mime, sha256, md_type=kind, md_version=version)

    def _support(self, folder: str, base: str) -> list[MetsEntry]:
        return [
            MetsEntry(target.removeprefix(base), size, mime, sha256)
            for target, size, mime, sha256 in self._ledger.placed_under(folder)
        ]

    # bag-info

    def _bag_info(self) -> list[tuple[str, str]]:
        examined, making = self._examined, self._making
        fields = [
            ("Source-Organization", examined.agency.value),
            ("External-Identifier", examined.objid.value),
            ("Bag-Group-Identifier", examined.fonds.value),
            ("Internal-Sender-Identifier", examined.code.value),
            ("External-Description", examined.title),
            ("Bagging-Date", f"{making.created.astimezone(UTC):%Y-%m-%d}"),
            ("Bag-Software-Agent", f"{SOFTWARE} {distribution_version('tangthu')}"),
            ("Tangthu-Archive", making.archive.value),
            ("Tangthu-Package-Type", examined.package_type.value),
            ("Tangthu-Created", utc_text(making.created)),
            ("Tangthu-Content", self._ledger.content_digest().hex()),
        ]
        return [(label, _one_line(value)) for label, value in fields]


def _one_line(value: str) -> str:
    """Identifiers are one line and stay as they are; a title that is not has its white space made single spaces."""
    one_line = value.splitlines() == [value] and value == value.strip()
    return value if one_line else " ".join(value.split())
