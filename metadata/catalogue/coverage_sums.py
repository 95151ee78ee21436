"""The counters of :mod:`metadata.catalogue.coverage` summed in the database, so that a page costs little to draw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import case, func, select

from metadata.catalogue.database import Database
from metadata.catalogue.schema_keeping import coverage

_EPOCH = date(1970, 1, 1)
_NEVER = -1


@dataclass(frozen=True, slots=True)
class ReadState:
    """Replicas of a store or of a fonds (``name``): read whole since a day, before it, never; and the bytes of all."""

    name: str
    within: int
    late: int
    never: int
    bytes: int

    @property
    def replicas(self) -> int:
        return self.within + self.late + self.never


class CoverageSums:
    """Each sum is one pass over the counters, however many the replicas."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_day(self) -> list[tuple[date | None, int, int]]:
        """The days on which something was last read whole (None: never), how many replicas, and their bytes."""
        sums = func.sum(coverage.c.replicas), func.sum(coverage.c.bytes)
        query = select(coverage.c.day, *sums).group_by(coverage.c.day).order_by(coverage.c.day)
        with self._database.read() as connection:
            return [
                (None if day == _NEVER else _EPOCH + timedelta(days=day), int(count), int(size))
                for day, count, size in connection.execute(query)
            ]

    def by_store(self, since: date) -> list[ReadState]:
        """By the names of the stores."""
        return self._by("store", since)

    def by_fonds(self, since: date, limit: int = 200) -> list[ReadState]:
        """By the codes of the fonds; those with most that was not read since then first."""
        found = self._by("fonds", since)
        return sorted(found, key=lambda one: (-(one.late + one.never), one.name))[:limit]

    def _by(self, column: str, since: date) -> list[ReadState]:
        day, count, key = coverage.c.day, coverage.c.replicas, coverage.c[column]
        first = (since - _EPOCH).days
        within = func.sum(case((day >= first, count), else_=0))
        never = func.sum(case((day == _NEVER, count), else_=0))
        query = select(key, within, never, func.sum(count), func.sum(coverage.c.bytes)).group_by(key).order_by(key)
        with self._database.read() as connection:
            return [
                ReadState(name, int(read), int(total) - int(read) - int(unread), int(unread), int(size))
                for name, read, unread, total, size in connection.execute(query)
            ]
