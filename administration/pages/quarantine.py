"""The pages of the quarantine: what waits, one package, and the form by which a person decides."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request, Response
from fastapi.responses import RedirectResponse

from access.auth import SESSION_COOKIE
from access.services import AccessServices
from access.web.guard import FormRefusedError, needs_sign_in, same_origin
from access.web.page import Pages
from administration.archive import Archive
from administration.pages import view
from ingest.receipt import Receipt
from metadata.catalogue.quarantine import PEOPLE, Decision, QuarantinedPackage, QuarantineState
from metadata.errors import AlreadyExists, UsageError
from metadata.findings import Severity
from metadata.text import Sentence

PATH = "/quarantine"
Id = Annotated[str, Path(max_length=60)]
Text = Annotated[str, Form(max_length=4000)]
_COLOURS = {
    QuarantineState.HELD: ("amber", "!"),
    QuarantineState.RELEASING: ("amber", "…"),
    QuarantineState.RELEASED: ("jade", "✓"),
    QuarantineState.DISCARDING: ("amber", "…"),
    QuarantineState.DISCARDED: ("jade", "✓"),
}


def router(services: AccessServices, pages: Pages, archive: Archive) -> APIRouter:
    """Everything under ``/quarantine``. All of it needs a session."""
    web = APIRouter(prefix=PATH, include_in_schema=False, dependencies=[Depends(needs_sign_in(services))])

    @web.get("")
    def listed(request: Request) -> Response:
        records = archive.catalogue.quarantine
        return pages.render(
            request, "quarantine.html", waiting=records.packages(), over=records.packages(over=True, limit=50),
            people=PEOPLE, scanner=archive.settings.text("antivirus.clamd"),
        )  # fmt: skip

    @web.get("/{id}")
    def one(request: Request, id: Id) -> Response:
        return _one(pages, request, archive.catalogue.quarantine.get(id))

    @web.post("/{id}")
    def decide(
        request: Request, id: Id, form: Text = "", person: Text = "", reason: Text = "", decision: Text = ""
    ) -> Response:
        cookie = request.cookies.get(SESSION_COOKIE, "")
        if not same_origin(request) or not services.auth.accepts_form(cookie, form):
            raise FormRefusedError
        asked = {"person": person, "reason": reason}
        if decision not in list(Decision):
            return _one(pages, request, archive.catalogue.quarantine.get(id), 422, _UNDECIDED, asked)
        try:
            archive.decisions.vote(id, person, Decision(decision), reason)
        except (AlreadyExists, UsageError) as error:
            status = 409 if isinstance(error, AlreadyExists) else 422
            return _one(pages, request, archive.catalogue.quarantine.get(id), status, error.sentence, asked)
        return RedirectResponse(f"{PATH}/{id}", 303)

    return web


_UNDECIDED = Sentence("Hãy chọn cho tiếp nhận hoặc hủy.", "Choose to release or to discard.")


def _one(
    pages: Pages,
    request: Request,
    package: QuarantinedPackage,
    status: int = 200,
    trouble: Sentence | None = None,
    asked: dict[str, str] | None = None,
) -> Response:
    receipt = Receipt.from_json(package.receipt)
    errors = [one for one in receipt.findings if one.severity is Severity.ERROR]
    of = {one.code for one in errors}
    colour, sign = _COLOURS[package.state]
    return pages.render(
        request, "quarantined.html", status, one=package, receipt=receipt, colour=colour, sign=sign, trouble=trouble,
        asked=asked or {"person": "", "reason": ""}, view=view, people=PEOPLE,
        found=view.shown_actions(errors, {code: count for code, count in receipt.counts if code in of}),
    )  # fmt: skip
