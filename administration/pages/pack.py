"""The page that makes packages: take a template, hand in the workbook and the files, take the packages away."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Path, Request, Response
from fastapi.responses import FileResponse, RedirectResponse, StreamingResponse

from access.auth import SESSION_COOKIE
from access.content import disposition
from access.services import AccessServices
from access.web.guard import FormRefusedError, needs_sign_in, same_origin
from access.web.page import Pages
from administration.bundle import bundle, bundle_size
from administration.checks import CheckDesk
from administration.desk import DeskState
from administration.packs import FILES, SOURCE, PackDesk, PackOrder, all_files
from administration.pages import check, view
from administration.pages.frame import progress_data, progress_page, shown
from administration.pages.uploads import FormProblem, handed_in
from ingest.packing import TemplateKind, write_missing, write_template
from metadata.errors import NotFound
from metadata.identifiers import FondsCode
from metadata.text import Sentence
from metadata.tt05.sip import Sender

PATH = "/packs"
SENDER = ("agency", "fonds", "agreement")
PACKAGES_SHOWN = 500
_GROUPS = {"workbook": SOURCE, "files": FILES}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_TEMPLATES = {
    TemplateKind.ALL: "mau-ho-so.xlsx",
    TemplateKind.TEXT: "mau-ho-so-van-ban.xlsx",
    TemplateKind.PICTURES: "mau-ho-so-anh.xlsx",
    TemplateKind.MEDIA: "mau-ho-so-ghi-am-ghi-hinh.xlsx",
    TemplateKind.DOSSIERS: "mau-danh-sach-ho-so.xlsx",
}
_INCOMPLETE = Sentence(
    "Hãy điền đủ tên cơ quan, mã phông và mã đăng ký, mỗi mục một dòng; số thứ tự là số từ 1.",
    "Fill in the agency, the fonds and the registered submission, one line each; the first number is 1 or more.",
)
Id = Annotated[str, Path(max_length=60)]
Number = Annotated[int, Path(ge=1, le=1_000_000)]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The fields of the form as they are shown."""

    agency: str = ""
    fonds: str = ""
    agreement: str = ""
    first_number: str = "1"
    partial: bool = False

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> _Asked:
        agency, fonds, agreement = (fields.get(name, "").strip()[:255] for name in SENDER)
        first_number = fields.get("first_number", "").strip()[:7] or "1"
        return cls(agency, fonds, agreement, first_number, bool(fields.get("partial")))

    def order(self) -> PackOrder:
        """Raises ValueError for what is missing or does not stand on one line."""
        sender = Sender(*(FondsCode(text).value for text in (self.agency, self.fonds, self.agreement)))
        if not (self.first_number.isascii() and self.first_number.isdigit() and int(self.first_number)):
            raise ValueError("the first number is 1 or more")
        return PackOrder(sender, self.partial, int(self.first_number))


def router(services: AccessServices, pages: Pages, desk: PackDesk, checks: CheckDesk) -> APIRouter:
    """Everything under ``/packs``. All of it needs a session."""
    web = APIRouter(prefix=PATH, include_in_schema=False, dependencies=[Depends(needs_sign_in(services))])
    _add_asking(web, services, pages, desk)
    _add_results(web, pages, desk)
    _add_checking(web, services, desk, checks)
    return web


def _add_asking(web: APIRouter, services: AccessServices, pages: Pages, desk: PackDesk) -> None:
    @web.get("")
    def ask(request: Request) -> Response:
        return _form(request, pages, desk, _Asked.of(request.query_params))

    @web.post("")
    async def pack(request: Request) -> Response:
        try:
            async with handed_in(request, services, desk, _GROUPS) as form:
                pack_id = desk.pack(form.upload, _order(form.fields))
        except FormProblem as problem:
            return _form(request, pages, desk, _Asked.of(problem.fields), problem)
        return RedirectResponse(f"{PATH}/{pack_id}", 303)

    @web.get("/templates/{kind}.xlsx")
    def template(kind: TemplateKind) -> Response:
        made = io.BytesIO()
        write_template(made, kind)
        headers = {"Content-Disposition": disposition(_TEMPLATES[kind])}
        return Response(made.getvalue(), media_type=_XLSX, headers=headers)


def _add_results(web: APIRouter, pages: Pages, desk: PackDesk) -> None:
    @web.get("/{pack_id}")
    def result(request: Request, pack_id: Id) -> Response:
        progress = desk.progress(pack_id)
        if progress.state is not DeskState.DONE:
            return progress_page(pages, request, desk, progress, "pack")
        return _result(request, pages, desk, pack_id)

    @web.get("/{pack_id}/progress")
    def progress(request: Request, pack_id: Id) -> Response:
        return progress_data(pages, request, desk.progress(pack_id), "pack")

    @web.get("/{pack_id}/files/{number}")
    def one(pack_id: Id, number: Number) -> Response:
        path = _file(desk, pack_id, number)
        return FileResponse(
            path, media_type="application/octet-stream", headers={"Content-Disposition": disposition(path.name)}
        )

    @web.get("/{pack_id}/all.zip")
    def everything(pack_id: Id) -> Response:
        paths = all_files(desk.packed(pack_id))
        if not paths:
            raise NotFound(desk.not_kept)
        headers = {"Content-Disposition": disposition("goi-nop-luu.zip"), "Content-Length": str(bundle_size(paths))}
        return StreamingResponse(bundle(paths), headers=headers, media_type="application/zip")

    @web.get("/{pack_id}/missing.xlsx")
    def missing(pack_id: Id) -> Response:
        result = desk.packed(pack_id)
        made = io.BytesIO()
        write_missing(made, result.findings, result.counts)
        headers = {"Content-Disposition": disposition("con-thieu.xlsx")}
        return Response(made.getvalue(), media_type=_XLSX, headers=headers)


def _add_checking(web: APIRouter, services: AccessServices, desk: PackDesk, checks: CheckDesk) -> None:
    @web.post("/{pack_id}/check/{number}")
    def check_it(
        request: Request, pack_id: Id, number: Number, form: Annotated[str, Form(max_length=500)] = ""
    ) -> Response:
        cookie = request.cookies.get(SESSION_COOKIE, "")
        if not same_origin(request) or not services.auth.accepts_form(cookie, form):
            raise FormRefusedError
        path = _file(desk, pack_id, number)
        with path.open("rb") as stream:
            check_id = checks.start(stream, path.name)
        return RedirectResponse(f"{check.PATH}/{check_id}", 303)


def _file(desk: PackDesk, pack_id: str, number: int) -> FilePath:
    paths = all_files(desk.packed(pack_id))
    if number > len(paths):
        raise NotFound(desk.not_kept)
    return paths[number - 1]


def _order(fields: Mapping[str, str]) -> PackOrder:
    try:
        return _Asked.of(fields).order()
    except ValueError as error:
        raise FormProblem(422, _INCOMPLETE, fields) from error


def _form(
    request: Request, pages: Pages, desk: PackDesk, asked: _Asked, problem: FormProblem | None = None
) -> Response:
    return shown(
        pages,
        request,
        "pack.html",
        problem.status if problem else 200,
        trouble=problem.sentence if problem else None,
        asked=asked,
        templates=[kind for kind in TemplateKind if kind is not TemplateKind.ALL],
        bounds=desk.bounds,
        minutes=round(desk.bounds.keep.total_seconds() / 60),
    )


def _result(request: Request, pages: Pages, desk: PackDesk, pack_id: str) -> Response:
    result = desk.packed(pack_id)
    sizes = [path.stat().st_size for path in result.lists]
    return shown(
        pages,
        request,
        "pack_result.html",
        id=pack_id,
        result=result,
        packages=result.packages[:PACKAGES_SHOWN],
        lists=list(zip(result.lists, sizes, strict=True)),
        bytes=sum(one.bytes for one in result.packages),
        documents=sum(one.documents for one in result.packages),
        found=view.shown_actions(result.findings, result.counts, cells=True),
        again=f"{PATH}?{_query(desk.order(pack_id))}",
        view=view,
        minutes=round(desk.bounds.keep.total_seconds() / 60),
    )


def _query(order: PackOrder) -> str:
    """The form filled in as it was."""
    pairs = [(name, getattr(order.sender, name)) for name in SENDER] + [("first_number", str(order.first_number))]
    return urlencode(pairs + ([("partial", "1")] if order.partial else []))
