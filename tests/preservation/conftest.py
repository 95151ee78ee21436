"""A catalogue, two stores and a clock."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from metadata.catalogue import Catalogue
from metadata.identifiers import StoreId
from storage.stores.memory import MemoryStore
from tests.builders.kept import Clock
from tests.services.postgres import postgres_service, postgres_url

__all__ = ["postgres_service", "postgres_url"]  # fixtures

NewCatalogue = Callable[[str], Catalogue]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stores() -> list[MemoryStore]:
    return [MemoryStore(StoreId("kho-1")), MemoryStore(StoreId("kho-2"))]


@pytest.fixture(scope="session")
def empty_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a catalogue with its tables and nothing in them: made once, copied for each test."""
    path = tmp_path_factory.mktemp("catalogue") / "empty.sqlite"
    with Catalogue(f"sqlite:///{path}") as catalogue:
        catalogue.upgrade()
    return path


@pytest.fixture
def new_catalogue(empty_catalogue: Path, tmp_path: Path) -> Iterator[NewCatalogue]:
    """Gives an empty catalogue of a name."""
    with ExitStack() as stack:

        def make(name: str) -> Catalogue:
            path = tmp_path / f"{name}.sqlite"
            shutil.copy(empty_catalogue, path)
            return stack.enter_context(Catalogue(f"sqlite:///{path}"))

        yield make


@pytest.fixture(params=["sqlite", "postgresql"])
def either_url(request: pytest.FixtureRequest, empty_catalogue: Path, tmp_path: Path) -> str:
    """The address of a catalogue without holdings, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(empty_catalogue, tmp_path / "either.sqlite")
        return f"sqlite:///{tmp_path / 'either.sqlite'}"
    url = str(request.getfixturevalue("postgres_url"))
    with Catalogue(url) as catalogue:
        catalogue.upgrade()
    return url


@pytest.fixture
def either_catalogue(either_url: str) -> Iterator[Catalogue]:
    """A catalogue without holdings, on SQLite and on PostgreSQL."""
    with Catalogue(either_url) as catalogue:
        yield catalogue


@pytest.fixture
def catalogue(new_catalogue: NewCatalogue) -> Catalogue:
    return new_catalogue("catalogue")
