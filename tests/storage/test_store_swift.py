"""The store in a bucket on a server that keeps no checksums and whose conditional creation is not atomic: Swift."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage.port import Store
from storage.stores.s3 import S3Store
from tests.contracts.store import StoreContract, at_once, content
from tests.services.ceph import S3Service
from tests.storage.test_store_s3 import new_store


@pytest.fixture(scope="module", params=["http", "https"])
def shared(request: pytest.FixtureRequest, swift: S3Service) -> Iterator[S3Store]:
    store = new_store(swift, request.param == "https")
    yield store
    store.close()


@pytest.mark.services
class TestSwift(StoreContract):
    @pytest.fixture
    def store(self, shared: S3Store) -> Iterator[Store]:
        yield shared
        for upload in list(shared.uploads()):
            shared.abort(upload)
        for info in list(shared.list()):
            shared.delete(info.key)

    def test_of_many_writers_one_wins(self, store: Store) -> None:
        """What is promised here: the object is whole and one of theirs, and who writes later is refused."""
        bodies = [bytes([number]) * 1000 for number in range(8)]
        results = at_once(8, lambda number: store.put("k", bodies[number]))
        assert content(store, "k") in [bodies[number] for number, result in enumerate(results) if result is None]

    def test_of_many_uploads_one_wins(self, store: Store) -> None:
        bodies = [bytes([number]) * 100 for number in range(4)]

        def work(number: int) -> None:
            upload = store.begin("k")
            store.complete(upload, [store.put_part(upload, 1, bodies[number], 0)])

        results = at_once(4, work)
        assert content(store, "k") in [bodies[number] for number, result in enumerate(results) if result is None]
