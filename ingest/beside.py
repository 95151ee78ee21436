"""Work done by other threads beside the pass, a bounded amount ahead of it, whose answers the pass itself takes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Beside(Generic[T]):
    """Up to ``number`` jobs of at most ``size`` bytes together are under way; whoever submits more, waits.

    ``take`` is called in the submitting thread with each answer, in the order in which they come: one that takes long
    holds no other up. What a job raises is raised there too.
    """

    def __init__(self, name: str, threads: int, number: int, size: int, take: Callable[[T], None]) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._number, self._size = number, size
        self._take = take
        self._done: SimpleQueue[tuple[int, Future[T]]] = SimpleQueue()
        self._jobs = 0
        self._bytes = 0

    def room(self, size: int = 0) -> None:
        """Wait until another job of ``size`` bytes may be submitted; one that is too large by itself may be alone."""
        while self._jobs and (self._jobs >= self._number or self._bytes + size > self._size):
            self._next(block=True)
        while self._next(block=False):
            pass

    def submit(self, size: int, job: Callable[[], T]) -> None:
        """Have ``job`` done, when there is room for it."""
        self.room(size)
        self._jobs += 1
        self._bytes += size
        future = self._executor.submit(job)
        future.add_done_callback(lambda done: self._done.put((size, done)))

    def finish(self) -> None:
        """Wait for all and take what they answer."""
        while self._jobs:
            self._next(block=True)

    def close(self) -> None:
        """End the threads: jobs not begun are dropped, those begun are waited for, no answer is taken."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _next(self, *, block: bool) -> bool:
        if not self._jobs:
            return False
        try:
            size, done = self._done.get(block)
        except Empty:
            return False
        self._jobs -= 1
        self._bytes -= size
        self._take(done.result())
        return True
