"""Moving house on the command line: two stores, a third, the first retired, and the rest is enough to rebuild from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from administration.archive import Archive
from metadata.catalogue import Catalogue
from preservation.rebuild import rebuild
from tests.flows.test_cli import Desk

AN = ("--person", "Nguyễn Văn An", "--reason", "máy cũ")
BINH = ("--person", "Trần Thị Bình", "--reason", "đã xem")
POLICY = """
[[policies]]
name = "hai bản"
copies = 2
sites = 2
"""


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(tmp_path, capsys)
    made.ask("init", "--code", "H20.LTLS", "--name", "Lưu trữ lịch sử")
    settings = made.home / "tangthu.toml"
    text = settings.read_text("utf-8").replace('path = "kho-a"', 'path = "kho-a"\nsite = "Huế"')
    text = text.replace('path = "kho-b"', 'path = "kho-b"\nsite = "Hà Nội"')
    settings.write_text(text, "utf-8")
    return made


def _third(desk: Desk) -> None:
    settings = desk.home / "tangthu.toml"
    more = '\n[[stores]]\nid = "kho-c"\npath = "kho-c"\nsite = "Huế"\n'
    settings.write_text(settings.read_text("utf-8") + more + POLICY, "utf-8")
    with Archive.open(desk.home) as archive:
        archive.create()


def test_a_new_store_is_caught_up_by_the_implied_policy(desk: Desk) -> None:
    desk.ingest(desk.bag("một"))
    _third(desk)
    settings = desk.home / "tangthu.toml"
    settings.write_text(settings.read_text("utf-8").replace(POLICY, ""), "utf-8")
    found = desk.ask("replicate", "--dry-run", code=1)
    assert found["missing"]["replicas"] == 1
    assert found["missing"]["sets"][0]["missing"] == ["kho-c"]
    done = desk.ask("replicate")
    assert (done["round"]["copied"], done["missing"]["replicas"]) == (1, 0)
    assert desk.objects("kho-c")[0].read_bytes() == desk.objects("kho-a")[0].read_bytes()
    (receipt,) = desk.ingest(desk.bag("hai"))
    assert receipt["receipt"]["stores"] == ["kho-a", "kho-b", "kho-c"]


def test_a_restore_counts_no_store_that_the_journal_calls_retired(desk: Desk) -> None:
    desk.ingest(desk.bag("một"))
    _third(desk)
    desk.ask("storage", "move", "kho-a", "kho-c", *AN)
    for person in (AN, BINH):
        desk.type("storage", "retire", "kho-a", *person)
    with Archive.open(desk.home) as archive:
        before = list(archive.catalogue.dump())
    lost = desk.folder / "mất"
    desk.home.rename(lost)
    done = desk.ask("restore", *(f"--from=directory={lost / name}" for name in ("kho-a", "kho-b", "kho-c")))
    assert (done["rebuilt"], done["lost"], done["problems"]) == (1, [], [])
    with Archive.open(desk.home) as archive:
        assert list(archive.catalogue.dump()) == before
        (version,) = archive.catalogue.holdings.every_version()
        assert [one.store.value for one in archive.catalogue.holdings.replicas(version.id)] == ["kho-b", "kho-c"]
    assert desk.ask("rebuild")["known"] == 1


def test_moving_house(desk: Desk) -> None:
    desk.ingest(desk.bag("một"), desk.bag("hai"))
    _third(desk)
    assert desk.ask("replicate")["round"]["copied"] == 0
    refused = desk.ask("storage", "retire", "kho-a", *AN, code=2)
    assert "drain kho-a" in refused["error"]["en"]
    begun = desk.ask("storage", "move", "kho-a", "kho-c", *AN, "--later", code=1)
    assert (begun["aips"], begun["left"], begun["ready"], begun["to"]) == (2, 2, False, "kho-c")
    (receipt,) = desk.ingest(desk.bag("ba"))
    assert receipt["receipt"]["stores"] == ["kho-b", "kho-c"]
    done = desk.ask("storage", "move", "kho-a", "kho-c", *AN)
    assert (done["round"]["copied"], done["left"], done["ready"]) == (2, 0, True)
    assert desk.ask("storage", "retire", "kho-a", *AN, code=1)["people"] == ["Nguyễn Văn An"]
    retired = desk.ask("storage", "retire", "kho-a", *BINH)
    assert (retired["retired"], retired["forgotten"], retired["left"]) == (True, 2, 0)
    history = desk.ask("storage", "history", "kho-a")["history"]
    acts = [entry["act"] for entry in reversed(history)]
    assert acts == ["move", "drained", "agree-retire", "agree-retire", "retire", "retired"]
    assert history[1]["person"] == "Nguyễn Văn An, Trần Thị Bình"
    code, out, _ = desk.type("storage", "history")
    assert code == 0
    assert "bắt đầu chuyển sang nơi khác" in out
    assert len(desk.objects("kho-a")) == 2
    shutil.rmtree(desk.home / "kho-a")
    with Archive.open(desk.home) as archive, Catalogue(f"sqlite:///{desk.home / 'again.sqlite'}") as again:
        again.upgrade()
        rest = [archive.stores[store] for store in archive.places.in_use()]
        assert [store.id.value for store in rest] == ["kho-b", "kho-c"]
        report = rebuild(again, rest, archive.clock, archive.schedule)
        assert (report.rebuilt, report.problems, report.lost) == (3, [], [])
        assert list(again.dump()) == list(archive.catalogue.dump())


def test_going_back(desk: Desk) -> None:
    desk.ingest(desk.bag("một"))
    _third(desk)
    desk.ask("storage", "drain", "kho-a", *AN)
    desk.ask("storage", "retire", "kho-a", *AN, code=1)
    desk.ask("storage", "retire", "kho-a", *BINH)
    assert desk.ask("storage", "reinstate", "kho-a", *AN)["replicas"] == 1
    assert desk.ask("storage", "reinstate", "kho-b", *AN, code=2)["error"]["kind"] == "UsageError"
    assert desk.ask("audit")["replicas"]["MATCH"] >= 1
    assert desk.ask("replicate")["missing"]["replicas"] == 0
