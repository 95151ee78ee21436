"""The events that an AIP of another system brings along in its PREMIS (version 3 or 2).

What is read is what every PREMIS has: identifier, type, time, detail, outcome, agent. The file itself is kept as it
came; an event that cannot be told as one of ours (a type outside the vocabulary, no time) stays only there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import BinaryIO

from ingest.packages.examined import Carried, CarriedEvent, Subject
from ingest.packages.reading import reading
from metadata.dates import VIETNAM
from metadata.events import Agent, EventType
from metadata.findings import visible
from metadata.xml import Element, iter_elements, read_exact

_NAMESPACES = ("http://www.loc.gov/premis/v3", "info:lc/xmlns/premis-v2")
_WHOLE = frozenset(f"{namespace}}}{name}" for namespace in _NAMESPACES for name in ("event", "agent"))
_EVENTS = 1000
_TEXT = 2000  # characters of a detail or a note


def carried_events(subject: Subject, path: str) -> Carried:
    """Its events in their order. What cannot be read is a finding; no such file, no events."""
    if subject.ledger.size_of(path) is None:
        return Carried()
    found = reading(subject, path, lambda stream: _read(stream, path))
    if found is None:
        return Carried()
    if found.left:
        subject.findings.add("AIP-EVENTS-LEFT", path, left=found.left)
    return found


def _read(stream: BinaryIO, path: str) -> Carried:
    events: list[CarriedEvent] = []
    names: dict[str, str] = {}
    left = 0
    for item in iter_elements(stream, _WHOLE, place=path):
        if not isinstance(item, Element):
            continue
        if item.local == "agent":
            if len(names) < _EVENTS:
                names.setdefault(_text(item, "agentIdentifier", "agentIdentifierValue"), _text(item, "agentName"))
            continue
        event = _event(item) if len(events) < _EVENTS else None
        if event is None:
            left += 1
        else:
            events.append(event)
    return Carried(tuple(_named(event, names) for event in events), left)


def _event(element: Element) -> CarriedEvent | None:
    try:
        kind = EventType(" ".join(_text(element, "eventType").lower().split()))
        at = datetime.fromisoformat(_text(element, "eventDateTime"))
        at = (at if at.tzinfo else at.replace(tzinfo=VIETNAM)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    detail = _text(element, "eventDetailInformation", "eventDetail") or _text(element, "eventDetail")
    return CarriedEvent(
        identifier=_text(element, "eventIdentifier", "eventIdentifierValue"),
        type=kind,
        at=at,
        detail=detail,
        outcome=_text(element, "eventOutcomeInformation", "eventOutcome"),
        note=_text(element, "eventOutcomeInformation", "eventOutcomeDetail", "eventOutcomeDetailNote"),
        agent=Agent(_text(element, "linkingAgentIdentifier", "linkingAgentIdentifierValue"), ""),
    )


def _named(event: CarriedEvent, names: dict[str, str]) -> CarriedEvent:
    """The same with its agent's name, under an identifier that no agent of ours has."""
    identifier = event.agent.identifier
    agent = Agent(f"imported:{identifier}", names.get(identifier) or identifier or "?")
    return CarriedEvent(
        event.identifier, event.type, event.at, event.detail, event.outcome, event.note, agent
    )  # fmt: skip


def _text(element: Element, *path: str) -> str:
    """The text at a path of local names, made safe to write and to show; "" when it is not there."""
    at: Element | None = element
    for name in path:
        at = next((child for child in at.children if child.local == name), None) if at is not None else None
    return visible(read_exact(at.text).strip(), _TEXT) if at is not None else ""
