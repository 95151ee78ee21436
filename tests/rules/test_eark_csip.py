"""E-ARK CSIP, header and metadata sections: every rule broken once, beside a twin that keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.eark import WHEN, cut, move, swap, within, write
from tests.rules.cases import Case
from tests.rules.eark import eark_case

REP_METS = "representations/rep1/METS.xml"
SOFTWARE = '<agent ROLE="CREATOR" TYPE="OTHER" OTHERTYPE="SOFTWARE">'
ROOT = 'LABEL="Hồ sơ 2025"'
OUTER = ["CSIP69", "CSIP71"]  # the root METS says what the METS of a representation was
UNSPOKEN = ["CSIP17", "CSIP32"]  # what follows when a metadata file is no longer referenced

HEADER = [
    eark_case("CSIP1", swap(' OBJID="goi-tin-1"', "")),
    eark_case("CSIP1", swap(' OBJID="goi-tin-1"', ' OBJID=""'), name="empty"),
    eark_case("CSIP1-SHOULD CSIPSTR2", swap(' OBJID="goi-tin-1"', ' OBJID="goi-tin-2"')),
    eark_case("CSIP1-SHOULD", swap(' OBJID="rep1"', ' OBJID="rep9"', REP_METS), OUTER, name="of a representation"),
    eark_case("CSIP2", swap(' TYPE="Mixed"', "")),
    eark_case("CSIP2", swap(' TYPE="Mixed"', ' TYPE="Dossiers"'), name="not in the vocabulary"),
    eark_case("CSIP2 CSIP3", swap(' TYPE="Mixed"', ' TYPE="OTHER"')),
    eark_case("CSIP3", swap(' TYPE="Mixed"', ' TYPE="Mixed" csip:OTHERTYPE="Dossiers"'), name="TYPE is not OTHER"),
    eark_case("CSIP3", swap(' TYPE="Mixed"', ' TYPE="OTHER" csip:OTHERTYPE="Software"'), name="a term"),
    eark_case("CSIP4", within(ROOT, ' csip:CONTENTINFORMATIONTYPE="MIXED"', "")),
    eark_case("CSIP4", within(ROOT, '="MIXED"', '="TT05"'), name="not in the vocabulary"),
    eark_case("CSIP4 CSIP5", within(ROOT, '="MIXED"', '="OTHER"')),
    eark_case("CSIP5", within(ROOT, '="MIXED"', '="MIXED" csip:OTHERCONTENTINFORMATIONTYPE="TT05"'), name="not OTHER"),
    eark_case("CSIP5", within(ROOT, '="MIXED"', '="OTHER" csip:OTHERCONTENTINFORMATIONTYPE="ERMS"'), name="a term"),
    eark_case("CSIP6", cut(' PROFILE="', '"')),
    eark_case("CSIP6", swap('PROFILE="https://earkcsip', 'PROFILE="earkcsip'), name="no URL"),
    eark_case("CSIP117", cut("<metsHdr", "</metsHdr>")),
    eark_case("CSIP7", swap(f' CREATEDATE="{WHEN}"', "")),
    eark_case("CSIP7", swap(f' CREATEDATE="{WHEN}"', ' CREATEDATE="31/01/2025"'), name="no date and time"),
    eark_case("CSIP7", swap(f' CREATEDATE="{WHEN}"', ' CREATEDATE="2025-02-30T08:30:00"'), name="no such day"),
    eark_case("CSIP8", swap(f' LASTMODDATE="{WHEN}"', "")),
    eark_case("CSIP8", swap(f' LASTMODDATE="{WHEN}"', ' LASTMODDATE="2024-01-31T08:30:00"'), name="before creation"),
    eark_case("CSIP9", swap(' csip:OAISPACKAGETYPE="SIP"', "")),
    eark_case("CSIP9", swap(' csip:OAISPACKAGETYPE="SIP"', ' csip:OAISPACKAGETYPE="Dossier"'), name="other value"),
    eark_case("CSIP10", cut("<agent", "</agent>")),
    eark_case("CSIP11", swap('ROLE="CREATOR"', 'ROLE="EDITOR"')),
    eark_case(
        "CSIP11 CSIP12",
        swap(
            SOFTWARE,
            '<agent ROLE="CREATOR" TYPE="INDIVIDUAL" OTHERTYPE="SOFTWARE"><name>A</name>'
            '<note csip:NOTETYPE="SOFTWARE VERSION">1</note></agent>' + SOFTWARE.replace("CREATOR", "ARCHIVIST"),
        ),
        name="no agent has all",
    ),
    eark_case("CSIP12", swap('TYPE="OTHER" OTHERTYPE', 'TYPE="INDIVIDUAL" OTHERTYPE')),
    eark_case("CSIP13", swap(' OTHERTYPE="SOFTWARE"', "")),
    eark_case("CSIP14", swap("<name>Phần mềm</name>", "")),
    eark_case("CSIP14", swap("<name>Phần mềm</name>", "<name/>"), name="empty"),
    eark_case("CSIP15", cut("<note", "</note>")),
    eark_case("CSIP15", swap(">1.0</note>", "></note>"), name="empty"),
    eark_case("CSIP15", swap(">1.0</note>", ">1.0</note><note>b</note>"), name="two"),
    eark_case("CSIP16", swap(' csip:NOTETYPE="SOFTWARE VERSION"', "")),
]


def mdref(first: int, path: str, size: int, mark: str) -> list[Case]:
    """The nine rules about an mdRef of ``size`` bytes, by the number of the first; ``mark`` stands before it."""
    loctype, link, href, kind, mime, length, created, checksum, algorithm = (f"CSIP{first + i}" for i in range(9))
    return [
        eark_case(loctype, within(mark, 'LOCTYPE="URL"', 'LOCTYPE="OTHER"')),
        eark_case(link, within(mark, ' xlink:type="simple"', "")),
        eark_case(href, within(mark, ' xlink:href="', ' title="'), UNSPOKEN),
        eark_case(href, move(path, path.replace("metadata/", "metadata/more-")), ["CSIPSTR5"], name="no such file"),
        eark_case(href, within(mark, 'href="', 'href="../'), UNSPOKEN, name="outside"),
        eark_case(href, within(mark, 'href="', 'href="https://example.vn/'), UNSPOKEN, name="on the web"),
        eark_case(kind, within(mark, ' MDTYPE="', ' MDTYPE="X'), ["CSIPSTR6"]),
        eark_case(mime, within(mark, ' MIMETYPE="application/xml"', "")),
        eark_case(mime, within(mark, ' MIMETYPE="application/xml"', ' MIMETYPE="other/xml"'), name="not of IANA"),
        eark_case(mime, within(mark, 'application/xml"', f'application/{"x" * 300}"'), name="too long"),
        eark_case(length, within(mark, f' SIZE="{size}"', "")),
        eark_case(length, within(mark, f' SIZE="{size}"', f' SIZE="{size + 1}"'), name="wrong"),
        eark_case(created, within(mark, f' CREATED="{WHEN}" CHECKSUM', " CHECKSUM")),
        eark_case(checksum, cut_checksum(mark)),
        eark_case(checksum, within(mark, ' CHECKSUM="', ' CHECKSUM="0'), name="of another length"),
        eark_case(checksum, write(path, "x" * size), name="wrong"),
        eark_case(algorithm, within(mark, ' CHECKSUMTYPE="SHA-256"', "")),
        eark_case(algorithm, within(mark, "SHA-256", "SHA3"), name="not of METS"),
    ]


def cut_checksum(mark: str):
    """Take away the CHECKSUM that follows ``mark``."""

    def change(root: Path) -> None:
        path = root / "METS.xml"
        before, found, after = path.read_text(encoding="utf-8").partition(mark)
        head, attribute, tail = after.partition(' CHECKSUM="')
        assert found and attribute
        path.write_text(before + found + head + tail[tail.index('"') + 1 :], encoding="utf-8")

    return change


RIGHTS, DIGIPROV = '<rightsMD ID="rights1" STATUS="CURRENT">', '<digiprovMD ID="digiprov1" STATUS="CURRENT">'
SECTIONS = [
    eark_case("CSIP17", write("metadata/descriptive/more.xml")),
    eark_case("CSIP18", swap('<dmdSec ID="dmd1"', "<dmdSec"), ["CSIP75", "CSIP92"]),
    eark_case("CSIP18", swap('ID="dmd1" CREATED', 'ID="1" CREATED'), ["CSIP75", "CSIP92"], name="no xml:id"),
    eark_case(
        "CSIP18", swap('ID="dmd1" CREATED', 'ID="1" CREATED', REP_METS), ["CSIP92", *OUTER], name="in a representation"
    ),
    eark_case("CSIP19", swap(f'<dmdSec ID="dmd1" CREATED="{WHEN}"', '<dmdSec ID="dmd1"')),
    eark_case("CSIP20", within("<dmdSec", ' STATUS="CURRENT"', "")),
    eark_case("CSIP20", within("<dmdSec", ' STATUS="CURRENT"', ' STATUS="OLD"'), name="not in the vocabulary"),
    eark_case("CSIP21", cut("<mdRef", "/>"), ["CSIP17"]),
    *mdref(22, "metadata/descriptive/ead.xml", 7, "<dmdSec"),
    eark_case("CSIP31", cut('<amdSec ID="amd1">', "</amdSec>"), ["CSIP32", "CSIP61", "CSIP74", "CSIP91"]),
    eark_case("CSIP31", swap("</amdSec>", '</amdSec><amdSec ID="amd2"/>'), name="two"),
    eark_case("CSIP32", write("metadata/preservation/more.xml")),
    eark_case("CSIP32", cut("<digiprovMD", "</digiprovMD>"), ["CSIP61", "CSIP91"], name="none"),
    eark_case("CSIP33", swap('<digiprovMD ID="digiprov1"', "<digiprovMD"), ["CSIP61", "CSIP91"]),
    eark_case("CSIP33", swap('MD ID="digiprov1"', 'MD ID="dmd1"'), ["CSIP61", "CSIP91"], name="twice"),
    eark_case("CSIP34", within("<digiprovMD", ' STATUS="CURRENT"', "")),
    eark_case("CSIP35", cut("<mdRef", "/>", after=DIGIPROV), ["CSIP32"]),
    *mdref(36, "metadata/preservation/premis.xml", 10, DIGIPROV),
    eark_case("CSIP46", swap('<rightsMD ID="rights1"', "<rightsMD"), ["CSIP74", "CSIP91"]),
    eark_case("CSIP47", within("<rightsMD", ' STATUS="CURRENT"', "")),
    eark_case("CSIP47", within("<rightsMD", ' STATUS="CURRENT"', ' STATUS="TEST"'), name="not in the vocabulary"),
    eark_case("CSIP48", cut("<mdRef", "/>", after=RIGHTS)),
    *mdref(49, "metadata/other/rights.xml", 10, RIGHTS),
]
CASES = [*HEADER, *SECTIONS]


@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name)
def test_rule_both_ways(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)
