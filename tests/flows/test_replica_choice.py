"""A package goes to the stores that its fonds and access level call for; another choice after a crash does no harm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.place import Submission
from ingest.receipt import Verdict
from ingest.service import IngestService
from metadata.catalogue import Catalogue
from metadata.errors import UsageError
from metadata.identifiers import FondsCode, StoreId, VersionId
from metadata.stores import StoreState, StoreTraits
from preservation.places import Places
from preservation.rebuild import rebuild
from preservation.replication import Replicator
from storage.policy import ReplicaPolicy
from storage.port import Store
from storage.stores.memory import MemoryStore
from storage.wrappers import Fault, FaultStore
from tests.builders.archive import SmallArchive, small_archive
from tests.builders.tt05 import sip_hoso

A, B, C = (StoreId(name) for name in "abc")
TRAITS = [StoreTraits(A, "Huế"), StoreTraits(B, "Huế"), StoreTraits(C, "Hà Nội", locked=True)]


class Died(BaseException):
    """The worker was killed here."""


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    stores: list[Store] = [MemoryStore(id) for id in (A, B, C)]
    with small_archive(tmp_path / "kho", stores=stores) as made:
        yield made


def _service(
    archive: SmallArchive,
    *policies: ReplicaPolicy,
    traits: list[StoreTraits] | None = None,
    at: Callable[[str], None] = lambda _: None,
) -> IngestService:
    places = Places(archive.catalogue, traits or TRAITS, policies)
    return IngestService(replace(archive.place, choose=places.for_ingest, used=places.in_use, at=at))


def _held_in(archive: SmallArchive, key: str) -> list[StoreId]:
    return [store.id for store in archive.stores if store.head(key) is not None]


@pytest.mark.parametrize(
    ("policy", "stores"),
    [
        (ReplicaPolicy("hai bản", copies=2), ["a", "b"]),
        (ReplicaPolicy("hai nơi", copies=2, sites=2), ["a", "c"]),
        (ReplicaPolicy("khóa", copies=2, locked=1, access="01"), ["a", "c"]),
        (ReplicaPolicy("mức khác", copies=2, access="03"), ["a", "b", "c"]),
        (ReplicaPolicy("phông khác", copies=2, fonds=FondsCode("KHÁC")), ["a", "b", "c"]),
        (ReplicaPolicy("hai kho", stores=(C, B)), ["b", "c"]),
    ],
)
def test_the_policy_chooses(archive: SmallArchive, tmp_path: Path, policy: ReplicaPolicy, stores: list[str]) -> None:
    receipt = _service(archive, policy).receive("một", Submission(sip_hoso(tmp_path / "sent")))
    assert receipt.verdict is Verdict.ACCEPTED
    assert list(receipt.stores) == stores
    assert [store.value for store in _held_in(archive, receipt.key)] == stores
    version = VersionId.parse(f"{receipt.aip}-v{receipt.version}")
    assert [replica.store.value for replica in archive.catalogue.holdings.replicas(version)] == stores
    assert archive.leftovers() == []


def test_a_draining_store_takes_nothing_and_a_medium_on_a_shelf_waits(archive: SmallArchive, tmp_path: Path) -> None:
    archive.catalogue.stores.set_state(A, StoreState.DRAINING, archive.clock())
    receipt = _service(archive).receive("một", Submission(sip_hoso(tmp_path / "sent")))
    assert receipt.stores == ("b", "c")
    with pytest.raises(UsageError, match="at least 2 are required"):
        _service(archive, traits=[*TRAITS[:2], StoreTraits(C, "Hà Nội", offline=True)]).receive(
            "hai", Submission(sip_hoso(tmp_path / "other", identity="5d7a1b1e-0000-4000-8000-000000000002"))
        )


def test_what_a_medium_on_a_shelf_lacks_is_caught_up(archive: SmallArchive, tmp_path: Path) -> None:
    traits = [*TRAITS[:2], StoreTraits(C, "Hà Nội", offline=True)]
    receipt = _service(archive, traits=traits).receive("một", Submission(sip_hoso(tmp_path / "sent")))
    assert receipt.stores == ("a", "b")
    stores = {store.id: store for store in archive.stores}
    places = Places(archive.catalogue, traits)
    away = {**stores, C: FaultStore(stores[C], lambda _: Fault.BEFORE)}
    assert list(Replicator(archive.catalogue, away, places, archive.clock, archive.place.agent).run().away) == [C]
    assert Replicator(archive.catalogue, stores, places, archive.clock, archive.place.agent).run().copied == 1


@pytest.mark.parametrize("step", ["pass half", "sealed", "completed", "read back", "logged", "before register"])
def test_another_choice_after_a_crash_does_no_harm(archive: SmallArchive, tmp_path: Path, step: str) -> None:
    source = Submission(sip_hoso(tmp_path / "sent"))

    def die(at: str) -> None:
        if at == step:
            raise Died

    with pytest.raises(Died):
        _service(archive, ReplicaPolicy("trước", stores=(A, B)), at=die).receive("một", source)
    for _ in range(3):
        archive.clock.now += archive.place.lease * 2
        receipt = _service(archive, ReplicaPolicy("sau", stores=(B, C))).receive("một", source)
    assert receipt.verdict is Verdict.ACCEPTED
    assert list(receipt.stores) == (["a", "b"] if step in ("logged", "before register") else ["b", "c"])
    version = VersionId.parse(f"{receipt.aip}-v{receipt.version}")
    held = [replica.store.value for replica in archive.catalogue.holdings.replicas(version)]
    assert held == list(receipt.stores)
    assert not [upload for store in archive.stores for upload in store.uploads()]
    rest = [store for store in archive.stores if store.id.value in held]
    with Catalogue(f"sqlite:///{tmp_path / 'again.sqlite'}") as again:
        again.upgrade()
        report = rebuild(again, rest, archive.clock)
        assert (report.rebuilt, report.problems) == (1, [])
