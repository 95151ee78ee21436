"""A store in memory: the reference implementation of the port, for tests and trials."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from metadata.identifiers import StoreId
from storage.port import Bytes, ObjectInfo, Part, Upload
from storage.stores.failures import already_exists, checked_key, checked_range, no_upload, not_found


class MemoryStream:
    """The bytes of a view, in order."""

    def __init__(self, data: memoryview) -> None:
        self._rest = data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._rest = self._rest[:0]

    def readinto(self, buffer: bytearray | memoryview) -> int:
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def read(self, size: int) -> bytes:
        data, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return data


@dataclass(slots=True)
class _Pending:
    upload: Upload
    parts: dict[int, tuple[Part, bytes]] = field(default_factory=dict)


class MemoryStore:
    """Objects in a dictionary. Safe to use from several threads."""

    def __init__(self, store_id: StoreId, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._id = store_id
        self._now = now
        self._lock = threading.Lock()
        self._objects: dict[str, tuple[bytes, datetime]] = {}
        self._uploads: dict[str, _Pending] = {}

    @property
    def id(self) -> StoreId:
        return self._id

    def put(self, key: str, data: Bytes) -> None:
        self._create(checked_key(key), bytes(data))

    def _create(self, key: str, data: bytes) -> None:
        with self._lock:
            if key in self._objects:
                raise already_exists(self._id, key)
            self._objects[key] = (data, self._now())

    def open(self, key: str, start: int = 0, length: int | None = None) -> MemoryStream:
        found = self._objects.get(checked_key(key))
        if found is None:
            raise not_found(self._id, key)
        wanted = checked_range(len(found[0]), start, length)
        return MemoryStream(memoryview(found[0])[start : start + wanted])

    def head(self, key: str) -> ObjectInfo | None:
        found = self._objects.get(checked_key(key))
        return None if found is None else ObjectInfo(key, len(found[0]), found[1])

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        with self._lock:
            chosen = sorted(key for key in self._objects if key.startswith(prefix) and key > after)
            found = [(key, len(self._objects[key][0]), self._objects[key][1]) for key in chosen]
        yield from (ObjectInfo(*item) for item in found)

    def delete(self, key: str) -> None:
        with self._lock:
            self._objects.pop(checked_key(key), None)

    def bury(self, key: str) -> None:
        self.delete(key)

    def thaw(self, key: str) -> bool:
        if self.head(key) is None:
            raise not_found(self._id, key)
        return True

    def begin(self, key: str) -> Upload:
        upload = Upload(checked_key(key), uuid.uuid4().hex, self._now())
        with self._lock:
            self._uploads[upload.id] = _Pending(upload)
        return upload

    def put_part(self, upload: Upload, number: int, data: Bytes, offset: int | None = None) -> Part:
        part = Part(number, len(data), uuid.uuid4().hex)
        with self._lock:
            self._pending(upload).parts[number] = (part, bytes(data))
        return part

    def complete(self, upload: Upload, parts: Sequence[Part]) -> None:
        with self._lock:
            held = self._pending(upload).parts
            if not parts or any(held.get(part.number, (None,))[0] != part for part in parts):
                raise no_upload(self._id, upload.key)
        data = b"".join(held[part.number][1] for part in parts)
        try:
            self._create(upload.key, data)
        finally:
            self.abort(upload)

    def abort(self, upload: Upload) -> None:
        with self._lock:
            self._uploads.pop(upload.id, None)

    def uploads(self, prefix: str = "") -> Iterator[Upload]:
        with self._lock:
            found = [pending.upload for pending in self._uploads.values() if pending.upload.key.startswith(prefix)]
        yield from sorted(found, key=lambda upload: (upload.key, upload.id))

    def _pending(self, upload: Upload) -> _Pending:
        pending = self._uploads.get(upload.id)
        if pending is None or pending.upload.key != upload.key:
            raise no_upload(self._id, upload.key)
        return pending
