"""Stores that cost nothing, to measure the client alone."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from metadata.errors import NotFound
from metadata.identifiers import StoreId
from metadata.text import Sentence
from storage.port import Bytes, ByteStream, ObjectInfo, Part, Upload


class SinkStore:
    """Takes everything and keeps nothing."""

    def __init__(self, name: str) -> None:
        self._id = StoreId(name)

    @property
    def id(self) -> StoreId:
        return self._id

    def put(self, key: str, data: Bytes) -> None:
        pass

    def open(self, key: str, start: int = 0, length: int | None = None) -> AbstractContextManager[ByteStream]:
        raise NotFound(Sentence("Nơi lưu này không giữ gì.", "This store keeps nothing."))

    def head(self, key: str) -> ObjectInfo | None:
        return None

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        return iter(())

    def delete(self, key: str) -> None:
        pass

    def begin(self, key: str) -> Upload:
        return Upload(key, "sink", datetime.now(UTC))

    def put_part(self, upload: Upload, number: int, data: Bytes, offset: int | None = None) -> Part:
        return Part(number, len(data), "sink")

    def complete(self, upload: Upload, parts: Sequence[Part]) -> None:
        pass

    def abort(self, upload: Upload) -> None:
        pass

    def uploads(self, prefix: str = "") -> Iterator[Upload]:
        return iter(())


class TailStore(SinkStore):
    """Keeps the first and the last parts of the object and small objects: enough for the catalogue to be written."""

    _PARTS = 4

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._parts: dict[int, tuple[int, bytes]] = {}
        self._small: dict[str, bytes] = {}
        self._size = 0

    def put(self, key: str, data: Bytes) -> None:
        self._small[key] = bytes(data)

    def put_part(self, upload: Upload, number: int, data: Bytes, offset: int | None = None) -> Part:
        assert offset is not None
        self._parts[number] = (offset, bytes(data))
        for old in sorted(self._parts)[1 : -self._PARTS]:
            del self._parts[old]
        self._size = max(self._size, offset + len(data))
        return Part(number, len(data), "tail")

    def head(self, key: str) -> ObjectInfo | None:
        size = len(self._small[key]) if key in self._small else (self._size if key.endswith(".zip") else 0)
        return ObjectInfo(key, size, datetime.now(UTC)) if size else None

    def open(self, key: str, start: int = 0, length: int | None = None) -> AbstractContextManager[ByteStream]:
        whole = self._small.get(key)
        end = (len(whole) if whole else self._size) if length is None else start + length
        if whole is not None:
            return _Bytes(whole[start:end])
        ordered = sorted(self._parts.values())
        kept = b"".join(data[max(0, start - at) : max(0, end - at)] for at, data in ordered)
        assert len(kept) == end - start, f"bytes {start}-{end} were not kept"
        return _Bytes(kept)


class _Bytes(io.BytesIO):
    """Bytes at hand as a stream of a store."""

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        return super().readinto(buffer)
