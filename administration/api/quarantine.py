"""``/api/quarantine``: packages in which a virus was found, and what people decide about them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from access.models import Model, Trouble
from access.services import AccessServices
from access.web.guard import FormRefusedError, needs_sign_in, same_origin
from administration.api.checks import FindingModel
from administration.archive import Archive
from ingest.quarantine import QUARANTINE_CODES
from ingest.receipt import Receipt
from metadata.catalogue.quarantine import Decision, QuarantinedPackage, QuarantineState, Vote
from metadata.errors import AlreadyExists, UsageError

PATH = "/api/quarantine"
Id = Annotated[str, Path(max_length=60, examples=["q-9f86d081884c7d659a2f"])]


class VoteModel(Model):
    """One person's word. Names are as typed: there are no accounts yet."""

    person: Annotated[str, Field(examples=["Nguyễn Văn A"])]
    decision: Decision
    reason: Annotated[str, Field(examples=["Tệp mẫu thử, không phải vi-rút"])]
    at: datetime

    @classmethod
    def of(cls, vote: Vote) -> VoteModel:
        return cls(person=vote.person, decision=vote.decision, reason=vote.reason, at=vote.at)


class QuarantinedModel(Model):
    """A package in quarantine; `votes` are those of this round, `aip` is what became of a released one."""

    id: Annotated[str, Field(examples=["q-9f86d081884c7d659a2f"])]
    state: QuarantineState
    agency: Annotated[str, Field(examples=["H20.01"])]
    objid: Annotated[str, Field(examples=["uuid-7D1F1B3E-2F6A-5C1E-9D77-0D3C1A525A3B"])]
    title: Annotated[str, Field(examples=["Hồ sơ về việc nộp lưu"])]
    name: Annotated[str, Field(description="The file or folder that was sent", examples=["uuid-7d1f1b3e.zip"])]
    content: Annotated[str, Field(description="SHA-256 of what was sent, as in a receipt", examples=["9f86d081…"])]
    since: datetime
    scanner: Annotated[str, Field(examples=["ClamAV 1.4.6, database 27483 of Wed Nov 25 09:36:32 2026"])]
    ended: datetime | None
    aip: Annotated[str | None, Field(examples=["5f0c8f5e-2f6a-5c1e-9d77-0d3c1a525a3b"])]
    findings: Annotated[list[FindingModel], Field(description="Of the scanner, the first 1,000 of a kind")]
    votes: list[VoteModel]

    @classmethod
    def of(cls, one: QuarantinedPackage) -> QuarantinedModel:
        found = [each for each in Receipt.from_json(one.receipt).findings if each.code in QUARANTINE_CODES]
        return cls(
            id=one.id, state=one.state, agency=one.agency.value, objid=one.objid.value, title=one.title, name=one.name,
            content=one.content.hex(), since=one.since, scanner=one.scanner, ended=one.ended, aip=one.aip or None,
            findings=[FindingModel.model_validate(each.fields()) for each in found],
            votes=[VoteModel.of(vote) for vote in one.votes],
        )  # fmt: skip


class Ballot(Model):
    """What a person decides, and why."""

    person: Annotated[str, Field(min_length=1, max_length=200, examples=["Trần Thị B"])]
    decision: Literal["release", "discard"]
    reason: Annotated[str, Field(min_length=1, max_length=2000, examples=["Đã xem, đồng ý"])]


_NOT_SIGNED_IN: dict[int | str, dict[str, Any]] = {401: {"model": Trouble, "description": "The token is missing"}}
_NONE: dict[int | str, dict[str, Any]] = {404: {"model": Trouble, "description": "No such package in quarantine"}}
_VOTED: dict[int | str, dict[str, Any]] = _NONE | {
    409: {"model": Trouble, "description": "This person has decided already, or it is decided"},
    422: {"model": Trouble, "description": "No name, no reason, or no such decision"},
}


def router(services: AccessServices, archive: Archive) -> APIRouter:
    """Everything under ``/api/quarantine``. All of it needs the token or a session."""
    needed = Depends(needs_sign_in(services))
    api = APIRouter(prefix=PATH, tags=["quarantine"], dependencies=[needed], responses=_NOT_SIGNED_IN)

    @api.get("", summary="Packages in quarantine")
    def packages(
        over: Annotated[bool, Query(description="true: those that were released or discarded")] = False,
    ) -> list[QuarantinedModel]:
        return [QuarantinedModel.of(one) for one in archive.catalogue.quarantine.packages(over=over)]

    @api.get("/{id}", summary="One package in quarantine", responses=_NONE)
    def package(id: Id) -> QuarantinedModel:
        return QuarantinedModel.of(archive.catalogue.quarantine.get(id))

    @api.post("/{id}/votes", summary="Decide on a package", responses=_VOTED, response_model=QuarantinedModel)
    def vote(request: Request, id: Id, ballot: Ballot) -> Response | QuarantinedModel:
        """Two different people must decide the same; then it is done by the worker within a minute or two."""
        if not same_origin(request):
            raise FormRefusedError
        try:
            return QuarantinedModel.of(
                archive.decisions.vote(id, ballot.person, Decision(ballot.decision), ballot.reason)
            )
        except AlreadyExists as error:
            return JSONResponse(Trouble.of("already-decided", error.sentence).model_dump(), 409)
        except UsageError as error:
            return JSONResponse(Trouble.of("request", error.sentence).model_dump(), 422)

    return api
