"""The report as PDF/A-2b, for people and for the file of the transfer."""

from __future__ import annotations

from datetime import datetime

from ingest.check import CheckReport


def pdf_report(report: CheckReport, made: datetime) -> bytes:
    """The report as PDF/A-2b; ``made`` is when the package was checked."""
    raise NotImplementedError
