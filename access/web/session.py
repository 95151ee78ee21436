"""Coming in, going out, choosing a language; and the few files that pages refer to. None of it needs a session."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from access.auth import FORM_COOKIE, SESSION_COOKIE, SESSION_LENGTH
from access.problems import problems
from access.services import AccessServices
from access.web.guard import FormRefusedError, same_origin
from access.web.links import local_path
from access.web.page import LANGUAGE_COOKIE, Pages
from access.web.words import Language

_YEAR = 365 * 24 * 3600
Secret = Annotated[str, Form(max_length=500)]


def router(services: AccessServices, pages: Pages) -> APIRouter:
    """``/login``, ``/logout``, ``/language/…`` and ``/static/…``."""
    open_ = APIRouter(include_in_schema=False)
    _add_session(open_, services, pages)

    @open_.get("/language/{language}")
    def language(language: Language, next: Annotated[str, Query(max_length=4000)] = "/") -> Response:
        response = RedirectResponse(local_path(next), 303)
        response.set_cookie(
            LANGUAGE_COOKIE,
            language.value,
            max_age=_YEAR,
            httponly=True,
            samesite="strict",
            secure=services.auth.secure,
        )
        return response

    @open_.get("/static/{name}")
    def static(request: Request, name: Annotated[str, Path(max_length=100)]) -> Response:
        asset = pages.assets.get(name)
        if asset is None:
            return pages.problem(request, problems()["not-found"])
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(asset.data, media_type=asset.media_type, headers=headers)

    return open_


def _add_session(open_: APIRouter, services: AccessServices, pages: Pages) -> None:
    auth = services.auth

    @open_.get("/login")
    def ask(request: Request, next: Annotated[str, Query(max_length=4000)] = "/") -> Response:
        return pages.sign_in(request, status=200, back=local_path(next))

    @open_.post("/login")
    def enter(request: Request, token: Secret = "", form: Secret = "", next: Annotated[str, Form()] = "/") -> Response:
        if not same_origin(request):
            raise FormRefusedError
        if not auth.accepts_form(request.cookies.get(FORM_COOKIE, ""), form):
            return pages.sign_in(request, status=403, back=local_path(next), trouble="login.expired")
        if not auth.accepts_token(token.strip()):
            return pages.sign_in(request, status=401, back=local_path(next), trouble="login.wrong")
        response = RedirectResponse(local_path(next), 303)
        response.set_cookie(
            SESSION_COOKIE,
            auth.open_session(services.clock()),
            max_age=int(SESSION_LENGTH.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=auth.secure,
        )
        response.delete_cookie(FORM_COOKIE)
        return response

    @open_.post("/logout")
    def leave(request: Request, form: Secret = "") -> Response:
        if not same_origin(request) or not auth.accepts_form(request.cookies.get(SESSION_COOKIE, ""), form):
            raise FormRefusedError
        response = RedirectResponse("/login", 303)
        response.delete_cookie(SESSION_COOKIE)
        return response
