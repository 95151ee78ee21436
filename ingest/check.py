"""Checking packages: everything that an ingest would say, and nothing kept. Needs no archive."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ingest.guards import LIMITS, GuardLimits
from ingest.ledger import Ledger
from ingest.one_pass import Nowhere, OnePass
from ingest.packages.inspection import Inspected, inspect
from ingest.sources import Source, open_source
from metadata.findings import Finding, Findings, Severity
from metadata.holdings import Role
from metadata.package_kinds import PackageProfile

TREE_LIMIT = 5000
"""Files that a report lists one by one; those with findings come first."""


class CheckVerdict(StrEnum):
    """What a check comes to: nothing found, only warnings and notes, or errors (an archive would refuse it)."""

    GOOD = "good"
    NOTED = "noted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """One file of the package as the report's tree shows it. ``size`` None: a finding names it, it is not there."""

    path: str
    size: int | None
    worst: Severity | None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Everything a check says. ``counts`` is of every finding by code, of which ``findings`` keeps 1,000 of a kind."""

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


def check_package(
    path: Path,
    work: Path,
    asked: PackageProfile | None = None,
    *,
    limits: GuardLimits = LIMITS,
    on_progress: Callable[[int, int], None] = lambda *_: None,
) -> CheckReport:
    """Judge the package at ``path`` (folder, tar or ZIP): structure first, then every byte once.

    ``work`` is a folder for temporary files; ``on_progress`` is told bytes done and bytes in all. Findings never raise;
    raises TemporaryError for what is this machine's fault.
    """
    findings = Findings()
    with tempfile.TemporaryDirectory(dir=work, prefix="check-") as folder:
        source = open_source(path, Path(folder) / "quarantine", findings, limits)
        if source is None:
            return _report(path.name, None, findings, 0, 0, ())
        with contextlib.closing(source), Ledger(Path(folder) / "ledger.sqlite") as ledger:
            inspected = inspect(source, ledger, findings, asked, limits)
            if inspected is None:
                return _report(source.name, None, findings, 0, 0, ())
            totals = ledger.totals("")
            _read(source, ledger, findings, Path(folder), lambda done: on_progress(done, totals.bytes))
            tree = _tree(ledger, findings)
            return _report(source.name, inspected, findings, totals.files, totals.bytes, tree)


def _read(source: Source, ledger: Ledger, findings: Findings, spool: Path, on_progress: Callable[[int], None]) -> None:
    """Every byte once, against everything that the package declares of it."""
    ledger.plan_all("", "", Role.SUBMISSION)
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        on_progress(done)

    OnePass(source, ledger, findings, Nowhere(), None, spool, advance).run()


def _tree(ledger: Ledger, findings: Findings) -> tuple[CheckedFile, ...]:
    order = [Severity.ERROR, Severity.WARNING, Severity.NOTE]
    worst: dict[str, Severity] = {}
    for one in findings.kept():
        if one.place not in worst or order.index(one.severity) < order.index(worst[one.place]):
            worst[one.place] = one.severity
    marked = [CheckedFile(place, ledger.size_of(place), severity) for place, severity in worst.items()]
    plain = (CheckedFile(path, ledger.size_of(path), None) for path in ledger.paths("") if path not in worst)
    kept = [*marked[:TREE_LIMIT], *itertools.islice(plain, max(0, TREE_LIMIT - len(marked)))]
    return tuple(sorted(kept, key=lambda one: one.path))


def _report(
    name: str, inspected: Inspected | None, findings: Findings, files: int, size: int, tree: tuple[CheckedFile, ...]
) -> CheckReport:
    kept = findings.kept()
    verdict = CheckVerdict.REFUSED if findings.refused else CheckVerdict.NOTED if kept else CheckVerdict.GOOD
    return CheckReport(
        name,
        str(inspected.profile) if inspected else "",
        inspected.objid if inspected else "",
        inspected.title if inspected else "",
        files,
        size,
        kept,
        findings.counts,
        tree,
        verdict,
    )
