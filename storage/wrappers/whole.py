"""Reading many parts of a small object by one request."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from functools import cached_property

from metadata.errors import Unreadable
from metadata.text import Sentence
from storage.port import ByteStream, ObjectInfo, Store
from storage.wrappers.base import WrappedStore


class WholeObjectStore(WrappedStore):
    """The inner store, but one object of it is read whole, once, and then served from memory.

    Its parts come from one reading: who finds damage in them must read the inner store before believing it.
    """

    def __init__(self, inner: Store, info: ObjectInfo) -> None:
        """``info`` is what the store lists of the object. Opening it raises Unreadable when as much does not come."""
        super().__init__(inner)
        self._key, self._size = info.key, info.size

    @cached_property
    def _data(self) -> memoryview:
        found = bytearray()
        with self._inner.open(self._key) as stream:
            while len(found) <= self._size and (chunk := stream.read(1 << 20)):
                found += chunk
        if len(found) != self._size:
            raise Unreadable(
                Sentence(
                    f"Đọc {self._key} từ nơi lưu {self.id} không được {self._size} byte như liệt kê.",
                    f"Reading {self._key} from store {self.id} did not give the {self._size} bytes that it lists.",
                )
            )
        return memoryview(found)

    def open(self, key: str, start: int = 0, length: int | None = None) -> AbstractContextManager[ByteStream]:
        if key != self._key:
            return super().open(key, start, length)
        end = len(self._data) if length is None else start + length
        if not 0 <= start <= end <= len(self._data):
            raise ValueError(f"bytes {start}+{length} are not inside an object of {len(self._data)} bytes")
        return io.BytesIO(self._data[start:end])
