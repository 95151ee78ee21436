"""The preservation officer in a real browser: sees red, understands, repairs, prints the form, sees green."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest

from administration.archive import Archive
from metadata.incidents import IncidentState
from tests.flows.looks import FAINT_TEXT, NARROW_TO_WIDE, SMALL_TARGETS, UNLABELLED
from tests.flows.officer import TITLE, Officer, new_archive, repairing, walk
from tests.services.chromium import PHONE, Chromium
from tests.services.reading_room import ReadingRoom, served

pytestmark = pytest.mark.services
PAGES = ("", "/incidents", "/audits", "/stores", "/backups", "/formats", "/forms")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with new_archive(tmp_path / "kho") as made:
        yield made


@pytest.fixture
def room(archive: Archive) -> Iterator[ReadingRoom]:
    with served(archive.settings.home) as made, repairing(archive):
        yield made


@pytest.mark.parametrize("size", [(1366, 900), PHONE])
def test_the_officer_sees_red_understands_repairs_and_prints(
    chromium: Chromium, room: ReadingRoom, archive: Archive, size: tuple[int, int]
) -> None:
    with chromium.page(size) as page:
        room.enter(page)
        fix, minutes = walk(Officer(page, room))
        page.open(room.address + "/preservation")
        assert page.value("!!document.querySelector('.light.jade')"), page.value("document.body.innerText")
        assert page.errors == []
        told = json.loads(fix[1])
        assert told["incident"]["store"] == "kho-b" and told["incident"]["facts"]["mended"]["from"] == ["kho-a"]
        document = pypdfium2.PdfDocument(io.BytesIO(minutes[1]))
        text = " ".join(sheet.get_textpage().get_text_range() for sheet in document)
        (one,) = archive.catalogue.incidents.listed()
        assert one.state is IncidentState.CLOSED and one.person == "Trần Văn Kho, trưởng phòng Bảo quản"
        text = " ".join(text.replace("\u2011", "-").split())
        assert "vùng hỏng" in text and "chép lại từ kho A" in text, text
        assert archive.catalogue.fixity.damaged() == []
        version = archive.catalogue.holdings.version(one.version) if one.version else None
        assert version is not None and version.title == TITLE
        unbroken = text.replace("\u200b", "").replace(" ", "")
        for told in (f"Dossier {TITLE}", f"Code of the dossier {version.code.value}"):
            assert told.replace(" ", "") in unbroken, text
        page.open(f"{room.address}/dossiers/{version.id.aip}")
        page.follow("a[href^='/preservation/aips/']")
        assert page.value("!!document.querySelector('svg.timeline .mark-bad')")
        page.follow(".trail a[href^='/dossiers/']")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_backup_and_a_drill_are_asked_for_wait_for_a_worker_and_end(
    chromium: Chromium, archive: Archive, javascript: bool
) -> None:
    with served(archive.settings.home) as room, chromium.page(PHONE, javascript=javascript) as page:
        room.enter(page)
        at = f"{room.address}/preservation/backups"
        page.open(at)
        page.value("document.querySelector('#kind').value = 'full'")
        page.write("#person", "Lê Thị Kho")
        page.follow("#backup")
        asked = page.value("location.href")
        assert "đang chờ tiến trình" in page.value("document.querySelector('[role=status]').innerText")
        assert page.overflow() == []
        page.open(at)
        assert page.value("document.querySelectorAll('.amber[role=status]').length") == 1, "whoever looks sees it"
        page.open(asked)
        with repairing(archive, "backup"):
            page.until(".jade[role=status]")
            assert "Đã sao lưu xong" in page.value("document.querySelector('[role=status]').innerText")
            page.write("#tester", "Phạm Văn Thử")
            page.click("#drill")
            page.until(".panel + .panel [role=status]")
            page.until("#drill")
            assert "Phục hồi thử" in page.value("document.querySelector('.panel + .panel [role=status]').innerText")
        assert page.overflow() == [] and page.errors == []
    (backup, _), (drill, _) = archive.backups.listed(), archive.drills.listed()
    assert (backup.kind.value, backup.person, drill.person) == ("full", "Lê Thị Kho", "Phạm Văn Thử")


def test_every_page_fits_every_width_and_can_be_read_and_pressed(chromium: Chromium, room: ReadingRoom) -> None:
    with chromium.page() as page:
        room.enter(page)
        page.open(room.address + "/preservation/incidents")
        incident = page.value("document.querySelector('.list a').pathname").removeprefix("/preservation")
        for path in (*PAGES, incident):
            for size in NARROW_TO_WIDE:
                page.resize(size)
                page.open(f"{room.address}/preservation{path}")
                assert page.overflow() == [], (path, size)
                assert page.value(SMALL_TARGETS) == [], path
                assert page.value(UNLABELLED) == [], path
                assert page.errors == []
            for dark in (False, True):
                page.colours(dark=dark)
                assert page.value(FAINT_TEXT) == [], (path, dark)
            page.colours(dark=False)


def test_everything_can_be_read_without_scripts_and_printed(chromium: Chromium, room: ReadingRoom) -> None:
    with chromium.page(javascript=False) as page:
        room.enter(page)
        page.open(room.address + "/preservation")
        assert page.value("document.querySelectorAll('svg.chart:not(.key)').length") == 3
        assert page.print().startswith(b"%PDF")
