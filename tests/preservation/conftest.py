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


@pytest.fixture
def catalogue(new_catalogue: NewCatalogue) -> Catalogue:
    return new_catalogue("catalogue")
