"""The clerk's path through the pages: from the template to a package that is good. The test walks it, the pictures of
``docs/clerks.md`` are taken on the way.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl

from ingest.check import CheckVerdict
from ingest.reports.words import verdict_next
from tests.builders.packing import CODE, Values, dossier, text
from tests.builders.tt05 import PDF
from tests.services.chromium import PHONE, Page
from tests.services.reading_room import ReadingRoom

PICTURES = (
    "clerk-pack.png",
    "clerk-missing.png",
    "clerk-packed.png",
    "clerk-check.png",
    "clerk-refused.png",
    "clerk-good.png",
    "clerk-phone.png",
)
TITLE = "Hồ sơ tuyển dụng công chức năm 2024"
DOSSIER = dossier(title=TITLE, totalDoc="3", numberOfPage="6")
SUBJECTS = ("Quyết định thành lập hội đồng tuyển dụng", "Kế hoạch tuyển dụng công chức", "Thông báo kết quả tuyển dụng")
DOCUMENTS = tuple(text(number, subject=subject) for number, subject in enumerate(SUBJECTS, 1))
Photographer = Callable[[str, Page], object]


@dataclass(slots=True)
class Clerk:
    """A clerk at the pages, with a folder to work in. ``photograph`` is told where a picture could be taken."""

    page: Page
    room: ReadingRoom
    folder: Path
    photograph: Photographer = field(default=lambda *_: None)

    def template(self) -> bytes:
        """Take the workbook to be filled in."""
        self.page.open(self.room.address + "/packs")
        self.photograph("clerk-pack.png", self.page)
        name, data = self.page.download("a[href$='/all.xlsx']")
        assert name.endswith(".xlsx")
        return data

    def fill(self, template: bytes, documents: Sequence[Values]) -> Path:
        """Write a dossier and its documents into the template, as a person does: below the headings."""
        book = openpyxl.load_workbook(io.BytesIO(template))
        for sheet, rows in (("Hồ sơ", [DOSSIER]), ("Văn bản", documents)):
            names = [cell.value for cell in book[sheet][2]]
            for line, row in enumerate(rows, 4):
                for column, name in enumerate(names, 1):
                    if row.get(name):
                        book[sheet].cell(line, column, row[name])
        path = self.folder / "ho-so-2024.xlsx"
        book.save(path)
        return path

    def scans(self, count: int) -> list[Path]:
        """The first ``count`` of the documents' files."""
        made = [self.folder / f"{CODE}.{number:07}.pdf" for number in range(1, count + 1)]
        for number, path in enumerate(made, 1):
            path.write_bytes(PDF + b"%% trang %d\n" % number * 200)
        return made

    def hand_in(self, workbook: Path, files: Sequence[Path], *, sender: bool) -> None:
        """Fill in the form and wait for what comes of it."""
        self.page.choose("#workbook", workbook)
        if files:
            self.page.choose("#files", *files)
        if sender:
            self.page.write("#agency", "Sở Nội vụ tỉnh Đồng Tháp")
            self.page.write("#fonds", "P_SNV")
            self.page.write("#agreement", "01.SNV.2026.01")
        self.page.click(".clerk button.button")
        self.page.until(".verdict")

    def check(self, package: Path) -> None:
        """Have a package checked and wait for the verdict."""
        self.page.open(self.room.address + "/checks")
        self.page.choose("#package", package)
        self.photograph("clerk-check.png", self.page)
        self.page.click(".clerk button.button")
        self.page.until(".verdict")

    def packages(self) -> Path:
        """Take everything that was packed away; where it now lies, unpacked."""
        name, data = self.page.download(".actions a.button")
        assert name == "goi-nop-luu.zip"
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            archive.extractall(self.folder / "da-lap")
        return self.folder / "da-lap"

    def said(self) -> str:
        text: str = self.page.value("document.querySelector('main').innerText")
        return text


def walk(clerk: Clerk) -> None:
    """The whole path, and what must be seen on it."""
    page = clerk.page
    template = clerk.template()
    faulty = DOCUMENTS[2] | {"subject": "", "issuedDate": "31/02/2024"}
    clerk.hand_in(clerk.fill(template, [*DOCUMENTS[:2], faulty]), clerk.scans(2), sender=True)
    clerk.photograph("clerk-missing.png", page)
    missing = clerk.said()
    assert "CHƯA LẬP ĐƯỢC" in missing
    for code in ("PACK-DOCUMENT-WITHOUT-FILE", "TT05-DATE", "TT05-REQUIRED"):
        assert code in missing
    assert "Trang Văn bản, ô M6" in missing
    page.follow(".actions .button")
    assert page.value("document.querySelector('#agency').value") == "Sở Nội vụ tỉnh Đồng Tháp"
    clerk.hand_in(clerk.fill(template, DOCUMENTS), clerk.scans(3), sender=False)
    clerk.photograph("clerk-packed.png", page)
    result = page.value("location.href")
    assert "ĐÃ LẬP 1 GÓI" in clerk.said()
    (package,) = clerk.packages().glob("*.zip")
    clerk.check(broken(package))
    clerk.photograph("clerk-refused.png", page)
    told = clerk.said()
    assert "CHƯA ĐẠT" in told
    assert f"{CODE}.0000001.pdf" in page.value("document.querySelector('.kindof.red .place').textContent")
    assert page.value("document.querySelector('.tree .leaf .badge.red + a').textContent") == f"{CODE}.0000001.pdf"
    page.open(result)
    page.click(".packs form button")
    page.until(".tree")
    clerk.photograph("clerk-good.png", page)
    assert verdict_next(CheckVerdict.GOOD).vi in clerk.said()
    assert TITLE in clerk.said()
    name, data = page.download(".actions a.button")
    assert name == f"kiem-tra-{package.name}.pdf"
    assert data.startswith(b"%PDF-")
    page.resize(PHONE)
    page.open(page.value("location.href"))
    clerk.photograph("clerk-phone.png", page)


def broken(package: Path) -> Path:
    """A copy of a package in which one byte of its first PDF is another."""
    data = bytearray(package.read_bytes())
    at = data.index(b"trang 1")
    data[at] ^= 1
    path = package.parent / "hong" / package.name
    path.parent.mkdir()
    path.write_bytes(data)
    return path
