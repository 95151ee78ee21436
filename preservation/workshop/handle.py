"""One child process of a workshop, as its parent holds it."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from preservation.workshop import wire
from preservation.workshop.confinement import Confinement
from preservation.workshop.port import Values, WorkLost

_BUFFER = 1 << 20
_DEATH_SECONDS = 10
"""A process that is killed while the kernel reads for it, from a disk that hangs, ends only with that."""


class ChildGone(WorkLost):
    """The child had died before the question came."""


@dataclass(frozen=True, slots=True)
class Reply:
    """``raised`` is the name of what the task raised, empty when it answered; ``ends``: the child must be replaced."""

    values: Values = field(default_factory=dict)
    raised: str = ""
    ends: bool = False


class Handle:
    """Starts the child and confines it. Raises WorkLost when that fails. One thread at a time may use it."""

    def __init__(self, setting: Mapping[str, object], largest: int, start_seconds: float) -> None:
        self._largest, self._start_seconds = largest, start_seconds
        self._known: set[str] = set()
        self._socket, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        try:
            self._process = _started(theirs.fileno(), lifeline)
        except OSError as error:
            self._socket.close()
            os.close(self._lifeline)
            raise WorkLost(late=False) from error
        finally:
            theirs.close()
            os.close(lifeline)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            self._socket.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
        self._socket.setblocking(False)
        self._poll = select.poll()
        try:
            self.confinement = self._confinement(setting)
        except BaseException:
            self.end()
            raise

    def ask(self, task: str, parts: Sequence[bytes], descriptors: Sequence[int], seconds: float) -> Reply:
        """Send the frame ``parts`` with the files, wait for the reply: ``seconds``, and before a task's first time as
        long as it may take to load. Raises WorkLost; then the child must be ended."""
        try:
            return self._reply(task, parts, descriptors, seconds)
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise WorkLost(late=False) from error

    def end(self) -> None:
        """Kill it and all that it started. To be called once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_DEATH_SECONDS)
        self._socket.close()
        os.close(self._lifeline)

    def _confinement(self, setting: Mapping[str, object]) -> Confinement:
        deadline = time.monotonic() + self._start_seconds
        try:
            self._send(wire.pack(wire.QUESTION, setting), (), deadline)
            return Confinement.of_fields(self._receive(deadline)[1])
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise WorkLost(late=False) from error

    def _reply(self, task: str, parts: Sequence[bytes], descriptors: Sequence[int], seconds: float) -> Reply:
        begins = task not in self._known
        deadline = time.monotonic() + (self._start_seconds if begins else seconds)
        self._send(parts, descriptors, deadline)
        kind, values = self._receive(deadline)
        if kind == wire.BEGUN and begins:
            self._known.add(task)
            kind, values = self._receive(time.monotonic() + seconds)
        ends = bool(kind & wire.ENDS)
        kind &= ~wire.ENDS
        if kind == wire.RAISED:
            return Reply(raised=str(values["what"]), ends=ends)
        if kind != wire.ANSWER:
            raise ValueError("no answer")
        return Reply(values, ends=ends)

    def _send(self, parts: Sequence[bytes], descriptors: Sequence[int], deadline: float) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", descriptors))] if descriptors else []
        try:
            sent = self._socket.sendmsg(parts, rights)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ChildGone(late=False) from error
        if sent == sum(map(len, parts)):
            return
        rest = memoryview(b"".join(parts))[sent:]
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                self._wait(select.POLLOUT, deadline)

    def _receive(self, deadline: float) -> tuple[int, Values]:
        kind, words, blobs = wire.HEAD.unpack(self._exactly(wire.HEAD.size, deadline))
        if words + blobs > self._largest:
            raise ValueError("too long an answer")
        return kind, wire.unpack(self._exactly(words + blobs, deadline), words)

    def _exactly(self, size: int, deadline: float) -> memoryview:
        """Memory is taken as bytes arrive, not as they are promised."""
        data = bytearray()
        while len(data) < size:
            try:
                part = self._socket.recv(min(size - len(data), _BUFFER))
            except BlockingIOError:
                self._wait(select.POLLIN, deadline)
                continue
            if not part:
                raise WorkLost(late=False)
            data += part
        return memoryview(data)

    def _wait(self, event: int, deadline: float) -> None:
        self._poll.register(self._socket, event)
        left = deadline - time.monotonic()
        if left <= 0 or not self._poll.poll(left * 1000):
            raise WorkLost(late=True)


def _started(questions: int, lifeline: int) -> subprocess.Popen[bytes]:
    root = Path(__file__).resolve().parents[2]
    return subprocess.Popen(  # noqa: S603 - our own module, nothing from outside in its arguments
        [sys.executable, "-P", "-m", "preservation.workshop.child", str(questions), str(lifeline)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        cwd="/",
        pass_fds=(questions, lifeline),
        start_new_session=True,
    )
