"""What every store must do. A test class derives from StoreContract and gives the fixtures ``store`` and ``again``."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from metadata.errors import AlreadyExists, NotFound
from storage.marker import MARKER_KEY
from storage.port import Store, Upload

MIB = 1 << 20
FIRST = bytes(range(256)) * (5 * MIB // 256)
"""A part as small as a part that is not the last may be."""

ODD_KEYS = (
    "a",
    "a/b",
    "a/b/c",
    "a-b",
    "a.zip",
    "a.zip/b.zip",
    "A",
    "H20.05/Phông số 1/Hồ sơ “mật”/v1.zip",
    "nfc/\u1ea3.json",
    "nfd/a\u0309.json",
    "same/\u1ea3",
    "same/a\u0309",
    "CON",
    "nul.txt",
    "com1.zip",
    "trailing./dot.",
    "trailing /space ",
    "~",
    "~7E",
    "x~o",
    "x",
    "x~-",
    "%41%2F",
    "a+b&c=d?e#f",
    "quote\"'<>|*:\\",
    "-rf",
    ".hidden",
    "long/" + "é" * 300,
    "long/" + "é" * 300 + "/v1.zip",
    "long/" + "é" * 119,
    "long/" + "é" * 120 + "b",
    "long/" + "x" * 300 + ".zip",
    "🗄/𠀀",
    "z" * 960,
)


def content(store: Store, key: str, start: int = 0, length: int | None = None) -> bytes:
    """The bytes of an object, read in pieces of odd size."""
    buffer = bytearray(70_001)
    found = bytearray()
    with store.open(key, start, length) as stream:
        while count := stream.readinto(buffer):
            found += buffer[:count]
    return bytes(found)


def keys(store: Store, prefix: str = "") -> list[str]:
    return [info.key for info in store.list(prefix)]


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """The results, or the errors, of ``work`` called by ``count`` threads at the same time."""
    barrier = threading.Barrier(count)

    def run(number: int) -> Any:
        barrier.wait()
        try:
            return work(number)
        except AlreadyExists as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


class StoreContract:
    @pytest.fixture
    def store(self) -> Store:
        """An empty store."""
        raise NotImplementedError

    @pytest.fixture
    def again(self, store: Store) -> Store:
        """The same store, as another process sees it."""
        return store

    def test_an_object_is_given_back_as_it_was_put(self, store: Store, again: Store) -> None:
        before = datetime.now(UTC) - timedelta(seconds=5)
        store.put("k/v1.zip", b"bytes \x00\xff")
        assert content(again, "k/v1.zip") == b"bytes \x00\xff"
        info = again.head("k/v1.zip")
        assert info is not None
        assert (info.key, info.size) == ("k/v1.zip", 8)
        assert before <= info.modified <= datetime.now(UTC) + timedelta(seconds=5)
        assert [(found.key, found.size) for found in again.list()] == [("k/v1.zip", 8)]

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_every_kind_of_bytes_is_taken(self, store: Store, kind: Callable[[bytes], Any]) -> None:
        store.put("k", kind(b"abc"))
        upload = store.begin("m")
        store.complete(upload, [store.put_part(upload, 1, kind(b"defg"))])
        assert (content(store, "k"), content(store, "m")) == (b"abc", b"defg")

    def test_a_part_that_is_a_slice_of_a_larger_buffer(self, store: Store) -> None:
        buffer = memoryview(bytearray(FIRST))
        upload = store.begin("m")
        store.complete(upload, [store.put_part(upload, 1, buffer[100:200], 0)])
        assert content(store, "m") == FIRST[100:200]

    def test_an_object_is_never_overwritten(self, store: Store) -> None:
        store.put("k", b"first")
        with pytest.raises(AlreadyExists):
            store.put("k", b"second")
        assert content(store, "k") == b"first"

    def test_of_many_writers_one_wins(self, store: Store) -> None:
        bodies = [bytes([number]) * 1000 for number in range(8)]
        results = at_once(8, lambda number: store.put("k", bodies[number]))
        winners = [number for number, result in enumerate(results) if result is None]
        assert len(winners) == 1
        assert content(store, "k") == bodies[winners[0]]

    def test_odd_keys_are_kept_apart_and_exactly(self, store: Store, again: Store) -> None:
        for key in ODD_KEYS:
            store.put(key, key.encode())
        assert keys(again) == sorted(ODD_KEYS)
        for key in ODD_KEYS:
            assert content(again, key) == key.encode()
            assert keys(again, key) == sorted(other for other in ODD_KEYS if other.startswith(key))
        for key in ODD_KEYS[::2]:
            store.delete(key)
        assert keys(again) == sorted(ODD_KEYS[1::2])

    @pytest.mark.parametrize("key", ["", "z" * 961, "é" * 481, "line\nbreak", "\x00", "\x7f", "\ud800"])
    def test_a_key_that_no_store_can_hold_is_a_mistake(self, store: Store, key: str) -> None:
        for use in (lambda: store.put(key, b""), lambda: store.begin(key), lambda: store.head(key)):
            with pytest.raises(ValueError, match=r"key|surrogates"):
                use()

    def test_listing_by_prefix_in_code_point_order(self, store: Store) -> None:
        names = ["b/2", "a/b", "a", "a/\u1ea3", "a!", "a/b/c", "b/10", "a0", "\U0001f5c4", "\uff61"]
        for name in names:
            store.put(name, b"x")
        assert keys(store) == sorted(names)
        for prefix in ("a", "a/", "a/b", "b/1", "a/b/", "c", "a/b/c/d"):
            assert keys(store, prefix) == sorted(name for name in names if name.startswith(prefix))

    def test_listing_goes_on_after_a_key(self, store: Store) -> None:
        names = sorted(
            ["a", "a/b", "a-b", "a/b/c", "a/c", "b", "a/b.zip", "long/" + "x" * 300, "long/" + "x" * 300 + "/y"]
        )
        for name in names:
            store.put(name, b"x")
        for after in [*names, "a/", "a/b/", "0", "zzz", "a/bb", "long/xx"]:
            assert [info.key for info in store.list("", after)] == [name for name in names if name > after]
            assert [info.key for info in store.list("a/", after)] == [
                name for name in names if name > after and name.startswith("a/")
            ]

    @pytest.mark.parametrize(
        ("start", "length"), [(0, None), (0, 10), (3, None), (3, 4), (9, 1), (10, None), (10, 0), (0, 0)]
    )
    def test_a_range_is_read(self, store: Store, start: int, length: int | None) -> None:
        store.put("k", b"0123456789")
        end = None if length is None else start + length
        assert content(store, "k", start, length) == b"0123456789"[start:end]
        with store.open("k", start, length) as stream:
            assert stream.read(2) == b"0123456789"[start:end][:2]
            assert stream.read(100) == b"0123456789"[start:end][2:]
            assert stream.read(1) == b""

    @pytest.mark.parametrize(("start", "length"), [(0, 11), (3, 8), (11, None), (11, 0), (12, 1), (10, 1), (-1, 1)])
    def test_a_range_past_the_end_is_a_mistake(self, store: Store, start: int, length: int | None) -> None:
        store.put("k", b"0123456789")
        with pytest.raises(ValueError, match="not inside"), store.open("k", start, length):
            pass

    def test_an_empty_object(self, store: Store) -> None:
        store.put("k", b"")
        assert content(store, "k") == b""
        assert content(store, "k", 0, 0) == b""
        with pytest.raises(ValueError, match="not inside"), store.open("k", 0, 1):
            pass

    def test_what_is_not_there(self, store: Store) -> None:
        store.put("a/b.zip", b"")
        for key in ("nothing", "a", "a/b.zip/c", "a/"):
            assert store.head(key) is None
            with pytest.raises(NotFound), store.open(key):
                pass
            with pytest.raises(NotFound), store.open(key, 5, 0):
                pass
            store.delete(key)
        assert keys(store) == ["a/b.zip"]

    def test_what_is_not_in_the_cold_can_be_read_now(self, store: Store) -> None:
        store.put("k", b"x")
        assert store.thaw("k") is True
        with pytest.raises(NotFound):
            store.thaw("nothing")

    def test_deleting_leaves_the_neighbours(self, store: Store) -> None:
        for key in ("a/b/c", "a/b/d", "a/b"):
            store.put(key, b"x")
        store.delete("a/b/c")
        store.delete("a/b/c")
        assert store.head("a/b/c") is None
        assert keys(store) == ["a/b", "a/b/d"]
        store.delete("a/b/d")
        store.put("a/b/c", b"anew")
        assert content(store, "a/b/c") == b"anew"

    def test_what_is_buried_makes_way(self, store: Store, again: Store) -> None:
        store.put("k", b"wrong")
        store.put("log", b"wrong")
        store.bury("nothing")
        upload = store.begin("k")
        part = store.put_part(upload, 1, b"right")
        for key in ("k", "log"):
            store.bury(key)
            assert (again.head(key), keys(again, key)) == (None, [])
        store.complete(upload, [part])
        store.put("log", b"right")
        assert [content(again, key) for key in ("k", "log")] == [b"right", b"right"]
        assert keys(again) == ["k", "log"]

    def test_adding_beside_deleting(self, store: Store) -> None:
        def work(number: int) -> None:
            for turn in range(10):
                store.put(f"deep/er/{number}-{turn}", b"x")
                store.delete(f"deep/er/{number}-{turn}")

        assert at_once(4, work) == [None] * 4
        assert keys(store) == []

    @pytest.mark.parametrize("hint", [True, False])
    def test_parts_out_of_order_become_one_object(self, store: Store, again: Store, hint: bool) -> None:
        upload = store.begin("k")
        bodies = [FIRST, FIRST[::-1], b"the end"]
        places = [0, len(FIRST), 2 * len(FIRST)]
        parts = [
            store.put_part(upload, number, bodies[number - 1], places[number - 1] if hint else None)
            for number in (3, 1, 2)
        ]
        assert [(part.number, part.size) for part in parts] == [(3, 7), (1, len(FIRST)), (2, len(FIRST))]
        assert (keys(again), again.head("k")) == ([], None)
        store.complete(upload, sorted(parts, key=lambda part: part.number))
        assert hashlib.sha256(content(again, "k")).digest() == hashlib.sha256(b"".join(bodies)).digest()
        assert content(again, "k", len(FIRST) - 2, 4) == FIRST[-2:] + FIRST[::-1][:2]
        assert list(again.uploads()) == []

    def test_a_part_sent_again_replaces_the_first(self, store: Store) -> None:
        for hint in (0, None):
            upload = store.begin(f"k{hint}")
            store.put_part(upload, 1, b"first try", hint)
            store.complete(upload, [store.put_part(upload, 1, b"second", hint)])
            assert content(store, f"k{hint}") == b"second"

    def test_numbers_may_have_gaps_and_the_hint_may_come_for_some(self, store: Store) -> None:
        upload = store.begin("k")
        last = store.put_part(upload, 10_000, b"end")
        first = store.put_part(upload, 7, FIRST, 0)
        store.complete(upload, [first, last])
        assert content(store, "k") == FIRST + b"end"

    def test_an_upload_meets_an_object(self, store: Store) -> None:
        upload = store.begin("k")
        part = store.put_part(upload, 1, b"upload", 0)
        store.put("k", b"object")
        with pytest.raises(AlreadyExists):
            store.complete(upload, [part])
        assert content(store, "k") == b"object"
        assert list(store.uploads()) == []

    def test_of_many_uploads_one_wins(self, store: Store) -> None:
        bodies = [bytes([number]) * 100 for number in range(4)]

        def work(number: int) -> None:
            upload = store.begin("k")
            store.complete(upload, [store.put_part(upload, 1, bodies[number], 0)])

        results = at_once(4, work)
        winners = [number for number, result in enumerate(results) if result is None]
        assert len(winners) == 1
        assert content(store, "k") == bodies[winners[0]]
        assert list(store.uploads()) == []

    def test_an_aborted_upload_is_gone(self, store: Store) -> None:
        upload = store.begin("k")
        part = store.put_part(upload, 1, b"x")
        store.abort(upload)
        store.abort(upload)
        assert (keys(store), list(store.uploads())) == ([], [])
        with pytest.raises(NotFound):
            store.complete(upload, [part])
        with pytest.raises(NotFound):
            store.put_part(upload, 2, b"y")

    def test_an_upload_is_completed_once(self, store: Store) -> None:
        upload = store.begin("k")
        part = store.put_part(upload, 1, b"x", 0)
        store.complete(upload, [part])
        store.delete("k")
        with pytest.raises(NotFound):
            store.complete(upload, [part])
        assert store.head("k") is None

    def test_a_part_that_was_never_sent(self, store: Store) -> None:
        upload, other = store.begin("k"), store.begin("l")
        store.put_part(upload, 1, b"x")
        alien = store.put_part(other, 1, b"yy")
        with pytest.raises(NotFound):
            store.complete(upload, [alien])
        with pytest.raises(NotFound):
            store.complete(upload, [])
        assert keys(store) == []

    def test_unfinished_uploads_are_listed(self, store: Store, again: Store) -> None:
        before = datetime.now(UTC) - timedelta(seconds=5)
        begun = [store.begin(key) for key in ("a/1", "a/1", "a/é", "b/1")]
        store.put_part(begun[0], 1, b"x")
        found = list(again.uploads())
        assert {(upload.key, upload.id) for upload in found} == {(upload.key, upload.id) for upload in begun}
        assert all(before <= upload.started <= datetime.now(UTC) + timedelta(seconds=5) for upload in found)
        assert [upload.key for upload in again.uploads("a/")] == ["a/1", "a/1", "a/é"]
        for upload in again.uploads("a/1"):
            again.abort(upload)
        assert [upload.key for upload in store.uploads()] == ["a/é", "b/1"]

    def test_an_upload_is_finished_by_another_process(self, store: Store, again: Store) -> None:
        begun = store.begin("k")
        part = store.put_part(begun, 1, b"x", 0)
        again.complete(Upload(begun.key, begun.id, begun.started), [part])
        assert content(store, "k") == b"x"

    def test_reading_goes_on_beside_reading(self, store: Store) -> None:
        store.put("k", FIRST)
        with store.open("k") as one, store.open("k", 100) as two:
            assert one.read(10) == FIRST[:10]
            assert two.read(10) == FIRST[100:110]
            assert one.read(10) == FIRST[10:20]
        assert all(result == FIRST for result in at_once(4, lambda _: content(store, "k")))

    def test_the_marker_is_not_an_object_of_the_archive(self, store: Store) -> None:
        assert keys(store) == []
        assert MARKER_KEY not in keys(store, MARKER_KEY[:3])
