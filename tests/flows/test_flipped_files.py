"""Files with bytes changed at random through every check in a real workshop: nothing hangs, nothing is raised."""

from __future__ import annotations

import io
import os
import random
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.builders.contents import epub, opendocument, word, zipped
from tests.builders.examining import Checks, Found, checks
from tests.builders.offices import docx, odt, pptx, xlsx
from tests.builders.pdfs import scan, typeset
from tests.builders.signatures import NOW, archival, cades, pdf, sign

MUTANTS = int(os.environ.get("TANGTHU_MUTANTS", "60"))
CONTENT = b"Noi dung cong van. " * 20
HOUR = timedelta(hours=1)
Make = Callable[[random.Random], bytes]

KINDS: dict[str, tuple[Make, ...]] = {
    "pdf": (
        lambda _: typeset(),
        lambda _: scan(words="Quyet dinh"),
        lambda _: pdf(3, form=True),
        lambda _: sign(pdf(form=True), stamp=NOW - HOUR),
        lambda _: archival(),
    ),
    "zip": (
        lambda chance: docx(chance, "công văn"),
        lambda chance: xlsx(chance, "bảng"),
        lambda chance: pptx(chance, "trình bày"),
        lambda chance: odt(chance, "văn bản"),
        lambda _: zipped(word()),
        lambda _: zipped(opendocument()),
        lambda _: zipped(epub()),
    ),
    "p7s": (
        lambda _: cades(CONTENT),
        lambda _: cades(CONTENT, stamp=NOW - HOUR),
        lambda _: cades(CONTENT, stamp=NOW - HOUR, detached=False),
    ),
}
NAMES = {"pdf": "tệp.pdf", "zip": "tệp.docx", "p7s": "tệp.docx.p7s"}


@pytest.fixture(scope="module")
def every() -> Iterator[Checks]:
    with checks(children=os.cpu_count() or 1) as made:
        yield made


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bytes_of_files(kind: str, every: Checks) -> None:
    originals = [make(random.Random(f"{kind} {number}")) for number, make in enumerate(KINDS[kind])]
    content = CONTENT if kind == "p7s" else None

    def check(number: int) -> Found:
        chance = random.Random(f"{kind} {number} 20261126")
        data = mutated(originals[number % len(originals)], chance)
        return every.all(NAMES[kind], data, content)

    before = every.workshop.lost
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(check, range(MUTANTS)))
    stalled = [number for number, one in enumerate(found) if one.stalled]
    print(Counter(str(one.inspection.validity) for one in found), Counter(str(one.signatures.outcome) for one in found))
    print(f"children lost: {every.workshop.lost - before}")
    assert len(found) == MUTANTS
    assert stalled == []


def mutated(original: bytes, chance: random.Random) -> bytes:
    """The bytes as they lie, or, of a ZIP file half the time, those of a member before it is packed."""
    if original.startswith(b"PK") and chance.random() < 0.5:
        return _with_a_member_changed(original, chance)
    return flipped(original, chance)


def flipped(original: bytes, chance: random.Random) -> bytes:
    """Some bytes replaced; or a piece left out, doubled, moved; a number made large; or the end cut off."""
    mutant = bytearray(original)
    for _ in range(chance.choice((1, 1, 3, 30, 300))):
        mutant[chance.randrange(len(mutant))] = chance.choice((chance.randrange(256), 0, 0xFF, *b"0(<[/>"))
    place, size = chance.randrange(len(mutant)), chance.randrange(1, 400)
    match chance.randrange(8):
        case 0:
            del mutant[place : place + size]
        case 1:
            mutant[place:place] = mutant[place : place + size] * chance.choice((1, 2, 50))
        case 2:
            other = chance.randrange(len(mutant))
            mutant[other : other + size] = mutant[place : place + size]
        case 3:
            digits = [at for at, byte in enumerate(mutant) if 0x30 <= byte <= 0x39]
            if digits:
                at = chance.choice(digits)
                mutant[at : at + 1] = chance.choice((b"-1", b"0", b"99999999", b"4294967296", b"1e400"))
        case 4:
            del mutant[place:]
    return bytes(mutant)


def _with_a_member_changed(original: bytes, chance: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(original)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        chosen = chance.choice(source.infolist())
        for member in source.infolist():
            data = source.read(member)
            target.writestr(member, flipped(data, chance) if member is chosen and data else data)
    return out.getvalue()
