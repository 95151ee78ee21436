"""What checks say comes back in the order of the files, whichever was done first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest.ledger import Ledger
from ingest.ledger_rows import CountedPages
from metadata.characteristics import Characteristics, Facts
from metadata.dates import RecordDate
from metadata.holdings import Level, Record, Role
from metadata.outcomes import SignatureOutcome, Validity, Virus
from metadata.text import Sentence
from metadata.tt05.records import Fields
from preservation.antivirus.port import ScanResult
from preservation.formats.port import Inspection, Remark
from preservation.signatures.outcomes import Reason
from preservation.signatures.port import SignatureReport, SignatureVerdict
from storage.hashing import digest_bytes


@dataclass(frozen=True)
class At:
    number: int
    offset: int = 0
    data: int = 0


SIGNED = SignatureReport(
    (SignatureVerdict("Sig1", "signature", (), {"signer": "Bà Trưng"}),),
    (Reason("SIG-FILE-STALLED", Sentence("vi", "en")),),
    {"objects": ["é\udc80"]},
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Files ``a``, ``b``, ``b.P7S`` and ``c`` (numbers 2 to 5 of the AIP), read."""
    with Ledger(tmp_path / "ledger") as opened:
        for path in ("c", "a", "b", "b.P7S"):
            opened.add_file(path, 1)
        opened.settle()
        opened.plan_all("", "data/", Role.CONTENT)
        for number, file in enumerate(opened.files(), 2):
            opened.record(file.seq, digest_bytes(b"x"), At(number))
        yield opened


def seq(ledger: Ledger, path: str) -> int:
    return next(file.seq for file in ledger.files() if file.path == path)


def looked(pages: int | None, *codes: str, text: str = "") -> Inspection:
    return Inspection(Validity.VALID, tuple(Remark(code, {"n": "1"}) for code in codes), Facts(pages=pages), text)


def test_characteristics_are_with_members_and_content(ledger: Ledger) -> None:
    ledger.scanned(seq(ledger, "a"), ScanResult(Virus.INFECTED, "Eicar"))
    ledger.examined(seq(ledger, "a"), looked(3), SIGNED)
    ledger.scanned(seq(ledger, "b"), ScanResult(Virus.CLEAN))
    expected = [
        Characteristics(
            Validity.VALID, Virus.INFECTED, "Eicar", SignatureOutcome.UNREADABLE, 1, Facts(pages=3)
        ),
        Characteristics(virus=Virus.CLEAN),
        None,
        None,
    ]  # fmt: skip
    assert [one.characteristics for one in ledger.members()] == expected
    assert [one.characteristics for one in ledger.content()] == expected
    ledger.scanned(seq(ledger, "c"), ScanResult(Virus.NOT_SCANNED, "too large"))
    assert [one.characteristics for one in ledger.content()][3] == Characteristics(virus_name="too large")
    counts = ledger.check_counts()
    assert counts.virus == {Virus.INFECTED: 1, Virus.CLEAN: 1, Virus.NOT_SCANNED: 1}
    assert counts.validity == {Validity.VALID: 1}
    assert counts.signature == {SignatureOutcome.UNREADABLE: 1}


def test_what_is_said_comes_in_the_order_of_the_files(ledger: Ledger) -> None:
    ledger.examined(seq(ledger, "c"), looked(1, "X-3", "X-4", text="ba\udc80"), None)
    ledger.remark(seq(ledger, "a"), 100, Remark("X-2"))
    ledger.examined(seq(ledger, "a"), looked(1, "X-1", text="một"), SIGNED)
    ledger.scanned(seq(ledger, "b"), ScanResult(Virus.INFECTED, "Eicar"))
    said = [(path, one.code) for path, one in ledger.remarks()]
    assert said == [("a", "X-1"), ("a", "X-2"), ("c", "X-3"), ("c", "X-4")]
    assert [(one.number, one.path, one.text) for one in ledger.texts()] == [(2, "a", "một"), (5, "c", "ba?")]
    assert list(ledger.scans()) == [("b", ScanResult(Virus.INFECTED, "Eicar"))]
    (report,) = ledger.signature_reports()
    assert (report.number, report.path, report.target) == (2, "a", "data/a")
    assert report.report.verdicts == SIGNED.verdicts
    assert report.report.reasons == SIGNED.reasons


def test_an_unsigned_file_has_no_report(ledger: Ledger) -> None:
    ledger.examined(seq(ledger, "a"), looked(1), SignatureReport())
    assert list(ledger.signature_reports()) == []
    assert next(ledger.content()).characteristics == Characteristics(Validity.VALID, facts=Facts(pages=1))


def test_pages_are_counted_of_documents_that_say_so_and_whose_files_are_all_known(ledger: Ledger) -> None:
    def document(number: int, pages: int | None, *paths: str, origin: str = "") -> None:
        date = RecordDate.read("1/2/2024")
        record = Record(number, Level.DOCUMENT, *["x"] * 7, date, date, pages, "", {})
        ledger.add_document(record, Fields(()), f"{number}.xml", paths, origin)

    document(1, 3, "b", "a", "b.P7S", origin="EAD_doc_1.xml")
    document(2, 3, "b", "c")
    document(3, None, "a")
    document(4, 9, "a")
    document(5, 9)
    ledger.examined(seq(ledger, "a"), looked(2), None)
    ledger.examined(seq(ledger, "b"), looked(5), None)
    ledger.examined(seq(ledger, "c"), looked(None), None)
    assert list(ledger.counted_pages()) == [CountedPages(1, "EAD_doc_1.xml", 3, 7), CountedPages(4, "a", 9, 2)]


def test_a_file_is_described_by_the_first_document_that_has_it(ledger: Ledger) -> None:
    date = RecordDate.read("1/2/2024")
    for number, confidence in ((2, "01"), (1, "02")):
        record = Record(number, Level.DOCUMENT, *["x"] * 7, date, date, None, "", {})
        ledger.add_document(record, Fields((("confidenceLevel", confidence),)), f"{number}.xml", ("a",))
    assert ledger.described("a", "confidenceLevel", "typeName") == ("02", "")
    assert ledger.described("b", "confidenceLevel") == ("",)


def test_files_that_sign_others_are_known(ledger: Ledger, tmp_path: Path) -> None:
    assert [ledger.signatures_beside(path) for path in ("a", "b", "b.P7S")] == [0, 1, 0]
    with Ledger(tmp_path / "other") as other:
        other.add_file("b", 1)
        other.settle()
        assert other.signatures_beside("b") == 0


def test_large_answers_do_not_gather_in_memory(ledger: Ledger, tmp_path: Path) -> None:
    for number in range(100, 140):
        ledger.examined(number, looked(1, text="x" * 10), SIGNED)
    assert len(ledger._waiting["kept_text"]) < 16
    assert len(ledger._waiting["report"]) < 16
