"""SIGKILL over two workers, at every failpoint and at random times: nothing lost, nothing doubled, nothing left over.

300 kills in every run; TANGTHU_KILLS says otherwise (``make prove``: 10,000). With n kills and no failure the 95 %
upper bound of the probability of a failure is 3/n (rule of three).
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from administration.archive import Archive, write_settings
from administration.flows import ingest_request, sweep_folders, work_options, workflows
from administration.work.engine import WorkEngine
from administration.work.plan import JobState
from ingest.receipt import Receipt, Verdict
from metadata.holdings import AipVersion
from metadata.outcomes import Fixity
from storage.aip.verify import verify_object
from tests.builders.archive import judge_with_everything
from tests.builders.bags import bag
from tests.builders.tt05 import sip_hoso
from tests.flows.kill_worker import HarnessArchive

KILLS = int(os.environ.get("TANGTHU_KILLS", "300"))
FAILPOINTS = (
    "examine", "claimed", "pass begun", "pass half", "pass done", "sealed", "completed", "read back",
    "logged", "before register", "registered",
)  # fmt: skip
ROUNDS = 3
WAITING = 6
PATIENCE = 120.0
SETTINGS = """\
[archive]
code = "H20"
name = "Kho thử"
[work]
ttl_seconds = 1.0
max_deaths = 100000
workers = 2
[[stores]]
id = "a"
path = "{home}/a"
[[stores]]
id = "b"
path = "{home}/b"
"""


class Nursery:
    """Forks workers quickly, and kills them."""

    def __init__(self, home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.flows.kill_worker", str(home)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def fork(self, failpoint: str) -> int:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{failpoint}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@contextmanager
def nursery(home: Path) -> Iterator[Nursery]:
    made = Nursery(home)
    try:
        yield made
    finally:
        made.close()


@dataclass
class Storm:
    """What happened: how many kills at which failpoint, how many at random, and the jobs with their packages."""

    at: Counter[str] = field(default_factory=Counter)
    at_random: int = 0
    jobs: dict[str, Path] = field(default_factory=dict)

    @property
    def kills(self) -> int:
        return self.at.total() + self.at_random


class Packages:
    """Packages to send, each unlike the others; written as they are needed."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self._folder = folder
        self._rng = rng
        self.sent: list[Path] = []

    def next(self) -> Path:
        number = len(self.sent)
        folder = self._folder / f"{number:06d}"
        if number % 4 == 0:
            path = sip_hoso(folder, identity=f"00000000-0000-4000-8000-{number:012d}")
        else:
            info = [
                ("Source-Organization", "H20.01"), ("Bag-Group-Identifier", "P01"),
                ("External-Identifier", f"BAG-{number}"), ("External-Description", f"Gói {number}"),
            ]  # fmt: skip
            size = self._rng.choice((10, 2000, 300_000, 2_000_000))
            payload = {f"{n}.bin": self._rng.randbytes(size) for n in range(self._rng.randrange(1, 4))}
            path = bag(folder / "bag", payload, info=info, algorithms=("sha256",), tag_manifests=False)
        self.sent.append(path)
        return path


def keep_waiting(engine: WorkEngine, packages: Packages, storm: Storm) -> None:
    """There is always work: at least WAITING packages are queued or under way."""
    while len(engine.unfinished("ingest")) < WAITING:
        request = ingest_request(str(packages.next()), None, None)
        engine.enqueue(request)
        storm.jobs[request.id] = packages.sent[-1]


def kill_at_failpoints(nursery: Nursery, engine: WorkEngine, packages: Packages, storm: Storm) -> None:
    """Two workers at once, each of which kills itself at its failpoint; every failpoint ROUNDS times."""
    for first, second in itertools.pairwise(FAILPOINTS * ROUNDS):
        keep_waiting(engine, packages, storm)
        workers = {nursery.fork(first): first, nursery.fork(second): second}
        deadline = time.monotonic() + PATIENCE
        while any(alive(pid) for pid in workers):
            assert time.monotonic() < deadline, f"{workers} were not reached"
            keep_waiting(engine, packages, storm)
            time.sleep(0.02)
        storm.at.update(workers.values())


def kill_at_random(nursery: Nursery, engine: WorkEngine, packages: Packages, rng: random.Random, storm: Storm) -> None:
    """Two workers at once, one of which is killed at a random moment, again and again."""
    workers = [nursery.fork("-"), nursery.fork("-")]
    while storm.kills < KILLS:
        keep_waiting(engine, packages, storm)
        time.sleep(rng.uniform(0.05, 0.6))
        slot = rng.randrange(2)
        assert alive(workers[slot]), "a worker died that nobody had killed"
        os.kill(workers[slot], signal.SIGKILL)
        storm.at_random += 1
        workers[slot] = nursery.fork("-")


def check_one(archive: Archive, version: AipVersion, folder: Path) -> None:
    for store in archive.stores.values():
        verdict = verify_object(store, version.key, archive.catalogue.holdings.members(version.id))
        assert verdict.outcome is Fixity.MATCH, (version.key, store.id, verdict)
    with next(iter(archive.stores.values())).open(version.key) as stream:
        judge_with_everything(stream.read(version.size), folder)
    kinds = Counter(event.type.value for event in archive.catalogue.events.of(version.id))
    assert kinds["ingestion end"] == 1
    assert kinds["replication"] == kinds["fixity check"] == 2
    assert len({event.id for event in archive.catalogue.events.of(version.id)}) == kinds.total()


@pytest.mark.timeout(0)
def test_kill_storm_loses_and_doubles_nothing(tmp_path: Path) -> None:
    home, rng = tmp_path / "archive", random.Random(20261123)
    write_settings(home, SETTINGS.replace("{home}", str(home)))
    packages = Packages(tmp_path / "sent", rng)
    with HarnessArchive.open(home) as archive:
        archive.create()
        options = work_options(archive.settings, queues=())
        with (
            WorkEngine(archive.settings.work_url, workflows(archive), options) as engine,
            nursery(home) as workers,
        ):
            storm = Storm()
            kill_at_failpoints(workers, engine, packages, storm)
            kill_at_random(workers, engine, packages, rng, storm)
            jobs = storm.jobs
            statuses = engine.wait(list(jobs), timeout=300)
            assert Counter(status.state for status in statuses.values()) == {JobState.DONE: len(jobs)}
        receipts = {
            path: Receipt.from_json(str(statuses[job].value["receipt"]))  # type: ignore[index,call-overload]
            for job, path in jobs.items()
        }
        assert all(receipt.verdict is Verdict.ACCEPTED for receipt in receipts.values())
        versions = list(archive.catalogue.holdings.every_version())
        assert (
            len(versions) == len(receipts) == len({receipt.aip for receipt in receipts.values()})
        )  # 0 lost, 0 doubled
        for version in versions:
            with tempfile.TemporaryDirectory() as folder:
                check_one(archive, version, Path(folder))
        sweep_folders(archive, timedelta(0))
        expected = sorted(key for version in versions for key in (version.key, f"{version.key[:-4]}.log/000001.json"))
        for store in archive.stores.values():
            assert [info.key for info in store.list()] == expected  # 0 orphaned
            assert list(store.uploads()) == []
        assert list(archive.settings.work_folder.iterdir()) == []
        assert archive.catalogue.intake.open() == []
        for path in rng.sample(sorted(receipts), min(10, len(receipts))):
            again = archive.ingest.receive("again", _submission(path))
            assert again == receipts[path]
    assert all(storm.at[name] >= ROUNDS for name in FAILPOINTS), storm.at
    shutil.rmtree(tmp_path, ignore_errors=True)
    told = f"{storm.kills} kills ({storm.at.total()} at failpoints), {len(jobs)} packages"
    print(f"\n{told}: 0 lost, 0 doubled, 0 orphaned; 95 % bound {3 / storm.kills:.2%}")


def _submission(path: Path):
    from ingest.place import Submission

    return Submission(path)
