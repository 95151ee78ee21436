"""Not waiting again and again for a store that is away."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from metadata.errors import Cold, OnShelf, StoreUnavailable
from storage.marker import MARKER_KEY
from storage.port import ByteStream, Store
from storage.wrappers.base import T, WrappedStore


class BreakerStore(WrappedStore):
    """After StoreUnavailable, where the store does not give its marker either, everything fails at once for ``rest``
    seconds. For work that goes on with other stores meanwhile: what tries again by itself is the inner store.

    One object that cannot be read does not make its store away.
    """

    def __init__(self, inner: Store, rest: float = 300.0, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(inner)
        self._rest = rest
        self._clock = clock
        self._away: tuple[float, StoreUnavailable] | None = None

    def _call(self, operation: str, key: str, work: Callable[[], T]) -> T:
        if self._away is not None:
            until, error = self._away
            if self._clock() < until:
                raise StoreUnavailable(error.sentence) from error
            self._away = None
        try:
            return work()
        except (Cold, OnShelf):
            raise
        except StoreUnavailable as error:
            if not self._answers():
                self._away = self._clock() + self._rest, error
            raise

    def _answers(self) -> bool:
        try:
            self._inner.head(MARKER_KEY)
        except StoreUnavailable:
            return False
        return True

    def open(self, key: str, start: int = 0, length: int | None = None) -> AbstractContextManager[ByteStream]:
        return self._call("open", key, lambda: self._inner.open(key, start, length))
