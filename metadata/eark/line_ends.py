"""Files that somebody's software changed on the way: the same but for their line ends."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

MOST_BYTES = 16 * 1024 * 1024
"""Larger files are not tried."""

_CHUNK = 1 << 20
_HASHLIB = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_CHECKS: dict[str, Callable[[bytes, int], int]] = {"CRC32": zlib.crc32, "Adler-32": zlib.adler32}
DIGEST_LENGTHS = {"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-384": 96, "SHA-512": 128, "CRC32": 8, "Adler-32": 8}
"""Hexadecimal digits, by the names that METS has for the algorithms; others cannot be computed here."""


def digest_of(chunks: Iterator[bytes], kind: str) -> str:
    """The digest in hexadecimal, by METS's name of the algorithm."""
    if kind in _HASHLIB:
        digest = hashlib.new(_HASHLIB[kind], usedforsecurity=False)
        for chunk in chunks:
            digest.update(chunk)
        return digest.hexdigest()
    check, value = _CHECKS[kind], 1 if kind == "Adler-32" else 0
    for chunk in chunks:
        value = check(chunk, value)
    return f"{value:08x}"


def chunks_of(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes in pieces. Raises what ``stream`` raises."""
    while chunk := stream.read(_CHUNK):
        yield chunk


def original_size(content: bytes, kind: str, said: str) -> int | None:
    """The size that the file had before its line ends were changed; None when that is not what happened to it."""
    for original in (content.replace(b"\r\n", b"\n"), content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")):
        if original != content and digest_of(iter((original,)), kind) == said:
            return len(original)
    return None
