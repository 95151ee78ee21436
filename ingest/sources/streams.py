"""Streams over the bytes of an archive entry: bounded, checked to their end, never longer than the directory says."""

from __future__ import annotations

import io
import os
import zlib
from typing import TYPE_CHECKING

from ingest.sources.port import BrokenEntryError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_READ = 256 * 1024


class EntryStream(io.RawIOBase):
    """Plain bytes of an open file: ``size`` of them from ``start``. A file that ends early raises BrokenEntryError."""

    def __init__(self, handle: int, start: int, size: int, place: str) -> None:
        self._handle = handle
        self._at = start
        self._left = size
        self._place = place

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill ``buffer`` as far as the entry goes; 0 at its end."""
        with memoryview(buffer).cast("B") as view:
            done = 0
            while done < len(view) and (size := self._some(view[done:])):
                done += size
            return done

    def read(self, size: int = -1, /) -> bytes:
        """Exactly ``size`` bytes, fewer only at the end; all that is left when negative."""
        if size < 0:
            size = self._left
        data = bytearray(min(size, self._left + 1))
        return bytes(data[: self.readinto(data)]) if size else b""

    def _some(self, view: memoryview) -> int:
        if not self._left:
            return 0
        size = os.preadv(self._handle, [view[: self._left]], self._at)
        if not size:
            raise BrokenEntryError("SOURCE-CUT-SHORT", self._place)
        self._at += size
        self._left -= size
        return size


class StoredStream(EntryStream):
    """A stored ZIP member: its CRC-32 is compared when its last byte has been read."""

    def __init__(self, handle: int, start: int, size: int, place: str, crc: int) -> None:
        super().__init__(handle, start, size, place)
        self._expected = crc
        self._crc = 0

    def _some(self, view: memoryview) -> int:
        size = super()._some(view)
        self._crc = zlib.crc32(view[:size], self._crc)
        if not self._left and self._crc != self._expected:
            raise BrokenEntryError("ZIP-CRC", self._place)
        return size


class DeflatedStream(EntryStream):
    """A deflated ZIP member: never more bytes than the directory says, and exactly as many, with the CRC-32 it says."""

    def __init__(self, handle: int, start: int, packed: int, size: int, place: str, crc: int) -> None:
        super().__init__(handle, start, size, place)
        self._packed = packed
        self._expected = crc
        self._crc = 0
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._rest = b""
        self._ended = False

    def _some(self, view: memoryview) -> int:
        if self._ended:
            return 0
        data = b""
        while not data and not self._inflater.eof:
            data = self._inflate(len(view))
        if len(data) > self._left:
            raise BrokenEntryError("ZIP-SIZE", self._place)
        view[: len(data)] = data
        self._crc = zlib.crc32(data, self._crc)
        self._left -= len(data)
        if self._inflater.eof or not self._left:
            self._finish()
        return len(data)

    def _inflate(self, limit: int) -> bytes:
        if not self._rest:
            self._rest = os.pread(self._handle, min(_READ, self._packed), self._at)
            if not self._rest:
                raise BrokenEntryError("ZIP-SIZE", self._place)
            self._at += len(self._rest)
            self._packed -= len(self._rest)
        try:
            data = self._inflater.decompress(self._rest, max(limit, 1))
        except zlib.error as error:
            raise BrokenEntryError("ZIP-DATA", self._place) from error
        self._rest = self._inflater.unconsumed_tail
        return data

    def _finish(self) -> None:
        """The stream must end here too: no byte of output, no byte of input may be left."""
        self._ended = True
        while not self._inflater.eof:
            if self._inflate(1):
                raise BrokenEntryError("ZIP-SIZE", self._place)
        if self._left or self._packed or self._rest or self._inflater.unused_data:
            raise BrokenEntryError("ZIP-SIZE", self._place)
        if self._crc != self._expected:
            raise BrokenEntryError("ZIP-CRC", self._place)
