"""The clerk's pages in a real browser: the whole path, progress as it happens, every width, without scripts."""

from __future__ import annotations

import shutil
import struct
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import uvicorn

import administration.checks
from administration.application import application
from administration.archive import Archive
from administration.checks import CheckDesk
from administration.cli import run
from administration.desk import DeskBounds
from administration.packs import PackDesk
from ingest.check import CheckVerdict, check_package
from ingest.reports.words import verdict_next
from tests.builders.tt05 import sip_hoso
from tests.flows.clerk import DOCUMENTS, PICTURES, Clerk, walk
from tests.flows.looks import FAINT_TEXT, NARROW_TO_WIDE, SMALL_TARGETS, UNLABELLED
from tests.flows.pictures import take_clerks_pictures
from tests.services.chromium import LAPTOP, PHONE, Chromium
from tests.services.reading_room import ReadingRoom, served

pytestmark = pytest.mark.services


def new_archive(home: Path) -> Path:
    with redirect_stdout(StringIO()):
        assert run(["--home", str(home), "init", "--code", "H20.LTLS", "--name", "Lưu trữ lịch sử tỉnh Đồng Tháp"]) == 0
    return home


def zipped(folder: Path, target: Path) -> Path:
    """A folder as a ZIP, with the folder in it."""
    return Path(shutil.make_archive(str(target), "zip", folder.parent, folder.name))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingRoom]:
    with served(new_archive(tmp_path_factory.mktemp("clerk") / "kho")) as made:
        yield made


@contextmanager
def in_process(home: Path, bounds: DeskBounds) -> Iterator[ReadingRoom]:
    """The same served by this very process, so that a test can hold its desks up."""
    with Archive.open(home) as archive, CheckDesk(home / "tmp", bounds) as checks, PackDesk(home / "tmp") as packs:
        config = uvicorn.Config(
            application(archive, checks, packs), host="127.0.0.1", port=0, log_level="error", lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.02)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield ReadingRoom(f"http://127.0.0.1:{port}", archive.token)
        finally:
            server.should_exit = True
            thread.join()


def test_a_clerk_comes_from_the_template_to_a_good_package(
    chromium: Chromium, room: ReadingRoom, tmp_path: Path
) -> None:
    complaints: list[str] = []
    with chromium.page() as page:
        room.enter(page)
        walk(Clerk(page, room, tmp_path, lambda _, seen: complaints.extend(seen.errors + seen.overflow())))
    assert complaints == []


def test_the_pictures_of_the_clerks_guide_can_be_made(chromium: Chromium, room: ReadingRoom, tmp_path: Path) -> None:
    take_clerks_pictures(chromium, room, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(PICTURES)
    for path in tmp_path.iterdir():
        data = path.read_bytes()
        width, height = struct.unpack(">II", data[16:24])
        assert width == (PHONE if path.stem == "clerk-phone" else LAPTOP)[0]
        assert height >= 600
        assert len(data) < 150_000, path.name


@pytest.fixture(scope="module")
def pages(chromium: Chromium, room: ReadingRoom, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The address of one of each kind of page."""
    folder = tmp_path_factory.mktemp("pages")
    found = {"check": room.address + "/checks", "pack": room.address + "/packs"}
    with chromium.page() as page:
        room.enter(page)
        clerk = Clerk(page, room, folder)
        template = clerk.template()
        clerk.hand_in(clerk.fill(template, [one | {"subject": ""} for one in DOCUMENTS]), [], sender=True)
        found["missing"] = page.value("location.href")
        page.follow(".actions .button")
        clerk.hand_in(clerk.fill(template, DOCUMENTS), clerk.scans(3), sender=False)
        found["packed"] = page.value("location.href")
        clerk.check(zipped(sip_hoso(folder / "good"), folder / "good"))
        found["good"] = page.value("location.href")
        clerk.check(zipped(sip_hoso(folder / "bad", mutate=many_faults), folder / "bad"))
        found["bad"] = page.value("location.href")
    return found


def many_faults(package: Path) -> None:
    (package / "representations/rep1/data/File1.pdf").write_bytes(b"%PDF-khac")
    long = package / "documentation" / ("Đ" * 60)
    long.mkdir(parents=True)
    for number in range(1200):
        (long / f"{'thừa' * 20}-{number}.txt").write_bytes(b"1")


@pytest.mark.parametrize("name", ["check", "pack", "missing", "packed", "good", "bad"])
def test_a_page_is_whole_and_can_be_used(
    chromium: Chromium, room: ReadingRoom, pages: dict[str, str], name: str
) -> None:
    with chromium.page() as page:
        room.enter(page)
        for size in NARROW_TO_WIDE:
            page.resize(size)
            page.open(pages[name])
            assert (page.errors, page.overflow()) == ([], []), size
            assert page.value("document.querySelectorAll('h1').length") == 1
            assert page.value(UNLABELLED) == []
            assert page.value(SMALL_TARGETS) == [], size
        for dark in (False, True):
            page.colours(dark=dark)
            assert page.value(FAINT_TEXT) == [], dark
        assert page.print().startswith(b"%PDF-")


def test_a_thousand_of_a_kind_are_told_apart_and_the_rest_counted(
    chromium: Chromium, room: ReadingRoom, pages: dict[str, str]
) -> None:
    with chromium.page() as page:
        room.enter(page)
        page.open(pages["bad"])
        told = page.value("document.querySelector('main').textContent")
        assert "1.200 điều" in told
        assert "… và 200 điều cùng loại" in told
        assert page.value("document.querySelectorAll('.kindof ol li').length") >= 1000
        assert page.value("document.querySelectorAll('.kindof > ol li').length") < 40


def test_a_mark_in_the_tree_leads_to_what_is_said_of_it(
    chromium: Chromium, room: ReadingRoom, pages: dict[str, str]
) -> None:
    with chromium.page() as page:
        room.enter(page)
        page.open(pages["bad"])
        page.value("[...document.querySelectorAll('.tree .leaf a')].find(e => /File1.pdf/.test(e.textContent)).click()")
        assert page.value("document.querySelector(':target .place').textContent") == (
            "representations/rep1/data/File1.pdf"
        )


def test_a_code_is_copied(chromium: Chromium, room: ReadingRoom, pages: dict[str, str]) -> None:
    with chromium.page() as page:
        room.enter(page)
        page.open(pages["bad"])
        page.click(".copy")
        page.until(".copy.done")
        assert page.value("document.querySelector('.copy').textContent") == "Đã chép"


def test_all_works_without_scripts(chromium: Chromium, room: ReadingRoom, tmp_path: Path) -> None:
    with chromium.page(javascript=False) as page:
        room.enter(page)
        clerk = Clerk(page, room, tmp_path)
        clerk.hand_in(clerk.fill(clerk.template(), DOCUMENTS), clerk.scans(3), sender=True)
        (package,) = clerk.packages().glob("*.zip")
        clerk.check(package)
        assert verdict_next(CheckVerdict.GOOD).vi in clerk.said()
        assert page.value("document.querySelector('.copy')?.offsetParent ?? null") is None
        page.follow("header a[hreflang=en]")
        assert verdict_next(CheckVerdict.GOOD).en in clerk.said()


def test_what_is_chosen_is_shown_and_the_zone_takes_the_keyboard(
    chromium: Chromium, room: ReadingRoom, tmp_path: Path
) -> None:
    with chromium.page() as page:
        room.enter(page)
        clerk = Clerk(page, room, tmp_path)
        page.open(room.address + "/packs")
        page.choose("#files", *clerk.scans(3))
        assert page.value("document.querySelector('#files-hint').textContent").startswith("3 tệp · ")
        page.value("document.querySelector('#files').focus()")
        assert page.value("getComputedStyle(document.querySelector('#files').parentElement).outlineStyle") == "solid"


@pytest.mark.parametrize("javascript", [True, False])
def test_files_are_dropped_into_their_zones(
    chromium: Chromium, room: ReadingRoom, tmp_path: Path, javascript: bool
) -> None:
    with chromium.page(javascript=javascript) as page:
        room.enter(page)
        page.open(room.address + "/packs")
        page.drop("#files", *Clerk(page, room, tmp_path).scans(3))
        names = "[...document.querySelector('#files').files].map(file => file.name.slice(-11))"
        assert page.value(names) == ["0000001.pdf", "0000002.pdf", "0000003.pdf"]
        assert page.value("document.querySelector('#workbook').files.length") == 0
        assert page.value("document.querySelectorAll('.drop.full').length") == int(javascript)
        assert page.value("document.querySelectorAll('.drop.over').length") == 0


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Checks come half way and go on when the event is set."""
    go = threading.Event()

    def held(path: Path, work: Path, *arguments: Any, on_progress: Callable[[int, int], None], **options: Any) -> Any:
        on_progress(5_000_000, 10_000_000)
        assert go.wait(60)
        return check_package(path, work, *arguments, on_progress=on_progress, **options)

    monkeypatch.setattr(administration.checks, "check_package", held)
    yield go
    go.set()


@pytest.mark.parametrize("javascript", [True, False])
def test_progress_is_seen_and_a_second_package_waits_its_turn(
    chromium: Chromium, slow: threading.Event, tmp_path: Path, javascript: bool
) -> None:
    package = zipped(sip_hoso(tmp_path / "sip"), tmp_path / "sip")
    with in_process(new_archive(tmp_path / "kho"), DeskBounds()) as room, chromium.page(javascript=javascript) as page:
        room.enter(page)
        for told in ("Đã đọc 5,0 MB / 10,0 MB", "Đang chờ đến lượt: còn 1 việc phía trước."):
            page.open(room.address + "/checks")
            page.choose("#package", package)
            page.click(".clerk button.button")
            page.until("progress[aria-label]")
            text = "document.querySelector('.told').textContent"
            deadline = time.monotonic() + 20
            while page.value(text) != told and time.monotonic() < deadline:
                time.sleep(0.1)
            assert page.value(text).startswith(told)
        slow.set()
        page.until(".verdict")
        assert "ĐẠT" in page.value("document.querySelector('.verdict').textContent")


@pytest.mark.parametrize("javascript", [True, False])
def test_what_is_too_large_is_told_on_the_page(chromium: Chromium, tmp_path: Path, javascript: bool) -> None:
    large = tmp_path / "large.zip"
    with zipfile.ZipFile(large, "w") as archive:
        archive.writestr("a", b"a" * 5_000_000)
    with (
        in_process(new_archive(tmp_path / "kho"), DeskBounds(upload=1_000_000)) as room,
        chromium.page(javascript=javascript) as page,
    ):
        room.enter(page)
        page.open(room.address + "/checks")
        page.choose("#package", large)
        page.click(".clerk button.button")
        page.until(".trouble")
        assert "lớn hơn" in page.value("document.querySelector('.trouble').textContent")
        assert list((tmp_path / "kho" / "tmp").glob("checked-*")) == []
