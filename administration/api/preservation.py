"""``/api/preservation``: what was read when, audits, incidents, stores, backups and drills, for programs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from access.models import Model, Trouble
from access.services import AccessServices
from access.web.guard import needs_sign_in
from administration.api.backups import add_backups
from administration.api.parts import NONE, Limit, Person, SentenceModel, ours
from administration.archive import Archive
from administration.audits import coverage_days
from administration.rooms import rooms
from administration.work.asking import WorkDesk
from metadata.audits import Audit, AuditKind, AuditState
from metadata.errors import NotFound, UsageError
from metadata.identifiers import FondsCode, StoreId
from metadata.incidents import Incident, IncidentKind, IncidentState
from metadata.stores import StoreState
from metadata.text import Sentence
from preservation.coverage import picture

PATH = "/api/preservation"
Id = Annotated[str, Path(max_length=80)]
Rate = Annotated[int | None, Field(ge=1, le=10**15, description="Bytes a second; null: the store's own budget")]


class DayModel(Model):
    """How many replicas were last read whole on `day` (null: never), and their bytes."""

    day: date | None
    replicas: int
    bytes: int


class CoverageModel(Model):
    """What was read whole when. `all_read`: when what is late will have been read; null: never, at this pace."""

    replicas: int
    bytes: int
    within: Annotated[int, Field(description="Replicas read within the period")]
    within_bytes: int
    never: int
    oldest: date | None
    pace_7: Annotated[int, Field(description="Bytes a day over the last 7 days")]
    pace_30: Annotated[int, Field(description="Bytes a day over the last 30 days")]
    all_read: date | None
    kept: Annotated[bool, Field(description="Whether the policy is kept")]
    period: Annotated[int, Field(description="Days within which everything is to be read")]
    told: list[SentenceModel]
    days: list[DayModel]


class AuditModel(Model):
    """An audit. `replicas` and `bytes` are how much there was to do when it began."""

    id: str
    kind: AuditKind
    store: str
    fonds: str | None
    share: float
    state: AuditState
    standing: bool
    begun: datetime
    touched: datetime
    ended: datetime | None
    limit: int | None
    replicas: int
    bytes: int
    done: int
    done_bytes: int
    damaged: int
    unread: int
    person: str
    seconds_left: float | None
    waits: Annotated[SentenceModel | None, Field(description="Why a standing audit reads nothing now")]

    @classmethod
    def of(cls, archive: Archive, one: Audit) -> AuditModel:
        left, waits = archive.audits.time_left(one), archive.standing.waits(one) if one.endless else None
        return cls(
            id=one.id, kind=one.kind, store=one.store.value, fonds=one.fonds.value if one.fonds else None,
            share=one.share, state=one.state, standing=one.standing, begun=one.begun, touched=one.touched,
            ended=one.ended, limit=one.limit, replicas=one.replicas, bytes=one.bytes, done=one.done,
            done_bytes=one.done_bytes, damaged=one.damaged, unread=one.unread, person=one.person,
            seconds_left=left.total_seconds() if left is not None else None,
            waits=SentenceModel(vi=waits.vi, en=waits.en) if waits else None,
        )  # fmt: skip


class NewAudit(Model):
    """What to look at. `share` counts for a sample only."""

    kind: AuditKind
    store: Annotated[str, Field(max_length=100, examples=["kho-a"])]
    fonds: Annotated[str | None, Field(max_length=200)] = None
    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0
    limit: Rate = None
    person: Person = ""


class Steering(Model):
    """Who asks; `limit` counts for the act of the same name only."""

    person: Person = ""
    limit: Rate = None


class IncidentModel(Model):
    """An incident; `facts` are the damages found and what mended them."""

    id: str
    kind: IncidentKind
    subject: str
    state: IncidentState
    opened: datetime
    told: SentenceModel
    version: str | None
    store: str | None
    seen: int
    mended: datetime | None
    closed: datetime | None
    cause: str
    handling: str
    person: str
    facts: dict[str, Any]

    @classmethod
    def of(cls, one: Incident) -> IncidentModel:
        return cls(
            id=one.id, kind=one.kind, subject=one.subject, state=one.state, opened=one.opened,
            told=SentenceModel(vi=one.told.vi, en=one.told.en), version=str(one.version) if one.version else None,
            store=one.store.value if one.store else None, seen=one.seen, mended=one.mended, closed=one.closed,
            cause=one.cause, handling=one.handling, person=one.person, facts=dict(one.facts),
        )  # fmt: skip


class Closing(Model):
    """NĐ 113/2025 Điều 22: the cause and how it was handled, signed by a person."""

    cause: Annotated[str, Field(min_length=1, max_length=4000)]
    handling: Annotated[str, Field(min_length=1, max_length=4000)]
    person: Annotated[str, Field(min_length=1, max_length=200)]
    unmended: Annotated[bool, Field(description="true: close it although it is not mended")] = False


class StoreModel(Model):
    """A store of the settings; `full` since when it has no room, `damaged` open incidents of damage. `free` and
    `total` are bytes of its file system; null: it did not say (S3 never does)."""

    id: str
    kind: str
    site: str
    locked: bool
    cold: bool
    offline: bool
    state: StoreState
    full: datetime | None
    damaged: int
    free: int | None
    total: int | None
    nearly_full: Annotated[bool, Field(description="Less is left than storage.low_percent")]
    short: Annotated[bool, Field(description="Less is left than the archive got in its last 30 days")]


class FormatModel(Model):
    """Content files of one format; `puid` and `name` are empty for files that nothing was told of."""

    puid: str
    name: str
    files: int


_NOT_SIGNED_IN: dict[int | str, dict[str, Any]] = {401: {"model": Trouble, "description": "The token is missing"}}
_ODD: dict[int | str, dict[str, Any]] = {422: {"model": Trouble, "description": "What is asked for cannot be"}}


def router(services: AccessServices, archive: Archive) -> APIRouter:
    """Everything under ``/api/preservation``. All of it needs the token or a session."""
    needed = Depends(needs_sign_in(services))
    api = APIRouter(prefix=PATH, tags=["preservation"], dependencies=[needed], responses=_NOT_SIGNED_IN)
    _add_coverage(api, archive)
    _add_audits(api, archive)
    _add_incidents(api, archive)
    _add_keeping(api, archive)
    add_backups(api, archive, WorkDesk(archive.settings.work_url))
    return api


def _odd(sentence: Sentence) -> JSONResponse:
    return JSONResponse(Trouble.of("request", sentence).model_dump(), 422)


def _add_coverage(api: APIRouter, archive: Archive) -> None:
    @api.get("/coverage", summary="What was read whole when, and when all of it will have been")
    def coverage() -> CoverageModel:
        days = coverage_days(archive)
        one = picture(days, archive.clock().date(), archive.schedule)
        return CoverageModel(
            replicas=one.replicas, bytes=one.bytes, within=one.within, within_bytes=one.within_bytes, never=one.never,
            oldest=one.oldest, pace_7=one.pace_7, pace_30=one.pace_30, all_read=one.all_read, kept=one.kept,
            period=one.period, told=[SentenceModel(vi=told.vi, en=told.en) for told in one.told],
            days=[
                DayModel(day=day, replicas=count, bytes=size)
                for day, count, size in archive.catalogue.coverage_sums.by_day()
            ],
        )  # fmt: skip


def _add_audits(api: APIRouter, archive: Archive) -> None:
    @api.get("/audits", summary="The newest audits")
    def audits() -> list[AuditModel]:
        return [AuditModel.of(archive, one) for one in archive.catalogue.audits.latest()]

    @api.get("/audits/standing", summary="The audit of each store that never ends")
    def standing() -> list[AuditModel]:
        """They read what is due by the policy; `done` counts since they were begun. To be steered as the others."""
        return [AuditModel.of(archive, one) for one in archive.standing.listed()]

    @api.post("/audits", summary="Begin an audit", status_code=201, responses=_ODD, response_model=AuditModel,
              dependencies=[Depends(ours)])  # fmt: skip
    def begin(new: NewAudit) -> Response | AuditModel:
        """A worker does it."""
        try:
            fonds = FondsCode(new.fonds) if new.fonds else None
            one = archive.audits.begin(new.kind, StoreId(new.store), fonds, new.share, new.limit, new.person.strip())
        except (UsageError, NotFound) as error:
            return _odd(error.sentence)
        except ValueError:
            return _odd(Sentence("Mã nơi lưu hay mã phông không đúng dạng.", "No such code of a store or a fonds."))
        return AuditModel.of(archive, one)

    def add(act: str, told: str) -> None:
        @api.post(f"/audits/{{id}}/{act}", summary=told, responses=NONE | _ODD, response_model=AuditModel,
                  dependencies=[Depends(ours)], operation_id=f"{act}_audit")  # fmt: skip
        def steer(id: Id, asked: Steering) -> Response | AuditModel:
            service, person = archive.audits, asked.person.strip()
            acts = {"pause": service.pause, "resume": service.resume, "stop": service.stop}
            try:
                one = service.set_limit(id, asked.limit, person) if act == "limit" else acts[act](id, person)
            except UsageError as error:
                return _odd(error.sentence)
            return AuditModel.of(archive, one)

    add("pause", "Pause an audit")
    add("resume", "Go on with an audit")
    add("limit", "Limit an audit's bytes a second")
    add("stop", "End an audit here")


def _add_incidents(api: APIRouter, archive: Archive) -> None:
    @api.get("/incidents", summary="Incidents, the newest first")
    def incidents(state: IncidentState | None = None, limit: Limit = 100) -> list[IncidentModel]:
        return [IncidentModel.of(one) for one in archive.catalogue.incidents.listed(state, limit=limit)]

    @api.get("/incidents/{id}", summary="One incident", responses=NONE)
    def incident(id: Id) -> IncidentModel:
        return IncidentModel.of(archive.catalogue.incidents.get(id))

    @api.post("/incidents/{id}/close", summary="Sign an incident off", responses=NONE | _ODD,
              response_model=IncidentModel, dependencies=[Depends(ours)])  # fmt: skip
    def close(id: Id, asked: Closing) -> Response | IncidentModel:
        try:
            one = archive.incidents.close(id, asked.cause, asked.handling, asked.person, unmended=asked.unmended)
        except UsageError as error:
            return _odd(error.sentence)
        return IncidentModel.of(one)


def _add_keeping(api: APIRouter, archive: Archive) -> None:
    @api.get("/stores", summary="The stores of the settings")
    def stores() -> list[StoreModel]:
        records, rows = archive.catalogue.stores.records(), archive.catalogue.incidents
        found, left = [], rooms(archive)
        for one in archive.settings.stores:
            record, traits, room = records.get(one.id), one.traits, left[one.id]
            found.append(StoreModel(
                id=one.id.value, kind=one.kind, site=traits.site, locked=traits.locked, cold=traits.cold,
                offline=traits.offline, state=record.state if record else StoreState.ACTIVE,
                full=rows.full(one.id), damaged=rows.damaged(one.id),
                free=room.space.free if room.space else None, total=room.space.total if room.space else None,
                nearly_full=room.nearly_full, short=room.short,
            ))  # fmt: skip
        return found

    @api.get("/formats", summary="The formats of the content files that are held, the most frequent first")
    def formats() -> list[FormatModel]:
        found = archive.catalogue.held_sums.formats()
        return [FormatModel(puid=one.puid, name=one.name, files=one.files) for one in found]
