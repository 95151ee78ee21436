"""How E-ARK rules are shown: a good package of a kind and version, and one change to it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from metadata.eark import judge_eark
from metadata.findings import Findings
from metadata.package_kinds import PackageProfile
from tests.builders.eark import Change, build_eark
from tests.builders.trees import FolderTree
from tests.rules.cases import Case


def eark_codes(package: Path, work: Path, profile: str) -> set[str]:
    """The codes of the judge alone, by the profile given."""
    findings = Findings()
    judge_eark(FolderTree(package), findings, PackageProfile.parse(profile))
    return set(findings.counts)


def _broken(kind: str, version: str, described: bool, change: Change, folder: Path) -> Path:
    root = build_eark(folder, kind, version, described=described)
    return change(root) or root  # a change that moves the package says where it is now


def eark_case(
    codes: str, change: Change, also: Iterable[str] = (), *, name: str = "", profile: str = "", described: bool = True
) -> Case:
    """``codes`` and ``also`` without ``EARK-``, apart by spaces; the profile is told by the codes unless given."""
    first = codes.split()[0]
    kind, _, version = (profile or f"{_kind(first)}@2.2.0").partition("@")
    return Case(
        name=f"eark {codes}{f': {name}' if name else ''}",
        codes=frozenset(f"EARK-{code}" for code in codes.split()),
        good=partial(_good, kind, version, described),
        bad=partial(_broken, kind, version, described, change),
        also=frozenset(f"EARK-{code}" if not code.startswith(("METS-", "XML-")) else code for code in also),
        profile=f"eark-{kind}@{version}",
        judge=eark_codes,
    )


def _good(kind: str, version: str, described: bool, folder: Path) -> Path:
    return build_eark(folder, kind, version, described=described)


def _kind(code: str) -> str:
    return "csip" if code.startswith(("CSIP", "UNREADABLE", "LINE")) else code[:3].lower()
