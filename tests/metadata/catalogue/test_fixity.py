from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from metadata.catalogue import Catalogue, FixityState, Lease
from metadata.errors import Busy, NotFound
from metadata.holdings import Replica
from metadata.identifiers import StoreId, VersionId
from metadata.outcomes import Fixity
from tests.builders.holdings import NOW, PERIOD, STORES, Registered, a_head, a_version, an_event, register

DUE, HOUR = NOW + PERIOD, timedelta(hours=1)
GOOD = dict.fromkeys(STORES, Fixity.MATCH)


def lease_one(catalogue: Catalogue, now=DUE, worker: str = "w1") -> Lease:
    (lease,) = catalogue.fixity.lease_due(now, 10, HOUR, worker)
    return lease


def test_a_lease_carries_what_an_audit_needs(catalogue: Catalogue) -> None:
    held = register(catalogue)
    lease = lease_one(catalogue)
    assert lease == Lease(
        held.id, held.version.key, held.version.size, held.version.fonds, tuple(held.replicas), lease.token
    )


def test_nothing_is_leased_before_it_is_due_or_twice(catalogue: Catalogue) -> None:
    register(catalogue)
    lease_due = catalogue.fixity.lease_due
    assert lease_due(DUE - timedelta(microseconds=1), 10, HOUR, "w1") == []
    assert len(lease_due(DUE, 10, HOUR, "w1")) == 1
    assert lease_due(DUE + HOUR - timedelta(microseconds=1), 10, HOUR, "w2") == []
    assert len(lease_due(DUE + HOUR, 10, HOUR, "w2")) == 1


def test_the_longest_due_come_first(catalogue: Catalogue) -> None:
    held = [register(catalogue, str(number), due=DUE - timedelta(days=number)) for number in range(5)]
    first = catalogue.fixity.lease_due(DUE, 2, HOUR, "w")
    rest = catalogue.fixity.lease_due(DUE, 10, HOUR, "w")
    assert [one.version for one in first + rest] == [one.id for one in reversed(held)]


def test_a_page_of_what_a_store_must_hold_is_not_sorted(tmp_path: Path) -> None:
    """It is read by the key's index: its cost is the page's, however much the store holds."""
    asked: list[tuple[str, tuple[object, ...]]] = []
    with Catalogue(f"sqlite:///{tmp_path / 'c.sqlite'}") as catalogue:
        catalogue.upgrade()

        def note(_: object, __: object, text: str, values: tuple[object, ...], *___: object) -> None:
            asked.append((text, values))

        event.listen(Engine, "before_cursor_execute", note)
        try:
            assert catalogue.fixity.expected(STORES[0], "x") == []
        finally:
            event.remove(Engine, "before_cursor_execute", note)
    text, values = next(one for one in asked if "aip_version" in one[0])
    with closing(sqlite3.connect(tmp_path / "c.sqlite")) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)]
    assert "ix_aip_version_key" in plan[0]
    assert not any("TEMP B-TREE" in step for step in plan)


def test_a_lease_taken_ten_years_ahead_holds_nobody_up(catalogue: Catalogue) -> None:
    """A machine whose clock was wrong took it and died."""
    held = register(catalogue)
    wrong = catalogue.fixity.lease_version(held.id, NOW + timedelta(days=3650), HOUR, "w1")
    lease = catalogue.fixity.lease_version(held.id, NOW, HOUR, "w2")
    with pytest.raises(Busy):
        catalogue.fixity.renew(wrong, NOW, HOUR)
    assert catalogue.fixity.give_back(lease)
    assert len(catalogue.fixity.lease_due(DUE, 1, HOUR, "w3")) == 1


def test_finishing_writes_all_at_once(catalogue: Catalogue) -> None:
    held = register(catalogue)
    event, checked, again = an_event(held.id, "kiểm tra"), DUE + timedelta(minutes=1), DUE + PERIOD
    results = {STORES[0]: Fixity.MATCH, STORES[1]: Fixity.MISMATCH}
    catalogue.fixity.finish(lease_one(catalogue), results, checked, again, [event], a_head(2))
    assert catalogue.holdings.replicas(held.id) == [
        Replica(held.id, STORES[0], Fixity.MATCH, checked, again),
        Replica(held.id, STORES[1], Fixity.MISMATCH, checked, again),
    ]
    assert catalogue.events.of(held.id)[-1] == event
    assert catalogue.events.head(held.id) == a_head(2)
    assert catalogue.fixity.lease_due(again - timedelta(microseconds=1), 1, HOUR, "w") == []
    assert lease_one(catalogue, again).version == held.id
    assert catalogue.fixity.damaged() == [Replica(held.id, STORES[1], Fixity.MISMATCH, checked, again)]


def test_the_version_is_due_when_its_first_replica_is(catalogue: Catalogue) -> None:
    held = register(catalogue)
    soon = {STORES[0]: DUE + PERIOD, STORES[1]: DUE + HOUR}
    results = {STORES[0]: Fixity.MATCH, STORES[1]: Fixity.UNREADABLE}
    catalogue.fixity.finish(lease_one(catalogue), results, DUE, soon, [], a_head(2))
    assert [one.store for one in catalogue.fixity.due(DUE + HOUR)] == [STORES[1]]
    assert lease_one(catalogue, DUE + HOUR).version == held.id
    assert catalogue.fixity.damaged() == []


def test_a_partial_result_leaves_the_other_replica_due(catalogue: Catalogue) -> None:
    held = register(catalogue)
    catalogue.fixity.finish(lease_one(catalogue), {STORES[0]: Fixity.MATCH}, DUE, DUE + PERIOD, [], a_head(2))
    assert lease_one(catalogue, DUE).replicas == (held.replicas[1],)


def _other_took_it(catalogue: Catalogue, lease: Lease) -> Lease:
    lease_one(catalogue, DUE + HOUR, "w2")
    return lease


def _other_finished_it(catalogue: Catalogue, lease: Lease) -> Lease:
    other = lease_one(catalogue, DUE + HOUR, "w2")
    catalogue.fixity.finish(other, GOOD, DUE, DUE + PERIOD, [], a_head(2))
    return lease


def _repaired_meanwhile(catalogue: Catalogue, lease: Lease) -> Lease:
    catalogue.fixity.set_replica(lease.version, STORES[0], Fixity.MATCH, DUE, DUE + PERIOD, [], a_head(2))
    return lease


def _forged(_: Catalogue, lease: Lease) -> Lease:
    return replace(lease, token=lease.token + 1)


@pytest.mark.parametrize("spoil", [_other_took_it, _other_finished_it, _repaired_meanwhile, _forged])
def test_a_stale_token_is_refused(catalogue: Catalogue, spoil: Callable[[Catalogue, Lease], Lease]) -> None:
    held = register(catalogue)
    stale = spoil(catalogue, lease_one(catalogue))
    before, state = list(catalogue.dump()), catalogue.fixity.state(DUE)
    bad = dict.fromkeys(STORES, Fixity.MISSING)
    event = an_event(held.id, "muộn")
    with pytest.raises(Busy):
        catalogue.fixity.finish(stale, bad, DUE, DUE, [event], a_head(9))
    with pytest.raises(Busy):
        catalogue.fixity.renew(stale, DUE, HOUR)
    with pytest.raises(Busy):
        catalogue.fixity.set_replica(held.id, STORES[0], Fixity.MISSING, DUE, DUE, [event], a_head(9), stale)
    assert catalogue.fixity.state(DUE) == state
    assert not catalogue.fixity.give_back(stale)
    assert list(catalogue.dump()) == before


def test_finishing_again_after_a_lost_answer_changes_nothing(catalogue: Catalogue) -> None:
    held = register(catalogue)
    lease, event = lease_one(catalogue), an_event(held.id, "kiểm tra")
    catalogue.fixity.finish(lease, GOOD, DUE, DUE + PERIOD, [event], a_head(2))
    before = list(catalogue.dump())
    catalogue.fixity.finish(lease, GOOD, DUE, DUE + PERIOD, [event], a_head(2))
    assert list(catalogue.dump()) == before


def test_a_finish_that_cannot_log_changes_nothing(catalogue: Catalogue) -> None:
    held = register(catalogue)
    lease = lease_one(catalogue)
    before = list(catalogue.dump())
    with pytest.raises(Busy):
        catalogue.fixity.finish(
            lease, dict.fromkeys(STORES, Fixity.MISSING), DUE, DUE, [an_event(held.id, "x")], a_head(1)
        )
    assert list(catalogue.dump()) == before
    catalogue.fixity.renew(lease, DUE, HOUR)


def test_a_result_for_an_unknown_store_is_refused(catalogue: Catalogue) -> None:
    register(catalogue)
    lease = lease_one(catalogue)
    before = list(catalogue.dump())
    with pytest.raises(ValueError, match="kho-9"):
        catalogue.fixity.finish(lease, GOOD | {StoreId("kho-9"): Fixity.MATCH}, DUE, DUE + PERIOD, [], a_head(2))
    assert list(catalogue.dump()) == before


def test_a_lease_can_be_renewed_and_given_back(catalogue: Catalogue) -> None:
    register(catalogue)
    lease = lease_one(catalogue)
    catalogue.fixity.renew(lease, DUE + HOUR, HOUR)
    assert catalogue.fixity.lease_due(DUE + HOUR, 10, HOUR, "w2") == []
    assert catalogue.fixity.give_back(lease)
    assert lease_one(catalogue, DUE, "w2").version == lease.version


def test_one_version_is_leased_on_demand(catalogue: Catalogue) -> None:
    held = register(catalogue)
    lease = catalogue.fixity.lease_version(held.id, NOW, HOUR, "w1")
    assert lease == Lease(
        held.id, held.version.key, held.version.size, held.version.fonds, tuple(held.replicas), lease.token
    )
    with pytest.raises(Busy):
        catalogue.fixity.lease_version(held.id, NOW, HOUR, "w2")
    assert catalogue.fixity.lease_version(held.id, NOW + HOUR, HOUR, "w2").token != lease.token


@pytest.mark.parametrize("act", ["lease", "set"])
def test_a_version_not_held(catalogue: Catalogue, act: str) -> None:
    absent: VersionId = a_version("vắng").id
    with pytest.raises(NotFound):
        if act == "lease":
            catalogue.fixity.lease_version(absent, NOW, HOUR, "w")
        else:
            catalogue.fixity.set_replica(absent, STORES[0], Fixity.MATCH, NOW, DUE, [], a_head(1))


def test_a_repair_under_its_own_lease_keeps_the_lease(catalogue: Catalogue) -> None:
    held = register(catalogue)
    lease, event = lease_one(catalogue), an_event(held.id, "phục hồi")
    catalogue.fixity.set_replica(held.id, STORES[1], Fixity.MATCH, DUE, DUE + PERIOD, [event], a_head(2), lease)
    assert catalogue.events.of(held.id)[-1] == event
    assert catalogue.fixity.lease_due(DUE, 1, HOUR, "w2") == []
    catalogue.fixity.finish(lease, GOOD, DUE, DUE + PERIOD, [], a_head(3))


def test_a_replica_in_a_new_store_is_added(catalogue: Catalogue) -> None:
    held = register(catalogue)
    new = Replica(held.id, StoreId("kho-3"), Fixity.MATCH, NOW, NOW + HOUR)
    catalogue.fixity.set_replica(held.id, new.store, new.outcome, NOW, new.due, [], a_head(2))
    assert catalogue.holdings.replicas(held.id) == [*held.replicas, new]
    assert lease_one(catalogue, NOW + HOUR).replicas == (new,)
    assert lease_one(catalogue, DUE).replicas == (*held.replicas, new)


def test_the_state_of_the_audit(catalogue: Catalogue) -> None:
    assert catalogue.fixity.state(NOW) == FixityState(0, 0)
    for number in range(3):
        register(catalogue, str(number))
    assert catalogue.fixity.state(NOW) == FixityState(0, 0)
    assert len(catalogue.fixity.due(DUE)) == 6
    lease = catalogue.fixity.lease_due(DUE, 1, HOUR, "w")[0]
    assert catalogue.fixity.state(DUE) == FixityState(4, 2)
    assert len(catalogue.fixity.due(DUE)) == 4
    assert catalogue.fixity.state(DUE + HOUR) == FixityState(6, 0)
    catalogue.fixity.finish(lease, GOOD, DUE, DUE + PERIOD, [], a_head(2))
    assert catalogue.fixity.state(DUE) == FixityState(4, 0)


def test_no_version_is_leased_by_two_workers(catalogue: Catalogue) -> None:
    held: list[Registered] = [register(catalogue, str(number)) for number in range(60)]
    start, taken = threading.Barrier(4), []

    def work(worker: str) -> None:
        start.wait(10)
        while leases := catalogue.fixity.lease_due(DUE, 7, HOUR, worker):
            for lease in leases:
                event = an_event(lease.version, worker)
                catalogue.fixity.finish(lease, GOOD, DUE, DUE + PERIOD, [event], a_head(2))
                taken.append(lease.version)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(taken) == 60
    assert set(taken) == {one.id for one in held}
    assert all(len(catalogue.events.of(one.id)) == len(one.events) + 1 for one in held)


def test_replicas_of_one_version_are_leased_each_by_itself(catalogue: Catalogue) -> None:
    held = register(catalogue)
    first, second = STORES
    (one,) = catalogue.fixity.lease_due(DUE, 5, HOUR, "w1", [first])
    (two,) = catalogue.fixity.lease_due(DUE, 5, HOUR, "w2")
    assert [copy.store for copy in one.replicas] == [first]
    assert [copy.store for copy in two.replicas] == [second]
    with pytest.raises(Busy):
        catalogue.fixity.lease_version(held.id, DUE, HOUR, "w3", [second])
    catalogue.fixity.finish(one, {first: Fixity.MATCH}, DUE, DUE + PERIOD, [], a_head(2))
    catalogue.fixity.finish(two, {second: Fixity.MATCH}, DUE, DUE + PERIOD, [], a_head(3))
    assert [copy.due for copy in catalogue.holdings.replicas(held.id)] == [DUE + PERIOD] * 2


def test_a_repair_of_one_replica_leaves_the_lease_of_another(catalogue: Catalogue) -> None:
    held = register(catalogue)
    first, second = STORES
    (lease,) = catalogue.fixity.lease_due(DUE, 5, HOUR, "w1", [first])
    catalogue.fixity.set_replica(held.id, second, Fixity.MATCH, DUE, DUE + PERIOD, [], a_head(2))
    catalogue.fixity.finish(lease, {first: Fixity.MATCH}, DUE, DUE + PERIOD, [], a_head(3))


def test_what_nobody_could_read_stays_read_when_it_was(catalogue: Catalogue) -> None:
    held = register(catalogue)
    results = {STORES[0]: Fixity.UNREADABLE, STORES[1]: Fixity.MISSING}
    catalogue.fixity.finish(lease_one(catalogue), results, DUE, DUE + HOUR, [], a_head(2))
    assert [copy.checked for copy in catalogue.holdings.replicas(held.id)] == [held.replicas[0].checked, DUE]


def test_giving_back_until_later_puts_it_off(catalogue: Catalogue) -> None:
    held = register(catalogue)
    assert catalogue.fixity.give_back(lease_one(catalogue), until=DUE + HOUR)
    assert catalogue.fixity.lease_due(DUE, 5, HOUR, "w") == []
    assert lease_one(catalogue, DUE + HOUR).version == held.id


def test_a_replica_can_be_made_due_now(catalogue: Catalogue) -> None:
    held = register(catalogue)
    assert catalogue.fixity.hasten(held.id, STORES[1], NOW)
    assert not catalogue.fixity.hasten(held.id, STORES[1], NOW)
    lease = lease_one(catalogue, NOW)
    assert [copy.store for copy in lease.replicas] == [STORES[1]]
    assert not catalogue.fixity.hasten(held.id, STORES[1], NOW)
    assert catalogue.fixity.give_back(lease)
    assert lease_one(catalogue, NOW) is not None


def test_what_a_store_must_hold_comes_by_key(catalogue: Catalogue) -> None:
    held = [register(catalogue, name) for name in ("ụ", "b", "a", "𝒜", "￮")]
    everything = catalogue.fixity.expected(STORES[0])
    assert [one.key for one in everything] == sorted(one.version.key for one in held)
    assert catalogue.fixity.expected(STORES[0], everything[2].key, limit=1) == everything[3:4]
    assert catalogue.fixity.expected(StoreId("kho-9")) == []


def test_what_a_worker_with_a_wrong_clock_had_leased_can_be_hastened(catalogue: Catalogue) -> None:
    """It died ten years ahead; nobody holds its lease, and the replica is not due for ten years."""
    held = register(catalogue)
    future = NOW + timedelta(days=3650)
    assert catalogue.fixity.lease_due(future, 10, HOUR, "wrong")
    assert catalogue.fixity.hasten(held.id, STORES[0], NOW, NOW + HOUR)
    assert catalogue.fixity.lease_due(NOW, 10, HOUR, "w") == []
    (lease,) = catalogue.fixity.lease_due(NOW + HOUR, 10, HOUR, "w")
    assert [one.store for one in lease.replicas] == [STORES[0]]
