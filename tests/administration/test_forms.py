"""Forms say what the catalogue and the journal say, add up, are PDF/A, and can be traced."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pypdfium2
import pytest

from administration.forms import Form, FormService, Head, Person
from administration.forms.words import share_text, size_text
from metadata.backups import Backup, BackupKind, BackupOutcome, Drill, DrillOutcome
from metadata.catalogue import Catalogue
from metadata.errors import NotFound, TemporaryError, UsageError
from metadata.events import Agent
from metadata.holdings import PackageType
from metadata.identifiers import ArchiveCode, FondsCode, StoreId
from metadata.incidents import Incident, IncidentKind
from metadata.journal import EntryKind
from metadata.outcomes import Fixity, Validity
from metadata.text import Sentence
from preservation.incidents import Incidents
from preservation.journal import ArchiveJournal
from storage.stores.directory import DirectoryStore
from tests.builders.archive import Clock
from tests.builders.holdings import RECEIPT, a_head, a_version, ingest_events, members, records, register, replicas
from tests.preservation.looking import looked

NOW = datetime(2026, 3, 2, 1, 2, 3, tzinfo=UTC)
SITES = {StoreId("kho-1"): "Đồng Tháp", StoreId("kho-2"): "Cần Thơ"}
PEOPLE = (Person("Nguyễn Thị Ánh", "Trưởng phòng Bảo quản"), Person("Trần Văn Bảo", "Viên chức"))
HOSTILE = '🏛️ \u202etxt.exe\u202c #let x = [*đậm*] $x^2$ @ref <nhãn> #import "/etc/passwd" \\ ' + "ẵ" * 10_000


class Desk:
    """A catalogue, a journal in two stores, and who draws forms from them."""

    def __init__(self, folder: Path) -> None:
        self.catalogue = Catalogue(f"sqlite:///{folder / 'c.sqlite'}")
        self.catalogue.upgrade()
        stores = [DirectoryStore(store, folder / str(store)) for store in SITES]
        for store in stores:
            store.create(ArchiveCode("H20"))
        self.clock = Clock(NOW)
        agent = Agent("tangthu/1", "Tàng Thư 1")
        self.journal = ArchiveJournal(self.catalogue, stores, self.clock, agent)
        self.incidents = Incidents(self.catalogue, self.journal, self.clock)
        self.forms = FormService(self.catalogue, self.journal, self.clock, agent, "Lưu trữ lịch sử tỉnh", SITES)

    def back_up(self, id: str, base: str = "", outcome: BackupOutcome = BackupOutcome.MADE, stores: int = 2) -> Backup:
        one = Backup(
            id, BackupKind.INCREMENTAL if base else BackupKind.FULL, base, self.clock(), self.clock(), outcome,
            1_234_567, 3, 4_321, 17, tuple(SITES)[:stores], hashlib.sha256(id.encode()).digest(), "", "Lê Cường",
        )  # fmt: skip
        self.journal.write(EntryKind.BACKUP, id, outcome.value, one.document(), one.person)
        return one


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.catalogue.close()


def said(form: Form) -> str:
    """What the PDF says, in one line, without the places at which words may break."""
    document = pypdfium2.PdfDocument(form.pdf)
    pages = [page.get_textpage().get_text_range() for page in document]
    text = re.sub("[\u200b\ufffe\x02]", "", " ".join(pages))
    return unicodedata.normalize("NFC", re.sub(r"\s+", " ", text))


def unbroken(text: str) -> str:
    """The same without spaces: digests are broken over lines."""
    return re.sub(r"\s", "", text)


def judged(form: Form) -> None:
    """It claims PDF/A-2b and does nothing against it that our own checks know."""
    found = looked("pdf", form.pdf)
    assert (found.validity, found.remarks, found.facts.claim) == (Validity.VALID, (), "PDF/A-2b")


def test_the_minutes_of_a_check_say_what_was_looked_at_and_what_it_came_to(desk: Desk) -> None:
    damaged = register(desk.catalogue, "một", created=NOW)
    register(desk.catalogue, "hai", created=NOW)
    lease = desk.catalogue.fixity.lease_version(damaged.id, NOW, timedelta(hours=1), "w")
    results = {StoreId("kho-1"): Fixity.MISMATCH, StoreId("kho-2"): Fixity.UNREADABLE}
    desk.catalogue.fixity.finish(lease, results, NOW, NOW, [], a_head(2))
    told = Sentence("Bản sao ở kho kho-1 bị hỏng.", "The replica in kho-1 is damaged.")
    found = desk.incidents.meet(IncidentKind.DAMAGE, "một kho-1", told)
    form = desk.forms.check(date(2026, 3, 1), date(2026, 3, 31), PEOPLE)
    text = said(form)
    judged(form)
    for part in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "LƯU TRỮ LỊCH SỬ TỈNH",
        "BIÊN BẢN KIỂM TRA TÀI LIỆU LƯU TRỮ SỐ VÀ CƠ SỞ DỮ LIỆU", "Từ ngày 01/03/2026 đến ngày 31/03/2026",
        "Thông tư số 05/2025/TT-BNV", "Nguyễn Thị Ánh", "Trưởng phòng Bảo quản", "kho-1 (Đồng Tháp)",
        "đã kiểm tra 4 trên 4 bản sao (100,00 %)", "1 bản sao không đọc được", "có 1 chỗ hư hại",
        "Hiện còn 1 sự cố", found.id, "Cấu trúc tệp cơ sở dữ liệu", form.id,
    ):  # fmt: skip
        assert part in text, part
    assert re.search(r"Cộng 4 4 2 1 0 1", text), text
    assert form.data["stores"][0]["checked"] == {
        "MATCH": 1, "MISMATCH": 1, "MISSING": 0, "UNREADABLE": 0, "NOT_CHECKED": 0,
    }  # fmt: skip


def test_nothing_that_was_not_looked_at_counts_as_checked(desk: Desk) -> None:
    register(desk.catalogue, created=NOW)
    text = said(desk.forms.check(date(2026, 4, 1), date(2026, 4, 30)))
    assert "đã kiểm tra 0 trên 2 bản sao (0,00 %); chưa có cơ sở để kết luận." in text


def test_the_diary_has_every_backup_and_drill_of_its_days(desk: Desk) -> None:
    desk.back_up("2026-03-02-full")
    desk.back_up("2026-03-03-inc", "2026-03-02-full", BackupOutcome.FAILED)
    drill = Drill("dt-1", NOW, 3.0, DrillOutcome.PASSED, ("a", "b"), 10, 2_000_000, "2026-03-02-full", 4_321)
    desk.journal.write(EntryKind.DRILL, drill.id, "passed", drill.document())
    desk.journal.write(EntryKind.BACKUP, "lạ", "made", {"kind": "what"})
    desk.clock.now += timedelta(days=40)
    desk.back_up("2026-04-11-full")
    form = desk.forms.backup_diary(date(2026, 3, 1), date(2026, 3, 31))
    text = said(form)
    judged(form)
    assert [line["id"] for line in form.data["lines"]] == ["2026-03-02-full", "2026-03-03-inc", "dt-1"]
    for part in ("1,2 MB", "kho-1, kho-2", "Lê Cường", "Thất bại", "Toàn bộ", "Dòng không đọc được"):
        assert part in text, part
    assert "2026-04-11" not in text
    assert "1 lần, trong đó 1 lần không đạt" in text


def test_the_minutes_of_a_backup_name_its_sets_its_chain_and_its_manifest(desk: Desk) -> None:
    desk.back_up("full-1")
    desk.back_up("inc-1", "full-1")
    made = desk.back_up("inc-2", "inc-1")
    form = desk.forms.backup("inc-2", PEOPLE, Head("12/BB-LTLS", date(2026, 3, 3), "Cao Lãnh", "Sở Nội vụ"))
    text = said(form)
    judged(form)
    for part in (
        "full-1 > inc-1 > inc-2", "1.234.567 byte", "4.321", "Đồng Tháp", "Cần Thơ", "BÊN GIAO",
        "BÊN NHẬN", "12/BB-LTLS", "Cao Lãnh, ngày 03 tháng 03 năm 2026", "SỞ NỘI VỤ", "2 bộ ở 2 nơi lưu độc lập",
    ):  # fmt: skip
        assert part in text, part
    assert made.digest.hex() in unbroken(text)
    with pytest.raises(NotFound):
        desk.forms.backup("không có")


def test_a_backup_in_one_store_or_a_failed_one_is_not_called_enough(desk: Desk) -> None:
    desk.back_up("một-kho", stores=1)
    assert "yêu cầu ít nhất hai bộ" in said(desk.forms.backup("một-kho"))
    desk.back_up("hỏng", outcome=BackupOutcome.FAILED, stores=0)
    assert "Sao lưu không thành công, không được tính." in said(desk.forms.backup("hỏng"))


def test_the_minutes_of_an_incident_tell_it_from_the_first_look_to_the_last(desk: Desk) -> None:
    right, wrong = "ab" * 32, "cd" * 32
    facts = {
        "key": "H20/P01/x/v1.zip", "store": "kho-1", "outcome": "MISMATCH", "at": "2026-03-02T01:02:03Z", "reads": 2,
        "damage_count": 1, "events": ["e"],
        "damages": [{"place": "data/Công văn số 3.pdf", "kind": "data", "expected": right, "found": wrong}],
    }  # fmt: skip
    told = Sentence("Bản sao ở kho kho-1 bị hỏng.", "The replica in kho-1 is damaged.")
    one = desk.incidents.meet(IncidentKind.DAMAGE, "x kho-1", told, store=StoreId("kho-1"), facts=facts)
    opened = said(desk.forms.incident(one.id))
    assert "Sự cố chưa được khắc phục." in opened and "Chưa được phục hồi." in opened and "Chưa ghi:" in opened
    mended = {"how": "copied whole", "from": ["kho-2"], "read_back": "2026-03-02T02:00:00Z", "events": ["f"]}
    desk.incidents.mend(IncidentKind.DAMAGE, "x kho-1", mended)
    desk.incidents.close(one.id, "Đĩa cứng số 7 có cung hỏng", "Đã thay đĩa, chép lại từ kho-2", "Phạm Dung")
    form = desk.forms.incident(one.id, PEOPLE)
    text = said(form)
    judged(form)
    for part in (
        one.id, "Bản sao hư hại", "Bản sao ở kho kho-1 bị hỏng.", "data/Công văn số 3.pdf", "Sai lệch",
        "08:02 02/03/2026", "Đĩa cứng số 7 có cung hỏng", "Đã thay đĩa, chép lại từ kho-2", "kho-2",
        "09:00 02/03/2026", "Nội dung sai mã băm", "Chép lại toàn bộ từ bản sao khớp",
        "Phạm Dung", "Nghị định số 113/2025/NĐ-CP", "Phát hiện", "Khắc phục", "Kết thúc",
    ):  # fmt: skip
        assert part in text, part
    digests = [entry.digest.hex() for entry in desk.catalogue.journal.entries(EntryKind.INCIDENT, one.id)]
    assert all(digest in unbroken(text) for digest in (right, wrong, *digests))
    with pytest.raises(NotFound):
        desk.forms.incident("damage-000000000000")


def test_who_signed_an_incident_off_has_handled_it_and_approves_nothing(desk: Desk) -> None:
    facts = {"note": "data/1: data (aa → bb)", "damages": [{"place": "data/1", "kind": "data", "expected": "aa"}]}
    one = desk.incidents.meet(IncidentKind.DAMAGE, "x kho-1", Sentence("a", "b"), facts=facts)
    desk.incidents.mend(IncidentKind.DAMAGE, "x kho-1", {"how": "repaired"})
    desk.incidents.close(one.id, "Đĩa hỏng", "Thay đĩa", "Phạm Dung, Viên chức")
    text = said(desk.forms.incident(one.id))
    end = text[text.index("NGƯỜI LẬP BIÊN BẢN") :]
    assert end.count("Phạm Dung") == 1 and "Phạm Dung, Viên chức" not in end
    assert "NGƯỜI XỬ LÝ Handled by (Ký, ghi rõ họ tên) Phạm Dung LÃNH ĐẠO" in end, end
    assert "Ghi chú" not in text


def test_a_column_of_words_is_as_wide_as_its_words_beside_many_numbers(desk: Desk) -> None:
    """The name of a store is whole in the second table of the check, where numbers leave it little room."""
    register(desk.catalogue, created=NOW)
    (first, *_) = pypdfium2.PdfDocument(desk.forms.check(date(2026, 3, 1), date(2026, 3, 31)).pdf)
    lines = first.get_textpage().get_text_range().replace("\u200b", "").splitlines()
    assert any(line.startswith("kho-1 100,00 %") for line in lines), lines
    assert any(line.startswith("kho-2 100,00 %") for line in lines), lines


def test_what_the_database_lacks_nowhere_is_none_not_sound(desk: Desk) -> None:
    text = said(desk.forms.check(date(2026, 3, 1), date(2026, 3, 31)))
    assert text.count("Không có / None") >= 3 and text.count("Đạt / Sound") == 1


def test_the_report_of_a_year_adds_up_to_what_the_catalogue_counts(desk: Desk) -> None:
    register(desk.catalogue, "cũ", created=datetime(2025, 6, 1, tzinfo=UTC))
    for number in range(3):
        register(desk.catalogue, f"mới {number}", created=NOW)
    loose = replace(
        a_version("lẻ", created=NOW),
        fonds=FondsCode("P02"), package_type=PackageType.AIP_TAILIEU, payload_bytes=1_000_000_000_007,
    )  # fmt: skip
    events = ingest_events(loose.id)
    desk.catalogue.holdings.register(loose, members(5), records(), replicas(loose.id), events, RECEIPT, a_head(1))
    desk.back_up("full-1")
    desk.catalogue.incidents.put(Incident("i", IncidentKind.STORE_AWAY, "kho-2", NOW, Sentence("a", "b")))
    form = desk.forms.year(2026, PEOPLE)
    text = said(form)
    judged(form)
    counts = desk.catalogue.holdings.counts()
    sums = {name: sum(int(one[name]) for one in form.data["fonds"]) for name in ("documents", "files", "bytes")}
    assert sums == {"documents": counts.documents, "files": counts.files, "bytes": counts.bytes}
    assert sum(one["replicas"] for one in form.data["stores"]) == sum(counts.replicas.values())
    assert sum(one["bytes"] for one in form.data["stores"]) == 2 * counts.stored
    assert "Cộng 4 1 10 25 1.000.000.400.007 1,0 TB" in text
    assert "Cộng 3 1 8 20 1.000.000.300.007 1,0 TB" in text
    assert "P01 4 0 8 20 400.000 400,0 kB" in text
    for part in ("fmt/354", "Nơi lưu không trả lời", "Toàn bộ: Đã sao lưu", "Cần Thơ", "khi năm chưa kết thúc"):
        assert part in text, part
    before = desk.forms.year(2025)
    assert "tính đến hết ngày 31/12/2025" in said(before)
    assert "Cộng 1 0 2 5 100.000 100,0 kB" in said(before)


@pytest.mark.parametrize("name", ["check", "backup-diary", "year"])
def test_an_empty_archive_has_forms_that_say_so(desk: Desk, name: str) -> None:
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    form = {
        "check": lambda: desk.forms.check(first, last),
        "backup-diary": lambda: desk.forms.backup_diary(first, last),
        "year": lambda: desk.forms.year(2026),
    }[name]()
    judged(form)
    assert form.name == name
    assert "Không có" in said(form)


def test_what_comes_from_outside_is_never_markup_and_never_leaves_the_page(desk: Desk) -> None:
    facts = {"damages": [{"place": HOSTILE, "kind": HOSTILE, "expected": "x" * 10_000, "found": ""}], HOSTILE: HOSTILE}
    one = desk.incidents.meet(IncidentKind.LOST, HOSTILE, Sentence(HOSTILE, HOSTILE), facts=facts)
    desk.incidents.close(one.id, HOSTILE, HOSTILE, HOSTILE, unmended=True)
    form = desk.forms.incident(
        one.id, [Person(HOSTILE, HOSTILE)] * 9, Head(HOSTILE, date(2026, 1, 1), HOSTILE, HOSTILE)
    )
    text = said(form)
    judged(form)
    assert "#let x = [*đậm*] $x^2$ @ref <nhãn>" in text
    assert "\\u202etxt.exe" in text and "\u202e" not in text
    for page in pypdfium2.PdfDocument(form.pdf):
        width, height = page.get_size()
        words = page.get_textpage()
        for at in range(words.count_rects()):
            left, bottom, right, top = words.get_rect(at)
            assert left >= 0 and bottom >= 0 and right <= width and top <= height


def test_the_same_form_is_the_same_bytes_and_one_entry_whenever_it_is_drawn(desk: Desk) -> None:
    register(desk.catalogue, created=NOW)
    first = desk.forms.year(2026, PEOPLE)
    desk.clock.now += timedelta(days=3)
    again = desk.forms.year(2026, PEOPLE)
    assert (again.id, again.pdf, again.moment) == (first.id, first.pdf, first.moment)
    (entry,) = desk.catalogue.journal.entries(EntryKind.FORM)
    assert (entry.entry.subject, entry.entry.act, entry.entry.person) == (first.id, "drawn", str(PEOPLE[0]))
    assert entry.entry.document["sha256"] == hashlib.sha256(first.pdf).hexdigest() == first.sha256
    assert entry.entry.document["form"] == "year" and entry.entry.document["of"] == "2026"
    register(desk.catalogue, "nữa", created=NOW)
    assert desk.forms.year(2026, PEOPLE).id != first.id
    assert desk.forms.year(2026).id != first.id, "other people signed it"
    assert desk.catalogue.journal.count() == 3


def test_periods_and_years_that_there_are_not(desk: Desk) -> None:
    with pytest.raises(UsageError):
        desk.forms.check(date(2026, 3, 2), date(2026, 3, 1))
    for year in (0, -1, 9999, 10_000):
        with pytest.raises(UsageError):
            desk.forms.year(year)
    assert desk.forms.year(1).data["fonds"] == []


def test_people_are_read_as_they_are_written() -> None:
    assert Person.parse("Nguyễn Văn A, Trưởng phòng, kiêm thủ kho") == Person(
        "Nguyễn Văn A", "Trưởng phòng, kiêm thủ kho"
    )
    assert (Person.parse(" B "), str(Person.parse("B")), str(PEOPLE[1])) == (
        Person("B"),
        "B",
        "Trần Văn Bảo, Viên chức",
    )


def test_sizes_and_shares_as_people_here_write_them() -> None:
    sizes = [size_text(size) for size in (0, 999, 1000, 1_250_000, 10**12, 10**18)]
    assert sizes == ["0 byte", "999 byte", "1,0 kB", "1,2 MB", "1,0 TB", "1000,0 PB"]
    assert [share_text(*pair) for pair in ((0, 0), (1, 3), (9_999_999, 10_000_000), (5, 5))] == [
        "–", "33,33 %", "99,99 %", "100,00 %",
    ]  # fmt: skip


def test_a_form_that_cannot_be_typeset_is_told_in_words_and_not_written_down(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise OSError("no memory")

    monkeypatch.setattr("administration.forms.sheet.typeset", fail)
    with pytest.raises(TemporaryError, match="no memory"):
        desk.forms.year(2026)
    assert desk.catalogue.journal.count() == 0
