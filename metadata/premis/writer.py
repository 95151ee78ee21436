"""Writing PREMIS 3.0 (``premis-v3-0.xsd``), streaming: flat at any number of objects. Same input, same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO

from metadata.characteristics import Facts
from metadata.dates import VIETNAM
from metadata.events import Agent, Event
from metadata.holdings import Format
from metadata.mets.model import derived_uuid
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
from metadata.xml import escape_text, exact_text

_BATCH = 1000


def write_premis(
    out: BinaryIO, objects: Iterable[PremisObject], events: Iterable[Event] = (), agents: Iterable[Agent] = ()
) -> None:
    """Write objects, events and agents, each read once and in order.

    The agents that do the events are added to ``agents`` (in order of first appearance, each once), so that every
    event can be read back whole. PREMIS wants at least one object. Text that XML cannot hold (control characters,
    names that are not UTF-8) is written as ``metadata.xml.exact_text`` says.
    Raises ValueError for two agents of one identifier.
    """
    known: dict[str, Agent] = {}
    out.write(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<premis xmlns="{NAMESPACE}" xmlns:xsi="{XSI}" version="3.0"'
        f' xsi:schemaLocation="{NAMESPACE} http://www.loc.gov/standards/premis/v3/premis-v3-0.xsd">\n'.encode()
    )
    _put_all(out, map(_object, objects))
    _put_all(out, (_event(event, known) for event in events))
    for agent in agents:
        known.setdefault(agent.identifier, agent)
    _put_all(out, map(_agent, known.values()))
    out.write(b"</premis>\n")


def _put_all(out: BinaryIO, texts: Iterable[str]) -> None:
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) >= _BATCH:
            out.write("".join(batch).encode("utf-8"))
            batch.clear()
    out.write("".join(batch).encode("utf-8"))


def _exact(text: str) -> str:
    return escape_text(exact_text(text))


def _object(item: PremisObject) -> str:
    seed = f"premis object\n{item.identifier_type}\n{item.identifier}".encode("utf-8", "surrogateescape")
    file = item.category is Category.FILE
    properties, characteristics = (_properties(item.facts), _characteristics(item)) if file else ("", "")
    signatures = "".join(map(_signature, item.signatures))
    name = f"<originalName>{_exact(item.original_name)}</originalName>" if item.original_name else ""
    return (
        f'<object xsi:type="{item.category}" xmlID="uuid-{derived_uuid(seed)}"><objectIdentifier>'
        f"<objectIdentifierType>{_exact(item.identifier_type)}</objectIdentifierType>"
        f"<objectIdentifierValue>{_exact(item.identifier)}</objectIdentifierValue></objectIdentifier>"
        f"{properties}{characteristics}{name}{signatures}</object>\n"
    )


def _characteristics(item: PremisObject) -> str:
    fixity = "".join(
        f"<fixity><messageDigestAlgorithm>{name}</messageDigestAlgorithm>"
        f"<messageDigest>{digest.hex()}</messageDigest></fixity>"
        for name, digest in (("SHA-256", item.sha256), ("SHA-512", item.sha512))
        if digest
    )
    size = "" if item.size is None else f"<size>{item.size}</size>"
    application = item.facts.application
    made_by = (
        f"<creatingApplication><creatingApplicationName>{_exact(application)}</creatingApplicationName>"
        "</creatingApplication>"
        if application
        else ""
    )
    inhibitors = f"<inhibitors><inhibitorType>{INHIBITOR}</inhibitorType></inhibitors>" if item.facts.encrypted else ""
    found = _format(item.format, item.validity)
    return f"<objectCharacteristics>{fixity}{size}{found}{made_by}{inhibitors}</objectCharacteristics>"


def _properties(facts: Facts) -> str:
    """Facts of the file but for those that :func:`_characteristics` tells."""
    return "".join(
        f"<significantProperties><significantPropertiesType>{name}</significantPropertiesType>"
        f"<significantPropertiesValue>{_exact(text)}</significantPropertiesValue></significantProperties>"
        for name, text in facts.texts().items()
        if name != APPLICATION and not (name == ENCRYPTED and facts.encrypted)
    )


def _signature(one: PremisSignature) -> str:
    signer = f"<signer>{_exact(one.signer)}</signer>" if one.signer else ""
    properties = "".join(
        f"<signatureProperties>{_exact(f'{name}={value}')}</signatureProperties>" for name, value in one.properties
    )
    return (
        f"<signatureInformation><signature><signatureEncoding>{_exact(one.encoding)}</signatureEncoding>{signer}"
        f"<signatureMethod>{_exact(one.method)}</signatureMethod><signatureValue>{_exact(one.value)}</signatureValue>"
        f"<signatureValidationRules>{_exact(one.rules)}</signatureValidationRules>{properties}</signature>"
        "</signatureInformation>"
    )


def _format(found: Format | None, validity: Validity | None) -> str:
    """The schema wants a format always; what nobody has looked at is said so in a note."""
    judged = f"<formatNote>{VALIDITY}{validity}</formatNote>" if validity else ""
    if found is None:
        return (
            "<format><formatDesignation><formatName>not identified</formatName></formatDesignation>"
            f"<formatNote>basis={NOT_LOOKED}</formatNote>{judged}</format>"
        )
    version = f"<formatVersion>{_exact(found.version)}</formatVersion>" if found.version else ""
    registry = (
        "<formatRegistry><formatRegistryName>PRONOM</formatRegistryName>"
        f"<formatRegistryKey>{found.puid}</formatRegistryKey></formatRegistry>"
        if found.puid
        else ""
    )
    notes = [f"basis={found.basis}; mime={found.mime}"]
    if found.warning:
        notes.append(f"warning={found.warning}")
    if not found.name:
        notes.append(NAMELESS)
    written = "".join([f"<formatNote>{_exact(note)}</formatNote>" for note in notes])
    return (
        f"<format><formatDesignation><formatName>{_exact(found.name or found.mime)}</formatName>{version}"
        f"</formatDesignation>{registry}{written}{judged}</format>"
    )


def _event(event: Event, known: dict[str, Agent]) -> str:
    agent = known.setdefault(event.agent.identifier, event.agent)
    note = f"<eventOutcomeDetailNote>{_exact(event.note)}</eventOutcomeDetailNote>"
    store = [(STORE_LINK, str(event.store))] if event.store else []
    objects = [(VERSION_LINK, str(event.version)), *store, *event.links]
    if agent != event.agent:
        raise ValueError(f"two agents are called {agent.identifier!r}: {agent.name!r} and {event.agent.name!r}")
    return (
        f'<event xmlID="uuid-{str(event.id).upper()}"><eventIdentifier>'
        "<eventIdentifierType>UUID</eventIdentifierType>"
        f"<eventIdentifierValue>{event.id}</eventIdentifierValue></eventIdentifier>"
        f"<eventType>{escape_text(event.type)}</eventType>"
        f"<eventDateTime>{exact_time(event.at)}</eventDateTime>"
        f"<eventDetailInformation><eventDetail>{_exact(event.detail)}</eventDetail></eventDetailInformation>"
        f"<eventOutcomeInformation><eventOutcome>{_exact(event.outcome)}</eventOutcome>"
        f"{f'<eventOutcomeDetail>{note}</eventOutcomeDetail>' if event.note else ''}</eventOutcomeInformation>"
        "<linkingAgentIdentifier><linkingAgentIdentifierType>local</linkingAgentIdentifierType>"
        f"<linkingAgentIdentifierValue>{_exact(event.agent.identifier)}</linkingAgentIdentifierValue>"
        "<linkingAgentRole>executing program</linkingAgentRole></linkingAgentIdentifier>"
        f"{''.join(_linked(objects))}</event>\n"
    )


def _linked(objects: list[tuple[str, str]]) -> Iterator[str]:
    for kind, value in objects:
        yield (
            f"<linkingObjectIdentifier><linkingObjectIdentifierType>{_exact(kind)}</linkingObjectIdentifierType>"
            f"<linkingObjectIdentifierValue>{_exact(value)}</linkingObjectIdentifierValue>"
            "</linkingObjectIdentifier>"
        )


def _agent(agent: Agent) -> str:
    return (
        "<agent><agentIdentifier><agentIdentifierType>local</agentIdentifierType>"
        f"<agentIdentifierValue>{_exact(agent.identifier)}</agentIdentifierValue></agentIdentifier>"
        f"<agentName>{_exact(agent.name)}</agentName></agent>\n"
    )


def exact_time(moment: datetime) -> str:
    """``YYYY-MM-DDThh:mm:ss.ffffff+07:00``: TT 05's zone, to the microsecond so that events come back equal."""
    return moment.astimezone(VIETNAM).isoformat(timespec="microseconds")
