"""Safe reading of XML, and the escapes of writing it."""

from __future__ import annotations

import io
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from metadata.findings import Findings
from metadata.xml import (
    Closed,
    Element,
    Opened,
    XmlLimits,
    XmlRefused,
    escape_attribute,
    escape_text,
    exact_text,
    iter_elements,
    legal,
    read_exact,
)


def events(data: bytes, whole=None, opened=(), **limits: int):
    return list(iter_elements(io.BytesIO(data), whole, opened, place="x.xml", limits=XmlLimits(**limits)))


def shown(event) -> object:
    if isinstance(event, Element):
        return (event.name, event.attributes, event.text, [shown(child) for child in event.children])
    return event


def test_elements_come_whole_in_document_order_with_what_is_open_around_them() -> None:
    data = b"<r a='1'><g u='A'><f>x<k>1</k>y</f><skip><f>2</f></skip></g><g/></r>"
    assert [shown(event) for event in events(data, {"f"}, {"g"})] == [
        Opened("r", {"a": "1"}),
        Opened("g", {"u": "A"}),
        ("f", {}, "xy", [("k", {}, "1", [])]),
        ("f", {}, "2", []),
        Closed("g"),
        Opened("g", {}),
        Closed("g"),
        Closed("r"),
    ]


def test_an_element_inside_a_wanted_one_of_the_same_name_belongs_to_it() -> None:
    (_, outer, _) = events(b"<r><f><f>in</f></f></r>", {"f"})
    assert shown(outer) == ("f", {}, "", [("f", {}, "in", [])])
    assert outer.find("f").text == "in"
    assert outer.find("g") is None
    assert outer.find_text("f", "g") == ""


def test_names_carry_their_namespace_and_text_may_come_in_any_form() -> None:
    (_, element, _) = events("<r xmlns='urn:a'><x>Đ<![CDATA[<&>]]>&#7855;&amp;</x></r>".encode(), None)
    assert (element.name, element.local, element.text) == ("urn:a}x", "x", "Đ<&>ắ&")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1258", "iso-8859-1", "us-ascii"])
def test_declared_encodings_are_read(encoding: str) -> None:
    text = "é" if encoding not in ("us-ascii",) else "e"
    data = f"<?xml version='1.0' encoding='{encoding}'?><r><x>{text}</x></r>".encode(encoding)
    assert events(data)[1].text == text


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<!DOCTYPE r><r/>", "XML-DOCTYPE"),
        (b"<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><r>&x;</r>", "XML-DOCTYPE"),
        (b"<!DOCTYPE r SYSTEM 'http://127.0.0.1/x.dtd'><r/>", "XML-DOCTYPE"),
        (b"<!DOCTYPE r [<!ENTITY % p SYSTEM 'http://127.0.0.1/'> %p;]><r/>", "XML-DOCTYPE"),
        (b"<!DOCTYPE r [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><r>&b;</r>", "XML-DOCTYPE"),
        (b"", "XML-NOT-WELL-FORMED"),
        (b"<r>", "XML-NOT-WELL-FORMED"),
        (b"<r></s>", "XML-NOT-WELL-FORMED"),
        (b"<r/><r/>", "XML-NOT-WELL-FORMED"),
        (b"<r>&undefined;</r>", "XML-NOT-WELL-FORMED"),
        (b"<r>\x00</r>", "XML-NOT-WELL-FORMED"),
        (b"<r>&#1;</r>", "XML-NOT-WELL-FORMED"),
        (b"<p:r/>", "XML-NOT-WELL-FORMED"),
        (b"<r a='1' a='2'/>", "XML-NOT-WELL-FORMED"),
        (b"not xml at all", "XML-NOT-WELL-FORMED"),
        (b"<r>\xff</r>", "XML-ENCODING"),
        (b"<r>\xe1\xba", "XML-ENCODING"),
        (b"<?xml version='1.0' encoding='rot13'?><r/>", "XML-ENCODING"),
        (b"<?xml version='1.0' encoding='no-such'?><r/>", "XML-ENCODING"),
        (b"<?xml version='1.0' encoding='utf-7'?><r/>", "XML-ENCODING"),
        (b"<?xml version='1.0' encoding='utf-16'?><r/>", "XML-ENCODING"),
    ],
)
def test_what_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(XmlRefused) as caught:
        events(data)
    assert caught.value.code == code
    findings = Findings()
    caught.value.note(findings)
    assert findings.counts == {code: 1}
    assert "x.xml" in caught.value.sentence.vi


@pytest.mark.parametrize(
    ("data", "limits", "code"),
    [
        (b"<r>" * 200_000, {}, "XML-TOO-DEEP"),
        (b"<r><f>" + b"<x>" * 5 + b"</x>" * 5 + b"</f></r>", {"depth": 6}, "XML-TOO-DEEP"),
        (b"<r " + b" ".join(b"a%d='1'" % n for n in range(201)) + b"/>", {}, "XML-TOO-LARGE"),
        (
            b"<r><f><x " + b" ".join(b"a%d='1'" % n for n in range(5)) + b"/></f></r>",
            {"attributes": 4},
            "XML-TOO-LARGE",
        ),
        (b"<r><f>" + b"t" * 300_000 + b"</f></r>", {"text": 100_000}, "XML-TOO-LARGE"),
        (b"<r><f>" + b"<x/>" * 20 + b"</f></r>", {"nodes": 19}, "XML-TOO-LARGE"),
        (b"<r><!--" + b"-x" * 300_000 + b"--></r>", {"token": 100_000}, "XML-TOO-LARGE"),
        (b"<r a='" + b"v" * 600_000 + b"'/>", {"token": 100_000}, "XML-TOO-LARGE"),
        (b"<r>" + b" " * 300_000 + b"</r>", {"total": 200_000}, "XML-TOO-LARGE"),
    ],
)
def test_limits(data: bytes, limits: dict[str, int], code: str) -> None:
    with pytest.raises(XmlRefused) as caught:
        events(data, {"f"}, **limits)
    assert caught.value.code == code


@pytest.mark.parametrize(("data", "limits"), [
    (b"<r><f>" + b"<x>" * 5 + b"</x>" * 5 + b"</f></r>", {"depth": 7}),
    (b"<r a='1' b='2'/>", {"attributes": 2}),
    (b"<r><f>" + b"<x/>" * 20 + b"</f></r>", {"nodes": 20}),
    (b"<r>" + b" " * 100 + b"</r>", {"total": 107}),
])  # fmt: skip
def test_what_is_just_within_a_limit_is_read(data: bytes, limits: dict[str, int]) -> None:
    assert events(data, {"f"}, **limits)[-1] == Closed("r")


class Endless:
    """``<r>`` and then ``count`` records, made while they are read."""

    def __init__(self, record: bytes, count: int) -> None:
        self._parts = iter([b"<r>", *([record * 100] * (count // 100)), b"</r>"])

    def read(self, size: int) -> bytes:
        return next(self._parts, b"")


def test_a_long_text_is_whole_and_takes_time_in_proportion() -> None:
    """Files in base64 stand in one element; each line of them comes by itself."""
    lines = "".join(f"{number:075}\n" for number in range(500_000))
    (_, found, *_) = iter_elements(
        io.BytesIO(f"<a><b>{lines}<c>x</c>y<d/>z</b></a>".encode()), None, limits=XmlLimits(text=1 << 28)
    )
    before = time.process_time()
    (_, long, *_) = iter_elements(
        io.BytesIO(f"<a><b>{lines * 2}</b></a>".encode()), None, limits=XmlLimits(text=1 << 28)
    )
    assert time.process_time() - before < 15
    assert found.text == f"{lines}yz"
    assert [child.text for child in found.children] == ["x", ""]
    assert long.text == lines * 2


def test_memory_does_not_grow_with_the_document() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        found = sum(
            isinstance(event, Element) for event in iter_elements(Endless(b"<f a='1'><g>x</g></f>", count), {"f"})
        )
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found == count
        return top

    assert peak(20_000) < peak(1_000) + 100_000


@given(st.text(alphabet=st.characters(codec=None), max_size=40))
def test_exact_text_comes_back_whatever_it_is(text: str) -> None:
    try:
        written = exact_text(text)
    except UnicodeEncodeError:  # a lone surrogate that no byte makes: no file name has it
        assert any(0xD800 <= ord(c) <= 0xDFFF and not 0xDC80 <= ord(c) <= 0xDCFF for c in text)
        return
    parsed = etree.fromstring(f'<a b="{escape_attribute(written)}">{escape_text(written)}</a>'.encode())
    assert read_exact(parsed.text or "") == text
    assert read_exact(parsed.get("b")) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Công văn 01.pdf", "Công văn 01.pdf"),
        ("100%25.pdf", "100%25.pdf"),
        ("a\x01b", "data:,a%01b"),
        ("data:,x", "data:,data%3A%2Cx"),
        ("\udcff.txt", "data:,%FF.txt"),
    ],
)
def test_exact_text_is_plain_unless_xml_cannot_hold_it(text: str, written: str) -> None:
    assert exact_text(text) == written
    assert read_exact(written) == text


def test_labels_show_what_xml_cannot_hold() -> None:
    assert legal("a\x01\ufffeb") == "a\\u0001\\ufffeb"
    assert escape_text("<a&b>\r\x02") == "&lt;a&amp;b&gt;&#13;\\u0002"
    assert escape_attribute('"\n\t') == "&quot;&#10;&#9;"
