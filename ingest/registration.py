"""The last step: the first log object beside the AIP, then one catalogue transaction.

What is registered is described by the stored object itself, so it is what a rebuild would find.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence

from ingest.place import IngestPlace, Stored
from ingest.receipt import canonical
from metadata.events import Event, EventType
from metadata.holdings import Member
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from preservation.checks import Schedule
from preservation.description import describe_stored
from preservation.life import replicas_of
from storage.log import append_log


def register(place: IngestPlace, stored: Stored, known: Callable[[], Iterator[Member]] | None = None) -> None:
    """Write log and rows. ``known`` gives the members when this process has just written them and read them back.

    Raises AlreadyExists when another worker has registered it, TemporaryError when it should be tried again."""
    stores = place.replicas.stores
    events: Sequence[Event] = _first_events(place, stored)
    receipt = json.loads(stored.receipt.to_json())
    appended = append_log(stores, stored.key, None, events, receipt)
    if appended.adopted:  # a worker that died had written it; the times in it are the times of this AIP
        events = [event for log in appended.adopted for event in log.events]
        receipt = appended.adopted[0].receipt or receipt
    place.at("logged")
    replicas = replicas_of(stored.version, events, Schedule(place.period))
    folder = place.work / f"register-{stored.version}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        description = describe_stored(stores[0], stored.key, folder, known)
        place.at("before register")
        place.catalogue.holdings.register(
            description.version,
            description.members(),
            description.records(),
            replicas,
            [*description.events, *events],
            canonical(receipt),
            appended.head,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _first_events(place: IngestPlace, stored: Stored) -> list[Event]:
    """Replication and reading back, for each store; then the end of the ingestion."""
    version, at = stored.version, stored.stored_at

    def event(kind: EventType, detail: str, outcome: str, note: str, store: StoreId | None) -> Event:
        identity = Event.derive(version, "ingest", kind.value, store.value if store else "")
        return Event(identity, version, kind, at, detail, outcome, note, place.agent, store)

    events = []
    for store in place.replicas.stores:
        events.append(event(EventType.REPLICATION, "The AIP was created in the store", "success", "", store.id))
        events.append(
            event(EventType.FIXITY_CHECK, "Read back whole after replication", Fixity.MATCH.value, "", store.id)
        )
    events.append(event(EventType.INGESTION_END, "Every replica was read back and matched", "success", "", None))
    return events
