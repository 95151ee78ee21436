"""The catalogue comes back from the stores alone, row by row."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from metadata.catalogue import Catalogue
from metadata.errors import StoreUnavailable
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from preservation.audit import Auditor
from preservation.checks import Schedule
from preservation.rebuild import RebuildReport, rebuild, rebuild_one
from preservation.repair import Repairer
from storage.keys import log_key
from storage.port import ObjectInfo, Store
from storage.stores.memory import MemoryStore, MemoryStream
from storage.wrappers import Call, Fault, FaultStore
from tests.builders.kept import AGENT, PERIOD, Clock, File, flip, keep, raw, replace

SCHEDULE = Schedule(PERIOD, timedelta(hours=1))
NewCatalogue = Callable[[str], Catalogue]


def _rows(catalogue: Catalogue) -> list[tuple[str, dict[str, object]]]:
    return list(catalogue.dump())


def _rebuild(catalogue: Catalogue, stores: list[Store], clock: Clock) -> RebuildReport:
    return rebuild(catalogue, stores, clock, SCHEDULE)


def test_every_row_comes_back(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock, tmp_path: Path
) -> None:
    keep(catalogue, stores)
    keep(catalogue, stores, "Đ/50%", files=[File(f"{n}.txt", b"x" * n, None, n) for n in range(1, 40)], documents=39)
    keep(catalogue, stores, "rỗng", files=[], documents=0)
    done: list[str] = []
    again = new_catalogue("again")
    report = rebuild(again, stores, clock, SCHEDULE, tmp_path, done.append)
    assert (report.rebuilt, report.known, report.unfinished, report.lost, report.problems) == (3, 0, [], [], [])
    assert _rows(again) == _rows(catalogue)
    assert len(done) == 3
    assert len(again.outbox.pending(10)) == 3
    assert again.fixity.lease_due(clock.now + PERIOD, 10, timedelta(1), "w")


def test_the_whole_life_comes_back(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = [keep(catalogue, stores, name) for name in "abc"]
    by_id = {store.id: store for store in stores}
    auditor = Auditor(catalogue, by_id, clock, AGENT, SCHEDULE)
    repairer = Repairer(catalogue, by_id, clock, AGENT, SCHEDULE)
    clock.forward()
    flip(stores[1], kept[0].key, 500)
    stores[0].delete(kept[1].key)
    assert auditor.audit_batch(9).replicas[Fixity.MATCH] == 4
    clock.forward(timedelta(minutes=1))
    repairer.repair(kept[0].id)
    away = FaultStore(stores[1], lambda call: Fault.BEFORE)
    clock.forward(timedelta(minutes=1))
    Auditor(catalogue, {stores[0].id: stores[0], stores[1].id: away}, clock, AGENT, SCHEDULE).audit(kept[2].id)
    again = new_catalogue("again")
    report = _rebuild(again, stores, clock)
    assert report.rebuilt == 3
    assert _rows(again) == _rows(catalogue)
    assert [(problem.key, problem.store) for problem in report.problems] == [(kept[2].key, stores[1].id)]


def test_random_lives_come_back(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    chance = random.Random(20260302)
    kept = [keep(catalogue, stores, str(number)) for number in range(3)]
    by_id = {store.id: store for store in stores}
    for _ in range(12):
        clock.forward(timedelta(days=chance.choice([1, 100])))
        one = chance.choice(kept)
        match chance.randrange(4):
            case 0:
                Auditor(catalogue, by_id, clock, AGENT, SCHEDULE).audit_batch(2)
            case 1 if all(store.head(one.key) for store in stores):
                flip(chance.choice(stores), one.key, chance.randrange(one.version.size))
                Auditor(catalogue, by_id, clock, AGENT, SCHEDULE).audit(one.id)
                Repairer(catalogue, by_id, clock, AGENT, SCHEDULE).repair(one.id)
            case _:
                Repairer(catalogue, by_id, clock, AGENT, SCHEDULE).repair(one.id)
    again = new_catalogue("again")
    assert _rebuild(again, stores, clock).problems == []
    assert _rows(again) == _rows(catalogue)


@pytest.mark.parametrize("which", [0, 1])
def test_one_store_alone_tells_everything(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock, which: int
) -> None:
    keep(catalogue, stores)
    again = new_catalogue("again")
    assert _rebuild(again, [stores[which]], clock).problems == []
    assert _rows(again) == _rows(catalogue)


def test_it_may_be_stopped_and_begun_again(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    for name in "abc":
        keep(catalogue, stores, name)
    again = new_catalogue("again")

    def stop(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(again, stores, clock, SCHEDULE, on_progress=stop)
    report = _rebuild(again, stores, clock)
    assert (report.rebuilt, report.known) == (2, 1)
    assert _rows(again) == _rows(catalogue)


def test_a_damaged_replica_is_told_and_another_is_read(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, stores)
    flip(stores[0], kept.key, kept.member("PREMIS.xml").data + 400)
    again = new_catalogue("again")
    report = _rebuild(again, stores, clock)
    assert report.rebuilt == 1
    assert [(problem.key, problem.store) for problem in report.problems] == [(kept.key, stores[0].id)]
    assert _rows(again) == _rows(catalogue)


def test_a_version_that_nobody_can_read_is_lost(
    new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    lost, good = keep(None, stores, "a"), keep(None, stores, "b")
    for store in stores:
        replace(store, lost.key, raw(store, lost.key)[:-9])
    again = new_catalogue("again")
    report = _rebuild(again, stores, clock)
    assert (report.rebuilt, report.lost, report.problem_count) == (1, [lost.key], 2)
    assert again.holdings.version(lost.id) is None
    assert again.holdings.version(good.id) == good.version


def test_an_object_without_a_log_was_never_acknowledged(
    new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(None, stores)
    for store in stores:
        store.delete(log_key(kept.key, 1))
    again = new_catalogue("again")
    report = _rebuild(again, stores, clock)
    assert (report.rebuilt, report.unfinished) == (0, [kept.key])
    assert _rows(again) == []


def test_a_replica_that_is_gone_is_due_at_once(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, stores)
    stores[1].delete(kept.key)
    again = new_catalogue("again")
    report = _rebuild(again, stores, clock)
    assert [problem.store for problem in report.problems] == [stores[1].id]
    gone = again.holdings.replicas(kept.id)[1]
    assert (gone.outcome, gone.due) == (Fixity.MISSING, clock.now)


def test_a_replica_that_no_log_names_is_due_at_once(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, stores)
    third = MemoryStore(StoreId("kho-3"))
    third.put(kept.key, raw(stores[0], kept.key))
    again = new_catalogue("again")
    report = _rebuild(again, [*stores, third], clock)
    assert [problem.store for problem in report.problems] == [third.id, third.id]
    new = again.holdings.replicas(kept.id)[2]
    assert (new.store, new.outcome, new.checked, new.due) == (third.id, Fixity.NOT_CHECKED, None, clock.now)


def test_sizes_that_differ_are_told(new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(None, stores)
    replace(stores[1], kept.key, raw(stores[1], kept.key) + b"x")
    report = _rebuild(new_catalogue("again"), stores, clock)
    assert [problem.store for problem in report.problems] == [None]
    assert f"kho-2: {kept.version.size + 1}" in report.problems[0].message.en


def test_a_broken_log_is_told_and_the_longest_is_taken(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, stores)
    for _ in range(2):
        clock.forward()
        Auditor(catalogue, {store.id: store for store in stores}, clock, AGENT, SCHEDULE).audit(kept.id)
    flip(stores[0], log_key(kept.key, 2), 20)
    again = new_catalogue("again")
    report = _rebuild(again, stores, clock)
    assert {problem.store for problem in report.problems} == {stores[0].id}
    assert report.problem_count == 2
    assert _rows(again) == _rows(catalogue)


def test_logs_that_differ_are_told(new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(None, [stores[0]])
    keep(None, [stores[1]])
    report = _rebuild(new_catalogue("again"), stores, clock)
    assert "its log differs" in " ".join(problem.message.en for problem in report.problems)
    assert report.rebuilt == 1
    assert kept.key in {problem.key for problem in report.problems}


def test_foreign_keys_are_told(new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock) -> None:
    stores[0].put("ghi chú.txt", b"?")
    report = _rebuild(new_catalogue("again"), stores, clock)
    assert [(problem.key, problem.store) for problem in report.problems] == [("ghi chú.txt", stores[0].id)]


def test_a_store_that_cannot_be_listed_stops_it(
    new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    away = FaultStore(stores[1], lambda call: Fault.BEFORE)
    with pytest.raises(StoreUnavailable):
        _rebuild(new_catalogue("again"), [stores[0], away], clock)


def test_problems_are_bounded() -> None:
    report = RebuildReport()
    for number in range(1100):
        report.note(str(number), None, StoreUnavailable.__doc__)  # type: ignore[arg-type]
    assert (len(report.problems), report.problem_count) == (1000, 1100)


class _Behind(MemoryStore):
    """A store whose lists lack objects that it has."""

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        return (info for info in super().list(prefix, after) if not info.key.endswith(".zip"))


def test_nothing_is_missing_because_a_list_is_behind(
    catalogue: Catalogue, new_catalogue: NewCatalogue, clock: Clock
) -> None:
    stores = [MemoryStore(StoreId("kho-1")), _Behind(StoreId("kho-2"))]
    keep(catalogue, stores)
    again = new_catalogue("again")
    report = _rebuild(again, list(stores), clock)
    assert (report.rebuilt, report.problems) == (1, [])
    assert _rows(again) == _rows(catalogue)


def test_a_log_whose_end_nobody_could_read_gives_no_older_state(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, stores)
    Auditor(catalogue, {store.id: store for store in stores}, clock, AGENT, SCHEDULE).audit(kept.id)
    last = log_key(kept.key, 2)
    seen = [FaultStore(store, lambda call: Fault.BEFORE if call.key == last else None) for store in stores]
    again = new_catalogue("again")
    report = _rebuild(again, list(seen), clock)
    assert (report.rebuilt, report.unfinished, report.lost) == (0, [], [kept.key])
    assert _rebuild(again, list(stores), clock).rebuilt == 1
    assert _rows(again) == _rows(catalogue)


class _Counting(MemoryStore):
    """Counts readings of objects; the first of each comes altered."""

    def __init__(self, inner: MemoryStore, *, alters: str = "") -> None:
        super().__init__(inner.id)
        self._objects, self._alters, self.opened = inner._objects, alters, list[str]()

    def open(self, key: str, start: int = 0, length: int | None = None) -> MemoryStream:
        first = key not in self.opened
        self.opened.append(key)
        if not (self._alters and first and key.endswith(".zip")):
            return super().open(key, start, length)
        data = bytearray(raw(self, key))
        data[len(data) // 2] ^= 1
        return MemoryStream(memoryview(data)[start:] if self._alters == "bit" else memoryview(data)[:749])


def test_a_small_aip_costs_one_request_for_its_object(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = [keep(catalogue, stores, name) for name in "ab"]
    seen = [_Counting(store) for store in stores]
    again = new_catalogue("again")
    assert _rebuild(again, seen, clock).rebuilt == 2
    assert _rows(again) == _rows(catalogue)
    assert [[store.opened.count(one.key) for store in seen] for one in kept] == [[1, 0], [1, 0]]


@pytest.mark.parametrize("how", ["bit", "another object"])
def test_a_reading_that_came_altered_proves_nothing(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock, how: str
) -> None:
    keep(catalogue, stores)
    again = new_catalogue("again")
    report = _rebuild(again, [_Counting(stores[0], alters=how)], clock)
    assert (report.rebuilt, report.lost, report.problems) == (1, [], [])
    assert len(list(again.holdings.members(next(iter(again.holdings.every_version())).id))) > 0


@pytest.mark.parametrize("part", ["object", "log"])
def test_one_version_that_a_store_did_not_give_is_not_lost(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock, part: str
) -> None:
    """Whoever asks for one version may ask again: nothing was found wrong with it."""
    kept, again = keep(catalogue, stores), new_catalogue("again")

    def silent(call: Call) -> Fault | None:
        return (
            Fault.BEFORE if call.operation == "open" and (log_key(kept.key, 1) == call.key) == (part == "log") else None
        )

    away = [FaultStore(store, silent) for store in stores]
    with pytest.raises(StoreUnavailable):
        rebuild_one(again, away, kept.key, clock, SCHEDULE)
    assert rebuild_one(again, stores, kept.key, clock, SCHEDULE).rebuilt == 1
