"""Looking into ZIP and OLE2 files without unpacking them: names, and the first megabyte of an inner file.

Bounded in what is read, what is inflated and how often a chain is followed, because these bytes come from outside.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

MOST_BYTES = 1 << 20
"""Read of one inner file."""
_MOST_DIRECTORY = 8 << 20
_MOST_NAMES = 100_000
_FREE = 0xFFFFFFFA
_END = 0xFFFFFFFE
_DIRECTORY_ENTRY = struct.Struct("<HHHHHHIIIHHHHHII")
Reader = Callable[[int, int], bytes]
"""Bytes of the file from an offset on: fewer at its end, or where nothing of it is at hand."""


class Broken(ValueError):
    """Not a container that can be looked into."""


class Inside(Protocol):
    """The inner files of a container, by path."""

    @property
    def names(self) -> Mapping[str, object]: ...

    def read(self, path: str) -> bytes:
        """The first megabyte of an inner file; what cannot be read is empty."""
        ...


@dataclass(frozen=True, slots=True)
class _ZipEntry:
    flags: int
    method: int
    packed: int
    offset: int


class ZipInside:
    """A ZIP file's central directory. Raises Broken."""

    def __init__(self, read: Reader, size: int, tail: bytes) -> None:
        self._read = read
        self.names: dict[str, _ZipEntry] = {}
        at = tail.rfind(b"PK\5\6")
        if at < 0 or at + 22 > len(tail):
            raise Broken("no end of central directory")
        length, offset = struct.unpack_from("<II", tail, at + 12)
        base = size - len(tail)
        if length == 0xFFFFFFFF or offset == 0xFFFFFFFF:
            at = tail.rfind(b"PK\6\6", 0, at)
            if at < 0 or at + 56 > len(tail):
                raise Broken("no ZIP64 end of central directory")
            length, offset = struct.unpack_from("<QQ", tail, at + 40)
        start = offset if read(offset, 4) == b"PK\1\2" else base + at - length
        self._moved = start - offset  # of a ZIP with something before it
        if start < 0:
            raise Broken("a central directory outside the file")
        self._directory(read(start, min(length, _MOST_DIRECTORY)))

    def _directory(self, data: bytes) -> None:
        at = 0
        while data[at : at + 4] == b"PK\1\2" and at + 46 <= len(data) and len(self.names) < _MOST_NAMES:
            _, _, flags, method, _, _, _, packed, _, name, extra, comment, *_, offset = _DIRECTORY_ENTRY.unpack_from(
                data, at + 4
            )
            text = data[at + 46 : at + 46 + name].decode("utf-8" if flags & 0x800 else "cp437", "replace")
            self.names.setdefault(text.replace("\\", "/"), _ZipEntry(flags, method, packed, offset))
            at += 46 + name + extra + comment

    def read(self, path: str) -> bytes:
        entry = self.names[path]
        start = entry.offset + self._moved
        header = self._read(start, 30) if start >= 0 else b""
        if entry.flags & 1 or header[:4] != b"PK\3\4" or len(header) < 30:
            return b""
        name, extra = struct.unpack_from("<HH", header, 26)
        data = self._read(start + 30 + name + extra, min(entry.packed, MOST_BYTES))
        if entry.method == 0:
            return data
        if entry.method != zlib.DEFLATED:
            return b""
        try:
            return zlib.decompressobj(-15).decompress(data, MOST_BYTES)
        except zlib.error:
            return b""


@dataclass(frozen=True, slots=True)
class _OleEntry:
    kind: int
    start: int
    size: int


class OleInside:
    """A compound file's directory tree. Raises Broken."""

    def __init__(self, read: Reader, size: int, head: bytes) -> None:
        if len(head) < 512:
            raise Broken("a header cut short")
        (shift,) = struct.unpack_from("<H", head, 30)
        if shift not in (9, 12):
            raise Broken("an unknown sector size")
        self._read = read
        self._sector_size = 1 << shift
        self._size = size
        _, directory, _, self._cutoff, self._mini_fat_start, _, more, more_count = struct.unpack_from(
            "<IIIIIIII", head, 44
        )
        self._fat_sectors = self._fat_list(struct.unpack_from("<109I", head, 76), more, more_count)
        self._fat: dict[int, tuple[int, ...]] = {}
        self._mini: tuple[bytes, tuple[int, ...]] | None = None
        self.names: dict[str, _OleEntry] = {}
        self._tree(self._chain(directory, _MOST_DIRECTORY))

    def _fat_list(self, first: tuple[int, ...], sector: int, count: int) -> list[int]:
        found = list(first)
        for _ in range(min(count, 64)):
            if sector >= _FREE:
                break
            numbers = self._numbers(self._sector(sector))
            if not numbers:
                break
            found += numbers[:-1]
            sector = numbers[-1]
        return [number for number in found if number < _FREE]

    def _tree(self, data: bytes) -> None:
        entries = []
        for at in range(0, len(data) - 127, 128):
            length, kind = struct.unpack_from("<HB", data, at + 64)
            name = data[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            left, right, child = struct.unpack_from("<III", data, at + 68)
            start, size = struct.unpack_from("<II", data, at + 116)
            entries.append((name, left, right, child, _OleEntry(kind, start, size)))
        if not entries:
            raise Broken("no directory")
        self._root = entries[0][4]
        seen: set[int] = set()
        waiting = [(entries[0][3], "")]
        while waiting:
            number, folder = waiting.pop()
            if number >= len(entries) or number in seen:
                continue
            seen.add(number)
            name, left, right, child, entry = entries[number]
            waiting += [(left, folder), (right, folder)]
            self.names.setdefault(folder + name, entry)
            if name[:1] < " ":  # PRONOM names streams without the control character that theirs begin with
                self.names.setdefault(folder + name[1:], entry)
            if entry.kind == 1:
                waiting.append((child, f"{folder}{name}/"))

    def read(self, path: str) -> bytes:
        entry = self.names[path]
        size = min(entry.size, MOST_BYTES)
        if entry.kind != 2:
            return b""
        if entry.size >= self._cutoff:
            return self._chain(entry.start, size)[:size]
        if self._mini is None:
            table = self._numbers(self._chain(self._mini_fat_start, MOST_BYTES))
            self._mini = self._chain(self._root.start, _MOST_DIRECTORY), table
        stream, table = self._mini
        found, sector = b"", entry.start
        while sector < len(table) and len(found) < size:
            found += stream[sector * 64 : sector * 64 + 64]
            sector = table[sector]
        return found[:size]

    def _sector(self, number: int) -> bytes:
        return self._read((number + 1) * self._sector_size, self._sector_size)

    def _numbers(self, data: bytes) -> tuple[int, ...]:
        return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])

    def _chain(self, sector: int, most: int) -> bytes:
        """The bytes of a chain of sectors, up to about ``most``."""
        found = []
        for _ in range(-(-min(most, self._size) // self._sector_size)):
            if sector >= _FREE:
                break
            found.append(self._sector(sector))
            sector = self._after(sector)
        return b"".join(found)

    def _after(self, sector: int) -> int:
        each = self._sector_size // 4
        block = sector // each
        numbers = self._fat.get(block)
        if numbers is None:
            if block >= len(self._fat_sectors):
                return _END
            numbers = self._fat[block] = self._numbers(self._sector(self._fat_sectors[block]))
        return numbers[sector % each] if sector % each < len(numbers) else _END
