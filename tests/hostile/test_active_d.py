"""Files that do something when they are opened, and files of odd sizes (hostile input, D 78 and 80), through the real
workshop: what is active is told of, nothing is run, nothing is too large or too small to get an answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from access.api import CONTENT_HEADERS
from access.content import disposition, media_type
from metadata.holdings import Format, Member, Role
from metadata.outcomes import Validity
from preservation.formats.port import Specimen
from preservation.identification.port import Sample
from tests.builders.contents import compound, mail, mp4, old_word, opendocument, relations, wav, word, zipped
from tests.builders.examining import Checks, checks

FIELD = '<w:p><w:r><w:instrText>DDEAUTO c:\\\\windows\\\\cmd.exe "/k calc"</w:instrText></w:r></w:p>'
MACROS = {"word/vbaProject.bin": b"x" * 500}
TEMPLATE = relations(("attachedTemplate", "http://127.0.0.1:9/a.dotm", True))
PAGE = '<html><head><script src="http://127.0.0.1:9/x.js"></script></head><body>xin chào</body></html>'
SVG = '<?xml version="1.0"?><svg version="1.1" xmlns="http://www.w3.org/2000/svg">{}</svg>'
ENTITY = '<!DOCTYPE svg [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>'
ACTIVE = {
    "1.svg": (SVG.format("<script>fetch('http://127.0.0.1:9/')</script>").encode(), ["FORMAT-SCRIPT"]),
    "2.svg": (SVG.format('<rect onload="alert(1)"/>').encode(), ["FORMAT-SCRIPT"]),
    "3.xml": (f'<?xml version="1.0"?>{ENTITY}<svg>&x;</svg>'.encode(), ["FORMAT-DOCTYPE"]),
    "4.html": (PAGE.encode(), ["FORMAT-SCRIPT"]),
    "5.eml": (mail(PAGE, kind="html", attached=None), ["FORMAT-SCRIPT"]),
    "6.docx": (zipped(word(body=FIELD)), ["FORMAT-DDE"]),
    "7.docx": (zipped(word(**MACROS)), ["FORMAT-MACROS"]),
    "8.docx": (zipped(word(**{"word/_rels/settings.xml.rels": TEMPLATE})), ["FORMAT-EXTERNAL"]),
    "9.odt": (zipped(opendocument(body='<draw:image xlink:href="http://127.0.0.1:9/1.png"/>')), ["FORMAT-EXTERNAL"]),
    "10.doc": (compound(old_word(**{"Macros/VBA/ThisDocument": b"x"})), ["FORMAT-MACROS"]),
    "11.rtf": (rb"{\rtf1\ansi {\field{\*\fldinst DDEAUTO c:\\cmd}}}", ["FORMAT-DDE"]),
}


@pytest.fixture(scope="module")
def every() -> Iterator[Checks]:
    with checks() as made:
        yield made


def looked(every: Checks, name: str, data: bytes) -> tuple[Format, Validity, list[str]]:
    format = every.identifier.identify(Sample(name, len(data), data[:131072], data[-131072:] if data else b""))
    found = every.all(name, data).inspection
    return format, found.validity, [remark.code for remark in found.remarks]


@pytest.mark.parametrize("name", ACTIVE)
def test_what_is_active_is_told_of_and_not_run(name: str, every: Checks) -> None:
    data, expected = ACTIVE[name]
    before = every.workshop.lost
    format, validity, codes = looked(every, name, data)
    assert codes == expected, format
    assert validity in (Validity.VALID, Validity.VALID_WITH_NOTES, Validity.NOT_CHECKED)
    assert every.workshop.lost == before


@pytest.mark.parametrize("name", [*ACTIVE, "1.pdf", "1.jpg", "1.mp4", "1.zip", "1.txt", "1", "1.dwg"])
def test_empty_files_get_an_answer(name: str, every: Checks) -> None:
    before = every.workshop.lost
    _, validity, codes = looked(every, name, b"")
    assert validity in Validity
    assert "FORMAT-CRASHED" not in codes
    assert every.workshop.lost == before


@pytest.mark.parametrize(("name", "data"), [("1.wav", wav()), ("1.mp4", mp4()), ("1.docx", zipped(word()))])
def test_five_terabytes_that_are_declared(name: str, data: bytes, every: Checks) -> None:
    """Of a file that cannot be kept on our disk the windows are looked at, or nothing."""
    format = every.identifier.identify(Sample(name, len(data), data, data))
    found = every.inspector.inspect(Specimen(name, 5 << 40, format, data, b"\0" * 1000), None)
    assert found.validity in (Validity.NOT_CHECKED, Validity.VALID)


def test_a_sparse_file_is_no_text_and_no_document(every: Checks) -> None:
    hole = b"\0" * (8 << 20)
    for name in ("1.txt", "1.docx", "1.xml", "1.zip"):
        _, validity, codes = looked(every, name, hole)
        assert (validity, codes) in ((Validity.INVALID, ["FORMAT-BROKEN"]), (Validity.NOT_CHECKED, []))


RUN_BY_BROWSERS = [
    "text/html",
    "image/svg+xml",
    "application/xhtml+xml",
    "application/xml, text/xml",
    "text/xml",
    "multipart/related",
    "message/rfc822",
    "application/vnd.wap.xhtml+xml",
    "application/vnd.mozilla.xul+xml",
    "text/javascript",
    "application/javascript",
    "image/svg+xml; charset=utf-8",
]


@pytest.mark.parametrize("mime", RUN_BY_BROWSERS)
def test_what_browsers_run_is_given_as_plain_bytes_to_be_saved(mime: str) -> None:
    member = Member(1, "data/1.svg", Role.CONTENT, 0, 0, 1, 0, b"", b"", Format(None, "", "", mime, "signature"))
    assert media_type(member) == "application/octet-stream"
    assert disposition(member.path).startswith("attachment; ")
    assert CONTENT_HEADERS["X-Content-Type-Options"] == "nosniff"
    assert CONTENT_HEADERS["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
