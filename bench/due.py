"""Choosing what is due next: ``python -m bench.due [postgresql] 1000000 10000000 30000000``.

The narrow table alone, filled in bulk with replicas in three stores, a tenth of them due; nothing else of the catalogue
is needed to choose. Each row of the table: how many replicas, then the median and the longest of 20, in milliseconds:
picking the next 1,000 versions, of three stores; and leasing all their replicas that are due (picking too, and the
commit).
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sized
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import Connection, create_engine, text

from metadata.catalogue import fixity
from metadata.catalogue.database import Database
from metadata.catalogue.schema import fixity_due, metadata, to_micros

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STORES = ("kho-a", "kho-b", "kho-c")
_ROUNDS = 20
_SPAN = 900 * 86_400_000_000
_FILL = """
INSERT INTO fixity_due (version, store, next_check, lease_token)
{numbers}
SELECT i * {gap}, store, {first} + (i * 2654435761 + place * 7919) % {span}, 0
FROM n CROSS JOIN places ORDER BY i, store
"""
_PLACES = "places(place, store) AS (VALUES " + ", ".join(f"({i}, '{name}')" for i, name in enumerate(STORES)) + ")"
_COUNTED = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count}), " + _PLACES
_SERIES = "WITH n(i) AS (SELECT generate_series(0::bigint, {count} - 1)), " + _PLACES


def _fill(database: Database, count: int) -> None:
    """Versions in the order of their keys, due in no order: over 90 days before and 810 after ``NOW``."""
    versions = count // len(STORES)
    numbers = (_SERIES if database.is_postgresql else _COUNTED).format(count=versions)
    first = to_micros(NOW - timedelta(days=90))
    with database.write() as connection:
        connection.execute(text(_FILL.format(numbers=numbers, gap=(1 << 63) // versions, first=first, span=_SPAN)))


def _pick(connection: Connection) -> list[int]:
    found = sorted(fixity._longest_due(connection, STORES, NOW, 1000), key=lambda one: (one[1], one[0]))
    return list(dict.fromkeys(version for version, _ in found))[:1000]


def _lease(connection: Connection) -> list[tuple[int, str]]:
    return fixity._take_due(connection, STORES, NOW, _pick(connection), NOW + timedelta(hours=1), 1, "bench")


def _time(database: Database, act: Callable[[Connection], Sized]) -> tuple[float, float]:
    took: list[float] = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        with database.write() as connection:
            assert len(act(connection)) >= 1000
        took.append(1000 * (time.perf_counter() - begun))
    return median(took), max(took)


def _one(url: str, count: int) -> str:
    engine = create_engine(url)
    table = fixity_due.to_metadata(type(metadata)())
    for constraint in list(table.foreign_key_constraints):
        table.constraints.remove(constraint)
    index = next(iter(table.indexes))
    table.indexes.clear()
    table.create(engine)
    database = Database(url)
    _fill(database, count)
    index.create(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE fixity_due" if database.is_postgresql else "ANALYZE fixity_due"))
    engine.dispose()
    took = [_time(database, act) for act in (_pick, _lease)]
    database.close()
    return f"| {count:>10,} |" + "".join(f" {middle:6.1f} | {longest:7.1f} |" for middle, longest in took)


def main(arguments: list[str]) -> None:
    """Print the table as it grows."""
    postgresql = "postgresql" in arguments
    counts = [int(one) for one in arguments if one.isdigit()] or [1_000_000]
    print("|   replicas |   pick | longest |  lease | longest |  (ms, next 1,000)", flush=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if postgresql:
            from tests.services.postgres import running

            service = stack.enter_context(running())
        for count in counts:
            url = service.new_database() if postgresql else f"sqlite:///{folder / f'{count}.sqlite'}"
            print(_one(url, count), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
