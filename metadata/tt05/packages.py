"""What a package of TT 05 looks like, as values: its tree, its METS files, its codes. Loaded from ``packages.toml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class MetsForms:
    """What every METS file has: the forms of times and IDs, CHECKSUMTYPEs, LOCTYPE, LABEL and TYPE of the structMap."""

    time: re.Pattern[str]
    id: re.Pattern[str]
    file_id: re.Pattern[str]
    checksums: tuple[str, ...]
    loctype: str
    structure_label: str
    structure_type: str


@dataclass(frozen=True, slots=True)
class PremisForms:
    """What every PREMIS file has: its namespace, the categories of objects, what each kind of entity must say."""

    namespace: str
    categories: tuple[str, ...]
    object: tuple[str, ...]
    event: tuple[str, ...]
    agent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AgentRule:
    """The agent that a METS file must have: the package's maker, and the note that it carries."""

    role: str
    type: str
    other_type: str
    note: str


@dataclass(frozen=True, slots=True)
class MetsRules:
    """What one METS file of a package says. ``groups`` and ``divisions`` must be there, ``also_…`` may.

    ``types`` are its TYPEs, ``objid`` the form of its OBJID. ``division_type`` is the TYPE of the first div of a
    representation, "" when none is asked. ``agreement`` is the TYPE of the altRecordID that must be there, or "".
    """

    profile: str
    types: tuple[str, ...]
    objid: re.Pattern[str]
    agent: AgentRule
    agreement: str
    content_type: str
    label: bool
    groups: tuple[str, ...]
    also_groups: tuple[str, ...]
    divisions: tuple[str, ...]
    also_divisions: tuple[str, ...]
    division_type: str
    md_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PackageRules:
    """One package of the circular.

    ``forms`` maps ``package``, ``doc``, ``pic``, ``media`` to names of forms. ``required`` are paths that must be
    there, ``one_of`` paths of which at least one must be, ``root`` and ``representation`` all that may lie in the
    package and in ``rep1``. ``premis`` is none, required or optional; ``creation`` the event that it must have;
    ``linked`` whether ``.fetch.txt`` may be there. ``code`` is the field of EAD.xml that names the package,
    ``code_form`` its form, ``document_code`` the field of a document's code (``document_code_form``: ``package`` or
    ``any``), ``parent`` the field of a document that repeats the package's, ``permanent`` the only retention of a
    document, ``total`` the field that counts documents: each "" for none. ``zip_name`` is the form of the ZIP's name
    without ``.zip``, with a group ``objid``; None when there is no rule.
    """

    name: str
    annex: str
    oais_type: str
    forms: Mapping[str, str]
    required: tuple[str, ...]
    one_of: tuple[str, ...]
    root: tuple[str, ...]
    representation: tuple[str, ...]
    premis: str
    linked: bool
    code: str
    code_form: re.Pattern[str] | None
    document_code: str
    document_code_form: str
    permanent: str
    total: str
    parent: str
    creation: str
    folder_replaces_colon: bool
    zip_name: re.Pattern[str] | None
    root_mets: MetsRules
    representation_mets: MetsRules


def package_rules(entry: Mapping[str, Any]) -> PackageRules:
    """One table of ``[packages]``. Raises KeyError, ValueError (a pattern that is none among them)."""
    if entry["premis"] not in ("none", "required", "optional"):
        raise ValueError(f"premis: {entry['premis']!r}")
    return PackageRules(
        entry["name"],
        entry["annex"],
        entry["oais_type"],
        MappingProxyType(dict(entry["forms"])),
        tuple(entry["required"]),
        tuple(entry["one_of"]),
        tuple(entry["root"]),
        tuple(entry["representation"]),
        entry["premis"],
        entry["linked"],
        entry.get("code", ""),
        _pattern(entry.get("code_form", "")),
        entry["document_code"],
        entry["document_code_form"],
        entry.get("permanent", ""),
        entry.get("total", ""),
        entry.get("parent", ""),
        entry.get("creation", ""),
        entry["folder_replaces_colon"],
        _pattern(entry.get("zip_name", "")),
        _mets_rules(entry["root_mets"]),
        _mets_rules(entry["representation_mets"]),
    )


def mets_forms(entry: Mapping[str, Any]) -> MetsForms:
    """The table ``[mets]``. Raises KeyError, ValueError."""
    structure = entry["structure"]
    return MetsForms(
        _compiled(entry["time"]),
        _compiled(entry["id"]),
        _compiled(entry["file_id"]),
        tuple(entry["checksums"]),
        entry["loctype"],
        structure["label"],
        structure["type"],
    )


def premis_forms(entry: Mapping[str, Any]) -> PremisForms:
    """The table ``[premis]``. Raises KeyError."""
    names = ("categories", "object", "event", "agent")
    return PremisForms(entry["namespace"], *(tuple(entry[name]) for name in names))


def _mets_rules(entry: Mapping[str, Any]) -> MetsRules:
    agent = entry["agent"]
    return MetsRules(
        entry["profile"],
        tuple(entry["types"]),
        _compiled(entry["objid"]),
        AgentRule(agent["role"], agent["type"], agent.get("other_type", ""), agent.get("note", "")),
        entry.get("agreement", ""),
        entry.get("content_type", ""),
        entry.get("label", False),
        tuple(entry["groups"]),
        tuple(entry.get("also_groups", ())),
        tuple(entry["divisions"]),
        tuple(entry.get("also_divisions", ())),
        entry.get("division_type", ""),
        tuple(entry["md_types"]),
    )


def _pattern(text: str) -> re.Pattern[str] | None:
    return _compiled(text) if text else None


def _compiled(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"not a pattern: {text!r}") from error
