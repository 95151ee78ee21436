"""What all wrappers share: every operation of the inner store passes through one method."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Self, TypeVar

from metadata.identifiers import StoreId
from storage.port import Bytes, ByteStream, ObjectInfo, Part, Store, Upload

T = TypeVar("T")

_FIRST_BYTES = 64 << 10
_READ_BYTES = 1 << 20


class WrappedStream:
    """A stream of the inner store. ``read`` goes through ``readinto``, which wrappers change."""

    def __init__(self, opened: AbstractContextManager[ByteStream]) -> None:
        self._opened = opened
        self._stream = opened.__enter__()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.__exit__(None, None, None)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        return self._stream.readinto(buffer)

    def read(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            # No more at a time than there is already: most objects are small, and to clear a megabyte costs more.
            piece = bytearray(min(size - len(found), _READ_BYTES, max(_FIRST_BYTES, len(found))))
            count = self.readinto(piece)
            if count == 0:
                break
            found += piece[:count]
        return bytes(found)


class WrappedStore:
    """A store that does what the inner store does. Subclasses change ``_call`` and single operations."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner

    @property
    def id(self) -> StoreId:
        return self._inner.id

    def _call(self, operation: str, key: str, work: Callable[[], T]) -> T:
        """Do one operation; ``operation`` is its name in the port."""
        del operation, key
        return work()

    def put(self, key: str, data: Bytes) -> None:
        self._call("put", key, lambda: self._inner.put(key, data))

    def open(self, key: str, start: int = 0, length: int | None = None) -> AbstractContextManager[ByteStream]:
        return self._call("open", key, lambda: WrappedStream(self._inner.open(key, start, length)))

    def head(self, key: str) -> ObjectInfo | None:
        return self._call("head", key, lambda: self._inner.head(key))

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        found = self._inner.list(prefix, after)
        while (info := self._call("list", prefix, lambda: next(found, None))) is not None:
            yield info

    def delete(self, key: str) -> None:
        self._call("delete", key, lambda: self._inner.delete(key))

    def bury(self, key: str) -> None:
        self._call("bury", key, lambda: self._inner.bury(key))

    def thaw(self, key: str) -> bool:
        return self._call("thaw", key, lambda: self._inner.thaw(key))

    def begin(self, key: str) -> Upload:
        return self._call("begin", key, lambda: self._inner.begin(key))

    def put_part(self, upload: Upload, number: int, data: Bytes, offset: int | None = None) -> Part:
        return self._call("put_part", upload.key, lambda: self._inner.put_part(upload, number, data, offset))

    def complete(self, upload: Upload, parts: Sequence[Part]) -> None:
        self._call("complete", upload.key, lambda: self._inner.complete(upload, parts))

    def abort(self, upload: Upload) -> None:
        self._call("abort", upload.key, lambda: self._inner.abort(upload))

    def uploads(self, prefix: str = "") -> Iterator[Upload]:
        found = self._call("uploads", prefix, lambda: tuple(self._inner.uploads(prefix)))
        yield from found
