"""Repairs: from a good replica only, the damaged one last, and never without a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from metadata.catalogue import Catalogue
from metadata.catalogue.fixity import FixitySchedule
from metadata.errors import Busy, NotFound, TangThuError, TemporaryError, Unreadable, UsageError
from metadata.events import EventType
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation.audit import Auditor
from preservation.checks import Schedule
from preservation.copying import StagedCopy
from preservation.recovering import BEGUN
from preservation.repair import Repairer
from storage.keys import log_key
from storage.log import read_log
from storage.port import Part, Store, Upload
from storage.stores.failures import put_wrongly
from storage.stores.memory import MemoryStore
from storage.wrappers import Call, Fault, FaultStore, script
from storage.wrappers.base import WrappedStore
from tests.builders.kept import AGENT, PERIOD, Clock, File, Kept, flip, keep, raw, replace

RETRY = timedelta(hours=1)
Break = Callable[[MemoryStore, Kept], object]


def _repairer(catalogue: Catalogue, stores: list[Store], clock: Clock) -> Repairer:
    return Repairer(catalogue, {s.id: s for s in stores}, clock, AGENT, Schedule(PERIOD, RETRY))


def _flip_content(store: MemoryStore, kept: Kept) -> None:
    flip(store, kept.key, kept.member("ảnh.pdf").data + 5)


def _flip_directory(store: MemoryStore, kept: Kept) -> None:
    flip(store, kept.key, kept.version.size - 30)


DAMAGES: list[Break] = [
    _flip_content,
    _flip_directory,
    lambda store, kept: store.delete(kept.key),
    lambda store, kept: replace(store, kept.key, b""),
    lambda store, kept: replace(store, kept.key, bytes(kept.version.size)),
    lambda store, kept: replace(store, kept.key, raw(store, kept.key)[:-1]),
    lambda store, kept: replace(store, kept.key, raw(store, kept.key) + b"\0"),
]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("which", [0, 1])
def test_a_damaged_replica_is_made_whole(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, damage: Break, which: int
) -> None:
    kept = keep(catalogue, stores)
    good = raw(stores[0], kept.key)
    damage(stores[which], kept)
    clock.forward(timedelta(days=1))
    report = _repairer(catalogue, stores, clock).repair(kept.id)
    assert (report.repaired, report.failed, report.refused) == ((stores[which].id,), (), False)
    assert [raw(store, kept.key) for store in stores] == [good, good]
    assert not list(stores[which].uploads())
    for replica in catalogue.holdings.replicas(kept.id):
        assert (replica.outcome, replica.due) == (Fixity.MATCH, clock.now + PERIOD)
    recovery = catalogue.events.of(kept.id)[-1]
    assert (recovery.type, recovery.outcome) == (EventType.RECOVERY, "success")
    assert (recovery.store, recovery.note) == (stores[which].id, stores[1 - which].id.value)
    logged = [event for entry in read_log(stores[which], kept.key) for event in entry.events]
    assert catalogue.events.of(kept.id) == [*kept.events, *logged]


def test_the_damage_is_logged_before_anything_is_deleted(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, stores)
    _flip_content(stores[1], kept)
    told: list[str] = []

    def note(call: Call) -> Fault | None:
        if call.operation == "bury":
            told.extend(event.outcome for event in catalogue.events.of(kept.id))
            told.extend(replica.outcome.value for replica in catalogue.holdings.replicas(kept.id))
        return None

    _repairer(catalogue, [stores[0], FaultStore(stores[1], note)], clock).repair(kept.id)
    assert told[-5:] == ["MATCH", "MISMATCH", "begun", "MATCH", "MISMATCH"]


def test_nothing_to_repair_is_an_audit(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, stores)
    report = _repairer(catalogue, stores, clock).repair(kept.id)
    assert (report.repaired, report.refused, report.savable, report.log_written) == ((), False, (), 0)
    assert [event.type for event in catalogue.events.of(kept.id)[-2:]] == [EventType.FIXITY_CHECK] * 2


def test_two_of_three_are_repaired_from_the_third(catalogue: Catalogue, clock: Clock) -> None:
    stores = [MemoryStore(StoreId(name)) for name in ("a", "b", "c")]
    kept = keep(catalogue, stores)
    _flip_content(stores[0], kept)
    stores[1].delete(kept.key)
    report = _repairer(catalogue, stores, clock).repair(kept.id)
    assert report.repaired == (stores[0].id, stores[1].id)
    assert len({raw(store, kept.key) for store in stores}) == 1


def test_without_a_good_replica_nothing_is_touched(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, stores)
    first, second = kept.member("Báo cáo số 1.pdf"), kept.member("ảnh.pdf")
    flip(stores[0], kept.key, first.data)
    flip(stores[1], kept.key, first.data)
    flip(stores[1], kept.key, second.data)
    before = [raw(store, kept.key) for store in stores]
    report = _repairer(catalogue, stores, clock).repair(kept.id)
    assert report.refused
    assert [(one.path, one.stores) for one in report.savable] == [
        (first.path, ()),
        (second.path, (stores[0].id,)),
    ]
    assert [raw(store, kept.key) for store in stores] == before
    assert [r.outcome for r in catalogue.holdings.replicas(kept.id)] == [Fixity.MISMATCH, Fixity.MISMATCH]


def test_when_all_is_gone_every_member_is_lost(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, stores)
    for store in stores:
        store.delete(kept.key)
    report = _repairer(catalogue, stores, clock).repair(kept.id)
    assert report.refused
    assert [(one.path, one.stores) for one in report.savable] == [(member.path, ()) for member in kept.members]


def test_a_replica_that_cannot_be_read_is_no_source(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, stores)
    _flip_content(stores[1], kept)
    before = raw(stores[1], kept.key)
    report = _repairer(catalogue, [FaultStore(stores[0], lambda call: Fault.BEFORE), stores[1]], clock).repair(kept.id)
    assert report.refused
    assert raw(stores[1], kept.key) == before
    outcomes = [replica.outcome for replica in catalogue.holdings.replicas(kept.id)]
    assert outcomes == [Fixity.UNREADABLE, Fixity.MISMATCH]


@pytest.mark.parametrize("operation", ["begin", "put_part", "bury", "complete"])
@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
def test_a_store_that_fails_once_is_tried_again(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, operation: str, fault: Fault
) -> None:
    kept = keep(catalogue, stores)
    good = raw(stores[0], kept.key)
    _flip_content(stores[1], kept)
    shaky = FaultStore(stores[1], script({(operation, 1): fault}))
    report = _repairer(catalogue, [stores[0], shaky], clock).repair(kept.id)
    assert report.repaired == (stores[1].id,)
    assert raw(stores[1], kept.key) == good


@pytest.mark.parametrize("times", [1, 99])
def test_a_store_that_puts_parts_together_wrongly_fails_the_try_not_the_repair(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, times: int
) -> None:
    class Bungler(WrappedStore):
        left = times

        def complete(self, upload: Upload, parts: Sequence[Part]) -> None:
            if self.left:
                self.left -= 1
                self.abort(upload)
                raise put_wrongly(self.id, upload.key)
            super().complete(upload, parts)

    kept = keep(catalogue, stores)
    good = raw(stores[0], kept.key)
    _flip_content(stores[1], kept)
    report = _repairer(catalogue, [stores[0], Bungler(stores[1])], clock).repair(kept.id)
    assert raw(stores[0], kept.key) == good
    if times == 1:
        assert report.repaired == (stores[1].id,)
        assert raw(stores[1], kept.key) == good
    else:
        assert [store for store, _ in report.failed] == [stores[1].id]
        assert list(stores[1].uploads()) == []
        assert _repairer(catalogue, stores, clock).repair(kept.id).repaired == (stores[1].id,)


@pytest.mark.parametrize("operation", ["begin", "put_part", "bury", "complete"])
def test_a_store_that_goes_on_failing_fails_the_repair_not_the_archive(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, operation: str
) -> None:
    kept = keep(catalogue, stores)
    good = raw(stores[0], kept.key)
    _flip_content(stores[1], kept)
    broken = FaultStore(stores[1], lambda call: Fault.BEFORE if call.operation == operation else None)
    report = _repairer(catalogue, [stores[0], broken], clock).repair(kept.id)
    assert (report.repaired, [store for store, _ in report.failed]) == ((), [stores[1].id])
    event = catalogue.events.of(kept.id)[-1]
    assert (event.type, event.outcome, event.store) == (EventType.RECOVERY, "failure", stores[1].id)
    assert raw(stores[0], kept.key) == good
    assert _repairer(catalogue, stores, clock).repair(kept.id).repaired == (stores[1].id,)
    assert raw(stores[1], kept.key) == good
    assert not list(stores[1].uploads())


def test_a_full_store_keeps_its_damaged_replica(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, stores)
    _flip_content(stores[1], kept)
    before = raw(stores[1], kept.key)
    full = FaultStore(stores[1], lambda call: Fault.FULL if call.operation == "put_part" else None)
    report = _repairer(catalogue, [stores[0], full], clock).repair(kept.id)
    assert [store for store, _ in report.failed] == [stores[1].id]
    assert raw(stores[1], kept.key) == before
    assert _repairer(catalogue, stores, clock).repair(kept.id).repaired == (stores[1].id,)


def test_a_full_store_does_not_keep_another_from_being_repaired(catalogue: Catalogue, clock: Clock) -> None:
    stores = [MemoryStore(StoreId(name)) for name in ("a", "b", "c")]
    kept = keep(catalogue, stores)
    good = raw(stores[0], kept.key)
    _flip_content(stores[1], kept)
    stores[2].delete(kept.key)
    full = FaultStore(stores[1], lambda call: Fault.FULL if call.operation == "put_part" else None)
    report = _repairer(catalogue, [stores[0], full, stores[2]], clock).repair(kept.id)
    assert (report.repaired, report.sources) == ((stores[2].id,), {stores[2].id: stores[0].id})
    assert [store for store, _ in report.failed] == [stores[1].id]
    assert raw(stores[2], kept.key) == good
    assert not list(stores[1].uploads())


@pytest.mark.parametrize("refusal", [Unreadable, UsageError])
def test_a_store_that_refuses_to_delete_keeps_what_it_has_and_is_told(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, refusal: type[TangThuError]
) -> None:
    kept = keep(catalogue, stores)
    _flip_content(stores[1], kept)
    before = raw(stores[1], kept.key)

    class Locked(FaultStore):
        def bury(self, key: str) -> None:
            raise refusal(Sentence("bị khóa", "it is locked"))

    locked = Locked(stores[1], lambda call: None)
    report = _repairer(catalogue, [stores[0], locked], clock).repair(kept.id)
    assert [(store, why.en) for store, why in report.failed] == [(stores[1].id, "it is locked")]
    assert raw(stores[1], kept.key) == before
    assert not list(stores[1].uploads())
    assert _repairer(catalogue, stores, clock).repair(kept.id).repaired == (stores[1].id,)


class _Dead(BaseException):
    pass


@pytest.mark.parametrize("operation", ["begin", "put_part", "bury", "complete", "put", "head"])
def test_a_worker_that_dies_anywhere_loses_nothing(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, operation: str
) -> None:
    kept = keep(catalogue, stores)
    good = raw(stores[0], kept.key)
    _flip_content(stores[1], kept)

    for number in range(1, 12):

        def die(call: Call, number: int = number) -> Fault | None:
            if (call.operation, call.number) == (operation, number):
                raise _Dead
            return None

        try:
            _repairer(catalogue, [stores[0], FaultStore(stores[1], die)], clock).repair(kept.id)
        except _Dead:
            clock.forward(timedelta(hours=2))
        assert raw(stores[0], kept.key) == good
    _repairer(catalogue, stores, clock).repair(kept.id)
    assert raw(stores[1], kept.key) == good
    assert not list(stores[1].uploads())
    logged = [event for entry in read_log(stores[1], kept.key) for event in entry.events]
    assert catalogue.events.of(kept.id) == [*kept.events, *logged]
    assert [event.outcome for event in logged if event.type is EventType.RECOVERY and event.outcome != BEGUN] == [
        "success"
    ]


@pytest.mark.parametrize("window", ["replaced", "log", "read back", "logged"])
@pytest.mark.parametrize("then", ["audit", "repair"])
def test_a_repair_that_was_cut_off_is_ended_by_whoever_looks_next_and_told_once(
    catalogue: Catalogue,
    stores: list[MemoryStore],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    window: str,
    then: str,
) -> None:
    kept = keep(catalogue, stores)
    _flip_content(stores[1], kept)
    flip(stores[1], log_key(kept.key, 1), 9)
    clock.forward(timedelta(days=1))

    def die(*_: object) -> None:
        raise _Dead

    with monkeypatch.context() as patched:
        if window == "replaced":
            replaced = StagedCopy.replace
            patched.setattr(StagedCopy, "replace", lambda copy: die(replaced(copy)))
        else:
            owner, name = {
                "log": (Auditor, "restore_log"),
                "read back": (Repairer, "_finish"),
                "logged": (FixitySchedule, "finish"),
            }[window]
            patched.setattr(owner, name, die)
        with pytest.raises(_Dead):
            _repairer(catalogue, stores, clock).repair(kept.id)
    clock.forward(timedelta(hours=2))
    known = {s.id: s for s in stores}
    for _ in range(2):
        if then == "audit":
            Auditor(catalogue, known, clock, AGENT, Schedule(PERIOD, RETRY)).audit(kept.id)
        else:
            assert _repairer(catalogue, stores, clock).repair(kept.id).repaired == ()
    told = [event for event in catalogue.events.of(kept.id) if event.type is EventType.RECOVERY]
    assert [(event.store, event.outcome) for event in told] == [(stores[1].id, BEGUN), (stores[1].id, "success")]
    logged = [event for entry in read_log(stores[1], kept.key) for event in entry.events]
    assert catalogue.events.of(kept.id) == [*kept.events, *logged]


def test_damage_that_comes_after_a_repair_began_is_no_end_of_it(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep(catalogue, stores)
    _flip_content(stores[1], kept)

    def die(*_: object) -> None:
        raise _Dead

    with monkeypatch.context() as patched:
        patched.setattr(StagedCopy, "stage", die)
        with pytest.raises(_Dead):
            _repairer(catalogue, stores, clock).repair(kept.id)
    clock.forward(timedelta(hours=2))
    Auditor(catalogue, {s.id: s for s in stores}, clock, AGENT, Schedule(PERIOD, RETRY)).audit(kept.id)
    told = [event.outcome for event in catalogue.events.of(kept.id) if event.type is EventType.RECOVERY]
    assert told == [BEGUN]
    assert _repairer(catalogue, stores, clock).repair(kept.id).repaired == (stores[1].id,)
    told = [event.outcome for event in catalogue.events.of(kept.id) if event.type is EventType.RECOVERY]
    assert told == [BEGUN, BEGUN, "success"]


def test_a_bad_copy_is_seen_and_made_again(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, stores)
    good = raw(stores[0], kept.key)
    _flip_content(stores[1], kept)

    class Lossy(FaultStore):
        times = 1

        def put_part(self, upload, number, data, offset=None):  # type: ignore[no-untyped-def]
            if self.times:
                self.times -= 1
                data = bytes(data[:-1]) + b"\xff"
            return super().put_part(upload, number, data, offset)

    report = _repairer(catalogue, [stores[0], Lossy(stores[1], lambda call: None)], clock).repair(kept.id)
    assert report.repaired == (stores[1].id,)
    assert raw(stores[1], kept.key) == good


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_source_that_goes_bad_after_it_was_looked_at_replaces_nothing(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, monkeypatch: pytest.MonkeyPatch, damage: Break
) -> None:
    """What is damaged may have what the source has lost since: it is all that the file can be saved from."""
    kept = keep(catalogue, stores)
    _flip_content(stores[1], kept)
    before = raw(stores[1], kept.key)
    sweep, spoilt = StagedCopy.sweep, list[bool]()

    def spoil(copy: StagedCopy) -> None:
        if not spoilt:
            damage(stores[0], kept)
            spoilt.append(True)
        sweep(copy)

    monkeypatch.setattr(StagedCopy, "sweep", spoil)
    report = _repairer(catalogue, stores, clock).repair(kept.id)
    assert (report.repaired, [store for store, _ in report.failed]) == ((), [stores[1].id])
    assert "matched no longer when it was copied" in report.failed[0][1].en
    assert raw(stores[1], kept.key) == before
    assert not list(stores[1].uploads())
    events = [event for event in catalogue.events.of(kept.id) if event.type is EventType.RECOVERY]
    assert [event.outcome for event in events] == ["begun", "failure"]
    assert stores[0].id in {replica.store for replica in catalogue.fixity.due(clock.now)}


def test_lost_and_altered_log_objects_come_back(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, stores)
    repairer = _repairer(catalogue, stores, clock)
    for _ in range(3):
        clock.forward()
        repairer.repair(kept.id)
    whole = list(read_log(stores[0], kept.key))
    stores[0].delete(log_key(kept.key, 1))
    replace(stores[0], log_key(kept.key, 3), b"{}")
    flip(stores[1], log_key(kept.key, 2), 9)
    report = repairer.repair(kept.id)
    assert (report.log_written, report.log_lost) == (3, ())
    for store in stores:
        assert list(read_log(store, kept.key))[: len(whole)] == whole


def test_a_log_object_lost_everywhere_is_told(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, stores)
    for store in stores:
        store.delete(log_key(kept.key, 1))
    assert _repairer(catalogue, stores, clock).repair(kept.id).log_lost == (1,)


def test_one_repair_at_a_time(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, stores)
    catalogue.fixity.lease_version(kept.id, clock.now, timedelta(hours=1), "other")
    with pytest.raises(Busy):
        _repairer(catalogue, stores, clock).repair(kept.id)
    with pytest.raises(NotFound):
        _repairer(catalogue, stores, clock).repair(keep(None, stores, "other").id)


def test_a_repair_that_slept_over_its_lease_deletes_nothing(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    """It has staged its copy and sleeps; another repairs; then it wakes up, before what it took for the damaged one."""
    kept = keep(catalogue, stores)
    good = raw(stores[0], kept.key)
    _flip_content(stores[1], kept)
    slept: list[int] = []

    def staging(_: int) -> None:
        if list(stores[1].uploads()) and not slept:
            slept.append(1)
            clock.forward(timedelta(hours=3))
            assert _repairer(catalogue, stores, clock).repair(kept.id).repaired == (stores[1].id,)

    with pytest.raises(Busy):
        _repairer(catalogue, stores, clock).repair(kept.id, staging)
    assert slept
    assert raw(stores[1], kept.key) == good


def test_a_large_object_is_copied_in_parts(monkeypatch: pytest.MonkeyPatch, stores: list[MemoryStore]) -> None:
    monkeypatch.setattr("preservation.copying.part_size", lambda number: 1000 * number)
    kept = keep(None, stores[:1], files=[File("to.pdf", bytes(range(256)) * 400)])
    copied: list[int] = []
    copy = StagedCopy(stores[0], stores[1], kept.key)
    assert copy.stage(kept.members, copied.append).outcome is Fixity.MATCH
    assert sum(copied) == kept.version.size
    assert stores[1].head(kept.key) is None
    copy.replace()
    assert raw(stores[1], kept.key) == raw(stores[0], kept.key)
    with pytest.raises(ValueError, match="nothing is staged"):
        copy.replace()
    copy.abort()


def test_a_worker_that_slept_takes_no_good_copy_away(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had its copy staged and its lease confirmed; then it slept until another had repaired the replica."""
    kept = keep(catalogue, stores)
    flip(stores[1], kept.key, kept.member("ảnh.pdf").data + 5)
    by_id = {store.id: store for store in stores}
    replaced = StagedCopy.replace

    def sleep(copy: StagedCopy) -> None:
        monkeypatch.setattr(StagedCopy, "replace", replaced)
        clock.forward(timedelta(hours=2))
        other = Repairer(catalogue, by_id, clock, AGENT, Schedule(PERIOD))
        assert other.repair(kept.id).repaired == (stores[1].id,)
        replaced(copy)

    monkeypatch.setattr(StagedCopy, "replace", sleep)
    with pytest.raises(TemporaryError):
        Repairer(catalogue, by_id, clock, AGENT, Schedule(PERIOD)).repair(kept.id)
    assert raw(stores[1], kept.key) == raw(stores[0], kept.key)
    assert {one.outcome for one in catalogue.holdings.replicas(kept.id)} == {Fixity.MATCH}
