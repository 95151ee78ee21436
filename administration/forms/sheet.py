"""What is on the paper: every form becomes a sheet, and one template (``form.typ``) draws them all.

The layout is ours as far as the circular's is not known: it is in the template alone. All that comes from outside goes
to it as data, so that nothing is ever markup.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from importlib.metadata import version
from typing import Any, Self

from ingest.reports.pdf_report import drawn
from ingest.typesetting import GlyphMissingError, Template, typeset
from metadata.dates import utc_text
from metadata.errors import TemporaryError
from metadata.identifiers import FondsCode, StoreId, VersionId
from metadata.text import Sentence

_TEMPLATE = Template("administration.forms", "form.typ")
_CELL = 400
_LONG = 4000
ROW_LIMIT = 500
"""Rows of a table that are drawn; the JSON has all of them."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who takes part or signs."""

    name: str
    position: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """``Name, position``: the position may be missing."""
        name, _, position = text.partition(",")
        return cls(name.strip(), position.strip())

    def __str__(self) -> str:
        return f"{self.name}, {self.position}" if self.position else self.name


@dataclass(frozen=True, slots=True)
class Head:
    """What people give to a form's head; what is empty stays a dotted line. ``above`` is the body that the archive
    belongs to."""

    number: str = ""
    day: date | None = None
    place: str = ""
    above: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One fact: what it is and its value."""

    label: Sentence
    value: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts, one under the other."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading; ``number`` columns are set to the right; ``code`` ones in a monospaced font."""

    heading: Sentence
    number: bool = False
    code: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings, and a last row of totals when there is one. ``count`` is how many rows there are in all."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    text: Sentence


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what is under it."""

    heading: Sentence
    blocks: tuple[Facts | Table | Words, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs as what; an empty name leaves a dotted line."""

    role: Sentence
    name: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One document. ``symbol`` is what its number ends in (``BB`` for biên bản); ``present`` are those who took part,
    None for a document that names nobody; ``wide`` turns the page."""

    title: Sentence
    about: str
    symbol: str
    archive: str
    head: Head
    basis: tuple[Sentence, ...]
    sections: tuple[Section, ...]
    signatures: tuple[Signature, ...]
    present: tuple[Person, ...] | None = None
    wide: bool = False


def sheet_pdf(sheet: Sheet, id: str, moment: datetime) -> bytes:
    """The sheet as PDF/A-2b, drawn up at ``moment``. The same arguments give the same bytes.

    Raises TemporaryError when it could not be typeset.
    """
    content = json.dumps(_content(sheet, id, moment), ensure_ascii=False)
    try:
        return typeset(_TEMPLATE, content, moment.astimezone(UTC).replace(microsecond=0))
    except (OSError, GlyphMissingError) as error:
        raise TemporaryError(
            Sentence(
                f"Chưa dàn trang được văn bản ({error}): hãy thử lại.",
                f"The document could not be typeset ({error}): try again.",
            )
        ) from error


def as_json(value: Any) -> Any:  # noqa: ANN401 -- whatever a form's data are made of
    """A form's data as JSON has it: dataclasses become objects, moments text, enumerations their values."""
    if isinstance(value, StoreId | FondsCode | VersionId):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: as_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): as_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(one) for one in value]
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum):
        return value.value
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _key(key: object) -> str:
    parts = key if isinstance(key, tuple) else (key,)
    return " ".join(str(one.value if isinstance(one, Enum) else one) for one in parts)


def _content(sheet: Sheet, id: str, moment: datetime) -> dict[str, Any]:
    day = sheet.head.day
    return {
        "title": _both(sheet.title),
        "about": drawn(sheet.about, _CELL),
        "archive": drawn(sheet.archive.upper(), _CELL),
        "above": drawn(sheet.head.above.upper(), _CELL),
        "number": drawn(sheet.head.number, 60),
        "symbol": sheet.symbol,
        "place": drawn(sheet.head.place, 80),
        "date": None if day is None else {"day": f"{day.day:02d}", "month": f"{day.month:02d}", "year": str(day.year)},
        "made": {"year": moment.year, "month": moment.month, "day": moment.day},
        "software": f"Tàng Thư {version('tangthu')}",
        "id": id,
        "wide": sheet.wide,
        "basis": [_both(one) for one in sheet.basis],
        "present": None
        if sheet.present is None
        else [{"name": drawn(one.name, 120), "position": drawn(one.position, 120)} for one in sheet.present],
        "sections": [
            {"heading": _both(one.heading), "blocks": [_block(block) for block in one.blocks]} for one in sheet.sections
        ],
        "signatures": [{"role": _both(one.role), "name": drawn(one.name, 120)} for one in sheet.signatures],
    }


def _block(block: Facts | Table | Words) -> dict[str, Any]:
    match block:
        case Words(text):
            return {"kind": "words", **_both(text, _LONG)}
        case Facts(lines):
            rows = [{**_both(one.label), "value": drawn(one.value, _LONG), "code": one.code} for one in lines]
            return {"kind": "facts", "lines": rows}
        case Table(columns, rows, total, count):
            return {
                "kind": "table",
                "columns": [{**_both(one.heading), "number": one.number, "code": one.code} for one in columns],
                "rows": [[drawn(cell, _CELL) for cell in row] for row in rows[:ROW_LIMIT]],
                "total": [drawn(cell, _CELL) for cell in total],
                "more": f"{more:,}".replace(",", ".") if (more := max(count, len(rows)) - ROW_LIMIT) > 0 else "",
            }


def _both(text: Sentence, limit: int = _CELL) -> dict[str, str]:
    return {"vi": drawn(text.vi, limit), "en": drawn(text.en, limit)}
