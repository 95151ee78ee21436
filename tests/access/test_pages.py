"""The pages as a browser without JavaScript sees them."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from html.parser import HTMLParser
from importlib import resources
from urllib.parse import quote

import pytest
from httpx import Client, Response

from access.search.memory import MemoryIndex
from access.search.port import TEXT_FIELD, Facet
from access.services import AccessServices
from access.web.checks import _TOLD
from access.web.guard import CONTENT_SECURITY_POLICY
from access.web.links import local_path
from access.web.retelling import retell
from access.web.show import Show
from access.web.words import Language, all_words, word
from metadata.characteristics import Facts
from metadata.dates import RecordDate
from metadata.errors import StoreUnavailable
from metadata.events import EventType
from metadata.holdings import AipVersion, Role
from metadata.outcomes import Fixity, SignatureOutcome, Validity, Virus
from metadata.text import Sentence
from metadata.tt05.profile import default_profile
from tests.builders.browser import browser
from tests.builders.reading import TOKEN, Archive, Paper, archive
from tests.builders.search import change, entry


class Links(HTMLParser):
    """Every address that a page points to, and what a strict policy forbids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forbidden: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src", "action"):
                self.links.append(value or "")
            if name == "style" or name.startswith("on"):
                self.forbidden.append(f"{tag} {name}")
        if tag in ("script", "style"):
            self.forbidden.append(tag)


def enter(client: Client, token: str = TOKEN, back: str = "/") -> Response:
    page = client.get("/login", params={"next": back})
    form = re.search(r'name="form" value="([0-9a-f]{64})"', page.text)
    assert form
    return client.post("/login", data={"token": token, "form": form[1], "next": back})


def every_page(versions: list[AipVersion]) -> list[str]:
    land, council, plain = (version.aip for version in versions)
    return [
        "/",
        "/search",
        "/search?q=quyet+dinh",
        "/search?q=zzz",
        "/search?q=%22a&year=2019&agency=H20.05&sort=newest",
        f"/dossiers/{land}",
        f"/dossiers/{land}-v1",
        f"/dossiers/{land}?first=2",
        f"/dossiers/{council}",
        f"/dossiers/{plain}",
        f"/dossiers/{land}/documents/2",
        f"/dossiers/{council}/documents/3",
        f"/aips/{land}/events",
        f"/aips/{land}/files",
        f"/aips/{plain}/files?first=2",
    ]


@pytest.mark.parametrize("language", list(Language))
def test_every_link_of_every_page_leads_somewhere(
    reader: Client, versions: list[AipVersion], language: Language
) -> None:
    reader.cookies.set("tangthu_language", language.value)
    seen: set[str] = set()
    for page in every_page(versions):
        response = reader.get(page)
        assert response.status_code == 200, page
        assert f'<html lang="{language.value}">' in response.text
        found = Links(response.text)
        assert not found.forbidden, page
        assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in found.links), page
        seen.update(link for link in found.links if link.startswith(("/d", "/a", "/static")))
    for link in sorted(seen):
        assert reader.head(link).status_code in (200, 405), link
        assert reader.get(link).status_code == 200, link


def test_headers_of_a_page(reader: Client) -> None:
    headers = reader.get("/").headers
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)"])
def test_nothing_from_outside_becomes_markup(reader: Client, versions: list[AipVersion], text: str) -> None:
    for page in (f"/search?q={quote(text)}", f"/search?type={quote(text)}", f"/dossiers/{versions[1].aip}/documents/3"):
        response = reader.get(page)
        assert not Links(response.text).forbidden
        assert "<img src=x" not in response.text
        assert 'href="javascript' not in response.text


def test_home_without_anything(tmp_path: object, reader: Client) -> None:
    assert "3 hồ sơ, 6 tài liệu" in reader.get("/").text
    with archive(tmp_path, MemoryIndex()) as empty:  # type: ignore[arg-type]
        bare = browser(empty.application())
        bare.headers = reader.headers
        assert "chưa có hồ sơ nào" in bare.get("/").text


def test_results_show_matches_chips_and_facets(reader: Client) -> None:
    page = reader.get("/search?q=quy+hoach&year=2019").text
    assert "<mark>quy</mark> <mark>hoạch</mark>" in page
    assert 'href="/search?q=quy+hoach"' in page
    assert 'href="/search?q=quy+hoach&amp;year=2019&amp;level=document"' in page
    assert 'name="year" value="2019"' in page


def test_results_are_paged(library: Archive, reader: Client) -> None:
    library.index.replace([change(1, *(entry("hồ sơ", start="2020") for _ in range(45)))])
    first, last = reader.get("/search?q=ho+so"), reader.get("/search?q=ho+so&page=3")
    assert 'href="/search?q=ho+so&amp;page=2"' in first.text
    assert first.text.count('class="hit"') == 20
    assert last.text.count('class="hit"') == 5
    assert "Trang 3 / 3" in last.text
    assert reader.get("/search?page=51").status_code == 422
    assert reader.get("/search?sort=x").status_code == 422


def test_a_dossier_and_its_life(reader: Client, versions: list[AipVersion]) -> None:
    page = reader.get(f"/dossiers/{versions[0].aip}").text
    assert "2019 – 2020" in page
    assert "Vĩnh viễn" in page
    assert page.index("Tiếp nhận") < page.index("Lưu tại kho-a") < page.index("Đọc lại toàn bộ lần cuối")
    assert "✓ nguyên vẹn" in page
    assert "11/05/2026" in page


def test_a_document_can_be_downloaded(reader: Client, versions: list[AipVersion]) -> None:
    page = reader.get(f"/dossiers/{versions[0].aip}/documents/2").text
    found = [link for link in Links(page).links if link.startswith("/api/")]
    assert len(found) == 2
    assert reader.get(found[1]).content == b"PK docx"


def test_the_log_is_newest_first(reader: Client, versions: list[AipVersion]) -> None:
    page = reader.get(f"/aips/{versions[0].aip}/events").text
    assert page.index("Phục hồi bản sao") < page.index("✗ không đạt") < page.index("Tạo gói lưu trữ")


def test_long_lists_are_paged(reader: Client, versions: list[AipVersion], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("access.web.pages.DOCUMENTS", 2)
    monkeypatch.setattr("access.web.pages.FILES", 2)
    assert f"/dossiers/{versions[0].aip}?first=3" in reader.get(f"/dossiers/{versions[0].aip}").text
    assert f"/aips/{versions[0].aip}/files?first=3" in reader.get(f"/aips/{versions[0].aip}/files").text


def test_coming_in_and_going_out(stranger: Client) -> None:
    asked = stranger.get("/search?q=a")
    assert asked.status_code == 401
    assert 'name="next" value="/search?q=a"' in asked.text
    response = enter(stranger, back="/search?q=a")
    assert (response.status_code, response.headers["Location"]) == (303, "/search?q=a")
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    page = stranger.get("/search?q=a")
    assert page.status_code == 200
    form = re.search(r'action="/logout"><input type="hidden" name="form" value="([0-9a-f]{64})"', page.text)
    assert form
    assert stranger.post("/logout", data={"form": "0" * 64}).status_code == 403
    assert stranger.post("/logout", data={"form": form[1]}).status_code == 303
    assert stranger.get("/").status_code == 401


def test_a_wrong_token(stranger: Client) -> None:
    response = enter(stranger, "wrong")
    assert response.status_code == 401
    assert "không đúng" in response.text
    assert stranger.get("/").status_code == 401


def test_a_form_from_elsewhere_is_refused(stranger: Client) -> None:
    stranger.get("/login")
    assert stranger.post("/login", data={"token": TOKEN, "form": "0" * 64}).status_code == 403
    assert stranger.post("/login", data={"token": TOKEN}).status_code == 403
    for headers in ({"Origin": "http://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        page = stranger.get("/login")
        form = re.search(r'name="form" value="([0-9a-f]{64})"', page.text)
        assert form
        response = stranger.post("/login", data={"token": TOKEN, "form": form[1]}, headers=headers)
        assert response.status_code == 403
        assert "Set-Cookie" not in response.headers


def test_more_in_the_form_is_nothing(stranger: Client) -> None:
    assert stranger.post("/login", data={"token": TOKEN * 100}).status_code == 422
    assert stranger.post("/login", data={"admin": "1", "role": "x"}).status_code == 403


@pytest.mark.parametrize(
    "path", ["//evil.test", "https://evil.test", "/\\evil.test", "", "x", "/\r\nSet-Cookie: a=b", "/\tx", "/ă"]
)
def test_nobody_is_sent_elsewhere(stranger: Client, path: str) -> None:
    assert local_path(path) == "/"
    assert enter(stranger, back=path).headers["Location"] == "/"
    assert stranger.get("/language/en", params={"next": path}).headers["Location"] == "/"


def test_the_language_is_kept_and_the_page_too(reader: Client) -> None:
    here = "/search?q=h%E1%BB%93+s%C6%A1&year=2019"
    link = next(link for link in Links(reader.get(here).text).links if link.startswith("/language/en"))
    response = reader.get(link)
    assert (response.status_code, response.headers["Location"]) == (303, here)
    assert "Narrow the results" in reader.get(here).text
    assert reader.get("/language/fr").status_code == 422


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/dossiers/x", 404), ("/search?page=0", 422)])
def test_trouble_is_told_in_both_languages(reader: Client, path: str, status: int) -> None:
    response = reader.get(path)
    assert response.status_code == status
    assert 'class="english" lang="en"' in response.text
    assert response.text.count("<p>") >= 6


def test_other_methods(reader: Client) -> None:
    assert reader.delete("/search").status_code == 405
    assert reader.get("/static/nothing").status_code == 404
    assert reader.get("/static/style.css").headers["Content-Type"].startswith("text/css")


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [(RuntimeError("secret"), 500, "internal"), (StoreUnavailable(Sentence("secret", "secret")), 503, "unavailable")],
)
def test_what_fails_says_nothing_of_the_inside(
    library: Archive, reader: Client, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, says: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(library.index, "search", fail)
    for path in ("/search", "/api/search"):
        response = reader.get(path)
        assert response.status_code == status
        assert says in response.text
        assert "secret" not in response.text
        assert response.headers["X-Content-Type-Options"] == "nosniff"


_CODED = ("proved_by.", "coverage.", "modification.", "trust_store.")


def test_every_word_is_used_and_every_used_word_is_there() -> None:
    web = resources.files("access.web")
    used: set[str] = set()
    texts = [
        path.read_text("utf-8")
        for folder in ("templates", ".")
        for path in web.joinpath(folder).iterdir()
        if path.name.endswith((".html", ".py"))
    ]
    for text in texts:
        used.update(re.findall(r"""["']([a-z]+\.[a-z_]+)["']""", text))
    families = {f"event.{kind.value}" for kind in EventType} | {f"fixity.{outcome.value}" for outcome in Fixity}
    families |= {f"role.{role.value}" for role in Role} | {
        f"outcome.{one}" for one in ("success", "begun", "failure", "warning")
    }
    families |= {f"facet.{one}" for one in ("level", "agency", "fonds", "year", "type", "access", "format")}
    families |= {f"validity.{one.value}" for one in Validity} | {f"virus.{one.value}" for one in Virus}
    families |= {f"signature.{one.value}" for one in SignatureOutcome}
    families |= {f"fact.{one.name}" for one in dataclasses.fields(Facts)} | {f"signed.{one}" for one in _TOLD}
    families |= {key for key in all_words() if key.startswith(_CODED)}
    families |= {"level.dossier", "level.document", "sort.relevance", "sort.newest", "sort.oldest"}
    assert set(all_words()) - used == families - used
    assert all(sentence.vi.strip() and sentence.en.strip() for sentence in all_words().values())


def test_values_are_shown_in_their_language() -> None:
    vi, en = Show(Language.VI), Show(Language.EN)
    assert (vi.number(1234567), en.number(1234567)) == ("1.234.567", "1,234,567")
    assert [vi.size(one) for one in (0, 999, 1000, 999_960, 1_500_000_000)] == [
        "0 B",
        "999 B",
        "1,0 kB",
        "1,0 MB",
        "1,5 GB",
    ]
    assert en.size(1500) == "1.5 kB"
    assert vi.dates(RecordDate.read("12/3/2019"), RecordDate.read("12/03/2019")) == "12/03/2019"
    assert vi.dates(RecordDate.read("lạ"), RecordDate.read("")) == "lạ"
    assert (vi.outcome("success").sign, vi.outcome("khác").word) == ("✓", "khác")
    assert [vi.outcome(fixity.value) for fixity in Fixity] == [vi.fixity(fixity) for fixity in Fixity]
    assert (vi.outcome("MATCH").colour, en.outcome("MISMATCH").word) == ("jade", "damaged")
    assert (vi.kind("Tờ trình"), en.kind("Tờ trình"), en.kind("Ảnh")) == ("Tờ trình", "Submission", "Photograph")
    assert (en.kind("Bản nháp"), en.kind("")) == ("Bản nháp", "")
    assert (vi.language("Hán Nôm"), en.language("Tiếng Việt, Tiếng Anh")) == ("Hán Nôm", "Vietnamese, English")
    assert en.facet(Facet.TYPE, "Công văn") == "Official letter"
    assert (vi.folder("data/a/b.pdf"), vi.folder("bagit.txt")) == ("data/a/", "")
    assert (vi.field_name("arcFileCode"), en.field_name("arcFileCode")) == ("Mã hồ sơ lưu trữ", "Archival dossier code")
    assert vi.field_name("Bagging-Date") == "Bagging date"
    assert "\\u202e" in vi.safe("a\u202eb\nc")
    assert word(Language.EN, "search.total", count=3) == "3 found"


def test_every_field_of_the_circular_has_a_name_in_english() -> None:
    fields = {name for form in default_profile().forms.values() for name in form.fields}
    text = (resources.files("access.web") / "fields.toml").read_text(encoding="utf-8")
    assert fields - set(tomllib.loads(text)["en"]) == set()
    assert (Show(Language.VI).field_name(TEXT_FIELD), Show(Language.EN).field_name(TEXT_FIELD)) == (
        "Trong tệp",
        "In the file",
    )
    assert Show(Language.VI).field_name("objid") == "Mã gói nộp lưu"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("Read back whole after replication", "Đã đọc lại toàn bộ sau khi ghi."),
        (
            "The replica was read whole (2 ×, 1048576 bytes) and compared with its digests",
            "Đã đọc toàn bộ bản sao (2 lượt, 1.048.576 byte) và đối chiếu với mã băm.",
        ),
        ("7 of 8 files identified", "nhận dạng được 7 trên 8 tệp"),
        ("SIP_hoso to AIP_hoso", "Đã lập AIP_hoso từ SIP_hoso."),
        ("submission urn:x", "gói nộp urn:x"),
        ("AIP to DIP uuid-7", "Đã lập và cung cấp gói DIP uuid-7."),
        ("AIP_hoso given to another archive", "Đã giao AIP_hoso cho kho lưu trữ khác."),
        (
            "request YC-7, purpose 02; documents: 1, 3; 4 files, 1500 bytes",
            "yêu cầu YC-7, mục đích 02; tài liệu: 1, 3; 4 tệp, 1.500 byte",
        ),
        ("kho-a", "kho-a"),
        ("CLEAN 9, INFECTED 0, NOT_SCANNED 1", "9 tệp không phát hiện, 0 tệp có mã độc, 1 tệp chưa quét"),
        (
            "CLEAN 1200, INFECTED 1, NOT_SCANNED 0; infected: a.pdf (Eicar)",
            "1.200 tệp không phát hiện, 1 tệp có mã độc, 0 tệp chưa quét; có mã độc: a.pdf (Eicar)",
        ),
        (
            "VALID 3, VALID_WITH_NOTES 0, INVALID 1, UNREADABLE 0, NOT_CHECKED 2; not valid: a (INVALID)",
            "3 tệp hợp chuẩn, 0 có lưu ý, 1 không hợp chuẩn, 0 không mở được, 2 không kiểm tra; không đạt: a (INVALID)",
        ),
        ("4 files with facts, 1 files with text", "4 tệp có thông số, 1 tệp có lời văn"),
        ("0 files with signatures", "0 tệp có chữ ký"),
        ("2 files with signatures: VALID 2", "2 tệp có chữ ký: VALID 2"),
        (
            "Digital signatures of data/a.pdf were judged by ETSI EN 319 102-1; policy=p",
            "Đã kiểm tra chữ ký số của data/a.pdf theo ETSI EN 319 102-1; policy=p",
        ),
        ("Digital signatures of data/a.pdf were judged", "Đã kiểm tra chữ ký số của data/a.pdf"),
    ],
)
def test_what_events_say_is_told_in_vietnamese(written: str, told: str) -> None:
    assert retell(Language.VI, written) == told
    assert retell(Language.EN, written) == written


def test_yes_and_no_are_words(reader: Client, library: Archive) -> None:
    paper = Paper("Công văn", fields={"process": "1", "riskRecovery": "0", "docAttached": "lạ"})
    held = library.add("Hồ sơ", [paper], code="H20.2020.02")
    page = reader.get(f"/dossiers/{held.aip}/documents/1").text
    assert re.findall(r"<dt>(Quy trình xử lý|Chế độ dự phòng|Tài liệu đi kèm)</dt><dd><bdi>(.*?)</bdi>", page) == [
        ("Quy trình xử lý", "Có"),
        ("Chế độ dự phòng", "Không"),
        ("Tài liệu đi kèm", "lạ"),
    ]


def test_a_reader_goes_from_document_to_document(reader: Client, versions: list[AipVersion]) -> None:
    here = f"/dossiers/{versions[0].aip}/documents"
    neighbours = [
        re.findall(r'rel="(prev|next)" href="(.*?)"', reader.get(f"{here}/{number}").text) for number in (1, 2, 3)
    ]
    assert neighbours == [
        [("next", f"{here}/2")],
        [("prev", f"{here}/1"), ("next", f"{here}/3")],
        [("prev", f"{here}/2")],
    ]


def test_a_match_that_is_shown_already_is_marked_there(reader: Client) -> None:
    page = reader.get("/search", params={"q": "công văn"}).text
    assert '<span class="kind"><mark>Công</mark> <mark>văn</mark></span>' in page
    assert "Tên loại tài liệu:" not in page


def test_services_are_what_administration_gives(library: Archive) -> None:
    assert isinstance(library.services, AccessServices)
    assert TOKEN not in repr(library.services.auth)
