"""The work engine: a thin adapter over DBOS (``docs/decisions``), which keeps one checkpoint a step.

What DBOS leaves to its commercial companion is here: heartbeats, taking over the work of dead workers, deleting what
is finished. The truth about AIPs is in the catalogue and the stores; an engine that loses all its rows loses no AIP.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self, cast

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions, Serializer, WorkflowStatus
from dbos._error import DBOSException

from administration.work.plan import Failure, Job, JobState, JobStatus, Json, Request, Step, Workflow, WorkOptions
from administration.work.presence import Presence, Process
from metadata.errors import TangThuError, TemporaryError, UsageError
from metadata.text import Sentence

VERSION = "1"  # DBOS runs only workflows of its own application version: raise it when the chain of steps changes
APPLICATION = "tangthu"
_FORGET_SECONDS = 3600.0
_STATES = {
    "PENDING": JobState.RUNNING,
    "ENQUEUED": JobState.WAITING,
    "DELAYED": JobState.WAITING,
    "SUCCESS": JobState.DONE,
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": JobState.POISON,
}
_log = logging.getLogger(__name__)


class _Interrupted(BaseException):
    """The worker stops while a step waits: passes through the engine, so that the job stays unfinished."""


class JsonSerializer(Serializer):
    """Checkpoints are JSON, never pickles: reading the database back cannot run code. ASCII, since paths may be odd."""

    def serialize(self, data: object) -> str:
        return json.dumps(data, default=lambda odd: {"unserialisable": repr(odd)[:500]})

    def deserialize(cls, serialized_data: str) -> object:  # noqa: N805 -- the base class names it so
        value = json.loads(serialized_data)
        return RuntimeError(value["unserialisable"]) if isinstance(value, dict) and "unserialisable" in value else value

    def name(self) -> str:
        return "tangthu_json"


class WorkEngine:
    """Runs workflows durably. One engine a process; a context manager.

    Raises UsageError when a second one is opened in the same process.
    """

    def __init__(self, url: str, workflows: Sequence[Workflow], options: WorkOptions | None = None) -> None:
        self._url = url
        self._options = options or WorkOptions()
        self._workflows = {workflow.name: workflow for workflow in workflows}
        self._presence = Presence(url)
        self._process = Process.current()
        self.executor = f"{self._process.pid}-{uuid.uuid4().hex}"
        self._stop = threading.Event()
        self._active: set[str] = set()
        self._guard = threading.Lock()
        self._heart: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Open the database, begin to beat, take over from the dead, and work on the queues."""
        if _dbos_is_open():
            raise UsageError(
                Sentence(
                    "Trong một tiến trình chỉ chạy được một bộ máy công việc.",
                    "One process can run one work engine only.",
                )
            )
        self._presence.create()
        self._presence.beat(self.executor, self._process)
        quiet = logging.getLogger("dbos")
        if not quiet.handlers:  # else DBOS would add a console of its own
            quiet.addHandler(logging.NullHandler())
        self._prepare_queues()
        DBOS(config=self._config())
        try:
            for workflow in self._workflows.values():
                self._declare(workflow)
            DBOS.listen_queues(self._queues())
            DBOS.launch()
        except BaseException:  # an engine half started must not be left behind; raised again
            DBOS.destroy(destroy_registry=True)
            self._presence.bury(self.executor)
            raise
        self._heart = threading.Thread(target=self._beat_until_stopped, name="tangthu-heartbeat", daemon=True)
        self._heart.start()

    def close(self) -> None:
        """Take no new work, let what runs finish within the grace period, leave the rest to others."""
        self._stop.set()
        if self._heart is None:
            return
        self._heart.join()
        self._heart = None
        patience = int(self._options.grace) if self._active else 0
        # DBOS may take a job from a queue while it stops, and then complains that it cannot run it.
        logging.getLogger("dbos").setLevel(logging.CRITICAL)
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=patience)
        # The row stays, marked dead: whoever reaps next takes over such a job, or finds none and buries the row.
        self._presence.give_up(self.executor)

    def enqueue(self, request: Request) -> None:
        """Ask for a workflow. The same id asked twice runs once. Raises KeyError for an unknown workflow."""
        workflow = self._workflows[request.workflow]
        options: EnqueueOptions = {
            "workflow_name": workflow.name,
            "queue_name": workflow.queue,
            "workflow_id": request.id,
            "app_version": VERSION,
        }
        DBOS.enqueue_workflow_with_options(options, request.id, request.argument)

    def status(self, ids: Iterable[str]) -> dict[str, JobStatus]:
        """Where these jobs stand; unknown ids are left out."""
        rows = DBOS.list_workflows(workflow_ids=list(ids))
        return {row.workflow_id: job_status(row) for row in rows}

    def unfinished(self, workflow: str) -> list[JobStatus]:
        """Jobs of a workflow that wait or run, oldest first."""
        rows = DBOS.list_workflows(name=workflow, status=["PENDING", "ENQUEUED", "DELAYED"], load_output=False)
        return [job_status(row) for row in rows]

    def jobs(self, limit: int = 100) -> list[JobStatus]:
        """The latest jobs of all workflows, newest first."""
        return [job_status(row) for row in DBOS.list_workflows(limit=limit, sort_desc=True)]

    def wait(
        self,
        ids: Sequence[str],
        timeout: float | None = None,
        on_look: Callable[[Mapping[str, JobStatus]], None] | None = None,
    ) -> dict[str, JobStatus]:
        """Wait until all jobs are over, or ``timeout`` seconds have passed; tell ``on_look`` at every look."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            found = self.status(ids)
            if on_look:
                on_look(found)
            if all(key in found and found[key].over for key in ids):
                return found
            if (deadline is not None and time.monotonic() > deadline) or self._stop.wait(0.1):
                return found

    def reap(self) -> list[str]:
        """Take over the work of dead workers; give the ids of the jobs that go on elsewhere."""
        taken: list[str] = []
        for executor in self._presence.dead(self._options.ttl, but=self.executor):
            taken += _recover(executor)
            if not DBOS.list_workflows(executor_id=executor, status="PENDING", load_input=False, load_output=False):
                self._presence.bury(executor)
        if taken:
            _log.warning("took over from dead workers: %s", ", ".join(taken))
        return taken

    def forget_finished(self, older_than: timedelta | None = None) -> int:
        """Delete jobs that finished longer ago than ``older_than`` (default: the days to keep); give their number."""
        age = timedelta(days=self._options.keep_days) if older_than is None else older_than
        before = (datetime.now(UTC) - age).isoformat()
        finished = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
        count = 0
        while rows := DBOS.list_workflows(
            status=finished, end_time=before, completed_before=before, limit=500, load_input=False, load_output=False
        ):
            DBOS.delete_workflows([row.workflow_id for row in rows])
            count += len(rows)
        return count

    @property
    def active(self) -> frozenset[str]:
        """Ids of the jobs that this process works on now."""
        with self._guard:
            return frozenset(self._active)

    def _config(self) -> DBOSConfig:
        return {
            "name": APPLICATION,
            "run_migrations": False,
            "system_database_url": self._url,
            "executor_id": self.executor,
            "application_version": VERSION,
            "log_level": "WARNING",
            "serializer": JsonSerializer(),
            "enable_otlp": False,
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": 0.5,
            "scheduler_polling_interval_sec": 1.0,
        }

    def _prepare_queues(self) -> None:
        """Declare the queues before the launch: DBOS notices later ones only after a second."""
        DBOS.migrate(self._url)
        client = DBOSClient(system_database_url=self._url, application_name=APPLICATION)
        try:
            for queue in sorted({workflow.queue for workflow in self._workflows.values()}):
                limit = self._options.limits.get(queue, self._options.concurrency)
                client.register_queue(queue, worker_concurrency=limit, polling_interval_sec=self._options.poll)
        finally:
            client.destroy()

    def _queues(self) -> list[str]:
        known = {workflow.queue for workflow in self._workflows.values()}
        return sorted(known if self._options.queues is None else known & set(self._options.queues))

    def _declare(self, workflow: Workflow) -> None:
        def run(job_id: str, argument: Json) -> Json:
            with self._guard:
                self._active.add(job_id)
            try:
                return self._run(workflow, job_id, argument)
            finally:
                with self._guard:
                    self._active.discard(job_id)

        run.__qualname__ = workflow.name
        DBOS.workflow(name=workflow.name, max_recovery_attempts=self._options.deaths)(run)

    def _run(self, workflow: Workflow, job_id: str, argument: Json) -> Json:
        results: dict[str, Json] = {}
        value: Json = None
        for step in workflow.steps:
            job = Job(job_id, argument, dict(results), self._sleep)
            answer = DBOS.run_step({"name": step.name}, self._attempt, step, job)
            if "failure" in answer:
                return answer
            value = results[step.name] = answer["value"]
        for request in workflow.follow(value) if workflow.follow else ():
            self.enqueue(request)
        return {"value": value}

    def _attempt(self, step: Step, job: Job) -> dict[str, Json]:
        """Run a step's callable, again while its error is temporary. Errors become data here: this is the border."""
        for attempt in range(1, step.attempts + 1):
            try:
                return {"value": step.run(job)}
            except TemporaryError as error:
                if attempt == step.attempts:
                    return {"failure": Failure.of(error).to_json()}
                self._sleep(step.pause * 2 ** (attempt - 1))
            except TangThuError as error:
                return {"failure": Failure.of(error).to_json()}
            except Exception as error:  # noqa: BLE001 -- the worker's border
                _log.exception("job %s failed in step %s", job.id, step.name)
                return {"failure": Failure.internal(type(error).__name__).to_json()}
        raise AssertionError("a step has at least one attempt")

    def _sleep(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise _Interrupted

    def _beat_until_stopped(self) -> None:
        forget_at = time.monotonic()
        while True:
            try:
                self._presence.beat(self.executor, self._process)
                self.reap()
                if time.monotonic() >= forget_at:
                    forget_at += _FORGET_SECONDS
                    self.forget_finished()
            except Exception:  # noqa: BLE001 -- the worker's border: a heart that stops would be a false death
                _log.exception("heartbeat failed")
            if self._stop.wait(self._options.ttl / 4):
                return


def _recover(executor: str) -> list[str]:
    """Put a dead executor's workflows back on their queues. The one place that calls a private function of DBOS."""
    return [handle.get_workflow_id() for handle in DBOS._recover_pending_workflows([executor])]


def _dbos_is_open() -> bool:
    try:
        DBOS.list_queues()
    except DBOSException:
        return False
    return True


def job_status(row: WorkflowStatus) -> JobStatus:
    """A row of DBOS in our words."""
    args = cast("Mapping[str, Sequence[Json]]", row.input or {}).get("args", ())
    argument = args[1] if len(args) > 1 else None
    output = row.output if isinstance(row.output, dict) else {}
    state = _STATES.get(row.status, JobState.FAILED)
    failure = output.get("failure")
    if state is JobState.DONE and failure is not None:
        return JobStatus(row.workflow_id, row.name, JobState.FAILED, argument, None, Failure.from_json(failure))
    if state in (JobState.FAILED, JobState.POISON):
        return JobStatus(row.workflow_id, row.name, state, argument, None, Failure.internal(row.status))
    return JobStatus(row.workflow_id, row.name, state, argument, output.get("value"))
