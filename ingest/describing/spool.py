"""A document that may be large: its size and digests come before its bytes."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

from storage.hashing import MemberDigests

CHUNK = 1 << 20


class Spool(io.RawIOBase):
    """A file in the work folder, digested while it is written."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._file = path.open("w+b")
        self._sha256 = hashlib.sha256()
        self._sha512 = hashlib.sha512()
        self._crc32 = 0
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._sha256.update(data)
        self._sha512.update(data)
        self._crc32 = zlib.crc32(data, self._crc32)
        self._size += len(data)
        return self._file.write(data)

    def digests(self) -> MemberDigests:
        """Of what was written so far."""
        return MemberDigests(self._size, self._sha256.digest(), self._sha512.digest(), self._crc32)

    def chunks(self) -> Iterator[bytes]:
        """What was written, from the start."""
        self._file.seek(0)
        while chunk := self._file.read(CHUNK):
            yield chunk

    def close(self) -> None:
        """Let it go."""
        if not self.closed:
            self._file.close()
            self._path.unlink(missing_ok=True)
        super().close()
