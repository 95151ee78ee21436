"""Auditors, repairers and light looks of several machines at the same holdings: on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta

import pytest

from metadata.audits import AuditKind, AuditState
from metadata.catalogue import Catalogue
from metadata.errors import Busy
from metadata.events import EventType
from metadata.identifiers import StoreId
from metadata.incidents import IncidentState
from metadata.outcomes import Fixity
from preservation.audit import Auditor
from preservation.audits import Audits
from preservation.budgets import Budgets
from preservation.checks import SUCCESS, Schedule
from preservation.incidents import Incidents
from preservation.journal import ArchiveJournal
from preservation.light import look_lightly
from preservation.repair import Repairer
from preservation.standing import StandingAudits
from preservation.watch import Watch
from storage.keys import log_key
from storage.log import read_log
from storage.port import Store
from storage.stores.memory import MemoryStore
from tests.builders.kept import AGENT, PERIOD, Clock, File, Kept, flip, keep

HOUR = timedelta(hours=1)
FILES = (File("a.pdf", b"%PDF-1.4 x" * 9),)
HELD = 8


class Machine:
    """What one machine has of its own; the database and the stores are everybody's."""

    def __init__(self, url: str, stores: list[MemoryStore], clock: Clock) -> None:
        self.catalogue = Catalogue(url)
        self.stores: dict[StoreId, Store] = {store.id: store for store in stores}
        self.clock = clock
        journal = ArchiveJournal(self.catalogue, stores, clock, AGENT)
        watch = Watch(self.catalogue, Incidents(self.catalogue, journal, clock), clock, asked=lambda: self.stores)
        schedule = Schedule(PERIOD, HOUR)
        self.auditor = Auditor(self.catalogue, self.stores, clock, AGENT, schedule, watch=watch, readers=2)
        self.repairer = Repairer(self.catalogue, self.stores, clock, AGENT, schedule, watch=watch)
        self.audits = Audits(self.catalogue, self.auditor, self.stores, journal, clock)
        self.standing = StandingAudits(self.catalogue, self.auditor, list(self.stores), clock, Budgets())

    def audit(self) -> None:
        while self.standing.step(2).audited:
            pass

    def repair(self) -> None:
        while damaged := self.catalogue.fixity.damaged():
            for version in dict.fromkeys(one.version for one in damaged):
                with suppress(Busy):
                    self.repairer.repair(version)

    def look_lightly(self) -> None:
        for store in self.stores.values():
            look_lightly(self.catalogue, store, self.clock, mend_log=self.auditor.mend_log)


Machines = Callable[[], Machine]


@pytest.fixture
def machines(either_url: str, stores: list[MemoryStore], clock: Clock) -> Iterator[Machines]:
    made: list[Machine] = []

    def machine() -> Machine:
        made.append(Machine(either_url, stores, clock))
        return made[-1]

    yield machine
    for one in made:
        one.catalogue.close()


def _together(*acts: Callable[[], None]) -> None:
    start, errors = threading.Barrier(len(acts), timeout=30), list[BaseException]()

    def run(act: Callable[[], None]) -> None:
        try:
            start.wait()
            act()
        except BaseException as error:  # told by the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    if errors:
        raise errors[0]


def _looks(catalogue: Catalogue, kept: list[Kept], clock: Clock) -> Counter[tuple[str, str]]:
    return Counter(
        (str(one.id), event.store.value)
        for one in kept
        for event in catalogue.events.of(one.id)
        if event.type is EventType.FIXITY_CHECK and event.at == clock.now and event.store
    )


def _judge(catalogue: Catalogue, stores: list[MemoryStore], kept: list[Kept], clock: Clock) -> None:
    """Everything matches, is told the same everywhere, and nobody holds anything."""
    for one in kept:
        assert [replica.outcome for replica in catalogue.holdings.replicas(one.id)] == [Fixity.MATCH] * len(stores)
        logs = [list(read_log(store, one.key)) for store in stores]
        assert all(log == logs[0] for log in logs)
        assert logs[0][-1].head == catalogue.events.head(one.id)
        told = {event.id for entry in logs[0] for event in entry.events}
        assert told <= {event.id for event in catalogue.events.of(one.id)}
    assert catalogue.fixity.state(clock.now).leased == 0
    assert catalogue.coverage.days() == catalogue.coverage.recounted()


def test_several_auditors_read_every_replica_once(machines: Machines, stores: list[MemoryStore], clock: Clock) -> None:
    several = [machines() for _ in range(4)]
    catalogue = several[0].catalogue
    kept = [keep(catalogue, stores, f"hồ sơ {number}", FILES, 1) for number in range(HELD)]
    clock.forward()
    _together(*(one.audit for one in several))
    assert _looks(catalogue, kept, clock) == {(str(one.id), store.id.value): 1 for one in kept for store in stores}
    _judge(catalogue, stores, kept, clock)
    assert sum(one.done for one in several[0].standing.listed()) == HELD * len(stores)


def test_auditors_repairers_and_light_looks_side_by_side(
    machines: Machines, stores: list[MemoryStore], clock: Clock
) -> None:
    several = [machines() for _ in range(6)]
    catalogue = several[0].catalogue
    kept = [keep(catalogue, stores, f"hồ sơ {number}", FILES, 1) for number in range(HELD)]
    clock.forward()
    flip(stores[0], kept[0].key, 200)
    flip(stores[1], kept[1].key, 200)
    stores[1].delete(kept[2].key)
    stores[0].delete(log_key(kept[3].key, 1))
    _together(
        several[0].audit, several[1].audit, several[2].repair, several[3].repair, several[4].look_lightly,
        several[5].look_lightly,
    )  # fmt: skip
    # What met another at the same AIP was put off for an hour.
    for _ in range(2):
        clock.forward(2 * HOUR)
        _together(several[0].audit, several[1].audit)
        _together(several[2].repair, several[3].repair)
    several[4].look_lightly()
    _judge(catalogue, stores, kept, clock)
    for one in kept:
        recovered = [event for event in catalogue.events.of(one.id) if event.type is EventType.RECOVERY]
        done = [event for event in recovered if event.outcome == SUCCESS]
        assert len(done) == (1 if one in kept[:3] else 0)
    assert {one.state for one in catalogue.incidents.listed()} == {IncidentState.MENDED}
    assert len(catalogue.incidents.listed()) == 3


def test_two_workers_at_one_audit_read_and_count_nothing_twice(
    machines: Machines, stores: list[MemoryStore], clock: Clock
) -> None:
    several = [machines() for _ in range(3)]
    catalogue = several[0].catalogue
    kept = [keep(catalogue, stores, f"hồ sơ {number}", FILES, 1) for number in range(HELD)]
    clock.forward(HOUR)
    begun = several[0].audits.begin(AuditKind.DEEP, stores[0].id)

    def work(machine: Machine) -> None:
        while machine.catalogue.audits.get(begun.id).state is AuditState.RUNNING:
            machine.audits.step(begun.id)

    _together(*(lambda one=one: work(one) for one in several))  # type: ignore[misc]
    end = catalogue.audits.get(begun.id)
    assert (end.state, end.done, end.damaged) == (AuditState.DONE, HELD, 0)
    assert set(_looks(catalogue, kept, clock)) <= {(str(one.id), stores[0].id.value) for one in kept}
    _judge(catalogue, stores, kept, clock)
