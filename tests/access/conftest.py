"""An archive to read from, and browsers in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import Client

from access.search.memory import MemoryIndex
from metadata.holdings import AipVersion
from tests.builders.browser import browser
from tests.builders.reading import TOKEN, Archive, archive, copied, fill


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, list[AipVersion]]:
    with archive(tmp_path_factory.mktemp("filled"), MemoryIndex()) as made:
        versions = fill(made)
    return made, versions


@pytest.fixture
def versions(filled: tuple[Archive, list[AipVersion]]) -> list[AipVersion]:
    """The land dossier, the council's dossier, and a plain package."""
    return filled[1]


@pytest.fixture
def library(filled: tuple[Archive, list[AipVersion]], tmp_path: Path) -> Iterator[Archive]:
    with copied(filled[0], tmp_path, MemoryIndex()) as made:
        yield made


@pytest.fixture
def stranger(library: Archive) -> Iterator[Client]:
    """A browser without a session."""
    with browser(library.application()) as client:
        yield client


@pytest.fixture
def reader(stranger: Client) -> Client:
    """A program with the token."""
    stranger.headers["Authorization"] = f"Bearer {TOKEN}"
    return stranger
