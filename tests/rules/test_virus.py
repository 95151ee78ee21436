"""What a virus scanner finds, or cannot look through, and what people decided about it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from ingest.decisions import Decisions
from metadata.catalogue.quarantine import Decision
from preservation.antivirus.eicar import EICAR
from preservation.antivirus.memory import MemoryScanner, NoScanner
from preservation.antivirus.port import VirusScanner
from tests.builders.archive import small_archive
from tests.builders.bags import bag
from tests.rules.cases import Build, Case

LIMIT = 2000


def of(data: bytes) -> Build:
    return lambda folder: bag(folder / "gói", {"a.bin": data}, tag_manifests=False)


def without_scanner(folder: Path) -> Path:
    """A package for an archive that has none."""
    return bag(folder / "không máy quét", {"a.bin": b"clean"}, tag_manifests=False)


def discarded(folder: Path) -> Path:
    """A package that was sent before, and that two people discarded."""
    return bag(folder / "đã hủy", {"a.bin": EICAR}, tag_manifests=False)


def ingested(package: Path, work: Path, profile: str) -> set[str]:
    """The codes of the receipt of an ingest."""
    scanner: VirusScanner = NoScanner() if package.name == "không máy quét" else MemoryScanner(LIMIT)
    with small_archive(work, scanner=scanner) as archive:
        send = partial(archive.receive, package, agency="H20.01", fonds="F1")
        receipt = send()
        if package.name == "đã hủy":
            people = Decisions(archive.place, archive.service)
            for person in ("A", "B"):
                people.vote(receipt.quarantine, person, Decision.DISCARD, "x")
            people.carry_out("decide", receipt.quarantine)
            receipt = send()
        return set(dict(receipt.counts))


def case(code: str, good: Build, bad: Build) -> Case:
    return Case(f"virus: {code}", frozenset({code}), good, bad, judge=ingested)


CASES = [
    case("VIRUS-FOUND", of(b"clean"), of(EICAR)),
    case("VIRUS-NOT-SCANNED", of(bytes(LIMIT)), of(bytes(LIMIT + 1))),
    case("VIRUS-NO-SCANNER", of(b"clean"), without_scanner),
    case("VIRUS-DISCARDED", of(EICAR), discarded),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_thing_broken_gives_its_code(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)
