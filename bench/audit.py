"""Audit beside hashing: ``python -m bench audit``.

The AIPs lie in an S3 server that costs almost nothing (``bench.file_s3``), so that the client is measured; the rows
beside it hash the same bytes from local files. A real server's share is measured by the chain of ``bench.ingest``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

from bench.data import make_bag, make_files
from bench.file_s3 import FileS3
from bench.ingest import AGENT, ARCHIVE, openssl
from bench.measure import Row, interleave, table
from ingest.place import IngestPlace, Submission
from ingest.service import IngestService
from metadata.catalogue import Catalogue
from metadata.holdings import AipVersion
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from storage.aip.verify import verify_object
from storage.marker import MARKER_KEY, Marker
from storage.port import Store
from storage.replicas import ReplicaSet
from storage.stores.directory import DirectoryStore
from storage.stores.s3 import S3Account, S3Store


def _hash_object(path: Path) -> None:
    """SHA-256 of the AIP as one local file: the same bytes, one thread."""
    buffer = bytearray(1 << 20)
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as stream:
        while size := stream.readinto(buffer):
            digest.update(memoryview(buffer)[:size])
    digest.digest()


def _hash_files(folder: Path) -> None:
    """SHA-256 of the members as loose files, one after the other: what an audit of files in folders costs."""
    for parent, _, names in os.walk(folder):
        for name in names:
            with Path(parent, name).open("rb") as stream:
                hashlib.file_digest(stream, "sha256").digest()


def _one_core() -> None:
    """What begins now has one core: threads begun later too."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _two(store: Store, catalogue: Catalogue, version: AipVersion) -> None:
    """Two AIPs (the same one) by two readers."""
    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(_audit, store, catalogue, version) for _ in range(2)]:
            one.result()


def _worker(work: Path, version: AipVersion) -> None:
    with Catalogue(_url(work)) as catalogue:
        _audit(DirectoryStore(StoreId("a"), work / "a"), catalogue, version)


def _two_workers(work: Path, version: AipVersion) -> None:
    """Two AIPs (the same one) by two processes, as two workers of an archive."""
    with ProcessPoolExecutor(2, get_context("fork")) as pool:
        for one in [pool.submit(_worker, work, version) for _ in range(2)]:
            one.result()


def _url(work: Path) -> str:
    return f"sqlite:///{work / 'catalogue.sqlite'}"


def _audit(store: Store, catalogue: Catalogue, version: AipVersion) -> None:
    verdict = verify_object(store, version.key, catalogue.holdings.members(version.id))
    assert verdict.outcome is Fixity.MATCH, verdict


def _one(parent: Path, count: int, size: int, title: str, rounds: int) -> str:
    work = parent / "audit"
    payload, package = work / "payload", work / "bag"
    make_files(payload, count, size)
    make_bag(package, payload, title)
    directory = DirectoryStore(StoreId("a"), work / "a")
    directory.create(ARCHIVE)
    catalogue = Catalogue(_url(work))
    catalogue.upgrade()
    place = IngestPlace(
        ARCHIVE, catalogue, ReplicaSet([directory], 1), None, work / "work", AGENT,
        lambda: datetime.now(UTC), timedelta(days=90),
    )  # fmt: skip
    receipt = IngestService(place).receive("bench", Submission(package))
    (version,) = catalogue.holdings.every_version()
    bucket = work / "served" / "bucket"
    local = bucket / receipt.key
    local.parent.mkdir(parents=True)
    with directory.open(receipt.key) as stream, local.open("wb") as out:
        while chunk := stream.read(1 << 20):
            out.write(chunk)
    (bucket / MARKER_KEY).write_bytes(Marker(StoreId("s3"), ARCHIVE).to_bytes())
    cores = os.sched_getaffinity(0)
    with FileS3(work / "served") as server:
        account = S3Account(server.endpoint, "bench", "bench", "us-east-1", None)
        remote = S3Store(StoreId("s3"), account, "bucket", "")
        rows = [
            Row("Python sha256 of the same bytes, one thread", lambda: _hash_object(local)),
            Row("Python sha256 of the files, one by one", lambda: _hash_files(payload)),
            Row("openssl dgst -sha256 (and -sha512)", lambda: openssl([local])),
            Row("audit from S3 (a server that costs nothing)", lambda: _audit(remote, catalogue, version)),
            Row("audit from a directory store", lambda: _audit(directory, catalogue, version)),
            Row(
                "the same on one core",
                lambda: _audit(directory, catalogue, version),
                before=_one_core,
                after=lambda: os.sched_setaffinity(0, cores),
            ),
        ]
        two = Row("two AIPs by two readers, for each", lambda: _two(directory, catalogue, version))
        workers = Row("two AIPs by two workers, for each", lambda: _two_workers(work, version))
        interleave([*rows, two, workers], rounds)
        for row in (two, workers):
            row.wall, row.cpu = [one / 2 for one in row.wall], [one / 2 for one in row.cpu]
            rows.append(row)
        remote.close()
    catalogue.close()
    text = table(title, rows, size=local.stat().st_size, files=count)
    shutil.rmtree(work)
    return text


def run(parent: Path, rounds: int = 3) -> str:
    """Both tables."""
    return "\n".join(
        (
            _one(parent, 40, 50_000_000, "Audit of one AIP of 40 × 50 MB", rounds),
            _one(parent, 20_000, 75_000, "Audit of one AIP of 20,000 × 75 KB", rounds),
        )
    )
