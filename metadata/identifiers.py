"""Identifiers, as types: an agency code cannot be passed where a fonds code is wanted."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

_AIP_NAMESPACE = uuid.UUID("6f1c1f0e-6d0b-5d5e-9d4e-7a0c6c0a5b11")
_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_STORE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_VERSION_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_PUID = re.compile(r"(x-)?fmt/\d{1,6}")


@dataclass(frozen=True, slots=True, order=True)
class _Text:
    """Unicode of 1 to 255 characters on one line, no control characters, no white space around it; kept exactly."""

    value: str

    def __post_init__(self) -> None:
        value = self.value
        one_line = value.splitlines() == [value] and value == value.strip()
        if not one_line or len(value) > 255 or _UNFIT.search(value):
            raise ValueError(f"not a valid {type(self).__name__}: {self.value[:80]!r}")

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, order=True)
class AgencyCode(_Text):
    """The identification code of an agency (QĐ 20/2020/QĐ-TTg), such as ``H20.05``."""


@dataclass(frozen=True, slots=True, order=True)
class FondsCode(_Text):
    """Mã phông: the code of a fonds."""


@dataclass(frozen=True, slots=True, order=True)
class ArchiveCode(_Text):
    """Mã cơ quan lưu trữ: the code of the archive itself; the first part of every key and archival code."""


@dataclass(frozen=True, slots=True, order=True)
class ObjId(_Text):
    """``mets/@OBJID`` of an information package, or the External-Identifier of a bag."""


@dataclass(frozen=True, slots=True, order=True)
class RecordCode(_Text):
    """Mã hồ sơ, mã tài liệu, or mã hồ sơ lưu trữ."""


@dataclass(frozen=True, slots=True, order=True)
class StoreId:
    """The name of a store in this archive: lower-case letters, digits and hyphens, at most 32."""

    value: str

    def __post_init__(self) -> None:
        if not _STORE_ID.fullmatch(self.value):
            raise ValueError(f"not a valid store id: {self.value[:80]!r}")

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, order=True)
class Puid:
    """A PRONOM identifier, such as ``fmt/354``."""

    value: str

    def __post_init__(self) -> None:
        if not _PUID.fullmatch(self.value):
            raise ValueError(f"not a PUID: {self.value[:80]!r}")

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, order=True)
class AipId:
    """The identity of an AIP through all its versions.

    It is derived from who sent the package and the package's OBJID, so every worker that meets the same package, at
    once or after a crash, writes to the same key.
    """

    value: uuid.UUID

    @classmethod
    def of(cls, agency: AgencyCode, objid: ObjId) -> Self:
        return cls(uuid.uuid5(_AIP_NAMESPACE, f"{agency.value}\n{objid.value}"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise ValueError when ``text`` is not a UUID in its canonical lower-case form."""
        value = uuid.UUID(text)
        if str(value) != text:
            raise ValueError(f"not a canonical AIP id: {text[:80]!r}")
        return cls(value)

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True, slots=True, order=True)
class VersionId:
    """One version (1, 2, …) of one AIP."""

    aip: AipId
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """``<aip id>-v<number>``. Raises ValueError for any other form than :meth:`__str__` gives."""
        aip, _, number = text.rpartition("-v")
        if not _VERSION_NUMBER.fullmatch(number):
            raise ValueError(f"not an AIP version: {text[:80]!r}")
        return cls(AipId.parse(aip), int(number))

    @property
    def row(self) -> int:
        """The 63-bit catalogue key: derived, not counted, so that a rebuilt catalogue equals the lost one."""
        digest = hashlib.sha256(f"{self.aip}/{self.number}".encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1

    @property
    def root(self) -> str:
        """The name of the bag's only top-level folder."""
        return f"{self.aip}-v{self.number}"

    def __str__(self) -> str:
        return f"{self.aip}-v{self.number}"


class Algorithm(StrEnum):
    """Digest algorithms that packages declare. Only SHA-256 and SHA-512 are written."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA224 = "sha224"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"

    @property
    def size(self) -> int:
        """Length of a digest in bytes."""
        return {"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}[self.value]

    @property
    def weak(self) -> bool:
        """Whether collisions can be made; such a digest still finds accidents."""
        return self in (Algorithm.MD5, Algorithm.SHA1)


@dataclass(frozen=True, slots=True)
class Digest:
    """A message digest and the algorithm that made it."""

    algorithm: Algorithm
    value: bytes

    def __post_init__(self) -> None:
        if len(self.value) != self.algorithm.size:
            raise ValueError(f"a {self.algorithm} digest has {self.algorithm.size} bytes, not {len(self.value)}")

    @classmethod
    def parse(cls, algorithm: Algorithm, text: str) -> Self:
        """Read hexadecimal of either case; raise ValueError when it is not exactly one digest."""
        if not re.fullmatch(r"[0-9A-Fa-f]+", text):
            raise ValueError(f"not hexadecimal: {text[:80]!r}")
        return cls(algorithm, bytes.fromhex(text))

    @property
    def hex(self) -> str:
        return self.value.hex()
