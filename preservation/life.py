"""The life of a stored AIP version: adding to its log, keeping the log whole, and what it says of the replicas."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from metadata.catalogue import Catalogue
from metadata.errors import AlreadyExists, NoSpace, NotFound, OnShelf, StoreUnavailable
from metadata.events import Event, EventType, LogHead
from metadata.holdings import Replica
from metadata.identifiers import FondsCode, StoreId, VersionId
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation.checks import SUCCESS, Schedule
from storage.keys import log_key
from storage.log import append_log, decode_log
from storage.port import Store
from storage.settled import SMALL, settled


def replicas_of(version: VersionId, events: Iterable[Event], schedule: Schedule, fonds: FondsCode) -> list[Replica]:
    """The replicas as the events leave them, by store: the state that the catalogue has. ``fonds`` is the AIP's."""
    state: dict[StoreId, tuple[Fixity, datetime]] = {}
    read: dict[StoreId, datetime] = {}
    for event in events:
        if event.store is None:
            continue
        if event.type is EventType.FIXITY_CHECK:
            state[event.store] = (Fixity(event.outcome), event.at)
        elif event.type in (EventType.REPLICATION, EventType.RECOVERY) and event.outcome == SUCCESS:
            state[event.store] = (Fixity.MATCH, event.at)
        elif event.type is EventType.DEACCESSION:
            state.pop(event.store, None)
            read.pop(event.store, None)
        elif event.type is EventType.ACCESSION:
            state[event.store] = (Fixity.NOT_CHECKED, event.at)
        if event.store in state and state[event.store][0].looked:
            read[event.store] = state[event.store][1]
    return [
        Replica(version, store, outcome, read.get(store), schedule.next_look(outcome, at, store, fonds))
        if outcome is not Fixity.NOT_CHECKED
        else Replica(version, store, outcome, None, at)
        for store, (outcome, at) in sorted(state.items())
    ]


@dataclass(frozen=True, slots=True)
class Logged:
    """What goes into the catalogue after the log was written: the events that it lacks, and the new head."""

    head: LogHead
    events: tuple[Event, ...]


def log_events(
    catalogue: Catalogue, stores: Sequence[Store], version: VersionId, key: str, events: Sequence[Event]
) -> Logged:
    """Write ``events`` to the log in ``stores``, bringing along those that were away or full before.

    Raises StoreUnavailable when no store is given or one does not answer, NoSpace when all are full, NotFound for a
    version not held, Damaged when logs contradict each other.
    """
    head = catalogue.events.head(version)
    if head is None:
        raise NotFound(Sentence(f"Danh mục không có gói tin {version}.", f"The catalogue holds no version {version}."))
    if not stores:
        raise StoreUnavailable(
            Sentence(
                f"Không nơi lưu nào của gói tin {version} trả lời, nên không ghi được nhật ký.",
                f"No store of {version} answers, so nothing can be logged.",
            )
        )
    lacking = [store.id for store in stores if store.head(log_key(key, head.number)) is None]
    if lacking:
        try:
            restore_log(stores, key, head)
        except NoSpace:
            stores = [store for store in stores if store.id not in lacking]
            if not stores:
                raise
    appended = append_log(stores, key, head, events, spare=True)
    if appended.left:
        with suppress(NoSpace):
            restore_log(stores, key, appended.head)
    adopted = [event for entry in appended.adopted for event in entry.events]
    known = {event.id for event in adopted}
    return Logged(appended.head, (*adopted, *(event for event in events if event.id not in known)))


def restore_log(
    stores: Sequence[Store], key: str, head: LogHead, only: StoreId | None = None
) -> tuple[int, tuple[int, ...]]:
    """Make the log up to ``head`` whole in every store, or ``only`` in that one, from whatever store has each object
    whole.

    The chain is followed back from ``head``, so nothing is believed that the catalogue does not vouch for; what a store
    lacks is then written from the first object on, so that one who dies on the way leaves a log that is too short, and
    not one with a hole. A closed medium stays as it is. Returns how many objects were written, and the numbers that
    none of the stores has any more. Raises StoreUnavailable, NoSpace.
    """
    lacking: list[tuple[int, bytes]] = []
    lost: tuple[int, ...] = ()
    digest = head.digest
    for number in range(head.number, 0, -1):
        good, copies = _copies(stores, log_key(key, number), digest)
        if good is None:
            lost = tuple(range(1, number + 1))
            break
        if any(content != good for store, content in copies.items() if only in (None, store)):
            lacking.append((number, digest))
        digest = decode_log(stores[0].id, log_key(key, number), good).previous
    written = 0
    for number, digest in reversed(lacking):
        path = log_key(key, number)
        good, copies = _copies(stores, path, digest)
        for store in stores:
            if good and copies[store.id] != good and only in (None, store.id):
                written += _write(store, path, good)
    return written, lost


def _write(store: Store, path: str, good: bytes) -> bool:
    """Put a log object where it is missing, or is another; whether it had to be."""
    there = settled(store.id, partial(_bytes, store, path))
    if there == good:
        return False
    with suppress(OnShelf, AlreadyExists):  # a closed set; another worker was faster
        if there is not None:
            store.bury(path)
        store.put(path, good)
        return True
    return False


def _copies(stores: Sequence[Store], path: str, digest: bytes) -> tuple[bytes | None, Mapping[StoreId, bytes | None]]:
    """The log object with that digest, None where no store has it, and what lies in each."""
    copies = {store.id: _bytes(store, path) for store in stores}
    good = _with_digest(copies, digest)
    if good is None:
        copies = {store.id: settled(store.id, partial(_bytes, store, path)) for store in stores}
        good = _with_digest(copies, digest)
    return good, copies


def _with_digest(copies: Mapping[StoreId, bytes | None], digest: bytes) -> bytes | None:
    return next((data for data in copies.values() if data and hashlib.sha256(data).digest() == digest), None)


def _bytes(store: Store, path: str) -> bytes | None:
    try:
        with store.open(path) as stream:
            return stream.read(SMALL)
    except NotFound:
        return None
