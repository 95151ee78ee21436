"""What every VirusScanner must do. A test class inherits the suite and gives the fixture ``scanner``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from metadata.outcomes import Virus
from preservation.antivirus.eicar import EICAR
from preservation.antivirus.port import NO_SCANNER, ScanResult, VirusScanner

MIB = 1 << 20


def scan(scanner: VirusScanner, data: bytes, piece: int = MIB) -> ScanResult:
    """The verdict on ``data``, written in pieces of a buffer that is overwritten afterwards, as callers do."""
    one = scanner.begin(len(data))
    for start in range(0, len(data), piece):
        buffer = bytearray(data[start : start + piece])
        one.write(memoryview(buffer))
        buffer[:] = bytes(len(buffer))
    return one.end()


class ScannerContract:
    """``infected``, ``clean``: what the scanner says of EICAR and of clean files."""

    infected = ScanResult(Virus.INFECTED, "Eicar-Test-Signature")
    clean = ScanResult(Virus.CLEAN)

    def test_is_ready_each_time(self, scanner: VirusScanner) -> None:
        scanner.ready()
        scanner.ready()

    @pytest.mark.parametrize("data", [b"", b"a", "Số 12/QĐ-UBND\n".encode(), b"z" * 3 * MIB, bytes(range(256)) * 4096])
    def test_says_clean_of_clean_files(self, scanner: VirusScanner, data: bytes) -> None:
        assert scan(scanner, data) == self.clean

    @pytest.mark.parametrize("piece", [1, 7, 68, MIB])
    def test_finds_eicar_however_it_is_cut(self, scanner: VirusScanner, piece: int) -> None:
        assert scan(scanner, EICAR, piece) == self.infected

    def test_an_empty_piece_ends_nothing(self, scanner: VirusScanner) -> None:
        one = scanner.begin(len(EICAR))
        for data in (b"", EICAR[:30], b"", bytearray(), EICAR[30:], b""):
            one.write(data)
        assert one.end() == self.infected

    def test_a_size_that_was_wrong_does_no_harm(self, scanner: VirusScanner) -> None:
        one = scanner.begin(1)
        one.write(EICAR)
        assert one.end() == self.infected

    def test_an_abandoned_scan_leaves_the_next_alone(self, scanner: VirusScanner) -> None:
        for written in (b"", EICAR[:10], b"q" * 3 * MIB):
            one = scanner.begin(9 * MIB)
            one.write(written)
            one.abandon()
            one.abandon()
        assert scan(scanner, b"clean") == self.clean

    def test_threads_get_their_own_verdicts(self, scanner: VirusScanner) -> None:
        files = [EICAR, b"clean", b"z" * MIB] * 8
        with ThreadPoolExecutor(6) as pool:
            said = list(pool.map(lambda data: scan(scanner, data, 65_537), files))
        assert said == [self.infected, self.clean, self.clean] * 8

    def test_scans_may_overlap(self, scanner: VirusScanner) -> None:
        one, other = scanner.begin(len(EICAR)), scanner.begin(5)
        one.write(EICAR[:20])
        other.write(b"clean")
        one.write(EICAR[20:])
        assert (other.end(), one.end()) == (self.clean, self.infected)

    def test_may_be_closed_twice(self, scanner: VirusScanner) -> None:
        scanner.close()
        scanner.close()

    def test_only_a_place_without_a_scanner_has_no_name(self, scanner: VirusScanner) -> None:
        scanner.ready()
        assert bool(scanner.name) is (self.clean != NO_SCANNER)
