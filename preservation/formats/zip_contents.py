"""The members of a ZIP file that is content: a directory held to what it says, members unpacked within bounds.

Stricter than the reader that identification uses: what is odd is told of, not passed over.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from preservation.formats.task import Broken

UNPACKED = 512 << 20
"""Bytes that are unpacked of one file in all."""

_END = struct.Struct("<4sHHHHIIH")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_ENTRY = struct.Struct("<4sHHHHHHIIIHHHHHII")
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_MOST_DIRECTORY = 32 << 20
_MOST_MEMBERS = 200_000
_CHUNK = 256 * 1024
_RATIO = 250
_RATIO_FROM = 16 << 20


class Swollen(Exception):
    """Unpacked it would be more than is allowed; the message says what is."""


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of the directory. Sizes in bytes; ``data`` is where its bytes begin."""

    name: str
    encrypted: bool
    method: int
    crc: int
    packed: int
    size: int
    data: int


class ZipContents:
    """Raises Broken for a directory that is not what it must be; Swollen when members say they grow beyond bounds."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, 2)
        self._left = UNPACKED
        self._total = 0
        count, length, offset, ends = self._end()
        if length > _MOST_DIRECTORY or count > _MOST_MEMBERS:
            raise Swollen(f"{_MOST_MEMBERS} members")
        if offset + length > ends:
            raise Broken("its ZIP directory lies outside the file")
        # Programs that unpack themselves stand before the ZIP: then all offsets are shifted.
        self._shift = 0 if self._at(offset, 4) == b"PK\1\2" or not count else ends - length - offset
        self.order: list[str] = []
        self.members: Mapping[str, Member] = self._directory(self._at(offset + self._shift, length), count)

    def _at(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)

    def _end(self) -> tuple[int, int, int, int]:
        """Count of entries, length and offset of the directory, and where what follows it begins."""
        start = max(0, self._size - 66_000)
        tail = self._at(start, 66_000)
        at = tail.rfind(b"PK\5\6")
        if at < 0 or at + _END.size > len(tail):
            raise Broken("its ZIP directory is missing: the file may be cut short")
        _, _, _, _, count, length, offset, comment = _END.unpack_from(tail, at)
        if at + _END.size + comment > len(tail):
            raise Broken("its ZIP comment is cut short")
        ends = start + at
        if 0xFFFFFFFF in (length, offset) or count == 0xFFFF:
            at64 = tail.rfind(b"PK\6\6", 0, at)
            if at64 >= 0 and at64 + _END64.size <= len(tail):
                *_, count, length, offset = _END64.unpack_from(tail, at64)
                ends = start + at64
        return count, length, offset, ends

    def _directory(self, data: bytes, count: int) -> dict[str, Member]:
        found: dict[str, Member] = {}
        at = 0
        for _ in range(count):
            if at + _ENTRY.size > len(data) or data[at : at + 4] != b"PK\1\2":
                raise Broken("its ZIP directory does not list as many members as it says")
            fields = _ENTRY.unpack_from(data, at)
            _, _, _, flags, method, _, _, crc, packed, size, name_length, extra, comment, _, _, _, offset = fields
            name_at = at + _ENTRY.size
            raw = data[name_at : name_at + name_length]
            more = data[name_at + name_length : name_at + name_length + extra]
            size, packed, offset = _zip64(more, size, packed, offset)
            name = raw.decode("utf-8" if flags & 0x800 else "cp437", "replace")
            if name in found:
                raise Broken(f"two members have the name {name!r}")
            found[name] = Member(
                name, bool(flags & 1), method, crc, packed, size, self._data(name, raw, packed, offset)
            )
            self.order.append(name)
            self._total += size
            at = name_at + name_length + extra + comment
        return found

    def _data(self, name: str, raw: bytes, packed: int, offset: int) -> int:
        header = self._at(offset + self._shift, _LOCAL.size) if 0 <= offset + self._shift < self._size else b""
        if len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
            raise Broken(f"member {name!r} is not where the ZIP directory says")
        length, extra = _LOCAL.unpack(header)[-2:]
        if self._file.read(length) != raw:
            raise Broken(f"member {name!r} has another name where it lies")
        start: int = offset + self._shift + _LOCAL.size + length + extra
        if start + packed > self._size:
            raise Broken(f"member {name!r} ends beyond the end of the file")
        return start

    def total(self) -> int:
        """Bytes of all members unpacked, as the directory says."""
        return self._total

    def refuse_swollen(self) -> None:
        """Raises Swollen for what would unpack beyond all reason; Broken for members that share their bytes."""
        size = self.total()
        if size > UNPACKED or (size > _RATIO_FROM and size > _RATIO * self._size):
            raise Swollen(f"{min(UNPACKED, max(_RATIO_FROM, _RATIO * self._size)) >> 20} MiB")
        ends = 0
        for one in sorted(self.members.values(), key=lambda one: one.data):
            if one.data < ends:
                raise Broken(f"member {one.name!r} shares its bytes with another")
            ends = one.data + one.packed

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member unpacked, piece by piece. Raises KeyError, Broken (at the end: its check sum is wrong), Swollen."""
        one = self.members[name]
        crc, size = 0, 0
        for chunk in self._unpacked(one):
            size += len(chunk)
            self._left -= len(chunk)
            if size > one.size:
                raise Broken(f"member {name!r} is larger than the ZIP directory says")
            if self._left < 0:
                raise Swollen(f"{UNPACKED >> 20} MiB")
            crc = zlib.crc32(chunk, crc)
            yield chunk
        if size != one.size or crc != one.crc:
            raise Broken(f"member {name!r} does not have its check sum")

    def _unpacked(self, one: Member) -> Iterator[bytes]:
        if one.encrypted or one.method not in (0, zlib.DEFLATED):
            raise Broken(f"member {one.name!r} is packed in a way that its format does not allow")
        inflate = zlib.decompressobj(-15) if one.method else None
        at, end = one.data, one.data + one.packed
        while at < end:
            piece = self._at(at, min(_CHUNK, end - at))
            if not piece:
                break
            at += len(piece)
            if inflate is None:
                yield piece
                continue
            try:
                while piece and not inflate.eof:
                    yield inflate.decompress(piece, _CHUNK)
                    piece = inflate.unconsumed_tail
            except zlib.error as error:
                raise Broken(f"member {one.name!r} cannot be unpacked") from error
            if inflate.eof:  # what is left of it is what nobody would read
                break
        if inflate is not None:
            yield inflate.flush()

    def read(self, name: str, most: int = 1 << 20) -> bytes:
        """A small member whole. Raises as :meth:`chunks`; Swollen when it is larger than ``most``."""
        if self.members[name].size > most:
            raise Swollen(f"{most >> 20} MiB")
        return b"".join(self.chunks(name))

    def check(self, name: str) -> None:
        """Unpack a member for its check sum."""
        for _ in self.chunks(name):
            pass


def _zip64(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Sizes and offset, from the ZIP64 field where the directory has no room for them."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            numbers = list(struct.unpack_from(f"<{min(length, len(extra) - at - 4) // 8}Q", extra, at + 4))
            values = [size, packed, offset]
            for index, value in enumerate(values):
                if value == 0xFFFFFFFF and numbers:
                    values[index] = numbers.pop(0)
            return values[0], values[1], values[2]
        at += 4 + length
    return size, packed, offset
