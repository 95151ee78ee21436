"""Sums over all that is held, moved in the transaction that changes what they count: a page reads as many rows as it
shows.

A transaction moves them at its end and by key, before the coverage, so that no two wait in a ring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, Text, cast, delete, func, insert, literal, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from metadata.catalogue.database import Database
from metadata.catalogue.schema import aip_version, file_format, outcome_count
from metadata.catalogue.schema_keeping import held_sum
from metadata.catalogue.statistics import FORMAT

RECEIVED = "received"
"""The kind of the sums of bytes by the day (counted from 1970 UTC) on which a version was made."""
_EPOCH = date(1970, 1, 1)
_DAY = 86_400_000_000
_SUMS = held_sum.c


@dataclass(frozen=True, slots=True)
class FormatSum:
    """Content files of one format; ``puid`` and ``name`` are empty for files that nothing was told of."""

    puid: str
    name: str
    files: int


class HeldSums:
    """What the sums say."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def formats(self) -> list[FormatSum]:
        """The formats of content files, of all versions; the most frequent first. Costs as many rows as there are
        formats."""
        query = select(_SUMS.name, _SUMS.amount).where(_SUMS.kind == FORMAT)
        names = select(file_format.c.puid, func.max(file_format.c.name)).group_by(file_format.c.puid)
        with self._database.read() as connection:
            known = {puid: name for puid, name in connection.execute(names) if puid}
            rows = connection.execute(query.order_by(_SUMS.amount.desc(), _SUMS.name))
            return [FormatSum(puid, known.get(puid) or "", int(files)) for puid, files in rows]

    def received(self, since: date, until: date) -> int:
        """The bytes (of one replica) of the versions that were made from the one day to the other, both included."""
        days = [str(day) for day in range((since - _EPOCH).days, (until - _EPOCH).days + 1)]
        query = select(func.sum(_SUMS.amount)).where(_SUMS.kind == RECEIVED, _SUMS.name.in_(days))
        with self._database.read() as connection:
            return int(connection.scalar(query) or 0)

    def counted(self) -> dict[tuple[str, str], int]:
        """Every sum, by kind and name."""
        with self._database.read() as connection:
            return {(row.kind, row.name): row.amount for row in connection.execute(select(held_sum))}

    def recounted(self) -> dict[tuple[str, str], int]:
        """What :meth:`counted` must say, from the versions' own rows. Its cost grows with the holdings."""
        with self._database.read() as connection:
            return {
                (kind, name): int(amount) for query in _counting() for kind, name, amount in connection.execute(query)
            }


def move_sums(database: Database, connection: Connection, kind: str, moves: Mapping[str, int]) -> None:
    """Add to the sums of one kind, by name. Among the last statements of a transaction: the rows are everybody's."""
    make = postgresql.insert if database.is_postgresql else sqlite.insert
    for name, amount in sorted(moves.items()):
        if not amount:
            continue
        statement = make(held_sum).values(kind=kind, name=name, amount=amount)
        more = {"amount": _SUMS.amount + statement.excluded.amount}
        connection.execute(statement.on_conflict_do_update(index_elements=["kind", "name"], set_=more))
    lessened = [(kind, name) for name, amount in moves.items() if amount < 0]
    if lessened:
        connection.execute(delete(held_sum).where(tuple_(_SUMS.kind, _SUMS.name).in_(lessened), _SUMS.amount == 0))


def recount_sums(connection: Connection) -> None:
    """Make the sums what the versions' own rows say."""
    connection.execute(delete(held_sum))
    for query in _counting():
        connection.execute(insert(held_sum).from_select(["kind", "name", "amount"], query))


def received_day(micros: int) -> str:
    """The name of a day among the sums of what was received; ``micros`` are counted from 1970 UTC."""
    return str(micros // _DAY)


def _counting() -> tuple[Select[*tuple[Any, ...]], ...]:
    counts, day = outcome_count.c, cast(cast(aip_version.c.created, BigInteger).op("/")(_DAY), Text).label("day")
    files, size = cast(func.sum(counts.members), BigInteger), cast(func.sum(aip_version.c.size), BigInteger)
    return (
        select(literal(FORMAT), counts.outcome, files).where(counts.kind == FORMAT).group_by(counts.outcome),
        select(literal(RECEIVED), day, size).group_by("day"),
    )
