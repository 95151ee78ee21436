"""The stores in memory and in a folder, held to the contract of all stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from metadata.identifiers import ArchiveCode, StoreId
from storage.port import Store
from storage.stores.directory import DirectoryStore
from storage.stores.memory import MemoryStore
from tests.contracts.store import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore(StoreId("memory"))


class TestDirectoryStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        store = DirectoryStore(StoreId("disk-a"), tmp_path / "store")
        store.create(ArchiveCode("LTLS"))
        return store

    @pytest.fixture
    def again(self, store: Store, tmp_path: Path) -> Store:
        return DirectoryStore(StoreId("disk-a"), tmp_path / "store")
