"""The catalogue as plain rows that either kind of database can take back: what backups hold.

Everything is told from one snapshot, streamed. ``state`` comes first: for each version a short digest of what changes
in its life, so that a later backup can tell what has changed since. A version's rows are always told together.
"""

from __future__ import annotations

import base64
import hashlib
from array import array
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    LargeBinary,
    Select,
    Table,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    type_coerce,
)

from metadata.catalogue.database import BATCH, Database, chunks
from metadata.catalogue.held_sums import recount_sums
from metadata.catalogue.schema import Moment, aip_version, fixity_due, log_head, metadata, replica
from metadata.catalogue.schema_keeping import journal

STATE = "state"
"""The section that comes first: (version, digest), or (version, None) for one that is held no more."""
STATE_COLUMNS = ("version", "digest")

LEFT_OUT = frozenset({"fixity_due", "search_outbox", "intake", "held_sum"})
"""Work in progress, or made anew from the rest."""


def _of_versions() -> Iterator[Table]:
    for table in metadata.sorted_tables:
        key = table.columns.get("version")
        if key is not None and key.primary_key and isinstance(key.type, BigInteger) and table.name not in LEFT_OUT:
            yield table


OF_VERSIONS: tuple[Table, ...] = tuple(_of_versions())
GROWING: tuple[Table, ...] = (journal,)
WHOLE: tuple[Table, ...] = tuple(
    table
    for table in metadata.sorted_tables
    if table not in OF_VERSIONS and table not in GROWING and table.name not in LEFT_OUT
)

State = tuple[int, str | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One row on its way out: which section it is of, and its values as JSON has them, in the order of ``columns``."""

    section: str
    values: Sequence[Any]


def columns_of(section: str) -> tuple[str, ...]:
    """The columns of a section, in the order of its lines' values."""
    if section == STATE:
        return STATE_COLUMNS
    return tuple(column.name for column in metadata.tables[section].columns)


class Portable:
    """Tells the catalogue's rows, and takes them back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def export(self, before: Iterable[State] | None = None, journal_after: int = 0) -> Generator[Line, None, None]:
        """Everything, or what differs from ``before`` (every version's state then, by version) and the small tables.

        Of the journal only entries after ``journal_after``. Flat in memory but for eight bytes for each version that
        changed. Close the iterator when leaving it early.
        """
        with self._database.snapshot() as connection:
            changed: array[int] | None = None
            if before is None:
                yield from (Line(STATE, one) for one in _state(connection))
            else:
                changed = array("q")
                for version, digest in _changes(_state(connection), before):
                    if digest is not None:
                        changed.append(version)
                    yield Line(STATE, (version, digest))
            for table in OF_VERSIONS:
                yield from _rows_of_versions(connection, table, changed)
            for table in GROWING:
                yield from _rows(connection, table, _query(table).where(table.c.number > journal_after))
            for table in WHOLE:
                yield from _rows(connection, table, _query(table))

    def digests(self, versions: Sequence[int], tables: Sequence[str]) -> dict[int, bytes]:
        """Of some versions (at most 500) a SHA-256 over their rows in these tables, for comparing; flat in memory."""
        found = {version: hashlib.sha256() for version in versions}
        with self._database.snapshot() as connection:
            for name in tables:
                table = metadata.tables[name]
                place = columns_of(name).index("version")
                for line in _rows(connection, table, _query(table).where(table.c.version.in_(versions))):
                    found[line.values[place]].update(f"{name}{line.values!r}".encode("utf-8", "surrogatepass"))
        return {version: digest.digest() for version, digest in found.items()}

    def events_of(self, version: int) -> list[Sequence[Any]]:
        """The rows of its events, in their order."""
        table = metadata.tables["event"]
        with self._database.snapshot() as connection:
            return [line.values for line in _rows(connection, table, _query(table).where(table.c.version == version))]

    def states(self, versions: Sequence[int] | None = None) -> Generator[tuple[int, str], None, None]:
        """Every version (or of these, at most 500) and the digest of its state, by version."""
        with self._database.snapshot() as connection:
            yield from _state(connection, versions)

    def counts(self) -> tuple[int, int]:
        """How many versions there are, and the number of the last journal entry."""
        with self._database.read() as connection:
            versions = connection.scalar(select(func.count()).select_from(aip_version)) or 0
            return versions, connection.scalar(select(func.max(journal.c.number))) or 0

    def load(self, backup: Iterable[tuple[str, Sequence[str], Iterator[Sequence[Any]]]], *, full: bool) -> int:
        """Take a backup's sections (name, columns, rows) in, in the order in which they were told; how many rows.

        A ``full`` one replaces all there is; another goes on top of what its base left. One transaction: all or
        nothing. Raises ValueError for tables or columns that this release does not know, or rows that contradict
        each other.
        """
        count = 0
        with self._database.write() as connection:
            _clear(connection, full=full)
            for section, columns, rows in backup:
                if section == STATE:
                    if not full:
                        _remove(connection, rows)
                    else:
                        for _ in rows:
                            pass
                    continue
                count += self._take(connection, section, columns, rows)
            self._finish(connection)
        return count

    def _take(self, connection: Connection, section: str, columns: Sequence[str], rows: Iterator[Sequence[Any]]) -> int:
        table = metadata.tables.get(section)
        if table is None or section in LEFT_OUT or not set(columns) <= {column.name for column in table.columns}:
            raise ValueError(f"this release knows no table {section} with {', '.join(columns)}")
        count = 0

        def values() -> Iterator[tuple[Any, ...]]:
            nonlocal count
            for row in rows:
                count += 1
                yield tuple(read(row) for read in readers)

        readers = [_reader(table, name, columns) for name in columns_of(section)]
        self._database.insert(connection, table, values())
        return count

    def _finish(self, connection: Connection) -> None:
        """What is made anew: when each version is to be looked at, sums, and where counted keys go on."""
        recount_sums(connection)
        connection.execute(delete(fixity_due))
        due = select(replica.c.version, replica.c.store, replica.c.due, literal(0))
        connection.execute(insert(fixity_due).from_select(["version", "store", "next_check", "lease_token"], due))
        if not self._database.is_postgresql:
            return
        for table in metadata.sorted_tables:
            for column in table.columns:
                if column.autoincrement is True:
                    connection.execute(
                        text(
                            f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'), "  # noqa: S608
                            f"(SELECT coalesce(max({column.name}), 0) + 1 FROM {table.name}), false)"
                        )
                    )


def _state(connection: Connection, versions: Sequence[int] | None = None) -> Iterator[tuple[int, str]]:
    """Each version and a digest over its log's head and its replicas; two sorted streams, merged."""
    of_heads, of_copies = select(log_head).order_by(log_head.c.version), _query(replica)
    if versions is not None:
        of_heads = of_heads.where(log_head.c.version.in_(versions))
        of_copies = of_copies.where(replica.c.version.in_(versions))
    heads, copies = _stream(connection, of_heads), _stream(connection, of_copies)
    by_version = groupby(copies, key=lambda row: row[0])
    copy = next(by_version, None)
    for version, number, head in heads:
        digest = hashlib.sha256(f"{number}:{head.hex()}".encode())
        while copy is not None and copy[0] < version:
            copy = next(by_version, None)
        if copy is not None and copy[0] == version:
            for row in copy[1]:
                digest.update(repr(tuple(row)[1:]).encode())
        yield version, digest.hexdigest()[:32]


def _changes(now: Iterable[tuple[int, str]], before: Iterable[State]) -> Iterator[State]:
    """What is new or different in ``now``, and (with None) what is there no more. Both by version."""
    old = iter(before)
    known = next(old, None)
    for version, digest in now:
        while known is not None and known[0] < version:
            yield known[0], None
            known = next(old, None)
        if known is not None and known[0] == version:
            same = known[1] == digest
            known = next(old, None)
            if same:
                continue
        yield version, digest
    while known is not None:
        yield known[0], None
        known = next(old, None)


def _rows_of_versions(connection: Connection, table: Table, changed: array[int] | None) -> Iterator[Line]:
    if changed is None:
        yield from _rows(connection, table, _query(table))
        return
    for part in chunks(changed):
        yield from _rows(connection, table, _query(table).where(table.c.version.in_(list(part))))


def _query(table: Table) -> Select[tuple[object, ...]]:
    """Rows as the drivers have them, by primary key."""
    columns = [
        type_coerce(column, BigInteger).label(column.name) if isinstance(column.type, Moment) else column
        for column in table.columns
    ]
    return select(*columns).order_by(*table.primary_key)


def _rows(connection: Connection, table: Table, query: Select[tuple[object, ...]]) -> Iterator[Line]:
    binary = [place for place, column in enumerate(table.columns) if isinstance(column.type, LargeBinary)]
    name = table.name
    for row in _stream(connection, query):
        values = list(row)
        for place in binary:
            if values[place] is not None:
                values[place] = base64.b64encode(values[place]).decode("ascii")
        yield Line(name, values)


def _stream(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    # Options of the statement, not of the connection: other streams may be open beside it.
    return iter(connection.execute(query.execution_options(yield_per=BATCH)))


def _clear(connection: Connection, *, full: bool) -> None:
    tables = {table.name for table in (*WHOLE, *(OF_VERSIONS + GROWING if full else ()))}
    if full:
        tables |= LEFT_OUT
    for table in reversed(metadata.sorted_tables):
        if table.name in tables:
            connection.execute(delete(table))


def _remove(connection: Connection, rows: Iterator[Sequence[Any]]) -> None:
    """The rows of versions that are told anew, or are held no more."""
    for part in chunks(array("q", (row[0] for row in rows))):
        versions = list(part)
        for table in (fixity_due, *reversed(OF_VERSIONS)):
            connection.execute(delete(table).where(table.c.version.in_(versions)))


def _reader(table: Table, name: str, columns: Sequence[str]) -> Callable[[Sequence[Any]], object]:
    """How to get a column's value, as the drivers take it, out of a row of ``columns``."""
    column = table.columns[name]
    if name not in columns:
        default = None if column.server_default is None else str(getattr(column.server_default, "arg", ""))
        return lambda _: default
    place = columns.index(name)
    if isinstance(column.type, LargeBinary):
        return lambda row: None if row[place] is None else base64.b64decode(row[place], validate=True)
    return lambda row: row[place]
