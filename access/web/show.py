"""How values are shown: dates dd/mm/yyyy in Vietnam's time, sizes in MB and GB, a status as colour, sign and word."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from urllib.parse import quote

from access.search.feeder import UNIDENTIFIED_FORMAT, format_label
from access.search.port import Facet
from access.web.checks import Checks, Status
from access.web.retelling import retell
from access.web.words import Language, all_words, word
from metadata.dates import VIETNAM, RecordDate
from metadata.findings import visible
from metadata.holdings import Member, Record
from metadata.outcomes import Fixity, SignatureOutcome, Virus
from metadata.tt05.profile import FieldRule, FieldType, default_profile

_KINDS = ("typeName", "typePic", "typeMedia")
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A descriptive field as it is shown: its label, its own name, its value in words."""

    label: str
    name: str
    value: str


class Show:
    """Shows values in one language. Its public methods are what templates may call."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self.checks = Checks(language)

    def number(self, value: int) -> str:
        """1.234.567 in Vietnamese, 1,234,567 in English."""
        text = f"{value:,}"
        return text.replace(",", ".") if self._language is Language.VI else text

    def size(self, value: int) -> str:
        """Bytes in decimal units with one digit after the point."""
        amount, unit = float(value), 0
        while amount >= 999.95 and unit < len(_UNITS) - 1:
            amount, unit = amount / 1000, unit + 1
        text = f"{amount:.1f}" if unit else str(value)
        return (text.replace(".", ",") if self._language is Language.VI else text) + f" {_UNITS[unit]}"

    def day(self, moment: datetime) -> str:
        return f"{moment.astimezone(VIETNAM):%d/%m/%Y}"

    def time(self, moment: datetime) -> str:
        return f"{moment.astimezone(VIETNAM):%H:%M}"

    def dates(self, start: RecordDate, end: RecordDate) -> str:
        """One date or two: ``12/03/2019 – 31/12/2020``."""
        first, last = start.tt05.strip(), end.tt05.strip()
        return first if first == last else " – ".join(date for date in (first, last) if date)

    def fixity(self, outcome: Fixity) -> Status:
        colour, sign = {
            Fixity.MATCH: ("jade", "✓"),
            Fixity.MISMATCH: ("seal", "✗"),
            Fixity.MISSING: ("seal", "✗"),
            Fixity.UNREADABLE: ("amber", "!"),
            Fixity.NOT_CHECKED: ("amber", "○"),
        }[outcome]
        return Status(colour, sign, word(self._language, f"fixity.{outcome.value}"))

    def outcome(self, outcome: str) -> Status:
        """The outcome of an event; one that we have no word for is shown as it is."""
        if outcome in list(Fixity):
            return self.fixity(Fixity(outcome))
        if outcome in list(Virus):
            return self.checks.virus(Virus(outcome))
        if outcome in list(SignatureOutcome):
            return self.checks.signature(SignatureOutcome(outcome))
        colour, sign = {"success": ("jade", "✓"), "failure": ("seal", "✗")}.get(outcome, ("amber", "!"))
        key = f"outcome.{outcome}"
        return Status(colour, sign, word(self._language, key) if key in all_words() else outcome)

    def access(self, code: str) -> str:
        """The access level in words."""
        return self._language.of(default_profile().labels("mode", code)) if code else ""

    def kind(self, name: str) -> str:
        """The kind of a document, which records have in Vietnamese."""
        return self._relabel(name, *_KINDS)

    def language(self, names: str) -> str:
        """The language of a record, which records have in Vietnamese."""
        return self._relabel(names, "language")

    def _relabel(self, text: str, *lists: str) -> str:
        labels = (label for name in lists for label in default_profile().lists[name].values())
        return next((self._language.of(label) for label in labels if label.vi == text), text)

    def told(self, text: str) -> str:
        """A sentence of an event in this language, safe to show."""
        return self.safe(retell(self._language, text))

    def facet(self, facet: Facet, value: str) -> str:
        """A facet's value in words."""
        if facet is Facet.ACCESS:
            return self.access(value)
        if facet is Facet.LEVEL and f"level.{value}" in all_words():
            return word(self._language, f"level.{value}")
        if facet is Facet.TYPE:
            return self.kind(value)
        return word(self._language, "document.unidentified") if value == UNIDENTIFIED_FORMAT else value

    def format(self, member: Member) -> str:
        """The name of a file's format."""
        return self.facet(Facet.FORMAT, format_label(member.format))

    def field_name(self, name: str) -> str:
        """The label of a descriptive field: as TT 05 has it in Vietnamese; one that nobody named: its name in words."""
        rule = _rules().get(name)
        if rule is not None and self._language is Language.VI:
            return rule.label
        if known := _names()[self._language.value].get(name):
            return known
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("-", " ").capitalize()

    def fields(self, record: Record) -> Iterator[FieldRow]:
        """All fields of a record that are not empty, in their order, codes in words."""
        for name, text in record.fields.items():
            if not text.strip():
                continue
            rule = _rules().get(name)
            yield FieldRow(self.field_name(name), name, self._value(rule, text.strip()))

    def _value(self, rule: FieldRule | None, text: str) -> str:
        if rule is None:
            return text
        if rule.type in (FieldType.CODE, FieldType.CODES):
            return self._language.of(default_profile().labels(rule.name, text))
        if rule.type is FieldType.BOOLEAN and text in ("0", "1"):
            return word(self._language, "value.yes" if text == "1" else "value.no")
        return text

    def file_name(self, path: str) -> str:
        """The last part of a path, safe to show."""
        return visible(path.rpartition("/")[2])

    def folder(self, path: str) -> str:
        """All of a path but its last part, with the slash, safe to show; empty when it is in no folder."""
        folder, slash, _ = path.rpartition("/")
        return visible(folder, limit=4000) + slash

    def safe(self, text: str) -> str:
        """Text from outside with control characters made visible."""
        return "\n".join(visible(line, limit=4000) for line in text.splitlines())

    def path(self, path: str) -> str:
        """A path percent-encoded for an address."""
        return quote(path, safe="/")


@cache
def _names() -> Mapping[str, Mapping[str, str]]:
    """Names of fields by language, then by field: what ``fields.toml`` has."""
    return tomllib.loads((resources.files("access.web") / "fields.toml").read_text(encoding="utf-8"))


def _rules() -> dict[str, FieldRule]:
    """Every field by its name; of a name that several forms have, the first one's: a dossier goes before a batch."""
    forms = reversed([*default_profile().forms.values()])
    return {name: rule for form in forms for name, rule in form.fields.items()}
