"""Which files are asked about signatures: told by bytes alone, and never too few."""

from __future__ import annotations

import io

import pytest

from preservation.signed import may_be_signed, signed_aside
from tests.builders.signatures import archival, cades, pdf, sign

RANGE = b"%PDF-1.7\n" + b" " * 3000
CHUNK = 1 << 20


def asked(name: str, data: bytes) -> bool:
    return may_be_signed(name, data[:2048], lambda: io.BytesIO(data))


@pytest.mark.parametrize("made", [sign(pdf()), archival(), sign(pdf(form=True), owner="")])
def test_signed_pdf(made: bytes) -> None:
    assert asked("a", made)


def test_unsigned_pdf() -> None:
    assert not asked("a.pdf", pdf())


@pytest.mark.parametrize("name", [b"/ByteRange", b"/Byte#52ange", b"/#42#79#74#65#52#61#6E#67#65", b"/Byt#65Rang#65"])
@pytest.mark.parametrize("at", [3000, CHUNK - 3, CHUNK - 30, CHUNK, 2 * CHUNK - 1])
def test_a_range_is_found_however_it_is_written_and_wherever(name: bytes, at: int) -> None:
    assert asked("a.pdf", RANGE.ljust(at, b" ") + name + b" [0 1 2 3]")


def test_cms_is_asked_about_by_name_and_by_content() -> None:
    made = cades(b"x", detached=False)
    assert asked("thư", made)
    assert asked("a.p7s", b"") and asked("a.P7M", b"anything")
    assert asked("a", b"\n-----BEGIN PKCS7-----\n")
    assert not asked("a.p7", b"anything")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-16-le"])
def test_xml_signatures(encoding: str) -> None:
    text = '<?xml version="1.0"?><a>' + " " * 5000 + '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/></a>'
    assert asked("a.xml", text.encode(encoding))
    assert not asked("a.xml", text.replace("xmldsig", "xmldsog").encode(encoding))


def test_others_are_not_read() -> None:
    def never() -> None:
        raise AssertionError

    assert not may_be_signed("a.jpg", b"\xff\xd8\xff", never)
    assert not may_be_signed("empty", b"", never)


def test_what_is_not_at_hand_may_be_signed() -> None:
    assert may_be_signed("a.pdf", b"%PDF-1.7", lambda: None)
    assert may_be_signed("a.xml", b"<a>", lambda: None)


def test_what_a_file_signs_by_its_name() -> None:
    assert signed_aside("x/báo cáo.docx.p7s") == "x/báo cáo.docx"
    assert signed_aside("A.P7M") == "A"
    assert signed_aside("a.docx") is None
