"""The test corpus for E-ARK packages: what its ``testCase.xml`` declares, and what our judge finds."""

from __future__ import annotations

import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lxml import etree

from metadata.eark import judge_eark
from metadata.eark.requirements import requirements
from metadata.findings import Findings, Severity, finding_rules
from metadata.package_kinds import EARK_VERSIONS, PackageKind, PackageProfile
from tests.builders.shared_data import shared_data
from tests.builders.trees import FolderTree


@dataclass(frozen=True, slots=True)
class Pair:
    """One declaration of the corpus: a rule of a requirement, a package, and whether the package is valid for it."""

    requirement: str
    rule: str
    version: str
    valid: bool
    package: Path

    @property
    def name(self) -> str:
        return f"{self.requirement} rule {self.rule}: {self.package.name}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the judge says of a pair: the codes it found for the requirement, and a crash if it had one."""

    pair: Pair
    codes: tuple[str, ...]
    all_codes: frozenset[str] = frozenset()
    crash: str = ""

    @property
    def right(self) -> bool:
        return not self.crash and bool(self.codes) != self.pair.valid

    @property
    def severity(self) -> Severity | None:
        """The gravest of what was found."""
        found = {finding_rules()[code].severity for code in self.codes}
        return next((one for one in (Severity.ERROR, Severity.WARNING, Severity.NOTE) if one in found), None)


def declared(corpus: Path) -> Iterator[Pair]:
    """Every pair of rule and package that the corpus declares and has."""
    for case in sorted(corpus.glob("*/*/testCase.xml")):
        root = etree.parse(str(case)).getroot()
        found = root.find("id")
        requirement = found.get("requirementId")
        version = found.get("version") if found.get("version") in EARK_VERSIONS else ""
        for rule in root.iter("rule"):
            for package in rule.iter("package"):
                path = case.parent / (package.findtext("path") or "").strip().lstrip("/")
                if path != case.parent and path.exists():
                    yield Pair(requirement, rule.get("id"), version, package.get("isValid") == "TRUE", path)


def judge(pair: Pair, codes: set[str] | None = None) -> Outcome:
    """Judge the package and keep what was found for the pair's requirement, or for one that says the same."""
    kind = PackageKind("eark-" + ("csip" if pair.requirement.startswith("CSIP") else pair.requirement[:3].lower()))
    try:
        found = codes if codes is not None else codes_of(pair.package, PackageProfile(kind, pair.version))
    except Exception as error:  # a crash is what is looked for
        return Outcome(pair, (), crash=repr(error))
    wanted = codes_for(pair.requirement, kind, pair.version)
    return Outcome(pair, tuple(sorted(found & wanted)), frozenset(found))


def codes_for(requirement: str, kind: PackageKind, version: str) -> set[str]:
    """The codes of a requirement and those of ``equivalents.toml``."""
    table = requirements(kind, version or EARK_VERSIONS[-1])
    own = {code for name, code in table.items() if name == requirement or name.startswith(f"{requirement}-")}
    return own | set(known("equivalents").get(requirement, {}).get("codes", []))


def codes_of(package: Path, profile: PackageProfile) -> set[str]:
    """Every code that the judge finds; ZIP files are unpacked first."""
    if package.is_dir():
        return _codes(package, profile)
    with TemporaryDirectory() as folder, zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
        inner = list(Path(folder).iterdir())
        return _codes(inner[0] if len(inner) == 1 and inner[0].is_dir() else Path(folder), profile)


def _codes(folder: Path, profile: PackageProfile) -> set[str]:
    findings = Findings()
    judge_eark(FolderTree(folder), findings, profile)
    return set(findings.counts)


def known(name: str) -> dict[str, dict[str, Any]]:
    """A table of ``eark_corpus.toml``."""
    text = (Path(__file__).parent / "eark_corpus.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text).get(name, {}))


def corpus_folder() -> Path | None:
    """Where the corpus lies; None when it is not there."""
    return shared_data("eark", "corpus")


def outcomes(corpus: Path) -> list[Outcome]:
    """Every pair judged."""
    return [judge(pair) for pair in declared(corpus)]
