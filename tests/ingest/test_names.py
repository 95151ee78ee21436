"""hostile-input A 1-16: names are kept exactly or the package is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.guards import GuardLimits, NameGuard
from ingest.ledger import Ledger
from ingest.scan import scan
from ingest.sources import open_source
from metadata.findings import Findings
from tests.builders.hostile import ZipMember, raw_zip, write

REFUSED = {
    "../../evil.txt": "NAME-ESCAPES",
    "a/../../evil.txt": "NAME-ESCAPES",
    "..": "NAME-ESCAPES",
    "/etc/x": "NAME-ABSOLUTE",
    "/x": "NAME-ABSOLUTE",
    "C:\\x": "NAME-ABSOLUTE",
    "C:/x": "NAME-ABSOLUTE",
    "\\\\srv\\share\\x": "NAME-ABSOLUTE",
    "a\\..\\..\\evil": "NAME-ESCAPES",
    "a\\b": "NAME-BACKSLASH",
    "a.txt\0.exe": "NAME-NUL",
    "a\udcff.txt": "NAME-ENCODING",
    "x" * 300: "NAME-LONG",
    "ế" * 100: "NAME-LONG",
    "/".join(["x" * 200] * 25): "NAME-LONG",
    "d/" * 1000 + "x": "NAME-DEEP",
    "a\nb": "NAME-CONTROL",
    "a\tb": "NAME-CONTROL",
    "a\x85b": "NAME-CONTROL",
    "a//b": "NAME-EMPTY",
    "a/./b": "NAME-EMPTY",
    "   ": "NAME-EMPTY",
    "": "NAME-EMPTY",
    ".": "NAME-EMPTY",
}
NOTED = {
    "a.txt.": "NAME-PORTABILITY",
    "b ": "NAME-PORTABILITY",
    "CON": "NAME-PORTABILITY",
    "d/nul.txt": "NAME-PORTABILITY",
    "aux/x": "NAME-PORTABILITY",
    "x:ads": "NAME-PORTABILITY",
    "abc\u202etxt.exe": "NAME-BIDI",
    "a\u200bb": "NAME-INVISIBLE",
    "a\ue123": "NAME-PRIVATE-USE",
}
PLAIN = (
    "a.txt",
    "-rf",
    "$(id)",
    ";ls",
    "Công văn số 1.pdf",
    "d/Quyết định (2).docx",
    ".hidden",
    "a%0Ab",
    "..a",
    "a..b",
)


@pytest.mark.parametrize(("path", "code"), REFUSED.items(), ids=lambda value: repr(value)[:30])
def test_a_name_that_is_refused(path: str, code: str) -> None:
    findings = Findings()
    assert not NameGuard(findings).judge(path)
    assert list(findings.counts) == [code]
    (found,) = findings.kept()
    assert found.place == path


@pytest.mark.parametrize(("path", "code"), NOTED.items(), ids=lambda value: repr(value)[:30])
def test_a_name_that_is_taken_with_a_remark(path: str, code: str) -> None:
    findings = Findings()
    assert NameGuard(findings).judge(path)
    assert list(findings.counts) == [code]
    assert not findings.refused


@pytest.mark.parametrize("path", PLAIN)
def test_a_name_that_is_taken(path: str) -> None:
    findings = Findings()
    assert NameGuard(findings).judge(path)
    assert findings.kept() == ()


def test_a_bad_folder_is_told_once_and_still_refused() -> None:
    findings = Findings()
    guard = NameGuard(findings)
    assert [guard.judge("../a"), guard.judge("../b"), guard.judge("ok/c")] == [False, False, True]
    assert findings.counts == {"NAME-ESCAPES": 1}


def scanned(tmp_path: Path, names: list[str], limits: GuardLimits | None = None) -> tuple[str | None, Findings]:
    findings = Findings()
    members = [ZipMember(name.encode("utf-8", "surrogateescape")) for name in names]
    source = open_source(write(tmp_path / "x.zip", raw_zip(members)), tmp_path / "q", findings)
    assert source is not None
    with Ledger(tmp_path / "ledger") as ledger:
        root = scan(source, ledger, findings, limits or GuardLimits())
    source.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.zip"]
    return root, findings


def test_two_names_that_are_one_after_nfc(tmp_path: Path) -> None:
    root, findings = scanned(tmp_path, ["d/t\u1ebf", "d/te\u0302\u0301"])
    assert root is None
    assert dict(findings.counts) == {"NAME-ONE-AFTER-NFC": 1}


def test_names_that_differ_in_case_are_both_kept(tmp_path: Path) -> None:
    root, findings = scanned(tmp_path, ["top/A.txt", "top/a.txt"])
    assert root == "top/"
    assert dict(findings.counts) == {"NAME-CASE": 1}


@pytest.mark.parametrize(("names", "code"), [(["a", "a"], "NAME-TWICE"), (["a", "a/b"], "NAME-FILE-AND-FOLDER")])
def test_one_path_is_one_file(tmp_path: Path, names: list[str], code: str) -> None:
    root, findings = scanned(tmp_path, names)
    assert root is None
    assert dict(findings.counts) == {code: 1}


def test_limits_on_files_and_bytes(tmp_path: Path) -> None:
    assert scanned(tmp_path, ["a", "b", "c"], GuardLimits(files=2))[1].counts == {"SOURCE-MANY": 1}
    assert scanned(tmp_path, ["a", "b", "c"], GuardLimits(bytes=2))[1].counts == {"SOURCE-LARGE": 1}
