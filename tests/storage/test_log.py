"""The log beside the object: a chain, the same in every store, written once however often it is tried."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest

from metadata.errors import Damaged, StoreUnavailable, Unreadable
from metadata.events import Agent, Event, EventType
from metadata.identifiers import StoreId
from metadata.text import Sentence
from storage.keys import log_key
from storage.log import Appended, LogObject, append_log, decode_log, read_log
from storage.port import Bytes, ByteStream, ObjectInfo
from storage.stores.memory import MemoryStore
from tests.builders.aips import KEY, VERSION, memory_store, object_bytes
from tests.builders.kept import replace

AGENT = Agent("urn:tangthu:1", "Tàng Thư")
AT = datetime(2026, 11, 23, 1, 2, 3, 456, tzinfo=UTC)


def event(name: str, at: datetime = AT, store: StoreId | None = None) -> Event:
    kind = EventType.FIXITY_CHECK
    return Event(Event.derive(VERSION, name), VERSION, kind, at, "kiểm tra", "success", f"ghi chú {name}", AGENT, store)


def log_bytes(store: MemoryStore) -> dict[str, bytes]:
    return {info.key: object_bytes(store, info.key) for info in store.list()}


def two() -> tuple[MemoryStore, MemoryStore]:
    return memory_store("a"), memory_store("b")


def test_the_bytes_are_these() -> None:
    a, _ = stores = two()
    done = append_log(stores, KEY, None, [event("x", store=StoreId("a"))], {"số": 1})
    data = object_bytes(a, log_key(KEY, 1))
    assert json.loads(data) == {
        "format": "tangthu-log/1",
        "version": str(VERSION),
        "number": 1,
        "previous": "",
        "events": [
            {
                "id": str(Event.derive(VERSION, "x")), "type": "fixity check", "at": "2026-11-23T01:02:03.000456Z",
                "detail": "kiểm tra", "outcome": "success", "note": "ghi chú x",
                "agent": {"id": "urn:tangthu:1", "name": "Tàng Thư"}, "store": "a",
            }
        ],
        "receipt": {"số": 1},
    }  # fmt: skip
    assert data.startswith(b'{"events":[{"agent":{"id":')
    assert data.endswith('"receipt":{"số":1},"version":"'.encode() + str(VERSION).encode() + b'"}\n')
    assert done == Appended(LogObject(VERSION, 1, b"", (event("x", store=StoreId("a")),), {"số": 1}).head)


def test_a_life_is_read_back_from_any_store() -> None:
    stores = two()
    head = append_log(stores, KEY, None, [event("0")], {"r": "x"}).head
    for number in range(1, 12):
        head = append_log(stores, KEY, head, [event(f"{number}"), event(f"{number}b")]).head
    assert head.number == 12
    assert log_bytes(stores[0]) == log_bytes(stores[1])
    entries = list(read_log(stores[1], KEY))
    assert [entry.number for entry in entries] == list(range(1, 13))
    assert entries[0].receipt == {"r": "x"}
    assert entries[3].events == (event("3"), event("3b"))
    assert entries[-1].head == head


def test_doing_it_again_changes_nothing() -> None:
    stores = two()
    first = append_log(stores, KEY, None, [event("x")])
    before = log_bytes(stores[0])
    assert append_log(stores, KEY, None, [event("x")]) == first
    later = AT.replace(hour=9)
    again = append_log(stores, KEY, None, [event("x", at=later)])
    assert again.head == first.head
    assert [entry.events for entry in again.adopted] == [(event("x"),)]
    assert log_bytes(stores[0]) == log_bytes(stores[1]) == before


def test_what_a_dead_worker_wrote_is_adopted_and_spread() -> None:
    a, b = two()
    append_log([b], KEY, None, [event("dead")], {"r": 1})
    done = append_log([a, b], KEY, None, [event("dead"), event("new")])
    assert [entry.events for entry in done.adopted] == [(event("dead"),)]
    assert done.adopted[0].receipt == {"r": 1}
    assert done.head.number == 2
    assert [entry.events for entry in read_log(a, KEY)] == [(event("dead"),), (event("new"),)]
    assert log_bytes(a) == log_bytes(b)


def test_a_faster_worker_is_followed() -> None:
    a, b = two()
    rival = [event("rival")]

    class Raced(MemoryStore):
        def put(self, key: str, data: Bytes) -> None:
            if rival:
                own = LogObject(VERSION, 1, b"", (rival.pop(),)).encode()
                super().put(key, own)
            super().put(key, data)

    raced = Raced(StoreId("c"))
    done = append_log([raced, b], KEY, None, [event("mine")])
    assert [entry.events for entry in done.adopted] == [(event("rival"),)]
    assert log_bytes(raced) == log_bytes(b)
    assert a.head(log_key(KEY, 1)) is None


def test_contradicting_logs_are_not_hidden() -> None:
    a, b = two()
    append_log([a], KEY, None, [event("one")])
    append_log([b], KEY, None, [event("other")])
    with pytest.raises(Damaged, match="differs"):
        append_log([a, b], KEY, None, [event("third")])


def test_a_store_that_is_down_stops_it_and_a_retry_heals_it() -> None:
    class Down(MemoryStore):
        down = True

        def put(self, key: str, data: Bytes) -> None:
            if self.down:
                raise StoreUnavailable(Sentence("hỏng", "broken"))
            super().put(key, data)

    a, b = memory_store("a"), Down(StoreId("b"))
    with pytest.raises(StoreUnavailable):
        append_log([a, b], KEY, None, [event("x")])
    b.down = False
    assert append_log([a, b], KEY, None, [event("x")]).adopted == ()
    assert log_bytes(a) == log_bytes(b)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data + b"\n",
        lambda data: b"",
        lambda data: b"[]",
        lambda data: b"\xff",
        lambda data: data.replace(b'"number":2', b'"number":3'),
        lambda data: data.replace(b"tangthu-log/1", b"tangthu-log/2"),
        lambda data: data.replace(b"fixity check", b"fixity choke"),
        lambda data: data.replace(b'"previous":"', b'"previous":"00'),
        lambda data: data.replace(b"-v1", b"-v2"),
        lambda data: data.replace(b"{", b"{ ", 1),
        lambda data: b"[" * 100_000,
    ],
)
def test_an_altered_object_breaks_the_log(change: Any) -> None:
    a, _ = stores = two()
    head = append_log(stores, KEY, None, [event("1")]).head
    append_log(stores, KEY, head, [event("2")])
    path = log_key(KEY, 2)
    data = object_bytes(a, path)
    a.delete(path)
    a.put(path, change(data))
    entries = read_log(a, KEY)
    assert next(entries).number == 1
    with pytest.raises(Unreadable, match="does not follow"):
        next(entries)


def test_an_altered_first_object_breaks_the_chain_at_the_second() -> None:
    a, _ = stores = two()
    head = append_log(stores, KEY, None, [event("1")]).head
    append_log(stores, KEY, head, [event("2")])
    path = log_key(KEY, 1)
    data = object_bytes(a, path)
    a.delete(path)
    a.put(path, data.replace(b"success", b"failure"))
    entries = read_log(a, KEY)
    assert next(entries).events[0].outcome == "failure"
    with pytest.raises(Unreadable):
        next(entries)


def test_a_missing_object_breaks_the_log() -> None:
    a, _ = stores = two()
    head = append_log(stores, KEY, None, [event("1")]).head
    append_log(stores, KEY, head, [event("2")])
    a.delete(log_key(KEY, 1))
    with pytest.raises(Unreadable):
        list(read_log(a, KEY))
    assert list(read_log(memory_store(), KEY)) == []


def test_wrong_use_is_refused() -> None:
    stores = two()
    foreign = dataclasses.replace(event("x"), version=dataclasses.replace(VERSION, number=2))
    for key, events in (("elsewhere", [event("x")]), (KEY, []), (KEY, [foreign])):
        with pytest.raises(ValueError, match="nothing to write"):
            append_log(stores, key, None, events)
    with pytest.raises(ValueError, match="nothing to write"):
        append_log([], KEY, None, [event("x")])


def test_a_head_that_is_not_the_stores_head_is_found() -> None:
    stores = two()
    head = append_log(stores, KEY, None, [event("1")]).head
    append_log(stores, KEY, head, [event("2")])
    with pytest.raises(Damaged, match="does not follow"):
        append_log(stores, KEY, dataclasses.replace(head, digest=bytes(32)), [event("3")])


def test_what_cannot_follow_is_brought_to_no_other_store() -> None:
    a, b = two()
    head = append_log([a, b], KEY, None, [event("1")]).head
    path = log_key(KEY, 2)
    foreign = LogObject(VERSION, 2, bytes(32), (event("x"),)).encode()
    for odd in (b"{}", foreign):
        replace(a, path, odd)
        b.delete(path)
        done = append_log([a, b], KEY, head, [event("2")])
        assert (done.head.number, done.adopted, done.left) == (2, (), (a.id,))
        assert object_bytes(a, path) == odd
        assert [entry.events for entry in read_log(b, KEY)] == [(event("1"),), (event("2"),)]
    b.delete(path)
    with pytest.raises(Damaged, match="does not follow"):
        append_log([a], KEY, head, [event("2")])
    assert b.head(path) is None


def test_what_differs_between_stores_is_written_to_no_third() -> None:
    a, b = two()
    third = memory_store("c")
    append_log([a], KEY, None, [event("one")])
    append_log([b], KEY, None, [event("other")])
    with pytest.raises(Damaged):
        append_log([third, a, b], KEY, None, [event("third")])
    assert log_bytes(third) == {}


def test_objects_that_are_too_large_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    a, _ = stores = two()
    append_log(stores, KEY, None, [event("1")])
    monkeypatch.setattr("storage.settled.SMALL", 100)
    with pytest.raises(Unreadable):
        list(read_log(a, KEY))


def test_decode_is_the_inverse_of_encode() -> None:
    entry = LogObject(VERSION, 3, bytes(32), (event("1"), event("2", store=StoreId("b"))))
    assert decode_log(StoreId("a"), "x", entry.encode()) == entry


class _Glitch(MemoryStore):
    """Gives one letter of an object otherwise, the first time that it is read."""

    def __init__(self, inner: MemoryStore, path: str) -> None:
        super().__init__(inner.id)
        self._inner, self._path = inner, path

    def head(self, key: str) -> ObjectInfo | None:
        return self._inner.head(key)

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        return self._inner.list(prefix, after)

    def open(self, key: str, start: int = 0, length: int | None = None) -> AbstractContextManager[ByteStream]:
        if key != self._path:
            return self._inner.open(key, start, length)
        self._path = ""
        odd = MemoryStore(self.id)
        odd.put(key, object_bytes(self._inner, key).replace(b"event", b"evenT", 1))
        return odd.open(key)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_letter_that_changed_on_the_way_is_read_again(number: int) -> None:
    store = memory_store("a")
    head = None
    for name in ("event 1", "event 2", "event 3"):
        head = append_log([store], KEY, head, [event(name)]).head
    path = log_key(KEY, number)
    assert b"event" in object_bytes(store, path)
    assert list(read_log(_Glitch(store, path), KEY)) == list(read_log(store, KEY))
