"""The archive's journal: small numbered objects, the same in every store, each naming the digest of the one before."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from metadata.canonical import canonical
from metadata.dates import read_utc, utc_text
from metadata.errors import AlreadyExists, Damaged, NoSpace, StoreUnavailable, Unreadable
from metadata.events import Agent
from metadata.identifiers import StoreId
from metadata.journal import Entry, EntryKind, Numbered
from metadata.text import Sentence
from storage.keys import JOURNAL_PREFIX, journal_key, parse_journal_key
from storage.port import Store
from storage.settled import read_small, surely, vouched

FORMAT = "tangthu-journal/1"


def encode_entry(number: int, previous: bytes, entry: Entry) -> bytes:
    """Canonical JSON: UTF-8, sorted keys, no spaces, a line feed at the end."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "number": number,
        "previous": previous.hex(),
        "id": str(entry.id),
        "at": utc_text(entry.at),
        "kind": entry.kind.value,
        "subject": entry.subject,
        "act": entry.act,
        "person": entry.person,
        "agent": {"id": entry.agent.identifier, "name": entry.agent.name},
        "document": entry.document,
    }
    return f"{canonical(document)}\n".encode()


def append_entry(stores: Sequence[Store], last: Numbered | None, entry: Entry) -> list[Numbered]:
    """Write ``entry`` after ``last`` to every store that answers; give those that others wrote before it, and it.

    A store whose journal does not have ``last`` (:func:`fits`) is left as it is, unless none has: nothing that is
    written there would follow. One that is full is left out, as one that is away. Doing it again is harmless. Raises
    StoreUnavailable when no store answers, NoSpace when all are full, Damaged when all contradict ``last``.
    """
    placed: list[Numbered] = []
    while True:
        stores = _following(stores, last)
        number, previous = (last.number + 1, last.digest) if last else (1, b"")
        last = _place(stores, number, previous, encode_entry(number, previous, entry))
        placed.append(last)
        if last.entry.id == entry.id:
            return placed


def read_journal(store: Store, after: int = 0) -> Iterator[Numbered]:
    """The entries from ``after`` + 1 on, in order. Raises Unreadable for one that is missing, altered or out of order.

    The chain is checked from the first entry read on; with ``after`` 0 it is checked whole.
    """
    previous = None if after else b""
    number = after + 1
    data = read_small(store, journal_key(number))
    while data is not None:
        following = read_small(store, journal_key(number + 1))
        found = _entry(store, number, data if vouched(data, following) else None, previous)
        yield found
        previous, number, data = found.digest, number + 1, following
    if any(later > number for info in store.list(JOURNAL_PREFIX) if (later := parse_journal_key(info.key) or 0)):
        raise _broken(store.id, journal_key(number))


def _entry(store: Store, number: int, data: bytes | None, previous: bytes | None) -> Numbered:
    """An entry out of what was read; when that does not fit, or is None, out of what two readings agree on: nothing
    vouches for the last of a chain."""
    if data is not None:
        with suppress(Unreadable):
            return _decode(store.id, number, data, previous)
    again = surely(store, journal_key(number))
    if again is None:
        raise _broken(store.id, journal_key(number))
    return _decode(store.id, number, again, previous)


def fits(store: Store, last: Numbered) -> bool | None:
    """Whether the store's journal has ``last``: None when it ends before. Raises StoreUnavailable."""
    data = read_small(store, journal_key(last.number))
    if data is None or hashlib.sha256(data).digest() != last.digest:
        data = surely(store, journal_key(last.number))
    return None if data is None else hashlib.sha256(data).digest() == last.digest


def _following(stores: Sequence[Store], last: Numbered | None) -> Sequence[Store]:
    """The stores that an entry after ``last`` may be written to."""
    if last is None or not stores:
        return stores
    have: list[Store] = []
    shorter: list[Store] = []
    away: StoreUnavailable | None = None
    for store in stores:
        try:
            has = fits(store, last)
        except StoreUnavailable as error:
            away = error
        except Unreadable:
            continue
        else:
            if has is not False:
                (shorter if has is None else have).append(store)
    if not have and not shorter:
        raise away or _contradiction(last.number)
    return have or shorter


def _place(stores: Sequence[Store], number: int, previous: bytes, data: bytes) -> Numbered:
    """Bring ``data``, or what has its number already, to every store that answers; say which it is."""
    found: dict[StoreId, bytes | None] = {}
    away: StoreUnavailable | None = None
    for store in stores:
        try:
            found[store.id] = read_small(store, journal_key(number))
        except StoreUnavailable as error:
            away = error
    if any(content not in (None, data) for content in found.values()):
        found = {store.id: surely(store, journal_key(number)) for store in stores if store.id in found}
    if not found:
        raise away or StoreUnavailable(
            Sentence("Không có nơi lưu nào để ghi nhật ký.", "There is no store to write to.")
        )
    answering = [store for store in stores if store.id in found and _follows(store.id, number, found, previous)]
    if not answering:
        raise _contradiction(number)
    told = Counter(content for store in answering if (content := found[store.id]) is not None)
    winner = told.most_common(1)[0][0] if told else None
    if winner is None:
        winner = _put_first(answering, number, data, found)
    placed = _decode(answering[0].id, number, winner, previous)
    for store in answering:
        if found[store.id] is None:
            with suppress(NoSpace):  # it gets what it lacks when it has room, as one that was away
                _put(store, number, winner)
    return placed


def _put_first(stores: Sequence[Store], number: int, data: bytes, found: dict[StoreId, bytes | None]) -> bytes:
    """What lies in the first store that has room. Raises NoSpace when none has."""
    for store in stores:
        try:
            winner = found[store.id] = _put(store, number, data)
        except NoSpace:
            if store is stores[-1]:
                raise
        else:
            return winner
    raise ValueError("no store was given")


def _follows(store: StoreId, number: int, found: Mapping[StoreId, bytes | None], previous: bytes) -> bool:
    content = found[store]
    with suppress(Unreadable):
        return content is None or _decode(store, number, content, previous).number == number
    return False


def _put(store: Store, number: int, data: bytes) -> bytes:
    """What lies there now: ``data``, or what another worker was faster with."""
    try:
        store.put(journal_key(number), data)
    except AlreadyExists:
        return surely(store, journal_key(number)) or data
    return data


def _decode(store: StoreId, number: int, data: bytes, previous: bytes | None) -> Numbered:
    """Raises Unreadable unless it is exactly in the canonical form, has this number and follows ``previous``."""
    try:
        document = json.loads(data)
        entry = Entry(
            uuid.UUID(document["id"]),
            read_utc(document["at"]),
            EntryKind(document["kind"]),
            document["subject"],
            document["act"],
            document["person"],
            Agent(document["agent"]["id"], document["agent"]["name"]),
            document["document"],
        )
        texts = entry.subject, entry.act, entry.person, entry.agent.identifier, entry.agent.name
        sound = isinstance(entry.document, dict) and all(isinstance(text, str) for text in texts)
        before = bytes.fromhex(document["previous"])
        same = sound and encode_entry(number, before, entry) == data and previous in (None, before)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _broken(store, journal_key(number)) from error
    if not same:
        raise _broken(store, journal_key(number))
    return Numbered(number, hashlib.sha256(data).digest(), entry)


def _contradiction(number: int) -> Damaged:
    return Damaged(
        Sentence(
            f"Nhật ký ở mọi nơi lưu đều mâu thuẫn với danh mục ở {journal_key(number)}: cần người xem xét.",
            f"The journal in every store contradicts the catalogue at {journal_key(number)}: somebody must look.",
        )
    )


def _broken(store: StoreId, key: str) -> Unreadable:
    return Unreadable(
        Sentence(
            f"Nhật ký trong nơi lưu “{store}” bị thiếu, bị sửa hoặc sai thứ tự ở {key}.",
            f"The journal in the store “{store}” is missing, altered or out of order at {key}.",
        )
    )
