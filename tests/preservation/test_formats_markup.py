"""XML, SVG, HTML, mail: well-formed or not, scripts noted, words read; nothing is fetched or expanded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.outcomes import Validity
from preservation.formats.html import read_html
from preservation.formats.port import TEXT_LIMIT
from tests.builders.contents import KIEU, mail, vni
from tests.preservation.looking import codes, looked

VALID, NOTES, INVALID, UNREADABLE = Validity.VALID, Validity.VALID_WITH_NOTES, Validity.INVALID, Validity.UNREADABLE
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
BOMB = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a{{}}>{{}}</a>'


@pytest.mark.parametrize(
    ("kind", "data", "validity", "expected"),
    [
        ("xml", "<a/>", VALID, []),
        ("xml", "<a b='1'>", INVALID, ["FORMAT-BROKEN"]),
        ("xml", "", INVALID, ["FORMAT-BROKEN"]),
        ("xml", "<a>&unknown;</a>", INVALID, ["FORMAT-BROKEN"]),
        ("xml", "<a/><b/>", INVALID, ["FORMAT-BROKEN"]),
        ("xml", "<a>\x01</a>", INVALID, ["FORMAT-BROKEN"]),
        ("xml", "<a>" + "<b>" * 600 + "</b>" * 600 + "</a>", UNREADABLE, ["FORMAT-UNREADABLE"]),
        ("xml", f"<a b='{'x' * (20 << 20)}'/>", UNREADABLE, ["FORMAT-UNREADABLE"]),
        ("xml", '<?xml version="1.0" encoding="no-such"?><a/>', UNREADABLE, ["FORMAT-UNREADABLE"]),
        ("xml", '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a>&outer;</a>', VALID, ["FORMAT-DOCTYPE"]),
        ("xml", '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', VALID, ["FORMAT-DOCTYPE"]),
        # The DTD may declare the prefix, as gdb-target.dtd does.
        ("xml", '<!DOCTYPE a SYSTEM "a.dtd"><a><x:b/></a>', Validity.NOT_CHECKED, ["FORMAT-DOCTYPE"]),
        ("xml", "<!DOCTYPE a [<!ELEMENT a ANY>]><a><x:b/></a>", INVALID, ["FORMAT-BROKEN"]),
        ("xml", "<a><x:b/></a>", INVALID, ["FORMAT-BROKEN"]),
        ("xml", '<?xml version="1.0" encoding="Big5"?><a>香港</a>'.encode("big5"), VALID, []),
        ("xml", '<?xml version="1.0" encoding="EUC-KR"?><a>뷁</a>'.encode("cp949"), VALID, []),
        ("xml", b'<?xml version="1.0" encoding="EUC-JP"?><a>\xff\xff</a>', INVALID, ["FORMAT-BROKEN"]),
        ("xml", BOMB.format("", "&l11;"), VALID, ["FORMAT-DOCTYPE"]),
        ("xml", BOMB.format(' b="&l11;"', ""), UNREADABLE, ["FORMAT-UNREADABLE"]),
        ("svg", SVG.format("<rect/>"), VALID, []),
        ("svg", SVG.format("<script>alert(1)</script>"), VALID, ["FORMAT-SCRIPT"]),
        ("svg", SVG.format('<rect onload="x()"/>'), VALID, ["FORMAT-SCRIPT"]),
        ("svg", SVG.format('<a xlink:href=" java\nscript:x()"/>'), VALID, ["FORMAT-SCRIPT"]),
        ("svg", "<svg><script/></svg>", VALID, ["FORMAT-SCRIPT"]),
        ("xml", "<form><script>no browser runs it</script></form>", VALID, []),
        ("htm", f"<html><body>{KIEU}</body></html>", Validity.NOT_CHECKED, []),
        ("htm", "<p onclick=x()>a", Validity.NOT_CHECKED, ["FORMAT-SCRIPT"]),
        ("htm", "<SCRIPT src=x>", Validity.NOT_CHECKED, ["FORMAT-SCRIPT"]),
        ("htm", "<a href='javascript:x'>a</a>", Validity.NOT_CHECKED, ["FORMAT-SCRIPT"]),
        ("htm", "<p>one = on and on = two", Validity.NOT_CHECKED, []),
        ("eml", mail(attached=None), VALID, []),
        ("eml", mail(), VALID, ["FORMAT-ATTACHMENTS"]),
        ("eml", mail(closed=False), INVALID, ["FORMAT-BROKEN"]),
        ("eml", "hello\n\nworld", INVALID, ["FORMAT-BROKEN"]),
        ("eml", mail(attached=None).replace(b"charset=utf-8", b"charset=u\0f-8"), VALID, []),
        ("mht", mail("<p onload='x()'>", attached=None, kind="html"), VALID, ["FORMAT-SCRIPT"]),
    ],
)
def test_each_by_its_code(kind: str, data: str | bytes, validity: Validity, expected: list[str]) -> None:
    found = looked(kind, data if isinstance(data, bytes) else data.encode())
    assert (found.validity, codes(found)) == (validity, expected), found.remarks
    assert len(found.text) <= TEXT_LIMIT


def test_root_encoding_and_words_of_xml() -> None:
    data = f'<?xml version="1.0" encoding="utf-16"?><h xmlns="urn:x"><b>{KIEU}</b><c>hết</c></h>'.encode("utf-16")
    found = looked("xml", data)
    assert (found.facts.claim, found.facts.encoding) == ("h (urn:x)", "utf-16")
    assert found.text.split() == [*KIEU.split(), "hết"]


def test_words_of_html() -> None:
    page = "<style>p{}</style><title>Tiêu đề</title><!-- <p>no</p> --><p>c&#226;u &amp; chữ<script>var a='<p>'</script>"
    words, script = read_html(page)
    assert words.split() == ["Tiêu", "đề", "câu", "&", "chữ"]
    assert script == "<script>"


def test_old_encodings_of_html() -> None:
    found = looked("htm", b"<html><body>" + vni(KIEU) + b"</body></html>")
    assert (codes(found), found.facts.encoding) == (["FORMAT-LEGACY-ENCODING"], "vni")
    assert "Phong tình có lục" in found.text


def test_words_of_mail() -> None:
    found = looked("eml", mail())
    assert found.text.startswith("Giấy mời\nSở Nội vụ <snv@example.vn>")
    assert "Phong tình có lục" in found.text
    assert found.remarks[0].details == {"count": "1"}


def test_mail_nested_without_end_is_not_read_for_ever() -> None:
    lines = ["From: a@b.vn"]
    for number in range(3000):
        lines += [f'Content-Type: multipart/mixed; boundary="b{number}"', "", f"--b{number}"]
    assert codes(looked("eml", "\r\n".join(lines).encode())) == ["FORMAT-UNREADABLE"]
    assert codes(looked("eml", b"From: a\n\n" + b"\n" * 4_000_000)) == ["FORMAT-UNREADABLE"]


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Type: multipart/mixed" + b";a=b" * 1_000_000 + b"; boundary=b",
        b"Content-Type: text/plain" + b";\r\n a=b" * 1_000_000,
        b"Content-Disposition: attachment" + b';filename="' * 500_000,
        b"Subject: " + b"=?utf-8?q?a?= " * 500_000,
        b"From: " + b"<" * 2_000_000,
    ],
)
def test_headers_of_megabytes_cost_no_more_than_their_beginning(header: bytes) -> None:
    data = b"MIME-Version: 1.0\r\n" + header + b"\r\n\r\n" + KIEU.encode()
    assert looked("eml", data).validity in (VALID, INVALID)


@settings(deadline=None)
@given(st.sampled_from(["xml", "svg", "htm", "eml"]), st.text("<>!-/ =\"'&;a\nscriptonhref:", max_size=300))
def test_soup_never_breaks_the_look(kind: str, soup: str) -> None:
    found = looked(kind, soup.encode())
    assert not [one for one in found.remarks if ".py:" in one.details.get("reason", "")]


@pytest.mark.parametrize("piece", ["<", "<!--", "<a ", "</script", "<script>", "&#", "<a onx=", "<![CDATA["])
def test_html_is_read_in_one_pass(piece: str) -> None:
    """A search that begins anew at each piece would not end within the test's limit."""
    for times in (1, 200_000):
        words, _ = read_html(piece * times)
        assert len(words) <= 2 * len(piece) * times


def test_words_of_several_bytes_are_read() -> None:
    found = looked("xml", '<?xml version="1.0" encoding="GB2312"?><a>\u6863\u6848</a>'.encode("gb2312"))
    assert (found.text, found.facts.encoding) == ("\u6863\u6848", "gb2312")
