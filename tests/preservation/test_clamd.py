"""The real clamd: the contract, what it looks into, its limits, its death."""

from __future__ import annotations

import io
import os
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest

from metadata.outcomes import Virus
from preservation.antivirus.clamd import TOO_LARGE, TOO_SLOW, ClamdScanner
from preservation.antivirus.eicar import EICAR
from preservation.antivirus.port import ScannerUnavailable, ScanResult, VirusScanner
from tests.builders.infected import CARRIERS, deep
from tests.contracts.scanner import MIB, ScannerContract, scan
from tests.services.clamd import STREAM_LIMIT, Clamd, clamd_service, running

__all__ = ["clamd_service"]
pytestmark = pytest.mark.services
FOUND = ScanResult(Virus.INFECTED, "Eicar-Test-Signature.UNOFFICIAL")
OVERLOOKED = {"đính kèm qpdf.pdf", "zip đính kèm.pdf"}
"""clamd 1.4 sees no /Filter behind a hexadecimal string in an inner dictionary; the archive looks there itself."""


@pytest.fixture
def scanner(clamd_service: Clamd) -> VirusScanner:
    return ClamdScanner(clamd_service.address)


class TestClamd(ScannerContract):
    infected = FOUND

    @pytest.fixture
    def scanner(self, clamd_service: Clamd) -> VirusScanner:
        return ClamdScanner(clamd_service.address)


def test_its_name_is_its_engine_and_that_it_has_no_official_database(scanner: VirusScanner) -> None:
    scanner.ready()
    assert scanner.name.startswith("ClamAV 1.")
    assert scanner.name.endswith(", no official database")


@pytest.mark.parametrize("name", sorted(CARRIERS.keys() - OVERLOOKED))
def test_eicar_is_found_in(scanner: VirusScanner, name: str) -> None:
    assert scan(scanner, CARRIERS[name]()) == FOUND


def test_more_than_it_takes_is_not_scanned(scanner: VirusScanner) -> None:
    assert scan(scanner, os.urandom(STREAM_LIMIT)) == ScanResult(Virus.CLEAN)
    for size in (STREAM_LIMIT + 1, STREAM_LIMIT + MIB, 12 * STREAM_LIMIT):
        assert scan(scanner, bytes(size)) == ScanResult(Virus.NOT_SCANNED, TOO_LARGE)
    assert scan(scanner, EICAR) == FOUND


def test_more_inside_than_it_takes_is_not_scanned(scanner: VirusScanner) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            archive.writestr(f"{number}", b"z" * 7 * MIB)
    bomb = scan(scanner, made.getvalue())
    too_deep = scan(scanner, deep(40))
    assert (bomb.outcome, too_deep.outcome) == (Virus.NOT_SCANNED, Virus.NOT_SCANNED)
    assert too_deep.name == "Heuristics.Limits.Exceeded.MaxRecursion"


def test_one_that_does_not_tell_its_limits_is_not_ready() -> None:
    with running(AlertExceedsMax="no") as clamd, pytest.raises(ScannerUnavailable, match="AlertExceedsMax"):
        ClamdScanner(clamd.address).ready()


def test_one_that_knows_no_signatures_is_not_ready() -> None:
    with running() as clamd:
        clamd.kill()
        (clamd.folder / "db" / "test.ndb").write_text(f"Other:0:0:{b'other'.hex()}\n")
        clamd.start()
        with pytest.raises(ScannerUnavailable, match="EICAR"):
            ClamdScanner(clamd.address).ready()


@pytest.fixture
def own_clamd() -> Iterator[Clamd]:
    with running() as clamd:
        yield clamd


def test_one_that_is_killed_between_and_in_the_middle_of_files(own_clamd: Clamd) -> None:
    scanner = ClamdScanner(own_clamd.address)
    one = scanner.begin(4 * MIB)
    one.write(bytes(2 * MIB))
    own_clamd.kill()

    def rest() -> None:
        one.write(bytes(2 * MIB))
        one.end()

    with pytest.raises(ScannerUnavailable):
        rest()
    with pytest.raises(ScannerUnavailable):
        scanner.begin(1)
    own_clamd.start()
    scanner.ready()
    assert scan(scanner, EICAR) == FOUND


def test_one_that_hangs_whole(own_clamd: Clamd) -> None:
    scanner = ClamdScanner(own_clamd.address, answer=0.5, connect=0.5)
    scanner.ready()
    with own_clamd.frozen(), pytest.raises(ScannerUnavailable):
        scan(scanner, bytes(4 * MIB))
    assert scan(ClamdScanner(own_clamd.address), EICAR) == FOUND


def test_it_keeps_nothing_of_what_it_was_sent(own_clamd: Clamd) -> None:
    scanner = ClamdScanner(own_clamd.address)
    for data in (EICAR, deep(3), bytes(MIB), bytes(2 * STREAM_LIMIT)):
        scan(scanner, data)
    assert list((own_clamd.folder / "tmp").iterdir()) == []


def test_many_at_once(scanner: VirusScanner) -> None:
    found: list[ScanResult] = []
    threads = [threading.Thread(target=lambda: found.append(scan(scanner, deep(2)))) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [FOUND] * 40
    assert TOO_SLOW not in {one.name for one in found}


def recommended() -> dict[str, str]:
    """The settings of the page for officers, without its places."""
    page = (Path(__file__).parents[2] / "docs" / "quarantine.md").read_text(encoding="utf-8")
    block = page.partition("```\nLocalSocket ")[2].partition("```")[0]
    pairs = [line.split(" ", 1) for line in block.splitlines()[1:] if line and not line.startswith("#")]
    return {name: value for name, value in pairs if name != "TemporaryDirectory"}


def test_the_configuration_that_is_recommended_tells_limits_and_passwords() -> None:
    settings = recommended()
    assert settings["StreamMaxLength"] == settings["MaxFileSize"]
    with running(**settings) as clamd:
        scanner = ClamdScanner(clamd.address)
        scanner.ready()
        with pikepdf.new() as pdf:
            pdf.add_blank_page()
            made = io.BytesIO()
            pdf.save(made, encryption=pikepdf.Encryption(owner="x", user="y"))
        assert scan(scanner, made.getvalue()) == ScanResult(Virus.NOT_SCANNED, "Heuristics.Encrypted.PDF")
        assert scan(scanner, deep(25)) == FOUND
        assert scan(scanner, deep(60)).outcome is Virus.NOT_SCANNED
