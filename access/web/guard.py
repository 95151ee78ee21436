"""The door: who is let in, and the headers that every answer carries."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from access.auth import SESSION_COOKIE
from access.services import AccessServices

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}


FORM_LIMIT = 16 * 1024
"""Bytes in the body of a request, but for the paths that take uploads: the forms for coming in and going out."""
_NOT_ASCII = re.compile(rb"[\x80-\xff]")


class SignInNeededError(Exception):
    """The one who asks has shown neither token nor session."""


class FormRefusedError(Exception):
    """A form that did not come from one of our pages in this browser."""


def signed_in(services: AccessServices, request: Request) -> bool:
    """Whether the request carries the token as Bearer or a session of ours. A wrong header is not saved by a cookie."""
    header = request.headers.get("authorization")
    if header is not None:
        return services.auth.accepts_header(header)
    return services.auth.accepts_session(request.cookies.get(SESSION_COOKIE, ""), services.clock())


def needs_sign_in(services: AccessServices) -> Callable[[Request], None]:
    """A dependency that raises SignInNeededError."""

    def check(request: Request) -> None:
        if not signed_in(services, request):
            raise SignInNeededError

    return check


def same_origin(request: Request) -> bool:
    """Whether a browser says that a form came from this very site; true for what is no browser."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host", "")


class RequestBounds:
    """ASGI middleware: a body is a small form, and a query is ASCII, as every browser sends it.

    Bytes of a query that are not ASCII are percent-encoded; of a body that is larger nothing more is read.
    ``uploads`` are the paths that take more, and how many bytes.
    """

    def __init__(self, app: ASGIApp, uploads: Mapping[str, int] = MappingProxyType({})) -> None:
        self._app = app
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        left = self._uploads.get(scope["path"], FORM_LIMIT)

        async def bounded() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413)
            return message

        query = _NOT_ASCII.sub(lambda match: b"%%%02X" % match[0][0], scope["query_string"])
        await self._app({**scope, "query_string": query}, bounded, send)


class SecurityHeaders:
    """ASGI middleware: adds the strict headers to every answer that has not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded)
