"""The reading room in a real browser: every page at the width of a phone and of a laptop, with and without scripts."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from administration.archive import Archive
from administration.cli import run
from metadata.tt05.sip import SipDocument
from tests.builders.signatures import pdf, sign
from tests.builders.small_bags import FILES, write_bag
from tests.builders.tt05 import PDF, document_fields, dossier_fields, sip_hoso
from tests.flows.looks import FAINT_TEXT, NARROW_TO_WIDE, SMALL_TARGETS
from tests.flows.pictures import NAMES, take_pictures
from tests.services.chromium import LAPTOP, PHONE, Chromium, ChromiumError, Page, running
from tests.services.reading_room import ReadingRoom, served

pytestmark = pytest.mark.services

LONG = "Hồ sơ về việc " + "Nghiêng".join("Đ" * 60 for _ in range(3)) + " " + "thực hiện kế hoạch chuyển đổi số " * 20
DOCUMENTS = 130
BAG = "Hồ sơ vùng chuyên canh sen"
PAGES = (
    "login",
    "home",
    "all",
    "found",
    "nothing",
    "narrowed",
    "dossier",
    "long",
    "second",
    "document",
    "events",
    "files",
)


class Site:
    """The addresses of one of each kind of page; ``long`` is a dossier with everything too long in it."""

    def __init__(self, room: ReadingRoom, home: Path) -> None:
        self.room = room
        with Archive.open(home) as archive:
            versions = {version.title: version for version in archive.catalogue.holdings.versions(10, None)}
            self.version = versions[BAG]
            self.events = list(archive.catalogue.events.of(self.version.id))
        bag, long = self.version.aip, versions[LONG.strip()].aip
        self.pages = {
            "login": "/login",
            "home": "/",
            "all": "/search",
            "found": "/search?q=cong+van",
            "nothing": "/search?q=zzzz",
            "narrowed": "/search?q=chuyen+doi+so&type=C%C3%B4ng+v%C4%83n&sort=newest&page=2",
            "dossier": f"/dossiers/{bag}",
            "long": f"/dossiers/{long}",
            "second": f"/dossiers/{long}?first=101",
            "document": f"/dossiers/{long}/documents/1",
            "events": f"/aips/{bag}/events",
            "files": f"/aips/{long}/files",
        }

    def url(self, name: str) -> str:
        return self.room.address + self.pages[name]


def long_dossier(folder: Path) -> Path:
    """Titles without a space, many documents, a notation and a file name that never end."""
    contents = []
    for number in range(1, DOCUMENTS + 1):
        changes = {"subject": LONG[:480], "codeNotation": "QĐ-" + "UBND" * 20} if number == 1 else {}
        subject = changes.get("subject", f"Về việc chuyển đổi số đợt {number}")
        name = "T" * 180 if number == 1 else f"tep-{number}"
        fields = document_fields(number, **(changes | {"subject": subject}))
        contents.append(SipDocument(f"File{number}", fields, {f"{name}.pdf": PDF + b"%%%d\n" % number}))
    return sip_hoso(folder, dossier=dossier_fields(title=LONG.strip(), totalDoc=str(DOCUMENTS)), contents=contents)


def command(home: Path, *arguments: str) -> None:
    shown = StringIO()
    with redirect_stdout(shown):
        code = run(["--home", str(home), *arguments])
    assert code == 0, shown.getvalue()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A small archive of two dossiers, audited once, and its reading room."""
    folder = tmp_path_factory.mktemp("site")
    home = folder / "kho"
    command(home, "init", "--code", "H20.LTLS", "--name", "Lưu trữ lịch sử tỉnh Đồng Tháp")
    bag = write_bag(folder / "bag", title=BAG)
    command(home, "ingest", str(bag), str(long_dossier(folder / "long")))
    command(home, "audit", "--all")
    with served(home) as room:
        yield Site(room, home)


@pytest.fixture(scope="module")
def visitor(chromium: Chromium, site: Site) -> Iterator[Page]:
    with chromium.page() as page:
        site.room.enter(page)
        yield page


@pytest.fixture
def reader(visitor: Page) -> Page:
    """Someone who has come in and sits before a laptop."""
    visitor.resize(LAPTOP)
    visitor.colours(dark=False)
    return visitor


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_at_every_width(reader: Page, site: Site, name: str) -> None:
    for size in NARROW_TO_WIDE:
        reader.resize(size)
        reader.open(site.url(name))
        assert (reader.errors, reader.overflow()) == ([], []), size
        assert reader.value("document.documentElement.scrollWidth") <= size[0]
        assert reader.value("document.querySelectorAll('h1').length") == 1


@pytest.mark.parametrize("name", PAGES)
def test_what_is_pressed_on_a_phone_is_large_enough(reader: Page, site: Site, name: str) -> None:
    """Links within sentences and lists of words are as high as their line; whatever stands alone has 40 px."""
    reader.resize(PHONE)
    reader.open(site.url(name))
    small = reader.value(SMALL_TARGETS)
    assert small == []


def test_a_page_that_is_not_there_says_so(reader: Page, site: Site) -> None:
    for size in NARROW_TO_WIDE:
        reader.resize(size)
        reader.open(site.room.address + "/dossiers/nothing")
        assert [error for error in reader.errors if "404" not in error] == []
        assert reader.overflow() == []
    assert "Không có ở đây" in reader.value("document.body.innerText")


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(chromium: Chromium, site: Site, dark: bool) -> None:
    """WCAG 2.2 AA: 4.5 to 1 for all text, in light and in dark."""
    with chromium.page(dark=dark) as page:
        site.room.enter(page)
        for name in ("found", "dossier", "document", "events"):
            page.open(site.url(name))
            assert page.value(FAINT_TEXT) == [], name


def test_all_works_without_scripts(chromium: Chromium, site: Site) -> None:
    with chromium.page(javascript=False) as page:
        page.open(site.room.address + "/")
        assert "Đăng nhập" in page.value("document.body.innerText")
        page.write("#token", "wrong")
        page.follow(".login .button")
        assert "không đúng" in page.value("document.body.innerText")
        page.write("#token", site.room.token)
        page.follow(".login .button")
        page.write("#q", "cong van kiem tra")
        page.follow("form[role=search] .button")
        assert page.value("[...document.querySelectorAll('.hit mark')].map(e => e.textContent).join(' ')").startswith(
            "Công văn"
        )
        page.follow(".hit h2 a")
        assert "Công văn về việc kiểm tra" in page.value("document.querySelector('h1').textContent")
        name, data = page.download(".file a.button")
        assert (name, data) == next((name, data) for name, data in FILES.items() if "Công văn" in name)
        page.follow(".tool[hreflang=en]")
        assert page.value("document.documentElement.lang") == "en"
        assert "Files of this document" in page.value("document.body.innerText")
        page.follow(".top button")
        assert "Sign in" in page.value("document.body.innerText")


def test_a_file_from_the_list_is_the_file(reader: Page, site: Site) -> None:
    reader.open(site.room.address + f"/aips/{site.version.aip}/files")
    (wanted,) = (name for name in FILES if "Báo cáo" in name)
    index = reader.value(
        "[...document.querySelectorAll('.files td a')].findIndex(e => decodeURI(e.href).includes('Báo cáo'))"
    )
    reader.value(f"document.querySelectorAll('.files td a')[{index}].id = 'wanted'")
    assert reader.download("#wanted") == (wanted, FILES[wanted])


def test_the_log_speaks_vietnamese(reader: Page, site: Site) -> None:
    """Every sentence that this archive wrote into its events is told in the reader's language; codes are the same."""
    reader.open(site.url("events"))
    shown = reader.value("document.querySelector('.log').innerText")
    assert len(site.events) >= 8
    assert [event.detail for event in site.events if event.detail in shown] == []
    notes = {event.note for event in site.events if event.note} - {"VIRUS-NO-SCANNER 1"}
    assert [note for note in notes if note in shown] == []
    assert shown.count("✓ nguyên vẹn") == 4
    assert "MATCH" not in shown


def test_every_document_of_a_long_dossier_can_be_reached(reader: Page, site: Site) -> None:
    reader.open(site.url("long"))
    rows = "document.querySelectorAll('.contents tbody tr').length"
    assert reader.value(rows) == 100
    reader.follow("a[rel=next]")
    assert reader.value(rows) == DOCUMENTS - 100
    reader.follow(".contents tbody tr:last-child a")
    assert f"Tài liệu số {DOCUMENTS}" in reader.value("document.querySelector('.over').textContent")
    reader.follow("a[rel=prev]")
    assert f"Tài liệu số {DOCUMENTS - 1}" in reader.value("document.querySelector('.over').textContent")


def test_a_dossier_prints_as_a_clean_document(reader: Page, site: Site) -> None:
    reader.open(site.url("dossier"))
    assert reader.print().startswith(b"%PDF-")
    reader.ask("Emulation.setEmulatedMedia", media="print")
    hidden = "['.trail', '.actions', '.top form', '.tool'].filter(s => document.querySelector(s)?.offsetParent)"
    assert reader.value(hidden) == []
    assert reader.value("document.querySelector('h1').offsetHeight") > 0


def test_the_pictures_of_the_documentation_can_be_made(chromium: Chromium, site: Site, tmp_path: Path) -> None:
    take_pictures(chromium, site.room, tmp_path, question="cong van", title=BAG)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES)
    for path in tmp_path.iterdir():
        data = path.read_bytes()
        width, height = struct.unpack(">II", data[16:24])
        assert data.startswith(b"\x89PNG")
        assert width == (PHONE if path.stem == "phone" else LAPTOP)[0]
        assert height >= 600
        assert len(data) < 200_000


def test_signatures_are_shown_whole_at_every_width(chromium: Chromium, tmp_path: Path) -> None:
    home = tmp_path / "kho"
    command(home, "init", "--code", "H20.LTLS", "--name", "Kho thử")
    command(home, "ingest", str(write_bag(tmp_path / "bag", files={"a.pdf": sign(pdf())})))
    with Archive.open(home) as archive:
        aip = next(iter(archive.catalogue.holdings.versions(1, None))).id.aip
    with served(home) as room, chromium.page() as page:
        room.enter(page)
        page.open(f"{room.address}/dossiers/{aip}/documents/1")
        page.follow("a[href$='/signatures']")
        assert "chưa có chứng thư nào" in page.value("document.querySelector('main').innerText")
        for size in NARROW_TO_WIDE:
            page.resize(size)
            assert (page.errors, page.overflow()) == ([], []), size


def test_the_browser_sees_what_is_wrong(chromium: Chromium) -> None:
    """The judge itself: too wide, broken, complaining pages are told, and so is what cannot be clicked."""
    blank = "data:text/html,<meta name='viewport' content='width=device-width'>"
    with chromium.page(PHONE) as page:
        page.open(f"{blank}<div style='width:600px'>a</div><script>console.error('x'); throw Error('y')</script>")
        assert page.overflow()[0] == "page: 608 > 390"
        assert len(page.errors) == 2
        page.open(f"{blank}<h1 style='width:100px'>a</h1>")
        assert (page.overflow(), page.errors) == ([], [])
        with pytest.raises(ChromiumError, match="nothing on this page"):
            page.click(".none")
        with pytest.raises(ChromiumError):
            page.open("http://127.0.0.1:1/")


def test_without_chromium_nothing_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ChromiumError, match="not installed"), running():
        pass
