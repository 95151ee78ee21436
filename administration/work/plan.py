"""What a workflow is: a chain of named steps over JSON values. Knows nothing of the engine that runs it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from metadata.errors import RefusedInput, TangThuError
from metadata.text import Sentence

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Job:
    """What a step is told: the workflow's id, its argument, and what the steps before it returned, by step name.

    ``sleep`` waits so many seconds and passes through the step when the worker stops meanwhile: the job stays open.
    """

    id: str
    argument: Json
    results: Mapping[str, Json]
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Step:
    """One repeatable act. It may run again after a crash, so it must find its own traces and do no harm.

    A TemporaryError is tried again, ``attempts`` times in all, waiting ``pause`` seconds, then twice that, and so on.
    """

    name: str
    run: Callable[[Job], Json]
    attempts: int = 5
    pause: float = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """A wish to run ``workflow`` once under ``id``; asked twice, it still runs once."""

    workflow: str
    id: str
    argument: Json = None


@dataclass(frozen=True, slots=True)
class Workflow:
    """Steps in their order, on a queue. ``follow`` turns the last result into further requests; it must be pure."""

    name: str
    queue: str
    steps: tuple[Step, ...]
    follow: Callable[[Json], Sequence[Request]] | None = None


class JobState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # the work itself said no, or an error reached the border
    POISON = "poison"  # it killed its workers too often and is not tried again


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as data: what the error tree knows of it, so that it survives the journey through a database."""

    kind: str
    exit_code: int
    retry: bool
    sentence: Sentence
    findings: tuple[Json, ...] = ()

    @classmethod
    def of(cls, error: TangThuError) -> Failure:
        found = error.findings if isinstance(error, RefusedInput) else ()
        findings: tuple[Json, ...] = tuple(dict(one.fields()) for one in found)
        return cls(type(error).__name__, error.exit_code, error.retry, error.sentence, findings)

    @classmethod
    def internal(cls, name: str) -> Failure:
        """An error that nobody foresaw; its traceback is in the log of the worker, not in the record."""
        sentence = Sentence(
            f"Lỗi bên trong hệ thống ({name}); chi tiết trong nhật ký của tiến trình xử lý.",
            f"An internal error ({name}); the worker's log has the details.",
        )
        return cls(name, 70, False, sentence)

    def to_json(self) -> dict[str, Json]:
        return {
            "kind": self.kind,
            "exit_code": self.exit_code,
            "retry": self.retry,
            "vi": self.sentence.vi,
            "en": self.sentence.en,
            "findings": list(self.findings),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> Failure:
        findings, code = data.get("findings"), data.get("exit_code")
        return cls(
            str(data["kind"]),
            code if isinstance(code, int) else 70,
            bool(data["retry"]),
            Sentence(str(data["vi"]), str(data["en"])),
            tuple(findings) if isinstance(findings, list) else (),
        )


@dataclass(frozen=True, slots=True)
class JobStatus:
    """Where a job stands. ``value`` is the last step's result once DONE, ``failure`` says why it FAILED."""

    id: str
    workflow: str
    state: JobState
    argument: Json
    value: Json = None
    failure: Failure | None = None

    @property
    def over(self) -> bool:
        return self.state in (JobState.DONE, JobState.FAILED, JobState.POISON)


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """How an engine works. Times are in seconds.

    ``ttl`` is the silence after which a worker counts as dead. ``deaths`` is how often a job may take its worker down
    before it is set aside as POISON. ``queues`` are those this process works on; None means all, empty means none.
    """

    concurrency: int = 2
    ttl: float = 60.0
    poll: float = 0.25
    deaths: int = 5
    keep_days: float = 30.0
    grace: float = 30.0
    queues: tuple[str, ...] | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
