"""Cases of TT 05: a good package of a kind, one mutation, and the codes that it must give; judged as a folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from metadata.findings import Findings
from metadata.package_kinds import PackageKind
from metadata.tt05.judge import judge_tt05
from metadata.tt05.profile import Profile, default_profile, parse_profile, profile_text
from tests.builders.trees import FolderTree
from tests.builders.tt05 import BUILDERS
from tests.rules.cases import Build, Case

ROOT = "METS.xml"
REP = "representations/rep1/"
INNER = f"{REP}METS.xml"
EAD = "metadata/descriptive/EAD.xml"
DOC = f"{REP}metadata/descriptive/EAD_doc_File1.xml"
DOC2 = f"{REP}metadata/descriptive/EAD_doc_File2.xml"
PREMIS = "metadata/preservation/PREMIS.xml"
PREMIS_REP = f"{REP}metadata/preservation/PREMIS_rep1.xml"
LOCKED = "khóa"
ZIP_NAME = "zip-name"

SIP, AIP, DIP = PackageKind.SIP_HOSO, PackageKind.AIP_HOSO, PackageKind.DIP
LOOSE_SIP, LOOSE_AIP = PackageKind.SIP_TAILIEU, PackageKind.AIP_TAILIEU

Mutation = Callable[[Path], object]


class LockedTree(FolderTree):
    """A package of which files with ``khóa`` in their name cannot be read."""

    def open(self, path: str) -> BinaryIO:
        if LOCKED in path:
            raise PermissionError(13, "Permission denied")
        return super().open(path)


def judged(package: Path, kind: PackageKind, profile: Profile | None = None) -> Findings:
    """Everything that the judge says. A file ``zip-name`` beside the package tells the name of its ZIP."""
    note, findings = package.with_name(ZIP_NAME), Findings()
    zip_name = note.read_text(encoding="utf-8") if note.exists() else ""
    judge_tt05(LockedTree(package), findings, kind, profile, zip_name=zip_name)
    return findings


def codes(package: Path, _: Path, profile: str) -> set[str]:
    return set(judged(package, PackageKind(profile)).counts)


def strict_codes(package: Path, _: Path, profile: str) -> set[str]:
    """The codes when every check of fields counts as an error."""
    return set(judged(package, PackageKind(profile), STRICT).counts)


STRICT = parse_profile(re.sub(r'^(\w+) = "warning"', r'\1 = "error"', profile_text(), flags=re.MULTILINE))
assert STRICT.severities != default_profile().severities


# Mutations


def sub(path: str, pattern: str, new: str, count: int = 1) -> Mutation:
    """Replace what a regular expression finds in a file; fails when it finds nothing."""

    def mutate(folder: Path) -> None:
        file = folder / path
        text, found = re.subn(pattern, new, file.read_text(encoding="utf-8"), count=count, flags=re.DOTALL)
        assert found, f"{pattern!r} is not in {path}"
        file.write_text(text, encoding="utf-8")

    return mutate


def field(path: str, name: str, text: str) -> Mutation:
    """Give a field another text."""
    return sub(path, f"<{name}>[^<]*</{name}>", f"<{name}>{text}</{name}>")


def without(path: str, name: str) -> Mutation:
    """Take a field out."""
    return sub(path, f"<{name}>[^<]*</{name}>", "")


def put(path: str, text: str = "x") -> Mutation:
    """Add a file."""

    def mutate(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")

    return mutate


def take(path: str) -> Mutation:
    """Take a file away."""
    return lambda folder: (folder / path).unlink()


def rename(path: str, name: str) -> Mutation:
    """Give a file another name in its folder."""
    return lambda folder: (folder / path).rename((folder / path).with_name(name))


def copy(path: str, name: str) -> Mutation:
    """Copy a file in its folder."""
    return lambda folder: (folder / path).with_name(name).write_bytes((folder / path).read_bytes())


# Cases


def case(
    code: str,
    kind: PackageKind,
    mutate: Mutation,
    *also: str,
    name: str = "",
    good: Build | None = None,
    judge: Callable[[Path, Path, str], set[str]] = codes,
) -> Case:
    """``mutate`` on a good package of ``kind``, or on a copy of ``good``'s, gives ``TT05-<code>``; ``also`` too."""
    build: Build = good or BUILDERS[kind]

    def bad(folder: Path) -> Path:
        package = build(folder)
        mutate(package)
        return package

    return Case(
        f"tt05: {code} {kind} {name}".strip(),
        frozenset({f"TT05-{code}"}),
        build,
        bad,
        frozenset(f"TT05-{one}" for one in also),
        kind.value,
        judge,
    )


def built(code: str, kind: PackageKind, good: Build, bad: Build, *also: str, name: str = "") -> Case:
    """Two packages that builders make."""
    return Case(
        f"tt05: {code} {kind} {name}".strip(),
        frozenset({f"TT05-{code}"}),
        good,
        bad,
        frozenset(f"TT05-{one}" for one in also),
        kind.value,
        codes,
    )
