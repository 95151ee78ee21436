"""TT 05 records: read, written, judged, turned from SIP into AIP."""

from __future__ import annotations

import io

import pytest
from lxml import etree

from metadata.dates import RecordDate
from metadata.findings import Findings, Severity, finding_rules
from metadata.holdings import Level
from metadata.identifiers import ArchiveCode
from metadata.tt05.profile import (
    DocumentKind,
    FieldType,
    Need,
    default_profile,
    parse_profile,
    profile_text,
    split_codes,
)
from metadata.tt05.records import (
    Fields,
    RecordRefused,
    document_kind,
    document_record,
    dossier_record,
    judge_document,
    judge_dossier,
    notation,
    read_simpledc,
    sip_to_aip_document,
    sip_to_aip_dossier,
    write_simpledc,
)
from metadata.tt05.schema import form_schema, package_schemas
from metadata.xml import XmlRefused
from tests.builders.tt05 import document_fields, dossier_fields

PROFILE = default_profile()
ARCHIVE = ArchiveCode("H20")


def simpledc(fields: Fields) -> bytes:
    out = io.BytesIO()
    write_simpledc(out, fields)
    return out.getvalue()


def read(text: str) -> Fields:
    return read_simpledc(io.BytesIO(text.encode()))


def codes(fields: Fields, **how) -> dict[str, int]:
    findings = Findings()
    judge_dossier(fields, findings, "EAD.xml", **how)
    return dict(findings.counts)


def document_codes(fields: Fields, **how) -> dict[str, int]:
    findings = Findings()
    judge_document(fields, findings, "EAD_doc_1.xml", **how)
    return dict(findings.counts)


# reading and writing


def test_what_is_written_is_read() -> None:
    fields = Fields.of([("title", 'Hồ sơ <"A" & B>'), ("keyword", ""), ("title", "hai")])
    assert read_simpledc(io.BytesIO(simpledc(fields))) == fields


@pytest.mark.parametrize(
    "text",
    [
        "<simpledc><title>\n  Hồ sơ\n </title><mode>01</mode></simpledc>",
        "<simpledc xmlns='urn:x'><title>Hồ sơ</title><mode>01</mode></simpledc>",
        "<x:SimpleDC xmlns:x='urn:x'><x:title>Hồ sơ</x:title><mode>01</mode></x:SimpleDC>",
        "<simpledc><group><title>Hồ sơ</title></group><mode>01</mode></simpledc>",
    ],
)
def test_forms_that_mean_the_same(text: str) -> None:
    assert read(text) == Fields.of([("title", "Hồ sơ"), ("mode", "01")])


@pytest.mark.parametrize(
    ("text", "code"),
    [("<ead/>", "TT05-ROOT"), ("<simpledc>" + "<a/>" * 1001 + "</simpledc>", "TT05-TOO-MANY-FIELDS")],
)
def test_what_is_no_record_is_refused(text: str, code: str) -> None:
    with pytest.raises(RecordRefused) as caught:
        read(text)
    assert caught.value.code == code


def test_a_doctype_is_refused() -> None:
    with pytest.raises(XmlRefused):
        read("<!DOCTYPE simpledc><simpledc/>")


def test_a_name_that_is_no_xml_name_is_not_written() -> None:
    with pytest.raises(ValueError, match="field name"):
        simpledc(Fields.of([("a b", "x")]))


def test_fields_by_name() -> None:
    fields = Fields.of([("a", ""), ("b", "1"), ("a", "2"), ("b", "3"), ("c", "")])
    assert fields.get("a") == "2"
    assert fields.get("c", "b") == "1"
    assert fields.get("x") == ""
    assert fields.all("b") == ("1", "3")
    assert fields.joined() == {"a": "2", "b": "1; 3", "c": ""}
    assert list(fields.named({"b": "z", "c": "a"})) == [("a", ""), ("z", "1"), ("a", "2"), ("z", "3"), ("c", "")]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("EAD_doc_File1.xml", (DocumentKind.TEXT, "File1")),
        ("EAD_DOC_H49.64.33.2001.160.1.xml", (DocumentKind.TEXT, "H49.64.33.2001.160.1")),
        ("EAD_pic_a_b.xml", (DocumentKind.PICTURE, "a_b")),
        ("ead_media_x.XML", (DocumentKind.MEDIA, "x")),
        ("EAD.xml", None),
        ("EAD_map_x.xml", None),
        ("EAD_doc_.xml", None),
    ],
)
def test_names_of_metadata_files(name: str, found: tuple[DocumentKind, str] | None) -> None:
    assert document_kind(name) == found


# records


def test_a_dossier_as_people_see_it() -> None:
    record = dossier_record(dossier_fields(language="01, 02", mode="02"))
    assert (record.number, record.level) == (0, Level.DOSSIER)
    assert record.code == "H20.05.2024.01.TCCB"
    assert record.title == "Hồ sơ tuyển dụng công chức năm 2024"
    assert record.language == "Tiếng Việt, Tiếng Anh"
    assert record.access == "02"
    assert (record.start.iso, record.end.iso) == ("2024-01-02", "2024-12-30")
    assert record.pages == 5
    assert record.fields["description"] == "Người lập: Nguyễn Văn Ấn"


def test_a_document_as_people_see_it() -> None:
    record = document_record(document_fields(1), 7, (3, 4))
    assert (record.number, record.level, record.members) == (7, Level.DOCUMENT, (3, 4))
    assert (record.type_name, record.notation) == ("Công văn", "101/SNV-TCCB")
    assert record.organ == "Sở Nội vụ"
    assert record.start == record.end == RecordDate.read("02/03/2024")
    assert record.code == "H20.05.2024.01.TCCB.0000001"


def test_other_names_for_a_field_are_understood() -> None:
    fields = Fields.of({"typeDoc": "1", "arcDocCode": "X.1", "subject": "s", "numberOfPage": "hai"})
    record = document_record(fields, 1)
    assert (record.type_name, record.code, record.pages) == ("Nghị quyết", "X.1", None)
    assert dict(record.fields) == dict(fields)


def test_pictures_and_media_have_their_own_titles_and_dates() -> None:
    picture = document_record(Fields.of({"imageTitle": "Lễ", "typePic": "02", "photoTime": "1975"}), 1)
    assert (picture.title, picture.type_name, picture.start.iso) == ("Lễ", "Ảnh", "1975")
    film = document_record(Fields.of({"movieTitle": "Phim", "typeMedia": "02", "recordDate": "05/1980"}), 1)
    assert (film.title, film.type_name, film.end.iso) == ("Phim", "Video", "1980-05")
    assert document_record(Fields.of({}), 1).type_name == ""


@pytest.mark.parametrize(
    ("number", "sign", "whole"),
    [
        ("12", "QĐ-UBND", "12/QĐ-UBND"),
        ("12", "12/QĐ-UBND", "12/QĐ-UBND"),
        ("12", "/QĐ", "12/QĐ"),
        ("12", "", "12"),
        ("", "QĐ", "QĐ"),
        ("", "", ""),
    ],
)
def test_number_and_sign(number: str, sign: str, whole: str) -> None:
    assert notation(number, sign) == whole


# SIP to AIP


def test_a_dossier_becomes_archival() -> None:
    sip = dossier_fields(startDate="2024-01-02", endDate="2024", riskRecovery="1", riskRecoveryStatus="02")
    aip = sip_to_aip_dossier(Fields((*sip.pairs, ("note", "riêng"))), ARCHIVE)
    assert aip.pairs[0] == ("arcFileCode", "H20.H20.05.2024.01.TCCB")
    assert aip.get("fileCode") == ""
    assert (aip.get("startDate"), aip.get("endDate")) == ("02/01/2024", "2024")
    names = [name for name, _ in aip]
    assert names.index("description") < names.index("riskRecovery")
    assert aip.pairs[-1] == ("note", "riêng")
    assert codes(Fields(aip.pairs[:-1]), package="aip") == {}


def test_a_document_becomes_archival() -> None:
    sip = document_fields(1, typeName=None, typeDoc="22", issuedDate="ngày rằm")
    aip = sip_to_aip_document(sip, "H20.X", 3)
    order = [name for name in PROFILE.forms["text_aip"].fields if name in dict(aip)]
    assert [name for name, _ in aip] == order
    assert (aip.get("arcFileCode"), aip.get("docOrdinal"), aip.get("typeName")) == ("H20.X", "3", "22")
    assert aip.get("issuedDate") == "ngày rằm"
    assert not {"docId", "maintenance", "riskRecovery", "typeDoc"} & set(dict(aip))


@pytest.mark.parametrize(("kind", "title"), [(DocumentKind.PICTURE, "imageTitle"), (DocumentKind.MEDIA, "movieTitle")])
def test_pictures_and_media_become_archival(kind: DocumentKind, title: str) -> None:
    aip = sip_to_aip_document(Fields.of({"docCode": "c", title: "t", "maintenance": "01"}), "H20.X", 1, kind)
    assert dict(aip) == {"arcFileCode": "H20.X", "docCode": "c", "docOrdinal": "1", title: "t"}


# judging


def test_good_records_have_no_findings() -> None:
    assert codes(dossier_fields()) == {}
    assert document_codes(document_fields()) == {}
    assert document_codes(sip_to_aip_document(document_fields(), "H20.X", 1), package="aip") == {}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"fileCode": None}, "TT05-REQUIRED"),
        ({"title": ""}, "TT05-REQUIRED"),
        ({"mode": None}, "TT05-REQUIRED-NOTED"),
        ({"confidenceLevel": "02"}, "TT05-CONDITION-NOTED"),
        ({"riskRecovery": "1"}, "TT05-CONDITION-NOTED"),
        ({"title": "x" * 1001}, "TT05-LENGTH-NOTED"),
        ({"mode": "04"}, "TT05-CODE-NOTED"),
        ({"language": "01; 99"}, "TT05-CODE-NOTED"),
        ({"startDate": "hôm qua"}, "TT05-DATE-NOTED"),
        ({"endDate": "31/02/2024"}, "TT05-DATE-NOTED"),
        ({"totalDoc": "hai"}, "TT05-NUMBER-NOTED"),
        ({"riskRecovery": "2"}, "TT05-BOOLEAN-NOTED"),
        ({"maintenance": "02"}, "TT05-PERMANENT-NOTED"),
        ({"extra": "x"}, "TT05-UNKNOWN-FIELD-NOTED"),
    ],
)
def test_one_departure_gives_one_finding(changes: dict[str, str | None], code: str) -> None:
    assert codes(dossier_fields(**changes)) == {code: 1}


def test_a_repeated_field_is_noted() -> None:
    assert codes(Fields((*dossier_fields().pairs, ("mode", "01")))) == {"TT05-REPEATED-NOTED": 1}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"subject": None}, "TT05-REQUIRED"),
        ({"docId": None}, "TT05-REQUIRED-NOTED"),
        ({"process": None}, "TT05-CONDITION-NOTED"),
        ({"typeName": "33"}, "TT05-CODE-NOTED"),
        ({"numberOfPage": "-1"}, "TT05-NUMBER-NOTED"),
    ],
)
def test_one_departure_of_a_document_gives_one_finding(changes: dict[str, str | None], code: str) -> None:
    assert document_codes(document_fields(**changes)) == {code: 1}


def test_an_archivist_can_weigh_every_check_differently() -> None:
    text = profile_text()
    strict = parse_profile(text.replace('required = "warning"', 'required = "error"'))
    assert codes(dossier_fields(mode=None), profile=strict) == {"TT05-REQUIRED": 1}
    lax = parse_profile(text.replace('required = "warning"', 'required = "off"'))
    assert codes(dossier_fields(mode=None), profile=lax) == {}
    with pytest.raises(ValueError, match="severities"):
        parse_profile(text.replace('required = "warning"', 'required = "fatal"'))


def test_every_check_has_a_code_for_both_weights() -> None:
    rules = {
        code: rule for code, rule in finding_rules().items() if code.startswith("TT05-") and code not in PROFILE.rules
    }
    noted = {code for code in rules if code.endswith("-NOTED")}
    assert len(noted) == 10
    assert all(rules[code].severity is Severity.WARNING for code in noted)
    assert all(rules[code.removesuffix("-NOTED")].severity is Severity.ERROR for code in noted)


# the profile


def test_the_profile_is_consistent() -> None:
    sizes = {name: len(form.fields) for name, form in PROFILE.forms.items()}
    assert (sizes["dossier_sip"], sizes["dossier_aip"], sizes["text_sip"], sizes["text_aip"]) == (18, 18, 21, 19)
    for form in PROFILE.forms.values():
        assert form.identity <= set(form.fields)
        for rule in form.fields.values():
            assert rule.label
            assert rule.type not in (FieldType.CODE, FieldType.CODES) or rule.name in PROFILE.lists
            assert (rule.need is Need.CONDITIONAL) == (rule.when is not None)
    assert len(PROFILE.lists["typeName"]) == 32


def test_labels() -> None:
    assert PROFILE.label("mode", "01").en == "Public"
    assert PROFILE.label("mode", "1").vi == "Công khai"
    assert PROFILE.label("mode", "Công khai").vi == "Công khai"
    assert PROFILE.label("no-such-list", "x").en == "x"
    assert PROFILE.labels("language", "01;06").vi == "Tiếng Việt, Tiếng Việt, Tiếng Anh"
    assert split_codes(" 01, 02;03 ") == ["01", "02", "03"]


@pytest.mark.parametrize("package", ["sip", "aip"])
def test_the_schemas_accept_good_records_and_refuse_bad_ones(package: str) -> None:
    schemas = package_schemas(package)
    assert sorted(schemas) == ["EAD.xsd", "EAD_doc.xsd", "EAD_media.xsd", "EAD_pic.xsd", "METS.xsd"]
    for data in schemas.values():
        etree.XMLSchema(etree.fromstring(data))
    good, document = dossier_fields(), document_fields()
    if package == "aip":
        good, document = sip_to_aip_dossier(good, ARCHIVE), sip_to_aip_document(document, "H20.X", 1)
    for name, fields in (("EAD.xsd", good), ("EAD_doc.xsd", document)):
        schema = etree.XMLSchema(etree.fromstring(schemas[name]))
        assert schema.validate(etree.fromstring(simpledc(fields))), schema.error_log
        for bad in (Fields(fields.pairs[1:]), Fields((*fields.pairs, ("extra", "")))):
            assert not schema.validate(etree.fromstring(simpledc(bad)))
    assert form_schema(PROFILE.forms[f"dossier_{package}"]) == schemas["EAD.xsd"]
