"""The central directory as the writer would have written it, held against the one that is there."""

from __future__ import annotations

import hashlib

from storage.aip.blocks import Cursor
from storage.aip.damage import DIRECTORY_PLACE, DamageKind, Damages
from storage.aip.zip64 import Directory, central_record, end_records

_MOST_APPENDED = 64 << 20
_BUFFER = 1 << 16


class CentralTally:
    """Digests the records of the members as they pass: flat in memory."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._buffer = bytearray()
        self._size = 0
        self._count = 0

    def add(self, name: bytes, size: int, crc32: int, offset: int) -> None:
        """The next member."""
        self._buffer += central_record(name, size, crc32, offset)
        self._count += 1
        if len(self._buffer) >= _BUFFER:
            self._drain()

    def _drain(self) -> None:
        self._size += len(self._buffer)
        self._sha256.update(self._buffer)
        self._buffer.clear()

    def compare(self, cursor: Cursor, offset: int, damages: Damages) -> None:
        """Read what is left of the object; it must be the directory of the members added, beginning at ``offset``."""
        self._drain()
        ending = end_records(Directory(offset, self._size, self._count))
        self._sha256.update(ending)
        wanted = self._size + len(ending)
        found, got = hashlib.sha256(), 0
        for piece in cursor.pieces(wanted):
            found.update(piece)
            got += len(piece)
        if got != wanted:
            damages.add(DIRECTORY_PLACE, DamageKind.TRUNCATED, f"{wanted}", f"{got}")
        elif found.digest() != self._sha256.digest():
            damages.add(DIRECTORY_PLACE, DamageKind.DIRECTORY, self._sha256.hexdigest(), found.hexdigest())
        if more := cursor.rest(_MOST_APPENDED):
            damages.add(DIRECTORY_PLACE, DamageKind.APPENDED, "0", f"{more}")
