"""The API for programs that watch over the archive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from httpx import Client

from administration.application import application
from administration.archive import Archive, write_settings
from administration.checks import CheckDesk
from administration.flows import work_options, workflows
from administration.packs import PackDesk
from administration.settings import render
from administration.work.engine import WorkEngine
from metadata.identifiers import StoreId
from metadata.incidents import IncidentKind
from metadata.text import Sentence
from storage.space import Space, SpaceGauge
from tests.builders.browser import browser
from tests.builders.kept import keep

BASE = "/api/preservation"
SHOWN = ("coverage", "audits", "incidents", "stores", "backups", "drills", "formats")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    write_settings(tmp_path / "kho", render("H20", "Kho thử", [("a", "a"), ("b", "b")]))
    with Archive.open(tmp_path / "kho") as made:
        made.create()
        yield made


@pytest.fixture
def client(archive: Archive) -> Iterator[Client]:
    with ExitStack() as stack:
        desks = stack.enter_context(CheckDesk.of(archive)), stack.enter_context(PackDesk.of(archive))
        yield stack.enter_context(browser(application(archive, *desks)))


@pytest.fixture
def program(client: Client, archive: Archive) -> Client:
    client.headers["Authorization"] = f"Bearer {archive.token}"
    return client


def test_nothing_is_told_or_done_without_the_token(client: Client, archive: Archive) -> None:
    for name in SHOWN:
        assert client.get(f"{BASE}/{name}").status_code == 401
    for path in ("audits", "audits/x/pause", "incidents/x/close", "backups", "drills"):
        assert client.post(f"{BASE}/{path}", json={"kind": "deep", "store": "a"}).status_code == 401
    assert archive.audits.running() == []


def test_everything_is_shown_of_an_empty_archive(program: Client) -> None:
    found = {name: program.get(f"{BASE}/{name}") for name in SHOWN}
    assert {answer.status_code for answer in found.values()} == {200}
    coverage = found["coverage"].json()
    assert (coverage["replicas"], coverage["days"], coverage["kept"]) == (0, [], True)
    assert coverage["told"][0]["en"] == "No replica is held yet."
    assert [(one["id"], one["state"]) for one in found["stores"].json()] == [("a", "active"), ("b", "active")]
    for name in ("audits", "incidents", "backups", "drills", "formats"):
        assert found[name].json() == []


def test_an_audit_is_begun_and_steered(program: Client, archive: Archive) -> None:
    answer = program.post(f"{BASE}/audits", json={"kind": "sample", "store": "a", "share": 0.5, "person": "An"})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["kind"], made["store"], made["share"], made["state"]) == ("sample", "a", 0.5, "running")
    at = f"{BASE}/audits/{made['id']}"
    assert program.post(f"{at}/limit", json={"limit": 5_000_000}).json()["limit"] == 5_000_000
    assert program.post(f"{at}/limit", json={"limit": None}).json()["limit"] is None
    for act, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        assert program.post(f"{at}/{act}", json={"person": "An"}).json()["state"] == state
    assert [(one["id"], one["state"]) for one in program.get(f"{BASE}/audits").json()] == [(made["id"], "stopped")]
    assert archive.audits.running() == []


def test_standing_audits_are_listed_with_why_they_wait(program: Client, archive: Archive) -> None:
    assert program.post(f"{BASE}/audits/standing-b/resume", json={"person": "An"}).status_code == 200
    first, second = program.get(f"{BASE}/audits/standing").json()
    assert (first["id"], first["standing"], first["waits"], second["id"]) == ("standing-a", True, None, "standing-b")
    assert program.post(f"{BASE}/audits/standing-a/pause", json={"person": "An"}).json()["state"] == "paused"
    first, second = program.get(f"{BASE}/audits/standing").json()
    assert first["waits"]["en"].startswith("Paused")
    assert second["waits"] is None
    assert program.post(f"{BASE}/audits/standing-a/stop", json={}).status_code == 422
    assert program.get(f"{BASE}/audits").json() == []


@pytest.mark.parametrize("asked", [
    {"kind": "deep"}, {"kind": "odd", "store": "a"}, {"kind": "deep", "store": "không có"},
    {"kind": "deep", "store": "c"}, {"kind": "sample", "store": "a", "share": 0},
    {"kind": "deep", "store": "a", "limit": 0}, {"kind": "deep", "store": "a", "limit": 10**30},
])  # fmt: skip
def test_an_audit_that_cannot_be_is_refused(program: Client, archive: Archive, asked: dict[str, object]) -> None:
    answer = program.post(f"{BASE}/audits", json=asked)
    assert answer.status_code == 422
    assert answer.json()["vi"] and answer.json()["en"]
    assert archive.audits.running() == []


def test_what_is_not_there_is_not_found(program: Client) -> None:
    words = {"cause": "x", "handling": "y", "person": "z"}
    answers = [program.post(f"{BASE}/audits/none/{act}", json={}) for act in ("pause", "resume", "limit", "stop")]
    answers += [program.get(f"{BASE}/incidents/none"), program.post(f"{BASE}/incidents/none/close", json=words)]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["code"] for answer in answers} == {"not-found"}


def test_an_incident_is_signed_off_with_its_cause(program: Client, archive: Archive) -> None:
    one = archive.incidents.meet(IncidentKind.STORE_AWAY, "b", Sentence("Kho b không trả lời.", "Store b is away."))
    assert [found["id"] for found in program.get(f"{BASE}/incidents", params={"state": "open"}).json()] == [one.id]
    at, words = f"{BASE}/incidents/{one.id}", {"cause": "Mất điện", "handling": "Nối lại", "person": "An"}
    assert program.get(at).json()["told"] == {"vi": "Kho b không trả lời.", "en": "Store b is away."}
    assert program.post(f"{at}/close", json=words | {"person": ""}).status_code == 422
    assert program.post(f"{at}/close", json=words).status_code == 422, "it is not mended"
    assert program.get(at).json()["state"] == "open"
    closed = program.post(f"{at}/close", json=words | {"unmended": True}).json()
    assert (closed["state"], closed["cause"], closed["person"]) == ("closed", "Mất điện", "An")


def test_a_backup_and_a_drill_are_asked_for_and_end(program: Client, archive: Archive) -> None:
    sent = program.post(f"{BASE}/backups", json={"kind": "full", "person": "An"})
    backup, drill = sent.json(), program.post(f"{BASE}/drills", json={"person": "An"}).json()
    assert (sent.status_code, backup["state"], drill["state"]) == (202, "waiting", "waiting")
    settings = archive.settings
    with WorkEngine(settings.work_url, workflows(archive), work_options(settings, ("backup",))) as engine:
        engine.wait([backup["id"], drill["id"]], 60)
    made, tried = (program.get(f"{BASE}/jobs/{one['id']}").json() for one in (backup, drill))
    assert (made["state"], made["backup"]["kind"], made["backup"]["person"]) == ("done", "full", "An")
    assert (tried["state"], tried["drill"]["person"], made["drill"], tried["backup"]) == ("done", "An", None, None)
    assert [one["id"] for one in program.get(f"{BASE}/backups").json()] == [made["backup"]["id"]]
    assert program.get(f"{BASE}/drills").json() == [tried["drill"]]
    for id in ("backup@1", "repair-x", "backup-asked-none"):
        assert program.get(f"{BASE}/jobs/{id}").status_code == 404
    assert program.post(f"{BASE}/backups", json={"kind": "half"}).status_code == 422


def test_formats_and_room_are_told(program: Client, archive: Archive) -> None:
    keep(archive.catalogue, list(archive.stores.values()))
    formats = program.get(f"{BASE}/formats").json()
    assert {"puid": "fmt/354", "name": "Acrobat PDF/A", "files": 2} in formats
    assert [one["files"] for one in formats] == sorted((one["files"] for one in formats), reverse=True)
    archive.space = SpaceGauge({StoreId("a"): lambda: Space(10, 1000)})  # type: ignore[misc]
    a, b = program.get(f"{BASE}/stores").json()
    assert (a["free"], a["total"], a["nearly_full"]) == (10, 1000, True)
    assert (b["free"], b["total"], b["nearly_full"], b["short"]) == (None, None, False, False)


def test_the_description_names_every_path(program: Client) -> None:
    paths = program.get("/api/openapi.json").json()["paths"]
    for name in (*SHOWN, "audits/{id}/pause", "audits/{id}/limit", "incidents/{id}", "incidents/{id}/close"):
        assert f"{BASE}/{name}" in paths
