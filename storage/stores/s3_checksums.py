"""What goes with a body so that the server can see that it arrived whole, and what its answer then proves."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import awscrt.checksums

from storage.port import Bytes, Part

NO_CRC: Final = "-"
"""Stands in a part's tag where its CRC would."""
_SEND_BYTES: Final = 1 << 20
_SINGLE: Final = re.compile(r'"?([0-9a-f]{32})"?')
_JOINED: Final = re.compile(r'"?([0-9a-f]{32}-[0-9]+)"?')


def crc_text(crc: int) -> str:
    """A CRC64NVME as S3 writes it."""
    return base64.b64encode(crc.to_bytes(8, "big")).decode()


def headers_for(kind: str, data: Bytes) -> dict[str, str]:
    """What to send with a body: ``crc64nvme``, ``md5``, ``both`` or ``none``."""
    asked: dict[str, str] = {}
    if kind in ("crc64nvme", "both"):
        # Ceph takes no notice of the value when the algorithm is not named too.
        asked |= {"ChecksumAlgorithm": "CRC64NVME", "ChecksumCRC64NVME": crc_text(awscrt.checksums.crc64nvme(data))}
    if kind in ("md5", "both"):
        asked["ContentMD5"] = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
    return asked


def upload_headers(kind: str) -> dict[str, str]:
    """What to say when a multipart upload begins."""
    return {"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "FULL_OBJECT"} if kind == "crc64nvme" else {}


def differs(asked: Mapping[str, str], answer: Mapping[str, Any]) -> bool:
    """Whether the server tells another checksum than the one that was sent. False where it tells none."""
    if "ContentMD5" in asked and (etag := _SINGLE.fullmatch(answer.get("ETag", ""))):
        return etag[1] != base64.b64decode(asked["ContentMD5"]).hex()
    told = answer.get("ChecksumCRC64NVME")
    return bool(told and "ChecksumCRC64NVME" in asked and told != asked["ChecksumCRC64NVME"])


def part_tag(etag: str, asked: Mapping[str, str]) -> str:
    """What is kept of a part: the server's ETag and our own CRC."""
    return f"{etag} {asked.get('ChecksumCRC64NVME', NO_CRC)}"


def listed_part(part: Part) -> dict[str, Any]:
    """The part as the server wants it named at the end."""
    etag, _, crc = part.tag.partition(" ")
    listed: dict[str, Any] = {"PartNumber": part.number, "ETag": etag}
    return listed if crc == NO_CRC else {**listed, "ChecksumCRC64NVME": crc}


def whole_crc(parts: Sequence[Part]) -> str | None:
    """The CRC of the object made of ``parts``; None when one has none."""
    crc = 0
    for part in parts:
        text = part.tag.partition(" ")[2]
        if text == NO_CRC:
            return None
        value = int.from_bytes(base64.b64decode(text), "big")
        crc = awscrt.checksums.combine_crc64nvme(crc, value, part.size)
    return crc_text(crc)


def joined_etag(parts: Sequence[Part]) -> str | None:
    """The ETag of the object made of ``parts``; None when this server's ETags are not digests."""
    etags = [_SINGLE.fullmatch(part.tag.partition(" ")[0]) for part in parts]
    if not all(etags):
        return None
    digests = b"".join(bytes.fromhex(etag[1]) for etag in etags if etag)
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


def is_joined_etag(etag: str, parts: Sequence[Part]) -> bool | None:
    """Whether ``etag`` is that of ``parts`` put together; None when it does not say."""
    found, wanted = _JOINED.fullmatch(etag), joined_etag(parts)
    return None if found is None or wanted is None else found[1] == wanted


def is_made_of(parts: Sequence[Part], answer: Mapping[str, Any], by_etag: bool) -> bool | None:
    """Whether a server's answer about an object says that it is ``parts`` put together, by its checksum or (where the
    server does not encrypt) by its ETag; None when it does not say."""
    crc, told = whole_crc(parts), answer.get("ChecksumCRC64NVME")
    if crc and told:
        return bool(crc == told)
    return is_joined_etag(answer.get("ETag", ""), parts) if by_etag else None


class Body:
    """Bytes as the file that the client library wants, without a copy of them."""

    def __init__(self, data: Bytes) -> None:
        self._data = memoryview(data).cast("B")
        self._position = 0

    def __len__(self) -> int:
        return len(self._data)

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: len(self)}[whence]
        return self._position

    def read(self, size: int = -1) -> memoryview:
        """At least ``size`` bytes, if there are: the library's own step of 16 KiB would cost a system call each."""
        data = self._data[self._position :][: len(self) if size < 0 else max(size, _SEND_BYTES)]
        self._position += len(data)
        return data
