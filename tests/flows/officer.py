"""The preservation officer's path through the pages: from red to green. The test walks it, the pictures of
``docs/officers.md`` are taken on the way.
"""

from __future__ import annotations

import io
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from administration.archive import Archive, utc_now
from administration.cli import run
from administration.flows import work_options, workflows
from administration.work.engine import WorkEngine
from ingest.place import Submission
from metadata.audits import AuditKind
from metadata.events import LogHead
from metadata.holdings import Replica
from metadata.identifiers import FondsCode, StoreId
from metadata.outcomes import Fixity
from storage.stores.memory import MemoryStore
from tests.builders.bags import bag
from tests.builders.kept import PERIOD, keep
from tests.services.chromium import PHONE, Page
from tests.services.reading_room import ReadingRoom

PICTURES = (
    "officer-overview.png", "officer-coverage.png", "officer-incident.png", "officer-repaired.png",
    "officer-audits.png", "officer-timeline.png", "officer-forms.png", "officer-stores.png", "officer-phone.png",
)  # fmt: skip
TITLE = "Hồ sơ xây dựng cầu Cao Lãnh, giai đoạn 2013 - 2018"
_TITLES = TITLE, "Hồ sơ quy hoạch vùng chuyên canh sen Tháp Mười", "Hồ sơ hội nghị tổng kết công tác lưu trữ 2024"
_FONDS = ("P01", "P02", "P07", "P12 Sở Xây dựng")
_FILE = "bản vẽ số 1.txt"


@dataclass
class Officer:
    """Who looks at what; ``see`` is told the name of each picture when the page is there."""

    page: Page
    room: ReadingRoom
    see: Callable[[str, Page], None] = lambda *_: None


def new_archive(home: Path, *, full: bool = False) -> Archive:
    """Three AIPs in two directory stores, a backup and a drill; a byte of the first one's replica in the second store
    is flipped on the disk, and an audit has found it. ``full``: and a year of checks of some hundred more."""
    stores = [f"--store={store}={home.parent / store}" for store in ("kho-a", "kho-b")]
    with redirect_stdout(io.StringIO()):
        assert run(["--home", str(home), "init", "--code", "H20.LTLS", "--name", "Lưu trữ lịch sử tỉnh Đồng Tháp",
                    *stores]) == 0  # fmt: skip
    settings = home / "tangthu.toml"
    text = settings.read_text().replace("[storage]", "[storage]\nlow_percent = 0.0  # of whichever disk this is")
    settings.write_text(text + ("\n[audit]\nperiod_days = 365\n" if full else ""))
    archive = Archive.open(home)
    for number, title in enumerate(_TITLES, 1):
        info = (("Source-Organization", "H20.01"), ("Bag-Group-Identifier", "P01"))
        named = (("External-Identifier", f"HS-{number}"), ("External-Description", title))
        sent = bag(home.parent / f"gói-{number}", {_FILE: b"Cau Cao Lanh " * 900}, info=(*info, *named))
        assert archive.ingest.receive(f"job-{number}", Submission(sent)).aip
    if full:
        _a_year(archive)
    archive.backups.make(True, person="Trần Văn Kho")
    archive.drills.run(aips=0 if full else 1, chain=False)
    version = next(one for one in archive.catalogue.holdings.versions(1000, None) if one.title == TITLE)
    path = next(path for path in (home.parent / "kho-b").rglob("*") if path.is_file() and version.key in str(path))
    data = bytearray(path.read_bytes())
    data[data.index(b"Cau Cao Lanh") + 5000] ^= 4
    path.chmod(0o644)
    path.write_bytes(data)
    archive.auditor.audit(version.id)
    if full:
        one = archive.audits.begin(AuditKind.DEEP, StoreId("kho-a"), limit=50_000_000, person="Trần Văn Kho")
        archive.catalogue.audits.advance(one.id, "", "k", utc_now() + timedelta(minutes=7), 190, one.bytes // 3)
    return archive


def _a_year(archive: Archive, count: int = 260) -> None:
    """More AIPs in the catalogue alone: received a year ago and since, read on days of the last year, some never."""
    lot, now = random.Random(5), utc_now()
    for number in range(count):
        made = keep(None, [MemoryStore(StoreId("x"))], f"mẫu {number}", documents=0)
        version = replace(made.version, fonds=FondsCode(_FONDS[number % 7 % 4]), created=now - timedelta(days=500))
        replicas = []
        for store in ("kho-a", "kho-b"):
            age = lot.triangular(0, 360, 40) if lot.random() < 0.93 else lot.uniform(370, 430)
            unread = store == "kho-b" and lot.random() < 0.06
            checked = None if unread else now - timedelta(days=age)
            outcome = Fixity.NOT_CHECKED if unread else Fixity.MATCH
            replicas.append(Replica(made.id, StoreId(store), outcome, checked, now + PERIOD))
        archive.catalogue.holdings.register(
            version, made.members, made.records, replicas, made.events, "{}", LogHead(1, b"\0" * 32)
        )


@contextmanager
def repairing(archive: Archive, queue: str = "repair") -> Iterator[None]:
    """A worker that takes repairs (or what is on another queue), and nothing else."""
    settings = archive.settings
    with WorkEngine(settings.work_url, workflows(archive), work_options(settings, (queue,))):
        yield


def walk(officer: Officer) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    """From the red overview to the closed incident: the fix file and the minutes that were downloaded."""
    page, at = officer.page, officer.room.address
    page.open(at + "/preservation")
    officer.see("officer-overview.png", page)
    assert page.value("!!document.querySelector('.light.red')")
    page.follow(".light a")
    page.follow(".list a")
    told = page.value("document.body.innerText")
    assert "kho-b" in told and _FILE in told and TITLE in told, told
    officer.see("officer-incident.png", page)
    page.click("#repair")
    page.until(".light.amber")
    assert page.value("document.querySelectorAll('.copies .jade').length") == 2
    officer.see("officer-repaired.png", page)
    page.write("#cause", "Ổ đĩa số 2 của kho B có vùng hỏng")
    page.write("#handling", "Đã chép lại từ kho A, đọc lại khớp; thay ổ đĩa ngày hôm nay")
    page.write("#person", "Trần Văn Kho, trưởng phòng Bảo quản")
    page.click("#close")
    page.until(".light.jade")
    return page.download("#fix"), page.download("#print")


def look_around(officer: Officer) -> None:
    """The other pages, as pictures."""
    page, at = officer.page, officer.room.address
    page.open(at + "/preservation#coverage")
    officer.see("officer-coverage.png", page)
    for name in ("audits", "stores", "forms"):
        page.open(f"{at}/preservation/{name}")
        officer.see(f"officer-{name}.png", page)
    page.open(at + "/preservation/incidents")
    page.follow(".list a")
    page.follow(".wordy a")
    officer.see("officer-timeline.png", page)
    page.resize(PHONE)
    page.open(at + "/preservation")
    officer.see("officer-phone.png", page)


def picture_folder() -> tempfile.TemporaryDirectory[str]:
    """Where an archive for pictures lies."""
    return tempfile.TemporaryDirectory(prefix="tangthu-officer-")
