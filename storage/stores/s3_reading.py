"""Reading objects from S3 over plain HTTP: half the processor time of the client library's reader.

Requests are signed in the address (presigned) by the caller. Connections are kept and used again. A connection that
breaks is made anew and the reading goes on where it was, in the same object (by its ETag) or not at all.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self
from urllib.parse import urlsplit

from metadata.errors import StoreUnavailable, TangThuError
from metadata.identifiers import StoreId
from storage.stores.failures import checked_range, unavailable

_IDLE_CONNECTIONS: Final = 16
_RESUMES: Final = 3
_RESUME_PAUSE: Final = 0.2
_RECEIVE_BYTES: Final = 4 << 20
_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_BROKEN: Final = (OSError, http.client.HTTPException)


class Broken(Exception):
    """A connection that does not work (any more)."""


class Connections:
    """Kept-alive connections to one address. Safe to use from several threads; each connection is one reader's."""

    def __init__(
        self, endpoint: str, ca: Path | None, connect_timeout: float, read_timeout: float, proxy: str = ""
    ) -> None:
        address = urlsplit(endpoint)
        self._host = address.hostname or ""
        self._port = address.port
        self._context = ssl.create_default_context(cafile=ca) if address.scheme == "https" else None
        self._proxy = urlsplit(proxy) if proxy else None
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._idle: deque[http.client.HTTPConnection] = deque()

    def get(self, url: str, headers: dict[str, str]) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Send a GET. A kept connection may have been closed by the server meanwhile: then by a new one. Broken."""
        address = urlsplit(url)
        target = f"{address.path}?{address.query}"
        if self._proxy and self._context is None:
            target = url  # a proxy is told the whole address; for https it only makes the way
        while True:
            try:
                connection, kept = self._idle.pop(), True
            except IndexError:
                connection, kept = self._connect(), False
            try:
                connection.request("GET", target, headers={**headers, "Accept-Encoding": "identity"})
                return connection, connection.getresponse()
            except _BROKEN as error:
                connection.close()
                if not kept or isinstance(error, TimeoutError):
                    raise Broken(_reason(error)) from error

    def _connect(self) -> http.client.HTTPConnection:
        host, port = (self._proxy.hostname or "", self._proxy.port) if self._proxy else (self._host, self._port)
        if self._context is None:
            connection = http.client.HTTPConnection(host, port, timeout=self._connect_timeout)
        else:
            connection = http.client.HTTPSConnection(host, port, timeout=self._connect_timeout, context=self._context)
            if self._proxy:
                connection.set_tunnel(self._host, self._port or 443)
        try:
            connection.connect()
        except _BROKEN as error:
            raise Broken(_reason(error)) from error
        connection.sock.settimeout(self._read_timeout)
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection

    def keep(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        """Take back a connection whose response has been read to its end, or close it."""
        if response.isclosed() and not response.will_close and len(self._idle) < _IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


class ErrorMaker(Protocol):
    """Turns an answer that is no success into the error to raise."""

    def __call__(self, status: int, body: bytes) -> TangThuError: ...


@dataclass(frozen=True, slots=True)
class Source:
    """What is read: how to sign its address anew, and how to say what went wrong."""

    store: StoreId
    sign: Callable[[], str]
    refusal: ErrorMaker
    size: Callable[[], int]
    """The object's size by another way; asked only when the server refuses a range."""
    sleep: Callable[[float], None]


class S3Stream:
    """Bytes ``start``…``start + length`` of an object (to its end when None)."""

    def __init__(self, connections: Connections, source: Source, start: int, length: int | None) -> None:
        self._connections = connections
        self._source = source
        self._connection: http.client.HTTPConnection | None = None
        self._response: http.client.HTTPResponse | None = None
        self._etag = ""
        self._resumes = 0
        self._position = start
        self._left = 0
        if length is not None and (start < 0 or length <= 0):
            self._left = checked_range(source.size(), start, length)
            return
        self._persist(lambda: self._begin(start, length))

    def _persist(self, attempt: Callable[[], None]) -> None:
        while True:
            try:
                attempt()
            except Broken as error:
                self._release()
                self._resumes += 1
                if self._resumes > _RESUMES:
                    raise unavailable(self._source.store, str(error)) from error
                self._source.sleep(_RESUME_PAUSE * self._resumes)
            else:
                return

    def _begin(self, start: int, length: int | None) -> None:
        response = self._request(start, length)
        if response.status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._release()
            self._left = checked_range(self._source.size(), start, length)
            if self._left:
                raise Broken("the server refuses a range that is inside the object")
            return
        size = self._object_size(response, start)
        try:
            self._left = checked_range(size, start, length)
        except ValueError:
            self._release()
            raise
        self._etag = response.getheader("ETag") or ""
        if self._left == 0:
            self._finish()

    def _request(self, start: int, length: int | None) -> http.client.HTTPResponse:
        headers = {}
        if start > 0 or length is not None:
            headers["Range"] = f"bytes={start}-" + ("" if length is None else str(start + length - 1))
        if self._etag:
            headers["If-Match"] = self._etag
        self._connection, response = self._connections.get(self._source.sign(), headers)
        self._response = response
        if response.status in (http.HTTPStatus.OK, http.HTTPStatus.PARTIAL_CONTENT):
            return response
        if response.status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return response
        try:
            body = response.read(16_384)
        except _BROKEN as error:
            raise Broken(_reason(error)) from error
        self._release()
        refusal = self._source.refusal(response.status, body)
        if isinstance(refusal, StoreUnavailable) and response.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Broken(str(response.status)) from refusal
        raise refusal

    def _object_size(self, response: http.client.HTTPResponse, start: int) -> int:
        """The size of the whole object; StoreUnavailable when these are not the bytes that were asked for."""
        whole = response.status == http.HTTPStatus.OK
        place = _CONTENT_RANGE.fullmatch(response.getheader("Content-Range") or "")
        if whole and start == 0 and response.length is not None:
            return response.length
        if whole or place is None or int(place[1]) != start or response.length != int(place[2]) - start + 1:
            self._release()
            raise unavailable(self._source.store, "the server gives other bytes than it was asked for")
        return int(place[3])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self._release()

    def close(self) -> None:
        self._release()
        self._left = 0

    def _release(self) -> None:
        """Give the connection up: what is still on its way would be taken for the next answer."""
        connection, self._connection, self._response = self._connection, None, None
        if connection is not None:
            connection.close()

    def _finish(self) -> None:
        """Give the connection back, for the next reader."""
        if self._connection is not None and self._response is not None:
            self._response.read(0)
            self._connections.keep(self._connection, self._response)
        self._connection = self._response = None

    def readinto(self, buffer: bytearray | memoryview) -> int:
        wanted = min(len(buffer), self._left)
        if wanted == 0:
            return 0
        view = memoryview(buffer)[: min(wanted, _RECEIVE_BYTES)]
        count = 0

        def receive() -> None:
            nonlocal count
            if self._response is None:
                self._object_size(self._request(self._position, self._left), self._position)
            assert self._response is not None
            try:
                count = self._response.readinto(view)
            except _BROKEN as error:
                raise Broken(_reason(error)) from error
            if count == 0:
                raise Broken("the connection ended too early")

        self._persist(receive)
        self._resumes = 0
        self._position += count
        self._left -= count
        if self._left == 0:
            self._finish()
        return count

    def read(self, size: int) -> bytes:
        buffer = bytearray(min(size, self._left))
        view, filled = memoryview(buffer), 0
        while filled < len(buffer):
            filled += self.readinto(view[filled:])
        return bytes(buffer)
