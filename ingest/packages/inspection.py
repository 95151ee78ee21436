"""Judging a package without taking it in: what kind it is, and everything that its rules say about it."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.guards import LIMITS, GuardLimits
from ingest.ledger import Ledger
from ingest.packages.examined import Examined
from ingest.packages.recognition import examine
from ingest.sources.port import Source
from metadata.findings import Findings
from metadata.identifiers import ArchiveCode
from metadata.package_kinds import PackageKind, PackageProfile

NO_ARCHIVE = ArchiveCode("KHO")
"""Stands for the archive's code where nobody asked for one: codes made from it are not kept."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """``profile`` it was judged by; ``examined`` what the archive would make of it, None when it would not take it."""

    profile: PackageProfile
    objid: str
    title: str
    examined: Examined | None


def inspect(
    source: Source,
    ledger: Ledger,
    findings: Findings,
    asked: PackageProfile | None = None,
    limits: GuardLimits = LIMITS,
) -> Inspected | None:
    """Judge everything of a package but its digests. None when it cannot be looked into: ``findings`` say why.

    ``asked`` is the profile to judge by; without it the package says what it is.
    """
    examined = examine(source, ledger, findings, NO_ARCHIVE, None, None, limits)
    kind = PackageKind.SIP_HOSO if ledger.size_of("METS.xml") is not None else PackageKind.BAG
    if examined is None:
        return Inspected(asked or PackageProfile(kind), "", "", None)
    return Inspected(asked or PackageProfile(kind), str(examined.objid), examined.title, examined)
