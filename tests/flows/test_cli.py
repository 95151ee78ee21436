"""The commands, as a person and a program use them, on real stores and a real catalogue."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import click
import pytest

from administration.archive import Archive
from administration.cli import run
from administration.cli.app import group
from tests.builders.small_bags import FILES, write_bag

PROGRAM = [sys.executable, "-c", "from administration.cli import main; main()"]
ROOT = Path(__file__).parents[2]


class Desk:
    """One archive and someone who types commands."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.home = folder / "kho"
        self._capture = capture

    def type(self, *arguments: str) -> tuple[int, str, str]:
        self._capture.readouterr()
        code = run(["--home", str(self.home), *arguments])
        out, error = self._capture.readouterr()
        return code, out, error

    def ask(self, *arguments: str, code: int = 0) -> Any:
        found, out, error = self.type(*arguments, "--json")
        assert found == code, (found, out, error)
        return json.loads(out)

    def bag(self, objid: str, **details: Any) -> Path:
        return write_bag(self.folder / "nop" / objid, objid, **details)

    def ingest(self, *paths: Path, code: int = 0) -> list[Any]:
        packages: list[Any] = self.ask("ingest", *map(str, paths), code=code)["packages"]
        return packages

    def objects(self, store: str) -> list[Path]:
        return sorted((self.home / store).rglob("v*.zip"))


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(tmp_path, capsys)
    assert made.type("init", "--code", "H20.LTLS", "--name", "Kho thử")[0] == 0
    return made


def test_help_is_quick_because_it_imports_nothing_heavy() -> None:
    check = (
        "import sys; from administration.cli import run; code = run(['ingest', '--help']); "
        "heavy = {'sqlalchemy', 'dbos', 'rich', 'fastapi', 'boto3', 'tantivy', 'lxml', 'uvicorn'} & set(sys.modules); "
        "sys.exit(code or len(heavy) and repr(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def every_command() -> dict[str, click.Command]:
    """Commands by what is typed; those of a group within the group after its name."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        inner = command.commands if isinstance(command, click.Group) else {}
        found |= {f"{name} {word}": one for word, one in inner.items()} or {name: command}
    return found


@pytest.mark.parametrize("typed", sorted(every_command()))
def test_every_command_teaches_in_both_languages_and_speaks_json(
    typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*typed.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--json" in shown
    assert "Mã thoát / Exit codes" in shown
    command = every_command()[typed]
    first = (command.callback.__doc__ or "").splitlines()[0]
    vietnamese, slash, english = first.partition(" / ")
    assert slash and vietnamese != english and not vietnamese.isascii() and english.isascii(), first
    assert all(option.help for option in command.params if isinstance(option, click.Option)), typed


def every_group() -> dict[str, click.Group]:
    return {name: one for name, one in group.commands.items() if isinstance(one, click.Group)}


@pytest.mark.parametrize("name", sorted(every_group()))
def test_every_group_says_what_it_is_in_both_languages(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    first = (every_group()[name].help or "").splitlines()[0]
    vietnamese, slash, english = first.partition(" / ")
    assert slash and not vietnamese.isascii() and english.isascii(), first
    assert run(["--help"]) == 0
    assert first in " ".join(capsys.readouterr().out.split())
    assert run([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Cách dùng / Usage:" in shown and "Tùy chọn / Options:" in shown and "Các lệnh / Commands:" in shown
    assert "Show this message" not in shown


@pytest.mark.parametrize(
    ("arguments", "vietnamese", "english"),
    [
        (["init"], "Thiếu tùy chọn '--code'. Mã cơ quan lưu trữ", "Missing option '--code'. The archive's code."),
        (["nothing"], "Không có lệnh 'nothing'. Xem cách dùng: tangthu --help", "No such command 'nothing'."),
        (["backups", "lst"], "Không có lệnh 'lst'.", "How to use it: tangthu backups --help"),
        (["search"], "Thiếu 'TỪ…'. Xem cách dùng: tangthu search --help", "Missing argument"),
        (["backups", "list", "--limt", "3"], "Không có tùy chọn '--limt'. Có phải là '--limit'?", "Did you mean"),
        (["backup", "list"], "Thừa: list. Để xem danh sách: tangthu backups list.", "To see the list"),
        (["audit", "list"], "Để xem danh sách: tangthu audits list.", "To see the list"),
        (["drill", "--aips", "x"], "Giá trị của '--aips' không dùng được: 'x' không phải là số nguyên.", "not a valid"),
        (["search", "x", "--limit", "0"], "0 không nằm trong khoảng 1<=x<=100.", "is not in the range"),
        (["audits", "begin", "quick", "a"], "'quick' không thuộc 'light', 'deep', 'sample'.", "is not one of"),
        (["ingest", "no such path"], "Không có 'no such path'.", "does not exist."),
        (["forms", "year", "--year"], "Tùy chọn '--year' cần có giá trị theo sau.", "requires an argument."),
        (["sweep", "--now=1"], "Tùy chọn '--now' không nhận giá trị.", "does not take a value."),
        (["forms", "check", "--from", "x"], "không viết theo dạng 'YYYY-MM-DD', 'DD/MM/YYYY'.", "does not match"),
        (["audits", "limit", "x", "fast"], "'fast' không phải là một số.", "is not a valid float."),
        (["trust", "show", "--folder", "/etc/hostname"], "'/etc/hostname' là một tệp; cần một thư mục.", "is a file."),
        (["trust", "add", "/etc"], "'/etc' là một thư mục; cần một tệp.", "is a directory."),
        (["salvage", "x"], "Hãy chọn một: ghi những tệp còn nguyên", "Choose one: write what is whole"),
        (["pack"], "tangthu pack --template", "NGUỒN or --out is missing."),
    ],
)
def test_wrong_usage_is_told_in_both_languages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], vietnamese: str, english: str
) -> None:
    desk = Desk(tmp_path, capsys)
    code, out, error = desk.type(*arguments)
    assert (code, out) == (2, "")
    first, second = error.splitlines()
    assert first.startswith("✗ ") and vietnamese in first, error
    assert second.startswith("  ") and english in second, error
    if arguments[-1] != "--year":
        told = desk.ask(*arguments, code=2)["error"]
        assert (told["kind"], told["exit_code"]) == ("UsageError", 2)
        assert vietnamese in told["vi"] and english in told["en"]


def test_the_commands_are_those_of_the_manual() -> None:
    assert set(group.commands) == {
        "alerts", "audit", "audits", "backup", "backups", "check", "coverage", "dip", "drill", "drills", "export",
        "formats", "forms", "get", "identify", "incidents", "ingest", "init", "pack", "quarantine", "rebuild",
        "repair", "replicate", "restore", "salvage", "search", "serve", "show", "signatures", "storage", "strangers",
        "sweep", "trust", "verify", "worker",
    }  # fmt: skip


class TestBeginning:
    def test_init_makes_an_archive_once(self, desk: Desk) -> None:
        assert (desk.home / "token").stat().st_mode & 0o777 == 0o600
        assert {path.name for path in desk.home.iterdir()} >= {"kho-a", "kho-b", "tangthu.toml", "catalogue.sqlite"}
        answer = desk.ask("init", "--code", "x", "--name", "y", code=6)
        assert answer["error"]["kind"] == "AlreadyExists"

    def test_init_with_named_stores(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        desk = Desk(tmp_path, capsys)
        one, two = tmp_path / "đĩa 1", tmp_path / "đĩa 2"
        answer = desk.ask("init", "--code", "A", "--name", "B", "--store", f"one={one}", "--store", f"two={two}")
        assert answer["stores"] == ["one", "two"]
        assert (one / "tangthu-store.json").is_file() and (two / "tangthu-store.json").is_file()

    @pytest.mark.parametrize(
        "arguments",
        [
            ["init", "--code", "A"],
            ["init", "--code", "A", "--name", "B", "--store", "nonsense"],
            ["init", "--code", "A", "--name", "B", "--store", "UPPER=x"],
            ["nothing"],
            ["ingest", "no such path"],
            ["search"],
            ["audit", "--all", "some-aip"],
        ],
    )
    def test_wrong_usage_is_code_2_and_makes_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
    ) -> None:
        desk = Desk(tmp_path, capsys)
        code, out, error = desk.type(*arguments)
        assert (code, out) == (2, "")
        assert error
        assert not desk.home.exists()

    def test_no_arguments_teach(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run([]) == 2
        assert "tangthu" in "".join(capsys.readouterr())

    def test_an_archive_that_is_not_there_is_not_found(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        desk = Desk(tmp_path, capsys)
        code, out, error = desk.type("show", "x")
        assert (code, out) == (5, "")
        assert "tangthu init" in error

    def test_a_place_that_cannot_be_written_is_told(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "kho").write_text("a file")
        assert Desk(tmp_path, capsys).type("init", "--code", "A", "--name", "B")[0] in (2, 6)

    def test_an_internal_error_is_code_70_and_one_document(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError("secret")

        monkeypatch.setattr("administration.foundation.load", broken)
        answer = desk.ask("show", "x", code=70)
        assert answer["error"]["exit_code"] == 70
        assert "secret" not in json.dumps(answer)
        assert "ZeroDivisionError" in caplog.text


LISTS = {
    "alerts list": ("alerts", "tangthu alerts test"),
    "audits list": ("audits", "tangthu audits begin"),
    "backups list": ("backups", "tangthu backup"),
    "coverage": ("stores", "tangthu ingest"),
    "drills list": ("drills", "tangthu drill"),
    "incidents list": ("incidents", "tangthu coverage"),
    "quarantine list": ("packages", "--over"),
    "storage history": ("history", "tangthu storage list"),
    "strangers list": ("strangers", "tangthu strangers look"),
}
"""Commands that show what there is, the key of what they list, and what an empty archive's owner is told to do."""


class TestEmpty:
    @pytest.mark.parametrize("typed", sorted(LISTS))
    def test_an_empty_list_says_what_to_do_next(self, desk: Desk, typed: str) -> None:
        key, told = LISTS[typed]
        assert not desk.ask(*typed.split())[key]
        code, out, _ = desk.type(*typed.split())
        assert code == 0
        assert told in out

    @pytest.mark.parametrize(
        ("typed", "code", "told"),
        [
            ("audit", 0, "tangthu audit --all"),
            ("drill", 1, "tangthu ingest"),
            ("formats reidentify", 0, ""),
            ("rebuild", 0, ""),
            ("repair", 0, "tangthu audit"),
            ("replicate", 0, ""),
            ("search sen", 5, "tangthu ingest"),
            ("storage list", 0, "đang dùng / active"),
            ("storage show kho-a", 0, "tangthu storage probe"),
            ("strangers look", 0, ""),
            ("sweep", 0, ""),
            ("trust show", 0, "tangthu trust add"),
        ],
    )
    def test_a_command_that_finds_nothing_speaks_in_sentences_and_in_json(
        self, desk: Desk, typed: str, code: int, told: str
    ) -> None:
        assert isinstance(desk.ask(*typed.split(), code=code), dict)
        found, out, error = desk.type(*typed.split())
        assert (found, error) == (code, "")
        assert told in out

    @pytest.mark.parametrize(
        ("typed", "told"),
        [
            ("audits begin deep kho-x", "Có: kho-a, kho-b."),
            ("audits begin deep KHO", "Có: kho-a, kho-b."),
            ("audits pause x", "tangthu audits list"),
            ("coverage --store x", "Có: kho-a, kho-b."),
            ("dip x -o y --request-id 1 --purpose 01", "tangthu search"),
            ("forms backup x", "tangthu backups list"),
            ("incidents show x", "tangthu incidents list"),
            ("quarantine show x", "tangthu quarantine list"),
            ("show x", "tangthu search"),
            ("get x y", "tangthu search"),
            ("salvage x --to y", "tangthu search"),
            ("storage drain x --person a", "Có: kho-a, kho-b."),
            ("storage show x", "Có: kho-a, kho-b."),
            ("strangers look x", "Có: kho-a, kho-b."),
            ("strangers show kho-a x", "tangthu strangers list"),
        ],
    )
    def test_what_is_not_there_is_told_with_the_command_that_lists_what_is(
        self, desk: Desk, typed: str, told: str
    ) -> None:
        code, out, error = desk.type(*typed.split())
        assert (code, out) == (5, ""), error
        assert told in error

    def test_times_are_local_for_people_and_utc_for_programs(self, desk: Desk) -> None:
        drill = desk.ask("drill", code=1)
        assert drill["at"].endswith("Z")
        local = datetime.fromisoformat(drill["at"]).astimezone(timezone(timedelta(hours=7)))
        assert f"{local:%d/%m/%Y %H:%M}  chưa trọn" in desk.type("drills", "list")[1]


class TestLife:
    def test_a_package_from_the_agency_to_the_reader(self, desk: Desk) -> None:
        (package,) = desk.ingest(desk.bag("one"))
        receipt = package["receipt"]
        assert receipt["verdict"] == "accepted"
        assert receipt["stores"] == ["kho-a", "kho-b"]
        aip = f"{receipt['aip']}-v1"

        shown = desk.ask("show", aip)
        assert shown["title"] == "Hồ sơ sen"
        assert {replica["outcome"] for replica in shown["replicas"]} == {"MATCH"}
        assert any(event["type"] == "information package creation" for event in shown["events"])
        code, out, _ = desk.type("show", aip, "--files")
        assert code == 0
        assert "02 Báo cáo.txt" in out and "ingestion end" in out
        checked = next(file["characteristics"] for file in shown["files"] if file["path"].endswith("02 Báo cáo.txt"))
        assert (checked["validity"], checked["signature"]) == ("VALID", None)
        assert "VALID  ·  virus " in out

        # Words that stand nowhere but in a file.
        (found,) = desk.ask("search", '"kính gửi"')["hits"]
        assert found["passage"] == "Kính gửi: các đơn vị\n"
        assert "“Kính gửi: các đơn vị”" in desk.type("search", "kinh gui")[1]

        hits = desk.ask("search", "ho", "so", "sen")["hits"]
        assert aip in {hit["aip"] for hit in hits}
        assert "Hồ sơ sen" in desk.type("search", "hồ sơ sen")[1]
        assert desk.ask("search", "khôngcógì", code=5)["total"] == 0

        member = next(file for file in shown["files"] if file["path"].endswith("02 Báo cáo.txt"))
        target = desk.folder / "out.txt"
        answer = desk.ask("get", aip, member["path"], "-o", str(target))
        assert target.read_bytes() == FILES["02 Báo cáo.txt"]
        assert answer["sha256"] == member["sha256"]
        assert desk.type("get", aip, member["path"], "--range", "6-9", "-o", str(target))[0] == 0
        assert target.read_bytes() == FILES["02 Báo cáo.txt"][6:10]
        assert list(desk.folder.glob("*.part")) == []

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (["no such file"], 5),
            (["99"], 5),
            (["bagit.txt", "--range", "1000-2000"], 2),
            (["bagit.txt", "--range", "x"], 2),
            (["bagit.txt", "--json"], 2),
        ],
    )
    def test_getting_what_is_not_there(self, desk: Desk, arguments: list[str], code: int) -> None:
        (package,) = desk.ingest(desk.bag("one"))
        found, out, error = desk.type("get", package["receipt"]["aip"], *arguments)
        assert found == code
        if "--json" in arguments:
            assert json.loads(out)["error"]["vi"] == "--json cần -o TỆP."
        else:
            assert out == "" and error

    def test_a_bad_package_leaves_nothing_and_the_others_go_on(self, desk: Desk) -> None:
        good, bad = desk.bag("good"), desk.bag("bad", flip="02 Báo cáo.txt")
        empty = desk.folder / "empty"
        empty.mkdir()
        code, out, _ = desk.type("ingest", str(bad), str(empty), str(good))
        assert code == 3
        assert "✗ bad" in out and "✗ empty" in out and "✓ good" in out
        assert [len(desk.objects(store)) for store in ("kho-a", "kho-b")] == [1, 1]
        assert list((desk.home / "tmp").iterdir()) == []
        packages = desk.ingest(bad, empty, good, code=3)
        assert [package["receipt"]["verdict"] for package in packages] == ["refused", "refused", "accepted"]
        assert all(finding["vi"] and finding["en"] for finding in packages[0]["receipt"]["findings"])

    def test_the_same_package_again_has_the_same_receipt(self, desk: Desk) -> None:
        path = desk.bag("one")
        assert desk.ingest(path) == desk.ingest(path)
        assert len(desk.objects("kho-a")) == 1

    def test_a_job_that_was_queued_is_joined_not_doubled(self, desk: Desk) -> None:
        path = desk.bag("one")
        (queued,) = desk.ask("ingest", "--later", str(path))["queued"]
        assert desk.ask("ingest", "--later", str(path))["queued"] == [queued]
        assert desk.objects("kho-a") == []
        assert desk.type("ingest", "--later", str(path))[1].startswith("✓")
        (package,) = desk.ingest(path)
        assert package["receipt"]["verdict"] == "accepted"

    def test_a_missing_store_is_a_temporary_failure(self, desk: Desk) -> None:
        settings = desk.home / "tangthu.toml"
        settings.write_text(settings.read_text("utf-8").replace("[storage]", "[storage]\nretry_seconds = 0.2"), "utf-8")
        (desk.home / "kho-b" / "tangthu-store.json").rename(desk.folder / "unplugged")
        (package,) = desk.ingest(desk.bag("one"), code=4)
        assert package["error"]["retry"] is True
        assert desk.objects("kho-a") == []


class TestKeeping:
    def damage(self, desk: Desk, store: str) -> Path:
        (path,) = desk.objects(store)
        content = bytearray(path.read_bytes())
        content[content.index(b"B\xc3\xa1o c\xc3\xa1o t")] ^= 1
        path.chmod(0o644)
        path.write_bytes(content)
        return path

    def test_damage_is_found_named_repaired_and_gone(self, desk: Desk) -> None:
        desk.ingest(desk.bag("one"))
        code, out, _ = desk.type("audit")
        assert code == 0 and "không có gì đến hạn" in out
        assert desk.ask("audit", "--all")["replicas"] == {"MATCH": 2}
        path = self.damage(desk, "kho-b")
        report = desk.ask("audit", "--all", code=1)
        (damaged,) = report["damaged"]
        assert damaged["replicas"][0]["store"] == "kho-b"
        assert damaged["replicas"][0]["places"][0].endswith("02 Báo cáo.txt")
        code, out, _ = desk.type("audit", damaged["version"])
        assert code == 1 and "02 Báo cáo.txt" in out
        code, out, _ = desk.type("repair")
        assert code == 0 and "kho-b" in out
        assert path.read_bytes() == desk.objects("kho-a")[0].read_bytes()
        assert desk.ask("audit", "--all")["replicas"] == {"MATCH": 2}
        assert desk.ask("repair") == {"repairs": []}
        assert "Không có gì" in desk.type("repair")[1]

    def test_each_step_after_damage_is_told_by_the_one_before(self, desk: Desk) -> None:
        out = desk.type("ingest", str(desk.bag("one")), str(desk.bag("two")))[1]
        assert "2 gói: 2 đã lưu, 0 bị từ chối" in out and "tangthu show" in out
        path = next(path for path in desk.objects("kho-b") if b"B\xc3\xa1o c\xc3\xa1o t" in path.read_bytes())
        content = bytearray(path.read_bytes())
        content[content.index(b"B\xc3\xa1o c\xc3\xa1o t")] ^= 1
        path.chmod(0o644)
        path.write_bytes(content)
        out = desk.type("audit", "--all")[1]
        assert "hư hại (MISMATCH) 1" in out and "tangthu repair" in out and "tangthu incidents list" in out
        assert "1 sự cố đang mở" in desk.type("coverage")[1]
        out = desk.type("incidents", "list")[1]
        told = re.search(r"tangthu (incidents show damage-\w+)", out)
        assert told is not None, out
        shown = desk.type(*told[1].split())[1]
        told = re.search(r"tangthu (repair \S+)", shown)
        assert told is not None, shown
        assert shown.index("được ghi nhận / opened") < shown.index("tangthu repair")
        assert "tangthu incidents list" in desk.type(*told[1].split())[1]
        id = desk.ask("incidents", "list")["incidents"][0]["id"]
        shown = desk.type("incidents", "show", id)[1]
        assert "chép lại cả gói / copied whole từ kho-a, đọc lại / read back" in shown
        assert f"tangthu incidents close {id} --cause" in shown
        words = ("--cause", "đĩa hỏng", "--handling", "thay đĩa", "--person", "Lan")
        closed = desk.type("incidents", "close", id, *words)[1]
        assert "Nguyên nhân / Cause: đĩa hỏng" in closed and f"tangthu forms incident {id}" in closed
        assert desk.type("incidents", "list")[1].startswith("✓ Không có sự cố nào chờ xử lý.")

    def test_what_another_worker_is_at_does_not_stop_the_audit_of_the_others(self, desk: Desk) -> None:
        desk.ingest(desk.bag("one"), desk.bag("two"))
        with Archive.open(desk.home) as archive:
            first = next(archive.catalogue.holdings.every_version())
            archive.catalogue.fixity.lease_version(first.id, archive.clock(), timedelta(hours=1), "another")
        report = desk.ask("audit", "--all", code=4)
        assert (report["audited"], report["postponed"], report["replicas"]) == (1, 1, {"MATCH": 2})

    def test_without_a_good_replica_nothing_is_touched_and_what_can_be_saved_is_listed(self, desk: Desk) -> None:
        (package,) = desk.ingest(desk.bag("one"))
        before = [self.damage(desk, store).read_bytes() for store in ("kho-a", "kho-b")]
        code, out, _ = desk.type("repair", package["receipt"]["aip"])
        assert code == 1 and "02 Báo cáo.txt" in out
        (report,) = desk.ask("repair", package["receipt"]["aip"], code=1)["repairs"]
        assert report["refused"] is True
        assert [desk.objects(store)[0].read_bytes() for store in ("kho-a", "kho-b")] == before

    def test_verify_needs_no_archive(self, desk: Desk) -> None:
        desk.ingest(desk.bag("one"))
        (good,) = desk.objects("kho-a")
        for bare in (["verify", str(good), "--json"],):
            assert run(bare) == 0
        assert desk.ask("verify", str(good))["outcome"] == "MATCH"
        assert "nguyên vẹn" in desk.type("verify", str(good))[1]
        bad = self.damage(desk, "kho-b")
        assert desk.ask("verify", str(bad), code=1)["damages"][0]["place"].endswith("02 Báo cáo.txt")
        assert "02 Báo cáo.txt" in desk.type("verify", str(bad))[1]
        empty = desk.folder / "empty.zip"
        empty.touch()
        assert desk.type("verify", str(empty))[0] in (1, 7)

    def test_rebuild_brings_back_what_was_lost(self, desk: Desk) -> None:
        desk.ingest(desk.bag("one"), desk.bag("two"))
        before = desk.ask("search", "hồ sơ")
        for path in desk.home.glob("catalogue.sqlite*"):
            path.unlink()
        answer = desk.ask("rebuild")
        assert (answer["rebuilt"], answer["known"], answer["lost"], answer["problem_count"]) == (2, 0, [], 0)
        assert desk.ask("search", "hồ sơ") == before
        assert "đã có sẵn 2" in desk.type("rebuild")[1]

    def test_rebuild_tells_of_what_cannot_be_read(self, desk: Desk) -> None:
        desk.ingest(desk.bag("one"))
        for path in desk.home.glob("catalogue.sqlite*"):
            path.unlink()
        for store in ("kho-a", "kho-b"):
            (path,) = desk.objects(store)
            path.chmod(0o644)
            path.write_bytes(b"nothing like an AIP")
        code, out, _ = desk.type("rebuild")
        assert code == 1
        assert "✗" in out or "!" in out

    def test_sweep_clears_what_the_dead_left(self, desk: Desk) -> None:
        left = desk.home / "tmp" / "ingest-dead"
        left.mkdir()
        (left / "spool").write_bytes(b"x")
        assert desk.ask("sweep") == {"uploads": 0, "folders": 0, "away": []}
        assert desk.ask("sweep", "--now") == {"uploads": 0, "folders": 1, "away": []}
        assert not left.exists()
        assert desk.type("sweep")[0] == 0


@contextmanager
def started(desk: Desk, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The program in a process of its own, which is gone in the end whatever happens."""
    with subprocess.Popen(
        [*PROGRAM, "--home", str(desk.home), *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


class TestProcesses:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_worker_takes_the_queue_and_stops_when_told(self, desk: Desk, number: signal.Signals) -> None:
        (queued,) = desk.ask("ingest", "--later", str(desk.bag("one")))["queued"]
        with started(desk, "worker") as process:
            assert process.stdout is not None
            assert "Đang chờ việc" in process.stdout.readline()
            end = time.monotonic() + 60
            while desk.type("search", "sen")[0] != 0:
                assert time.monotonic() < end
                time.sleep(0.2)
            process.send_signal(number)
            _, error = process.communicate(timeout=60)
        assert (process.returncode, error) == (0, "")
        assert len(desk.objects("kho-a")) == 1
        assert queued.startswith("ingest-")

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_serve_opens_the_reading_room_behind_its_token(self, desk: Desk, number: signal.Signals) -> None:
        desk.ingest(desk.bag("one"))
        with started(desk, "serve", "--port", "0", "--json") as process:
            assert process.stdout is not None
            text = ""
            while not text.endswith("}\n"):
                text += process.stdout.readline()
            answer = json.loads(text)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(answer["address"] + "api/search?q=sen")
            assert refused.value.code == 401
            refused.value.close()
            request = urllib.request.Request(
                answer["address"] + "api/search?q=sen", headers={"Authorization": f"Bearer {answer['token']}"}
            )
            with urllib.request.urlopen(request) as response:
                assert "Hồ sơ sen" in response.read().decode()
            process.send_signal(number)
            _, error = process.communicate(timeout=60)
        assert (process.returncode, error) == (0, "")

    def test_a_port_that_is_taken_is_told(self, desk: Desk) -> None:
        import socket

        with socket.create_server(("127.0.0.1", 0)) as taken:
            code, out, error = desk.type("serve", "--no-worker", "--port", str(taken.getsockname()[1]))
        assert (code, out) == (2, "")
        assert "127.0.0.1" in error

    def test_output_into_a_closed_pipe_is_no_error(self, desk: Desk) -> None:
        command = " ".join(["'" + part.replace("'", "'\\''") + "'" for part in [*PROGRAM, "--help"]])
        done = subprocess.run(["bash", "-c", f"set -o pipefail; {command} | head -c 1"], cwd=ROOT, capture_output=True)
        assert done.stderr == b""
