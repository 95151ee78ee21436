"""The archive's journal: small numbered objects, the same in every store, each naming the digest of the one before."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from metadata.canonical import canonical
from metadata.dates import read_utc, utc_text
from metadata.errors import AlreadyExists, Damaged, NotFound, StoreUnavailable, Unreadable
from metadata.events import Agent
from metadata.identifiers import StoreId
from metadata.journal import Entry, EntryKind, Numbered
from metadata.text import Sentence
from storage.keys import JOURNAL_PREFIX, journal_key, parse_journal_key
from storage.port import Store
from storage.settled import settled

FORMAT = "tangthu-journal/1"
_LARGEST = 16 << 20


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

    Doing it again is harmless. Raises StoreUnavailable when no store answers, Damaged when stores contradict another.
    """
    placed: list[Numbered] = []
    while True:
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
    data = _read(store, number)
    while data is not None:
        following = _read(store, number + 1)
        found = _entry(store, number, data if following is not None else None, previous)
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
    again = _surely(store, number)
    if again is None:
        raise _broken(store.id, journal_key(number))
    return _decode(store.id, number, again, previous)


def _place(stores: Sequence[Store], number: int, previous: bytes, data: bytes) -> Numbered:
    """Bring ``data``, or what has its number already, to every store that answers; say which it is."""
    found: dict[StoreId, bytes | None] = {}
    away: StoreUnavailable | None = None
    for store in stores:
        try:
            found[store.id] = _read(store, number)
        except StoreUnavailable as error:
            away = error
    if any(content not in (None, data) for content in found.values()):
        found = {store.id: _surely(store, number) for store in stores if store.id in found}
    answering = [store for store in stores if store.id in found]
    if not answering:
        raise away or StoreUnavailable(Sentence("Không có kho nào để ghi nhật ký.", "There is no store to write to."))
    winner = next((content for content in found.values() if content is not None), None)
    if winner is None:
        winner = _put(answering[0], number, data)
        found[answering[0].id] = winner
    for store in answering:
        if found[store.id] is None:
            found[store.id] = _put(store, number, winner)
        if found[store.id] != winner:
            raise Damaged(
                Sentence(
                    f"Nhật ký của kho “{store.id}” mâu thuẫn với kho khác ở {journal_key(number)}.",
                    f"The journal in the store “{store.id}” contradicts another store's at {journal_key(number)}.",
                )
            )
    return _decode(answering[0].id, number, winner, previous)


def _put(store: Store, number: int, data: bytes) -> bytes:
    """What lies there now: ``data``, or what another worker was faster with."""
    try:
        store.put(journal_key(number), data)
    except AlreadyExists:
        return _surely(store, number) or data
    return data


def _surely(store: Store, number: int) -> bytes | None:
    return settled(store.id, lambda: _read(store, number))


def _read(store: Store, number: int) -> bytes | None:
    key = journal_key(number)
    info = store.head(key)
    if info is None:
        return None
    if info.size > _LARGEST:
        raise _broken(store.id, key)
    try:
        with store.open(key) as stream:
            return stream.read(_LARGEST)
    except NotFound:
        return None


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
        before = bytes.fromhex(document["previous"])
        same = encode_entry(number, before, entry) == data and previous in (None, before)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _broken(store, journal_key(number)) from error
    if not same:
        raise _broken(store, journal_key(number))
    return Numbered(number, hashlib.sha256(data).digest(), entry)


def _broken(store: StoreId, key: str) -> Unreadable:
    return Unreadable(
        Sentence(
            f"Nhật ký trong kho “{store}” bị thiếu, bị sửa hoặc sai thứ tự ở {key}.",
            f"The journal in the store “{store}” is missing, altered or out of order at {key}.",
        )
    )
