"""The last step: the first log object beside the AIP, then one catalogue transaction, both under the claim.

What is registered is described by the stored object itself, so it is what a rebuild would find.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.place import ClaimKeeper, IngestPlace, Stored
from metadata.canonical import canonical
from metadata.errors import Damaged
from metadata.events import Event, EventType
from metadata.identifiers import StoreId, VersionId
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation.description import Known, describe_stored
from preservation.life import replicas_of, restore_log
from preservation.rebuild import rebuild_one
from storage.keys import log_key
from storage.log import append_log


def recall(place: IngestPlace, version: VersionId, key: str) -> bool:
    """Whether an AIP is held under ``key`` after all, though the catalogue had no row of it; now it has.

    A first log object is written only when every replica was read back: what has one is held, whoever has forgotten it.
    Raises Damaged when it cannot be read, StoreUnavailable.
    """
    stores = place.in_use()
    if all(store.head(log_key(key, 1)) is None for store in stores):
        return False
    rebuild_one(place.catalogue, stores, key, place.clock, place.looks, place.work)
    head = place.catalogue.events.head(version)
    if head is None:
        raise Damaged(
            Sentence(
                f"Các nơi lưu giữ gói AIP {key} mà danh mục không có và không đọc được: hãy dựng lại danh mục và xem "
                "báo cáo.",
                f"The stores hold AIP {key}, which the catalogue lacks and which cannot be read: rebuild the catalogue "
                "and look at what it reports.",
            )
        )
    holders = {replica.store for replica in place.catalogue.holdings.replicas(version)}
    restore_log([store for store in stores if store.id in holders], key, head)
    return True


def register(place: IngestPlace, stored: Stored, known: Known | None = None) -> None:
    """Write log and rows. ``known`` is there when this process has just written the object and read it back.

    Raises AlreadyExists when another worker has registered it, ClaimLost when another has claimed it since,
    TemporaryError when it should be tried again."""
    with ClaimKeeper(place, stored.claim) as lease, _folder(place, stored) as folder:
        lease.confirm()
        stores = place.replicas.of(StoreId(name) for name in stored.receipt.stores).stores
        description = describe_stored(stores[0], stored.key, folder, known)
        row, made = description.version, description.events  # read before the log says that the AIP is held
        events: Sequence[Event] = _first_events(place, stored)
        receipt = json.loads(stored.receipt.to_json())
        appended = append_log(stores, stored.key, None, events, receipt)
        if appended.left:
            restore_log(stores, stored.key, appended.head)
        if appended.adopted:  # a worker that died had written it; the times in it are the times of this AIP
            events = [event for log in appended.adopted for event in log.events]
            receipt = appended.adopted[0].receipt or receipt
        if receipt["content"] != stored.receipt.content:
            raise _foreign_log(stored)
        place.at("logged")
        replicas = replicas_of(stored.version, events, place.looks, row.fonds)
        members, records = description.members(), description.records()
        place.at("before register")
        place.catalogue.holdings.register(
            row, members, records, replicas, [*made, *events], canonical(receipt), appended.head, stored.claim
        )


@contextlib.contextmanager
def _folder(place: IngestPlace, stored: Stored) -> Iterator[Path]:
    folder = place.work / f"register-{stored.version}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _foreign_log(stored: Stored) -> Damaged:
    return Damaged(
        Sentence(
            f"Nhật ký cạnh {stored.key} là của một gói khác cùng mã: cần người xem xét.",
            f"The log beside {stored.key} is that of another package of the same name: somebody must look into it.",
        )
    )


def _first_events(place: IngestPlace, stored: Stored) -> list[Event]:
    """Replication and reading back, for each store; then the end of the ingestion."""
    version, at = stored.version, stored.stored_at

    def event(kind: EventType, detail: str, outcome: str, note: str, store: StoreId | None) -> Event:
        identity = Event.derive(version, "ingest", kind.value, store.value if store else "")
        return Event(identity, version, kind, at, detail, outcome, note, place.agent, store)

    events = []
    for store in map(StoreId, stored.receipt.stores):
        events.append(event(EventType.REPLICATION, "The AIP was created in the store", "success", "", store))
        events.append(event(EventType.FIXITY_CHECK, "Read back whole after replication", Fixity.MATCH.value, "", store))
    events.append(event(EventType.INGESTION_END, "Every replica was read back and matched", "success", "", None))
    return events
