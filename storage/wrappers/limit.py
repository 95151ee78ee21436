"""Leaving something for others: a limit on bytes a second, on requests a second and on requests at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from storage.port import Bytes, ByteStream, Part, Store, Upload
from storage.wrappers.base import T, WrappedStore, WrappedStream


class LimitStore(WrappedStore):
    """At most ``bytes_per_second``, sent and received together, ``requests`` at the same time, and so many a second.

    All threads that use this object share the limits. A stream that is open but not being read is no request.
    """

    def __init__(
        self,
        inner: Store,
        bytes_per_second: float | None = None,
        requests: int | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        requests_per_second: float | None = None,
    ) -> None:
        super().__init__(inner)
        self._rate = bytes_per_second
        self._slots: AbstractContextManager[object] = (
            nullcontext() if requests is None else threading.BoundedSemaphore(requests)
        )
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at = clock()
        self._request_rate = requests_per_second
        self._request_at = clock()

    def _call(self, operation: str, key: str, work: Callable[[], T]) -> T:
        if self._request_rate is not None and operation != "read":
            with self._lock:
                now = self._clock()
                begin = max(self._request_at, now)
                self._request_at = begin + 1 / self._request_rate
            if begin > now:
                self._sleep(begin - now)
        with self._slots:
            return work()

    def _pace(self, count: int) -> None:
        """Wait until the bytes before these have had their time."""
        if self._rate is None or count == 0:
            return
        with self._lock:
            now = self._clock()
            begin = max(self._free_at, now)
            self._free_at = begin + count / self._rate
        if begin > now:
            self._sleep(begin - now)

    def put(self, key: str, data: Bytes) -> None:
        self._pace(len(data))
        super().put(key, data)

    def put_part(self, upload: Upload, number: int, data: Bytes, offset: int | None = None) -> Part:
        self._pace(len(data))
        return super().put_part(upload, number, data, offset)

    def open(self, key: str, start: int = 0, length: int | None = None) -> AbstractContextManager[ByteStream]:
        return self._call("open", key, lambda: _LimitStream(self, key, self._inner.open(key, start, length)))


class _LimitStream(WrappedStream):
    def __init__(self, store: LimitStore, key: str, opened: AbstractContextManager[ByteStream]) -> None:
        super().__init__(opened)
        self._store = store
        self._key = key

    def readinto(self, buffer: bytearray | memoryview) -> int:
        count = self._store._call("read", self._key, lambda: self._stream.readinto(buffer))
        self._store._pace(count)
        return count
