from __future__ import annotations

import io
import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from access.search.port import Rights, SearchQuery
from administration.archive import Archive, write_settings
from administration.cli.one_file import OneFile
from administration.cli.output import Output, size_text
from administration.flows import chimes, feed, stored_from_json, stored_to_json, work_options, workflows
from administration.settings import load, render
from administration.work.plan import Failure
from ingest.place import Stored
from ingest.receipt import Receipt
from metadata.catalogue import OutboxAction
from metadata.catalogue.intake import Claim
from metadata.errors import AlreadyExists, NotFound, RefusedInput, UsageError
from metadata.findings import Finding, Findings, Severity
from metadata.identifiers import AgencyCode, AipId, ObjId, StoreId, VersionId
from metadata.text import Sentence
from tests.builders.holdings import register

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_settings(tmp_path, render("H20", "Kho", [("a", "a"), ("b", "b")]))
    return tmp_path


def test_what_a_step_hands_on_survives_json() -> None:
    version = VersionId(AipId.of(AgencyCode("H20.1"), ObjId("x")), 1)
    claim = Claim(AgencyCode("H20.1"), ObjId("x"), 7, NOW)
    stored = Stored(version, "k", Receipt.refused(Findings(), "H20.1", "x", "t"), NOW, claim)
    assert stored_from_json(json.loads(json.dumps(stored_to_json(stored)))) == stored
    assert VersionId.parse(str(version)) == version


@pytest.mark.parametrize("text", ["", "x", "x-v1", f"{AipId.of(AgencyCode('a'), ObjId('b'))}-vx"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"badly formed|not an AIP version"):
        VersionId.parse(text)


def test_failures_survive_json() -> None:
    say = Sentence("Từ chối.", "Refused.")
    failure = Failure.of(RefusedInput(say, [Finding("X", Severity.ERROR, "p", say, "r")]))
    assert Failure.from_json(json.loads(json.dumps(failure.to_json()))) == failure


def test_nothing_is_opened_before_it_is_asked_for_and_then_once(home: Path) -> None:
    with Archive.open(home) as archive:
        assert {path.name for path in home.iterdir()} == {"tangthu.toml"}
        with pytest.raises(NotFound):
            _ = archive.token
        archive.create()
        token = archive.token
        archive.create()
        assert archive.token == token
        assert archive.catalogue is archive.catalogue
        assert list(archive.stores) == [StoreId("a"), StoreId("b")]
        assert archive.access.archive_name == "Kho"
        assert {workflow.name for workflow in workflows(archive)} == {
            "ingest", "quarantine", "audit", "repair", "replicate", "index", "tidy", "watch",
            "backup", "drill", "alerts", "audits", "light",
        }  # fmt: skip
    with pytest.raises(AlreadyExists):
        write_settings(home, "")
    with pytest.raises(UsageError):
        write_settings(Path("/proc/nowhere"), "")


def test_every_chime_rings_for_a_workflow(home: Path) -> None:
    settings = load(home, {})
    with Archive(settings) as archive:
        assert {chime.workflow for chime in chimes(settings)} <= {one.name for one in workflows(archive)}
    assert work_options(settings).concurrency == settings.count("work.workers")


def test_an_index_of_another_layout_is_made_anew(home: Path) -> None:
    with Archive.open(home) as archive:
        archive.create()
        assert feed(archive) == 0
        held = register(archive.catalogue)
        archive.catalogue.outbox.done([one.id for one in archive.catalogue.outbox.pending()])  # fed to another index
        assert feed(archive) == 3
        assert archive.index.search(SearchQuery("quyet dinh"), Rights.everything()).total == 3
        archive.catalogue.outbox.put(held.id, OutboxAction.PUT)
        assert feed(archive) == 1


def test_tidy_removes_only_what_is_old(home: Path) -> None:
    with Archive.open(home) as archive:
        archive.create()
        for name in ("old", "new"):
            (archive.settings.work_folder / name).mkdir()
        before = time.time() - timedelta(days=3).total_seconds()
        os.utime(archive.settings.work_folder / "old", (before, before))
        tidy = next(one for one in workflows(archive) if one.name == "tidy")
        assert tidy.steps[0].run(None) == {"uploads": 0, "folders": 1}  # type: ignore[arg-type]
        assert [path.name for path in archive.settings.work_folder.iterdir()] == ["new"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("count_bytes", [True, False])
def test_progress_bars_are_for_terminals(count_bytes: bool) -> None:
    for error, drawn in ((Terminal(), True), (io.StringIO(), False)):
        output = Output(as_json=False, out=io.StringIO(), error=error)
        with output.progress(count_bytes=count_bytes) as advance:
            advance("gói tin", 1, 2)
            advance("gói tin", 2, 2)
        assert bool(error.getvalue()) is drawn


def test_people_and_programs_are_told_apart() -> None:
    people, programs, error = Terminal(), io.StringIO(), io.StringIO()
    for output in (Output(as_json=False, out=people, error=error), Output(as_json=True, out=programs, error=error)):
        output.say("Chào.", "Hello.", "✓")
        output.document({"a": 1})
        output.trouble(RefusedInput(Sentence("Không.", "No."), [_finding()]))
    assert people.getvalue().startswith("✓ Chào.")
    documents = programs.getvalue().split("\n}\n")
    assert json.loads(documents[0] + "}") == {"a": 1}
    assert json.loads(documents[1] + "}")["error"]["findings"][0]["code"] == "X"
    assert "X  Sai." in error.getvalue() and "Wrong." in error.getvalue()


def _finding() -> Finding:
    return Finding("X", Severity.ERROR, "p", Sentence("Sai.", "Wrong."), "r")


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1,5 kB"), (2 * 10**15, "2000,0 TB")])
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


def test_one_file_reads_and_never_writes(tmp_path: Path) -> None:
    path = tmp_path / "aip.zip"
    with pytest.raises(NotFound), OneFile(path).open("k"):
        pass
    assert OneFile(path).head("k") is None
    path.write_bytes(b"0123456789")
    store = OneFile(path)
    with store.open("k", 2, 5) as stream:
        assert stream.read(2) == b"23"
        buffer = bytearray(10)
        assert stream.readinto(buffer) == 3
        assert stream.readinto(buffer) == 0
    with pytest.raises(ValueError, match="bytes"), store.open("k", 5, 6):
        pass
    assert list(store.list()) == list(store.uploads()) == []
    for act in (lambda: store.put("k", b""), lambda: store.delete("k"), lambda: store.begin("k")):
        with pytest.raises(io.UnsupportedOperation):
            act()
    assert path.read_bytes() == b"0123456789"


def test_json_moves_no_terminal_s_cursor_and_says_the_same() -> None:
    told = {"name": "a\x9b31m\x7f\u202egnp\u2066x\ud800"}
    out = io.StringIO()
    Output(as_json=True, out=out, error=io.StringIO()).document(told)
    assert json.loads(out.getvalue()) == told
    assert not set(told["name"]) & {"\x9b", "\x7f", "\u202e", "\u2066", "\ud800"} & set(out.getvalue())
