"""Quarantine on the command line, with a clamd that is there, goes away and comes back."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from administration.archive import Archive, write_settings
from administration.cli import run
from administration.settings import render
from preservation.antivirus.eicar import EICAR
from tests.builders.bags import bag
from tests.services.fake_clamd import FakeClamd

PEOPLE = ("--person", "Nguyễn Văn A", "--reason", "Tệp mẫu"), ("--person", "Trần Thị B", "--reason", "Đồng ý")


class Desk:
    """Someone who types commands at an archive with a scanner."""

    def __init__(self, home: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._capture = capture

    def type(self, *arguments: str) -> tuple[int, str]:
        self._capture.readouterr()
        code = run(["--home", str(self.home), *arguments])
        return code, self._capture.readouterr().out

    def ask(self, *arguments: str, code: int = 0) -> Any:
        found, out = self.type(*arguments, "--json")
        assert found == code, (found, out)
        return json.loads(out)


@pytest.fixture
def clamd(tmp_path: Path) -> Iterator[FakeClamd]:
    with FakeClamd(tmp_path) as fake:
        yield fake


def desk_of(tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]) -> Desk:
    home = tmp_path / "kho"
    settings = render("H20", "Kho thử", [("a", "a"), ("b", "b")])
    write_settings(home, f'{settings}\n[antivirus]\nclamd = "{address}"\n')
    with Archive.open(home) as archive:
        archive.create()
    return Desk(home, capsys)


@pytest.fixture
def desk(tmp_path: Path, clamd: FakeClamd, capsys: pytest.CaptureFixture[str]) -> Desk:
    return desk_of(tmp_path, clamd.address, capsys)


def sent(tmp_path: Path, data: bytes = EICAR) -> Path:
    info = [
        ("Source-Organization", "H20.01"), ("Bag-Group-Identifier", "P01"), ("External-Identifier", "BAG-1"),
        ("External-Description", "Hồ sơ có vi-rút"),
    ]  # fmt: skip
    return bag(tmp_path / "gói", {"lạ.com": data}, info=info, tag_manifests=False)


def test_from_ingest_to_release(desk: Desk, tmp_path: Path) -> None:
    (package,) = desk.ask("ingest", str(sent(tmp_path)), code=1)["packages"]
    id = package["receipt"]["quarantine"]
    (listed,) = desk.ask("quarantine", "list", code=1)["packages"]
    assert (listed["id"], listed["state"], listed["votes"]) == (id, "held", [])
    first = desk.ask("quarantine", "approve", id, *PEOPLE[0])["package"]
    assert (first["state"], len(first["votes"])) == ("held", 1)
    again = desk.ask("quarantine", "approve", id, *PEOPLE[0], code=6)
    assert again["error"]["kind"] == "AlreadyExists"
    released = desk.ask("quarantine", "approve", id, *PEOPLE[1])["package"]
    assert released["state"] == "released"
    assert desk.ask("quarantine", "list") == {"packages": []}
    (over,) = desk.ask("quarantine", "list", "--over")["packages"]
    assert over == released == desk.ask("quarantine", "show", id)["package"]
    (package,) = desk.ask("ingest", str(tmp_path / "gói"))["packages"]
    assert package["receipt"]["aip"] == released["aip"]


def test_what_a_person_reads(desk: Desk, tmp_path: Path) -> None:
    code, out = desk.type("ingest", str(sent(tmp_path)))
    assert code == 1
    found = re.search(r"q-[0-9a-f]{20}", out)
    assert found and "cách ly" in out and "Eicar-Test-Signature" in out
    code, out = desk.type("quarantine", "list")
    assert code == 1 and f"! {found[0]}" in out and "đang chờ quyết định / waits for a decision" in out
    code, out = desk.type("quarantine", "show", found[0])
    assert code == 0 and "tangthu quarantine approve" in out and "Two different people" in out
    assert "The virus scanner found" in out
    code, out = desk.type("quarantine", "discard", found[0], *PEOPLE[0])
    assert code == 0 and "đang chờ quyết định" in out and "Nguyễn Văn A: hủy" in out
    code, out = desk.type("quarantine", "discard", found[0], *PEOPLE[1])
    assert code == 0 and "đã hủy" in out
    assert desk.type("quarantine", "list")[0] == 0
    assert desk.type("quarantine", "show", "q-unknown")[0] == 5
    assert desk.type("ingest", str(tmp_path / "gói"))[0] == 3


def test_a_decision_whose_worker_died_is_done_by_the_clock(desk: Desk, tmp_path: Path) -> None:
    from administration.flows import work_options, workflows
    from administration.work.engine import WorkEngine
    from administration.work.plan import Request
    from metadata.catalogue.quarantine import Decision

    id = desk.ask("ingest", str(sent(tmp_path)), code=1)["packages"][0]["receipt"]["quarantine"]
    with Archive.open(desk.home) as archive:
        for person in ("A", "B"):
            archive.decisions.vote(id, person, Decision.RELEASE, "x")
        with WorkEngine(archive.settings.work_url, workflows(archive), work_options(archive.settings)) as engine:
            engine.enqueue(Request("quarantine", "quarantine@1", {"id": None}))
            done = engine.wait(["quarantine@1"])["quarantine@1"]
    assert done.value[id]["state"] == "released"  # type: ignore[call-overload,index]


def test_a_transfer_waits_for_a_scanner_and_goes_on_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = sent(tmp_path, b"clean")
    desk = desk_of(tmp_path, str(tmp_path / "clamd.sock"), capsys)
    ended = threading.Event()

    def come_back() -> None:
        time.sleep(3)
        with FakeClamd(tmp_path):
            ended.wait()

    thread = threading.Thread(target=come_back)
    thread.start()
    try:
        (found,) = desk.ask("ingest", str(package))["packages"]
    finally:
        ended.set()
        thread.join()
    assert found["receipt"]["verdict"] == "accepted"
    assert "VIRUS-NO-SCANNER" not in found["receipt"]["counts"]


def test_without_a_scanner_the_receipt_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk = desk_of(tmp_path, "", capsys)
    (found,) = desk.ask("ingest", str(sent(tmp_path)))["packages"]
    assert found["receipt"]["counts"]["VIRUS-NO-SCANNER"] == 1


def test_a_worker_that_waits_for_the_scanner_can_be_stopped_and_another_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from administration.flows import ingest_request, work_options, workflows
    from administration.work.engine import WorkEngine

    desk = desk_of(tmp_path, str(tmp_path / "clamd.sock"), capsys)
    package, waits = sent(tmp_path, b"clean"), threading.Event()

    def told(_: str, step: str, *__: int) -> None:
        if step == "waiting for the virus scanner":
            waits.set()

    request = ingest_request(str(package), None, None)
    with Archive.open(desk.home) as archive:
        options = work_options(archive.settings)
        with WorkEngine(archive.settings.work_url, workflows(archive, told), options) as engine:
            engine.enqueue(request)
            assert waits.wait(60)
        assert archive.catalogue.intake.open() == []
    with Archive.open(desk.home) as archive, FakeClamd(tmp_path):
        options = replace(work_options(archive.settings), ttl=0.5)
        with WorkEngine(archive.settings.work_url, workflows(archive), options) as engine:
            status = engine.wait([request.id], timeout=120)[request.id]
    assert '"verdict":"accepted"' in status.value["receipt"]  # type: ignore[call-overload,index,operator]
