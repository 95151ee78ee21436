"""Choosing what is due next: ``python -m bench.due [postgresql] 1000000 10000000 30000000``.

The narrow table alone, filled in bulk with replicas in three stores, a tenth of them due; nothing else of the catalogue
is needed to choose. Each row of the table: how many replicas, the median and the longest of 20 choices of the next
1,000, in milliseconds, and of 20 leases of 1,000 in the same transaction that marks them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
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
_STEP = 0x9E3779B97F4A7C15


def _rows(count: int) -> Iterator[tuple[object, ...]]:
    """Versions by scattered keys, as digests are; due spread over 90 days before and 810 after ``NOW``."""
    first, span = to_micros(NOW - timedelta(days=90)), 900 * 86_400_000_000
    for number in range(count // 3):
        version = number * _STEP % (1 << 63)
        for place, store in enumerate(STORES):
            due = first + (version * 3 + place * 7919) % span
            yield version, store, due, 0, None, None, None


def _fill(database: Database, count: int) -> None:
    with database.write() as connection:
        if not database.is_postgresql:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        database.insert(connection, fixity_due, _rows(count))


def _choose(connection: Connection) -> int:
    found = sorted(fixity._longest_due(connection, STORES, NOW, 1000), key=lambda one: (one[1], one[0]))
    first: dict[int, datetime] = {}
    for version, due in found:
        if len(first) < 1000:
            first.setdefault(version, due)
    return len(fixity._due_of(connection, STORES, NOW, list(first)))


def _lease(connection: Connection) -> int:
    found = sorted(fixity._longest_due(connection, STORES, NOW, 1000), key=lambda one: (one[1], one[0]))
    versions = list(dict.fromkeys(version for version, _ in found))[:1000]
    taken = fixity._due_of(connection, STORES, NOW, versions)
    fixity._take(connection, taken, NOW + timedelta(hours=1), 1, "bench")
    return len(taken)


def _time(database: Database, act: Callable[[Connection], int]) -> tuple[float, float]:
    took: list[float] = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        with database.write() as connection:
            assert act(connection) >= 1000
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
    with engine.begin() as connection:
        connection.execute(text("ANALYZE fixity_due"))
    engine.dispose()
    chosen, leased = _time(database, _choose), _time(database, _lease)
    database.close()
    return f"| {count:>10,} | {chosen[0]:6.1f} | {chosen[1]:6.1f} | {leased[0]:6.1f} | {leased[1]:6.1f} |"


def main(arguments: list[str]) -> None:
    """Print the table as it grows."""
    postgresql = "postgresql" in arguments
    counts = [int(one) for one in arguments if one.isdigit()] or [1_000_000]
    print("|   replicas | choose | longest | lease | longest |  (ms, next 1,000)", flush=True)
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
