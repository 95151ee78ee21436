"""Incidents: what went wrong with what is kept, written into the archive's journal first and then as a row.

The journal's entries are the truth: :func:`restore_incidents` makes the rows of them. All identifiers are derived, so
that whoever does the same again after a crash, or at the same time, writes nothing twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from metadata.canonical import canonical
from metadata.catalogue import Catalogue
from metadata.catalogue.incidents import MENDED
from metadata.dates import utc_text
from metadata.errors import UsageError
from metadata.events import EventType
from metadata.identifiers import StoreId, VersionId
from metadata.incidents import Incident, IncidentKind, IncidentState
from metadata.journal import Entry, EntryKind, Numbered
from metadata.text import Sentence
from preservation.checks import Clock
from preservation.journal import ArchiveJournal

FIX_FORMAT = "tangthu-fix/1"
OPENED, MET_AGAIN, CLOSED = "opened", "met-again", "closed"
"""What the journal's entries about an incident say was done; and ``mended``."""
_LONGEST = 4000
_LOOKS = (EventType.FIXITY_CHECK, EventType.RECOVERY, EventType.REPLICATION)
_PAGE = 500

Tell = Callable[[Incident, bool], None]
"""Gets each incident that is opened, and whether it is opened again, before its row is written: at least once."""


class Incidents:
    """Threads and machines may each have one."""

    def __init__(self, catalogue: Catalogue, journal: ArchiveJournal, clock: Clock, tell: Tell | None = None) -> None:
        self._catalogue = catalogue
        self._rows = catalogue.incidents
        self._journal = journal
        self._clock = clock
        self._tell = tell or (lambda *_: None)

    def meet(
        self,
        kind: IncidentKind,
        subject: str,
        told: Sentence,
        version: VersionId | None = None,
        store: StoreId | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> Incident:
        """Open an incident; one of the same kind and subject that is open is only counted up.

        One that had been mended is opened again, and so written down. Raises what the journal raises.
        """
        met = Incident(
            "", kind, subject, self._clock(), told, version=version, store=store, facts=dict(facts) if facts else {}
        )
        while True:
            there = self._rows.current(kind, subject)
            if there is None or there.state is not IncidentState.OPEN:
                there = self._open(met, there)
            else:
                there = self._rows.meet(replace(met, id=there.id))
            if there.state is IncidentState.OPEN:
                return there

    def mend(self, kind: IncidentKind, subject: str, facts: Mapping[str, Any] | None = None) -> Incident | None:
        """What was wrong is right again: the open incident of this kind and subject, now mended; None without one."""
        there = self._rows.current(kind, subject)
        if there is None or there.state is not IncidentState.OPEN:
            return None
        told = dict(facts or {})
        entry = self._write(there.id, MENDED, {"facts": told}, "", self._count(there.id, OPENED, MET_AGAIN))
        return self._rows.mend(there.id, entry.at, told)

    def meet_undated(self, kind: IncidentKind, subject: str, told: Sentence) -> Incident:
        """As :meth:`meet`, without a word in the journal: for a clock that cannot be right. :meth:`date` makes up."""
        there, now = self._rows.current(kind, subject), self._clock()
        if there is not None and there.state is IncidentState.OPEN:
            return there
        if there is not None:
            return self.meet(kind, subject, told)
        id = incident_id(kind, subject, self._rows.closed(kind, subject))
        made = Incident(id, kind, subject, now, told, facts={"shown": utc_text(now)})
        self._tell(made, False)
        return self._rows.meet(made)

    def date(self, id: str) -> None:
        """Write into the journal, by the clock as it is now, that an undated incident was opened."""
        there = self._rows.get(id)
        if not history(self._catalogue, id):
            entry = self._write(id, OPENED, _opened_to_json(there), "", 0)
            self._rows.put(replace(there, opened=entry.at))

    def close(self, id: str, cause: str, handling: str, person: str, *, unmended: bool = False) -> Incident:
        """Sign an incident off (NĐ 113/2025 Điều 22: cause and handling are written by a person).

        Raises NotFound; UsageError for empty words, and for one that is still open unless ``unmended`` says that it
        will stay so.
        """
        there = self._rows.get(id)
        cause, handling, person = (text.strip()[:_LONGEST] for text in (cause, handling, person))
        if not (cause and handling and person):
            raise UsageError(
                Sentence(
                    "Hãy ghi nguyên nhân, cách xử lý và họ tên người ký.",
                    "Write the cause, how it was handled, and the name of the person who signs.",
                )
            )
        if there.state is IncidentState.OPEN and not unmended:
            raise UsageError(
                Sentence(
                    f"Sự cố {id} chưa được khắc phục: hãy khắc phục trước, hoặc nói rõ là đóng khi chưa khắc phục.",
                    f"Incident {id} is not mended: mend it first, or say that it is closed unmended.",
                )
            )
        self.date(id)
        document = {"cause": cause, "handling": handling, "unmended": there.state is IncidentState.OPEN}
        entry = self._write(id, CLOSED, document, person, 0)
        told = entry.document
        return self._rows.close(id, entry.at, told["cause"], told["handling"], entry.person)

    def fix_file(self, id: str) -> bytes:
        """The incident's fix file (NĐ 113/2025 Điều 22) as canonical JSON with a line feed. Raises NotFound.

        What was found member by member, how and from where it was mended, when that was read back, who signed what;
        the PREMIS events concerned, and the journal's entries with their numbers and digests, which prove it.
        """
        there = self._rows.get(id)
        document = {
            "format": FIX_FORMAT,
            "incident": incident_to_json(there),
            "events": self._events(there),
            "journal": [_entry_to_json(one) for one in history(self._catalogue, id)],
        }
        return f"{canonical(document)}\n".encode()

    def _open(self, met: Incident, there: Incident | None) -> Incident:
        if there is None:
            id = incident_id(met.kind, met.subject, self._rows.closed(met.kind, met.subject))
            act, turn = OPENED, 0
        else:
            id, act, turn = there.id, MET_AGAIN, self._count(there.id, MENDED)
        entry = self._write(id, act, _opened_to_json(met), "", turn)
        made = replace(_opened(id, entry), opened=there.opened if there else entry.at)
        self._tell(made, there is not None)
        return self._rows.meet(made)

    def _write(self, id: str, act: str, document: Mapping[str, Any], person: str, turn: int) -> Entry:
        identity = Entry.derive(EntryKind.INCIDENT.value, id, act, str(turn))
        return self._journal.write(EntryKind.INCIDENT, id, act, document, person, identity)

    def _count(self, id: str, *acts: str) -> int:
        return sum(one.entry.act in acts for one in history(self._catalogue, id))

    def _events(self, there: Incident) -> list[dict[str, Any]]:
        """What the AIP's own log tells of the replicas concerned, from the last good look before it on."""
        if there.version is None:
            return []
        looks = [
            event
            for event in self._catalogue.events.of(there.version)
            if event.type in _LOOKS
            and there.store in (None, event.store)
            and (not there.closed or event.at <= there.closed)
        ]
        before = [place for place, event in enumerate(looks) if event.at < there.opened and event.outcome == "MATCH"]
        return [
            {
                "id": str(event.id),
                "type": event.type.value,
                "at": utc_text(event.at),
                "outcome": event.outcome,
                "note": event.note,
                "store": event.store.value if event.store else None,
            }
            for event in looks[before[-1] if before else 0 :][:_PAGE]
        ]


def incident_id(kind: IncidentKind, subject: str, earlier: int) -> str:
    """The identifier of the incident of this kind and subject that follows so many ``earlier`` ones."""
    digest = hashlib.sha256("\n".join((kind.value, subject, str(earlier))).encode()).hexdigest()
    return f"{kind.value}-{digest[:12]}"


def history(catalogue: Catalogue, id: str) -> list[Numbered]:
    """What the journal tells of an incident, in order: at most its last 1,000 entries, each once."""
    found = catalogue.journal.entries(EntryKind.INCIDENT, id, limit=1000)
    return sorted({one.entry.id: one for one in found}.values(), key=lambda one: one.number)


def restore_incidents(catalogue: Catalogue) -> int:
    """Make the rows of incidents that the journal tells of; how many were missing or behind. Memory stays flat."""
    count = 0
    for id in _told(catalogue):
        folded = None
        with suppress(ValueError, KeyError, TypeError, AttributeError):  # an entry that another made up
            folded = fold(id, [one.entry for one in history(catalogue, id)])
        there = catalogue.incidents.find(id)
        if folded is not None and (there is None or there.state is not folded.state):
            catalogue.incidents.put(replace(folded, seen=max(folded.seen, there.seen if there else 0)))
            count += 1
    return count


def fold(id: str, entries: list[Entry]) -> Incident | None:
    """An incident as the journal's entries about it, in order, leave it; None when none of them opened it."""
    made: Incident | None = None
    for entry in entries:
        if entry.act == OPENED:
            made = _opened(id, entry)
        elif made is None:
            continue
        elif entry.act == MET_AGAIN:
            made = replace(_opened(id, entry), opened=made.opened, seen=made.seen + 1)
        elif entry.act == MENDED:
            facts = {**made.facts, MENDED: entry.document.get("facts", {})}
            made = replace(made, state=IncidentState.MENDED, mended=entry.at, facts=facts)
        elif entry.act == CLOSED:
            cause, handling = str(entry.document.get("cause", "")), str(entry.document.get("handling", ""))
            made = replace(
                made, state=IncidentState.CLOSED, closed=entry.at, cause=cause, handling=handling, person=entry.person
            )
    return made


def incident_to_json(one: Incident) -> dict[str, Any]:
    """An incident for programs."""
    return {
        "id": one.id,
        "kind": one.kind.value,
        "subject": one.subject,
        "state": one.state.value,
        "opened": utc_text(one.opened),
        "vi": one.told.vi,
        "en": one.told.en,
        "version": str(one.version) if one.version else None,
        "store": one.store.value if one.store else None,
        "seen": one.seen,
        "mended": utc_text(one.mended) if one.mended else None,
        "closed": utc_text(one.closed) if one.closed else None,
        "cause": one.cause,
        "handling": one.handling,
        "person": one.person,
        "facts": dict(one.facts),
    }


def _told(catalogue: Catalogue) -> Iterator[str]:
    before: int | None = None
    while page := catalogue.journal.entries(EntryKind.INCIDENT, limit=_PAGE, before=before):
        yield from (one.entry.subject for one in page if one.entry.act == OPENED)
        before = page[-1].number


def _opened_to_json(met: Incident) -> dict[str, Any]:
    return {
        "kind": met.kind.value,
        "subject": met.subject,
        "vi": met.told.vi,
        "en": met.told.en,
        "version": str(met.version) if met.version else None,
        "store": met.store.value if met.store else None,
        "facts": dict(met.facts),
    }


def _opened(id: str, entry: Entry) -> Incident:
    told = entry.document
    return Incident(
        id,
        IncidentKind(told["kind"]),
        told["subject"],
        entry.at,
        Sentence(told["vi"], told["en"]),
        version=VersionId.parse(told["version"]) if told["version"] else None,
        store=StoreId(told["store"]) if told["store"] else None,
        facts=told["facts"],
    )


def _entry_to_json(one: Numbered) -> dict[str, Any]:
    return {
        "number": one.number,
        "sha256": one.digest.hex(),
        "id": str(one.entry.id),
        "at": utc_text(one.entry.at),
        "act": one.entry.act,
        "person": one.entry.person,
        "agent": one.entry.agent.identifier,
        "document": dict(one.entry.document),
    }
