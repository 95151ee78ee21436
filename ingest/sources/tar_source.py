"""A package as a plain tar in quarantine (POSIX.1 ustar and pax, GNU long names). Headers are read by our own hand:
extended headers are bounded, links and devices never become files, and the archive ends where its end mark says.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from ingest.guards import GuardLimits
from ingest.sources.index import EntryIndex, Located
from ingest.sources.port import EntryKind, SourceEntry
from ingest.sources.streams import EntryStream
from metadata.findings import Findings

BLOCK = 512
_EXTENDED_LIMIT = 1 << 20
_ZEROS = bytes(BLOCK)
_KINDS = {
    b"0": EntryKind.FILE,
    b"\0": EntryKind.FILE,
    b"7": EntryKind.FILE,
    b"5": EntryKind.FOLDER,
    b"1": EntryKind.LINK,
    b"2": EntryKind.LINK,
    b"S": EntryKind.SPARSE,
}
_WITHOUT_DATA = b"123456"


class TarError(Exception):
    """The tar cannot be read on; ``code`` and ``place`` make the finding."""

    def __init__(self, code: str, place: str) -> None:
        super().__init__(code)
        self.code = code
        self.place = place


@dataclass(slots=True)
class _Said:
    """What extended headers say of the entry that follows them."""

    path: str | None = None
    size: int | None = None
    sparse: bool = False
    link: bool = False


class TarSource:
    """What is wrong with the tar is in ``findings`` once this is made; ``path`` must not change any more.

    Raises OSError when the file itself cannot be read.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        index: Path,
        findings: Findings,
        limits: GuardLimits,
        media_type: str = "application/x-tar",
    ) -> None:
        self._name = name
        self._media_type = media_type
        self._inside = ""
        self._file: BinaryIO = path.open("rb")
        self._handle = self._file.fileno()
        self._total = path.stat().st_size
        self._index = EntryIndex(index)
        try:
            self._read(findings, limits)
        except TarError as error:
            findings.add(error.code, error.place)
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        return self._name

    @property
    def media_type(self) -> str:
        return self._media_type

    def entries(self) -> Iterator[SourceEntry]:
        """Every entry, in the order of the archive. The folder ``./`` that many tars begin with is passed over."""
        for entry in self._index.in_order():
            yield SourceEntry(entry.path, entry.size, entry.kind)

    def enter(self, root: str) -> None:
        """``open`` takes paths from ``root`` on."""
        self._inside = root

    def open(self, path: str) -> BinaryIO:
        entry = self._index.find(self._inside + path)
        if entry is None or entry.kind is not EntryKind.FILE:
            raise FileNotFoundError(path)
        return cast("BinaryIO", EntryStream(self._handle, entry.start, entry.size, path))

    def close(self) -> None:
        """Close the file and remove the index. May be called twice."""
        self._file.close()
        self._index.close()

    def _read(self, findings: Findings, limits: GuardLimits) -> None:
        at, said, count = 0, _Said(), 0
        while (block := os.pread(self._handle, BLOCK, at)) != _ZEROS:
            if len(block) < BLOCK:
                raise TarError("TAR-CUT-SHORT", self._name)
            kind, size = block[156:157], self._header(block, at)
            if kind in b"xgLK":
                self._extend(said, kind, at, size)
                at += BLOCK + _padded(size)
                continue
            entry = self._entry(block, kind, said, at, size)
            at = entry.start + _padded(entry.packed)
            if at > self._total:
                raise TarError("TAR-CUT-SHORT", entry.path)
            if entry.path:
                self._index.add(entry)
                count += 1
            if count > limits.files:
                findings.add("SOURCE-MANY", self._name, limit=limits.files)
                return
            said = _Said()
        self._index.settle()
        self._end(at, said)

    def _header(self, block: bytes, at: int) -> int:
        """The size in a header whose checksum is right."""
        place = f"{self._name}:{at}"
        expected = sum(block) - sum(block[148:156]) + 8 * 32
        if _number(block[148:156]) != expected:
            raise TarError("TAR-HEADER", place)
        size = _number(block[124:136])
        if size is None:
            raise TarError("TAR-HEADER", place)
        return size

    def _entry(self, block: bytes, kind: bytes, said: _Said, at: int, size: int) -> Located:
        path = said.path
        if path is None:
            name, prefix = _text(block[:100]), _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
            path = f"{prefix}/{name}" if prefix else name
        found = _KINDS.get(kind, EntryKind.SPECIAL)
        if said.sparse:
            found = EntryKind.SPARSE
        elif found is EntryKind.FILE and (path.endswith("/") or said.link):
            found = EntryKind.LINK if said.link else EntryKind.FOLDER
        if found is EntryKind.FOLDER:
            path = path.removesuffix("/")
            path = "" if path == "." else path
        elif not path:
            raise TarError("TAR-HEADER", f"{self._name}:{at}")
        size = size if said.size is None else said.size
        skipped = 0 if kind in _WITHOUT_DATA else size
        kept = size if found is EntryKind.FILE else 0
        return Located(path.removeprefix("./"), found, at + BLOCK, skipped, kept)

    def _extend(self, said: _Said, kind: bytes, at: int, size: int) -> None:
        place = f"{self._name}:{at}"
        if size > _EXTENDED_LIMIT:
            raise TarError("TAR-HEADER", place)
        data = os.pread(self._handle, size, at + BLOCK)
        if len(data) < size:
            raise TarError("TAR-CUT-SHORT", place)
        if kind == b"K":
            said.link = True
        elif kind == b"L":
            self._say_path(said, data.rstrip(b"\0"), place)
        else:
            for key, value in _pax(data, place):
                if kind == b"g" and key in (b"path", b"size", b"linkpath"):
                    raise TarError("TAR-HEADER", place)
                self._say(said, key, value, place)

    def _say(self, said: _Said, key: bytes, value: bytes, place: str) -> None:
        if key == b"path":
            self._say_path(said, value, place)
        elif key == b"size":
            if said.size is not None or not value.isdigit() or len(value) > 19:
                raise TarError("TAR-HEADER", place)
            said.size = int(value)
        elif key == b"linkpath":
            said.link = True
        elif key.startswith(b"GNU.sparse") or key == b"SCHILY.realsize":
            said.sparse = True

    def _say_path(self, said: _Said, value: bytes, place: str) -> None:
        if said.path is not None:
            raise TarError("TAR-HEADER", place)
        said.path = value.decode("utf-8", "surrogateescape")

    def _end(self, at: int, said: _Said) -> None:
        """Two blocks of zeros, and after them only zeros."""
        if at + 2 * BLOCK > self._total or said != _Said():
            raise TarError("TAR-CUT-SHORT", self._name)
        while data := os.pread(self._handle, 1 << 20, at):
            if data.count(0) != len(data):
                raise TarError("TAR-JUNK", self._name)
            at += len(data)


def is_header(block: bytes) -> bool:
    """Whether a file that begins so can be a tar: a header with a right checksum, or the end mark of an empty one."""
    if len(block) < BLOCK:
        return False
    return block == _ZEROS or _number(block[148:156]) == sum(block) - sum(block[148:156]) + 8 * 32


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int | None:
    """An octal number, or GNU's base-256 one; None when it is neither or negative."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.split(b"\0", 1)[0].strip(b" ")
    if not digits:
        return 0
    return int(digits, 8) if not digits.translate(None, b"01234567") else None


def _pax(data: bytes, place: str) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        length, space, _ = data[at : at + 20].partition(b" ")
        if not space or not length.isdigit():
            raise TarError("TAR-HEADER", place)
        record = data[at : at + int(length)]
        key, equals, value = record[len(length) + 1 : -1].partition(b"=")
        if len(record) != int(length) or record[-1:] != b"\n" or not equals or len(record) <= len(length) + 2:
            raise TarError("TAR-HEADER", place)
        yield key, value
        at += len(record)
