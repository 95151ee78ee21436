"""Audits, repairs and stores make incidents, once each, and mend them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace as changed
from datetime import timedelta

import pytest

from metadata.catalogue import Catalogue
from metadata.errors import Damaged, TemporaryError
from metadata.identifiers import StoreId
from metadata.incidents import Incident, IncidentKind, IncidentState
from metadata.journal import EntryKind
from metadata.outcomes import Fixity
from preservation.audit import Auditor
from preservation.audit_report import VersionAudit
from preservation.checks import Check, Schedule
from preservation.incidents import Incidents
from preservation.journal import ArchiveJournal
from preservation.repair import Repairer
from preservation.watch import Watch, WatchLimits
from storage.journal import read_journal
from storage.keys import journal_key, log_key
from storage.port import Store
from storage.stores.memory import MemoryStore
from storage.wrappers import Fault, FaultStore
from storage.wrappers.room import RoomStore
from tests.builders.kept import AGENT, PERIOD, Clock, File, Kept, flip, keep, replace

HOUR = timedelta(hours=1)
OPEN, MENDED = IncidentState.OPEN, IncidentState.MENDED


class Bench:
    """A watched archive: what is wrong with ``stores`` is asked through ``seen``."""

    def __init__(self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
        self.catalogue, self.stores, self.clock = catalogue, stores, clock
        self.seen: dict[StoreId, Store] = {store.id: store for store in stores}
        self.limits = WatchLimits()

    @property
    def incidents(self) -> Incidents:
        return Incidents(self.catalogue, ArchiveJournal(self.catalogue, self.stores, self.clock, AGENT), self.clock)

    @property
    def watch(self) -> Watch:
        return Watch(self.catalogue, self.incidents, self.clock, self.limits, lambda: self.seen)

    @property
    def auditor(self) -> Auditor:
        schedule = Schedule(PERIOD, HOUR)
        return Auditor(self.catalogue, self.seen, self.clock, AGENT, schedule, watch=self.watch)

    @property
    def repairer(self) -> Repairer:
        schedule = Schedule(PERIOD, HOUR)
        return Repairer(self.catalogue, self.seen, self.clock, AGENT, schedule, watch=self.watch)

    def all(self) -> list[tuple[IncidentKind, IncidentState]]:
        return sorted((one.kind, one.state) for one in self.catalogue.incidents.listed())

    def one(self, kind: IncidentKind = IncidentKind.DAMAGE) -> Incident:
        (found,) = self.catalogue.incidents.listed(kind=kind)
        return found


@pytest.fixture
def bench(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> Iterator[Bench]:
    yield Bench(catalogue, stores, clock)


def break_member(bench: Bench, kept: Kept, which: int = 1, name: str = "ảnh.pdf") -> None:
    flip(bench.stores[which], kept.key, kept.member(name).data)


def test_good_replicas_make_no_incident(bench: Bench) -> None:
    kept = keep(bench.catalogue, bench.stores)
    bench.auditor.audit(kept.id)
    bench.repairer.repair(kept.id)
    assert bench.all() == []
    assert list(read_journal(bench.stores[0])) == []


def test_damage_is_found_repaired_signed_and_told_in_the_fix_file(bench: Bench) -> None:
    kept = keep(bench.catalogue, bench.stores)
    break_member(bench, kept)
    bench.clock.forward(HOUR)
    bench.auditor.audit(kept.id)
    found = bench.one()
    member = kept.member("ảnh.pdf")
    assert (found.state, found.version, found.store, found.seen) == (OPEN, kept.id, StoreId("kho-2"), 1)
    assert "ảnh.pdf" in found.told.vi
    (damage,) = found.facts["damages"]
    assert (damage["place"], damage["kind"], damage["expected"]) == (member.path, "data", member.sha256.hex())
    bench.clock.forward(HOUR)
    report = bench.repairer.repair(kept.id)
    assert report.repaired == (StoreId("kho-2"),)
    mended = bench.one()
    assert (mended.state, mended.seen, mended.mended) == (MENDED, 2, bench.clock.now)
    assert mended.facts["mended"]["from"] == ["kho-1"]
    events = {str(event.id): event for event in bench.catalogue.events.of(kept.id)}
    assert {events[id].outcome for id in mended.facts["mended"]["events"]} == {"MATCH", "success"}
    assert [events[id].outcome for id in mended.facts["events"]] == ["MISMATCH"]
    bench.incidents.close(mended.id, "đĩa hỏng", "thay đĩa", "Lan")
    told = json.loads(bench.incidents.fix_file(mended.id))
    assert [one["outcome"] for one in told["events"]] == ["MATCH", "MISMATCH", "MISMATCH", "begun", "MATCH", "success"]
    assert all(one["store"] == "kho-2" for one in told["events"])


def test_what_matches_again_by_itself_is_mended(bench: Bench) -> None:
    kept = keep(bench.catalogue, bench.stores)
    break_member(bench, kept)
    bench.auditor.audit(kept.id)
    break_member(bench, kept)
    bench.auditor.audit(kept.id)
    assert bench.all() == [(IncidentKind.DAMAGE, MENDED)]
    assert bench.one().facts["mended"]["how"] == "matched when read again"


def test_what_nobody_has_looked_at_mends_nothing(bench: Bench) -> None:
    kept = keep(bench.catalogue, bench.stores)
    break_member(bench, kept)
    bench.auditor.audit(kept.id)
    look = Check(StoreId("kho-2"), Fixity.NOT_CHECKED, (), 0, 0, "nơi lưu lạnh")
    bench.watch.audited(VersionAudit(kept.id, bench.clock.now, (look,)))
    assert bench.all() == [(IncidentKind.DAMAGE, OPEN)]


def test_when_no_replica_matches_a_person_must_decide(bench: Bench) -> None:
    kept = keep(bench.catalogue, bench.stores)
    break_member(bench, kept, 0, "Báo cáo số 1.pdf")
    break_member(bench, kept, 1, "ảnh.pdf")
    assert bench.repairer.repair(kept.id).refused
    lost = bench.one(IncidentKind.LOST)
    assert lost.state is OPEN
    assert {tuple(one["stores"]) for one in lost.facts["savable"]} == {("kho-1",), ("kho-2",)}
    assert bench.all().count((IncidentKind.DAMAGE, OPEN)) == 2
    break_member(bench, kept, 0, "Báo cáo số 1.pdf")
    bench.repairer.repair(kept.id)
    assert {state for _, state in bench.all()} == {MENDED}


def test_a_store_that_is_away_does_not_make_a_version_lost(bench: Bench) -> None:
    kept = keep(bench.catalogue, bench.stores)
    break_member(bench, kept, 1)
    bench.seen[StoreId("kho-1")] = FaultStore(bench.stores[0], lambda call: Fault.BEFORE)
    assert bench.repairer.repair(kept.id).refused
    assert bench.all() == [(IncidentKind.DAMAGE, OPEN)]


def test_what_a_person_closed_as_it_is_stays_closed_until_it_changes(bench: Bench) -> None:
    kept = keep(bench.catalogue, bench.stores)
    break_member(bench, kept)
    bench.auditor.audit(kept.id)
    bench.incidents.close(bench.one().id, "không sửa được", "chấp nhận", "Lan", unmended=True)
    bench.auditor.audit(kept.id)
    bench.watch.review()
    assert bench.all() == [(IncidentKind.DAMAGE, IncidentState.CLOSED)]
    break_member(bench, kept, name="Báo cáo số 1.pdf")
    bench.auditor.audit(kept.id)
    assert (IncidentKind.DAMAGE, OPEN) in bench.all()


def test_logs_that_contradict_each_other_are_an_incident(bench: Bench) -> None:
    kept = keep(bench.catalogue, bench.stores)
    bench.auditor.audit(kept.id)
    log = log_key(kept.key, 3)
    for store, word in zip(bench.stores, (b"{}", b"[]"), strict=True):
        store.put(log, word)
    with pytest.raises(Damaged):
        bench.auditor.audit(kept.id)
    assert bench.all() == [(IncidentKind.LOG, OPEN)]
    for store in bench.stores:
        store.delete(log)
    bench.auditor.audit(kept.id)
    assert bench.all() == [(IncidentKind.LOG, MENDED)]


def test_log_objects_lost_everywhere_are_an_incident_that_audits_do_not_mend(bench: Bench) -> None:
    kept = keep(bench.catalogue, bench.stores)
    bench.auditor.audit(kept.id)
    for store in bench.stores:
        store.delete(log_key(kept.key, 1))
    bench.repairer.repair(kept.id)
    bench.auditor.audit(kept.id)
    assert bench.all() == [(IncidentKind.LOG, OPEN)]
    assert bench.one(IncidentKind.LOG).facts == {"lost": [1]}


def test_many_damages_of_one_store_are_one_incident_in_the_end(bench: Bench) -> None:
    bench.limits = WatchLimits(each=2)
    kept = [keep(bench.catalogue, bench.stores, f"hồ sơ {number}") for number in range(5)]
    for one in kept:
        bench.stores[1].delete(one.key)
        bench.auditor.audit(one.id)
    subjects = sorted(one.subject for one in bench.catalogue.incidents.listed(IncidentState.OPEN))
    assert len(subjects) == 3
    assert subjects[-1] == "kho-2"
    bench.watch.review()
    assert len(bench.catalogue.incidents.listed()) == 3
    for one in kept:
        bench.repairer.repair(one.id)
    bench.watch.review()
    assert bench.catalogue.incidents.listed(IncidentState.OPEN) == []


def test_a_replica_unreadable_for_long_is_an_incident(bench: Bench) -> None:
    kept = keep(bench.catalogue, bench.stores)
    bench.seen[StoreId("kho-2")] = FaultStore(
        bench.stores[1], lambda call: Fault.BEFORE if call.operation == "open" and call.key == kept.key else None
    )
    bench.auditor.audit(kept.id)
    bench.clock.forward(timedelta(hours=71))
    bench.auditor.audit(kept.id)
    assert bench.all() == []
    bench.clock.forward(HOUR)
    bench.auditor.audit(kept.id)
    assert bench.all() == [(IncidentKind.UNREADABLE, OPEN)]
    bench.seen[StoreId("kho-2")] = bench.stores[1]
    bench.auditor.audit(kept.id)
    assert bench.all() == [(IncidentKind.UNREADABLE, MENDED)]


def test_a_store_away_for_a_day_is_an_incident_and_mended_when_it_answers(bench: Bench) -> None:
    keep(bench.catalogue, bench.stores)
    bench.watch.review()
    bench.seen[StoreId("kho-2")] = FaultStore(bench.stores[1], lambda call: Fault.BEFORE)
    for _ in range(3):
        bench.clock.forward(timedelta(hours=8))
        assert bench.watch.review().away == (StoreId("kho-2"),)
    assert bench.one(IncidentKind.STORE_AWAY).store == StoreId("kho-2")
    bench.watch.review()
    assert bench.one(IncidentKind.STORE_AWAY).seen == 2
    bench.seen[StoreId("kho-2")] = bench.stores[1]
    bench.watch.review()
    assert bench.all() == [(IncidentKind.STORE_AWAY, MENDED)]


def test_a_full_store_is_an_incident_until_it_takes_something(bench: Bench) -> None:
    rows, full = bench.catalogue.incidents, True

    def notice(store: StoreId, has_room: bool) -> None:
        if has_room:
            rows.note_room(store)
        else:
            rows.note_full(store, bench.clock())

    def fault(_: object) -> Fault | None:
        return Fault.FULL if full else None

    shaky = RoomStore(
        FaultStore(bench.stores[1], lambda call: fault(call) if call.operation == "put_part" else None), notice
    )
    kept = keep(bench.catalogue, bench.stores)
    break_member(bench, kept)
    bench.seen[StoreId("kho-2")] = shaky
    assert bench.repairer.repair(kept.id).failed
    bench.watch.review()
    assert (IncidentKind.STORE_FULL, OPEN) in bench.all()
    full = False
    bench.repairer.repair(kept.id)
    bench.watch.review()
    assert {state for _, state in bench.all()} == {MENDED}


def test_what_a_crash_kept_from_being_told_is_met_by_the_review(bench: Bench) -> None:
    kept = keep(bench.catalogue, bench.stores)
    break_member(bench, kept)
    Auditor(bench.catalogue, bench.seen, bench.clock, AGENT, Schedule(PERIOD, HOUR)).audit(kept.id)
    assert bench.all() == []
    assert bench.watch.review().met == 1
    assert bench.watch.review().met == 0
    assert bench.all() == [(IncidentKind.DAMAGE, OPEN)]
    Repairer(bench.catalogue, bench.seen, bench.clock, AGENT, Schedule(PERIOD, HOUR)).repair(kept.id)
    assert bench.watch.review().mended == 1
    assert bench.one().facts["mended"]["from"] == ["kho-1"]


def test_a_journal_that_cannot_be_written_stops_no_audit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = keep(bench.catalogue, bench.stores)
    break_member(bench, kept)
    away: list[Store] = [FaultStore(store, lambda call: Fault.BEFORE) for store in bench.stores]
    journal = ArchiveJournal(bench.catalogue, away, bench.clock, AGENT)
    watch = Watch(bench.catalogue, Incidents(bench.catalogue, journal, bench.clock), bench.clock)
    audit = Auditor(bench.catalogue, bench.seen, bench.clock, AGENT, Schedule(PERIOD, HOUR), watch=watch).audit(kept.id)
    assert [check.outcome for check in audit.checks] == [Fixity.MATCH, Fixity.MISMATCH]
    assert bench.all() == []
    assert bench.watch.review().met == 1


@pytest.mark.parametrize("years", [-1, 10])
def test_a_clock_that_cannot_be_right_concludes_nothing(bench: Bench, years: int) -> None:
    kept = keep(bench.catalogue, bench.stores)
    bench.auditor.audit(kept.id)
    right = bench.clock.now
    bench.clock.now = right + timedelta(days=365 * years + 2)
    before = bench.catalogue.holdings.replicas(kept.id)
    assert bench.auditor.audit_batch(10).audited == 0
    for act in (bench.auditor.audit, bench.repairer.repair):
        with pytest.raises(TemporaryError, match="clock"):
            act(kept.id)
    with pytest.raises(TemporaryError, match="clock"):
        bench.auditor.mend_log(kept.id, StoreId("kho-1"))
    assert bench.watch.review().clock is not None
    bench.watch.review()
    assert bench.catalogue.holdings.replicas(kept.id) == before
    assert bench.catalogue.fixity.state(bench.clock.now).leased == 0
    assert bench.all() == [(IncidentKind.CLOCK, OPEN)]
    assert list(read_journal(bench.stores[0])) == []
    bench.clock.now = right + HOUR
    assert bench.watch.review().clock is None
    assert bench.all() == [(IncidentKind.CLOCK, MENDED)]
    entries = [one.entry for one in read_journal(bench.stores[0])]
    assert [(one.act, one.at) for one in entries] == [("opened", bench.clock.now), ("mended", bench.clock.now)]


def test_a_person_vouches_for_the_clock_of_an_archive_that_was_off_for_years(bench: Bench) -> None:
    kept = keep(bench.catalogue, bench.stores)
    bench.clock.now += timedelta(days=800)
    bench.watch.review()
    bench.incidents.close(bench.one(IncidentKind.CLOCK).id, "kho ngừng hai năm", "đồng hồ đúng", "Lan", unmended=True)
    assert bench.watch.review().clock is None
    assert bench.auditor.audit_batch(10).audited == 1
    assert changed(bench.catalogue.holdings.replicas(kept.id)[0]).checked == bench.clock.now


def test_a_wrong_lone_file_name_harms_no_incident(bench: Bench) -> None:
    kept = keep(bench.catalogue, bench.stores, files=[File("x\u202e\n.pdf", b"abc")])
    replace(bench.stores[1], kept.key, b"PK")
    bench.auditor.audit(kept.id)
    assert bench.incidents.fix_file(bench.one().id)


def _words(store: Store) -> list[str]:
    return [one.entry.act for one in read_journal(store)]


def _write(
    bench: Bench, *acts: str, stores: list[MemoryStore] | None = None, catalogue: Catalogue | None = None
) -> None:
    journal = ArchiveJournal(catalogue or bench.catalogue, stores or bench.stores, bench.clock, AGENT)
    for act in acts:
        journal.write(EntryKind.BACKUP, "x", act)


def test_a_store_that_was_away_has_the_whole_journal_after_the_next_entry(bench: Bench) -> None:
    _write(bench, "one")
    _write(bench, "two", "three", stores=bench.stores[:1])
    _write(bench, "four")
    assert [_words(store) for store in bench.stores] == [["one", "two", "three", "four"]] * 2


@pytest.mark.parametrize("alone", [1, 2, 4])
def test_a_journal_written_apart_is_told_and_stops_nothing(
    bench: Bench, new_catalogue: Callable[[str], Catalogue], alone: int
) -> None:
    """A catalogue that was made anew from one store went on while the other store was away."""
    _write(bench, "one")
    other = new_catalogue("other")
    ArchiveJournal(other, bench.stores[1:], bench.clock, AGENT).recover()
    _write(bench, *["theirs"] * alone, stores=bench.stores[1:], catalogue=other)
    _write(bench, "ours", "ours", stores=bench.stores[:1])
    before = _words(bench.stores[1])
    bench.watch.review()
    assert (bench.one(IncidentKind.LOG).store, bench.one(IncidentKind.LOG).state) == (bench.stores[1].id, OPEN)
    _write(bench, "on")
    bench.watch.review()
    assert len(bench.all()) == 1
    assert _words(bench.stores[0]) == ["one", "ours", "ours", "opened", "on"]
    assert _words(bench.stores[1]) == before
    for number in range(2, 2 + alone):
        bench.stores[1].delete(journal_key(number))
    bench.watch.review()
    bench.watch.review()
    assert bench.all() == [(IncidentKind.LOG, MENDED)]
    assert _words(bench.stores[0]) == _words(bench.stores[1])
