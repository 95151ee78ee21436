"""Days on which one thing goes wrong in the house: a store that is old, full or away, a wrong clock, a rebuild at a bad
moment. After each of them the invariants hold, as the judge of ``keeping`` sees them on the stores themselves."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from ingest.place import Submission
from ingest.receipt import Receipt
from metadata.audits import Audit, AuditKind, AuditState
from metadata.errors import NoSpace, StoreUnavailable
from metadata.identifiers import StoreId
from metadata.incidents import Incident, IncidentKind, IncidentState
from metadata.journal import EntryKind
from metadata.outcomes import Fixity
from preservation.audit import Auditor
from preservation.audits import Audits
from preservation.checks import Schedule
from preservation.incidents import Incidents
from preservation.journal import ArchiveJournal
from preservation.rebuild import rebuild
from preservation.repair import Repairer
from preservation.restore import chains, load
from preservation.watch import Watch
from storage.journal import read_journal
from storage.keys import is_own_key
from storage.log import read_log
from storage.port import Store
from storage.stores.directory import DirectoryStore
from storage.wrappers import Call, Fault, FaultStore
from storage.wrappers.room import RoomStore
from tests.builders.archive import AGENT, ARCHIVE, PERIOD, SmallArchive, small_archive
from tests.builders.kept import flip, raw
from tests.builders.tt05 import documents, sip_hoso
from tests.flows.keeping import Keeping, keeping
from tests.preservation.test_backup import backups_of

HOUR, DAY, TEN_YEARS = timedelta(hours=1), timedelta(days=1), timedelta(days=3652)
SCHEDULE = Schedule(PERIOD, HOUR)
A, B = StoreId("a"), StoreId("b")


@dataclass
class Switch:
    """Stores that do not answer while their name is in ``away``."""

    away: set[str] = field(default_factory=set)

    def over(self, store: Store) -> Store:
        def plan(_: Call) -> Fault | None:
            return Fault.BEFORE if store.id.value in self.away else None

        return FaultStore(store, plan)


@dataclass
class House:
    """What keeps an archive, put together anew for each use, as workers do that come and go."""

    kept: Keeping
    switch: Switch

    @property
    def archive(self) -> SmallArchive:
        return self.kept.archive

    @property
    def stores(self) -> dict[StoreId, Store]:
        return {store.id: store for store in self.archive.stores}

    @property
    def journal(self) -> ArchiveJournal:
        return ArchiveJournal(self.archive.catalogue, self.archive.stores, self.archive.clock, AGENT)

    @property
    def incidents(self) -> Incidents:
        return Incidents(self.archive.catalogue, self.journal, self.archive.clock)

    @property
    def watch(self) -> Watch:
        return Watch(self.archive.catalogue, self.incidents, self.archive.clock, asked=lambda: self.stores)

    @property
    def auditor(self) -> Auditor:
        return Auditor(self.archive.catalogue, self.stores, self.archive.clock, AGENT, SCHEDULE, watch=self.watch)

    @property
    def repairer(self) -> Repairer:
        return Repairer(self.archive.catalogue, self.stores, self.archive.clock, AGENT, SCHEDULE, watch=self.watch)

    @property
    def audits(self) -> Audits:
        return Audits(self.archive.catalogue, self.auditor, self.stores, self.journal, self.archive.clock)

    def wait(self, time: timedelta) -> None:
        self.archive.clock.now += time

    def whole_audit(self, kind: AuditKind, store: StoreId) -> Audit:
        begun = self.audits.begin(kind, store)
        self.audits.step(begun.id, 3600)
        end = self.archive.catalogue.audits.get(begun.id)
        assert end.state is AuditState.DONE
        return end

    def outcomes(self, store: StoreId) -> dict[str, Fixity]:
        return {
            version.key: replica.outcome
            for version in self.kept.versions
            for replica in self.archive.catalogue.holdings.replicas(version.id)
            if replica.store == store
        }

    def found(self, kind: IncidentKind) -> list[Incident]:
        return list(self.archive.catalogue.incidents.listed(kind=kind))

    def note(self, *acts: str) -> None:
        for act in acts:
            self.journal.write(EntryKind.BACKUP, "x", act)

    def judge(self) -> None:
        """The stores hold what was acknowledged, whole; the logs and the journal are the same everywhere, and the
        catalogue calls nothing bad that is good."""
        self.kept.judge()
        told = [[one.entry.id for one in read_journal(store)] for store in self.kept.sound]
        assert all(one == told[0] for one in told)
        for store in self.stores:
            assert set(self.outcomes(store).values()) <= {Fixity.MATCH}


@contextmanager
def house(folder: Path, stores: Sequence[Store] = ()) -> Iterator[House]:
    sound = list(stores) or [_directory(name, folder / name) for name in "ab"]
    switch = Switch()
    with keeping(folder, [switch.over(store) for store in sound], sound, seed=3) as kept:
        yield House(kept, switch)


def _directory(name: str, folder: Path) -> DirectoryStore:
    store = DirectoryStore(StoreId(name), folder)
    store.create(ARCHIVE)
    return store


def test_a_store_restored_from_last_month(tmp_path: Path) -> None:
    """Its logs and its journal are shorter, the newer AIPs are not there."""
    with house(tmp_path) as here:
        here.kept.ingest(2)
        here.note("old")
        shutil.copytree(tmp_path / "b", tmp_path / "saved", symlinks=True)
        here.wait(30 * DAY)
        old = [version.key for version in here.kept.versions]
        here.kept.ingest(2)
        for version in here.kept.versions:
            here.auditor.audit(version.id)
        here.note("new", "newer")
        shutil.rmtree(tmp_path / "b")
        shutil.move(tmp_path / "saved", tmp_path / "b")
        store = here.kept.sound[1]
        assert len(list(read_log(store, old[0]))) < len(list(read_log(here.kept.sound[0], old[0])))

        here.wait(DAY)
        assert here.whole_audit(AuditKind.LIGHT, B).unread == 2
        report = here.auditor.audit_batch(10)
        assert report.replicas == {Fixity.MISSING: 2}
        assert {audit.version for audit in report.damaged} == {
            version.id for version in here.kept.versions if version.key not in old
        }
        deep = here.whole_audit(AuditKind.DEEP, B)
        assert (deep.done, deep.damaged) == (4, 2)
        assert len([one for one in here.found(IncidentKind.DAMAGE) if one.state is IncidentState.OPEN]) == 2
        for audit in report.damaged:
            assert here.repairer.repair(audit.version).repaired == (B,)
        here.note("healed")
        assert here.watch.review().away == ()
        assert {one.state for one in here.found(IncidentKind.DAMAGE)} == {IncidentState.MENDED}
        assert here.found(IncidentKind.LOG) == []
        assert [one.entry.act for one in read_journal(store) if one.entry.subject == "x"][-4:] == [
            "old",
            "new",
            "newer",
            "healed",
        ]
        here.judge()


def test_a_store_gone_for_a_day_and_back(tmp_path: Path) -> None:
    with house(tmp_path) as here:
        here.kept.ingest(3)
        here.watch.review()
        here.wait(PERIOD)
        here.switch.away = {"b"}
        for _ in range(3):
            report = here.auditor.audit_batch(10)
            assert not report.damaged
            assert Fixity.MISSING not in report.replicas
            assert set(here.outcomes(B).values()) == {Fixity.UNREADABLE}
            assert set(here.outcomes(A).values()) == {Fixity.MATCH}
            with pytest.raises(StoreUnavailable):
                here.audits.step(here.audits.begin(AuditKind.LIGHT, B, standing=True).id)
            assert here.watch.review().away == (B,)
            here.note("while it was away")
            here.wait(9 * HOUR)
        with pytest.raises(StoreUnavailable):
            here.archive.service.receive("job", Submission(_package(tmp_path, 77)))
        assert len(here.kept.versions) == 3
        assert here.watch.review().away == (B,)
        (gone,) = here.found(IncidentKind.STORE_AWAY)
        assert (gone.state, gone.store) == (IncidentState.OPEN, B)

        here.switch.away = set()
        here.watch.review()
        (gone,) = here.found(IncidentKind.STORE_AWAY)
        assert gone.state is IncidentState.MENDED
        assert here.auditor.audit_batch(10).replicas == {Fixity.MATCH: 3}
        light = here.audits.begin(AuditKind.LIGHT, B, standing=True)
        here.audits.step(light.id, 3600)
        assert here.archive.catalogue.audits.get(light.id).unread == 0
        here.kept.receipts[here.archive.service.receive("job", Submission(_package(tmp_path, 77))).key] = Path()
        assert here.found(IncidentKind.DAMAGE) == []
        here.judge()


def _package(folder: Path, number: int) -> Path:
    identity = f"00000000-0000-4000-8000-{number:012d}"
    path = folder / "packages" / f"uuid-{identity}"
    return path if path.exists() else sip_hoso(folder / "packages", identity=identity, contents=documents(2))


@contextmanager
def _tiny_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.fail("this test mounts a small disk: it needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(disk: Path, but: int) -> Path:
    """A file that leaves about ``but`` bytes free."""
    filler = disk / "filler"
    filler.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - but)))
    return filler


@pytest.mark.services
@pytest.mark.parametrize("left", [0, 4096, 12288, 28672])
def test_a_disk_that_is_full_in_the_middle_of_ingest_and_of_repair(tmp_path: Path, left: int) -> None:
    with _tiny_disk(tmp_path / "disk", "2m") as disk:
        rooms: list[tuple[StoreId, bool]] = []
        sound = [_directory("a", tmp_path / "a"), _directory("b", disk / "store")]
        seen = [RoomStore(store, lambda store, room: rooms.append((store, room))) for store in sound]
        with keeping(tmp_path, seen, sound, seed=4) as kept:
            here = House(kept, Switch())
            rows = here.archive.catalogue.incidents

            def told() -> None:
                for store, room in rooms:
                    if room:
                        rows.note_room(store)
                    else:
                        rows.note_full(store, here.archive.clock())
                rooms.clear()
                here.watch.review()

            kept.ingest(1)
            filler, package = _fill(disk, left), _package(tmp_path, 50)
            with pytest.raises(NoSpace) as error:
                here.archive.service.receive("job", Submission(package))
            assert "b" in error.value.sentence.vi
            told()
            assert [one.state for one in here.found(IncidentKind.STORE_FULL)] == [IncidentState.OPEN]
            assert len(kept.versions) == 1

            (version,) = kept.versions
            filler.unlink()
            flip(sound[1], version.key, version.size // 2)
            bad = raw(sound[1], version.key)
            filler = _fill(disk, left)
            report = here.repairer.repair(version.id)
            assert [store for store, _ in report.failed] == [B]
            assert raw(sound[1], version.key) == bad
            here.wait(PERIOD)
            assert here.auditor.audit_batch(10).replicas == {Fixity.MATCH: 1, Fixity.MISMATCH: 1}
            filler.unlink()

            receipt = here.archive.service.receive("job", Submission(package))
            assert receipt.aip
            kept.receipts[receipt.key] = package
            assert here.archive.service.receive("job", Submission(package)).key == receipt.key
            assert here.repairer.repair(version.id).repaired == (B,)
            told()
            assert {one.state for one in here.found(IncidentKind.STORE_FULL)} == {IncidentState.MENDED}
            here.note("room again")
            kept.judge()
            assert [upload for store in sound for upload in store.uploads()] == []


@pytest.mark.parametrize("off", [TEN_YEARS, -TEN_YEARS])
def test_a_clock_ten_years_off(tmp_path: Path, off: timedelta) -> None:
    with house(tmp_path) as here:
        here.kept.ingest(2)
        here.wait(PERIOD)
        assert here.auditor.audit_batch(10).replicas == {Fixity.MATCH: 4}
        here.whole_audit(AuditKind.LIGHT, B)
        right = here.archive.clock.now
        before = [here.archive.catalogue.holdings.replicas(version.id) for version in here.kept.versions]

        here.archive.clock.now = right + off
        assert here.auditor.audit_batch(10).audited == 0
        assert here.watch.review().clock is not None
        light = here.audits.begin(AuditKind.LIGHT, B, standing=True)
        here.audits.step(light.id, 3600)
        assert [here.archive.catalogue.holdings.replicas(version.id) for version in here.kept.versions] == before
        assert [one.state for one in here.found(IncidentKind.CLOCK)] == [IncidentState.OPEN]
        # A worker that took what was due by the wrong clock, and died of it.
        taken = here.archive.catalogue.fixity.lease_due(here.archive.clock(), 10, HOUR, "wrong")
        assert len(taken) == (2 if off > timedelta() else 0)

        here.archive.clock.now = right + HOUR
        assert here.watch.review().clock is None
        assert [one.state for one in here.found(IncidentKind.CLOCK)] == [IncidentState.MENDED]
        for store in (A, B):
            here.audits.step(here.audits.begin(AuditKind.LIGHT, store, standing=True).id, 3600)
        assert here.archive.catalogue.fixity.state(here.archive.clock()).due == 0
        here.wait(PERIOD + HOUR)
        assert here.auditor.audit_batch(10).replicas == {Fixity.MATCH: 4}
        ends = here.archive.clock() + PERIOD + HOUR
        for version in here.kept.versions:
            assert all(one.due <= ends for one in here.archive.catalogue.holdings.replicas(version.id))
        here.kept.ingest(1)
        here.judge()


def test_a_restore_over_stores_that_are_ahead_of_the_backup(tmp_path: Path) -> None:
    with house(tmp_path) as here:
        here.kept.ingest(2)
        backups = backups_of(here.archive.catalogue, list(here.archive.stores), here.archive.clock)  # type: ignore[arg-type]
        backups.make(full=True)
        here.wait(DAY)
        here.kept.ingest(2)
        for version in here.kept.versions:
            here.auditor.audit(version.id)
        (version, *_) = here.kept.versions
        flip(here.kept.sound[0], version.key, version.size // 2)
        here.auditor.audit(version.id)
        here.repairer.repair(version.id)
        before = list(here.archive.catalogue.dump())
        with small_archive(tmp_path / "again", stores=list(here.archive.stores)) as again:
            again.clock.now = here.archive.clock.now
            problems: list[object] = []
            chain = next(chains(again.stores, lambda *one: problems.append(one)))
            load(again.catalogue, chain, lambda *one: problems.append(one))
            assert len(list(again.catalogue.holdings.every_version())) == 2
            ArchiveJournal(again.catalogue, again.stores, again.clock, AGENT).recover()
            report = rebuild(again.catalogue, again.stores, again.clock, SCHEDULE)
            assert (report.rebuilt, report.lost, report.problems, problems) == (2, [], [], [])
            assert list(again.catalogue.dump()) == before
            for path in here.kept.receipts.values():
                assert again.service.receive("again", Submission(path)).key in here.kept.receipts
            assert len(list(again.catalogue.holdings.every_version())) == 4
        here.judge()


@pytest.mark.parametrize("where", ["empty", "same"])
def test_a_rebuild_while_an_ingest_runs(tmp_path: Path, where: str) -> None:
    """At each step of the ingest a rebuild goes over all stores: into an empty catalogue, or into the one in use."""
    points: list[str] = []
    current: list[SmallArchive] = []
    stores: list[Store] = [_directory(name, tmp_path / name) for name in "ab"]

    def at(name: str) -> None:
        (archive,) = current
        points.append(name)
        if where == "same":
            rebuild(archive.catalogue, archive.stores, archive.clock, SCHEDULE)
            return
        with small_archive(tmp_path / f"empty-{len(points)}", stores=list(archive.stores)) as empty:
            report = rebuild(empty.catalogue, archive.stores, archive.clock, SCHEDULE)
            assert report.rebuilt <= 2

    with small_archive(tmp_path / "archive", stores=stores, at=at) as archive:
        current.append(archive)
        kept: dict[str, Receipt] = {}
        for number in (1, 2):
            receipt = archive.service.receive("job", Submission(_package(tmp_path, number)))
            assert receipt.aip
            kept[receipt.key] = receipt
        assert {"claimed", "completed", "read back", "logged", "before register", "registered"} <= set(points)
        current.clear()
        versions = list(archive.catalogue.holdings.every_version())
        assert sorted(version.key for version in versions) == sorted(kept)
        assert archive.leftovers() == []
        before = list(archive.catalogue.dump())
        with small_archive(tmp_path / "last", stores=list(stores)) as last:
            report = rebuild(last.catalogue, stores, last.clock, SCHEDULE)
            assert (report.rebuilt, report.problems) == (2, [])
            assert list(last.catalogue.dump()) == before
        for store in stores:
            objects = [one.key for one in store.list() if one.key.endswith(".zip") and not is_own_key(one.key)]
            assert objects == sorted(kept)


@pytest.mark.parametrize("unmended", [False, True])
def test_an_incident_that_is_closed_while_the_damage_comes_again(tmp_path: Path, unmended: bool) -> None:
    """The same damage, after the first was mended, is a new incident, whatever a person said of the first."""
    with house(tmp_path) as here:
        here.kept.ingest(1)
        (version,) = here.kept.versions
        damage = partial(flip, here.kept.sound[1], version.key, version.size // 2)
        damage()
        here.auditor.audit(version.id)
        (first,) = here.found(IncidentKind.DAMAGE)
        if unmended:
            here.incidents.close(first.id, "đĩa cũ", "chờ thay", "Lan", unmended=True)
            assert here.repairer.repair(version.id).repaired == (B,)
        else:
            assert here.repairer.repair(version.id).repaired == (B,)
            damage()  # before the person has closed what was mended
            here.incidents.close(first.id, "đĩa cũ", "đã sửa", "Lan")
            damage()
        here.wait(DAY)
        damage()
        here.auditor.audit(version.id)
        second = [one for one in here.found(IncidentKind.DAMAGE) if one.id != first.id]
        assert [one.state for one in second] == [IncidentState.OPEN]
        assert here.archive.catalogue.incidents.get(first.id).state is IncidentState.CLOSED
        here.watch.review()
        assert here.repairer.repair(version.id).repaired == (B,)
        assert [one.state for one in here.found(IncidentKind.DAMAGE) if one.id != first.id] == [IncidentState.MENDED]
        here.judge()
