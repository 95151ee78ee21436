"""The contract of the work engine, held against the real DBOS: it is what a change of its version must pass."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from administration.work.clock import Chime, Clock
from administration.work.engine import WorkEngine
from administration.work.plan import Job, JobState, Json, Request, Step, Workflow, WorkOptions
from administration.work.presence import Presence, Process
from metadata.errors import RefusedInput, StoreUnavailable, UsageError
from metadata.findings import Finding, Severity
from metadata.text import Sentence
from tests.builders.work_worker import ingest
from tests.services.postgres import postgres_service, postgres_url

__all__ = ["postgres_service", "postgres_url"]  # fixtures
SAY = Sentence("Kho lưu trữ không trả lời.", "The store does not answer.")
QUICK = WorkOptions(ttl=2, poll=0.1, grace=10)


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'work.sqlite'}"


def one_step(run: Callable[[Job], Json], attempts: int = 1) -> Workflow:
    return Workflow("one", "ingest", (Step("only", run, attempts, pause=0.01),))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return url_of(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def either_url(request: pytest.FixtureRequest, url: str) -> str:
    return url if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


class TestInOneProcess:
    def test_steps_run_in_order_and_see_earlier_results(self, either_url: str, tmp_path: Path) -> None:
        with WorkEngine(either_url, [ingest(tmp_path / "trace", 0)], QUICK) as engine:
            engine.enqueue(Request("ingest", "a", {"path": "/gói tin"}))
            status = engine.wait(["a"], 20)["a"]
        assert status.state is JobState.DONE
        assert status.argument == {"path": "/gói tin"}
        assert status.value == {
            "receipt": "a",
            "before": {"examine": {"files": 3}, "store": {"examined": {"files": 3}}},
        }

    def test_the_same_id_asked_twice_runs_once(self, url: str) -> None:
        runs: list[str] = []
        with WorkEngine(url, [one_step(lambda job: runs.append(job.id))], QUICK) as engine:
            for _ in range(3):
                engine.enqueue(Request("one", "a"))
            engine.wait(["a"], 20)
            engine.enqueue(Request("one", "a"))
            engine.enqueue(Request("one", "b"))
            engine.wait(["a", "b"], 20)
        assert sorted(runs) == ["a", "b"]

    def test_an_unknown_workflow_is_refused(self, url: str) -> None:
        with WorkEngine(url, [one_step(lambda _: None)], QUICK) as engine, pytest.raises(KeyError):
            engine.enqueue(Request("other", "a"))

    def test_a_temporary_error_is_tried_again(self, url: str) -> None:
        tries: list[int] = []

        def run(_: Job) -> Json:
            tries.append(1)
            if len(tries) < 3:
                raise StoreUnavailable(SAY)
            return len(tries)

        with WorkEngine(url, [one_step(run, attempts=5)], QUICK) as engine:
            engine.enqueue(Request("one", "a"))
            assert engine.wait(["a"], 20)["a"].value == 3

    def test_a_temporary_error_that_stays_is_a_failure_that_may_be_retried(self, url: str) -> None:
        def run(_: Job) -> Json:
            raise StoreUnavailable(SAY)

        with WorkEngine(url, [one_step(run, attempts=2)], QUICK) as engine:
            engine.enqueue(Request("one", "a"))
            status = engine.wait(["a"], 20)["a"]
        assert status.state is JobState.FAILED
        assert status.failure is not None
        assert (status.failure.exit_code, status.failure.retry, status.failure.sentence) == (4, True, SAY)

    def test_a_refusal_ends_the_workflow_with_its_findings(self, url: str) -> None:
        later: list[str] = []

        def refuse(_: Job) -> Json:
            finding = Finding("BAG-CHECKSUM", Severity.ERROR, "data/công văn.pdf", SAY, "RFC 8493 §3")
            raise RefusedInput(Sentence("Từ chối.", "Refused."), [finding])

        steps = (Step("examine", refuse), Step("store", lambda job: later.append(job.id)))
        with WorkEngine(url, [Workflow("ingest", "ingest", steps)], QUICK) as engine:
            engine.enqueue(Request("ingest", "a"))
            failure = engine.wait(["a"], 20)["a"].failure
        assert failure is not None
        assert failure.kind == "RefusedInput"
        assert failure.exit_code == 3
        assert [each["code"] for each in failure.findings if isinstance(each, dict)] == ["BAG-CHECKSUM"]
        assert later == []

    def test_an_unforeseen_error_is_code_70_and_keeps_its_secrets(
        self, url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        def run(_: Job) -> Json:
            raise ZeroDivisionError("the password is 123")

        with caplog.at_level(logging.ERROR), WorkEngine(url, [one_step(run)], QUICK) as engine:
            engine.enqueue(Request("one", "a"))
            failure = engine.wait(["a"], 20)["a"].failure
        assert failure is not None
        assert failure.exit_code == 70
        assert "123" not in json.dumps(failure.to_json())
        assert "ZeroDivisionError" in caplog.text

    def test_what_follows_is_asked_for_once(self, url: str) -> None:
        repaired: list[Json] = []
        audit = Workflow(
            "audit",
            "audit",
            (Step("look", lambda _: {"damaged": ["v1", "v2"]}),),
            lambda _: [Request("repair", f"repair-{v}", v) for v in ("v1", "v2")],
        )
        repair = Workflow("repair", "repair", (Step("repair", lambda job: repaired.append(job.argument)),))
        with WorkEngine(url, [audit, repair], QUICK) as engine:
            engine.enqueue(Request("audit", "audit-1"))
            engine.wait(["audit-1", "repair-v1", "repair-v2"], 20)
        assert sorted(map(str, repaired)) == ["v1", "v2"]

    def test_a_process_may_ask_without_working(self, url: str) -> None:
        with WorkEngine(url, [one_step(lambda _: None)], WorkOptions(poll=0.1, queues=())) as engine:
            engine.enqueue(Request("one", "a", 7))
            status = engine.wait(["a"], 1.5)["a"]
            assert [job.argument for job in engine.unfinished("one")] == [7]
        assert status.state is JobState.WAITING

    def test_finished_jobs_are_forgotten_without_being_told(self, url: str) -> None:
        with WorkEngine(url, [one_step(lambda _: None)], QUICK) as engine:
            engine.enqueue(Request("one", "a"))
            engine.wait(["a"], 20)
        with WorkEngine(url, [one_step(lambda _: None)], replace(QUICK, keep_days=0)) as engine:
            until(lambda: engine.jobs() == [])

    def test_finished_jobs_are_forgotten_and_unfinished_ones_kept(self, url: str) -> None:
        hold = threading.Event()

        def run(job: Job) -> Json:
            if job.id == "slow":
                hold.wait(20)
            return None

        with WorkEngine(url, [one_step(run)], QUICK) as engine:
            for name in ("a", "b", "slow"):
                engine.enqueue(Request("one", name))
            engine.wait(["a", "b"], 20)
            assert engine.forget_finished(timedelta(days=1)) == 0
            time.sleep(0.01)
            assert engine.forget_finished(timedelta(0)) == 2
            assert [job.id for job in engine.jobs()] == ["slow"]
            hold.set()
            engine.wait(["slow"], 20)

    def test_two_engines_in_one_process_are_refused_and_the_first_goes_on(self, url: str, tmp_path: Path) -> None:
        with WorkEngine(url, [one_step(lambda _: "ok")], QUICK) as engine:
            with pytest.raises(UsageError), WorkEngine(url, [], QUICK):
                pass
            engine.enqueue(Request("one", "a"))
            assert engine.wait(["a"], 20)["a"].value == "ok"

    def test_closing_leaves_no_thread_and_prints_nothing_and_its_row_is_buried_by_the_next(
        self, url: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        before = set(threading.enumerate())
        engine = WorkEngine(url, [one_step(lambda _: None)], QUICK)
        with engine:
            engine.enqueue(Request("one", "a"))
            engine.wait(["a"], 20)
            assert Presence(url).dead(3600, but="") == []
        assert set(threading.enumerate()) - before == set()
        assert Presence(url).dead(3600, but="") == [engine.executor]
        engine.close()
        with WorkEngine(url, [], QUICK) as following:
            until(lambda: Presence(url).alive() == [following.executor])
        assert capfd.readouterr() == ("", "")

    def test_closing_waits_for_what_runs(self, url: str, tmp_path: Path) -> None:
        trace = tmp_path / "trace"
        with WorkEngine(url, [ingest(trace, 0.8)], QUICK) as engine:
            engine.enqueue(Request("ingest", "a"))
            until(lambda: "store-begins" in read(trace))
        assert "register" in read(trace)

    def test_closing_between_attempts_leaves_the_job_to_the_next_engine(self, url: str) -> None:
        tries: list[int] = []

        def run(_: Job) -> Json:
            tries.append(1)
            if len(tries) == 1:
                raise StoreUnavailable(SAY)
            return "done"

        patient = Workflow("one", "ingest", (Step("only", run, attempts=3, pause=60),))
        with WorkEngine(url, [patient], QUICK) as engine:
            engine.enqueue(Request("one", "a"))
            until(lambda: bool(tries))
        with WorkEngine(url, [patient], QUICK) as engine:
            assert engine.wait(["a"], 20)["a"].value == "done"
        assert len(tries) == 2

    def test_the_database_is_in_write_ahead_mode_and_holds_no_pickles(self, url: str, tmp_path: Path) -> None:
        with WorkEngine(url, [one_step(lambda _: "kết quả")], QUICK) as engine:
            engine.enqueue(Request("one", "a", "đối số"))
            engine.wait(["a"], 20)
        with sqlite3.connect(tmp_path / "work.sqlite") as connection:
            assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
            inputs = connection.execute("select inputs from workflow_input").fetchall()
            kept = connection.execute("select output, serialization from operation_outputs").fetchall()
        connection.close()
        assert [json.loads(row[0])["args"][1] for row in inputs] == ["đối số"]
        assert [(json.loads(output), kind) for output, kind in kept] == [({"value": "kết quả"}, "tangthu_json")]


class TestPresence:
    def test_silence_longer_than_the_time_to_live_is_death(self, either_url: str) -> None:
        presence = Presence(either_url)
        presence.create()
        presence.create()
        presence.beat("far", Process("another machine", 1, "1"))
        presence.beat("me", Process.current())
        assert presence.dead(60, but="me") == []
        time.sleep(0.05)
        assert presence.dead(0.01, but="me") == ["far"]
        presence.beat("far", Process("another machine", 1, "1"))
        assert presence.dead(60, but="me") == []

    def test_a_local_process_that_is_gone_is_dead_at_once(self, either_url: str) -> None:
        presence = Presence(either_url)
        presence.create()
        here = Process.current()
        presence.beat("same number, other start", Process(here.place, here.pid, "1"))
        presence.beat("alive", here)
        assert presence.dead(60, but="me") == ["same number, other start"]

    def test_giving_up_and_being_buried(self, either_url: str) -> None:
        presence = Presence(either_url)
        presence.create()
        presence.beat("a", Process.current())
        presence.give_up("a")
        assert presence.dead(3600, but="me") == ["a"]
        presence.bury("a")
        assert presence.alive() == []


class TestClock:
    def test_a_tick_asks_once_whoever_rings(self) -> None:
        asked: list[Request] = []
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        chime = Chime("audit", timedelta(hours=1), {"limit": 10})
        for _ in range(2):
            with Clock(asked.append, [chime], now=lambda: moment):
                until(lambda: bool(asked))
        assert {request.id for request in asked} == {f"audit@{int(moment.timestamp()) // 3600}"}
        assert asked[0].argument == {"limit": 10}

    def test_each_period_has_its_own_id_and_an_error_does_not_stop_the_clock(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        ids: list[str] = []

        def enqueue(request: Request) -> None:
            ids.append(request.id)
            if len(ids) == 1:
                raise StoreUnavailable(SAY)

        with caplog.at_level(logging.CRITICAL), Clock(enqueue, [Chime("audit", timedelta(seconds=0.4))]):
            until(lambda: len(set(ids)) >= 3)
        assert len(set(ids)) >= 3


def read(trace: Path) -> str:
    return trace.read_text(encoding="utf-8") if trace.exists() else ""


def until(condition: Callable[[], bool], seconds: float = 25) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.03)


class Workers:
    """Real worker processes over one database."""

    def __init__(self, url: str, trace: Path, ttl: float, seconds: float) -> None:
        self.trace = trace
        self._command = [sys.executable, "-m", "tests.builders.work_worker", url, str(trace), str(ttl), str(seconds)]
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self._command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
        self.running.append(process)
        return process

    def stop(self) -> bytes:
        """End all in good order; give what they printed on standard output."""
        printed = b""
        for process in self.running:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.running:
            printed += process.communicate(timeout=60)[0]
        return printed

    def who(self, word: str) -> list[int]:
        return [int(line.split()[-1]) for line in read(self.trace).splitlines() if line.startswith(word + " ")]


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Callable[..., Workers]]:
    made: list[Workers] = []

    def make(url: str, ttl: float, seconds: float) -> Workers:
        made.append(Workers(url, tmp_path / "trace", ttl, seconds))
        return made[-1]

    yield make
    for each in made:
        for process in each.running:
            process.kill()
            process.communicate()


def client(url: str, trace: Path) -> WorkEngine:
    """Asks and looks, but does no work."""
    return WorkEngine(url, [ingest(trace, 0)], WorkOptions(ttl=600, poll=0.1, queues=()))


def counts(trace: Path, word: str) -> Counter[str]:
    return Counter(line.split()[1] for line in read(trace).splitlines() if line.startswith(word + " "))


class TestDeath:
    def test_a_killed_workers_job_goes_on_at_the_step_where_it_was(
        self, either_url: str, tmp_path: Path, workers: Callable[..., Workers]
    ) -> None:
        crew = workers(either_url, 3, 2)
        crew.start()
        crew.start()
        with client(either_url, tmp_path / "trace") as engine:
            until(lambda: len(crew.who("up")) == 2)
            engine.enqueue(Request("ingest", "a"))
            until(lambda: len(crew.who("store-begins")) == 1)
            first, second = sorted(crew.running, key=lambda process: process.pid not in crew.who("store-begins"))
            first.kill()
            first.wait()
            status = engine.wait(["a"], 30)["a"]
        assert status.state is JobState.DONE
        assert crew.who("examine") == [first.pid]
        assert crew.who("store-begins") == [first.pid, second.pid]
        assert crew.who("store-ends") == crew.who("register") == [second.pid]
        assert crew.stop() == b""

    def test_a_frozen_worker_is_replaced_and_does_not_take_the_next_step_when_it_wakes(
        self, url: str, tmp_path: Path, workers: Callable[..., Workers]
    ) -> None:
        crew = workers(url, 1.5, 1.5)
        with client(url, tmp_path / "trace") as engine:
            first = crew.start()
            engine.enqueue(Request("ingest", "a"))
            until(lambda: crew.who("store-begins") == [first.pid])
            os.kill(first.pid, signal.SIGSTOP)
            second = crew.start()
            until(lambda: crew.who("store-begins") == [first.pid, second.pid])
            os.kill(first.pid, signal.SIGCONT)
            until(lambda: first.pid in crew.who("store-ends"))
            status = engine.wait(["a"], 30)["a"]
        assert status.state is JobState.DONE
        assert crew.who("examine") == [first.pid]
        assert crew.who("register") == [second.pid]
        assert crew.stop() == b""

    def test_chaos(self, url: str, tmp_path: Path, workers: Callable[..., Workers]) -> None:
        rng = random.Random(20260105)
        crew, ids = workers(url, 3, 0.15), [f"job-{n}" for n in range(40)]
        with client(url, tmp_path / "trace") as engine:
            for _ in range(2):
                crew.start()
            until(lambda: len(crew.who("up")) == 2)
            for each in ids:
                engine.enqueue(Request("ingest", each))
            for _ in range(3):
                time.sleep(rng.uniform(0.2, 0.6))
                victim = crew.running[-1 - rng.randrange(2)]
                victim.kill()
                victim.wait()
                crew.start()
                until(lambda: sum(p.poll() is None for p in crew.running) == 2)
            statuses = engine.wait(ids, 60)
        assert {status.state for status in statuses.values()} == {JobState.DONE}
        assert set(counts(tmp_path / "trace", "register")) == set(ids)
        assert set(counts(tmp_path / "trace", "examine")) == set(ids)
        assert all(count <= 4 for count in counts(tmp_path / "trace", "store-begins").values())
        assert crew.stop() == b""

    def test_a_job_that_kills_its_workers_is_set_aside(
        self, url: str, tmp_path: Path, workers: Callable[..., Workers]
    ) -> None:
        hold, starts = threading.Event(), []

        def run(job: Job) -> Json:
            starts.append(job.id)
            hold.wait(5)
            return None

        deaths = WorkOptions(ttl=600, poll=0.1, grace=0, deaths=1)
        states: Sequence[JobState] = ()
        try:
            for round_ in range(1, 4):
                engine = WorkEngine(url, [one_step(run)], deaths)
                engine.start()
                engine.enqueue(Request("one", "a"))
                if round_ < 3:
                    until(lambda: len(starts) == round_)  # noqa: B023 -- read at once
                else:
                    states = [engine.wait(["a"], 20)["a"].state]
                engine.close()
        finally:
            hold.set()
        assert states == [JobState.POISON]
        assert starts == ["a", "a"]
