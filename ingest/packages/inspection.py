"""From a source to a judged package: names and amounts, what kind it is, its rules, what the archive makes of it.

A check and an ingest go the same way, so that they say the same. Only what a package is judged for differs: an ingest
knows its archive (and may be told agency and fonds), and refuses what is not for keeping.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ingest.guards import LIMITS, GuardLimits
from ingest.ledger import Ledger
from ingest.packages.bag import examine_bag
from ingest.packages.bag_judge import bag_facts, judge_bag
from ingest.packages.completeness import completeness
from ingest.packages.eark_package import EarkPackage
from ingest.packages.examined import Examined, Resolve, Subject
from ingest.packages.package_mets import PackageMets
from ingest.packages.recognition import METS, recognise
from ingest.packages.tree import SubjectTree
from ingest.packages.tt05_package import REPRESENTATION, Tt05Package
from ingest.scan import scan
from ingest.sources.port import BrokenEntryError, Source, is_ours
from metadata.bagit_profile import BagProfile, judge_bag_profile
from metadata.eark import judge_eark
from metadata.findings import Findings, judging
from metadata.identifiers import AgencyCode, ArchiveCode, FondsCode
from metadata.package_kinds import PackageKind, PackageProfile
from metadata.refusal import DocumentRefused
from metadata.tt05.judge import judge_tt05

NO_ARCHIVE = ArchiveCode("KHO")
"""Stands for the archive's code where nobody asked for one: codes made from it are not kept."""
FIRST_READING = "(lần đọc đầu / first reading)"
"""Where a digest comes from that nothing in the package declares."""
_KEPT = {PackageKind.SIP_HOSO, PackageKind.SIP_TAILIEU, PackageKind.AIP_HOSO, PackageKind.AIP_TAILIEU}


@dataclass(frozen=True, slots=True)
class Inspected:
    """``profile`` it was judged by; ``examined`` what the archive would make of it, None when it would not take it.

    ``is_kept`` says whether packages of this kind are taken in at all; ``root`` is the package's folder in its source.
    """

    profile: PackageProfile
    objid: str
    title: str
    examined: Examined | None
    is_kept: bool = True
    root: str = ""


def name_requirements(source: Source, ledger: Ledger, findings: Findings, inspected: Inspected) -> None:
    """After the pass over the bytes: which requirement of E-ARK each wrong digest breaks.

    The files that the pass found wrong, at most as many as are told of one kind, are read once more.
    """
    wrong = {one.place for one in findings.kept() if one.code == "PASS-CHECKSUM"}
    if not wrong or not inspected.profile.kind.is_eark:
        return
    subject = Subject(source, inspected.root, ledger, Findings(), NO_ARCHIVE, None, None, checking=True)
    _judge(subject, lambda tree: judge_eark(tree, subject.findings, inspected.profile, digests=wrong))
    told = {(one.code, one.message) for one in findings.kept()}
    for one in subject.findings.kept():
        if (one.code, one.message) not in told:
            findings.take(one)


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
    subject = _subject(Subject(source, "", ledger, findings, NO_ARCHIVE, None, None, checking=True), limits)
    if subject is None:
        return None
    if bag_profile is None:
        return _inspect(subject, asked)
    return _seen(subject, _bag_alone(subject, PackageProfile(PackageKind.BAG), bag_profile))


def examine(
    source: Source,
    ledger: Ledger,
    findings: Findings,
    archive: ArchiveCode,
    agency: AgencyCode | None = None,
    fonds: FondsCode | None = None,
    limits: GuardLimits = LIMITS,
    resolve: Resolve | None = None,
) -> Examined | None:
    """Fill the ledger and say what the package is; None when it is refused: ``findings`` say why.

    ``agency`` and ``fonds`` are what the caller knows; they go before what the package says. ``resolve`` finds held
    documents that the package links to. The source has entered the package's root: the ledger's paths are its paths.
    Only metadata is read here, content is not.
    """
    subject = _subject(Subject(source, "", ledger, findings, archive, agency, fonds, resolve=resolve), limits)
    found = None if subject is None else _inspect(subject, None)
    if found is not None and not found.is_kept:
        findings.add("PACKAGE-NOT-FOR-KEEPING", source.name, kind=found.profile.kind)
    return None if found is None or findings.refused else found.examined


def _subject(subject: Subject, limits: GuardLimits) -> Subject | None:
    """The same, entered at the package's root; None when it is refused at its names."""
    root = scan(subject.source, subject.ledger, subject.findings, limits)
    if root is None:
        return None
    subject.source.enter(root)
    return replace(subject, root=root)


def _inspect(subject: Subject, asked: PackageProfile | None) -> Inspected | None:
    profile = recognise(subject, asked)
    if profile is None:
        return None
    if profile.kind is PackageKind.BAG:
        found = _bag(subject, profile) if asked is None else _bag_alone(subject, profile)
    elif profile.kind in _KEPT:
        found = _tt05(subject, profile)
    else:
        found = _eark(subject, profile) if profile.kind.is_eark else _dip(subject, profile)
    return _seen(subject, found)


def _seen(subject: Subject, found: Inspected) -> Inspected:
    """What was read for the judgement must be what the pass reads."""
    for path, digest in subject.seen.items():
        subject.ledger.declare(path, digest, FIRST_READING)
    return replace(found, root=subject.root)


def _bag(subject: Subject, profile: PackageProfile) -> Inspected:
    examined = examine_bag(subject)
    objid, title = (str(examined.objid), examined.title) if examined else ("", "")
    return Inspected(profile, objid, title, examined)


def _bag_alone(subject: Subject, profile: PackageProfile, by: BagProfile | None = None) -> Inspected:
    """By BagIt alone: nothing is asked for that only an archive needs."""
    bag = judge_bag(subject)
    if bag is None:
        return Inspected(profile, "", "", None)
    if by is not None:
        judge_bag_profile(by, bag_facts(subject, bag), subject.findings)
    return Inspected(profile, bag.first("External-Identifier"), bag.first("External-Description"), None)


def _tt05(subject: Subject, profile: PackageProfile) -> Inspected:
    package = Tt05Package(subject, profile.kind)
    package.structure()
    examined = package.examine()
    _judge_tt05(subject, profile.kind)  # last: it does not tell again what could not be read above
    return Inspected(profile, package.objid, _title(examined, package.title), examined)


def _eark(subject: Subject, profile: PackageProfile) -> Inspected:
    _judge(subject, lambda tree: judge_eark(tree, subject.findings, profile, digests=False))
    package = EarkPackage(subject)
    package.structure()
    kept = profile.kind is PackageKind.EARK_SIP or (profile.kind is PackageKind.EARK_CSIP and package.is_submission)
    examined = package.examine() if kept else None
    return Inspected(profile, package.objid, _title(examined, package.title), examined, kept)


def _title(examined: Examined | None, label: str) -> str:
    """What the archive would call the package, else what it calls itself."""
    return examined.title if examined else " ".join(label.split())


def _dip(subject: Subject, profile: PackageProfile) -> Inspected:
    root = PackageMets(subject, "")
    root.read()
    if subject.ledger.size_of(f"{REPRESENTATION}{METS}") is not None:
        PackageMets(subject, REPRESENTATION).read()
    completeness(subject, "SIP-UNNAMED")
    _judge_tt05(subject, profile.kind)
    return Inspected(profile, root.objid, root.label, None, is_kept=False)


def _judge_tt05(subject: Subject, kind: PackageKind) -> None:
    name = subject.source.name
    _judge(subject, lambda tree: judge_tt05(tree, subject.findings, kind, zip_name=name))


def _judge(subject: Subject, judge: Callable[[SubjectTree], None]) -> None:
    """Let a judge look at the package. A file that it cannot read, or fails on, is a finding; the rest goes on."""
    try:
        with judging(subject.findings, subject.source.name):
            judge(SubjectTree(subject))
    except (DocumentRefused, BrokenEntryError) as refused:
        refused.note(subject.findings)
    except OSError as error:
        if is_ours(error):
            raise
        subject.findings.add("SOURCE-UNREADABLE", subject.source.name, reason=error.strerror or type(error).__name__)
