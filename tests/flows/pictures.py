"""The pictures of the documentation, taken of the demonstration: ``python -m tests.flows.pictures [FOLDER]``.

They are photographs: the demonstration runs, the reading room is served, a real browser looks at it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote_plus

from administration.cli import run
from preservation.antivirus.eicar import EICAR
from tests.builders.bags import bag
from tests.builders.infected import zipped
from tests.builders.signatures import pdf, sign
from tests.flows import officer
from tests.flows.clerk import Clerk, walk
from tests.services import clamd
from tests.services.chromium import PHONE, Chromium, Page, running
from tests.services.reading_room import ROOT, ReadingRoom, served

PICTURES = ROOT / "docs" / "pictures"
NAMES = ("home.png", "results.png", "dossier.png", "document.png", "events.png", "phone.png")
CHECKED = ("checks.png", "quarantine.png", "signature.png")
_CHECKED_TITLES = "Hồ sơ vùng chuyên canh sen có văn bản ký số", "Hồ sơ có tệp nhiễm vi-rút"
_QUESTION = "cong van"
_TITLE = "Hồ sơ về việc xây dựng vùng chuyên canh sen tại huyện Tháp Mười giai đoạn 2021 - 2025"  # damaged and repaired
_TALLEST = 900
_CLERKS = 1000
_WHOLE = 1300  # far enough down to see the table of contents; in the log, the damage and its repair


def take_pictures(browser: Chromium, room: ReadingRoom, folder: Path, *, question: str, title: str) -> None:
    """Write ``NAMES`` into ``folder``: what is found for ``question``, and the dossier called ``title``."""
    with browser.page() as page:
        room.enter(page)
        page.value("document.activeElement.blur()")
        _take(page, folder / "home.png")
        page.open(f"{room.address}/search?q={quote_plus(question)}")
        _take(page, folder / "results.png")
        phrase = quote_plus(f'"{title}"')
        page.open(f"{room.address}/search?level=dossier&q={phrase}")
        page.follow(".hit h2 a")
        dossier = page.value("location.href")
        _take(page, folder / "dossier.png", _WHOLE)
        page.open(dossier.replace("/dossiers/", "/aips/") + "/events")
        _take(page, folder / "events.png", _WHOLE)
        page.open(dossier + "/documents/1")
        _take(page, folder / "document.png", _WHOLE)
        page.resize(PHONE)
        page.open(dossier)
        _take(page, folder / "phone.png")


def take_clerks_pictures(browser: Chromium, room: ReadingRoom, folder: Path) -> None:
    """Write the pictures of ``docs/clerks.md`` into ``folder``, walking the clerk's path."""
    with browser.page() as page, tempfile.TemporaryDirectory(prefix="tangthu-clerk-") as work:
        room.enter(page)
        walk(Clerk(page, room, Path(work), lambda name, seen: _take(seen, folder / name, _CLERKS)))


def take_checks_pictures(browser: Chromium, folder: Path) -> None:
    """Write ``CHECKED`` into ``folder``: a package in quarantine, and what was found of a signed document."""
    with tempfile.TemporaryDirectory(prefix="tangthu-checks-") as work, clamd.running() as scanner:
        home = Path(work) / "kho"
        stores = [f"--store={store}={Path(work) / store}" for store in ("kho-a", "kho-b")]
        _type(home, "init", "--code", "H20.LTLS", "--name", "Lưu trữ lịch sử tỉnh Đồng Tháp", *stores)
        with (home / "tangthu.toml").open("a") as settings:
            settings.write(f'\n[antivirus]\nclamd = "{scanner.address}"\n')
        sent = {
            "ho-so-ky-so": {"quyet-dinh.pdf": sign(pdf())},
            "ho-so-co-vi-rut": {"phụ lục/bản vẽ.zip": zipped("e.com", EICAR), "tờ trình.txt": "Kính gửi".encode()},
        }
        for number, (name, files) in enumerate(sent.items(), 1):
            info = (("External-Identifier", f"HS-2026-{number}"), ("External-Description", _CHECKED_TITLES[number - 1]))
            package = bag(Path(work) / name, files, info=(("Source-Organization", "H20.01"), *info))
            _type(home, "ingest", "--agency", "H20.01", "--fonds", "P01", str(package), code=number - 1)
        with served(home) as room, browser.page() as page:
            room.enter(page)
            page.open(room.address + "/quarantine")
            page.follow("a[href*='/quarantine/q-']")
            _take(page, folder / "quarantine.png", _WHOLE)
            page.open(room.address + "/search?level=dossier&q=sen")
            page.follow(".hit h2 a")
            page.open(page.value("location.href") + "/documents/1")
            _take(page, folder / "checks.png", _WHOLE)
            page.follow("a[href$='/signatures']")
            _take(page, folder / "signature.png", _WHOLE)


def take_officers_pictures(browser: Chromium, folder: Path) -> None:
    """Write ``officer.PICTURES`` into ``folder``: a year of checks, and the officer's path."""
    with (
        officer.picture_folder() as work,
        officer.new_archive(Path(work) / "kho", full=True) as archive,
        served(archive.settings.home) as room,
        officer.repairing(archive),
        browser.page() as page,
    ):
        room.enter(page)
        seen = officer.Officer(page, room, lambda name, here: _take(here, folder / name, _WHOLE))
        officer.walk(seen)
        officer.look_around(seen)


def _type(home: Path, *arguments: str, code: int = 0) -> None:
    if run(["--home", str(home), *arguments]) != code:
        raise RuntimeError(arguments)


def _take(page: Page, path: Path, tallest: int = _TALLEST) -> None:
    path.write_bytes(page.picture(height=tallest))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.flows.pictures", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=PICTURES)
    target: Path = parser.parse_args().folder
    with tempfile.TemporaryDirectory(prefix="tangthu-pictures-") as folder:
        demo = Path(folder) / "demo"
        subprocess.run([sys.executable, "-m", "demo", "--no-serve", str(demo)], cwd=ROOT, check=True)
        with served(demo / "kho") as room, running() as browser:
            take_pictures(browser, room, target, question=_QUESTION, title=_TITLE)
            take_clerks_pictures(browser, room, target)
            take_checks_pictures(browser, target)
            take_officers_pictures(browser, target)


if __name__ == "__main__":
    main()
