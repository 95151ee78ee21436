"""Judging a package without taking it in: what kind it is, and everything that its rules say about it."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.guards import LIMITS, GuardLimits
from ingest.ledger import Ledger
from ingest.packages.bag import bag_facts, judge_bag
from ingest.packages.examined import Examined, Subject
from ingest.packages.recognition import FIRST_READING, examine
from ingest.scan import scan
from ingest.sources.port import Source
from metadata.bagit_profile import BagProfile, judge_bag_profile
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
    bag_profile: BagProfile | None = None,
) -> Inspected | None:
    """Judge everything of a package but its digests. None when it cannot be looked into: ``findings`` say why.

    ``asked`` is the profile to judge by; without it the package says what it is. ``bag_profile`` (a BagIt profile from
    a file) judges it as a bag, and by that profile too.
    """
    if bag_profile is not None or (asked is not None and asked.kind is PackageKind.BAG):
        return _as_bag(source, ledger, findings, bag_profile, limits)
    examined = examine(source, ledger, findings, NO_ARCHIVE, None, None, limits)
    if not ledger.settled:
        return None
    kind = PackageKind.SIP_HOSO if ledger.size_of("METS.xml") is not None else PackageKind.BAG
    if examined is None:
        return Inspected(asked or PackageProfile(kind), "", "", None)
    return Inspected(asked or PackageProfile(kind), str(examined.objid), examined.title, examined)


def _as_bag(
    source: Source, ledger: Ledger, findings: Findings, by: BagProfile | None, limits: GuardLimits
) -> Inspected | None:
    """By BagIt alone: nothing is asked for that only an archive needs."""
    root = scan(source, ledger, findings, limits)
    if root is None:
        return None
    source.enter(root)
    subject = Subject(source, root, ledger, findings, NO_ARCHIVE, None, None)
    bag = judge_bag(subject)
    for path, digest in subject.seen.items():
        ledger.declare(path, digest, FIRST_READING)
    profile = PackageProfile(PackageKind.BAG)
    if bag is None:
        return Inspected(profile, "", "", None)
    if by is not None:
        judge_bag_profile(by, bag_facts(subject, bag), findings)
    return Inspected(profile, bag.first("External-Identifier"), bag.first("External-Description"), None)
