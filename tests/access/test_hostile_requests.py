"""Requests that no honest browser sends: never a 5xx, never another host's address, never more read than a form."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

import pytest
from fastapi import FastAPI
from httpx import Client
from starlette.types import Message

from access.web.guard import FORM_LIMIT
from tests.builders.reading import TOKEN, Archive

FORM = b"application/x-www-form-urlencoded"
FILE = b"multipart/form-data; boundary=x"


def ask(
    app: FastAPI,
    path: bytes,
    query: bytes,
    *,
    host: bytes,
    method: str = "GET",
    kind: bytes = b"",
    body: Iterator[bytes],
) -> tuple[int, dict[str, str]]:
    """One request as bytes on the line, which a client's library would not send."""
    answers: list[Message] = []

    async def receive() -> Message:
        chunk = next(body, None)
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    async def send(message: Message) -> None:
        answers.append(message)

    headers = [(b"host", host), (b"content-type", kind), (b"authorization", b"Bearer " + TOKEN.encode())]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote_to_bytes(path).decode("utf-8", "replace"), "raw_path": path, "query_string": query,
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "root_path": "",
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return answers[0]["status"], {name.decode(): value.decode("latin-1") for name, value in answers[0]["headers"]}


@pytest.mark.parametrize("host", [b"127.0.0.1", b"evil.test", b"[", b"a/api/x?", b"x#", b"a@b:99999999", b"\xff", b""])
@pytest.mark.parametrize(
    "path", [b"/login", b"/search", b"/search/", b"/nothing", b"//evil.test/search", b"/api/search"]
)
def test_no_host_or_query_breaks_an_answer_or_gets_into_it(library: Archive, path: bytes, host: bytes) -> None:
    for query in (b"", b"q=\xff&next=\xff", b"level=\xed\xa0\x80", b"level=x&access=y&type=%00&format=%0d%0a"):
        status, headers = ask(library.application(), path, query, host=host, body=iter(()))
        assert status == (200 if path in (b"/login", b"/search", b"/api/search") else 404)
        assert "location" not in headers
        assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("kind", [FORM, FILE])
@pytest.mark.parametrize("path", [b"/login", b"/logout"])
def test_of_a_body_without_end_only_a_form_is_read(library: Archive, path: bytes, kind: bytes) -> None:
    head = b"token=" if kind == FORM else b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        yield head
        while True:
            read += 1024
            assert read < 1 << 20
            yield b"a" * 1024

    status, _ = ask(library.application(), path, b"", host=b"x", method="POST", kind=kind, body=endless())
    assert 400 <= status < 500
    assert read <= FORM_LIMIT + 1024


@pytest.mark.parametrize(
    "name",
    ["..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/catalogue.sqlite", "%252e%252e/x", "%c0%ae%c0%ae/x", "%00", "%0d%0aa:b"],
)
def test_no_path_leads_out_of_a_package(reader: Client, library: Archive, name: str) -> None:
    version = next(iter(library.catalogue.holdings.versions(1)))
    for path in (f"/api/aips/{version.id}/content/{name}", f"/api/aips/{name}/content/x", f"/static/{name}"):
        response = reader.get(path)
        assert response.status_code == 404
        assert "a" not in response.headers
