"""Text: its encoding told honestly, Vietnamese of before Unicode read as Unicode, what is no text refused."""

from __future__ import annotations

import io
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.outcomes import Validity
from preservation.formats.port import TEXT_LIMIT, Specimen
from preservation.formats.task import look
from preservation.formats.text_encoding import decode_legacy, in_unicode, is_syllable, legacy_encoding, legacy_names
from tests.builders.contents import KIEU, cp1258, tcvn3, vni
from tests.preservation.looking import FORMATS, codes, looked

VALID, NOTES, INVALID = Validity.VALID, Validity.VALID_WITH_NOTES, Validity.INVALID
OFFICIAL = """CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc
Số: 12/QĐ-UBND    Đồng Tháp, ngày 05 tháng 3 năm 1998
QUYẾT ĐỊNH
Về việc thành lập Ban chỉ đạo công tác lưu trữ
"""
FRENCH = """L'été s'achève là où l'élève a déjà relevé la tête, à côté de la forêt; né à Dalat? Ça a coûté très cher.
Où est-il né ? Dès le début, le préfet a répété qu'il n'a rien signé : ni arrêté, ni décret, ni procès-verbal.
"""
ENGLISH = "The café’s naïve façade – a cliché, “déjà vu” – cost £5 at 20 °C; its résumé is © 1998. " * 3
GERMAN = "Über die Brücke fährt früh der Händler; er läßt schöne Äpfel für müde Gäste und große Städte übrig. " * 3


def lower(text: str) -> str:
    """As TCVN3 can hold it: the font makes capitals of letters with tones."""
    return "".join(letter.lower() if len(tcvn3(letter)) == 1 and tcvn3(letter) == tcvn3(letter.lower()) else letter
                   for letter in text)  # fmt: skip


SYLLABLES = ["nghiêng", "Quốc", "gì", "giếng", "khuya", "ƯỚC", "tiê\u0301ng", "yêu", "thuở", "khuỷu", "xoèn", "đặc"]
STRANGE = ["très", "été", "cafộ", "stếp", "ho\u0301\u0300c", "cát\u0300", "được1", "Straße", "làt"]
ENCODERS = {"tcvn3": tcvn3, "vni": vni, "cp1258": cp1258}


@pytest.mark.parametrize("name", sorted(ENCODERS))
@pytest.mark.parametrize("text", [KIEU, OFFICIAL], ids=["Kiều", "official"])
def test_old_vietnamese_is_told_and_read(name: str, text: str) -> None:
    data = ENCODERS[name](text)
    assert legacy_encoding(data) == name
    assert decode_legacy(data, name) == (lower(text) if name == "tcvn3" else text)
    found = looked("txt", data)
    assert (found.validity, codes(found), found.facts.encoding) == (NOTES, ["FORMAT-LEGACY-ENCODING"], name)
    assert found.text == decode_legacy(data, name)


def viscii(text: str) -> bytes:
    """By the tables of the C library, which somebody else has made."""
    made = subprocess.run(
        ["iconv", "-f", "UTF-8", "-t", "VISCII"], input=text.encode(), capture_output=True, check=True
    )
    return made.stdout


@pytest.mark.services
@pytest.mark.parametrize("text", [KIEU, OFFICIAL], ids=["Kiều", "official"])
def test_viscii_is_told_and_read(text: str) -> None:
    assert legacy_encoding(viscii(text)) == "viscii"
    assert decode_legacy(viscii(text), "viscii") == text


@pytest.mark.services
@pytest.mark.parametrize(("name", "known"), [("viscii", "VISCII"), ("tcvn3", "TCVN")])
def test_tables_agree_with_those_of_the_c_library(name: str, known: str) -> None:
    for byte in range(0xA1, 0xFF):
        ours = decode_legacy(bytes([byte]), name)
        theirs = subprocess.run(["iconv", "-f", known, "-t", "UTF-8"], input=bytes([byte]), capture_output=True).stdout
        if ours.isalpha():  # the full TCVN has capitals where VN3 has nothing
            assert ours == theirs.decode(), hex(byte)


@pytest.mark.parametrize(
    "data",
    [
        FRENCH.encode("cp1252"),
        ENGLISH.encode("cp1252"),
        GERMAN.encode("cp1252"),
        "Съ болью въ сердцѣ. Это русский текст, и его довольно много, чтобы судить.".replace("ѣ", "е").encode("cp1251"),
        "これは日本語の文章です。十分に長い文章です。".encode("shift_jis"),
        "这是一个中文的句子，足够长。这是一个中文的句子。".encode("gb18030"),
        tcvn3("Độc lập"),  # too few words
        tcvn3("Nguyễn") * 3 + ENGLISH.encode("cp1252"),
        bytes(range(128, 256)) * 20,
        b"plain words",
        b"",
    ],
)
def test_other_text_is_not_taken_for_vietnamese(data: bytes) -> None:
    assert legacy_encoding(data) == ""


@settings(deadline=None)
@given(st.binary(max_size=3000))
def test_random_bytes_are_never_vietnamese_and_never_raise(data: bytes) -> None:
    assert legacy_encoding(data) == ""
    for name in legacy_names():
        assert isinstance(decode_legacy(data, name), str)


@pytest.mark.parametrize("word", SYLLABLES)
def test_syllables(word: str) -> None:
    assert is_syllable(word)


@pytest.mark.parametrize("word", STRANGE)
def test_no_syllables(word: str) -> None:
    assert not is_syllable(word)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"H\303\240 N\341\273\231i", "utf-8"),
        (b"\xef\xbb\xbfxin", "utf-8"),
        (b"only ASCII\r\n", "us-ascii"),
        (KIEU.encode("utf-16"), "utf-16le"),
        (b"\xfe\xff" + KIEU.encode("utf-16-be"), "utf-16be"),
        (KIEU.encode("utf-32"), "utf-32le"),
        (b"a" * (1 << 20) + KIEU.encode(), "utf-8"),
        (b"a" * 200_000 + "ệ".encode() + b"a" * 200_000, "utf-8"),
    ],
    ids=range(8),
)
def test_unicode_is_valid(data: bytes, encoding: str) -> None:
    found = looked("txt", data)
    assert (found.validity, codes(found), found.facts.encoding) == (VALID, [], encoding)
    assert not found.text.startswith("\ufeff")
    assert len(found.text) <= TEXT_LIMIT


def test_text_that_is_told_only_after_its_first_megabyte() -> None:
    data = b"plain ASCII words\n" * 80_000 + tcvn3(KIEU) * 300
    data += b"and plain words again\n" * 10_000
    found = looked("txt", data)
    assert (codes(found), found.facts.encoding) == (["FORMAT-LEGACY-ENCODING"], "tcvn3")


def test_what_cannot_be_told_is_said_to_be_unknown() -> None:
    found = looked("txt", FRENCH.encode("cp1252"))
    assert (found.validity, codes(found)) == (VALID, ["FORMAT-UNKNOWN-ENCODING"])
    assert found.facts.encoding == "unknown-8bit"
    assert "procès-verbal" in found.text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 5000,
        b"text, then a hole" + b"\0" * 300_000 + b"and text",
        KIEU.encode("utf-16") + b"x",
        KIEU.encode() + b"\xe1\xbb",
        KIEU.encode() + b"\xff\xfe broken " + KIEU.encode(),
        "ệ".encode() * 100_000 + b"\xff" + "ệ".encode() * 100_000,
        b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 4,
    ],
    ids=range(8),
)
def test_what_is_no_text_is_invalid(data: bytes) -> None:
    if data:
        found = looked("txt", data)
        assert (found.validity, codes(found)) == (INVALID, ["FORMAT-BROKEN"])
    else:
        assert looked("txt", data).text == ""


def test_a_text_of_which_only_windows_are_at_hand_is_not_checked() -> None:
    big = Specimen("1.txt", 5 << 40, FORMATS["txt"], b"a" * 1000, b"b" * 1000)
    assert codes(look(big, None)) == ["FORMAT-TOO-LARGE"]


def test_words_in_old_fonts_are_read_line_by_line() -> None:
    old = tcvn3(KIEU).decode("cp1252")
    mixed = "Chương một\n" + old
    assert in_unicode(mixed) == ("Chương một\n" + KIEU, "tcvn3")
    assert in_unicode(vni(KIEU).decode("cp1252")) == (KIEU, "vni")
    assert in_unicode(KIEU) == (KIEU, "")
    assert in_unicode(ENGLISH) == (ENGLISH, "")


def test_a_zero_byte_file_of_any_kind_never_breaks_the_look() -> None:
    for kind in FORMATS:
        assert look(Specimen("1", 0, FORMATS[kind], b"", b""), io.BytesIO()).validity in Validity
