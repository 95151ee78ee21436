"""The logs beside the AIPs stay whole in every store, whatever breaks off, and a light look sees where they are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from metadata.catalogue import Catalogue
from metadata.errors import OnShelf, StoreUnavailable
from metadata.identifiers import ArchiveCode, StoreId
from metadata.incidents import IncidentKind, IncidentState
from metadata.journal import EntryKind
from metadata.outcomes import Fixity
from preservation.audit import Auditor
from preservation.budgets import Budgets
from preservation.checks import Schedule
from preservation.incidents import Incidents
from preservation.journal import ArchiveJournal
from preservation.life import restore_log
from preservation.light import LightReport, look_lightly
from preservation.repair import Repairer
from preservation.standing import StandingAudits
from preservation.watch import Watch
from storage.journal import read_journal
from storage.keys import SET_KEY, journal_key, log_key, log_prefix
from storage.log import read_log
from storage.media import gather, seal
from storage.port import ObjectInfo, Store
from storage.stores.directory import DirectoryStore
from storage.stores.memory import MemoryStore
from storage.wrappers import Call, Fault, FaultStore
from tests.builders.kept import AGENT, PERIOD, Clock, Kept, flip, keep, raw, replace

SECOND = StoreId("kho-2")
Harm = Callable[[Store, Kept], None]


def _auditor(catalogue: Catalogue, stores: list[Store], clock: Clock) -> Auditor:
    return Auditor(catalogue, {store.id: store for store in stores}, clock, AGENT, Schedule(PERIOD))


def _grown(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, name: str = "a") -> Kept:
    """An AIP whose log has five objects."""
    kept = keep(catalogue, stores, name)
    for _ in range(4):
        clock.forward()
        _auditor(catalogue, [*stores], clock).audit(kept.id)
    return kept


def _listed(store: Store, kept: Kept) -> list[str]:
    return [info.key[-11:-5] for info in store.list(log_prefix(kept.key))]


def _nothing(store: Store, kept: Kept) -> None:
    for info in list(store.list(log_prefix(kept.key))):
        store.delete(info.key)


def _short(store: Store, kept: Kept) -> None:
    for number in (4, 5):
        store.delete(log_key(kept.key, number))


def _holed(store: Store, kept: Kept) -> None:
    for number in (1, 3):
        store.delete(log_key(kept.key, number))


harms = pytest.mark.parametrize("harm", [_nothing, _short, _holed])


@pytest.mark.parametrize("puts", range(5))
def test_a_restore_that_breaks_off_leaves_no_hole_and_the_next_look_goes_on(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, puts: int
) -> None:
    kept = _grown(catalogue, stores, clock)
    head = catalogue.events.head(kept.id)
    assert head is not None and head.number == 5
    _nothing(stores[1], kept)
    done: list[str] = []

    def plan(call: Call) -> Fault | None:
        if call.operation == "put":
            done.append(call.key)
        return Fault.BEFORE if len(done) > puts else None

    with pytest.raises(StoreUnavailable):
        restore_log([stores[0], FaultStore(stores[1], plan)], kept.key, head)
    assert _listed(stores[1], kept) == [f"{number:06d}" for number in range(1, puts + 1)]
    clock.forward()
    _auditor(catalogue, [*stores], clock).audit(kept.id)
    assert list(read_log(stores[1], kept.key)) == list(read_log(stores[0], kept.key))


def test_what_does_not_belong_into_a_log_is_replaced_by_the_next_look(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = _grown(catalogue, stores, clock)
    replace(stores[1], log_key(kept.key, 6), b"{}")
    clock.forward()
    audit = _auditor(catalogue, [*stores], clock).audit(kept.id)
    assert [check.outcome for check in audit.checks] == [Fixity.MATCH] * 2
    assert list(read_log(stores[1], kept.key)) == list(read_log(stores[0], kept.key))


def test_a_closed_medium_is_audited_and_its_log_ends_when_it_was_closed(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, tmp_path: Path
) -> None:
    medium = _medium(tmp_path)
    kept = keep(catalogue, [*stores, medium])
    gather(medium, stores)
    seal(medium, "Băng 1", datetime(2026, 4, 1, tzinfo=UTC))
    for _ in range(2):
        clock.forward()
        report = _auditor(catalogue, [*stores, medium], clock).audit_batch(5)
        assert (report.replicas, report.postponed, report.failed) == ({Fixity.MATCH: 3}, 0, [])
    assert _listed(medium, kept) == ["000001"]
    assert _listed(stores[0], kept) == ["000001", "000002", "000003"]


def _light(catalogue: Catalogue, stores: list[Store], clock: Clock, **limits: object) -> LightReport:
    auditor = _auditor(catalogue, stores, clock)
    return look_lightly(catalogue, stores[-1], clock, mend_log=auditor.mend_log, **limits)  # type: ignore[arg-type]


@harms
def test_a_light_look_makes_a_log_whole_that_lacks_objects(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, harm: Harm
) -> None:
    kept, other = _grown(catalogue, stores, clock), _grown(catalogue, stores, clock, "b")
    before, due = list(catalogue.dump()), catalogue.fixity.due(clock.now)
    harm(stores[1], kept)
    report = _light(catalogue, [*stores], clock)
    assert (report.objects, report.logs, report.doubtful, report.place) == (2, 1, 0, None)
    for one in (kept, other):
        assert list(read_log(stores[1], one.key)) == list(read_log(stores[0], one.key))
    assert (list(catalogue.dump()), catalogue.fixity.due(clock.now)) == (before, due)
    assert _light(catalogue, [*stores], clock).logs == 0


def test_a_light_look_reads_no_log_that_is_whole(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    for name in "abc":
        _grown(catalogue, stores, clock, name)
    seen = FaultStore(stores[1], lambda _: None)
    _light(catalogue, [stores[0], seen], clock)
    assert [call.operation for call in seen.calls if call.operation != "list"] == ["head"]
    assert seen.calls[0].key == SET_KEY or seen.calls[1].key == SET_KEY


@harms
@pytest.mark.parametrize(("fault", "tried"), [(Fault.FULL, 1), (Fault.BEFORE, 3)])
def test_logs_that_cannot_be_made_whole_now_are_counted_and_met_again(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, harm: Harm, fault: Fault, tried: int
) -> None:
    """Nothing comes due for it: of a full store all that was audited meanwhile would."""
    for name in "abc":
        harm(stores[1], _grown(catalogue, stores, clock, name))
    due = catalogue.fixity.due(clock.now)
    bad = FaultStore(stores[1], lambda call: fault if call.operation == "put" else None)
    report = _light(catalogue, [stores[0], bad], clock)
    assert (report.logs, report.short, report.doubtful) == (0, 3, 0)
    assert len([call for call in bad.calls if call.operation == "put"]) == tried
    assert catalogue.fixity.due(clock.now) == due
    assert _light(catalogue, [*stores], clock).logs == 3


def test_a_list_that_is_behind_makes_no_log_short(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = _grown(catalogue, stores, clock)

    class Behind(MemoryStore):
        def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
            hidden = {log_key(kept.key, 2), log_key(kept.key, 5)}
            return (info for info in super().list(prefix, after) if info.key not in hidden)

    behind = Behind(SECOND)
    for info in stores[1].list():
        behind.put(info.key, raw(stores[1], info.key))
    clock.forward(timedelta(hours=1))
    seen = FaultStore(behind, lambda _: None)
    report = look_lightly(catalogue, seen, clock)
    assert report.logs == 0
    assert {call.operation for call in seen.calls} == {"list", "head"}


def test_mending_stops_when_it_is_told_to_and_goes_on_there(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = [_grown(catalogue, stores, clock, name) for name in "abc"]
    for one in kept:
        _short(stores[1], one)
    place, mended = "", []
    for _ in range(4):
        report = _light(catalogue, [*stores], clock, after=place, keep_on=lambda: False)
        mended.append(report.logs)
        if report.place is None:
            break
        place = report.place
    assert mended == [1, 1, 1, 0]
    assert all(list(read_log(stores[1], one.key)) == list(read_log(stores[0], one.key)) for one in kept)


def test_log_objects_that_no_store_has_are_told_once(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = _grown(catalogue, stores, clock)
    by_id: dict[StoreId, Store] = {store.id: store for store in stores}
    incidents = Incidents(catalogue, ArchiveJournal(catalogue, stores, clock, AGENT), clock)
    watch = Watch(catalogue, incidents, clock, asked=lambda: by_id)
    auditor = Auditor(catalogue, by_id, clock, AGENT, Schedule(PERIOD), watch=watch)
    for store in stores:
        for number in (1, 2):
            store.delete(log_key(kept.key, number))
    for _ in range(2):
        report = look_lightly(catalogue, stores[1], clock, mend_log=auditor.mend_log)
        assert report.doubtful == 0
    (told,) = catalogue.incidents.listed()
    assert (told.kind, told.facts) == (IncidentKind.LOG, {"lost": [1, 2]})
    incidents.close(told.id, "mất ở mọi nơi lưu", "không khôi phục được", "Lan", unmended=True)
    look_lightly(catalogue, stores[1], clock, mend_log=auditor.mend_log)
    assert [one.state for one in catalogue.incidents.listed()] == [IncidentState.CLOSED]


def test_what_a_store_that_is_away_may_have_is_not_lost(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = _grown(catalogue, stores, clock)
    _holed(stores[1], kept)
    away = FaultStore(stores[0], lambda _: Fault.BEFORE)
    by_id: dict[StoreId, Store] = {away.id: away, SECOND: stores[1]}
    incidents = Incidents(catalogue, ArchiveJournal(catalogue, stores, clock, AGENT), clock)
    watch = Watch(catalogue, incidents, clock, asked=lambda: by_id)
    auditor = Auditor(catalogue, by_id, clock, AGENT, Schedule(PERIOD), watch=watch)
    report = look_lightly(catalogue, stores[1], clock, mend_log=auditor.mend_log)
    assert (report.logs, report.short, report.doubtful) == (0, 1, 0)
    repaired = Repairer(catalogue, by_id, clock, AGENT, Schedule(PERIOD), watch=watch).repair(kept.id)
    assert repaired.log_lost == ()
    assert catalogue.incidents.listed() == []


def test_a_third_store_that_is_full_stops_no_mending(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    third = MemoryStore(StoreId("kho-0"))
    kept = _grown(catalogue, [*stores, third], clock)
    for store in (third, stores[1]):
        _nothing(store, kept)
    full = FaultStore(third, lambda call: Fault.FULL if call.operation == "put" else None)
    assert _light(catalogue, [full, *stores], clock).logs == 1
    assert list(read_log(stores[1], kept.key)) == list(read_log(stores[0], kept.key))


@pytest.mark.parametrize("lost", [[1], [2, 3], [4], [1, 2, 3, 4]])
def test_a_light_look_makes_the_archives_journal_whole(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, lost: list[int]
) -> None:
    keep(catalogue, stores)
    journal = ArchiveJournal(catalogue, stores, clock, AGENT)
    for act in "abcd":
        journal.write(EntryKind.BACKUP, "x", act)
    for number in lost:
        stores[1].delete(journal_key(number))
    _light(catalogue, [*stores], clock)
    assert list(read_journal(stores[1])) == list(read_journal(stores[0]))


def test_a_light_look_at_a_closed_medium_asks_for_no_later_log(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, tmp_path: Path
) -> None:
    medium = _medium(tmp_path)
    keep(catalogue, [*stores, medium])
    gather(medium, stores)
    seal(medium, "Băng 1", datetime(2026, 4, 1, tzinfo=UTC))
    clock.forward()
    assert _auditor(catalogue, [*stores, medium], clock).audit_batch(5).replicas == {Fixity.MATCH: 3}
    assert _light(catalogue, [*stores, medium], clock) == LightReport(1, _size(catalogue))


def _size(catalogue: Catalogue) -> int:
    return sum(one.size for one in catalogue.holdings.versions(10))


def _medium(folder: Path) -> DirectoryStore:
    medium = DirectoryStore(StoreId("bang-1"), folder / "medium", "Băng 1", offline=True)
    medium.create(ArchiveCode("LT-DT"))
    return medium


def _three(catalogue: Catalogue, stores: list[MemoryStore], medium: DirectoryStore) -> Kept:
    return keep(catalogue, [*stores, medium])


class TestMediumOnTheShelf:
    """A medium that is not connected is neither good nor bad, costs nothing, and is due as soon as it is there."""

    @pytest.fixture
    def medium(self, tmp_path: Path) -> DirectoryStore:
        return _medium(tmp_path)

    def _auditor(self, catalogue: Catalogue, stores: Sequence[Store], clock: Clock, watch: Watch | None) -> Auditor:
        by_id = {store.id: store for store in stores}
        return Auditor(catalogue, by_id, clock, AGENT, Schedule(PERIOD), watch=watch, media=[StoreId("bang-1")])

    def _take_away(self, tmp_path: Path) -> None:
        (tmp_path / "medium").rename(tmp_path / "shelf")

    def _bring(self, tmp_path: Path) -> None:
        (tmp_path / "shelf").rename(tmp_path / "medium")

    def test_nothing_is_due_until_it_is_connected(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, medium: DirectoryStore, tmp_path: Path
    ) -> None:
        kept = _three(catalogue, stores, medium)
        before = catalogue.holdings.replicas(kept.id)
        self._take_away(tmp_path)
        clock.forward()
        auditor = self._auditor(catalogue, [*stores, medium], clock, None)
        assert auditor.audit_batch(5).replicas == {Fixity.MATCH: 2}
        for _ in range(3):
            clock.forward(timedelta(hours=2))
            assert auditor.audit_batch(5).audited == 0
        assert [one for one in catalogue.holdings.replicas(kept.id) if one.store == medium.id] == [
            one for one in before if one.store == medium.id
        ]
        self._bring(tmp_path)
        assert auditor.audit_batch(5).replicas == {Fixity.MATCH: 1}
        assert list(read_log(medium, kept.key)) == list(read_log(stores[0], kept.key))

    def test_one_that_is_asked_for_by_name_stays_as_it_was(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, medium: DirectoryStore, tmp_path: Path
    ) -> None:
        kept = _three(catalogue, stores, medium)
        self._take_away(tmp_path)
        clock.forward(timedelta(days=1))
        auditor = self._auditor(catalogue, [*stores, medium], clock, None)
        audit = auditor.audit(kept.id)
        assert [check.outcome for check in audit.checks] == [Fixity.MATCH] * 2
        assert audit.shelved == (medium.id,)
        assert {one.store: one.outcome for one in catalogue.holdings.replicas(kept.id)}[medium.id] is Fixity.MATCH
        with pytest.raises(OnShelf):
            auditor.audit(kept.id, stores=[medium.id])
        assert catalogue.fixity.state(clock.now).leased == 0

    def test_the_standing_audit_says_why_it_waits(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, medium: DirectoryStore, tmp_path: Path
    ) -> None:
        _three(catalogue, stores, medium)
        everything = [*stores, medium]
        auditor = self._auditor(catalogue, everything, clock, None)
        standing = StandingAudits(catalogue, auditor, [store.id for store in everything], clock, Budgets())
        assert [standing.waits(one) for one in standing.listed()] == [None] * 3
        self._take_away(tmp_path)
        clock.forward()
        told = [standing.waits(one) for one in standing.listed()]
        assert told[:2] == [None, None]
        assert told[2] is not None and "connected" in told[2].en
        assert standing.step(10).replicas == {Fixity.MATCH: 2}

    def test_when_all_others_are_bad_nothing_is_called_lost(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, medium: DirectoryStore, tmp_path: Path
    ) -> None:
        kept = _three(catalogue, stores, medium)
        incidents = Incidents(catalogue, ArchiveJournal(catalogue, stores, clock, AGENT), clock)
        watch = Watch(catalogue, incidents, clock, asked=lambda: {store.id: store for store in stores})
        by_id: dict[StoreId, Store] = {store.id: store for store in (*stores, medium)}
        media = [medium.id]
        repairer = Repairer(catalogue, by_id, clock, AGENT, Schedule(PERIOD), watch=watch, media=media)
        for store in stores:
            flip(store, kept.key, 200)
        self._take_away(tmp_path)
        clock.forward(timedelta(days=1))
        report = repairer.repair(kept.id)
        assert (report.refused, report.shelved) == (True, (medium.id,))
        assert {one.kind for one in catalogue.incidents.listed()} == {IncidentKind.DAMAGE}
        assert watch.review().met == 0
        self._bring(tmp_path)
        assert set(repairer.repair(kept.id).repaired) == {store.id for store in stores}
        assert {one.state for one in catalogue.incidents.listed()} == {IncidentState.MENDED}

    def test_one_that_is_taken_away_while_it_is_read_is_not_unreadable(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, medium: DirectoryStore, tmp_path: Path
    ) -> None:
        kept = _three(catalogue, stores, medium)
        clock.forward()

        def pull(count: int) -> None:
            if (tmp_path / "medium").exists():
                self._take_away(tmp_path)

        plan: list[str] = []

        def decide(call: Call) -> Fault | None:
            if call.operation == "read" and call.key == kept.key:
                plan.append(call.key)
                pull(0)
            return Fault.BEFORE if plan and call.operation == "read" else None

        auditor = self._auditor(catalogue, [*stores, FaultStore(medium, decide)], clock, None)
        report = auditor.audit_batch(5)
        assert plan
        assert (report.replicas, report.shelved) == ({Fixity.MATCH: 2}, 1)
        assert {one.store: one.outcome for one in catalogue.holdings.replicas(kept.id)}[medium.id] is Fixity.MATCH
