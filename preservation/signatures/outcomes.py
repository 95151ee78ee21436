"""What a check of signatures may say, and why: outcomes, and reasons as codes with bilingual sentences (data)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from metadata.findings import visible
from metadata.outcomes import SignatureOutcome
from metadata.text import Sentence

_GRAVITY = {outcome: grade for grade, outcome in enumerate(SignatureOutcome)}
_EFFECTS = {
    "INFO": SignatureOutcome.VALID,
    "NOTE": SignatureOutcome.VALID_WITH_NOTES,
    "INDETERMINATE": SignatureOutcome.INDETERMINATE,
    "UNREADABLE": SignatureOutcome.UNREADABLE,
    "INVALID": SignatureOutcome.INVALID,
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of a verdict: its code and what it says. Compare codes, never sentences."""

    code: str
    sentence: Sentence

    @property
    def outcome(self) -> SignatureOutcome:
        """What this reason alone would make of the verdict."""
        return _EFFECTS[_rules()[self.code]["effect"]]

    def fields(self) -> dict[str, str]:
        return {"code": self.code, "vi": self.sentence.vi, "en": self.sentence.en}


def reason(code: str, **details: object) -> Reason:
    """Make a reason; ``details`` fill its sentence. Raises KeyError for an unknown code or a missing detail."""
    rule = _rules()[code]
    shown = {key: visible(str(value), 200) for key, value in details.items()}
    return Reason(code, Sentence(rule["vi"].format_map(shown), rule["en"].format_map(shown)))


def reason_codes() -> Mapping[str, str]:
    """Every code with its effect."""
    return MappingProxyType({code: rule["effect"] for code, rule in _rules().items()})


def outcome_of(reasons: Iterable[Reason]) -> SignatureOutcome:
    """The gravest of the reasons; VALID when there is none."""
    return gravest(one.outcome for one in reasons)


def gravest(outcomes: Iterable[SignatureOutcome]) -> SignatureOutcome:
    """The gravest outcome; VALID of none."""
    return max(outcomes, key=lambda one: _GRAVITY[one], default=SignatureOutcome.VALID)


@cache
def _rules() -> Mapping[str, Mapping[str, str]]:
    text = (resources.files("preservation.signatures") / "reasons.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))
