"""The check desk: packages that people hand in to be checked, their progress, and the reports for a while after.

What is handed in goes when its check ends; the report stays in the work folder for as long as :class:`DeskBounds` says.
Nothing of it is ever in the archive.
"""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from ingest.check import CheckReport, check_package
from ingest.guards import LIMITS, GuardLimits
from ingest.reports import ReportFormat, read_json, render
from ingest.sources.port import is_full
from metadata.errors import Busy, NoSpace, NotFound, TangThuError, TemporaryError, UsageError
from metadata.package_kinds import PackageProfile
from metadata.text import Sentence

if TYPE_CHECKING:
    from administration.archive import Archive

_CHUNK = 1 << 20
_ID = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_PREFIX = "checked-"
_REPORT = "report.json"
_FAILED = Sentence(
    "Hệ thống gặp lỗi khi kiểm tra gói tin này. Hãy thử lại; nếu vẫn lỗi, báo cho người quản trị.",
    "The system failed while it checked this package. Try again; if it fails again, tell the administrator.",
)
_CLOSED = Sentence(
    "Máy chủ dừng trước khi kiểm tra gói tin này. Hãy gửi lại sau.",
    "The server was stopped before this package was checked. Send it again later.",
)
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff/\\:*?\"<>|]")


class CheckState(StrEnum):
    """How far a check has come."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """One check: ``done`` of ``total`` bytes read (both 0 while the structure is looked at).

    ``failure`` is what this machine could not do (no finding of the package); only when ``state`` is FAILED.
    """

    id: str
    name: str
    state: CheckState
    done: int = 0
    total: int = 0
    failure: Sentence | None = None


@dataclass(frozen=True, slots=True)
class DeskBounds:
    """What the desk takes: bytes of one upload, checks waiting or running, reports kept, and for how long."""

    upload: int = 2_000_000_000
    open: int = 8
    kept: int = 50
    keep: timedelta = timedelta(hours=1)
    workers: int = 1
    guards: GuardLimits = LIMITS


class TooLarge(UsageError):
    """More was handed in than the desk takes."""


class Upload:
    """A package on its way in: written piece by piece, then given to :meth:`CheckDesk.check`, or dropped."""

    def __init__(self, folder: Path, name: str, limit: int) -> None:
        self.id = folder.name.removeprefix(_PREFIX)
        self.name = name
        self.path = folder / "package" / name
        self._limit = limit
        self._size = 0
        with _space():
            self.path.parent.mkdir(parents=True)
            self._file = self.path.open("xb")

    def write(self, data: bytes) -> None:
        """Add ``data``. Raises TooLarge; NoSpace when our disk is full."""
        self._size += len(data)
        if self._size > self._limit:
            megabytes = self._limit // 1_000_000
            raise TooLarge(
                Sentence(
                    f"Gói tin lớn hơn {megabytes} MB. Hãy kiểm tra ngay trên máy bằng «tangthu check».",
                    f"The package is larger than {megabytes} MB. Check it on your own machine with “tangthu check”.",
                )
            )
        with _space():
            self._file.write(data)

    def end(self) -> None:
        """Everything is written. May be called twice. Raises NoSpace."""
        with _space():
            self._file.close()

    def drop(self) -> None:
        """Let go of the file, whatever state it is in."""
        with contextlib.suppress(OSError):
            self._file.close()


@dataclass(slots=True)
class _Job:
    progress: CheckProgress
    ended: Future[None] = field(default_factory=Future)
    error: TangThuError | None = None


class CheckDesk:
    """Checks uploads, a few at a time. A context manager; any thread may use it."""

    def __init__(
        self, folder: Path, bounds: DeskBounds | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._folder = folder
        self.bounds = bounds or DeskBounds()
        self._clock = clock
        self._lock = threading.Lock()
        self._uploads: set[str] = set()
        self._jobs: dict[str, _Job] = {}
        self._workers = ThreadPoolExecutor(self.bounds.workers, thread_name_prefix="check")

    @classmethod
    def of(cls, archive: Archive) -> Self:
        """The desk of an archive, as its settings say."""
        settings = archive.settings
        bounds = DeskBounds(
            upload=settings.count("checks.max_bytes"),
            open=settings.count("checks.max_open"),
            kept=settings.count("checks.max_kept"),
            keep=timedelta(minutes=settings.number("checks.keep_minutes")),
            workers=settings.count("checks.workers"),
            guards=GuardLimits(
                files=settings.count("limits.max_files"),
                bytes=settings.count("limits.max_bytes"),
                ratio=settings.count("limits.max_ratio"),
            ),
        )
        return cls(settings.work_folder, bounds, archive.clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End after the check that is running; those that wait are dropped."""
        self._workers.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            left = [job for job in self._jobs.values() if not job.ended.done()]
        for job in left:
            self._fail(job, TemporaryError(_CLOSED))
            job.ended.set_result(None)
            shutil.rmtree(self._place(job.progress.id), ignore_errors=True)

    # Handing in

    def start(self, upload: BinaryIO, name: str, profile: PackageProfile | None = None) -> str:
        """Take in everything that ``upload`` gives and check it; the check's id.

        ``name`` is the file's name as sent. Raises Busy when too many are waiting, TooLarge, NoSpace.
        """
        with self.receiving(name) as receiving:
            while chunk := upload.read(_CHUNK):
                receiving.write(chunk)
            return self.check(receiving, profile)

    @contextlib.contextmanager
    def receiving(self, name: str) -> Iterator[Upload]:
        """A new upload to write into and then :meth:`check`; without that call, what was written is gone.

        Raises Busy when too many are waiting, NoSpace.
        """
        self.sweep()
        check_id = secrets.token_urlsafe(16)
        with self._lock:
            if len(self._uploads) + sum(not job.ended.done() for job in self._jobs.values()) >= self.bounds.open:
                raise Busy(
                    Sentence(
                        "Đang có quá nhiều gói tin chờ kiểm tra. Hãy thử lại sau ít phút.",
                        "Too many packages wait to be checked. Try again in a few minutes.",
                    )
                )
            self._uploads.add(check_id)
        upload: Upload | None = None
        try:
            upload = Upload(self._place(check_id), file_name(name), self.bounds.upload)
            yield upload
        finally:
            if upload is not None:
                upload.drop()
            with self._lock:
                self._uploads.discard(check_id)
                begun = check_id in self._jobs
            if not begun:
                shutil.rmtree(self._place(check_id), ignore_errors=True)

    def check(self, upload: Upload, profile: PackageProfile | None = None) -> str:
        """Everything is written: check it. The check's id. Raises NoSpace."""
        upload.end()
        job = _Job(CheckProgress(upload.id, upload.name, CheckState.WAITING))
        with self._lock:
            self._jobs[upload.id] = job
        self._workers.submit(self._run, job, upload.path, profile)
        return upload.id

    def _run(self, job: _Job, path: Path, profile: PackageProfile | None) -> None:
        place = self._place(job.progress.id)
        try:
            self._tell(job, state=CheckState.RUNNING)
            report = check_package(
                path,
                place,
                profile,
                limits=self.bounds.guards,
                on_progress=lambda done, total: self._tell(job, done=done, total=total),
            )
            with _space():
                (place / "new").write_bytes(render(report, ReportFormat.JSON, self._clock()))
                (place / "new").rename(place / _REPORT)
            self._tell(job, state=CheckState.DONE)
        except TangThuError as error:
            self._fail(job, error)
        except Exception:  # a worker: one check fails, the desk goes on
            logging.getLogger(__name__).exception("check %s failed", job.progress.id)
            self._fail(job, TangThuError(_FAILED))
        finally:
            shutil.rmtree(path.parent, ignore_errors=True)
            job.ended.set_result(None)

    def _fail(self, job: _Job, error: TangThuError) -> None:
        job.error = error
        self._tell(job, state=CheckState.FAILED, failure=error.sentence)

    def _tell(self, job: _Job, **changes: Any) -> None:  # noqa: ANN401 -- fields of CheckProgress
        job.progress = replace(job.progress, **changes)

    # Asking

    def progress(self, check_id: str) -> CheckProgress:
        """How far the check has come. Raises NotFound."""
        self.sweep()
        with self._lock:
            job = self._jobs.get(check_id)
        if job is not None:
            return job.progress
        report = self._kept(check_id)
        return CheckProgress(check_id, report.name, CheckState.DONE, report.bytes, report.bytes)

    def ended(self, check_id: str) -> Future[None]:
        """Done when the check is, however it ends. Raises NotFound."""
        with self._lock:
            job = self._jobs.get(check_id)
        if job is None:
            raise _not_kept()
        return job.ended

    def report(self, check_id: str) -> CheckReport:
        """What was found. Raises NotFound; Busy while the check is not done; what the check failed of."""
        self.sweep()
        with self._lock:
            job = self._jobs.get(check_id)
        if job is not None and job.error is not None:
            raise job.error
        if job is not None and not job.ended.done():
            raise Busy(Sentence("Việc kiểm tra chưa xong.", "The check is not done yet."))
        return self._kept(check_id)

    def rendered(self, check_id: str, format: ReportFormat) -> bytes:
        """The report as a file to keep: PDF/A, CSV or JSON; made once. Raises as :meth:`report`."""
        report, place = self.report(check_id), self._place(check_id)
        file = place / f"report.{format}"
        try:
            return file.read_bytes()
        except FileNotFoundError:
            made = render(report, format, datetime.fromtimestamp((place / _REPORT).stat().st_mtime, UTC))
            with contextlib.suppress(OSError):  # it can be made again
                new = place / secrets.token_hex(8)
                new.write_bytes(made)
                new.rename(file)
            return made

    def forget(self, check_id: str) -> None:
        """Remove what is kept of a check that has ended. No error when nothing is."""
        with self._lock:
            job = self._jobs.get(check_id)
            if check_id in self._uploads or (job is not None and not job.ended.done()):
                return
            self._jobs.pop(check_id, None)
        if _ID.fullmatch(check_id):
            shutil.rmtree(self._place(check_id), ignore_errors=True)

    def sweep(self) -> None:
        """Remove what has been kept for long enough, and the oldest beyond what the desk keeps."""
        ages: list[tuple[float, str]] = []
        for place in self._folder.glob(f"{_PREFIX}*"):
            with contextlib.suppress(OSError):  # another thread was here first
                ages.append((place.stat().st_mtime, place.name.removeprefix(_PREFIX)))
        ages.sort(reverse=True)
        before = (self._clock() - self.bounds.keep).timestamp()
        for number, (changed, check_id) in enumerate(ages):
            if number >= self.bounds.kept or changed < before:
                self.forget(check_id)
        with self._lock:
            gone = {check_id for check_id, job in self._jobs.items() if job.ended.done()} - {one for _, one in ages}
            for check_id in gone:
                del self._jobs[check_id]

    def _place(self, check_id: str) -> Path:
        return self._folder / f"{_PREFIX}{check_id}"

    def _kept(self, check_id: str) -> CheckReport:
        if not _ID.fullmatch(check_id):
            raise _not_kept()
        try:
            return read_json((self._place(check_id) / _REPORT).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise _not_kept() from error


def file_name(name: str) -> str:
    """The last part of a name as sent, as it can be written on any disk: at most 150 bytes, never empty."""
    last = _ODD.sub("_", re.split(r"[/\\]", name)[-1]).strip(". ")
    stem, dot, ending = last.rpartition(".")
    ending = (dot + ending) if stem and len(ending) <= 10 else ""
    kept = (stem if ending else last).encode()[: 150 - len(ending.encode())].decode(errors="ignore")
    return (kept + ending) or "package"


def _not_kept() -> NotFound:
    return NotFound(
        Sentence(
            "Không có kết quả kiểm tra này: kết quả chỉ được giữ trong một thời gian ngắn. Hãy kiểm tra lại gói tin.",
            "There is no such check: results are kept for a short time only. Check the package again.",
        )
    )


@contextlib.contextmanager
def _space() -> Iterator[None]:
    """A full disk of ours is a reason to try again later."""
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
