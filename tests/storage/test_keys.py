from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.identifiers import ArchiveCode, FondsCode, RecordCode
from storage.keys import log_key, log_prefix, object_key, parse_log_key, parse_object_key
from tests.builders.aips import KEY, VERSION

AIP = str(VERSION.aip)
CODES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=255).filter(
    lambda text: text.splitlines() == [text] == [text.strip()] and "\x7f" not in text
)


def key_of(archive: str = "H49", fonds: str = "01", code: str = "15") -> str:
    return object_key(ArchiveCode(archive), FondsCode(fonds), RecordCode(code), VERSION)


@pytest.mark.parametrize(
    ("code", "segment"),
    [
        ("15", "15"),
        ("15/QĐ-UBND", "15%2FQĐ-UBND"),
        ("Hồ sơ 1", "Hồ%20sơ%201"),
        ("50%", "50%25"),
        ("a~b", "a%7Eb"),
        (".", "%2E"),
        ("..", "%2E%2E"),
        ("...", "..."),
        ("½", "%C2%BD"),
        (unicodedata.normalize("NFD", "ề"), "e%CC%82%CC%80"),
    ],
)
def test_a_segment_stays_legible_and_harmless(code: str, segment: str) -> None:
    assert key_of(code=code) == f"H49/01/{segment}/{AIP}/v1.zip"


def test_a_long_segment_is_cut_between_letters_and_told_apart_by_a_digest() -> None:
    one, other = key_of(code="ề" * 254 + "a").split("/")[2], key_of(code="ề" * 254 + "b").split("/")[2]
    assert one != other
    assert one.startswith("ề" * 61 + "~")
    assert len(one.encode()) <= 200
    percent = key_of(code="½" * 200).split("/")[2].rpartition("~")[0]
    assert percent == "%C2%BD" * (len(percent) // 6)


@given(archive=CODES, fonds=CODES, code=CODES)
def test_every_key_is_read_back(archive: str, fonds: str, code: str) -> None:
    key = key_of(archive, fonds, code)
    assert parse_object_key(key) == VERSION
    assert parse_log_key(log_key(key, 7)) == (key, 7)
    assert parse_object_key(log_key(key, 7)) is None
    assert len(log_key(key, 7).encode()) < 900
    assert key.count("/") == 4


@given(first=CODES, second=CODES)
def test_different_codes_have_different_keys(first: str, second: str) -> None:
    assert (key_of(code=first) == key_of(code=second)) == (first == second)


@pytest.mark.parametrize(
    "key",
    [
        "tangthu-store.json",
        f"H49/01/{AIP}/v1.zip",
        f"H49/01/15/{AIP.upper()}/v1.zip",
        f"H49/01/15/{AIP}/v0.zip",
        f"H49/01/15/{AIP}/v01.zip",
        f"H49/01/15/{AIP}/v1.zip.bak",
        f"H49/01/15/{AIP}/v1.log/000001.json",
        f"x/H49/01/15/{AIP}/v1.zip",
    ],
)
def test_other_keys_are_not_taken_for_objects(key: str) -> None:
    assert parse_object_key(key) is None


@pytest.mark.parametrize("number", ["000000", "0000001", "1", "x00001"])
def test_other_keys_are_not_taken_for_log_objects(number: str) -> None:
    assert parse_log_key(f"{log_prefix(KEY)}{number}.json") is None
    assert parse_log_key(f"elsewhere/{number}.json") is None


def test_log_keys() -> None:
    assert log_key(KEY, 12) == KEY.removesuffix(".zip") + ".log/000012.json"
    assert parse_log_key(log_key(KEY, 1_234_567)) == (KEY, 1_234_567)
    with pytest.raises(ValueError, match="numbered from 1"):
        log_key(KEY, 0)
    with pytest.raises(ValueError, match="not the key"):
        log_key("tangthu-store.json", 1)


@pytest.mark.parametrize(
    "text", ["", " ", " a", "a ", "a\nb", "a\u2028b", "a\x85", "a\x00", "a\x7f", "a\udc80", "a" * 256]
)
def test_codes_that_no_key_and_no_tag_file_can_hold_are_no_codes(text: str) -> None:
    with pytest.raises(ValueError, match="not a valid RecordCode"):
        RecordCode(text)
