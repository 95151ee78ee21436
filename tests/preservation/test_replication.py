"""Missing replicas are found by sets, made from one that matches now, and whoever dies on the way does no harm."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from metadata.catalogue import Catalogue
from metadata.errors import StoreUnavailable, TemporaryError
from metadata.events import EventType
from metadata.identifiers import ArchiveCode, FondsCode, StoreId
from metadata.outcomes import Fixity
from metadata.stores import StoreState, StoreTraits
from metadata.text import Sentence
from preservation.audit import Auditor
from preservation.checks import Schedule
from preservation.places import Places
from preservation.rebuild import rebuild
from preservation.repair import Repairer
from preservation.replication import Replicator
from storage.log import read_log
from storage.policy import ReplicaPolicy
from storage.port import ByteStream, Store
from storage.stores.directory import DirectoryStore
from storage.stores.memory import MemoryStore
from storage.wrappers import Call, Fault, FaultStore, script
from storage.wrappers.base import WrappedStore
from tests.builders.kept import AGENT, PERIOD, Clock, Kept, flip, keep, raw
from tests.services.postgres import PostgresService, postgres_service, postgres_url  # noqa: F401 - fixtures

RETRY = timedelta(hours=1)
SCHEDULE = Schedule(PERIOD, RETRY)
THIRD = StoreId("kho-3")


class Died(BaseException):
    """The worker was killed here."""


def _replicator(
    catalogue: Catalogue,
    stores: Sequence[Store],
    clock: Clock,
    *policies: ReplicaPolicy,
    traits: list[StoreTraits] | None = None,
    at: Callable[[str], None] = lambda _: None,
) -> Replicator:
    places = Places(catalogue, traits or [StoreTraits(store.id) for store in stores], policies)
    return Replicator(catalogue, {s.id: s for s in stores}, places, clock, AGENT, SCHEDULE, at=at)


def _same_as_rebuilt(catalogue: Catalogue, again: Catalogue, stores: Sequence[Store], clock: Clock) -> bool:
    report = rebuild(again, stores, clock, SCHEDULE)
    assert (report.problems, report.lost, report.unfinished) == ([], [], [])
    return list(catalogue.dump()) == list(again.dump())


def _told(catalogue: Catalogue, kept: Kept, store: StoreId) -> list[tuple[EventType, str]]:
    return [(event.type, event.outcome) for event in catalogue.events.of(kept.id) if event.store == store]


@pytest.fixture
def three(stores: list[MemoryStore]) -> list[MemoryStore]:
    """The two stores that hold what is kept, and a third that is new."""
    return [*stores, MemoryStore(THIRD)]


@pytest.fixture(params=["memory", "directory"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """The third store: in memory, and a folder."""
    if request.param == "memory":
        return MemoryStore(THIRD)
    store = DirectoryStore(THIRD, tmp_path / "kho-3")
    store.create(ArchiveCode("LT-DT"))
    return store


def test_a_new_store_is_filled(
    catalogue: Catalogue,
    new_catalogue: Callable[[str], Catalogue],
    stores: list[MemoryStore],
    new_store: Store,
    clock: Clock,
) -> None:
    all_stores: list[Store] = [*stores, new_store]
    kept = [keep(catalogue, stores, name) for name in "abc"]
    replicator = _replicator(catalogue, all_stores, clock)
    size = sum(one.version.size for one in kept)
    assert replicator.owed() == (3, size)
    clock.forward(timedelta(days=1))
    seen: list[int] = []
    report = replicator.run(on_progress=seen.append)
    assert (report.copied, report.adopted, report.bytes, report.failed, report.postponed) == (3, 0, size, [], 0)
    assert sum(seen) == 2 * size
    assert replicator.owed() == (0, 0)
    assert replicator.lacks() == []
    for one in kept:
        assert raw(new_store, one.key) == raw(stores[0], one.key)
        assert [list(read_log(store, one.key)) for store in all_stores[1:]] == [list(read_log(stores[0], one.key))] * 2
        made = catalogue.holdings.replicas(one.id)[2]
        assert (made.store, made.outcome, made.checked) == (THIRD, Fixity.MATCH, clock.now)
        assert made.due == clock.now + PERIOD
        assert _told(catalogue, one, THIRD) == [
            (EventType.REPLICATION, "success"),
            (EventType.FIXITY_CHECK, Fixity.MATCH.value),
        ]
        assert catalogue.fixity.lease_version(one.id, clock.now, RETRY, "ai đó")
    assert _same_as_rebuilt(catalogue, new_catalogue("again"), all_stores, clock)


def test_only_what_the_policy_asks_for(catalogue: Catalogue, three: list[MemoryStore], clock: Clock) -> None:
    keep(catalogue, three[:2])
    two = ReplicaPolicy("hai bản", copies=2)
    other = ReplicaPolicy("phông khác", copies=3, fonds=FondsCode("P99"))
    assert _replicator(catalogue, three, clock, other, two).lacks() == []
    third = ReplicaPolicy("ba bản", copies=3, fonds=FondsCode("P01"))
    (lack,) = _replicator(catalogue, three, clock, third, two).lacks()
    assert lack.targets == (THIRD,)


def test_another_site_is_asked_for(catalogue: Catalogue, three: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, three[:2])
    traits = [StoreTraits(three[0].id, "Huế"), StoreTraits(three[1].id, "Huế"), StoreTraits(THIRD, "Hà Nội")]
    replicator = _replicator(catalogue, three, clock, ReplicaPolicy("hai nơi", 2, 2), traits=traits)
    assert replicator.run().copied == 1
    assert replicator.lacks() == []
    assert three[2].head(kept.key) is not None


def test_a_policy_that_cannot_be_met_is_told_and_stops_nothing(
    catalogue: Catalogue, three: list[MemoryStore], clock: Clock
) -> None:
    keep(catalogue, three[:2])
    replicator = _replicator(catalogue, three, clock, ReplicaPolicy("khóa", 2, locked=1))
    report = replicator.run()
    assert report.copied == 0
    (lack,) = report.unsatisfied
    assert lack.trouble is not None
    assert "khóa" in lack.trouble.vi
    assert replicator.owed() == (0, 0)


def test_a_replica_that_does_not_match_is_no_source(
    catalogue: Catalogue, three: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, three[:2])
    good = raw(three[1], kept.key)
    flip(three[0], kept.key, kept.member("ảnh.pdf").data + 5)
    report = _replicator(catalogue, three, clock).run()
    assert (report.copied, report.failed) == (1, [])
    assert raw(three[2], kept.key) == good
    event = next(
        one for one in catalogue.events.of(kept.id) if one.type is EventType.REPLICATION and one.store == THIRD
    )
    assert event.note == three[1].id.value
    assert not list(three[2].uploads())


def test_nothing_is_made_of_what_does_not_match(catalogue: Catalogue, three: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, three[:2])
    for store in three[:2]:
        flip(store, kept.key, kept.version.size // 2)
    report = _replicator(catalogue, three, clock).run()
    assert (report.copied, report.failures, [version for version, _ in report.failed]) == (0, 1, [kept.id])
    assert [list(three[2].list()), list(three[2].uploads())] == [[], []]
    assert len(catalogue.holdings.replicas(kept.id)) == 2


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER, Fault.FULL])
@pytest.mark.parametrize("operation", ["put", "head", "open"])
def test_a_target_that_fails_is_left_alone_for_the_round(
    catalogue: Catalogue, three: list[MemoryStore], clock: Clock, operation: str, fault: Fault
) -> None:
    kept = [keep(catalogue, three[:2], name) for name in "ab"]
    faulty = FaultStore(three[2], script({(operation, 1): fault}))
    report = _replicator(catalogue, [*three[:2], faulty], clock).run()
    assert report.copied < 2
    assert report.failed == []
    assert _replicator(catalogue, list(three), clock).run().failed == []
    for one in kept:
        assert [replica.outcome for replica in catalogue.holdings.replicas(one.id)] == [Fixity.MATCH] * 3
        assert raw(three[2], one.key) == raw(three[0], one.key)
        assert _told(catalogue, one, THIRD).count((EventType.REPLICATION, "success")) == 1


def test_a_flipped_bit_on_the_way_makes_no_replica(
    catalogue: Catalogue, three: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, three[:2])
    first = FaultStore(three[0], script({("read", 1): Fault.FLIP}))
    assert _replicator(catalogue, [first, *three[1:]], clock).run().copied == 1
    assert raw(three[2], kept.key) == raw(three[0], kept.key)


def test_what_lies_there_already_is_read_and_taken_over(
    catalogue: Catalogue, new_catalogue: Callable[[str], Catalogue], three: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, three[:2])
    three[2].put(kept.key, raw(three[0], kept.key))
    report = _replicator(catalogue, three, clock).run()
    assert (report.copied, report.adopted) == (0, 1)
    assert _same_as_rebuilt(catalogue, new_catalogue("again"), list(three), clock)


def test_what_lies_there_damaged_is_noted_and_then_repaired(
    catalogue: Catalogue, new_catalogue: Callable[[str], Catalogue], three: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, three[:2])
    three[2].put(kept.key, raw(three[0], kept.key))
    flip(three[2], kept.key, 1000)
    report = _replicator(catalogue, three, clock).run()
    assert (report.copied, report.adopted, report.failures) == (0, 0, 1)
    assert catalogue.holdings.replicas(kept.id)[2].outcome is Fixity.MISMATCH
    assert _same_as_rebuilt(catalogue, new_catalogue("again"), list(three), clock)
    clock.forward(timedelta(hours=2))
    repaired = Repairer(catalogue, {s.id: s for s in three}, clock, AGENT, SCHEDULE).repair(kept.id)
    assert repaired.repaired == (THIRD,)


@pytest.mark.parametrize("step", ["read", "copied", "logged", "noted"])
def test_a_worker_that_dies_between_steps_leaves_nothing_undone(
    catalogue: Catalogue,
    new_catalogue: Callable[[str], Catalogue],
    three: list[MemoryStore],
    clock: Clock,
    step: str,
) -> None:
    kept = keep(catalogue, three[:2])

    def die(at: str) -> None:
        if at == step:
            raise Died

    with pytest.raises(Died):
        _replicator(catalogue, three, clock, at=die).run()
    clock.forward(timedelta(days=1))
    report = _replicator(catalogue, three, clock).run()
    assert report.failed == []
    assert raw(three[2], kept.key) == raw(three[0], kept.key)
    assert _told(catalogue, kept, THIRD).count((EventType.REPLICATION, "success")) == 1
    assert _same_as_rebuilt(catalogue, new_catalogue("again"), list(three), clock)


def test_what_was_logged_by_one_who_died_and_met_by_an_audit_is_told_once(
    catalogue: Catalogue, new_catalogue: Callable[[str], Catalogue], three: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, three[:2])

    def die(at: str) -> None:
        if at == "logged":
            raise Died

    with pytest.raises(Died):
        _replicator(catalogue, three, clock, at=die).run()
    clock.forward(timedelta(days=1))
    Auditor(catalogue, {store.id: store for store in three}, clock, AGENT, SCHEDULE).audit(kept.id)
    assert _replicator(catalogue, three, clock).run().adopted == 1
    assert _told(catalogue, kept, THIRD).count((EventType.REPLICATION, "success")) == 1
    assert _same_as_rebuilt(catalogue, new_catalogue("again"), list(three), clock)


def test_a_worker_that_dies_at_any_call_of_a_store_leaves_nothing_undone(
    new_catalogue: Callable[[str], Catalogue], clock: Clock
) -> None:
    for number in range(1, 60):
        catalogue = new_catalogue(f"c{number}")
        stores = [MemoryStore(StoreId(f"kho-{n}")) for n in (1, 2, 3)]
        kept = keep(catalogue, stores[:2])
        calls = 0

        def die(_: Call, number: int = number) -> Fault | None:
            nonlocal calls
            calls += 1
            if calls < number:
                return None
            raise Died if threading.current_thread() is threading.main_thread() else RuntimeError("died")

        wrapped: list[Store] = [FaultStore(store, die) for store in stores]
        try:
            _replicator(catalogue, wrapped, clock).run()
        except (Died, RuntimeError):
            pass
        else:
            assert calls < number
            break
        clock.forward(timedelta(hours=2))
        assert _replicator(catalogue, list(stores), clock).run().failed == []
        assert _told(catalogue, kept, THIRD).count((EventType.REPLICATION, "success")) == 1
        assert _same_as_rebuilt(catalogue, new_catalogue(f"r{number}"), list(stores), clock)
    else:
        pytest.fail("it never ended")


def test_workers_side_by_side_do_no_work_twice(postgres_url: str) -> None:  # noqa: F811
    clock = Clock()
    stores = [MemoryStore(StoreId(f"kho-{n}")) for n in (1, 2, 3)]
    with Catalogue(postgres_url) as catalogue:
        catalogue.upgrade()
        kept = [keep(catalogue, stores[:2], f"hồ sơ {number}") for number in range(8)]
        counted = FaultStore(stores[2], lambda _: None)
        reports = []
        threads = [
            threading.Thread(target=lambda: reports.append(_replicator(catalogue, [*stores[:2], counted], clock).run()))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(report.copied for report in reports) == len(kept)
        assert sum(report.failures + report.adopted for report in reports) == 0
        assert len([call for call in counted.calls if call.operation == "put" and call.key.endswith(".zip")]) == 8


def test_a_store_that_is_away_costs_one_try(catalogue: Catalogue, three: list[MemoryStore], clock: Clock) -> None:
    for name in "abcdef":
        keep(catalogue, three[:2], name)
    away = FaultStore(three[2], lambda _: Fault.BEFORE)
    report = _replicator(catalogue, [*three[:2], away], clock).run()
    assert (report.copied, report.postponed, list(report.away)) == (0, 1, [THIRD])
    assert len(away.calls) == 1


def test_a_holder_that_is_away_gets_the_log_later(catalogue: Catalogue, three: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, three[:2])
    away = FaultStore(three[0], lambda _: Fault.BEFORE)
    assert _replicator(catalogue, [away, *three[1:]], clock).run().copied == 1
    assert len(list(read_log(three[0], kept.key))) == 1
    assert len(list(read_log(three[2], kept.key))) == 2


def test_a_draining_store_gives_and_takes_nothing(catalogue: Catalogue, three: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, three[:2])
    two = ReplicaPolicy("hai bản", copies=2)
    catalogue.stores.set_state(three[0].id, StoreState.DRAINING, clock.now)
    replicator = _replicator(catalogue, three, clock, two)
    assert replicator.lacks(three[0].id)[0].targets == (THIRD,)
    assert replicator.lacks(THIRD) == []
    assert replicator.run(held=three[0].id).copied == 1
    assert three[2].head(kept.key) is not None
    catalogue.stores.set_state(THIRD, StoreState.RETIRED, clock.now)
    assert "hai bản" in str(replicator.lacks()[0].trouble)


def test_nothing_is_made_by_a_clock_that_cannot_be_right(
    catalogue: Catalogue, three: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, three[:2])
    clock.forward(timedelta(days=3650))
    for act in (
        lambda: _replicator(catalogue, three, clock).run(),
        lambda: _replicator(catalogue, three, clock).replicate(kept.id),
    ):
        with pytest.raises(TemporaryError, match="clock"):
            act()
    assert [info.key for info in three[2].list()] == []


class ColdStore(WrappedStore):
    """Cannot be read before it was asked and some time has passed."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.asked: list[str] = []
        self.warm = False

    def thaw(self, key: str) -> bool:
        self.asked.append(key)
        return self.warm

    def open(self, key: str, start: int = 0, length: int | None = None) -> AbstractContextManager[ByteStream]:
        if key.endswith(".zip") and not self.warm:
            raise StoreUnavailable(Sentence("lạnh", "cold"))
        return self._inner.open(key, start, length)


def test_a_cold_store_is_filled_and_its_replica_counts_when_it_could_be_read(
    catalogue: Catalogue, three: list[MemoryStore], clock: Clock
) -> None:
    kept = [keep(catalogue, three[:2], name) for name in "ab"]
    cold = ColdStore(three[2])
    traits = [StoreTraits(store.id, cold=store.id == THIRD) for store in three]
    replicator = _replicator(catalogue, [*three[:2], cold], clock, traits=traits)
    report = replicator.run()
    assert (report.copied, report.postponed, report.failed, dict(report.away)) == (0, 2, [], {})
    assert sorted(cold.asked) == sorted(one.key for one in kept)
    assert all(len(catalogue.holdings.replicas(one.id)) == 2 for one in kept)
    cold.warm = True
    report = replicator.run()
    assert (report.copied, report.adopted, report.postponed) == (0, 2, 0)


def test_a_cold_source_is_asked_for_and_read_later(
    catalogue: Catalogue, three: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, three[:1])
    cold = ColdStore(three[0])
    traits = [StoreTraits(store.id, cold=store.id == three[0].id) for store in three]
    replicator = _replicator(catalogue, [cold, *three[1:]], clock, traits=traits)
    assert (replicator.run().postponed, cold.asked) == (1, [kept.key] * 2)
    cold.warm = True
    assert replicator.run().copied == 2
