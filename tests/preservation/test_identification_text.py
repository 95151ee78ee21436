"""What is text and how it is encoded is told from the bytes alone, also when windows cut characters."""

from __future__ import annotations

import pytest

from preservation.identification.port import WINDOW
from preservation.identification.text import encoding_of
from tests.builders.contents import KIEU, cp1258, tcvn3, vni

_WORDS = "Căn cứ Luật Lưu trữ số 33/2024/QH15; Điều 24.\n"


def _told(data: bytes) -> str:
    return encoding_of(data[:WINDOW], data[-WINDOW:], len(data))


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"q" * 300_000, "us-ascii"),
        (b"So 12\r\n\t\f\x1b[1m\x08\x07", "us-ascii"),
        (b"end mark of DOS\x1a", "us-ascii"),
        (_WORDS.encode(), "utf-8"),
        (_WORDS.encode("utf-8-sig"), "utf-8"),
        (_WORDS.encode("utf-16"), "utf-16le"),
        (_WORDS.encode("utf-16-le"), "utf-16le"),
        (_WORDS.encode("utf-16-be"), "utf-16be"),
        (b"\xfe\xff" + _WORDS.encode("utf-16-be"), "utf-16be"),
        (_WORDS.encode("utf-32"), "utf-32le"),
        (b"\0\0\xfe\xff" + _WORDS.encode("utf-32-be"), "utf-32be"),
        (tcvn3(KIEU), "x-tcvn3"),
        (vni(KIEU), "x-vni"),
        (cp1258(KIEU), "windows-1258"),
        ("Procès-verbal de la réunion, à Hà Nội".encode("latin-1", "ignore"), "unknown-8bit"),
        (b"\xe9\xe8", ""),
        (b"", ""),
        (b"\x1a", ""),
        (b"\0", ""),
        (b"a\0b", ""),
        (bytes(range(256)) * 8, ""),
        (b"a" * WINDOW + b"\1" * 9, ""),
        (b"a" * WINDOW + b"\x80" * 9, "unknown-8bit"),
        (b"\xff\xfe\0\xd8a", ""),
        (b"\xef\xbb\xbf\0", ""),
    ],
)
def test_the_encoding(data: bytes, encoding: str) -> None:
    assert _told(data) == encoding


@pytest.mark.parametrize("shift", range(8))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16le", "utf-16be", "utf-32le"])
def test_windows_may_cut_a_character(encoding: str, shift: int) -> None:
    mark = {"utf-8": b"", "utf-16le": b"\xff\xfe", "utf-16be": b"\xfe\xff", "utf-32le": b"\xff\xfe\0\0"}[encoding]
    assert _told(mark + ("x" * shift + "𠀋ệ" * WINDOW + "ab" * shift).encode(encoding)) == encoding
    data = mark + ("x" * shift + "𠀋" * WINDOW).encode(encoding)
    assert encoding_of(data[:WINDOW], data[shift - WINDOW :], len(data)) == encoding
