"""The digests of a member: SHA-256 and SHA-512 for the manifests, CRC-32 for the ZIP."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass

from storage.port import Bytes


@dataclass(frozen=True, slots=True)
class MemberDigests:
    """All that is computed of a member's bytes while they pass."""

    size: int
    sha256: bytes
    sha512: bytes
    crc32: int


def digest_bytes(data: Bytes) -> MemberDigests:
    """The digests of bytes at hand."""
    return MemberDigests(len(data), hashlib.sha256(data).digest(), hashlib.sha512(data).digest(), zlib.crc32(data))
