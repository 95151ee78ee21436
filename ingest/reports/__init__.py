"""The report of a check as files to keep: JSON for programs, CSV for Excel, PDF/A for people and the archive."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from ingest.check import CheckReport
from ingest.reports.json_report import json_report, read_json

__all__ = ["ReportFormat", "read_json", "render"]


class ReportFormat(StrEnum):
    """The values are the endings of the files' names."""

    JSON = "json"
    CSV = "csv"
    PDF = "pdf"

    @property
    def media_type(self) -> str:
        return {"json": "application/json", "csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}[self.value]


def render(report: CheckReport, format: ReportFormat, made: datetime) -> bytes:
    """The report as a file. ``made`` (aware) is when the package was checked: the PDF says so.

    The same report and moment give the same bytes.
    """
    if format is ReportFormat.JSON:
        return json_report(report)
    if format is ReportFormat.CSV:
        from ingest.reports.csv_report import csv_report

        return csv_report(report)
    from ingest.reports.pdf_report import pdf_report

    return pdf_report(report, made)
