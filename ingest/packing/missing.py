"""The list of what is missing as a workbook: one row for each finding, to be worked off and given to others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from ingest.packing.lists import text_cell
from metadata.findings import Finding, Severity

_HEADINGS = (
    ("STT", 6),
    ("Mức / Severity", 16),
    ("Nơi / Where", 34),
    ("Việc cần làm", 80),
    ("What to do", 80),
    ("Mã / Code", 26),
    ("Căn cứ / Rule", 34),
)
_SEVERITIES = {
    Severity.ERROR: "Lỗi / Error",
    Severity.WARNING: "Cảnh báo / Warning",
    Severity.NOTE: "Ghi chú / Note",
}


def write_missing(target: Path | BinaryIO, findings: Sequence[Finding], counts: Mapping[str, int]) -> None:
    """Write the findings of a packing as .xlsx; ``counts`` tells of those that were not kept. Every cell is text.

    Raises OSError.
    """
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Còn thiếu")
    sheet.freeze_panes = "A2"
    for number, (_, width) in enumerate(_HEADINGS):
        sheet.column_dimensions[chr(65 + number)].width = width
    sheet.append([text_cell(sheet, heading, bold=True) for heading, _ in _HEADINGS])
    for number, one in enumerate(findings, 1):
        place = one.place.encode("utf-8", "backslashreplace").decode()
        row = (str(number), _SEVERITIES[one.severity], place, one.message.vi, one.message.en, one.code, one.rule)
        sheet.append([text_cell(sheet, text) for text in row])
    more = sum(counts.values()) - len(findings)
    if more > 0:
        sheet.append([text_cell(sheet, f"… và {more} điều khác cùng loại / and {more} more of the same kinds")])
    book.save(target)
