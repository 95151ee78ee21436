"""Writing an AIP: one stored-only ZIP of one BagIt 1.0 bag, in one pass, the same bytes for the same input.

The layout is told in ``docs/aip-format.md``. Memory stays flat: the manifests and the central directory go to
unnamed temporary files as they grow.
"""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from metadata.bagit import encode_path
from metadata.holdings import Member, Role
from storage.aip.zip64 import CRC_AT, Directory, central_record, end_records, local_header
from storage.hashing import MemberDigests, digest_bytes
from storage.port import Bytes

BAGIT_TXT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
DECLARATION = "bagit.txt"
BAG_INFO = "bag-info.txt"
MANIFEST_SHA256 = "manifest-sha256.txt"
MANIFEST_SHA512 = "manifest-sha512.txt"
TAGMANIFEST_SHA256 = "tagmanifest-sha256.txt"
TAGMANIFEST_SHA512 = "tagmanifest-sha512.txt"
TAG_TAIL = (BAG_INFO, MANIFEST_SHA256, MANIFEST_SHA512, TAGMANIFEST_SHA256, TAGMANIFEST_SHA512)
"""The tag files that follow the payload, in their order."""
PAYLOAD = "data/"
_SPOOL = 1 << 18
_CHUNK = 1 << 20


class Sink(Protocol):
    """Where the object's bytes go: a :class:`~storage.aip.parts.PartFanout`, or anything that can do as much."""

    @property
    def position(self) -> int: ...

    def write(self, data: Bytes) -> None: ...

    def hold(self, size: int) -> int: ...

    def patch(self, offset: int, data: Bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a member lies: its number (from 1), where its local header begins and where its bytes begin."""

    number: int
    offset: int
    data: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """A finished object: its size, its payload (Payload-Oxum), and its tag files."""

    size: int
    payload_bytes: int
    payload_files: int
    members: tuple[Member, ...]


def manifest_path(path: str) -> bytes:
    """A path as manifests write it (RFC 8493 §2.1.3): ``%``, CR and LF percent-encoded."""
    return encode_path(path).encode()


class AipWriter:
    """Writes the members of one AIP object into ``out``, below the folder ``root``. Spools in ``work``.

    Payload members come in any order and keep it. A path given twice is not noticed: the caller's ledger sees to it.
    Use it as a context manager, or call :meth:`close`; it never completes or aborts ``out``.
    """

    def __init__(self, out: Sink, root: str, work: Path) -> None:
        self._out = out
        self._root = f"{root}/".encode()
        self._central = _Spool(work)
        self._sha256 = _Spool(work)
        self._sha512 = _Spool(work)
        self._count = 0
        self._payload_bytes = 0
        self._payload_files = 0
        self._open = False
        self._tags = [self._tag(DECLARATION, BAGIT_TXT)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the spools go."""
        for spool in (self._central, self._sha256, self._sha512):
            spool.close()

    def add(self, path: str, data: Bytes, digests: MemberDigests) -> Placed:
        """Write a payload member that is at hand, with its digests. Raises ValueError for a wrong path or size."""
        self._check(path)
        if len(data) != digests.size:
            raise ValueError(f"{path!r} has {len(data)} bytes, its digests are of {digests.size}")
        offset = self._out.position
        header = local_header(self._root + path.encode(), digests.size, digests.crc32)
        self._out.write(header)
        self._out.write(data)
        return self._payload(path, offset, offset + len(header), digests)

    def begin(self, path: str, size: int) -> MemberWriter:
        """Begin a payload member of exactly ``size`` bytes that will come in chunks. Raises ValueError for its path."""
        self._check(path)
        self._open = True
        return MemberWriter(self, path, size)

    def seal(self, bag_info: Sequence[tuple[str, str]]) -> Sealed:
        """Write the tag files and the directory. ``Payload-Oxum`` is added to ``bag_info`` when it is not there.

        Raises ValueError when a member is open or a label or value of ``bag_info`` is not one line.
        """
        if self._open:
            raise ValueError("a member is still open")
        self._tags.append(self._tag(BAG_INFO, self._bag_info(bag_info)))
        self._tags.append(self._spooled(MANIFEST_SHA256, self._sha256))
        self._tags.append(self._spooled(MANIFEST_SHA512, self._sha512))
        listed = tuple(self._tags)
        lines = (b"%b  %b\n" % (tag.sha256.hex().encode(), tag.path.encode()) for tag in listed)
        self._tags.append(self._tag(TAGMANIFEST_SHA256, b"".join(lines)))
        lines = (b"%b  %b\n" % (tag.sha512.hex().encode(), tag.path.encode()) for tag in listed)
        self._tags.append(self._tag(TAGMANIFEST_SHA512, b"".join(lines)))
        directory = Directory(self._out.position, self._central.size, self._count)
        for chunk in self._central.chunks():
            self._out.write(chunk)
        self._out.write(end_records(directory))
        self.close()
        return Sealed(self._out.position, self._payload_bytes, self._payload_files, tuple(self._tags))

    def _check(self, path: str) -> None:
        if not path.startswith(PAYLOAD):
            raise ValueError(f"a payload path begins with data/: {path!r}")
        if self._open:
            raise ValueError("a member is still open")

    def _payload(self, path: str, offset: int, data: int, digests: MemberDigests) -> Placed:
        name = manifest_path(path)
        self._sha256.write(b"%b  %b\n" % (digests.sha256.hex().encode(), name))
        self._sha512.write(b"%b  %b\n" % (digests.sha512.hex().encode(), name))
        self._payload_bytes += digests.size
        self._payload_files += 1
        return self._place(path, offset, data, digests)

    def _place(self, path: str, offset: int, data: int, digests: MemberDigests) -> Placed:
        self._central.write(central_record(self._root + path.encode(), digests.size, digests.crc32, offset))
        self._count += 1
        return Placed(self._count, offset, data)

    def _tag(self, path: str, data: bytes) -> Member:
        return self._whole(path, digest_bytes(data), iter((data,)))

    def _spooled(self, path: str, spool: _Spool) -> Member:
        return self._whole(path, spool.digests(), spool.chunks())

    def _whole(self, path: str, digests: MemberDigests, chunks: Iterator[bytes]) -> Member:
        offset = self._out.position
        header = local_header(self._root + path.encode(), digests.size, digests.crc32)
        self._out.write(header)
        for chunk in chunks:
            self._out.write(chunk)
        placed = self._place(path, offset, offset + len(header), digests)
        return Member(
            placed.number, path, Role.TAG, offset, placed.data, digests.size,
            digests.crc32, digests.sha256, digests.sha512,
        )  # fmt: skip

    def _bag_info(self, fields: Sequence[tuple[str, str]]) -> bytes:
        for label, value in fields:
            if not label or ":" in label or label != label.strip() or (label + value).splitlines() != [label + value]:
                raise ValueError(f"not one line of {BAG_INFO}: {label!r}: {value!r}")
        lines = [f"{label}: {value}\n" for label, value in fields]
        if not any(label == "Payload-Oxum" for label, _ in fields):
            lines.append(f"Payload-Oxum: {self._payload_bytes}.{self._payload_files}\n")
        return "".join(lines).encode()


class MemberWriter:
    """One payload member being written. Its CRC is not known yet, so the part with its header is held back."""

    def __init__(self, aip: AipWriter, path: str, size: int) -> None:
        self._aip = aip
        self._path = path
        self._size = size
        self._left = size
        self._write = aip._out.write
        self._offset = aip._out.position
        header = local_header(aip._root + path.encode(), size, 0)
        self._write(header[:CRC_AT])
        self._crc_at = aip._out.hold(4)
        self._write(header[CRC_AT + 4 :])
        self._data = self._offset + len(header)

    def write(self, chunk: Bytes) -> None:
        """Append ``chunk``. Raises ValueError when that is more than was announced; what a replica raised."""
        self._left -= len(chunk)
        if self._left < 0:
            raise ValueError(f"{self._path!r} has more than {self._size} bytes")
        self._write(chunk)

    def end(self, digests: MemberDigests) -> Placed:
        """Finish the member. Raises ValueError when its bytes are fewer than announced or ``digests`` are of others."""
        if self._left or digests.size != self._size:
            raise ValueError(f"{self._path!r} was to have {self._size} bytes; {self._left} are missing")
        self._aip._out.patch(self._crc_at, digests.crc32.to_bytes(4, "little"))
        self._aip._open = False
        return self._aip._payload(self._path, self._offset, self._data, digests)


class _Spool:
    """Bytes that grow beyond memory: kept in an unnamed file in ``work``, digested as they go there."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._buffer = bytearray()
        self._file: BinaryIO | None = None
        self._sha256 = hashlib.sha256()
        self._sha512 = hashlib.sha512()
        self._crc32 = 0
        self.size = 0

    def write(self, data: bytes) -> None:
        self._buffer += data
        self.size += len(data)
        if len(self._buffer) > _SPOOL:
            self._spill()

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._work)  # noqa: SIM115 - lives as long as the spool
        self._file.write(self._digested())

    def _digested(self) -> bytes:
        data = bytes(self._buffer)
        self._buffer.clear()
        self._sha256.update(data)
        self._sha512.update(data)
        self._crc32 = zlib.crc32(data, self._crc32)
        return data

    def digests(self) -> MemberDigests:
        self._spill()
        return MemberDigests(self.size, self._sha256.digest(), self._sha512.digest(), self._crc32)

    def chunks(self) -> Iterator[bytes]:
        """Everything written, from the start."""
        if self._file is not None:
            self._spill()
            self._file.seek(0)
            while data := self._file.read(_CHUNK):
                yield data
        elif self._buffer:
            yield bytes(self._buffer)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._buffer.clear()
