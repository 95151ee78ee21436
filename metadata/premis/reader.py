"""Reading the PREMIS 3.0 that we write, streaming; anything else in it is an error, so nothing is lost unseen."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from metadata.characteristics import Facts
from metadata.events import Agent, Event, EventType
from metadata.holdings import Format
from metadata.identifiers import Puid, StoreId, VersionId
from metadata.outcomes import Validity
from metadata.premis.model import (
    APPLICATION,
    ENCRYPTED,
    INHIBITOR,
    NAMELESS,
    NAMESPACE,
    NOT_LOOKED,
    STORE_LINK,
    VALIDITY,
    VERSION_LINK,
    XSI,
    Category,
    PremisObject,
    PremisSignature,
)
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
    validity: Validity | None = None
    if (characteristics := element.find(_CHARACTERISTICS)) is not None:
        size, digests, found, validity = _characteristics(characteristics, place)
    return PremisObject(
        read_exact(identifier.find_text(_P + "objectIdentifierType")),
        read_exact(identifier.find_text(_P + "objectIdentifierValue")),
        category,
        read_exact(element.find_text(_P + "originalName")),
        size,
        digests.get("SHA-256", b""),
        digests.get("SHA-512", b""),
        found,
        validity,
        _facts(element, place),
        tuple(_signature(child) for child in element.children if child.name == _P + "signatureInformation"),
    )


def _facts(element: Element, place: str) -> Facts:
    told = {
        child.find_text(_P + "significantPropertiesType"): read_exact(
            child.find_text(_P + "significantPropertiesValue")
        )
        for child in element.children
        if child.name == _P + "significantProperties"
    }
    if application := element.find_text(_CHARACTERISTICS, _P + "creatingApplication", _P + "creatingApplicationName"):
        told[APPLICATION] = read_exact(application)
    if inhibitor := element.find_text(_CHARACTERISTICS, _P + "inhibitors", _P + "inhibitorType"):
        if inhibitor != INHIBITOR:
            raise _bad(place, "inhibitorType", inhibitor)
        told[ENCRYPTED] = "true"
    try:
        return Facts.of_texts(told)
    except ValueError as error:
        raise _bad(place, "significantProperties", str(error)) from error


def _signature(element: Element) -> PremisSignature:
    one = element.find(_P + "signature") or element
    properties = (read_exact(child.text) for child in one.children if child.name == _P + "signatureProperties")
    parted = (text.partition("=") for text in properties)
    return PremisSignature(
        read_exact(one.find_text(_P + "signatureEncoding")),
        read_exact(one.find_text(_P + "signer")),
        read_exact(one.find_text(_P + "signatureMethod")),
        read_exact(one.find_text(_P + "signatureValue")),
        read_exact(one.find_text(_P + "signatureValidationRules")),
        tuple((name, value) for name, _, value in parted),
    )


def _characteristics(
    element: Element, place: str
) -> tuple[int | None, dict[str, bytes], Format | None, Validity | None]:
    size: int | None = None
    digests: dict[str, bytes] = {}
    found: Format | None = None
    validity: Validity | None = None
    for child in element.children:
        if child.name == _P + "fixity":
            algorithm, text = child.find_text(_P + "messageDigestAlgorithm"), child.find_text(_P + "messageDigest")
            digests[algorithm] = _digest(algorithm, text, place)
        elif child.name == _P + "size":
            if not (child.text.isascii() and child.text.isdigit()) or len(child.text) > _SIZE_DIGITS:
                raise _bad(place, "size", child.text)
            size = int(child.text)
        elif child.name == _FORMAT:
            found, validity = _format(child, place), _validity(child, place)
    return size, digests, found, validity


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


def _validity(element: Element, place: str) -> Validity | None:
    notes = (child.text for child in element.children if child.name == _NOTE)
    told = next((note.removeprefix(VALIDITY) for note in notes if note.startswith(VALIDITY)), None)
    try:
        return None if told is None else Validity(told)
    except ValueError as error:
        raise _bad(place, "formatNote", f"{VALIDITY}{told}") from error


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
    links = [
        (
            read_exact(child.find_text(_P + "linkingObjectIdentifierType")),
            read_exact(child.find_text(_P + "linkingObjectIdentifierValue")),
        )
        for child in element.children
        if child.name == _P + "linkingObjectIdentifier"
    ]
    linked = dict(links)
    if by not in agents:
        raise _bad(place, "linkingAgentIdentifierValue", by)
    try:
        return Event(
            id=uuid.UUID(identifier),
            version=VersionId.parse(linked.get(VERSION_LINK, "")),
            type=EventType(kind),
            at=datetime.fromisoformat(when).astimezone(UTC),
            detail=read_exact(element.find_text(_P + "eventDetailInformation", _P + "eventDetail")),
            outcome=read_exact(element.find_text(outcome, _P + "eventOutcome")),
            note=read_exact(element.find_text(outcome, _P + "eventOutcomeDetail", _P + "eventOutcomeDetailNote")),
            agent=agents[by],
            store=StoreId(linked[STORE_LINK]) if STORE_LINK in linked else None,
            links=tuple(link for link in links if link[0] not in (VERSION_LINK, STORE_LINK)),
        )
    except (ValueError, OverflowError) as error:
        raise _bad(place, f"event {identifier}", str(error)) from error
