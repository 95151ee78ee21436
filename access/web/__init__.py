"""The reading room: pages in Vietnamese and English, without JavaScript; and how it is put into an application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from access import api
from access.models import Trouble
from access.problems import Problem, problem_of, problem_of_status, problems
from access.services import AccessServices
from access.web import pages, session
from access.web.annex import Annex
from access.web.guard import SECURITY_HEADERS, FormRefusedError, RequestBounds, SecurityHeaders, SignInNeededError
from access.web.links import local_path
from access.web.page import Pages
from metadata.errors import TangThuError

__all__ = ["Annex", "install", "routers"]


def routers(services: AccessServices, annexes: Sequence[Annex] = ()) -> tuple[APIRouter, ...]:
    """The routers of the API, the pages, the annexes, and the door."""
    made = Pages(services, annexes)
    added = [router for annex in annexes for router in annex.routers(made)]
    return (api.router(services), pages.router(services, made), *added, session.router(services, made))


def install(
    app: FastAPI,
    services: AccessServices,
    uploads: Mapping[str, int] = MappingProxyType({}),
    annexes: Sequence[Annex] = (),
) -> None:
    """Put access into ``app``: its routers, its answers to errors, and the headers of every answer.

    ``uploads`` are paths whose requests may be larger than a small form, and how many bytes they may have. ``annexes``
    are pages that other packages bring.

    ``app`` should be made with ``docs_url=None, redoc_url=None, openapi_url=None``: the description of the API is at
    ``/api/openapi.json``, behind the door.
    """
    for router in routers(services, annexes):
        app.include_router(router)
    app.router.redirect_slashes = False  # such an answer would send people to whatever host they said we are
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestBounds, uploads=uploads)
    _add_errors(app, Pages(services, annexes))


def _add_errors(app: FastAPI, made: Pages) -> None:
    def answer(request: Request, problem: Problem) -> Response:
        if request.url.path.startswith("/api/"):
            headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else None
            told = Trouble.of(problem.code, problem.sentence)
            return JSONResponse(told.model_dump(), problem.status, headers=headers)
        if problem.status == 401:
            query = f"?{request.url.query}" if request.url.query else ""
            return made.sign_in(request, status=401, back=local_path(f"{request.url.path}{query}"))
        return made.problem(request, problem)

    def not_signed_in(request: Request, _: Exception) -> Response:
        return answer(request, problems()["sign-in"])

    def form_refused(request: Request, _: Exception) -> Response:
        return answer(request, problems()["forbidden"])

    def invalid(request: Request, _: Exception) -> Response:
        return answer(request, problems()["request"])

    def bare_status(request: Request, error: Exception) -> Response:
        return answer(request, problem_of_status(error.status_code if isinstance(error, HTTPException) else 500))

    def failed(request: Request, error: Exception) -> Response:
        response = answer(request, problem_of(error))
        for name, value in SECURITY_HEADERS.items():  # answers to unforeseen errors pass no middleware of ours
            response.headers.setdefault(name, value)
        return response

    app.add_exception_handler(SignInNeededError, not_signed_in)
    app.add_exception_handler(FormRefusedError, form_refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, bare_status)
    app.add_exception_handler(TangThuError, failed)
    app.add_exception_handler(Exception, failed)
