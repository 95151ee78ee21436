"""What the officer does: repair, sign off, begin and steer audits, back up, drill, print."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request, Response
from fastapi.responses import RedirectResponse

from access.auth import SESSION_COOKIE
from access.services import AccessServices
from access.web.guard import FormRefusedError, needs_sign_in, same_origin
from access.web.page import Pages
from administration.archive import Archive
from administration.flows import backup_request, drill_request
from administration.forms.service import Form as Drawn
from administration.forms.sheet import Person
from administration.pages.preservation.looks import PATH, audits_page, backups_page, forms_page, incident_page
from administration.work.asking import WorkDesk
from administration.work.plan import Request as Work
from metadata.audits import AuditKind
from metadata.backups import BackupKind
from metadata.dates import utc_text
from metadata.errors import NotFound, UsageError
from metadata.identifiers import FondsCode, StoreId
from metadata.text import Sentence

Id = Annotated[str, Path(max_length=80)]
Short = Annotated[str, Form(max_length=300)]
Long = Annotated[str, Form(max_length=4000)]
Name = Annotated[str, Path(max_length=20)]
_MB = 1_000_000


def router(services: AccessServices, pages: Pages, archive: Archive, desk: WorkDesk) -> APIRouter:
    """Everything under ``/preservation`` that does something: forms of our own pages, from a session."""

    def ours(request: Request, form: Short = "") -> None:
        cookie = request.cookies.get(SESSION_COOKIE, "")
        if not same_origin(request) or not services.auth.accepts_form(cookie, form):
            raise FormRefusedError

    needed = [Depends(needs_sign_in(services))]
    web = APIRouter(prefix=PATH, include_in_schema=False, dependencies=[*needed, Depends(ours)])
    _add_incidents(web, pages, archive, desk)
    _add_audits(web, pages, archive)
    _add_backups(web, pages, archive, desk)
    _add_forms(web, pages, archive)
    files = APIRouter(prefix=PATH, include_in_schema=False, dependencies=needed)

    @files.get("/incidents/{id}/fix.json")
    def fix(id: Id) -> Response:
        return _file(archive.incidents.fix_file(id), "application/json", f"fix-{id}.json")

    both = APIRouter(include_in_schema=False)
    both.include_router(web)
    both.include_router(files)
    return both


def _add_incidents(web: APIRouter, pages: Pages, archive: Archive, desk: WorkDesk) -> None:
    @web.post("/incidents/{id}/repair")
    def repair(id: Id) -> Response:
        one = archive.catalogue.incidents.get(id)
        if one.version is None:
            raise NotFound(Sentence("Sự cố này không có gói nào để sửa.", "This incident has no AIP to repair."))
        job = f"repair-{one.version}-{utc_text(archive.clock())}"
        desk.ask(Work("repair", job, {"version": str(one.version)}), "repair")
        return RedirectResponse(f"{PATH}/incidents/{id}?job={job}", 303)

    @web.post("/incidents/{id}/close")
    def close(request: Request, id: Id, cause: Long = "", handling: Long = "", person: Short = "", unmended: Short = ""
    ) -> Response:  # fmt: skip
        try:
            archive.incidents.close(id, cause, handling, person, unmended=bool(unmended))
        except UsageError as error:
            asked = {"cause": cause, "handling": handling, "person": person}
            one = archive.catalogue.incidents.get(id)
            return incident_page(pages, request, archive, one, 422, error.sentence, asked=asked)
        return RedirectResponse(f"{PATH}/incidents/{id}", 303)

    @web.post("/incidents/{id}/form.pdf")
    def incident_form(id: Id, person: Short = "") -> Response:
        return _pdf(archive.forms.incident(id, _people(person)))


def _add_audits(web: APIRouter, pages: Pages, archive: Archive) -> None:
    @web.post("/audits")
    def begin(
        request: Request, kind: Short = "", store: Short = "", fonds: Short = "", share: Short = "", limit: Short = "",
        person: Short = "",
    ) -> Response:  # fmt: skip
        asked = {"kind": kind, "store": store, "fonds": fonds, "share": share, "limit": limit, "person": person}
        try:
            of = FondsCode(fonds.strip()) if fonds.strip() else None
            part = _share(AuditKind(kind), share)
            archive.audits.begin(AuditKind(kind), StoreId(store), of, part, _bytes(limit), person.strip())
        except ValueError:
            return audits_page(pages, request, archive, 422, _ODD, asked)
        except (UsageError, NotFound) as error:
            return audits_page(pages, request, archive, 422, error.sentence, asked)
        return RedirectResponse(f"{PATH}/audits", 303)

    @web.post("/audits/{id}/{act}")
    def steer(request: Request, id: Id, act: Name, limit: Short = "", person: Short = "") -> Response:
        acts = {"pause": archive.audits.pause, "resume": archive.audits.resume, "stop": archive.audits.stop}
        try:
            if act == "limit":
                archive.audits.set_limit(id, _bytes(limit), person.strip())
            elif act in acts:
                acts[act](id, person.strip())
            else:
                raise NotFound(Sentence("Không có việc đó.", "There is no such act."))
        except ValueError:
            return audits_page(pages, request, archive, 422, _ODD)
        except UsageError as error:
            return audits_page(pages, request, archive, 422, error.sentence)
        return RedirectResponse(f"{PATH}/audits", 303)


_ODD = Sentence(
    "Hãy chọn trong danh sách và ghi số bằng chữ số.", "Choose from the lists, and write numbers in digits."
)


def _add_backups(web: APIRouter, pages: Pages, archive: Archive, desk: WorkDesk) -> None:
    def ask(work: Work) -> Response:
        desk.ask(work, "backup")
        return RedirectResponse(f"{PATH}/backups?job={work.id}", 303)

    @web.post("/backups")
    def backup(request: Request, kind: Short = "", person: Short = "") -> Response:
        if kind not in list(BackupKind):
            return backups_page(pages, request, archive, desk, status=422, trouble=_ODD)
        return ask(backup_request(BackupKind(kind), person.strip(), archive.clock()))

    @web.post("/backups/drill")
    def drill(person: Short = "") -> Response:
        return ask(drill_request(person.strip(), archive.clock()))


def _add_forms(web: APIRouter, pages: Pages, archive: Archive) -> None:
    @web.post("/forms/{name}")
    def form(
        request: Request, name: Name, first: Short = "", last: Short = "", of: Short = "", person: Short = ""
    ) -> Response:
        forms, people = archive.forms, _people(person)
        asked = {"name": name, "first": first, "last": last, "of": of, "person": person}
        makers: dict[str, Callable[[], Drawn]] = {
            "check": lambda: forms.check(date.fromisoformat(first), date.fromisoformat(last), people),
            "diary": lambda: forms.backup_diary(date.fromisoformat(first), date.fromisoformat(last), people),
            "backup": lambda: forms.backup(of, people),
            "incident": lambda: forms.incident(of, people),
            "year": lambda: forms.year(int(of), people),
        }
        if name not in makers:
            raise NotFound(Sentence("Không có biểu mẫu này.", "There is no such form."))
        try:
            return _pdf(makers[name]())
        except ValueError:
            return forms_page(pages, request, archive, 422, _ODD, asked)
        except (UsageError, NotFound) as error:
            return forms_page(pages, request, archive, 422, error.sentence, asked)


def _people(names: str) -> list[Person]:
    return [Person.parse(one) for one in names.split(";") if one.strip()]


def _share(kind: AuditKind, percent: str) -> float:
    text = percent.strip().replace(",", ".")
    if bool(text) is not (kind is AuditKind.SAMPLE):
        raise UsageError(
            Sentence(
                "Tỷ lệ (%) chỉ đi với kiểm tra mẫu, và kiểm tra mẫu cần có tỷ lệ, ví dụ 5.",
                "A share (%) goes with a random sample alone, and a random sample needs one, such as 5.",
            )
        )
    return float(text) / 100 if text else 1.0


def _bytes(megabytes: str) -> int | None:
    text = megabytes.strip().replace(",", ".")
    number = float(text) if text else 0.0
    if not 0 <= number < 1e9:
        raise ValueError(megabytes)
    return round(number * _MB) or None


def _pdf(form: Drawn) -> Response:
    return _file(form.pdf, "application/pdf", form.file_name)


def _file(data: bytes, kind: str, name: str) -> Response:
    return Response(data, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
