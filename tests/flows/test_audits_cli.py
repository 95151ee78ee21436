"""Audits and coverage on the command line, of an archive that holds nothing yet."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from administration.archive import Archive
from administration.cli import run
from administration.flows.auditing import begin_light, step_all
from metadata.audits import AuditKind
from metadata.identifiers import StoreId
from metadata.stores import StoreState


@pytest.fixture
def home(tmp_path: Path) -> Path:
    assert run(["--home", str(tmp_path / "kho"), "init", "--code", "T01", "--name", "Kho"]) == 0
    return tmp_path / "kho"


def _ask(capsys: pytest.CaptureFixture[str], home: Path, *words: str, code: int = 0) -> dict[str, object]:
    capsys.readouterr()
    assert run(["--home", str(home), *words, "--json"]) == code
    made: dict[str, object] = json.loads(capsys.readouterr().out)
    return made


def test_an_audit_is_begun_steered_and_ended(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Archive.open(home) as archive:
        store = next(iter(archive.stores)).value
    made = _ask(capsys, home, "audits", "begin", "deep", store, "--limit", "5")
    name = str(made["id"])
    assert (made["state"], made["limit"]) == ("running", 5_000_000)
    assert _ask(capsys, home, "audits", "pause", name)["state"] == "paused"
    assert _ask(capsys, home, "audits", "resume", name)["state"] == "running"
    assert _ask(capsys, home, "audits", "limit", name, "0")["limit"] is None
    with Archive.open(home) as archive:
        begin_light(archive)
        step_all(archive)
        assert archive.audits.running() == []
        assert {entry.entry.act for entry in archive.catalogue.journal.entries(subject=name)} == {
            "begun", "paused", "resumed", "limited", "done",
        }  # fmt: skip
    listed = _ask(capsys, home, "audits", "list")["audits"]
    assert isinstance(listed, list)
    assert {one["state"] for one in listed} == {"done"}
    assert _ask(capsys, home, "coverage") == {"stores": {}}


def test_an_audit_that_is_not_there(home: Path) -> None:
    assert run(["--home", str(home), "audits", "stop", "x"]) != 0


def test_a_store_that_is_retired_or_gone_from_the_settings_holds_up_no_other(home: Path) -> None:
    with Archive.open(home) as archive:
        first = next(iter(archive.stores))
        archive.catalogue.stores.set_state(first, StoreState.RETIRED, archive.clock())
        assert begin_light(archive) == [one.id for one in archive.audits.running()]
        assert {one.store for one in archive.audits.running()} == set(archive.stores) - {first}
        gone = replace(archive.audits.running()[0], id="gone", store=StoreId("0-gone"))
        archive.catalogue.audits.add(gone)
        deep = replace(gone, id="deep", kind=AuditKind.DEEP, standing=False)
        archive.catalogue.audits.add(deep)
        step_all(archive)
        assert {one.id for one in archive.audits.running()} == {"gone", "deep"}
