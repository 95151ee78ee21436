"""Findings: what a check has to say about a package, in codes and sentences that are data.

The codes live in ``metadata/finding_codes/*.toml``::

    [BAG-CHECKSUM]
    severity = "error"                 # error (MUST) or warning (SHOULD) or note
    rule = "RFC 8493 §3"               # the clause
    vi = "Tệp {place} không khớp mã băm {algorithm} trong {manifest}: hãy gửi lại gói tin."
    en = "File {place} does not match its {algorithm} digest in {manifest}: send the package again."
"""

from __future__ import annotations

import logging
import sqlite3
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import PurePath
from types import MappingProxyType
from typing import Self

from metadata.errors import TangThuError
from metadata.text import Sentence

LIMIT_PER_CODE = 1000


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class FindingRule:
    """A kind of finding: its code, how grave it is, the clause it comes from, and its sentences as templates."""

    code: str
    severity: Severity
    rule: str
    template: Sentence


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: what (``code``), how grave, where (``place``, as received), and what the sender must do."""

    code: str
    severity: Severity
    place: str
    message: Sentence
    rule: str

    def fields(self) -> dict[str, str]:
        """As JSON has it; of a place that is not Unicode, what can be written."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "place": self.place.encode("utf-8", "backslashreplace").decode(),
            "vi": self.message.vi,
            "en": self.message.en,
            "rule": self.rule,
        }

    @classmethod
    def of_fields(cls, fields: Mapping[str, str]) -> Self:
        """Inverse of :meth:`fields`. Raises KeyError, ValueError."""
        message = Sentence(fields["vi"], fields["en"])
        return cls(fields["code"], Severity(fields["severity"]), fields["place"], message, fields["rule"])


@cache
def finding_rules() -> Mapping[str, FindingRule]:
    """Every code that a check may use, by code. Raises ValueError when two files define the same code."""
    rules: dict[str, FindingRule] = {}
    folder = resources.files("metadata") / "finding_codes"
    for path in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not path.name.endswith(".toml"):
            continue
        for code, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if code in rules:
                raise ValueError(f"finding code {code} is defined twice")
            rules[code] = FindingRule(
                code, Severity(entry["severity"]), entry["rule"], Sentence(entry["vi"], entry["en"])
            )
    return MappingProxyType(rules)


def finding(code: str, place: str, **details: object) -> Finding:
    """Make a finding; ``details`` fill the templates. Raises KeyError for an unknown code or a missing detail."""
    rule = finding_rules()[code]
    shown = {key: visible(str(value)) for key, value in details.items()} | {"place": visible(place)}
    message = Sentence(rule.template.vi.format_map(shown), rule.template.en.format_map(shown))
    return Finding(code, rule.severity, place, message, rule.rule)


def visible(text: str, limit: int = 300) -> str:
    """Text from outside made safe to show: characters that mislead or cannot be encoded escaped, length bounded."""
    kept = "".join(
        c if c.isprintable() and not 0xD800 <= ord(c) <= 0xDFFF else f"\\u{ord(c):04x}" for c in text[: limit + 1]
    )
    return kept if len(text) <= limit else kept[:limit] + "…"


class Findings:
    """A bounded list: the first 1,000 of a kind, then only their count."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._count: Counter[str] = Counter()
        self._refused = False

    def add(self, code: str, place: str, **details: object) -> None:
        """Note a finding. Raises KeyError for an unknown code or a missing detail."""
        self.weigh(finding_rules()[code].severity, code, place, **details)

    def weigh(self, severity: Severity, code: str, place: str, **details: object) -> None:
        """As :meth:`add`, but as grave as a profile says where it says otherwise than the code's own rule."""
        self._count[code] += 1
        self._refused = self._refused or severity is Severity.ERROR
        if self._count[code] <= LIMIT_PER_CODE:
            found = finding(code, place, **details)
            self._kept.append(found if found.severity is severity else replace(found, severity=severity))

    def take(self, found: Finding) -> None:
        """Note a finding that another check has made."""
        self._count[found.code] += 1
        self._refused = self._refused or found.severity is Severity.ERROR
        if self._count[found.code] <= LIMIT_PER_CODE:
            self._kept.append(found)

    @property
    def refused(self) -> bool:
        """Whether anything found is an error."""
        return self._refused

    @property
    def counts(self) -> Mapping[str, int]:
        return MappingProxyType(self._count)

    def kept(self) -> tuple[Finding, ...]:
        return tuple(self._kept)


@contextmanager
def judging(findings: Findings, place: str) -> Iterator[None]:
    """Around what a judge does with one file or with one part of a package: if the judge fails, that is a finding.

    What is meant to end the work is raised all the same: our own errors (refusals of a document among them), and the
    faults of this machine: OSError, sqlite3.Error, MemoryError.
    """
    try:
        yield
    except (TangThuError, OSError, sqlite3.Error, MemoryError):
        raise
    except Exception as error:  # one file's judge, not the whole check
        logging.getLogger(__name__).info("a judge failed at %r", place, exc_info=True)
        findings.add("CHECK-UNREADABLE", place, reason=_where(error))


def _where(error: Exception) -> str:
    """The kind of error, and the line of ours where it happened: what a developer needs, and nothing of the package."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    return f"{type(error).__name__}, {PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
