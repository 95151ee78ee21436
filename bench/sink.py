"""Stores that cost nothing, to measure the client alone."""

from __future__ import annotations

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
        raise NotFound(Sentence("Kho này không giữ gì.", "This store keeps nothing."))

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
