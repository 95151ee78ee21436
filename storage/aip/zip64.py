"""The few ZIP structures that an AIP object is made of (APPNOTE 6.3.10; ISO/IEC 21320-1): stored members only.

Everything is written in one way only, so a reader can tell every byte in advance and find any that changed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

LIMIT_16 = 0xFFFF
LIMIT_32 = 0xFFFFFFFF
CRC_AT = 14
"""Where in a local header the CRC-32 (4 bytes, little endian) lies."""

LOCAL_SIZE = 30
CENTRAL_SIZE = 46
END_SIZE = 22
END64_SIZE = 56
LOCATOR_SIZE = 20
TAIL_SIZE = END_SIZE + LOCATOR_SIZE + END64_SIZE
"""The most bytes that can follow the central directory."""

_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_CENTRAL = struct.Struct("<4sHHHHHHLLLHHHHHLL")
_END = struct.Struct("<4sHHHHLLH")
_END64 = struct.Struct("<4sQHHLLQQQQ")
_LOCATOR = struct.Struct("<4sLQL")
_LOCAL_EXTRA = struct.Struct("<HHQQ")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_CENTRAL_SIGNATURE = b"PK\x01\x02"
_END_SIGNATURE = b"PK\x05\x06"
_END64_SIGNATURE = b"PK\x06\x06"
_LOCATOR_SIGNATURE = b"PK\x06\x07"
_MADE_BY = (3 << 8) | 45  # Unix, ZIP 4.5
_UTF8 = 0x0800
_DATE = 0x0021  # 1980-01-01, the first day ZIP knows
_REGULAR_FILE = 0o100644 << 16


class ZipSyntaxError(ValueError):
    """Bytes that are not the structure they should be, in the one form that the writer gives it."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a local header or central record says. ``name`` is as stored; ``offset`` is 0 in a local header."""

    name: bytes
    size: int
    crc32: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory lies: its first byte, its size in bytes, its number of records."""

    offset: int
    size: int
    count: int


def local_header(name: bytes, size: int, crc32: int) -> bytes:
    """The local header of a stored member of ``size`` bytes. Raises ValueError for a name of 0 or > 65,535 bytes."""
    if not 0 < len(name) <= LIMIT_16:
        raise ValueError(f"a member's name has 1 to 65,535 bytes, not {len(name)}")
    if size < LIMIT_32:
        return _LOCAL.pack(_LOCAL_SIGNATURE, 20, _UTF8, 0, 0, _DATE, crc32, size, size, len(name), 0) + name
    fixed = _LOCAL.pack(
        _LOCAL_SIGNATURE, 45, _UTF8, 0, 0, _DATE, crc32, LIMIT_32, LIMIT_32, len(name), _LOCAL_EXTRA.size
    )
    return fixed + name + _LOCAL_EXTRA.pack(1, 16, size, size)


def local_header_size(name: bytes, size: int) -> int:
    """Length in bytes of the local header of such a member."""
    return LOCAL_SIZE + len(name) + (_LOCAL_EXTRA.size if size >= LIMIT_32 else 0)


def central_record(name: bytes, size: int, crc32: int, offset: int) -> bytes:
    """The central directory record of a member whose local header begins at ``offset``."""
    needed, extra = 20, b""
    short_size, short_offset = size, offset
    if size >= LIMIT_32 or offset >= LIMIT_32:
        wide: list[int] = []
        if size >= LIMIT_32:
            needed, short_size = 45, LIMIT_32
            wide += (size, size)
        if offset >= LIMIT_32:
            short_offset = LIMIT_32
            wide.append(offset)
        extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide)
    fixed = _CENTRAL.pack(
        _CENTRAL_SIGNATURE, _MADE_BY, needed, _UTF8, 0, 0, _DATE, crc32, short_size, short_size,
        len(name), len(extra), 0, 0, 0, _REGULAR_FILE, short_offset,
    )  # fmt: skip
    return fixed + name + extra if extra else fixed + name


def end_records(directory: Directory) -> bytes:
    """What follows the central directory: the ZIP64 end record and locator when a number needs them, the end record."""
    offset, size, count = directory.offset, directory.size, directory.count
    end = _END.pack(
        _END_SIGNATURE, 0, 0, min(count, LIMIT_16), min(count, LIMIT_16), min(size, LIMIT_32), min(offset, LIMIT_32), 0
    )
    if count < LIMIT_16 and size < LIMIT_32 and offset < LIMIT_32:
        return end
    end64 = _END64.pack(_END64_SIGNATURE, END64_SIZE - 12, _MADE_BY, 45, 0, 0, count, count, size, offset)
    return end64 + _LOCATOR.pack(_LOCATOR_SIGNATURE, 0, offset + size, 1) + end


def parse_local(data: bytes | bytearray | memoryview) -> Header | None:
    """Read a local header at the start of ``data``; None when more bytes are needed. Raises ZipSyntaxError."""
    if len(data) < LOCAL_SIZE:
        return None
    (signature, *_, crc32, size, _, name_size, extra_size) = _LOCAL.unpack_from(data)
    length = LOCAL_SIZE + name_size + extra_size
    if signature != _LOCAL_SIGNATURE:
        raise ZipSyntaxError("no local header")
    if len(data) < length:
        return None
    name = bytes(data[LOCAL_SIZE : LOCAL_SIZE + name_size])
    if size == LIMIT_32:
        if extra_size != _LOCAL_EXTRA.size:
            raise ZipSyntaxError("local header without its ZIP64 sizes")
        size = _LOCAL_EXTRA.unpack_from(data, LOCAL_SIZE + name_size)[2]
    if not name_size or local_header(name, size, crc32) != data[:length]:
        raise ZipSyntaxError("local header in another form than the writer's")
    return Header(name, size, crc32, 0, length)


def parse_central(data: bytes | bytearray | memoryview, at: int = 0) -> Header | None:
    """Read the central record that begins at ``at``; None when more bytes are needed. Raises ZipSyntaxError."""
    if len(data) < at + CENTRAL_SIZE:
        return None
    fields = _CENTRAL.unpack_from(data, at)
    crc32, size, name_size, extra_size, offset = fields[7], fields[8], fields[10], fields[11], fields[16]
    length = CENTRAL_SIZE + name_size + extra_size
    if fields[0] != _CENTRAL_SIGNATURE:
        raise ZipSyntaxError("no central directory record")
    if len(data) < at + length:
        return None
    name = bytes(data[at + CENTRAL_SIZE : at + CENTRAL_SIZE + name_size])
    if extra_size:
        size, offset = _wide(bytes(data[at + length - extra_size : at + length]), size, offset)
    if not name_size or central_record(name, size, crc32, offset) != data[at : at + length]:
        raise ZipSyntaxError("central directory record in another form than the writer's")
    return Header(name, size, crc32, offset, length)


def _wide(extra: bytes, size: int, offset: int) -> tuple[int, int]:
    if len(extra) not in (12, 20, 28):
        raise ZipSyntaxError("central directory record with an unknown extra field")
    wide = list(struct.unpack(f"<{(len(extra) - 4) // 8}Q", extra[4:]))
    if size == LIMIT_32 and len(wide) >= 2:
        size = wide.pop(0)
        wide.pop(0)
    if offset == LIMIT_32 and wide:
        offset = wide.pop(0)
    return size, offset


def parse_end(tail: bytes, total: int) -> Directory:
    """Read the end of an object of ``total`` bytes from its last TAIL_SIZE bytes (or all). Raises ZipSyntaxError."""
    if len(tail) < END_SIZE:
        raise ZipSyntaxError("no end record")
    signature, _, _, _, count, size, offset, _ = _END.unpack(tail[-END_SIZE:])
    if signature != _END_SIGNATURE:
        raise ZipSyntaxError("no end record")
    if count == LIMIT_16 or size == LIMIT_32 or offset == LIMIT_32:
        if len(tail) < TAIL_SIZE:
            raise ZipSyntaxError("no ZIP64 end record")
        signature, *_, count, size, offset = _END64.unpack(tail[-TAIL_SIZE : -TAIL_SIZE + END64_SIZE])
        if signature != _END64_SIGNATURE:
            raise ZipSyntaxError("no ZIP64 end record")
    directory = Directory(offset, size, count)
    records = end_records(directory)
    if offset + size + len(records) != total or tail[-len(records) :] != records:
        raise ZipSyntaxError("end records in another form than the writer's, or not at the end")
    return directory
