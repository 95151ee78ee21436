"""Excel workbooks that we do not trust: judged before openpyxl sees them, read row by row, nothing in them executed."""

from __future__ import annotations

import contextlib
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ingest.guards import GuardLimits
from ingest.packing.faults import Faults
from ingest.packing.text import cell_text
from ingest.sources import Source, open_source
from ingest.sources.port import BrokenEntryError, EntryKind
from metadata.findings import Findings
from metadata.xml import Element, XmlLimits, XmlRefused, iter_elements

if TYPE_CHECKING:
    from openpyxl import Workbook

ROWS, COLUMNS, PARTS = 200_000, 200, 5000
_FILE, _UNPACKED, _SMALL_PART = 100 << 20, 400 << 20, 20 << 20
_BIG_PARTS = re.compile(r"xl/(worksheets/[^/]+|sharedStrings)\.xml", re.IGNORECASE)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BEGINS_XML = frozenset({b"<", b"\xef", b"\xff", b"\xfe", b" ", b"\n", b"\r", b"\t"})
_CELL_ROW = re.compile(r"[A-Za-z]*(\d{1,9})")
# What openpyxl raises on a workbook that is not one; it has no error of its own for that.
_NOT_A_WORKBOOK = (ArithmeticError, AttributeError, LookupError, OSError, SyntaxError, TypeError, ValueError,
                   zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text. ``formula``: it is computed; ``computed`` False: its value was not stored, so there is none."""

    text: str
    formula: bool = False
    computed: bool = True
    error: bool = False


_EMPTY = Cell("")


class OpenWorkbook:
    """A workbook that was judged. Close it."""

    def __init__(self, values: Workbook, formulas: Workbook | None, rows: int, stack: contextlib.ExitStack) -> None:
        self._values = values
        self._formulas = formulas
        self._rows = rows
        self._stack = stack

    def sheets(self) -> list[str]:
        """The names of its sheets, in order."""
        return [sheet.title for sheet in self._values.worksheets]

    @property
    def changed(self) -> datetime | None:
        """When it says that it was last saved, to the second."""
        moment = self._values.properties.modified
        if not isinstance(moment, datetime):
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).replace(microsecond=0)

    def rows(self, sheet: str) -> Iterator[tuple[int, list[Cell]]]:
        """The rows that have something, with their numbers from 1. Raises ValueError when the sheet is broken."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                for number, cells in enumerate(self._cells(sheet), 1):
                    if any(cell is not _EMPTY for cell in cells):
                        yield number, cells
            except _NOT_A_WORKBOOK as error:
                raise ValueError(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        self._stack.close()

    def _cells(self, sheet: str) -> Iterator[list[Cell]]:
        """Every row; where the workbook has formulas, what is computed is known from a second look beside the first."""
        if self._formulas is None:
            for row in self._raw(self._values, sheet):
                yield [_EMPTY if one.value is None else _value(one) for one in row]
            return
        pairs = zip_longest(self._raw(self._values, sheet), self._raw(self._formulas, sheet), fillvalue=())
        for values, formulas in pairs:
            yield [
                _EMPTY if value.value is None and formula.data_type != "f" else _cell(value, formula)
                for value, formula in zip(values, formulas, strict=False)
            ]

    def _raw(self, book: Workbook, sheet: str) -> Iterator[tuple[Any, ...]]:
        found = book[sheet]
        found.reset_dimensions()  # what a workbook says of its own size is not believed
        return iter(found.iter_rows(min_row=1, max_row=max(1, self._rows), max_col=COLUMNS))


def _value(value: Any, *, formula: bool = False) -> Cell:  # noqa: ANN401 -- openpyxl has no types
    return Cell(cell_text(value.value), formula=formula, error=value.data_type == "e")


def _cell(value: Any, formula: Any) -> Cell:  # noqa: ANN401 -- openpyxl has no types
    is_formula = formula.data_type == "f"
    if is_formula and value.value is None:
        return Cell("", formula=True, computed=False)
    return _value(value, formula=is_formula)


def open_workbook(path: Path, work: Path, faults: Faults) -> OpenWorkbook | None:
    """Judge and open a workbook; None when it will not be read: ``faults`` say why. ``work`` is a temporary folder."""
    with contextlib.ExitStack() as stack:
        judged = _judged(path, work, faults, stack)
        if judged is None:
            return None
        copy, scanned = judged
        try:
            values = _load(copy, True, stack)
            formulas = _load(copy, False, stack) if scanned.formulas else None
        except _NOT_A_WORKBOOK as error:
            faults.add("PACK-UNREADABLE", path.name, reason=f"{type(error).__name__}: {error}")
            return None
        return OpenWorkbook(values, formulas, scanned.last, stack.pop_all())


def _load(copy: Path, data_only: bool, stack: contextlib.ExitStack) -> Workbook:
    import openpyxl

    stream = stack.enter_context(copy.open("rb"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(stream, read_only=True, data_only=data_only, keep_links=False)
    stack.callback(book.close)
    return book


@dataclass(slots=True)
class _Scanned:
    """The number of the last row with a value in any sheet, and whether any cell is a formula."""

    last: int = 0
    formulas: bool = False


def _judged(path: Path, work: Path, faults: Faults, stack: contextlib.ExitStack) -> tuple[Path, _Scanned] | None:
    """The copy in quarantine, and what a first look found in it; None when it is refused."""
    if path.stat().st_size > _FILE:
        faults.add("PACK-LARGE", path.name, what="byte", limit=_FILE)
        return None
    with path.open("rb") as stream:
        if stream.read(8) == _OLE:
            faults.add("PACK-OLD-EXCEL", path.name)
            return None
    findings = Findings()
    source = open_source(path, work / "workbook", findings, GuardLimits(files=PARTS, bytes=_FILE, ratio=1000))
    if source is None:
        faults.add("PACK-UNREADABLE", path.name, reason=", ".join(findings.counts))
        return None
    stack.callback(source.close)
    copy = work / "workbook" / "submission"
    if not copy.is_file():  # a tar is no workbook
        faults.add("PACK-UNREADABLE", path.name, reason="SOURCE-UNKNOWN")
        return None
    try:
        scanned = _scan(source, path.name, faults)
    except (XmlRefused, BrokenEntryError) as refused:
        faults.add("PACK-UNREADABLE", path.name, reason=f"{refused.code} {refused.place}")
        return None
    return (copy, scanned) if scanned is not None else None


def _scan(source: Source, name: str, faults: Faults) -> _Scanned | None:
    """Read every part that is XML with our own reader: no DOCTYPE, bounded. None when it is too large."""
    entries = [entry for entry in source.entries() if entry.kind is EntryKind.FILE]
    if sum(entry.size for entry in entries) > _UNPACKED:
        faults.add("PACK-LARGE", name, what="byte", limit=_UNPACKED)
        return None
    scanned = _Scanned()
    for entry in entries:
        with source.open(entry.path) as stream:
            if stream.read(1) not in _BEGINS_XML:
                continue
        big = _BIG_PARTS.fullmatch(entry.path)
        if not big and entry.size > _SMALL_PART:
            faults.add("PACK-LARGE", f"{name}: {entry.path}", what="byte", limit=_SMALL_PART)
            return None
        with source.open(entry.path) as stream:
            _scan_part(stream, entry.path, f"{_MAIN}}}c" if big else "", scanned)
        if scanned.last > ROWS:
            faults.add("PACK-LARGE", f"{name}: {entry.path}", what="dòng / rows", limit=ROWS)
            return None
    return scanned


def _scan_part(stream: BinaryIO, place: str, cell: str, scanned: _Scanned) -> None:
    for event in iter_elements(stream, (cell,), place=place, limits=XmlLimits(total=_UNPACKED)):
        if isinstance(event, Element) and event.children:
            scanned.last = max(scanned.last, _row_of(event))
            scanned.formulas = scanned.formulas or any(child.local == "f" for child in event.children)
            if scanned.last > ROWS:
                return


def _row_of(cell: Element) -> int:
    match = _CELL_ROW.fullmatch(cell.attributes.get("r", ""))
    return int(match[1]) if match else ROWS
