"""Audits that people begin and steer, and the light look: what they do, and what they never alarm about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest

from metadata.audits import AuditKind, AuditState
from metadata.catalogue import Catalogue
from metadata.errors import NotFound, TemporaryError, UsageError
from metadata.identifiers import StoreId
from metadata.incidents import IncidentKind
from metadata.outcomes import Fixity
from preservation.audit import Auditor
from preservation.audits import Audits
from preservation.budgets import Budget, Budgets
from preservation.checks import Schedule
from preservation.incidents import Incidents
from preservation.journal import ArchiveJournal
from preservation.light import look_lightly
from preservation.reconciliation import Reconciler
from storage.log import read_log
from storage.port import ObjectInfo
from storage.stores.memory import MemoryStore
from tests.builders.kept import AGENT, PERIOD, Clock, Kept, flip, keep, raw, replace

FIRST = StoreId("kho-1")


def _audits(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, budgets: Budgets | None = None) -> Audits:
    by_id = {store.id: store for store in stores}
    auditor = Auditor(catalogue, by_id, clock, AGENT, Schedule(PERIOD))
    return Audits(catalogue, auditor, by_id, ArchiveJournal(catalogue, stores, clock, AGENT), clock, budgets)


def _ticks(count: int) -> Iterator[float]:
    yield from ([0.0] * count)
    while True:
        yield 100.0


class TestDeep:
    def test_it_reads_one_store_whole_and_ends(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
    ) -> None:
        kept = [keep(catalogue, stores, name) for name in "abc"]
        flip(stores[0], kept[1].key, kept[1].member("ảnh.pdf").data + 5)
        clock.forward(timedelta(days=1))
        audits = _audits(catalogue, stores, clock)
        one = audits.begin(AuditKind.DEEP, FIRST, person="An")
        assert (one.replicas, one.bytes) == (3, sum(held.version.size for held in kept))
        report = audits.step(one.id)
        assert report.replicas == {Fixity.MATCH: 2, Fixity.MISMATCH: 1}
        end = catalogue.audits.get(one.id)
        assert (end.state, end.done, end.done_bytes, end.damaged) == (AuditState.DONE, 3, one.bytes, 1)
        assert [told.entry.act for told in catalogue.journal.entries(subject=one.id)] == ["done", "begun"]
        others = [r for held in kept for r in catalogue.holdings.replicas(held.id) if r.store != FIRST]
        assert all(replica.checked != clock.now for replica in others)

    def test_steps_go_on_where_the_last_one_stopped(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
    ) -> None:
        for name in "abcd":
            keep(catalogue, stores, name)
        one = _audits(catalogue, stores, clock).begin(AuditKind.DEEP, FIRST)
        done = []
        while _audits(catalogue, stores, clock).running():
            ticks = _ticks(2)
            _audits(catalogue, stores, clock).step(one.id, 20, lambda ticks=ticks: next(ticks))  # type: ignore[misc]
            done.append(catalogue.audits.get(one.id).done)
        assert done == [1, 2, 3, 4]

    def test_a_paused_one_does_nothing_and_a_stopped_one_never_again(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
    ) -> None:
        keep(catalogue, stores)
        audits = _audits(catalogue, stores, clock)
        one = audits.begin(AuditKind.DEEP, FIRST)
        assert audits.pause(one.id, "An").state is AuditState.PAUSED
        assert audits.step(one.id).audited == 0
        assert audits.resume(one.id, "An").state is AuditState.RUNNING
        assert audits.stop(one.id, "An").state is AuditState.STOPPED
        assert audits.resume(one.id, "An").state is AuditState.STOPPED
        assert audits.step(one.id).audited == 0

    def test_two_workers_count_nothing_twice(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
    ) -> None:
        keep(catalogue, stores)
        one = _audits(catalogue, stores, clock).begin(AuditKind.DEEP, FIRST)
        assert catalogue.audits.advance(one.id, "", "x", clock.now, 1, 5)
        assert not catalogue.audits.advance(one.id, "", "x", clock.now, 1, 5)
        assert catalogue.audits.get(one.id).done == 1

    def test_a_month_spent_or_a_closed_hour_reads_nothing(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
    ) -> None:
        keep(catalogue, stores)
        local = (clock.now + timedelta(hours=7)).hour
        shut = Budgets({FIRST: Budget(hours=((local + 1) % 24, (local + 2) % 24))})
        for budgets in (shut, Budgets({FIRST: Budget(price=1e9)}, 1.0)):
            audits = _audits(catalogue, stores, clock, budgets)
            one = audits.begin(AuditKind.DEEP, FIRST)
            assert audits.step(one.id).audited == 0
            assert catalogue.audits.get(one.id).state is AuditState.RUNNING

    def test_a_sample_is_the_same_for_every_worker(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
    ) -> None:
        for number in range(12):
            keep(catalogue, stores, str(number))
        audits = _audits(catalogue, stores, clock)
        one = audits.begin(AuditKind.SAMPLE, FIRST, share=0.5)
        assert one.replicas == 6
        read = audits.step(one.id).audited
        assert 0 < read < 12
        assert catalogue.audits.get(one.id).done == read

    def test_what_cannot_be_is_refused(self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
        audits = _audits(catalogue, stores, clock)
        with pytest.raises(NotFound):
            audits.begin(AuditKind.DEEP, StoreId("kho-9"))
        with pytest.raises(UsageError):
            audits.begin(AuditKind.SAMPLE, FIRST, share=0)
        with pytest.raises(NotFound):
            audits.pause("x")

    def test_none_is_begun_by_a_clock_that_cannot_be_right(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
    ) -> None:
        kept = keep(catalogue, stores)
        audits = _audits(catalogue, stores, clock)
        one = audits.begin(AuditKind.DEEP, FIRST)
        before = catalogue.holdings.replicas(kept.id)
        clock.forward(timedelta(days=3650))
        with pytest.raises(TemporaryError, match="clock"):
            audits.begin(AuditKind.DEEP, FIRST)
        with pytest.raises(TemporaryError, match="clock"):
            audits.step(one.id)
        assert catalogue.holdings.replicas(kept.id) == before
        assert [told.entry.act for told in catalogue.journal.entries()] == ["begun"]
        clock.forward(timedelta(days=-3649))
        assert audits.step(one.id).replicas == {Fixity.MATCH: 1}

    def test_a_standing_one_is_begun_once(self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
        audits = _audits(catalogue, stores, clock)
        first = audits.begin(AuditKind.LIGHT, FIRST, standing=True)
        assert audits.begin(AuditKind.LIGHT, FIRST, standing=True).id == first.id
        audits.step(first.id)
        assert audits.begin(AuditKind.LIGHT, FIRST, standing=True).id != first.id


class _Stale(MemoryStore):
    """Lists what was there a while ago."""

    stale: tuple[ObjectInfo, ...] = ()

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        return iter([one for one in self.stale if one.key.startswith(prefix) and one.key > after])


class TestLight:
    def test_clean_objects_stay_as_they_are(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
    ) -> None:
        for name in "abc":
            keep(catalogue, stores, name)
        listed: list[str] = []
        report = look_lightly(
            catalogue, stores[0], clock, on_listed=lambda infos: listed.extend(info.key for info in infos)
        )
        assert (report.objects, report.doubtful, report.place) == (3, 0, None)
        assert listed == [info.key for info in stores[0].list()]
        assert catalogue.fixity.due(clock.now) == []

    def test_what_looks_wrong_is_only_made_due(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
    ) -> None:
        lost, short, fine = (keep(catalogue, stores, name) for name in "abc")
        stores[0].delete(lost.key)
        replace(stores[0], short.key, raw(stores[0], short.key)[:-1])
        before = [catalogue.holdings.replicas(one.id)[0].outcome for one in (lost, short, fine)]
        assert look_lightly(catalogue, stores[0], clock).doubtful == 2
        assert [catalogue.holdings.replicas(one.id)[0].outcome for one in (lost, short, fine)] == before
        due = catalogue.fixity.due(clock.now)
        assert {(one.version, one.store) for one in due} == {(lost.id, FIRST), (short.id, FIRST)}
        auditor = Auditor(catalogue, {store.id: store for store in stores}, clock, AGENT, Schedule(PERIOD))
        assert auditor.audit_batch(9).replicas == {Fixity.MISSING: 1, Fixity.MISMATCH: 1}

    def test_what_is_due_too_late_comes_due_within_a_period(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
    ) -> None:
        held = keep(catalogue, stores, "a")
        strict = Schedule(PERIOD, stores={FIRST: timedelta(days=30)})
        look_lightly(catalogue, stores[0], clock, schedule=strict)
        look_lightly(catalogue, stores[1], clock, schedule=strict)
        dues = {one.store: one.due - clock.now for one in catalogue.holdings.replicas(held.id)}
        assert dues == {FIRST: timedelta(days=30), stores[1].id: PERIOD}
        assert catalogue.fixity.due(clock.now + timedelta(days=29)) == []
        assert [one.store for one in catalogue.fixity.due(clock.now + timedelta(days=30))] == [FIRST]

    def test_a_look_is_followed_by_the_period_of_store_and_fonds(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
    ) -> None:
        held = keep(catalogue, stores, "a")
        by_id = {store.id: store for store in stores}
        own = Schedule(PERIOD, stores={FIRST: timedelta(days=400)})
        both = Schedule(PERIOD, stores={FIRST: timedelta(days=400)}, fonds={held.version.fonds: timedelta(days=7)})
        for schedule, days in ((own, [400, 90]), (both, [7, 7])):
            Auditor(catalogue, by_id, clock, AGENT, schedule).audit(held.id)
            assert [(one.due - clock.now).days for one in catalogue.holdings.replicas(held.id)] == days

    def test_a_stale_list_is_no_loss(self, catalogue: Catalogue, clock: Clock) -> None:
        stale = _Stale(FIRST)
        stores = [stale, MemoryStore(StoreId("kho-2"))]
        kept: list[Kept] = [keep(catalogue, stores, name) for name in "abc"]
        wrong = ObjectInfo(kept[0].key, 1, clock.now)
        stale.stale = (wrong,)
        assert look_lightly(catalogue, stale, clock).doubtful == 0
        assert catalogue.fixity.due(clock.now) == []


def test_light_audits_tell_strangers_that_stay_however_many_steps_they_take(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("preservation.light._PAGE", 2)
    for number in range(4):
        keep(catalogue, stores, str(number))
    for key in ("0/a.bin", "lạ/tệp.bin", "lạ/tệp khác.bin"):
        stores[0].put(key, b"abc")
    by_id = {store.id: store for store in stores}
    journal = ArchiveJournal(catalogue, stores, clock, AGENT)
    strangers = Reconciler(catalogue, by_id, Incidents(catalogue, journal, clock), journal, clock, timedelta(days=1))
    audits = Audits(catalogue, Auditor(catalogue, by_id, clock, AGENT), by_id, journal, clock, reconciler=strangers)

    def whole_store() -> int:
        one, steps = audits.begin(AuditKind.LIGHT, FIRST, standing=True), 0
        while audits.running():
            ticks = _ticks(1)
            audits.step(one.id, 20, partial(next, ticks))
            steps, clock.now = steps + 1, clock.now + timedelta(minutes=1)
        assert catalogue.audits.get(one.id).done == 4
        return steps

    assert whole_store() == 3
    assert {one.key for one in catalogue.strangers.listed(FIRST)} == {"0/a.bin", "lạ/tệp.bin", "lạ/tệp khác.bin"}
    assert catalogue.incidents.listed() == []
    stores[0].delete("0/a.bin")
    clock.forward(timedelta(days=1))
    whole_store()
    incident = catalogue.incidents.listed(kind=IncidentKind.STRANGER)[0]
    assert (incident.subject, incident.facts["count"]) == (FIRST.value, 2)
    assert {one.key for one in catalogue.strangers.listed(FIRST)} == {"lạ/tệp.bin", "lạ/tệp khác.bin"}


def test_an_audit_of_one_store_goes_on_with_the_log_in_all(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, stores)
    auditor = Auditor(catalogue, {store.id: store for store in stores}, clock, AGENT, Schedule(PERIOD))
    auditor.audit(kept.id, stores=[FIRST])
    first, second = (list(read_log(store, kept.key)) for store in stores)
    assert first == second
    assert len(first) == 2


class _Cold(MemoryStore):
    """Brings nothing up before it is told."""

    up = False

    def thaw(self, key: str) -> bool:
        return self.up


def test_a_frozen_replica_is_put_off_and_not_counted(catalogue: Catalogue, clock: Clock) -> None:
    cold = _Cold(StoreId("kho-2"))
    stores = [MemoryStore(FIRST), cold]
    kept = keep(catalogue, stores)
    clock.forward(PERIOD)
    schedule = Schedule(PERIOD)
    auditor = Auditor(catalogue, {store.id: store for store in stores}, clock, AGENT, schedule)
    assert auditor.audit_batch(5).replicas == {Fixity.MATCH: 1}
    assert auditor.audit_batch(5).replicas == {}
    assert {one.store: one.outcome for one in catalogue.holdings.replicas(kept.id)}[cold.id] is Fixity.MATCH
    clock.forward(schedule.retry)
    assert auditor.audit_batch(5).postponed == 1
    cold.up = True
    clock.forward(schedule.retry)
    assert auditor.audit_batch(5).replicas == {Fixity.MATCH: 1}
    assert catalogue.fixity.due(clock.now) == []
