"""Archives that are content: their directories, passwords, number of members. They are never unpacked.

What is in them is kept as it came; its formats are not told, which a remark says.
"""

from __future__ import annotations

import io
import re
import struct
import tarfile
import zlib
from typing import BinaryIO

from metadata.characteristics import Facts
from metadata.outcomes import Validity
from preservation.formats.office import inspect as inspect_office
from preservation.formats.office import is_office
from preservation.formats.port import Inspection, Remark, Specimen
from preservation.formats.task import Broken, judged
from preservation.formats.zip_contents import UNPACKED, Swollen, ZipContents

REFUSALS: tuple[type[Exception], ...] = ()

_SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c"
_RAR4, _RAR5 = b"Rar!\x1a\x07\0", b"Rar!\x1a\x07\1\0"
_MOST_MEMBERS = 200_000
_BLOCK = 512
_SIZE = re.compile(rb"^\d{1,5} size=(\d{1,18})$", re.MULTILINE)
_CHUNK = 64 * 1024


def inspect(specimen: Specimen, file: BinaryIO | None) -> Inspection:
    """See :mod:`preservation.formats.task`. Of archives not at hand both ends are looked at."""
    head = specimen.head
    if head.startswith(_SEVEN_ZIP):
        return _seven_zip(specimen)
    if head.startswith((_RAR4, _RAR5)):
        return _rar(specimen)
    if file is None:
        return Inspection(remarks=(Remark("FORMAT-TOO-LARGE"),))
    if head.startswith(b"\x1f\x8b"):
        return _gzip(file)
    if head[257:262] == b"ustar" or ("tar" in specimen.format.mime and not head.startswith(b"PK")):
        return _tar(file, specimen.size)
    return _zip(specimen, file)


def _found(count: int | None, locked: bool, validity: Validity = Validity.VALID) -> Inspection:
    """``count`` of members, None when it cannot be seen."""
    remarks = [Remark("FORMAT-NOT-UNPACKED", {"count": "?" if count is None else str(count)})]
    if locked:
        remarks.insert(0, Remark("FORMAT-ENCRYPTED"))
        validity = judged(remarks)
    return Inspection(validity, tuple(remarks), Facts(encrypted=locked))


def _zip(specimen: Specimen, file: BinaryIO) -> Inspection:
    try:
        contents = ZipContents(file)
        if is_office(contents):
            return inspect_office(specimen, file)
    except Swollen as swollen:
        return Inspection(Validity.UNREADABLE, (Remark("FORMAT-SWOLLEN", {"limit": str(swollen)}),))
    found = _found(len(contents.members), any(one.encrypted for one in contents.members.values()))
    try:
        contents.refuse_swollen()
    except Swollen as swollen:
        remarks = (Remark("FORMAT-SWOLLEN", {"limit": str(swollen)}), *found.remarks)
        return Inspection(judged(remarks), remarks, found.facts)
    return found


def _tar(file: BinaryIO, size: int) -> Inspection:
    """Headers one after the other; what lies between them is passed over."""
    at, count, said = 0, 0, None
    while count < _MOST_MEMBERS:
        file.seek(at)
        header = file.read(_BLOCK)
        if not header.strip(b"\0"):
            break
        try:
            member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise Broken(f"member {count + 1} has no good header") from error
        length = member.size if said is None else said
        at += _BLOCK * (1 + (_sparse_blocks(file, header) if member.type == b"S" else 0))
        said = _said_size(file, at, length) if member.type == b"x" else None
        at += -(-length // _BLOCK) * _BLOCK
        if at > size or length < 0:
            raise Broken(f"member {count + 1} ends beyond the end of the file")
        count += member.type not in (b"x", b"g", b"L", b"K")
    return _found(count, locked=False)


def _sparse_blocks(file: BinaryIO, header: bytes) -> int:
    """Blocks between the header of a sparse file of GNU's and its contents."""
    count, more = 0, header[482:483] == b"\1"
    while more and count < _MOST_MEMBERS:
        count += 1
        more = file.read(_BLOCK)[504:505] == b"\1"
    return count


def _said_size(file: BinaryIO, at: int, length: int) -> int | None:
    """The size that an extended header (POSIX.1-2001) gives the member after it, when it gives one."""
    file.seek(at)
    found = _SIZE.search(file.read(min(length, 1 << 20)))
    return int(found.group(1)) if found else None


def _gzip(file: BinaryIO) -> Inspection:
    """Unpacked within bounds for its check sum; nothing of it is kept."""
    inflate, left = zlib.decompressobj(31), UNPACKED
    try:
        while not inflate.eof:
            piece = inflate.unconsumed_tail or file.read(_CHUNK)
            if not piece:
                raise Broken("it is cut short")
            left -= len(inflate.decompress(piece, _CHUNK))
            if left < 0:
                remarks = (Remark("FORMAT-SWOLLEN", {"limit": f"{UNPACKED >> 20} MiB"}),)
                return Inspection(Validity.UNREADABLE, remarks)
    except zlib.error as error:
        raise Broken("it cannot be unpacked") from error
    return _found(1, locked=False)


def _seven_zip(specimen: Specimen) -> Inspection:
    """The first header says where the last one lies, which tells of encryption when it lies open."""
    head = specimen.head
    if len(head) < 32 or zlib.crc32(head[12:32]) != struct.unpack_from("<I", head, 8)[0]:
        raise Broken("its first header is damaged")
    offset, length, crc = struct.unpack_from("<QQI", head, 12)
    begin = 32 + offset
    if begin + length > specimen.size:
        raise Broken(f"it says that it has {begin + length} bytes, and has {specimen.size}")
    last = _window(specimen, begin, length)
    if last is None:
        return _found(None, locked=False, validity=Validity.NOT_CHECKED)
    if zlib.crc32(last) != crc:
        raise Broken("its last header is damaged")
    return _found(None, locked=b"\x06\xf1\x07\x01" in last)  # the method AES-256


def _rar(specimen: Specimen) -> Inspection:
    """Whether the first headers are sane, and tell of a password."""
    head = specimen.head
    if head.startswith(_RAR5):
        stream = io.BytesIO(head[8:])
        crc = stream.read(4)
        start = stream.tell()
        size = _number(stream)
        body = head[8 + start : 8 + stream.tell() + size]
        if len(crc) < 4 or zlib.crc32(body) != struct.unpack("<I", crc)[0]:
            raise Broken("its first header is damaged")
        # A first header of type 4 says that all others are encrypted.
        return _found(None, locked=_number(stream) == 4, validity=Validity.NOT_CHECKED)
    if len(head) < 20:
        raise Broken("it is cut short")
    crc16, kind, flags, size = struct.unpack_from("<HBHH", head, 7)
    if kind != 0x73 or zlib.crc32(head[9 : 7 + size]) & 0xFFFF != crc16:
        raise Broken("its first header is damaged")
    at, locked, count = 7 + size, bool(flags & 0x80), 0
    while not locked and at + 11 <= len(head) and count < _MOST_MEMBERS:
        _, kind, flags, size = struct.unpack_from("<HBHH", head, at)
        more = struct.unpack_from("<I", head, at + 7)[0] if flags & 0x8000 else 0
        if size < 7:
            raise Broken("a header of a member is damaged")
        locked, count = kind == 0x74 and bool(flags & 4), count + (kind == 0x74)
        at += size + more
    if at > specimen.size:
        raise Broken("its last member is cut short")
    whole = not locked and len(head) == specimen.size
    return _found(count if whole else None, locked, Validity.VALID if whole else Validity.NOT_CHECKED)


def _number(stream: io.BytesIO) -> int:
    """A number of RAR 5: seven bits a byte, the lowest first."""
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            raise Broken("it is cut short")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise Broken("its first header is damaged")


def _window(specimen: Specimen, begin: int, length: int) -> bytes | None:
    """Bytes of the file, when they lie in one of its windows."""
    for data, start in ((specimen.head, 0), (specimen.tail, specimen.size - len(specimen.tail))):
        if start <= begin and begin + length <= start + len(data):
            return data[begin - start : begin - start + length]
    return None
