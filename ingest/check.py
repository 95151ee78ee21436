"""Checking packages: everything that an ingest would say, and nothing kept. Needs no archive."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ingest.checks_said import say_checks, say_tt05_formats
from ingest.formats_said import judge_formats
from ingest.guards import LIMITS, GuardLimits
from ingest.ledger import Ledger
from ingest.one_pass import NOBODY, Nowhere, OnePass, Watch
from ingest.own_disk import own_disk
from ingest.packages.inspection import Inspected, inspect, name_requirements
from ingest.sources import Source, open_source
from metadata.bagit_profile import BagProfile
from metadata.findings import Finding, Findings, Severity, judging
from metadata.holdings import Role
from metadata.package_kinds import PackageProfile
from metadata.refusal import DocumentRefused

TREE_LIMIT = 5000
"""Files that a report lists one by one; those with findings come first."""
GRAVITY = (Severity.ERROR, Severity.WARNING, Severity.NOTE)
"""From the gravest."""


class CheckVerdict(StrEnum):
    """What a check comes to: nothing found, only warnings and notes, or errors (an archive would refuse it)."""

    GOOD = "good"
    NOTED = "noted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """One file of the package as the report's tree shows it. ``size`` in bytes.

    ``size`` None: a finding names it, but it is not there, or the package was refused before its files were listed.
    """

    path: str
    size: int | None
    worst: Severity | None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Everything a check says. ``counts`` is of every finding by code, of which ``findings`` keeps 1,000 of a kind.

    ``content`` is the SHA-256 (hexadecimal) of what was sent, the same as in the receipt of an ingest; empty when not
    every file could be read. ``tree`` has at most 5,000 of the ``files``: those with findings, then the first.
    """

    name: str
    profile: str
    objid: str
    title: str
    files: int
    bytes: int
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    tree: tuple[CheckedFile, ...]
    verdict: CheckVerdict
    content: str = field(default="")

    def counted(self, severity: Severity) -> int:
        """How many findings are so grave, those not listed too."""
        grave = {one.code for one in self.findings if one.severity is severity}
        return sum(count for code, count in self.counts.items() if code in grave)


def check_package(
    path: Path,
    work: Path,
    asked: PackageProfile | None = None,
    *,
    limits: GuardLimits = LIMITS,
    on_progress: Callable[[int, int], None] = lambda *_: None,
    bag_profile: BagProfile | None = None,
    watch: Watch = NOBODY,
) -> CheckReport:
    """Judge the package at ``path`` (folder, tar or ZIP): structure first, then every byte once.

    ``work`` is a folder for temporary files; ``on_progress`` is told bytes done and bytes in all; ``bag_profile`` (from
    ``metadata.bagit_profile.read_bag_profile``) judges the package as a bag by it; ``watch`` says
    who looks into the files as an ingest does, else only their digests are compared. Findings never raise;
    raises NotFound when there is nothing at ``path``, TemporaryError for what is this machine's fault.
    """
    findings = Findings()
    with own_disk(), tempfile.TemporaryDirectory(dir=work, prefix="check-") as folder:
        source = open_source(path, Path(folder) / "quarantine", findings, limits)
        if source is None:
            return _report(path.resolve().name, None, findings, asked)
        with contextlib.closing(source), Ledger(Path(folder) / "ledger.sqlite") as ledger:
            inspected = _inspect(source, ledger, findings, asked, limits, bag_profile)
            if not ledger.settled:  # refused at its names or amounts: it is not read
                return _report(source.name, None, findings, asked)
            spool = Path(folder) / "spool"
            spool.mkdir()
            _read(source, ledger, findings, spool, on_progress, watch)
            examined = inspected.examined if inspected is not None else None
            if watch.examiner is not None and examined is not None and examined.package_type.describes_documents:
                with judging(findings, source.name):
                    say_tt05_formats(ledger, findings, signatures_checked=watch.examiner.checks_signatures)
            if inspected is not None:
                name_requirements(source, ledger, findings, inspected)
            return _report(source.name, inspected, findings, asked, ledger)


def _inspect(
    source: Source,
    ledger: Ledger,
    findings: Findings,
    asked: PackageProfile | None,
    limits: GuardLimits,
    bag_profile: BagProfile | None,
) -> Inspected | None:
    """What judges say. One that fails as a whole costs what it would have said, not the reading of the bytes."""
    with judging(findings, source.name):
        try:
            return inspect(source, ledger, findings, asked, limits, bag_profile)
        except DocumentRefused as refused:
            refused.note(findings)
    return None


def _read(
    source: Source,
    ledger: Ledger,
    findings: Findings,
    spool: Path,
    on_progress: Callable[[int, int], None],
    watch: Watch,
) -> None:
    """Every byte once, against everything that the package declares of it."""
    ledger.plan_all("", "", Role.SUBMISSION if watch.examiner is None else Role.CONTENT)
    total, done = ledger.totals().bytes, 0
    on_progress(done, total)

    def advance(count: int) -> None:
        nonlocal done
        done += count
        on_progress(done, total)

    OnePass(source, ledger, findings, Nowhere(), watch, spool, advance).run()
    with judging(findings, source.name):
        judge_formats(ledger, findings)
    with judging(findings, source.name):
        say_checks(ledger, findings)


def _report(
    name: str,
    inspected: Inspected | None,
    findings: Findings,
    asked: PackageProfile | None = None,
    ledger: Ledger | None = None,
) -> CheckReport:
    kept = findings.kept()
    totals = ledger.totals() if ledger else None
    profile = inspected.profile if inspected else asked
    return CheckReport(
        name,
        str(profile) if profile else "",
        inspected.objid if inspected else "",
        inspected.title if inspected else "",
        totals.files if totals else 0,
        totals.bytes if totals else 0,
        kept,
        dict(sorted(findings.counts.items())),
        _tree(name, ledger, kept),
        CheckVerdict.REFUSED if findings.refused else CheckVerdict.NOTED if kept else CheckVerdict.GOOD,
        _content(ledger) if ledger else "",
    )


def _content(ledger: Ledger) -> str:
    try:
        return ledger.content_digest().hex()
    except ValueError:  # a file could not be read
        return ""


def _tree(name: str, ledger: Ledger | None, findings: tuple[Finding, ...]) -> tuple[CheckedFile, ...]:
    """Files with findings, the gravest first, then others, up to the limit; then all in the order of their paths."""
    worst: dict[str, Severity] = {}
    for severity in GRAVITY:
        for one in findings:
            if one.severity is severity and one.place not in ("", name):
                worst.setdefault(_listed(ledger, one.place), severity)
    marked = [
        CheckedFile(path, _size(ledger, path), mark) for path, mark in itertools.islice(worst.items(), TREE_LIMIT)
    ]
    rest = (path for path in ledger.paths() if path not in worst) if ledger else iter(())
    plain = [CheckedFile(path, _size(ledger, path), None) for path in itertools.islice(rest, TREE_LIMIT - len(marked))]
    return tuple(sorted(marked + plain, key=lambda one: one.path))


def _listed(ledger: Ledger | None, place: str) -> str:
    """The place as the tree has it: names were judged while the package's own folder still stood before them."""
    inner = place.partition("/")[2]
    return inner if _size(ledger, place) is None and inner and _size(ledger, inner) is not None else place


def _size(ledger: Ledger | None, path: str) -> int | None:
    try:
        return ledger.size_of(path) if ledger else None
    except UnicodeEncodeError:  # no file of the ledger has such a name
        return None
