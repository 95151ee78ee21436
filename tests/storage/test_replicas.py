"""Replicas: each is read to its last byte, whatever the others are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from metadata.errors import StoreUnavailable
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from metadata.text import Sentence
from storage.aip import blocks
from storage.replicas import ReplicaSet
from storage.stores.memory import MemoryStore, MemoryStream
from tests.builders.aips import KEY, build_aip, memory_store, object_bytes, store_with


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


class CountingStore(MemoryStore):
    """Counts the objects opened and may not answer."""

    opened = 0
    down = False

    def open(self, key: str, start: int = 0, length: int | None = None) -> MemoryStream:
        if self.down:
            raise StoreUnavailable(Sentence("hỏng", "broken"))
        self.opened += 1
        return super().open(key, start, length)


def outcomes(stores: list[MemoryStore], offline: bool, key: str = KEY) -> list[Fixity]:
    good = memory_store("good")
    built = build_aip([good], key=key)
    verdicts = ReplicaSet(stores, 1).read_back(key, None if offline else (lambda: iter(built.members)))
    return [verdicts[store.id].outcome for store in stores]


@pytest.fixture
def whole() -> bytes:
    store = memory_store()
    build_aip([store])
    return object_bytes(store)


@pytest.mark.parametrize("offline", [True, False])
@pytest.mark.parametrize("bad", [0, 1, 2])
@pytest.mark.parametrize("harm", ["flip", "truncated", "appended", "absent", "down", "none"])
@pytest.mark.parametrize("block", [100, 4 << 20])
def test_each_replica_has_its_own_verdict(
    whole: bytes, offline: bool, bad: int, harm: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks.Lockstep.__init__, "__defaults__", (block,))
    stores: list[MemoryStore] = [CountingStore(StoreId(name)) for name in "abc"]
    changed = {
        "flip": whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
        "truncated": whole[:-1],
        "appended": whole + b"\n",
    }
    for index, store in enumerate(stores):
        if index != bad or harm != "absent":
            store.put(KEY, changed.get(harm, whole) if index == bad else whole)
    stores[bad].down = harm == "down"  # type: ignore[attr-defined]
    wrong = {"absent": Fixity.MISSING, "down": Fixity.UNREADABLE, "none": Fixity.MATCH}.get(harm, Fixity.MISMATCH)
    assert outcomes(stores, offline) == [wrong if index == bad else Fixity.MATCH for index in range(3)]


def test_whole_replicas_are_read_once_each(whole: bytes) -> None:
    stores: list[MemoryStore] = [CountingStore(StoreId(name)) for name in "ab"]
    for store in stores:
        store.put(KEY, whole)
    assert outcomes(stores, offline=False) == [Fixity.MATCH] * 2
    assert [store.opened for store in stores] == [1, 1]  # type: ignore[attr-defined]


def test_all_the_same_and_all_wrong(whole: bytes) -> None:
    wrong = whole[:-1] + b"x"
    assert outcomes([store_with(wrong, name="a"), store_with(wrong, name="b")], False) == [Fixity.MISMATCH] * 2


def test_the_set_knows_its_stores() -> None:
    a, b = memory_store("a"), memory_store("b")
    replicas = ReplicaSet([a, b], 2)
    assert list(replicas) == [a, b]
    assert replicas.store(StoreId("b")) is b
    with pytest.raises(KeyError):
        replicas.store(StoreId("c"))
    for stores, required in (([a, a], 1), ([a, b], 3), ([a, b], 0), ([], 0)):
        with pytest.raises(ValueError, match="replicas are required"):
            ReplicaSet(stores, required)


def test_uploads_left_by_the_dead_are_swept() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    times = iter([now - timedelta(days=1), now, now])
    a, b = MemoryStore(StoreId("a"), lambda: next(times)), memory_store("b")
    a.begin(KEY), a.begin(KEY), a.begin("other")
    b.begin(KEY)
    replicas = ReplicaSet([a, b], 2)
    assert replicas.sweep(KEY, before=now) == 1
    assert len(list(a.uploads(KEY))) == 1
    assert replicas.sweep(KEY) == 2
    assert [upload.key for upload in a.uploads()] == ["other"]
    assert not list(b.uploads())
