"""Reading the directory of a ZIP that we do not trust (APPNOTE 6.3.10, ISO/IEC 21320-1).

One reading only: whatever two programs could read differently is refused. The file is one ZIP from its first byte to
its last: local headers in a row without gap or overlap, then the directory, then one end record.
"""

from __future__ import annotations

import os
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ingest.sources.index import Located
from ingest.sources.port import EntryKind
from metadata.findings import Findings

END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR = struct.Struct("<4sLQL")
CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
_END, _END64, _LOCATOR, _CENTRAL = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02"
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
ENCRYPTED, DESCRIPTOR, STRONG, UTF8, MASKED = 1, 8, 0x40, 0x800, 0x2000
_UNIX = (3, 19)


class DirectoryError(Exception):
    """The directory cannot be read; ``code`` and ``details`` make the finding."""

    def __init__(self, code: str, place: str = "", **details: object) -> None:
        super().__init__(code)
        self.code = code
        self.place = place
        self.details = details


@dataclass(frozen=True, slots=True)
class DirectoryEnd:
    """Where the directory lies and how many entries it says it has."""

    entries: int
    offset: int
    size: int


def find_end(handle: int, total: int) -> DirectoryEnd:
    """Find the end record of a file of ``total`` bytes. Raises DirectoryError when there is not exactly one."""
    start = max(0, total - END.size - _FULL16)
    tail = os.pread(handle, total - start, start)
    fits = [at for at in _positions(tail, _END) if _comment_fits(tail, at)]
    if not fits:
        raise DirectoryError("ZIP-CUT-SHORT")
    at = fits[0]
    if len(fits) > 1 or _END in tail[at + END.size :]:
        raise DirectoryError("ZIP-TWO-ENDS")
    _, disk, first_disk, here, entries, size, offset, _ = END.unpack_from(tail, at)
    position = start + at
    end, before = DirectoryEnd(entries, offset, size), position
    locator = os.pread(handle, LOCATOR.size, position - LOCATOR.size) if position >= LOCATOR.size else b""
    if locator.startswith(_LOCATOR):
        end, before = _end64(handle, position - LOCATOR.size, locator, (disk, first_disk, here, entries, size, offset))
    elif _FULL16 in (here, entries) or _FULL32 in (size, offset):
        raise DirectoryError("ZIP-ZIP64")
    elif disk or first_disk or here != entries:
        raise DirectoryError("ZIP-SPLIT")
    if end.offset + end.size != before:
        raise DirectoryError("ZIP-JUNK", offset=min(end.offset + end.size, before))
    return end


def _positions(data: bytes, signature: bytes) -> Iterator[int]:
    at = data.find(signature)
    while at >= 0:
        yield at
        at = data.find(signature, at + 1)


def _comment_fits(tail: bytes, at: int) -> bool:
    return len(tail) - at >= END.size and at + END.size + END.unpack_from(tail, at)[7] == len(tail)


def _end64(
    handle: int, position: int, locator: bytes, small: tuple[int, int, int, int, int, int]
) -> tuple[DirectoryEnd, int]:
    _, disk, offset, disks = LOCATOR.unpack(locator)
    if disk or disks > 1:
        raise DirectoryError("ZIP-SPLIT")
    record = os.pread(handle, END64.size, offset) if offset == position - END64.size else b""
    if len(record) != END64.size or not record.startswith(_END64):
        raise DirectoryError("ZIP-ZIP64")
    _, length, _, _, *large = END64.unpack(record)
    full = (_FULL16, _FULL16, _FULL16, _FULL16, _FULL32, _FULL32)
    agree = all(low in (high, limit) for low, high, limit in zip(small, large, full, strict=True))
    if length != END64.size - 12 or not agree or large[2] != large[3] or large[0] or large[1]:
        raise DirectoryError("ZIP-ZIP64")
    return DirectoryEnd(large[3], large[5], large[4]), offset


class DirectoryReader:
    """Reads the directory's entries; what is wrong with one becomes a finding, what makes it unreadable an error."""

    def __init__(self, stream: BinaryIO, end: DirectoryEnd, findings: Findings) -> None:
        self._stream = stream
        self._end = end
        self._findings = findings

    def entries(self) -> Iterator[Located]:
        """Every entry of the directory. Raises DirectoryError when the directory is not what its end record says."""
        self._stream.seek(self._end.offset)
        left = self._end.size
        for _ in range(self._end.entries):
            head = self._stream.read(CENTRAL.size)
            if len(head) < CENTRAL.size or not head.startswith(_CENTRAL):
                raise DirectoryError("ZIP-DIRECTORY")
            fields = CENTRAL.unpack(head)
            rest = self._stream.read(sum(fields[10:13]))
            left -= len(head) + sum(fields[10:13])
            if left < 0:
                raise DirectoryError("ZIP-DIRECTORY")
            yield self._entry(fields, rest)
        if left:
            raise DirectoryError("ZIP-DIRECTORY")

    def _entry(self, fields: tuple[int, ...], rest: bytes) -> Located:
        _, made, _, flags, method, _, _, crc, packed, size, name_size, extra_size, _, disk, _, mode, start = fields
        name, extra = rest[:name_size], rest[name_size : name_size + extra_size]
        shown = name.decode("utf-8", "backslashreplace")
        parts = read_extra(extra)
        if parts is None:
            raise DirectoryError("ZIP-DIRECTORY", shown)
        size, packed, start, disk = self._zip64(shown, parts.get(1, b""), (size, packed, start, disk))
        path = self._name(name, flags, parts.get(0x7075), shown)
        if flags & (ENCRYPTED | STRONG | MASKED):
            self._findings.add("ZIP-ENCRYPTED", path)
        elif method not in (0, 8):
            self._findings.add("ZIP-METHOD", path, method=method)
        elif method == 0 and packed != size:
            self._findings.add("ZIP-SIZE", path)
        if disk:
            self._findings.add("ZIP-SPLIT", path)
        kind = _kind(path, mode >> 16 if made >> 8 in _UNIX else 0)
        if kind is EntryKind.FOLDER:
            path = path[:-1]
            if size or packed > 2:
                self._findings.add("ZIP-SIZE", path)
        return Located(path, kind, start, packed, size, crc, method, flags, name)

    def _zip64(self, place: str, extra: bytes, values: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        """Size, packed size, offset and disk, those that are full replaced by the ZIP64 field's."""
        widths, found, at = (8, 8, 8, 4), list(values), 0
        for number, (value, width) in enumerate(zip(values, widths, strict=True)):
            if value == (_FULL32 if width == 8 else _FULL16) and extra:
                found[number] = int.from_bytes(extra[at : at + width], "little")
                at += width
        size, packed, start, disk = found
        if at > len(extra) or max(size, packed, start) >= 1 << 63 or (_FULL32 in values[:3] and not extra):
            self._findings.add("ZIP-ZIP64", place)
            return 0, 0, 0, 0
        return size, packed, start, disk

    def _name(self, name: bytes, flags: int, unicode: bytes | None, shown: str) -> str:
        """The one name that every program reads; a finding when there is none."""
        try:
            path = name.decode("utf-8")
        except UnicodeDecodeError:
            path = ""
        if unicode is not None:
            other = unicode[5:].decode("utf-8", "replace")
            good = (
                unicode[:1] == b"\1" and unicode[1:5] == struct.pack("<L", zlib.crc32(name)) and "\ufffd" not in other
            )
            if not good or (path and path != other):
                self._findings.add("ZIP-NAME-TWO", shown)
            path = path or other
        elif not path and name:
            self._findings.add("ZIP-NAME-ENCODING", shown)
        elif not flags & UTF8 and not name.isascii():
            self._findings.add("ZIP-NAME-UNMARKED", path)
        return path or shown


def read_extra(extra: bytes) -> dict[int, bytes] | None:
    """The extra fields by their id; None when they do not fit. Up to three bytes of padding are passed over."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        if at + 4 + size > len(extra) or (kind in (1, 0x7075) and kind in found):
            return None
        found[kind] = extra[at + 4 : at + 4 + size]
        at += 4 + size
    return found


def _kind(path: str, mode: int) -> EntryKind:
    form = stat.S_IFMT(mode)
    if form == stat.S_IFLNK:
        return EntryKind.LINK
    if form not in (0, stat.S_IFREG, stat.S_IFDIR):
        return EntryKind.SPECIAL
    return EntryKind.FOLDER if path.endswith("/") else EntryKind.FILE
