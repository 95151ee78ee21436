"""A package as a ZIP in quarantine: directory and local headers are checked before anything is read."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from ingest.guards import GuardLimits
from ingest.sources.index import EntryIndex, Located
from ingest.sources.port import BrokenEntryError, EntryKind, SourceEntry
from ingest.sources.streams import DeflatedStream, StoredStream
from ingest.sources.zip_directory import (
    DESCRIPTOR,
    ENCRYPTED,
    LOCAL,
    UTF8,
    DirectoryEnd,
    DirectoryError,
    DirectoryReader,
    find_end,
    read_extra,
)
from metadata.findings import Findings

_FLAGS = ENCRYPTED | DESCRIPTOR | UTF8
_FULL = 0xFFFFFFFF


class ZipSource:
    """What is wrong with the ZIP is in ``findings`` once this is made; ``path`` must not change any more.

    Raises OSError when the file itself cannot be read.
    """

    def __init__(self, path: Path, name: str, index: Path, findings: Findings, limits: GuardLimits) -> None:
        self._name = name
        self._inside = ""
        self._findings = findings
        self._limits = limits
        self._file: BinaryIO = path.open("rb")
        self._handle = self._file.fileno()
        self._index = EntryIndex(index)
        try:
            self._read(path.stat().st_size)
        except DirectoryError as error:
            findings.add(error.code, error.place or name, **error.details)
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        return self._name

    @property
    def media_type(self) -> str:
        return "application/zip"

    def entries(self) -> Iterator[SourceEntry]:
        """Every entry, in the order of the directory."""
        for entry in self._index.in_order():
            yield SourceEntry(entry.path, entry.size if entry.kind is EntryKind.FILE else 0, entry.kind)

    def enter(self, root: str) -> None:
        """``open`` takes paths from ``root`` on."""
        self._inside = root

    def open(self, path: str) -> BinaryIO:
        """Read a member; raises BrokenEntryError, at the latest at its end, when it is not what the directory says."""
        entry = self._index.find(self._inside + path)
        if entry is None or entry.kind is not EntryKind.FILE:
            raise FileNotFoundError(path)
        head = os.pread(self._handle, LOCAL.size, entry.start)
        if len(head) < LOCAL.size:
            raise BrokenEntryError("SOURCE-CUT-SHORT", path)
        start = entry.start + LOCAL.size + sum(struct.unpack_from("<2H", head, 26))
        if entry.method == 0:
            return cast("BinaryIO", StoredStream(self._handle, start, entry.size, path, entry.crc))
        return cast("BinaryIO", DeflatedStream(self._handle, start, entry.packed, entry.size, path, entry.crc))

    def close(self) -> None:
        """Close the file and remove the index. May be called twice."""
        self._file.close()
        self._index.close()

    def _read(self, total: int) -> None:
        end = find_end(self._handle, total)
        if end.entries > self._limits.files:
            self._findings.add("SOURCE-MANY", self._name, limit=self._limits.files)
            return
        for entry in DirectoryReader(self._file, end, self._findings).entries():
            self._index.add(entry)
            if entry.size > self._limits.ratio_from and entry.size > entry.packed * self._limits.ratio:
                self._findings.add("SOURCE-RATIO", entry.path, limit=self._limits.ratio)
        self._index.settle()
        if "ZIP-ZIP64" not in self._findings.counts:  # else nothing is known of where entries end
            self._check_local(end)

    def _check_local(self, end: DirectoryEnd) -> None:
        """Every local header says what the directory says, and the entries lie in a row without gap or overlap."""
        expected, before = 0, None
        for entry in self._index.by_position():
            expected = self._gap(before, expected, entry.start)
            expected = self._local(entry, end)
            before = entry
        self._gap(before, expected, end.offset)

    def _gap(self, before: Located | None, expected: int, start: int) -> int:
        """Judge what lies between the end of one entry's bytes and the next thing: only its data descriptor may."""
        place = before.path if before else self._name
        if start < expected:
            self._findings.add("ZIP-OVERLAP", place)
        elif before is not None and before.flags & DESCRIPTOR:
            if not _is_descriptor(os.pread(self._handle, min(start - expected, 25), expected), before):
                self._findings.add("ZIP-LOCAL", place)
        elif start > expected:
            self._findings.add("ZIP-JUNK", place, offset=expected)
        return start

    def _local(self, entry: Located, end: DirectoryEnd) -> int:
        head = os.pread(self._handle, LOCAL.size + len(entry.name) + 64, entry.start)
        if len(head) < LOCAL.size or not head.startswith(b"PK\x03\x04"):
            self._findings.add("ZIP-LOCAL", entry.path)
            return entry.start
        _, _, flags, method, _, _, crc, packed, size, name_size, extra_size = LOCAL.unpack_from(head)
        data: int = entry.start + LOCAL.size + name_size + extra_size
        extra = b""
        if extra_size:
            extra = os.pread(self._handle, extra_size, data - extra_size)
        packed, size = _local_sizes(packed, size, extra)
        told = (crc, packed, size) == (entry.crc, entry.packed, entry.size)
        later = bool(flags & DESCRIPTOR) and (crc, packed, size) == (0, 0, 0)
        same = method == entry.method and flags & _FLAGS == entry.flags & _FLAGS
        name = head[LOCAL.size : LOCAL.size + name_size]
        if not same or name != entry.name or not (told or later) or data + entry.packed > end.offset:
            self._findings.add("ZIP-LOCAL", entry.path)
        return data + entry.packed


def _local_sizes(packed: int, size: int, extra: bytes) -> tuple[int, int]:
    """Packed and unpacked size; -1, which equals nothing, when the ZIP64 field does not hold them."""
    if _FULL not in (packed, size):
        return packed, size
    field = (read_extra(extra) or {}).get(1, b"")
    if len(field) < 16:
        return -1, -1
    size64, packed64 = struct.unpack_from("<2Q", field)
    return (packed64 if packed == _FULL else packed), (size64 if size == _FULL else size)


def _is_descriptor(data: bytes, entry: Located) -> bool:
    """Whether ``data`` is exactly a data descriptor (APPNOTE 4.3.9) that says what the directory says."""
    forms = ["<3L", "<L2Q"]
    bodies = [
        struct.pack(form, entry.crc, entry.packed, entry.size)
        for form in forms
        if form == "<L2Q" or max(entry.packed, entry.size) < _FULL
    ]
    return any(data in (body, b"PK\x07\x08" + body) for body in bodies)
