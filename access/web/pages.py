"""The pages: search, results, dossier, document, files, preservation log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse

from access.evidence import kept_evidence
from access.search.port import MAX_WINDOW, Facet, Rights, SearchQuery, Sort
from access.services import AccessServices
from access.shelf import MAX_NUMBER, Shelf
from access.web.guard import needs_sign_in
from access.web.links import PAGE_SIZE, SearchAddress
from access.web.page import Pages

DOCUMENTS = 100
FILES = 100
BROWSED = (Facet.AGENCY, Facet.YEAR, Facet.TYPE)
Aip = Annotated[str, Path(max_length=60)]
Number = Annotated[int, Path(ge=1, le=MAX_NUMBER)]
First = Annotated[int, Query(ge=1, le=MAX_NUMBER)]


def router(services: AccessServices, pages: Pages) -> APIRouter:
    """The pages that need a session."""
    web = APIRouter(include_in_schema=False, dependencies=[Depends(needs_sign_in(services))])
    _add_search(web, services, pages)
    _add_dossiers(web, services, pages)
    _add_packages(web, services, pages)
    return web


def _add_search(web: APIRouter, services: AccessServices, pages: Pages) -> None:
    @web.get("/")
    def home(request: Request) -> HTMLResponse:
        results = services.index.search(SearchQuery(limit=1), Rights.everything())
        levels = {item.value: item.count for item in results.facets[Facet.LEVEL]}
        browse = [(facet, results.facets[facet][:12]) for facet in BROWSED if results.facets[facet]]
        return pages.render(
            request,
            "home.html",
            dossiers=levels.get("dossier", 0),
            documents=levels.get("document", 0),
            browse=browse,
            level=Facet.LEVEL,
            address=SearchAddress(),
        )

    @web.get("/search")
    def search(
        request: Request,
        q: str = "",
        sort: Sort = Sort.RELEVANCE,
        page: Annotated[int, Query(ge=1, le=MAX_WINDOW // PAGE_SIZE)] = 1,
    ) -> HTMLResponse:
        pairs = request.query_params.multi_items()[:50]
        chosen = tuple((Facet(name), value) for name, value in pairs if name in list(Facet) and value)
        address = SearchAddress(q, tuple(dict.fromkeys(chosen)), sort, page)
        results = services.index.search(address.query(), Rights.everything())
        reachable = min(results.total, MAX_WINDOW)
        return pages.render(
            request,
            "results.html",
            address=address,
            results=results,
            page_count=max(1, -(-reachable // PAGE_SIZE)),
            beyond=results.total > MAX_WINDOW,
            sorts=list(Sort),
            facets=[(facet, results.facets[facet]) for facet in Facet],
        )


def _add_dossiers(web: APIRouter, services: AccessServices, pages: Pages) -> None:
    shelf = Shelf(services.catalogue)

    @web.get("/dossiers/{aip}")
    def dossier(request: Request, aip: Aip, first: First = 1) -> HTMLResponse:
        version = shelf.held(aip)
        documents = shelf.documents(version, first, DOCUMENTS + 1)
        return pages.render(
            request,
            "dossier.html",
            version=version,
            aip=aip,
            record=shelf.dossier(version),
            documents=documents[:DOCUMENTS],
            first=first,
            following=documents[DOCUMENTS].number if len(documents) > DOCUMENTS else None,
            life=shelf.life(version, shelf.events(version)),
            counts=shelf.check_counts(version),
        )

    @web.get("/dossiers/{aip}/documents/{number}")
    def document(request: Request, aip: Aip, number: Number) -> HTMLResponse:
        version = shelf.held(aip)
        found = shelf.document(version, number)
        before = shelf.documents(version, number - 1, 1) if number > 1 else []
        after = shelf.documents(version, number + 1, 1) if number < MAX_NUMBER else []
        return pages.render(
            request,
            "document.html",
            version=version,
            aip=aip,
            dossier=shelf.dossier(version),
            record=found.record,
            members=found.members,
            before=next((one.number for one in before if one.number < number), None),
            after=next((one.number for one in after if one.number > number), None),
            life=shelf.life(version, shelf.events(version)),
        )


def _add_packages(web: APIRouter, services: AccessServices, pages: Pages) -> None:
    shelf = Shelf(services.catalogue)

    @web.get("/aips/{aip}/events")
    def events(request: Request, aip: Aip) -> HTMLResponse:
        version = shelf.held(aip)
        return pages.render(
            request, "events.html", version=version, aip=aip, events=list(reversed(shelf.events(version)))
        )

    @web.get("/aips/{aip}/files")
    def files(request: Request, aip: Aip, first: First = 1) -> HTMLResponse:
        version = shelf.held(aip)
        members = shelf.files(version, first, FILES + 1)
        return pages.render(
            request,
            "files.html",
            version=version,
            aip=aip,
            members=members[:FILES],
            first=first,
            following=members[FILES].number if len(members) > FILES else None,
        )

    @web.get("/aips/{aip}/files/{number}/signatures")
    def signatures(request: Request, aip: Aip, number: Number) -> HTMLResponse:
        version = shelf.held(aip)
        kept = kept_evidence(services, version, number)
        return pages.render(request, "signatures.html", version=version, aip=aip, kept=kept, member=kept.signed)
