"""What packing gives: the packages and lists that were written, and the list of what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from metadata.findings import Finding


@dataclass(frozen=True, slots=True)
class Packed:
    """One SIP that was written. ``path`` is its ZIP, named ``[STT][OBJID].zip`` (TT 05 Phụ lục III)."""

    path: Path
    objid: str
    code: str
    title: str
    documents: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PackResult:
    """``lists`` are the mục lục hồ sơ and mục lục văn bản (xlsx and PDF/A). Nothing is written when an error was found.

    ``findings`` name rows and cells of the input (``Hồ sơ!B3``) or files; codes begin with ``PACK-`` or ``TT05-``.
    """

    packages: tuple[Packed, ...]
    lists: tuple[Path, ...]
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]

    @property
    def refused(self) -> bool:
        """Whether something must be put right first."""
        return not self.packages
