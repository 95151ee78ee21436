"""Virus scanners: one contract for all, and what a clamd may do that it must not."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from metadata.findings import finding_rules
from metadata.outcomes import Virus
from preservation.antivirus.clamd import TOO_LARGE, TOO_SLOW, ClamdScanner, read_answer
from preservation.antivirus.eicar import EICAR
from preservation.antivirus.memory import MemoryScanner, NoScanner
from preservation.antivirus.port import NO_SCANNER, ScannerUnavailable, ScanResult, VirusScanner
from tests.contracts.scanner import MIB, ScannerContract, scan
from tests.services.fake_clamd import FakeClamd, Gone, exactly, stream

Script = Callable[[socket.socket], bytes]


class TestMemoryScanner(ScannerContract):
    @pytest.fixture
    def scanner(self) -> VirusScanner:
        return MemoryScanner()

    def test_what_is_too_large_is_not_scanned(self) -> None:
        assert scan(MemoryScanner(100), EICAR + b"q" * 33).outcome is Virus.NOT_SCANNED
        assert scan(MemoryScanner(100), b"q" * 100).outcome is Virus.CLEAN


class TestNoScanner(ScannerContract):
    infected = clean = NO_SCANNER

    @pytest.fixture
    def scanner(self) -> VirusScanner:
        return NoScanner()


class TestClamdScannerWithAFake(ScannerContract):
    @pytest.fixture(params=["unix", "tcp"])
    def scanner(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VirusScanner]:
        with FakeClamd(tmp_path if request.param == "unix" else None) as fake:
            yield ClamdScanner(fake.address, connect=30)


@pytest.fixture(params=["unix", "tcp"])
def fake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeClamd]:
    with FakeClamd(tmp_path if request.param == "unix" else None) as fake:
        yield fake


def scanner_of(fake: FakeClamd, answer: float = 30, connect: float = 30) -> ClamdScanner:
    return ClamdScanner(fake.address, answer=answer, connect=connect)


# The words of clamd


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ("stream: OK", ScanResult(Virus.CLEAN)),
        ("stream: Win.Test.EICAR_HDB-1 FOUND", ScanResult(Virus.INFECTED, "Win.Test.EICAR_HDB-1")),
        ("stream: OK FOUND", ScanResult(Virus.INFECTED, "OK")),
        ("stream: Heuristics.Phishing.Email FOUND", ScanResult(Virus.INFECTED, "Heuristics.Phishing.Email")),
        (
            "stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND",
            ScanResult(Virus.NOT_SCANNED, "Heuristics.Limits.Exceeded.MaxFileSize"),
        ),
        ("stream: Heuristics.Encrypted.Zip FOUND", ScanResult(Virus.NOT_SCANNED, "Heuristics.Encrypted.Zip")),
        ("INSTREAM size limit exceeded. ERROR", ScanResult(Virus.NOT_SCANNED, TOO_LARGE)),
        ("stream: Can't parse data ERROR", ScanResult(Virus.NOT_SCANNED, "Can't parse data")),
        ("Error writing to temporary file. ERROR", None),
        ("COMMAND READ TIMED OUT", None),
        ("UNKNOWN COMMAND", None),
        ("stream: ", None),
        ("OK", None),
        ("", None),
        ("HTTP/1.1 400 Bad Request", None),
    ],
)
def test_each_answer_is_read_as_what_it_says(answer: str, result: ScanResult | None) -> None:
    assert read_answer(answer) == result


def test_each_outcome_leads_to_a_finding_that_there_is() -> None:
    results = (NO_SCANNER, ScanResult(Virus.INFECTED, "x"), ScanResult(Virus.NOT_SCANNED, TOO_LARGE))
    codes = [result.code for result in results]
    assert codes == ["VIRUS-NO-SCANNER", "VIRUS-FOUND", "VIRUS-NOT-SCANNED"]
    assert set(codes) <= set(finding_rules())
    assert ScanResult(Virus.CLEAN).code is None


@pytest.mark.parametrize(
    "address", ["", "clamd.sock", "localhost", ":3310", "h:", "h:x", "h:0", "h:65536", "h:-1", "h:³"]
)
def test_an_address_that_is_none_is_told_at_once(address: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        ClamdScanner(address)


# Its name and its readiness


@pytest.mark.parametrize(
    ("version", "name"),
    [
        (
            b"ClamAV 1.4.6/27483/Wed Nov 25 09:36:32 2026\0",
            "ClamAV 1.4.6, database 27483 of Wed Nov 25 09:36:32 2026",
        ),
        (b"ClamAV 1.4.6\0", "ClamAV 1.4.6, no official database"),
    ],
)
def test_its_name_tells_engine_and_database(fake: FakeClamd, version: bytes, name: str) -> None:
    fake.version = version
    scanner = scanner_of(fake)
    scanner.ready()
    assert scanner.name == name


def refuses(answer: bytes) -> Script:
    return lambda _: answer


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ("PING", refuses(b"")),
        ("PING", refuses(b"\xff\xfe\0")),
        ("PING", refuses(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        ("PING", refuses(b"p" * 100_000)),
        ("VERSION", refuses(b"")),
        ("VERSION", refuses(b"UNKNOWN COMMAND\0")),
        ("VERSION", refuses(b"ClamAV 1.4.6\nX/1/y\0")),
        ("INSTREAM", lambda connection: stream(connection) and b"stream: OK\0"),
        ("INSTREAM", lambda connection: stream(connection) and b"?\0"),
        ("INSTREAM", lambda connection: stream(connection) and b""),
    ],
)
def test_what_does_not_answer_as_clamd_is_not_ready(fake: FakeClamd, command: str, script: Script) -> None:
    fake.scripts[command] = script
    with pytest.raises(ScannerUnavailable):
        scanner_of(fake).ready()


def test_a_scanner_that_is_silent_about_its_limits_is_not_ready(fake: FakeClamd) -> None:
    """clamd's default: what lies too deep is not looked at, and the answer is OK."""
    fake.scripts["INSTREAM"] = lambda connection: (
        b"stream: Eicar FOUND\0" if stream(connection) == EICAR else b"stream: OK\0"
    )
    with pytest.raises(ScannerUnavailable, match="AlertExceedsMax"):
        scanner_of(fake).ready()


def test_readiness_is_asked_once_a_minute_and_again_after_trouble(fake: FakeClamd) -> None:
    now = 0.0
    scanner = ClamdScanner(fake.address, connect=30, clock=lambda: now)
    scanner.ready()
    asked = len(fake.commands)
    scanner.ready()
    assert len(fake.commands) == asked
    now = 61.0
    scanner.ready()
    assert len(fake.commands) == 2 * asked
    fake.scripts["INSTREAM"] = refuses(b"")
    with pytest.raises(ScannerUnavailable):
        scan(scanner, b"a")
    with pytest.raises(ScannerUnavailable):
        scanner.ready()


def test_nobody_there(tmp_path: Path) -> None:
    with FakeClamd() as gone:
        address = gone.address
    for scanner in (ClamdScanner(address), ClamdScanner(str(tmp_path / "no.sock")), ClamdScanner(str(tmp_path))):
        with pytest.raises(ScannerUnavailable):
            scanner.ready()
        with pytest.raises(ScannerUnavailable):
            scanner.begin(1)


def test_one_that_takes_connections_and_never_answers(fake: FakeClamd) -> None:
    fake.scripts["PING"] = fake.stall
    with pytest.raises(ScannerUnavailable):
        scanner_of(fake, connect=0.2).ready()


# In the middle of a file


def test_a_limit_that_is_told_in_the_middle_is_the_limit(fake: FakeClamd) -> None:
    """clamd answers, closes and reads no more: the broken pipe is not taken for a clamd that has gone."""

    def limited(connection: socket.socket) -> bytes:
        stream(connection, 2 * MIB)
        return b"INSTREAM size limit exceeded. ERROR\0"

    fake.scripts["INSTREAM"] = limited
    scanner = scanner_of(fake)
    for size in (3 * MIB, 40 * MIB):
        assert scan(scanner, b"q" * size) == ScanResult(Virus.NOT_SCANNED, TOO_LARGE)


@pytest.mark.parametrize("after", [0, 1, MIB, 5 * MIB])
def test_one_that_dies_in_the_middle(fake: FakeClamd, after: int) -> None:
    def dies(connection: socket.socket) -> bytes:
        exactly(connection, after)
        raise Gone

    fake.scripts["INSTREAM"] = dies
    with pytest.raises(ScannerUnavailable):
        scan(scanner_of(fake), b"q" * 12 * MIB)


@pytest.mark.parametrize("answer", [b"", b"stream", b"stream: \0", b"?" * 100_000, b"Error writing. ERROR\0", b"\0"])
def test_garbage_instead_of_a_verdict(fake: FakeClamd, answer: bytes) -> None:
    fake.scripts["INSTREAM"] = lambda connection: stream(connection) and answer
    with pytest.raises(ScannerUnavailable):
        scan(scanner_of(fake), b"some file")


def test_a_verdict_that_is_cut_is_none(fake: FakeClamd) -> None:
    """``stream: OK`` without its end may be the beginning of ``stream: OKAPI.Worm FOUND``."""
    fake.scripts["INSTREAM"] = lambda connection: stream(connection) and b"stream: OK"
    with pytest.raises(ScannerUnavailable):
        scan(scanner_of(fake), b"some file")


def test_one_that_takes_no_more(fake: FakeClamd) -> None:
    fake.scripts["INSTREAM"] = fake.stall
    with pytest.raises(ScannerUnavailable):
        scan(scanner_of(fake, answer=0.2), b"q" * 40 * MIB)


def test_a_file_that_takes_too_long_is_not_scanned_while_others_are_answered(fake: FakeClamd) -> None:
    fake.scripts["INSTREAM"] = fake.stall
    assert scan(scanner_of(fake, answer=0.2), b"slow") == ScanResult(Virus.NOT_SCANNED, TOO_SLOW)


def test_a_scanner_that_hangs_whole_has_gone(fake: FakeClamd) -> None:
    fake.scripts["INSTREAM"] = fake.scripts["PING"] = fake.stall
    with pytest.raises(ScannerUnavailable):
        scan(scanner_of(fake, answer=0.2, connect=0.2), b"slow")


def test_a_slow_drip_is_a_verdict(fake: FakeClamd) -> None:
    def drips(connection: socket.socket) -> bytes:
        stream(connection)
        for byte in b"stream: A.B FOUND":
            connection.sendall(bytes([byte]))
        return b"\0"

    fake.scripts["INSTREAM"] = drips
    assert scan(scanner_of(fake), b"file") == ScanResult(Virus.INFECTED, "A.B")
