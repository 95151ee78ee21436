"""The whole ingest with a real clamd: what it finds and where, its limits, its death in the middle."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.decisions import Decisions
from ingest.place import IngestPlace, Submission
from ingest.receipt import Receipt, Verdict
from ingest.service import IngestService
from metadata.catalogue.quarantine import Decision, QuarantineState
from metadata.identifiers import AgencyCode, FondsCode
from preservation.antivirus.clamd import ClamdScanner
from preservation.checkers import Checkers
from preservation.identification.data import default_signatures
from preservation.signatures.trust import TrustStore
from tests.builders.archive import SmallArchive, small_archive
from tests.builders.bags import bag
from tests.builders.infected import CARRIERS
from tests.services.clamd import STREAM_LIMIT, Clamd, clamd_service, running

__all__ = ["clamd_service"]
pytestmark = pytest.mark.services
MIB = 1 << 20


@pytest.fixture(scope="module")
def checkers() -> Iterator[Checkers]:
    with Checkers(default_signatures(), TrustStore(), 1) as made:
        yield made


@contextmanager
def watched(archive: SmallArchive, clamd: Clamd, checkers: Checkers) -> Iterator[IngestPlace]:
    """The place of an archive in which everybody looks at files."""
    yield replace(
        archive.place,
        identifier=checkers.identifier,
        inspector=checkers.inspector,
        signatures=checkers.signatures,
        attached=checkers.attached,
        scanner=ClamdScanner(clamd.address, answer=60),
    )


def send(place: IngestPlace, path: Path, job: str = "job") -> Receipt:
    return IngestService(place).receive(job, Submission(path, AgencyCode("H20.01"), FondsCode("F1")))


def test_eicar_is_found_in_every_carrier_and_only_there(
    tmp_path: Path,
    clamd_service: Clamd,
    checkers: Checkers,
) -> None:
    payload = {name: make() for name, make in CARRIERS.items()} | {"sạch.txt": b"clean", "số.bin": bytes(3 * MIB)}
    sent = bag(tmp_path / "gói", payload, tag_manifests=False)
    with small_archive(tmp_path / "archive") as archive, watched(archive, clamd_service, checkers) as place:
        receipt = send(place, sent)
        assert receipt.verdict is Verdict.QUARANTINED
        found = {one.place.removeprefix("data/") for one in receipt.findings if one.code == "VIRUS-FOUND"}
        assert found == set(CARRIERS)
        assert archive.keys() == [[], []]
        assert archive.leftovers() == []
        people = Decisions(place, IngestService(place))
        for person in ("A", "B"):
            people.vote(receipt.quarantine, person, Decision.RELEASE, "Tệp mẫu thử")
        over = people.carry_out("decide", receipt.quarantine)
        assert over.state is QuarantineState.RELEASED
        (version,) = archive.catalogue.holdings.every_version()
        told = {event.type.value: event for event in archive.catalogue.events.of(version.id)}
        assert told["virus check"].agent.name.startswith("ClamAV 1.")
        assert "Eicar-Test-Signature" in told["quarantine"].note
        assert archive.leftovers() == []


def test_a_file_over_the_limit_of_the_stream_is_quarantined(
    tmp_path: Path,
    clamd_service: Clamd,
    checkers: Checkers,
) -> None:
    sent = bag(tmp_path / "gói", {"lớn.bin": bytes(3 * STREAM_LIMIT), "nhỏ.txt": b"clean"}, tag_manifests=False)
    with small_archive(tmp_path / "archive") as archive, watched(archive, clamd_service, checkers) as place:
        receipt = send(place, sent)
        assert receipt.verdict is Verdict.QUARANTINED
        (found,) = [one for one in receipt.findings if one.code == "VIRUS-NOT-SCANNED"]
        assert found.place == "data/lớn.bin"
        assert archive.keys() == [[], []]


@pytest.mark.parametrize("down", ["before", "in the middle"])
def test_a_transfer_waits_for_a_clamd_that_is_killed_and_goes_on_when_it_is_back(
    tmp_path: Path, checkers: Checkers, down: str
) -> None:
    payload = {f"{number}.bin": os.urandom(2 * MIB) for number in range(6)} | {"nhỏ.txt": b"clean"}
    sent = bag(tmp_path / "gói", payload, tag_manifests=False)
    waits = threading.Event()
    slept: list[float] = []
    with running() as clamd, small_archive(tmp_path / "archive") as archive:

        def at(point: str) -> None:
            if point == ("claimed" if down == "before" else "pass half") and not waits.is_set():
                waits.set()
                clamd.kill()

        def sleep(seconds: float) -> None:
            """Three times nobody is there; nothing of the package is anywhere; then the operator starts clamd again."""
            slept.append(seconds)
            assert archive.keys() == [[], []]
            assert archive.catalogue.intake.open() == []
            if len(slept) == 3:
                clamd.start()

        with watched(archive, clamd, checkers) as place:
            receipt = send(replace(place, at=at, sleep=sleep), sent)
        assert waits.is_set()
        assert len(slept) == 3
        assert receipt.verdict is Verdict.ACCEPTED
        assert archive.leftovers() == []


def test_a_clamd_that_hangs_lets_nothing_pass(tmp_path: Path, checkers: Checkers) -> None:
    sent = bag(tmp_path / "gói", {"a.bin": bytes(4 * MIB)}, tag_manifests=False)

    class Enough(Exception):
        pass

    def sleep(_: float) -> None:
        raise Enough

    with running() as clamd, small_archive(tmp_path / "archive") as archive:
        place = replace(archive.place, scanner=ClamdScanner(clamd.address, answer=0.5, connect=0.5), sleep=sleep)
        with clamd.frozen(), pytest.raises(Enough):
            send(place, sent)
        assert archive.keys() == [[], []]
        assert archive.leftovers() == []
