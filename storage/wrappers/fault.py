"""A store that fails on purpose, to prove that nothing is lost when a real one does."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum

from storage.port import ByteStream, Store
from storage.stores.failures import no_space, unavailable
from storage.wrappers.base import T, WrappedStore, WrappedStream


class Fault(StrEnum):
    """What goes wrong. ``SHORT`` and ``FLIP`` are for the operation ``read`` only."""

    BEFORE = "before"
    """The store does not answer, and has done nothing."""
    AFTER = "after"
    """The store has done it, and the reply is lost."""
    FULL = "full"
    """The store is full."""
    SHORT = "short"
    """Half of the bytes come, then the connection breaks."""
    FLIP = "flip"
    """All bytes come, one bit of them wrong, another each time."""


@dataclass(frozen=True, slots=True)
class Call:
    """The ``number``-th (1, 2, …) use of an operation: a method of the port, or ``read`` for a stream's ``readinto``.

    ``list`` counts every object that is listed, and the end.
    """

    operation: str
    key: str
    number: int


Plan = Callable[[Call], Fault | None]
"""Decides what goes wrong in a call. It may also raise, to end a worker at this very place."""


def script(faults: Mapping[tuple[str, int], Fault]) -> Plan:
    """Faults by operation and number: ``script({("put_part", 3): Fault.AFTER})``."""
    return lambda call: faults.get((call.operation, call.number))


def chance(
    probability: float,
    seed: int,
    faults: Collection[Fault] = (Fault.BEFORE, Fault.AFTER),
    operations: Collection[str] | None = None,
) -> Plan:
    """Each call of ``operations`` (all when None) fails with this probability; the same for the same seed and calls."""
    choices = sorted(faults)

    def plan(call: Call) -> Fault | None:
        draw = random.Random(f"{seed} {call.operation} {call.number}")  # noqa: S311  a test's dice, not a secret
        wanted = operations is None or call.operation in operations
        return draw.choice(choices) if wanted and draw.random() < probability else None

    return plan


class FaultStore(WrappedStore):
    """Does what the inner store does, except where the plan says otherwise. ``calls`` is all that was called so far."""

    def __init__(self, inner: Store, plan: Plan) -> None:
        super().__init__(inner)
        self._plan = plan
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self.calls: list[Call] = []

    def _fault(self, operation: str, key: str) -> Fault | None:
        with self._lock:
            self._counts[operation] += 1
            call = Call(operation, key, self._counts[operation])
            self.calls.append(call)
        fault = self._plan(call)
        if fault is Fault.BEFORE:
            raise unavailable(self.id, f"{operation} {call.number}: no answer")
        if fault is Fault.FULL:
            raise no_space(self.id)
        return fault

    def _call(self, operation: str, key: str, work: Callable[[], T]) -> T:
        fault = self._fault(operation, key)
        if fault in (Fault.SHORT, Fault.FLIP):
            raise ValueError(f"{fault} is a fault of reading, not of {operation}")
        result = work()
        if fault is Fault.AFTER:
            raise unavailable(self.id, f"{operation}: the reply is lost")
        return result

    def open(self, key: str, start: int = 0, length: int | None = None) -> AbstractContextManager[ByteStream]:
        return self._call("open", key, lambda: _FaultStream(self, key, self._inner.open(key, start, length)))


class _FaultStream(WrappedStream):
    def __init__(self, store: FaultStore, key: str, opened: AbstractContextManager[ByteStream]) -> None:
        super().__init__(opened)
        self._store = store
        self._key = key
        self._broken = False

    def readinto(self, buffer: bytearray | memoryview) -> int:
        if self._broken:
            raise unavailable(self._store.id, "the connection broke")
        fault = self._store._fault("read", self._key)
        if fault is Fault.AFTER:
            self._broken = True
            raise unavailable(self._store.id, "the connection broke")
        if fault is Fault.SHORT:
            self._broken = True
            return self._stream.readinto(memoryview(buffer)[: max(1, len(buffer) // 2)])
        count = self._stream.readinto(buffer)
        if fault is Fault.FLIP and count:
            place = random.Random(self._store._counts["read"]).randrange(8 * count)  # noqa: S311  a test's dice
            buffer[place // 8] ^= 1 << place % 8
        return count
