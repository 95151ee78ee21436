"""The page that checks a package: hand it in, watch, read what to do, take the report away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import RedirectResponse

from access.content import disposition
from access.services import AccessServices
from access.web.guard import needs_sign_in
from access.web.page import Pages
from administration.api.checks import profile_named
from administration.checks import CheckDesk
from administration.desk import DeskState
from administration.pages import view
from administration.pages.frame import progress_data, progress_page, shown
from administration.pages.uploads import FormProblem, handed_in
from ingest.reports import ReportFormat
from ingest.reports.words import profile_name, verdict_mark, verdict_next
from metadata.package_kinds import EARK_VERSIONS, PackageKind, PackageProfile
from metadata.text import Sentence

PATH = "/checks"
_FILES = {"package": "package"}
Id = Annotated[str, Path(max_length=60)]


def profiles() -> tuple[tuple[str, tuple[tuple[str, Sentence], ...]], ...]:
    """What can be asked for: groups (their word's key) of profiles with their names."""

    def named(*found: PackageProfile) -> tuple[tuple[str, Sentence], ...]:
        return tuple((str(one), profile_name(str(one))) for one in found)

    kinds = list(PackageKind)
    older = [PackageProfile(kind, version) for kind in kinds if kind.is_eark for version in EARK_VERSIONS]
    return (
        ("check.group_tt05", named(*(PackageProfile(kind) for kind in kinds if kind.is_tt05))),
        ("check.group_eark", named(*(PackageProfile(kind) for kind in kinds if kind.is_eark))),
        ("check.group_bag", named(PackageProfile(PackageKind.BAG))),
        ("check.group_versions", named(*older)),
    )


def router(services: AccessServices, pages: Pages, desk: CheckDesk) -> APIRouter:
    """Everything under ``/checks``. All of it needs a session."""
    web = APIRouter(prefix=PATH, include_in_schema=False, dependencies=[Depends(needs_sign_in(services))])

    @web.get("")
    def ask(request: Request) -> Response:
        return _form(request, pages, desk)

    @web.post("")
    async def check(request: Request) -> Response:
        try:
            async with handed_in(request, services, desk, _FILES) as form:
                check_id = desk.check(form.upload, profile_named(form.fields.get("profile", "")))
        except FormProblem as problem:
            return _form(request, pages, desk, problem)
        return RedirectResponse(f"{PATH}/{check_id}", 303)

    @web.get("/{check_id}")
    def result(request: Request, check_id: Id) -> Response:
        progress = desk.progress(check_id)
        if progress.state is not DeskState.DONE:
            return progress_page(pages, request, desk, progress, "check")
        return _report(request, pages, desk, check_id)

    @web.get("/{check_id}/progress")
    def progress(request: Request, check_id: Id) -> Response:
        return progress_data(pages, request, desk.progress(check_id), "check")

    @web.get("/{check_id}/report.{format}")
    def report(check_id: Id, format: ReportFormat) -> Response:
        data = desk.rendered(check_id, format)
        name = desk.report(check_id).name.rpartition("/")[2]
        headers = {"Content-Disposition": disposition(f"kiem-tra-{name}.{format}")}
        return Response(data, media_type=format.media_type, headers=headers)

    return web


def _form(request: Request, pages: Pages, desk: CheckDesk, problem: FormProblem | None = None) -> Response:
    fields: Mapping[str, str] = problem.fields if problem else {}
    return shown(
        pages,
        request,
        "check.html",
        problem.status if problem else 200,
        trouble=problem.sentence if problem else None,
        profiles=profiles(),
        asked=fields.get("profile", ""),
        bounds=desk.bounds,
        minutes=round(desk.bounds.keep.total_seconds() / 60),
    )


def _report(request: Request, pages: Pages, desk: CheckDesk, check_id: str) -> Response:
    report = desk.report(check_id)
    found = view.shown_actions(report.findings, report.counts)
    return shown(
        pages,
        request,
        "check_report.html",
        id=check_id,
        report=report,
        checked_at=desk.checked_at(check_id),
        mark=verdict_mark(report.verdict),
        next=verdict_next(report.verdict),
        profile=profile_name(report.profile),
        found=found,
        tree=view.tree(report.tree, view.anchors(found)),
        unlisted=max(0, report.files - len(report.tree)),
        formats=list(ReportFormat),
        view=view,
        minutes=round(desk.bounds.keep.total_seconds() / 60),
    )
