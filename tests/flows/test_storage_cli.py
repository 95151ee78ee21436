"""Stores on the command line: added, tried out, closed as a set, checked with no archive at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from administration.archive import Archive
from metadata.journal import EntryKind
from tests.flows.test_cli import Desk


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(tmp_path, capsys)
    assert made.type("init", "--code", "H20.LTLS", "--name", "Kho thử")[0] == 0
    return made


def test_a_store_is_added_and_what_was_written_before_stays(desk: Desk) -> None:
    file = desk.home / "tangthu.toml"
    before = file.read_text() + "# ghi chú của người quản trị\n"
    file.write_text(before)
    answer = desk.ask("storage", "add", "kho-c", "--path", "kho-c", "--set", "site=Đà Lạt", "--by", "An")["store"]
    assert file.read_text().startswith(before)
    assert (answer["site"], answer["probe"]["abilities"]["hard-links"]) == ("Đà Lạt", "yes")
    assert (desk.home / "kho-c" / "tangthu-store.json").is_file()
    shown = desk.ask("storage", "show", "kho-c")["store"]
    assert shown["probe"]["abilities"] == answer["probe"]["abilities"]
    assert [one["id"] for one in desk.ask("storage", "list")["stores"]] == ["kho-a", "kho-b", "kho-c"]
    assert 0 < shown["free"] < shown["total"]
    assert {"free", "total", "nearly_full", "short"} <= set(desk.ask("storage", "list")["stores"][0])
    file.write_text(file.read_text().replace("[storage]", "[storage]\nlow_percent = 100.0"))
    assert "«kho-c» gần đầy" in desk.type("storage", "list")[2] + desk.type("storage", "list")[1]
    with Archive.open(desk.home) as archive:
        entry = archive.catalogue.journal.entries(EntryKind.STORE, "kho-c")[0].entry
    assert (entry.act, entry.person, entry.document["site"]) == ("added", "An", "Đà Lạt")
    code, out, _ = desk.type("storage", "probe", "kho-c")
    assert code == 0 and "✓ hard-links" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["kho-a", "--path", "x"],
        ["kho-c"],
        ["KHO", "--path", "x"],
        ["kho-c", "--path", "x", "--set", "nonsense=1"],
        ["kho-c", "--path", "x", "--set", "cold=true"],
        ["kho-c", "--path", "x", "--set", "offline=perhaps"],
        ["kho-c", "--path", "x", "--set", "site"],
        ["kho-c", "--endpoint", "http://x", "--bucket", "b", "--set", "lock=governance"],
        ["kho-c", "--endpoint", "http://x", "--bucket", "b", "--set", "credentials=file"],
        ["kho-c", "--path", "."],
    ],
)
def test_a_store_that_cannot_be_changes_nothing(desk: Desk, arguments: list[str]) -> None:
    before = (desk.home / "tangthu.toml").read_bytes()
    assert desk.type("storage", "add", *arguments)[0] == 2
    assert (desk.home / "tangthu.toml").read_bytes() == before


def test_a_set_is_closed_carried_away_and_checked_by_itself(desk: Desk) -> None:
    desk.ask("storage", "add", "bang-1", "--path", "bang-1", "--set", "offline=true", "--set", "label=Băng 1")
    [packed] = desk.ingest(desk.bag("HS-1"))
    assert packed
    medium = desk.home / "bang-1"
    if not list(medium.rglob("v*.zip")):  # the policy may leave a medium to be written by hand
        for source in [*(desk.home / "kho-a" / "objects").rglob("*")]:
            if source.is_file() and "_tangthu" not in source.parts:
                target = medium / source.relative_to(desk.home / "kho-a")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read_bytes())
    sealed = desk.ask("storage", "seal", "bang-1", "--by", "An")
    assert (sealed["label"], sealed["objects"] >= 3) == ("Băng 1", True)
    away = desk.folder / "away"
    medium.rename(away)
    report = desk.ask("verify", str(away))
    assert {one["outcome"] for one in report["checked"]} == {"MATCH"}
    assert any(one["key"].endswith("v1.zip") for one in report["checked"])
    [package] = away.rglob("v1.zip")
    package.chmod(0o600)
    data = bytearray(package.read_bytes())
    data[len(data) // 2] ^= 1
    package.write_bytes(data)
    report = desk.ask("verify", str(away), code=1)
    assert [one["outcome"] for one in report["checked"] if one["key"].endswith("v1.zip")] == ["MISMATCH"] * 2
    assert desk.type("verify", str(desk.folder))[0] == 2


def test_a_medium_on_its_shelf_stops_nothing(desk: Desk) -> None:
    desk.ask("storage", "add", "bang-1", "--path", "bang-1", "--set", "offline=true")
    (desk.home / "bang-1").rename(desk.folder / "away")
    assert desk.ask("storage", "list")["stores"][2]["id"] == "bang-1"
    desk.ask("storage", "probe", "kho-a")
    answer = desk.ask("storage", "probe", "bang-1", code=4)
    assert answer["error"]["kind"] == "OnShelf"


def test_a_medium_that_is_taken_away_is_not_connected_and_nothing_else(desk: Desk) -> None:
    desk.ask("storage", "add", "bang-1", "--path", "bang-1", "--set", "offline=true")
    (package,) = desk.ingest(desk.bag("một"))
    desk.ask("replicate")
    aip = package["receipt"]["aip"]
    (desk.home / "bang-1").rename(desk.home / "giá")
    found = desk.ask("audit", aip)
    assert (found["replicas"], found["not_connected"], found["postponed"]) == ({"MATCH": 2}, 1, 0)
    code, told, _ = desk.type("audit", aip)
    assert code == 0 and "chưa nối vào máy" in told
    waits = {one["store"]: one["waits"] for one in desk.ask("audits", "list")["standing"]}
    assert waits["kho-a"] is None and "connected" in waits["bang-1"]["en"]
    stores = desk.ask("coverage")["stores"]
    assert stores["kho-a"]["waits"] is None and "connected" in stores["bang-1"]["waits"]["en"]
    assert desk.ask("repair", aip)["repairs"][0]["not_connected"] == ["bang-1"]
    (desk.home / "giá").rename(desk.home / "bang-1")
    assert desk.ask("audit", aip)["replicas"] == {"MATCH": 3}
