"""What the API answers, as pydantic models with examples: OpenAPI is made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from access.file_models import FileModel, Sha256
from access.file_models import Model as Model
from access.search.port import FacetCount, Hit, Marked, SearchQuery, SearchResults
from access.shelf import Life
from metadata.catalogue import Document
from metadata.dates import RecordDate
from metadata.events import Event
from metadata.holdings import AipVersion, Record, Replica
from metadata.text import Sentence

_AIP = "5f0c8f5e-2f6a-5c1e-9d77-0d3c1a525a3b"
AipName = Annotated[str, Field(description="AIP id (UUID)", examples=[_AIP])]


class Trouble(Model):
    """Why a request was not answered: a code that does not change, and what to do, in both languages."""

    code: Annotated[str, Field(examples=["not-found"])]
    vi: Annotated[str, Field(examples=["Không tìm thấy trang, hồ sơ hay tệp này trong kho."])]
    en: Annotated[str, Field(examples=["No such page, dossier or file was found in the archive."])]

    @classmethod
    def of(cls, code: str, sentence: Sentence) -> Self:
        return cls(code=code, vi=sentence.vi, en=sentence.en)


class DateModel(Model):
    """A date of a record: as received, and as ISO 8601 with the precision it has (null when it could not be read)."""

    text: Annotated[str, Field(examples=["12/03/2019"])]
    iso: Annotated[str | None, Field(examples=["2019-03-12"])]

    @classmethod
    def of(cls, date: RecordDate) -> Self:
        return cls(text=date.text, iso=date.iso)


class MarkedModel(Model):
    """Text as received, the half-open ranges of code points that matched, and the same as escaped HTML."""

    text: Annotated[str, Field(examples=["Công văn về việc nộp lưu hồ sơ"])]
    marks: Annotated[list[tuple[int, int]], Field(examples=[[[0, 8]]])]
    html: Annotated[str, Field(examples=["<mark>Công văn</mark> về việc nộp lưu hồ sơ"])]

    @classmethod
    def of(cls, marked: Marked) -> Self:
        return cls(text=marked.text, marks=list(marked.marks), html=marked.html)


class SnippetModel(Model):
    """The passage that matched, and the field it stands in."""

    field: Annotated[str, Field(examples=["keyword"])]
    passage: MarkedModel


class HitModel(Model):
    """A dossier (``number`` 0) or a document of one."""

    aip: AipName
    version: Annotated[int, Field(examples=[1])]
    number: Annotated[int, Field(examples=[3])]
    level: Annotated[Literal["dossier", "document"], Field(examples=["document"])]
    title: MarkedModel
    notation: MarkedModel
    code: Annotated[str, Field(examples=["000.00.05.H20.2019.01.0000003"])]
    organ: Annotated[str, Field(examples=["Ủy ban nhân dân tỉnh Đồng Tháp"])]
    type: Annotated[str, Field(examples=["Công văn"])]
    access: Annotated[str, Field(examples=["01"])]
    agency: Annotated[str, Field(examples=["H20.05"])]
    fonds: Annotated[str, Field(examples=["SNV"])]
    start: DateModel
    end: DateModel
    formats: Annotated[list[str], Field(examples=[["Acrobat PDF/A 1b"]])]
    dossier_title: Annotated[str, Field(examples=["Hồ sơ nộp lưu năm 2019"])]
    dossier_code: Annotated[str, Field(examples=["H20.05.2019.01"])]
    snippet: SnippetModel | None
    url: Annotated[str, Field(examples=[f"/api/dossiers/{_AIP}/documents/3"])]

    @classmethod
    def of(cls, hit: Hit) -> Self:
        entry = hit.entry
        url = f"/api/dossiers/{entry.version.aip}" + (f"/documents/{entry.number}" if entry.number else "")
        return cls(
            aip=str(entry.version.aip),
            version=entry.version.number,
            number=entry.number,
            level=entry.level.value,
            title=MarkedModel.of(hit.title),
            notation=MarkedModel.of(hit.notation),
            code=entry.code,
            organ=entry.organ,
            type=entry.type_name,
            access=entry.access,
            agency=entry.agency,
            fonds=entry.fonds,
            start=DateModel.of(entry.start),
            end=DateModel.of(entry.end),
            formats=list(entry.formats),
            dossier_title=entry.dossier_title,
            dossier_code=entry.dossier_code,
            snippet=SnippetModel(field=hit.snippet_field, passage=MarkedModel.of(hit.snippet)) if hit.snippet else None,
            url=url,
        )


class FacetModel(Model):
    value: Annotated[str, Field(examples=["2019"])]
    count: Annotated[int, Field(examples=[12])]

    @classmethod
    def of(cls, facet: FacetCount) -> Self:
        return cls(value=facet.value, count=facet.count)


class SearchModel(Model):
    """One page of results; ``facets`` count over all of them. ``shortened``: only the first words were used."""

    total: Annotated[int, Field(examples=[42])]
    offset: Annotated[int, Field(examples=[0])]
    limit: Annotated[int, Field(examples=[20])]
    shortened: bool
    hits: list[HitModel]
    facets: dict[str, list[FacetModel]]

    @classmethod
    def of(cls, query: SearchQuery, results: SearchResults) -> Self:
        return cls(
            total=results.total,
            offset=query.offset,
            limit=query.limit,
            shortened=results.shortened,
            hits=[HitModel.of(hit) for hit in results.hits],
            facets={facet.value: [FacetModel.of(one) for one in counts] for facet, counts in results.facets.items()},
        )


class RecordModel(Model):
    """A dossier or document. ``fields`` are all fields as received, under their own names, in their order."""

    number: Annotated[int, Field(examples=[0])]
    level: Literal["dossier", "document"]
    code: str
    title: Annotated[str, Field(examples=["Hồ sơ về việc điều chỉnh quy hoạch sử dụng đất"])]
    type: str
    notation: Annotated[str, Field(examples=["2402/2019/QĐ-UBND"])]
    organ: str
    language: Annotated[str, Field(examples=["Tiếng Việt"])]
    access: str
    start: DateModel
    end: DateModel
    pages: Annotated[int | None, Field(examples=[36])]
    keywords: str
    fields: Annotated[dict[str, str], Field(examples=[{"title": "Hồ sơ…", "maintenance": "01"}])]

    @classmethod
    def of(cls, record: Record) -> Self:
        return cls(
            number=record.number,
            level=record.level.value,
            code=record.code,
            title=record.title,
            type=record.type_name,
            notation=record.notation,
            organ=record.organ,
            language=record.language,
            access=record.access,
            start=DateModel.of(record.start),
            end=DateModel.of(record.end),
            pages=record.pages,
            keywords=record.keywords,
            fields=dict(record.fields),
        )


class AipModel(Model):
    """One version of an AIP."""

    aip: AipName
    version: Annotated[int, Field(examples=[1])]
    package_type: Annotated[str, Field(examples=["AIP_hoso"])]
    archive: str
    agency: Annotated[str, Field(examples=["H20.05"])]
    fonds: str
    objid: Annotated[str, Field(examples=["urn:uuid:2f6a4c1e-…"])]
    code: str
    title: str
    key: Annotated[str, Field(description="Object key in every store")]
    content_sha256: Sha256
    size: Annotated[int, Field(description="Bytes of the object", examples=[1_048_576])]
    file_count: int
    payload_bytes: int
    created: datetime

    @classmethod
    def of(cls, version: AipVersion) -> Self:
        return cls(
            aip=str(version.aip),
            version=version.id.number,
            package_type=version.package_type.value,
            archive=version.archive.value,
            agency=version.agency.value,
            fonds=version.fonds.value,
            objid=version.objid.value,
            code=version.code.value,
            title=version.title,
            key=version.key,
            content_sha256=version.content.hex(),
            size=version.size,
            file_count=version.file_count,
            payload_bytes=version.payload_bytes,
            created=version.created,
        )


class ReplicaModel(Model):
    """One copy: where, and what the last look found (MATCH, MISMATCH, MISSING, UNREADABLE, NOT_CHECKED)."""

    store: Annotated[str, Field(examples=["kho-a"])]
    outcome: Annotated[str, Field(examples=["MATCH"])]
    checked: datetime | None
    due: datetime

    @classmethod
    def of(cls, replica: Replica) -> Self:
        return cls(store=replica.store.value, outcome=replica.outcome.value, checked=replica.checked, due=replica.due)


class LifeModel(Model):
    """Received, checked, stored, last read whole, next reading."""

    received: datetime
    checked: datetime | None
    read: datetime | None
    next: datetime | None
    replicas: list[ReplicaModel]

    @classmethod
    def of(cls, life: Life) -> Self:
        replicas = [ReplicaModel.of(replica) for replica in life.replicas]
        return cls(received=life.received, checked=life.checked, read=life.read, next=life.next, replicas=replicas)


class AipLifeModel(Model):
    aip: AipModel
    life: LifeModel


class FilesModel(Model):
    """A page of files; ``next`` is the number to go on from, null at the end."""

    files: list[FileModel]
    next: Annotated[int | None, Field(examples=[101])]


class DossierModel(Model):
    """A dossier, its package, and the first of its documents; ``next`` is the number to go on from."""

    record: RecordModel
    aip: AipModel
    life: LifeModel
    documents: list[RecordModel]
    next: int | None


class DossiersModel(Model):
    """A page of dossiers, the newest first; ``next`` is the value of ``after`` for the page that follows."""

    dossiers: list[AipModel]
    next: Annotated[str | None, Field(examples=[f"{_AIP}-v1"])]


class DocumentModel(Model):
    record: RecordModel
    files: list[FileModel]

    @classmethod
    def of(cls, document: Document) -> Self:
        files = [FileModel.of(member) for member in document.members]
        return cls(record=RecordModel.of(document.record), files=files)


class EventModel(Model):
    """A PREMIS event."""

    id: str
    type: Annotated[str, Field(examples=["fixity check"])]
    at: datetime
    detail: str
    outcome: Annotated[str, Field(examples=["success"])]
    note: str
    agent_id: str
    agent_name: str
    store: Annotated[str | None, Field(examples=["kho-a"])]
    links: Annotated[
        list[tuple[str, str]],
        Field(description="What else it is about: pairs of type (File, member) and identifier or path", examples=[[]]),
    ]

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls(
            id=str(event.id),
            type=event.type.value,
            at=event.at,
            detail=event.detail,
            outcome=event.outcome,
            note=event.note,
            agent_id=event.agent.identifier,
            agent_name=event.agent.name,
            store=event.store.value if event.store else None,
            links=list(event.links),
        )


class EventsModel(Model):
    """All events of one AIP version, oldest first."""

    events: list[EventModel]
