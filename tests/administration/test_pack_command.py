"""``tangthu pack`` as a clerk and a script use it: no archive anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from administration.cli import run
from tests.builders.packing import CODE, OTHER, dossier, message, text, workbook

WHO = ["--agency", "Sở Nội vụ", "--fonds", "P_SNV", "--agreement", "01.SNV.2026.01"]


def ask(capture: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    capture.readouterr()
    found = run(["pack", *arguments, "--json"])
    out, error = capture.readouterr()
    assert found == code, (found, out, error)
    return json.loads(out)


def test_a_clerk_packs_and_is_told_what_was_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = workbook(tmp_path)
    arguments = [str(source), "--files", str(tmp_path / "files"), "--out", str(tmp_path / "out"), *WHO]
    assert run(["pack", *arguments]) == 0
    out, error = capsys.readouterr()
    assert error == ""
    assert "Đã đóng gói 1 hồ sơ" in out
    assert CODE in out
    assert run(["pack", *arguments]) == 6
    assert "thư mục mới" in capsys.readouterr().err


def test_a_script_gets_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = workbook(tmp_path, dossiers=[dossier(), dossier(OTHER, title=None)], texts=[text(), text(1, OTHER)])
    arguments = [str(source), "--files", str(tmp_path / "files"), "--out", str(tmp_path / "out"), *WHO]
    refused = ask(capsys, *arguments, code=3)
    assert (refused["refused"], refused["packages"], refused["counts"]) == (True, [], {"TT05-REQUIRED": 1})
    assert (refused["findings"][0]["place"], refused["findings"][0]["severity"]) == ("Hồ sơ!B3", "error")
    assert not (tmp_path / "out").exists()
    made = ask(capsys, *arguments, "--partial", "--first-number", "7", code=1)
    assert [(one["code"], Path(one["path"]).name[:4]) for one in made["packages"]] == [(CODE, "0007")]
    assert len(made["lists"]) == 4
    assert all(Path(path).is_file() for path in [*made["lists"], made["packages"][0]["path"]])


def test_what_is_missing_can_be_written_into_a_workbook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = workbook(tmp_path, dossiers=[dossier(mode="=1+1")], texts=[text(numberOfPage="hai")])
    target = tmp_path / "con-thieu.xlsx"
    arguments = [str(source), "--out", str(tmp_path / "out"), "--missing", str(target), *WHO]
    ask(capsys, *arguments, code=3)
    rows = [[cell.value for cell in row] for row in openpyxl.load_workbook(target).active.iter_rows()]
    assert {(row[1], row[2], row[5]) for row in rows[1:]} >= {
        ("Lỗi / Error", "Hồ sơ!D2", "TT05-CODE"),
        ("Lỗi / Error", "Văn bản!N2", "TT05-NUMBER"),
    }
    assert all(str(row[3]).endswith(".") for row in rows[1:])
    assert run(["pack", *arguments]) == 6


def test_findings_are_sentences_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = workbook(tmp_path, dossiers=[dossier(mode="=kín")])
    assert run(["pack", str(source), "--out", str(tmp_path / "out"), *WHO]) == 3
    out, _ = capsys.readouterr()
    assert "Hồ sơ!D2" in out
    assert "Chưa đóng gói gì" in out


def test_templates_are_written_and_never_over_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "mau.xlsx"
    assert ask(capsys, "--template", str(target), "--kind", "text") == {"template": str(target)}
    before = target.read_bytes()
    assert run(["pack", "--template", str(target)]) == 6
    assert target.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"--fonds": None}, "--fonds"),
        ({"--agency": "hai\ndòng"}, "--agency"),
        ({"--dossier": "title"}, "--dossier"),
        ({"--mapping": "khong-co"}, "khong-co"),
        ({"--first-number": "0"}, "first-number"),
    ],
)
def test_wrong_usage_is_told_before_anything_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, str | None], says: str
) -> None:
    given = {"--out": str(tmp_path / "out"), **dict(zip(WHO[::2], WHO[1::2], strict=True))} | change
    arguments = [part for name, value in given.items() if value is not None for part in (name, value)]
    assert run(["pack", str(workbook(tmp_path)), *arguments]) in (2, 5)
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_edxml_messages_with_their_dossier_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "1.edxml").write_text(message(), encoding="utf-8")
    values = {"fileCode": CODE, "title": "Một", "maintenance": "Vĩnh viễn", "mode": "Công khai", "language": "01"}
    values |= {"riskRecovery": "0", "confidenceLevel": "01"}
    fields = [part for name, value in values.items() for part in ("--dossier", f"{name}={value}")]
    made = ask(capsys, str(tmp_path / "m"), "--out", str(tmp_path / "out"), *WHO, *fields)
    assert [one["documents"] for one in made["packages"]] == [1]
