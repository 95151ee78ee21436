"""TT 05's fields, code lists and obligations, loaded from ``profile.toml`` so that an archivist can change them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from metadata.text import Sentence


class FieldType(StrEnum):
    """How the text of a field is read."""

    STRING = "string"
    DATE = "date"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CODE = "code"  # one code of the list that has the field's name
    CODES = "codes"  # one or more of them


class Need(StrEnum):
    """Whether a field must be there."""

    REQUIRED = "R"
    OPTIONAL = "O"
    CONDITIONAL = "C"


class DocumentKind(StrEnum):
    """What kind of document an ``EAD_*_<name>.xml`` describes. The values are the words in file names."""

    TEXT = "doc"
    PICTURE = "pic"
    MEDIA = "media"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One field of a form. ``length`` in characters, 0 when the circular gives none.

    ``when`` is, for a conditional field, the field that calls for it and the values of that field which do.
    """

    name: str
    label: str
    type: FieldType
    length: int
    need: Need
    when: tuple[str, frozenset[str]] | None


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of one metadata file, in the order in which form A writes them."""

    name: str
    fields: Mapping[str, FieldRule]
    identity: frozenset[str]
    permanent: str  # the only value of ``maintenance`` that may be submitted; "" when any may


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything in ``profile.toml``. ``severities`` maps a check to error, warning or off."""

    severities: Mapping[str, str]
    aliases: Mapping[str, str]
    lists: Mapping[str, Mapping[str, Sentence]]
    forms: Mapping[str, Form]

    def label(self, list_name: str, code: str) -> Sentence:
        """What a code means, in both languages; the code itself when the list does not have it. ``1`` is ``01``."""
        codes = self.lists.get(list_name, {})
        return codes.get(code) or codes.get(code.zfill(2)) or Sentence(code, code)

    def labels(self, list_name: str, text: str) -> Sentence:
        """What a field of several codes means, joined by commas, nothing twice."""
        found = [self.label(list_name, code) for code in split_codes(text)]
        return Sentence(_joined([one.vi for one in found]), _joined([one.en for one in found]))

    def form(self, kind: DocumentKind | None, package: str) -> Form:
        """The form of a document's kind, or of the dossier when ``kind`` is None; ``package`` is ``sip`` or ``aip``."""
        names = {
            None: "dossier",
            DocumentKind.TEXT: "text",
            DocumentKind.PICTURE: "picture",
            DocumentKind.MEDIA: "media",
        }
        return self.forms[f"{names[kind]}_{package}"]


def split_codes(text: str) -> list[str]:
    """The codes in a field that may have several, separated by commas, semicolons or spaces."""
    return [part for part in re.split(r"[,;\s]+", text) if part]


def _joined(texts: list[str]) -> str:
    return ", ".join(dict.fromkeys(texts))


def parse_profile(text: str) -> Profile:
    """Read a profile in TOML. Raises ValueError or KeyError when it is not one (unknown types, needs, severities)."""
    data = tomllib.loads(text)
    severities = dict(data["severities"])
    if wrong := set(severities.values()) - {"error", "warning", "off"}:
        raise ValueError(f"unknown severities: {sorted(wrong)}")
    lists = {
        name: MappingProxyType({code: Sentence(*labels) for code, labels in codes.items()})
        for name, codes in data["lists"].items()
    }
    forms = {name: _form(name, entry) for name, entry in data["forms"].items()}
    return Profile(
        MappingProxyType(severities),
        MappingProxyType(dict(data["aliases"])),
        MappingProxyType(lists),
        MappingProxyType(forms),
    )


def _form(name: str, entry: dict[str, Any]) -> Form:
    conditions = {key: (value[0], frozenset(value[1:])) for key, value in entry.get("when", {}).items()}
    fields = {
        field: FieldRule(field, label, FieldType(kind), length, Need(need), conditions.get(field))
        for field, label, kind, length, need in entry["fields"]
    }
    return Form(name, MappingProxyType(fields), frozenset(entry["identity"]), entry.get("permanent", ""))


@cache
def default_profile() -> Profile:
    """The profile that the distribution ships."""
    return parse_profile((resources.files("metadata.tt05") / "profile.toml").read_text(encoding="utf-8"))
