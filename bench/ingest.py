"""Ingest beside hashing, and beside the chain in use today: ``python -m bench ingest``.

Rows: one-thread Python hashing (the limit), openssl, our one pass into a store that keeps nothing, the acknowledged
ingest (two replicas on disk, METS and PREMIS, read back, catalogue), and the chain bagit.py + fido + aws s3 cp.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.data import make_bag, make_files
from bench.measure import Row, interleave, table
from bench.sink import SinkStore, TailStore
from ingest.describe import Making, describe
from ingest.ledger import Ledger
from ingest.one_pass import NOBODY, OnePass
from ingest.packages import examine
from ingest.place import IngestPlace, Submission
from ingest.receipt import Verdict as Accepted
from ingest.service import IngestService
from ingest.sources import open_source
from metadata.catalogue import Catalogue
from metadata.events import Agent
from metadata.findings import Findings
from metadata.identifiers import ArchiveCode, StoreId, VersionId
from metadata.outcomes import Fixity
from storage.aip.damage import Verdict
from storage.aip.parts import PartFanout
from storage.aip.writer import AipWriter
from storage.keys import object_key
from storage.replicas import ReplicaSet
from storage.stores.directory import DirectoryStore

ARCHIVE = ArchiveCode("H20")
AGENT = Agent("tangthu", "bench")


def hash_files(files: list[Path], *algorithms: str) -> None:
    """What Python can do at best in one thread: 1 MiB chunks into one buffer."""
    buffer = bytearray(1 << 20)
    view = memoryview(buffer)
    for path in files:
        digests = [hashlib.new(name) for name in algorithms]
        with path.open("rb", buffering=0) as stream:
            while size := stream.readinto(buffer):
                for digest in digests:
                    digest.update(view[:size])
        for digest in digests:
            digest.hexdigest()


def openssl(files: list[Path]) -> None:
    """``openssl dgst`` with both algorithms, many files a call."""
    for algorithm in ("-sha256", "-sha512"):
        for start in range(0, len(files), 2000):
            command = ["openssl", "dgst", algorithm, *map(str, files[start : start + 2000])]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)


def one_pass(package: Path, parent: Path) -> None:
    """Everything up to the sealed object, into a store that keeps nothing: the client alone."""
    with scratch(parent) as work, Ledger(work / "ledger") as ledger:
        findings = Findings()
        source = open_source(package, work / "quarantine", findings)
        assert source is not None
        examined = examine(source, ledger, findings, ARCHIVE, None, None)
        assert examined is not None
        version = VersionId(examined.aip, 1)
        key = object_key(ARCHIVE, examined.fonds, examined.code, version)
        with PartFanout([SinkStore("sink")], key, work=work) as out, AipWriter(out, version.root, work) as writer:
            OnePass(source, ledger, findings, writer, NOBODY, work, lambda _: None).run()
            assert not findings.refused
            making = Making(version, datetime.now(UTC), ARCHIVE, AGENT, "", work)
            writer.seal(describe(examined, ledger, findings, writer, making))
            out.complete()
        source.close()


class Trusting(ReplicaSet):
    """Replicas that are believed unread: only to measure what the reading back costs."""

    def read_back(self, key: str, expected: object, on_progress: object = None) -> Mapping[StoreId, Verdict]:
        return {store.id: Verdict(Fixity.MATCH, (), 0) for store in self.stores}


class Registered:
    """The one pass into a sink, then log and catalogue rows: everything but keeping the bytes and reading them back."""

    def __init__(self, package: Path, folder: Path) -> None:
        self._package = package
        self._folder = folder

    def prepare(self) -> None:
        self._folder.mkdir()
        self._catalogue = Catalogue(f"sqlite:///{self._folder / 'catalogue.sqlite'}")
        self._catalogue.upgrade()

    def run(self) -> None:
        place = IngestPlace(
            ARCHIVE, self._catalogue, Trusting([TailStore("m")], 1), None, self._folder / "work", AGENT,
            lambda: datetime.now(UTC), timedelta(days=90),
        )  # fmt: skip
        receipt = IngestService(place).receive("bench", Submission(self._package))
        assert receipt.verdict is Accepted.ACCEPTED, receipt.findings

    def clean(self) -> None:
        self._catalogue.close()
        shutil.rmtree(self._folder)

    def row(self, name: str) -> Row:
        return Row(name, self.run, self.prepare, self.clean)


class Acknowledged:
    """The whole commit protocol into an archive that stands ready: stores, read back, SQLite catalogue, receipt."""

    def __init__(self, package: Path, folder: Path, replicas: int) -> None:
        self._package = package
        self._folder = folder
        self._replicas = replicas

    def prepare(self) -> None:
        self._folder.mkdir()
        stores = [DirectoryStore(StoreId(f"s{n}"), self._folder / f"s{n}") for n in range(self._replicas)]
        for store in stores:
            store.create(ARCHIVE)
        self._catalogue = Catalogue(f"sqlite:///{self._folder / 'catalogue.sqlite'}")
        self._catalogue.upgrade()
        self._replica_set = ReplicaSet(stores, self._replicas)
        self._service = IngestService(self.place())

    def place(self) -> IngestPlace:
        """Where it is taken in: nobody looks into files."""
        return IngestPlace(
            ARCHIVE, self._catalogue, self._replica_set, None, self._folder / "work", AGENT,
            lambda: datetime.now(UTC), timedelta(days=90),
        )  # fmt: skip

    def run(self) -> None:
        receipt = self._service.receive("bench", Submission(self._package))
        assert receipt.verdict is Accepted.ACCEPTED, receipt.findings

    def clean(self) -> None:
        self._catalogue.close()
        shutil.rmtree(self._folder)

    def row(self, name: str) -> Row:
        return Row(name, self.run, self.prepare, self.clean)


def chain(payload: Path, parent: Path, endpoint: dict[str, str], *, identify: bool, kept_twice: bool = False) -> None:
    """What is used today: bagit.py makes the bag, fido looks at every file, aws s3 cp copies it.

    ``kept_twice`` asks of it what our acknowledgement says: a copy in each of two places, each read back and judged.
    """
    python = sys.executable
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": endpoint["access_key"],
        "AWS_SECRET_ACCESS_KEY": endpoint["secret_key"],
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    copy = [endpoint["aws"], "--endpoint-url", endpoint["endpoint"], "s3", "cp", "--recursive", "--quiet"]
    with scratch(parent) as work:
        bag = work / "bag"
        shutil.copytree(payload, bag)
        subprocess.run([python, "-m", "bagit", "--quiet", "--sha256", "--sha512", str(bag)], check=True)
        if identify:
            command = [python, "-m", "fido.fido", "-q", "-recurse", str(bag / "data")]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for place in ("a", "b") if kept_twice else ("a",):
            target = f"s3://{endpoint['bucket']}/chain-{work.name}-{place}"
            subprocess.run([*copy, str(bag), target], check=True, env=environment)
            if kept_twice:
                back = work / "back"
                subprocess.run([*copy, target, str(back)], check=True, env=environment)
                subprocess.run([python, "-m", "bagit", "--quiet", "--validate", str(back)], check=True)
                shutil.rmtree(back)


def measure(
    parent: Path, count: int, size: int, title: str, rounds: int, endpoint: dict[str, str] | None, sample: int
) -> str:
    """The table of one data set; ``sample`` files of it go through the chain of today, in a table of their own."""
    payload = parent / f"payload-{count}-{size}"
    total = make_files(payload, count, size)
    package = parent / f"bag-{count}"
    make_bag(package, payload, f"bench-{count}")
    files = sorted(path for path in payload.rglob("*") if path.is_file())
    rows = [
        Row("Python sha256 + sha512, one thread (the limit)", lambda: hash_files(files, "sha256", "sha512")),
        Row("openssl dgst, both", lambda: openssl(files)),
        Row("one pass to a sealed AIP (sink)", lambda: one_pass(package, parent)),
        Registered(package, parent / "memory").row("one pass, log and catalogue (sink, not read back)"),
        Acknowledged(package, parent / "one", 1).row("acknowledged ingest, 1 replica (catalogue, read back)"),
        Acknowledged(package, parent / "two", 2).row("acknowledged ingest, 2 replicas (catalogue, read back)"),
    ]
    interleave(rows, rounds)
    text = table(title, rows, size=total, files=count)
    if endpoint:
        text += "\n" + _against_the_chain(parent, files[:sample], title, endpoint)
    shutil.rmtree(payload)
    shutil.rmtree(package)
    return text


def _against_the_chain(parent: Path, files: list[Path], title: str, endpoint: dict[str, str]) -> str:
    payload, package = parent / "sample", parent / "sample-bag"
    payload.mkdir()
    for path in files:
        (payload / path.name).hardlink_to(path)
    make_bag(package, payload, "bench-sample")
    rows = [
        Row("one pass to a sealed AIP (sink)", lambda: one_pass(package, parent)),
        Acknowledged(package, parent / "two", 2).row("acknowledged ingest, 2 replicas (catalogue, read back)"),
        Row("bagit.py + aws s3 cp (one copy)", lambda: chain(payload, parent, endpoint, identify=False)),
        Row("bagit.py + fido + aws s3 cp (one copy)", lambda: chain(payload, parent, endpoint, identify=True)),
        Row(
            "bagit.py + fido + aws s3 cp (two copies, each copied back and validated)",
            lambda: chain(payload, parent, endpoint, identify=True, kept_twice=True),
        ),
    ]
    interleave(rows, 1)
    total = sum(path.stat().st_size for path in files)
    text = table(f"{title}: beside the chain of today", rows, size=total, files=len(files))
    shutil.rmtree(payload)
    shutil.rmtree(package)
    return text


def run(parent: Path, endpoint: dict[str, str] | None, rounds: int = 3) -> Callable[[], Iterator[str]]:
    """The tables, one after another."""

    def tables() -> Iterator[str]:
        yield measure(parent, 40, 50_000_000, "Ingest of 40 × 50 MB", rounds, endpoint, 8)
        yield measure(
            parent, 20_000, 75_000, "Ingest of 20,000 × 75 KB, without identification", rounds, endpoint, 2000
        )

    return tables
