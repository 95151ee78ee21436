"""Signatures judged in a workshop: as in this process, and a file that stalls costs its own answer only."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from metadata.outcomes import SignatureOutcome as Is
from preservation.signatures.answering import Answerer
from preservation.signatures.checker import PyHankoChecker, equipment_of
from preservation.signatures.port import Question, SignatureReport
from preservation.workshop.local import LocalWorkshop
from preservation.workshop.pool import ChildLimits, ChildWorkshop
from preservation.workshop.port import TaskLimits, Values, WorkLost
from tests.builders.signatures import NOW, archival, authority, forge_page, pdf, sign

STORE = cache(lambda: authority().store())


def staller() -> bytes:
    """100 kB that keep pyHanko busy for minutes: a cross-reference stream that says it has a milliard entries."""
    packed = zlib.compress(bytes(100_000_000), 9)
    out = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Count 0/Kids[]>>\nendobj\n"
    start = len(out)
    out += b"3 0 obj\n<</Type/XRef/Root 1 0 R/Size 1000000000/W[1 1 1]/Filter/FlateDecode/Length %d>>\n" % len(packed)
    return out + b"stream\n" + packed + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % start


@pytest.fixture
def checker() -> Iterator[PyHankoChecker]:
    made = PyHankoChecker(STORE())
    yield made
    made.close()


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Callable[..., Question]]:
    """Puts bytes into a file and asks about it."""
    with ExitStack() as stack:

        def made(data: bytes, name: str = "tep.pdf") -> Question:
            path = tmp_path / name
            path.write_bytes(data)
            return Question(stack.enter_context(path.open("rb")), NOW, NOW, name=name)

        yield made


def test_the_child_says_what_the_judge_says_and_serves_many_files(
    write: Callable[..., Question], checker: PyHankoChecker
) -> None:
    made = {"B-LTA": archival(), "forged": forge_page(archival()), "unsigned": pdf(), "cut": sign(pdf())[:-3000]}
    questions = [write(data, name) for name, data in made.items()]
    here = Answerer.of(STORE())
    reports = [checker.check(question) for question in questions]
    assert reports == [SignatureReport.of_fields(here.answer(question).fields()) for question in questions]
    assert [report.outcome for report in reports] == [Is.VALID, Is.INVALID, None, Is.UNREADABLE]


def test_the_task_says_the_same_in_this_process(write: Callable[..., Question]) -> None:
    question = write(forge_page(archival()))
    here = PyHankoChecker(STORE(), LocalWorkshop(equipment_of(STORE()))).check(question)
    assert here == SignatureReport.of_fields(Answerer.of(STORE()).answer(question).fields())


def test_a_staller_costs_one_file(write: Callable[..., Question]) -> None:
    checker = PyHankoChecker(STORE(), limits=TaskLimits(seconds=2.0))
    try:
        stalled = checker.check(write(staller(), "lau.pdf"))
        assert [one.code for one in stalled.reasons] == ["SIG-FILE-STALLED"]
        assert stalled.outcome is Is.UNREADABLE
        assert checker.check(write(pdf())).outcome is None
    finally:
        checker.close()


def test_the_kernel_ends_a_child_that_computes_too_long(write: Callable[..., Question]) -> None:
    checker = PyHankoChecker(STORE(), limits=TaskLimits(seconds=60.0, cpu_seconds=1))
    try:
        report = checker.check(write(staller()))
        assert [one.code for one in report.reasons] == ["SIG-FILE-CRASHED"]
    finally:
        checker.close()


def test_a_child_that_cannot_start_is_an_outcome_not_an_error(write: Callable[..., Question]) -> None:
    workshop = ChildWorkshop(equipment_of(STORE()), limits=ChildLimits(memory=1 << 24))
    assert PyHankoChecker(STORE(), workshop).check(write(sign(pdf()))).outcome is Is.UNREADABLE
    workshop.close()


class Saying:
    """A workshop that answers the same to everything, or loses it."""

    def __init__(self, answer: Values | WorkLost) -> None:
        self._answer = answer

    def run(self, *_: object) -> Values:
        if isinstance(self._answer, WorkLost):
            raise self._answer
        return self._answer

    def close(self) -> None:
        raise AssertionError("a workshop that was given is not the checker's to close")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (WorkLost(late=True), "SIG-FILE-STALLED"),
        (WorkLost(late=False), "SIG-FILE-CRASHED"),
        ({}, "SIG-FILE-CRASHED"),
        ({"signatures": 1, "reasons": [], "evidence": {}}, "SIG-FILE-CRASHED"),
        ({"signatures": [], "reasons": [{"code": "no such", "vi": "", "en": ""}], "evidence": {}}, "SIG-FILE-CRASHED"),
        ({"signatures": [], "reasons": [], "evidence": [1]}, "SIG-FILE-CRASHED"),
    ],
)
def test_no_answer_of_a_child_is_more_than_unreadable(
    answer: Values | WorkLost, code: str, write: Callable[..., Question]
) -> None:
    checker = PyHankoChecker(STORE(), Saying(answer))
    report = checker.check(write(pdf()))
    assert [one.code for one in report.reasons] == [code]
    assert report.outcome is Is.UNREADABLE
    checker.close()


def test_a_file_beyond_the_limit_is_not_looked_at(write: Callable[..., Question]) -> None:
    checker = PyHankoChecker(STORE(), largest=1000)
    report = checker.check(write(sign(pdf())))
    assert [one.code for one in report.reasons] == ["SIG-FILE-TOO-LARGE"]
    checker.close()
