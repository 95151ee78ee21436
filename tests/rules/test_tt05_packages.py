"""Every code of a TT 05 package: its tree, METS, descriptions together and PREMIS, broken once each."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from metadata.findings import finding_rules
from metadata.tt05.profile import default_profile
from tests.builders.tt05 import BUILDERS, PDF, SipDocument, document_fields, documents, dossier_fields, sip_hoso
from tests.rules.cases import Build, Case
from tests.rules.tt05 import (
    AIP,
    DIP,
    DOC,
    DOC2,
    EAD,
    INNER,
    LOCKED,
    LOOSE_AIP,
    LOOSE_SIP,
    PREMIS,
    PREMIS_REP,
    REP,
    ROOT,
    SIP,
    ZIP_NAME,
    built,
    case,
    copy,
    field,
    judged,
    put,
    rename,
    sub,
    take,
    without,
)

CODE = "H20.05.2024.01.TCCB"
NOTHING = (
    '<premis xmlns="http://www.loc.gov/premis/v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{}</premis>'
)
ONE = NOTHING.format(
    '<object xsi:type="file" xmlID="a"><objectIdentifier><objectIdentifierType>File</objectIdentifierType>'
    "<objectIdentifierValue>a</objectIdentifierValue></objectIdentifier></object>"
)
UUID = r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}"


def digitised(name: str) -> Build:
    """A digitised dossier of one document, whose file has that name."""
    fields = dossier_fields(confidenceLevel="02", paperFileCode="H20.K1.12", totalDoc="1")
    return partial(sip_hoso, dossier=fields, contents=[SipDocument("1", document_fields(), {name: PDF})])


def zipped_as(name: str) -> Build:
    def build(folder: Path) -> Path:
        package = sip_hoso(folder)
        package.with_name(ZIP_NAME).write_text(name.format(objid=package.name), encoding="utf-8")
        return package

    return build


def in_folder(name: str) -> Build:
    def build(folder: Path) -> Path:
        return BUILDERS[DIP](folder).rename(folder / name)

    return build


def named(name: str) -> Build:
    return partial(sip_hoso, contents=[SipDocument(name, document_fields(), {f"{name}.pdf": PDF})])


def coded(code: str) -> Build:
    contents = [SipDocument("File1", document_fields(1, code), {"File1.pdf": PDF})]
    return partial(sip_hoso, dossier=dossier_fields(code, totalDoc="1"), contents=contents)


TREE = [
    case("TREE-LACKS", SIP, take("schemas/METS.xsd")),
    case("TREE-LACKS", DIP, take(EAD), name="EAD.xml"),
    case("TREE-LACKS", DIP, take(INNER), name="METS of rep1"),
    built("TREE-LACKS", DIP, BUILDERS[DIP], partial(BUILDERS[DIP], contents=[]), "METS-LACKS", name="no document"),
    case("TREE-OTHER", SIP, put("ghi-chu.txt")),
    case("TREE-OTHER", DIP, put(f"{REP}metadata/descriptive/mo-ta.xml", "<simpledc/>"), name="no description"),
    case("TREE-OTHER", AIP, put(f"{REP}khac/x.txt"), name="in rep1"),
    case("TREE-OTHER", DIP, put("metadata/khac/x.xml"), name="in metadata"),
    case("REPRESENTATION-OTHER", LOOSE_SIP, put("representations/rep2/METS.xml")),
    case("SCHEMA-CASE", SIP, rename("schemas/EAD.xsd", "ead.xsd")),
    case("SCHEMA-CASE", LOOSE_AIP, rename("schemas/METS.xsd", "mets.xsd"), name="METS"),
    case("EAD-CASE", SIP, rename(DOC, "EAD_DOC_File1.xml")),
    case("PREMIS-IN-SIP", SIP, put(PREMIS, ONE)),
    case("PREMIS-IN-SIP", LOOSE_SIP, put(PREMIS_REP, ONE), name="in rep1"),
    case("PREMIS-LACKS", AIP, take(PREMIS)),
    case("PREMIS-LACKS", LOOSE_AIP, take(PREMIS_REP), name="in rep1"),
    case("PREMIS-NAME", AIP, copy(PREMIS_REP, "PREMIS_9C13E70E-08B2-4C54-8BAF-979B35D01B4D.xml")),
    case("LINKED", LOOSE_SIP, put(f"{REP}data/File9.doc.fetch.txt", "D0000009")),
    case("LINKED", DIP, put(f"{REP}data/File9.doc.fetch.txt", "D0000009")),
    built("CONTENT-NAME", SIP, digitised(f"{CODE}.0000001.pdf"), digitised("quét.pdf")),
    built("FORMAT", SIP, sip_hoso, partial(sip_hoso, contents=documents(2, {"ban-ve.dwg": b"AC1032"}))),
    built("ZIP-NAME", SIP, zipped_as("0001{objid}.zip"), zipped_as("b6acafed-a809-4b78-ae9f-0373d50d52f0.zip")),
    built("ZIP-NAME-OBJID", SIP, zipped_as("7 {objid}.zip"), zipped_as("{objid}.zip")),
    built("FOLDER", DIP, BUILDERS[DIP], in_folder("goi-tin")),
    built("UNREADABLE", SIP, named("mở"), named(LOCKED)),
]

METS = [
    case("OBJID", DIP, sub(ROOT, ' OBJID="uuid-', ' OBJID="goi-'), "FOLDER"),
    case("OBJID", SIP, sub(INNER, ' OBJID="uuid-', ' OBJID="goi-'), name="of rep1"),
    case("OBJID-COLON", AIP, sub(ROOT, ":uuid-", ":uuid:")),
    case("REP-OBJID", SIP, sub(INNER, ' OBJID="[^"]*"', ' OBJID="rep1"')),
    case("METS-LACKS", SIP, sub(ROOT, "<dmdSec.*?</dmdSec>", "")),
    case("METS-LACKS", SIP, sub(INNER, ' LABEL="CSIP"', ""), name="structMap"),
    case("METS-LACKS", SIP, sub(INNER, "<metsHdr.*?</metsHdr>", ""), name="header"),
    case("METS-ATTRIBUTE", SIP, sub(INNER, ' SIZE="[0-9]+"', "")),
    case("METS-ATTRIBUTE", SIP, sub(ROOT, ' xlink:title="[^"]*"', ""), name="mptr"),
    case("METS-PROFILE", SIP, sub(ROOT, "E-ARK-CSIP.xml", "E-ARK-SIP.xml")),
    case("METS-TYPE", SIP, sub(ROOT, ' TYPE="Mixed"', ' TYPE="Collection"')),
    case("METS-TYPE", LOOSE_SIP, sub(INNER, ' TYPE="Collection"', ' TYPE="Mixed"')),
    case("METS-OAIS-TYPE", SIP, sub(INNER, 'PACKAGETYPE="SIP"', 'PACKAGETYPE="AIP"')),
    case("METS-OAIS-TYPE", AIP, sub(ROOT, ' csip:OAISPACKAGETYPE="AIP"', ""), name="none"),
    case("DIP-SAYS-SIP", DIP, sub(ROOT, 'PACKAGETYPE="DIP"', 'PACKAGETYPE="SIP"')),
    case("METS-LABEL", SIP, sub(ROOT, ' LABEL="[^"]*"', ' LABEL="Hồ sơ khác"')),
    case("METS-CONTENT-TYPE", SIP, sub(INNER, ' csip:CONTENTINFORMATIONTYPE="MIXED"', "")),
    case("METS-STATUS", SIP, sub(ROOT, 'RECORDSTATUS="NEW"', 'RECORDSTATUS="MỚI"')),
    case("METS-TIME", SIP, sub(ROOT, 'CREATEDATE="[^"]*"', 'CREATEDATE="2026-07-01"')),
    case("METS-AGENT", SIP, sub(ROOT, ' OTHERTYPE="SOFTWARE"', "")),
    case("AGENT-INDIVIDUAL", SIP, sub(INNER, ' TYPE="ORGANIZATION"', ' TYPE="INDIVIDUAL"')),
    case("AGENT-ARCHIVIST", DIP, sub(ROOT, ' ROLE="CREATOR"', ' ROLE="ARCHIVIST"')),
    case("METS-NOTE", SIP, sub(INNER, "<note.*?</note>", "")),
    case("ROOT-CODE", SIP, sub(ROOT, 'NOTETYPE="SOFTWARE VERSION"', 'NOTETYPE="IDENTIFICATIONCODE"')),
    case("METS-AGREEMENT", SIP, sub(ROOT, "<altRecordID.*?</altRecordID>", "")),
    case("AGREEMENT-CODE", SIP, sub(ROOT, "(<altRecordID[^>]*>)[^<]*", rf"\g<1>{CODE}")),
    case("METS-ID", SIP, sub(ROOT, f'<structMap ID="uuid-{UUID}"', '<structMap ID="struct-map-1"')),
    case("METS-ID", SIP, sub(INNER, '<fileGrp ID="uuid-', '<fileGrp ID="ID-'), name="a group's as a file's"),
    case("METS-ID-TWICE", SIP, sub(ROOT, f'(<dmdSec ID="(uuid-{UUID})".*<structMap ID=")[^"]*', r"\g<1>\g<2>")),
    case("METS-FILEID", SIP, sub(INNER, f'FILEID="ID-{UUID}"', 'FILEID="ID-00000000-0000-0000-0000-000000000000"')),
    case("METS-MDTYPE", SIP, sub(ROOT, 'MDTYPE="EAD"', 'MDTYPE="MODS"')),
    case("MDTYPE-DC", SIP, sub(INNER, 'MDTYPE="EAD" MDTYPEVERSION="2002"', 'MDTYPE="DC" MDTYPEVERSION="1.0.0"')),
    case("XML-MIME", SIP, sub(ROOT, "(<mdRef[^>]*)text/xml", r"\g<1>application/xml")),
    case("XSD-MIME", SIP, sub(ROOT, "(<file [^>]*)text/xml", r"\g<1>application/octet-stream")),
    case("METS-MIME", SIP, sub(INNER, "application/pdf", "image/png")),
    case("CHECKSUM-TYPE", SIP, sub(INNER, 'CHECKSUMTYPE="SHA-256"', 'CHECKSUMTYPE="SHA-512"')),
    case("CHECKSUM-CASE", SIP, sub(INNER, ' CHECKSUM="[0-9a-f]*"', f' CHECKSUM="{"AB" * 32}"')),
    case("METS-LOCTYPE", SIP, sub(INNER, 'LOCTYPE="URL"', 'LOCTYPE="OTHER"')),
    case("METS-GROUP", SIP, sub(ROOT, 'USE="Schemas"', 'USE="Documentation"')),
    case("METS-GROUP-OTHER", SIP, sub(INNER, "</fileSec>", '<fileGrp USE="Khác"/></fileSec>')),
    case("STRUCT-TYPE", SIP, sub(ROOT, 'TYPE="PHYSICAL"', 'TYPE="x"')),
    case("STRUCT-LOGICAL", SIP, sub(INNER, 'TYPE="PHYSICAL"', 'TYPE="logical"')),
    case("METS-DIV", SIP, sub(ROOT, 'LABEL="Schemas"', 'LABEL="Documentation"')),
    case("METS-DIV-OTHER", SIP, sub(INNER, "</div>\n</structMap>", '<div LABEL="Khác"/></div>\n</structMap>')),
    case("REP-TYPE", SIP, sub(INNER, ' TYPE="ORIGINAL"', ' TYPE="NORMALIZED"')),
    case("REP-TYPE", AIP, sub(INNER, ' TYPE="NORMALIZED"', ' TYPE="ORIGINAL"')),
    case("AMDSEC-EMPTY", SIP, sub(ROOT, "<fileSec", "<amdSec/><fileSec")),
    case("METS-PREMIS", AIP, sub(ROOT, 'MDTYPE="PREMIS"', 'MDTYPE="OTHER"')),
]

RECORDS = [
    case("FIELD-NAME", SIP, sub(DOC, "typeName>", "typeDoc>", 2)),
    case("FIELD-NAME", DIP, sub(DOC, "arcDocCode>", "docCode>", 2), name="docCode for arcDocCode"),
    case("DATE-ISO", SIP, field(EAD, "startDate", "2024-01-02")),
    case("DATE-PARTIAL", SIP, field(DOC, "issuedDate", "03/2024")),
    case("PERIOD", SIP, field(EAD, "endDate", "30/12/2023")),
    case("TOTAL", SIP, field(EAD, "totalDoc", "3")),
    case("TOTAL", LOOSE_SIP, field(EAD, "totalDoc", "5")),
    built("FILE-CODE", SIP, coded(CODE), coded("HS-01")),
    case("FILE-CODE", LOOSE_SIP, field(EAD, "fileCode", "H20.05.2024.1"), name="of a batch"),
    case("DOC-CODE", SIP, field(DOC, "docCode", "H20.05.1994.01.TCCB.0000001")),
    case("DOC-CODE", DIP, field(DOC, "arcDocCode", "H20.1"), name="of a DIP"),
    case("DOC-CODE-TWICE", SIP, field(DOC2, "docCode", f"{CODE}.0000001")),
    case("PARENT-CODE", AIP, field(DOC, "arcFileCode", "H20.H20.05.2023.02.KT")),
]

PRESERVATION = [
    case("PREMIS-VERSION", AIP, sub(PREMIS_REP, "http://www.loc.gov/premis/v3", "info:lc/xmlns/premis-v2", 0)),
    case("PREMIS-NO-OBJECT", AIP, sub(PREMIS_REP, "<object .*</object>", "")),
    case("PREMIS-OBJECT", AIP, sub(PREMIS_REP, ' xmlID="[^"]*"', "")),
    case("PREMIS-OBJECT", AIP, without(PREMIS_REP, "objectIdentifierValue"), name="identifier"),
    case("PREMIS-CATEGORY", AIP, sub(PREMIS_REP, 'xsi:type="file"', 'xsi:type="tep"')),
    case(
        "PREMIS-CATEGORY-ELEMENT", AIP,
        sub(PREMIS_REP, "</objectIdentifier>", "</objectIdentifier><objectCategory>file</objectCategory>"),
    ),
    case("PREMIS-OBJECT-TWICE", AIP, sub(PREMIS_REP, "(<object .*?</object>)", r"\g<1>\g<1>")),
    case("PREMIS-EVENT", AIP, without(PREMIS, "eventIdentifierValue")),
    case("PREMIS-TIME", AIP, field(PREMIS, "eventDateTime", "hôm qua")),
    case("PREMIS-AGENT", AIP, without(PREMIS, "agentName")),
    case("PREMIS-LINK", AIP, field(PREMIS, "agentIdentifierValue", "khác")),
    case("PREMIS-CREATION", LOOSE_AIP, field(PREMIS, "eventType", "validation")),
]  # fmt: skip

CASES: list[Case] = [*TREE, *METS, *RECORDS, *PRESERVATION]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_thing_broken_gives_its_code(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)


@pytest.mark.parametrize("kind", BUILDERS, ids=str)
def test_a_good_package_of_each_kind_has_no_finding(kind: object, tmp_path: Path) -> None:
    assert judged(BUILDERS[kind](tmp_path), kind).kept() == ()  # type: ignore[index,arg-type]


def test_what_the_sample_does_is_accepted_each_with_its_code(tmp_path: Path) -> None:
    findings = judged(sip_hoso(tmp_path, sample=True), SIP)
    assert not findings.refused
    assert set(findings.counts) == {
        "TT05-SCHEMA-CASE",
        "TT05-EAD-CASE",
        "TT05-ROOT-CODE",
        "TT05-AGENT-INDIVIDUAL",
        "TT05-AGREEMENT-CODE",
        "TT05-REP-OBJID",
        "TT05-MDTYPE-DC",
        "TT05-XML-MIME",
        "TT05-XSD-MIME",
        "TT05-AMDSEC-EMPTY",
        "TT05-CHECKSUM-CASE",
        "TT05-METS-ID",
    }


def test_each_rule_weighs_as_the_profile_says() -> None:
    known = finding_rules()
    for code, severity in default_profile().rules.items():
        assert known[code].severity is severity, code
