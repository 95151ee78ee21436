"""Every test that takes ``catalogue`` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from metadata.catalogue import Catalogue
from metadata.catalogue.schema import metadata
from tests.services.postgres import PostgresService, postgres_service, postgres_url  # noqa: F401 - fixtures


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    return f"sqlite:///{tmp_path / 'mục lục.sqlite'}" if kind == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture(scope="session")
def prepared_postgres(postgres_service: PostgresService) -> str:  # noqa: F811
    """The URL of a database with tables, to be emptied before each use."""
    url = postgres_service.new_database()
    with Catalogue(url) as catalogue:
        catalogue.upgrade()
    return url


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a catalogue without holdings."""
    if kind == "sqlite":
        made = f"sqlite:///{tmp_path / 'mục lục.sqlite'}"
        with Catalogue(made) as catalogue:
            catalogue.upgrade()
        return made
    made = str(request.getfixturevalue("prepared_postgres"))
    engine = create_engine(made)
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    engine.dispose()
    return made


@pytest.fixture
def catalogue(url: str) -> Iterator[Catalogue]:
    """A catalogue without holdings."""
    with Catalogue(url) as one:
        yield one
