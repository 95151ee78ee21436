"""Codes of packing: each with a submission that breaks one thing and a twin that does not."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.builders.packing import (
    CODE,
    OTHER,
    PDF,
    dossier,
    export,
    message,
    messages,
    packed,
    text,
    workbook,
    zipped,
)
from tests.rules.cases import Case

_TWO = [dossier(), dossier(OTHER)]
_TEXTS = [text(), text(1, OTHER)]
_FILE = f"{CODE}.0000001.pdf"


def pack_codes(source: Path, work: Path, profile: str) -> set[str]:
    """The codes that packing gives."""
    work.mkdir(parents=True, exist_ok=True)
    return set(packed(source, work / "out").counts)


def _case(
    name: str, code: str, bad: Callable[[Path], Path], good: Callable[[Path], Path] = workbook, *also: str
) -> Case:
    return Case(f"pack: {name}", frozenset({code}), good, bad, frozenset(also), judge=pack_codes)


def _book(**options: Any) -> Callable[[Path], Path]:
    return partial(workbook, **options)


def _cell(sheet: str, place: str, value: object, kind: str = "") -> Callable[[Any], object]:
    def change(book: Any) -> None:
        cell = book[sheet][place]
        cell.value = value
        if kind:
            cell.data_type = kind

    return change


def _garbage(folder: Path) -> Path:
    path = workbook(folder)
    path.write_bytes(b"not a workbook at all" * 100)
    return path


def _old(folder: Path) -> Path:
    path = workbook(folder)
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    return path


def _tall(folder: Path) -> Path:
    return workbook(folder, mutate=_cell("Văn bản", "A900000", "x"))


def _without_dossiers(book: Any) -> None:
    book.remove(book["Hồ sơ"])


def _no_heading(book: Any) -> None:
    book["Văn bản"].delete_rows(1)


def _extra_sheet(book: Any) -> None:
    book.create_sheet("Nháp")["A1"] = "việc cần làm"


def _no_column(book: Any) -> None:
    sheet = book["Văn bản"]
    column = next(cell.column for cell in sheet[1] if cell.value == "subject")
    sheet.delete_cols(column)


def _control(folder: Path) -> Path:
    """A character that XML cannot hold is written into a workbook as Excel does it."""
    path = workbook(folder, dossiers=[dossier(keyword="XYZ")])
    other = path.with_name("other.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b"XYZ", b"X_x0001_Z"))
    other.replace(path)
    return path


def _empty_file(folder: Path) -> Path:
    return workbook(folder, files={_FILE: b""})


def _named_file(folder: Path, name: str) -> Path:
    return workbook(folder, texts=[text(file=name)], files={name: PDF})


def _codes_with_a_locked_file(source: Path, work: Path, profile: str) -> set[str]:
    """As for a user who may not read ``locked.pdf``; the superuser may read everything."""
    open_file = Path.open

    def refuse(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path.name == "locked.pdf":
            raise PermissionError(13, "Permission denied")
        return open_file(path, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        return pack_codes(source, work, profile)


def _message(folder: Path, **options: Any) -> Path:
    return messages(folder, message(**options))


def _carried(folder: Path) -> Path:
    return export(folder, mutate=lambda made: made.replace("<PageAmount>3", "<Priority>1</Priority><PageAmount>3"))


CASES = [
    _case("not a workbook", "PACK-UNREADABLE", _garbage),
    _case("an old workbook", "PACK-OLD-EXCEL", _old),
    _case("a value in row 900,000", "PACK-LARGE", _tall),
    _case("no sheet of dossiers", "PACK-NO-SHEET", _book(mutate=_without_dossiers), workbook, "PACK-SHEET-UNKNOWN"),
    _case("a sheet of another name", "PACK-SHEET-UNKNOWN", _book(mutate=_extra_sheet)),
    _case("no headings", "PACK-NO-HEADING", _book(mutate=_no_heading)),
    _case("an unknown heading", "PACK-HEADING-UNKNOWN", _book(mutate=_cell("Hồ sơ", "Z1", "Người nhập liệu"))),
    _case("two columns of one field", "PACK-HEADING-TWICE", _book(mutate=_cell("Hồ sơ", "Z1", "Tiêu đề hồ sơ"))),
    _case("a required column is not there", "PACK-NO-COLUMN", _book(mutate=_no_column)),
    _case("a formula without a result", "PACK-FORMULA", _book(dossiers=[dossier(keyword="==1+1")])),
    _case("an Excel error", "PACK-CELL-ERROR", _book(mutate=_cell("Hồ sơ", "H2", "#REF!", "e"))),
    _case("a control character", "PACK-CHARACTER", _control),
    _case(
        "no dossier",
        "PACK-NO-DOSSIERS",
        _book(dossiers=[], texts=[], files={}),
    ),
    _case("two dossiers of one code", "PACK-TWICE", _book(dossiers=[dossier(), dossier()])),
    _case(
        "a dossier code of another form", "PACK-FILE-CODE", _book(dossiers=[dossier("HS-01")], texts=[text(1, "HS-01")])
    ),
    _case(
        "a document of no dossier",
        "PACK-NO-DOSSIER",
        _book(dossiers=_TWO, texts=[*_TEXTS, text(2, "H20.05.2024.09.X")], files={}),
        _book(dossiers=_TWO, texts=_TEXTS, files={}),
    ),
    _case(
        "a dossier of no document", "PACK-DOSSIER-EMPTY", _book(dossiers=_TWO, texts=[text()]), workbook, "PACK-TOTAL"
    ),
    _case("another number of documents", "PACK-TOTAL", _book(dossiers=[dossier(totalDoc="3")])),
    _case("no file", "PACK-DOCUMENT-WITHOUT-FILE", _book(files={})),
    _case("two files of one code", "PACK-FILE-AMBIGUOUS", _book(files={f"a/{_FILE}": PDF, f"b/{_FILE}": PDF})),
    _case(
        "one file for two documents",
        "PACK-FILE-SHARED",
        _book(
            dossiers=[dossier(totalDoc="2")], texts=[text(1, file="a.pdf"), text(2, file="a.pdf")], files={"a.pdf": PDF}
        ),
        _book(
            dossiers=[dossier(totalDoc="2")],
            texts=[text(1, file="a.pdf"), text(2, file="b.pdf")],
            files={"a.pdf": PDF, "b.pdf": PDF},
        ),
    ),
    _case(
        "a file of the dossier without a row",
        "PACK-FILE-WITHOUT-ROW",
        _book(files={_FILE: PDF, f"{CODE}.0000009.pdf": PDF}),
    ),
    _case("a file of nobody", "PACK-FILE-UNUSED", _book(files={_FILE: PDF, "ghi-chu.pdf": PDF})),
    _case("an empty file", "PACK-FILE-EMPTY", _empty_file),
    _case("a format of another table", "PACK-FORMAT", _book(files={f"{CODE}.0000001.dwg": PDF})),
    _case("a blank that packing fills", "PACK-FILLED", _book(texts=[text(process="")])),
    _case(
        "an attachment that is no base64",
        "PACK-ATTACHMENT",
        partial(_message, mutate=lambda made: made.replace("<ContentTransferEncoded>", "<ContentTransferEncoded>!!!")),
        _message,
        "PACK-DOCUMENT-WITHOUT-FILE",
    ),
    _case("an element that is not carried", "PACK-NOT-CARRIED", _carried, export),
]


def _stored_formula(folder: Path) -> Path:
    """A formula whose result Excel has stored: openpyxl writes none, so it is put there."""
    path = workbook(folder, dossiers=[dossier(keyword='=="a"&"b"')])
    other = path.with_name("other.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if b"<f>" in data:
                head, _, rest = data.partition(b"<f>")
                formula, _, rest = rest.partition(b"</f>")
                cell = head.rfind(b"<c ")
                head = head[:cell] + head[cell:].replace(b"<c ", b'<c t="str" ')
                data = head + b"<f>" + formula + b"</f><v>ab</v>" + rest.removeprefix(b"<v />").removeprefix(b"<v></v>")
            target.writestr(name, data)
    other.replace(path)
    return path


CASES.append(_case("a formula with its result", "PACK-FORMULA-NOTED", _stored_formula))
CASES.append(
    Case(
        "pack: a file that cannot be read",
        frozenset({"PACK-FILE-UNREADABLE"}),
        partial(_named_file, name="a.pdf"),
        partial(_named_file, name="locked.pdf"),
        judge=_codes_with_a_locked_file,
    )
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_code_has_its_pair(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)


def test_a_zip_in_a_message_is_guarded(tmp_path: Path) -> None:
    bad = messages(tmp_path, message(attachments={"x.pdf": zipped({"../../x.pdf": PDF})}))
    assert "PACK-ATTACHMENT" in packed(bad, tmp_path / "out").counts
