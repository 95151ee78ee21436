"""The fan-out: the same bytes everywhere at once, or nowhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import NoSpace, StoreUnavailable, TangThuError
from metadata.identifiers import StoreId
from metadata.text import Sentence
from storage.aip import parts
from storage.aip.parts import FIRST_PART, MOST_PARTS, Completion, PartFanout, part_size
from storage.port import Bytes, Part, Upload
from storage.stores.memory import MemoryStore
from tests.builders.aips import memory_store, object_bytes, store_with

KEY = "k"


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


class RecordingStore(MemoryStore):
    """Notes its requests; ``before`` is called first and may raise."""

    def __init__(self, name: str, before: Callable[[str, int], None] = lambda _name, _number: None) -> None:
        super().__init__(StoreId(name))
        self.calls: list[tuple[str, int]] = []
        self._before = before

    def _note(self, name: str, number: int = 0) -> None:
        self.calls.append((name, number))
        self._before(name, number)

    def put(self, key: str, data: Bytes) -> None:
        self._note("put")
        super().put(key, data)

    def begin(self, key: str) -> Upload:
        self._note("begin")
        return super().begin(key)

    def put_part(self, upload: Upload, number: int, data: Bytes, offset: int | None = None) -> Part:
        self._note("put_part", number)
        assert offset == sum(part_size(n, 10) for n in range(1, number))
        return super().put_part(upload, number, data, offset)

    def complete(self, upload: Upload, parts: object) -> None:
        self._note("complete")
        super().complete(upload, parts)  # type: ignore[arg-type]


def fail(at: str, number: int = 0, error: type[TangThuError] = StoreUnavailable) -> Callable[[str, int], None]:
    def before(name: str, which: int) -> None:
        if (name, which) == (at, number):
            raise error(Sentence("hỏng", "broken"))

    return before


def fanout(*stores: MemoryStore, first_part: int = 10) -> PartFanout:
    return PartFanout(stores, KEY, first_part=first_part)


def nothing_at(*stores: MemoryStore) -> bool:
    return all(store.head(KEY) is None and not list(store.uploads()) for store in stores)


def test_ten_thousand_parts_hold_five_tebibytes_and_small_objects_have_small_parts() -> None:
    assert sum(part_size(number) for number in range(1, MOST_PARTS + 1)) >= 5 << 40
    assert part_size(1) == part_size(1200) == FIRST_PART == 16 << 20
    assert part_size(1201) == 2 * FIRST_PART
    assert part_size(MOST_PARTS) <= 5 << 30


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 19, 20, 21, 105])
def test_every_store_gets_the_same_bytes(size: int) -> None:
    data = bytes(range(size))
    stores = memory_store("a"), memory_store("b"), memory_store("c")
    with fanout(*stores) as out:
        for start in range(0, size, 7):
            out.write(memoryview(data)[start : start + 7])
        assert out.position == size
        done = out.complete()
    assert set(done.values()) == {Completion.CREATED}
    assert [object_bytes(store, KEY) for store in stores] == [data] * 3
    assert not any(list(store.uploads()) for store in stores)


def test_a_small_object_is_one_put_and_a_large_one_parts() -> None:
    small, large = RecordingStore("a"), RecordingStore("b")
    with fanout(small) as out:
        out.write(b"123456789")
        out.complete()
    with fanout(large) as out:
        out.write(b"1234567890")
        out.complete()
    assert small.calls == [("put", 0)]
    assert large.calls == [("begin", 0), ("put_part", 1), ("complete", 0)]


@given(before=st.integers(0, 45), held=st.integers(1, 25), after=st.integers(0, 45), more=st.integers(0, 12))
def test_held_bytes_are_patched_wherever_parts_are_cut(before: int, held: int, after: int, more: int) -> None:
    store = memory_store()
    with fanout(store) as out:
        out.write(b"a" * before)
        offset = out.hold(held)
        assert offset == before
        out.write(b"b" * after)
        out.patch(offset, b"X" * held)
        out.write(b"c" * more)
        out.complete()
    assert object_bytes(store, KEY) == b"a" * before + b"X" * held + b"b" * after + b"c" * more


def test_only_the_parts_with_held_bytes_wait() -> None:
    sent = threading.Event()
    store = RecordingStore("a", lambda name, number: sent.set() if (name, number) == ("put_part", 4) else None)
    with fanout(store) as out:
        out.write(b"a" * 8)
        out.hold(4)
        out.write(b"b" * 28)
        assert sent.wait(10)
        assert ("put_part", 1) not in store.calls
        out.patch(8, b"XXXX")
        out.complete()
    assert [number for name, number in store.calls if name == "put_part"] == [3, 4, 1, 2]
    assert object_bytes(store, KEY) == b"a" * 8 + b"XXXX" + b"b" * 28


def test_holds_are_checked() -> None:
    with fanout(memory_store()) as out:
        out.hold(4)
        with pytest.raises(ValueError, match="already held"):
            out.hold(4)
        with pytest.raises(ValueError, match="not the bytes"):
            out.patch(1, b"abcd")
        with pytest.raises(ValueError, match="not finished"):
            out.complete()


def test_buffers_are_used_again_and_large_parts_lie_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    store = memory_store()
    with fanout(store) as out:
        for number in range(100):
            out.write(bytes([number]) * 10)
            time.sleep(0)
        out.complete()
        assert len(out._pool) <= 6
    assert object_bytes(store, KEY) == b"".join(bytes([number]) * 10 for number in range(100))
    monkeypatch.setattr(parts, "_IN_MEMORY", 9)
    other = memory_store()
    with fanout(other) as out:
        out.write(bytes(range(95)))
        out.complete()
    assert object_bytes(other, KEY) == bytes(range(95))


def test_what_is_there_already_is_left_and_said() -> None:
    there, fresh = store_with(b"old", KEY), memory_store("b")
    for size in (5, 50):
        with fanout(there, fresh) as out:
            out.write(b"n" * size)
            done = out.complete()
        assert done[StoreId("a")] is Completion.EXISTED
        assert done[StoreId("b")] is Completion.CREATED
        assert object_bytes(there, KEY) == b"old"
        assert not list(there.uploads())
        fresh.delete(KEY)


@pytest.mark.parametrize("error", [StoreUnavailable, NoSpace])
@pytest.mark.parametrize(("at", "number"), [("begin", 0), ("put_part", 1), ("put_part", 3), ("put_part", 9)])
def test_a_store_that_fails_on_the_way_stops_all_and_nothing_is_visible(
    at: str, number: int, error: type[TangThuError]
) -> None:
    good, bad = RecordingStore("a"), RecordingStore("b", fail(at, number, error))
    with pytest.raises(error), fanout(good, bad) as out:
        for _ in range(85):
            out.write(b"x")
        out.complete()
    assert nothing_at(good, bad)
    assert ("complete", 0) not in good.calls


def test_the_last_part_too_must_be_everywhere_before_the_first_object_is_made() -> None:
    good, bad = RecordingStore("a"), RecordingStore("b", fail("put_part", 2))
    with pytest.raises(StoreUnavailable), fanout(good, bad) as out:
        out.write(b"x" * 15)
        out.complete()
    assert nothing_at(good, bad)


def test_a_store_that_fails_to_complete_keeps_no_upload() -> None:
    good, bad = RecordingStore("a"), RecordingStore("b", fail("complete"))
    with pytest.raises(StoreUnavailable), fanout(good, bad) as out:
        out.write(b"x" * 15)
        out.complete()
    assert bad.head(KEY) is None
    assert not list(bad.uploads())
    assert object_bytes(good, KEY) == b"x" * 15  # the retry finds it there


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_leaving_early_aborts_everywhere(error: type[BaseException]) -> None:
    stores = memory_store("a"), memory_store("b")
    with pytest.raises(error), fanout(*stores) as out:
        out.write(b"x" * 55)
        raise error
    assert nothing_at(*stores)
    with pytest.raises(ValueError, match="finished or aborted"):
        out.write(b"y" * 10)
    with pytest.raises(ValueError, match="finished before"):
        out.complete()


def test_nothing_is_asked_of_a_store_before_there_is_a_part() -> None:
    store = RecordingStore("a")
    PartFanout([store], KEY)
    with fanout(store) as out:
        out.write(b"x")
    assert store.calls == []


def test_a_dead_replica_ends_the_wait_for_a_slow_one() -> None:
    go, arrived = threading.Event(), threading.Event()

    def slow(name: str, _number: int) -> None:
        if name == "put_part":
            arrived.set()
            go.wait(30)

    def dying(name: str, number: int) -> None:
        if (name, number) == ("put_part", 2):
            arrived.wait(30)
            fail("put_part", 2)(name, number)

    stores = RecordingStore("a", slow), RecordingStore("b", dying)
    out = fanout(*stores)
    with pytest.raises(StoreUnavailable):
        for _ in range(20):
            out.write(b"x" * 10)
    go.set()
    out.abort()
    assert nothing_at(*stores)


def test_a_slow_replica_holds_the_writer_up_so_that_memory_stays_flat() -> None:
    go = threading.Event()
    slow = RecordingStore("a", lambda name, _number: None if name != "put_part" else _wait(go))
    quick = RecordingStore("b")
    out = fanout(slow, quick)
    writing = threading.Thread(target=lambda: [out.write(b"x" * 10) for _ in range(30)])
    writing.start()
    time.sleep(0.3)
    assert out.position <= 10 * (2 + 1 + 2)
    go.set()
    writing.join(30)
    out.complete()
    assert object_bytes(slow, KEY) == object_bytes(quick, KEY) == b"x" * 300


def _wait(event: threading.Event) -> None:
    event.wait(30)


def test_an_object_has_at_most_ten_thousand_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MOST_PARTS", 3)
    store = memory_store()
    with pytest.raises(ValueError, match="10,000 parts"), fanout(store) as out:
        out.write(b"x" * 30)
    assert nothing_at(store)
