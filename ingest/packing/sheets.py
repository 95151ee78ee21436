"""From the sheets of a workbook to rows: the heading row is found, its columns are known by name, faults by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.packing.faults import Faults
from ingest.packing.mapping import Part, SourceMapping, Table
from ingest.packing.model import BESIDE_FORM, FILE_CODE, ORDINAL, Row, SheetOrigin, Submission
from ingest.packing.text import fold, fold_heading
from ingest.packing.values import Values
from ingest.packing.workbook import Cell, OpenWorkbook, open_workbook
from metadata.tt05.profile import DocumentKind, Need, Profile
from metadata.xml import legal

_HEADING_WITHIN = 15
_EXAMPLE = ("vidu", "example")
_COMPUTED = frozenset(
    {"docId", "docCode", "totalDoc", "numberOfPage", "startDate", "endDate", "maintenance", "mode", "language",
     "riskRecovery"}
)  # fmt: skip
_DOSSIER_SAYS = frozenset({"maintenance", "mode", "language", "riskRecovery"})
_DOCUMENT_SAYS = frozenset({"numberOfPage"})


def is_computed(kind: DocumentKind | None, field: str) -> bool:
    """Whether packing can fill a required field where the source says nothing of it."""
    return field in _COMPUTED and field not in (_DOSSIER_SAYS if kind is None else _DOCUMENT_SAYS)


def read_workbook(
    path: Path, mapping: SourceMapping, profile: Profile, faults: Faults, work: Path, *, dossiers_only: bool = False
) -> Submission:
    """Read every sheet that the mapping knows. What cannot be read is in ``faults``.

    ``dossiers_only``: the workbook goes with edXML messages, which are the documents.
    """
    submission = Submission(path.parent)
    book = open_workbook(path, work, faults)
    if book is None:
        return submission
    try:
        submission.changed = book.changed
        reader = _Reader(book, mapping, profile, faults, submission)
        for name, table in reader.tables(path.name, dossiers_only):
            reader.sheet(name, table)
    except ValueError as error:
        faults.add("PACK-UNREADABLE", path.name, reason=error)
    finally:
        book.close()
    return submission


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which column (from 0) has which heading, and how each field is found."""

    origin: SheetOrigin
    ways: Mapping[str, tuple[tuple[tuple[int, ...], str], ...]]
    used: frozenset[int]


class _Reader:
    def __init__(
        self, book: OpenWorkbook, mapping: SourceMapping, profile: Profile, faults: Faults, submission: Submission
    ) -> None:
        self._book = book
        self._mapping = mapping
        self._profile = profile
        self._faults = faults
        self._submission = submission
        self._values = Values(mapping, profile)

    def tables(self, file: str, dossiers_only: bool) -> list[tuple[str, Table]]:
        """The sheets that are to be read, each with its table."""
        wanted = [table for table in self._mapping.tables if table.kind is None or not dossiers_only]
        named = {name: table for table in wanted for name in self._book.sheets() if _is_named(name, table)}
        for name in self._book.sheets():
            if name in named or fold(name) in self._mapping.sheets_ignored or not any(self._book.rows(name)):
                continue
            table = self._by_headings(name, [one for one in wanted if one not in named.values()])
            if table is None:
                self._faults.add("PACK-SHEET-UNKNOWN", name)
            else:
                named[name] = table
        if all(table.kind is not None for table in named.values()):
            self._faults.add("PACK-NO-SHEET", file, sheet=self._mapping.tables[0].names[0])
        return [(name, named[name]) for name in self._book.sheets() if name in named]

    def _by_headings(self, name: str, tables: Sequence[Table]) -> Table | None:
        """The table that a sheet of another name (Sheet1) is by its headings, the one that says what it is about among
        them."""
        best: tuple[int, Table | None] = (2, None)
        for table in tables:
            headings = self._headings(table)
            subject = self._profile.form(table.kind, "sip").identity - {FILE_CODE}
            for _, (_, cells) in zip(range(_HEADING_WITHIN), self._book.rows(name), strict=False):
                known = [headings[text] for cell in cells if (text := fold_heading(cell.text)) in headings]
                if len(known) > best[0] and any(subject & set(fields) for fields in known):
                    best = (len(known), table)
        return best[1]

    def sheet(self, name: str, table: Table) -> None:
        """Read one sheet: its heading row, then its rows."""
        into = self._submission.dossiers if table.kind is None else self._submission.documents
        headings = self._headings(table)
        columns: _Columns | None = None
        before = 0
        for number, cells in self._book.rows(name):
            names = [fold_heading(cell.text) for cell in cells if cell.text]
            known = [name in headings for name in names if name not in table.ignore]
            if columns is None:
                before += 1
                if sum(known) >= 2 or (len(known) == 1 and known[0]):
                    columns = self._columns(name, number, cells, table, headings)
                elif before >= _HEADING_WITHIN:
                    break
            elif sum(known) >= 2 and all(known):
                continue  # the English names below the Vietnamese headings
            elif not _is_example(cells) and (row := self._row(number, cells, table, columns)) is not None:
                into.append(row)
        if columns is None and before:
            self._faults.add("PACK-NO-HEADING", name)

    def _headings(self, table: Table) -> dict[str, list[str]]:
        """Folded headings and the fields that they may stand for; those in the parts of a joined value for none."""
        rules = self._profile.form(table.kind, "sip").fields
        names: dict[str, list[str]] = {field: [field, rule.label] for field, rule in rules.items()}
        if table.kind is not None:
            names |= {field: [field] for field in BESIDE_FORM}
        for field, parts in table.fields.items():
            names[field] += [part.paths[0] for part in parts if len(part.paths) == 1]
        headings: dict[str, list[str]] = {}
        for field, texts in names.items():
            for text in dict.fromkeys(fold_heading(text) for text in texts):
                headings.setdefault(text, []).append(field)
        for parts in table.fields.values():
            for path in (path for part in parts if len(part.paths) > 1 for path in part.paths):
                headings.setdefault(fold_heading(path), [])
        return headings

    def _columns(
        self, sheet: str, number: int, cells: Sequence[Cell], table: Table, headings: Mapping[str, list[str]]
    ) -> _Columns:
        places: dict[str, int] = {}
        fields: dict[str, int] = {}
        for index, cell in enumerate(cells):
            heading, letter = fold_heading(cell.text), _letter(index)
            if not heading or heading in table.ignore:
                continue
            if heading not in headings:
                self._faults.add("PACK-HEADING-UNKNOWN", f"{sheet}!{letter}{number}", heading=cell.text)
                continue
            taken = [field for field in headings[heading] if field in fields]
            if heading in places or taken:
                other = _letter(places.get(heading, fields[taken[0]] if taken else 0))
                self._faults.add(
                    "PACK-HEADING-TWICE",
                    f"{sheet}!{letter}{number}",
                    heading=cell.text,
                    other=f"{sheet}!{other}{number}",
                )
                continue
            places[heading] = index
            for field in headings[heading]:
                fields.setdefault(field, index)
        ways = {field: _ways(parts, places) for field, parts in table.fields.items()}
        for field, index in fields.items():
            ways[field] = (((index,), ""), *(way for way in ways.get(field, ()) if way[0] != (index,)))
        letters = {field: _letter(way[0][0][0]) for field, way in ways.items() if way}
        origin = SheetOrigin(sheet, letters)
        self._missing_columns(origin, table, number)
        used = {index for way in ways.values() for indices, _ in way for index in indices}
        return _Columns(origin, {field: way for field, way in ways.items() if way}, frozenset(used))

    def _missing_columns(self, origin: SheetOrigin, table: Table, number: int) -> None:
        for field, rule in self._profile.form(table.kind, "sip").fields.items():
            needed = rule.need is Need.REQUIRED and field not in table.fixed
            if needed and not origin.has(field) and not is_computed(table.kind, field):
                place = f"{origin.sheet}!{number}"
                self._faults.add("PACK-NO-COLUMN", place, field=field, label=rule.label, sheet=origin.sheet)

    def _row(self, number: int, cells: Sequence[Cell], table: Table, columns: _Columns) -> Row | None:
        found: dict[str, str] = {}
        for field, ways in columns.ways.items():
            for indices, separator in ways:
                texts = [cells[index].text for index in indices if index < len(cells) and cells[index].text]
                if texts and not found.get(field):
                    found[field] = separator.join(texts)
        row = Row(table.kind, columns.origin, number, self._values.of(table.kind, found))
        only_number = not row.values or row.values.keys() <= {ORDINAL}
        self._judge_cells(row, cells, columns)
        if only_number and not row.faulty:
            return None  # a row with nothing, or with its number only
        for field, value in table.fixed.items():
            row.values.setdefault(field, value)
        return row

    def _judge_cells(self, row: Row, cells: Sequence[Cell], columns: _Columns) -> None:
        for index in sorted(columns.used):
            if index >= len(cells):
                break
            cell = cells[index]
            place = f"{columns.origin.sheet}!{_letter(index)}{row.line}"
            if cell.formula and not cell.computed:
                self._faults.add_loose("PACK-FORMULA", place)
                row.faulty = True
            elif cell.error:
                self._faults.add_loose("PACK-CELL-ERROR", place, value=cell.text)
                row.faulty = True
            elif cell.formula:
                self._faults.add("PACK-FORMULA-NOTED", place, value=cell.text)
            if legal(cell.text) != cell.text:
                self._faults.add_loose("PACK-CHARACTER", place)
                row.faulty = True


def _ways(parts: Sequence[Part], places: Mapping[str, int]) -> tuple[tuple[tuple[int, ...], str], ...]:
    """For each part, the columns that are there; a joined value needs the first of its columns."""
    found = []
    for part in parts:
        headings = [fold_heading(path) for path in part.paths]
        indices = tuple(places[heading] for heading in headings if heading in places)
        if indices and (len(headings) == 1 or headings[0] in places):
            found.append((indices, part.separator))
    return tuple(found)


def _is_named(name: str, table: Table) -> bool:
    return fold(name) in {fold(known) for known in table.names}


def _is_example(cells: Sequence[Cell]) -> bool:
    """Whether a row's first text says that the row is only an example, as the template's does."""
    first = next((cell.text for cell in cells if cell.text), "")
    return fold(first).startswith(_EXAMPLE)


def _letter(index: int) -> str:
    """A column's letters; ``index`` from 0."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
