"""Hostile input, D 77: EICAR in whatever holds files, a file of 4 GB, a scanner that is down, hangs, has limits.

Not among the other hostile input, whose tests may open no connection.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.receipt import Verdict
from metadata.outcomes import Virus
from preservation.antivirus.attached import AttachedFiles
from preservation.antivirus.clamd import TOO_LARGE, ClamdScanner
from preservation.antivirus.port import ScannerUnavailable, ScanResult
from preservation.workshop.local import LocalWorkshop
from tests.builders.archive import small_archive
from tests.builders.bags import bag
from tests.builders.infected import CARRIERS
from tests.contracts.scanner import MIB, scan
from tests.services.clamd import Clamd, clamd_service, running

__all__ = ["clamd_service"]
pytestmark = pytest.mark.services
INFECTED = Virus.INFECTED


@pytest.mark.parametrize("name", sorted(CARRIERS))
def test_77_eicar_in(name: str, tmp_path: Path, clamd_service: Clamd) -> None:
    scanner = ClamdScanner(clamd_service.address)
    path = tmp_path / "file"
    path.write_bytes(CARRIERS[name]())
    whole = scan(scanner, path.read_bytes())
    with path.open("rb") as file:
        inside = AttachedFiles(LocalWorkshop()).scan(file, scanner)
    assert INFECTED in {whole.outcome, inside and inside.outcome}


def test_77_a_file_of_more_than_4_gb(clamd_service: Clamd) -> None:
    one = ClamdScanner(clamd_service.address).begin((4 << 30) + 1)
    buffer = bytes(MIB)
    for _ in range(4 << 10):
        one.write(buffer)
    one.write(b"\0")
    assert one.end() == ScanResult(Virus.NOT_SCANNED, TOO_LARGE)


@pytest.mark.parametrize("trouble", ["down", "hangs"])
def test_77_a_scanner_that_cannot_be_asked_lets_nothing_pass(tmp_path: Path, trouble: str) -> None:
    class Enough(Exception):
        pass

    def sleep(_: float) -> None:
        raise Enough

    with running() as clamd:
        scanner = ClamdScanner(clamd.address, answer=0.3, connect=0.3)
        with small_archive(tmp_path / "archive", scanner=scanner, sleep=sleep) as archive:
            sent = bag(tmp_path / "gói", tag_manifests=False)
            if trouble == "down":
                clamd.kill()
                with pytest.raises(Enough):
                    archive.receive(sent, agency="H20.01", fonds="F1")
            else:
                with clamd.frozen(), pytest.raises(Enough):
                    archive.receive(sent, agency="H20.01", fonds="F1")
            assert archive.keys() == [[], []]
            assert archive.leftovers() == []
            with pytest.raises(ScannerUnavailable):
                clamd.kill()
                scanner.ready()
            clamd.start()
            assert archive.receive(sent, agency="H20.01", fonds="F1").verdict is Verdict.ACCEPTED
