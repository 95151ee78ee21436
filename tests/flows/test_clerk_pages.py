"""The clerk's pages as HTTP answers: what is sent badly, by whom, and what is said; no browser, no network."""

from __future__ import annotations

import io
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from html import unescape
from importlib import resources
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from httpx import Client, Response

import administration.checks
from access.web.guard import CONTENT_SECURITY_POLICY
from access.web.words import all_words
from administration.application import application
from administration.archive import Archive
from administration.checks import CheckDesk
from administration.cli import run
from administration.desk import DeskBounds
from administration.packs import PackDesk
from administration.pages.check import profiles
from ingest.check import check_package
from metadata.catalogue.quarantine import Decision, QuarantineState
from metadata.package_kinds import PackageKind, PackageProfile
from tests.builders.browser import browser
from tests.builders.packing import CODE, OTHER, SENDER, dossier, text, workbook, zipped
from tests.builders.tt05 import PDF

BOUNDS = DeskBounds(upload=1_000_000, open=2, files=20)
PACKAGE = "package"
Files = list[tuple[str, tuple[str, bytes]]]


@dataclass
class Desks:
    """A clerk who has signed in, and the desks behind the pages."""

    client: Client
    checks: CheckDesk
    packs: PackDesk
    work: Path
    form: str

    def send(self, path: str, files: Files, **fields: str) -> Response:
        """A form as a browser sends it: its fields, then its files."""
        return self.client.post(path, data={"form": self.form} | fields, files=files)

    def check(self, name: str, data: bytes, **fields: str) -> Response:
        return self.send("/checks", [(PACKAGE, (name, data))], **fields)

    def pack(self, files: Files, **fields: str) -> Response:
        sender = {"agency": SENDER.agency, "fonds": SENDER.fonds, "agreement": SENDER.agreement}
        return self.send("/packs", files, **(sender | fields))

    def result(self, sent: Response) -> str:
        """The page that a form led to, once the work is done."""
        assert sent.status_code == 303, sent.text
        at = sent.headers["location"]
        desk = self.checks if at.startswith("/checks/") else self.packs
        desk.ended(at.rpartition("/")[2]).result(60)
        page = self.client.get(at)
        assert page.status_code == 200
        return page.text

    def left(self) -> list[str]:
        return [path.name for path in self.work.iterdir()]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("home") / "kho"
    with redirect_stdout(io.StringIO()):
        assert run(["--home", str(made), "init", "--code", "H20.LTLS", "--name", "Kho"]) == 0
    return made


@pytest.fixture
def desks(home: Path, tmp_path: Path) -> Iterator[Desks]:
    with (
        Archive.open(home) as archive,
        CheckDesk(tmp_path, BOUNDS) as checks,
        PackDesk(tmp_path, BOUNDS) as packs,
        browser(application(archive, checks, packs)) as client,
    ):
        login = client.get("/login").text
        sent = client.post("/login", data={"token": archive.token, "form": token_of(login)})
        assert sent.status_code == 303
        yield Desks(client, checks, packs, tmp_path, token_of(client.get("/checks").text))


def token_of(page: str) -> str:
    found = re.search(r'name="form" value="(\w+)"', page)
    assert found
    return found[1]


def trouble(page: Response) -> str:
    found = re.search(r'<p class="trouble" role="alert">(.*?)</p>', page.text)
    assert found, page.text
    return unescape(found[1])


def submission(folder: Path, **changes: Any) -> Files:
    """The files of a form that packs two dossiers, each of one document."""
    path = workbook(folder, dossiers=[dossier(), dossier(OTHER)], texts=[text(), text(1, OTHER) | changes])
    scans = [(one.name, one.read_bytes()) for one in sorted((folder / "files").rglob("*.pdf"))]
    return [("workbook", (path.name, path.read_bytes())), *(("files", scan) for scan in scans)]


# Who may


@pytest.mark.parametrize("path", ["/checks", "/packs", "/checks/x", "/packs/x", "/packs/templates/all.xlsx"])
def test_a_stranger_is_asked_to_sign_in(desks: Desks, path: str) -> None:
    desks.client.cookies.clear()
    assert desks.client.get(path).status_code == 401


@pytest.mark.parametrize("path", ["/checks", "/packs"])
def test_a_form_that_is_not_ours_is_refused_before_a_byte_is_kept(desks: Desks, path: str) -> None:
    file: Files = [("package" if path == "/checks" else "workbook", ("a.zip", b"PK"))]
    desks.form = "0" * 64
    assert desks.send(path, file).status_code == 403
    assert desks.client.post(path, files=file).status_code == 403
    assert desks.left() == []


def test_a_form_from_another_site_is_refused(desks: Desks) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.test"}):
        sent = desks.client.post("/checks", data={"form": desks.form}, files={"package": b"x"}, headers=headers)
        assert sent.status_code == 403
    sent = desks.client.post("/packs/x/check/1", data={"form": "0" * 64})
    assert sent.status_code == 403


def test_only_our_own_script_may_run(desks: Desks) -> None:
    for path in ("/checks", "/packs"):
        page = desks.client.get(path)
        policy = page.headers["Content-Security-Policy"]
        assert policy == f"{CONTENT_SECURITY_POLICY}; script-src 'self'; connect-src 'self'"
        assert re.findall(r"<script(?! src=\"/static/clerk\.js\?v=\w+\" defer></script>)", page.text) == []
        assert re.findall(r"\s(?:style|on\w+)=", page.text) == []
    assert desks.client.get("/").headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    for name, kind in (("clerk.js", "text/javascript"), ("clerk.css", "text/css"), ("style.css", "text/css")):
        assert desks.client.get(f"/static/{name}").headers["content-type"].startswith(kind)


# What is sent badly


@pytest.mark.parametrize("files", [[], [(PACKAGE, ("", b""))], [(PACKAGE, ("rong.zip", b""))]])
def test_without_a_file_the_form_says_so(desks: Desks, files: Files) -> None:
    answer = desks.client.post(
        "/checks",
        files=[("form", (None, desks.form)), ("profile", (None, "bagit")), *files],  # type: ignore[list-item]
    )
    assert answer.status_code == 422
    assert trouble(answer) == "Chưa chọn tệp nào, hoặc tệp rỗng."
    assert '<option value="bagit" selected>' in answer.text
    assert desks.left() == []


def test_what_is_no_archive_gets_a_report(desks: Desks) -> None:
    page = desks.result(desks.check("thu.docx", b"not an archive at all"))
    assert "CHƯA ĐẠT" in page
    assert "Không đọc được danh sách tệp của gói." in page


def test_what_is_too_large_is_told_and_not_kept(desks: Desks) -> None:
    answer = desks.check("a.zip", b"x" * (BOUNDS.upload + 1))
    assert answer.status_code == 413
    assert "1 MB" in trouble(answer)
    answer = desks.pack([("workbook", ("a.xlsx", b"x")), ("files", ("b.zip", b"x" * BOUNDS.upload))])
    assert answer.status_code == 413
    assert "1 MB" in trouble(answer)
    assert desks.left() == []


def test_too_many_files_are_told_and_not_kept(desks: Desks) -> None:
    answer = desks.pack([("workbook", ("a.xlsx", b"x")), *(("files", (f"{n}.pdf", b"x")) for n in range(20))])
    assert answer.status_code == 413
    assert "20 tệp" in trouble(answer)
    assert desks.left() == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b"hello"),
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b"--y\r\n"),
        ("application/x-www-form-urlencoded", b"form=1"),
    ],
)
def test_what_is_no_such_form_is_refused(desks: Desks, content_type: str, body: bytes) -> None:
    answer = desks.client.post("/checks", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 422
    assert desks.left() == []


def test_a_form_that_was_cut_off_is_told_and_not_kept(desks: Desks) -> None:
    body = (
        f'--x\r\nContent-Disposition: form-data; name="form"\r\n\r\n{desks.form}\r\n--x\r\n'
        'Content-Disposition: form-data; name="package"; filename="a.zip"\r\n\r\nPK'
    )
    answer = desks.client.post(
        "/checks", content=body.encode(), headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status_code == 422
    assert "chưa được gửi lên trọn vẹn" in trouble(answer)
    assert desks.left() == []


def test_a_field_or_profile_that_is_not_asked_for_is_refused(desks: Desks) -> None:
    assert desks.send("/checks", [("other", ("a.zip", b"PK"))]).status_code == 422
    assert desks.check("a.zip", b"PK", profile="eark-sip@9").status_code == 422
    assert desks.left() == []


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "C:\\a\\b\\x.zip",
        "<script>alert(1)</script>.zip",
        "\u202egnp.zip",
        "a" * 400 + ".zip",
        "..",
    ],
)
def test_a_hostile_name_is_only_a_name(desks: Desks, name: str) -> None:
    page = desks.result(desks.check(name, b"junk"))
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "passwd/" not in page
    (folder,) = desks.work.iterdir()
    assert folder.parent == desks.work
    assert [path.name for path in folder.iterdir()] == ["report.json"]


def test_a_title_is_text(desks: Desks, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("title")
    title = "<script>alert(1)</script>"
    path = workbook(folder, dossiers=[dossier(title=title)])
    scan = next((folder / "files").rglob("*.pdf"))
    sent = desks.pack([("workbook", (path.name, path.read_bytes())), ("files", (scan.name, scan.read_bytes()))])
    page = desks.result(sent)
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    checked = desks.client.post(f"{sent.headers['location']}/check/1", data={"form": desks.form})
    page = desks.result(checked)
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("path", ["/checks/nothing", "/packs/nothing", f"/checks/{'A' * 22}", "/packs/..%2f..%2fkho"])
def test_what_is_not_kept_is_not_there(desks: Desks, path: str) -> None:
    for ending in ("", "/progress", "/report.pdf", "/all.zip", "/files/1"):
        assert desks.client.get(path + ending).status_code == 404


# Waiting


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Checks stop half way until the event is set."""
    go = threading.Event()

    def half(path: Path, work: Path, *rest: Any, on_progress: Callable[[int, int], None], **options: Any) -> Any:
        on_progress(5, 10)
        assert go.wait(60)
        return check_package(path, work, *rest, on_progress=on_progress, **options)

    monkeypatch.setattr(administration.checks, "check_package", half)
    yield go
    go.set()


def test_work_waits_its_turn_and_more_than_the_desk_takes_is_told(desks: Desks, held: threading.Event) -> None:
    first, second = (desks.check("a.zip", b"junk").headers["location"] for _ in range(2))
    while not (told := desks.client.get(f"{first}/progress").json())["total"]:
        pass
    assert told == {"state": "running", "done": 5, "total": 10, "told": "Đã đọc 5 B / 10 B"}
    waiting = desks.client.get(second)
    assert "còn 1 việc phía trước" in waiting.text
    assert '<meta http-equiv="refresh" content="2">' in waiting.text
    third = desks.check("a.zip", b"junk")
    assert third.status_code == 503
    assert "quá nhiều gói tin" in trouble(third)
    assert desks.client.get(f"{first}/report.pdf").status_code == 503
    held.set()
    assert "CHƯA ĐẠT" in desks.result(Response(303, headers={"location": second}))


def test_what_this_machine_could_not_do_is_told(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(administration.checks, "check_package", fail)
    page = desks.result(desks.check("a.zip", b"junk"))
    assert "Không làm xong được" in page
    assert "secret" not in page
    assert "http-equiv" not in page


# Packing


def test_packages_and_lists_are_taken_away_and_checked(desks: Desks, tmp_path_factory: pytest.TempPathFactory) -> None:
    sent = desks.pack(submission(tmp_path_factory.mktemp("nop")), first_number="7")
    page = desks.result(sent)
    at = sent.headers["location"]
    assert "ĐÃ LẬP 2 GÓI" in page
    answer = desks.client.get(f"{at}/all.zip")
    assert int(answer.headers["content-length"]) == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert [name[:4] for name in names if name.endswith(".zip")] == ["0007", "0008"]
        assert len([name for name in names if name.startswith("muc-luc")]) == 4
        for number, name in enumerate(names, 1):
            one = desks.client.get(f"{at}/files/{number}")
            assert one.content == archive.read(name)
            assert one.headers["content-disposition"].endswith(name)
    assert desks.client.get(f"{at}/files/{len(names) + 1}").status_code == 404
    report = desks.result(desks.client.post(f"{at}/check/2", data={"form": desks.form}))
    assert "ĐẠT" in report
    assert OTHER[:5] in report
    with_inputs = [path for path in desks.work.rglob("*") if path.name in ("source", "nop.xlsx")]
    assert with_inputs == []


def test_what_is_missing_is_said_and_the_good_is_packed_when_asked(
    desks: Desks, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = submission(tmp_path_factory.mktemp("nop"), subject="", issuedDate="hôm qua")
    sent = desks.pack(files)
    page = desks.result(sent)
    assert "CHƯA LẬP ĐƯỢC" in page
    assert "TT05-REQUIRED" in page
    assert "Trang Văn bản, ô" in page
    listed = openpyxl.load_workbook(io.BytesIO(desks.client.get(f"{sent.headers['location']}/missing.xlsx").content))
    cells = [str(cell) for row in listed.worksheets[0].iter_rows(values_only=True) for cell in row]
    assert "TT05-REQUIRED" in cells
    again = unescape(re.search(r'class="button" href="(/packs\?[^"]+)"', page)[1])  # type: ignore[index]
    form = desks.client.get(again).text
    for value in (SENDER.agency, SENDER.fonds, SENDER.agreement):
        assert f'value="{value}"' in form
    assert desks.client.get(f"{sent.headers['location']}/all.zip").status_code == 404
    page = desks.result(desks.pack(files, partial="1"))
    assert "ĐÃ LẬP 1 GÓI" in page
    assert "Những hồ sơ còn lỗi chưa được lập gói" in page


def test_files_come_as_one_zip_too(desks: Desks, tmp_path_factory: pytest.TempPathFactory) -> None:
    (book, *_) = submission(tmp_path_factory.mktemp("nop"))
    scans = zipped({f"2024/{code}/{code}.0000001.pdf": PDF for code in (CODE, OTHER)})
    assert "ĐÃ LẬP 2 GÓI" in desks.result(desks.pack([book, ("files", ("tep.zip", scans))]))
    bomb = zipped({f"{CODE}.0000001.pdf": b"0" * 8_000_000})
    assert "PACK-UNREADABLE" in desks.result(desks.pack([book, ("files", ("tep.zip", bomb))]))


def test_two_files_of_one_name_are_both_there(desks: Desks, tmp_path_factory: pytest.TempPathFactory) -> None:
    (book, first, second) = submission(tmp_path_factory.mktemp("nop"))
    page = desks.result(desks.pack([book, first, first, second]))
    assert "PACK-FILE-AMBIGUOUS" in page


@pytest.mark.parametrize(
    "fields", [{"agency": ""}, {"fonds": "  "}, {"agreement": "a\nb"}, {"first_number": "0"}, {"first_number": "một"}]
)
def test_who_sends_must_be_said(desks: Desks, fields: dict[str, str]) -> None:
    answer = desks.pack([("workbook", ("a.xlsx", b"x"))], **fields)
    assert answer.status_code == 422
    assert "Hãy điền đủ" in trouble(answer)
    assert desks.left() == []


@pytest.mark.parametrize("kind", ["all", "text", "pictures", "media", "dossiers"])
def test_templates_are_workbooks(desks: Desks, kind: str) -> None:
    answer = desks.client.get(f"/packs/templates/{kind}.xlsx")
    assert "Hồ sơ" in openpyxl.load_workbook(io.BytesIO(answer.content)).sheetnames
    assert answer.headers["content-disposition"].endswith(".xlsx")
    assert f"/packs/templates/{kind}.xlsx" in desks.client.get("/packs").text


# Words


def test_every_profile_can_be_asked_for(desks: Desks) -> None:
    page = desks.client.get("/checks").text
    values = [value for _, found in profiles() for value, _ in found]
    assert len(values) == len(set(values))
    assert {PackageProfile.parse(value).kind for value in values} == set(PackageKind)
    assert [value for value in values if f'<option value="{value}">' not in page] == []
    for value in values:
        assert "CHƯA ĐẠT" in desks.result(desks.check("a.zip", b"junk", profile=value))


def test_the_pages_speak_english_too(desks: Desks) -> None:
    desks.client.get("/language/en")
    report = desks.result(desks.check("a.zip", b"junk"))
    assert "Not good yet" in report
    assert "What to do" in report
    assert "Make packages" in desks.client.get("/packs").text
    progress = desks.client.get("/checks").text
    assert '<html lang="en">' in progress


def test_every_word_is_used_and_every_used_word_is_there() -> None:
    pages = resources.files("administration.pages")
    used: set[str] = set()
    for folder in ("templates", "."):
        for path in pages.joinpath(folder).iterdir():
            if path.name.endswith((".html", ".py")):
                used.update(re.findall(r"""["']([a-z]+\.[a-z0-9_]+)["']""", path.read_text("utf-8")))
    for kind in ("check", "pack"):
        used |= {f"{kind}.{one}" for one in ("running", "begun", "told", "again")}
    used |= {f"check.format_{one}" for one in ("pdf", "csv", "json")}
    used |= {f"pack.template_{one}" for one in ("text", "pictures", "media", "dossiers")}
    states = [state.value for state in QuarantineState]
    used |= {f"quarantine.{one}" for one in [*states, *(f"about_{state}" for state in states)]}
    used |= {f"quarantine.voted_{one.value}" for one in Decision}
    words = all_words("administration.pages")
    assert set(words) - used == set()
    files = ("html", "css", "js")
    sections = {key.partition(".")[0] for key in words}
    unknown = {one for one in used if one.partition(".")[0] in sections and one.partition(".")[2] not in files}
    assert {one for one in unknown - set(words) if not one.endswith("_")} == set()
    assert set(words) & set(all_words()) == set()
    assert all(sentence.vi.strip() and sentence.en.strip() for sentence in words.values())
