"""What a folder of files must withstand: crashes, full and absent disks, other people's files."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from metadata.errors import AlreadyExists, NoSpace, NotFound, StoreUnavailable, UsageError
from metadata.identifiers import ArchiveCode, StoreId
from storage.marker import MARKER_KEY, Marker
from storage.port import Part, Upload
from storage.stores import files
from storage.stores.directory import DirectoryStore
from storage.stores.paths import object_path, read_name
from tests.contracts.store import FIRST, ODD_KEYS, content, keys

ARCHIVE = ArchiveCode("LTLS")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "disk" / "store"


@pytest.fixture
def store(root: Path) -> DirectoryStore:
    store = DirectoryStore(StoreId("disk-a"), root)
    store.create(ARCHIVE)
    return store


def everything(store: DirectoryStore) -> Iterator[tuple[str, Callable[[], Any]]]:
    upload = Upload("k", "0" * 32, datetime.now(UTC))
    yield "put", lambda: store.put("k", b"x")
    yield "open", lambda: store.open("k")
    yield "head", lambda: store.head("k")
    yield "list", lambda: list(store.list())
    yield "delete", lambda: store.delete("k")
    yield "begin", lambda: store.begin("k")
    yield "put_part", lambda: store.put_part(upload, 1, b"x")
    yield "complete", lambda: store.complete(upload, [Part(1, 1, "at-0")])
    yield "abort", lambda: store.abort(upload)
    yield "uploads", lambda: list(store.uploads())


def bare(root: Path) -> None:
    (root / MARKER_KEY).unlink()


def unmounted(root: Path) -> None:
    shutil.rmtree(root)
    root.mkdir()


def gone(root: Path) -> None:
    shutil.rmtree(root.parent)


def other_disk(root: Path) -> None:
    shutil.rmtree(root)
    DirectoryStore(StoreId("disk-b"), root).create(ARCHIVE)


def scribbled(root: Path) -> None:
    bare(root)
    (root / MARKER_KEY).write_text('{"store": 5}')


def without_objects(root: Path) -> None:
    (root / "objects").rename(root / "elsewhere")


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("accident", [bare, unmounted, gone, other_disk, scribbled, without_objects])
def test_a_disk_that_is_not_mounted_is_never_an_empty_store(
    store: DirectoryStore, root: Path, accident: Callable[[Path], None], known: bool
) -> None:
    store.put("k", b"data")
    if not known:
        store = DirectoryStore(StoreId("disk-a"), root)
    accident(root)
    for name, use in everything(store):
        with pytest.raises(StoreUnavailable):
            pytest.fail(f"{name} gave {use()}")


def test_the_disk_comes_back(store: DirectoryStore, root: Path) -> None:
    store.put("k", b"data")
    root.rename(root.with_name("away"))
    with pytest.raises(StoreUnavailable):
        store.head("k")
    root.with_name("away").rename(root)
    assert content(store, "k") == b"data"


def test_the_marker_names_store_and_archive(store: DirectoryStore) -> None:
    with store.open(MARKER_KEY) as stream:
        assert Marker.parse(stream.read(1000)) == Marker(StoreId("disk-a"), ARCHIVE)
    with pytest.raises(AlreadyExists):
        store.put(MARKER_KEY, b"{}")
    with pytest.raises(ValueError, match="never deleted"):
        store.delete(MARKER_KEY)


def test_creating_again_changes_nothing_and_takes_no_others_folder(store: DirectoryStore, root: Path) -> None:
    store.put("k", b"data")
    store.create(ARCHIVE)
    assert content(store, "k") == b"data"
    with pytest.raises(AlreadyExists):
        store.create(ArchiveCode("other"))
    with pytest.raises(AlreadyExists):
        DirectoryStore(StoreId("disk-b"), root).create(ARCHIVE)


def test_a_folder_that_holds_other_things_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(UsageError, match=r"thesis\.doc"):
        DirectoryStore(StoreId("disk-a"), tmp_path).create(ARCHIVE)
    (tmp_path / "thesis.doc").rename(tmp_path / "lost+found")
    DirectoryStore(StoreId("disk-a"), tmp_path).create(ARCHIVE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lost+found", "objects", MARKER_KEY, "uploads"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.EEXIST])
def test_a_file_system_that_cannot_keep_the_promises_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def link(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(UsageError):
        DirectoryStore(StoreId("disk-a"), root).create(ARCHIVE)
    assert not (root / MARKER_KEY).exists()


class Journal:
    """What was asked of the disk, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entries: list[tuple[str, str]] = []
        self.written = 0
        fsync, link, pwrite = os.fsync, os.link, os.pwrite

        def spy_fsync(descriptor: int) -> None:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            self.entries.append(("sync", "folder " + path.name if path.is_dir() else "file"))
            fsync(descriptor)

        def spy_link(source: Path, name: str, **options: Any) -> None:
            self.entries.append(("link", name))
            link(source, name, **options)

        def spy_pwrite(descriptor: int, data: Any, offset: int) -> int:
            self.written += len(data)
            return pwrite(descriptor, data, offset)

        monkeypatch.setattr(os, "fsync", spy_fsync)
        monkeypatch.setattr(os, "link", spy_link)
        monkeypatch.setattr(os, "pwrite", spy_pwrite)


ACKNOWLEDGED = [
    ("sync", "file"),
    ("link", "v1.zip"),
    ("sync", "folder b"),
    ("sync", "folder a"),
    ("sync", "folder objects"),
]


def test_an_object_is_on_disk_before_it_has_a_name_and_its_name_before_it_is_acknowledged(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(monkeypatch)
    store.put("a/b/v1.zip", b"data")
    assert journal.entries == ACKNOWLEDGED


def test_an_upload_with_places_is_written_once_and_synced_once(
    store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = store.begin("a/b/v1.zip")
    journal = Journal(monkeypatch)
    monkeypatch.delattr(os, "copy_file_range")
    parts = [store.put_part(upload, number, FIRST, (number - 1) * len(FIRST)) for number in (2, 1, 3)]
    store.complete(upload, sorted(parts, key=lambda part: part.number))
    assert journal.written == 3 * len(FIRST)
    assert journal.entries == ACKNOWLEDGED
    assert (root / "objects/a/b/v1.zip").stat().st_nlink == 1
    assert (root / "objects/a/b/v1.zip").stat().st_mode & 0o777 == 0o440
    assert list((root / "uploads").iterdir()) == []


def test_a_deletion_is_on_disk(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put("a/b/v1.zip", b"data")
    journal = Journal(monkeypatch)
    store.delete("a/b/v1.zip")
    assert journal.entries == [("sync", "folder b"), ("sync", "folder a"), ("sync", "folder objects")]


def test_parts_are_joined_where_blocks_cannot_be_shared(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EXDEV, "not on this file system")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    upload = store.begin("k")
    parts = [
        store.put_part(upload, 1, FIRST),
        store.put_part(upload, 2, b"in place", 0),
        store.put_part(upload, 3, b"z"),
    ]
    store.complete(upload, parts)
    assert content(store, "k") == FIRST + b"in place" + b"z"


def test_an_upload_with_a_lost_part_is_no_object(store: DirectoryStore, root: Path) -> None:
    for hint in (0, None):
        upload = store.begin("k")
        parts = [store.put_part(upload, 1, b"0123456789", hint)]
        for path in (root / "uploads" / upload.id).glob("*[!y]"):
            os.truncate(path, 5)
        for listed in (parts, [*parts, *parts]):
            with pytest.raises(NotFound):
                store.complete(upload, listed)
        store.abort(upload)
    assert keys(store) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("call", ["pwrite", "fsync", "link"])
def test_a_disk_that_fails_leaves_nothing_to_be_seen(
    store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    upload = store.begin("k")
    part = store.put_part(upload, 1, b"x", 0)

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    expected = StoreUnavailable if number == errno.EIO else NoSpace
    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(expected):
            store.put("small", b"data")
        if call == "pwrite":
            with pytest.raises(expected):
                store.put_part(upload, 2, b"y", 1)
        else:
            with pytest.raises(expected):
                store.complete(upload, [part])
    assert keys(store) == []
    assert [path.name for path in (root / "uploads").iterdir()] == [upload.id]
    store.complete(upload, [part])
    assert content(store, "k") == b"x"


def test_a_real_limit_of_the_system_is_no_space(store: DirectoryStore) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
    try:
        with pytest.raises(NoSpace):
            store.put("k", bytes(1 << 17))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert store.head("k") is None


def test_a_name_given_before_a_failure_is_found_by_the_next_try(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = store.begin("k")
    part = store.put_part(upload, 1, b"x", 0)
    with monkeypatch.context() as patch:
        patch.setattr("storage.stores.directory.sync_folder", lambda _: os.fstat(99_999))
        with pytest.raises(StoreUnavailable):
            store.complete(upload, [part])
    store.complete(upload, [part])
    assert content(store, "k") == b"x"
    assert list(store.uploads()) == []


def test_a_file_cut_short_while_it_is_read_is_not_its_end(store: DirectoryStore, root: Path) -> None:
    store.put("k.zip", bytes(1000))
    with store.open("k.zip") as stream:
        assert len(stream.read(600)) == 600
        os.truncate(root / "objects" / "k.zip", 700)
        with pytest.raises(StoreUnavailable):
            stream.read(400)


def test_other_peoples_files_are_no_objects(store: DirectoryStore, root: Path) -> None:
    store.put("a/v1.zip", b"data")
    strangers = [".DS_Store", "Thumbs.db", "~$x.zip", "a~41.zip", "~FF.zip", ".nfs0001", "a~d.zip", "~61.zip", "a.~2e"]
    for name in strangers:
        (root / "objects" / "a" / name).write_bytes(b"?")
    (root / "objects" / "folder.zip").mkdir()
    (root / "objects" / "folder.zip" / "x.zip").touch()
    (root / "objects" / "a" / "link.zip").symlink_to("v1.zip")
    assert keys(store) == ["a/link.zip", "a/v1.zip"]
    with pytest.raises(StoreUnavailable):
        store.open("a/link.zip")
    store.delete("a/v1.zip")
    assert (root / "objects" / "a" / "Thumbs.db").exists()


def test_the_paths_of_real_keys_are_the_keys() -> None:
    for key in ("LTLS/H20.05/Hồ.sơ%20mật%2F1/6f1c1f0e-6d0b-5d5e-9d4e-7a0c6c0a5b11/v1.zip", "A/b/v1.log/000001.json"):
        assert object_path(key) == key


@pytest.mark.parametrize("key", ODD_KEYS)
def test_paths_hold_on_any_file_system_and_tell_their_key(key: str) -> None:
    path = object_path(key)
    names = path.split("/")
    assert all(0 < len(name.encode()) <= 255 and name[0] != "." and name[-1] not in ". " for name in names)
    assert not any(set(name) & set('\\:*?"<>|') for name in names)
    assert not any(name.split(".")[0].casefold() in ("con", "nul", "com1") for name in names)
    assert len({object_path(other) for other in ODD_KEYS}) == len(ODD_KEYS)
    meanings = [read_name(name) for name in names]
    assert all(meanings)
    text = "".join(m.text + ("" if m.continued or m.is_object else "/") for m in meanings if m)
    assert text == key


def test_what_crashes_leave_is_tidied_after_a_day(store: DirectoryStore, root: Path) -> None:
    uploads = root / "uploads"
    (uploads / "a.put").write_bytes(b"half")
    (uploads / "b.new").mkdir()
    (uploads / "b.new" / "key").write_text("k")
    (uploads / "c").mkdir()
    (uploads / "c" / "data").write_bytes(b"half")
    kept = store.begin("k")
    assert [upload.id for upload in store.uploads()] == [kept.id]
    assert len(list(uploads.iterdir())) == 4
    for path in uploads.iterdir():
        os.utime(path, (0, time.time() - 100_000))
    assert [upload.id for upload in store.uploads()] == [kept.id]
    assert [path.name for path in uploads.iterdir()] == [kept.id]


WORKER = """
import sys
from pathlib import Path
from metadata.identifiers import StoreId
from storage.stores.directory import DirectoryStore

store = DirectoryStore(StoreId("disk-a"), Path(sys.argv[1]))
for number in range(int(sys.argv[2]), 100_000):
    body = str(number).encode() * 20_000
    if number % 2:
        store.put(f"put/{number}.zip", body)
        print(f"put/{number}.zip", flush=True)
    else:
        upload = store.begin(f"up/{number}/v1.zip")
        half = len(body) // 2
        parts = [store.put_part(upload, 2, body[half:], half), store.put_part(upload, 1, body[:half], 0)]
        store.complete(upload, parts[::-1])
        print(f"up/{number}/v1.zip", flush=True)
"""


def test_killed_at_any_moment_there_are_only_whole_objects_and_all_that_were_acknowledged(
    store: DirectoryStore, root: Path
) -> None:
    acknowledged: set[str] = set()
    for turn in range(6):
        command = [sys.executable, "-c", WORKER, str(root), str(turn * 10_000)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=Path(files.__file__).parents[2]
        ) as process:
            assert process.stdout is not None
            acknowledged.add(process.stdout.readline().strip())
            time.sleep(0.013 * (turn + 1))
            process.send_signal(signal.SIGKILL)
            acknowledged.update(line.strip() for line in process.stdout if line.endswith("\n"))
    found = keys(store)
    assert acknowledged <= set(found)
    assert len(acknowledged) >= 6
    for key in found:
        number = key.split("/")[1].removesuffix(".zip")
        assert content(store, key) == number.encode() * 20_000
    for upload in store.uploads():
        store.abort(upload)
    assert list(store.uploads()) == []
    assert keys(store) == found


class TestWhoeverWritesFromOutside:
    """A file server whose other users, or whose thief, put things into the folder."""

    @pytest.fixture
    def other(self, tmp_path: Path) -> DirectoryStore:
        other = DirectoryStore(StoreId("disk-b"), tmp_path / "other")
        other.create(ARCHIVE)
        other.put("a/b/v1.zip", b"good")
        return other

    def test_a_link_into_another_store_is_neither_read_nor_deleted_through(
        self, store: DirectoryStore, root: Path, other: DirectoryStore, tmp_path: Path
    ) -> None:
        (root / "objects" / "a").symlink_to(tmp_path / "other" / "objects" / "a")
        for work in (
            lambda: store.open("a/b/v1.zip"),
            lambda: store.head("a/b/v1.zip"),
            lambda: store.delete("a/b/v1.zip"),
            lambda: store.put("a/b/v2.zip", b"x"),
        ):
            with pytest.raises(StoreUnavailable, match="symbolic link"):
                work()
        assert keys(other) == ["a/b/v1.zip"]

    @pytest.mark.parametrize("name", ["objects", "uploads"])
    def test_the_store_s_own_folders_are_no_links(
        self, store: DirectoryStore, root: Path, other: DirectoryStore, tmp_path: Path, name: str
    ) -> None:
        shutil.rmtree(root / name)
        (root / name).symlink_to(tmp_path / "other" / name)
        for _, work in everything(store):
            with pytest.raises(StoreUnavailable, match="symbolic link"):
                work()
        assert keys(other) == ["a/b/v1.zip"]

    def test_a_pipe_in_the_place_of_an_object_is_not_waited_for(self, store: DirectoryStore, root: Path) -> None:
        (root / "objects" / "a").mkdir()
        os.mkfifo(root / "objects" / "a" / "v1.zip")
        with pytest.raises(StoreUnavailable, match="no file"):
            store.open("a/v1.zip")
        os.mkfifo(root / "pipe")
        (root / "pipe").replace(root / MARKER_KEY)
        with pytest.raises(StoreUnavailable):
            store.head("a/v1.zip")

    @pytest.mark.parametrize("data", [b"[" * 60_000, b" " * (1 << 20), b"[]", b'"x"', b"\xff"])
    def test_a_marker_that_is_none(self, store: DirectoryStore, root: Path, data: bytes) -> None:
        (root / MARKER_KEY).unlink()
        (root / MARKER_KEY).write_bytes(data)
        with pytest.raises(StoreUnavailable):
            store.head("k")

    def test_endless_or_odd_uploads_are_left_alone(self, store: DirectoryStore, root: Path, tmp_path: Path) -> None:
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "key").write_text("a/v1.zip")
        (root / "uploads" / "one").symlink_to(tmp_path / "mine")
        for name, data in (("two", b"\xff"), ("three", b"x" * (1 << 20)), ("four", b"a\nb")):
            (root / "uploads" / name).mkdir()
            (root / "uploads" / name / "key").write_bytes(data)
        (root / "uploads" / "five").mkdir()
        (root / "uploads" / "five" / "key").symlink_to("/dev/zero")
        ours = store.begin("a/v1.zip")
        assert [upload.id for upload in store.uploads()] == [ours.id]
        assert (tmp_path / "mine" / "key").exists()
