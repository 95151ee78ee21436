"""What checks found comes back from its lines."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.characteristics import Characteristics, Facts
from metadata.examination import LONGEST_LINE, ExaminedFile, FileText, encode, evidence_path, lines, report_path
from metadata.holdings import Format
from metadata.identifiers import Puid
from metadata.outcomes import SignatureOutcome, Validity, Virus

PDF = Format(Puid("fmt/354"), "Acrobat PDF/A", "1b", "application/pdf", "signature")
words = st.text(max_size=30)  # lone surrogates too
found = st.builds(
    Characteristics,
    st.sampled_from(Validity),
    st.sampled_from(Virus),
    words,
    st.none() | st.sampled_from(SignatureOutcome),
    st.integers(0, 10**9),
    st.builds(Facts, pages=st.none() | st.integers(0, 10**9), claim=words, application=words),
)


@settings(max_examples=100)
@given(found, words, st.lists(words, max_size=3))
def test_a_file_comes_back(characteristics: Characteristics, path: str, remarks: list[str]) -> None:
    line = ExaminedFile(7, path, PDF, characteristics, tuple(remarks)).line()
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    again = ExaminedFile.read(line)
    assert (again.number, again.path, again.characteristics) == (7, path, characteristics)
    assert again.remarks == tuple(remarks)
    assert json.loads(line)["format"]["puid"] == "fmt/354"


@settings(max_examples=100)
@given(words, words)
def test_a_text_comes_back(path: str, text: str) -> None:
    line = FileText(3, path, text).line()
    assert line.count(b"\n") == 1
    assert FileText.read(line) == FileText(3, path, text)


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=20).map(lambda data: data.replace(b"\n", b"")), max_size=8), st.integers(1, 9))
def test_lines_are_found_however_they_are_cut(given_lines: list[bytes], size: int) -> None:
    data = b"".join(line + b"\n" for line in given_lines)
    assert list(lines(data[at : at + size] for at in range(0, len(data), size))) == given_lines


def test_the_last_line_needs_no_end_and_none_is_endless() -> None:
    assert list(lines([b"a\nb"])) == [b"a", b"b"]
    with pytest.raises(ValueError, match="more than"):
        list(lines(b"x" * (1 << 20) for _ in range((LONGEST_LINE >> 20) + 1)))
    assert len(FileText(1, "p", "\x01" * (1 << 20)).line()) < LONGEST_LINE


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"1", b"{}", b'{"number":"x","path":1}', b"[" * 100_000, b"\xff"])
def test_what_is_no_such_line(line: bytes) -> None:
    for kind in (ExaminedFile, FileText):
        with pytest.raises(ValueError, match=r"."):
            kind.read(line)


def test_the_same_content_is_the_same_bytes() -> None:
    assert encode({"b": "đ\ud800", "a": 1}) == '{"a":1,"b":"đ\\ud800"}'.encode()
    assert (evidence_path(12), report_path(12)) == (
        "data/examination/signatures/12.json",
        "data/examination/signatures/12.xml",
    )
