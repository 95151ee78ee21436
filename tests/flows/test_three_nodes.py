"""A store on three nodes, of which some die while a package is being stored: it is stored once, whole, or tried again.

Only in ``make prove``: such a cluster takes half a minute to start (see ``conftest.py``).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from storage.port import Bytes, Part, Store, Upload
from storage.stores.directory import DirectoryStore
from storage.stores.s3 import S3Account, S3Store
from storage.wrappers import RetryPolicy, RetryStore
from storage.wrappers.base import WrappedStore
from tests.builders.archive import ARCHIVE
from tests.builders.tt05 import PDF
from tests.flows.keeping import keeping
from tests.services.ceph import Cluster, S3Service

PART = 3
"""What goes wrong goes wrong while this part of the object is being sent."""


class _Moment(WrappedStore):
    """Does something, beside, when the ``PART``-th part is sent."""

    def __init__(self, inner: Store, act: Callable[[], None]) -> None:
        super().__init__(inner)
        self._act = threading.Thread(target=act)
        self._parts = 0

    def put_part(self, upload: Upload, number: int, data: Bytes, offset: int | None = None) -> Part:
        self._parts += 1
        if self._parts == PART:
            self._act.start()
            time.sleep(0.2)
        return super().put_part(upload, number, data, offset)

    def join(self) -> None:
        self._act.join()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, S3Service]]:
    three = Cluster(tmp_path_factory.mktemp("ceph"), "bluestore", nodes=3)
    try:
        yield three, three.up()
    finally:
        three.down()


def _one_dies(cluster: Cluster) -> None:
    cluster.kill(0)


def _two_die_for_a_while(cluster: Cluster) -> None:
    for node in (1, 2):
        cluster.kill(node)
    time.sleep(6)
    for node in (1, 2):
        cluster.revive(node)


def _the_gateway_dies(cluster: Cluster) -> None:
    cluster.restart_gateway(away=3)


@pytest.mark.services
@pytest.mark.timeout(600)
@pytest.mark.parametrize("disaster", [_one_dies, _two_die_for_a_while, _the_gateway_dies])
def test_prove_a_package_is_stored_once_and_whole(
    tmp_path: Path, cluster: tuple[Cluster, S3Service], disaster: Callable[[Cluster], None]
) -> None:
    three, service = cluster
    account = S3Account(service.http, service.access_key, service.secret_key, service.region)
    remote = S3Store(StoreId("three"), account, "three", f"{disaster.__name__}/")
    local = DirectoryStore(StoreId("here"), tmp_path / "here")
    for store in (remote, local):
        store.create(ARCHIVE)
    moment = _Moment(remote, lambda: disaster(three))
    seen = [RetryStore(moment, RetryPolicy(deadline=180)), local]
    with keeping(tmp_path, seen, [remote, local], seed=3) as kept:
        kept.ingest(1, {"lon.pdf": PDF + os.urandom(120_000_000)})
        moment.join()
        (version,) = kept.versions
        assert [check.outcome for check in kept.audit(version).checks] == [Fixity.MATCH] * 2
        assert list(remote.uploads()) == []
        kept.judge()
    if disaster is _one_dies:
        three.revive(0)
    remote.close()
