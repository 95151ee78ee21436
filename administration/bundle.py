"""Several files as one ZIP, made while it is sent: stored, its size known before, no second copy on the disk."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from storage.aip.zip64 import Directory, central_record, end_records, local_header, local_header_size

_CHUNK = 1 << 20


def bundle_size(paths: Sequence[Path]) -> int:
    """Bytes of the ZIP of these files."""
    offset, central = 0, 0
    for path in paths:
        name, size = path.name.encode(), path.stat().st_size
        central += len(central_record(name, size, 0, offset))
        offset += local_header_size(name, size) + size
    return offset + central + len(end_records(Directory(offset, central, len(paths))))


def bundle(paths: Sequence[Path]) -> Iterator[bytes]:
    """The ZIP of these files, which lie in one folder, piece by piece. Each is read twice: for its CRC, and its bytes.

    Raises OSError.
    """
    offset = 0
    central = bytearray()
    for path in paths:
        name, size, crc = path.name.encode(), path.stat().st_size, 0
        for chunk in _chunks(path):
            crc = zlib.crc32(chunk, crc)
        yield local_header(name, size, crc)
        yield from _chunks(path)
        central += central_record(name, size, crc, offset)
        offset += local_header_size(name, size) + size
    yield bytes(central)
    yield end_records(Directory(offset, len(central), len(paths)))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk
