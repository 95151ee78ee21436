"""Peak memory of an acknowledged ingest and of an audit, each in a process of its own: ``python -m bench memory``."""

from __future__ import annotations

import argparse
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.data import make_bag, make_files
from bench.measure import peak_of

GIGA = 1_000_000_000


def _work(what: str, folder: Path) -> None:
    """In the child: one ingest of the bag, or one audit of the AIP that it made."""
    from bench.ingest import AGENT, ARCHIVE
    from ingest.place import IngestPlace, Submission
    from ingest.receipt import Verdict
    from ingest.service import IngestService
    from metadata.catalogue import Catalogue
    from metadata.identifiers import StoreId
    from metadata.outcomes import Fixity
    from storage.aip.verify import verify_object
    from storage.replicas import ReplicaSet
    from storage.stores.directory import DirectoryStore

    stores = [DirectoryStore(StoreId(name), folder / name) for name in ("a", "b")]
    catalogue = Catalogue(f"sqlite:///{folder / 'catalogue.sqlite'}")
    if what == "ingest":
        for store in stores:
            store.create(ARCHIVE)
        catalogue.upgrade()
        place = IngestPlace(
            ARCHIVE, catalogue, ReplicaSet(stores, 2), None, folder / "work", AGENT,
            lambda: datetime.now(UTC), timedelta(days=90),
        )  # fmt: skip
        receipt = IngestService(place).receive("bench", Submission(folder / "bag"))
        assert receipt.verdict is Verdict.ACCEPTED, receipt.findings
    else:
        (version,) = catalogue.holdings.every_version()
        verdict = verify_object(stores[0], version.key, catalogue.holdings.members(version.id))
        assert verdict.outcome is Fixity.MATCH, verdict
    catalogue.close()


def _row(parent: Path, name: str, count: int, size: int) -> str:
    folder = parent / "memory"
    make_files(folder / "payload", count, size)
    make_bag(folder / "bag", folder / "payload", name)
    cells = []
    for what in ("ingest", "audit"):
        peak, seconds = peak_of(["bench.memory", what, str(folder)])
        cells.append(f"{peak / 1e6:.0f} MB | {seconds:.0f} s")
    shutil.rmtree(folder)
    return f"| {name} | {' | '.join(cells)} |"


def run(parent: Path) -> str:
    """The table."""
    lines = [
        "### Peak memory (resident), target: under 300 MB",
        "",
        "| package | ingest | | audit | |",
        "|---|---|---|---|---|",
        _row(parent, "1 file of 1 MB", 1, 1_000_000),
        _row(parent, "1 file of 4 GB", 1, 4 * GIGA),
        _row(parent, "100,000 files of 2 KB", 100_000, 2_000),
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["ingest", "audit"])
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    _work(options.what, options.folder)
