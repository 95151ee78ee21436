"""METS written in form A, read back, judged by the official schema."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from lxml import etree

from metadata.findings import Findings
from metadata.identifiers import Algorithm, Digest
from metadata.mets import (
    AIP_PROFILE,
    CSIP_PROFILE,
    MetsAgent,
    MetsAltRecord,
    MetsEntry,
    MetsFile,
    MetsHeader,
    MetsLink,
    MetsPackage,
    MetsPointer,
    MetsReference,
    MetsRefused,
    MetsRepresentation,
    MetsRoot,
    iter_mets,
    local_path,
    path_href,
    write_representation_mets,
    write_root_mets,
)
from metadata.xml import XmlRefused
from tests.builders.shared_data import official_errors

MADE = datetime(2026, 7, 1, 2, 3, 4, tzinfo=UTC)
AGENT = MetsAgent("CREATOR", "OTHER", "Tàng Thư <&>", "SOFTWARE", (("SOFTWARE VERSION", "1"), ("", "ghi chú")))
PACKAGE = MetsPackage(
    objid="urn:P_SNV:uuid-X",
    package="urn:P_SNV:uuid-X",
    scope="root",
    oais_type="AIP",
    profile=AIP_PROFILE,
    label='Hồ sơ "A" & B\x01',
    created=MADE,
    agents=(AGENT,),
    alt_records=(MetsAltRecord("SUBMISSIONAGREEMENT", "01"),),
)
NAMES = [
    "data/Công văn số 1.pdf",
    "data/100%.pdf",
    "data/a#b?c;d&e'f\"g<h>.txt",
    "data/tab\tlf\nctl\x01.bin",
    "data/\udcff\udcfe.bin",
    "data/a:b\\c.txt",
]


def entry(path: str, document: str = "") -> MetsEntry:
    digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest()
    return MetsEntry(path, len(path), "application/pdf", digest, document=document)


def root_mets(package: MetsPackage = PACKAGE, **parts) -> bytes:
    out = io.BytesIO()
    given = {
        "descriptive": [entry("metadata/descriptive/EAD.xml")],
        "preservation": [entry("metadata/preservation/PREMIS.xml")],
        "schemas": [entry("schemas/METS.xsd")],
        "documentation": [entry("documentation/Hướng dẫn.pdf")],
        "representations": [MetsRepresentation("rep1", entry("representations/rep1/METS.xml"))],
    } | parts
    write_root_mets(out, package, **given)
    return out.getvalue()


def representation_mets(names=tuple(NAMES), **parts) -> bytes:
    out = io.BytesIO()
    documents = [entry("metadata/descriptive/EAD_doc_1.xml"), entry("metadata/descriptive/EAD_doc_2.xml")]
    files = [entry(name, documents[n].path if n < 2 else "") for n, name in enumerate(names)]
    package = replace(PACKAGE, objid="rep1", scope="rep1", profile=CSIP_PROFILE, schemas="../../schemas")
    given = {"files": lambda: iter(files), "documents": lambda: iter(documents)} | parts
    write_representation_mets(out, package, **given)
    return out.getvalue()


def read(data: bytes) -> list:
    return list(iter_mets(io.BytesIO(data)))


def test_the_root_is_valid_and_says_what_was_given() -> None:
    data = root_mets()
    assert official_errors(data, "mets-1-12-1.xsd") == []
    items = read(data)
    assert items[:4] == [
        MetsRoot("urn:P_SNV:uuid-X", "Mixed", AIP_PROFILE, 'Hồ sơ "A" & B\\u0001', "MIXED"),
        MetsHeader("2026-07-01T09:03:04.0+07:00", "2026-07-01T09:03:04.0+07:00", "NEW", "AIP"),
        AGENT,
        MetsAltRecord("SUBMISSIONAGREEMENT", "01"),
    ]
    assert AGENT.note("SOFTWARE VERSION") == "1"
    assert AGENT.note("IDENTIFICATIONCODE") == ""
    references = [item for item in items if isinstance(item, MetsReference)]
    assert [(item.section, item.path, item.md_type) for item in references] == [
        ("dmdSec", "metadata/descriptive/EAD.xml", "EAD"),
        ("digiprovMD", "metadata/preservation/PREMIS.xml", "PREMIS"),
    ]
    assert references[0].digest == Digest(Algorithm.SHA256, entry("metadata/descriptive/EAD.xml").sha256)
    assert [(item.use, item.path) for item in items if isinstance(item, MetsFile)] == [
        ("Schemas", "schemas/METS.xsd"),
        ("Documentation", "documentation/Hướng dẫn.pdf"),
        ("Representations/rep1", "representations/rep1/METS.xml"),
    ]
    (pointer,) = [item for item in items if isinstance(item, MetsPointer)]
    assert (pointer.label, pointer.path) == ("Representations/rep1", "representations/rep1/METS.xml")


def test_the_metadata_division_names_its_sections() -> None:
    tree = etree.fromstring(root_mets())
    division = tree.xpath("//*[local-name()='div'][@LABEL='Metadata']")[0]
    assert division.get("DMDID") == tree.xpath("string(//*[local-name()='dmdSec']/@ID)")
    assert division.get("ADMID") == tree.xpath("string(//*[local-name()='digiprovMD']/@ID)")


def test_a_root_without_optional_parts_is_valid() -> None:
    data = root_mets(descriptive=[], preservation=[], schemas=[], documentation=[])
    assert official_errors(data, "mets-1-12-1.xsd") == []
    assert b"amdSec" not in data


def test_further_groups_are_files_and_divisions() -> None:
    items = read(root_mets(other=[("Submission", [entry("submission/METS.xml")])]))
    assert ("Submission", "submission/METS.xml") in [(i.use, i.path) for i in items if isinstance(i, MetsFile)]


def test_a_representation_keeps_any_name_exactly_and_links_documents() -> None:
    data = representation_mets(preservation=[entry("metadata/preservation/PREMIS_rep1.xml")])
    assert official_errors(data, "mets-1-12-1.xsd") == []
    items = read(data)
    files = [item for item in items if isinstance(item, MetsFile)]
    assert [item.path for item in files] == NAMES
    assert all(item.href.isascii() and " " not in item.href for item in files)
    assert [item.digest.value for item in files] == [entry(name).sha256 for name in NAMES]
    assert [item.size for item in files] == [len(name) for name in NAMES]
    described = {item.id: item.path for item in items if isinstance(item, MetsReference)}
    links = [(described[link.dmd_ids[0]], link.file_id) for link in items if isinstance(link, MetsLink)]
    assert links == [
        ("metadata/descriptive/EAD_doc_1.xml", files[0].id),
        ("metadata/descriptive/EAD_doc_2.xml", files[1].id),
    ]


def test_a_representation_without_files_is_valid() -> None:
    data = representation_mets(names=(), documents=tuple)
    assert official_errors(data, "mets-1-12-1.xsd") == []


def test_the_same_input_gives_the_same_bytes_and_identifiers_are_unique_over_a_package() -> None:
    assert root_mets() == root_mets()
    both = [etree.fromstring(data) for data in (root_mets(), representation_mets())]
    ids = [value for tree in both for value in tree.xpath("//@ID")]
    assert len(ids) == len(set(ids)) > 20
    assert all(value.startswith(("uuid-", "ID-")) and value == value.replace("a", "A") for value in ids)
    other = etree.fromstring(root_mets(replace(PACKAGE, package="another")))
    assert not set(other.xpath("//@ID")) & set(ids)


def test_memory_does_not_grow_with_the_files() -> None:
    def peak(count: int) -> int:
        class Sink(io.RawIOBase):
            def write(self, data) -> int:
                return len(data)

        tracemalloc.start()
        write_representation_mets(
            Sink(), replace(PACKAGE, scope="rep1"), files=lambda: (entry(f"data/{n}", "d") for n in range(count))
        )
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    assert peak(12_000) < peak(2_000) + 100_000


WRAP = (
    "<mets xmlns='http://www.loc.gov/METS/' xmlns:xlink='http://www.w3.org/1999/xlink'"
    " xmlns:csip='https://DILCIS.eu/XML/METS/CSIPExtensionMETS' OBJID='o'>{}</mets>"
)


def wrapped(inside: str) -> list:
    return read(WRAP.format(inside).encode())[1:]


def test_what_other_writers_do_is_read() -> None:
    items = wrapped(
        "<metsHdr RECORDSTATUS='NEW'><agent ROLE='CREATOR' TYPE='INDIVIDUAL'><name> an </name>"
        "<note csip:NOTETYPE='IDENTIFICATIONCODE'>P_KHCN</note></agent></metsHdr>"
        "<amdSec ID='a'/><dmdSec ID='d'><mdWrap MDTYPE='DC'><xmlData><file xmlns='urn:x'/></xmlData></mdWrap></dmdSec>"
        "<amdSec><digiprovMD ID='p'><mdRef MDTYPE='OTHER' OTHERMDTYPE='X' LOCTYPE='URL' xlink:href='./p.xml'/>"
        "</digiprovMD></amdSec>"
        "<fileSec><fileGrp USE='Data'><fileGrp><file ID='f' SIZE='3' CHECKSUMTYPE='SHA256' CHECKSUM='"
        + "AB"
        * 32
        + "'><FLocat LOCTYPE='URL' xlink:href='data/Công văn.pdf'/><file ID='g'><FLocat xlink:href='data/g'/></file>"
        "</file></fileGrp></fileGrp></fileSec>"
        "<structMap TYPE='logical'><div LABEL='x'><fptr FILEID='f'/><div LABEL='y' DMDID='d e'><fptr FILEID='f'/>"
        "<fptr/></div></div></structMap>"
    )
    assert items == [
        MetsHeader(status="NEW"),
        MetsAgent("CREATOR", "INDIVIDUAL", "an", "", (("IDENTIFICATIONCODE", "P_KHCN"),)),
        MetsReference("digiprovMD", "p", "", "./p.xml", None, "X"),
        MetsFile("f", "Data", "data/Công văn.pdf", 3, "", "SHA256", "AB" * 32),
        MetsFile("g", "Data", "data/g", None),
        MetsLink("y", ("d", "e"), "f"),
    ]
    assert items[2].path == "p.xml"
    assert items[3].digest == Digest(Algorithm.SHA256, b"\xab" * 32)
    assert items[4].digest is None


def test_references_and_pointers_outside_sections_are_read() -> None:
    items = wrapped("<mdRef xlink:href='a'/><mptr xlink:href='b' xlink:title='t'/><fptr FILEID='x'/>")
    assert items == [MetsReference("", "", "", "a", None), MetsPointer("", "b", "t")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<mets/>", "METS-ROOT"),
        (b"<premis xmlns='http://www.loc.gov/premis/v3'/>", "METS-ROOT"),
        (b"<file xmlns='http://www.loc.gov/METS/'/>", "METS-ROOT"),
        (WRAP.format("<file ID='f'/>").encode(), "METS-NO-HREF"),
        (WRAP.format("<file ID='f'><FLocat/></file>").encode(), "METS-NO-HREF"),
        (WRAP.format("<mdRef/>").encode(), "METS-NO-HREF"),
        (WRAP.format("<file SIZE='-1'><FLocat xlink:href='a'/></file>").encode(), "METS-VALUE"),
        (WRAP.format("<file SIZE='1e9'><FLocat xlink:href='a'/></file>").encode(), "METS-VALUE"),
        (WRAP.format(f"<file SIZE='{'9' * 19}'><FLocat xlink:href='a'/></file>").encode(), "METS-VALUE"),
    ],
)
def test_what_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(MetsRefused) as caught:
        read(data)
    assert caught.value.code == code
    findings = Findings()
    caught.value.note(findings)
    assert findings.refused


def test_a_doctype_is_refused() -> None:
    with pytest.raises(XmlRefused, match="DOCTYPE"):
        read(b"<!DOCTYPE mets>" + root_mets().partition(b"\n")[2])


@pytest.mark.parametrize(
    ("kind", "text"), [("SHA-256", "ab"), ("CRC32", "abcdef12"), ("SHA-256", "zz" * 32), ("", "ab")]
)
def test_a_checksum_that_is_none_is_an_error_and_not_silence(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        _ = MetsFile("f", "Data", "a", None, "", kind, text).digest


@pytest.mark.parametrize("path", [*NAMES, "a", "a/b/..c/.d", "ổ/đĩa.txt"])
def test_hrefs_mean_the_path_again(path: str) -> None:
    href = path_href(path)
    assert href.isascii()
    assert local_path(href) == path


@pytest.mark.parametrize(
    "href",
    [
        "file:///etc/passwd",
        "http://10.0.0.1/x",
        "//host/x",
        "/etc/passwd",
        "%2Fetc/passwd",
        "../x",
        "%2e%2e/x",
        "a/../../x",
        "a//b",
        "a/./b",
        "a/",
        "",
        "./",
        "a%00b",
        "C:/x",
        "urn:x:y",
    ],
)
def test_hrefs_that_point_outside_mean_nothing(href: str) -> None:
    assert local_path(href) is None
