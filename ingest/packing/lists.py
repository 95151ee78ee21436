"""The lists that go with a submission: *mục lục hồ sơ* and *mục lục văn bản* (Decree 30/2020/NĐ-CP, Phụ lục V)."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

from ingest.packing.model import Dossier, Row
from ingest.typesetting import GlyphMissingError, Template, typeset
from metadata.dates import VIETNAM
from metadata.tt05.profile import DocumentKind, Profile
from metadata.tt05.records import document_record, notation
from metadata.tt05.sip import Sender
from metadata.xml import legal

ROWS_OF_A_PDF = 2000
"""A longer list becomes several PDF files: what lays out pages holds all of them in memory."""

_ROWS_HERE = 200
_CODE = re.compile(r".+?\.(?P<year>(1[89]|20)\d\d)\.(?P<notation>.+)", re.DOTALL)
# Everything but what the fonts have that typst brings: Latin with all of Vietnamese, Cyrillic, punctuation, arrows.
_TEMPLATE = Template("ingest.packing", "muc-luc.typ")
_NO_GLYPH = re.compile(
    "[^ -~\u00a0-\u024f\u0300-\u036f\u0400-\u04ff\u1e00-\u1eff\u2010-\u2027\u2030-\u2040\u20a0-\u20bf\u2190-\u22ff]"
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Section:
    """One table of a list, with the lines above and below it."""

    lines: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    footer: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """What ``lists.toml`` says of one list."""

    file: str
    title: str
    columns: tuple[tuple[str, int], ...]
    footer: str
    words: str

    def section(self, lines: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Section:
        """A table with its count below, in figures and in words."""
        words = number_words(len(rows))
        footer = (self.footer.format(count=len(rows)), self.words.format(words=words[0].upper() + words[1:]))
        return Section(lines, tuple(rows), footer)


def _form(name: str) -> Form:
    data = tomllib.loads((resources.files("ingest.packing") / "lists.toml").read_text(encoding="utf-8"))[name]
    columns = tuple((heading, width) for heading, width in data["columns"])
    return Form(data["file"], data["title"], columns, data["footer"], data["words"])


def write_lists(
    dossiers: Sequence[Dossier], out: Path, sender: Sender, created: datetime, profile: Profile, first_number: int
) -> tuple[Path, ...]:
    """Write both lists as .xlsx and PDF/A-2b into ``out``; the first dossier has ``first_number``. Raises OSError."""
    above = (f"Phông: {sender.fonds}   Mã đăng ký nộp: {sender.agreement}",)
    form = _form("dossiers")
    rows = [_dossier(dossier, number, profile) for number, dossier in enumerate(dossiers, first_number)]
    made = _write(form, [form.section(above, rows)], out, sender, created)
    form = _form("documents")
    sections = [form.section(_above(dossier), list(_documents(dossier, profile))) for dossier in dossiers]
    return (*made, *_write(form, sections, out, sender, created))


def _write(form: Form, sections: Sequence[Section], out: Path, sender: Sender, created: datetime) -> list[Path]:
    workbook = out / f"{form.file}.xlsx"
    write_workbook(workbook, form, sections, sender)
    made = [workbook]
    parts = list(_parts(sections))
    for number, part in enumerate(parts, 1):
        path = out / f"{form.file}{f'-{number}' if len(parts) > 1 else ''}.pdf"
        path.write_bytes(pdf(form, part, sender, created))
        made.append(path)
    return made


def _parts(sections: Sequence[Section]) -> Iterator[list[Section]]:
    """Sections together as long as a PDF has room; a longer section is cut, its footer after the last piece."""
    part: list[Section] = []
    size = 0
    for section in sections:
        starts = range(0, max(1, len(section.rows)), ROWS_OF_A_PDF)
        for start in starts:
            rows = section.rows[start : start + ROWS_OF_A_PDF]
            if part and size + len(rows) > ROWS_OF_A_PDF:
                yield part
                part, size = [], 0
            part.append(Section(section.lines, rows, section.footer if start == starts[-1] else ()))
            size += len(rows) + 10
    if part:
        yield part


def _dossier(dossier: Dossier, number: int, profile: Profile) -> tuple[str, ...]:
    row = dossier.row
    amount = "/".join(row.get(field) or "0" for field in ("numberOfPaper", "numberOfPage"))
    period = " – ".join(dict.fromkeys(text for text in (row.get("startDate"), row.get("endDate")) if text))
    term = profile.label("maintenance", row.get("maintenance")).vi
    return (str(number), dossier.code, row.get("title"), period, term, amount, row.get("description"))


def _above(dossier: Dossier) -> tuple[str, ...]:
    match = _CODE.fullmatch(dossier.code)
    sign, year = (match["notation"], match["year"]) if match else (dossier.code, "")
    return (dossier.row.get("title"), f"Số, ký hiệu hồ sơ: {sign}   Năm: {year}   Mã hồ sơ: {dossier.code}")


def _documents(dossier: Dossier, profile: Profile) -> Iterator[tuple[str, ...]]:
    page = 1
    for number, document in enumerate(dossier.documents, 1):
        row = document.row
        pages = row.get("numberOfPage")
        last = page + int(pages) - 1 if row.kind is DocumentKind.TEXT and pages.isdecimal() else page - 1
        where = "" if last < page else f"{page}" if last == page else f"{page}–{last}"
        page = last + 1
        yield (str(number), *_described(row, profile), where, row.get("description"))


def _described(row: Row, profile: Profile) -> tuple[str, ...]:
    """Notation, date, kind and subject, author of a document of any kind."""
    from ingest.packing.assembling import fields_of

    record = document_record(fields_of(row, profile), 1, profile=profile)
    sign = notation(row.get("codeNumber"), row.get("codeNotation")) or row.get("archivesNumber")
    subject = f"{record.type_name}: {record.title}" if record.type_name else record.title
    return sign, record.start.text, subject, record.organ


def pdf(form: Form, sections: Sequence[Section], sender: Sender, created: datetime) -> bytes:
    """The list as PDF/A-2b, with the fonts that typst brings: the same input gives the same bytes.

    PDF/A has no place for a character without a glyph. For one that typst's fonts lack (Hán Nôm) the machine's fonts
    are asked; where they lack it too it is shown as ``[U+4E00]``.
    """
    local = created.astimezone(VIETNAM)
    content = {
        "title": form.title,
        "agency": sender.agency,
        "columns": form.columns,
        "sections": [{"lines": one.lines, "rows": one.rows, "footer": one.footer} for one in sections],
        "year": local.year,
        "month": local.month,
        "day": local.day,
    }
    text = legal(json.dumps(content, ensure_ascii=False))
    apart = sum(len(one.rows) for one in sections) > _ROWS_HERE
    if not _NO_GLYPH.search(text):
        return typeset(_TEMPLATE, text, created, apart=apart)
    try:
        return typeset(_TEMPLATE, text, created, system_fonts=True, apart=apart)
    except GlyphMissingError:
        shown = _NO_GLYPH.sub(lambda match: f"[U+{ord(match.group()):04X}]", text)
        return typeset(_TEMPLATE, shown, created, apart=apart)


def write_workbook(path: Path, form: Form, sections: Sequence[Section], sender: Sender) -> None:
    """The list as .xlsx, row by row. Every cell is text: none can become a formula."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    book.properties.creator = legal(sender.software)
    sheet = book.create_sheet("Mục lục")
    for number, (_, width) in enumerate(form.columns):
        sheet.column_dimensions[chr(65 + number)].width = width * 1.6 + 3
    sheet.append([text_cell(sheet, sender.agency, bold=True)])
    sheet.append([text_cell(sheet, form.title, bold=True)])
    for section in sections:
        sheet.append([])
        for line in section.lines:
            sheet.append([text_cell(sheet, line)])
        sheet.append([text_cell(sheet, heading, bold=True) for heading, _ in form.columns])
        for row in section.rows:
            sheet.append([text_cell(sheet, text) for text in row])
        for line in section.footer:
            sheet.append([text_cell(sheet, line)])
    book.save(path)


def text_cell(sheet: Any, text: str, *, bold: bool = False) -> Any:  # noqa: ANN401 -- openpyxl has no types
    """A cell of a write-only sheet that is text whatever it begins with; None for no text."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font

    if not text:
        return None
    cell = WriteOnlyCell(sheet, legal(text))
    cell.data_type = "s"  # else a text that begins with "=" is a formula
    cell.number_format = "@"
    if text.startswith(_FORMULA):
        cell.quotePrefix = True  # and stays text when a person edits the cell
    if bold:
        cell.font = Font(bold=True)
    cell.alignment = Alignment(wrap_text=not bold and len(text) > 20, vertical="top")
    return cell


_DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")


def number_words(number: int) -> str:
    """A number below a thousand million as Vietnamese words: 1105 is ``một nghìn một trăm linh năm``."""
    if number < 1000:
        return _below_thousand(number, whole=True)
    words: list[str] = []
    for unit, name in ((1_000_000, "triệu"), (1000, "nghìn")):
        if number >= unit:
            words.append(f"{_below_thousand(number // unit % 1000, whole=not words)} {name}")
            number %= unit
    if number:
        words.append(_below_thousand(number, whole=False))
    return " ".join(words)


def _below_thousand(number: int, *, whole: bool) -> str:
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    words = [f"{_DIGITS[hundreds]} trăm"] if hundreds or not whole else []
    if tens == 1:
        words.append("mười")
    elif tens:
        words.append(f"{_DIGITS[tens]} mươi")
    elif ones and words:
        words.append("linh")
    if ones == 5 and tens:
        words.append("lăm")
    elif ones == 1 and tens > 1:
        words.append("mốt")
    elif ones == 4 and tens > 1:
        words.append("tư")
    elif ones or not words:
        words.append(_DIGITS[ones])
    return " ".join(words)
