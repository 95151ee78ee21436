"""The officer's pages that show: overview, audits, incidents, one AIP's life, stores, backups, forms, formats."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from access.services import AccessServices
from access.shelf import Shelf
from access.web.guard import needs_sign_in
from access.web.page import Pages, language_of
from access.web.show import Show
from access.web.words import Language, all_words
from administration.archive import Archive
from administration.flows import is_asked
from administration.forms.words import word as form_word
from administration.pages.charts import columns, legend
from administration.pages.preservation import pictures
from administration.pages.preservation.health import health
from administration.rooms import rooms
from administration.work.asking import WorkDesk
from administration.work.plan import JobState, JobStatus
from metadata.audits import AuditKind, AuditState
from metadata.dates import VIETNAM
from metadata.events import Event
from metadata.findings import visible
from metadata.incidents import Incident, IncidentState
from metadata.journal import EntryKind
from metadata.stores import StoreState
from metadata.text import Sentence

PATH = "/preservation"
LISTED = 100
_NOTHING = dict.fromkeys(("kind", "store", "fonds", "share", "limit", "person", "name", "first", "last", "of"), "")
Id = Annotated[str, Path(max_length=80)]
Aip = Annotated[str, Path(max_length=60)]


def router(services: AccessServices, pages: Pages, archive: Archive, desk: WorkDesk) -> APIRouter:
    """Everything under ``/preservation`` that only shows. All of it needs a session."""
    web = APIRouter(prefix=PATH, include_in_schema=False, dependencies=[Depends(needs_sign_in(services))])
    _add_overview(web, pages, archive)
    _add_incidents(web, pages, archive, desk)
    _add_holdings(web, pages, archive, Shelf(services.catalogue))
    _add_keeping(web, pages, archive, desk)
    return web


def _add_overview(web: APIRouter, pages: Pages, archive: Archive) -> None:
    @web.get("")
    def overview(request: Request) -> Response:
        rows = archive.catalogue.incidents
        waiting = [*rows.listed(IncidentState.OPEN, limit=8), *rows.listed(IncidentState.MENDED, limit=8)]
        say, show = partial(pages.word, request), Show(language_of(request))
        days = archive.catalogue.coverage_sums.by_day()
        return pages.render(
            request, "overview.html", health=health(archive), incidents=waiting[:8], legend=legend,
            drawn=pictures.coverage(archive, say, show, days), audits=archive.audits.running()[:8],
            left=archive.audits.time_left, stores=_stores(archive),
        )  # fmt: skip

    @web.get("/audits")
    def audits(request: Request) -> Response:
        return audits_page(pages, request, archive)


def audits_page(
    pages: Pages,
    request: Request,
    archive: Archive,
    status: int = 200,
    trouble: Sentence | None = None,
    asked: Mapping[str, str] | None = None,
) -> Response:
    """Audits that run and that are over, and the form to begin one, with what was ``asked`` when it is refused."""

    def megabytes(size: int) -> str:
        text = f"{size / 1e6:.6f}".rstrip("0").rstrip(".")  # exact: to set it again changes nothing
        return text.replace(".", ",") if language_of(request) is Language.VI else text

    current = archive.audits.running()
    over = [one for one in archive.catalogue.audits.latest() if one.state in (AuditState.DONE, AuditState.STOPPED)]
    return pages.render(
        request, "audits.html", status, current=current, over=over, left=archive.audits.time_left, trouble=trouble,
        standing=_standing(archive), asked=asked or _NOTHING | {"kind": AuditKind.DEEP.value}, megabytes=megabytes,
        kinds=list(AuditKind), stores=[one.id.value for one in archive.settings.stores],
    )  # fmt: skip


def _standing(archive: Archive) -> list[dict[str, object]]:
    """The audit of each store that never ends, with what is read within its period."""
    rows, today, schedule = [], archive.clock().date(), archive.schedule
    for one in archive.standing.listed():
        days = max(1, schedule.stores.get(one.store, schedule.period).days)
        held = {read.name: read for read in archive.catalogue.coverage_sums.by_store(today - timedelta(days=days))}
        read = held.get(one.store.value)
        rows.append(
            {
                "audit": one, "days": days, "waits": archive.standing.waits(one),
                "replicas": read.replicas if read else 0, "within": read.within if read else 0,
            }
        )  # fmt: skip
    return rows


def _add_incidents(web: APIRouter, pages: Pages, archive: Archive, desk: WorkDesk) -> None:
    @web.get("/incidents")
    def incidents(
        request: Request,
        before: Annotated[str | None, Query(max_length=80)] = None,
        state: Annotated[str, Query(max_length=20)] = "",
    ) -> Response:
        rows, chosen = archive.catalogue.incidents, IncidentState(state) if state in list(IncidentState) else None
        listed = rows.listed(chosen, limit=LISTED + 1, before=before)
        return pages.render(
            request, "incidents.html", incidents=listed[:LISTED], counts=rows.counts(), chosen=chosen,
            following=listed[LISTED - 1].id if len(listed) > LISTED else None,
        )  # fmt: skip

    @web.get("/incidents/{id}")
    def incident(request: Request, id: Id, job: Annotated[str, Query(max_length=120)] = "") -> Response:
        one = archive.catalogue.incidents.get(id)
        known = desk.status(job) if job and job.startswith(f"repair-{one.version}-") else None
        return incident_page(pages, request, archive, one, job=known)


def incident_page(
    pages: Pages,
    request: Request,
    archive: Archive,
    one: Incident,
    status: int = 200,
    trouble: Sentence | None = None,
    job: JobStatus | None = None,
    asked: dict[str, str] | None = None,
) -> Response:
    """One incident: what happened, where, what can be done, and the form by which a person signs it off."""
    holdings = archive.catalogue.holdings
    version = holdings.version(one.version) if one.version else None
    return pages.render(
        request, "incident.html", status, one=one, version=version, trouble=trouble, job=job,
        replicas=holdings.replicas(one.version) if one.version else [],
        damages=_damages(one), working=job is not None and job.state in (JobState.WAITING, JobState.RUNNING),
        waiting=job is not None and job.state is JobState.WAITING,
        asked=asked or {"cause": "", "handling": "", "person": ""},
    )  # fmt: skip


def _damages(one: Incident) -> list[dict[str, str | Sentence]]:
    """What was found member by member, as text: facts come from a journal that a store may have had in its hands."""
    listed = one.facts.get("damages")
    found = [damage for damage in listed if isinstance(damage, dict)] if isinstance(listed, list) else []
    names = "place", "expected", "found"
    return [
        {name: str(damage.get(name, "")) for name in names} | {"told": form_word("damage", str(damage.get("kind", "")))}
        for damage in found[:200]
    ]


def _add_holdings(web: APIRouter, pages: Pages, archive: Archive, shelf: Shelf) -> None:
    @web.get("/aips/{aip}")
    def life(request: Request, aip: Aip) -> Response:
        version = shelf.held(aip)
        events, show = shelf.events(version), Show(language_of(request))

        def tell(one: Event) -> str:
            what, came_to = pages.word(request, f"event.{one.type.value}"), visible(show.outcome(one.outcome).word)
            return f"{show.day(one.at)} {show.time(one.at)} · {what} · {came_to}"

        drawn = pictures.life(
            pages.word(request, "aip.picture"), pages.word(request, "aip.about"), pages.word(request, "aip.whole"),
            events, tell,
        )  # fmt: skip
        return pages.render(
            request, "aip.html", version=version, aip=aip, drawn=drawn, events=list(reversed(events))[:500],
            replicas=shelf.replicas(version), legend=legend, count=show.number(len(events)),
            incidents=archive.catalogue.incidents.listed(version=version.id, limit=20),
        )  # fmt: skip

    @web.get("/formats")
    def formats(request: Request) -> Response:
        found, show = archive.catalogue.held_sums.formats(), Show(language_of(request))
        total = sum(one.files for one in found)

        def share(files: int) -> str:
            text = f"{100 * files / total:.1f} %" if total and files * 1000 >= total else "< 0.1 %"
            return text.replace(".", ",") if language_of(request) is Language.VI else text

        names = {one.puid: one.name or one.puid or pages.word(request, "formats.none") for one in found}
        drawn = columns(
            pages.word(request, "formats.picture"), pages.word(request, "formats.about"),
            [(names[one.puid], float(one.files), f"{show.number(one.files)}") for one in found[:15]],
        )  # fmt: skip
        return pages.render(
            request,
            "formats_held.html",
            formats=found[:300],
            drawn=drawn,
            total=total,
            names=names,
            share=share,
        )


def _add_keeping(web: APIRouter, pages: Pages, archive: Archive, desk: WorkDesk) -> None:
    @web.get("/stores")
    def stores(request: Request) -> Response:
        entries = archive.catalogue.journal.entries(EntryKind.STORE, limit=50)
        known = all_words("administration.pages.preservation")

        def told(act: str) -> str:
            return pages.word(request, f"storeact.{act}") if f"storeact.{act}" in known else act

        return pages.render(request, "stores.html", stores=_stores(archive), entries=entries, told=told)

    @web.get("/backups")
    def backups(request: Request, job: Annotated[str, Query(max_length=120)] = "") -> Response:
        return backups_page(pages, request, archive, desk, job)

    @web.get("/forms")
    def forms(request: Request) -> Response:
        return forms_page(pages, request, archive)


def backups_page(
    pages: Pages, request: Request, archive: Archive, desk: WorkDesk, job: str = "", status: int = 200,
    trouble: Sentence | None = None,
) -> Response:  # fmt: skip
    """Backups and drills, what becomes of those that people asked for, and the forms to ask for them."""
    asked = {name: [one for one in desk.unfinished(name) if is_asked(one.id)] for name in ("backup", "drill")}
    over = desk.status(job) if is_asked(job) else None
    if over is not None and over.over:
        asked[over.workflow].append(over)
    # While one is on its way the page comes anew by itself, and would empty a form that is being filled in.
    working = any(not one.over for jobs in asked.values() for one in jobs)
    return pages.render(
        request, "backups.html", status, backups=archive.backups.listed(50), drills=archive.drills.listed(50),
        asked=asked, working=working, trouble=trouble,
    )  # fmt: skip


def forms_page(
    pages: Pages,
    request: Request,
    archive: Archive,
    status: int = 200,
    trouble: Sentence | None = None,
    asked: Mapping[str, str] | None = None,
) -> Response:
    """The forms that can be drawn up, with what was ``asked`` of one when that is refused."""
    today = archive.clock().astimezone(VIETNAM).date()
    return pages.render(
        request, "forms.html", status, today=today, first=today.replace(month=1, day=1), trouble=trouble,
        asked=asked or _NOTHING, nothing=_NOTHING,
        backups=archive.backups.listed(20), incidents=archive.catalogue.incidents.listed(limit=20),
    )  # fmt: skip


def _stores(archive: Archive) -> list[dict[str, object]]:
    """Each store as the settings name it, with what is known of it."""
    records = archive.catalogue.stores.records()
    first = archive.clock().date()
    held = {one.name: one for one in archive.catalogue.coverage_sums.by_store(first)}
    audits = {one.store: one for one in sorted(archive.catalogue.audits.latest(), key=lambda one: one.touched)}
    rows, left = [], rooms(archive)
    for one in archive.settings.stores:
        record, lies = records.get(one.id), held.get(one.id.value)
        rows.append(
            {
                "id": one.id.value, "kind": one.kind, "traits": one.traits,
                "state": record.state if record else StoreState.ACTIVE, "probe": record.probe if record else None,
                "replicas": lies.replicas if lies else 0, "bytes": lies.bytes if lies else 0,
                "full": archive.catalogue.incidents.full(one.id), "audit": audits.get(one.id),
                "damaged": archive.catalogue.incidents.damaged(one.id), "room": left[one.id],
            }
        )  # fmt: skip
    return rows
