"""Reading many parts of a small object by one request."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from functools import cached_property

from storage.port import ByteStream, Store
from storage.wrappers.base import WrappedStore


class WholeObjectStore(WrappedStore):
    """The inner store, but one object of it is read whole, once, and then served from memory.

    Its parts come from one reading: who finds damage in them must read the inner store before believing it.
    """

    def __init__(self, inner: Store, key: str) -> None:
        super().__init__(inner)
        self._key = key

    @cached_property
    def _data(self) -> memoryview:
        found = bytearray()
        with self._inner.open(self._key) as stream:
            while chunk := stream.read(1 << 20):
                found += chunk
        return memoryview(found)

    def open(self, key: str, start: int = 0, length: int | None = None) -> AbstractContextManager[ByteStream]:
        if key != self._key:
            return super().open(key, start, length)
        end = len(self._data) if length is None else start + length
        if not 0 <= start <= end <= len(self._data):
            raise ValueError(f"bytes {start}+{length} are not inside an object of {len(self._data)} bytes")
        return io.BytesIO(self._data[start:end])
