"""A workshop of child processes that can be killed."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from preservation.workshop import wire
from preservation.workshop.confinement import Confinement
from preservation.workshop.handle import ChildGone, Handle
from preservation.workshop.port import TaskLimits, Values, WorkLost

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What each child may take, in bytes and seconds.

    ``memory``: address space; ``resident``: memory held after a task, beyond which the child is replaced; ``answer``:
    the largest answer; ``start_seconds``: time to start, and to load what a task needs before it sees its first file.
    """

    memory: int = 5 << 29
    resident: int = 1 << 30
    answer: int = 1 << 27
    start_seconds: int = 60


class ChildWorkshop:
    """A Workshop: up to ``children`` processes (as many as there are processors), each started when first needed.

    ``equipment`` is theirs; below the paths ``readable`` they may read files, beside what Python and its libraries
    need. A task over its limits, or one on which the child dies, is WorkLost, the child is killed with all that it
    started, and the next task gets a new one. ``lost`` counts them. No child outlives this process.
    """

    def __init__(
        self,
        equipment: Values | None = None,
        *,
        children: int | None = None,
        readable: Sequence[Path] = (),
        limits: ChildLimits = ChildLimits(),
    ) -> None:
        paths = [str(path.resolve()) for path in readable]
        self._setting: Mapping[str, object] = {"equipment": equipment or {}, "readable": paths, **asdict(limits)}
        self._limits = limits
        self._slots = threading.BoundedSemaphore(children or os.cpu_count() or 1)
        self._lock = threading.Lock()
        self._free: list[Handle] = []
        self._closed = False
        self.lost = 0

    def run(
        self, task: str, arguments: Values, files: Sequence[BinaryIO] = (), limits: TaskLimits | None = None
    ) -> Values:
        """Blocks until a child is free and has answered, or the limit. Raises WorkLost.

        ``files`` have descriptors. The child gets each open for reading only and at its beginning; what was written to
        it is flushed before.
        """
        limits = limits or TaskLimits()
        parts = wire.pack(wire.QUESTION, {"task": task, "cpu_seconds": limits.cpu_seconds, "arguments": arguments})
        with _for_reading(files) as descriptors, self._slots:
            try:
                values = self._ask(self._take(), task, parts, descriptors, limits.seconds)
            except ChildGone:
                # It had died before it was asked, so that the file has no part in it.
                values = self._ask(self._start(), task, parts, descriptors, limits.seconds)
        if values is None:
            raise WorkLost(late=False)
        return values

    def confinement(self) -> Confinement:
        """What holds in the children on this system. Raises WorkLost when none starts."""
        with self._slots:
            child = self._take()
            self._give(child)
            return child.confinement

    def close(self) -> None:
        """End the children; one that is busy, when it has answered. Nothing may be asked afterwards."""
        with self._lock:
            self._closed = True
            free, self._free = self._free, []
        for child in free:
            child.end()

    def _ask(
        self, child: Handle, task: str, parts: Sequence[bytes], descriptors: Sequence[int], seconds: float
    ) -> Values | None:
        """What the task gave, None when it raised. Raises WorkLost."""
        try:
            answer = child.ask(task, parts, descriptors, seconds)
        except BaseException as error:
            child.end()
            if isinstance(error, WorkLost) and not isinstance(error, ChildGone):
                self._count()
                _log.warning("%s: the child %s", task, error)
            raise
        if answer.raised:
            _log.warning("%s raised %s", task, answer.raised)
        if answer.ends:
            child.end()
        else:
            self._give(child)
        return None if answer.raised else answer.values

    def _take(self) -> Handle:
        with self._lock:
            if self._closed:
                raise RuntimeError("the workshop is closed")
            if self._free:
                return self._free.pop()
        return self._start()

    def _start(self) -> Handle:
        try:
            return Handle(self._setting, self._limits.answer, self._limits.start_seconds)
        except WorkLost:
            self._count()
            _log.exception("no child of the workshop could be started")
            raise

    def _give(self, child: Handle) -> None:
        with self._lock:
            if not self._closed:
                self._free.append(child)
                return
        child.end()

    def _count(self) -> None:
        with self._lock:
            self.lost += 1


@contextmanager
def _for_reading(files: Sequence[BinaryIO]) -> Iterator[list[int]]:
    """New descriptors of the files: opened anew, for reading only, where the system has a name for what is open."""
    with ExitStack() as stack:
        descriptors = []
        for file in files:
            file.flush()
            descriptors.append(_again(file.fileno()))
            stack.callback(os.close, descriptors[-1])
        yield descriptors


def _again(descriptor: int) -> int:
    with suppress(OSError):
        return os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
    return os.dup(descriptor)
