"""Audits: what they find, when they alarm, what they write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from metadata.catalogue import Catalogue, Lease
from metadata.errors import Busy, NotFound, StoreUnavailable
from metadata.events import Event, EventType
from metadata.holdings import Replica
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from preservation.audit import Auditor
from preservation.checks import Schedule, check_replica
from storage.keys import log_key
from storage.log import read_log
from storage.port import Store
from storage.stores.memory import MemoryStore
from storage.wrappers import BreakerStore, Call, Fault, FaultStore
from tests.builders.kept import AGENT, PERIOD, Clock, File, Kept, flip, keep, raw, replace

RETRY = timedelta(hours=1)
Break = Callable[[MemoryStore, Kept], object]


def _auditor(catalogue: Catalogue, stores: list[Store], clock: Clock, **options: object) -> Auditor:
    schedule = Schedule(PERIOD, RETRY)
    return Auditor(catalogue, {store.id: store for store in stores}, clock, AGENT, schedule, **options)  # type: ignore[arg-type]


def _states(catalogue: Catalogue, kept: Kept) -> Mapping[str, Replica]:
    return {replica.store.value: replica for replica in catalogue.holdings.replicas(kept.id)}


def _fixity_events(catalogue: Catalogue, kept: Kept) -> list[Event]:
    return [e for e in catalogue.events.of(kept.id) if e.type is EventType.FIXITY_CHECK and "read whole" in e.detail]


def test_nothing_is_due_too_early(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    keep(catalogue, stores)
    clock.forward(PERIOD - timedelta(microseconds=1))
    assert _auditor(catalogue, stores, clock).audit_batch(10).audited == 0


def test_clean_replicas_match(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = [keep(catalogue, stores, name) for name in "abc"]
    clock.forward()
    seen: list[int] = []
    report = _auditor(catalogue, stores, clock).audit_batch(2, seen.append)
    assert (report.audited, report.postponed, report.damaged, report.failed) == (2, 0, [], [])
    assert report.replicas == {Fixity.MATCH: 4}
    assert report.bytes_read >= sum(seen) > 0
    assert _auditor(catalogue, stores, clock).audit_batch(9).audited == 1
    assert _auditor(catalogue, stores, clock).audit_batch(9).audited == 0
    for one in kept:
        for replica in _states(catalogue, one).values():
            assert (replica.outcome, replica.checked, replica.due) == (Fixity.MATCH, clock.now, clock.now + PERIOD)
        assert [event.store for event in _fixity_events(catalogue, one)] == [store.id for store in stores]
        assert catalogue.events.of(one.id)[-2:] == list(list(read_log(stores[1], one.key))[-1].events)


def _flip_content(store: MemoryStore, kept: Kept) -> None:
    flip(store, kept.key, kept.member("ảnh.pdf").data + 5)


@pytest.mark.parametrize(
    ("damage", "outcome", "note"),
    [
        (_flip_content, Fixity.MISMATCH, "ảnh.pdf: data"),
        (lambda store, kept: flip(store, kept.key, 30), Fixity.MISMATCH, "bagit.txt: header"),
        (lambda store, kept: flip(store, kept.key, kept.version.size - 1), Fixity.MISMATCH, "(zip directory)"),
        (lambda store, kept: replace(store, kept.key, raw(store, kept.key)[:-1]), Fixity.MISMATCH, "(zip directory)"),
        (lambda store, kept: replace(store, kept.key, raw(store, kept.key) + b"x"), Fixity.MISMATCH, "appended"),
        (lambda store, kept: replace(store, kept.key, b""), Fixity.MISMATCH, "truncated"),
        (lambda store, kept: store.delete(kept.key), Fixity.MISSING, ""),
    ],
)
def test_damage_is_found_and_named(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, damage: Break, outcome: Fixity, note: str
) -> None:
    kept = keep(catalogue, stores)
    damage(stores[1], kept)
    audit = _auditor(catalogue, stores, clock).audit(kept.id)
    assert [check.outcome for check in audit.checks] == [Fixity.MATCH, outcome]
    assert [check.store for check in audit.damaged] == [stores[1].id]
    assert audit.damaged[0].reads == 2
    state = _states(catalogue, kept)["kho-2"]
    assert (state.outcome, state.due) == (outcome, clock.now + RETRY)
    event = _fixity_events(catalogue, kept)[-1]
    assert (event.outcome, event.store, event.at) == (outcome.value, stores[1].id, clock.now)
    assert note in event.note
    assert catalogue.fixity.damaged() == [state]


def test_a_damage_tells_expected_and_found(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, stores)
    _flip_content(stores[0], kept)
    audit = _auditor(catalogue, stores, clock).audit(kept.id)
    assert kept.member("ảnh.pdf").sha256.hex() in audit.damaged[0].note


class _Glitch(FaultStore):
    """Flips a bit in the first ``times`` reads of the AIP object."""

    def __init__(self, inner: Store, times: int) -> None:
        self.left = times
        super().__init__(inner, self._decide)

    def _decide(self, call: Call) -> Fault | None:
        if call.operation == "read" and call.key.endswith(".zip") and self.left:
            self.left -= 1
            return Fault.FLIP
        return None


def test_one_bad_read_is_no_alarm(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, stores)
    audit = _auditor(catalogue, [_Glitch(stores[0], 1), stores[1]], clock).audit(kept.id)
    assert audit.damaged == ()
    assert [check.outcome for check in audit.checks] == [Fixity.MATCH, Fixity.MATCH]
    assert "another read gave MISMATCH" in audit.checks[0].note
    assert _states(catalogue, kept)["kho-1"].outcome is Fixity.MATCH


def test_reads_that_never_agree_are_unreadable(stores: list[MemoryStore]) -> None:
    kept = keep(None, stores)
    check = check_replica(_Fresh(stores[0], kept), kept.key, lambda: iter(kept.members))
    assert (check.outcome, check.reads, check.damages) == (Fixity.UNREADABLE, 3, ())
    assert "khác nhau" in check.note


class _Fresh(FaultStore):
    """Flips another bit of the object before each whole read."""

    def __init__(self, inner: MemoryStore, kept: Kept) -> None:
        super().__init__(inner, lambda call: None)
        self._base = MemoryStore(inner.id)
        self._good = raw(inner, kept.key)
        self._kept = kept
        self._turn = 0

    def open(self, key: str, start: int = 0, length: int | None = None):  # type: ignore[no-untyped-def]
        if start == 0 and length is None:
            self._turn += 1
            data = bytearray(self._good)
            data[self._kept.member("ảnh.pdf").data + self._turn] ^= 1
            replace(self._base, key, bytes(data))
        return self._base.open(key, start, length)


def test_a_store_that_is_away_is_neither_good_nor_bad(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, stores)
    clock.forward()
    away = FaultStore(stores[1], lambda call: Fault.BEFORE)
    report = _auditor(catalogue, [stores[0], away], clock).audit_batch(5)
    assert report.replicas == {Fixity.MATCH: 1, Fixity.UNREADABLE: 1}
    assert report.damaged == []
    state = _states(catalogue, kept)["kho-2"]
    assert (state.outcome, state.due) == (Fixity.UNREADABLE, clock.now + RETRY)
    assert stores[1].head(log_key(kept.key, 2)) is None
    clock.forward(RETRY)
    assert _auditor(catalogue, stores, clock).audit_batch(5).replicas == {Fixity.MATCH: 1}
    assert [entry.number for entry in read_log(stores[1], kept.key)] == [1, 2, 3]
    assert list(read_log(stores[0], kept.key)) == list(read_log(stores[1], kept.key))


@pytest.mark.parametrize("how", ["due", "each"])
def test_a_store_that_is_away_is_waited_for_once(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, how: str
) -> None:
    """The other store's replicas are read as ever."""
    kept = [keep(catalogue, stores, name) for name in "abcd"]
    clock.forward()
    asked: list[str] = []

    def away(call: Call) -> Fault:
        asked.append(call.key)
        return Fault.BEFORE

    auditor = _auditor(catalogue, [stores[0], BreakerStore(FaultStore(stores[1], away))], clock)
    report = auditor.audit_batch(9) if how == "due" else auditor.audit_each([one.id for one in kept])
    assert (report.audited, report.replicas) == (4, {Fixity.MATCH: 4, Fixity.UNREADABLE: 4})
    assert len(asked) == 2
    clock.forward(RETRY)
    assert _auditor(catalogue, stores, clock).audit_batch(9).replicas == {Fixity.MATCH: 4}


def test_when_no_store_answers_nothing_is_written(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, stores)
    clock.forward()
    before = list(catalogue.dump())
    away = [FaultStore(store, lambda call: Fault.BEFORE) for store in stores]
    report = _auditor(catalogue, away, clock).audit_batch(5)
    assert (report.audited, report.postponed) == (0, 1)
    assert list(catalogue.dump()) == before
    with pytest.raises(StoreUnavailable):
        _auditor(catalogue, away, clock).audit(kept.id)
    clock.forward(RETRY)
    assert _auditor(catalogue, stores, clock).audit_batch(5).audited == 1


def test_a_store_that_nobody_knows_is_unreadable(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, stores)
    audit = _auditor(catalogue, stores[:1], clock).audit(kept.id)
    assert [check.outcome for check in audit.checks] == [Fixity.MATCH, Fixity.UNREADABLE]
    assert "cấu hình" in audit.checks[1].note


def test_a_version_under_lease_is_left_alone(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, stores)
    catalogue.fixity.lease_version(kept.id, clock.now, timedelta(minutes=5), "other")
    with pytest.raises(Busy):
        _auditor(catalogue, stores, clock).audit(kept.id)


def test_a_version_not_held_is_not_found(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    with pytest.raises(NotFound):
        _auditor(catalogue, stores, clock).audit(keep(None, stores).id)


def test_a_long_audit_renews_its_lease(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, stores)
    lease = timedelta(minutes=1)

    def slow(_: int) -> None:
        clock.forward(timedelta(seconds=45))
        with pytest.raises(Busy):
            catalogue.fixity.lease_version(kept.id, clock.now, lease, "other")

    assert _auditor(catalogue, stores, clock, lease=lease).audit(kept.id, slow).damaged == ()


def test_a_lost_lease_writes_nothing(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, stores)
    taken = []

    def stalled(_: int) -> None:
        if not taken:
            clock.forward(timedelta(hours=5))
            taken.append(catalogue.fixity.lease_version(kept.id, clock.now, timedelta(hours=9), "other"))
            clock.forward(timedelta(hours=1))

    before = list(catalogue.dump())
    with pytest.raises(Busy):
        _auditor(catalogue, stores, clock).audit(kept.id, stalled)
    assert list(catalogue.dump()) == before
    assert catalogue.fixity.give_back(taken[0])


def test_events_logged_by_a_worker_that_died_are_adopted(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep(catalogue, stores)
    auditor = _auditor(catalogue, stores, clock)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(catalogue.fixity, "finish", die)
        with pytest.raises(KeyboardInterrupt):
            auditor.audit(kept.id)
    clock.forward(timedelta(hours=2))
    auditor.audit(kept.id)
    logged = [event for entry in read_log(stores[0], kept.key) for event in entry.events]
    assert catalogue.events.of(kept.id) == [*kept.events, *logged]
    assert len(_fixity_events(catalogue, kept)) == 4


def test_stores_that_are_away_in_turn_have_one_log_in_the_end(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    """One audit is logged in the one store only, the next in the other only: each then has what the other lacks."""
    kept = keep(catalogue, stores)
    for away in (*stores, None):
        clock.forward()
        faulty = [FaultStore(store, lambda _, gone=store is away: Fault.BEFORE if gone else None) for store in stores]
        _auditor(catalogue, faulty, clock).audit(kept.id)
    logs = [list(read_log(store, kept.key)) for store in stores]
    assert logs[0] == logs[1]
    assert catalogue.events.of(kept.id) == [*kept.events, *(event for entry in logs[0] for event in entry.events)]


def test_logs_that_contradict_each_other_stop_nobody_else(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept, other = keep(catalogue, stores, "a"), keep(catalogue, stores, "b")
    for store in stores:
        store.put(log_key(kept.key, 2), b"%s" % store.id.value.encode())
    clock.forward()
    report = _auditor(catalogue, stores, clock).audit_batch(5)
    assert report.audited == 1
    assert [version for version, _ in report.failed] == [kept.id]
    assert _states(catalogue, other)["kho-1"].checked == clock.now


def test_what_cannot_be_finished_does_not_stand_before_the_others(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    """The longest due contradict themselves or lie in stores that are away: batch by batch the rest comes to its
    turn."""
    away = [MemoryStore(StoreId("kho-8")), MemoryStore(StoreId("kho-9"))]
    torn, gone = keep(catalogue, stores, "a"), keep(catalogue, away, "b")
    others = [keep(catalogue, stores, name) for name in "cd"]
    for store in stores:
        store.put(log_key(torn.key, 2), b"%s" % store.id.value.encode())
    clock.forward()
    seen = [*stores, *(FaultStore(store, lambda call: Fault.BEFORE) for store in away)]
    reports = [_auditor(catalogue, seen, clock).audit_batch(1) for _ in range(4)]
    assert sum(report.audited for report in reports) == len(others)
    assert [version for report in reports for version, _ in report.failed] == [torn.id]
    assert sum(report.postponed for report in reports) == 1
    clock.forward(RETRY)
    assert {one.version for one in catalogue.fixity.due(clock.now)} == {torn.id, gone.id}


def test_many_damages_are_counted_not_listed(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, stores, files=[File(f"{number}.pdf", b"x") for number in range(30)])
    for member in kept.members[1:31]:
        flip(stores[0], kept.key, member.data)
    (damaged,) = _auditor(catalogue, stores, clock).audit(kept.id).damaged
    assert (damaged.damage_count, len(damaged.damages)) == (30, 30)
    assert "19.pdf: data" in damaged.note
    assert "20.pdf: data" not in damaged.note
    assert damaged.note.endswith("… (+10)")


def _harm(stores: list[MemoryStore], kept: list[Kept]) -> list[Store]:
    """One whole, one flipped, one missing, one torn, one whole; one store of the rest is away for one of them."""
    flip(stores[0], kept[1].key, 200)
    stores[1].delete(kept[2].key)
    for store in stores:
        store.put(log_key(kept[3].key, 2), b"%s" % store.id.value.encode())

    def away(call: Call) -> Fault | None:
        return Fault.BEFORE if call.key == kept[4].key else None

    return [stores[0], FaultStore(stores[1], away)]


def test_several_readers_find_what_one_finds(
    either_catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two are read at once (each waits for the other), and all outcomes are those of one reader."""
    catalogue = either_catalogue
    kept = [keep(catalogue, stores, name) for name in "abcdef"]
    seen = _harm(stores, kept)
    clock.forward()
    meeting, look = threading.Barrier(2, timeout=30), Auditor.look

    def together(self: Auditor, *args: Any) -> Any:
        meeting.wait()
        return look(self, *args)

    monkeypatch.setattr(Auditor, "look", together)
    told: list[int] = []
    report = _auditor(catalogue, seen, clock, readers=2).audit_batch(9, told.append)
    assert (report.audited, report.postponed) == (5, 0)
    assert report.replicas == {Fixity.MATCH: 7, Fixity.MISMATCH: 1, Fixity.MISSING: 1, Fixity.UNREADABLE: 1}
    assert {audit.version for audit in report.damaged} == {kept[1].id, kept[2].id}
    assert [version for version, _ in report.failed] == [kept[3].id]
    assert sum(told) >= report.bytes_read // 2 > 0
    for one in (kept[0], kept[5]):
        assert {replica.outcome for replica in _states(catalogue, one).values()} == {Fixity.MATCH}
        assert list(read_log(stores[0], one.key)) == list(read_log(stores[1], one.key))


def test_an_error_in_one_reader_costs_one_version(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [keep(catalogue, stores, name) for name in "abcd"]
    clock.forward()
    look = Auditor.look

    def broken(self: Auditor, lease: Lease, *args: Any) -> Any:
        if lease.version == kept[0].id:
            raise RuntimeError("nobody thought of this")
        return look(self, lease, *args)

    monkeypatch.setattr(Auditor, "look", broken)
    with pytest.raises(RuntimeError, match="nobody thought"):
        _auditor(catalogue, stores, clock, readers=2).audit_batch(9)
    checked = {one.id: _states(catalogue, one)["kho-1"].checked == clock.now for one in kept}
    assert checked == {kept[0].id: False, kept[1].id: True, kept[2].id: True, kept[3].id: True}
