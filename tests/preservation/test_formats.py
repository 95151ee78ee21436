"""The frame of the format checks: which module is asked, and what becomes of what goes wrong."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import pytest

from metadata.findings import finding_rules
from metadata.holdings import UNIDENTIFIED, Format
from metadata.identifiers import Puid
from metadata.outcomes import Validity
from preservation.formats import pdf
from preservation.formats.families import families, family_of
from preservation.formats.inspector import FormatInspector
from preservation.formats.port import TEXT_LIMIT, Inspection, Remark, Specimen
from preservation.formats.task import Broken, arguments_of, look, specimen_of
from preservation.workshop.port import TaskLimits, WorkLost

PDF = Format(Puid("fmt/276"), "PDF", "1.7", "application/pdf", "signature")


def specimen(format: Format = PDF, name: str = "1.pdf") -> Specimen:
    return Specimen(name, 4, format, b"%PDF", b"")


class StubWorkshop:
    """Answers as told; remembers what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Mapping[str, Any], Sequence[BinaryIO]]] = []

    def run(
        self,
        task: str,
        arguments: Mapping[str, Any],
        files: Sequence[BinaryIO] = (),
        limits: TaskLimits | None = None,
    ) -> Any:
        del limits
        self.asked.append((task, arguments, files))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self) -> None:
        pass


def test_a_family_is_found_by_puid_then_by_mime() -> None:
    assert family_of(PDF).name == "pdf"
    assert family_of(Format(Puid("fmt/9"), "", "", "", "signature")).name == "image"
    assert family_of(Format(Puid("fmt/1841"), "", "", "image/dng, image/tiff", "signature")).name == "image"
    assert family_of(Format(None, "", "", "application/pdf; version=1.7", "extension")).name == "pdf"
    assert family_of(UNIDENTIFIED) is None
    assert all(family.libraries or family.module for family in families())


def test_what_no_family_knows_asks_nobody() -> None:
    workshop = StubWorkshop(WorkLost(late=False))
    assert FormatInspector(workshop).inspect(specimen(UNIDENTIFIED), io.BytesIO()) == Inspection()
    assert not workshop.asked


def test_a_file_too_large_to_keep_is_not_checked_and_told_of() -> None:
    workshop = StubWorkshop(WorkLost(late=False))
    found = FormatInspector(workshop).inspect(specimen(), None)
    assert found == Inspection(remarks=(Remark("FORMAT-TOO-LARGE"),))
    assert look(specimen(), None) == found


@pytest.mark.parametrize(("late", "code"), [(True, "FORMAT-STALLED"), (False, "FORMAT-CRASHED")])
def test_a_lost_child_makes_its_file_unreadable(late: bool, code: str) -> None:
    found = FormatInspector(StubWorkshop(WorkLost(late=late))).inspect(specimen(), io.BytesIO())
    assert (found.validity, [remark.code for remark in found.remarks]) == (Validity.UNREADABLE, [code])


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"validity": "SPLENDID", "remarks": [], "facts": {}, "text": ""},
        {"validity": "VALID", "remarks": [["TT05-TITLE", {}]], "facts": {}, "text": ""},
        {"validity": "VALID", "remarks": [["FORMAT-NEVER-HEARD-OF", {}]], "facts": {}, "text": ""},
        {"validity": "VALID", "remarks": [["FORMAT-BROKEN", {}]], "facts": {}, "text": ""},
        {"validity": "VALID", "remarks": [["FORMAT-BROKEN", {"reason": "", "place": "x"}]], "facts": {}, "text": ""},
        {"validity": "VALID", "remarks": [], "facts": {"pages": "3"}, "text": ""},
        {"validity": "VALID", "remarks": [], "facts": {"encrypted": 1}, "text": ""},
        {"validity": "VALID", "remarks": [], "facts": {"owner": "me"}, "text": ""},
        {"validity": "VALID", "remarks": [], "facts": {}, "text": "\ud800"},
    ],
)
def test_an_answer_that_no_checker_gives_is_not_believed(answer: Any) -> None:
    found = FormatInspector(StubWorkshop(answer)).inspect(specimen(), io.BytesIO())
    assert (found.validity, found.remarks) == (Validity.UNREADABLE, (Remark("FORMAT-CRASHED"),))


def test_what_comes_back_is_bounded() -> None:
    remark = ["FORMAT-BROKEN", {"reason": "x\u202e" * 5000}]
    facts = {"pages": 1 << 70, "width": -1, "height": 5, "application": "y" * 5000}
    answer = {"validity": "VALID", "remarks": [remark] * 5000, "facts": facts, "text": "z" * (TEXT_LIMIT + 5)}
    found = FormatInspector(StubWorkshop(answer)).inspect(specimen(), io.BytesIO())
    assert len(found.remarks) == 50
    assert all(len(one.details["reason"]) < 310 and "\u202e" not in one.details["reason"] for one in found.remarks)
    assert (found.facts.pages, found.facts.width, found.facts.height) == (None, None, 5)
    assert (len(found.facts.application), len(found.text)) == (301, TEXT_LIMIT)


def test_a_specimen_crosses_whole() -> None:
    for one in (specimen(), Specimen("lạ\udcff.bin", 0, UNIDENTIFIED, b"", b"\x00")):
        assert specimen_of(arguments_of(one)) == one


@pytest.mark.parametrize(
    ("raised", "validity", "code"),
    [
        (Broken("no trailer"), Validity.INVALID, "FORMAT-BROKEN"),
        (MemoryError(), Validity.UNREADABLE, "FORMAT-UNREADABLE"),
        (RecursionError(), Validity.UNREADABLE, "FORMAT-UNREADABLE"),
        (KeyError("/Root"), Validity.UNREADABLE, "FORMAT-UNREADABLE"),
    ],
)
def test_what_a_checker_raises(
    raised: Exception, validity: Validity, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def inspect(*_: Any) -> Inspection:
        raise raised

    monkeypatch.setattr(pdf, "inspect", inspect)
    found = look(specimen(), io.BytesIO())
    assert (found.validity, [remark.code for remark in found.remarks]) == (validity, [code])


def test_remarks_never_refuse_a_package() -> None:
    assert {rule.severity.value for code, rule in finding_rules().items() if code.startswith("FORMAT-")} <= {
        "warning",
        "note",
    }
