"""E-ARK SIP, DIP and AIP: every rule broken once, beside a twin that keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from metadata.findings import finding_rules
from tests.builders.eark import both, cut, swap, within
from tests.rules import test_eark_csip, test_eark_files
from tests.rules.cases import Case
from tests.rules.eark import eark_case

OLDER = "sip@2.1.0"
CREATOR, SUBMITTER = '<agent ROLE="ARCHIVIST" TYPE="ORGANIZATION">', '<agent ROLE="CREATOR" TYPE="ORGANIZATION">'
CONTACT, PRESERVER = '<agent ROLE="CREATOR" TYPE="INDIVIDUAL">', '<agent ROLE="PRESERVATION" TYPE="ORGANIZATION">'

ALL_CREATORS = both(cut(SUBMITTER, "</agent>"), cut(CONTACT, "</agent>"))  # a person may submit a package too


def agent(first: int, begin: str, name: str, role: str, type_: str) -> list[Case]:
    """The rules about one agent of a SIP, by the number of the first; it begins with ``begin``."""
    there, is_role, is_type, named, noted, typed = (f"SIP{first + i}" for i in range(6))
    wrong_role = begin.replace(begin.split('"')[1], role)
    wrong_type = begin.replace(begin.split('"')[3], type_)
    cases = [
        eark_case(there, cut(begin, "</agent>") if begin != SUBMITTER else ALL_CREATORS, ["SIP9", "SIP21"]),
        eark_case(is_role, swap(begin, wrong_role), ["SIP15"]),
        eark_case(is_type, swap(begin, wrong_type)),
        eark_case(named, within(begin, f"<name>{name}</name>", "")),
        eark_case(noted, cut("<note", "</note>", after=begin)),
    ]
    if begin != CONTACT:
        cases.append(eark_case(f"{named}-MAY", within(begin, f"<name>{name}</name>", "<name/>"), profile=OLDER))
        cases.append(eark_case(typed, within(begin, '"IDENTIFICATIONCODE"', '"OTHER"')))
    return cases


SIP = [
    eark_case("SIP1", swap(' LABEL="Hồ sơ 2025"', "")),
    eark_case("SIP1", swap(' LABEL="Hồ sơ 2025"', ' LABEL=""'), name="empty"),
    eark_case("SIP2", swap("E-ARK-SIP-v2-2-0.xml", "E-ARK-SIP.xml")),
    eark_case("SIP2", swap("E-ARK-SIP.xml", "E-ARK-SIP-v2-2-0.xml"), profile=OLDER, name="of another version"),
    eark_case("SIP3", swap(' RECORDSTATUS="NEW"', "")),
    eark_case("SIP3", swap(' RECORDSTATUS="NEW"', ' RECORDSTATUS="OLD"'), name="not in the vocabulary"),
    eark_case("SIP4", swap('OAISPACKAGETYPE="SIP"', 'OAISPACKAGETYPE="AIP"')),
    *(
        case
        for number, kind in ((5, "SUBMISSION"), (6, "PREVIOUSSUBMISSION"))
        for case in (
            eark_case(f"SIP{number}", cut(f'<altRecordID TYPE="{kind}', "</altRecordID>")),
            eark_case(
                f"SIP{number}",
                cut(f'<altRecordID TYPE="{kind}', "</altRecordID>", new=f'<altRecordID TYPE="{kind}AGREEMENT"/>'),
                name="empty",
            ),
        )
    ),
    eark_case(
        "SIP5", swap("</metsHdr>", '<altRecordID TYPE="SUBMISSIONAGREEMENT">b</altRecordID></metsHdr>'), name="two"
    ),
    eark_case("SIP7", cut('<altRecordID TYPE="REFERENCECODE"', "</altRecordID>")),
    eark_case("SIP7", swap("</metsHdr>", '<altRecordID TYPE="REFERENCECODE">b</altRecordID></metsHdr>'), name="two"),
    eark_case("SIP8", cut('<altRecordID TYPE="PREVIOUSREFERENCECODE"', "</altRecordID>")),
    *agent(9, CREATOR, "Sở Nội vụ", "ARCHIVE", "OTHER"),
    *agent(15, SUBMITTER, "UBND xã", "SENDER", "OTHER"),
    *agent(21, CONTACT, "Nguyễn Văn An", "EDITOR", "OTHER"),
    *agent(26, PRESERVER, "Lưu trữ lịch sử", "PRESERVER", "INDIVIDUAL"),
    *(
        case
        for number, name in enumerate(("NAME", "VERSION", "REGISTRY", "KEY"), 32)
        for case in (
            eark_case(f"SIP{number}", swap(f" sip:FILEFORMAT{name}=", " sip:OTHER=", times=2)),
            eark_case(
                f"SIP{number}",
                within('ID="rep1-mets"', f'FILEFORMAT{name}="', f'FILEFORMAT{name}="" x="'),
                name="empty",
            ),
        )
    ),
]
DIP = [
    eark_case("DIP1", swap(' OBJID="goi-tin-1"', ""), ["CSIP1"]),
    eark_case("DIP2", swap("E-ARK-DIP.xml", "E-ARK-CSIP.xml")),
    eark_case("DIP3", swap('OAISPACKAGETYPE="DIP"', 'OAISPACKAGETYPE="SIP"')),
    eark_case("DIP4", within("<dmdSec", 'STATUS="CURRENT"', 'STATUS="SUPERSEDED"')),
]
DIGIPROV = '<digiprovMD ID="digiprov1" STATUS="CURRENT">'
AIP = [
    eark_case("AIPM1", swap(' OBJID="goi-tin-1"', ""), ["CSIP1"]),
    eark_case("AIPM2", swap("E-ARK-AIP-v2-2-0.xml", "E-ARK-AIP.xml")),
    eark_case("AIPM3", swap('OAISPACKAGETYPE="AIP"', 'OAISPACKAGETYPE="SIP"')),
    eark_case("AIPM3", swap('OAISPACKAGETYPE="AIP"', 'OAISPACKAGETYPE="SIP"'), profile="aip@2.0.4", name="of 2.0.4"),
    eark_case("AIPM4", within("<dmdSec", 'STATUS="CURRENT"', 'STATUS="SUPERSEDED"')),
    eark_case("AIPM5", cut("<mdRef", "/>", after=DIGIPROV), ["CSIP35", "CSIP32"]),
    eark_case("AIPM6", within(DIGIPROV, 'MDTYPE="PREMIS"', 'MDTYPE="OTHER"')),
    eark_case("AIPM7", within(DIGIPROV, 'MDTYPEVERSION="3.0"', 'MDTYPEVERSION="2.2"')),
]
CASES = [*SIP, *DIP, *AIP]


@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name)
def test_rule_both_ways(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)


def test_every_rule_of_e_ark_has_a_pair() -> None:
    cases = [*CASES, *test_eark_csip.CASES, *test_eark_files.CASES]
    shown = {code for case in cases for code in case.codes}
    assert {code for code in finding_rules() if code.startswith("EARK-")} == shown
