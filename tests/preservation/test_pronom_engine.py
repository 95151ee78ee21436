"""The engine answers by PRONOM's own rules, as FIDO does where FIDO reads them rightly, and never fails or stalls."""

from __future__ import annotations

import io
import json
import re
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fido import CONFIG_DIR
from fido.fido import Fido
from hypothesis import given, settings
from hypothesis import strategies as st

from preservation.identification.answer import Answer, Candidate
from preservation.identification.data import default_signatures
from preservation.identification.pronom.engine import PronomEngine
from preservation.identification.pronom.signature_file import read_signature_files
from tests.builders.crafted import CRAFTED
from tests.builders.samples import PDF_14, PNG, word_document
from tests.builders.shared_data import shared_data
from tests.builders.skeletons import Skeleton, byte_skeletons, container_skeletons

_WINDOW = 128 * 1024
_BEGINNINGS = [b"%PDF-", b"PK\3\4", b"\xff\xd8\xff", b"GIF89a", b"RIFF", b"<?xml", b"II*\0", b"\0\0", b"{\\rtf1", b""]


@pytest.fixture(scope="module")
def engine() -> PronomEngine:
    paths = default_signatures()
    return PronomEngine(read_signature_files(paths.binary, paths.container))


@pytest.fixture(scope="module")
def stock() -> Fido:
    return Fido(quiet=True, conf_dir=CONFIG_DIR, format_files=["formats-v109.xml"])


def _puids(engine: PronomEngine, data: bytes, name: str = "x") -> list[str]:
    answer = engine.answer(name, len(data), data[:_WINDOW], data[-_WINDOW:])
    return [candidate.puid for candidate in answer.container or answer.signature]


def _stock_answer(stock: Fido, data: bytes) -> set[str]:
    return {element.findtext("puid") or "" for element, _ in stock.match_formats(data[:_WINDOW], data[-_WINDOW:])}


def test_every_byte_signature_knows_its_skeleton(engine: PronomEngine) -> None:
    """The first answer is the signature's own format, or one that PRONOM puts before it; few have a second."""
    wrong, exact, every = [], 0, list(byte_skeletons(default_signatures().binary))
    for skeleton in every:
        found = _puids(engine, skeleton.data)
        exact += found == [skeleton.puid]
        if not found or not (skeleton.puid == found[0] or _goes_before(engine, found, skeleton.puid)):
            wrong.append((skeleton.signature, skeleton.puid, found))
    assert len(every) > 1900
    # One signature tells both fmt/61 and fmt/62.
    assert [(signature, puid) for signature, puid, _ in wrong] == [("78", "fmt/62")]
    assert exact / len(every) >= 0.995


@pytest.mark.parametrize(("kind", "least"), [("ZIP", 70), ("OLE2", 100)])
def test_every_container_signature_knows_its_skeleton(engine: PronomEngine, kind: str, least: int) -> None:
    every = list(container_skeletons(default_signatures().container, kind))
    assert len(every) > least
    assert not [(s.puid, found) for s in every if (found := _puids(engine, s.data)) != [s.puid]]


@pytest.mark.parametrize(("kind", "least"), [("bytes", 2200), ("ZIP", 140), ("OLE2", 160)])
def test_newer_signature_files_are_known_as_well(kind: str, least: int) -> None:
    folder = shared_data("pronom")
    if folder is None:
        pytest.skip("no newer signature files here")
    binary, container = folder / "DROID_SignatureFile_V122.xml", folder / "container-signature-20260119.xml"
    engine = PronomEngine(read_signature_files(binary, container))
    every = list(byte_skeletons(binary) if kind == "bytes" else container_skeletons(container, kind))
    assert len(every) > least
    assert not [(s.puid, found) for s in every if (found := _puids(engine, s.data))[:1] != [s.puid]]


_PDF_A = (
    b'%%PDF-1.4\n%s<x:xmpmeta xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">'
    b"<pdfaid:part>1</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>%s\n%%%%EOF\n"
)
_MUCH = b"0123456789 obj\n" * (_WINDOW // 14)


@pytest.mark.parametrize(
    ("before", "behind", "whole", "puid"),
    [
        (b"", _MUCH, False, "fmt/354"),
        (_MUCH, b"", False, "fmt/354"),
        (_MUCH, _MUCH, True, "fmt/354"),
        (_MUCH, _MUCH, False, "fmt/18"),
    ],
)
def test_what_may_lie_anywhere_is_looked_for_in_all_that_is_at_hand(
    engine: PronomEngine, tmp_path: Path, before: bytes, behind: bytes, whole: bool, puid: str
) -> None:
    """A large PDF/A says so at its end or in its middle."""
    path = tmp_path / "a.pdf"
    path.write_bytes(data := _PDF_A % (before, behind))
    for file in (path.open("rb"), io.BytesIO(data)):
        with file:
            answer = engine.answer("a.pdf", len(data), data[:_WINDOW], data[-_WINDOW:], file if whole else None)
        assert [one.puid for one in answer.signature] == [puid]


def test_a_skeleton_with_its_signature_broken_is_not_told_as_it(engine: PronomEngine) -> None:
    for skeleton in (
        s for s in byte_skeletons(default_signatures().binary) if s.puid in ("fmt/18", "fmt/11", "fmt/44")
    ):
        broken = bytes(255 - value for value in skeleton.data)
        assert skeleton.puid not in _puids(engine, broken)


def _goes_before(engine: PronomEngine, found: list[str], puid: str) -> bool:
    return any(puid in engine._formats[one].superior_to for one in found)


def test_what_fido_finds_is_found(engine: PronomEngine, stock: Fido) -> None:
    """Where FIDO's conversion of a signature is right, it is the oracle: same skeletons, same formats."""
    differing = []
    for skeleton in _some(list(byte_skeletons(default_signatures().binary)), 300):
        theirs = _stock_answer(stock, skeleton.data)
        if skeleton.puid in theirs and set(_puids(engine, skeleton.data)) != theirs:
            differing.append((skeleton.puid, theirs, _puids(engine, skeleton.data)))
    assert len(differing) <= 5, differing


def _some(skeletons: list[Skeleton], count: int) -> list[Skeleton]:
    return skeletons[:: max(1, len(skeletons) // count)]


@pytest.mark.parametrize(
    "data",
    [
        PDF_14,
        PNG,
        b"GIF89a\1\0\1\0\0\0\0;",
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\2\0\0\1\0\1\0\0\xff\xd9",
        b"{\\rtf1\\ansi hello}",
        b'<?xml version="1.0"?><a/>',
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + b"\x3e\0\3\0\xfe\xff\x09\0" + bytes(480),
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0",
    ],
)
def test_same_answer_as_fido(engine: PronomEngine, stock: Fido, data: bytes) -> None:
    assert set(_puids(engine, data)) == _stock_answer(stock, data) != set()


def test_same_answer_as_fido_for_real_files(engine: PronomEngine, stock: Fido) -> None:
    """The public samples, where they are at hand, and those of the tests: no file is told otherwise."""
    folder = shared_data("samples")
    files = [path for path in folder.rglob("*") if path.is_file()] if folder else []
    every = [PDF_14, PNG, word_document(), *(path.read_bytes() for path in sorted(files))]
    differing = []
    for data in filter(None, every):
        head, tail = data[:_WINDOW], data[-_WINDOW:]
        if set(engine._best(engine.match(head, tail))) != _stock_answer(stock, data):
            differing.append(data[:20])
    assert differing == []


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(_BEGINNINGS), st.binary(min_size=1, max_size=60))
def test_same_answer_as_fido_for_random_bytes(engine: PronomEngine, stock: Fido, beginning: bytes, rest: bytes) -> None:
    data = beginning + rest
    assert set(_puids(engine, data)) == _stock_answer(stock, data)


@pytest.mark.parametrize("name", CRAFTED)
def test_no_file_makes_it_try_the_same_bytes_again_and_again(engine: PronomEngine, name: str) -> None:
    """Four times the bytes are at most five times the calls; what tries again needs sixteen times, or minutes."""
    data = CRAFTED[name][:_WINDOW]
    little, much = (_calls(lambda part=part: _puids(engine, part)) for part in (data[: len(data) // 4], data))
    assert much < 5 * little + 20_000
    assert much < 500_000


def _calls(work: Callable[[], object]) -> int:
    """How many functions, Python's and C's, are called for a piece of work."""
    made = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return made


def _inside(engine: PronomEngine, data: bytes) -> Answer:
    return engine.answer("x", len(data), data[:_WINDOW], data[-_WINDOW:], io.BytesIO(data))


def test_office_documents_get_pronoms_name_from_inside(engine: PronomEngine) -> None:
    assert [candidate.puid for candidate in _inside(engine, word_document()).container] == ["fmt/412"]


@pytest.mark.parametrize("magic", [b"PK\3\4", bytes.fromhex("d0cf11e0a1b11ae1")])
def test_containers_that_are_broken_are_no_answer(engine: PronomEngine, magic: bytes) -> None:
    assert _inside(engine, magic + struct.pack("<40I", *range(40)) * 8).container == ()


def test_a_container_that_cannot_be_read_is_trouble(engine: PronomEngine) -> None:
    class Gone(io.BytesIO):
        def seek(self, *_: int) -> int:
            raise OSError("gone")

    data = word_document()
    answer = engine.answer("x", len(data), data[:40], data[data.index(b"PK\1\2") :], Gone(data))
    assert answer.trouble == "ZIP: gone"
    assert answer.container == ()


def test_members_that_nobody_can_unpack_are_no_answer(engine: PronomEngine) -> None:
    data = bytearray(word_document())
    for record in re.finditer(b"PK\1\2", bytes(data)):
        data[record.start() + 10] = 97
    assert _inside(engine, bytes(data)).container == ()


def test_by_name_looks_at_no_byte(engine: PronomEngine) -> None:
    answer = engine.by_name("x.csv")
    assert answer.signature == ()
    assert [candidate.puid for candidate in answer.extension] == ["x-fmt/18"]


def test_an_answer_comes_back_as_it_went() -> None:
    answer = Answer((Candidate("fmt/1", "Tên", "1", "a/b", ("x", "y")),), (), (), "utf-8", "lỗi")
    assert Answer.of_fields(json.loads(json.dumps(answer.fields()))) == answer
