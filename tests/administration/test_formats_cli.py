"""Telling formats without an archive, and taking newer signature files."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from administration.cli import run
from preservation.identification.data import default_signatures, signatures_in
from tests.builders.samples import PDF_14, PNG, word_document
from tests.builders.skeletons import sample_of


def _identify(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    code = run([*arguments[:-1], "identify", arguments[-1], "--json"])
    return code, {Path(one["path"]).name: one for one in json.loads(capsys.readouterr().out)["files"]}


def test_every_file_of_a_folder_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "trong").mkdir()
    (tmp_path / "công văn.docx").write_bytes(word_document())
    (tmp_path / "trong" / "a.pdf").write_bytes(PDF_14)
    (tmp_path / "trong" / "ảnh.jpg").write_bytes(PNG)
    code, found = _identify(capsys, str(tmp_path))
    assert code == 0
    assert {name: (one["puid"], one["basis"]) for name, one in found.items()} == {
        "công văn.docx": ("fmt/412", "container"),
        "a.pdf": ("fmt/18", "signature"),
        "ảnh.jpg": ("fmt/11", "signature"),
    }
    assert ".jpg" in found["ảnh.jpg"]["warning"]
    assert found["a.pdf"]["warning"] == ""


def test_what_cannot_be_told_is_exit_code_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lạ").write_bytes(b"\x01\x02\x03")
    code, found = _identify(capsys, str(tmp_path))
    assert (code, found["lạ"]["puid"]) == (1, "")


def test_what_is_no_file_or_cannot_be_read_costs_itself_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe that nobody writes to would otherwise be waited for without end."""
    (tmp_path / "a.pdf").write_bytes(PDF_14)
    (tmp_path / "khóa.pdf").write_bytes(PDF_14)
    os.mkfifo(tmp_path / "ống")
    really = os.open

    def refuse(path: Path, *more: int) -> int:
        if Path(path).name == "khóa.pdf":
            raise PermissionError(errno.EACCES, "Permission denied")
        return really(path, *more)

    monkeypatch.setattr("administration.cli.formats.os.open", refuse)
    code = run(["identify", str(tmp_path / "ống"), str(tmp_path), "--json"])
    found = json.loads(capsys.readouterr().out)["files"]
    assert code == 1
    assert [(Path(one["path"]).name, one["puid"]) for one in found] == [
        ("ống", ""),
        ("a.pdf", "fmt/18"),
        ("khóa.pdf", ""),
    ]
    assert "not a regular file" in found[0]["warning"]
    assert "Permission denied" in found[2]["warning"]


def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def walk(top: Path, onerror: Callable[[OSError], None]) -> Iterator[tuple[str, list[str], list[str]]]:
        onerror(PermissionError(errno.EACCES, "Permission denied", str(top)))
        return iter(())

    monkeypatch.setattr("administration.cli.formats.os.walk", walk)
    code, found = _identify(capsys, str(tmp_path))
    assert (code, list(found)) == (1, [tmp_path.name])


def test_a_name_makes_no_second_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a\nfmt 18  application~pdf").write_bytes(b"a")
    assert run(["identify", str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize("names", [[], ["a.pdf"], ["a.pdf", "b.pdf"]])
def test_the_document_is_json_as_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], names: list[str]
) -> None:
    for name in names:
        (tmp_path / name).write_bytes(PDF_14)
    assert run(["identify", str(tmp_path), "--json"]) == 0
    text = capsys.readouterr().out
    found = json.loads(text)
    assert text == json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    assert [Path(one["path"]).name for one in found["files"]] == names


def test_newer_files_are_used_and_older_ones_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home, given = tmp_path / "kho", default_signatures()
    newer = tmp_path / "DROID_SignatureFile_V900.xml"
    text = given.binary.read_text(encoding="utf-8").replace('Version="109"', 'Version="900"')
    newer.write_text(text.replace("255044462D312E34", sample_of("'%PDF-9.9'").hex().upper()), encoding="utf-8")
    for binary in (given.binary, newer):
        assert run(["--home", str(home), "formats", "update", str(binary), str(given.container)]) == 0
    capsys.readouterr()
    assert signatures_in(home / "formats").version.startswith("PRONOM V900, containers ")
    assert len(list((home / "formats").glob("DROID_*.xml"))) == 2
    sums = (home / "formats" / "SHA256SUMS").read_text().splitlines()
    assert f"{hashlib.sha256(newer.read_bytes()).hexdigest()}  DROID_SignatureFile_V900.xml" in sums
    (tmp_path / "mới").write_bytes(PDF_14.replace(b"%PDF-1.4", b"%PDF-9.9"))
    code, found = _identify(capsys, "--home", str(home), str(tmp_path / "mới"))
    assert (code, found["mới"]["puid"]) == (0, "fmt/18")


def test_files_that_are_none_are_refused_and_leave_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "DROID_SignatureFile_V1.xml"
    wrong.write_text("<a/>")
    container = shutil.copy(default_signatures().container, tmp_path)
    assert run(["--home", str(tmp_path / "kho"), "formats", "update", str(wrong), str(container)]) == 2
    assert "PRONOM" in capsys.readouterr().err
    assert not (tmp_path / "kho").exists()
