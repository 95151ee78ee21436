"""A single file as a store, so that an AIP can be verified on any computer, far from its archive."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from metadata.errors import NotFound, StoreUnavailable
from metadata.identifiers import StoreId
from metadata.text import Sentence
from storage.port import Bytes, ByteStream, ObjectInfo, Part, Upload


class _Stream:
    def __init__(self, file: io.BufferedReader, length: int) -> None:
        self._file = file
        self._left = length

    def readinto(self, buffer: bytearray | memoryview) -> int:
        count = self._file.readinto(memoryview(buffer)[: self._left])
        self._left -= count
        return count

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data


class OneFile:
    """Reading only: the one object is the file, whatever key is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.id = StoreId("file")

    @contextmanager
    def open(self, key: str, start: int = 0, length: int | None = None) -> Iterator[ByteStream]:
        size = self._info(key).size
        end = size if length is None else start + length
        if start < 0 or not start <= end <= size:
            raise ValueError(f"bytes {start} to {end} of {size}")
        try:
            with self._path.open("rb") as file:
                file.seek(start)
                yield _Stream(file, end - start)
        except OSError as error:
            raise StoreUnavailable(
                Sentence(f"Không đọc được {self._path}: {error}.", f"Cannot read {self._path}: {error}.")
            ) from error

    def head(self, key: str) -> ObjectInfo | None:
        return self._info(key) if self._path.is_file() else None

    def _info(self, key: str) -> ObjectInfo:
        try:
            found = self._path.stat()
        except FileNotFoundError as error:
            raise NotFound(Sentence(f"Không có tệp {self._path}.", f"There is no file {self._path}.")) from error
        return ObjectInfo(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        return iter(())

    def uploads(self, prefix: str = "") -> Iterator[Upload]:
        return iter(())

    def put(self, key: str, data: Bytes) -> None:
        self._refuse()

    def delete(self, key: str) -> None:
        self._refuse()

    def bury(self, key: str) -> None:
        self._refuse()

    def thaw(self, key: str) -> bool:
        self._info(key)
        return True

    def begin(self, key: str) -> Upload:
        self._refuse()

    def put_part(self, upload: Upload, number: int, data: Bytes, offset: int | None = None) -> Part:
        self._refuse()

    def complete(self, upload: Upload, parts: Sequence[Part]) -> None:
        self._refuse()

    def abort(self, upload: Upload) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise io.UnsupportedOperation("this store only reads")
