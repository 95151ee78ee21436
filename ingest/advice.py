"""Findings grouped by what a person must do about them; which code asks for which action is data (``advice.toml``)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from ingest.check import GRAVITY
from metadata.findings import Finding, Severity
from metadata.text import Sentence


@dataclass(frozen=True, slots=True)
class FindingKind:
    """All findings of one code: ``count`` of them, of which ``findings`` are listed."""

    code: str
    severity: Severity
    rule: str
    count: int
    findings: tuple[Finding, ...]

    @property
    def unlisted(self) -> int:
        """How many more there are than are listed."""
        return self.count - len(self.findings)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do: its name (stable), the sentence that heads it, and what it is for, the gravest first."""

    name: str
    sentence: Sentence
    kinds: tuple[FindingKind, ...]

    @property
    def severity(self) -> Severity:
        """Of the gravest of its findings."""
        return self.kinds[0].severity

    @property
    def count(self) -> int:
        return sum(kind.count for kind in self.kinds)


def actions(findings: Sequence[Finding], counts: Mapping[str, int]) -> tuple[Action, ...]:
    """What to do about ``findings``: actions with errors first, each group in the order of ``advice.toml``."""
    by_code: dict[str, list[Finding]] = {}
    for one in findings:
        by_code.setdefault(one.code, []).append(one)
    by_action: dict[str, list[FindingKind]] = {}
    for code, listed in by_code.items():
        count = max(counts.get(code, 0), len(listed))
        kind = FindingKind(code, listed[0].severity, listed[0].rule, count, tuple(listed))
        by_action.setdefault(action_of(code), []).append(kind)
    made = [
        Action(name, sentence, tuple(sorted(by_action[name], key=lambda kind: GRAVITY.index(kind.severity))))
        for name, (sentence, _) in _actions().items()
        if name in by_action
    ]
    return tuple(sorted(made, key=lambda action: GRAVITY.index(action.severity)))


def action_of(code: str) -> str:
    """The name of the action that a finding of this code asks for."""
    return next(name for name, (_, pattern) in _actions().items() if pattern.fullmatch(code))


@cache
def _actions() -> Mapping[str, tuple[Sentence, re.Pattern[str]]]:
    data = tomllib.loads((resources.files("ingest") / "advice.toml").read_text(encoding="utf-8"))
    return {
        name: (Sentence(entry["vi"], entry["en"]), re.compile("|".join(f"(?:{code})" for code in entry["codes"])))
        for name, entry in data.items()
    }
