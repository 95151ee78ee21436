"""The store in a bucket, held to the contract of all stores on a real S3 service, by http and by https."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from metadata.identifiers import ArchiveCode, StoreId
from storage.port import Store
from storage.stores.s3 import S3Account, S3Store
from tests.contracts.store import StoreContract
from tests.services.ceph import S3Service

ARCHIVE = ArchiveCode("LTLS")


def account(service: S3Service, secure: bool) -> S3Account:
    return S3Account(
        endpoint=service.https if secure else service.http,
        access_key=service.access_key,
        secret_key=service.secret_key,
        ca=Path(service.ca) if secure else None,
    )


def new_store(service: S3Service, secure: bool = False, bucket: str = "contract") -> S3Store:
    store = S3Store(StoreId("s3-a"), account(service, secure), bucket, f"{uuid.uuid4()}/")
    store.create(ARCHIVE)
    return store


@pytest.fixture(scope="module", params=["http", "https"])
def shared(request: pytest.FixtureRequest, s3: S3Service) -> Iterator[S3Store]:
    store = new_store(s3, request.param == "https")
    yield store
    store.close()


@pytest.mark.services
class TestS3Store(StoreContract):
    @pytest.fixture
    def store(self, shared: S3Store) -> Iterator[Store]:
        yield shared
        for upload in list(shared.uploads()):
            shared.abort(upload)
        for info in list(shared.list()):
            shared.delete(info.key)
