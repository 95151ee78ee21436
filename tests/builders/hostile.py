"""Archives built byte by byte, so that each can break exactly one thing."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class ZipMember:
    """One member. What is None follows from the rest; anything else is written as it stands."""

    name: bytes
    data: bytes = b"x"
    method: int = 0
    flags: int = 0x800
    mode: int = 0o100644
    made: int = 3
    extra: bytes = b""
    packed: bytes | None = None
    size: int | None = None
    packed_size: int | None = None
    crc: int | None = None
    offset: int | None = None
    disk: int = 0
    local_name: bytes | None = None
    local_size: int | None = None
    local_crc: int | None = None
    local_method: int | None = None
    local_flags: int | None = None
    local_extra: bytes = b""
    descriptor: bytes = b""
    before: bytes = b""


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


@dataclass(frozen=True)
class ZipEnd:
    """The end of a ZIP; None follows from the rest."""

    prefix: bytes = b""
    before_directory: bytes = b""
    after_directory: bytes = b""
    comment: bytes = b""
    suffix: bytes = b""
    entries: int | None = None
    offset: int | None = None
    size: int | None = None
    disk: int = 0
    zip64: bytes | None = None


def or_else(value: int | None, other: int) -> int:
    return other if value is None else value


def raw_zip(members: list[ZipMember], end: ZipEnd = ZipEnd()) -> bytes:
    out, directory = bytearray(end.prefix), bytearray()
    for m in members:
        out += m.before
        packed = m.packed if m.packed is not None else deflated(m.data) if m.method == 8 else m.data
        crc, size = or_else(m.crc, zlib.crc32(m.data)), or_else(m.size, len(m.data))
        packed_size, offset = or_else(m.packed_size, len(packed)), or_else(m.offset, len(out))
        flags = m.flags | (8 if m.descriptor else 0)
        name = m.name if m.local_name is None else m.local_name
        out += struct.pack(
            "<4s5H3L2H", b"PK\x03\x04", 20, or_else(m.local_flags, flags), or_else(m.local_method, m.method), 0, 33,
            or_else(m.local_crc, 0 if m.descriptor else crc), 0 if m.descriptor else packed_size,
            or_else(m.local_size, 0 if m.descriptor else size), len(name), len(m.local_extra),
        )  # fmt: skip
        out += name + m.local_extra + packed + m.descriptor
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", m.made << 8 | 20, 20, flags, m.method, 0, 33, crc, packed_size, size,
            len(m.name), len(m.extra), 0, m.disk, 0, m.mode << 16, offset,
        )  # fmt: skip
        directory += m.name + m.extra
    out += end.before_directory
    at = or_else(end.offset, len(out))
    count = or_else(end.entries, len(members))
    out += directory + end.after_directory
    if end.zip64 is not None:
        out += end.zip64
    out += struct.pack(
        "<4s4H2LH", b"PK\x05\x06", end.disk, end.disk, count, count, or_else(end.size, len(directory)), at,
        len(end.comment),
    )  # fmt: skip
    return bytes(out + end.comment + end.suffix)


def zip64_tail(entries: int, size: int, offset: int, at: int, locator: int | None = None) -> bytes:
    """ZIP64 end record and locator; ``at`` is where they begin."""
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, size, offset)
    return record + struct.pack("<4sLQL", b"PK\x06\x07", 0, or_else(locator, at), 1)


@dataclass(frozen=True)
class TarMember:
    """One tar header and its data; ``size`` None is the data's."""

    name: bytes
    data: bytes = b"x"
    kind: bytes = b"0"
    size: int | None = None
    size_field: bytes | None = None
    link: bytes = b""
    prefix: bytes = b""
    checksum: int | None = None
    mode: int = 0o644


def raw_tar(members: list[TarMember], end: bytes = bytes(1024)) -> bytes:
    out = bytearray()
    for m in members:
        size = m.size_field or b"%011o\0" % or_else(m.size, len(m.data))
        header = struct.pack(
            "100s8s8s8s12s12s8sc100s6s2s32s32s8s8s155s12x", m.name, b"%07o\0" % m.mode, b"0000000\0", b"0000000\0",
            size, b"00000000000\0", b" " * 8, m.kind, m.link, b"ustar\0", b"00", b"", b"", b"", b"", m.prefix,
        )  # fmt: skip
        check = or_else(m.checksum, sum(header))
        header = header[:148] + b"%06o\0 " % check + header[156:]
        out += header + m.data + bytes(-len(m.data) % 512)
    return bytes(out + end)


def pax(**records: str | bytes) -> TarMember:
    """A pax extended header; ``_`` in a name stands for ``.``."""
    data = b""
    for key, value in records.items():
        text = value if isinstance(value, bytes) else value.encode()
        body = b" " + key.replace("_", ".").encode() + b"=" + text + b"\n"
        length = len(body) + 1
        while len(str(length)) + len(body) != length:
            length = len(str(length)) + len(body)
        data += str(length).encode() + body
    return TarMember(b"PaxHeader", data, b"x")


def with_(member: ZipMember, **changes: object) -> ZipMember:
    return replace(member, **changes)  # type: ignore[arg-type]


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
