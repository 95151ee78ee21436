"""The one pass with everybody looking: each byte is read once, each file is looked at by whoever wants it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from ingest import examining
from ingest.checks_said import say_checks
from ingest.digesting import CHUNK
from ingest.ledger import Ledger
from ingest.one_pass import NOBODY, Nowhere, OnePass, Watch
from ingest.scan import scan
from ingest.sources import open_source
from metadata.characteristics import Characteristics, Facts
from metadata.findings import Findings, Severity
from metadata.holdings import Role
from metadata.outcomes import SignatureOutcome, Validity, Virus
from metadata.text import Sentence
from preservation.antivirus.eicar import EICAR
from preservation.antivirus.memory import MemoryScanner, NoScanner
from preservation.antivirus.port import Scan, ScannerUnavailable, ScanResult
from preservation.formats.port import Inspection, Remark, Specimen
from preservation.signatures.outcomes import reason
from preservation.signatures.port import SignatureReport, SignatureVerdict
from storage.port import Bytes
from tests.builders.watching import MemoryChecker, MemoryInspector, watching

PDF = b"%PDF-1.4\n"
BINARY = bytes(range(256)) * 4
LARGE = 3 * CHUNK + 17
VALID = SignatureReport((SignatureVerdict("Sig1", "signature", (), {}),))
INVALID = SignatureReport((SignatureVerdict("Sig1", "signature", (reason("SIG-FILE-STALLED"),), {}),))


class Passed:
    """A package that was read: its ledger, its findings, how often each file was opened."""

    def __init__(self, ledger: Ledger, findings: Findings, opened: Counter[str], spool: Path) -> None:
        self.ledger, self.findings, self.opened, self.spool = ledger, findings, opened, spool

    @property
    def characteristics(self) -> dict[str, Characteristics | None]:
        return {one.path: one.characteristics for one in self.ledger.content()}

    def said(self, **options: bool) -> list[tuple[str, str]]:
        say_checks(self.ledger, self.findings, **options)
        return [(one.code, one.place) for one in self.findings.kept()]


@contextmanager
def passed(folder: Path, files: Mapping[str, bytes], watch: Watch) -> Iterator[Passed]:
    """Read ``files``: those under ``content/`` are content. There is always another file, ``beside``."""
    for name, data in ({"beside": b"x"} | dict(files)).items():
        path = folder / "sent" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    findings, opened = Findings(), Counter[str]()
    source = open_source(folder / "sent", folder / "quarantine", findings)
    assert source is not None
    with Ledger(folder / "ledger") as ledger:
        root = scan(source, ledger, findings)
        assert root is not None
        source.enter(root)
        ledger.plan_all("content/", "data/content/", Role.CONTENT)
        ledger.plan_all("", "data/", Role.SUBMISSION)
        really = source.open

        def open_once(path: str) -> BinaryIO:
            opened[path] += 1
            return really(path)

        source.open = open_once  # type: ignore[method-assign]
        (folder / "spool").mkdir()
        OnePass(source, ledger, findings, Nowhere(), watch, folder / "spool", lambda _: None).run()
        yield Passed(ledger, findings, opened, folder / "spool")
    source.close()


def looked(specimen: Specimen, data: bytes | None) -> Inspection:
    whole = None if data is None else specimen.size == len(data)
    return Inspection(
        Validity.VALID, (Remark("FORMAT-BROKEN", {"reason": "x"}),), Facts(encrypted=whole, pages=1), specimen.name
    )


def test_everything_is_looked_at_and_read_once(tmp_path: Path) -> None:
    files = {
        "content/a.pdf": PDF + BINARY,
        "content/b.pdf": PDF.ljust(LARGE, b"x"),
        "content/c.bin": BINARY,
        "content/d.bin": BINARY * (LARGE // 1024),
        "content/e": b"",
        "metadata.xml": b"<a/>",
    }
    inspector = MemoryInspector(looked)
    with passed(tmp_path, files, watching(inspector=inspector, scanner=MemoryScanner())) as found:
        assert set(found.opened.values()) == {1} and set(found.opened) == {*files, "beside"}
        assert inspector.asked == {
            "content/a.pdf": len(PDF + BINARY),
            "content/b.pdf": LARGE,
            "content/c.bin": None,
            "content/d.bin": None,
            "content/e": None,
        }
        content = found.characteristics
        assert content["content/b.pdf"] == Characteristics(
            Validity.VALID, Virus.CLEAN, facts=Facts(encrypted=True, pages=1)
        )
        assert found.ledger.check_counts().virus == {Virus.CLEAN: 7}
        assert found.said() == [("FORMAT-BROKEN", path) for path in sorted(files) if path.startswith("content/")]
        assert list(found.spool.iterdir()) == []


def test_nobody_looks_and_nothing_is_kept(tmp_path: Path) -> None:
    class Never(NoScanner):
        def begin(self, size: int) -> Scan:
            raise AssertionError

    for number, watch in enumerate((NOBODY, Watch(scanner=Never()))):
        with passed(tmp_path / f"{number}", {"content/a.pdf": PDF, "b": bytes(LARGE)}, watch) as found:
            assert found.characteristics == {"content/a.pdf": None}
            assert found.said() == []


# Viruses


@pytest.mark.parametrize("at", [0, CHUNK - 30, 2 * CHUNK - 1, LARGE])
def test_a_virus_is_found_wherever_it_is_and_all_files_are_read(tmp_path: Path, at: int) -> None:
    large = BINARY * (LARGE // 1024)
    files = {"content/a": large[:at] + EICAR + large[at:], "content/b": EICAR, "c.xml": EICAR, "d": b"d", "e": large}
    with passed(tmp_path, files, watching(scanner=MemoryScanner())) as found:
        assert found.said() == [("VIRUS-FOUND", "content/a"), ("VIRUS-FOUND", "content/b"), ("VIRUS-FOUND", "c.xml")]
        assert found.findings.refused
        assert found.ledger.check_counts().virus == {Virus.CLEAN: 3, Virus.INFECTED: 3}
        checked = found.characteristics["content/a"]
        assert checked is not None and (checked.virus, bool(checked.virus_name)) == (Virus.INFECTED, True)


def test_what_the_scanner_could_not_scan_is_told(tmp_path: Path) -> None:
    files = {"content/a": bytes(LARGE), "content/b": bytes(200), "c": b"c"}
    with passed(tmp_path, files, watching(scanner=MemoryScanner(100))) as found:
        assert found.said() == [("VIRUS-NOT-SCANNED", "content/a"), ("VIRUS-NOT-SCANNED", "content/b")]


class Failing:
    """A scanner that goes away at its ``last`` scan, in ``where``; remembers which scans are open."""

    name = "Failing"

    def __init__(self, last: int, where: str) -> None:
        self._left, self._where, self._lock = last, where, threading.Lock()
        self.open = 0

    def ready(self) -> None: ...
    def close(self) -> None: ...

    def begin(self, size: int) -> Scan:
        with self._lock:
            self._left -= 1
            gone = self._left == 0
            if gone and self._where == "begin":
                raise ScannerUnavailable(Sentence("x", "x"))
            self.open += 1
        return _FailingScan(self, self._where if gone else "")

    def ended(self) -> None:
        with self._lock:
            self.open -= 1


class _FailingScan:
    def __init__(self, scanner: Failing, where: str) -> None:
        self._scanner, self._where = scanner, where

    def write(self, data: Bytes) -> None:
        if self._where == "write":
            raise ScannerUnavailable(Sentence("x", "x"))

    def end(self) -> ScanResult:
        self._scanner.ended()
        if self._where == "end":
            raise ScannerUnavailable(Sentence("x", "x"))
        return ScanResult(Virus.CLEAN)

    def abandon(self) -> None:
        self._scanner.ended()


@pytest.mark.parametrize("where", ["begin", "write", "end"])
@pytest.mark.parametrize("last", [1, 2, 5])
@pytest.mark.parametrize("size", [10, LARGE])
def test_a_scanner_that_goes_away_ends_the_pass(tmp_path: Path, where: str, last: int, size: int) -> None:
    scanner = Failing(last, where)
    files = {f"content/{number}": bytes(size) for number in range(6)}
    before = threading.active_count()
    with pytest.raises(ScannerUnavailable), passed(tmp_path, files, watching(scanner=scanner)):
        pass
    assert scanner.open == 0
    assert threading.active_count() == before


# Signatures beside a file


@pytest.mark.parametrize("size", [100, LARGE])
def test_a_signature_beside_its_file_gets_it(tmp_path: Path, size: int) -> None:
    seen: dict[bytes, bytes | None] = {}

    def answer(data: bytes, content: bytes | None) -> SignatureReport:
        seen[data] = content
        return VALID

    document = BINARY.ljust(size, b"\0")
    files = {"content/a.bin": document, "content/a.bin.P7M": b"1", "content/a.bin.p7s": b"2", "content/b.p7m": b"3"}
    with passed(tmp_path, files, watching(checker=MemoryChecker(answer))) as found:
        assert seen == {b"1": document, b"2": document, b"3": None}
        assert found.said() == []
        assert list(found.spool.iterdir()) == []
        assert found.ledger.check_counts().signature == {SignatureOutcome.VALID: 3}
        assert [one.path for one in found.ledger.signature_reports()] == []  # nothing was placed


def test_files_that_wait_for_their_signatures_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By bytes they come as a, a!, a!.p7s, a#, a#.p7s, a.p7s."""
    files = {f"content/a{more}": b"x" for more in ("", "!", "#", "!.p7s", "#.p7s", ".p7s")}
    checker = MemoryChecker(lambda *_: VALID)
    for room, said in ((2, []), (1, [("SIGNATURE-NOT-JUDGED", "content/a.p7s")])):
        monkeypatch.setattr(examining, "_AWAITING", room)
        with passed(tmp_path / f"{room}", files, watching(checker=checker)) as found:
            assert found.said() == said
            assert list(found.spool.iterdir()) == []


def test_what_is_too_large_to_keep_is_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examining, "LARGEST", CHUNK)
    inspector, checker = MemoryInspector(), MemoryChecker(lambda *_: VALID)
    files = {"content/a": bytes(LARGE), "content/a.p7s": b"s", "content/b.pdf": PDF.ljust(LARGE, b"x")}
    with passed(tmp_path, files, watching(inspector=inspector, checker=checker)) as found:
        assert found.said() == [("SIGNATURE-NOT-JUDGED", "content/a.p7s"), ("SIGNATURE-NOT-JUDGED", "content/b.pdf")]
        assert inspector.asked["content/b.pdf"] is None
        assert checker.asked == {}


def test_signatures_that_are_not_valid_are_told_as_gravely_as_the_agreement_says(tmp_path: Path) -> None:
    checker = MemoryChecker(lambda *_: INVALID)
    for number, demanded in enumerate((False, True)):
        with passed(tmp_path / f"{number}", {"content/a.p7s": b"x"}, watching(checker=checker)) as found:
            assert found.said(valid_signatures=demanded) == [("SIGNATURE-UNREADABLE", "content/a.p7s")]
            (told,) = found.findings.kept()
            assert told.severity is (Severity.ERROR if demanded else Severity.WARNING)
            assert found.findings.refused is demanded
            assert "SIG-FILE-STALLED" in told.message.vi


# Order


def test_findings_do_not_depend_on_which_check_is_done_first(tmp_path: Path) -> None:
    orders = []
    for turn in range(2):
        gates = [threading.Event() for _ in range(3)]

        def answer(
            specimen: Specimen, _: bytes | None, gates: list[threading.Event] = gates, turn: int = turn
        ) -> Inspection:
            number = int(specimen.name[-1])
            before = number + 1 if turn else number - 1
            if 0 <= before < 3:
                assert gates[before].wait(30)
            gates[number].set()
            return Inspection(remarks=(Remark("FORMAT-BROKEN", {"reason": f"{number}"}),))

        files = {f"content/{number}": b"\0" for number in range(3)}
        watch = watching(inspector=MemoryInspector(answer), threads=3)
        with passed(tmp_path / f"{turn}", files, watch) as found:
            orders.append(found.said())
    assert orders[0] == orders[1] == [("FORMAT-BROKEN", f"content/{number}") for number in range(3)]
