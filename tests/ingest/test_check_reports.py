"""Reports: JSON that comes back as it was, CSV that runs nothing, PDF/A that holds whatever it is given."""

from __future__ import annotations

import csv
import io
import re
import time
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.check import TREE_LIMIT, CheckedFile, CheckReport, CheckVerdict, check_package
from ingest.reports import ReportFormat, read_json, render
from ingest.reports import pdf_report as pdf
from ingest.reports.csv_report import safe
from ingest.reports.json_report import FORMAT, report_fields
from ingest.reports.tree_rows import TreeRow, tree_rows
from ingest.reports.words import profile_name, severity_mark, verdict_mark, verdict_next
from metadata.findings import LIMIT_PER_CODE, Finding, Findings, Severity, finding, finding_rules
from metadata.package_kinds import PackageKind
from metadata.text import Sentence
from tests.builders.small_bags import write_bag

WHEN = datetime(2026, 5, 20, 2, 30, 59, 123, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    '#read("/etc/passwd")',
    '#{ panic("x") }',
    "*đậm* _nghiêng_ `mã` $x^2$ @ref <label> // chú thích /* */",
    "= Tiêu đề\n- mục\n+ mục",
    '\\"; } ] ) , }',
    "中文 😀 \u202egnp.exe\u200b \ufeff \x00\x07\x1b[31m",
    "te\u0302\u0301 nfd",
    "=cmd|'/C calc'!A0",
    "a" * 5000,
)


def report(**changes: Any) -> CheckReport:
    made = CheckReport(
        name="gói 1.zip",
        profile="tt05-sip-hoso",
        objid="uuid-1",
        title="Hồ sơ sen",
        files=2,
        bytes=1234,
        findings=(finding("PASS-CHECKSUM", "data/ố.pdf", algorithm="sha256", manifest="METS.xml"),),
        counts={"PASS-CHECKSUM": 1},
        tree=(CheckedFile("METS.xml", 12, None), CheckedFile("data/ố.pdf", 1222, Severity.ERROR)),
        verdict=CheckVerdict.REFUSED,
        content="ab" * 32,
    )
    return replace(made, **changes)


def found(place: str, text: str = "Hãy sửa.") -> Finding:
    return Finding("PASS-CHECKSUM", Severity.ERROR, place, Sentence(text, text), "TT 05")


# JSON

TEXT = st.text(max_size=40)
FINDING = st.builds(
    Finding, st.sampled_from(["A-1", "B-2"]), st.sampled_from(Severity), TEXT, st.builds(Sentence, TEXT, TEXT), TEXT
)
FILE = st.builds(CheckedFile, TEXT, st.none() | st.integers(0, 1 << 60), st.none() | st.sampled_from(Severity))


@given(
    st.builds(
        CheckReport,
        name=TEXT,
        profile=st.sampled_from(["", "bagit", "eark-sip@2.1.0"]),
        objid=TEXT,
        title=TEXT,
        files=st.integers(0, 1 << 40),
        bytes=st.integers(0, 1 << 60),
        findings=st.lists(FINDING, max_size=5).map(tuple),
        counts=st.dictionaries(st.sampled_from(["A-1", "B-2"]), st.integers(1, 1 << 40)),
        tree=st.lists(FILE, max_size=5).map(tuple),
        verdict=st.sampled_from(CheckVerdict),
        content=st.sampled_from(["", "ab" * 32]),
    )
)
def test_json_comes_back_as_it_was(made: CheckReport) -> None:
    text = render(made, ReportFormat.JSON, WHEN).decode()
    assert read_json(text) == made
    assert render(read_json(text), ReportFormat.JSON, WHEN).decode() == text


def test_json_of_what_is_not_unicode(tmp_path: Path) -> None:
    odd = "tệp \udcff"
    made = report(name=odd, title=odd, findings=(found(odd),), tree=(CheckedFile(odd, None, Severity.ERROR),))
    text = render(made, ReportFormat.JSON, WHEN).decode()
    assert "tệp \\\\udcff" in text
    assert render(read_json(text), ReportFormat.JSON, WHEN).decode() == text
    for form in ReportFormat:
        assert render(made, form, WHEN)


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"format":"tangthu-check/1"}', '{"format":"x"}', "{", "1"])
def test_what_is_no_report(text: str) -> None:
    with pytest.raises(ValueError):
        read_json(text)


# CSV


def rows(made: CheckReport) -> list[list[str]]:
    data = render(made, ReportFormat.CSV, WHEN)
    assert data.startswith(b"\xef\xbb\xbf"), "Excel reads UTF-8 by this mark"
    return list(csv.reader(io.StringIO(data[3:].decode(), newline="")))


def test_csv_has_a_line_for_each_finding() -> None:
    heading, line = rows(report())
    assert heading[1] == "Mã / Code"
    assert line[:3] == ["error", "PASS-CHECKSUM", "data/ố.pdf"]


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\ufeff=", "\u00a0@", "\x0b=", "\uff1d", "'=", '"=']
)
def test_no_cell_is_a_formula(start: str) -> None:
    cell = rows(report(findings=(found(f"{start}cmd|' /C calc'!A0"),)))[1][2]
    assert cell[0] in ("'", '"')
    assert cell.endswith("cmd|' /C calc'!A0")


@given(st.text(max_size=30))
def test_a_cell_keeps_its_text_and_never_begins_a_formula(text: str) -> None:
    cell = safe(text)
    assert cell.removeprefix("'") == text.replace("\x00", "\\x00").removeprefix("'")
    assert not re.match("[\\s\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20]", cell)
    assert rows(report(findings=(found(text),)))[1][2] == cell


# PDF/A


def streams(data: bytes) -> bytes:
    """The PDF with what is compressed in it unpacked."""
    parts = []
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
        try:
            parts.append(zlib.decompress(match[1]))
        except zlib.error:
            parts.append(match[1])
    return data + b"\n".join(parts)


def test_the_pdf_says_that_it_is_pdf_a_2b() -> None:
    data = render(report(), ReportFormat.PDF, WHEN)
    assert data.startswith(b"%PDF-1.7")
    whole = streams(data)
    assert re.search(rb"pdfaid:part[>=]\"?2", whole)
    assert re.search(rb"pdfaid:conformance[>=]\"?B", whole)
    assert b"/OutputIntents" in whole and b"/GTS_PDFA1" in whole and b"/DestOutputProfile" in whole
    assert b"/Encrypt" not in whole and b"/JavaScript" not in whole and b"/URI" not in whole
    assert whole.count(b"/FontFile") >= 1, "fonts are embedded"
    assert "Báo cáo kiểm tra gói tin gói 1.zip".encode() in whole, "the title is in the metadata"
    assert b"/Lang" in whole


def test_the_same_report_is_the_same_bytes() -> None:
    for form in ReportFormat:
        assert render(report(), form, WHEN) == render(report(), form, WHEN)
    elsewhere = WHEN.astimezone(timezone(timedelta(hours=-5)))
    assert render(report(), ReportFormat.PDF, WHEN) == render(report(), ReportFormat.PDF, elsewhere)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_pdf_holds_whatever_it_is_given(text: str) -> None:
    made = report(
        name=text,
        title=text,
        objid=text,
        findings=(found(text, text),),
        tree=(CheckedFile(text, 1, Severity.ERROR), CheckedFile(f"a/{text}/b", None, None)),
    )
    data = render(made, ReportFormat.PDF, WHEN)
    assert data.startswith(b"%PDF-1.7")
    assert b"root:" not in streams(data)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(), max_size=200))
def test_a_pdf_is_made_of_any_text(text: str) -> None:
    made = report(title=text, findings=(found(text, text),), tree=(CheckedFile(text, 1, Severity.ERROR),))
    assert render(made, ReportFormat.PDF, WHEN)


def test_the_fonts_have_every_letter_that_is_drawn_as_it_is() -> None:
    letters = [chr(c) for c in range(0x20, 0x10000) if not 0xD800 <= c <= 0xDFFF and pdf.drawn(chr(c)) == chr(c)]
    assert {*"ằẳẵắặấầẩẫậđĐơƯỹ", "\u0301"} <= set(letters)
    text = "".join(f"a{c}" if "\u0300" <= c < "\u0370" else c for c in letters)
    pieces = [text[at : at + 500] for at in range(0, len(text), 500)]
    for piece in pieces:
        made = report(title=piece, name=piece, findings=(found(piece, piece),), tree=(CheckedFile(piece, 1, None),))
        assert render(made, ReportFormat.PDF, WHEN)


def layout(made: CheckReport) -> dict[str, Any]:
    return pdf._layout(made, WHEN)


def test_every_report_can_be_laid_out(tmp_path: Path) -> None:
    for verdict in CheckVerdict:
        empty = report(verdict=verdict, findings=(), counts={}, tree=(), title="", objid="", content="", profile="")
        assert render(empty, ReportFormat.PDF, WHEN)
    bag = write_bag(tmp_path / "bag")
    (tmp_path / "work").mkdir()
    assert render(check_package(bag, tmp_path / "work"), ReportFormat.PDF, WHEN)


def test_times_are_those_of_vietnam() -> None:
    late = datetime(2026, 5, 19, 23, 30, tzinfo=UTC)
    facts = {one["en"]: one["value"] for one in pdf._layout(report(), late)["facts"]}
    assert facts["Checked"] == "20/05/2026 06:30 (+07:00)"
    assert facts["Files, size"] == "2 · 1,2 kB"


def test_a_report_of_everything_wrong_is_bounded_and_says_so() -> None:
    findings = Findings()
    for code in finding_rules():
        for number in range(1005):
            rule = finding_rules()[code]
            text = rule.template.vi + rule.template.en
            names = {part.split("}")[0] for part in text.split("{")[1:]} - {"place"}
            findings.add(code, f"representations/rep1/data/tệp {number}.pdf", **dict.fromkeys(names, "giá trị"))
    made = report(
        findings=findings.kept(),
        counts=findings.counts,
        files=1_000_000,
        tree=tuple(CheckedFile(f"{n // 50}/{n}", n, Severity.ERROR if n % 9 == 0 else None) for n in range(5000)),
    )
    laid = layout(made)
    kinds = [kind for action in laid["actions"] for kind in action["kinds"]]
    assert len(kinds) == len(finding_rules()), "no kind is left out"
    assert sum(len(kind["findings"]) for kind in kinds) <= max(pdf.FINDING_LIMIT, len(kinds))
    assert all(kind["unlisted"] for kind in kinds)
    assert sum(not row["folder"] for row in laid["tree"]) == pdf.FILE_LIMIT
    assert laid["unlisted"] == "999.700"
    began = time.process_time()
    assert len(render(made, ReportFormat.PDF, WHEN)) < 5_000_000
    assert time.process_time() - began < 60


def test_places_share_the_room() -> None:
    many = tuple(found(f"{number}") for number in range(1000))
    (action,) = layout(report(findings=many, counts={"PASS-CHECKSUM": 7000}))["actions"]
    (kind,) = action["kinds"]
    assert (len(kind["findings"]), kind["unlisted"], kind["count"]) == (pdf.KIND_LIMIT, "6.975", "7.000")


# The tree, and words


def test_folders_stand_once_and_carry_the_gravest_mark() -> None:
    files = [
        CheckedFile("a/b/1", 1, Severity.NOTE),
        CheckedFile("a/c", 2, Severity.ERROR),
        CheckedFile("a.txt", 3, None),
        CheckedFile("d/", None, Severity.WARNING),
        CheckedFile("a/b/2", None, None),
    ]
    assert list(tree_rows(files)) == [
        TreeRow(0, "a/", None, Severity.ERROR),
        TreeRow(1, "b/", None, Severity.NOTE),
        TreeRow(2, "1", 1, Severity.NOTE),
        TreeRow(2, "2", None, None),
        TreeRow(1, "c", 2, Severity.ERROR),
        TreeRow(0, "a.txt", 3, None),
        TreeRow(0, "d/", None, Severity.WARNING),
    ]


@given(st.lists(st.text("ab/", max_size=8).map(lambda path: CheckedFile(path, 1, None)), max_size=10))
def test_every_file_has_a_row(files: list[CheckedFile]) -> None:
    made = list(tree_rows(files))
    assert sum(not row.is_folder for row in made) == sum(not one.path.endswith("/") for one in files)


def test_there_are_words_for_everything() -> None:
    for verdict in CheckVerdict:
        assert verdict_mark(verdict).sign and verdict_next(verdict).vi
    assert len({severity_mark(one).sign for one in Severity}) == len(Severity)
    for kind in PackageKind:
        assert profile_name(kind.value).vi != profile_name("").vi
    assert profile_name("eark-sip@2.1.0").en.endswith("2.1.0")


def test_the_guide_says_what_reports_are() -> None:
    text = (Path(__file__).parents[2] / "docs" / "checking.md").read_text(encoding="utf-8")
    fields = report_fields(report())
    keys = {*fields, *fields["findings"][0], *fields["tree"][0]} - {"format"}
    assert not {key for key in keys if f"`{key}`" not in text and f"[].{key}`" not in text and f", `{key}`" not in text}
    assert FORMAT in text
    assert not {kind.value for kind in PackageKind if f"`{kind.value}`" not in text}
    assert f"{pdf.KIND_LIMIT} chỗ mỗi loại, {pdf.FINDING_LIMIT} chỗ và {pdf.FILE_LIMIT} tệp" in text
    assert "tối đa 5.000 tệp" in text and TREE_LIMIT == 5000
    assert "1.000 chỗ đầu" in text and LIMIT_PER_CODE == 1000
