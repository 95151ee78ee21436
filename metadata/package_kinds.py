"""The kinds of package that the archive knows, and the versions of the specifications they follow."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class PackageKind(StrEnum):
    """What a package is. The values are the names that people give to ``tangthu check --profile``."""

    BAG = "bagit"
    SIP_HOSO = "tt05-sip-hoso"
    SIP_TAILIEU = "tt05-sip-tailieu"
    AIP_HOSO = "tt05-aip-hoso"
    AIP_TAILIEU = "tt05-aip-tailieu"
    DIP = "tt05-dip"
    EARK_CSIP = "eark-csip"
    EARK_SIP = "eark-sip"
    EARK_AIP = "eark-aip"
    EARK_DIP = "eark-dip"

    @property
    def is_tt05(self) -> bool:
        """Whether Circular 05/2025/TT-BNV says how it looks."""
        return self.value.startswith("tt05-")

    @property
    def is_eark(self) -> bool:
        """Whether an E-ARK specification says how it looks."""
        return self.value.startswith("eark-")


EARK_VERSIONS = ("2.0.4", "2.1.0", "2.2.0")
"""Of CSIP, SIP, AIP and DIP, oldest first."""


@dataclass(frozen=True, slots=True)
class PackageProfile:
    """A kind and, for E-ARK, the version of its specification (``""`` for the newest); ``eark-sip@2.1.0`` as text."""

    kind: PackageKind
    version: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Inverse of ``str``. Raises ValueError."""
        name, _, version = text.partition("@")
        kind = PackageKind(name)
        if version and not (kind.is_eark and version in EARK_VERSIONS):
            raise ValueError(f"no such version: {text!r}")
        return cls(kind, version)

    def __str__(self) -> str:
        return f"{self.kind}@{self.version}" if self.version else self.kind.value
