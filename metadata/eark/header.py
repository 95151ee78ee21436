"""The root element and the header of a METS document: CSIP1 to CSIP16, CSIP117."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from metadata.eark.attributes import check_attributes
from metadata.eark.document import Document
from metadata.eark.names import (
    CONTENT_TYPE,
    NOTE_TYPE,
    OTHER_CONTENT_TYPE,
    OTHER_TYPE,
    PACKAGE_TYPE,
    element_name,
)
from metadata.eark.requirements import Report
from metadata.eark.vocabularies import in_vocabulary, is_date_time
from metadata.xml import Element

_AGENT = element_name("agent")
_NAME = element_name("name")
_NOTE = element_name("note")
_SOFTWARE = (("CSIP11", "ROLE", "CREATOR"), ("CSIP12", "TYPE", "OTHER"), ("CSIP13", "OTHERTYPE", "SOFTWARE"))
_NOT_IN_NAMES = re.compile(r"[^\w.\-]")


def judge_root(attributes: Mapping[str, str], document: Document, name: str) -> None:
    """``name`` is that of the folder which the document describes; ``""`` when it is not known."""
    report = document.report
    document.objid = attributes.get("OBJID", "")
    document.content_type = attributes.get(CONTENT_TYPE, "")
    document.profile = attributes.get("PROFILE", "")
    if not document.objid.strip():
        report.add("CSIP1")
    elif name and _as_folder(name) != _as_folder(document.objid):
        report.add("CSIP1-SHOULD", name, document.objid)
        if document.is_root:
            report.add("CSIPSTR2", name, document.objid)
    check_attributes("mets", attributes, report)
    judge_other("CSIP2", "CSIP3", attributes.get("TYPE", ""), attributes.get(OTHER_TYPE), "content_category", report)
    content, other = document.content_type, attributes.get(OTHER_CONTENT_TYPE)
    if not in_vocabulary("content_information_type", content):
        report.add("CSIP4", "", content)
    judge_other("CSIP4", "CSIP5", content, other, "content_information_type", report)


def judge_other(
    declaring: str, requirement: str, value: str, other: str | None, vocabulary: str, report: Report, at: str = ""
) -> None:
    """An attribute that says what OTHER means: there when, and only when, the value is OTHER, and no term itself.

    OTHER alone declares nothing, so that ``declaring`` is not met either.
    """
    is_other = value.casefold() == "other"
    if is_other and (other is None or not other.strip()):
        report.add(declaring, at, value)
        report.add(requirement, at, other or "")
    elif other is not None and (not is_other or (in_vocabulary(vocabulary, other) and other.casefold() != "other")):
        report.add(requirement, at, other)


def _as_folder(name: str) -> str:
    """Two names are the same when they are after every character that a file system may refuse became ``_``."""
    return _NOT_IN_NAMES.sub("_", unicodedata.normalize("NFC", name))


def judge_header(header: Element | None, document: Document) -> None:
    """``metsHdr``; None when there is none."""
    report = document.report
    if header is None:
        report.add("CSIP117")
        return
    check_attributes("metsHdr", header.attributes, report)
    document.package_type = header.attributes.get(PACKAGE_TYPE, "")
    created, changed = (header.attributes.get(name, "") for name in ("CREATEDATE", "LASTMODDATE"))
    if not is_date_time(changed) or (is_date_time(created) and changed[:10] < created[:10]):
        report.add("CSIP8", "", changed)
    agents = [child for child in header.children if child.name == _AGENT]
    if agents:
        _judge_software(agents, report)
    else:
        report.add("CSIP10")


def is_software(agent: Element) -> bool:
    """Whether it is the agent of the software that made the package."""
    return all(agent.attributes.get(name) == value for _, name, value in _SOFTWARE)


def names_of(agent: Element) -> list[str]:
    """The texts of its ``name`` elements."""
    return [child.text.strip() for child in agent.children if child.name == _NAME]


def notes_of(agent: Element) -> list[tuple[str, str]]:
    """csip:NOTETYPE and text of its notes."""
    return [
        (child.attributes.get(NOTE_TYPE, ""), child.text.strip()) for child in agent.children if child.name == _NOTE
    ]


def _judge_software(agents: list[Element], report: Report) -> None:
    whole = [agent for agent in agents if is_software(agent)]
    if whole:
        faults = [_faults(agent) for agent in whole]
        for requirement, at, value in min(faults, key=len):
            report.add(requirement, at, value)
        return
    # Which agent is meant is not known: those that come nearest are judged.
    scores = [sum(agent.attributes.get(name) == value for _, name, value in _SOFTWARE) for agent in agents]
    for agent, score in zip(agents, scores, strict=True):
        if score == max(scores):
            at = " ".join(names_of(agent)) or "agent"
            for requirement, name, value in _SOFTWARE:
                if agent.attributes.get(name) != value:
                    report.add(requirement, at, agent.attributes.get(name, ""))
            for requirement, at, value in _faults(agent) if score == len(_SOFTWARE) - 1 else ():
                report.add(requirement, at, value)


def _faults(agent: Element) -> list[tuple[str, str, str]]:
    """What is wrong inside the software's agent: its name, its note and the note's type."""
    names, notes, found = names_of(agent), notes_of(agent), []
    at = " ".join(names) or "agent"
    if len(names) != 1 or not names[0]:
        found.append(("CSIP14", at, ""))
    if len(notes) != 1 or not notes[0][1]:
        found.append(("CSIP15", at, ""))
    if notes and not any(kind == "SOFTWARE VERSION" for kind, _ in notes):
        found.append(("CSIP16", at, notes[0][0]))
    return found
