"""Identification by PRONOM signatures in a child process that can be killed."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from metadata.holdings import Format
from metadata.text import Sentence
from preservation.identification.answer import Answer
from preservation.identification.choice import choose, unanswered
from preservation.identification.data import SignaturePaths, default_signatures
from preservation.identification.messages import LARGEST_FRAME, LENGTH, Query, pack_query, parse_answer
from preservation.identification.port import Sample

_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost: seconds by the clock, seconds of CPU, bytes of address space of the child."""

    seconds: float = 10.0
    cpu_seconds: int = 20
    memory: int = 1 << 30


class _ChildLost(Exception):
    """The child died or did not answer in time (``late``)."""

    def __init__(self, *, late: bool) -> None:
        super().__init__("late" if late else "died")
        self.late = late


class PronomIdentifier:
    """An Identifier: PRONOM's signature files, tried in one child process that is started when first asked.

    Thread-safe: queries of several threads wait for each other. ``submit`` asks without waiting, so that a caller can
    read the next file meanwhile. A file on which the child dies or takes longer than the limit is answered by its
    extension, with a warning; the next file gets a new child.
    """

    def __init__(self, limits: Limits = Limits(), signatures: SignaturePaths | None = None) -> None:
        self._limits = limits
        self._signatures = signatures or default_signatures()
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="identifier")
        self.restarts = 0

    @property
    def name(self) -> str:
        return self._signatures.version

    def identify(self, sample: Sample) -> Format:
        """Blocks until the answer or the limit; see the class."""
        spool = str(sample.spool) if sample.spool is not None else ""
        query = Query(sample.name, sample.size, sample.head, sample.tail, spool)
        with self._lock:
            try:
                return choose(sample, self._ask(query))
            except _ChildLost as lost:
                why = _why(self._limits.seconds, late=lost.late)
            try:
                return unanswered(sample, self._ask(Query(sample.name, sample.size, b"", b"", "", by_name=True)), why)
            except _ChildLost:
                return unanswered(sample, Answer(), why)

    def submit(self, sample: Sample) -> Future[Format]:
        """As :meth:`identify`, without waiting. Samples are answered in their order; each waiting one is held whole."""
        return self._worker.submit(self.identify, sample)

    def close(self) -> None:
        """Answer what was submitted, then end the child."""
        self._worker.shutdown(wait=True)
        with self._lock:
            self._end()

    def _ask(self, query: Query) -> Answer:
        seconds = self._limits.seconds
        if self._child is None:
            self._child = _Child(self._limits, self._signatures)
            seconds += _START_SECONDS
        try:
            return self._child.ask(query, seconds)
        except _ChildLost:
            self.restarts += 1
            self._end()
            raise

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None


class _Child:
    def __init__(self, limits: Limits, signatures: SignaturePaths) -> None:
        root = Path(__file__).resolve().parents[2]
        files = [str(signatures.binary.resolve()), str(signatures.container.resolve())]
        numbers = [str(limits.memory), str(limits.cpu_seconds)]
        arguments = ["-P", "-m", "preservation.identification.child", *numbers, *files]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, nothing from outside in its arguments
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"},
            cwd="/",
            bufsize=0,
            start_new_session=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise _ChildLost(late=False)
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)

    def ask(self, query: Query, seconds: float) -> Answer:
        deadline = time.monotonic() + seconds
        try:
            self._send(pack_query(query), deadline)
            (length,) = LENGTH.unpack(self._receive(LENGTH.size, deadline))
            if length > LARGEST_FRAME:
                raise _ChildLost(late=False)
            return parse_answer(self._receive(length, deadline))
        except (OSError, ValueError, KeyError, TypeError) as error:
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
            data = os.read(self._out, missing)
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


def _why(seconds: float, *, late: bool) -> Sentence:
    if late:
        return Sentence(
            f"không nhận dạng xong trong {seconds:g} giây, chỉ xét theo phần mở rộng",
            f"not identified within {seconds:g} s; judged by its extension only",
        )
    return Sentence(
        "chương trình nhận dạng bị dừng khi đọc tệp này, chỉ xét theo phần mở rộng",
        "the identifier was stopped by this file; judged by its extension only",
    )
