"""The days that a form is about, as Vietnam counts them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self

from administration.forms.words import day_text
from metadata.dates import VIETNAM
from metadata.errors import UsageError
from metadata.text import Sentence


@dataclass(frozen=True, slots=True)
class Period:
    """From the beginning of ``first`` to the end of ``last``. Raises UsageError when that is before it."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first or self.last == date.max:
            raise UsageError(
                Sentence(
                    f"Kỳ từ {day_text(self.first)} đến {day_text(self.last)} không có ngày nào.",
                    f"There is no day from {self.first} to {self.last}.",
                )
            )

    @classmethod
    def year(cls, year: int) -> Self:
        """A whole year. Raises UsageError for one that no calendar has."""
        if not 1 <= year < date.max.year:
            raise UsageError(Sentence(f"Không có năm {year}.", f"There is no year {year}."))
        return cls(date(year, 1, 1), date(year, 12, 31))

    @property
    def begin(self) -> datetime:
        """The first moment, aware UTC."""
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        """The first moment after it, aware UTC."""
        return _midnight(self.last + timedelta(days=1))

    def __str__(self) -> str:
        return f"Từ ngày {day_text(self.first)} đến ngày {day_text(self.last)}"


def _midnight(day: date) -> datetime:
    if day.year < 2:
        return datetime(1, 1, 2, tzinfo=UTC)
    return datetime.combine(day, time(), VIETNAM).astimezone(UTC)
