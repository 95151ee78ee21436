"""Strangers: told when they stay, removed by two people only, and never what the catalogue knows."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from metadata.catalogue import Catalogue
from metadata.errors import AlreadyExists, Locked, NotFound, UsageError
from metadata.identifiers import StoreId
from metadata.incidents import IncidentKind, IncidentState
from metadata.journal import Entry, EntryKind
from metadata.strangers import StrangerDecision, StrangerKind, StrangerState
from metadata.text import Sentence
from preservation.checks import Schedule
from preservation.incidents import Incidents
from preservation.journal import ArchiveJournal
from preservation.reconciliation import Reconciler
from storage.journal import encode_entry, read_journal
from storage.keys import journal_key, log_key
from storage.stores.memory import MemoryStore
from storage.wrappers import Call, Fault, FaultStore
from tests.builders.kept import AGENT, Clock, keep, raw, replace

DAY = timedelta(days=1)
ONE, TWO = StoreId("kho-1"), StoreId("kho-2")
REMOVE, KEEP = StrangerDecision.REMOVE, StrangerDecision.KEEP
KEY = "lạ/tệp.bin"


def reconciler(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> Reconciler:
    journal = ArchiveJournal(catalogue, stores, clock, AGENT)
    incidents = Incidents(catalogue, journal, clock)
    return Reconciler(catalogue, {store.id: store for store in stores}, incidents, journal, clock, DAY)


def told(catalogue: Catalogue) -> list[tuple[str, IncidentState]]:
    return [(one.subject, one.state) for one in catalogue.incidents.listed(kind=IncidentKind.STRANGER)]


def twice(made: Reconciler, clock: Clock, store: StoreId = ONE) -> None:
    made.reconcile(store)
    clock.forward(DAY)
    made.reconcile(store)


def test_what_belongs_here_is_no_stranger(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    keep(catalogue, stores)
    made = reconciler(catalogue, stores, clock)
    ArchiveJournal(catalogue, stores, clock, AGENT).write(EntryKind.DRILL, "x", "made")
    twice(made, clock)
    assert catalogue.strangers.listed() == []
    assert told(catalogue) == []


def test_each_kind_is_told_apart(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    known = keep(catalogue, stores[:1], "ở kho khác")
    for key in (known.key, log_key(known.key, 1)):
        stores[1].put(key, raw(stores[0], key))
    orphan = keep(None, stores[1:], "chưa ghi nhận")
    lone = keep(None, stores[1:], "chỉ nhật ký")
    stores[1].delete(lone.key)
    stores[1].put(KEY, b"abc")
    stores[1].put("LT/P/H/không-phải-uuid/v1.zip", b"abc")
    report = reconciler(catalogue, stores, clock).reconcile(TWO)
    assert {one.key: one.kind for one in catalogue.strangers.listed(TWO)} == {
        known.key: StrangerKind.ELSEWHERE,
        log_key(known.key, 1): StrangerKind.ELSEWHERE,
        orphan.key: StrangerKind.ORPHAN,
        log_key(lone.key, 1): StrangerKind.LOG,
        KEY: StrangerKind.FOREIGN,
        "LT/P/H/không-phải-uuid/v1.zip": StrangerKind.FOREIGN,
    }
    assert (report.objects, sum(report.strangers.values()), report.told) == (7, 6, 0)


def test_an_ingest_under_way_is_never_told(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    made = reconciler(catalogue, stores, clock)
    stores[0].put(KEY, b"abc")
    made.reconcile(ONE)
    clock.forward(DAY - timedelta(seconds=1))
    made.reconcile(ONE)
    assert told(catalogue) == []
    stores[0].delete(KEY)
    clock.forward(timedelta(seconds=2))
    assert made.reconcile(ONE).gone == 1
    assert catalogue.strangers.listed() == []


def test_one_incident_a_store_mended_when_nothing_is_left(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    made = reconciler(catalogue, stores, clock)
    for number in range(5):
        stores[0].put(f"lạ/{number}", b"abc")
    twice(made, clock)
    assert told(catalogue) == [("kho-1", IncidentState.OPEN)]
    assert catalogue.incidents.listed()[0].facts["count"] == 5
    for number in range(5):
        stores[0].delete(f"lạ/{number}")
    clock.forward(DAY)
    made.reconcile(ONE)
    assert told(catalogue) == [("kho-1", IncidentState.MENDED)]


def test_two_different_people_remove_and_a_tombstone_stays(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    made = reconciler(catalogue, stores, clock)
    stores[0].put(KEY, b"abc")
    twice(made, clock)
    assert made.vote(ONE, KEY, "Trần Thị Lan", REMOVE, "tệp lạc").state is StrangerState.TOLD
    with pytest.raises(AlreadyExists):
        made.vote(ONE, KEY, "tran thi LAN", REMOVE, "tệp lạc")
    assert raw(stores[0], KEY) == b"abc"
    done = made.vote(ONE, KEY, "Lê Minh", REMOVE, "đồng ý")
    assert (done.state, done.digest) == (StrangerState.REMOVED, hashlib.sha256(b"abc").digest())
    assert stores[0].head(KEY) is None
    entry = next(one.entry for one in read_journal(stores[1]) if one.entry.kind is EntryKind.STRANGER)
    assert (entry.act, entry.person) == ("removed", "Lê Minh, Trần Thị Lan")
    assert entry.document["objects"] == [{"key": KEY, "size": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}]
    assert told(catalogue) == [("kho-1", IncidentState.MENDED)]
    assert made.carry_out(ONE, KEY).state is StrangerState.REMOVED


def test_an_entry_that_another_store_made_up_removes_nothing_else(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept, made = keep(catalogue, stores), reconciler(catalogue, stores, clock)
    stores[0].put(KEY, b"abc")
    twice(made, clock)
    made.vote(ONE, KEY, "A", REMOVE, "x")
    last, objects = catalogue.journal.last(), [{"key": kept.key, "size": 1, "sha256": "00"}, {"key": 1}, "x"]
    act = made._entry_id(catalogue.strangers.get(ONE, KEY), "removed")
    forged = Entry(act, clock(), EntryKind.STRANGER, KEY, "removed", "", AGENT, {"objects": objects})
    number, before = (last.number + 1, last.digest) if last else (1, b"")
    stores[1].put(journal_key(number), encode_entry(number, before, forged))
    ArchiveJournal(catalogue, stores, clock, AGENT).write(EntryKind.DRILL, "x", "made")
    assert catalogue.journal.find(act) is not None
    made.vote(ONE, KEY, "B", REMOVE, "x")
    assert stores[0].head(kept.key) is not None


def test_votes_of_different_kind_decide_nothing(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    made = reconciler(catalogue, stores, clock)
    stores[0].put(KEY, b"abc")
    made.reconcile(ONE)
    made.vote(ONE, KEY, "A", REMOVE, "x")
    assert made.vote(ONE, KEY, "B", KEEP, "x").state is StrangerState.SEEN
    assert made.vote(ONE, KEY, "C", KEEP, "x").state is StrangerState.KEPT
    twice(made, clock)
    assert told(catalogue) == []
    assert raw(stores[0], KEY) == b"abc"
    for words in (("", "x"), ("D", " ")):
        with pytest.raises(UsageError):
            made.vote(ONE, KEY, words[0], REMOVE, words[1])
    with pytest.raises(NotFound):
        made.vote(ONE, "không có", "A", REMOVE, "x")


def test_what_changed_after_the_votes_is_not_removed(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    made = reconciler(catalogue, stores, clock)
    stores[0].put(KEY, b"abc")
    twice(made, clock)
    made.vote(ONE, KEY, "A", REMOVE, "x")
    replace(stores[0], KEY, b"abcd")
    with pytest.raises(UsageError):
        made.vote(ONE, KEY, "B", REMOVE, "x")
    assert raw(stores[0], KEY) == b"abcd"
    there = catalogue.strangers.get(ONE, KEY)
    assert (there.state, there.round, there.votes) == (StrangerState.TOLD, 2, ())


def test_what_the_catalogue_knows_by_now_is_not_removed(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, tmp_path: Path
) -> None:
    made = reconciler(catalogue, stores, clock)
    orphan = keep(None, stores)
    twice(made, clock)
    twice(made, clock, TWO)
    made.vote(ONE, orphan.key, "A", REMOVE, "x")
    report = made.adopt(TWO, orphan.key, "Lan", Schedule(), tmp_path)
    assert report.rebuilt == 1
    assert catalogue.holdings.version(orphan.id) == orphan.version
    with pytest.raises(AlreadyExists):
        made.vote(ONE, orphan.key, "B", REMOVE, "x")
    assert catalogue.strangers.get(ONE, orphan.key).state is StrangerState.ADOPTED
    assert stores[0].head(orphan.key) is not None
    assert {state for _, state in told(catalogue)} == {IncidentState.MENDED}
    twice(made, clock)
    assert catalogue.strangers.listed(ONE, StrangerState.SEEN) == []


def test_an_orphan_goes_with_its_log(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    made = reconciler(catalogue, stores, clock)
    orphan = keep(None, stores[:1])
    made.reconcile(ONE)
    made.vote(ONE, orphan.key, "A", REMOVE, "x")
    made.vote(ONE, orphan.key, "B", REMOVE, "x")
    assert [info.key for info in stores[0].list() if not info.key.startswith("_tangthu/")] == []


def test_an_orphan_without_a_log_cannot_be_adopted(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, tmp_path: Path
) -> None:
    made = reconciler(catalogue, stores, clock)
    orphan = keep(None, stores[:1])
    stores[0].delete(log_key(orphan.key, 1))
    stores[0].put(KEY, b"abc")
    made.reconcile(ONE)
    for key in (orphan.key, KEY):
        with pytest.raises(UsageError):
            made.adopt(ONE, key, "Lan", Schedule(), tmp_path)


class _Dead(BaseException):
    pass


@pytest.mark.parametrize(("operation", "number"), [("open", 1), ("put", 1), ("head", 3), ("delete", 1), ("delete", 2)])
def test_killed_anywhere_it_is_done_by_the_next(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, operation: str, number: int
) -> None:
    orphan = keep(None, stores[:1])
    made = reconciler(catalogue, stores, clock)
    made.reconcile(ONE)
    made.vote(ONE, orphan.key, "A", REMOVE, "x")

    def die(call: Call) -> Fault | None:
        if (call.operation, call.number) == (operation, number):
            raise _Dead
        return None

    shaky = reconciler(catalogue, [FaultStore(stores[0], die), stores[1]], clock)  # type: ignore[list-item]
    with pytest.raises(_Dead):
        shaky.vote(ONE, orphan.key, "B", REMOVE, "x")
    clock.forward(timedelta(minutes=5))
    assert made.carry_out(ONE, orphan.key).state is StrangerState.REMOVED
    assert [info.key for info in stores[0].list() if not info.key.startswith("_tangthu/")] == []
    acts = [one.entry.act for one in read_journal(stores[1]) if one.entry.kind is EntryKind.STRANGER]
    assert acts == ["removed"]


def test_what_is_locked_is_removed_by_a_later_round(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    stores[0].put(KEY, b"abc")

    class Held(FaultStore):
        def delete(self, key: str) -> None:
            raise Locked(Sentence("bị khóa", "it is locked"))

    held = reconciler(catalogue, [Held(stores[0], lambda call: None), stores[1]], clock)  # type: ignore[list-item]
    held.reconcile(ONE)
    held.vote(ONE, KEY, "A", REMOVE, "x")
    with pytest.raises(Locked):
        held.vote(ONE, KEY, "B", REMOVE, "x")
    held.reconcile(ONE)
    assert catalogue.strangers.get(ONE, KEY).state is StrangerState.REMOVING
    assert raw(stores[0], KEY) == b"abc"
    reconciler(catalogue, stores, clock).reconcile(ONE)
    assert catalogue.strangers.get(ONE, KEY).state is StrangerState.REMOVED
    assert stores[0].head(KEY) is None


def test_many_foreign_keys_are_bounded(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("preservation.reconciliation.MOST", 7)
    for number in range(20):
        stores[0].put(f"lạ/{number:03}", b"x")
    made = reconciler(catalogue, stores, clock)
    twice(made, clock)
    assert len(catalogue.strangers.listed()) == 7
    assert told(catalogue) == [("kho-1", IncidentState.OPEN)]
