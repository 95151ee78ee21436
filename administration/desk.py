"""A desk: what people hand in to be worked on, its progress, and what comes of it, kept for a while.

One implementation of "uploads kept for a while": bounded in bytes, number and time, a folder of its own for
each task, swept when its time is over. Names from outside are never paths of more than one part.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import re
import secrets
import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, ClassVar, Self

from ingest.guards import LIMITS, GuardLimits
from ingest.sources.port import is_full
from metadata.errors import Busy, NoSpace, NotFound, TangThuError, TemporaryError, UsageError
from metadata.text import Sentence

_ID = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff/\\:*?\"<>|]")
_IN = "package"
_FAILED = Sentence(
    "Hệ thống gặp lỗi khi làm việc này. Hãy thử lại; nếu vẫn lỗi, báo cho người quản trị.",
    "The system failed while it did this. Try again; if it fails again, tell the administrator.",
)
_CLOSED = Sentence(
    "Máy chủ dừng trước khi làm xong việc này. Hãy gửi lại sau.",
    "The server was stopped before this was done. Send it again later.",
)


class DeskState(StrEnum):
    """How far a task has come."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DeskProgress:
    """One task: ``done`` of ``total`` (bytes or documents; both 0 while that is not known), ``ahead`` tasks before it.

    ``failure`` is what this machine could not do (no finding of what was handed in); only when ``state`` is FAILED.
    """

    id: str
    name: str
    state: DeskState
    done: int = 0
    total: int = 0
    failure: Sentence | None = None
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class DeskBounds:
    """What the desk takes: bytes of one upload, tasks waiting or running, results kept, and for how long."""

    upload: int = 2_000_000_000
    open: int = 8
    kept: int = 50
    keep: timedelta = timedelta(hours=1)
    workers: int = 1
    guards: GuardLimits = LIMITS
    files: int = 10_000


class TooLarge(UsageError):
    """More was handed in than the desk takes."""


class Upload:
    """Files on their way in: each begun, written piece by piece, then worked on by the desk, or dropped."""

    def __init__(self, task_id: str, folder: Path, bounds: DeskBounds, too_large: Sentence) -> None:
        self.id = task_id
        self.folder = folder / _IN
        self.paths: list[Path] = []
        self._bounds = bounds
        self._too_large = too_large
        self._size = 0
        self._file: BinaryIO | None = None
        with space():
            self.folder.mkdir(parents=True)

    @property
    def path(self) -> Path:
        """The first file."""
        return self.paths[0]

    @property
    def name(self) -> str:
        """The name of the first file."""
        return self.path.name

    def begin(self, name: str, group: str = "") -> Path:
        """Write into a new file from now on; ``name`` as sent, ``group`` a folder of ours. Raises TooLarge, NoSpace."""
        self.end()
        if len(self.paths) >= self._bounds.files:
            raise TooLarge(self._too_large)
        with space():
            folder = self.folder / group
            folder.mkdir(exist_ok=True)
            path = folder / file_name(name)
            if path.exists():  # another of that name, from another folder of the sender's
                path = folder / f"{len(self.paths)}" / path.name
                path.parent.mkdir()
            self._file = path.open("xb")
        self.paths.append(path)
        return path

    def write(self, data: bytes) -> None:
        """Add ``data`` to the file that was begun last. Raises TooLarge; NoSpace when our disk is full."""
        self._size += len(data)
        if self._size > self._bounds.upload:
            raise TooLarge(self._too_large)
        assert self._file is not None
        with space():
            self._file.write(data)

    def end(self) -> None:
        """Everything is written. May be called twice. Raises NoSpace."""
        if self._file is not None:
            with space():
                self._file.close()

    def drop(self) -> None:
        """Let go of the file, whatever state it is in."""
        with contextlib.suppress(OSError):
            if self._file is not None:
                self._file.close()


@dataclass(slots=True)
class _Task:
    progress: DeskProgress
    ended: Future[None] = field(default_factory=Future)
    error: TangThuError | None = None


Advance = Callable[[int, int], None]
"""Told how much is done and how much there is in all."""


class Desk(ABC):
    """Works on what is handed in, a few tasks at a time. A context manager; any thread may use it.

    ``prefix`` begins the names of its folders under ``folder``; ``result`` is the file that is there when one is done.
    """

    prefix: ClassVar[str]
    result: ClassVar[str]
    too_many: ClassVar[Sentence]
    not_kept: ClassVar[Sentence]

    def __init__(
        self, folder: Path, bounds: DeskBounds | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._folder = folder
        self.bounds = bounds or DeskBounds()
        self._clock = clock
        self._lock = threading.Lock()
        self._uploads: set[str] = set()
        self._tasks: dict[str, _Task] = {}
        self._workers = ThreadPoolExecutor(self.bounds.workers, thread_name_prefix=self.prefix)
        self._sweeper: threading.Timer | None = None
        self._closed = False

    @property
    @abstractmethod
    def too_large(self) -> Sentence:
        """What is said to whoever hands in more than the desk takes."""

    def __enter__(self) -> Self:
        self._sweep_again()  # what an earlier process left
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End what is running at its next step, and drop those that wait."""
        with self._lock:
            self._closed = True
            if self._sweeper is not None:
                self._sweeper.cancel()
        self._workers.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            left = [task for task in self._tasks.values() if not task.ended.done()]
        for task in left:
            self._fail(task, TemporaryError(_CLOSED))
            task.ended.set_result(None)
            shutil.rmtree(self.place(task.progress.id), ignore_errors=True)

    # Handing in

    @contextlib.contextmanager
    def receiving(self, name: str = "") -> Iterator[Upload]:
        """A new upload to write into and then to be worked on; if it is not, what was written is gone.

        With a ``name`` its first file is begun. Raises Busy when too many are waiting, NoSpace.
        """
        self.sweep()
        task_id = secrets.token_urlsafe(16)
        with self._lock:
            if len(self._uploads) + sum(not task.ended.done() for task in self._tasks.values()) >= self.bounds.open:
                raise Busy(self.too_many)
            self._uploads.add(task_id)
        upload: Upload | None = None
        try:
            upload = Upload(task_id, self.place(task_id), self.bounds, self.too_large)
            if name:
                upload.begin(name)
            yield upload
        finally:
            if upload is not None:
                upload.drop()
            with self._lock:
                self._uploads.discard(task_id)
                begun = task_id in self._tasks
            if not begun:
                shutil.rmtree(self.place(task_id), ignore_errors=True)

    def submit(self, upload: Upload, work: Callable[[Path, Advance], None]) -> str:
        """Everything is written: work on it in the task's folder, when its turn comes. The task's id. Raises NoSpace.

        ``work`` writes the file ``result`` into the folder it is given, last of all and by a rename.
        """
        upload.end()
        task = _Task(DeskProgress(upload.id, upload.name, DeskState.WAITING))
        with self._lock:
            self._tasks[upload.id] = task
        self._workers.submit(self._run, task, upload.folder, work)
        return upload.id

    def _run(self, task: _Task, handed_in: Path, work: Callable[[Path, Advance], None]) -> None:
        try:
            self._tell(task, state=DeskState.RUNNING)
            with space():
                work(self.place(task.progress.id), lambda done, total: self._advance(task, done, total))
            self._tell(task, state=DeskState.DONE)
        except TangThuError as error:
            self._fail(task, error)
        except Exception:  # a worker: one task fails, the desk goes on
            logging.getLogger(__name__).exception("%s%s failed", self.prefix, task.progress.id)
            self._fail(task, TangThuError(_FAILED))
        finally:
            shutil.rmtree(handed_in, ignore_errors=True)
            task.ended.set_result(None)
            self._sweep_later()

    def _advance(self, task: _Task, done: int, total: int) -> None:
        """Note how far the task is; a task that still runs when the desk closes ends here."""
        if self._closed:
            raise TemporaryError(_CLOSED)
        self._tell(task, done=done, total=total)

    def _fail(self, task: _Task, error: TangThuError) -> None:
        task.error = error
        self._tell(task, state=DeskState.FAILED, failure=error.sentence)

    def _tell(self, task: _Task, **changes: Any) -> None:  # noqa: ANN401 -- fields of DeskProgress
        task.progress = replace(task.progress, **changes)

    # Asking

    def progress(self, task_id: str) -> DeskProgress:
        """How far the task has come. Raises NotFound."""
        self.sweep()
        with self._lock:
            task = self._tasks.get(task_id)
            before = itertools.takewhile(lambda one: one is not task, self._tasks.values())
            ahead = sum(not one.ended.done() for one in before)
        if task is None:
            self.kept(task_id)
            return DeskProgress(task_id, "", DeskState.DONE)
        return replace(task.progress, ahead=ahead if task.progress.state is DeskState.WAITING else 0)

    def ended(self, task_id: str) -> Future[None]:
        """Done when the task is, however it ends. Raises NotFound."""
        with self._lock:
            task = self._tasks.get(task_id)
        if task is None:
            raise NotFound(self.not_kept)
        return task.ended

    def done(self, task_id: str) -> Path:
        """The file that is the task's result. Raises NotFound; Busy while it is not done; what the task failed of."""
        self.sweep()
        with self._lock:
            task = self._tasks.get(task_id)
        if task is not None and task.error is not None:
            raise task.error
        if task is not None and task.progress.state in (DeskState.WAITING, DeskState.RUNNING):
            raise Busy(Sentence("Việc này chưa xong.", "This is not done yet."))
        return self.kept(task_id)

    def kept(self, task_id: str) -> Path:
        """The file that is the result of a task, if there is one. Raises NotFound."""
        if not _ID.fullmatch(task_id) or not (file := self.place(task_id) / self.result).is_file():
            raise NotFound(self.not_kept)
        return file

    def forget(self, task_id: str) -> None:
        """Remove what is kept of a task that has ended. No error when nothing is."""
        with self._lock:
            task = self._tasks.get(task_id)
            if task_id in self._uploads or (task is not None and not task.ended.done()):
                return
            self._tasks.pop(task_id, None)
        if _ID.fullmatch(task_id):
            shutil.rmtree(self.place(task_id), ignore_errors=True)

    def sweep(self) -> None:
        """Remove what has been kept for long enough, and the oldest beyond what the desk keeps."""
        ages: list[tuple[float, str]] = []
        for place in self._folder.glob(f"{self.prefix}*"):
            with contextlib.suppress(OSError):  # another thread was here first
                ages.append((place.stat().st_mtime, place.name.removeprefix(self.prefix)))
        ages.sort(reverse=True)
        before = (self._clock() - self.bounds.keep).timestamp()
        for number, (changed, task_id) in enumerate(ages):
            if number >= self.bounds.kept or changed < before:
                self.forget(task_id)
        with self._lock:
            gone = {task_id for task_id, task in self._tasks.items() if task.ended.done()} - {one for _, one in ages}
            for task_id in gone:
                del self._tasks[task_id]

    def _sweep_later(self) -> None:
        """What is kept goes when its time is over, even if nobody asks for anything any more."""
        with self._lock:
            if self._closed or (self._sweeper is not None and self._sweeper.is_alive()):
                return
            self._sweeper = threading.Timer(self.bounds.keep.total_seconds() + 1, self._sweep_again)
            self._sweeper.daemon = True
            self._sweeper.start()

    def _sweep_again(self) -> None:
        self.sweep()
        with self._lock:
            self._sweeper = None
        if any(self._folder.glob(f"{self.prefix}*")):
            self._sweep_later()

    def place(self, task_id: str) -> Path:
        """The folder of a task."""
        return self._folder / f"{self.prefix}{task_id}"


def file_name(name: str) -> str:
    """The last part of a name as sent, as it can be written on any disk: at most 150 bytes, never empty."""
    last = _ODD.sub("_", re.split(r"[/\\]", name)[-1]).strip(". ")
    stem, dot, ending = last.rpartition(".")
    ending = (dot + ending) if stem and len(ending) <= 10 else ""
    kept = (stem if ending else last).encode()[: 150 - len(ending.encode())].decode(errors="ignore")
    return (kept + ending) or "package"


@contextlib.contextmanager
def space() -> Iterator[None]:
    """A full disk of ours is a reason to try again later: raises NoSpace."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise NoSpace(
            Sentence(
                "Máy chủ hết chỗ cho tệp tạm. Hãy thử lại sau.",
                "The server has no room for temporary files. Try again later.",
            )
        ) from error
