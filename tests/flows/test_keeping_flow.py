"""Ingest, audit, damage, repair, serve, rebuild: the same life on every kind of store, real servers too."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from metadata.identifiers import StoreId
from storage.port import Store
from storage.stores.directory import DirectoryStore
from storage.stores.s3 import S3Account, S3Store
from tests.builders.archive import ARCHIVE
from tests.flows.keeping import keeping
from tests.services.ceph import S3Service, s3_service
from tests.services.swift import swift_service

BUCKET = "keeping"
SERVICES = {"ceph": s3_service, "swift": swift_service}


def test_a_life_on_directories(tmp_path: Path) -> None:
    stores: list[Store] = []
    for name in "ab":
        store = DirectoryStore(StoreId(name), tmp_path / name)
        store.create(ARCHIVE)
        stores.append(store)
    with keeping(tmp_path, stores, stores, seed=1) as kept:
        kept.life(damages=6)


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest) -> Iterator[S3Service]:
    with SERVICES[request.param]() as running:
        yield running


@pytest.mark.services
@pytest.mark.parametrize("line", ["http", "https"])
def test_a_life_on_a_real_server(tmp_path: Path, service: S3Service, line: str) -> None:
    endpoint, ca = (service.http, None) if line == "http" else (service.https, Path(service.ca))
    account = S3Account(endpoint, service.access_key, service.secret_key, service.region, ca)
    stores = [S3Store(StoreId(name), account, BUCKET, f"{uuid.uuid4()}/") for name in "ab"]
    for store in stores:
        store.create(ARCHIVE)
    with keeping(tmp_path, stores, stores, seed=2) as kept:
        kept.life(damages=6)
    for store in stores:
        store.close()
