"""The engine, its transactions, and what database errors mean to the house.

Reads and writes are short transactions. On SQLite a write begins with BEGIN IMMEDIATE, so it waits for the lock at its
beginning and never fails half-way for want of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError

from metadata.catalogue.faults import house_error
from metadata.errors import UsageError
from metadata.text import Sentence

BATCH = 5000
WAIT_MILLISECONDS = 30_000
_WRITE = "tangthu_write"

Row = tuple[Any, ...]


class Database:
    """One SQLite file or one PostgreSQL database. Safe to share between threads, not across a fork."""

    def __init__(self, url: str) -> None:
        """Prepare to connect; nothing is opened yet. Raises UsageError for a URL of neither kind."""
        parsed = _parse(url)
        self.is_postgresql = parsed.get_backend_name() == "postgresql"
        self._engine = _postgresql(parsed) if self.is_postgresql else _sqlite(parsed)

    def close(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state. Raises Busy, CatalogueUnavailable, NoSpace, Unreadable, UsageError."""
        with self._translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """As :meth:`read`, for several questions that must all see the same state, on PostgreSQL too."""
        level = {"isolation_level": "REPEATABLE READ"} if self.is_postgresql else {}
        with (
            self._translated(),
            self._engine.connect().execution_options(**level) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is committed when the block ends and rolled back when it raises. Errors as :meth:`read`;
        ValueError when rows contradict a constraint."""
        with (
            self._translated(),
            self._engine.connect().execution_options(**{_WRITE: True}) as connection,
            connection.begin(),
        ):
            yield connection

    def insert(self, connection: Connection, table: Table, rows: Iterable[Row]) -> None:
        """Insert many rows, given in the order of the table's columns, with values as the driver takes them.

        COPY on PostgreSQL, executemany in batches on SQLite; memory does not grow with the number of rows.
        """
        quote = connection.dialect.identifier_preparer.quote
        columns = ", ".join(quote(column.name) for column in table.columns)
        if self.is_postgresql:
            driver: Any = connection.connection.driver_connection
            with driver.cursor() as cursor, cursor.copy(f"COPY {quote(table.name)} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join("?" * len(table.columns))
        statement = f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({marks})"  # noqa: S608 - names are our own
        for batch in batched(rows, BATCH):
            try:
                connection.exec_driver_sql(statement, batch)
            except OverflowError as error:
                raise ValueError(f"a number that the catalogue cannot hold: {error}") from error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        # COPY speaks to the driver below SQLAlchemy. On SQLite nothing does, and the callers' own iterators may be
        # reading other SQLite files whose errors are not ours.
        raw = self._engine.dialect.loaded_dbapi.Error if self.is_postgresql else DBAPIError
        try:
            yield
        except DBAPIError as error:
            raise house_error(error.orig or error) from error
        except raw as error:
            raise house_error(error) from error


def batched(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Lists of at most ``size`` rows."""
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


def chunks(values: Sequence[Any], size: int = 500) -> Iterator[Sequence[Any]]:
    """Slices short enough for an IN list."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    kinds = ("sqlite", "sqlite+pysqlite", "postgresql+psycopg")
    if parsed is None or parsed.drivername not in kinds or parsed.database in (None, "", ":memory:"):
        raise UsageError(
            Sentence(
                "Địa chỉ cơ sở dữ liệu không hợp lệ: hãy dùng sqlite:///đường-dẫn hoặc postgresql+psycopg://máy-chủ/tên.",
                "The database address is not valid: use sqlite:///path or postgresql+psycopg://host/name.",
            )
        )
    return parsed


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"isolation_level": None, "timeout": WAIT_MILLISECONDS / 1000})

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA foreign_keys=ON")
        finally:
            cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    engine = create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        try:
            cursor.execute(f"SET lock_timeout = {WAIT_MILLISECONDS}")
        finally:
            cursor.close()
        connection.commit()

    return engine
