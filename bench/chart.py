"""Charts for the documents: bars drawn by a few lines of our own, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_RED, _INK, _GREY, _PAPER, _LINE = "#A4262C", "#1E2329", "#5C6570", "#FBF8F1", "#E3DDCF"
_FONT = "system-ui, Noto Sans, DejaVu Sans, sans-serif"
_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 900, 300, 190, 34, 96


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it is, how long, what stands at its end. ``strong`` draws it in red."""

    name: str
    value: float
    label: str
    strong: bool = True


def bars(title: str, about: str, rows: Sequence[Bar]) -> str:
    """An SVG document of horizontal bars on one scale, from nought to the longest."""
    height = _TOP + _ROW * len(rows) + 24
    room = _WIDTH - _LEFT - _RIGHT
    longest = max((row.value for row in rows), default=0) or 1
    box = f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="t d" font-family="{_FONT}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}>',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">{escape(about)}: {escape("; ".join(f"{row.name} {row.label}" for row in rows))}</desc>',
        f'<rect width="{_WIDTH}" height="{height}" fill="{_PAPER}"/>',
        f'<text x="40" y="44" font-size="19" font-weight="600" fill="{_INK}">{escape(title)}</text>',
        f'<text x="40" y="68" font-size="13" fill="{_GREY}">{escape(about)}</text>',
        f'<line x1="{_LEFT}" y1="{_TOP - 8}" x2="{_LEFT}" y2="{height - 20}" stroke="{_LINE}" stroke-width="1.5"/>',
    ]
    for at, row in enumerate(rows):
        top, wide = _TOP + _ROW * at, room * row.value / longest
        middle, fill = top + 15, _RED if row.strong else _GREY
        name, label = escape(row.name), escape(row.label)
        lines += [
            f'<text x="{_LEFT - 12}" y="{middle}" text-anchor="end" font-size="14" fill="{_INK}">{name}</text>',
            f'<rect x="{_LEFT}" y="{top}" width="{wide:.1f}" height="21" rx="3" fill="{fill}"/>',
            f'<text x="{_LEFT + wide + 10:.1f}" y="{middle}" font-size="13" fill="{_GREY}">{label}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
