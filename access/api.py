"""The API: search, dossiers, documents, packages, events, files. Errors are ``{code, vi, en}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from access.content import OutsideFileError, Span, disposition, etag, media_type, read_range, verified_bytes
from access.evidence import kept_evidence
from access.file_models import FileModel, SignaturesModel
from access.models import (
    AipLifeModel,
    AipModel,
    DocumentModel,
    DossierModel,
    DossiersModel,
    EventModel,
    EventsModel,
    FilesModel,
    LifeModel,
    RecordModel,
    SearchModel,
    Trouble,
)
from access.problems import problems
from access.search.port import MAX_PAGE, MAX_WINDOW, Facet, Rights, SearchQuery, Sort
from access.services import AccessServices
from access.shelf import MAX_NUMBER, Shelf
from access.web.guard import needs_sign_in

_TROUBLES: dict[int | str, dict[str, Any]] = {
    401: {"model": Trouble, "description": "The token is missing or wrong"},
    404: {"model": Trouble, "description": "Not held"},
    422: {"model": Trouble, "description": "A parameter is not valid"},
    503: {"model": Trouble, "description": "A store or the catalogue does not answer; try again"},
}
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The file, digested on the way out"},
    206: {"content": {"application/octet-stream": {}}, "description": "One range of the file"},
    304: {"description": "The digest is the one in If-None-Match"},
    416: {"model": Trouble, "description": "The range lies outside the file"},
}
CONTENT_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-cache",
}
Aip = Annotated[str, Path(description="AIP id for its latest version, or <AIP id>-v<number>", max_length=60)]
Number = Annotated[int, Path(ge=1, le=MAX_NUMBER)]
First = Annotated[int, Query(ge=1, le=MAX_NUMBER, description="Number to begin with")]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
Values = Annotated[list[str], Query(max_length=50)]


def router(services: AccessServices) -> APIRouter:
    """Everything under ``/api``. All of it needs the token or a session."""
    api = APIRouter(
        prefix="/api", tags=["access"], dependencies=[Depends(needs_sign_in(services))], responses=_TROUBLES
    )
    _add_search(api, services)
    _add_dossiers(api, services)
    _add_packages(api, services)
    _add_content(api, services)

    @api.get("/openapi.json", include_in_schema=False)
    def openapi(request: Request) -> JSONResponse:
        return JSONResponse(request.app.openapi())

    return api


def _add_search(api: APIRouter, services: AccessServices) -> None:
    @api.get("/search", summary="Search dossiers and documents")
    def search(
        q: Annotated[
            str, Query(description="Words; a phrase in quotes; empty for everything", examples=["cong van"])
        ] = "",
        level: Values = [],  # noqa: B006 - FastAPI copies defaults
        agency: Values = [],  # noqa: B006
        fonds: Values = [],  # noqa: B006
        year: Values = [],  # noqa: B006
        type: Values = [],  # noqa: B006
        access: Values = [],  # noqa: B006
        format: Values = [],  # noqa: B006
        sort: Sort = Sort.RELEVANCE,
        offset: Annotated[int, Query(ge=0, le=MAX_WINDOW - MAX_PAGE)] = 0,
        limit: Limit = 20,
    ) -> SearchModel:
        chosen = {
            Facet.LEVEL: level,
            Facet.AGENCY: agency,
            Facet.FONDS: fonds,
            Facet.YEAR: year,
            Facet.TYPE: type,
            Facet.ACCESS: access,
            Facet.FORMAT: format,
        }
        filters = {facet: tuple(values) for facet, values in chosen.items() if values}
        query = SearchQuery(q, filters, sort, offset, limit)
        return SearchModel.of(query, services.index.search(query, Rights.everything()))


def _add_dossiers(api: APIRouter, services: AccessServices) -> None:
    shelf = Shelf(services.catalogue)

    @api.get("/dossiers", summary="All dossiers, newest first")
    def dossiers(after: Annotated[str, Query(max_length=60)] = "", limit: Limit = 50) -> DossiersModel:
        page = shelf.versions(limit, shelf.held(after) if after else None)
        return DossiersModel(
            dossiers=[AipModel.of(version) for version in page], next=str(page[-1].id) if len(page) == limit else None
        )

    @api.get("/dossiers/{aip}", summary="A dossier and its documents")
    def dossier(aip: Aip, first: First = 1, limit: Limit = 100) -> DossierModel:
        version = shelf.held(aip)
        documents = shelf.documents(version, first, limit)
        return DossierModel(
            record=RecordModel.of(shelf.dossier(version)),
            aip=AipModel.of(version),
            life=LifeModel.of(shelf.life(version, shelf.events(version))),
            documents=[RecordModel.of(record) for record in documents],
            next=documents[-1].number + 1 if len(documents) == limit else None,
        )

    @api.get("/dossiers/{aip}/documents/{number}", summary="A document and its files")
    def document(aip: Aip, number: Number) -> DocumentModel:
        return DocumentModel.of(shelf.document(shelf.held(aip), number))


def _add_packages(api: APIRouter, services: AccessServices) -> None:
    shelf = Shelf(services.catalogue)

    @api.get("/aips/{aip}", summary="A package and its life")
    def package(aip: Aip) -> AipLifeModel:
        version = shelf.held(aip)
        return AipLifeModel(aip=AipModel.of(version), life=LifeModel.of(shelf.life(version, shelf.events(version))))

    @api.get("/aips/{aip}/events", summary="Its PREMIS events, oldest first")
    def events(aip: Aip) -> EventsModel:
        return EventsModel(events=[EventModel.of(event) for event in shelf.events(shelf.held(aip))])

    @api.get("/aips/{aip}/files", summary="Its member files, in the order in which they lie")
    def files(aip: Aip, first: First = 1, limit: Limit = 100) -> FilesModel:
        page = shelf.files(shelf.held(aip), first, limit)
        return FilesModel(
            files=[FileModel.of(member) for member in page], next=page[-1].number + 1 if len(page) == limit else None
        )

    @api.get("/aips/{aip}/files/{number}/signatures", summary="What was found of a file's digital signatures at ingest")
    def signatures(aip: Aip, number: Number) -> SignaturesModel:
        return SignaturesModel.of(kept_evidence(services, shelf.held(aip), number))


def _add_content(api: APIRouter, services: AccessServices) -> None:
    shelf = Shelf(services.catalogue)

    place = "/aips/{aip}/content/{path:path}"
    summary = "The bytes of a member file, or one range of them"

    @api.head(place, include_in_schema=False)
    @api.get(place, summary=summary, response_class=Response, responses=_CONTENT)
    def content(
        request: Request,
        aip: Aip,
        path: Annotated[str, Path(description="Path of the member, relative to the bag root")],
        range_: Annotated[str, Header(alias="Range", examples=["bytes=0-1023"])] = "",
        if_none_match: Annotated[str, Header()] = "",
        if_range: Annotated[str, Header()] = "",
    ) -> Response:
        version = shelf.held(aip)
        member = shelf.file(version, path)
        tag = etag(member)
        headers = {**CONTENT_HEADERS, "ETag": tag, "Content-Disposition": disposition(member.path)}
        if tag in (one.strip().removeprefix("W/") for one in if_none_match.split(",")):
            return Response(status_code=304, headers=headers)
        kind = media_type(member)
        if request.method == "HEAD":
            return Response(headers={**headers, "Content-Length": str(member.size)}, media_type=kind)
        try:
            span = read_range(range_, member.size) if not if_range or if_range.strip() == tag else None
        except OutsideFileError:
            problem = problems()["range"]
            told = Trouble.of(problem.code, problem.sentence).model_dump()
            return JSONResponse(told, problem.status, headers={"Content-Range": f"bytes */{member.size}"})
        sent = span or Span(0, member.size)
        pieces = verified_bytes(services, version, member, sent)
        headers["Content-Length"] = str(sent.length)
        if span is not None:
            headers["Content-Range"] = f"bytes {span.start}-{span.start + span.length - 1}/{member.size}"
        return StreamingResponse(pieces, 206 if span else 200, headers=headers, media_type=kind)
