"""The report as CSV, a line a finding and one for what is not listed: Excel opens it, and nothing in it is run."""

from __future__ import annotations

import csv
import io
import re

from ingest.advice import actions
from ingest.check import CheckReport
from ingest.reports.json_report import written
from ingest.reports.words import number_text

_HEADINGS = (
    "Mức độ / Severity",
    "Mã / Code",
    "Vị trí / Place",
    "Phải làm gì",
    "What to do",
    "Quy định / Rule",
)
_FORMULA = re.compile("[\\s\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")


def csv_report(report: CheckReport) -> bytes:
    """UTF-8 with the mark by which Excel knows it; lines end with CR LF (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(_HEADINGS)
    for one in report.findings:
        cells = (one.severity.value, one.code, one.place, one.message.vi, one.message.en, one.rule)
        writer.writerow([safe(cell) for cell in cells])
    for kind in (kind for action in actions(report.findings, report.counts) for kind in action.kinds if kind.unlisted):
        left = number_text(kind.unlisted)
        told = f"… và {left} chỗ nữa cùng loại", f"… and {left} more of this kind"
        writer.writerow([kind.severity.value, kind.code, "", *told, safe(kind.rule)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def safe(cell: str) -> str:
    """A cell that a spreadsheet takes as text: one that it would take as a formula gets ``'`` before it."""
    text = written(cell).replace("\x00", "\\x00")
    return f"'{text}" if _FORMULA.match(text) else text
