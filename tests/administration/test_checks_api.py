"""``/api/checks`` and the desk behind it: what is handed in, what is answered, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import io
import os
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import Client, Response

from access.search.memory import MemoryIndex
from access.web import install
from administration.api import checks as api
from administration.application import application
from administration.archive import Archive
from administration.checks import CheckDesk
from administration.cli import run
from administration.desk import DeskBounds, DeskState, TooLarge, file_name
from administration.packs import PackDesk
from ingest import check as checking
from ingest.check import CheckVerdict
from ingest.reports import ReportFormat
from metadata.errors import Busy, NoSpace, NotFound, TangThuError, TemporaryError
from metadata.package_kinds import PackageProfile
from tests.builders.browser import browser
from tests.builders.reading import TOKEN
from tests.builders.reading import archive as small_archive
from tests.builders.small_bags import write_bag

BAD = "02 Báo cáo.txt"
NAME = "Hồ sơ số 1.zip"


@contextmanager
def house(folder: Path, bounds: DeskBounds | None = None) -> Iterator[tuple[Client, CheckDesk]]:
    """A program with the token, and the desk that it hands packages to."""
    work = folder / "tmp"
    work.mkdir()
    with small_archive(folder, MemoryIndex()) as made, CheckDesk(work, bounds) as desk:
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        install(app, made.services, api.uploads(desk))
        app.include_router(api.router(made.services, desk))
        with browser(app) as client:
            client.headers["Authorization"] = f"Bearer {TOKEN}"
            yield client, desk


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Client, CheckDesk]]:
    with house(tmp_path) as made:
        yield made


@pytest.fixture
def client(place: tuple[Client, CheckDesk]) -> Client:
    return place[0]


@pytest.fixture
def desk(place: tuple[Client, CheckDesk]) -> CheckDesk:
    return place[1]


def packed(folder: Path, **details: Any) -> bytes:
    bag = write_bag(folder / "bag", **details)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for path in sorted(bag.rglob("*")):
            if path.is_file():
                made.write(path, path.relative_to(folder).as_posix())
    return out.getvalue()


@pytest.fixture
def bad(tmp_path: Path) -> bytes:
    return packed(tmp_path / "src", flip=BAD, title="<script>alert(1)</script>")


def post(client: Client, data: bytes, name: str = NAME, headers: Any = None, **fields: Any) -> Response:
    query = {"wait": fields.pop("wait")} if "wait" in fields else None
    files = {"package": (name, data)}
    return client.post("/api/checks", params=query, data=fields, files=files, headers=headers)


def left(desk: CheckDesk) -> list[str]:
    return sorted(path.name for path in desk._folder.rglob("*"))


# What is answered


def test_a_package_is_checked_and_nothing_is_kept(client: Client, desk: CheckDesk, bad: bytes) -> None:
    response = post(client, bad)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert api.CheckReportModel.model_validate(answer).verdict == "refused"
    assert answer["name"] == NAME
    assert answer["counts"] == {"PASS-CHECKSUM": 1}
    assert answer["findings"][0]["place"] == f"data/{BAD}"
    assert answer["title"] == "<script>alert(1)</script>"
    assert left(desk) == []


@pytest.mark.parametrize(
    ("accept", "kind", "start"),
    [
        ("application/pdf", "application/pdf", b"%PDF-1.7"),
        ("text/csv, application/json;q=0.5", "text/csv; charset=utf-8", b"\xef\xbb\xbf"),
        ("text/html, */*", "application/json", b"{"),
        ("application/pdf;q=0", "application/json", b"{"),
        ("application/json;q=0.1, application/pdf;q=0.9", "application/pdf", b"%PDF"),
        ("application/pdf;q=x", "application/json", b"{"),
    ],
)
def test_the_report_in_the_form_asked_for(client: Client, bad: bytes, accept: str, kind: str, start: bytes) -> None:
    response = post(client, bad, headers={"Accept": accept})
    assert response.headers["content-type"] == kind
    assert response.content.startswith(start)
    assert ("content-disposition" in response.headers) == (kind != "application/json")
    assert response.headers["x-content-type-options"] == "nosniff"


def test_the_profile_that_was_asked_for(client: Client, bad: bytes) -> None:
    assert post(client, bad, profile="bagit").json()["profile"] == "bagit"
    assert post(client, bad, profile="eark-sip@9").status_code == 422
    assert post(client, bad, profile="nonsense").json()["code"] == "request"


def test_a_check_can_be_followed_and_its_report_fetched(client: Client, desk: CheckDesk, bad: bytes) -> None:
    response = post(client, bad, wait="false")
    assert response.status_code == 202
    where = response.headers["location"]
    desk.ended(response.json()["id"]).result(timeout=60)
    told = api.CheckModel.model_validate(client.get(where).json())
    assert (told.state, told.name, told.failure) == (DeskState.DONE, NAME, None)
    assert told.done == told.total > 0
    assert told.report is not None
    assert client.get(told.report).json()["verdict"] == "refused"
    for form in ReportFormat:
        answer = client.get(f"{where}/report.{form}")
        assert answer.headers["content-type"] == form.media_type
        assert answer.content == client.get(f"{where}/report.{form}").content, "the same each time"
    assert client.get(f"{where}/report.exe").status_code == 422
    assert client.get("/api/checks/" + "A" * 22).json()["code"] == "not-found"
    assert client.get("/api/checks/..%2f..%2fetc/report.json").status_code == 404


def test_the_name_of_the_file_cannot_forge_a_header(client: Client, bad: bytes) -> None:
    for name in ('a"; filename=evil.html\r\nSet-Cookie: x=y', "Hồ sơ.zip", "..", "x" * 400):
        head = post(client, bad, name, headers={"Accept": "text/csv"}).headers
        assert "set-cookie" not in head
        assert head["content-disposition"].startswith("attachment; filename*=UTF-8''bao-cao-")
        assert head["content-disposition"].isascii() and len(head["content-disposition"]) < 1000


# What is refused


def part(disposition: str, data: bytes) -> bytes:
    return b"--x\r\nContent-Disposition: form-data; " + disposition.encode() + b"\r\n\r\n" + data + b"\r\n"


END = b"--x--\r\n"
FILE = 'name="package"; filename="a"'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "; boundary=x"),
        (b"", ""),
        (b"x", "; boundary=x"),
        (b"--x\r\n\r\n", "; boundary=x"),
        (part('name="package"', b"text") + END, "; boundary=x"),
        (part(FILE, b"cut"), "; boundary=x"),
        (part('name="other"; filename="a"', b"") + END, "; boundary=x"),
        (part('filename="a"', b"") + END, "; boundary=x"),
        (b"--x\r\nA: " + b"b" * 10_000 + b"\r\n\r\n\r\n" + END, "; boundary=x"),
        (part('name="a"', b"b" * 5000) + part(FILE, b"1") + END, "; boundary=x"),
        (part(FILE, b"1") + part(FILE, b"2") + END, "; boundary=x"),
        (part(FILE, b"1") + END, "; boundary=y"),
    ],
    ids=range(12),
)
def test_what_is_no_form_with_one_file(client: Client, desk: CheckDesk, body: bytes, kind: str) -> None:
    response = client.post("/api/checks", content=body, headers={"Content-Type": f"multipart/form-data{kind}"})
    assert response.status_code == 422
    assert set(response.json()) == {"code", "vi", "en"}
    assert left(desk) == []


def test_a_body_that_is_no_form(client: Client, bad: bytes) -> None:
    assert client.post("/api/checks", content=bad, headers={"Content-Type": "application/zip"}).status_code == 422


def test_a_sender_that_goes_away_leaves_nothing(place: tuple[Client, CheckDesk], caplog: Any) -> None:
    client, desk = place
    messages = [
        {"type": "http.request", "body": part(FILE, bytes(2_000_000))[:-2], "more_body": True},
        {"type": "http.disconnect"},
    ]
    seen: list[list[str]] = []
    sent: list[Any] = []

    async def receive() -> Any:
        seen.append(left(desk))
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {TOKEN}".encode()), (b"content-type", b"multipart/form-data; boundary=x")]
    scope = {
        "type": "http", "method": "POST", "path": "/api/checks", "query_string": b"", "headers": headers,
        "http_version": "1.1", "scheme": "http", "server": ("archive.test", 80), "client": None, "root_path": "",
    }  # fmt: skip
    app = client._transport._transport.app  # type: ignore[attr-defined]
    asyncio.run(app(scope, receive, send))
    assert "package" in seen[1], "it is written while it comes"
    assert sent[0]["status"] == 422
    assert left(desk) == []


def test_a_form_of_too_many_fields(client: Client, desk: CheckDesk) -> None:
    assert post(client, b"x", **{f"field{n}": "x" for n in range(50)}).status_code == 422
    assert left(desk) == []


def test_nothing_is_taken_without_the_token(client: Client, desk: CheckDesk, bad: bytes) -> None:
    del client.headers["Authorization"]
    assert post(client, bad).status_code == 401
    assert client.get("/api/checks/" + "A" * 22).status_code == 401
    assert client.get("/api/checks/" + "A" * 22 + "/report.pdf").status_code == 401
    assert left(desk) == []


def test_no_other_site_hands_in_packages(client: Client, desk: CheckDesk, bad: bytes) -> None:
    assert post(client, bad, headers={"Origin": "https://evil.test"}).status_code == 403
    assert left(desk) == []


@pytest.mark.parametrize("size", [5000, 200_000])
def test_too_much_is_cut_off(tmp_path: Path, size: int) -> None:
    with house(tmp_path, DeskBounds(upload=4000)) as (client, desk):
        response = post(client, bytes(size))
        assert response.status_code == 413
        assert response.json()["code"] == "too-large"
        assert left(desk) == []


def test_too_many_at_once(tmp_path: Path, bad: bytes) -> None:
    with house(tmp_path, DeskBounds(open=1)) as (client, desk), desk.receiving("a.zip"):
        response = post(client, bad)
        assert response.status_code == 503
        assert response.json()["code"] == "busy"


def test_other_requests_are_still_small(client: Client) -> None:
    assert client.post("/login", data={"token": "x" * 100_000}).status_code == 413
    assert client.post("/api/checks/x", content=bytes(100_000)).status_code in (405, 413)


def test_the_description_says_what_is_sent_and_answered(client: Client) -> None:
    described = client.get("/api/openapi.json").json()
    posted = described["paths"]["/api/checks"]["post"]
    properties = posted["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    assert properties["package"]["format"] == "binary"
    assert {"200", "202", "401", "413", "422", "503"} <= set(posted["responses"])
    assert set(posted["responses"]["200"]["content"]) == {"application/json", "application/pdf", "text/csv"}
    model = described["components"]["schemas"]["CheckReportModel"]["properties"]
    assert all("examples" in model[name] for name in ("name", "profile", "counts"))


def test_a_machine_without_room_says_so(
    client: Client, desk: CheckDesk, bad: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def inspect(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checking, "inspect", inspect)
    response = post(client, bad)
    assert response.status_code == 503
    assert left(desk) == []


# The desk


def handed_in(desk: CheckDesk, data: bytes, name: str = NAME, profile: PackageProfile | None = None) -> str:
    check_id = desk.start(io.BytesIO(data), name, profile)
    desk.ended(check_id).result(timeout=60)
    return check_id


def test_the_desk_keeps_a_report_and_not_the_package(desk: CheckDesk, bad: bytes) -> None:
    check_id = handed_in(desk, bad)
    assert desk.report(check_id).verdict is CheckVerdict.REFUSED
    assert left(desk) == [f"checked-{check_id}", "report.json"]
    first = desk.rendered(check_id, ReportFormat.PDF)
    assert desk.rendered(check_id, ReportFormat.PDF) == first
    desk.forget(check_id)
    desk.forget(check_id)
    assert left(desk) == []
    with pytest.raises(NotFound):
        desk.report(check_id)


def test_reports_outlive_the_server_for_their_time(desk: CheckDesk, bad: bytes) -> None:
    check_id = handed_in(desk, bad)
    with CheckDesk(desk._folder) as again:
        progress = again.progress(check_id)
        assert (progress.state, progress.name) == (DeskState.DONE, NAME)
        assert again.report(check_id) == desk.report(check_id)
    later = datetime.now(UTC) + timedelta(minutes=61)
    with CheckDesk(desk._folder, clock=lambda: later) as much_later, pytest.raises(NotFound):
        much_later.progress(check_id)
    assert left(desk) == []


def test_only_so_many_reports_are_kept(tmp_path: Path, bad: bytes) -> None:
    with CheckDesk(tmp_path, DeskBounds(kept=2)) as desk:
        ids = []
        for number in range(4):
            ids.append(handed_in(desk, bad))
            os.utime(desk.place(ids[-1]), (10**9 + number, datetime.now(UTC).timestamp() - 60 + number))
        desk.sweep()
        assert {path.name for path in tmp_path.glob("checked-*")} == {f"checked-{one}" for one in ids[2:]}


@pytest.mark.parametrize("check_id", ["", "x", "..", "../../etc/passwd", "A" * 22, "A" * 21 + "/", "é" * 22, "\0" * 22])
def test_no_id_leads_anywhere_else(desk: CheckDesk, check_id: str) -> None:
    for ask in (desk.progress, desk.report, desk.ended):
        with pytest.raises(NotFound):
            ask(check_id)
    desk.forget(check_id)


def test_while_a_check_runs(desk: CheckDesk, bad: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    go, real = threading.Event(), checking.inspect

    def inspect(*arguments: Any, **named: Any) -> Any:
        go.wait(60)
        return real(*arguments, **named)

    monkeypatch.setattr(checking, "inspect", inspect)
    one = desk.start(io.BytesIO(bad), NAME)
    two = desk.start(io.BytesIO(bad), NAME)
    with pytest.raises(Busy):
        desk.report(one)
    assert desk.progress(two).state is DeskState.WAITING
    desk.forget(one)
    go.set()
    for check_id in (one, two):
        desk.ended(check_id).result(timeout=60)
        assert desk.report(check_id).counts == {"PASS-CHECKSUM": 1}


def test_a_desk_that_closes_tells_those_who_wait(tmp_path: Path, bad: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    go, real = threading.Event(), checking.inspect

    def inspect(*arguments: Any, **named: Any) -> Any:
        go.wait(60)
        return real(*arguments, **named)

    monkeypatch.setattr(checking, "inspect", inspect)
    desk = CheckDesk(tmp_path)
    running = desk.start(io.BytesIO(bad), NAME)
    waiting = desk.start(io.BytesIO(bad), NAME)
    ended = desk.ended(waiting)
    closer = threading.Thread(target=desk.close)
    closer.start()
    while not desk._workers._shutdown:
        time.sleep(0.01)
    go.set()
    ended.result(timeout=60)
    closer.join(60)
    for check_id in (running, waiting):
        with pytest.raises((TemporaryError, NotFound)):
            desk.report(check_id)
    assert "package" not in left(desk), "what was handed in is gone"


def test_a_check_that_fails_is_told_and_the_desk_goes_on(
    desk: CheckDesk, bad: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(checking, "_tree", lambda *_: 1 / 0)
        check_id = handed_in(desk, bad)
    progress = desk.progress(check_id)
    assert progress.state is DeskState.FAILED
    assert progress.failure is not None and "ZeroDivision" not in str(progress.failure)
    with pytest.raises(TangThuError):
        desk.report(check_id)
    assert "ZeroDivisionError" in caplog.text
    assert desk.report(handed_in(desk, bad)).findings


def test_an_upload_that_is_not_checked_is_gone(desk: CheckDesk) -> None:
    with pytest.raises(KeyError), desk.receiving("a.zip") as upload:
        upload.write(b"x")
        raise KeyError
    with desk.receiving("a.zip"):
        pass
    assert left(desk) == []
    assert desk.bounds.open > 0


def test_limits_are_in_bytes(tmp_path: Path) -> None:
    with CheckDesk(tmp_path, DeskBounds(upload=10)) as desk:
        assert desk.start(io.BytesIO(bytes(10)), "a")
        with pytest.raises(TooLarge):
            desk.start(io.BytesIO(bytes(11)), "a")


def test_a_full_disk_of_ours_is_said(desk: CheckDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(NoSpace):
        desk.start(io.BytesIO(b"x"), "a")


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("a.zip", "a.zip"),
        ("../../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\Hồ sơ.zip", "Hồ sơ.zip"),
        ("", "package"),
        ("..", "package"),
        ("/", "package"),
        ("a\x00\r\nb\u2028.zip", "a___b_.zip"),
        ("\ud800.zip", "_.zip"),
        (".hidden", "hidden"),
        ('"; filename=x', "_; filename=x"),
        ("ế" * 200 + ".zip", "ế" * 48 + ".zip"),
        ("a." + "x" * 300, "a." + "x" * 148),
    ],
)
def test_a_name_from_outside_becomes_one_that_can_be_written(tmp_path: Path, sent: str, name: str) -> None:
    assert file_name(sent) == name
    (tmp_path / name).touch()


def test_the_archive_serves_it_as_its_settings_say(tmp_path: Path, bad: bytes) -> None:
    home = tmp_path / "kho"
    assert run(["--home", str(home), "init", "--code", "H20.LTLS", "--name", "Kho"]) == 0
    with (home / "tangthu.toml").open("a", encoding="utf-8") as file:
        file.write(
            "[checks]\nmax_bytes = 20000\nmax_open = 3\nkeep_minutes = 5\nworkers = 2\n[limits]\nmax_files = 2\n"
        )
    with Archive.open(home) as archive, CheckDesk.of(archive) as desk, PackDesk.of(archive) as packs:
        assert (desk.bounds.upload, desk.bounds.open, desk.bounds.workers) == (20_000, 3, 2)
        assert desk.bounds.keep == timedelta(minutes=5)
        with browser(application(archive, desk, packs)) as client:
            client.headers["Authorization"] = f"Bearer {archive.token}"
            assert post(client, bad).json()["counts"] == {"SOURCE-MANY": 1}
            assert post(client, bytes(20_001)).status_code == 413
        assert left(desk) == []
