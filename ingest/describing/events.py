"""The PREMIS events of the making of an AIP: what was done to the submission, by what, with what outcome."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from ingest.describing.examination import Written
from ingest.describing.making import Making
from ingest.describing.signatures import signature_events
from ingest.ledger import Ledger
from ingest.packages import Examined
from ingest.packages.examined import CarriedEvent
from metadata.events import Agent, Event, EventType
from metadata.findings import Findings
from metadata.identifiers import VersionId
from metadata.outcomes import Validity, Virus

_NAMED = 20  # files that a note names


def making_events(
    making: Making, examined: Examined, ledger: Ledger, findings: Findings, written: Written, base: str
) -> Iterator[Event]:
    """In their order; ``written`` is what of the checks the AIP holds, ``base`` what identifiers of files leave out."""
    yield from _taken_over(making, examined)
    totals, counts = ledger.totals(), findings.counts
    yield making.event(
        EventType.VALIDATION,
        "Guards, structure, metadata and declared digests of the submission were checked",
        ", ".join(f"{code} {number}" for code, number in sorted(counts.items())),
        "warning" if counts else "success",
    )
    yield making.event(
        EventType.MESSAGE_DIGEST_CALCULATION,
        "SHA-256 and SHA-512 of every file while it was read",
        f"{totals.files} files, {totals.bytes} bytes",
    )
    yield from _checks(making, ledger, written, base)
    yield making.event(
        EventType.INFORMATION_PACKAGE_CREATION,
        f"{examined.sent_as} to {examined.package_type.value}",
        f"submission {examined.objid}",
    )


def _taken_over(making: Making, examined: Examined) -> Iterator[Event]:
    carried = examined.carried
    if carried is None:
        return
    yield from _carried(making.version, carried.events)
    yield making.event(
        EventType.INGESTION,
        f"{examined.sent_as} of another system was taken over",
        f"{examined.objid}: {len(carried.events)} of its events carried over, {carried.left} not",
        "warning" if carried.left else "success",
    )


def _checks(making: Making, ledger: Ledger, written: Written, base: str) -> Iterator[Event]:
    if making.scanner:
        yield _scanned(making, ledger)
    if making.released:
        detail = "Two people released the package from quarantine, with its files as they are"
        yield making.event(EventType.QUARANTINE, detail, making.released)
    if making.identifier:
        identified, all_files = ledger.identified_count()
        yield making.event(
            EventType.FORMAT_IDENTIFICATION,
            "Formats of the content files were looked up",
            f"{identified} of {all_files} files identified",
            agent=Agent("identifier", making.identifier),
        )
    if making.inspector:
        yield from _inspected(making, ledger, written)
    if making.checked:
        yield from signature_events(making, ledger.signature_reports(), base, ledger.check_counts())


def _scanned(making: Making, ledger: Ledger) -> Event:
    counts = ledger.check_counts().virus
    outcome = next((one for one in (Virus.INFECTED, Virus.NOT_SCANNED) if counts.get(one)), Virus.CLEAN)
    infected = (f"{path} ({scan.name})" for path, scan in ledger.scans() if scan.outcome is Virus.INFECTED)
    return making.event(
        EventType.VIRUS_CHECK,
        "Every file was scanned for malware while it was read",
        _counted(counts, Virus) + _named("infected", infected, counts.get(Virus.INFECTED, 0)),
        outcome.value,
        Agent("virus-scanner", making.scanner),
    )


def _inspected(making: Making, ledger: Ledger, written: Written) -> Iterator[Event]:
    counts, by = ledger.check_counts().validity, Agent("inspector", making.inspector)
    bad = counts.get(Validity.INVALID, 0) + counts.get(Validity.UNREADABLE, 0)
    yield making.event(
        EventType.VALIDATION,
        "Content files were checked against their formats",
        _counted(counts, Validity) + _named("not valid", _not_valid(ledger), bad),
        "warning" if bad else "success",
        by,
        (),
        "formats",
    )
    yield making.event(
        EventType.METADATA_EXTRACTION,
        "Technical facts and text were taken from the content files",
        f"{written.facts} files with facts, {written.texts} files with text",
        agent=by,
    )


def _not_valid(ledger: Ledger) -> Iterator[str]:
    for one in ledger.content():
        if one.characteristics is not None and one.characteristics.validity in (Validity.INVALID, Validity.UNREADABLE):
            yield f"{one.path} ({one.characteristics.validity})"


def _counted(counts: Mapping[StrEnum, int] | Mapping[Virus, int] | Mapping[Validity, int], kinds: type[StrEnum]) -> str:
    found = {str(kind): count for kind, count in counts.items()}
    return ", ".join(f"{kind} {found.get(kind.value, 0)}" for kind in kinds)


def _named(what: str, names: Iterator[str], count: int) -> str:
    """The first of ``count`` names; nothing when there is none."""
    if not count:
        return ""
    kept = [name for _, name in zip(range(_NAMED), names, strict=False)]
    more = f", and {count - len(kept)} more" if count > len(kept) else ""
    return f"; {what}: {', '.join(kept)}{more}"


def _carried(version: VersionId, events: Iterable[CarriedEvent]) -> Iterator[Event]:
    """Events of another system as events of this version: their own identifiers where those are UUIDs, each once."""
    seen: set[uuid.UUID] = set()
    for number, one in enumerate(events):
        identity = _uuid(one.identifier)
        if identity is None or identity in seen:
            identity = Event.derive(version, "carried", str(number), one.identifier)
        seen.add(identity)
        yield Event(identity, version, one.type, one.at, one.detail, one.outcome, one.note, one.agent)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text.removeprefix("uuid-"))
    except ValueError:
        return None
