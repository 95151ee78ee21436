"""A line to an S3 service that breaks where a test wants: a proxy on TCP, by http or https, that knows the protocol.

``plan`` says what happens to each request; :func:`mixed` is a plan by chance, at a rate and by a seed.
"""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.services.listings import Listings

_MOST = 1 << 16
_REMEMBERED = 64
_ENOUGH = 4
"""Of fewer objects the same would be given twice, and two readings that agree are damage."""
_RESET = struct.pack("ii", 1, 0)


class Fault(StrEnum):
    """What happens to a request on the line."""

    ERROR = "500"
    BUSY = "503"
    SLOW = "slow"
    """The answer is late, and comes in pieces."""
    HANG = "hang"
    """Nothing comes for a while, then the line breaks; the service was not asked."""
    RESET = "reset"
    """The line breaks before the service was asked."""
    LOST = "lost reply"
    """The service has done it, and no word of that comes back."""
    SHORT = "truncated"
    """A part of the object comes, then the line breaks."""
    FLIP_SENT = "bit flipped on the way there"
    FLIP_GIVEN = "bit flipped on the way back"
    OTHER = "another object's bytes"
    OMIT = "newest keys left out of the list"
    GHOST = "deleted keys in the list"


EVERYWHERE = (Fault.ERROR, Fault.BUSY, Fault.SLOW, Fault.HANG, Fault.RESET, Fault.LOST)
SPECIAL = {
    "open": (Fault.SHORT, Fault.FLIP_GIVEN, Fault.OTHER),
    "put": (Fault.FLIP_SENT,),
    "put_part": (Fault.FLIP_SENT,),
    "list": (Fault.OMIT, Fault.GHOST),
}
"""What can happen only to some operations: flips are for bodies that a checksum or a digest protects."""


@dataclass
class Trouble:
    """What happens to one request. With all defaults nothing does."""

    fault: Fault | None = None
    at: float = 0.5
    """Where in the body (0…1) a fault strikes."""
    answer: bytes | None = None
    """This instead of asking the service."""
    cut_after: int | None = None
    """The line breaks after so many bytes of the service's answer, head included."""
    stall: bool = False
    """No answer comes, and the line stays open."""


Plan = Callable[[str, int], Trouble | None]


def operation_of(line: str) -> str:
    """The operation of the Store port that the first line of a request belongs to."""
    method, target, _ = line.split(" ", 2)
    address = urlsplit(target)
    query = parse_qs(address.query, keep_blank_values=True)
    names = {
        "PUT": "put_part" if "partNumber" in query else "put",
        "POST": "begin" if "uploads" in query else "complete",
        "DELETE": "abort" if "uploadId" in query else "delete",
        "HEAD": "head",
        "GET": "uploads" if "uploads" in query else "list" if "list-type" in query else "open",
    }
    return names.get(method, "other")


def mixed(rate: float, seed: int, faults: Collection[Fault] = tuple(Fault)) -> Plan:
    """Each request meets trouble with this chance: one of ``faults`` that can happen to its operation."""
    dice = random.Random(seed)
    lock = threading.Lock()

    def plan(line: str, _number: int) -> Trouble | None:
        with lock:
            struck, at, which = dice.random() < rate, dice.random(), dice.random()
        possible = [one for one in (*EVERYWHERE, *SPECIAL.get(operation_of(line), ())) if one in faults]
        return Trouble(possible[int(which * len(possible))], at) if struck and possible else None

    return plan


def nothing(_line: str, _number: int) -> None:
    """The plan of a good line."""


@dataclass
class FaultProxy:
    """``plan`` gives the trouble for the first line of each request (``GET /bucket/key HTTP/1.1``) and its number.

    With ``certificate`` and its ``key`` the line is https; ``service`` may be either. ``met`` counts faults by
    operation and kind. Of objects that were read it remembers the last addresses, to give their bytes for others'.
    """

    service: str
    plan: Plan = nothing
    certificate: Path | None = None
    key: Path | None = None
    silence: float = 0.2
    """How long the line hangs, and how late a slow answer is at most, in seconds."""
    keep_lines: bool = True
    requests: list[str] = field(default_factory=list)
    count: int = 0
    connections: int = 0
    met: Counter[tuple[str, Fault]] = field(default_factory=Counter)
    listings: Listings = field(default_factory=Listings)
    _ended: threading.Event = field(default_factory=threading.Event)
    _seen: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._inward: ssl.SSLContext | None = None
        self._outward: ssl.SSLContext | None = None
        if self.certificate is not None:
            self._inward = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._inward.load_cert_chain(self.certificate, self.key)
        if urlsplit(self.service).scheme == "https":
            self._outward = ssl.create_default_context(cafile=self.certificate)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def address(self) -> str:
        scheme = "http" if self.certificate is None else "https"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def troubled(self) -> int:
        """How many requests have met a fault."""
        return self.met.total()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        target = urlsplit(self.service)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            near = stack.enter_context(self._inward.wrap_socket(raw, server_side=True) if self._inward else raw)
            far = stack.enter_context(socket.create_connection((target.hostname, target.port)))
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._outward:
                far = stack.enter_context(self._outward.wrap_socket(far, server_hostname=target.hostname))
            for head, body in _messages(near):
                if not self._one(near, far, head, body):
                    return

    def _one(self, near: socket.socket, far: socket.socket, head: bytes, body: Iterator[bytes]) -> bool:
        """Carry one request; False when the line ends here."""
        line = head.split(b"\r\n", 1)[0].decode()
        operation = operation_of(line)
        with self._lock:
            self.count += 1
            if self.keep_lines:
                self.requests.append(line)
            trouble = self.plan(line, len(self.requests) or self.count) or Trouble()
            fault = trouble.fault
            if fault is Fault.OTHER:
                head = self._another(head, line, trouble) or head
            if operation == "open":
                self._remember(line)
            if fault is not None:
                self.met[operation, fault] += 1
        if trouble.stall:
            self._ended.wait()
            return False
        answer = _REFUSALS.get(fault, trouble.answer) if fault else trouble.answer
        if answer is not None:
            for _ in body:
                pass
            near.sendall(answer)
            return False
        if fault in (Fault.RESET, Fault.HANG):
            if fault is Fault.HANG:
                self._ended.wait(self.silence)
            _reset(near)
            return False
        self._send(far, head, body, trouble)
        return self._answer(far, near, line, operation, trouble)

    def _remember(self, line: str) -> None:
        target = line.split(" ", 2)[1]
        if "X-Amz-Signature" in target:
            self._seen[urlsplit(target).path] = target
            while len(self._seen) > _REMEMBERED:
                del self._seen[next(iter(self._seen))]

    def _another(self, head: bytes, line: str, trouble: Trouble) -> bytes | None:
        """The same request for another object; None when few others are known, and then nothing happens."""
        method, target, version = line.split(" ", 2)
        others = [known for path, known in self._seen.items() if path != urlsplit(target).path]
        if len(others) < _ENOUGH:
            trouble.fault = None
            return None
        other = others[int(trouble.at * len(others))]
        fields = [one for one in head.split(b"\r\n")[1:] if not one.lower().startswith(b"if-match:")]
        return b"\r\n".join([f"{method} {other} {version}".encode(), *fields])

    def _send(self, far: socket.socket, head: bytes, body: Iterator[bytes], trouble: Trouble) -> None:
        far.sendall(head)
        flip = int(trouble.at * _length(head)) if trouble.fault is Fault.FLIP_SENT else -1
        for piece in body:
            far.sendall(_flipped(piece, flip))
            flip -= len(piece)

    def _answer(self, far: socket.socket, near: socket.socket, line: str, operation: str, trouble: Trouble) -> bool:
        """Hand an answer on; False when the line breaks here."""
        fault = trouble.fault
        head, rest = _head(far, b"")
        body = _body(far, head, rest, line.startswith("HEAD"))
        done = head.split(b" ", 2)[1].startswith(b"2")
        key = unquote(urlsplit(line.split(" ", 2)[1]).path)
        if done and operation == "delete":
            self.listings.deleted(key)
        if fault is Fault.LOST:
            for _ in body:
                pass
            _reset(near)
            return False
        if fault is Fault.SLOW:
            self._ended.wait(trouble.at * self.silence)
        if operation == "list" and done:
            text = b"".join(_unchunked(body, head))
            page = self.listings.page(key, text, omit=fault is Fault.OMIT, ghosts=fault is Fault.GHOST, line=line)
            near.sendall(_with_length(head, len(page)) + page)
            return True
        cut, flip = trouble.cut_after, -1
        if fault is Fault.SHORT:
            cut = len(head) + int(trouble.at * _length(head))
        if fault is Fault.FLIP_GIVEN and done:
            flip = int(trouble.at * _length(head))
        return _hand_on(near, head, body, cut, flip, pause=0.01 if fault is Fault.SLOW else 0.0)


def _refusal(status: str, code: str) -> bytes:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    return f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


_REFUSALS = {Fault.ERROR: _refusal("500", "InternalError"), Fault.BUSY: _refusal("503", "SlowDown")}


def _reset(near: socket.socket) -> None:
    with contextlib.suppress(OSError):
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _flipped(piece: bytes, at: int) -> bytes:
    if not 0 <= at < len(piece):
        return piece
    return piece[:at] + bytes([piece[at] ^ (1 << (at % 8))]) + piece[at + 1 :]


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


def _length(head: bytes) -> int:
    return int(_fields(head).get("content-length", 0))


def _with_length(head: bytes, length: int) -> bytes:
    fields = [one for one in head.split(b"\r\n") if one and not one.lower().startswith(_FRAMING)]
    return b"\r\n".join([*fields, b"Content-Length: %d" % length, b"", b""])


_FRAMING = (b"content-length:", b"transfer-encoding:")


def _messages(near: socket.socket) -> Iterator[tuple[bytes, Iterator[bytes]]]:
    """The requests that come, without the question whether to go on, which is answered here."""
    while True:
        head, rest = _head(near, b"")
        if "expect" in _fields(head):
            near.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"expect:"))
        yield head, _counted(near, rest, _length(head))


def _counted(source: socket.socket, rest: bytes, left: int) -> Iterator[bytes]:
    while left > 0:
        piece = rest or source.recv(_MOST)
        if not piece:
            raise ConnectionResetError
        rest, left = b"", left - len(piece)
        yield piece


def _body(far: socket.socket, head: bytes, rest: bytes, head_only: bool) -> Iterator[bytes]:
    """The body of an answer as it comes, chunks with their marks."""
    if head_only or head.split(b" ", 2)[1] in (b"204", b"304"):
        return iter(())
    if _fields(head).get("transfer-encoding") != "chunked":
        return _counted(far, rest, _length(head))
    return _chunked(far, rest)


def _chunked(far: socket.socket, rest: bytes) -> Iterator[bytes]:
    tail = b""
    while True:
        piece = rest or far.recv(_MOST)
        if not piece:
            raise ConnectionResetError
        rest, tail = b"", (tail + piece)[-5:]
        yield piece
        if tail == b"0\r\n\r\n":
            return


def _unchunked(body: Iterator[bytes], head: bytes) -> Iterator[bytes]:
    if _fields(head).get("transfer-encoding") != "chunked":
        yield from body
        return
    data = b"".join(body)
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        yield data[:length]
        data = data[length + 2 :]
        if length == 0:
            return


def _hand_on(near: socket.socket, head: bytes, body: Iterator[bytes], cut: int | None, flip: int, pause: float) -> bool:
    sent = 0
    for piece in _and(head, body):
        given = _flipped(piece, flip) if sent else piece
        if cut is not None and sent + len(given) >= cut:
            near.sendall(given[: cut - sent])
            return False
        near.sendall(given)
        flip -= len(piece) if sent else 0
        sent += len(piece)
        if pause:
            time.sleep(pause)
    return True


def _and(head: bytes, body: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from body
