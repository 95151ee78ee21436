"""Making a page: the template, the reader's language, the form's secret."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from types import MappingProxyType
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from access.auth import FORM_COOKIE, SESSION_COOKIE
from access.problems import Problem
from access.services import AccessServices
from access.web.annex import Annex
from access.web.guard import signed_in
from access.web.show import Show
from access.web.words import Language, all_words, say
from metadata.errors import TangThuError
from metadata.text import Sentence

LANGUAGE_COOKIE = "tangthu_language"
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages refer to; ``tag`` changes with its bytes."""

    data: bytes
    media_type: str
    tag: str


@cache
def assets(packages: tuple[str, ...] = ("access.web",)) -> Mapping[str, Asset]:
    """The files in the ``static`` folders of ``packages``, by name: stylesheets, scripts, the seal."""
    found = {}
    for package in packages:
        for path in (resources.files(package) / "static").iterdir():
            if (kind := path.name.rpartition(".")[2]) in _TYPES:
                data = path.read_bytes()
                found[path.name] = Asset(data, _TYPES[kind], hashlib.sha256(data).hexdigest()[:12])
    return MappingProxyType(found)


@cache
def _environment(packages: tuple[str, ...]) -> Environment:
    return Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _words(packages: tuple[str, ...]) -> Mapping[str, Sentence]:
    return MappingProxyType({key: value for package in packages for key, value in all_words(package).items()})


def language_of(request: Request) -> Language:
    """The language the reader chose; Vietnamese when none."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return Language(chosen) if chosen in list(Language) else Language.VI


class Pages:
    """Renders templates for one archive: those of access and of ``annexes``."""

    def __init__(self, services: AccessServices, annexes: Sequence[Annex] = ()) -> None:
        self._services = services
        self._packages = ("access.web", *(annex.package for annex in annexes))
        self._links = tuple(link for annex in annexes for link in annex.links)
        self._aip_links = tuple(link for annex in annexes for link in annex.aip_links)
        self._counts = {path: count for annex in annexes for path, count in annex.counts.items()}

    @property
    def assets(self) -> Mapping[str, Asset]:
        """The files that these pages refer to, by name."""
        return assets(self._packages)

    def word(self, request: Request, key: str, **details: object) -> str:
        """A word in the reader's language."""
        return say(_words(self._packages), language_of(request), key, **details)

    def render(self, request: Request, template: str, status: int = 200, **context: object) -> HTMLResponse:
        """A page. ``context`` is what its template shows."""
        language = language_of(request)
        session = request.cookies.get(SESSION_COOKIE, "")
        entered = signed_in(self._services, request)
        here = quote(request.url.path, safe="/") + (f"?{request.url.query}" if request.url.query else "")
        return HTMLResponse(
            _environment(self._packages)
            .get_template(template)
            .render(
                language=language,
                other=Language.EN if language is Language.VI else Language.VI,
                t=partial(say, _words(self._packages), language),
                links=self._links,
                aip_links=self._aip_links,
                path=request.url.path,
                show=Show(language),
                archive=self._services.archive_name,
                here=here if request.method == "GET" else "/",
                asset=lambda name: f"/static/{name}?v={self.assets[name].tag}",
                signed_in=entered,
                waits=self._waits() if entered else {},
                session_form=self._services.auth.form_token(session),
                **context,
            ),
            status,
        )

    def _waits(self) -> dict[str, int]:
        """How many things wait at which path; nothing when that cannot be told now, for a page must be shown."""
        with suppress(TangThuError):
            return {path: count() for path, count in self._counts.items()}
        return {}

    def sign_in(self, request: Request, *, status: int, back: str, trouble: str = "") -> HTMLResponse:
        """The page that asks for the token; ``trouble`` is the key of what was wrong the last time."""
        auth = self._services.auth
        cookie = auth.new_form_cookie()
        response = self.render(request, "login.html", status, form=auth.form_token(cookie), back=back, trouble=trouble)
        response.set_cookie(FORM_COOKIE, cookie, max_age=3600, httponly=True, samesite="strict", secure=auth.secure)
        return response

    def problem(self, request: Request, problem: Problem) -> HTMLResponse:
        """The page that says what went wrong: what happened, what was not lost, what to do."""
        return self.render(request, "error.html", problem.status, problem=problem)
