"""One format out of many, the same each time, and a warning when there was a choice."""

from __future__ import annotations

import pytest

from metadata.text import Sentence
from preservation.identification.answer import Answer, Candidate
from preservation.identification.choice import choose, unanswered
from tests.builders.samples import sample


def _candidate(puid: str, *extensions: str, mime: str = "a/b") -> Candidate:
    return Candidate(puid, f"name of {puid}", "1", mime, extensions)


_TWO = (_candidate("fmt/62", "xls"), _candidate("fmt/61", "xls"))


@pytest.mark.parametrize(
    ("answer", "puid", "basis", "warned"),
    [
        (Answer(signature=(_candidate("fmt/18", "xls"),)), "fmt/18", "signature", ""),
        (Answer(signature=_TWO), "fmt/62", "signature", "cũng khớp với fmt/61"),
        (Answer(signature=_TWO[::-1]), "fmt/61", "signature", "cũng khớp với fmt/62"),
        (Answer(signature=(_candidate("x-fmt/9", "xls"), _candidate("fmt/10", "q"))), "x-fmt/9", "signature", "fmt/10"),
        (Answer(signature=(_candidate("fmt/18", "pdf"),)), "fmt/18", "signature", "phần mở rộng .xls không phải"),
        (Answer(signature=_TWO[:1], container=_TWO), "fmt/62", "container", ""),
        (Answer(signature=(_candidate("fmt/111"),), container=_TWO), "fmt/62", "container", "fmt/61"),
        (Answer(extension=_TWO[:1]), "fmt/62", "extension", "không khớp chữ ký"),
        (Answer(extension=_TWO), "None", "extension", "nhiều định dạng (fmt/62, fmt/61)"),
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


_EXTENSION = {
    "txt": (_candidate("fmt/7", "txt"), Candidate("x-fmt/111", "Plain Text File", "", "text/plain", ("txt",), False)),
    "csv": (_candidate("fmt/7", "csv"), Candidate("x-fmt/18", "CSV", "", "text/csv", ("csv",), False)),
    "ini": (Candidate("x-fmt/421", "INI", "", "", ("ini",), False), _candidate("fmt/7", "ini")),
    "asc": tuple(Candidate(puid, puid, "", "text/plain", ("asc",), False) for puid in ("x-fmt/22", "x-fmt/283")),
    "pdf": (_candidate("fmt/18", "pdf"),),
    "": (),
}


@pytest.mark.parametrize(
    ("extension", "encoding", "told", "warned"),
    [
        ("txt", "utf-8", ("x-fmt/111", "text", "text/plain; charset=utf-8"), ""),
        ("", "us-ascii", ("x-fmt/111", "text", "text/plain; charset=us-ascii"), ""),
        ("txt", "utf-16le", ("x-fmt/111", "text", "text/plain; charset=utf-16le"), "bảng mã utf-16le"),
        ("csv", "utf-8", ("x-fmt/18", "extension", "text/csv; charset=utf-8"), ""),
        ("ini", "utf-8", ("x-fmt/421", "extension", "application/octet-stream"), ""),
        ("asc", "utf-8", ("x-fmt/111", "text", "text/plain; charset=utf-8"), "nhiều định dạng (x-fmt/22, x-fmt/283)"),
        ("pdf", "utf-8", ("x-fmt/111", "text", "text/plain; charset=utf-8"), "nội dung là văn bản"),
    ],
)
def test_text(extension: str, encoding: str, told: tuple[str, str, str], warned: str) -> None:
    found = choose(sample(f"a.{extension}", b"x"), Answer(extension=_EXTENSION[extension], encoding=encoding))
    assert (str(found.puid), found.basis, found.mime) == told
    assert warned in found.warning
    assert bool(found.warning) == bool(warned)


@pytest.mark.parametrize(
    ("data", "puid", "warned"), [(b"", "x-fmt/111", "tệp rỗng"), (b"a\0b", "None", "không khớp chữ ký")]
)
def test_what_is_called_text_and_is_none(data: bytes, puid: str, warned: str) -> None:
    found = choose(sample("a.txt", data), Answer(extension=_EXTENSION["txt"]))
    assert (str(found.puid), found.basis) == (puid, "extension")
    assert warned in found.warning


def test_what_tells_more_than_the_container_is_chosen() -> None:
    found = choose(sample("a.xml", b"x"), Answer((_candidate("fmt/101", "xml"), _candidate("fmt/2040", "gml"))))
    assert str(found.puid) == "fmt/2040"


def test_unanswered_says_why() -> None:
    found = unanswered(sample("a.xls", b"x"), Answer(extension=_TWO[:1]), Sentence("vì sao", "why"))
    assert (str(found.puid), found.warning) == ("fmt/62", "vì sao / why")
