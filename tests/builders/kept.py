"""AIPs that are kept: written to stores as an ingest writes them, and registered in a catalogue.

The rows are made here from what the writer said, not from ``preservation.description``, which is judged by them.
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from metadata.catalogue import Catalogue
from metadata.characteristics import Characteristics, Facts
from metadata.dates import utc_text
from metadata.events import Agent, Event, EventType
from metadata.examination import FILES as EXAMINED
from metadata.examination import ExaminedFile
from metadata.holdings import AipVersion, Format, Member, PackageType, Record, Replica, Role
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
from metadata.mets import CSIP_PROFILE, MetsAgent, MetsEntry, MetsPackage, write_representation_mets
from metadata.outcomes import Fixity, SignatureOutcome, Validity, Virus
from metadata.premis import Category, PremisObject, write_premis
from metadata.tt05.records import Fields, document_record, dossier_record, write_simpledc
from preservation.checks import SUCCESS
from storage.aip.parts import PartFanout
from storage.aip.writer import AipWriter
from storage.hashing import digest_bytes
from storage.keys import object_key
from storage.log import append_log
from storage.port import Store

NOW = datetime(2026, 3, 2, 1, 2, 3, 456789, tzinfo=UTC)
PERIOD = timedelta(days=90)
AGENT = Agent("tangthu/0.1.0", "Tàng Thư")
PDF = Format(Puid("fmt/354"), "Acrobat PDF/A", "1b", "application/pdf", "signature")
NONE = Format(None, "", "", "application/octet-stream", "none", "không nhận ra / not recognised")


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta = PERIOD) -> None:
        self.now += by


@dataclass(frozen=True, slots=True)
class File:
    """A content file; ``document`` is the number of the document that it carries, 0 for none; ``found`` is what checks
    said of it."""

    name: str
    data: bytes
    format: Format | None = PDF
    document: int = 0
    found: Characteristics | None = None


SIGNED = Characteristics(
    Validity.VALID_WITH_NOTES, Virus.CLEAN, "", SignatureOutcome.INVALID, 2,
    Facts(pages=3, claim="PDF/A-1b", encrypted=False, application='"<Máy in> \x00 \ud800'),
)  # fmt: skip
FILES = (
    File("Báo cáo số 1.pdf", b"%PDF-1.4 bao cao" * 40, PDF, 1, SIGNED),
    File("Phụ lục/bảng 50%.csv", b"a,b\n" * 9, NONE, 2),
    File("Phụ lục/trống.txt", b"", None, 1, Characteristics(virus=Virus.NOT_SCANNED, virus_name="quá lớn")),
    File("ảnh.pdf", b"%PDF-1.4 anh" * 300, PDF, 0),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was registered."""

    version: AipVersion
    members: tuple[Member, ...]
    records: tuple[Record, ...]
    events: tuple[Event, ...]

    @property
    def key(self) -> str:
        return self.version.key

    @property
    def id(self) -> VersionId:
        return self.version.id

    def member(self, ending: str) -> Member:
        """The first member whose path ends so."""
        return next(member for member in self.members if member.path.endswith(ending))


def keep(
    catalogue: Catalogue | None,
    stores: Sequence[Store],
    name: str = "hồ sơ 1",
    files: Sequence[File] = FILES,
    documents: int = 2,
    at: datetime = NOW,
) -> Kept:
    """Write an AIP to ``stores``, its first log object too, and register it (not when ``catalogue`` is None)."""
    with tempfile.TemporaryDirectory() as work:
        builder = _Builder(name, files, documents, at, Path(work))
        kept = builder.write(stores)
    events = first_events(kept.id, at, [store.id for store in stores], AGENT)
    receipt = {"verdict": "accepted", "aip": str(kept.id.aip), "title": name}
    appended = append_log(stores, kept.key, None, events, receipt)
    if catalogue is not None:
        replicas = [Replica(kept.id, store.id, Fixity.MATCH, at, at + PERIOD) for store in stores]
        document = json.dumps(receipt, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        everything = [*kept.events, *events]
        catalogue.holdings.register(
            kept.version, kept.members, kept.records, replicas, everything, document, appended.head
        )
    return kept


def first_events(version: VersionId, at: datetime, stores: Iterable[StoreId], agent: Agent) -> list[Event]:
    """What log object 1 tells: in every store created, read back and matched; then received for good."""
    names = list(stores)
    events = [
        Event(
            Event.derive(version, kind.value, store.value),
            version,
            kind,
            at,
            detail,
            outcome,
            store.value,
            agent,
            store,
        )
        for kind, detail, outcome in (
            (EventType.REPLICATION, "The AIP object was created in the store", SUCCESS),
            (EventType.FIXITY_CHECK, "The replica was read back whole after replication", Fixity.MATCH.value),
        )
        for store in names
    ]
    end = EventType.INGESTION_END
    listed = ", ".join(store.value for store in names)
    detail = "Every replica was read back and matched"
    return [*events, Event(Event.derive(version, end.value), version, end, at, detail, SUCCESS, listed, agent)]


class _Builder:
    def __init__(self, name: str, files: Sequence[File], documents: int, at: datetime, work: Path) -> None:
        self.agency, self.objid = AgencyCode("H20.05"), ObjId(f"uuid-{name}")
        self.id = VersionId(AipId.of(self.agency, self.objid), 1)
        self.archive, self.fonds, self.code = ArchiveCode("LT-DT"), FondsCode("P01"), RecordCode(f"LT-DT.{name}")
        self.title, self.at, self.work = f"Hồ sơ về việc {name}", at, work
        self.files, self.documents = files, documents
        self.package = f"data/urn_P01_uuid-{str(self.id.aip).upper()}/"
        self.rep = f"{self.package}representations/rep1/"
        self.members: list[Member] = []

    def write(self, stores: Sequence[Store]) -> Kept:
        key = object_key(self.archive, self.fonds, self.code, self.id)
        content = hashlib.sha256(self.title.encode()).digest()
        with PartFanout(stores, key) as out, AipWriter(out, self.id.root, self.work) as self.writer:
            for file in self.files:
                self.add(f"{self.rep}data/{file.name}", file.data, Role.CONTENT, file.format, file.found)
            scanned = Characteristics(virus=Virus.CLEAN) if any(file.found for file in self.files) else None
            self.add(f"{self.package}schemas/METS.xsd", b"<schema/>", Role.SUPPORT, None, scanned)
            self.add("data/submission/METS.xml", b"<mets/>", Role.SUBMISSION)
            records, events = self.describe()
            sealed = self.writer.seal(self.bag_info(content))
            out.complete()
        version = AipVersion(
            self.id, key, PackageType.AIP_HOSO, self.archive, self.agency, self.fonds, self.objid, self.code,
            self.title, content, sealed.size, sealed.payload_files, sealed.payload_bytes, self.at,
        )  # fmt: skip
        return Kept(version, (sealed.members[0], *self.members, *sealed.members[1:]), tuple(records), tuple(events))

    def add(
        self,
        path: str,
        data: bytes,
        role: Role,
        file_format: Format | None = None,
        found: Characteristics | None = None,
    ) -> MetsEntry:
        digests = digest_bytes(data)
        placed = self.writer.add(path, data, digests)
        self.members.append(
            Member(
                placed.number, path, role, placed.offset, placed.data, len(data), digests.crc32,
                digests.sha256, digests.sha512, file_format, found,
            )
        )  # fmt: skip
        return MetsEntry(path.removeprefix(self.rep), len(data), "application/xml", digests.sha256)

    def describe(self) -> tuple[list[Record], list[Event]]:
        looked = [(one, one.characteristics) for one in self.members if one.characteristics]
        if looked:
            told = [ExaminedFile(one.number, one.path, one.format, found).line() for one, found in looked]
            self.add(EXAMINED, b"".join(told), Role.METADATA)
        dossier = Fields.of({"arcFileCode": self.code.value, "title": self.title, "startDate": "01/2019"})
        self.add_fields(f"{self.package}metadata/descriptive/EAD.xml", dossier)
        records, entries = [dossier_record(dossier)], []
        for number in range(1, self.documents + 1):
            fields = Fields.of({"docCode": f"{self.code}.{number}", "subject": f"Báo cáo <số> {number}", "note": ""})
            path = f"{self.rep}metadata/descriptive/EAD_doc_{number}.xml"
            entries.append(self.add_fields(path, fields))
            records.append(document_record(fields, number, self.carriers(number)))
        objects = [self.premis_object(member) for member in self.members if member.role is Role.CONTENT]
        self.add_premis(f"{self.rep}metadata/preservation/PREMIS_rep1.xml", objects, [])
        self.add_mets(entries)
        events = [self.event(EventType.VALIDATION), self.event(EventType.INFORMATION_PACKAGE_CREATION)]
        whole = PremisObject("AIP", str(self.id), Category.INTELLECTUAL_ENTITY, self.objid.value)
        self.add_premis(f"{self.package}metadata/preservation/PREMIS.xml", [whole], events)
        self.add(f"{self.package}METS.xml", b"<mets/>", Role.METADATA)
        return records, events

    def carriers(self, number: int) -> tuple[int, ...]:
        return tuple(at for at, file in enumerate(self.files, 2) if file.document == number)

    def add_fields(self, path: str, fields: Fields) -> MetsEntry:
        out = io.BytesIO()
        write_simpledc(out, fields)
        return self.add(path, out.getvalue(), Role.METADATA)

    def premis_object(self, member: Member) -> PremisObject:
        name = member.path.removeprefix(self.rep)
        return PremisObject(
            "File", f"{self.id}/{name}", Category.FILE, name, member.size, member.sha256, member.sha512, member.format
        )

    def add_premis(self, path: str, objects: Sequence[PremisObject], events: Sequence[Event]) -> None:
        out = io.BytesIO()
        write_premis(out, objects, events)
        self.add(path, out.getvalue(), Role.METADATA)

    def add_mets(self, documents: Sequence[MetsEntry]) -> None:
        agent = MetsAgent("CREATOR", "ORGANIZATION", self.agency.value)
        package = MetsPackage(
            "rep1", str(self.id), "rep1", "AIP", CSIP_PROFILE, self.title, self.at, (agent,), schemas="../../schemas"
        )
        files = [
            MetsEntry(
                member.path.removeprefix(self.rep), member.size, "application/pdf", member.sha256,
                document=f"metadata/descriptive/EAD_doc_{file.document}.xml" if file.document else "",
            )
            for member, file in zip(self.members, self.files, strict=False)
        ]  # fmt: skip
        out = io.BytesIO()
        write_representation_mets(out, package, files=lambda: files, documents=lambda: documents)
        self.add(f"{self.rep}METS.xml", out.getvalue(), Role.METADATA)

    def event(self, kind: EventType) -> Event:
        identity = Event.derive(self.id, kind.value)
        return Event(identity, self.id, kind, self.at, "việc gì", "success", "kết quả", AGENT)

    def bag_info(self, content: bytes) -> list[tuple[str, str]]:
        return [
            ("Source-Organization", self.agency.value),
            ("External-Identifier", self.objid.value),
            ("Bag-Group-Identifier", self.fonds.value),
            ("Internal-Sender-Identifier", self.code.value),
            ("External-Description", self.title),
            ("Tangthu-Archive", self.archive.value),
            ("Tangthu-Package-Type", PackageType.AIP_HOSO.value),
            ("Tangthu-Created", utc_text(self.at)),
            ("Tangthu-Content", content.hex()),
        ]


def flip(store: Store, key: str, at: int, bit: int = 1) -> None:
    """Change one bit of a stored object."""
    data = bytearray(raw(store, key))
    data[at] ^= bit
    replace(store, key, bytes(data))


def replace(store: Store, key: str, data: bytes) -> None:
    """Put other bytes under a key."""
    store.delete(key)
    store.put(key, data)


def raw(store: Store, key: str) -> bytes:
    """All bytes of an object."""
    info = store.head(key)
    assert info is not None
    with store.open(key) as stream:
        return stream.read(info.size)
