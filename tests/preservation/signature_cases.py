"""A signed file, how it is asked about, and what must be said of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from metadata.outcomes import SignatureOutcome as Is
from preservation.signatures.answering import Answerer
from preservation.signatures.port import Question, SignatureReport
from preservation.signatures.trust import TrustStore
from tests.builders.signatures import NOW, authority

VALID, NOTES, OPEN, BAD, UNREADABLE = Is.VALID, Is.VALID_WITH_NOTES, Is.INDETERMINATE, Is.INVALID, Is.UNREADABLE


def usual() -> TrustStore:
    return authority().store()


@dataclass(frozen=True)
class Case:
    """A file (and what is beside it), how it is asked about, and what must come out: outcome, some of the codes."""

    make: Callable[[], bytes]
    outcome: Is | None
    codes: tuple[str, ...] = ()
    store: Callable[[], TrustStore] = usual
    at: datetime = NOW
    content: bytes | None = None
    exactly: bool = False
    name: str = ""


def ask(
    data: bytes, store: TrustStore, at: datetime = NOW, content: bytes | None = None, **more: object
) -> SignatureReport:
    beside = None if content is None else io.BytesIO(content)
    return Answerer.of(store).answer(Question(io.BytesIO(data), at, at, beside, **more))  # type: ignore[arg-type]


def codes_of(report: SignatureReport) -> set[str]:
    return {one.code for one in report.reasons} | {one.code for verdict in report.verdicts for one in verdict.reasons}


def judge(case: Case) -> None:
    """Ask about it, and compare."""
    report = ask(case.make(), case.store(), case.at, case.content, name=case.name)
    found = codes_of(report)
    assert report.outcome == case.outcome, (found, [one.facts for one in report.verdicts])
    assert set(case.codes) <= found, found
    if case.exactly:
        assert set(case.codes) == found
