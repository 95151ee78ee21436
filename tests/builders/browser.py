"""An HTTP client that talks to an ASGI application without a network."""

from __future__ import annotations

import asyncio

import httpx
from starlette.types import ASGIApp


class _AppTransport(httpx.BaseTransport):
    def __init__(self, app: ASGIApp) -> None:
        self._transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._ask(request))

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        asked = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        response = await self._transport.handle_async_request(asked)
        body = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(body))


def browser(app: ASGIApp) -> httpx.Client:
    """A client that keeps cookies, follows no redirect, and gets the 500 page where the application fails."""
    return httpx.Client(transport=_AppTransport(app), base_url="http://archive.test")
