"""How much room a file system has, asked so that one that hangs holds up nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from metadata.errors import TangThuError
from metadata.identifiers import StoreId


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a file system: those that may still be written, and all."""

    free: int
    total: int


class SpaceGauge:
    """Asks stores for their space, all at once. Threads may share it.

    Each question runs in a thread of its own, for a file server that is gone may never answer. Until a question is
    answered its store is not asked again: however often people look, one thread waits for it.
    """

    def __init__(
        self,
        asks: Mapping[StoreId, Callable[[], Space]],
        patience: float = 1.0,
        fresh: float = 30.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``patience``: seconds in which an answer must come; ``fresh``: for how many one is good enough."""
        self._questions = {store: _Question(ask) for store, ask in asks.items()}
        self._patience = patience
        self._fresh = fresh
        self._now = now
        self._guard = threading.Lock()

    def read(self) -> dict[StoreId, Space | None]:
        """The space of each store; None where it does not answer in time, or says that it cannot be asked."""
        with self._guard:
            now = self._now()
            for one in self._questions.values():
                one.ask(now, self._fresh)
        return {store: one.answer(self._patience, self._now) for store, one in self._questions.items()}


class _Question:
    def __init__(self, ask: Callable[[], Space]) -> None:
        self._ask = ask
        self._asked = 0.0
        self._thread: threading.Thread | None = None
        self._answer: Space | None = None

    def ask(self, now: float, fresh: float) -> None:
        if self._thread is not None and (self._thread.is_alive() or now - self._asked < fresh):
            return
        self._asked, self._answer = now, None
        self._thread = threading.Thread(target=self._run, name="tangthu-space", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._answer = self._ask()
        except TangThuError:
            return  # it does not answer, and why is told by whoever needs it

    def answer(self, patience: float, now: Callable[[], float]) -> Space | None:
        thread = self._thread
        if thread is not None:
            thread.join(max(0.0, self._asked + patience - now()))
        return self._answer
