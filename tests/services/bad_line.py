"""A line to an HTTP service that breaks where a test wants: a proxy on TCP that knows where answers begin."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

_MOST = 1 << 16


@dataclass
class Trouble:
    """What happens to one request. With all defaults nothing does."""

    answer: bytes | None = None
    """This instead of asking the service."""
    cut_after: int | None = None
    """The line breaks after so many bytes of the service's answer, head included."""
    stall: bool = False
    """No answer comes, and the line stays open."""


@dataclass
class BadLine:
    """``plan`` gives the trouble for the first line of each request (``GET /bucket/key HTTP/1.1``) and its number."""

    service: str
    plan: Callable[[str, int], Trouble | None] = lambda _line, _number: None
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        target = urlsplit(self.service)
        with contextlib.suppress(OSError), near, socket.create_connection((target.hostname, target.port)) as far:
            for head, body in _messages(near, far):
                line = head.split(b"\r\n", 1)[0].decode()
                self.requests.append(line)
                trouble = self.plan(line, len(self.requests)) or Trouble()
                if trouble.stall:
                    self._ended.wait()
                    return
                if trouble.answer is not None:
                    for _ in body:
                        pass
                    near.sendall(trouble.answer)
                    return
                far.sendall(head)
                for piece in body:
                    far.sendall(piece)
                if not _answer(far, near, trouble.cut_after, line.startswith("HEAD")):
                    return


def _head(source: socket.socket, rest: bytes) -> tuple[bytes, bytes]:
    """The head of a message, and what has come of its body."""
    while b"\r\n\r\n" not in rest:
        more = source.recv(_MOST)
        if not more:
            raise ConnectionResetError
        rest += more
    head, _, rest = rest.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", rest


def _fields(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _messages(near: socket.socket, far: socket.socket) -> Iterator[tuple[bytes, Iterator[bytes]]]:
    """The requests that come, without the question whether to go on, which is answered here."""
    while True:
        head, rest = _head(near, b"")
        fields = _fields(head)
        if "expect" in fields:
            near.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"expect:"))
        left = int(fields.get("content-length", 0))

        def body(left: int = left, rest: bytes = rest) -> Iterator[bytes]:
            while left:
                piece = rest or near.recv(_MOST)
                if not piece:
                    raise ConnectionResetError
                rest, left = b"", left - len(piece)
                yield piece

        yield head, body()


def _answer(far: socket.socket, near: socket.socket, cut_after: int | None, head_only: bool) -> bool:
    """Hand an answer on; False when the line breaks here."""
    head, rest = _head(far, b"")
    fields = _fields(head)
    sent, chunked = 0, fields.get("transfer-encoding") == "chunked"
    status = head.split(b" ", 2)[1]
    left = 0 if head_only or status in (b"204", b"304") else int(fields.get("content-length", 0))
    piece = head + rest
    left -= len(rest)
    tail = rest
    while True:
        if cut_after is not None and sent + len(piece) >= cut_after:
            near.sendall(piece[: cut_after - sent])
            return False
        near.sendall(piece)
        sent += len(piece)
        if (left <= 0 and not chunked) or (chunked and tail.endswith(b"0\r\n\r\n")):
            return True
        piece = far.recv(_MOST)
        if not piece:
            return False
        left -= len(piece)
        tail = (tail + piece)[-5:]
