"""Reading: what the directory and manifests say, and no byte that does not match."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.errors import Damaged, NotFound, Unreadable
from metadata.holdings import Member
from metadata.identifiers import Algorithm
from storage.aip import reader as reading
from storage.aip.reader import AipReader, open_range
from storage.port import ObjectInfo, Store
from storage.stores.memory import MemoryStore
from tests.builders.aips import KEY, PAYLOAD, VERSION, BuiltAip, build_aip, memory_store, object_bytes, store_with

BIG = bytes(range(256)) * 12_000  # 3 MB: three chunks
WITH_BIG = {**PAYLOAD, "data/big": BIG}


def built_with(payload: dict[str, bytes]) -> tuple[Store, BuiltAip]:
    store = memory_store()
    return store, build_aip([store], payload)


def member_at(built: BuiltAip, path: str) -> Member:
    return next(member for member in built.members if member.path == path)


def flipped(store: Store, position: int) -> Store:
    data = bytearray(object_bytes(store))
    data[position] ^= 1
    return store_with(bytes(data))


def test_entries_and_manifests_are_those_written() -> None:
    store, built = built_with(dict(PAYLOAD))
    reader = AipReader(store, KEY)
    assert reader.root == VERSION.root
    assert reader.size == built.sealed.size
    assert [(e.path, e.offset, e.data, e.size, e.crc32) for e in reader.entries()] == [
        (m.path, m.offset, m.data, m.size, m.crc32) for m in built.members
    ]
    assert list(reader.manifest()) == [(p, hashlib.sha256(d).digest()) for p, d in PAYLOAD.items()]
    assert list(reader.manifest(Algorithm.SHA512)) == [(p, hashlib.sha512(d).digest()) for p, d in PAYLOAD.items()]
    assert reader.entry("data/H49/METS.xml").size == len(b"<mets/>")


@pytest.mark.parametrize("path", [*PAYLOAD, "bagit.txt", "manifest-sha256.txt", "tagmanifest-sha512.txt"])
def test_members_are_read_by_path(path: str) -> None:
    store, built = built_with(dict(PAYLOAD))
    member = member_at(built, path)
    whole = object_bytes(store)[member.data : member.data + member.size]
    reader = AipReader(store, KEY)
    assert reader.read(path, member.size) == whole
    assert reader.read(path, member.size, member.sha256) == whole
    assert b"".join(reader.open(member)) == whole
    if member.size:
        with pytest.raises(Unreadable, match="more than the limit"):
            reader.read(path, member.size - 1)
        for expected in (None, member.sha256):
            with pytest.raises(Damaged, match="does not match"):
                AipReader(flipped(store, member.data), KEY).read(path, member.size, expected)


def test_what_is_not_there() -> None:
    store, _ = built_with(dict(PAYLOAD))
    for path in ("data/none", "none.txt"):
        with pytest.raises(NotFound, match="no member"):
            AipReader(store, KEY).entry(path)
    with pytest.raises(NotFound):
        AipReader(store, "elsewhere").read("bagit.txt", 100)


@pytest.mark.parametrize("data", [b"", b"no zip", bytes(200)])
def test_what_is_no_aip_is_unreadable(data: bytes) -> None:
    reader = AipReader(store_with(data), KEY)
    with pytest.raises(Unreadable, match="not a whole AIP"):
        list(reader.entries())
    with pytest.raises(Unreadable):
        _ = reader.root


def test_another_aip_under_the_key_is_unreadable() -> None:
    store = memory_store()
    build_aip([store], root=dataclasses.replace(VERSION, number=2).root)
    with pytest.raises(Unreadable):
        list(AipReader(store, KEY).entries())


def test_an_object_under_any_key_tells_its_own_root() -> None:
    store = memory_store()
    build_aip([store], key="elsewhere/a.zip")
    assert AipReader(store, "elsewhere/a.zip").read("data/H49/METS.xml", 100) == b"<mets/>"


def test_the_last_chunk_of_a_damaged_member_is_withheld() -> None:
    store, built = built_with(WITH_BIG)
    member = member_at(built, "data/big")
    served = bytearray()
    with pytest.raises(Damaged):
        for chunk in AipReader(flipped(store, member.data + 10), KEY).open(member):
            served += chunk
    assert len(served) == 2 << 20


def test_a_truncated_object_is_damaged() -> None:
    store, built = built_with(WITH_BIG)
    member = member_at(built, "data/big")
    cut = store_with(object_bytes(store)[: member.data + 100])
    with pytest.raises(Damaged):
        list(AipReader(cut, KEY).open(member))
    with pytest.raises(Damaged):
        list(open_range(cut, KEY, member, 0, 10))


@pytest.mark.parametrize("in_memory", [True, False])
@settings(deadline=None, max_examples=40)
@given(start=st.integers(0, len(BIG)), length=st.integers(0, len(BIG)))
def test_any_range_is_served(in_memory: bool, start: int, length: int) -> None:
    store, built = RANGES
    length = min(length, len(BIG) - start)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_RANGE_IN_MEMORY", 16 << 20 if in_memory else -1)
        assert b"".join(open_range(store, KEY, member_at(built, "data/big"), start, length)) == BIG[start:][:length]


RANGES = built_with(WITH_BIG)


@pytest.mark.parametrize("in_memory", [True, False])
def test_no_byte_of_a_damaged_member_is_served_by_range(in_memory: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_RANGE_IN_MEMORY", 16 << 20 if in_memory else -1)
    store, built = RANGES
    member = member_at(built, "data/big")
    for position in (0, 1_500_000, len(BIG) - 1):
        with pytest.raises(Damaged):
            next(open_range(flipped(store, member.data + position), KEY, member, 1_000_000, 10))


def test_a_member_that_changes_between_proof_and_serving_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_RANGE_IN_MEMORY", -1)
    store, built = built_with(WITH_BIG)
    member = member_at(built, "data/big")
    bad = flipped(store, member.data + 100 + (1 << 20))
    chunks = open_range(store, KEY, member, 100, 2_500_000)
    original = store.open

    def changed(key: str, start: int = 0, length: int | None = None) -> object:
        return (bad.open if start == member.data + 100 else original)(key, start, length)

    monkeypatch.setattr(store, "open", changed)
    assert next(chunks) == BIG[100:][: 1 << 20]
    with pytest.raises(Damaged):
        next(chunks)


@pytest.mark.parametrize(("start", "length"), [(-1, 1), (0, -1), (0, len(BIG) + 1), (len(BIG), 1)])
def test_ranges_outside_the_member_are_refused(start: int, length: int) -> None:
    store, built = RANGES
    with pytest.raises(ValueError, match="no range"):
        open_range(store, KEY, member_at(built, "data/big"), start, length)


class _Boasting(MemoryStore):
    """Says of every object that it is longer than it is."""

    def head(self, key: str) -> ObjectInfo | None:
        info = super().head(key)
        return None if info is None else dataclasses.replace(info, size=info.size + 4000)


def test_an_object_that_is_shorter_than_the_store_says_is_unreadable() -> None:
    store, _ = built_with({"data/a.txt": b"a"})
    boasting = _Boasting(store.id)
    boasting.put(KEY, object_bytes(store))
    with pytest.raises(Unreadable):
        list(AipReader(boasting, KEY).entries())
