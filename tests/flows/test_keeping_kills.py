"""SIGKILL over workers that audit, repair, replicate, back up and drill: nothing lost, and everything told once.

Each window of ``tests.flows.kill_windows`` once, then random moments of two workers; TANGTHU_KEEPING_KILLS says how
many kills in all (``make prove``: 2,000). With n kills and no failure the 95 % upper bound of the probability of a
failure is 3/n (rule of three).
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from administration.archive import Archive, write_settings
from administration.flows import sweep_folders, sweep_uploads, work_options, workflows
from administration.restoring import Wish, restore, source
from administration.work.engine import WorkEngine
from administration.work.plan import JobState, Json, Request
from ingest.place import Submission
from ingest.service import IngestService
from metadata.backups import DrillOutcome
from metadata.catalogue import Catalogue
from metadata.events import Event, EventType
from metadata.holdings import AipVersion
from metadata.identifiers import StoreId, VersionId
from metadata.incidents import IncidentKind, IncidentState
from metadata.journal import EntryKind
from metadata.outcomes import Fixity
from preservation.backup_sets import backups_in, manifest_in, read_part
from preservation.comparing import compare
from preservation.incidents import history
from preservation.rebuild import rebuild
from preservation.restore import chains, load
from preservation.watch import replica_subject
from storage.aip.verify import verify_object
from storage.journal import read_journal
from storage.keys import BACKUP_PREFIX, is_own_key, journal_key, log_key, parse_log_key
from storage.log import read_log
from storage.replicas import ReplicaSet
from tests.builders.kept import flip
from tests.builders.tt05 import documents, sip_hoso
from tests.flows.keeping import DAMAGES
from tests.flows.kill_windows import REPLICATION, WINDOWS
from tests.flows.kill_worker import HarnessArchive
from tests.flows.test_kills import Nursery, alive, nursery

KILLS = int(os.environ.get("TANGTHU_KEEPING_KILLS", "40"))
OUTSTANDING = 3
PACKAGES = 6
PATIENCE = 120.0
SETTINGS = """\
[archive]
code = "H20"
name = "Kho thử"
[work]
ttl_seconds = 1.0
max_deaths = 100000
[backup]
every_hours = 0.0008
[drills]
aips = 1
[storage]
required_replicas = 2
"""
STORES = ("a", "b", "c")
ARGUMENTS: dict[str, Json] = {
    "audit": {"limit": 20}, "replicate": {"limit": 1}, "watch": None, "backup": None, "drill": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Damage:
    """What was done behind the archive's back, and when."""

    version: AipVersion
    store: StoreId
    at: datetime


class Scene:
    """An archive whose third store is new, damages that come, and requests that make workers find and mend them."""

    def __init__(self, archive: HarnessArchive, engine: WorkEngine, folder: Path, rng: random.Random) -> None:
        self.archive = archive
        self.engine = engine
        self.folder = folder
        self.rng = rng
        self.sent = 0
        self.jobs: list[Request] = []
        self.outstanding: list[Damage] = []
        self.done: Counter[tuple[VersionId, StoreId]] = Counter()
        two = ReplicaSet([archive.stores[StoreId(name)] for name in "ab"], 2)
        self.intake = IngestService(replace(archive.ingest_place, replicas=two))

    def send(self) -> None:
        """A package comes in, into the two old stores."""
        identity = f"00000000-0000-4000-8000-{self.sent:012d}"
        path = sip_hoso(self.folder, identity=identity, contents=documents(1 + self.sent % 2))
        self.sent += 1
        assert self.intake.receive("sent", Submission(path)).aip

    def keep_busy(self, *work: str) -> None:
        """There is always something to find, and a job that finds it."""
        self.settle()
        while len(self.outstanding) < OUTSTANDING and (version := self._whole()) is not None:
            self._damage(version)
        if "replicate" in work and not self.archive.replicator.lacks():
            self.send()
        self.ask("audit", "watch", *work)

    def ask(self, *work: str) -> None:
        """A job of each, unless one waits."""
        for name in work:
            if not self.engine.unfinished(name):
                self.jobs.append(Request(name, f"{name}-{len(self.jobs)}", ARGUMENTS[name]))
                self.engine.enqueue(self.jobs[-1])

    def settle(self) -> None:
        """What is mended is signed off by a person, so that the next damage there is an incident of its own."""
        for one in list(self.outstanding):
            replicas = {replica.store: replica for replica in self.archive.catalogue.holdings.replicas(one.version.id)}
            mine = replicas[one.store]
            subject = replica_subject(one.version.id, one.store)
            incident = self.archive.catalogue.incidents.current(IncidentKind.DAMAGE, subject)
            looked = mine.outcome is Fixity.MATCH and mine.checked is not None and mine.checked > one.at
            if looked and incident is not None and incident.state is IncidentState.MENDED:
                self.archive.incidents.close(incident.id, "thử", "đã chép lại", "Nguyễn Văn A")
                self.done[one.version.id, one.store] += 1
                self.outstanding.remove(one)

    def _whole(self) -> AipVersion | None:
        """One that nothing is wrong with, as far as anybody knows."""
        bad = {one.version.id for one in self.outstanding}
        versions = list(self.archive.catalogue.holdings.every_version())
        for version in self.rng.sample(versions, len(versions)):
            outcomes = {replica.outcome for replica in self.archive.catalogue.holdings.replicas(version.id)}
            if version.id not in bad and outcomes == {Fixity.MATCH}:
                return version
        return None

    def _damage(self, version: AipVersion) -> None:
        """One replica, and the log beside it."""
        held = [replica.store for replica in self.archive.catalogue.holdings.replicas(version.id)]
        store = self.archive.bare_stores[self.rng.choice(held)]
        self.outstanding.append(Damage(version, store.id, datetime.now(UTC)))
        flip(store, log_key(version.key, 1), 9)
        self.rng.choice(DAMAGES)(self.rng, store, version.key)
        while not self._due(version.id, store.id):
            time.sleep(0.05)

    def _due(self, version: VersionId, store: StoreId) -> bool:
        """Make it due, unless somebody is at it."""
        fixity, now = self.archive.catalogue.fixity, datetime.now(UTC)
        made = fixity.hasten(version, store, now)
        return made or any((one.version, one.store) == (version, store) for one in fixity.due(now))


def work_for(window: str) -> tuple[str, ...]:
    """What must be asked for so that a worker comes to that window."""
    kind = window.partition(":")[0]
    return {"backup": ("backup",), "drill": ("backup", "drill"), "replicate": ("replicate",)}.get(kind, ())


def kill_in_windows(scene: Scene, workers: Nursery) -> int:
    """A worker that dies in its window, for each window."""
    windows = (*WINDOWS, *REPLICATION)
    for window in windows:
        scene.keep_busy(*work_for(window))
        worker = workers.fork(window)
        deadline = time.monotonic() + PATIENCE
        while alive(worker):
            assert time.monotonic() < deadline, f"«{window}» was not reached"
            scene.keep_busy(*work_for(window))
            time.sleep(0.05)
    return len(windows)


def kill_at_random(scene: Scene, workers: Nursery, kills: int) -> None:
    """Two workers, one of which is killed at a random moment, again and again."""
    running = [workers.fork("-"), workers.fork("-")]
    for _ in range(kills):
        scene.keep_busy("replicate", "backup", "drill")
        time.sleep(scene.rng.uniform(0.05, 1.0))
        slot = scene.rng.randrange(2)
        assert alive(running[slot]), "a worker died that nobody had killed"
        os.kill(running[slot], signal.SIGKILL)
        running[slot] = workers.fork("-")
    for worker in running:
        os.kill(worker, signal.SIGKILL)


def bring_to_rest(scene: Scene, workers: Nursery) -> None:
    """Nobody is killed any more: what is wrong is found and mended, then everything is read, backed up and tried."""
    catalogue = scene.archive.catalogue
    worker = workers.fork("-")

    def until(done: Callable[[], bool], *work: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not (done() and not any(scene.engine.unfinished(name) for name in (*ARGUMENTS, "repair"))):
            assert time.monotonic() < deadline, (scene.outstanding, scene.archive.replicator.lacks())
            assert alive(worker)
            scene.settle()
            if not done():
                scene.ask(*work)
            time.sleep(0.05)

    until(lambda: not scene.outstanding and not scene.archive.replicator.lacks(), "audit", "watch", "replicate")
    begun = datetime.now(UTC)
    every = [version.id for version in catalogue.holdings.every_version()]
    for version in every:
        for store in scene.archive.stores:
            catalogue.fixity.hasten(version, store, begun)

    def read_again() -> bool:
        replicas = (one for version in every for one in catalogue.holdings.replicas(version))
        return all(one.checked is not None and one.checked > begun for one in replicas)

    until(read_again, "audit", "watch")
    until(lambda: scene.archive.backups.made()[0].at > begun, "backup")
    until(lambda: scene.archive.drills.listed()[0].at > begun, "drill")
    os.kill(worker, signal.SIGKILL)


@contextmanager
def scene_in(folder: Path, seed: int) -> Iterator[Scene]:
    """The archive in ``folder``, its engine that only asks."""
    home = folder / "archive"
    stores = "".join(f'[[stores]]\nid = "{name}"\npath = "{home / name}"\n' for name in STORES)
    write_settings(home, SETTINGS + stores)
    with HarnessArchive.open(home) as archive:
        archive.create()
        with WorkEngine(archive.settings.work_url, workflows(archive), work_options(archive.settings, ())) as engine:
            scene = Scene(archive, engine, folder / "sent", random.Random(seed))
            for _ in range(PACKAGES):
                scene.send()
            yield scene


@pytest.mark.timeout(0)
def test_kill_storm_over_keeping_work(tmp_path: Path) -> None:
    with scene_in(tmp_path, 20261127) as scene, nursery(scene.archive.settings.home) as workers:
        windows = kill_in_windows(scene, workers)
        kill_at_random(scene, workers, max(0, KILLS - windows))
        bring_to_rest(scene, workers)
        check_jobs(scene)
        versions = list(scene.archive.catalogue.holdings.every_version())
        assert len(versions) == scene.sent
        for version in versions:
            check_life(scene, version)
        check_incidents(scene)
        check_journal(scene.archive)
        check_backups(scene.archive, tmp_path)
        check_drills(scene)
        check_nothing_is_left(scene.archive, versions)
        check_catalogue(scene.archive, tmp_path)
        kills = max(KILLS, windows)
        damages = scene.done.total()
    told = f"{kills} kills ({windows} in windows), {len(versions)} AIPs in {len(STORES)} stores, {damages} damages"
    print(f"\n{told}: each found, mended and told once; 0 lost, 0 doubled, 0 left over; 95 % bound {3 / kills:.2%}")


def check_jobs(scene: Scene) -> None:
    """Every job came to its end; a repair may have left its work to another."""
    for status in scene.engine.jobs(limit=100_000):
        busy = status.failure is not None and status.failure.retry
        assert status.state is JobState.DONE or (status.workflow == "repair" and busy), status


def check_life(scene: Scene, version: AipVersion) -> None:
    """Whole in every store; the same chain of events in each, every one once, and as many as were done."""
    catalogue, stores = scene.archive.catalogue, scene.archive.stores
    for store in stores.values():
        verdict = verify_object(store, version.key, catalogue.holdings.members(version.id))
        assert verdict.outcome is Fixity.MATCH, (version.key, store.id, verdict)
    logs = [list(read_log(store, version.key)) for store in stores.values()]
    assert all(log == logs[0] for log in logs)
    logged = [event for entry in logs[0] for event in entry.events]
    assert catalogue.events.of(version.id)[-len(logged) :] == logged
    assert logs[0][-1].head == catalogue.events.head(version.id)
    assert [one for one, count in Counter(event.id for event in logged).items() if count > 1] == []
    assert _made(logged, EventType.REPLICATION) == dict.fromkeys(stores, 1), version.key
    mended = {store: count for (of, store), count in scene.done.items() if of == version.id}
    assert _made(logged, EventType.RECOVERY) == mended, version.key
    found = Counter(
        event.store for event in logged if event.type is EventType.FIXITY_CHECK and Fixity(event.outcome).damaged
    )
    assert all(found[store] >= count for store, count in mended.items())


def _made(logged: Sequence[Event], type: EventType) -> dict[StoreId, int]:
    return dict(Counter(one.store for one in logged if one.type is type and one.outcome == "success" and one.store))


def check_incidents(scene: Scene) -> None:
    """One for each damage, opened, mended and signed off once."""
    found: Counter[str] = Counter()
    for one in scene.archive.catalogue.incidents.listed(limit=1_000_000):
        acts = [entry.entry.act for entry in history(scene.archive.catalogue, one.id)]
        if one.kind is IncidentKind.DAMAGE:
            assert (one.state, acts) == (IncidentState.CLOSED, ["opened", "mended", "closed"]), one
            found[one.subject] += 1
        else:  # a drill drew a replica that was damaged
            assert (one.kind, one.subject, one.state) == (IncidentKind.BACKUP, "drill", IncidentState.MENDED)
            assert acts == ["opened", "mended", *["met-again", "mended"] * (len(acts) // 2 - 1)]
    assert found == {replica_subject(*pair): count for pair, count in scene.done.items()}


def check_journal(archive: Archive) -> None:
    """One chain, the same in every store and in the catalogue."""
    journals = [list(read_journal(store)) for store in archive.stores.values()]
    known = archive.catalogue.journal.entries(limit=1_000_000)[::-1]
    assert all(journal == known for journal in journals)
    assert len({one.entry.id for one in known}) == len(known)


def check_backups(archive: Archive, folder: Path) -> None:
    """What claims to be a backup is one that the journal tells of, and gives back what it held."""
    made = {one.id: one for one in archive.backups.made()}
    told = [one.entry.subject for one in archive.catalogue.journal.entries(EntryKind.BACKUP, limit=1_000_000)]
    assert len(told) == len(set(told)) == len(made)
    assert [one.outcome.value for one in archive.backups.listed(1_000_000)] == ["made"] * len(told)
    for store in archive.stores.values():
        assert set(backups_in(store)) == set(made)
        for one in made.values():
            manifest = manifest_in(store, one.id)
            assert manifest is not None and manifest.digest == one.digest and store.id in one.stores
            for part in manifest.parts:
                read_part(store, manifest, part)
    for place, chain in enumerate(chains(list(archive.stores.values()), _no_note)):
        if place in (0, 1, len(made) // 2, len(made) - 1):
            with Catalogue(f"sqlite:///{folder}/backup-{place}.sqlite") as restored:
                restored.upgrade()
                assert load(restored, chain, _no_note).backup == chain.newest.id
                compare(restored, archive.catalogue, chain.newest.at, lambda said: pytest.fail(said.en))


def check_drills(scene: Scene) -> None:
    """Each is told once; none found anything wrong with a backup; nothing was wrong in the end."""
    drills = scene.archive.drills.listed(1_000_000)
    asked = sorted(job.id for job in scene.jobs if job.workflow == "drill")
    assert sorted(one.id for one in drills) == asked
    assert drills[0].outcome is DrillOutcome.PASSED and drills[0].backup
    keys = [str(version.id) for version in scene.archive.catalogue.holdings.every_version()]
    for drill in drills:
        of_aips = [problem for problem in drill.problems if any(problem.startswith(key) for key in keys)]
        assert list(drill.problems) == of_aips or drill.outcome is DrillOutcome.INCOMPLETE


def check_nothing_is_left(archive: Archive, versions: Sequence[AipVersion]) -> None:
    """Stores and work folder hold what is accounted for; what the dead left goes when it is tidied."""
    made = {one.id for one in archive.backups.made()}
    journal = [journal_key(number) for number in range(1, archive.catalogue.journal.count() + 1)]
    for store in archive.stores.values():
        found = [info.key for info in store.list()]
        logs = {parsed[0] for key in found if (parsed := parse_log_key(key)) is not None}
        assert logs == {version.key for version in versions}
        objects = [key for key in found if not is_own_key(key) and parse_log_key(key) is None]
        assert objects == sorted(version.key for version in versions)
        backups = [key for key in found if key.startswith(BACKUP_PREFIX)]
        assert {key.removeprefix(BACKUP_PREFIX).partition("/")[0] for key in backups} == made
        assert [key for key in found if is_own_key(key) and key not in backups] == journal
    sweep_uploads(archive, timedelta(0))
    for store_id, store in archive.stores.items():
        folder = archive.settings.home / store_id.value / "uploads"
        for path in folder.iterdir():  # not yet, or no more, an upload: goes when it is a day old
            os.utime(path, (0, 0))
        assert list(store.uploads()) == []
        assert list(folder.iterdir()) == []
    sweep_folders(archive, timedelta(0))
    assert list(archive.settings.work_folder.iterdir()) == []


def check_catalogue(archive: Archive, folder: Path) -> None:
    """The stores alone tell the same, without a backup and with one."""
    rows = list(archive.catalogue.dump())
    with Catalogue(f"sqlite:///{folder}/rebuilt.sqlite") as empty:
        empty.upgrade()
        report = rebuild(empty, list(archive.stores.values()), archive.clock, archive.schedule)
        assert (report.problems, report.lost, report.unfinished) == ([], [], [])
        assert list(empty.dump()) == rows
    sources = [source(f"directory={archive.settings.home / name}") for name in STORES]
    done = restore(Wish(folder / "elsewhere", sources, verify=True))
    assert (done.backup, done.problems, done.bad) == (archive.backups.made()[0].id, [], [])
    with Archive.open(folder / "elsewhere") as again:
        assert list(again.catalogue.dump()) == rows


def _no_note(store: StoreId | None, said: object) -> None:
    pytest.fail(f"{store}: {said}")
