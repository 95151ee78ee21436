"""The desk: what is handed in, worked on in turn, kept for a while, and gone."""

from __future__ import annotations

import asyncio
import io
import threading
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

import administration.desk
from administration.api import upload
from administration.bundle import bundle, bundle_size
from administration.desk import Advance, Desk, DeskBounds, DeskState, TooLarge, file_name
from metadata.errors import Busy, NotFound
from metadata.text import Sentence
from storage.aip import zip64

SAID = Sentence("một hai ba bốn năm", "one two three four five")


class Copying(Desk):
    """A desk that keeps what is handed in, once it may."""

    prefix = "copied-"
    result = "copy"
    too_many = not_kept = SAID

    def __init__(self, folder: Path, bounds: DeskBounds | None = None) -> None:
        super().__init__(folder, bounds)
        self.go = threading.Event()

    @property
    def too_large(self) -> Sentence:
        return SAID

    def take(self, data: bytes, name: str = "a.txt") -> str:
        with self.receiving(name) as upload:
            upload.write(data)

            def work(place: Path, advance: Advance) -> None:
                assert self.go.wait(20)
                advance(1, 1)
                (place / "new").write_bytes(upload.path.read_bytes())
                (place / "new").rename(place / self.result)

            return self.submit(upload, work)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Copying]:
    with Copying(tmp_path, DeskBounds(upload=100, open=3, kept=2, files=2)) as made:
        yield made
        made.go.set()


def test_tasks_are_done_in_turn_and_know_how_many_are_before_them(desk: Copying) -> None:
    ids = [desk.take(b"%d" % number) for number in range(3)]
    while desk.progress(ids[0]).state is not DeskState.RUNNING:
        time.sleep(0.01)
    assert [desk.progress(one).ahead for one in ids] == [0, 1, 2]
    with pytest.raises(Busy):
        desk.take(b"4")
    with pytest.raises(Busy):
        desk.done(ids[2])
    desk.go.set()
    desk.ended(ids[2]).result(20)
    assert desk.done(ids[2]).read_bytes() == b"2"
    assert [path.name for path in desk.place(ids[2]).iterdir()] == ["copy"]


def test_what_is_done_can_be_had_at_once(desk: Copying, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that was told "done" asks for the result while the desk still tidies up."""
    seen: list[bytes] = []

    def removing(path: Path, **_: Any) -> None:
        if path.name == "package":
            (task_id,) = (path.parent.name.removeprefix("copied-"),)
            assert desk.progress(task_id).state is DeskState.DONE
            seen.append(desk.done(task_id).read_bytes())

    monkeypatch.setattr(administration.desk.shutil, "rmtree", removing)  # type: ignore[attr-defined]
    desk.go.set()
    desk.ended(desk.take(b"x")).result(20)
    assert seen == [b"x"]


def test_too_much_is_refused_and_gone(desk: Copying, tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        desk.take(b"x" * 101)
    with pytest.raises(TooLarge), desk.receiving() as upload:
        for _ in range(3):
            upload.begin("a.txt")
    assert list(tmp_path.iterdir()) == []


def test_files_of_one_name_do_not_meet(desk: Copying) -> None:
    with desk.receiving() as upload:
        paths = [upload.begin(name, "files") for name in ("a/x.pdf", "b\\x.pdf")]
        assert len(set(paths)) == 2
        assert {path.name for path in paths} == {"x.pdf"}
        assert all(path.is_relative_to(upload.folder / "files") for path in paths)


def test_only_the_newest_are_kept(desk: Copying) -> None:
    desk.go.set()
    ids = []
    for number in range(4):
        ids.append(desk.take(b"%d" % number))
        desk.ended(ids[-1]).result(20)
        time.sleep(0.02)
    desk.sweep()
    assert [one for one in ids if desk.place(one).exists()] == ids[2:]
    with pytest.raises(NotFound):
        desk.progress(ids[0])


def test_a_new_process_still_has_what_was_kept(desk: Copying, tmp_path: Path) -> None:
    desk.go.set()
    kept = desk.take(b"x")
    desk.ended(kept).result(20)
    with Copying(tmp_path, desk.bounds) as again:
        assert again.progress(kept).state is DeskState.DONE
        assert again.done(kept).read_bytes() == b"x"


def test_what_is_kept_goes_though_nobody_asks(tmp_path: Path) -> None:
    (tmp_path / f"copied-{'a' * 22}").mkdir()  # an earlier process had no time for it
    bounds = DeskBounds(keep=timedelta(milliseconds=50))
    with Copying(tmp_path, bounds) as desk:
        desk.go.set()
        desk.ended(desk.take(b"x")).result(20)
        deadline = time.monotonic() + 20
        while list(tmp_path.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []


def test_a_desk_that_closes_drops_what_waits(tmp_path: Path) -> None:
    with Copying(tmp_path) as desk:
        ids = [desk.take(b"x") for _ in range(2)]
        ended = [desk.ended(one) for one in ids]
        threading.Timer(0.1, desk.go.set).start()
    assert [one.done() for one in ended] == [True, True]
    assert not desk.place(ids[1]).exists()


@pytest.mark.parametrize("task_id", ["", "..", "x" * 22, "../../etc/passwd", "a/b", "\0" * 22])
def test_an_id_that_was_never_given_is_not_kept(desk: Copying, task_id: str) -> None:
    for ask in (desk.progress, desk.done, desk.kept, desk.ended):
        with pytest.raises(NotFound):
            ask(task_id)
    desk.forget(task_id)


@given(st.text())
def test_a_name_is_one_part_of_a_path_that_any_disk_takes(name: str) -> None:
    made = file_name(name)
    assert made
    assert made not in (".", "..")
    assert 0 < len(made.encode()) <= 150
    assert not set(made) & set('/\\:*?"<>|\0')


def test_who_sends_nothing_any_more_holds_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop that is shut while it sends: the connection stays open, nothing comes."""

    async def stuck() -> AsyncIterator[bytes]:
        yield b"--x\r\n"
        await asyncio.sleep(60)

    monkeypatch.setattr(upload, "STALL", 0.1)
    form = upload.UploadForm("multipart/form-data; boundary=x", lambda *_: None)
    with pytest.raises(HTTPException) as raised:
        asyncio.run(upload.feed_all(stuck(), form))
    assert raised.value.status_code == 400


# Several files as one


@pytest.mark.parametrize("limit", [zip64.LIMIT_32, 100])
@given(contents=st.lists(st.binary(max_size=300), max_size=5))
def test_a_bundle_is_a_zip_of_its_files(
    tmp_path_factory: pytest.TempPathFactory, limit: int, contents: list[bytes]
) -> None:
    """With a limit of 100 bytes, as if they were larger than 4 GiB: what ZIP64 is for (then only its size is known)."""
    folder = tmp_path_factory.mktemp("bundle")
    paths = [folder / f"tệp-{number}.pdf" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zip64, "LIMIT_32", limit)
        made = b"".join(bundle(paths))
        assert len(made) == bundle_size(paths)
    if limit == zip64.LIMIT_32:
        with zipfile.ZipFile(io.BytesIO(made)) as archive:
            assert archive.testzip() is None
            assert {name: archive.read(name) for name in archive.namelist()} == {
                path.name: content for path, content in zip(paths, contents, strict=True)
            }
