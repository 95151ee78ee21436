"""Formats in the holdings with their names, from the sums that each version brings; no member is read."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from metadata.catalogue.database import Database
from metadata.catalogue.schema import file_format, outcome_count
from metadata.catalogue.statistics import FORMAT


@dataclass(frozen=True, slots=True)
class FormatSum:
    """Content files of one format; ``puid`` and ``name`` are empty for files that nothing was told of."""

    puid: str
    name: str
    files: int


class FormatSums:
    """Its cost grows with the versions held (not their files): ask at most now and then."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def listed(self) -> list[FormatSum]:
        """The most frequent first."""
        total = func.sum(outcome_count.c.members)
        sums = select(outcome_count.c.outcome, total).where(outcome_count.c.kind == FORMAT)
        names = select(file_format.c.puid, func.max(file_format.c.name).label("name")).group_by(file_format.c.puid)
        with self._database.read() as connection:
            known = {row.puid: row.name for row in connection.execute(names)}
            rows = connection.execute(sums.group_by(outcome_count.c.outcome).order_by(total.desc()))
            return [FormatSum(puid or "", known.get(puid) or "" if puid else "", int(count)) for puid, count in rows]
