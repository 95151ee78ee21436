"""Signed files with bytes changed at random: nothing hangs or is raised, no change of a signed byte stays valid."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from metadata.outcomes import SignatureOutcome as Is
from preservation.signatures.checker import PyHankoChecker
from preservation.signatures.port import Question, SignatureReport
from tests.builders.signatures import NOW, archival, authority, cades, pdf, sign
from tests.builders.xml_signatures import sign_xml

MUTANTS = int(os.environ.get("TANGTHU_MUTANTS", "60"))
CONTENT = b"Noi dung cong van. " * 20
KINDS = {
    "B-B": lambda: sign(pdf()),
    "B-T, form": lambda: sign(pdf(form=True), stamp=NOW - timedelta(hours=1)),
    "B-LTA": archival,
    "p7s": lambda: cades(CONTENT, stamp=NOW - timedelta(hours=1), detached=False),
    "XAdES": lambda: sign_xml(f"<a>{CONTENT.decode()}</a>", stamp=NOW - timedelta(hours=1)),
}


@pytest.fixture(scope="module")
def checker() -> Iterator[PyHankoChecker]:
    made = PyHankoChecker(authority().store())
    yield made
    made.close()


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bytes_of_a_signed_file(kind: str, tmp_path: Path, checker: PyHankoChecker) -> None:
    chance = random.Random(f"{kind} 20260615")
    original = KINDS[kind]()
    signed = signed_part(original)
    path = tmp_path / "tep"
    path.write_bytes(original)
    assert check(checker, path).outcome is Is.VALID
    for number in range(MUTANTS):
        mutant = mutated(original, chance)
        path.write_bytes(mutant)
        report = check(checker, path)
        assert all(one.code != "SIG-FILE-STALLED" for one in report.reasons), number
        if report.outcome in (Is.VALID, Is.VALID_WITH_NOTES):
            changed = [place for place in signed if original[place] != mutant[place]]
            assert changed == [], number


def check(checker: PyHankoChecker, path: Path) -> SignatureReport:
    with path.open("rb") as file:
        return checker.check(Question(file, NOW, NOW))


def mutated(original: bytes, chance: random.Random) -> bytes:
    """Some bytes replaced, taken out, or a piece repeated."""
    mutant = bytearray(original)
    for _ in range(chance.choice((1, 1, 1, 3, 30))):
        mutant[chance.randrange(len(mutant))] = chance.randrange(256)
    place, size = chance.randrange(len(mutant)), chance.randrange(1, 200)
    match chance.randrange(12):
        case 0:
            mutant += mutant[place : place + size]
        case 1:
            mutant[place : place + 1] = b"%"
    return bytes(mutant)


def signed_part(data: bytes) -> list[int]:
    """The places that the first signature of a PDF covers; those of the content that a CMS holds."""
    if not data.startswith(b"%PDF"):
        start = data.index(CONTENT)
        return list(range(start, start + len(CONTENT)))
    found = re.search(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)", data)
    assert found is not None
    first, length, second, rest = map(int, found.groups())
    return [*range(first, first + length), *range(second, second + rest)]
