"""Workbooks to be filled in by a clerk, made from the profile."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any, BinaryIO

from ingest.packing.mapping import SourceMapping, load_mapping
from ingest.packing.sheets import is_computed
from metadata.tt05.profile import DocumentKind, FieldRule, FieldType, Need, Profile, default_profile

_ROWS = 5000
_FIRST_ROW = 4
_NAMES: dict[DocumentKind | None, str] = {
    None: "dossier",
    DocumentKind.TEXT: "text",
    DocumentKind.PICTURE: "picture",
    DocumentKind.MEDIA: "media",
}


class TemplateKind(StrEnum):
    """Which sheets a template has beside that of the dossiers."""

    ALL = "all"  # text documents, pictures, sound and film
    TEXT = "text"
    PICTURES = "pictures"
    MEDIA = "media"
    DOSSIERS = "dossiers"  # none: for a folder of edXML messages


_KINDS: dict[TemplateKind, tuple[DocumentKind, ...]] = {
    TemplateKind.ALL: (DocumentKind.TEXT, DocumentKind.PICTURE, DocumentKind.MEDIA),
    TemplateKind.TEXT: (DocumentKind.TEXT,),
    TemplateKind.PICTURES: (DocumentKind.PICTURE,),
    TemplateKind.MEDIA: (DocumentKind.MEDIA,),
    TemplateKind.DOSSIERS: (),
}


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: its field, its two headings, what may stand in it, and the code list, if it has one."""

    field: str
    heading: str
    about: str
    codes: str


def write_template(target: Path | BinaryIO, kind: TemplateKind = TemplateKind.ALL) -> None:
    """Write an empty workbook (.xlsx) with headings, code lists, instructions and one example row on each sheet.

    Row 1 has the Vietnamese headings, row 2 the field names, row 3 the example. Raises OSError.
    """
    import openpyxl

    data = tomllib.loads((resources.files("ingest.packing") / "template.toml").read_text(encoding="utf-8"))
    profile, mapping = default_profile(), load_mapping("tt05")
    book = openpyxl.Workbook()
    book.remove(book.active)
    guide = book.create_sheet(data["guide"]["sheet"])
    places = _lists(book, data["guide"]["lists"], profile)
    for one in (None, *_KINDS[kind]):
        _sheet(book, one, data, profile, mapping, places)
    book.move_sheet(data["guide"]["lists"], len(book.sheetnames))
    _guide(guide, data["guide"]["lines"])
    book.active = 1
    book.save(target)


def _lists(book: Any, name: str, profile: Profile) -> dict[str, str]:  # noqa: ANN401 -- openpyxl has no types
    """A sheet with every code list; for each the range of its labels."""
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(name)
    places = {}
    for number, (field, codes) in enumerate(profile.lists.items()):
        code, label = 2 * number + 1, 2 * number + 2
        sheet.cell(1, code, field)
        for line, (key, sentence) in enumerate(codes.items(), 2):
            _write(sheet.cell(line, code), key)
            _write(sheet.cell(line, label), sentence.vi)
        letter = get_column_letter(label)
        sheet.column_dimensions[letter].width = 26
        places[field] = f"'{name}'!${letter}$2:${letter}${len(codes) + 1}"
    return places


def _sheet(
    book: Any,  # noqa: ANN401 -- openpyxl has no types
    kind: DocumentKind | None,
    data: Mapping[str, Any],
    profile: Profile,
    mapping: SourceMapping,
    places: Mapping[str, str],
) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    table = mapping.table(kind)
    assert table is not None
    sheet = book.create_sheet(table.names[0])
    columns = _columns(kind, data, profile)
    example = {"": data["example_mark"], **data["examples"][_NAMES[kind]]}
    for number, column in enumerate(columns, 1):
        letter = get_column_letter(number)
        head, name, shown = (sheet.cell(row, number) for row in (1, 2, 3))
        _write(head, column.heading)
        head.font, head.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="center")
        head.fill = PatternFill("solid", fgColor="DDE8F5")
        _write(name, column.field or data["mark_heading"][1])
        name.font = Font(color="808080", italic=True)
        _write(shown, example.get(column.field, ""))
        shown.font = Font(color="A06000", italic=True)
        shown.fill = PatternFill("solid", fgColor="FFF6DD")
        sheet.column_dimensions[letter].width = 30 if column.field in {"title", "subject", "file", ""} else 18
        sheet.column_dimensions[letter].number_format = "@"  # text: "007" and dates stay as they are typed
        for row in range(_FIRST_ROW, _FIRST_ROW + 200):
            sheet.cell(row, number).number_format = "@"
        _help(sheet, letter, column, places)
    sheet.freeze_panes = "C3" if kind is None else "E3"


def _columns(kind: DocumentKind | None, data: Mapping[str, Any], profile: Profile) -> list[_Column]:
    columns = [_Column("", data["mark_heading"][0], "", "")]
    if kind is not None:
        columns += [_Column(one["field"], one["label"], one["about"], "") for one in data["columns"]]
    for rule in profile.form(kind, "sip").fields.values():
        columns.append(_Column(rule.name, f"{rule.label}{_mark(kind, rule)}", _about(rule), _codes(rule, profile)))
    return columns


def _mark(kind: DocumentKind | None, rule: FieldRule) -> str:
    if rule.need is not Need.REQUIRED:
        return ""
    return " (*)" if is_computed(kind, rule.name) else " *"


def _codes(rule: FieldRule, profile: Profile) -> str:
    return rule.name if rule.type in (FieldType.CODE, FieldType.CODES) and rule.name in profile.lists else ""


def _about(rule: FieldRule) -> str:
    forms = {
        FieldType.DATE: "DD/MM/YYYY",
        FieldType.NUMBER: "Số nguyên / A whole number",
        FieldType.BOOLEAN: "1 = có / yes; 0 = không / no",
        FieldType.CODE: "Chọn trong danh sách hoặc ghi mã / Choose from the list or write the code",
        FieldType.CODES: "Một hoặc nhiều, cách nhau bằng dấu chấm phẩy / One or more, divided by semicolons",
    }
    length = f"Tối đa {rule.length} ký tự / At most {rule.length} characters" if rule.length else ""
    return "\n".join(filter(None, (forms.get(rule.type, ""), length)))


def _help(sheet: Any, letter: str, column: _Column, places: Mapping[str, str]) -> None:  # noqa: ANN401
    """A drop-down that lets codes be typed too, or a hint that shows when a cell of the column is chosen."""
    from openpyxl.worksheet.datavalidation import DataValidation

    if not column.field:
        return
    if column.codes:
        rule = DataValidation(type="list", formula1=places[column.codes], allow_blank=True, showErrorMessage=False)
    else:
        rule = DataValidation(allow_blank=True, showErrorMessage=False)
    rule.promptTitle, rule.prompt, rule.showInputMessage = column.field[:32], column.about[:255], bool(column.about)
    sheet.add_data_validation(rule)
    rule.add(f"{letter}{_FIRST_ROW}:{letter}{_ROWS}")


def _guide(sheet: Any, lines: Sequence[Sequence[str]]) -> None:  # noqa: ANN401
    from openpyxl.styles import Alignment, Font

    sheet.column_dimensions["A"].width = 110
    row = 0
    for number, (vi, en) in enumerate(lines):
        for text, font in ((vi, Font(bold=number == 0, size=12)), (en, Font(italic=True, color="808080"))):
            row += 1
            cell = sheet.cell(row, 1)
            _write(cell, text)
            cell.font, cell.alignment = font, Alignment(wrap_text=True, vertical="top")
        row += 1


def _write(cell: Any, text: str) -> None:  # noqa: ANN401
    if text:
        cell.value = text
        cell.data_type = "s"
    cell.number_format = "@"
