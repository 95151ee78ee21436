"""The engine answers as FIDO does, and never fails on what it is shown."""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path

import pytest
from fido import CONFIG_DIR
from fido.fido import Fido
from fido.package import ZipPackage
from hypothesis import given, settings
from hypothesis import strategies as st

from preservation.identification.child import serve
from preservation.identification.engine import EXTENSIONS, SIGNATURES, Engine, _first_byte
from preservation.identification.messages import (
    LARGEST_FRAME,
    LENGTH,
    Answer,
    Candidate,
    Query,
    frame,
    pack_answer,
    pack_query,
    parse_answer,
    read_frame,
    read_query,
)
from tests.builders.samples import PDF_14, PNG, word_document

_BEGINNINGS = [b"%PDF-", b"PK\3\4", b"\xff\xd8\xff", b"GIF89a", b"RIFF", b"<?xml", b"II*\0", b"\0\0", b"{\\rtf1", b""]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.fixture(scope="module")
def stock() -> Fido:
    return Fido(quiet=True, conf_dir=CONFIG_DIR, format_files=[SIGNATURES, EXTENSIONS])


def _stock_answer(stock: Fido, data: bytes) -> list[str]:
    return list(dict.fromkeys(element.findtext("puid") for element, _ in stock.match_formats(data, data)))


def _our_answer(engine: Engine, data: bytes) -> list[str]:
    puids = list(engine._places)
    return [puids[at] for at in engine.match(data, data)]


@pytest.mark.parametrize(
    "data",
    [
        PDF_14,
        PNG,
        word_document(),
        b"GIF89a\1\0\1\0\0\0\0;",
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\2\0\0\1\0\1\0\0\xff\xd9",
        b"{\\rtf1\\ansi hello}",
        b'<?xml version="1.0"?><a/>',
        b"<!DOCTYPE html><html><head></head><body></body></html>",
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + b"\x3e\0\3\0\xfe\xff\x09\0" + bytes(480),
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0",
    ],
)
def test_same_answer_as_fidos_own_loop(engine: Engine, stock: Fido, data: bytes) -> None:
    assert _our_answer(engine, data) == _stock_answer(stock, data) != []


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(_BEGINNINGS), st.binary(min_size=1, max_size=60))
def test_same_answer_as_fidos_own_loop_for_random_bytes(
    engine: Engine, stock: Fido, beginning: bytes, rest: bytes
) -> None:
    data = beginning + rest
    assert _our_answer(engine, data) == _stock_answer(stock, data)


@pytest.mark.parametrize(
    ("regex", "first"),
    [
        (r"(?s)\A\x25PDF", 0x25),
        (r"(?s)\APK", ord("P")),
        (r"(?s)\A\[x", ord("[")),
        (r"(?s)\A.{4}PK", None),
        (r"(?s)\A(?:a|b)", None),
        (r"(?s)\Aa|b", None),
        (r"(?s)\Aa?b", None),
        (r"(?s)\A\x00*b", None),
        (r"(?s)\A\dx", None),
        (r"(?s)PK", None),
        (r"(?s)\A", None),
    ],
)
def test_first_byte_of_an_expression(regex: str, first: int | None) -> None:
    assert _first_byte(regex) == first


def test_office_documents_get_pronoms_name_from_inside(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(data := word_document())
    answer = engine.answer(Query("x", len(data), data, data, str(path)))
    assert [candidate.puid for candidate in answer.container] == ["fmt/412"]


@pytest.mark.parametrize("magic", [b"PK\3\4", bytes.fromhex("d0cf11e0a1b11ae1")])
def test_containers_that_are_broken_are_no_answer(engine: Engine, tmp_path: Path, magic: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(data := magic + struct.pack("<40I", *range(40)) * 8)
    assert engine.answer(Query("x", len(data), data, data, str(path))).container == ()


def test_a_container_that_cannot_be_opened_is_trouble(engine: Engine, tmp_path: Path) -> None:
    data = word_document()
    answer = engine.answer(Query("x", len(data), data, data, str(tmp_path / "missing")))
    assert answer.trouble == "ZIP: FileNotFoundError"
    assert answer.container == ()


def test_members_that_nobody_can_unpack_are_no_answer(engine: Engine, tmp_path: Path) -> None:
    data = bytearray(word_document())
    for record in re.finditer(b"PK\1\2", bytes(data)):
        data[record.start() + 10] = 97
    path = tmp_path / "x"
    path.write_bytes(data)
    assert engine.answer(Query("x", len(data), bytes(data), bytes(data), str(path))).container == ()


def test_a_reader_that_fails_is_trouble(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_bytes(data := word_document())

    def fail(self: ZipPackage) -> list[str]:
        raise EOFError

    monkeypatch.setattr(ZipPackage, "detect_formats", fail)
    assert engine.answer(Query("x", len(data), data, data, str(path))).trouble == "ZIP: EOFError"


def test_a_spooled_file_that_is_no_container_is_not_opened(engine: Engine) -> None:
    answer = engine.answer(Query("x.pdf", len(PDF_14), PDF_14, PDF_14, "/does/not/exist"))
    assert answer.trouble == ""
    assert [candidate.puid for candidate in answer.signature] == ["fmt/18"]


def test_by_name_looks_at_no_byte(engine: Engine) -> None:
    answer = engine.answer(Query("x.csv", len(PDF_14), PDF_14, PDF_14, "", by_name=True))
    assert answer.signature == ()
    assert [candidate.puid for candidate in answer.extension] == ["x-fmt/18"]


def test_serve_answers_until_the_pipe_closes(engine: Engine) -> None:
    queries = io.BytesIO(pack_query(Query("a", 9, PDF_14, PDF_14, "")) + pack_query(Query("b.csv", 0, b"", b"", "")))
    answers, allowed = io.BytesIO(), []
    serve(engine, queries, answers, lambda: allowed.append(1))
    answers.seek(0)
    first, second = (parse_answer(read_frame(answers) or b"") for _ in range(2))
    assert first.signature[0].puid == "fmt/18"
    assert second.extension[0].puid == "x-fmt/18"
    assert len(allowed) == 2


class _Starved(Engine):
    def __init__(self) -> None:
        pass

    def answer(self, query: Query) -> Answer:
        raise MemoryError


def test_serve_survives_a_lack_of_memory() -> None:
    answers = io.BytesIO()
    serve(_Starved(), io.BytesIO(pack_query(Query("a", 1, b"x", b"x", ""))), answers, lambda: None)
    answers.seek(0)
    assert parse_answer(read_frame(answers) or b"") == Answer(trouble="MemoryError")


def test_messages_come_back_as_they_went() -> None:
    query = Query("tên \udcff\n", 3, b"abc", b"abc", "/tệp", by_name=True)
    assert read_query(io.BytesIO(pack_query(query))) == query
    answer = Answer((Candidate("fmt/1", "Tên", "1", "a/b", ("x", "y")),), (), (), "lỗi")
    assert parse_answer(read_frame(io.BytesIO(pack_answer(answer))) or b"") == answer


@pytest.mark.parametrize("data", [b"\0", b"\0\0\0\5abc", LENGTH.pack(LARGEST_FRAME + 1)])
def test_half_a_frame_is_an_error(data: bytes) -> None:
    with pytest.raises(EOFError):
        read_frame(io.BytesIO(data))


def test_a_frame_too_large_is_not_sent() -> None:
    with pytest.raises(ValueError, match="a frame of"):
        frame(bytes(LARGEST_FRAME + 1))
