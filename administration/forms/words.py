"""What forms call things (data, out of ``words.toml``), and how they write numbers, sizes, days and moments."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from functools import cache
from importlib import resources

from ingest.reports.words import number_text
from metadata.dates import VIETNAM
from metadata.text import Sentence

__all__ = ["basis", "day_text", "moment_text", "number_text", "share_text", "size_text", "word"]

_UNITS = ("kB", "MB", "GB", "TB", "PB")


def word(section: str, name: str) -> Sentence:
    """What is called ``name`` in that section of ``words.toml``; what is not there is called by its name."""
    vi, en = _words()[section].get(name, (name, name))
    return Sentence(vi, en)


def basis(*names: str) -> tuple[Sentence, ...]:
    """What a form is based on, in that order."""
    return tuple(word("basis", name) for name in names)


def day_text(day: date | None) -> str:
    """``26/11/2026``; a dash for none."""
    return "–" if day is None else f"{day:%d/%m/%Y}"


def moment_text(at: datetime | None) -> str:
    """``15:04 26/11/2026`` in Vietnam's time; a dash for none."""
    return "–" if at is None else f"{at.astimezone(VIETNAM):%H:%M %d/%m/%Y}"


def size_text(size: int) -> str:
    """``1,2 GB``: decimal units with a comma."""
    if size < 1000:
        return f"{size} byte"
    value, power = size / 1000, 0
    while value >= 1000 and power + 1 < len(_UNITS):
        value, power = value / 1000, power + 1
    return f"{value:.1f} {_UNITS[power]}".replace(".", ",")


def share_text(part: int, whole: int) -> str:
    """``99,98 %``, never rounded up to a whole; a dash of nothing."""
    if not whole:
        return "–"
    hundredths = part * 10_000 // whole
    return f"{hundredths // 100},{hundredths % 100:02d} %"


@cache
def _words() -> dict[str, dict[str, tuple[str, str]]]:
    return tomllib.loads((resources.files("administration.forms") / "words.toml").read_text(encoding="utf-8"))
