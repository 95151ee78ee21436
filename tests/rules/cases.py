"""How every rule is shown to be right both ways: one thing broken gives its code, its good twin does not.

Each module of this package named ``test_<area>.py`` has a list ``CASES``; :mod:`tests.rules.test_every_rule` fails when
a code of ``metadata/finding_codes`` has no case anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingest.check import check_package
from metadata.package_kinds import PackageProfile

Build = Callable[[Path], Path]
"""Writes a package under a folder that is there already, and returns its path."""


def codes_of(package: Path, work: Path, profile: str = "") -> set[str]:
    """The codes that ``tangthu check`` finds in a package."""
    work.mkdir(parents=True, exist_ok=True)
    report = check_package(package, work, PackageProfile.parse(profile) if profile else None)
    return set(report.counts)


@dataclass(frozen=True, slots=True)
class Case:
    """``bad`` breaks exactly one thing of ``good`` and must give all of ``codes``, of which ``good`` gives none.

    ``also`` are codes that the same fault cannot but give too; any further code that only ``bad`` gives fails the test.
    ``judge`` says which codes a package gives: the check of a whole package unless a case says otherwise.
    """

    name: str
    codes: frozenset[str]
    good: Build
    bad: Build
    also: frozenset[str] = frozenset()
    profile: str = ""
    judge: Callable[[Path, Path, str], set[str]] = codes_of

    def prove(self, folder: Path) -> None:
        """Raises AssertionError with what was found."""
        found = []
        for name, build in (("good", self.good), ("bad", self.bad)):
            place = folder / name
            place.mkdir()
            found.append(self.judge(build(place), folder / f"work-{name}", self.profile))
        good, bad = found
        assert not self.codes & good, f"{self.name}: the good twin has {sorted(self.codes & good)}"
        assert self.codes <= bad, f"{self.name}: missed {sorted(self.codes - bad)}, found {sorted(bad)}"
        unexpected = bad - good - self.codes - self.also
        assert not unexpected, f"{self.name}: also found {sorted(unexpected)}"
