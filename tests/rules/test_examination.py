"""What is said of files that were examined: signatures, and pages that were counted."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest

from ingest import examining
from ingest.check import check_package
from ingest.digesting import CHUNK
from metadata.characteristics import Facts
from metadata.tt05.sip import SipDocument
from preservation.formats.port import Inspection
from preservation.signatures.outcomes import reason
from preservation.signatures.port import SignatureReport, SignatureVerdict
from tests.builders.small_bags import write_bag
from tests.builders.tt05 import PDF, document_fields, sip_hoso
from tests.builders.watching import MemoryChecker, MemoryInspector, watching
from tests.rules.cases import Build, Case

_REASONS = {
    b"good": (),
    b"forged": (reason("SIG-ALTERED"),),
    b"stalled": (reason("SIG-FILE-STALLED"),),
    b"unknown": (reason("SIG-NO-CHAIN"),),
}


def _judged(data: bytes, content: bytes | None) -> SignatureReport:
    return SignatureReport((SignatureVerdict("Sig1", "signature", _REASONS[data], {}),))


def _codes(package: Path, work: Path, profile: str) -> set[str]:
    """With a checker that goes by a signature's bytes, and an inspector for whom every file has three pages."""
    work.mkdir()
    inspector = MemoryInspector(lambda *_: Inspection(facts=Facts(pages=3)))
    watch = watching(inspector=inspector, checker=MemoryChecker(_judged))
    with patch.object(examining, "LARGEST", CHUNK):
        return set(check_package(package, work, watch=watch).counts)


def _signed(signature: bytes, size: int = 5) -> Build:
    return lambda folder: write_bag(folder / "bag", files={"a.bin": bytes(size), "a.bin.p7s": signature})


def _pages(count: int) -> Build:
    """A document of two files (and a signature of one of them) that says it has ``count`` pages."""
    files = {"File1.pdf": PDF, "File1.tif": b"II*\0", "File1.pdf.p7s": b"good"}
    document = SipDocument("File1", document_fields(1, numberOfPage=str(count)), files)
    return lambda folder: sip_hoso(folder, contents=[document])


CASES = [
    Case(code, frozenset({code}), _signed(b"good"), bad, judge=_codes)
    for code, bad in {
        "SIGNATURE-INVALID": _signed(b"forged"),
        "SIGNATURE-UNREADABLE": _signed(b"stalled"),
        "SIGNATURE-INDETERMINATE": _signed(b"unknown"),
        "SIGNATURE-NOT-JUDGED": _signed(b"good", CHUNK + 1),
    }.items()
]
CASES += [
    Case("TT05-PAGES-COUNTED", frozenset({"TT05-PAGES-COUNTED"}), _pages(6), _pages(5), judge=_codes),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)


def test_reasons_are_told_in_both_languages_and_bounded(tmp_path: Path) -> None:
    report = check_package(_signed(b"forged")(tmp_path), tmp_path, watch=watching(checker=MemoryChecker(_judged)))
    (told,) = [one for one in report.findings if one.code == "SIGNATURE-INVALID"]
    words = reason("SIG-ALTERED").sentence
    assert "SIG-ALTERED" in told.message.vi and words.vi[:60] in told.message.vi and words.en[:60] in told.message.en
    assert len(told.message.vi) < 1500


def test_the_formats_of_a_dossier_are_judged_by_how_its_documents_came_to_be(tmp_path: Path) -> None:
    """A digitised document is to be signed, in its file or beside it; one that was born digital need not be."""
    documents = [
        SipDocument("File1", document_fields(1, confidenceLevel="02"), {"File1.pdf": PDF}),
        SipDocument("File2", document_fields(2, confidenceLevel="02"), {"File2.pdf": PDF, "File2.pdf.p7s": b"good"}),
        SipDocument("File3", document_fields(3, confidenceLevel="01"), {"File3.pdf": PDF}),
    ]
    watch = watching(inspector=MemoryInspector(), checker=MemoryChecker(_judged))
    report = check_package(sip_hoso(tmp_path, contents=documents), tmp_path, watch=watch)
    unsigned = [one.place for one in report.findings if one.code == "TT05-FORMAT-UNSIGNED"]
    assert unsigned == ["representations/rep1/data/File1.pdf"]
    without = check_package(sip_hoso(tmp_path / "again", contents=documents), tmp_path, watch=watching())
    assert "TT05-FORMAT-UNSIGNED" not in without.counts
