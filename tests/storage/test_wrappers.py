"""Stores around stores: each keeps the contract, and does what it is for."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from metadata.errors import AlreadyExists, NoSpace, NotFound, StoreUnavailable, Unreadable
from metadata.identifiers import StoreId
from storage.port import ObjectInfo, Store
from storage.stores.memory import MemoryStore
from storage.wrappers import (
    BreakerStore,
    Call,
    Fault,
    FaultStore,
    LimitStore,
    RetryPolicy,
    RetryStore,
    RoomStore,
    WholeObjectStore,
    chance,
    script,
)  # fmt: skip
from tests.contracts.store import StoreContract, content, keys

MODIFIED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that goes on only when somebody sleeps."""

    now: float = 0.0
    sleeps: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


def memory() -> MemoryStore:
    return MemoryStore(StoreId("memory"))


def patient(inner: Store, clock: Clock | None = None, jitter: Callable[[], float] = lambda: 0.0) -> RetryStore:
    clock = clock or Clock()
    return RetryStore(inner, RetryPolicy(deadline=60, first=1, longest=8), clock.sleep, clock, jitter)


class TestRetryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return patient(memory())


class TestLimitStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        clock = Clock()
        return LimitStore(memory(), 1e6, 2, clock.sleep, clock)


class TestRoomStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return RoomStore(memory(), lambda *_: None)


class TestFaultStoreWithoutFaults(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return FaultStore(memory(), script({}))


class TestRetryOverManyFaults(StoreContract):
    """With a fault in every tenth call, before or after its effect, the contract holds all the same."""

    @pytest.fixture(params=range(3))
    def store(self, request: pytest.FixtureRequest) -> Store:
        doing = ("put", "open", "head", "list", "delete", "put_part", "complete", "abort", "uploads", "read")
        return patient(FaultStore(memory(), chance(0.1, request.param, operations=doing)))


USES: dict[str, Callable[[Store], Any]] = {
    "put": lambda store: store.put("k", b"data"),
    "open": lambda store: content(store, "there"),
    "read": lambda store: content(store, "there"),
    "head": lambda store: store.head("there"),
    "list": lambda store: keys(store),
    "delete": lambda store: store.delete("there"),
    "bury": lambda store: store.bury("there"),
    "begin": lambda store: store.begin("k"),
    "put_part": lambda store: store.put_part(store.begin("k"), 1, b"data"),
    "complete": lambda store: [store.complete(up, [store.put_part(up, 1, b"data")]) for up in [store.begin("k")]],
    "abort": lambda store: store.abort(store.begin("k")),
    "uploads": lambda store: list(store.uploads()),
}


@pytest.mark.parametrize("operation", USES)
class TestFaults:
    def test_no_answer_is_store_unavailable_and_has_no_effect(self, operation: str) -> None:
        inner = memory()
        inner.put("there", b"bytes")
        with pytest.raises(StoreUnavailable):
            USES[operation](FaultStore(inner, script({(operation, 1): Fault.BEFORE})))
        assert keys(inner) == ["there"]

    def test_a_full_store_says_so(self, operation: str) -> None:
        inner = memory()
        inner.put("there", b"bytes")
        with pytest.raises(NoSpace):
            USES[operation](FaultStore(inner, script({(operation, 1): Fault.FULL})))
        assert keys(inner) == ["there"]

    @pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
    def test_trying_again_gives_what_there_is_without_faults(self, operation: str, fault: Fault) -> None:
        results = []
        for faults in ({}, {(operation, 1): fault, (operation, 2): fault}):
            inner = memory()
            inner.put("there", b"bytes")
            USES[operation](patient(FaultStore(inner, script(faults))))
            results.append([(key, content(inner, key)) for key in keys(inner)])
        assert results[0] == results[1]

    def test_a_full_store_is_not_tried_again(self, operation: str) -> None:
        clock, inner = Clock(), memory()
        inner.put("there", b"bytes")
        with pytest.raises(NoSpace):
            USES[operation](patient(FaultStore(inner, script({(operation, 1): Fault.FULL})), clock))
        assert clock.sleeps == []

    def test_giving_up_at_the_deadline(self, operation: str) -> None:
        clock, inner = Clock(), memory()
        inner.put("there", b"bytes")
        faults = FaultStore(inner, lambda call: Fault.BEFORE if call.operation == operation else None)
        with pytest.raises(StoreUnavailable):
            USES[operation](patient(faults, clock))
        assert clock.sleeps == [1, 2, 4, 8, 8, 8, 8, 8, 8]
        assert clock.now <= 60


def test_a_lost_reply_is_an_effect() -> None:
    inner = memory()
    with pytest.raises(StoreUnavailable):
        FaultStore(inner, script({("put", 1): Fault.AFTER})).put("k", b"data")
    assert content(inner, "k") == b"data"


def test_a_short_read_breaks_and_never_ends_early() -> None:
    inner = memory()
    inner.put("k", bytes(1000))
    with FaultStore(inner, script({("read", 2): Fault.SHORT})).open("k") as stream:
        assert [stream.readinto(bytearray(400)), stream.readinto(bytearray(400))] == [400, 200]
        with pytest.raises(StoreUnavailable):
            stream.readinto(bytearray(400))


def test_one_bit_is_flipped() -> None:
    inner = memory()
    inner.put("k", bytes(1000))
    found = content(FaultStore(inner, script({("read", 1): Fault.FLIP})), "k")
    assert sum(byte.bit_count() for byte in found) == 1
    assert content(inner, "k") == bytes(1000)


def test_a_plan_for_reading_is_a_mistake_elsewhere() -> None:
    with pytest.raises(ValueError, match="fault of reading"):
        FaultStore(memory(), script({("put", 1): Fault.FLIP})).put("k", b"")


def test_chance_is_the_same_for_the_same_seed() -> None:
    calls = [Call(operation, "k", number) for operation in ("put", "read") for number in range(500)]
    drawn = [chance(0.1, 7)(call) for call in calls]
    assert drawn == [chance(0.1, 7)(call) for call in calls]
    assert drawn != [chance(0.1, 8)(call) for call in calls]
    assert 50 < len([fault for fault in drawn if fault]) < 150
    assert set(drawn) == {None, Fault.BEFORE, Fault.AFTER}
    assert not any(chance(1.0, 7, operations=["put"])(call) for call in calls if call.operation == "read")


def test_reading_goes_on_where_it_broke() -> None:
    inner = memory()
    data = random.Random(1).randbytes(100_000)
    inner.put("k", data)
    faults = FaultStore(inner, script({("read", 2): Fault.SHORT, ("read", 5): Fault.BEFORE, ("open", 2): Fault.BEFORE}))
    assert patient(faults).open("k", 5, 99_990).__enter__().read(200_000) == data[5:99_995]


def test_another_writers_object_is_not_taken_for_ones_own() -> None:
    inner = memory()
    inner.put("k", b"theirs")
    for body in (b"mine..", b"their", b"theirs!"):
        store = patient(FaultStore(inner, script({("put", 1): Fault.BEFORE})))
        with pytest.raises(AlreadyExists):
            store.put("k", body)
    patient(FaultStore(inner, script({("put", 1): Fault.BEFORE}))).put("k", b"theirs")
    upload = inner.begin("k")
    part = inner.put_part(upload, 1, b"longer than theirs")
    with pytest.raises(AlreadyExists):
        patient(FaultStore(inner, script({("complete", 1): Fault.BEFORE}))).complete(upload, [part])
    assert content(inner, "k") == b"theirs"


def test_the_first_refusal_counts() -> None:
    inner = memory()
    inner.put("k", b"same")
    with pytest.raises(AlreadyExists):
        patient(inner).put("k", b"same")
    upload = inner.begin("gone")
    part = inner.put_part(upload, 1, b"x")
    inner.abort(upload)
    with pytest.raises(NotFound):
        patient(FaultStore(inner, script({("complete", 1): Fault.BEFORE}))).complete(upload, [part])


def test_waits_are_cut_at_random_by_up_to_half() -> None:
    clock = Clock()
    store = patient(FaultStore(memory(), script({("head", n): Fault.BEFORE for n in (1, 2, 3)})), clock, lambda: 0.5)
    assert store.head("k") is None
    assert clock.sleeps == [0.75, 1.5, 3.0]


def test_bytes_are_paced() -> None:
    clock = Clock()
    store = LimitStore(memory(), 100, sleep=clock.sleep, clock=clock)
    store.put("k", bytes(300))
    assert clock.now == 0
    upload = store.begin("m")
    store.put_part(upload, 1, bytes(50))
    assert clock.now == 3
    assert content(store, "k") == bytes(300)
    assert clock.now == pytest.approx(3.5)
    store.put("l", b"")
    assert clock.now == pytest.approx(3.5)
    store.put("m", b"x")
    assert clock.now == pytest.approx(6.5)


def test_requests_at_once_are_limited() -> None:
    inner, most, running = memory(), [], []

    def plan(call: Call) -> None:
        running.append(call)
        most.append(len(running))

    class Watched(FaultStore):
        def put(self, key: str, data: Any) -> None:
            super().put(key, data)
            gate.wait(0.01)
            running.pop()

    gate = threading.Event()
    store = LimitStore(Watched(inner, plan), requests=2)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.put(f"k{number}", b"x"), range(20)))
    assert max(most) == 2
    assert len(keys(inner)) == 20


class TestWhole:
    def test_one_object_is_asked_for_once_and_others_as_ever(self) -> None:
        inner = memory()
        inner.put("a", b"0123456789")
        inner.put("b", b"other")
        asked: list[str] = []

        class Asked(MemoryStore):
            def open(self, key: str, start: int = 0, length: int | None = None) -> Any:
                asked.append(key)
                return inner.open(key, start, length)

        whole = WholeObjectStore(Asked(StoreId("memory")), ObjectInfo("a", 10, MODIFIED))
        for start, length, wanted in ((0, None, b"0123456789"), (3, 4, b"3456"), (10, 0, b""), (2, None, b"23456789")):
            with whole.open("a", start, length) as stream:
                assert stream.read(100) == wanted
        with whole.open("b") as stream:
            assert stream.read(9) == b"other"
        assert asked == ["a", "b"]
        for start, length in ((-1, 2), (8, 3), (11, None)):
            with pytest.raises(ValueError, match="not inside"):
                whole.open("a", start, length)

    def test_what_the_store_raises_is_raised(self) -> None:
        with pytest.raises(NotFound):
            WholeObjectStore(memory(), ObjectInfo("a", 10, MODIFIED)).open("a")

    @pytest.mark.parametrize("size", [9, 11])
    def test_another_object_s_bytes_are_not_taken_for_it(self, size: int) -> None:
        inner = memory()
        inner.put("a", b"0123456789")
        with pytest.raises(Unreadable, match="did not give"):
            WholeObjectStore(inner, ObjectInfo("a", size, MODIFIED)).open("a", 1, 2)


class TestBreaker(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return BreakerStore(memory())

    def test_a_store_that_is_away_is_asked_again_after_its_rest_only(self) -> None:
        clock, asked, inner = Clock(), list[str](), memory()
        inner.put("a", b"1")
        away = True

        def fault(call: Call) -> Fault | None:
            asked.append(call.operation)
            return Fault.BEFORE if away else None

        store = BreakerStore(FaultStore(inner, fault), 300.0, clock)
        for use in (lambda: store.head("a"), lambda: store.open("a"), lambda: store.put("b", b""), lambda: keys(store)):
            with pytest.raises(StoreUnavailable):
                use()
        assert asked == ["head", "head"]
        away, clock.now = False, 299.0
        with pytest.raises(StoreUnavailable):
            store.head("a")
        clock.now = 300.0
        assert content(store, "a") == b"1"

    def test_one_object_that_cannot_be_read_is_not_the_store(self) -> None:
        inner = memory()
        inner.put("a", b"1")
        inner.put("b", b"2")
        store = BreakerStore(FaultStore(inner, lambda call: Fault.BEFORE if call.key == "a" else None))
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                store.open("a")
        assert content(store, "b") == b"2"
