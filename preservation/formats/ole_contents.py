"""The streams of a compound file (OLE2): its tables held to what they say, streams read within bounds.

Stricter than the reader that identification uses: each sector belongs to one chain, no chain runs in a ring or out of
the file. The tables are a 128th of the file; everything is linear in it. (MS-CFB)
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from preservation.formats.task import Broken

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_REGULAR = 0xFFFFFFFA  # numbers of sectors are below
_END = 0xFFFFFFFE
_MOST_ENTRIES = 200_000
_SPARE = 200  # tables that a file may have beyond twice those that it needs
_STORAGE, _STREAM, _ROOT = 1, 2, 5


@dataclass(frozen=True, slots=True)
class Stream:
    """Where a stream lies: its first sector (of the small ones when it is small), its size in bytes."""

    start: int
    size: int


class OleContents:
    """Raises Broken. Paths have ``/`` between names."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, 2)
        head = self._at(0, 512)
        if len(head) < 512 or not head.startswith(SIGNATURE):
            raise Broken("the header of its compound file is missing")
        version, order, shift, mini = struct.unpack_from("<HHHH", head, 26)
        if order != 0xFFFE or (version, shift) not in ((3, 9), (4, 12)) or mini != 6:
            raise Broken("the header of its compound file is wrong")
        self._sector = 1 << shift
        fat, directory, _, cutoff, mini_fat, _, difat, difat_count = struct.unpack_from("<IIIIIIII", head, 44)
        self._cutoff = cutoff
        self._count = (self._size - 1) // self._sector  # the header is a sector too
        self._fat = self._table(self._fat_sectors(head, fat, difat, difat_count))
        self._used = bytearray(len(self._fat))
        self.storages: set[str] = set()
        self.streams: Mapping[str, Stream] = self._tree(b"".join(self._chain(directory, None, "its directory")))
        self._mini_fat = self._numbers(b"".join(self._chain(mini_fat, None, "its table of small sectors")))
        self._mini = b""
        self._prove()

    def _at(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)

    def _data(self, sector: int) -> bytes:
        return self._at((sector + 1) * self._sector, self._sector)

    def _numbers(self, data: bytes) -> array[int]:
        numbers = array("I", data[: len(data) // 4 * 4])
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers

    def _fat_sectors(self, head: bytes, count: int, difat: int, difat_count: int) -> list[int]:
        if count > self._count * 8 // self._sector + _SPARE:
            raise Broken("its list of tables is longer than the file needs")
        found = [one for one in struct.unpack_from("<109I", head, 76) if one < _REGULAR]
        for _ in range(difat_count):
            if difat >= self._count:
                raise Broken("its list of tables runs out of the file")
            *numbers, difat = self._numbers(self._data(difat))
            found += [one for one in numbers if one < _REGULAR]
            if len(found) > count:
                break
        if len(found) != count or any(one >= self._count for one in found):
            raise Broken("its list of tables is wrong")
        return found

    def _table(self, sectors: list[int]) -> array[int]:
        table = array("I")
        for sector in sectors:
            table.extend(self._numbers(self._data(sector)))
        return table

    def _chain(self, sector: int, size: int | None, what: str) -> Iterator[bytes]:
        """The sectors of a chain, each of which may be in one only; ``size`` in bytes when it is known before."""
        left = size
        while sector < _REGULAR and (left is None or left > 0):
            self._take(sector, what)
            data = self._data(sector)
            if left is not None:
                data = data[:left]
                left -= len(data)
            if not data:
                break
            yield data
            sector = self._fat[sector]
        if left:
            raise Broken(f"{what} ends too early")

    def _take(self, sector: int, what: str) -> None:
        if sector >= self._count or sector >= len(self._fat):
            raise Broken(f"{what} runs out of the file")
        if self._used[sector]:
            raise Broken(f"{what} shares its bytes with another stream or runs in a ring")
        self._used[sector] = 1

    def _tree(self, data: bytes) -> dict[str, Stream]:
        if len(data) < 128 or data[66] != _ROOT or len(data) // 128 > _MOST_ENTRIES:
            raise Broken("the directory of its compound file is wrong")
        self._root = Stream(*struct.unpack_from("<II", data, 116))
        found: dict[str, Stream] = {}
        seen: set[int] = set()
        waiting = [(struct.unpack_from("<I", data, 76)[0], "")]
        while waiting:
            number, folder = waiting.pop()
            if number >= _REGULAR:
                continue
            if number in seen or (number + 1) * 128 > len(data):
                raise Broken("the directory of its compound file runs in a ring or out of the file")
            seen.add(number)
            at = number * 128
            length, kind = struct.unpack_from("<HB", data, at + 64)
            if kind not in (_STORAGE, _STREAM) or length > 64:
                raise Broken("the directory of its compound file is wrong")
            name = folder + data[at : at + max(0, length - 2)].decode("utf-16-le", "replace")
            left, right, child, start, size = struct.unpack("<III36xII", data[at + 68 : at + 124])
            waiting += [(left, folder), (right, folder)]
            if kind == _STORAGE:
                self.storages.add(name)
                waiting.append((child, f"{name}/"))
            else:
                found[name] = Stream(start, size)
        return found

    def _prove(self) -> None:
        """Follow every chain once. Small streams lie in one chain of their own, which is read for it."""
        small = b"".join(self._chain(self._root.start, self._root.size, "its small streams"))
        used = bytearray(len(self._mini_fat))
        for name, one in self.streams.items():
            if one.size >= self._cutoff:
                if one.size > self._size:
                    raise Broken(f"stream {name!r} is larger than the file")
                for _ in self._chain(one.start, one.size, f"stream {name!r}"):
                    pass
                continue
            sector, left = one.start, one.size
            while left > 0:
                if sector >= len(used) or used[sector] or (sector + 1) * 64 > len(small) + 63:
                    raise Broken(f"stream {name!r} runs out of the file or in a ring")
                used[sector] = 1
                sector, left = self._mini_fat[sector], left - 64
        self._mini = small

    def read(self, path: str, most: int) -> bytes:
        """The first ``most`` bytes of a stream. Raises KeyError when there is none."""
        one = self.streams[path]
        left, sector, found = min(one.size, most), one.start, []
        while left > 0:
            if one.size >= self._cutoff:
                data, after = self._data(sector), self._fat[sector]
            else:
                data, after = self._mini[sector * 64 : sector * 64 + 64], self._mini_fat[sector]
            found.append(data[:left])
            left -= len(data)
            sector = after
        return b"".join(found)
