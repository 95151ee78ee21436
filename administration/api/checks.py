"""``/api/checks``: hand in a package, get its report. Nothing is kept unless asked for, and then not for long."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from access.content import disposition
from access.models import Model, Trouble
from access.services import AccessServices
from access.web.guard import FormRefusedError, needs_sign_in, same_origin
from administration.api.upload import OVERHEAD, PACKAGE, received
from administration.checks import CheckDesk
from administration.desk import DeskProgress, DeskState
from ingest.reports import ReportFormat
from metadata.package_kinds import PackageProfile

PATH = "/api/checks"
CheckId = Annotated[str, Path(max_length=60, description="What `POST /api/checks?wait=false` answered")]


class FindingModel(Model):
    """One thing found: what to do about it, in both languages."""

    code: Annotated[str, Field(examples=["PASS-CHECKSUM"])]
    severity: Literal["error", "warning", "note"]
    place: Annotated[str, Field(description="Path as received", examples=["representations/rep1/data/01.pdf"])]
    rule: Annotated[str, Field(examples=["TT 05 Phụ lục III"])]
    vi: Annotated[str, Field(examples=["Tệp 01.pdf không khớp mã băm. Hãy lấy lại tệp gốc rồi gửi lại."])]
    en: Annotated[str, Field(examples=["File 01.pdf does not match its digest. Take the original file again."])]


class CheckedFileModel(Model):
    """One file of the package; ``size`` null when it is not there, ``worst`` null when nothing was found about it."""

    path: Annotated[str, Field(examples=["representations/rep1/data/01.pdf"])]
    size: Annotated[int | None, Field(examples=[182334])]
    worst: Literal["error", "warning", "note"] | None


class CheckReportModel(Model):
    """The report of a check, format ``tangthu-check/1``."""

    format: Literal["tangthu-check/1"]
    name: Annotated[str, Field(examples=["uuid-7d1f1b3e.zip"])]
    profile: Annotated[str, Field(description="What it was judged by; empty when unknown", examples=["tt05-sip-hoso"])]
    objid: Annotated[str, Field(examples=["uuid-7D1F1B3E-2F6A-5C1E-9D77-0D3C1A525A3B"])]
    title: Annotated[str, Field(examples=["Hồ sơ về việc nộp lưu"])]
    content: Annotated[str, Field(description="SHA-256 of what was sent, as in a receipt", examples=["9f86d081…"])]
    verdict: Literal["good", "noted", "refused"]
    files: Annotated[int, Field(examples=[12])]
    bytes: Annotated[int, Field(examples=[2190331])]
    counts: Annotated[dict[str, int], Field(description="Every finding, by code", examples=[{"PASS-CHECKSUM": 1}])]
    findings: Annotated[list[FindingModel], Field(description="The first 1,000 of a kind")]
    tree: Annotated[list[CheckedFileModel], Field(description="At most 5,000 files, those with findings first")]


class CheckModel(Model):
    """A check that is kept for a while, and where its report is."""

    id: Annotated[str, Field(examples=["q1W9yG0yS3m0eQ4mVx2b7A"])]
    name: Annotated[str, Field(examples=["uuid-7d1f1b3e.zip"])]
    state: DeskState
    done: Annotated[int, Field(description="Bytes read", examples=[1048576])]
    total: Annotated[int, Field(description="Bytes in all; 0 while the structure is looked at", examples=[2190331])]
    failure: Annotated[Trouble | None, Field(description="When `state` is failed")]
    report: Annotated[str | None, Field(examples=[f"{PATH}/q1W9yG0yS3m0eQ4mVx2b7A/report.json"])]

    @classmethod
    def of(cls, one: DeskProgress) -> CheckModel:
        failure = Trouble.of("check-failed", one.failure) if one.failure else None
        report = f"{PATH}/{one.id}/report.json" if one.state is DeskState.DONE else None
        return cls(
            id=one.id, name=one.name, state=one.state, done=one.done, total=one.total, failure=failure, report=report
        )


_FILES: dict[str, Any] = {"application/pdf": {}, "text/csv": {}}
_TROUBLES: dict[int | str, dict[str, Any]] = {
    401: {"model": Trouble, "description": "The token is missing or wrong"},
    422: {"model": Trouble, "description": "No file in the field `package`, or no such profile"},
    503: {"model": Trouble, "description": "Too many checks at once, or no room; try again"},
}
_NOT_KEPT: dict[int | str, dict[str, Any]] = {404: {"model": Trouble, "description": "No such check, or kept no more"}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": CheckReportModel,
        "content": _FILES,
        "description": "The report, in the form that `Accept` asks for",
    },
    202: {"model": CheckModel, "description": "With `wait=false`: the check has begun"},
    413: {"model": Trouble, "description": "The package is larger than `checks.max_bytes`"},
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [PACKAGE],
                    "properties": {
                        PACKAGE: {"type": "string", "format": "binary", "description": "One ZIP or tar file"},
                        "profile": {"type": "string", "example": "tt05-sip-hoso"},
                    },
                }
            }
        },
    }
}


def uploads(desk: CheckDesk) -> Mapping[str, int]:
    """The paths here that take uploads, and how many bytes a request may have."""
    return {PATH: desk.bounds.upload + OVERHEAD}


def router(services: AccessServices, desk: CheckDesk) -> APIRouter:
    """Everything under ``/api/checks``. All of it needs the token or a session."""
    api = APIRouter(prefix=PATH, tags=["checks"], dependencies=[Depends(needs_sign_in(services))], responses=_TROUBLES)

    @api.post("", summary="Check a package", response_class=Response, responses=_ANSWERS, openapi_extra=_BODY)
    async def check(
        request: Request,
        wait: Annotated[bool, Query(description="false: answer at once, keep the report for a while")] = True,
    ) -> Response:
        if not same_origin(request):
            raise FormRefusedError
        async with received(request, desk) as form:
            check_id = desk.check(form.end(), profile_named(form.fields.get("profile", "")))
        if not wait:
            location = f"{PATH}/{check_id}"
            told = CheckModel.of(desk.progress(check_id)).model_dump(mode="json")
            return JSONResponse(told, 202, headers={"Location": location})
        try:
            await asyncio.wrap_future(desk.ended(check_id))
            return await run_in_threadpool(_file, desk, check_id, asked_format(request.headers.get("accept", "")))
        finally:
            desk.forget(check_id)

    @api.get("/{check_id}", summary="How far a check has come", responses=_NOT_KEPT)
    def progress(check_id: CheckId) -> CheckModel:
        return CheckModel.of(desk.progress(check_id))

    _add_report(api, desk)
    return api


def _add_report(api: APIRouter, desk: CheckDesk) -> None:
    answers = _NOT_KEPT | {200: {"model": CheckReportModel, "content": _FILES, "description": "The report"}}

    @api.get("/{check_id}/report.{format}", summary="Its report", response_class=Response, responses=answers)
    def report(check_id: CheckId, format: ReportFormat) -> Response:
        return _file(desk, check_id, format)


def _file(desk: CheckDesk, check_id: str, format: ReportFormat) -> Response:
    data = desk.rendered(check_id, format)
    name = f"bao-cao-{desk.progress(check_id).name}.{format}"
    headers = {} if format is ReportFormat.JSON else {"Content-Disposition": disposition(name)}
    return Response(data, media_type=format.media_type, headers=headers)


def profile_named(name: str) -> PackageProfile | None:
    """The profile asked for, None for the empty name. Raises HTTPException 422 when there is none of that name."""
    if not name.strip():
        return None
    try:
        return PackageProfile.parse(name.strip())
    except ValueError as error:
        raise HTTPException(422) from error


def asked_format(accept: str) -> ReportFormat:
    """What ``Accept`` likes best of what there is (RFC 9110 §12.5.1); JSON when it does not say."""
    kinds = {one.media_type.partition(";")[0]: one for one in ReportFormat}
    liked: list[tuple[float, int, ReportFormat]] = []
    for number, entry in enumerate(accept.split(",")[:20]):
        kind, *parameters = (part.strip().lower() for part in entry.split(";"))
        if kind in kinds:
            liked.append((-_quality(parameters), number, kinds[kind]))
    best = min(liked, default=(0.0, 0, ReportFormat.JSON))
    return best[2] if best[0] < 0 else ReportFormat.JSON


def _quality(parameters: list[str]) -> float:
    text = next((one[2:] for one in parameters if one.startswith("q=")), "1")
    try:
        return float(text)
    except ValueError:
        return 0.0
