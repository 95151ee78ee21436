"""Stores are emptied by copying, retired by two people, reinstated while their bytes are there; kills do no harm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from metadata.catalogue import Catalogue
from metadata.errors import NotFound, StoreUnavailable, UsageError
from metadata.events import EventType
from metadata.identifiers import ArchiveCode, StoreId
from metadata.journal import EntryKind
from metadata.outcomes import Fixity
from metadata.stores import StoreState, StoreTraits
from preservation.audit import Auditor
from preservation.checks import Schedule
from preservation.journal import ArchiveJournal
from preservation.places import Places
from preservation.rebuild import rebuild
from preservation.replication import Replicator
from preservation.store_moves import StoreKeeper
from storage.policy import ReplicaPolicy
from storage.port import Store
from storage.stores.directory import DirectoryStore
from storage.stores.memory import MemoryStore
from storage.wrappers import Fault, FaultStore
from tests.builders.kept import AGENT, PERIOD, Clock, flip, keep, raw
from tests.services.postgres import PostgresService, postgres_service, postgres_url  # noqa: F401 - fixtures

SCHEDULE = Schedule(PERIOD, timedelta(hours=1))
ONE, TWO, THREE = (StoreId(f"kho-{n}") for n in (1, 2, 3))
AN, BINH = "Nguyễn Văn An", "Trần Thị Bình"


class Died(BaseException):
    """The worker was killed here."""


@dataclass
class House:
    """Three stores, a catalogue, a clock; a keeper that may die on the way."""

    catalogue: Catalogue
    stores: list[Store]
    clock: Clock
    policies: tuple[ReplicaPolicy, ...] = ()

    def keeper(self, at: Callable[[str], None] = lambda _: None, stores: Sequence[Store] | None = None) -> StoreKeeper:
        used = {store.id: store for store in stores or self.stores}
        places = Places(self.catalogue, [StoreTraits(store.id) for store in self.stores], self.policies)
        replicator = Replicator(self.catalogue, used, places, self.clock, AGENT, SCHEDULE, at=at)
        journal = ArchiveJournal(self.catalogue, list(used.values()), self.clock, AGENT)
        return StoreKeeper(self.catalogue, used, places, replicator, journal, self.clock, AGENT, at=at)

    def acts(self, store: StoreId) -> list[str]:
        return [entry.act for entry in reversed(self.keeper().history(store))]

    def state(self, store: StoreId) -> StoreState:
        return self.catalogue.stores.records()[store].state

    def rebuilt(self, again: Catalogue, stores: Sequence[Store]) -> bool:
        report = rebuild(again, stores, self.clock, SCHEDULE)
        assert (report.problems, report.lost, report.unfinished) == ([], [], [])
        return list(self.catalogue.dump()) == list(again.dump())


@pytest.fixture
def house(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, tmp_path: Path) -> House:
    third = DirectoryStore(THREE, tmp_path / "kho-3")
    third.create(ArchiveCode("LT-DT"))
    return House(catalogue, [*stores, third], clock, (ReplicaPolicy("hai bản", copies=2),))


def test_moving_house(house: House, new_catalogue: Callable[[str], Catalogue]) -> None:
    kept = [keep(house.catalogue, house.stores[:2], name) for name in "abc"]
    size = sum(one.version.size for one in kept)
    keeper = house.keeper()
    begun = keeper.drain(ONE, AN, "máy cũ", THREE)
    assert (begun.aips, begun.bytes, begun.left, begun.left_bytes) == (3, size, 3, size)
    assert (begun.to, begun.person, begun.ready, begun.time_left(house.clock())) == (THREE, AN, False, None)
    house.clock.forward(timedelta(hours=1))
    assert keeper.work(ONE, limit=1).copied == 1
    half = keeper.progress(ONE)
    assert half.left == 2
    left = half.time_left(house.clock())
    assert left is not None
    assert timedelta(hours=1) < left < timedelta(hours=3)
    assert keeper.work(ONE).copied == 2
    assert keeper.progress(ONE).ready
    first = keeper.retire(ONE, AN, "đã chuyển xong")
    assert (first.retired, first.people) == (False, (AN,))
    assert not keeper.retire(ONE, " nguyen van  an", "vẫn người ấy").retired
    assert len(house.catalogue.holdings.replicas(kept[0].id)) == 3
    second = keeper.retire(ONE, BINH, "đồng ý")
    assert (second.retired, second.forgotten, second.left, second.people) == (True, 3, 0, (AN, BINH))
    assert house.state(ONE) is StoreState.RETIRED
    assert house.acts(ONE) == ["move", "drained", "agree-retire", "agree-retire", "retire", "retired"]
    for one in kept:
        assert [replica.store for replica in house.catalogue.holdings.replicas(one.id)] == [TWO, THREE]
        assert house.stores[0].head(one.key) is not None
        assert house.catalogue.events.of(one.id)[-1].type is EventType.DEACCESSION
    assert house.rebuilt(new_catalogue("again"), house.stores[1:])
    assert Auditor(house.catalogue, {s.id: s for s in house.stores}, house.clock, AGENT, SCHEDULE).audit(kept[0].id)


def test_a_new_catalogue_learns_the_states_from_the_journal(
    house: House, new_catalogue: Callable[[str], Catalogue]
) -> None:
    keep(house.catalogue, house.stores[:2])
    keeper = house.keeper()
    keeper.drain(ONE, AN)
    keeper.work(ONE)
    keeper.retire(ONE, AN, "x")
    keeper.retire(ONE, BINH, "x")
    again = House(new_catalogue("again"), house.stores, house.clock, house.policies)
    ArchiveJournal(again.catalogue, again.stores, again.clock, AGENT).recover()
    again.keeper().recover()
    assert again.state(ONE) is StoreState.RETIRED
    assert list(again.catalogue.stores.records()) == [ONE]


def test_what_was_being_taken_in_while_the_store_was_retired_is_copied_first(house: House) -> None:
    keep(house.catalogue, house.stores[:2], "a")
    keeper = house.keeper()
    keeper.drain(ONE, AN, "máy cũ")
    keeper.work(ONE)
    keeper.retire(ONE, AN, "đã chuyển xong")
    assert keeper.retire(ONE, BINH, "đồng ý").left == 0
    late = keep(house.catalogue, house.stores[:2], "late")
    keeper.settle()
    assert keeper.retire(ONE, AN, "lần nữa").left == 1
    assert [replica.store for replica in house.catalogue.holdings.replicas(late.id)] == [ONE, TWO]
    house.keeper().settle()
    Replicator(
        house.catalogue,
        {store.id: store for store in house.stores},
        Places(house.catalogue, [StoreTraits(store.id) for store in house.stores], house.policies),
        house.clock,
        AGENT,
        SCHEDULE,
    ).run()
    assert keeper.settle() == []
    assert [replica.store for replica in house.catalogue.holdings.replicas(late.id)] == [TWO, THREE]
    assert house.acts(ONE).count("retired") == 1


def test_nobody_drains_what_the_others_cannot_hold(house: House) -> None:
    keep(house.catalogue, house.stores)
    house.policies = (ReplicaPolicy("ba bản", copies=3),)
    with pytest.raises(UsageError, match="ba bản"):
        house.keeper().drain(ONE, AN)
    assert house.acts(ONE) == []
    house.policies = (ReplicaPolicy("hai bản", copies=2, stores=(ONE, TWO)),)
    with pytest.raises(UsageError, match="hai bản"):
        house.keeper().drain(ONE, AN, to=THREE)
    with pytest.raises(UsageError, match="another"):
        house.keeper().drain(ONE, AN, to=ONE)
    with pytest.raises(UsageError, match="Name the person"):
        house.keeper().drain(ONE, " . ")
    with pytest.raises(NotFound, match="kho-9"):
        house.keeper().drain(StoreId("kho-9"), AN)


def test_nothing_is_retired_that_something_depends_on(house: House) -> None:
    kept = keep(house.catalogue, house.stores[:2])
    keeper = house.keeper()
    with pytest.raises(UsageError, match="drain kho-1"):
        keeper.retire(ONE, AN, "x")
    keeper.drain(ONE, AN)
    with pytest.raises(UsageError, match="1 AIPs must still be copied"):
        keeper.retire(ONE, AN, "x")
    keeper.work(ONE)
    flip(house.stores[1], kept.key, 1000)
    auditor = Auditor(house.catalogue, {s.id: s for s in house.stores}, house.clock, AGENT, SCHEDULE)
    auditor.audit(kept.id)
    with pytest.raises(UsageError, match="1 replicas elsewhere do not stand proved"):
        keeper.retire(ONE, AN, "x")
    assert keeper.progress(ONE).doubtful == 1
    assert house.acts(ONE) == ["drain", "drained"]


def test_what_one_person_agreed_to_before_counts_no_more_when_it_begins_anew(house: House) -> None:
    keep(house.catalogue, house.stores[:2])
    keeper = house.keeper()
    keeper.drain(ONE, AN)
    keeper.work(ONE)
    keeper.retire(ONE, AN, "x")
    assert keeper.reinstate(ONE, BINH) == 0
    assert house.state(ONE) is StoreState.ACTIVE
    keeper.drain(ONE, AN)
    keeper.work(ONE)
    assert not keeper.retire(ONE, BINH, "x").retired


def test_a_store_comes_back_with_what_it_has(house: House, new_catalogue: Callable[[str], Catalogue]) -> None:
    kept = [keep(house.catalogue, house.stores[:2], name) for name in "ab"]
    keeper = house.keeper()
    keeper.drain(ONE, AN)
    keeper.work(ONE)
    keeper.retire(ONE, AN, "x")
    keeper.retire(ONE, BINH, "x")
    house.stores[0].delete(kept[1].key)
    house.clock.forward(timedelta(days=80))
    assert keeper.reinstate(ONE, AN, "cần lại") == 1
    assert house.state(ONE) is StoreState.ACTIVE
    back, *others = house.catalogue.holdings.replicas(kept[0].id)
    assert (back.store, back.outcome, back.checked, back.due) == (ONE, Fixity.NOT_CHECKED, None, house.clock.now)
    assert [replica.store for replica in others] == [TWO, THREE]
    assert [replica.store for replica in house.catalogue.holdings.replicas(kept[1].id)] == [TWO, THREE]
    assert house.acts(ONE)[-2:] == ["reinstate", "reinstated"]
    auditor = Auditor(house.catalogue, {s.id: s for s in house.stores}, house.clock, AGENT, SCHEDULE)
    assert auditor.audit(kept[0].id).damaged == ()
    assert keeper.reinstate(ONE, AN) == 0
    house.stores[0].put(kept[1].key, raw(house.stores[1], kept[1].key))
    assert keeper.reinstate(ONE, AN) == 1
    again = new_catalogue("again")
    auditor.audit(kept[1].id)
    assert house.rebuilt(again, house.stores)


def test_a_store_that_does_not_answer_is_not_taken_back(house: House) -> None:
    keep(house.catalogue, house.stores[:2])
    keeper = house.keeper()
    keeper.drain(ONE, AN)
    keeper.work(ONE)
    keeper.retire(ONE, AN, "x")
    keeper.retire(ONE, BINH, "x")
    away = FaultStore(house.stores[0], lambda _: Fault.BEFORE)
    with pytest.raises(StoreUnavailable):
        house.keeper(stores=[away, *house.stores[1:]]).reinstate(ONE, AN)
    assert house.state(ONE) is StoreState.RETIRED
    assert house.acts(ONE)[-1] == "retired"
    with pytest.raises(UsageError, match="is in use"):
        keeper.reinstate(TWO, AN)


def test_a_store_that_is_gone_for_good_is_drained_from_the_others(
    house: House, new_catalogue: Callable[[str], Catalogue]
) -> None:
    kept = keep(house.catalogue, house.stores[:2])
    gone = FaultStore(house.stores[0], lambda _: Fault.BEFORE)
    keeper = house.keeper(stores=[gone, *house.stores[1:]])
    keeper.drain(ONE, AN)
    assert keeper.work(ONE).copied == 1
    keeper.retire(ONE, AN, "cháy")
    assert keeper.retire(ONE, BINH, "cháy").left == 0
    assert [replica.store for replica in house.catalogue.holdings.replicas(kept.id)] == [TWO, THREE]
    assert house.rebuilt(new_catalogue("again"), house.stores[1:])


def test_what_fails_is_in_the_history_once(house: House) -> None:
    kept = keep(house.catalogue, house.stores[:2])
    for store in house.stores[:2]:
        flip(store, kept.key, 2000)
    keeper = house.keeper()
    keeper.drain(ONE, AN, to=THREE)
    assert [keeper.work(ONE).failures, keeper.work(ONE).failures] == [1, 1]
    failed = [entry for entry in keeper.history(ONE) if entry.act == "failed"]
    assert len(failed) == 1
    assert failed[0].document["failed"][0]["version"] == str(kept.id)
    assert house.acts(ONE) == ["move", "failed"]


@pytest.mark.parametrize("step", ["told", "read", "copied", "logged", "noted", "drained", "retired", "forgotten"])
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_keeper_that_dies_on_the_way_is_followed_by_another(
    house: House,
    new_catalogue: Callable[[str], Catalogue],
    step: str,
    database: str,
    request: pytest.FixtureRequest,
) -> None:
    if database == "postgresql":
        house.catalogue = Catalogue(request.getfixturevalue("postgres_url"))
        request.addfinalizer(house.catalogue.close)
        house.catalogue.upgrade()
    kept = [keep(house.catalogue, house.stores[:2], name) for name in "ab"]
    deaths: dict[str, int] = {"left": 2}

    def die(at: str) -> None:
        if at == step and deaths["left"]:
            deaths["left"] -= 1
            raise Died

    def go() -> None:
        keeper = house.keeper(die)
        keeper.settle()
        if house.catalogue.stores.records().get(ONE) is None:
            keeper.drain(ONE, AN)
        if house.state(ONE) is StoreState.DRAINING:
            keeper.work(ONE)
            keeper.retire(ONE, AN, "x")
            keeper.retire(ONE, BINH, "x")

    for _ in range(4):
        try:
            go()
        except Died:
            house.clock.forward(timedelta(hours=2))
    assert deaths["left"] < 2
    assert house.state(ONE) is StoreState.RETIRED
    assert house.acts(ONE) == ["drain", "drained", "agree-retire", "agree-retire", "retire", "retired"]
    for one in kept:
        assert [replica.store for replica in house.catalogue.holdings.replicas(one.id)] == [TWO, THREE]
    assert house.rebuilt(new_catalogue("again"), house.stores[1:])


@pytest.mark.parametrize("step", ["told", "logged", "back"])
def test_a_reinstating_that_dies_is_ended_by_another(house: House, step: str) -> None:
    kept = [keep(house.catalogue, house.stores[:2], name) for name in "ab"]
    keeper = house.keeper()
    keeper.drain(ONE, AN)
    keeper.work(ONE)
    keeper.retire(ONE, AN, "x")
    keeper.retire(ONE, BINH, "x")

    def die(at: str) -> None:
        if at == step:
            raise Died

    with pytest.raises(Died):
        house.keeper(die).reinstate(ONE, AN)
    house.clock.forward(timedelta(hours=2))
    house.keeper().settle()
    assert house.state(ONE) is StoreState.ACTIVE
    assert house.acts(ONE)[-2:] == ["reinstate", "reinstated"]
    for one in kept:
        assert [replica.store for replica in house.catalogue.holdings.replicas(one.id)] == [ONE, TWO, THREE]
        events = house.catalogue.events.of(one.id)
        assert [event.type for event in events].count(EventType.ACCESSION) == 1
    assert house.catalogue.journal.entries(EntryKind.STORE, ONE.value, 1)[0].entry.document == {
        "aips": {"told": 2, "logged": 2, "back": 1}[step]
    }
