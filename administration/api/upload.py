"""A form with files in it (``multipart/form-data``), written where they belong while it comes in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from administration.desk import Desk, TooLarge, Upload

PACKAGE = "package"
"""The field that holds the file."""
OVERHEAD = 64 * 1024
"""Bytes that a form may have beside the file."""
STALL = 60.0
"""Seconds without a byte after which an upload is over: a laptop that was shut must not hold a place."""
_FIELD_LIMIT = 4096
_FIELDS = 20
_PIECE = 1 << 20


class UploadForm:
    """A form as it comes in: ``feed`` it all, ``end`` it; then ``fields`` and ``upload`` are what was sent.

    ``begin`` is told the fields so far, the field of a file and the name it was sent with; the file's bytes go to the
    upload it gives, or nowhere if it gives None. Raises ValueError for what is no such form, and whatever ``begin`` and
    the upload raise.
    """

    def __init__(self, content_type: str, begin: Callable[[Mapping[str, str], str, str], Upload | None]) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise ValueError("not a form with a file")
        self.fields: dict[str, str] = {}
        self.upload: Upload | None = None
        self._writing = False
        self._begin = begin
        self._header = [b"", b""]
        self._disposition = b""
        self._field: bytearray | None = None
        self._name = ""
        self._ended = False
        self._parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    def feed(self, data: bytes) -> None:
        """The next bytes of the body."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise ValueError("not a form with a file") from error

    def end(self) -> Upload:
        """The body is over: the file."""
        if not self._ended or self.upload is None:
            raise ValueError("the form was cut off, or has no file")
        return self.upload

    @property
    def whole(self) -> bool:
        """Whether the form came to its end."""
        return self._ended

    def _on_part_begin(self) -> None:
        self._disposition = b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def _on_header_end(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._disposition = self._header[1]
        self._header = [b"", b""]

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            if len(self.fields) >= _FIELDS:
                raise ValueError("too many fields")
            self._field = bytearray()
            return
        self._field = None
        begun = self._begin(self.fields, self._name, options[b"filename"].decode("utf-8", "replace"))
        self._writing = begun is not None
        self.upload = begun or self.upload

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._field is None:
            if self._writing and self.upload is not None:
                self.upload.write(data[start:end])
            return
        self._field += data[start:end]
        if len(self._field) > _FIELD_LIMIT:
            raise ValueError("a field is too long")

    def _on_part_end(self) -> None:
        if self._field is not None:
            self.fields[self._name] = self._field.decode("utf-8", "replace")
            self._field = None

    def _on_end(self) -> None:
        self._ended = True


async def feed_all(body: AsyncIterator[bytes], form: UploadForm) -> None:
    """All of ``body`` goes into ``form``, not more than a piece of it in memory at a time.

    Raises HTTPException 400 when whoever sends it goes away, or sends nothing for a minute.
    """
    waiting = bytearray()
    try:
        while True:
            async with asyncio.timeout(STALL):
                chunk = await anext(body, None)
            if chunk is None:
                break
            waiting += chunk
            if len(waiting) >= _PIECE:
                await run_in_threadpool(form.feed, bytes(waiting))
                waiting.clear()
    except (ClientDisconnect, TimeoutError) as error:
        raise HTTPException(400) from error
    await run_in_threadpool(form.feed, bytes(waiting))


@contextlib.asynccontextmanager
async def received(request: Request, desk: Desk) -> AsyncIterator[UploadForm]:
    """The form of a request, its one file at the desk; gone again at the end unless the desk was told to work on it.

    Raises HTTPException 413 and 422; Busy and NoSpace as the desk does.
    """
    with contextlib.ExitStack() as stack:
        begun: list[str] = []

        def begin(_: Mapping[str, str], field: str, name: str) -> Upload:
            if field != PACKAGE or begun:
                raise ValueError("one file is expected")
            begun.append(name)
            return stack.enter_context(desk.receiving(name or "package"))

        try:
            form = UploadForm(request.headers.get("content-type", ""), begin)
            await feed_all(request.stream(), form)
            form.end()
        except TooLarge as error:
            raise HTTPException(413) from error
        except ValueError as error:
            raise HTTPException(422) from error
        yield form
