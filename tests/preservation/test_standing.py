"""The audits that never end: what they read, when they do not, and what people see of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from metadata.audits import AuditKind, AuditState
from metadata.catalogue import Catalogue
from metadata.errors import UsageError
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from preservation.audit import Auditor
from preservation.audits import Audits
from preservation.budgets import Budget, Budgets
from preservation.checks import Schedule
from preservation.journal import ArchiveJournal
from preservation.standing import StandingAudits, standing_id
from storage.stores.memory import MemoryStore
from tests.builders.kept import AGENT, PERIOD, Clock, flip, keep

FIRST, SECOND = StoreId("kho-1"), StoreId("kho-2")
OPENED = ["kho-1", "kho-2"]


class Bench:
    """Two stores with the same AIPs, all of them due."""

    def __init__(self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, count: int = 3) -> None:
        self.catalogue, self.stores, self.clock = catalogue, stores, clock
        self.kept = [keep(catalogue, stores, f"a{number}") for number in range(count)]
        clock.forward()

    def standing(self, budgets: Budgets | None = None, names: tuple[StoreId, ...] = (FIRST, SECOND)) -> StandingAudits:
        return StandingAudits(self.catalogue, self.auditor, names, self.clock, budgets or Budgets())

    @property
    def auditor(self) -> Auditor:
        by_id = {store.id: store for store in self.stores}
        return Auditor(self.catalogue, by_id, self.clock, AGENT, Schedule(PERIOD))

    @property
    def audits(self) -> Audits:
        by_id = {store.id: store for store in self.stores}
        journal = ArchiveJournal(self.catalogue, self.stores, self.clock, AGENT)
        return Audits(self.catalogue, self.auditor, by_id, journal, self.clock)

    def read_now(self, store: StoreId) -> int:
        """How many replicas in the store were looked at at this moment."""
        replicas = [one for kept in self.kept for one in self.catalogue.holdings.replicas(kept.id)]
        return sum(one.checked == self.clock.now for one in replicas if one.store == store)


@pytest.fixture
def bench(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> Bench:
    return Bench(catalogue, stores, clock)


def test_each_store_has_one_that_counts_what_is_found(bench: Bench) -> None:
    flip(bench.stores[1], bench.kept[0].key, bench.kept[0].member("ảnh.pdf").data + 5)
    standing = bench.standing()
    report = standing.step(10)
    assert (report.audited, report.replicas) == (3, {Fixity.MATCH: 5, Fixity.MISMATCH: 1})
    first, second = standing.listed()
    size = sum(kept.version.size for kept in bench.kept)
    assert [one.store.value for one in (first, second)] == OPENED
    assert (first.done, first.damaged, second.done, second.damaged) == (3, 0, 3, 1)
    assert first.done_bytes == size
    assert (first.kind, first.state, first.endless) == (AuditKind.DEEP, AuditState.RUNNING, True)
    assert standing.step(10).audited == 0
    assert [one.done for one in standing.listed()] == [3, 3]
    assert bench.catalogue.audits.current() == []
    assert bench.catalogue.audits.latest() == []


def test_a_paused_one_reads_nothing_and_holds_up_no_other(bench: Bench) -> None:
    standing, audits = bench.standing(), bench.audits
    standing.listed()
    assert audits.pause(standing_id(SECOND), "An").state is AuditState.PAUSED
    assert [standing.waits(one) is None for one in standing.listed()] == [True, False]
    assert standing.step(10).replicas == {Fixity.MATCH: 3}
    assert (bench.read_now(FIRST), bench.read_now(SECOND)) == (3, 0)
    audits.resume(standing_id(SECOND), "An")
    assert standing.step(10).replicas == {Fixity.MATCH: 3}
    acts = [told.entry.act for told in bench.catalogue.journal.entries(subject=standing_id(SECOND))]
    assert acts == ["resumed", "paused"]


def test_it_cannot_be_stopped(bench: Bench) -> None:
    bench.standing().listed()
    with pytest.raises(UsageError, match="standing"):
        bench.audits.stop(standing_id(FIRST))
    assert bench.standing().listed()[0].state is AuditState.RUNNING


def test_a_pause_is_seen_between_two_versions_and_the_rest_stays_due(bench: Bench) -> None:
    standing, audits = bench.standing(), bench.audits
    standing.listed()
    ticks = iter(range(1000))
    seen: list[int] = []

    def pause_at_once(count: int) -> None:
        if not seen:
            audits.pause(standing_id(FIRST))
            audits.pause(standing_id(SECOND))
        seen.append(count)

    report = standing.step(10, 1000.0, pause_at_once, lambda: float(next(ticks)))
    assert report.audited == 1
    assert bench.catalogue.fixity.state(bench.clock.now).due == 4
    assert [one.done for one in standing.listed()] == [1, 1]


def test_nothing_is_begun_when_the_time_is_over(bench: Bench) -> None:
    ticks: Iterator[float] = iter([0.0, 0.5, 400.0, 400.0])
    assert bench.standing().step(10, 300.0, now=lambda: next(ticks)).audited == 1
    assert bench.catalogue.fixity.state(bench.clock.now).leased == 0
    assert bench.standing().step(10).audited == 2


_CLOSED = (20, 21)


@pytest.mark.parametrize("wait", ["hours", "money"])
def test_a_store_out_of_hours_or_money_is_left(bench: Bench, wait: str) -> None:
    budget = Budget(hours=_CLOSED) if wait == "hours" else Budget(price=1e9)
    bench.clock.now, money = datetime(2026, 9, 1, tzinfo=UTC), 0.0
    if wait == "money":  # as much was read this month as there is money for
        bench.standing(names=(SECOND,)).step(10)
        money = sum(one.bytes for one in bench.catalogue.coverage.days(SECOND))
        bench.clock.forward(timedelta(days=1))
        for kept in bench.kept:
            bench.catalogue.fixity.hasten(kept.id, FIRST, bench.clock.now)
            bench.catalogue.fixity.hasten(kept.id, SECOND, bench.clock.now)
    standing = bench.standing(Budgets({SECOND: budget}, money))
    told = standing.waits(standing.listed()[1])
    assert told is not None
    assert ("20" in told.vi) if wait == "hours" else ("kinh phí" in told.vi)
    standing.step(10)
    assert (bench.read_now(FIRST), bench.read_now(SECOND)) == (3, 0)


def test_money_for_one_reads_one(bench: Bench) -> None:
    bench.clock.now = datetime(2026, 9, 1, tzinfo=UTC)
    size = bench.kept[0].version.size
    standing = bench.standing(Budgets({SECOND: Budget(price=1e9)}, 1.5 * size))
    standing.step(10)
    assert (bench.read_now(FIRST), bench.read_now(SECOND)) == (3, 1)
    assert bench.catalogue.fixity.state(bench.clock.now).due == 2


def test_stores_of_one_pace_are_read_side_by_side_and_a_limited_one_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    batch: Callable[..., object] = Auditor.audit_batch

    def noted(self: Auditor, limit: int, progress: object, stores: list[StoreId], turn: object) -> object:
        asked.append(sorted(store.value for store in stores))
        return batch(self, limit, progress, stores, turn)

    monkeypatch.setattr(Auditor, "audit_batch", noted)
    standing = bench.standing()
    standing.step(1)
    assert asked == [OPENED]
    asked.clear()
    bench.audits.set_limit(standing_id(SECOND), 10**9, "An")
    standing.step(1)
    assert sorted(asked) == [["kho-1"], ["kho-2"]]
    asked.clear()
    bench.audits.set_limit(standing_id(SECOND), None)
    bench.standing(Budgets({FIRST: Budget(requests_per_second=1e6)})).step(1)
    assert sorted(asked) == [["kho-1"], ["kho-2"]]


def test_what_is_due_in_a_store_that_the_settings_name_no_more_is_told(bench: Bench) -> None:
    del bench.stores[1]
    standing = bench.standing(names=(FIRST,))
    assert standing.step(10).replicas == {Fixity.MATCH: 3, Fixity.UNREADABLE: 3}
    assert [one.store for one in standing.listed()] == [FIRST]


def test_two_workers_begin_one_only(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    named = bench.catalogue.audits.named

    def late(ids: list[str]) -> Mapping[str, object]:
        found = named(ids)
        monkeypatch.undo()
        bench.standing().listed()  # the other worker comes between looking and beginning
        return found

    monkeypatch.setattr(bench.catalogue.audits, "named", late)
    assert [one.id for one in bench.standing().listed()] == [standing_id(FIRST), standing_id(SECOND)]


def test_an_error_at_one_pace_costs_the_others_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    look = Auditor.look

    def broken(self: Auditor, lease: object, *args: object) -> object:
        if [copy.store for copy in lease.replicas] == [SECOND]:  # type: ignore[attr-defined]
            raise RuntimeError("nobody thought of this")
        return look(self, lease, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Auditor, "look", broken)
    standing = bench.standing(Budgets({SECOND: Budget(requests_per_second=1e6)}))
    with pytest.raises(RuntimeError, match="nobody thought"):
        standing.step(10)
    assert bench.read_now(FIRST) == 3
    assert standing.listed()[0].done == 3
