"""Dates of records: kept as written, with the precision they have (DESIGN §7 rule 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Self

VIETNAM = timezone(timedelta(hours=7))
_FORMS = (
    re.compile(r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})", re.ASCII),
    re.compile(r"(?P<m>\d{1,2})/(?P<y>\d{4})", re.ASCII),
    re.compile(r"(?P<y>\d{4})", re.ASCII),
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})(T.*)?", re.ASCII),
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{2})", re.ASCII),
)


@dataclass(frozen=True, slots=True)
class RecordDate:
    """A date as it was received (``text``) and, when it can be read, its year, month and day; the unknown is None."""

    text: str
    year: int | None = None
    month: int | None = None
    day: int | None = None

    @classmethod
    def read(cls, text: str) -> Self:
        """Read DD/MM/YYYY, MM/YYYY, YYYY or ISO 8601 (TT 05). Never raises: it keeps the text."""
        for form in _FORMS:
            if not (match := form.fullmatch(text.strip())):
                continue
            parts = {key: int(value) for key, value in match.groupdict().items() if value}
            year, month, day = parts.get("y", 0), parts.get("m"), parts.get("d")
            try:
                date(year, 1 if month is None else month, 1 if day is None else day)
            except ValueError:
                return cls(text)
            return cls(text, year, month, day)
        return cls(text)

    @property
    def iso(self) -> str | None:
        """``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; None when the text could not be read. Sorts as text."""
        if self.year is None:
            return None
        parts = [f"{self.year:04d}"] + [f"{part:02d}" for part in (self.month, self.day) if part is not None]
        return "-".join(parts)

    @property
    def tt05(self) -> str:
        """DD/MM/YYYY, MM/YYYY or YYYY (TT 05 form A); the text as received when it could not be read."""
        if self.year is None:
            return self.text
        parts = [f"{part:02d}" for part in (self.day, self.month) if part is not None] + [f"{self.year:04d}"]
        return "/".join(parts)


def vietnam_time(moment: datetime) -> str:
    """``YYYY-MM-DDThh:mm:ss.s+07:00`` as TT 05 documents write time; ``moment`` must be aware."""
    local = moment.astimezone(VIETNAM)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 100000}+07:00"


def local_text(moment: datetime) -> str:
    """``DD/MM/YYYY hh:mm`` at +07:00, for people; ``moment`` must be aware."""
    return f"{moment.astimezone(VIETNAM):%d/%m/%Y %H:%M}"


def local_day(moment: datetime) -> str:
    """``DD/MM/YYYY`` at +07:00, for people; ``moment`` must be aware."""
    return f"{moment.astimezone(VIETNAM):%d/%m/%Y}"


def utc_text(moment: datetime) -> str:
    """``YYYY-MM-DDThh:mm:ss.ffffffZ``; ``moment`` must be aware."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def read_utc(text: str) -> datetime:
    """Inverse of :func:`utc_text`. Raises ValueError."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
