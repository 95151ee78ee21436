"""PREMIS written, read back equal, judged by the official schema."""

from __future__ import annotations

import io
import tracemalloc
import uuid
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.characteristics import Facts
from metadata.events import Agent, Event, EventType
from metadata.findings import Findings
from metadata.holdings import UNIDENTIFIED, Format
from metadata.identifiers import AgencyCode, AipId, ObjId, Puid, StoreId, VersionId
from metadata.outcomes import Validity
from metadata.premis import Category, PremisObject, PremisRefused, PremisSignature, iter_premis, write_premis
from tests.builders.shared_data import official_errors

VERSION = VersionId(AipId.of(AgencyCode("H20.05"), ObjId("uuid-X")), 1)
PDF = Format(Puid("fmt/477"), "Acrobat PDF/A", "2b", "application/pdf", "signature", "extension mismatch")
FILE = PremisObject("File", "rep1/data/a.pdf", Category.FILE, "Công văn <1>.pdf", 5, b"\1" * 32, b"\2" * 64, PDF)
AGENT = Agent("tangthu", "Tàng Thư 0.1.0")
SIGNATURE = PremisSignature(
    "base64",
    "CN=Nguyễn <Văn> A, O=Sở Nội vụ",
    "sha256_rsa",
    "QUJD",
    "ETSI EN 319 102-1",
    (("name", "Signature1"), ("reason", "a=b\x02"), ("outcome", "VALID"), ("empty", "")),
)
EVENT = Event(
    Event.derive(VERSION, "x"),
    VERSION,
    EventType.INFORMATION_PACKAGE_CREATION,
    datetime(2026, 7, 1, 2, 3, 4, 123456, tzinfo=UTC),
    "SIP_hoso to AIP_hoso",
    "success",
    "",
    AGENT,
)
EVENTS = [
    EVENT,
    replace(EVENT, id=uuid.UUID(int=1), type=EventType.FIXITY_CHECK, store=StoreId("a"), note="tệp a.pdf\nhỏng \x01"),
    replace(EVENT, id=uuid.UUID(int=2), at=datetime(2026, 1, 1, tzinfo=UTC), agent=Agent("fido", "FIDO")),
    replace(
        EVENT,
        id=uuid.UUID(int=3),
        store=StoreId("a"),
        links=(("File", f"{VERSION}/data/Công văn <1>.pdf"), ("member", "data/\x02"), ("member", "data/b")),
    ),
]


def written(objects=(FILE,), events=(), agents=()) -> bytes:
    out = io.BytesIO()
    write_premis(out, objects, events, agents)
    return out.getvalue()


def read(data: bytes) -> list:
    return list(iter_premis(io.BytesIO(data)))


@pytest.mark.parametrize(
    "item",
    [
        FILE,
        replace(FILE, format=None),
        replace(FILE, format=UNIDENTIFIED),
        replace(FILE, format=Format(None, "", "", "", "none")),
        replace(FILE, format=Format(None, "Plain text", "", "text/plain", "extension")),
        replace(FILE, size=0, sha512=b"", original_name=""),
        replace(FILE, size=None, sha256=b"", sha512=b""),
        replace(FILE, original_name="a\x01\x0b\ufffe\r\n\t .pdf "),
        replace(FILE, original_name="\udcff\udc80.pdf", identifier="rep1/data/\udcff\udc80.pdf"),
        replace(FILE, original_name="data:,already"),
        *(replace(FILE, validity=validity) for validity in Validity),
        replace(FILE, format=None, validity=Validity.NOT_CHECKED),
        replace(FILE, facts=Facts(pages=0, width=1, encrypted=False, fonts_embedded=True, claim="PDF/A-2b")),
        replace(FILE, facts=Facts(encrypted=True, application="Microsoft® Word & \x01", encoding="tcvn3")),
        replace(FILE, facts=Facts(application="data:,x", colour="<RGB>", fonts_embedded=False), size=None),
        replace(FILE, signatures=(SIGNATURE, PremisSignature("base64", "", "", "", ""))),
        PremisObject("AIP", str(VERSION), Category.INTELLECTUAL_ENTITY, "Hồ sơ & <sổ>"),
        PremisObject("Representation", "rep1", Category.REPRESENTATION),
    ],
)
def test_an_object_comes_back_equal_and_is_valid(item: PremisObject) -> None:
    data = written([item])
    assert official_errors(data, "premis-v3-0.xsd") == []
    assert read(data) == [item]


def test_events_and_agents_come_back_equal_and_are_valid() -> None:
    data = written([FILE], EVENTS, [Agent("extra", "Người\x02 lưu trữ")])
    assert official_errors(data, "premis-v3-0.xsd") == []
    agents = [AGENT, Agent("fido", "FIDO"), Agent("extra", "Người\x02 lưu trữ")]
    assert read(data) == [FILE, *agents, *EVENTS]
    assert b"<eventDateTime>2026-07-01T09:03:04.123456+07:00<" in data
    assert b"<eventType>information package creation<" in data


@pytest.mark.parametrize("kind", list(EventType))
def test_every_type_of_event_comes_back(kind: EventType) -> None:
    event = replace(EVENT, type=kind)
    assert read(written([FILE], [event]))[-1] == event


texts = st.text(st.characters(codec="utf-8"), max_size=30)
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001


@settings(max_examples=50)
@given(texts, texts, texts, moments)
def test_any_event_comes_back(detail: str, outcome: str, note: str, at: datetime) -> None:
    event = replace(EVENT, detail=detail, outcome=outcome, note=note, at=at.replace(tzinfo=UTC))
    assert read(written([FILE], [event])) == [FILE, AGENT, event]


@settings(max_examples=50)
@given(texts, texts, texts, texts)
def test_any_format_comes_back(name: str, version: str, mime: str, warning: str) -> None:
    item = replace(FILE, format=Format(None, name, version, mime, "signature", warning))
    assert read(written([item])) == [item]


numbers = st.none() | st.integers(0, 10**15)
words = st.text(st.characters(codec="utf-8"), max_size=30)
answers = st.none() | st.booleans()
kinds = {"int | None": numbers, "str": words, "bool | None": answers}
any_facts = st.builds(
    Facts,
    **{
        one.name: {"int": numbers, "str": words, "bool": answers}[str(one.type).removesuffix(" | None")]
        for one in fields(Facts)
    },
)


@settings(max_examples=50)
@given(any_facts)
def test_any_facts_come_back_and_are_valid(facts: Facts) -> None:
    item = replace(FILE, facts=facts)
    data = written([item])
    assert read(data) == [item]
    assert official_errors(data, "premis-v3-0.xsd") == []
    assert Facts.of_texts(facts.texts()) == Facts.of_fields(facts.fields()) == facts


def test_what_premis_has_units_for_stands_there() -> None:
    data = written([replace(FILE, facts=Facts(pages=3, encrypted=True, application="Word"))]).decode()
    assert "<significantPropertiesType>pages</significantPropertiesType>" in data
    assert "<inhibitorType>password protection</inhibitorType>" in data
    assert "<creatingApplicationName>Word</creatingApplicationName>" in data
    assert "encrypted" not in data


def test_two_agents_of_one_identifier_are_refused_when_writing() -> None:
    with pytest.raises(ValueError, match="two agents"):
        written([FILE], [EVENT, replace(EVENT, agent=Agent("tangthu", "another"))])


def test_the_same_input_gives_the_same_bytes() -> None:
    assert written([FILE], EVENTS) == written([FILE], EVENTS)


def test_memory_does_not_grow_with_the_objects() -> None:
    def peak(count: int) -> int:
        class Sink(io.RawIOBase):
            def write(self, data) -> int:
                return len(data)

        tracemalloc.start()
        write_premis(Sink(), (replace(FILE, identifier=str(n)) for n in range(count)))
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(10)  # what is made once
    assert peak(8_000) < peak(2_000) + 100_000


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<premis ", "<mets ", "XML-NOT-WELL-FORMED"),
        ("premis/v3", "premis/v2", "PREMIS-ROOT"),
        ('xsi:type="file"', 'xsi:type="bitstream"', "PREMIS-VALUE"),
        ("<size>5<", "<size>-5<", "PREMIS-VALUE"),
        ("01" * 32, "01" * 31, "PREMIS-VALUE"),
        ("01" * 32, "0z" * 32, "PREMIS-VALUE"),
        (">SHA-256<", ">CRC<", "PREMIS-VALUE"),
        ("fmt/477", "nonsense", "PREMIS-VALUE"),
        ("basis=signature", "guess", "PREMIS-VALUE"),
        ("objectIdentifier>", "objectIdentity>", "PREMIS-VALUE"),
        ("<eventType>information", "<eventType>disinformation", "PREMIS-VALUE"),
        ("2026-07-01T", "yesterday", "PREMIS-VALUE"),
        ("-v1<", "-vX<", "PREMIS-VALUE"),
        ("<agentIdentifierValue>tangthu", "<agentIdentifierValue>other", "PREMIS-VALUE"),
        ("<eventIdentifierValue>", "<eventIdentifierValue>z", "PREMIS-VALUE"),
        ("<eventOutcome>", "<!DOCTYPE x>", "XML-NOT-WELL-FORMED"),
        ("validity=VALID", "validity=PERHAPS", "PREMIS-VALUE"),
        ("password protection", "a curse", "PREMIS-VALUE"),
        ("Type>pages<", "Type>weight<", "PREMIS-VALUE"),
        ("Value>12<", "Value>twelve<", "PREMIS-VALUE"),
        ("Value>true<", "Value>maybe<", "PREMIS-VALUE"),
    ],
)
def test_what_is_refused(old: str, new: str, code: str) -> None:
    facts = Facts(pages=12, fonts_embedded=True, encrypted=True)
    text = written([replace(FILE, validity=Validity.VALID, facts=facts)], [EVENT]).decode()
    assert old in text
    with pytest.raises(Exception, match=r".") as caught:
        read(text.replace(old, new).encode())
    assert getattr(caught.value, "code", None) == code
    findings = Findings()
    caught.value.note(findings)
    assert findings.refused


@pytest.mark.parametrize("data", [b"<object xmlns='http://www.loc.gov/premis/v3'/>", b"<other/>"])
def test_a_document_of_another_root_is_refused(data: bytes) -> None:
    with pytest.raises(PremisRefused) as caught:
        read(data)
    assert caught.value.code == "PREMIS-ROOT"


def test_too_many_events_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metadata.premis.reader._EVENT_LIMIT", 2)
    assert len(read(written([FILE], EVENTS[:2]))) == 4
    with pytest.raises(PremisRefused) as caught:
        read(written([FILE], EVENTS))
    assert caught.value.code == "PREMIS-TOO-MANY-EVENTS"
