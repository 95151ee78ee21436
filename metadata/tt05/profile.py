"""TT 05's fields, code lists and obligations, loaded from data so that an archivist can change them without code.

One circular is one folder of TOML files (``circular_05_2025``): ``fields.toml``, ``lists.toml``, ``packages.toml``,
``formats.toml`` and ``judging.toml``. They are read as one document, so a table may stand in any of them, once.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from metadata.errors import UsageError
from metadata.findings import Severity, finding_rules
from metadata.package_kinds import PackageKind
from metadata.text import Sentence
from metadata.tt05.formats import FormatForms, format_forms
from metadata.tt05.packages import MetsForms, PackageRules, PremisForms, mets_forms, package_rules, premis_forms

CIRCULAR = "circular_05_2025"
_SEVERITIES = ("error", "warning", "note", "off")
# What is checked of fields: the names in [severities], and the codes' (TT05-<code>, and TT05-<code>-NOTED).
_CHECKS = {
    "identity": "REQUIRED",
    "required": "REQUIRED",
    "conditional": "CONDITION",
    "length": "LENGTH",
    "code": "CODE",
    "date": "DATE",
    "number": "NUMBER",
    "boolean": "BOOLEAN",
    "permanent": "PERMANENT",
    "unknown": "UNKNOWN-FIELD",
    "repeated": "REPEATED",
}
_OF_READING = ("TT05-ROOT", "TT05-TOO-MANY-FIELDS")  # no description at all: that cannot be weighed


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
    partial_dates: bool  # whether MM/YYYY and YYYY are dates of this form

    def known(self, aliases: Mapping[str, str]) -> dict[str, str]:
        """The other names that stand for a field of this form, to that field. An alias works both ways."""
        pairs = {**aliases, **{name: alias for alias, name in aliases.items()}}
        return {name: field for name, field in pairs.items() if field in self.fields and name not in self.fields}


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything that the files of a circular say.

    ``severities`` maps a check of fields to error, warning or off; ``rules`` maps each other code to its severity, or
    to None when it is not looked at. ``mime`` maps an extension in lower case (``.pdf``) to its media types, the one
    that is written first.
    """

    severities: Mapping[str, str]
    rules: Mapping[str, Severity | None]
    aliases: Mapping[str, str]
    lists: Mapping[str, Mapping[str, Sentence]]
    forms: Mapping[str, Form]
    mime: Mapping[str, tuple[str, ...]]
    packages: Mapping[PackageKind, PackageRules]
    mets: MetsForms
    premis: PremisForms
    formats: FormatForms

    def label(self, list_name: str, code: str) -> Sentence:
        """What a code means, in both languages; the code itself when the list does not have it. ``1`` is ``01``."""
        codes = self.lists.get(list_name, {})
        return codes.get(code) or codes.get(code.zfill(2)) or Sentence(code, code)

    def labels(self, list_name: str, text: str) -> Sentence:
        """What a field of several codes means, joined by commas, nothing twice."""
        found = [self.label(list_name, code) for code in split_codes(text)]
        return Sentence(_joined([one.vi for one in found]), _joined([one.en for one in found]))

    def package(self, package: str | PackageKind) -> PackageRules:
        """The rules of a kind of package; ``sip``, ``aip``, ``dip`` mean that of a dossier, and the DIP."""
        known = {"sip": PackageKind.SIP_HOSO, "aip": PackageKind.AIP_HOSO, "dip": PackageKind.DIP}
        return self.packages[PackageKind(known.get(package, package))]

    def form(self, kind: DocumentKind | None, package: str | PackageKind) -> Form:
        """The form of a document's kind, or of the whole package when ``kind`` is None; see :meth:`package`."""
        return self.forms[self.package(package).forms[kind.value if kind else "package"]]

    def media_type(self, name: str) -> str:
        """The media type that the circular's table gives for a file name; application/octet-stream for others."""
        return self.mime.get(Path(name).suffix.lower(), ("application/octet-stream",))[0]


def split_codes(text: str) -> list[str]:
    """The codes in a field that may have several, separated by commas, semicolons or spaces."""
    return [part for part in re.split(r"[,;\s]+", text) if part]


def _joined(texts: list[str]) -> str:
    return ", ".join(dict.fromkeys(texts))


class ProfileRefused(UsageError):
    """Files of a circular that do not make a profile; the sentence names the file and what is wrong in it."""


def parse_profile(text: str) -> Profile:
    """Read a profile in TOML. Raises ValueError or KeyError when it is not one (unknown types, needs, severities)."""
    return _profile(tomllib.loads(text))


def _profile(data: Mapping[str, Any]) -> Profile:
    severities, rules = dict(data["severities"]), _default_rules() | dict(data["rules"])
    if wrong := set(severities.values()) - {"error", "warning", "off"} | set(rules.values()) - set(_SEVERITIES):
        raise ValueError(f"unknown severities: {sorted(wrong)}")
    if wrong := (set(rules) - set(_default_rules())) | (set(severities) ^ set(_CHECKS)):
        raise ValueError(f"unknown or missing rules: {sorted(wrong)}")
    lists = {
        name: MappingProxyType({code: Sentence(*labels) for code, labels in codes.items()})
        for name, codes in data["lists"].items()
    }
    forms = {name: _form(name, entry) for name, entry in data["forms"].items()}
    packages = {PackageKind(name): package_rules(entry) for name, entry in data["packages"].items()}
    for package in packages.values():
        if unknown := set(package.forms.values()) - set(forms):
            raise ValueError(f"unknown forms: {sorted(unknown)}")
    if missing := {kind for kind in PackageKind if kind.is_tt05} - set(packages):
        raise ValueError(f"packages that are not there: {sorted(missing)}")
    for form in forms.values():
        _consistent(form, lists)
    return Profile(
        MappingProxyType(severities),
        MappingProxyType({code: None if weight == "off" else Severity(weight) for code, weight in rules.items()}),
        MappingProxyType(dict(data["aliases"])),
        MappingProxyType(lists),
        MappingProxyType(forms),
        MappingProxyType({extension: tuple(types) for extension, types in data["mime"].items()}),
        MappingProxyType(packages),
        mets_forms(data["mets"]),
        premis_forms(data["premis"]),
        format_forms(data),
    )


def _default_rules() -> dict[str, str]:
    """Every code that is weighed by itself, and how grave it is where the profile does not say."""
    by_check = {f"TT05-{check}" for check in _CHECKS.values()}
    return {
        code: rule.severity.value
        for code, rule in finding_rules().items()
        if code.startswith("TT05-") and code.removesuffix("-NOTED") not in by_check and code not in _OF_READING
    }


def _consistent(form: Form, lists: Mapping[str, object]) -> None:
    """Raises ValueError for a form that refers to what is not there."""
    for rule in form.fields.values():
        if rule.type in (FieldType.CODE, FieldType.CODES) and rule.name not in lists:
            raise ValueError(f"{form.name}: {rule.name} has no code list")
        if (rule.need is Need.CONDITIONAL) != (rule.when is not None):
            raise ValueError(f"{form.name}: {rule.name} is C without “when”, or the other way round")
    named = form.identity | {rule.when[0] for rule in form.fields.values() if rule.when}
    if unknown := named - set(form.fields):
        raise ValueError(f"{form.name}: no such fields: {sorted(unknown)}")


def _form(name: str, entry: dict[str, Any]) -> Form:
    conditions = {key: (value[0], frozenset(value[1:])) for key, value in entry.get("when", {}).items()}
    fields = {
        field: FieldRule(field, label, FieldType(kind), length, Need(need), conditions.get(field))
        for field, label, kind, length, need in entry["fields"]
    }
    return Form(
        name,
        MappingProxyType(fields),
        frozenset(entry["identity"]),
        entry.get("permanent", ""),
        entry.get("partial_dates", False),
    )


def profile_text(folder: Path | None = None) -> str:
    """The files of a circular as one TOML document; of the one that the distribution ships when none is given."""
    return "\n".join(entry.read_text(encoding="utf-8") for entry in _files(folder))


def load_profile(folder: Path | None = None) -> Profile:
    """The profile of a folder of TOML files (an archive's own copy), or of the one that the distribution ships.

    Raises OSError; ProfileRefused, naming the file.
    """
    merged: dict[str, Any] = {}
    for entry in _files(folder):
        try:
            data = tomllib.loads(entry.read_text(encoding="utf-8"))
        except ValueError as error:
            raise _refused(entry.name, error) from error
        if twice := set(data) & set(merged):
            raise _refused(entry.name, ValueError(f"[{min(twice)}] stands in another file too"))
        merged |= data
    try:
        return _profile(merged)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused(folder.name if folder else CIRCULAR, error) from error


def _files(folder: Path | None) -> list[Traversable]:
    place: Traversable = folder or resources.files("metadata.tt05") / CIRCULAR
    return sorted((one for one in place.iterdir() if one.name.endswith(".toml")), key=lambda one: one.name)


def _refused(name: str, error: Exception) -> ProfileRefused:
    reason = f"{type(error).__name__}: {error}"[:500]
    return ProfileRefused(
        Sentence(f"Dữ liệu quy định trong {name} bị sai ({reason}).", f"The rules in {name} are wrong ({reason}).")
    )


@cache
def default_profile() -> Profile:
    """The profile that the distribution ships. Raises ProfileRefused when its files were changed into none."""
    return load_profile()
