"""How much of each fonds in each store was last read whole on which day, kept with every look.

Whoever changes when a replica was read, adds one or forgets one moves the counters in the same transaction
(``replica_rows``), so that the picture of the holdings is as true as the rows and costs nothing to draw.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

from sqlalchemy import BigInteger, Connection, cast, delete, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from metadata.audits import CoverageDay
from metadata.catalogue.database import Database, chunks
from metadata.catalogue.schema import aip_version, replica, to_micros
from metadata.catalogue.schema_keeping import coverage
from metadata.identifiers import FondsCode, StoreId

_EPOCH = date(1970, 1, 1)
_DAY = 86_400_000_000
_NEVER = -1

_Bucket = tuple[str, str, int]


class Coverage:
    """The counters."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def days(self, store: StoreId | None = None, fonds: FondsCode | None = None) -> list[CoverageDay]:
        """All buckets, or those of a store, of a fonds; by store, fonds, day, never first. As many as there are
        stores × fonds × days on which something was read last, however many the replicas."""
        query = select(coverage).order_by(coverage.c.store, coverage.c.fonds, coverage.c.day)
        if store is not None:
            query = query.where(coverage.c.store == store.value)
        if fonds is not None:
            query = query.where(coverage.c.fonds == fonds.value)
        with self._database.read() as connection:
            return [
                CoverageDay(StoreId(row.store), FondsCode(row.fonds), _date(row.day), row.replicas, row.bytes)
                for row in connection.execute(query)
            ]

    def recounted(self) -> list[CoverageDay]:
        """What :meth:`days` must say, counted from the replicas. Its cost grows with the holdings."""
        with self._database.read() as connection:
            return [
                CoverageDay(StoreId(store), FondsCode(fonds), _date(day), count, size)
                for (store, fonds, day), (count, size) in sorted(_count(connection).items())
            ]


class CoverageMoves:
    """What a transaction changes in the counters, written at its end and by key, so that no two wait in a ring."""

    def __init__(self) -> None:
        self._replicas: Counter[_Bucket] = Counter()
        self._bytes: Counter[_Bucket] = Counter()

    def add(self, store: StoreId, fonds: str, checked: datetime | None, size: int) -> None:
        """A replica of ``size`` bytes, last read whole at ``checked``, is counted from now on."""
        self._move(store, fonds, checked, 1, size)

    def remove(self, store: StoreId, fonds: str, checked: datetime | None, size: int) -> None:
        """It is counted no more."""
        self._move(store, fonds, checked, -1, -size)

    def _move(self, store: StoreId, fonds: str, checked: datetime | None, count: int, size: int) -> None:
        bucket = (store.value, fonds, _NEVER if checked is None else to_micros(checked) // _DAY)
        self._replicas[bucket] += count
        self._bytes[bucket] += size

    def write(self, database: Database, connection: Connection) -> None:
        """The last statements of the transaction: the counters of today are everybody's."""
        make = postgresql.insert if database.is_postgresql else sqlite.insert
        emptier = []
        for bucket in sorted(self._replicas):
            count, size = self._replicas[bucket], self._bytes[bucket]
            if not count and not size:
                continue
            store, fonds, day = bucket
            statement = make(coverage).values(store=store, fonds=fonds, day=day, replicas=count, bytes=size)
            more = {
                "replicas": coverage.c.replicas + statement.excluded.replicas,
                "bytes": coverage.c.bytes + statement.excluded.bytes,
            }
            connection.execute(statement.on_conflict_do_update(index_elements=["store", "fonds", "day"], set_=more))
            if count < 0:
                emptier.append(bucket)
        key = tuple_(coverage.c.store, coverage.c.fonds, coverage.c.day)
        for part in chunks(emptier):
            connection.execute(delete(coverage).where(key.in_(list(part)), coverage.c.replicas == 0))


def _count(connection: Connection) -> dict[_Bucket, tuple[int, int]]:
    # Both databases divide whole numbers towards zero; nothing was read before 1970.
    checked = cast(replica.c.checked, BigInteger)
    day = func.coalesce(checked.op("/")(_DAY), _NEVER).label("day")
    query = (
        select(replica.c.store, aip_version.c.fonds, day, func.count(), cast(func.sum(aip_version.c.size), BigInteger))
        .join(aip_version, aip_version.c.version == replica.c.version)
        .group_by(replica.c.store, aip_version.c.fonds, "day")
    )
    return {(row[0], row[1], int(row[2])): (row[3], row[4]) for row in connection.execute(query)}


def _date(day: int) -> date | None:
    return None if day == _NEVER else _EPOCH + timedelta(days=day)
