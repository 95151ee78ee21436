"""A lost catalogue comes back: out of backups, out of what the stores have beyond them, whatever is missing."""

from __future__ import annotations

import gzip
import random
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from metadata.catalogue import Catalogue
from metadata.errors import Damaged, Unreadable
from metadata.identifiers import StoreId
from metadata.journal import Entry, EntryKind
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation import backup_sets, restore
from preservation.audit import Auditor
from preservation.backup_sets import manifest_in, read_rows
from preservation.checks import Schedule, check_replica
from preservation.journal import ArchiveJournal
from preservation.rebuild import RebuildReport, rebuild
from preservation.repair import Repairer
from preservation.restore import chains, files, load
from storage.journal import encode_entry
from storage.keys import journal_key
from storage.port import Store
from storage.stores.memory import MemoryStore
from tests.builders.kept import AGENT, PERIOD, Clock, flip, keep, raw, replace
from tests.preservation.test_backup import backups_of
from tests.services.postgres import PostgresService, postgres_service, postgres_url  # noqa: F401 - fixtures

SCHEDULE = Schedule(PERIOD, timedelta(hours=1))
NewCatalogue = Callable[[str], Catalogue]


def restored(catalogue: Catalogue, stores: list[Store], clock: Clock, workers: int = 3) -> RebuildReport:
    """What the command does, without settings and index."""
    told: list[object] = []
    for chain in chains(stores, lambda *one: told.append(one)):
        try:
            load(catalogue, chain, lambda *one: told.append(one))
        except Damaged:
            continue
        break
    ArchiveJournal(catalogue, stores, clock, AGENT).recover()
    return rebuild(catalogue, stores, clock, SCHEDULE, workers=workers)


def rows(catalogue: Catalogue) -> list[tuple[str, dict[str, object]]]:
    return list(catalogue.dump())


@pytest.mark.parametrize("seed", range(6))
def test_random_histories_come_back_as_they_were(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock, seed: int
) -> None:
    chance = random.Random(seed)
    by_id = {store.id: store for store in stores}
    kept = [keep(catalogue, stores, "đầu")]
    backups = backups_of(catalogue, [*stores], clock)
    for turn in range(14):
        clock.forward(timedelta(days=chance.choice([1, 40, 100])))
        one = chance.choice(kept)
        match chance.randrange(5):
            case 0:
                kept.append(keep(catalogue, stores, str(turn), at=clock.now))
            case 1:
                Auditor(catalogue, by_id, clock, AGENT, SCHEDULE).audit_batch(2)
            case 2:
                flip(chance.choice(stores), one.key, chance.randrange(one.version.size))
                Auditor(catalogue, by_id, clock, AGENT, SCHEDULE).audit(one.id)
                Repairer(catalogue, by_id, clock, AGENT, SCHEDULE).repair(one.id)
            case _:
                backups.make(full=chance.random() < 0.2)
    again = new_catalogue("again")
    report = restored(again, [*stores], clock)
    assert (report.lost, report.problems) == ([], [])
    assert rows(again) == rows(catalogue)
    assert again.journal.entries(limit=1000) == catalogue.journal.entries(limit=1000)
    assert all(
        check_replica(store, one.key, lambda id=one.id: again.holdings.members(id)).outcome is Fixity.MATCH  # type: ignore[misc]
        for one in kept
        for store in stores
    )


def test_one_store_gone_and_a_part_damaged_in_the_other(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    third = MemoryStore(StoreId("kho-3"))
    everywhere: list[Store] = [*stores, third]
    for name in "abc":
        keep(catalogue, everywhere, name)
    backups = backups_of(catalogue, everywhere, clock)
    full = manifest_in(stores[0], backups.make().id)
    assert full is not None
    clock.forward(timedelta(days=1))
    keep(catalogue, everywhere, "d", at=clock.now)
    backups.make()
    clock.forward(timedelta(days=1))
    keep(catalogue, everywhere, "e", at=clock.now)
    flip(stores[0], full.key(full.parts[0].name), 50)
    again = new_catalogue("again")
    report = restored(again, [stores[0], third], clock)
    assert (report.rebuilt, report.known, report.problems) == (1, 4, [])
    assert report.elsewhere == {stores[1].id: 5}
    assert rows(again) == rows(catalogue)


@pytest.mark.parametrize("which", ["full", "incremental", "both"])
def test_parts_damaged_everywhere_leave_what_is_older_and_logs_tell_the_rest(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock, which: str
) -> None:
    kept = [keep(catalogue, stores, name) for name in "abc"]
    backups = backups_of(catalogue, [*stores], clock)
    made = {"full": backups.make().id}
    clock.forward(timedelta(days=1))
    Auditor(catalogue, {store.id: store for store in stores}, clock, AGENT, SCHEDULE).audit(kept[0].id)
    made["incremental"] = backups.make().id
    for name, id in made.items():
        manifest = manifest_in(stores[0], id)
        assert manifest is not None
        for store in stores if which in (name, "both") else ():
            flip(store, manifest.key(manifest.parts[0].name), 50)
    again = new_catalogue("again")
    report = restored(again, [*stores], clock)
    assert (report.rebuilt, report.updated) == ((0, 1) if which == "incremental" else (3, 0))
    assert rows(again) == rows(catalogue)


def test_from_one_kind_of_database_to_the_other_and_back(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock,
    postgres_url: str,  # noqa: F811
) -> None:  # fmt: skip
    for name in "abc":
        keep(catalogue, stores, name)
    backups_of(catalogue, [*stores], clock).make()
    with Catalogue(postgres_url) as server:
        server.upgrade()
        restored(server, [*stores], clock)
        assert rows(server) == rows(catalogue)
        clock.forward(timedelta(days=1))
        keep(server, stores, "d", at=clock.now)
        backups_of(server, [*stores], clock).make()
        again = new_catalogue("again")
        assert restored(again, [*stores], clock).rebuilt == 0
        assert rows(again) == rows(server)


def test_a_backup_that_somebody_changed_is_not_taken(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    keep(catalogue, stores)
    made = manifest_in(stores[0], backups_of(catalogue, [*stores], clock).make().id)
    assert made is not None
    forged = raw(stores[0], made.key()).replace(b'"versions":1', b'"versions":2')
    for store in stores:
        replace(store, made.key(), forged)
    told: list[object] = []
    assert list(chains([*stores], lambda *one: told.append(one))) == []
    assert len(told) == 2
    again = new_catalogue("again")
    assert restored(again, [*stores], clock).rebuilt == 1
    assert rows(again) == rows(catalogue)


def test_what_only_one_store_tells_is_not_the_newest(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    keep(catalogue, stores)
    first = backups_of(catalogue, [*stores], clock).make()
    clock.forward(timedelta(days=1))
    later = backups_of(catalogue, [*stores], clock).make()
    last = catalogue.journal.last()
    assert last is not None
    stores[0].delete(journal_key(last.number))
    told: list[object] = []
    found = [(chain.newest.id, chain.vouched) for chain in chains([*stores], lambda *one: told.append(one))]
    assert (found, told) == ([(first.id, 2), (later.id, 1)], [])


def test_where_journals_part_nothing_that_comes_later_is_believed(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    keep(catalogue, stores)
    backups_of(catalogue, [*stores], clock).make()
    last = catalogue.journal.last()
    assert last is not None
    entry = Entry(uuid.uuid4(), clock(), EntryKind.DRILL, "x", "made", "", AGENT, {})
    replace(stores[0], journal_key(last.number), encode_entry(last.number, b"" if last.number == 1 else b"?", entry))
    told: list[tuple[object, Sentence]] = []
    assert [chain.vouched for chain in chains([*stores], lambda *one: told.append(one))] == [0]
    assert "contradict" in told[0][1].en


def test_a_few_packed_bytes_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_sets, "_RAW_BYTES", 1 << 20)
    for line in (b" ", b"[]\n"):
        rows = read_rows([gzip.compress(b'{"table":"t","columns":[]}\n' + line * (3 << 20))])
        with pytest.raises(Unreadable):
            for _ in rows:
                pass


def test_files_that_never_end_are_no_files(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore, "_MOST_BYTES", 1 << 20)
    backups_of(catalogue, [*stores], clock, ("x", b"0" * (2 << 20))).make()
    with pytest.raises(Unreadable):
        list(files(next(chains([*stores], lambda *_: None)), lambda *_: None))


class TestRebuild:
    @pytest.fixture
    def both(self, catalogue: Catalogue, stores: list[MemoryStore]) -> Iterator[list[str]]:
        yield [keep(catalogue, stores, name).key for name in "abcdefgh"]

    @pytest.mark.parametrize("workers", [1, 4])
    def test_workers_come_to_the_same(
        self, catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock,
        both: list[str], workers: int,
    ) -> None:  # fmt: skip
        again, done = new_catalogue("again"), list[str]()
        report = rebuild(again, stores, clock, SCHEDULE, on_progress=done.append, workers=workers)
        assert (report.rebuilt, sorted(done)) == (8, sorted(both))
        assert rows(again) == rows(catalogue)
        assert rebuild(again, stores, clock, SCHEDULE, workers=workers).known == 8

    def test_what_is_there_costs_no_question_each(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, both: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(type(catalogue.holdings), "version", None)
        assert rebuild(catalogue, stores, clock, SCHEDULE).known == len(both)

    def test_a_log_without_any_object_is_a_loss(
        self, catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock,
        both: list[str],
    ) -> None:  # fmt: skip
        for store in stores:
            store.delete(both[0])
            store.delete(sorted(both)[-1])
        report = rebuild(new_catalogue("again"), stores, clock, SCHEDULE)
        assert (report.rebuilt, sorted(report.lost)) == (6, sorted({both[0], sorted(both)[-1]}))

    def test_a_shorter_log_another_size_and_a_lost_replica_are_told(
        self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, both: list[str]
    ) -> None:
        replace(stores[0], both[0], raw(stores[0], both[0]) + b"x")
        stores[1].delete(both[1])
        stores[1].delete(both[2].replace(".zip", ".log/000001.json"))
        report = rebuild(catalogue, stores, clock, SCHEDULE)
        assert sorted((one.key, one.store) for one in report.problems) == sorted(
            [(both[0], stores[0].id), (both[1], stores[1].id), (both[2], stores[1].id)]
        )


class TestJournal:
    @pytest.fixture
    def journal(self, catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> ArchiveJournal:
        made = ArchiveJournal(catalogue, stores, clock, AGENT)
        for number in range(5):
            made.write(EntryKind.STORE, f"kho-{number}", "added")
        return made

    @pytest.mark.parametrize("missing", [(1,), (3,), (5,), (1, 2, 3, 4, 5), (2, 4)])
    @pytest.mark.parametrize("lost", [True, False])
    def test_every_store_gets_what_it_lacks(
        self, catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock,
        journal: ArchiveJournal, missing: tuple[int, ...], lost: bool,
    ) -> None:  # fmt: skip
        whole = {info.key: raw(stores[0], info.key) for info in stores[0].list()}
        for number in missing:
            stores[1].delete(journal_key(number))
        target = new_catalogue("again") if lost else catalogue
        assert ArchiveJournal(target, stores, clock, AGENT).recover() == (5 if lost else 0)
        for store in stores:
            assert {info.key: raw(store, info.key) for info in store.list()} == whole
        assert target.journal.entries() == catalogue.journal.entries()

    def test_what_contradicts_is_told_and_left(
        self, catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock,
        journal: ArchiveJournal,
    ) -> None:  # fmt: skip
        third = MemoryStore(StoreId("kho-3"))
        other = ArchiveJournal(new_catalogue("other"), [third], clock, AGENT)
        other.write(EntryKind.STORE, "khác", "added")
        told: list[tuple[str, StoreId]] = []
        again = new_catalogue("again")
        recovery = ArchiveJournal(again, [third, *stores], clock, AGENT)
        assert recovery.recover(lambda key, store, _: told.append((key, store))) == 5
        assert (journal_key(1), third.id) in told
        assert again.journal.entries() == catalogue.journal.entries()
