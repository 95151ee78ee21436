"""One format out of many, the same each time, and a warning when there was a choice."""

from __future__ import annotations

import pytest

from metadata.text import Sentence
from preservation.identification.answer import Answer, Candidate
from preservation.identification.choice import choose, is_text, unanswered
from preservation.identification.port import WINDOW, Sample
from tests.builders.samples import sample


def _candidate(puid: str, *extensions: str, mime: str = "a/b") -> Candidate:
    return Candidate(puid, f"name of {puid}", "1", mime, extensions)


_TWO = (_candidate("fmt/62", "xls"), _candidate("fmt/61", "xls"))


@pytest.mark.parametrize(
    ("answer", "puid", "basis", "warned"),
    [
        (Answer(signature=(_candidate("fmt/18", "xls"),)), "fmt/18", "signature", ""),
        (Answer(signature=_TWO), "fmt/61", "signature", "cũng khớp với fmt/62"),
        (Answer(signature=_TWO[::-1]), "fmt/61", "signature", "cũng khớp với fmt/62"),
        (Answer(signature=(_candidate("x-fmt/9", "xls"), _candidate("fmt/10", "q"))), "x-fmt/9", "signature", "fmt/10"),
        (Answer(signature=(_candidate("fmt/18", "pdf"),)), "fmt/18", "signature", "phần mở rộng .xls không phải"),
        (Answer(signature=_TWO[:1], container=_TWO), "fmt/62", "container", ""),
        (Answer(signature=(_candidate("fmt/111"),), container=_TWO), "fmt/61", "container", "fmt/62"),
        (Answer(extension=_TWO[:1]), "fmt/62", "extension", "không khớp chữ ký"),
        (Answer(extension=_TWO), "None", "extension", "nhiều định dạng (fmt/61, fmt/62)"),
        (Answer(signature=(_candidate("fido-fmt/python"),)), "None", "none", "không khớp chữ ký"),
        (Answer(), "None", "none", "không khớp chữ ký"),
        (Answer(signature=_TWO[:1], trouble="ZIP: OSError"), "fmt/62", "signature", "ZIP: OSError"),
    ],
)
def test_the_choice(answer: Answer, puid: str, basis: str, warned: str) -> None:
    found = choose(sample("a.xls", b"\x01"), answer)
    assert (str(found.puid), found.basis) == (puid, basis)
    assert warned in found.warning
    assert bool(found.warning) == bool(warned)


@pytest.mark.parametrize(("mimes", "mime"), [("aa", "a"), ("ab", "application/octet-stream")])
def test_formats_that_share_an_extension_share_at_most_their_mime_type(mimes: str, mime: str) -> None:
    candidates = tuple(_candidate(f"fmt/{at}", "xls", mime=m) for at, m in enumerate(mimes))
    found = choose(sample("a.xls", b"\x01"), Answer(extension=candidates))
    assert (found.puid, found.mime) == (None, mime)


def test_many_others_are_not_all_listed() -> None:
    found = choose(sample("a", b"\x01"), Answer(signature=tuple(_candidate(f"fmt/{at}") for at in range(1, 9))))
    assert "fmt/6…" in found.warning
    assert "fmt/7" not in found.warning


@pytest.mark.parametrize(
    ("data", "warned"),
    [("Điều 1".encode(), ""), (b"\xff\xfe", "không khớp chữ ký"), (b"a\0b", "không khớp chữ ký"), (b"", "tệp rỗng")],
)
def test_text_by_extension(data: bytes, warned: str) -> None:
    text = _candidate("x-fmt/111", "txt", mime="text/plain")
    found = choose(sample("a.txt", data), Answer(extension=(_candidate("fmt/7", "txt"), text)))
    assert (str(found.puid), found.basis) == ("x-fmt/111", "extension")
    assert warned in found.warning
    assert bool(found.warning) == bool(warned)


def test_unanswered_says_why() -> None:
    found = unanswered(sample("a.xls", b"x"), Answer(extension=_TWO[:1]), Sentence("vì sao", "why"))
    assert (str(found.puid), found.warning) == ("fmt/62", "vì sao / why")


@pytest.mark.parametrize("shift", range(4))
def test_windows_may_cut_a_character(shift: int) -> None:
    data = b"x" * shift + "𠀋".encode() * WINDOW
    assert is_text(Sample("a.txt", len(data), data[:WINDOW], data[-WINDOW:]))
    assert is_text(Sample("a.txt", len(data), data[:WINDOW], data[len(data) - WINDOW + shift :]))


def test_continuation_bytes_are_no_text() -> None:
    assert not is_text(Sample("a.txt", WINDOW * 2, b"a" * WINDOW, b"\x80" * 9))
