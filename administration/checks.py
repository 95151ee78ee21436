"""The check desk: packages that people hand in to be checked, their progress, and the reports for a while after.

What is handed in goes when its check ends; the report stays in the work folder for as long as :class:`DeskBounds` says.
Nothing of it is ever in the archive.
"""

from __future__ import annotations

import contextlib
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

from administration.desk import Advance, Desk, DeskBounds, DeskProgress, Upload
from ingest.check import CheckReport, check_package
from ingest.guards import GuardLimits
from ingest.reports import ReportFormat, read_json, render
from metadata.package_kinds import PackageProfile
from metadata.text import Sentence

if TYPE_CHECKING:
    from administration.archive import Archive

_CHUNK = 1 << 20


class CheckDesk(Desk):
    """Checks uploads, a few at a time. Progress is in bytes read (both 0 while the structure is looked at)."""

    prefix = "checked-"
    result = "report.json"
    too_many = Sentence(
        "Đang có quá nhiều gói tin chờ kiểm tra. Hãy thử lại sau ít phút.",
        "Too many packages wait to be checked. Try again in a few minutes.",
    )
    not_kept = Sentence(
        "Không có kết quả kiểm tra này: kết quả chỉ được giữ trong một thời gian ngắn. Hãy kiểm tra lại gói tin.",
        "There is no such check: results are kept for a short time only. Check the package again.",
    )

    @property
    def too_large(self) -> Sentence:
        megabytes = self.bounds.upload // 1_000_000
        return Sentence(
            f"Gói tin lớn hơn {megabytes} MB. Hãy kiểm tra ngay trên máy bằng «tangthu check».",
            f"The package is larger than {megabytes} MB. Check it on your own machine with “tangthu check”.",
        )

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
            files=1,
        )
        return cls(settings.work_folder, bounds, archive.clock)

    def start(self, upload: BinaryIO, name: str, profile: PackageProfile | None = None) -> str:
        """Take in everything that ``upload`` gives and check it; the check's id.

        ``name`` is the file's name as sent. Raises Busy when too many are waiting, TooLarge, NoSpace.
        """
        with self.receiving(name or "package") as receiving:
            while chunk := upload.read(_CHUNK):
                receiving.write(chunk)
            return self.check(receiving, profile)

    def check(self, upload: Upload, profile: PackageProfile | None = None) -> str:
        """Everything is written: check it. The check's id. Raises NoSpace."""
        upload.end()

        def work(place: Path, advance: Advance) -> None:
            report = check_package(upload.path, place, profile, limits=self.bounds.guards, on_progress=advance)
            (place / "new").write_bytes(render(report, ReportFormat.JSON, self._clock()))
            (place / "new").rename(place / self.result)

        return self.submit(upload, work)

    def progress(self, task_id: str) -> DeskProgress:
        """How far the check has come. Raises NotFound."""
        progress = super().progress(task_id)
        if progress.name:
            return progress
        report = self._read(self.kept(task_id))
        return DeskProgress(task_id, report.name, progress.state, report.bytes, report.bytes)

    def report(self, check_id: str) -> CheckReport:
        """What was found. Raises NotFound; Busy while the check is not done; what the check failed of."""
        return self._read(self.done(check_id))

    def checked_at(self, check_id: str) -> datetime:
        """When the check was done. Raises as :meth:`report`."""
        return datetime.fromtimestamp(int(self.done(check_id).stat().st_mtime), UTC)

    def rendered(self, check_id: str, format: ReportFormat) -> bytes:
        """The report as a file to keep: PDF/A, CSV or JSON; made once. Raises as :meth:`report`."""
        report, place = self.report(check_id), self.place(check_id)
        file = place / f"report.{format}"
        try:
            return file.read_bytes()
        except FileNotFoundError:
            made = render(report, format, self.checked_at(check_id))
            with contextlib.suppress(OSError):  # it can be made again
                new = place / secrets.token_hex(8)
                new.write_bytes(made)
                new.rename(file)
            return made

    @staticmethod
    def _read(file: Path) -> CheckReport:
        return read_json(file.read_text(encoding="utf-8"))
