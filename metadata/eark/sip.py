"""What is asked of the header of a SIP: SIP1 to SIP31."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from metadata.eark.header import is_software, names_of, notes_of
from metadata.eark.names import element_name
from metadata.eark.requirements import Report
from metadata.eark.vocabularies import in_vocabulary
from metadata.xml import Element

_AGENT = element_name("agent")
_RECORD = element_name("altRecordID")
_BODIES = ("ORGANIZATION", "INDIVIDUAL")
_RECORDS = (
    ("SIP5", "SUBMISSIONAGREEMENT", 1),
    ("SIP6", "PREVIOUSSUBMISSIONAGREEMENT", 1000),
    ("SIP7", "REFERENCECODE", 1),
    ("SIP8", "PREVIOUSREFERENCECODE", 1000),
)


@dataclass(frozen=True, slots=True)
class _Role:
    """The requirements about an agent: that it is there, its role, type, name, note, and what the note's type is."""

    there: str
    role: str
    type: str
    name: str
    note: str
    note_type: str = ""


_CREATOR = _Role("SIP9", "SIP10", "SIP11", "SIP12", "SIP13", "SIP14")
_SUBMITTER = _Role("SIP15", "SIP16", "SIP17", "SIP18", "SIP19", "SIP20")
_CONTACT = _Role("SIP21", "SIP22", "SIP23", "SIP24", "SIP25")
_PRESERVER = _Role("SIP26", "SIP27", "SIP28", "SIP29", "SIP30", "SIP31")


def judge_sip_root(attributes: Mapping[str, str], report: Report) -> None:
    """``mets`` of a SIP."""
    if not attributes.get("LABEL", "").strip():
        report.add("SIP1")


def judge_sip_header(header: Element, report: Report) -> None:
    """``metsHdr`` of a SIP."""
    status = header.attributes.get("RECORDSTATUS", "")
    if not in_vocabulary("record_status", status):
        report.add("SIP3", "", status)
    _records(header, report)
    found: dict[str, list[Element]] = {role.there: [] for role in (_CREATOR, _SUBMITTER, _CONTACT, _PRESERVER)}
    for agent in header.children:
        if agent.name == _AGENT and not is_software(agent) and agent.attributes.get("OTHERTYPE") != "SOFTWARE":
            role = _role_of(agent)
            found[role.there].append(agent)
            _judge_agent(agent, role, report)
    organisations = [one for one in found["SIP15"] if one.attributes.get("TYPE") == "ORGANIZATION"]
    if not found["SIP15"] and not any(one.attributes.get("ROLE") == "CREATOR" for one in found["SIP21"]):
        report.add("SIP15")
    if not found["SIP9"] and len(organisations) < 2:  # two creators: the one that made the records, and the sender
        report.add("SIP9")
    for role in (_CONTACT, _PRESERVER):
        if not found[role.there]:
            report.add(role.there)


def _records(header: Element, report: Report) -> None:
    for requirement, kind, most in _RECORDS:
        texts = [
            child.text.strip()
            for child in header.children
            if child.name == _RECORD and child.attributes.get("TYPE") == kind
        ]
        if not 1 <= len(texts) <= most or not all(texts):
            report.add(requirement, "", " | ".join(texts))


def _role_of(agent: Element) -> _Role:
    """Whom an agent stands for, by role and type; where they are wrong, whom it most likely stands for."""
    role, kind = agent.attributes.get("ROLE", ""), agent.attributes.get("TYPE", "")
    other = agent.attributes.get("OTHERROLE", "")
    if role.casefold().startswith("archiv"):
        return _CREATOR
    if role.casefold().startswith("preserv"):
        return _PRESERVER
    if kind == "INDIVIDUAL" or other in ("CONTACT", "SUBMITTER") or (kind != "ORGANIZATION" and _has_contact(agent)):
        return _CONTACT
    return _SUBMITTER


def _has_contact(agent: Element) -> bool:
    return any("@" in text or sum(c.isdigit() for c in text) >= 7 for kind, text in notes_of(agent) if not kind)


def _judge_agent(agent: Element, role: _Role, report: Report) -> None:
    found, names, notes = agent.attributes, names_of(agent), notes_of(agent)
    at = " ".join(names) or "agent"
    if not _is_role(role, found.get("ROLE", ""), found.get("OTHERROLE", "")):
        report.add(role.role, at, found.get("ROLE", ""))
    kinds = {"SIP21": ("INDIVIDUAL",), "SIP26": ("ORGANIZATION",)}.get(role.there, _BODIES)
    if found.get("TYPE") not in kinds:
        report.add(role.type, at, found.get("TYPE", ""))
    if len(names) != 1 or not names[0]:
        report.add(role.name, at)
    if not notes:
        report.add(role.note, at)
    elif role.note_type and not any(kind == "IDENTIFICATIONCODE" for kind, _ in notes):
        report.add(role.note_type, at, notes[0][0])


def _is_role(role: _Role, value: str, other: str) -> bool:
    if role is _CREATOR:
        return value == "ARCHIVIST"
    if role is _PRESERVER:
        return value == "PRESERVATION"
    if role is _CONTACT:
        return value == "CREATOR" or (value == "OTHER" and other == "SUBMITTER")
    return value == "CREATOR"
