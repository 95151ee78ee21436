"""Trying stores out: what real servers and a folder are found to be able to do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from metadata.errors import Locked, StoreUnavailable
from metadata.identifiers import ArchiveCode, StoreId
from metadata.stores import Ability, Found, Probe
from storage.probing import LACKING, probe
from storage.stores.directory import DirectoryStore
from storage.stores.s3 import S3Options, S3Store
from tests.contracts.store import content
from tests.services.ceph import S3Service
from tests.storage.test_store_s3 import account, new_store

AT = datetime(2026, 11, 26, tzinfo=UTC)


def test_every_ability_has_its_sentence() -> None:
    assert set(LACKING) == set(Ability)


def test_a_probe_is_read_back_as_it_was_written() -> None:
    found = Probe(AT, {Ability.RANGES: Found.YES}, {Ability.RANGES: "a note"}, "server")
    assert Probe.of(found.document()) == found
    newer = found.document() | {"abilities": {"ranges": "yes", "flying": "yes"}}
    assert Probe.of(newer).abilities == {Ability.RANGES: Found.YES}


def test_a_folder(tmp_path: Path) -> None:
    store = DirectoryStore(StoreId("disk"), tmp_path / "store")
    with pytest.raises(StoreUnavailable):
        probe(store, AT)
    store.create(ArchiveCode("LTLS"))
    found = probe(store, AT)
    assert set(found.abilities.values()) == {Found.YES}
    assert list(store.list()) == list(store.uploads()) == []
    assert found.server


@pytest.mark.services
@pytest.mark.parametrize("secure", [False, True])
def test_ceph_can_do_all_that_is_tried(s3: S3Service, secure: bool) -> None:
    store = new_store(s3, secure)
    found = probe(store, AT)
    assert {ability for ability, one in found.abilities.items() if one is Found.YES} >= {
        Ability.CONDITIONAL_CREATE, Ability.CONDITIONAL_COMPLETE, Ability.CHECKSUMS, Ability.UPLOAD_LISTING,
        Ability.LIFECYCLE, Ability.RANGES,
    }  # fmt: skip
    assert found.abilities[Ability.OBJECT_LOCK] is Found.UNKNOWN
    assert found.abilities[Ability.VERSIONING] is Found.NO
    assert list(store.list()) == list(store.uploads()) == []
    store.close()


@pytest.mark.services
def test_who_has_no_right_learns_nothing(s3: S3Service) -> None:
    store = new_store(s3)
    trial = S3Store(store.id, replace(account(s3, False), secret_key="wrong"), "contract", store._prefix)
    trial._mounted = True
    trial._check_mounted = lambda again=False: None  # type: ignore[method-assign]
    found = probe(trial, AT)
    assert Found.YES not in found.abilities.values()


@pytest.mark.services
def test_swift_lacks_much_and_is_found_out(swift: S3Service) -> None:
    store = new_store(swift)
    found = probe(store, AT)
    for ability in (Ability.CHECKSUMS, Ability.VERSIONING, Ability.ENCRYPTION):
        assert found.abilities[ability] is Found.NO, ability
    assert found.abilities[Ability.RANGES] is found.abilities[Ability.UPLOAD_LISTING] is Found.YES
    assert "MD5" in found.notes[Ability.CHECKSUMS]
    if found.abilities[Ability.CONDITIONAL_CREATE] is Found.NO:
        assert "not atomic" in found.notes[Ability.CONDITIONAL_CREATE]
    assert list(store.list()) == list(store.uploads()) == []
    store.close()


@pytest.mark.services
def test_a_server_that_only_says_that_it_locks_is_found_out(swift: S3Service) -> None:
    plain = new_store(swift)
    store = S3Store(
        plain.id, account(swift, False), "contract", plain._prefix, options=S3Options(lock="governance", lock_days=1)
    )
    assert probe(store, AT).abilities[Ability.OBJECT_LOCK] is not Found.YES


@pytest.fixture(scope="module")
def locking(s3: S3Service) -> Iterator[S3Store]:
    """A store that locks for a day, in a bucket of its own; the cluster goes away with what is locked in it."""
    options = S3Options(lock="governance", lock_days=1)
    bucket = f"locked-{uuid.uuid4().hex[:8]}"
    store = S3Store(StoreId("s3-l"), account(s3, False), bucket, "", options=options)
    store._client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    store.create(ArchiveCode("LTLS"))
    yield store
    store.close()


@pytest.mark.services
class TestLocking:
    def test_a_lock_is_believed_when_a_locked_object_could_not_be_deleted(self, locking: S3Store) -> None:
        found = probe(locking, AT)
        assert found.abilities[Ability.OBJECT_LOCK] is Found.YES, found.notes
        assert found.abilities[Ability.VERSIONING] is Found.YES
        assert list(locking.list("_tangthu/")) == []

    def test_what_is_written_cannot_be_removed_and_says_until_when(self, locking: S3Store) -> None:
        upload = locking.begin("big")
        locking.complete(upload, [locking.put_part(upload, 1, b"parts")])
        locking.put("small", b"data")
        day = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
        for key, body in (("big", b"parts"), ("small", b"data")):
            with pytest.raises(Locked, match=day):
                locking.delete(key)
            assert content(locking, key) == body

    def test_what_is_locked_and_wrong_makes_way_for_a_good_copy_and_stays_beneath_it(self, locking: S3Store) -> None:
        locking.put("wrong.json", b"damaged")
        upload = locking.begin("wrong.zip")
        locking.complete(upload, [locking.put_part(upload, 1, b"damaged")])
        repaired = locking.begin("wrong.zip")
        part = locking.put_part(repaired, 1, b"good")
        for key in ("wrong.json", "wrong.zip"):
            locking.bury(key)
            locking.bury(key)
            assert (locking.head(key), list(locking.list(key))) == (None, [])
        locking.complete(repaired, [part])
        locking.put("wrong.json", b"good")
        for key in ("wrong.json", "wrong.zip"):
            assert content(locking, key) == b"good"
            found = locking._client.list_object_versions(Bucket=locking._bucket, Prefix=key)
            assert [one["Size"] for one in found["Versions"]] == [4, 7]
            assert len(found["DeleteMarkers"]) == 1
            with pytest.raises(Locked):
                locking.delete(key)

    def test_once_nothing_locks_it_every_version_goes(self, locking: S3Store) -> None:
        free = S3Store(locking.id, locking._account, locking._bucket, "")
        free.put("free", b"data")
        free.delete("free")
        assert free.head("free") is None
        found = free._client.list_object_versions(Bucket=locking._bucket, Prefix="free")
        assert not found.get("Versions") and not found.get("DeleteMarkers")
        free.close()
