"""Text that people type: compared without case, spaces, punctuation and diacritics; kept as they typed it."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from functools import lru_cache

_NOT_WORD = re.compile(r"[\W_]+")
_BRACKETS = re.compile(r"\([^)]*\)")
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")  # ECMA-376 Part 1, 22.9.2.19: Excel writes a carriage return as _x000D_
_BREAK = re.compile(r"\s*[\r\n]+\s*")


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """``Ngày, tháng, năm`` and ``NGAY THANG NAM`` are the same: letters and digits only, no diacritics, no case."""
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return _NOT_WORD.sub("", "".join(c for c in plain if not unicodedata.combining(c)))


def fold_heading(text: str) -> str:
    """The same without what stands in brackets: ``Ngày (DD/MM/YYYY) *`` is ``ngay``."""
    return fold(_BRACKETS.sub("", text)) or fold(text)


def cell_text(value: object) -> str:
    """What a cell says, as text: a date as DD/MM/YYYY, 5.0 as ``5``, yes and no as ``1`` and ``0``; text as it is."""
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")
        case datetime() | date():
            return f"{value.day:02}/{value.month:02}/{value.year:04}"
        case time():
            return f"{value:%H:%M:%S}"
        case timedelta():
            seconds = round(value.total_seconds())
            return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        case _:
            return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), str(value)).strip()


def one_line(text: str) -> str:
    """A value without its line breaks, which a field of one line cannot have."""
    return _BREAK.sub(" ", text)
