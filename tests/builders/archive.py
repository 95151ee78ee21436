"""A small archive that takes packages in for real: SQLite, two directory stores, the ingest service."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bagit

from ingest.place import IngestPlace, Submission
from ingest.receipt import Receipt
from ingest.service import IngestService
from metadata.catalogue import Catalogue
from metadata.events import Agent
from metadata.identifiers import AgencyCode, ArchiveCode, FondsCode, StoreId
from preservation.antivirus.memory import MemoryScanner
from preservation.antivirus.port import VirusScanner
from preservation.checkers import Checkers
from preservation.identification.port import Identifier
from storage.port import Store
from storage.replicas import ReplicaSet
from storage.stores.directory import DirectoryStore
from tests.builders.identifier import MemoryIdentifier
from tests.builders.shared_data import official_errors

ARCHIVE = ArchiveCode("H20")
AGENT = Agent("tangthu", "Tàng Thư (tests)")
START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
PERIOD = timedelta(days=90)


@dataclass
class Clock:
    """A clock that goes on by a millisecond at each look, so that leases and orders are real but nothing is timed."""

    now: datetime = START

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@dataclass
class SmallArchive:
    """The archive and its parts. ``receive`` takes a package in, and has every AIP that comes of it judged."""

    folder: Path
    catalogue: Catalogue
    stores: list[Store]
    service: IngestService
    place: IngestPlace
    clock: Clock
    judged: set[str] = field(default_factory=set)

    def receive(self, path: Path, job: str = "job", agency: str | None = None, fonds: str | None = None) -> Receipt:
        submission = Submission(path, AgencyCode(agency) if agency else None, FondsCode(fonds) if fonds else None)
        receipt = self.service.receive(job, submission)
        if receipt.aip and receipt.key not in self.judged:
            self.judged.add(receipt.key)
            with tempfile.TemporaryDirectory() as folder:
                judge_with_everything(self.object(receipt), Path(folder))
        return receipt

    def keys(self) -> list[list[str]]:
        """What lies in each store."""
        return [[info.key for info in store.list()] for store in self.stores]

    def leftovers(self) -> list[str]:
        """Everything that should not be there when nothing is going on: uploads, claims, files in the work folder."""
        uploads = [f"upload {upload.key} in {store.id}" for store in self.stores for upload in store.uploads()]
        claims = [f"claim {claim.objid}" for claim in self.catalogue.intake.open()]
        files = [f"file {path.relative_to(self.folder)}" for path in (self.folder / "work").rglob("*")]
        return uploads + claims + files

    def object(self, receipt: Receipt, store: int = 0) -> bytes:
        """The whole AIP object of an accepted package."""
        with self.stores[store].open(receipt.key) as stream:
            data = bytearray()
            while chunk := stream.read(1 << 20):
                data += chunk
        return bytes(data)


@contextmanager
def small_archive(
    folder: Path,
    *,
    url: str | None = None,
    stores: list[Store] | None = None,
    identifier: Identifier | None = None,
    scanner: VirusScanner | None = None,
    checkers: Checkers | None = None,
    at: Callable[[str], None] = lambda _: None,
    lease: timedelta = timedelta(seconds=60),
    sleep: Callable[[float], None] = lambda _: None,
    wrap: Callable[[Store], Store] = lambda store: store,
) -> Iterator[SmallArchive]:
    """Open (or make) the archive in ``folder``; closes the catalogue at the end. ``checkers`` look into files."""
    folder.mkdir(parents=True, exist_ok=True)
    if stores is None:
        stores = []
        for name in ("a", "b"):
            store = DirectoryStore(StoreId(name), folder / name)
            store.create(ARCHIVE)
            stores.append(wrap(store))
    catalogue = Catalogue(url or f"sqlite:///{folder / 'catalogue.sqlite'}")
    catalogue.upgrade()
    clock = Clock()
    (folder / "work").mkdir(exist_ok=True)
    place = IngestPlace(
        archive=ARCHIVE,
        catalogue=catalogue,
        replicas=ReplicaSet(stores, 2),
        identifier=identifier or MemoryIdentifier(),
        scanner=scanner or MemoryScanner(),
        work=folder / "work",
        agent=AGENT,
        clock=clock,
        period=PERIOD,
        lease=lease,
        sleep=sleep,
        at=at,
    )
    if checkers is not None:
        place = replace(
            place,
            identifier=checkers.identifier,
            inspector=checkers.inspector,
            signatures=checkers.signatures,
            attached=checkers.attached,
            checkers=checkers.children,
        )
    try:
        yield SmallArchive(folder, catalogue, stores, IngestService(place), place, clock)
    finally:
        catalogue.close()


def judge_with_everything(data: bytes, folder: Path) -> Path:
    """``unzip -t``, ``python -m zipfile -t``, bagit, and the official schemas on an AIP object.

    Gives the folder it was extracted to.
    """
    path = folder / "v1.zip"
    path.write_bytes(data)
    subprocess.run(["unzip", "-tq", str(path)], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, "-m", "zipfile", "-t", str(path)], check=True, stdout=subprocess.DEVNULL)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder / "extracted")
    (root,) = (folder / "extracted").iterdir()
    bagit.Bag(str(root)).validate(processes=1)
    documents = [(mets, "mets-1-12-1.xsd") for mets in root.glob("data/urn*/**/METS.xml")]
    documents += [(premis, "premis-v3-0.xsd") for premis in root.glob("data/urn*/**/PREMIS*.xml")]
    documents = [one for one in documents if "data" not in one[0].relative_to(root).parts[2:]]  # content of that name
    representations = len(list(root.glob("data/urn*/representations/*")))
    assert len(documents) == 2 + 2 * representations, documents
    for document, schema in documents:
        assert official_errors(document.read_bytes(), schema) == [], document
    return root
