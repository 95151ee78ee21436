"""Verification: every kind of damage, tampering, and stores that do not answer. No false alarms."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.errors import StoreUnavailable
from metadata.holdings import Member
from metadata.outcomes import Fixity
from metadata.text import Sentence
from storage.aip import blocks, damage
from storage.aip.parts import PartFanout
from storage.aip.verify import DIRECTORY_PLACE, DamageKind, ExpectedMember, verify_object
from storage.aip.writer import AipWriter
from storage.aip.zip64 import local_header
from storage.hashing import MemberDigests, digest_bytes
from storage.port import ByteStream, ObjectInfo
from storage.stores.memory import MemoryStore
from tests.builders.aips import KEY, PAYLOAD, VERSION, BuiltAip, build_aip, memory_store, object_bytes, store_with

QD = "data/H49/representations/rep1/data/Quyết định 15 50%.pdf"


@pytest.fixture
def store() -> MemoryStore:
    return memory_store()


@pytest.fixture
def built(store: MemoryStore) -> BuiltAip:
    return build_aip([store])


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def member_at(built: BuiltAip, path: str) -> Member:
    return next(member for member in built.members if member.path == path)


def expected_of(built: BuiltAip, how: str) -> tuple[Member, ...] | None:
    return built.members if how == "catalogue" else None


both = pytest.mark.parametrize("how", ["catalogue", "offline"])


@both
def test_a_whole_object_matches(store: MemoryStore, built: BuiltAip, how: str) -> None:
    seen: list[int] = []
    verdict = verify_object(store, KEY, expected_of(built, how), seen.append)
    assert verdict.outcome is Fixity.MATCH
    assert verdict.damages == ()
    assert verdict.bytes_read == sum(seen) == built.sealed.size


def test_members_may_come_as_plain_expectations(store: MemoryStore, built: BuiltAip) -> None:
    expected = [ExpectedMember(m.path, m.offset, m.size, m.crc32, m.sha256) for m in built.members]
    assert verify_object(store, KEY, iter(expected)).outcome is Fixity.MATCH


@both
@pytest.mark.parametrize("block", [1, 7, 64, 1000])
def test_where_blocks_end_makes_no_difference(
    store: MemoryStore, built: BuiltAip, how: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks.ReadAhead.__init__, "__defaults__", (block,))
    assert verify_object(store, KEY, expected_of(built, how)).outcome is Fixity.MATCH
    data = bytearray(object_bytes(store))
    data[member_at(built, QD).data + 3] ^= 1
    verdict = verify_object(store_with(bytes(data)), KEY, expected_of(built, how))
    assert {found.place for found in verdict.damages} == {QD}


@both
def test_every_truncation_is_found(built: BuiltAip, store: MemoryStore, how: str) -> None:
    whole = object_bytes(store)
    for length in {0, 1, 29, 30, *range(31, len(whole), 41), len(whole) - 1}:
        verdict = verify_object(store_with(whole[:length]), KEY, expected_of(built, how))
        assert verdict.outcome is Fixity.MISMATCH, length
        if how == "catalogue":
            assert DamageKind.TRUNCATED in {found.kind for found in verdict.damages}, length


@both
@pytest.mark.parametrize("more", [b"\0", b"\n", b"PK\x05\x06" + bytes(18), b"x" * 200])
def test_appended_and_prepended_bytes_are_found(built: BuiltAip, store: MemoryStore, how: str, more: bytes) -> None:
    whole = object_bytes(store)
    verdict = verify_object(store_with(whole + more), KEY, expected_of(built, how))
    assert verdict.outcome is Fixity.MISMATCH
    assert {found.place for found in verdict.damages} == {DIRECTORY_PLACE}
    assert verify_object(store_with(more + whole), KEY, expected_of(built, how)).outcome is Fixity.MISMATCH


@both
def test_an_object_appended_to_itself_is_found(built: BuiltAip, store: MemoryStore, how: str) -> None:
    twice = object_bytes(store) * 2
    assert verify_object(store_with(twice), KEY, expected_of(built, how)).outcome is Fixity.MISMATCH


@both
def test_another_aip_under_the_key_is_found(built: BuiltAip, how: str) -> None:
    other = memory_store()
    build_aip([other], root=dataclasses.replace(VERSION, number=2).root)
    verdict = verify_object(other, KEY, expected_of(built, how))
    assert verdict.outcome is Fixity.MISMATCH
    if how == "offline":
        assert [(found.place, found.kind) for found in verdict.damages] == [(DIRECTORY_PLACE, DamageKind.OBJECT)]


def test_another_version_of_the_payload_is_found(built: BuiltAip) -> None:
    other = memory_store()
    build_aip([other], {**PAYLOAD, QD: b"x" * len(PAYLOAD[QD])})
    verdict = verify_object(other, KEY, built.members)
    assert QD in {found.place for found in verdict.damages}
    assert verify_object(other, KEY, None).outcome is Fixity.MATCH


@both
def test_several_damages_are_all_named_with_their_digests(built: BuiltAip, store: MemoryStore, how: str) -> None:
    data = bytearray(object_bytes(store))
    mets = member_at(built, "data/H49/METS.xml")
    for member in (member_at(built, QD), mets, member_at(built, "bag-info.txt")):
        data[member.data] ^= 4
    verdict = verify_object(store_with(bytes(data)), KEY, expected_of(built, how))
    assert {found.place for found in verdict.damages} == {QD, mets.path, "bag-info.txt"}
    assert verdict.damage_count == 3
    found = next(found for found in verdict.damages if found.place == mets.path)
    assert found.kind is DamageKind.DATA
    assert found.expected == mets.sha256.hex()
    assert found.found == hashlib.sha256(bytes(data[mets.data : mets.data + mets.size])).hexdigest()


@both
@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_any_few_changed_bytes_are_found(how: str, data: st.DataObject) -> None:
    store = memory_store()
    built = build_aip([store])
    whole = bytearray(object_bytes(store))
    changed = data.draw(st.dictionaries(st.integers(0, len(whole) - 1), st.integers(1, 255), min_size=1, max_size=4))
    for position, mask in changed.items():
        whole[position] ^= mask
    verdict = verify_object(store_with(bytes(whole)), KEY, expected_of(built, how))
    assert verdict.outcome is Fixity.MISMATCH


def test_a_wrong_catalogue_is_told_apart_by_position(store: MemoryStore, built: BuiltAip) -> None:
    first, second, *rest = built.members
    gap = [first, *rest]
    verdict = verify_object(store, KEY, gap)
    assert (rest[0].path, DamageKind.POSITION) in {(found.place, found.kind) for found in verdict.damages}
    assert DIRECTORY_PLACE in {found.place for found in verdict.damages}
    back = [first, second, dataclasses.replace(rest[0], offset=0), *rest[1:]]
    kinds = {(found.place, found.kind) for found in verify_object(store, KEY, back).damages}
    assert (rest[0].path, DamageKind.POSITION) in kinds


def test_a_broken_directory_and_a_broken_header_end_the_walk(store: MemoryStore, built: BuiltAip) -> None:
    data = bytearray(object_bytes(store))
    data[-1] ^= 1
    data[member_at(built, QD).offset] ^= 1
    verdict = verify_object(store_with(bytes(data)), KEY, None)
    assert verdict.outcome is Fixity.MISMATCH
    assert DIRECTORY_PLACE in {found.place for found in verdict.damages}


def test_a_missing_object_is_missing() -> None:
    for expected in (None, ()):
        verdict = verify_object(memory_store(), KEY, expected)
        assert verdict.outcome is Fixity.MISSING
        assert verdict.damages == ()


class BreakingStore(MemoryStore):
    """A store whose connection breaks after some bytes."""

    good = 0

    @contextmanager
    def open(  # type: ignore[override]
        self, key: str, start: int = 0, length: int | None = None
    ) -> Iterator[ByteStream]:
        with super().open(key, start, length) as stream:
            yield BreakingStream(stream, self.good)


class BreakingStream:
    def __init__(self, stream: ByteStream, good: int) -> None:
        self._stream, self._good = stream, good

    def readinto(self, buffer: bytearray | memoryview) -> int:
        if self._good <= 0:
            raise StoreUnavailable(Sentence("mất kết nối", "connection lost"))
        count = self._stream.readinto(memoryview(buffer)[: self._good])
        self._good -= count
        return count

    def read(self, size: int) -> bytes:
        buffer = bytearray(size)
        return bytes(buffer[: self.readinto(buffer)])


@both
@pytest.mark.parametrize("good", [0, 100, 1500])
def test_a_store_that_does_not_answer_is_neither_good_nor_bad(built: BuiltAip, how: str, good: int) -> None:
    store = BreakingStore(memory_store().id)
    build_aip([store])
    store.good = good
    verdict = verify_object(store, KEY, expected_of(built, how))
    assert verdict.outcome is Fixity.UNREADABLE
    assert verdict.reason == Sentence("mất kết nối", "connection lost")


def test_an_error_of_the_caller_stops_the_reading_thread(store: MemoryStore, built: BuiltAip) -> None:
    def interrupted() -> Iterator[Member]:
        yield built.members[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify_object(store, KEY, interrupted())


class VanishingStore(MemoryStore):
    def head(self, key: str) -> ObjectInfo | None:
        return None


def test_an_object_that_vanishes_is_missing(built: BuiltAip) -> None:
    store = VanishingStore(memory_store().id)
    store.put(KEY, b"x" * 100)
    assert verify_object(store, KEY, None).outcome is Fixity.MISSING


def test_the_list_of_damages_is_bounded(store: MemoryStore, built: BuiltAip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damage, "LIMIT", 2)
    verdict = verify_object(store_with(bytes(built.sealed.size)), KEY, built.members)
    assert len(verdict.damages) == 2
    assert verdict.damage_count > 10


def forge(store: MemoryStore, built: BuiltAip, path: str, new: bytes) -> bytes:
    """Change a member's bytes (to as many), and its CRC in the header and in the directory with them."""
    member = member_at(built, path)
    data = bytearray(object_bytes(store))
    data[member.data : member.data + member.size] = new
    old_crc, crc = member.crc32.to_bytes(4, "little"), zlib.crc32(new).to_bytes(4, "little")
    name = f"{VERSION.root}/{path}".encode()
    data[member.offset + 14 : member.offset + 18] = crc
    assert data[member.offset : member.data] == local_header(name, member.size, zlib.crc32(new))
    record = data.rindex(name) - 46
    assert data[record + 16 : record + 20] == old_crc
    data[record + 16 : record + 20] = crc
    return bytes(data)


@pytest.mark.parametrize("path", [member for member in PAYLOAD if PAYLOAD[member]] + ["bagit.txt", "bag-info.txt"])
def test_a_forged_member_is_named_by_the_manifests(store: MemoryStore, built: BuiltAip, path: str) -> None:
    forged = store_with(forge(store, built, path, b"?" * member_at(built, path).size))
    verdict = verify_object(forged, KEY, None)
    assert {(found.place, found.kind) for found in verdict.damages} == {(path, DamageKind.DATA)}
    assert {found.place for found in verify_object(forged, KEY, built.members).damages} == {path, DIRECTORY_PLACE}


@pytest.mark.parametrize(
    "path",
    ["manifest-sha256.txt", "manifest-sha512.txt", "tagmanifest-sha256.txt", "tagmanifest-sha512.txt"],
)
@pytest.mark.parametrize("where", ["digest", "path", "all"])
def test_a_forged_manifest_is_named(store: MemoryStore, built: BuiltAip, path: str, where: str) -> None:
    member = member_at(built, path)
    old = object_bytes(store)[member.data : member.data + member.size]
    first = old.index(b"  ")
    position = 0 if where == "digest" else first + 3
    new = b"?" * len(old) if where == "all" else old[:position] + b"0" + old[position + 1 :]
    verdict = verify_object(store_with(forge(store, built, path, new)), KEY, None)
    assert verdict.outcome is Fixity.MISMATCH
    places = {found.place for found in verdict.damages}
    if path.startswith("manifest") or where != "digest":
        assert path in places
    else:
        assert places == {"bagit.txt"}  # which of the two was forged cannot be told: the listed file is named


@pytest.mark.parametrize(("forged", "place"), [("sha256", "data/x"), ("sha512", "manifest-sha512.txt")])
def test_manifests_that_lie_from_the_start_are_found(tmp_path: Path, forged: str, place: str) -> None:
    store = memory_store()
    true = digest_bytes(b"x")
    lie = {forged: bytes(len(getattr(true, forged)))}
    with PartFanout([store], KEY) as out, AipWriter(out, VERSION.root, tmp_path) as writer:
        writer.add("data/x", b"x", MemberDigests(**({f: getattr(true, f) for f in true.__slots__} | lie)))
        writer.seal([])
        out.complete()
    verdict = verify_object(store, KEY, None)
    assert {found.place for found in verdict.damages} == {place}
