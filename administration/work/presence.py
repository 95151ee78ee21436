"""Who is alive: one heartbeat row for each running worker, in the database that holds the work.

A worker is dead when it was silent for longer than the time to live by the database's clock, or, without waiting,
when it ran in this very process namespace and its process is gone.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg

_TABLE = """create table if not exists tangthu_worker(
  executor varchar(80) primary key, place varchar(200) not null, pid integer not null,
  started varchar(40) not null, beat double precision not null)"""


@dataclass(frozen=True, slots=True)
class Process:
    """A process, told apart from a later one of the same number by when it started."""

    place: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> Process:
        return cls(_namespace(), os.getpid(), _started(os.getpid()) or "")

    @property
    def gone(self) -> bool:
        """Whether it ran here and certainly runs no more; False when that cannot be known."""
        if not self.place or self.place != _namespace():
            return False
        return _started(self.pid) != self.started


def _namespace() -> str:
    """This boot of this machine and this process namespace; empty where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """When the process started, in clock ticks since boot; None when there is none, or only its ashes (a zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


class _Connection(Protocol):
    """What sqlite3 and psycopg have in common."""

    def execute(self, query: Any, params: Sequence[object] = ..., /) -> Any: ...  # noqa: ANN401


class Presence:
    """The heartbeat table, on SQLite (``sqlite:///path``) or PostgreSQL. Each call is one short transaction."""

    def __init__(self, url: str) -> None:
        self._sqlite = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
        self._conninfo = url.replace("postgresql+psycopg:", "postgresql:", 1)
        self._now = (
            "((julianday('now') - 2440587.5) * 86400.0)" if self._sqlite else "extract(epoch from clock_timestamp())"
        )

    def create(self) -> None:
        """Make the table; on SQLite also set write-ahead logging, which the whole engine needs to be quick."""
        if self._sqlite:
            with closing(sqlite3.connect(self._sqlite, timeout=30)) as connection:
                connection.execute("pragma journal_mode=wal").fetchall()
        with self._transaction() as connection:
            if not self._sqlite:
                # Two workers that start together would both create the table; PostgreSQL lets one of them fail.
                connection.execute("select pg_advisory_xact_lock(8061925)")
            connection.execute(_TABLE)

    def beat(self, executor: str, process: Process) -> None:
        """Say that ``executor`` is alive."""
        with self._transaction() as connection:
            connection.execute(
                f"insert into tangthu_worker values ({self._marks(4)}, {self._now}) "  # noqa: S608 -- no outside text
                "on conflict (executor) do update set beat = excluded.beat",
                (executor, process.place, process.pid, process.started),
            )

    def dead(self, ttl: float, but: str) -> list[str]:
        """Executors that are dead, ``but`` (oneself) left out."""
        with self._transaction() as connection:
            rows = connection.execute(
                f"select executor, place, pid, started, beat < {self._now} - {ttl:f} from tangthu_worker"  # noqa: S608
            ).fetchall()
        return [
            executor
            for executor, place, pid, started, silent in rows
            if executor != but and (silent or Process(place, pid, started).gone)
        ]

    def alive(self) -> list[str]:
        """Every executor that has a row, the dead not yet buried included."""
        with self._transaction() as connection:
            return [row[0] for row in connection.execute("select executor from tangthu_worker").fetchall()]

    def bury(self, executor: str) -> None:
        """Remove a row: its work has been taken over, or it left in good order."""
        with self._transaction() as connection:
            connection.execute(f"delete from tangthu_worker where executor = {self._marks(1)}", (executor,))  # noqa: S608

    def give_up(self, executor: str) -> None:
        """Let others take over at once what ``executor`` leaves unfinished."""
        with self._transaction() as connection:
            connection.execute(
                f"update tangthu_worker set beat = 0 where executor = {self._marks(1)}",  # noqa: S608
                (executor,),
            )

    def _marks(self, count: int) -> str:
        return ", ".join(["?" if self._sqlite else "%s"] * count)

    @contextmanager
    def _transaction(self) -> Iterator[_Connection]:
        if self._sqlite:
            with closing(sqlite3.connect(self._sqlite, timeout=30)) as sqlite, sqlite:
                yield sqlite
        else:
            with psycopg.connect(self._conninfo) as connection:
                yield connection
