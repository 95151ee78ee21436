"""The officer's path on the command line, over folders: red, understood, repaired, signed, told in the fix file."""

from __future__ import annotations

import json
import re
from pathlib import Path

from administration.archive import Archive
from administration.cli import incidents
from metadata.incidents import IncidentKind
from tests.flows.test_cli import Desk, desk

__all__ = ["desk"]

CONTENT = b"B\xc3\xa1o c\xc3\xa1o t"
PEOPLE = ("--person", "Trần Thị Lan", "--person", "Lê Minh")


def damage(desk: Desk, store: str, what: bytes = CONTENT) -> Path:
    (path,) = desk.objects(store)
    content = bytearray(path.read_bytes())
    content[content.index(what)] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    return path


def test_red_understood_repaired_signed(desk: Desk) -> None:
    desk.ingest(desk.bag("one"))
    assert desk.type("incidents", "list")[0] == 0
    damage(desk, "kho-b")
    desk.ask("audit", "--all", code=1)
    (found,) = desk.ask("incidents", "list", code=1)["incidents"]
    assert (found["kind"], found["state"], found["store"]) == ("damage", "open", "kho-b")
    code, out, _ = desk.type("incidents", "show", found["id"])
    assert code == 0
    assert "02 Báo cáo.txt" in out
    assert "tangthu repair" in out
    words = ("--cause", "đĩa hỏng", "--handling", "thay đĩa", "--person", "Lan")
    assert desk.ask("incidents", "close", found["id"], *words, code=2)["error"]["kind"] == "UsageError"
    desk.ask("repair")
    (mended,) = desk.ask("incidents", "list")["incidents"]
    assert (mended["state"], mended["facts"]["mended"]["from"]) == ("mended", ["kho-a"])
    assert "incidents close" in desk.type("incidents", "show", found["id"])[1]
    assert desk.ask("incidents", "close", found["id"], *words)["incident"]["state"] == "closed"
    assert desk.ask("incidents", "list")["incidents"] == []
    assert "đĩa hỏng" in desk.type("incidents", "show", found["id"])[1]
    target = desk.folder / "fix.json"
    assert desk.type("incidents", "fix-file", found["id"], "--to", str(target))[0] == 0
    told = json.loads(target.read_bytes())
    assert told["incident"]["cause"] == "đĩa hỏng"
    assert desk.type("incidents", "fix-file", found["id"])[1].encode() == target.read_bytes()
    assert desk.type("incidents", "show", "không-có")[0] == 5
    assert desk.type("incidents", "fix-file", found["id"], "--to", str(desk.folder / "không" / "có"))[0] == 2
    assert desk.type("incidents", "list", "--kind", "gì")[0] == 2


def test_alerts_are_queued_once_for_an_incident(desk: Desk) -> None:
    desk.ingest(desk.bag("one"))
    damage(desk, "kho-b")
    desk.type("audit", "--all")
    desk.type("audit", "--all")
    with Archive.open(desk.home) as archive:
        (found,) = archive.catalogue.incidents.listed()
        told = {alert.channel: alert.incident for alert in archive.catalogue.alerts.listed()}
        assert len(archive.catalogue.alerts.listed()) == len(told)
    assert found.seen == 2
    assert set(told.values()) == {found.id}


def test_what_no_replica_has_whole_is_salvaged(desk: Desk) -> None:
    (package,) = desk.ingest(desk.bag("one"))
    aip = package["receipt"]["aip"]
    good = desk.objects("kho-a")[0].read_bytes()
    damage(desk, "kho-a")
    damage(desk, "kho-b", b"BagIt-Version")
    desk.ask("repair", aip, code=1)
    kinds = {one["kind"] for one in desk.ask("incidents", "list", code=1)["incidents"]}
    assert kinds == {"damage", "lost"}
    saved = desk.ask("salvage", aip, "--to", str(desk.folder / "cứu"))
    assert saved["salvage"]["missing"] == 0
    assert desk.type("salvage", aip)[0] == 2
    assert desk.type("salvage", aip, "--to", str(desk.folder / "cứu"))[0] == 2
    assert desk.ask("salvage", aip, "--rebuild", "--person", "Lan", code=2)["error"]["kind"] == "UsageError"
    done = desk.ask("salvage", aip, "--rebuild", *PEOPLE)
    assert done["repair"]["repaired"] == ["kho-a", "kho-b"]
    assert [desk.objects(store)[0].read_bytes() for store in ("kho-a", "kho-b")] == [good, good]
    assert desk.ask("audit", "--all")["replicas"] == {"MATCH": 2}
    assert {one["state"] for one in desk.ask("incidents", "list")["incidents"]} == {"mended"}


def test_what_is_lost_everywhere_is_named(desk: Desk) -> None:
    (package,) = desk.ingest(desk.bag("one"))
    for store in ("kho-a", "kho-b"):
        damage(desk, store)
    code, out, _ = desk.type("salvage", package["receipt"]["aip"], "--to", str(desk.folder / "cứu"))
    assert code == 1
    assert "02 Báo cáo.txt" in out
    assert desk.type("salvage", package["receipt"]["aip"], "--rebuild", *PEOPLE)[0] == 1


def test_strangers_are_told_and_removed_by_two(desk: Desk) -> None:
    desk.ingest(desk.bag("one"))
    stray = desk.home / "kho-a" / "objects" / "lạ.json"
    stray.write_bytes(b"abc")
    settings = desk.home / "tangthu.toml"
    settings.write_text(settings.read_text("utf-8") + "\n[incidents]\nstranger_hours = 0.0000001\n", "utf-8")
    looked = desk.ask("strangers", "look", code=1)["stores"]
    assert [(one["store"], one["strangers"]) for one in looked] == [("kho-a", {"foreign": 1}), ("kho-b", {})]
    assert desk.type("strangers", "list")[0] == 0
    desk.type("strangers", "look", "kho-a")
    (found,) = desk.ask("strangers", "list", code=1)["strangers"]
    assert (found["key"], found["state"]) == ("lạ.json", "told")
    assert [one["kind"] for one in desk.ask("incidents", "list", code=1)["incidents"]] == ["stranger"]
    remove = ("strangers", "remove", "kho-a", "lạ.json", "--reason", "tệp lạc", "--person")
    assert desk.ask(*remove, "Lan")["stranger"]["state"] == "told"
    assert desk.type(*remove, "LAN")[0] == 6
    assert stray.exists()
    assert desk.ask(*remove, "Minh")["stranger"]["state"] == "removed"
    assert not stray.exists()
    assert desk.ask("strangers", "list")["strangers"] == []
    assert desk.ask("strangers", "list", "--all")["strangers"][0]["sha256"]
    assert "Đã xóa" in desk.type("strangers", "show", "kho-a", "lạ.json")[1]
    assert desk.type("strangers", "show", "kho-x", "lạ.json")[0] == 5
    assert desk.type("strangers", "adopt", "kho-a", "lạ.json", "--person", "Lan")[0] == 2


def test_every_kind_says_what_to_do_and_every_way_of_mending_has_its_words() -> None:
    assert {kind.value for kind in IncidentKind} <= set(incidents._NEXT)
    code = "".join(path.read_text("utf-8") for path in (Path(__file__).parents[2] / "preservation").glob("*.py"))
    ways = set(re.findall(r'"how": "([^"]+)"', code)) | set(re.findall(r'repaired_to_json\([^"]+"([^"]+)"', code))
    assert "copied whole" in ways and "repaired" in ways
    assert ways <= set(incidents._HOW)
