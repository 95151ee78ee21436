"""Every code of TT 05's table of formats and of its rules for digitised documents."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from metadata.characteristics import Characteristics, Facts
from metadata.findings import Findings, Severity
from metadata.holdings import UNIDENTIFIED, Format
from metadata.identifiers import Puid
from metadata.outcomes import SignatureOutcome
from metadata.tt05.judge_formats import Entry, Origin, judge_formats, origin_of
from metadata.tt05.profile import default_profile, parse_profile, profile_text
from tests.rules.cases import Case


def format_of(puid: str, mime: str, name: str = "", version: str = "") -> Format:
    return Format(Puid(puid), name, version, mime, "signature")


PDF = format_of("fmt/477", "application/pdf", "PDF/A", "2b")
SCAN = Facts(pages=2, resolution=200, claim="PDF/A-2b", colour="rgb")
SIGNED = Characteristics(signature=SignatureOutcome.VALID, signatures=1, facts=SCAN)
MP3 = format_of("fmt/134", "audio/mpeg", "MP3")
AVI = format_of("fmt/5", "video/x-msvideo", "AVI")


def found(*entries: Entry, origin: Origin = Origin.UNKNOWN, checked: bool = True) -> Findings:
    findings = Findings()
    judge_formats(findings, default_profile(), entries, origin=lambda _: origin, signatures_checked=checked)
    return findings


def facts(**changes: object) -> Characteristics:
    return replace(SIGNED, facts=replace(SCAN, **changes))


def case(code: str, good: Entry, bad: Entry, origin: Origin = Origin.DIGITISED) -> Case:
    """A folder of a case has the name of the entry that it stands for."""
    entries = {"good": good, "bad": bad}

    def judge(folder: Path, _: Path, profile: str) -> set[str]:
        return set(found(entries[json.loads((folder / "entry").read_text())], origin=Origin(profile)).counts)

    def build(folder: Path) -> Path:
        (folder / "entry").write_text(json.dumps(folder.name))
        return folder

    return Case(code, frozenset({f"TT05-{code}"}), build, build, profile=origin.value, judge=judge)


CASES = [
    case(
        "FORMAT-CONTENT",
        ("1.pdf", PDF, SIGNED),
        ("1.pdf", format_of("x-fmt/44", "application/vnd.wordperfect", "WordPerfect", "6.0"), SIGNED),
    ),
    case(
        "FORMAT-VERSION",
        ("1.gif", format_of("fmt/4", "image/gif", "GIF", "89a"), SIGNED),
        ("1.gif", format_of("fmt/3", "image/gif", "GIF", "87a"), SIGNED),
    ),
    case("FORMAT-PDFA", ("1.pdf", PDF, SIGNED), ("1.pdf", PDF, facts(claim="")), Origin.BORN_DIGITAL),
    case("FORMAT-SCAN-PDFA", ("1.pdf", PDF, SIGNED), ("1.pdf", PDF, facts(claim=""))),
    case("FORMAT-RESOLUTION", ("1.pdf", PDF, SIGNED), ("1.pdf", PDF, facts(resolution=199))),
    case("FORMAT-COLOUR", ("1.pdf", PDF, SIGNED), ("1.pdf", PDF, facts(colour="grey"))),
    case("FORMAT-UNSIGNED", ("1.pdf", PDF, SIGNED), ("1.pdf", PDF, replace(SIGNED, signature=None, signatures=0))),
    case("FORMAT-BIT-RATE", ("1.mp3", MP3, facts(bit_rate=128_000)), ("1.mp3", MP3, facts(bit_rate=127_999))),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)


@pytest.mark.parametrize(
    ("entry", "origin", "codes"),
    [
        # Maps and drawings need 300 dpi; a film more than a sound.
        (("1.pdf", PDF, facts(resolution=299)), Origin.DIGITISED_DRAWING, {"TT05-FORMAT-RESOLUTION"}),
        (("1.pdf", PDF, facts(resolution=300)), Origin.DIGITISED_DRAWING, set()),
        (("1.avi", AVI, facts(bit_rate=1_499_999)), Origin.DIGITISED, {"TT05-FORMAT-BIT-RATE"}),
        (("1.avi", AVI, facts(bit_rate=1_500_000)), Origin.DIGITISED, set()),
        # Born digital: pictures in it may be of any kind. Unknown: pages that are pictures are a scan.
        (("1.pdf", PDF, facts(resolution=72, colour="grey")), Origin.BORN_DIGITAL, set()),
        (("1.pdf", PDF, facts(resolution=72)), Origin.UNKNOWN, {"TT05-FORMAT-RESOLUTION"}),
        (("1.pdf", PDF, Characteristics(facts=Facts(pages=1, claim="PDF/A-1b"))), Origin.UNKNOWN, set()),
        (("1.mp3", MP3, facts(bit_rate=8000)), Origin.UNKNOWN, set()),
        # What nobody looked into is not judged; nor what was told by its name only, nor formats without media type.
        (("1.pdf", PDF, Characteristics()), Origin.BORN_DIGITAL, set()),
        (("1.pdf", UNIDENTIFIED, Characteristics()), Origin.BORN_DIGITAL, set()),
        (("1.gif", replace(format_of("fmt/3", "image/gif"), basis="extension"), SIGNED), Origin.BORN_DIGITAL, set()),
        (("1.mkv", format_of("fmt/569", ""), SIGNED), Origin.BORN_DIGITAL, set()),
        # The name outside the table is told of with METS.
        (("1.dwg", format_of("fmt/36", "image/vnd.dwg"), SIGNED), Origin.BORN_DIGITAL, set()),
        # PRONOM's words for what the table has.
        (("1.rtf", format_of("fmt/53", "application/rtf, text/rtf"), SIGNED), Origin.BORN_DIGITAL, set()),
        (("1.txt", format_of("x-fmt/111", "text/plain; charset=utf-8"), SIGNED), Origin.BORN_DIGITAL, set()),
        (("1.mp4", format_of("fmt/199", "application/mp4, video/mp4"), SIGNED), Origin.BORN_DIGITAL, set()),
    ],
)
def test_what_is_judged(entry: Entry, origin: Origin, codes: set[str]) -> None:
    assert set(found(entry, origin=origin).counts) == codes


def test_signatures_that_nobody_looked_for_are_not_missed() -> None:
    unsigned = replace(SIGNED, signature=None, signatures=0)
    assert not found(("1.pdf", PDF, unsigned), origin=Origin.DIGITISED, checked=False).counts


def test_nothing_of_it_refuses_a_package_unless_the_profile_says_so() -> None:
    entry = ("1.pdf", PDF, facts(resolution=10, claim="", colour="bilevel"))
    assert not found(entry, origin=Origin.DIGITISED).refused
    text = profile_text().replace('TT05-FORMAT-RESOLUTION = "warning"', 'TT05-FORMAT-RESOLUTION = "error"')
    findings = Findings()
    judge_formats(findings, parse_profile(text), [entry])
    assert {one.code for one in findings.kept() if one.severity is Severity.ERROR} == {"TT05-FORMAT-RESOLUTION"}


@pytest.mark.parametrize(
    ("confidence", "type_name", "origin"),
    [
        ("01", "30", Origin.BORN_DIGITAL),
        ("02", "", Origin.DIGITISED),
        ("02", "31", Origin.DIGITISED_DRAWING),
        ("03", "", Origin.UNKNOWN),
        ("", "", Origin.UNKNOWN),
    ],
)
def test_how_a_document_came_to_be(confidence: str, type_name: str, origin: Origin) -> None:
    assert origin_of(confidence, type_name) is origin
