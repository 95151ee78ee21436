"""Incidents: in the journal first, once each whatever dies or races, and made anew from the journal alone."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from metadata.catalogue import Catalogue
from metadata.errors import StoreUnavailable, UsageError
from metadata.identifiers import StoreId
from metadata.incidents import Incident, IncidentKind, IncidentState
from metadata.journal import EntryKind
from metadata.text import Sentence
from preservation.incidents import Incidents, restore_incidents
from preservation.journal import ArchiveJournal
from storage.journal import read_journal
from storage.port import Store
from storage.stores.memory import MemoryStore
from storage.wrappers import Fault, FaultStore
from tests.builders.kept import AGENT, Clock
from tests.preservation.conftest import NewCatalogue

SUBJECT = "a kho-1"
TOLD = Sentence("bản sao bị hỏng", "a replica is damaged")
DAMAGE = IncidentKind.DAMAGE


def service(catalogue: Catalogue, stores: list[Store], clock: Clock, told: list[str] | None = None) -> Incidents:
    def tell(one: Incident, again: bool) -> None:
        if told is not None:
            told.append(f"{one.kind.value} {again}")

    return Incidents(catalogue, ArchiveJournal(catalogue, stores, clock, AGENT), clock, tell)


def acts(store: MemoryStore) -> list[str]:
    return [one.entry.act for one in read_journal(store)]


def test_a_whole_life(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    told: list[str] = []
    incidents = service(catalogue, [*stores], clock, told)
    first = incidents.meet(DAMAGE, SUBJECT, TOLD, store=StoreId("kho-1"), facts={"damages": [1]})
    assert incidents.meet(DAMAGE, SUBJECT, TOLD).id == first.id
    clock.forward()
    mended = incidents.mend(DAMAGE, SUBJECT, {"from": "kho-2"})
    assert mended is not None
    assert (mended.state, mended.seen, mended.mended) == (IncidentState.MENDED, 2, clock.now)
    assert incidents.mend(DAMAGE, SUBJECT, {}) is None
    again = incidents.meet(DAMAGE, SUBJECT, TOLD)
    assert (again.id, again.state, again.opened) == (first.id, IncidentState.OPEN, first.opened)
    incidents.mend(DAMAGE, SUBJECT, {"from": "kho-3"})
    closed = incidents.close(first.id, " đĩa hỏng ", "thay đĩa", "Trần Thị Lan")
    assert (closed.state, closed.cause, closed.person) == (IncidentState.CLOSED, "đĩa hỏng", "Trần Thị Lan")
    assert incidents.meet(DAMAGE, SUBJECT, TOLD).id != first.id
    assert told == ["damage False", "damage True", "damage False"]
    life = ["opened", "mended", "met-again", "mended", "closed", "opened"]
    assert [acts(store) for store in stores] == [life, life]


def test_it_is_made_anew_from_the_journal(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    incidents = service(catalogue, [*stores], clock)
    for subject in ("a", "b", "c"):
        incidents.meet(DAMAGE, subject, TOLD, facts={"s": subject})
        clock.forward(timedelta(hours=1))
    incidents.mend(DAMAGE, "b", {"from": "kho-2"})
    incidents.close(incidents.meet(DAMAGE, "c", TOLD).id, "x", "y", "z", unmended=True)
    incidents.meet(DAMAGE, "c", TOLD)
    fresh = new_catalogue("fresh")
    ArchiveJournal(fresh, stores, clock, AGENT).recover()
    assert restore_incidents(fresh) == 4
    assert restore_incidents(fresh) == 0
    before = {one.id: one for one in catalogue.incidents.listed()}
    for one in fresh.incidents.listed():
        kept = before.pop(one.id)
        assert (one.state, one.told, one.facts, one.cause) == (kept.state, kept.told, kept.facts, kept.cause)
        assert (one.opened, one.mended, one.closed) == (kept.opened, kept.mended, kept.closed)
    assert not before


class _Dead(BaseException):
    pass


@pytest.mark.parametrize("step", ["meet", "mend", "close"])
def test_killed_between_journal_and_row_it_is_written_once(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    incidents = service(catalogue, [*stores], clock)

    def life() -> Incident:
        made = incidents.meet(DAMAGE, SUBJECT, TOLD)
        incidents.mend(DAMAGE, SUBJECT, {})
        return incidents.close(made.id, "x", "y", "z")

    def die(*_: object, **__: object) -> Incident:
        raise _Dead

    with monkeypatch.context() as patch:
        patch.setattr(type(catalogue.incidents), step, die)
        with pytest.raises(_Dead):
            life()
    clock.forward(timedelta(hours=1))
    there = catalogue.incidents.current(DAMAGE, SUBJECT)
    if there is None or there.state is IncidentState.OPEN:
        assert life().state is IncidentState.CLOSED
    else:
        incidents.close(there.id, "x", "y", "z")
    assert acts(stores[0]) == ["opened", "mended", "closed"]
    assert catalogue.journal.count() == 3


def test_two_workers_meet_the_same_and_there_is_one(
    either_catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    catalogue = either_catalogue

    def work(_: int) -> str:
        return service(catalogue, [*stores], clock).meet(DAMAGE, SUBJECT, TOLD).id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(work, range(12)))) == 1
    assert acts(stores[0]) == ["opened"]
    assert len(catalogue.incidents.listed()) == 1
    assert catalogue.incidents.listed()[0].seen >= 6


def test_it_is_not_closed_without_words_nor_while_it_is_open(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    incidents = service(catalogue, [*stores], clock)
    made = incidents.meet(DAMAGE, SUBJECT, TOLD)
    for words in (("", "y", "z"), ("x", " \n", "z"), ("x", "y", "")):
        with pytest.raises(UsageError):
            incidents.close(made.id, *words, unmended=True)
    with pytest.raises(UsageError) as refused:
        incidents.close(made.id, "x", "y", "z")
    assert "not mended" in refused.value.sentence.en
    assert incidents.close(made.id, "x", "y", "z", unmended=True).state is IncidentState.CLOSED
    entry = catalogue.journal.entries(EntryKind.INCIDENT, made.id)[0].entry
    assert (entry.document["unmended"], entry.person) == (True, "z")


def test_without_a_store_nothing_is_opened(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    away: list[Store] = [FaultStore(store, lambda call: Fault.BEFORE) for store in stores]
    with pytest.raises(StoreUnavailable):
        service(catalogue, away, clock).meet(DAMAGE, SUBJECT, TOLD)
    assert catalogue.incidents.listed() == []


def test_the_fix_file_tells_all_and_is_the_same_bytes_again(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    incidents = service(catalogue, [*stores], clock)
    made = incidents.meet(DAMAGE, SUBJECT, TOLD, facts={"damages": [{"place": "data/a.pdf"}]})
    incidents.mend(DAMAGE, SUBJECT, {"from": "kho-2"})
    incidents.close(made.id, "đĩa hỏng", "thay đĩa", "Lan")
    data = incidents.fix_file(made.id)
    assert data == incidents.fix_file(made.id)
    told = json.loads(data)
    assert told["format"] == "tangthu-fix/1"
    assert told["incident"]["facts"] == {"damages": [{"place": "data/a.pdf"}], "mended": {"from": "kho-2"}}
    assert (told["incident"]["cause"], told["incident"]["person"]) == ("đĩa hỏng", "Lan")
    assert [one["act"] for one in told["journal"]] == ["opened", "mended", "closed"]
    numbers = {one.number: one.digest.hex() for one in read_journal(stores[0])}
    assert {one["number"]: one["sha256"] for one in told["journal"]} == numbers
