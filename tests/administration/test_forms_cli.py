"""tangthu forms and tangthu alerts, as a person types them, on an archive with one AIP."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from administration.cli import run
from tests.builders.small_bags import write_bag


class Desk:
    """One archive with one AIP."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture
        assert self.type("init", "--code", "H20", "--name", "Lưu trữ thử")[0] == 0
        assert self.type("ingest", str(write_bag(folder / "nop", "urn:uuid:1")))[0] == 0

    def type(self, *arguments: str) -> tuple[int, str]:
        self._capture.readouterr()
        code = run(["--home", str(self.folder / "kho"), *arguments])
        return code, self._capture.readouterr().out

    def ask(self, *arguments: str, code: int = 0) -> Any:
        found, out = self.type(*arguments, "--json")
        assert found == code, out
        return json.loads(out)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def test_forms_are_written_as_pdf_and_told_as_json(desk: Desk, tmp_path: Path) -> None:
    period = ("--from", "2020-01-01", "--to", "31/12/2030")
    for number, typed in enumerate((("check", *period), ("backup-diary", *period), ("year", "--year", "2030"))):
        path = tmp_path / f"{number}.pdf"
        told = desk.ask("forms", *typed, "--person", "Nguyễn Ánh, Trưởng phòng", "--out", str(path))
        data = path.read_bytes()
        assert data.startswith(b"%PDF-") and told["sha256"] == hashlib.sha256(data).hexdigest()
        assert (told["form"], told["path"], told["size"]) == (typed[0], str(path), len(data))
    again = desk.ask("forms", "year", "--year", "2030", "--person", "Nguyễn Ánh, Trưởng phòng", "--out", str(path))
    assert (again["id"], again["sha256"]) == (told["id"], told["sha256"])
    taken = desk.ask("forms", "year", "--year", "2029", "--out", str(path), code=6)
    assert taken["error"]["kind"] == "AlreadyExists" and path.read_bytes() == data


def test_what_there_is_not_is_told_in_words(desk: Desk, tmp_path: Path) -> None:
    for typed, code in (
        (("incident", "damage-0"), 5),
        (("backup", "none"), 5),
        (("year", "--year", "0"), 2),
        (("check", "--from", "2026-02-02", "--to", "2026-02-01"), 2),
    ):
        assert "error" in desk.ask("forms", *typed, "--out", str(tmp_path / "x.pdf"), code=code)
    assert not (tmp_path / "x.pdf").exists()
    assert "error" in desk.ask("forms", "year", "--year", "2026", "--out", str(tmp_path / "no" / "x.pdf"), code=2)


def test_alerts_without_a_channel_say_what_to_set(desk: Desk) -> None:
    told = desk.ask("alerts", "test", code=2)
    assert "mail_to" in told["error"]["en"]
    assert desk.ask("alerts", "list") == {"channels": [], "waiting": {"mail": 0, "webhook": 0}, "alerts": []}
    assert "Không có cảnh báo nào." in desk.type("alerts", "list")[1]
