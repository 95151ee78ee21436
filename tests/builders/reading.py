"""A small real archive to read from: SQLite, two stores in memory, AIPs made by the AIP writer."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi import FastAPI

from access.auth import TokenAuth
from access.content import Span, verified_bytes
from access.search.feeder import Feeder
from access.search.port import SearchIndex
from access.services import AccessServices
from access.web import install
from metadata.catalogue import Catalogue
from metadata.characteristics import Characteristics
from metadata.dates import RecordDate
from metadata.events import Agent, Event, EventType, LogHead
from metadata.examination import TEXT, FileText, encode, evidence_path
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
from metadata.outcomes import Fixity
from storage.aip.parts import PartFanout
from storage.aip.writer import AipWriter
from storage.hashing import digest_bytes
from storage.keys import object_key
from storage.port import Store
from storage.stores.memory import MemoryStore

TOKEN = "a-token-for-tests-only-0123456789"
NOW = datetime(2026, 5, 20, 2, 30, tzinfo=UTC)
STORES = (StoreId("kho-a"), StoreId("kho-b"))
PDF = Format(Puid("fmt/354"), "Acrobat PDF/A - Portable Document Format", "1b", "application/pdf", "signature")
DOCX = Format(Puid("fmt/412"), "Microsoft Word for Windows", "2007 onwards", "application/vnd.ms-word", "container")
HTML = Format(Puid("fmt/96"), "Hypertext Markup Language", "", "text/html", "signature")
_AGENT = Agent("tangthu", "Tàng Thư 0.1")


@dataclass(frozen=True)
class Paper:
    """A document to be put into a dossier: its title, number, kind, date, and its files as (name, bytes, format).

    ``text`` are the words of its first file, ``found`` what checks said of it, ``evidence`` what is kept of its
    signatures.
    """

    title: str
    notation: str = ""
    kind: str = "Công văn"
    date: str = ""
    pages: int | None = 2
    organ: str = "Ủy ban nhân dân tỉnh Đồng Tháp"
    files: tuple[tuple[str, bytes, Format | None], ...] = (("van-ban.pdf", b"%PDF-1.7 noi dung", PDF),)
    fields: dict[str, str] = field(default_factory=dict)
    text: str = ""
    found: Characteristics | None = None
    evidence: dict[str, object] | None = None


@dataclass
class Archive:
    """The archive and what one needs to change it."""

    catalogue: Catalogue
    stores: dict[StoreId, MemoryStore]
    index: SearchIndex
    work: Path

    @property
    def services(self) -> AccessServices:
        return AccessServices(
            catalogue=self.catalogue,
            index=self.index,
            open_store=self.open_store,
            stores=STORES,
            clock=lambda: NOW,
            auth=TokenAuth(TOKEN, secure=False),
            archive_name="Lưu trữ lịch sử tỉnh Đồng Tháp",
        )

    def open_store(self, store: StoreId) -> Store:
        return self.stores[store]

    def application(self) -> FastAPI:
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        install(app, self.services)
        return app

    @property
    def feeder(self) -> Feeder:
        """Feeds the index with the words of files too, which it reads from the stores as they are now."""
        return Feeder(self.catalogue, self.index, self.read, self.work)

    def read(self, version: AipVersion, member: Member) -> Iterator[bytes]:
        return verified_bytes(self.services, version, member, Span(0, member.size))

    def feed(self) -> None:
        feeder = self.feeder
        while feeder.feed():
            pass

    def add(
        self,
        title: str,
        papers: Sequence[Paper],
        *,
        code: str = "H20.2019.01",
        agency: str = "H20.05",
        version: int = 1,
        start: str = "2019",
        end: str = "2019",
        access: str = "01",
        keywords: str = "",
        plain: bool = False,
    ) -> AipVersion:
        """Write a dossier to both stores and into the catalogue."""
        objid = ObjId(f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, agency + code)}")
        version_id = VersionId(AipId.of(AgencyCode(agency), objid), version)
        key = object_key(ArchiveCode("H20"), FondsCode("UBND"), RecordCode(code), version_id)
        members, carried, size, payload = self._write(version_id, key, papers)
        held = AipVersion(
            version_id,
            key,
            PackageType.PLAIN if plain else PackageType.AIP_HOSO,
            ArchiveCode("H20"),
            AgencyCode(agency),
            FondsCode("UBND"),
            objid,
            RecordCode(code),
            title,
            digest_bytes(title.encode()).sha256,
            size,
            len(members),
            payload,
            NOW - timedelta(days=40),
        )
        records = [] if plain else [_dossier(title, code, start, end, access, keywords, papers)]
        records += [] if plain else [_document(paper, n, carried[n], access) for n, paper in enumerate(papers, 1)]
        replicas = [
            Replica(version_id, store, Fixity.MATCH, NOW - timedelta(days=9 - n), NOW + timedelta(days=21 + n))
            for n, store in enumerate(STORES)
        ]
        events = list(_events(version_id))
        head = LogHead(1, b"\1" * 32)
        self.catalogue.holdings.register(held, members, records, replicas, events, "{}", head)
        return held

    def _write(
        self, version: VersionId, key: str, papers: Sequence[Paper]
    ) -> tuple[list[Member], dict[int, tuple[int, ...]], int, int]:
        members: list[Member] = []
        carried: dict[int, tuple[int, ...]] = {}
        with (
            PartFanout([self.stores[store] for store in STORES], key, work=self.work) as out,
            AipWriter(out, version.root, self.work) as writer,
        ):
            for number, paper in enumerate(papers, 1):
                mine = []
                for name, data, kind in paper.files:
                    digests = digest_bytes(data)
                    path = f"data/urn_uuid/representations/rep1/data/{number:03d}/{name}"
                    placed = writer.add(path, data, digests)
                    mine.append(placed.number)
                    members.append(
                        Member(
                            placed.number,
                            path,
                            Role.CONTENT,
                            placed.offset,
                            placed.data,
                            digests.size,
                            digests.crc32,
                            digests.sha256,
                            digests.sha512,
                            kind,
                            paper.found if not mine[1:] else None,
                        )
                    )
                carried[number] = tuple(mine)
            for path, data in _examination(papers, carried):
                digests = digest_bytes(data)
                placed = writer.add(path, data, digests)
                at = placed.offset, placed.data, digests.size, digests.crc32, digests.sha256, digests.sha512
                members.append(Member(placed.number, path, Role.METADATA, *at))
            sealed = writer.seal([("Source-Organization", "test")])
            out.complete()
        return sorted([*members, *sealed.members], key=lambda m: m.number), carried, sealed.size, sealed.payload_bytes


def _examination(papers: Sequence[Paper], carried: dict[int, tuple[int, ...]]) -> Iterator[tuple[str, bytes]]:
    """What checks of an ingest left in the AIP: words, and the evidence of signatures."""
    first = [(carried[number][0], paper) for number, paper in enumerate(papers, 1) if paper.files]
    texts = [FileText(number, "", paper.text).line() for number, paper in first if paper.text]
    if texts:
        yield TEXT, b"".join(texts)
    for number, paper in first:
        if paper.evidence is not None:
            yield evidence_path(number), encode(paper.evidence)


def _dossier(
    title: str, code: str, start: str, end: str, access: str, keywords: str, papers: Sequence[Paper]
) -> Record:
    fields = {
        "arcFileCode": code,
        "title": title,
        "maintenance": "01",
        "mode": access,
        "language": "01",
        "startDate": start,
        "endDate": end,
        "keyword": keywords,
        "totalDoc": str(len(papers)),
        "riskRecovery": "1",
        "description": "Tài liệu số hóa từ bản gốc giấy, đã đối chiếu.",
    }
    return Record(
        number=0,
        level=Level.DOSSIER,
        code=code,
        title=title,
        type_name="",
        notation="",
        organ="",
        language="Tiếng Việt",
        access=access,
        start=RecordDate.read(start),
        end=RecordDate.read(end),
        pages=sum(paper.pages or 0 for paper in papers) or None,
        keywords=keywords,
        fields=fields,
    )


def _document(paper: Paper, number: int, members: tuple[int, ...], access: str) -> Record:
    fields = {
        "typeName": "22",
        "codeNotation": paper.notation,
        "issuedDate": paper.date,
        "organName": paper.organ,
        "subject": paper.title,
        **paper.fields,
    }
    return Record(
        number=number,
        level=Level.DOCUMENT,
        code=f"H20.2019.01.{number:07d}",
        title=paper.title,
        type_name=paper.kind,
        notation=paper.notation,
        organ=paper.organ,
        language="Tiếng Việt",
        access=access,
        start=RecordDate.read(paper.date),
        end=RecordDate.read(paper.date),
        pages=paper.pages,
        keywords=paper.fields.get("keyword", ""),
        fields=fields,
        members=members,
    )


def _events(version: VersionId) -> Iterator[Event]:
    made = NOW - timedelta(days=40)
    plan: tuple[tuple[EventType, int, str, str, StoreId | None], ...] = (
        (EventType.VALIDATION, 0, "Kiểm tra gói tin nộp lưu theo TT 05/2025/TT-BNV", "success", None),
        (EventType.MESSAGE_DIGEST_CALCULATION, 1, "SHA-256, SHA-512", "success", None),
        (EventType.INFORMATION_PACKAGE_CREATION, 2, "SIP_hoso → AIP_hoso", "success", None),
        (EventType.REPLICATION, 3, "Ghi và đọc lại", "success", STORES[0]),
        (EventType.REPLICATION, 4, "Ghi và đọc lại", "success", STORES[1]),
        (EventType.FIXITY_CHECK, 30 * 1440, "Đọc lại toàn bộ gói lưu trữ", "failure", STORES[1]),
        (EventType.RECOVERY, 30 * 1440 + 5, "Chép lại từ kho-a", "success", STORES[1]),
    )
    for number, (kind, minutes, detail, outcome, store) in enumerate(plan):
        note = f"data/a.pdf: expected {'ab' * 32}, found {'cd' * 32}" if outcome == "failure" else ""
        yield Event(
            Event.derive(version, kind.value, str(number)),
            version,
            kind,
            made + timedelta(minutes=minutes),
            detail,
            outcome,
            note,
            _AGENT,
            store,
        )


@contextmanager
def archive(folder: Path, index: SearchIndex) -> Iterator[Archive]:
    """An empty archive in ``folder``."""
    stores = {store: MemoryStore(store) for store in STORES}
    with Catalogue(f"sqlite:///{folder / 'catalogue.sqlite'}") as catalogue:
        catalogue.upgrade()
        yield Archive(catalogue, stores, index, folder)


@contextmanager
def copied(original: Archive, folder: Path, index: SearchIndex) -> Iterator[Archive]:
    """The same archive again in ``folder``, to be changed at will. The original's catalogue must be closed."""
    shutil.copy(original.work / "catalogue.sqlite", folder)
    stores = {store: MemoryStore(store) for store in STORES}
    for store, held in original.stores.items():
        for info in held.list():
            with held.open(info.key) as stream:
                stores[store].put(info.key, stream.read(info.size))
    with Catalogue(f"sqlite:///{folder / 'catalogue.sqlite'}") as catalogue:
        Feeder(catalogue, index).rebuild()
        yield Archive(catalogue, stores, index, folder)


def fill(target: Archive) -> list[AipVersion]:
    """Three dossiers as a province would transfer them."""
    land = target.add(
        "Hồ sơ về việc điều chỉnh quy hoạch sử dụng đất đến năm 2020 của huyện Cao Lãnh, tỉnh Đồng Tháp",
        [
            Paper(
                "Về việc nộp lưu hồ sơ, tài liệu vào Lưu trữ lịch sử tỉnh",
                "1234/UBND-NC",
                date="12/03/2019",
                fields={"keyword": "nộp lưu; lưu trữ lịch sử"},
            ),
            Paper(
                "Quyết định phê duyệt điều chỉnh quy hoạch sử dụng đất đến năm 2020 của huyện Cao Lãnh",
                "2402/2019/QĐ-UBND",
                kind="Quyết định",
                date="25/06/2019",
                pages=14,
                files=(("quyet-dinh.pdf", b"%PDF-1.7 quyet dinh " * 50, PDF), ("phụ lục.docx", b"PK docx", DOCX)),
                fields={"keyword": "quy hoạch; đất đai; Ủy ban nhân dân", "isExcerpt": "0"},
            ),
            Paper(
                "Tờ trình đề nghị mở rộng đường Nguyễn Huệ, đoạn từ cầu Đúc đến Nguyễn Quang Diêu",
                "87/TTr-STNMT",
                kind="Tờ trình",
                date="03/05/2019",
                pages=6,
                organ="Sở Tài nguyên và Môi trường",
            ),
        ],
        code="H20.05.2019.017",
        keywords="quy hoạch sử dụng đất; huyện Cao Lãnh",
        end="2020",
    )
    meeting = target.add(
        "Hồ sơ các kỳ họp Hội đồng nhân dân tỉnh khóa IX",
        [
            Paper("Nghị quyết về dự toán ngân sách", "33/NQ-HĐND", "Nghị quyết", "10/12/2018"),
            Paper("Cong van gui cac so, nganh ve viec chuan bi ky hop", "17/HDND-VP", date="01/11/2018"),
            Paper("Biên bản kỳ họp thứ mười <script>alert(1)</script>", "", "Biên bản", "11/12/2018", pages=None),
        ],
        code="H20.02.2018.004",
        agency="H20.02",
        start="01/11/2018",
        end="31/12/2018",
        access="02",
    )
    plain = target.add(
        "Ảnh chụp lễ kỷ niệm 70 năm",
        [Paper("", files=(("ảnh 01.jpg", b"\xff\xd8\xff jpg", None), ("chi muc.html", b"<p>", HTML)))],
        code="ANH-70",
        agency="H20.07",
        plain=True,
    )
    target.feed()
    return [land, meeting, plain]
