"""tangthu check, as a clerk and a script use it: no archive anywhere."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from administration.cli import run
from administration.cli.output import Output
from ingest.reports import read_json
from metadata.errors import NoSpace
from metadata.text import Sentence
from tests.builders.small_bags import FILES, write_bag

ROOT = Path(__file__).parents[2]
BAD = "02 Báo cáo.txt"


class Clerk:
    """Someone at a laptop without an archive; temporary files are watched."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._capture = capture

    def type(self, *arguments: str | Path) -> tuple[int, str, str]:
        self._capture.readouterr()
        code = run(["check", *map(str, arguments)])
        out, error = self._capture.readouterr()
        assert "Traceback" not in error
        assert list(self.temporary.iterdir()) == []
        return code, out, error

    def ask(self, *arguments: str | Path, code: int = 0) -> Any:
        found, out, error = self.type(*arguments, "--json")
        assert found == code, (found, out, error)
        return json.loads(out)


@pytest.fixture
def clerk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Clerk:
    made = Clerk(tmp_path, capsys)
    monkeypatch.setattr("tempfile.tempdir", str(made.temporary))
    monkeypatch.delenv("TANGTHU_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    return made


def test_a_good_package(clerk: Clerk) -> None:
    code, out, error = clerk.type(write_bag(clerk.folder / "tốt"))
    assert (code, error) == (0, "")
    assert out.startswith("✓ tốt: ĐẠT.")
    assert "The package is right by every rule" in out
    assert "Hồ sơ sen" in out


def test_remarks_are_no_reason_to_fail(clerk: Clerk) -> None:
    code, out, _ = clerk.type(write_bag(clerk.folder / "b", files={"a?.txt": b"x"}))
    assert code == 0
    assert out.startswith("! b: ĐẠT, CÓ LƯU Ý.")
    assert "NAME-PORTABILITY" in out


def test_what_is_wrong_and_what_to_do(clerk: Clerk) -> None:
    bag = write_bag(clerk.folder / "b", flip=BAD)
    (bag / "data" / "thừa.txt").touch()
    code, out, _ = clerk.type(bag)
    assert code == 3
    lines = out.splitlines()
    assert lines[0].startswith("✗ b: CHƯA ĐẠT.")
    first = next(at for at, line in enumerate(lines) if line.startswith("  1. Lấy lại tệp gốc"))
    second = next(at for at, line in enumerate(lines) if line.startswith("  2. Bổ sung tệp"))
    assert any("PASS-CHECKSUM" in line for line in lines[first:second])
    assert any(f"Tệp data/{BAD} không khớp" in line for line in lines[first:second])
    assert any(f"File data/{BAD} does not match" in line for line in lines[first:second])
    assert "  ✗ data/" in lines
    assert any(re.fullmatch(rf"  ✗   {BAD}  8,8 kB", line) for line in lines)
    assert any(re.fullmatch(r"      01 Công văn .*", line) for line in lines), "a file without findings has no mark"


def test_long_lists_are_cut_unless_all_is_asked_for(clerk: Clerk) -> None:
    bag = write_bag(clerk.folder / "b")
    for number in range(100):
        (bag / "data" / f"thừa {number:03}").touch()
    _, short, _ = clerk.type(bag)
    assert "… +90" in short
    assert short.count("\n") < 150
    _, long, _ = clerk.type(bag, "--all")
    assert "… +" not in long
    assert "thừa 099" in long


def test_several_packages_one_after_another(clerk: Clerk) -> None:
    good, bad = write_bag(clerk.folder / "tốt"), write_bag(clerk.folder / "xấu", flip=BAD)
    (clerk.folder / "text.zip").write_text("no archive")
    answer = clerk.ask(bad, good, clerk.folder / "text.zip", code=3)
    assert [one["report"]["verdict"] for one in answer["packages"]] == ["refused", "good", "refused"]
    assert [Path(one["path"]).name for one in answer["packages"]] == ["xấu", "tốt", "text.zip"]
    report = read_json(json.dumps(answer["packages"][0]["report"]))
    assert report.counts == {"PASS-CHECKSUM": 1}


def test_reports_are_written(clerk: Clerk) -> None:
    bad = write_bag(clerk.folder / "xấu", flip=BAD)
    (clerk.folder / "r.csv").write_text("an older report")
    code, out, _ = clerk.type(bad, "--report", "r.pdf", "--report", "r.csv", "--report", "r.JSON")
    assert code == 3
    assert "Đã ghi báo cáo r.pdf" in out
    assert (clerk.folder / "r.pdf").read_bytes().startswith(b"%PDF-1.7")
    assert read_json((clerk.folder / "r.JSON").read_text(encoding="utf-8")).counts == {"PASS-CHECKSUM": 1}
    lines = list(csv.reader(io.StringIO((clerk.folder / "r.csv").read_text(encoding="utf-8-sig"))))
    assert [line[1] for line in lines] == ["Mã / Code", "PASS-CHECKSUM"]
    assert {path.name for path in clerk.folder.iterdir()} == {"tmp", "xấu", "r.pdf", "r.csv", "r.JSON"}


def test_reports_of_several_packages_are_numbered(clerk: Clerk) -> None:
    good, bad = write_bag(clerk.folder / "tốt"), write_bag(clerk.folder / "xấu", flip=BAD)
    clerk.type(good, bad, "--report", "r.json")
    verdicts = [read_json((clerk.folder / f"r-{n}.json").read_text(encoding="utf-8")).verdict for n in (1, 2)]
    assert verdicts == ["good", "refused"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["none"],
        ["b", "--profile", "nonsense"],
        ["b", "--profile", "eark-sip@1.0"],
        ["b", "--profile", "bagit@1.0"],
        ["b", "--report", "r.txt"],
        ["b", "--report", "none/r.pdf"],
        ["b", "--report", "b/r.pdf"],
        ["b", "--report", "b/data/r.pdf"],
    ],
)
def test_wrong_usage_is_code_2_and_checks_nothing(
    clerk: Clerk, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bag(clerk.folder / "b")
    monkeypatch.setattr("ingest.check.check_package", None)
    code, out, error = clerk.type(*arguments)
    assert (code, out) == (2, "")
    assert error


def test_an_unknown_profile_is_answered_with_those_there_are(clerk: Clerk) -> None:
    write_bag(clerk.folder / "b")
    _, _, error = clerk.type("b", "--profile", "nonsense")
    assert "tt05-sip-hoso" in error and "2.1.0" in error


def test_a_report_that_cannot_be_written(clerk: Clerk) -> None:
    (clerk.folder / "r.pdf").mkdir()
    write_bag(clerk.folder / "b")
    (clerk.folder / "full").symlink_to("/dev/full")
    assert clerk.type("b", "--report", "r.pdf")[0] == 2
    assert sorted(path.name for path in clerk.folder.iterdir()) == ["b", "full", "r.pdf", "tmp"]


def test_a_machine_without_room_is_code_4_and_the_others_go_on(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingest import check

    real = check.check_package

    def sometimes(path: Path, *arguments: Any, **named: Any) -> Any:
        if path.name == "b":
            raise NoSpace(Sentence("Hết chỗ.", "No room."))
        return real(path, *arguments, **named)

    monkeypatch.setattr(check, "check_package", sometimes)
    answer = clerk.ask(write_bag(clerk.folder / "b"), write_bag(clerk.folder / "c"), code=4)
    assert answer["packages"][0]["error"]["kind"] == "NoSpace"
    assert answer["packages"][1]["report"]["verdict"] == "good"


def test_names_that_move_cursors_or_are_no_text(clerk: Clerk) -> None:
    bag = write_bag(clerk.folder / "b", title="Hồ sơ \x1b[31mđỏ \u202egnp")
    (bag / "data" / "x\x1b[2J.txt").touch()
    (bag / "data" / os.fsdecode(b"\xff.txt")).touch()
    bag.rename(clerk.folder / os.fsdecode(b"g\xfei"))
    for arguments in ([], ["--json"], ["--report", "r.pdf", "--report", "r.csv", "--report", "r.json"]):
        code, out, _ = clerk.type(clerk.folder / os.fsdecode(b"g\xfei"), *arguments)
        assert code == 3
        assert "\x1b" not in out and "\u202e" not in out


def test_progress_only_where_someone_looks(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int, int]] = []
    from contextlib import contextmanager

    @contextmanager
    def progress(self: Output, **_: Any) -> Any:
        yield lambda *what: told.append(what)

    monkeypatch.setattr(Output, "progress", progress)
    clerk.type(write_bag(clerk.folder / "b"))
    assert told[-1][0] == "b"
    assert told[-1][1] == told[-1][2] > 0


def test_it_is_quick_to_start_and_needs_no_catalogue(clerk: Clerk) -> None:
    write_bag(clerk.folder / "b")
    script = (
        "import sys; from administration.cli import run; code = run(['check', 'b', '--json']); "
        "heavy = {'sqlalchemy', 'dbos', 'fastapi', 'boto3', 'tantivy', 'uvicorn', 'typst'} & set(sys.modules); "
        "sys.exit(code or len(heavy) and repr(heavy))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=clerk.folder, capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["packages"][0]["report"]["files"] == len(FILES) + 3
