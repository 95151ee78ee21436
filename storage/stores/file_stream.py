"""Reading a stored file."""

from __future__ import annotations

import os
from typing import Self

from metadata.identifiers import StoreId
from storage.stores.failures import disk_errors, unavailable


class FileStream:
    """A part of a file, from ``start`` on. A file that ends too early is StoreUnavailable, never a short read."""

    def __init__(self, store: StoreId, descriptor: int, start: int) -> None:
        """The descriptor is closed with it, also when nothing is read."""
        self._store = store
        self._descriptor = descriptor
        self._position = start
        self._left = 0

    def bound(self, length: int) -> None:
        """How many bytes it has, from now on."""
        self._left = length

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        wanted = min(len(buffer), self._left)
        if wanted == 0:
            return 0
        with disk_errors(self._store):
            count = os.preadv(self._descriptor, [memoryview(buffer)[:wanted]], self._position)
        if count == 0:
            raise unavailable(self._store, "the file ends too early")
        self._position += count
        self._left -= count
        return count

    def read(self, size: int) -> bytes:
        buffer = bytearray(min(size, self._left))
        view, filled = memoryview(buffer), 0
        while filled < len(buffer):
            filled += self.readinto(view[filled:])
        return bytes(buffer)
