"""Pictures of numbers as SVG, made on the server: pure functions from data to text.

Colours come from the stylesheet by classes (no style attributes: the pages' policy forbids them), so that dark pages
and paper have their own. What colour says is also said by a pattern or a shape, and by the table beside each picture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from html import escape

from markupsafe import Markup

from metadata.dates import local_day, local_text

LEVELS = 4
"""Shades of a heat map beside that of an empty square."""
_CELL, _GAP, _BAND = 16, 3, 27
_WIDTH = 640
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_PATTERNS = {
    "late": '<path class="hatch" d="M-2 2l4-4M0 8l8-8M6 10l4-4"/>',
    "never": '<circle class="hatch" cx="4" cy="4" r="1.3"/>',
    "damaged": '<path class="hatch" d="M0 0l8 8M8 0l-8 8"/>',
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of several parts: ``parts`` are amounts by the class of their colour, in order; ``told`` says them."""

    label: str
    parts: Mapping[str, float]
    told: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something on a lane of a timeline: ``kind`` is one of good, bad, doubt, made, note."""

    lane: str
    at: datetime
    kind: str
    told: str


def heat_map(title: str, about: str, days: Mapping[date, tuple[float, str]], first: date, last: date) -> Markup:
    """A square for each day from ``first`` to ``last``, in columns of weeks, or (over more than 400 days) for a week.

    ``days`` give an amount and what a square tells; how dark a square is goes by the largest amount.
    """
    whole_weeks = (last - first).days > 400
    start = first - timedelta(days=first.weekday())
    columns = (last - start).days // 7 + 1
    squares = _weeks(days, start, columns) if whole_weeks else days
    top = max((amount for amount, _ in squares.values()), default=0.0)
    rows = 1 if whole_weeks else 7
    tall = 22 + rows * (_CELL + _GAP) + 6
    out = []
    for column in range(columns):
        band, place = divmod(column, _BAND)
        x, y = place * (_CELL + _GAP), band * tall
        monday = start + timedelta(days=7 * column)
        label = place == 0 or (monday.day <= 7 and place < _BAND - 1)
        if label and place not in (1, 2):
            out.append(_text(x, y + 14, f"{monday:%m/%Y}" if place == 0 or monday.month == 1 else f"{monday:%m}"))
        for row in range(rows):
            day = monday + timedelta(days=row)
            if whole_weeks or first <= day <= last:
                amount, told = squares.get(day, (0.0, ""))
                place_y = y + 22 + row * (_CELL + _GAP)
                out.append(
                    f'<rect class="heat{_level(amount, top)}" x="{x}" y="{place_y}" width="{_CELL}" height="{_CELL}" '
                    f'rx="2"><title>{_safe(f"{day:%d/%m/%Y}: {told or 0}")}</title></rect>'
                )
    bands = -(-columns // _BAND)
    return _svg(title, about, "heat", _BAND * (_CELL + _GAP) + 28, bands * tall, out)


def bars(title: str, about: str, rows: Sequence[Bar], name: str) -> Markup:
    """A bar for each row, all as long as each other: what each part is of its whole. ``name`` is the picture's own."""
    out = [_definitions(name)]
    for number, row in enumerate(rows):
        y = number * 52
        out.append(_text(0, y + 16, _cut(row.label), "label"))
        out.append(_text(_WIDTH, y + 16, row.told, "told"))
        total, x = sum(row.parts.values()), 0.0
        out.append(f'<rect class="empty" x="0" y="{y + 24}" width="{_WIDTH}" height="18" rx="2"/>')
        for kind, amount in row.parts.items():
            if amount <= 0 or not total:
                continue
            width = max(amount / total * _WIDTH, 3.0)
            shape = f'x="{min(x, _WIDTH - width):.1f}" y="{y + 24}" width="{width:.1f}" height="18"'
            out.append(f'<rect class="bar {kind}" {shape}/>')
            if kind in _PATTERNS:
                out.append(f'<rect fill="url(#{name}-{kind})" {shape}/>')
            x += width
    return _svg(title, about, "bars", _WIDTH, max(len(rows), 1) * 52, out)


def columns(title: str, about: str, rows: Sequence[tuple[str, float, str]]) -> Markup:
    """A bar for each (label, amount, told), as long as its amount is of the largest."""
    top = max((amount for _, amount, _ in rows), default=0.0)
    out = []
    for number, (label, amount, told) in enumerate(rows):
        y = number * 46
        out.append(_text(0, y + 16, _cut(label), "label"))
        out.append(_text(_WIDTH, y + 16, told, "told"))
        width = max(amount / top * _WIDTH, 2.0) if top else 0.0
        out.append(f'<rect class="bar within" x="0" y="{y + 23}" width="{width:.1f}" height="14" rx="2"/>')
    return _svg(title, about, "bars", _WIDTH, max(len(rows), 1) * 46, out)


def timeline(title: str, about: str, lanes: Sequence[tuple[str, str]], marks: Sequence[Mark]) -> Markup:
    """A lane for each (name, label) with its marks, the earliest at the left; below, the first and the last day as
    Vietnam counts them, with the time where they are one."""
    begin = min((mark.at for mark in marks), default=None)
    end = max((mark.at for mark in marks), default=None)
    out, left, right = [], 12.0, _WIDTH - 12.0
    tall = len(lanes) * 56
    span = max((end - begin).total_seconds(), 1.0) if begin and end else 1.0
    for number, (name, label) in enumerate(lanes):
        y = number * 56 + 40
        out.append(_text(0, y - 18, _cut(label, 60), "label"))
        out.append(f'<line class="lane" x1="0" x2="{_WIDTH}" y1="{y}" y2="{y}"/>')
        for mark in (one for one in marks if one.lane == name and begin):
            x = left + (mark.at - begin).total_seconds() / span * (right - left) if begin else left
            out.append(_shape(mark, x, y))
    if begin and end:
        shown = local_text if local_day(begin) == local_day(end) else local_day
        out.append(_text(0, tall + 16, shown(begin)))
        out.append(_text(_WIDTH, tall + 16, shown(end), "told"))
    return _svg(title, about, "timeline", _WIDTH, tall + 24, out)


def legend(kind: str) -> Markup:
    """The little square or mark that a legend shows for a class of colour."""
    if kind in ("good", "bad", "doubt", "made", "note"):
        inside = _shape(Mark("", _NO_TIME, kind, ""), 9, 9)
    elif kind.startswith("heat"):
        inside = f'<rect class="{kind}" x="1" y="1" width="16" height="16" rx="2"/>'
    else:
        pattern = f'<rect fill="url(#legend-{kind})" x="1" y="1" width="16" height="16"/>' if kind in _PATTERNS else ""
        own = _definition("legend", kind) if kind in _PATTERNS else ""
        inside = f'{own}<rect class="bar {kind}" x="1" y="1" width="16" height="16"/>{pattern}'
    return Markup(  # noqa: S704 -- all of it is made here
        f'<svg class="chart key" viewBox="0 0 18 18" width="18" height="18" aria-hidden="true">{inside}</svg>'
    )


def _weeks(days: Mapping[date, tuple[float, str]], start: date, columns: int) -> dict[date, tuple[float, str]]:
    sums = {start + timedelta(days=7 * column): 0.0 for column in range(columns)}
    for day, (amount, _) in days.items():
        monday = day - timedelta(days=day.weekday())
        if monday in sums:
            sums[monday] += amount
    return {monday: (amount, f"{amount:g}") for monday, amount in sums.items() if amount}


def _level(amount: float, top: float) -> int:
    return 0 if amount <= 0 or top <= 0 else min(LEVELS, int(amount / top * LEVELS - 1e-9) + 1)


def _shape(mark: Mark, x: float, y: float) -> str:
    inside = {
        "good": f'<circle cx="{x:.1f}" cy="{y}" r="5"/>',
        "bad": f'<path d="M{x - 6:.1f} {y - 6}l12 12m0-12l-12 12"/>',
        "doubt": f'<path d="M{x:.1f} {y - 7}l7 13h-14z"/>',
        "made": f'<rect x="{x - 6:.1f}" y="{y - 6}" width="12" height="12" rx="1"/>',
    }.get(mark.kind, f'<circle cx="{x:.1f}" cy="{y}" r="3"/>')
    told = f"<title>{_safe(mark.told)}</title>" if mark.told else ""
    return f'<g class="mark-{mark.kind}">{told}{inside}</g>'


def _definitions(name: str) -> str:
    return "".join(_definition(name, kind) for kind in _PATTERNS)


def _definition(name: str, kind: str) -> str:
    return (
        f'<defs><pattern id="{name}-{kind}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f"{_PATTERNS[kind]}</pattern></defs>"
    )


def _text(x: float, y: float, text: str, kind: str = "axis") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{_safe(text)}</text>' if text else ""


def _cut(text: str, most: int = 44) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _safe(text: str) -> str:
    return escape(_UNFIT.sub("\ufffd", text), quote=True)


def _svg(title: str, about: str, kind: str, width: int, height: int, inside: Sequence[str]) -> Markup:
    head = f"<title>{_safe(title)}</title><desc>{_safe(about)}</desc>"
    return Markup(  # noqa: S704 -- every text in it went through _safe
        f'<svg class="chart {kind}" xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" '
        f'aria-label="{_safe(title)}">{head}{"".join(inside)}</svg>'
    )
