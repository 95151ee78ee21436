"""The officer's pages as HTTP answers: empty and full, hostile words, forms that are refused; and their pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from httpx import Client

from access.web.words import all_words
from administration.application import application
from administration.archive import Archive, write_settings
from administration.checks import CheckDesk
from administration.packs import PackDesk
from administration.pages.charts import LEVELS, Bar, Mark, bars, columns, heat_map, legend, timeline
from administration.settings import render
from administration.work.asking import WorkDesk
from metadata.audits import AuditKind, AuditState
from metadata.errors import StoreUnavailable
from metadata.events import LogHead
from metadata.holdings import Replica
from metadata.identifiers import FondsCode, StoreId
from metadata.incidents import IncidentKind, IncidentState
from metadata.journal import EntryKind
from metadata.outcomes import Fixity
from metadata.stores import StoreState
from metadata.text import Sentence
from storage.space import Space, SpaceGauge
from tests.builders.browser import browser
from tests.builders.kept import NOW, Clock, Kept, keep

EVIL = "<script>alert(1)</script>"
HOSTILE = [EVIL, "\"'><img src=x onerror=alert(1)>", "\x00\x1b[31m\ud800\ufffe", "\u202egnp", "a" * 5000, ""]
PAGES = ("", "/incidents", "/audits", "/stores", "/backups", "/formats", "/forms")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    write_settings(tmp_path / "kho", render("H20", "Kho thử", [("a", "a"), ("b", "b")]))
    with Archive.open(tmp_path / "kho") as made:
        made.clock = Clock()
        made.create()
        made.space = SpaceGauge({one: lambda: Space(600, 1000) for one in made.stores})  # type: ignore[misc]
        yield made


@pytest.fixture
def kept(archive: Archive) -> Kept:
    return keep(archive.catalogue, list(archive.stores.values()))


@pytest.fixture
def officer(archive: Archive) -> Iterator[Client]:
    with ExitStack() as stack:
        desks = stack.enter_context(CheckDesk.of(archive)), stack.enter_context(PackDesk.of(archive))
        client = stack.enter_context(browser(application(archive, *desks)))
        enter(client, archive)
        yield client


def enter(client: Client, archive: Archive) -> None:
    form = re.search(r'name="form" value="([^"]+)"', client.get("/login").text)
    assert form
    client.post("/login", data={"form": form[1], "token": archive.token})


def send(officer: Client, path: str, **fields: str):
    token = re.search(r'name="form" value="([^"]+)"', officer.get("/preservation/audits").text)
    assert token
    return officer.post(f"/preservation{path}", data={"form": token[1], **fields})


def damaged(archive: Archive, kept: Kept, words: str = "Báo cáo.pdf"):
    facts = {"outcome": "MISMATCH", "damages": [{"place": words, "kind": "content", "expected": "aa", "found": words}]}
    told = Sentence(f"Bản sao ở kho b bị hỏng: {words}.", f"The replica in b is damaged: {words}.")
    return archive.incidents.meet(IncidentKind.DAMAGE, f"{kept.id} b", told, kept.id, StoreId("b"), facts)


def test_every_page_is_there_when_nothing_is_held_and_says_that_all_is_well(officer: Client) -> None:
    for path in PAGES:
        page = officer.get(f"/preservation{path}")
        assert page.status_code == 200, path
        assert 'style="' not in page.text and "<script" not in page.text
    assert "Mọi thứ đều tốt" in officer.get("/preservation").text
    assert "Không có sự cố nào" in officer.get("/preservation/incidents").text
    officer.get("/language/en")
    assert all(officer.get(f"/preservation{path}").status_code == 200 for path in PAGES)
    assert "All is well" in officer.get("/preservation").text


def test_nobody_sees_or_does_anything_without_coming_in(officer: Client, archive: Archive, kept: Kept) -> None:
    one = damaged(archive, kept)
    acts = [
        "/audits",
        f"/incidents/{one.id}/repair",
        f"/incidents/{one.id}/close",
        "/backups",
        "/backups/drill",
        "/forms/year",
    ]
    for act in acts:
        assert officer.post(f"/preservation{act}").status_code == 403, act
        assert officer.post(f"/preservation{act}", data={"form": "0" * 64}).status_code == 403, act
    token = re.search(r'name="form" value="([^"]+)"', officer.get("/preservation/audits").text)
    assert token
    headers = {"Sec-Fetch-Site": "cross-site"}
    sent = officer.post("/preservation/audits", data={"form": token[1], "kind": "deep", "store": "a"}, headers=headers)
    assert sent.status_code == 403
    officer.cookies.clear()
    for path in (*PAGES, f"/incidents/{one.id}", f"/incidents/{one.id}/fix.json", f"/aips/{kept.id}"):
        assert officer.get(f"/preservation{path}").status_code == 401, path
    for act in acts:
        assert officer.post(f"/preservation{act}").status_code == 401, act
    assert archive.audits.running() == []
    assert archive.catalogue.incidents.get(one.id).state is IncidentState.OPEN


@pytest.mark.parametrize("words", HOSTILE[:4])
def test_an_incident_is_told_understood_and_signed_off(
    officer: Client, archive: Archive, kept: Kept, words: str
) -> None:
    words = words.encode("utf-8", "replace").decode()
    one = damaged(archive, kept, words)
    overview = officer.get("/preservation").text
    assert "Có sự cố cần xử lý" in overview and f"/preservation/incidents/{one.id}" in overview
    assert '<b class="waits">1</b>' in overview
    page = officer.get(f"/preservation/incidents/{one.id}").text
    assert EVIL not in page and "<img src=x" not in page and "\x1b" not in page and "\u202e" not in page
    assert kept.version.title in page and "Sửa ngay" in page
    refused = send(officer, f"/incidents/{one.id}/close", cause="Đĩa hỏng", handling="", person="A")
    assert refused.status_code == 422 and "Đĩa hỏng" in refused.text and "Hãy ghi nguyên nhân" in refused.text
    refused = send(officer, f"/incidents/{one.id}/close", cause="x", handling="y", person="A")
    assert refused.status_code == 422 and "chưa được khắc phục" in refused.text
    archive.incidents.mend(IncidentKind.DAMAGE, f"{kept.id} b", {"how": "copied whole", "from": ["a"]})
    assert "Có việc cần để ý" in officer.get("/preservation").text
    closed = send(officer, f"/incidents/{one.id}/close", cause=f"Đĩa {words}", handling="Thay đĩa", person="Lê A")
    assert closed.status_code == 303
    page = officer.get(f"/preservation/incidents/{one.id}").text
    assert "Thay đĩa" in page and EVIL not in page and 'action="/preservation/incidents/' in page
    fix = officer.get(f"/preservation/incidents/{one.id}/fix.json")
    assert fix.content == archive.incidents.fix_file(one.id)
    assert fix.headers["content-disposition"].startswith("attachment")
    life = officer.get(f"/preservation/aips/{kept.id}").text
    assert one.id in life and EVIL not in life


def test_what_is_not_there_is_told(officer: Client, kept: Kept) -> None:
    for path in ("/incidents/none", "/incidents/none/fix.json", "/aips/none", "/nothing"):
        assert officer.get(f"/preservation{path}").status_code == 404, path
    for path in ("/incidents/none/repair", "/audits/none/pause", "/audits/none/burn", "/forms/other"):
        assert send(officer, path).status_code == 404, path


def test_repair_is_asked_of_the_work_engine_and_its_state_shown(officer: Client, archive: Archive, kept: Kept) -> None:
    one = damaged(archive, kept)
    sent = send(officer, f"/incidents/{one.id}/repair")
    assert sent.status_code == 303
    page = officer.get(sent.headers["location"]).text
    assert "Yêu cầu sửa đang chờ" in page and 'http-equiv="refresh"' in page and 'id="repair"' not in page
    assert "Yêu cầu sửa" not in officer.get(f"/preservation/incidents/{one.id}?job=drill-1").text


def test_a_standing_audit_is_paused_and_limited_not_stopped(officer: Client, archive: Archive, kept: Kept) -> None:
    page = officer.get("/preservation/audits").text
    assert "đang đọc những gì đến hạn" in page
    assert "/preservation/audits/standing-a/pause" in page
    assert "/preservation/audits/standing-a/stop" not in page
    assert send(officer, "/audits/standing-a/pause", person="Lê A").status_code == 303
    assert send(officer, "/audits/standing-b/limit", limit="2,5").status_code == 303
    assert send(officer, "/audits/standing-b/stop").status_code == 422
    first, second = archive.standing.listed()
    assert (first.state, second.state, second.limit) == (AuditState.PAUSED, AuditState.RUNNING, 2_500_000)
    assert "Đang tạm dừng" in officer.get("/preservation/audits").text
    assert "1 nơi lưu đang tạm dừng" in officer.get("/preservation").text
    assert send(officer, "/audits/standing-a/resume").status_code == 303
    assert "đang tạm dừng" not in officer.get("/preservation").text


def test_an_audit_is_begun_slowed_paused_and_stopped(officer: Client, archive: Archive, kept: Kept) -> None:
    begun = send(officer, "/audits", kind="sample", store="a", share="12,5", limit="1,5", fonds="P01", person="Lê A")
    assert begun.status_code == 303
    (one,) = archive.audits.running()
    assert (one.kind, one.share, one.limit, one.person) == (AuditKind.SAMPLE, 0.125, 1_500_000, "Lê A")
    assert "Kiểm tra mẫu (ngẫu nhiên)" in officer.get("/preservation/audits").text
    assert send(officer, f"/audits/{one.id}/limit", limit="3").status_code == 303
    assert send(officer, f"/audits/{one.id}/pause").status_code == 303
    (one,) = archive.audits.running()
    assert (one.limit, one.state) == (3_000_000, AuditState.PAUSED)
    assert "Chạy tiếp" in officer.get("/preservation/audits").text
    assert send(officer, f"/audits/{one.id}/resume").status_code == 303
    assert send(officer, f"/audits/{one.id}/stop").status_code == 303
    assert archive.audits.running() == []
    assert "đã ngừng" in officer.get("/preservation/audits").text
    refused = (
        {"kind": "other", "store": "a"},
        {"kind": "deep", "store": "ở"},
        {"kind": "deep", "store": "zz"},
        {"kind": "sample", "store": "a", "share": "200"},
        {"kind": "deep", "store": "a", "limit": "nan"},
    )
    for bad in refused:
        assert send(officer, "/audits", **bad).status_code == 422, bad
    assert archive.audits.running() == []


def test_enter_in_the_field_of_a_limit_sets_it_and_does_not_pause(officer: Client, archive: Archive) -> None:
    """Enter presses the first button of its form: that of the limit is alone in it."""
    archive.audits.begin(AuditKind.DEEP, StoreId("a"), limit=1_234_567)
    page = officer.get("/preservation/audits").text
    forms = [one for one in re.findall(r"<form.*?</form>", page, re.S) if 'id="limit-' in one]
    assert len(forms) == 3 and all(one.count("<button") == 1 and "formaction" not in one for one in forms)
    assert 'value="1,234567"' in page
    officer.get("/language/en")
    assert 'value="1.234567"' in officer.get("/preservation/audits").text


def test_an_audit_that_no_worker_has_begun_says_so(officer: Client, archive: Archive, kept: Kept) -> None:
    one = archive.audits.begin(AuditKind.DEEP, StoreId("a"))
    assert "chưa bắt đầu; máy chủ làm" in officer.get("/preservation/audits").text
    archive.catalogue.audits.advance(one.id, "", "k", NOW + timedelta(minutes=1), 1, 10, 0, 0)
    assert "chưa bắt đầu; máy chủ làm" not in officer.get("/preservation/audits").text


def test_a_damaged_replica_was_read_in_time_all_the_same(officer: Client, archive: Archive, kept: Kept) -> None:
    damaged(archive, kept)
    page = officer.get("/preservation").text
    assert page.count("100 % đọc trong hạn · 1<") == 2, re.findall(r"[^>]*đọc trong hạn[^<]*", page)


def test_what_could_not_be_read_is_told_of_every_audit(officer: Client, archive: Archive, kept: Kept) -> None:
    one = archive.audits.begin(AuditKind.DEEP, StoreId("a"), person="Lê A")
    archive.catalogue.audits.advance(one.id, "", "k", NOW, 1, 10, 0, 1)
    assert "1 không đọc được" in officer.get("/preservation/audits").text
    archive.audits.stop(one.id)
    page = officer.get("/preservation/audits").text
    assert 'data-label="Không đọc được">! 1<' in page and 'data-label="Hư hại">0<' in page and "Lê A" in page


def test_a_refused_audit_keeps_what_was_typed_and_a_share_goes_with_samples_alone(
    officer: Client, archive: Archive
) -> None:
    for kind, share in (("sample", ""), ("deep", "10")):
        page = send(officer, "/audits", kind=kind, store="b", share=share, fonds="P 7", limit="2,5", person="Lê A")
        assert page.status_code == 422 and "kiểm tra mẫu cần có tỷ lệ" in page.text
        for told in ('value="P 7"', 'value="2,5"', 'value="Lê A"', "<option selected>b<", f'"{kind}" selected'):
            assert told in page.text, told
    assert archive.audits.running() == []


@pytest.mark.parametrize("kind", IncidentKind)
def test_every_open_incident_says_what_to_do(officer: Client, archive: Archive, kind: IncidentKind) -> None:
    one = archive.incidents.meet(kind, "b", Sentence("Có chuyện.", "Something is wrong."), store=StoreId("b"))
    words = all_words("administration.pages.preservation")
    name = f"{kind.value}-store"
    told = words[f"todo.{name}" if f"todo.{name}" in words else f"todo.{kind.value}"]
    assert told.vi in officer.get(f"/preservation/incidents/{one.id}").text
    officer.get("/language/en")
    assert told.en.replace("'", "&#39;") in officer.get(f"/preservation/incidents/{one.id}").text


def test_what_was_closed_unmended_is_not_called_dealt_with(officer: Client, archive: Archive, kept: Kept) -> None:
    one = damaged(archive, kept)
    archive.incidents.close(one.id, "Đĩa hỏng", "Chờ đĩa mới", "Lê A", unmended=True)
    page = officer.get(f"/preservation/incidents/{one.id}").text
    assert "Đã đóng, chưa khắc phục" in page and "Đã xử lý xong" not in page
    assert 'class="light amber"' in page and "Đã đóng, chưa khắc phục" in officer.get("/preservation/incidents").text


def test_incidents_are_listed_by_state_and_the_overview_leads_to_the_open_ones(
    officer: Client, archive: Archive, kept: Kept
) -> None:
    one = damaged(archive, kept)
    archive.clock.now += timedelta(minutes=1)
    two = archive.incidents.meet(IncidentKind.BACKUP, "x", Sentence("Không được.", "It failed."))
    archive.incidents.close(two.id, "a", "b", "Lê A", unmended=True)
    assert 'href="/preservation/incidents?state=open"' in officer.get("/preservation").text
    both, waiting = (officer.get(f"/preservation/incidents{query}").text for query in ("", "?state=open"))
    assert one.id in both and two.id in both
    assert one.id in waiting and two.id not in waiting
    assert officer.get("/preservation/incidents?state=<b>").status_code == 200


def test_a_damage_is_told_in_words_and_the_key_apart(officer: Client, archive: Archive, kept: Kept) -> None:
    facts = {"damages": [{"place": "a/b.pdf", "kind": "data", "expected": "aa", "found": "bb"}], "key": "H20/k.zip"}
    one = archive.incidents.meet(IncidentKind.DAMAGE, "y b", Sentence("x", "y"), kept.id, StoreId("b"), facts)
    page = officer.get(f"/preservation/incidents/{one.id}").text
    assert "✗ Nội dung sai mã băm" in page and "<code>H20/k.zip</code>" in page


def test_a_timeline_tells_its_marks_in_words_and_vietnams_days(officer: Client, kept: Kept) -> None:
    page = officer.get(f"/preservation/aips/{kept.id}").text
    titles = re.findall(r"<title>(\d\d/\d\d/\d{4} \d\d:\d\d · [^<]*)</title>", page)
    assert titles and not [one for one in titles if re.search(r"MATCH|success|failure", one)], titles
    late = datetime(2026, 3, 1, 20, tzinfo=UTC)
    drawn = timeline(
        "t", "a", [("a", "a")], [Mark("a", late, "good", ""), Mark("a", late + timedelta(hours=1), "good", "")]
    )
    assert "02/03/2026 03:00" in drawn and "02/03/2026 04:00" in drawn and "01/03/2026" not in drawn


def test_forms_offer_what_there_is_by_what_people_know_it_by(officer: Client, archive: Archive, kept: Kept) -> None:
    page = officer.get("/preservation/forms").text
    assert "Chưa có lần sao lưu nào." in page and 'id="of-backup"' not in page and 'id="of-incident"' not in page
    damaged(archive, kept)
    assert "Bản sao hư hại · Bản sao ở kho b bị hỏng" in officer.get("/preservation/forms").text
    archive.clock.now = datetime(2026, 12, 31, 18, tzinfo=UTC)
    enter(officer, archive)
    assert 'value="2027-01-01"' in officer.get("/preservation/forms").text
    refused = send(officer, "/forms/check", first="2026-03-02", last="2026-01-01", person="Lê A; Trần B, Viên chức")
    assert refused.status_code == 422 and 'value="Lê A; Trần B, Viên chức"' in refused.text
    drawn = send(officer, "/forms/year", of="2026", person="Lê A; Trần B, Viên chức")
    (entry,) = archive.catalogue.journal.entries(EntryKind.FORM)
    assert drawn.status_code == 200 and entry.entry.document["people"] == ["Lê A", "Trần B, Viên chức"]


def test_the_history_of_a_store_is_told_in_words(officer: Client, archive: Archive) -> None:
    archive.journal.write(EntryKind.STORE, "b", "drain", {}, "Lê A")
    archive.journal.write(EntryKind.STORE, "b", EVIL, {}, "Lê A")
    page = officer.get("/preservation/stores").text
    assert "bắt đầu rút dần" in page and EVIL not in page and "thư mục trên đĩa" in page


def test_each_page_has_a_title_of_its_own(officer: Client) -> None:
    titles = {re.findall(r"<title>([^<]*)</title>", officer.get(f"/preservation{path}").text)[0] for path in PAGES}
    assert len(titles) == len(PAGES)


def test_forms_are_drawn_up(officer: Client, archive: Archive, kept: Kept) -> None:
    for name, fields in {
        "check": {"first": "2026-01-01", "last": "2026-03-02"},
        "diary": {"first": "2026-01-01", "last": "2026-03-02"},
        "year": {"of": "2026"}, "incident": {"of": damaged(archive, kept).id},
    }.items():  # fmt: skip
        drawn = send(officer, f"/forms/{name}", person="Lê A, trưởng phòng", **fields)
        assert drawn.status_code == 200 and drawn.content.startswith(b"%PDF"), name
    for name, fields in {"check": {"first": "x", "last": ""}, "year": {"of": "0"}, "backup": {"of": "none"}}.items():
        assert send(officer, f"/forms/{name}", **fields).status_code == 422, name


def test_numbers_beside_the_pictures_are_those_of_the_catalogue(officer: Client, archive: Archive) -> None:
    keep(archive.catalogue, list(archive.stores.values()), at=NOW - timedelta(days=200))
    page = officer.get("/preservation").text
    assert "2 bản sao chưa được đọc toàn bộ trong hạn" in page
    cells = re.findall(r'data-label="(Trong hạn|Quá hạn|Chưa đọc|Hư hại)">(\d+)<', page)
    assert cells == [("Trong hạn", "0"), ("Quá hạn", "1"), ("Chưa đọc", "0"), ("Hư hại", "0")] * 2 + [
        ("Trong hạn", "0"), ("Quá hạn", "2"), ("Chưa đọc", "0"),
    ]  # fmt: skip
    formats = officer.get("/preservation/formats").text
    assert "fmt/354" in formats and "Acrobat PDF/A" in formats


def test_shares_of_formats_are_written_as_each_language_writes_them(
    officer: Client, archive: Archive, kept: Kept
) -> None:
    shares = re.findall(r'data-label="Tỷ lệ">([^<]*)<', officer.get("/preservation/formats").text)
    assert shares and all(re.fullmatch(r"(\d+,\d|< 0,1) %", one) for one in shares), shares
    officer.get("/language/en")
    assert re.search(r'data-label="Share">\d+\.\d %<', officer.get("/preservation/formats").text)


def test_an_empty_archive_does_not_say_that_everything_was_read(officer: Client) -> None:
    page = officer.get("/preservation").text
    assert "Kho chưa giữ bản sao nào." in page and "đã được đọc lại" not in page


def test_who_reads_fast_enough_is_not_told_to_go_faster(officer: Client, archive: Archive) -> None:
    stores = list(archive.stores.values())
    keep(archive.catalogue, stores, "muộn", at=NOW - timedelta(days=200))
    assert "bắt đầu hoặc tăng tốc" in officer.get("/preservation").text
    for number in range(3):
        keep(archive.catalogue, stores, f"mới {number}", at=NOW - timedelta(days=1))
    page = officer.get("/preservation").text
    assert "đang đủ nhanh, hãy để tiếp tục" in page and "tăng tốc" not in page and "không phải đổi gì" in page


def test_of_many_fonds_the_page_says_which_are_drawn(officer: Client, archive: Archive) -> None:
    for number in range(13):
        made = keep(None, list(archive.stores.values()), f"gói {number}")
        version = replace(made.version, fonds=FondsCode(f"P{number}"))
        replica = Replica(made.id, StoreId("a"), Fixity.MATCH, NOW, NOW)
        archive.catalogue.holdings.register(
            version, made.members, made.records, [replica], made.events, "{}", LogHead(1, b"\0" * 32)
        )
        if number >= 11:
            assert ("Những phông còn nhiều" in officer.get("/preservation").text) is (number == 12)


def test_every_word_is_there_in_both_languages() -> None:
    words = all_words("administration.pages.preservation")
    assert all(one.vi.strip() and one.en.strip() for one in words.values())
    assert set(words) & (set(all_words()) | set(all_words("administration.pages"))) == set()
    assert {f"kind.{kind.value}" for kind in IncidentKind} <= set(words)


# Pictures


@pytest.mark.parametrize("label", HOSTILE)
def test_pictures_are_well_formed_whatever_they_say(label: str) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    drawn = [
        heat_map(label, label, {now.date(): (3.0, label)}, now.date() - timedelta(days=90), now.date()),
        bars(label, label, [Bar(label, {"within": 3, "late": 1, "never": 0, "damaged": 2}, label)], "x"),
        columns(label, label, [(label, 4.0, label)]),
        timeline(label, label, [("a", label)], [Mark("a", now, kind, label) for kind in ("good", "bad", "made", "?")]),
    ]
    for picture in drawn:
        root = ET.fromstring(picture)
        assert root.tag == f"{SVG}svg" and root.find(f"{SVG}title") is not None and root.find(f"{SVG}desc") is not None
        assert not [one for one in root.iter() if "style" in one.attrib or one.tag.endswith(("script", "img"))]


def test_pictures_of_nothing_are_pictures() -> None:
    today = date(2026, 3, 2)
    for picture in (
        heat_map("t", "a", {}, today, today), bars("t", "a", [], "x"), columns("t", "a", []),
        timeline("t", "a", [], []),
        bars("t", "a", [Bar("x", {"within": 0})], "x"), columns("t", "a", [("x", 0.0, "")]),
    ):  # fmt: skip
        ET.fromstring(picture)
    for kind in ("within", "late", "never", "damaged", "heat0", "good", "bad", "doubt", "made", "note"):
        ET.fromstring(legend(kind))


def test_a_heat_map_has_a_square_for_each_day_or_week() -> None:
    last = date(2026, 3, 2)
    first = last - timedelta(days=90)
    days = {first + timedelta(days=step): (float(step % 9), str(step % 9)) for step in range(91)}
    squares = list(ET.fromstring(heat_map("t", "a", days, first, last)).iter(f"{SVG}rect"))
    assert len(squares) == 91
    assert {one.attrib["class"] for one in squares} == {f"heat{level}" for level in range(LEVELS + 1)}
    titles = [one.findtext(f"{SVG}title") for one in squares]
    assert f"{first + timedelta(days=5):%d/%m/%Y}: 5" in titles
    three_years = last - timedelta(days=1095)
    weeks = list(ET.fromstring(heat_map("t", "a", days, three_years, last)).iter(f"{SVG}rect"))
    assert len(weeks) == 158
    told = sum(float((one.findtext(f"{SVG}title") or "").rpartition(": ")[2]) for one in weeks)
    assert told == sum(amount for amount, _ in days.values())


def test_the_parts_of_a_bar_are_as_long_as_their_share() -> None:
    drawn = ET.fromstring(bars("t", "a", [Bar("x", {"within": 30, "late": 10, "never": 0, "damaged": 0})], "x"))
    widths = [float(one.attrib["width"]) for one in drawn.iter(f"{SVG}rect") if one.get("class", "").startswith("bar")]
    assert widths == [480.0, 160.0]


@pytest.mark.parametrize("name,path,told", [
    ("backup", "/backups", "Yêu cầu sao lưu đang chờ"), ("drill", "/backups/drill", "Yêu cầu phục hồi thử đang chờ"),
])  # fmt: skip
def test_who_asks_for_a_backup_or_a_drill_sees_where_it_stands(
    officer: Client, archive: Archive, name: str, path: str, told: str
) -> None:
    buttons = 'id="backup"', 'id="drill"'
    page = officer.get("/preservation/backups").text
    assert told not in page and "refresh" not in page and all(button in page for button in buttons)
    sent = send(officer, path, kind="full", person="Lê A")
    assert sent.status_code == 303
    for shown in (sent.headers["location"], "/preservation/backups"):
        page = officer.get(shown).text
        assert told in page and 'http-equiv="refresh"' in page
        assert not any(button in page for button in buttons), "a form would be emptied"
        assert "tangthu serve" in page
    (job,) = WorkDesk(archive.settings.work_url).unfinished(name)
    assert job.argument == {"backup": {"kind": "full", "person": "Lê A"}, "drill": {"person": "Lê A"}}[name]


def test_a_backup_of_no_kind_is_refused(officer: Client, archive: Archive) -> None:
    refused = send(officer, "/backups", kind="half")
    assert refused.status_code == 422 and "Hãy chọn trong danh sách" in refused.text
    assert WorkDesk(archive.settings.work_url).unfinished("backup") == []


@pytest.mark.parametrize("job", ["repair-x", "backup@7", "backup-asked-none", "drill-asked-", "\x00", "'"])
def test_only_what_was_asked_for_is_shown(officer: Client, job: str) -> None:
    page = officer.get("/preservation/backups", params={"job": job})
    assert page.status_code == 200 and 'role="status"' not in page.text


def test_room_that_is_left_is_told_and_when_it_is_little(officer: Client, archive: Archive, kept: Kept) -> None:
    page = officer.get("/preservation/stores").text
    assert page.count("còn 600 B trong 1,0 kB") == 2 and "Gần đầy" not in page
    assert page.count("! Không đủ cho thêm 30 ngày") == 2, "less than what came in a month"
    size = kept.version.size
    archive.space = SpaceGauge({StoreId("a"): lambda: Space(2 * size, 30 * size)})  # type: ignore[misc]
    page, overview = officer.get("/preservation/stores").text, officer.get("/preservation").text
    assert page.count("! Gần đầy") == overview.count("! Gần đầy") == 1
    assert "1 nơi lưu sắp hết chỗ" in overview and "S3 không cho biết" in page
    archive.catalogue.stores.set_state(StoreId("a"), StoreState.DRAINING, NOW)
    assert "sắp hết chỗ" not in officer.get("/preservation").text, "nothing more is put there"
    archive.space = SpaceGauge(dict.fromkeys(archive.stores, _away))  # type: ignore[misc]
    assert officer.get("/preservation/stores").text.count("không được nối hoặc không trả lời") == 2


def _away() -> Space:
    raise StoreUnavailable(Sentence("Không trả lời.", "No answer."))


def test_a_store_shows_its_last_audit(officer: Client, archive: Archive, kept: Kept) -> None:
    assert "Đợt kiểm tra gần nhất" not in officer.get("/preservation/stores").text
    archive.audits.stop(archive.audits.begin(AuditKind.DEEP, StoreId("b")).id)
    assert officer.get("/preservation/stores").text.count("Đợt kiểm tra gần nhất") == 1


def test_nothing_is_said_of_damage_by_fonds(officer: Client, kept: Kept) -> None:
    page = officer.get("/preservation").text
    assert page.count('<th scope="col" class="right">Hư hại</th>') == page.count('data-label="Hư hại"') // 2 == 1
