"""The officer's pages and the API of the quarantine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from httpx import Client

from administration.application import application
from administration.archive import Archive, write_settings
from administration.checks import CheckDesk
from administration.packs import PackDesk
from administration.settings import render
from ingest.place import Submission
from preservation.antivirus.eicar import EICAR
from tests.builders.bags import bag
from tests.builders.browser import browser
from tests.services.fake_clamd import FakeClamd

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with FakeClamd(tmp_path) as clamd:
        settings = render("H20", "Kho thử", [("a", "a"), ("b", "b")])
        write_settings(tmp_path / "kho", f'{settings}\n[antivirus]\nclamd = "{clamd.address}"\n')
        with Archive.open(tmp_path / "kho") as made:
            made.create()
            yield made


@pytest.fixture
def held(archive: Archive, tmp_path: Path) -> str:
    info = [
        ("Source-Organization", "H20.01"), ("Bag-Group-Identifier", "P01"), ("External-Identifier", "BAG-1"),
        ("External-Description", f"Hồ sơ {EVIL}"),
    ]  # fmt: skip
    sent = bag(tmp_path / "gói", {"lạ.com": EICAR}, info=info, tag_manifests=False)
    return archive.ingest.receive("job", Submission(sent)).quarantine


@pytest.fixture
def client(archive: Archive) -> Iterator[Client]:
    with ExitStack() as stack:
        desks = stack.enter_context(CheckDesk.of(archive)), stack.enter_context(PackDesk.of(archive))
        yield stack.enter_context(browser(application(archive, *desks)))


@pytest.fixture
def program(client: Client, archive: Archive) -> Client:
    client.headers["Authorization"] = f"Bearer {archive.token}"
    return client


@pytest.fixture
def officer(client: Client, archive: Archive) -> Client:
    """Somebody who has come in through the door."""
    form = re.search(r'name="form" value="([^"]+)"', client.get("/login").text)
    assert form
    client.post("/login", data={"form": form[1], "token": archive.token})
    return client


def decide(officer: Client, id: str, **fields: str):
    form = re.search(rf'action="/quarantine/{id}">\s*<input type="hidden" name="form" value="([^"]+)"',
                     officer.get(f"/quarantine/{id}").text)  # fmt: skip
    assert form
    return officer.post(f"/quarantine/{id}", data={"form": form[1], **fields}, follow_redirects=False)


def test_nobody_sees_or_decides_without_coming_in(client: Client, held: str) -> None:
    for path in ("/quarantine", f"/quarantine/{held}", "/api/quarantine", f"/api/quarantine/{held}"):
        assert client.get(path).status_code == 401
    ballot = {"person": "A", "decision": "release", "reason": "x"}
    assert client.post(f"/api/quarantine/{held}/votes", json=ballot).status_code == 401
    assert client.post(f"/quarantine/{held}", data=ballot).status_code == 401


def test_the_pages_tell_what_waits_and_two_people_decide(officer: Client, archive: Archive, held: str) -> None:
    assert '<b class="waits">1</b>' in officer.get("/").text
    listed = officer.get("/quarantine").text
    assert held in listed and "Chờ quyết định" in listed and EVIL not in listed
    page = officer.get(f"/quarantine/{held}").text
    assert "Eicar-Test-Signature" in page and "ClamAV 1.4.6" in page and EVIL not in page
    assert "<script" not in page and 'style="' not in page
    answer = decide(officer, held, person=f"A {EVIL}", reason="Báo nhầm", decision="release")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/quarantine/{held}")
    assert EVIL not in officer.get(f"/quarantine/{held}").text
    again = decide(officer, held, person=f"a {EVIL}", reason="Báo nhầm", decision="release")
    assert again.status_code == 409 and "cần một người khác" in again.text
    assert decide(officer, held, person="", reason="x", decision="release").status_code == 422
    assert decide(officer, held, person="B", reason="x", decision="burn").status_code == 422
    assert decide(officer, held, person="B", reason="Đồng ý", decision="release").status_code == 303
    page = officer.get(f"/quarantine/{held}").text
    assert "Đang tiếp nhận" in page and "<form class" not in page
    archive.decisions.carry_out("worker", held)
    page = officer.get(f"/quarantine/{held}").text
    assert "Đã tiếp nhận" in page and "/dossiers/" in page
    assert 'class="waits"' not in officer.get("/").text
    assert "Không có gói tin nào chờ quyết định" in officer.get("/quarantine").text


def test_a_form_that_did_not_come_from_the_page_decides_nothing(officer: Client, archive: Archive, held: str) -> None:
    fields = {"person": "A", "reason": "x", "decision": "discard"}
    assert officer.post(f"/quarantine/{held}", data=fields).status_code == 403
    assert officer.post(f"/quarantine/{held}", data={**fields, "form": "x"}).status_code == 403
    assert archive.catalogue.quarantine.get(held).votes == ()
    assert officer.get("/quarantine/q-none").status_code == 404


def test_a_program_lists_and_decides(program: Client, archive: Archive, held: str) -> None:
    (listed,) = program.get("/api/quarantine").json()
    assert (listed["id"], listed["state"], listed["findings"][0]["code"]) == (held, "held", "VIRUS-FOUND")
    path = f"/api/quarantine/{held}/votes"
    first = program.post(path, json={"person": "A", "decision": "discard", "reason": "x"}).json()
    assert [vote["person"] for vote in first["votes"]] == ["A"]
    again = program.post(path, json={"person": " a", "decision": "discard", "reason": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "already-decided")
    for bad in ({}, {"person": "B"}, {"person": "B", "decision": "burn", "reason": "x"},
                {"person": " ", "decision": "discard", "reason": "x"},
                {"person": "B", "decision": "discard", "reason": "x", "state": "released"}):  # fmt: skip
        assert program.post(path, json=bad).status_code == 422, bad
    assert (
        program.post(path, json={"person": "B", "decision": "discard", "reason": "x"}).json()["state"] == "discarding"
    )
    archive.decisions.carry_out("worker", held)
    assert program.get("/api/quarantine").json() == []
    (over,) = program.get("/api/quarantine", params={"over": "true"}).json()
    assert over == program.get(f"/api/quarantine/{held}").json()
    assert over["state"] == "discarded"
    assert program.get("/api/quarantine/q-none").status_code == 404
    description = program.get("/api/openapi.json").json()
    assert "/api/quarantine/{id}/votes" in description["paths"]
