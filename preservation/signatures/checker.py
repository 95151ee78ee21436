"""Signatures judged in a child process that can be killed."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preservation.signatures import wire
from preservation.signatures.outcomes import reason
from preservation.signatures.port import Question, SignatureReport
from preservation.signatures.trust import TrustStore

_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost: seconds by the clock, seconds of CPU, bytes of address space of the child, and the bytes
    of the largest file that is looked at (pyHanko may hold a file in memory)."""

    seconds: float = 45.0
    cpu_seconds: int = 40
    memory: int = 2 << 30
    largest: int = 1 << 29


class _ChildLost(Exception):
    """The child died or did not answer in time (``late``)."""

    def __init__(self, *, late: bool) -> None:
        super().__init__("late" if late else "died")
        self.late = late


class PyHankoChecker:
    """A SignatureChecker: pyHanko and our own checks, in one child process that is started when first asked.

    Thread-safe: questions of several threads wait for each other. A file on which the child dies or takes longer than
    the limit is UNREADABLE; the next file gets a new child.
    """

    def __init__(self, store: TrustStore, limits: Limits = Limits()) -> None:
        self._store, self._limits = store, limits
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self.restarts = 0

    def check(self, question: Question) -> SignatureReport:
        """Blocks until the answer or the limit. Raises OSError when a file cannot be opened at all."""
        if max(os.fstat(file.fileno()).st_size for file in question.files) > self._limits.largest:
            return SignatureReport(reasons=(reason("SIG-FILE-TOO-LARGE"),))
        with self._lock:
            try:
                return SignatureReport.of_fields(self._ask(wire.question_to_json(question)))
            except (KeyError, TypeError, AttributeError):
                return SignatureReport(reasons=(reason("SIG-FILE-CRASHED"),))
            except _ChildLost as lost:
                return SignatureReport(reasons=(reason("SIG-FILE-STALLED" if lost.late else "SIG-FILE-CRASHED"),))

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        try:
            if self._child is None:
                self._child = _Child(self._limits)
                self._child.ask(self._store.to_json(), _START_SECONDS)
            return self._child.ask(message, self._limits.seconds)
        except _ChildLost:
            self.restarts += 1
            self._end()
            raise

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None


class _Child:
    """Its first message is the trust store, answered when it is ready; then questions and reports."""

    def __init__(self, limits: Limits) -> None:
        root = Path(__file__).resolve().parents[2]
        # Room for the largest file beside what parsing it may take.
        numbers = [str(limits.memory + limits.largest), str(limits.cpu_seconds)]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, nothing from outside in its arguments
            [sys.executable, "-P", "-m", "preservation.signatures.child", *numbers],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            cwd="/",
            bufsize=0,
            start_new_session=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise _ChildLost(late=False)
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)

    def ask(self, message: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        try:
            self._send(wire.pack(message), deadline)
            (length,) = wire.LENGTH.unpack(self._receive(wire.LENGTH.size, deadline))
            if length > wire.LARGEST_FRAME:
                raise _ChildLost(late=False)
            return wire.unpack(self._receive(length, deadline))
        except (OSError, ValueError) as error:
            raise _ChildLost(late=False) from error

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _send(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._in, select.POLLOUT, deadline)
            view = view[os.write(self._in, view) :]

    def _receive(self, size: int, deadline: float) -> bytes:
        parts, missing = [], size
        while missing:
            self._wait(self._out, select.POLLIN, deadline)
            data = os.read(self._out, min(missing, 1 << 20))
            if not data:
                raise _ChildLost(late=False)
            parts.append(data)
            missing -= len(data)
        return b"".join(parts)

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise _ChildLost(late=True)
