"""How what checks found of files is shown: outcomes as colour, sign and word, facts and signatures in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from access.web.words import Language, all_words, word
from metadata.catalogue import CheckCounts
from metadata.characteristics import Facts
from metadata.dates import VIETNAM
from metadata.findings import visible
from metadata.holdings import Member
from metadata.outcomes import SignatureOutcome, Validity, Virus

_GOOD, _NOTED, _DOUBT, _BAD, _UNKNOWN = ("jade", "✓"), ("jade", "✓"), ("amber", "!"), ("seal", "✗"), ("amber", "○")
_VALIDITIES = {
    Validity.VALID: _GOOD,
    Validity.VALID_WITH_NOTES: _NOTED,
    Validity.INVALID: _BAD,
    Validity.UNREADABLE: _DOUBT,
    Validity.NOT_CHECKED: _UNKNOWN,
}
_VIRUSES = {Virus.CLEAN: _GOOD, Virus.INFECTED: _BAD, Virus.NOT_SCANNED: _UNKNOWN}
_SIGNATURES = {
    SignatureOutcome.VALID: _GOOD,
    SignatureOutcome.VALID_WITH_NOTES: _NOTED,
    SignatureOutcome.INDETERMINATE: _DOUBT,
    SignatureOutcome.UNREADABLE: _DOUBT,
    SignatureOutcome.INVALID: _BAD,
}
# What is told of a signature, in this order; the rest of its facts is in the evidence.
_TOLD = (
    "signer", "issuer", "serial", "certificate_sha256", "certificate_from", "certificate_until", "claimed_time",
    "proved_time", "proved_by", "timestamp", "timestamp_authority", "format", "level", "signature_algorithm",
    "coverage", "modification", "signed_content", "revocation", "revocation_time", "trust_store", "validated_at",
)  # fmt: skip
_CODES = frozenset({"serial", "certificate_sha256", "signature_algorithm"})


@dataclass(frozen=True, slots=True)
class Status:
    """A state as colour (a class of the stylesheet), sign and word."""

    colour: str
    sign: str
    word: str


@dataclass(frozen=True, slots=True)
class Row:
    """Something known, as it is shown: its label, its value in words; ``code``: better in a fixed-width face."""

    label: str
    value: str
    code: bool = False


class Checks:
    """Shows them in one language."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def validity(self, outcome: Validity) -> Status:
        return self._status("validity", outcome.value, _VALIDITIES[outcome])

    def virus(self, outcome: Virus) -> Status:
        return self._status("virus", outcome.value, _VIRUSES[outcome])

    def signature(self, outcome: SignatureOutcome) -> Status:
        return self._status("signature", outcome.value, _SIGNATURES[outcome])

    def badges(self, member: Member) -> list[Status]:
        """What somebody who looks over many files must see: all but what is as it should be, and every signature."""
        found = member.characteristics
        if found is None:
            return []
        badges = []
        if found.signature is not None:
            badges.append(self._labelled("check.signatures", self.signature(found.signature)))
        if found.validity in (Validity.INVALID, Validity.UNREADABLE):
            badges.append(self.validity(found.validity))
        if found.virus is not Virus.CLEAN:
            badges.append(self.virus(found.virus))
        return badges

    def sums(self, counts: CheckCounts) -> Iterator[tuple[str, list[Status]]]:
        """What the checks of a whole package came to: the check, and how many files came to each outcome."""
        kinds = (
            ("check.signatures", [(self.signature(one), count) for one, count in counts.signature.items() if count]),
            ("check.validity", [(self.validity(one), count) for one, count in counts.validity.items() if count]),
            ("check.virus", [(self.virus(one), count) for one, count in counts.virus.items() if count]),
        )
        for label, found in kinds:
            if found:
                yield (
                    word(self._language, label),
                    [Status(one.colour, one.sign, f"{one.word}: {self._number(count)}") for one, count in found],
                )

    def facts(self, facts: Facts) -> Iterator[Row]:
        """What is known of a file, in words."""
        told = {name: self._fact(name, value) for name, value in facts.fields().items()}
        if facts.width and facts.height:
            told["width"] = f"{self._number(facts.width)} × {self._number(facts.height)}"
            told.pop("height")
        for name, text in told.items():
            yield Row(word(self._language, f"fact.{name}"), text)

    def signature_rows(self, facts: Mapping[str, str]) -> Iterator[Row]:
        """What is known of a signature, in words."""
        for name in _TOLD:
            if text := facts.get(name):
                label = word(self._language, f"signed.{name}")
                yield Row(label, self.moment(text) or self._coded(name, text), name in _CODES)

    def moment(self, text: str) -> str:
        """A time as ISO 8601 writes it, in Vietnam's time; empty when it is none."""
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return ""
        if len(text) < len("2026-01-01T00"):
            return ""
        return f"{(at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(VIETNAM):%d/%m/%Y %H:%M:%S}"

    def _coded(self, name: str, text: str) -> str:
        key = f"{name}.{text}"
        return word(self._language, key) if key in all_words() else visible(text, limit=2000)

    def _fact(self, name: str, value: object) -> str:
        if isinstance(value, bool):
            return word(self._language, "value.yes" if value else "value.no")
        if not isinstance(value, int):
            return visible(str(value), limit=500)
        if name == "duration":
            minutes, seconds = divmod(value // 1000, 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
        return self._number(value)

    def _number(self, value: int) -> str:
        text = f"{value:,}"
        return text.replace(",", ".") if self._language is Language.VI else text

    def _status(self, kind: str, outcome: str, look: tuple[str, str]) -> Status:
        return Status(*look, word(self._language, f"{kind}.{outcome}"))

    def _labelled(self, label: str, status: Status) -> Status:
        return Status(status.colour, status.sign, f"{word(self._language, label)}: {status.word}")
