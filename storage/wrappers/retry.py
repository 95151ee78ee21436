"""Trying again while a store does not answer, without ever taking another's object for one's own."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from metadata.errors import AlreadyExists, Cold, NotFound, OnShelf, StoreUnavailable
from storage.port import Bytes, ByteStream, ObjectInfo, Part, Store, Upload
from storage.settled import settled
from storage.wrappers.base import T, WrappedStore, WrappedStream


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Times in seconds: give up ``deadline`` after the first try; wait ``first``, then twice as long up to ``longest``.

    Each wait is cut by up to a half at random, so that workers do not come back all at once.
    """

    deadline: float = 60.0
    first: float = 0.1
    longest: float = 10.0


class RetryStore(WrappedStore):
    """Tries again after StoreUnavailable, but not when the medium is on the shelf or the object in the cold.

    All other errors, a full disk among them, are for a person.

    A request whose reply was lost may have had its effect. When the next try of ``put`` meets an object, all bytes are
    compared; when the next try of ``complete`` finds the upload gone, the object must be there with its size.
    """

    def __init__(
        self,
        inner: Store,
        policy: RetryPolicy = RetryPolicy(),
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(inner)
        self._policy = policy
        self._sleep = sleep
        self._clock = clock
        self._jitter = jitter

    def _call(self, operation: str, key: str, work: Callable[[], T]) -> T:
        end = self._clock() + self._policy.deadline
        pause = self._policy.first
        while True:
            try:
                return work()
            except (Cold, OnShelf):
                raise  # waiting a minute does not help
            except StoreUnavailable:
                wait = pause * (1 - self._jitter() / 2)
                if self._clock() + wait > end:
                    raise
                self._sleep(wait)
                pause = min(2 * pause, self._policy.longest)

    def _call_once(
        self,
        operation: str,
        key: str,
        work: Callable[[], None],
        sign: type[AlreadyExists | NotFound],
        done: Callable[[], bool],
    ) -> None:
        """``work`` that cannot be done twice.

        ``sign`` is how the store refuses the second time; ``done`` then tells whether an earlier try had its effect.
        """
        tried = False

        def attempt() -> None:
            nonlocal tried
            first, tried = not tried, True
            try:
                work()
            except sign:
                if first or not done():
                    raise

        self._call(operation, key, attempt)

    def put(self, key: str, data: Bytes) -> None:
        self._call_once("put", key, lambda: self._inner.put(key, data), AlreadyExists, lambda: self._holds(key, data))

    def _holds(self, key: str, data: Bytes) -> bool:
        def read() -> bytes:
            with self._inner.open(key) as stream:
                return stream.read(len(data) + 1)

        # A bit flipped on the way back must not make another's object of one's own.
        return read() == bytes(data) or settled(self.id, read) == bytes(data)

    def complete(self, upload: Upload, parts: Sequence[Part]) -> None:
        def done() -> bool:
            info = self._inner.head(upload.key)
            return info is not None and info.size == sum(part.size for part in parts)

        self._call_once("complete", upload.key, lambda: self._inner.complete(upload, parts), NotFound, done)

    def open(self, key: str, start: int = 0, length: int | None = None) -> AbstractContextManager[ByteStream]:
        def opened(position: int) -> AbstractContextManager[ByteStream]:
            rest = None if length is None else length - (position - start)
            return self._inner.open(key, position, rest)

        return self._call("open", key, lambda: _RetryStream(self, key, opened, start))

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        found: Iterator[ObjectInfo] | None = None
        last = after

        def following() -> ObjectInfo | None:
            nonlocal found
            if found is None:
                found = self._inner.list(prefix, last)
            try:
                return next(found, None)
            except StoreUnavailable:
                found = None  # an iterator that has failed is at its end
                raise

        while (info := self._call("list", prefix, following)) is not None:
            last = info.key
            yield info


class _RetryStream(WrappedStream):
    """Opens the object again where the reading broke."""

    def __init__(
        self, store: RetryStore, key: str, opened: Callable[[int], AbstractContextManager[ByteStream]], start: int
    ) -> None:
        super().__init__(opened(start))
        self._store = store
        self._key = key
        self._open_at = opened
        self._position = start
        self._broken = False

    def readinto(self, buffer: bytearray | memoryview) -> int:
        def attempt() -> int:
            if self._broken:
                self._opened.__exit__(None, None, None)
                self._opened = self._open_at(self._position)
                self._stream = self._opened.__enter__()
                self._broken = False
            try:
                return self._stream.readinto(buffer)
            except StoreUnavailable:
                self._broken = True
                raise

        count = self._store._call("read", self._key, attempt)
        self._position += count
        return count
