"""What people are told of verdicts, gravities and kinds of package (data, out of ``words.toml``), and of numbers."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from ingest.check import CheckVerdict
from metadata.findings import Severity
from metadata.package_kinds import PackageProfile
from metadata.text import Sentence


@dataclass(frozen=True, slots=True)
class Marked:
    """A word with its sign: colour alone never says anything."""

    sign: str
    word: Sentence


def verdict_mark(verdict: CheckVerdict) -> Marked:
    """The verdict as people read it."""
    return _mark(_words()["verdict"][verdict.value])


def verdict_next(verdict: CheckVerdict) -> Sentence:
    """What comes next after such a verdict."""
    return _sentence(_words()["verdict"][verdict.value]["next"])


def severity_mark(severity: Severity) -> Marked:
    """How grave a finding is, as people read it."""
    return _mark(_words()["severity"][severity.value])


def profile_name(profile: str) -> Sentence:
    """A profile's name in words, its version beside it; ``profile`` as a report has it, empty when unknown."""
    if not profile:
        return _sentence(_words()["kind"]["unknown"])
    parsed = PackageProfile.parse(profile)
    name = _sentence(_words()["kind"][parsed.kind.value])
    return Sentence(f"{name.vi} {parsed.version}".strip(), f"{name.en} {parsed.version}".strip())


def number_text(number: int) -> str:
    """Thousands apart, as people here write them: ``1.234``."""
    return f"{number:,}".replace(",", ".")


def _mark(entry: dict[str, Any]) -> Marked:
    return Marked(entry["sign"], _sentence(entry))


def _sentence(entry: dict[str, Any]) -> Sentence:
    return Sentence(entry["vi"], entry["en"])


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads((resources.files("ingest.reports") / "words.toml").read_text(encoding="utf-8"))
