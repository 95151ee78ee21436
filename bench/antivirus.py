"""What scanning costs: ``python -m bench antivirus``.

A real clamd with one signature, so that what is measured is the way there and back, not the matching: an official
database has millions, and then clamd's own work is most of it. Beside our scanner the bytes go over bare sockets, and
through ``clamdscan --stream`` when it is installed; then a whole ingest without and with the scanner.
"""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bench.data import make_bag, make_files
from bench.ingest import AGENT, ARCHIVE
from bench.measure import Row, interleave, table
from ingest.place import IngestPlace, Submission
from ingest.receipt import Verdict
from ingest.service import IngestService
from metadata.catalogue import Catalogue
from metadata.identifiers import StoreId
from metadata.outcomes import Virus
from preservation.antivirus.clamd import ClamdScanner
from preservation.antivirus.memory import NoScanner
from preservation.antivirus.port import VirusScanner
from storage.replicas import ReplicaSet
from storage.stores.directory import DirectoryStore
from tests.services.clamd import running

_CHUNK = 1 << 20
_LIMIT = "200M"


def _bare(address: str, path: Path) -> None:
    """The least that can be done: one connection, the whole file as one chunk."""
    data = path.read_bytes()
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(address)
        line.sendall(b"zINSTREAM\0" + struct.pack(">I", len(data)) + data + b"\0\0\0\0")
        answer = b""
        while more := line.recv(4096):
            answer += more
    assert answer == b"stream: OK\0", answer


def _ours(scanner: VirusScanner, path: Path) -> None:
    scan = scanner.begin(path.stat().st_size)
    with path.open("rb", buffering=0) as stream:
        while chunk := stream.read(_CHUNK):
            scan.write(chunk)
    assert scan.end().outcome is Virus.CLEAN


def _all(one: partial[None], paths: list[Path], threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(one, paths):
            pass


def _ingest(work: Path, package: Path, scanner: VirusScanner) -> None:
    shutil.rmtree(work, ignore_errors=True)
    store = DirectoryStore(StoreId("a"), work / "a")
    store.create(ARCHIVE)
    with Catalogue(f"sqlite:///{work / 'catalogue.sqlite'}") as catalogue:
        catalogue.upgrade()
        place = IngestPlace(
            ARCHIVE, catalogue, ReplicaSet([store], 1), None, work / "work", AGENT,
            lambda: datetime.now(UTC), timedelta(days=90), scanner=scanner,
        )  # fmt: skip
        assert IngestService(place).receive("bench", Submission(package)).verdict is Verdict.ACCEPTED


def _one(parent: Path, count: int, size: int, title: str, rounds: int) -> str:
    work = parent / "antivirus"
    payload, package = work / "payload", work / "bag"
    total = make_files(payload, count, size)
    make_bag(package, payload, title)
    paths = sorted(path for path in payload.rglob("*") if path.is_file())
    (work / "list").write_text("".join(f"{path}\n" for path in paths))
    with running(StreamMaxLength=_LIMIT, MaxFileSize=_LIMIT, MaxScanSize=_LIMIT) as clamd:
        scanner = ClamdScanner(clamd.address)
        scanner.ready()
        rows = [
            Row("bare sockets, one at a time", lambda: _all(partial(_bare, clamd.address), paths, 1)),
            Row("our scanner, one at a time", lambda: _all(partial(_ours, scanner), paths, 1)),
            Row("bare sockets, 4 at a time", lambda: _all(partial(_bare, clamd.address), paths, 4)),
            Row("our scanner, 4 at a time", lambda: _all(partial(_ours, scanner), paths, 4)),
            Row("ingest without a scanner", lambda: _ingest(work / "archive", package, NoScanner())),
            Row("ingest with the scanner in the one pass", lambda: _ingest(work / "archive", package, scanner)),
        ]
        if clamdscan := shutil.which("clamdscan"):
            command = [clamdscan, "-c", f"{clamd.folder}/clamd.conf", "--stream", "--no-summary", "--quiet"]
            command.append(f"--file-list={work / 'list'}")
            rows.insert(2, Row("clamdscan --stream", lambda: subprocess.run(command, check=True)))
        interleave(rows, rounds)
    shutil.rmtree(work)
    return table(title, rows, size=total, files=count)


def run(parent: Path, rounds: int = 3) -> str:
    """Both tables."""
    return "\n".join(
        (
            _one(parent, 10, 50_000_000, "Scanning 10 × 50 MB", rounds),
            _one(parent, 5_000, 75_000, "Scanning 5,000 × 75 KB", rounds),
        )
    )
