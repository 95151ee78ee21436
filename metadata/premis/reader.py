"""Reading the PREMIS 3.0 that we write, streaming; anything else in it is an error, so nothing is lost unseen."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from metadata.events import Agent, Event, EventType
from metadata.holdings import Format
from metadata.identifiers import Puid, StoreId, VersionId
from metadata.premis.model import NAMELESS, NAMESPACE, NOT_LOOKED, XSI, Category, PremisObject
from metadata.refusal import DocumentRefused
from metadata.xml import LIMITS, Element, Opened, Readable, XmlLimits, iter_elements, read_exact

_P = NAMESPACE + "}"
_OBJECT, _EVENT, _AGENT = _P + "object", _P + "event", _P + "agent"
_CHARACTERISTICS, _FORMAT, _NOTE = _P + "objectCharacteristics", _P + "format", _P + "formatNote"
_EVENT_LIMIT = 100_000
_SIZE_DIGITS = 18


class PremisRefused(DocumentRefused):
    """A document that is no PREMIS 3, or not one that we can read back. ``code`` begins with ``PREMIS-``."""


def iter_premis(
    stream: Readable, place: str = "PREMIS.xml", limits: XmlLimits = LIMITS
) -> Iterator[PremisObject | Event | Agent]:
    """Read a PREMIS document once: first its objects, flat in memory, then agents, then events in their order.

    Raises XmlRefused; PremisRefused: PREMIS-ROOT, PREMIS-VALUE, PREMIS-TOO-MANY-EVENTS (above 100,000).
    """
    agents: dict[str, Agent] = {}
    events: list[Element] = []
    begun = False
    for item in iter_elements(stream, (_OBJECT, _EVENT, _AGENT), place=place, limits=limits):
        if isinstance(item, Element):
            if not begun:
                raise PremisRefused("PREMIS-ROOT", place, root=item.name)
            if item.name == _OBJECT:
                yield _object(item, place)
            elif item.name == _AGENT:
                agent = _agent(item)
                agents[agent.identifier] = agent
            elif len(events) < _EVENT_LIMIT:
                events.append(item)
            else:
                raise PremisRefused("PREMIS-TOO-MANY-EVENTS", place, limit=_EVENT_LIMIT)
        elif isinstance(item, Opened):
            if item.name != _P + "premis":
                raise PremisRefused("PREMIS-ROOT", place, root=item.name)
            begun = True
    yield from agents.values()
    for element in events:
        yield _event(element, agents, place)


def _bad(place: str, element: str, value: str) -> PremisRefused:
    return PremisRefused("PREMIS-VALUE", place, element=element, value=value)


def _object(element: Element, place: str) -> PremisObject:
    kind = element.attributes.get(f"{XSI}}}type", "")
    try:
        category = Category(kind.rpartition(":")[2])
    except ValueError as error:
        raise _bad(place, "xsi:type", kind) from error
    identifier = element.find(_P + "objectIdentifier")
    if identifier is None:
        raise _bad(place, "objectIdentifier", "")
    size: int | None = None
    digests: dict[str, bytes] = {}
    found: Format | None = None
    if (characteristics := element.find(_CHARACTERISTICS)) is not None:
        size, digests, found = _characteristics(characteristics, place)
    return PremisObject(
        read_exact(identifier.find_text(_P + "objectIdentifierType")),
        read_exact(identifier.find_text(_P + "objectIdentifierValue")),
        category,
        read_exact(element.find_text(_P + "originalName")),
        size,
        digests.get("SHA-256", b""),
        digests.get("SHA-512", b""),
        found,
    )


def _characteristics(element: Element, place: str) -> tuple[int | None, dict[str, bytes], Format | None]:
    size: int | None = None
    digests: dict[str, bytes] = {}
    found: Format | None = None
    for child in element.children:
        if child.name == _P + "fixity":
            algorithm, text = child.find_text(_P + "messageDigestAlgorithm"), child.find_text(_P + "messageDigest")
            digests[algorithm] = _digest(algorithm, text, place)
        elif child.name == _P + "size":
            if not (child.text.isascii() and child.text.isdigit()) or len(child.text) > _SIZE_DIGITS:
                raise _bad(place, "size", child.text)
            size = int(child.text)
        elif child.name == _FORMAT:
            found = _format(child, place)
    return size, digests, found


def _digest(algorithm: str, text: str, place: str) -> bytes:
    length = {"SHA-256": 64, "SHA-512": 128}.get(algorithm)
    if length != len(text):
        raise _bad(place, f"messageDigest {algorithm}", text)
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise _bad(place, f"messageDigest {algorithm}", text) from error


def _format(element: Element, place: str) -> Format | None:
    notes = [read_exact(child.text) for child in element.children if child.name == _NOTE]
    if not notes or not notes[0].startswith("basis="):
        raise _bad(place, "formatNote", "; ".join(notes))
    basis, _, mime = notes[0].removeprefix("basis=").partition("; mime=")
    if basis == NOT_LOOKED:
        return None
    name = version = key = ""
    if (designation := element.find(_P + "formatDesignation")) is not None and NAMELESS not in notes:
        name = read_exact(designation.find_text(_P + "formatName"))
    if designation is not None:
        version = read_exact(designation.find_text(_P + "formatVersion"))
    if (registry := element.find(_P + "formatRegistry")) is not None:
        key = registry.find_text(_P + "formatRegistryKey")
    try:
        puid = Puid(key) if key else None
    except ValueError as error:
        raise _bad(place, "formatRegistryKey", key) from error
    warning = next((note.removeprefix("warning=") for note in notes if note.startswith("warning=")), "")
    return Format(puid, name, version, mime, basis, warning)


def _agent(element: Element) -> Agent:
    return Agent(
        read_exact(element.find_text(_P + "agentIdentifier", _P + "agentIdentifierValue")),
        read_exact(element.find_text(_P + "agentName")),
    )


def _event(element: Element, agents: dict[str, Agent], place: str) -> Event:
    identifier = element.find_text(_P + "eventIdentifier", _P + "eventIdentifierValue")
    kind = element.find_text(_P + "eventType")
    when = element.find_text(_P + "eventDateTime")
    by = read_exact(element.find_text(_P + "linkingAgentIdentifier", _P + "linkingAgentIdentifierValue"))
    outcome = _P + "eventOutcomeInformation"
    linked = {
        child.find_text(_P + "linkingObjectIdentifierType"): child.find_text(_P + "linkingObjectIdentifierValue")
        for child in element.children
        if child.name == _P + "linkingObjectIdentifier"
    }
    if by not in agents:
        raise _bad(place, "linkingAgentIdentifierValue", by)
    try:
        return Event(
            id=uuid.UUID(identifier),
            version=VersionId.parse(linked.get("AIP version", "")),
            type=EventType(kind),
            at=datetime.fromisoformat(when).astimezone(UTC),
            detail=read_exact(element.find_text(_P + "eventDetailInformation", _P + "eventDetail")),
            outcome=read_exact(element.find_text(outcome, _P + "eventOutcome")),
            note=read_exact(element.find_text(outcome, _P + "eventOutcomeDetail", _P + "eventOutcomeDetailNote")),
            agent=agents[by],
            store=StoreId(linked["store"]) if "store" in linked else None,
        )
    except (ValueError, OverflowError) as error:
        raise _bad(place, f"event {identifier}", str(error)) from error
