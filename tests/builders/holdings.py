"""A small AIP as the catalogue sees it: everything valid, each thing to be changed with ``dataclasses.replace``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from metadata.catalogue import Catalogue
from metadata.characteristics import Characteristics, Facts
from metadata.dates import RecordDate
from metadata.events import Agent, Event, EventType, LogHead
from metadata.holdings import AipVersion, Format, Level, Member, PackageType, Record, Replica, Role
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
from metadata.outcomes import Fixity, SignatureOutcome, Validity, Virus

NOW = datetime(2026, 3, 2, 1, 2, 3, 456789, tzinfo=UTC)
PERIOD = timedelta(days=90)
STORES = (StoreId("kho-1"), StoreId("kho-2"))
AGENT = Agent("tangthu/0.1.0", "Tàng Thư")
PDF = Format(Puid("fmt/354"), "Acrobat PDF/A", "1b", "application/pdf", "signature")
UNKNOWN = Format(None, "", "", "application/octet-stream", "none", "Không có chữ ký nào khớp")
SIGNED = Characteristics(
    Validity.VALID_WITH_NOTES,
    Virus.CLEAN,
    "",
    SignatureOutcome.INVALID,
    2,
    Facts(pages=12, width=595, claim="PDF/A-2b", encrypted=False, application='"Máy in" \x00 \ud800'),
)
UNSEEN = Characteristics(virus_name="quá lớn / too large")
SCANNED = Characteristics(virus=Virus.CLEAN)


def a_version(name: str = "hồ sơ 1", number: int = 1, created: datetime = NOW) -> AipVersion:
    agency, objid = AgencyCode("H20.05"), ObjId(f"urn:uuid:{name}")
    identity = VersionId(AipId.of(agency, objid), number)
    return AipVersion(
        identity,
        f"LT-DT/P01/{name}/{identity.aip}/v{number}.zip",
        PackageType.AIP_HOSO,
        ArchiveCode("LT-DT"),
        agency,
        FondsCode("P01"),
        objid,
        RecordCode(f"HS-{name}"),
        f"Hồ sơ về việc {name}",
        hashlib.sha256(name.encode()).digest(),
        123_456,
        5,
        100_000,
        created,
    )


def members(count: int = 5, name: str = "") -> Iterator[Member]:
    offset = 0
    for number in range(1, count + 1):
        path = f"data/{name}/Công văn số {number}.pdf"
        digest = hashlib.sha512(path.encode()).digest()
        file_format = (PDF, UNKNOWN, None)[number % 3]
        role = Role.CONTENT if file_format else Role.TAG
        found = (SIGNED, UNSEEN, None if number % 2 else SCANNED)[number % 3]
        at = offset, offset + 80
        yield Member(number, path, role, *at, 1000, number, digest[:32], digest, file_format, found)
        offset += 1080


def a_record(number: int, carriers: tuple[int, ...] = ()) -> Record:
    return Record(
        number,
        Level.DOCUMENT if number else Level.DOSSIER,
        f"H20.05.{number}",
        f"Quyết định số {number}/QĐ-UBND",
        "Quyết định",
        f"{number}/QĐ-UBND",
        "Ủy ban nhân dân tỉnh Đồng Tháp",
        "Tiếng Việt",
        "Công khai",
        RecordDate.read("02/03/2019"),
        RecordDate.read("khoảng 2020"),
        12 if number else None,
        "đất đai; quy hoạch",
        {"zeta": "trước", "alpha": "sau \N{NULL} \U0001f4dc", "Đơn vị": '"nháy"'},
        carriers,
    )


def records() -> list[Record]:
    return [a_record(0), a_record(1, (3, 1)), a_record(2, (4,))]


def an_event(
    version: VersionId, *parts: str, kind: EventType = EventType.FIXITY_CHECK, store: StoreId | None = None
) -> Event:
    note = " / ".join(parts)
    return Event(Event.derive(version, *parts), version, kind, NOW, "Kiểm tra", "success", note, AGENT, store)


def ingest_events(version: VersionId) -> list[Event]:
    return [
        an_event(version, "tạo", kind=EventType.INFORMATION_PACKAGE_CREATION),
        *(an_event(version, "bản sao", str(one), kind=EventType.REPLICATION, store=one) for one in STORES),
    ]


def a_head(number: int) -> LogHead:
    return LogHead(number, hashlib.sha256(f"nhật ký {number}".encode()).digest())


def replicas(version: VersionId, due: datetime = NOW + PERIOD) -> list[Replica]:
    return [Replica(version, store, Fixity.MATCH, NOW, due) for store in STORES]


RECEIPT = '{"kết quả":"tiếp nhận"}\n'


@dataclass(frozen=True, slots=True)
class Registered:
    """What :func:`register` has registered."""

    version: AipVersion
    members: list[Member]
    records: list[Record]
    replicas: list[Replica]
    events: list[Event]

    @property
    def id(self) -> VersionId:
        return self.version.id


def register(
    catalogue: Catalogue, name: str = "hồ sơ 1", number: int = 1, due: datetime = NOW + PERIOD, created: datetime = NOW
) -> Registered:
    """Register a small AIP, whole."""
    version = a_version(name, number, created)
    new = Registered(
        version,
        list(members(version.file_count, name)),
        records(),
        replicas(version.id, due),
        ingest_events(version.id),
    )
    catalogue.holdings.register(version, new.members, new.records, new.replicas, new.events, RECEIPT, a_head(1))
    return new
