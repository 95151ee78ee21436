"""The log of an AIP version: PREMIS events in small numbered objects beside it.

Each names the digest of the one before. The same bytes lie in every store that holds a replica, so that one store
alone tells the whole life of the AIP.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from metadata.canonical import canonical
from metadata.dates import read_utc, utc_text
from metadata.errors import AlreadyExists, Damaged, NoSpace, OnShelf, TangThuError, Unreadable
from metadata.events import Agent, Event, EventType, LogHead
from metadata.identifiers import StoreId, VersionId
from metadata.text import Sentence
from storage.keys import log_key, log_prefix, parse_log_key, parse_object_key
from storage.port import Store
from storage.settled import read_small, surely, vouched

FORMAT = "tangthu-log/1"


@dataclass(frozen=True, slots=True)
class LogObject:
    """One log object. ``previous`` is the SHA-256 of the one before, empty for number 1, which may have the receipt."""

    version: VersionId
    number: int
    previous: bytes
    events: tuple[Event, ...]
    receipt: Mapping[str, Any] | None = None

    def encode(self) -> bytes:
        """Canonical JSON: UTF-8, sorted keys, no spaces, a line feed at the end."""
        document: dict[str, Any] = {
            "format": FORMAT,
            "version": str(self.version),
            "number": self.number,
            "previous": self.previous.hex(),
            "events": [_event_document(event) for event in self.events],
        }
        if self.receipt is not None:
            document["receipt"] = self.receipt
        return f"{canonical(document)}\n".encode()

    @property
    def head(self) -> LogHead:
        """This object as the last one of its log."""
        return LogHead(self.number, hashlib.sha256(self.encode()).digest())


@dataclass(frozen=True, slots=True)
class Appended:
    """The log's new head, and the objects of others that were found in the stores and come before it.

    The catalogue does not know the events of ``adopted`` yet: append them, then the own events that ``adopted`` lacks.
    ``left`` are stores that have something else under such a key: they were left as they are, and their log is to be
    made whole.
    """

    head: LogHead
    adopted: tuple[LogObject, ...] = ()
    left: tuple[StoreId, ...] = ()


def append_log(
    stores: Sequence[Store],
    key: str,
    head: LogHead | None,
    events: Sequence[Event],
    receipt: Mapping[str, Any] | None = None,
    *,
    spare: bool = False,
) -> Appended:
    """Write ``events`` to every store as the object after ``head`` (None: the first) of the log of the AIP at ``key``.

    Doing it again is harmless: identical bytes are left, and events that are there already (by id) are not written
    again. When another object has that number, it is adopted, brought to the stores that lack it, and the events
    follow it; one that cannot follow ``head`` is brought to no other store, and its store left as it is. Raises
    ValueError (nothing to write, no object key), Damaged (the stores' logs contradict each other, or all of them
    ``head``), StoreUnavailable, NoSpace: then it may be in some stores, and a retry with the same events heals that.
    With ``spare`` stores that are full are left out, as long as one has room.
    """
    version = parse_object_key(key)
    foreign = any(event.version != version for event in events)
    if version is None or foreign or not stores or (not events and receipt is None):
        raise ValueError(f"nothing to write to the log of {key[:200]!r}")
    adopted: list[LogObject] = []
    left: list[StoreId] = []
    pending = tuple(events)
    while True:
        number, previous = (head.number + 1, head.digest) if head else (1, b"")
        own = LogObject(version, number, previous, pending, receipt if number == 1 else None)
        placed, odd = _place([store for store in stores if store.id not in left], key, own, spare)
        left += odd
        head = placed.head
        if placed == own:
            return Appended(head, tuple(adopted), tuple(left))
        adopted.append(placed)
        known = {event.id for event in placed.events}
        pending = tuple(event for event in pending if event.id not in known)
        if not pending:
            return Appended(head, tuple(adopted), tuple(left))


def read_log(store: Store, key: str) -> Iterator[LogObject]:
    """The log objects of the AIP at ``key``, in order. Raises Unreadable where one is missing, altered or out of order.

    Flat in memory. A list may be behind: it says only up to where there must be objects. An object that
    the next does not vouch for, as the last, is believed when two readings agree on it.
    """
    parsed = (parse_log_key(info.key) for info in store.list(log_prefix(key)))
    listed = max((entry[1] for entry in parsed if entry is not None and entry[0] == key), default=0)
    number, data = 1, read_small(store, log_key(key, 1))
    head: LogHead | None = None
    while data is not None:
        after = read_small(store, log_key(key, number + 1))
        entry = _entry(store, key, number, data if vouched(data, after) else None, head)
        head, number, data = entry.head, number + 1, after
        yield entry
    if number <= listed and surely(store, log_key(key, number)) is None:
        raise _broken(store.id, log_key(key, number))


def _entry(store: Store, key: str, number: int, data: bytes | None, before: LogHead | None) -> LogObject:
    """An object of the log out of what was read, or, when that does not fit or is None, out of what is read again."""
    path = log_key(key, number)
    if data is not None:
        try:
            entry = decode_log(store.id, path, data)
            _check(store.id, key, entry, before, number)
        except Unreadable:
            pass
        else:
            return entry
    again = surely(store, path)
    if again is None:
        raise _broken(store.id, path)
    entry = decode_log(store.id, path, again)
    _check(store.id, key, entry, before, number)
    return entry


def decode_log(store: StoreId, path: str, data: bytes) -> LogObject:
    """Read a log object. Raises Unreadable unless it is exactly in the canonical form."""
    try:
        document = json.loads(data)
        version = VersionId.parse(document["version"])
        events = tuple(_read_event(version, event) for event in document["events"])
        entry = LogObject(
            version, document["number"], bytes.fromhex(document["previous"]), events, document.get("receipt")
        )
        same = entry.encode() == data
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _broken(store, path) from error
    if not same:
        raise _broken(store, path)
    return entry


def _place(stores: Sequence[Store], key: str, own: LogObject, spare: bool) -> tuple[LogObject, list[StoreId]]:
    """Bring ``own``, or what has its number already and may follow, to every store; say which it is, and which stores
    have something else there. Nothing is written before it is known to fit."""
    path, data = log_key(key, own.number), own.encode()
    stores, found = _looked_at(stores, path)
    if any(content not in (None, data) for content in found.values()):
        found = {store.id: surely(store, path) for store in stores}
    fitting = [store for store in stores if _fits(store.id, key, own, found[store.id])]
    told = {content for store in fitting if (content := found[store.id]) is not None}
    if not fitting or len(told) > 1:
        raise _contradiction(stores[0].id, path)
    winner = told.pop() if told else _put_first(fitting, path, data, found, spare)
    placed = own if winner == data else _decoded(fitting[0].id, key, own, winner)
    for store in fitting:
        if found[store.id] is None:
            with suppress(OnShelf, *([NoSpace] if spare else [])):  # on the shelf: a closed set
                _put(store, path, winner)
    return placed, [store.id for store in stores if store not in fitting]


def _decoded(store: StoreId, key: str, own: LogObject, data: bytes) -> LogObject:
    """What lies where ``own`` was to lie. Raises Unreadable when it cannot follow what ``own`` follows."""
    entry = decode_log(store, log_key(key, own.number), data)
    _check(store, key, entry, LogHead(own.number - 1, own.previous) if own.previous else None, own.number)
    return entry


def _fits(store: StoreId, key: str, own: LogObject, data: bytes | None) -> bool:
    with suppress(Unreadable):
        return data is None or bool(_decoded(store, key, own, data))
    return False


def _put_first(
    stores: Sequence[Store], path: str, data: bytes, found: dict[StoreId, bytes | None], spare: bool
) -> bytes:
    """What lies in the first store that takes anything, or with ``spare`` in the first that has room. Raises NoSpace,
    OnShelf."""
    refusal: TangThuError = OnShelf(Sentence("Không có nơi lưu nào ghi được.", "No store can be written to."))
    for store in stores:
        try:
            store.put(path, data)
            found[store.id] = data
        except AlreadyExists:  # another worker was faster: the first store decides
            found[store.id] = surely(store, path) or data
        except (NoSpace, OnShelf) as error:  # on the shelf: a closed set
            if isinstance(error, NoSpace) and not spare:
                raise
            refusal = error
            continue
        return found[store.id] or data
    raise refusal


def _looked_at(stores: Sequence[Store], path: str) -> tuple[Sequence[Store], dict[StoreId, bytes | None]]:
    """What lies there in each store, and those stores, but for media: a set is written once, its logs are as they were
    when it was closed. Raises OnShelf when there is nothing else."""
    found: dict[StoreId, bytes | None] = {}
    shelved: OnShelf | None = None
    for store in stores:
        try:
            found[store.id] = read_small(store, path)
        except OnShelf as error:
            shelved = error
    kept = [store for store in stores if store.id in found]
    if shelved is not None and not kept:
        raise shelved
    return kept, found


def _put(store: Store, path: str, data: bytes) -> bool:
    """Whether it had to be written. Raises Damaged when other bytes are there."""
    try:
        store.put(path, data)
    except AlreadyExists:
        if surely(store, path) != data:
            raise _contradiction(store.id, path) from None
        return False
    return True


def _check(store: StoreId, key: str, entry: LogObject, before: LogHead | None, number: int) -> None:
    previous = before.digest if before else b""
    if (entry.version, entry.number, entry.previous) != (parse_object_key(key), number, previous):
        raise _broken(store, log_key(key, number))


def _event_document(event: Event) -> dict[str, Any]:
    document = {
        "id": str(event.id),
        "type": event.type.value,
        "at": utc_text(event.at),
        "detail": event.detail,
        "outcome": event.outcome,
        "note": event.note,
        "agent": {"id": event.agent.identifier, "name": event.agent.name},
        "store": event.store.value if event.store else None,
    }
    return {**document, "links": [list(link) for link in event.links]} if event.links else document


def _read_event(version: VersionId, document: Mapping[str, Any]) -> Event:
    store = document["store"]
    return Event(
        uuid.UUID(document["id"]),
        version,
        EventType(document["type"]),
        read_utc(document["at"]),
        document["detail"],
        document["outcome"],
        document["note"],
        Agent(document["agent"]["id"], document["agent"]["name"]),
        StoreId(store) if store is not None else None,
        tuple((kind, value) for kind, value in document.get("links", ())),
    )


def _broken(store: StoreId, path: str) -> Unreadable:
    return Unreadable(
        Sentence(
            f"Bản ghi nhật ký {path} trong nơi lưu “{store}” bị thiếu, bị sửa hoặc không nối tiếp bản ghi trước nó.",
            f"Log object {path} in the store “{store}” is missing, altered, or does not follow the one before it.",
        )
    )


def _contradiction(store: StoreId, path: str) -> Damaged:
    return Damaged(
        Sentence(
            f"Bản ghi nhật ký {path} trong nơi lưu “{store}” khác với nơi lưu khác hoặc không nối tiếp bản ghi trước "
            "nó: cần người xem xét.",
            f"Log object {path} in the store “{store}” differs from the other stores', or does not follow the one "
            "before it: somebody must look into it.",
        )
    )
