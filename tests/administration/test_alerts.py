"""Alerts reach people: by a mail server and a web server in the test; few messages for many; again after failures."""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from administration.alerts import AlertSettings, Sender, alert_settings
from administration.alerts.channels import SIGNATURE
from administration.alerts.sending import pause
from administration.settings import Settings, parse
from metadata.alerts import Channel
from metadata.catalogue import Catalogue
from metadata.errors import UsageError
from metadata.incidents import Incident, IncidentKind
from metadata.text import Sentence
from preservation.incidents import incident_to_json

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Hands:
    """A clock that stands where it is put."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Post:
    """What the servers got, and how they answer."""

    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[list[str]] = field(default_factory=list)
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    refuse: bool = False
    status: int = 204
    port: int = 0
    web: int = 0


def _smtp(post: Post) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.answer("220 test")
            to: list[str] = []
            while line := self.rfile.readline().decode().strip():
                word = line.split()[0].upper()
                if word == "DATA":
                    self.answer("354 go on")
                    data = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        data += part.removeprefix(b".") if part.startswith(b"..") else part
                    if post.refuse:
                        self.answer("451 later")
                        continue
                    message = email.message_from_bytes(data, policy=email.policy.default)
                    assert isinstance(message, EmailMessage)
                    post.mails.append(message)
                    post.envelopes.append(to)
                    self.answer("250 taken")
                elif word == "QUIT":
                    self.answer("221 bye")
                    return
                else:
                    if word == "RCPT":
                        to = [*to, line.partition(":")[2].strip("<>")]
                    self.answer("250 ok")

        def answer(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    return Handler


def _web(post: Post) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            post.calls.append((dict(self.headers), data))
            self.send_response(post.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def post() -> Iterator[Post]:
    made = Post()
    mail = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _smtp(made))
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _web(made))
    made.port, made.web = mail.server_address[1], web.server_address[1]
    for server in (mail, web):
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    for server in (mail, web):
        server.shutdown()
        server.server_close()


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue(f"sqlite:///{tmp_path / 'c.sqlite'}") as made:
        made.upgrade()
        yield made


def by_mail(post: Post, **changes: Any) -> AlertSettings:
    made = AlertSettings(
        "Lưu trữ lịch sử tỉnh", ("a@x.vn", "b@x.vn"), "kho@x.vn", "127.0.0.1", post.port, "none", timeout=5
    )
    return replace(made, **changes)


def by_web(post: Post, **changes: Any) -> AlertSettings:
    made = AlertSettings("Kho", webhook=f"http://127.0.0.1:{post.web}/hook?x=1", secret="bí mật", timeout=5)
    return replace(made, **changes)


def tell(catalogue: Catalogue, count: int = 1, at: datetime = NOW) -> None:
    for number in range(count):
        told = Sentence(f"Bản sao số {number} bị hỏng.", f"Replica {number} is damaged.")
        incident = Incident(f"damage-{number}", IncidentKind.DAMAGE, str(number), at, told)
        catalogue.alerts.queue(incident.id, incident_to_json(incident), at)


def test_one_alert_is_one_mail_in_both_languages(catalogue: Catalogue, post: Post) -> None:
    tell(catalogue)
    done = Sender(catalogue, by_mail(post, link="https://kho.vn"), Hands()).round()
    assert (done.sent, done.failed) == ({Channel.MAIL: 1}, {})
    (mail,) = post.mails
    assert mail["Subject"] == "[Lưu trữ lịch sử tỉnh] Bản sao số 0 bị hỏng."
    assert (mail["From"], mail["To"], mail["Auto-Submitted"]) == ("kho@x.vn", "a@x.vn, b@x.vn", "auto-generated")
    assert post.envelopes == [["a@x.vn", "b@x.vn"]]
    text = mail.get_content()
    for part in ("Replica 0 is damaged.", "15:00 26/11/2026", "Việc cần làm", "What to do",
                 "https://kho.vn/preservation/incidents/damage-0"):  # fmt: skip
        assert part in text
    assert Sender(catalogue, by_mail(post), Hands(NOW + timedelta(days=1))).round().sent == {}
    assert len(post.mails) == 1


def test_a_storm_is_few_mails_that_tell_of_all(catalogue: Catalogue, post: Post) -> None:
    clock = Hands()
    sender = Sender(catalogue, by_mail(post, per_hour=6), clock)
    for minute in range(120):
        tell(catalogue, 40, clock.now)
        sender.round()
        clock.now = NOW + (minute + 1) * MINUTE
    assert len(post.mails) == 12
    assert post.mails[1]["Subject"] == "[Lưu trữ lịch sử tỉnh] 400 cảnh báo / alerts"
    assert "… và 380 cảnh báo nữa. / … and 380 more." in post.mails[1].get_content()
    clock.now += timedelta(hours=1)
    sender.round()
    assert catalogue.alerts.waiting()[Channel.MAIL] == 0


def test_what_fails_is_tried_again_after_growing_pauses_and_nothing_is_lost(catalogue: Catalogue, post: Post) -> None:
    clock = Hands()
    sender = Sender(catalogue, by_mail(post), clock)
    tell(catalogue, 3)
    post.refuse = True
    tried = []
    for minute in range(40):
        clock.now = NOW + minute * MINUTE
        if sender.round().failed:
            tried.append(minute)
    assert tried == [0, 1, 3, 7, 15, 31]
    (first, *_) = catalogue.alerts.listed(waiting=True, limit=1)
    assert catalogue.alerts.waiting()[Channel.MAIL] == 3 and first.incident == "damage-2"
    assert any("451" in one.trouble for one in catalogue.alerts.listed())
    post.refuse, clock.now = False, NOW + 63 * MINUTE
    assert sender.round().sent == {Channel.MAIL: 3}
    assert [pause(tries) for tries in (1, 2, 9, 10_000)] == [MINUTE, 2 * MINUTE, 256 * MINUTE, timedelta(hours=6)]


def test_a_sender_that_dies_after_sending_tells_it_twice_and_never_not_at_all(catalogue: Catalogue, post: Post) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    tell(catalogue)
    clock = Hands()
    with pytest.raises(Killed):
        Sender(catalogue, by_mail(post), clock, {Channel.MAIL: die}).round()
    other = Sender(catalogue, by_mail(post), clock)
    assert other.round().sent == {}, "it may be sending still"
    clock.now += timedelta(hours=1)
    assert other.round().sent == {Channel.MAIL: 1}


def test_a_webhook_gets_signed_json(catalogue: Catalogue, post: Post) -> None:
    tell(catalogue, 2)
    assert Sender(catalogue, by_web(post), Hands()).round().sent == {Channel.WEBHOOK: 2}
    ((headers, data),) = post.calls
    expected = hmac.new("bí mật".encode(), data, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE] == f"sha256={expected}"
    told = json.loads(data)
    assert (told["format"], told["archive"], told["count"]) == ("tangthu-alerts/1", "Kho", 2)
    assert [one["document"]["vi"] for one in told["alerts"]] == [
        "Bản sao số 0 bị hỏng.",
        "Bản sao số 1 bị hỏng.",
    ]


@pytest.mark.parametrize("status", [301, 307, 400, 500])
def test_a_webhook_that_refuses_or_sends_elsewhere_has_not_been_told(
    catalogue: Catalogue, post: Post, status: int
) -> None:
    tell(catalogue)
    post.status = status
    assert Sender(catalogue, by_web(post), Hands()).round().failed == {Channel.WEBHOOK: f"HTTP {status}"}
    assert len(post.calls) == 1, "redirects are not followed"
    assert catalogue.alerts.waiting()[Channel.WEBHOOK] == 1


def test_one_channel_that_fails_holds_up_no_other(catalogue: Catalogue, post: Post) -> None:
    settings = by_mail(post, webhook="http://127.0.0.1:9/")
    tell(catalogue)
    done = Sender(catalogue, settings, Hands()).round()
    assert done.sent == {Channel.MAIL: 1} and set(done.failed) == {Channel.WEBHOOK}
    clock = Hands(NOW + timedelta(minutes=30))
    Sender(catalogue, settings, clock).round()
    assert len(post.mails) == 1


def test_hostile_words_break_no_mail(catalogue: Catalogue, post: Post) -> None:
    evil = "x\r\nBcc: thief@y\r\n\r\n.\r\n\u202e🏛️ \ud800" + "á" * 10_000
    catalogue.alerts.queue("i", {"told": {"vi": evil.replace("\ud800", ""), "en": ""}, "kind": "damage"}, NOW)
    assert Sender(catalogue, by_mail(post), Hands()).round().sent == {Channel.MAIL: 1}
    (mail,) = post.mails
    assert mail["Bcc"] is None and "\u202e" not in mail.get_content() and len(mail["Subject"]) < 250


def test_the_heartbeat_says_honestly_how_things_are_once_in_each_period(catalogue: Catalogue, post: Post) -> None:
    clock = Hands()
    sender = Sender(catalogue, by_mail(post, heartbeat=timedelta(days=7)), clock)
    for hour in range(0, 24 * 21, 6):
        clock.now = NOW + timedelta(hours=hour)
        sender.round()
    assert len(post.mails) in (3, 4)
    assert "Mọi việc đều tốt" in post.mails[0].get_content() and "Việc cần làm" not in post.mails[0].get_content()
    catalogue.incidents.meet(Incident("i", IncidentKind.LOST, "x", NOW, Sentence("a", "b")))
    before = len(post.mails)
    clock.now += timedelta(days=7)
    sender.round()
    assert "Có việc phải làm: 1 sự cố chưa xử lý" in post.mails[before].get_content()


def test_a_test_goes_by_every_channel_and_leaves_nothing(catalogue: Catalogue, post: Post) -> None:
    done = Sender(catalogue, by_mail(post, webhook=f"http://127.0.0.1:{post.web}/"), Hands()).test()
    assert set(done.sent) == set(Channel) and not done.failed
    assert catalogue.alerts.listed() == [] and len(post.mails) == len(post.calls) == 1


def settings(tmp_path: Path, environment: dict[str, str] | None = None, **alerts: object) -> Settings:
    data = {
        "archive": {"code": "H20", "name": "Kho"}, "storage": {"required_replicas": 1}, "alerts": alerts,
        "stores": [{"id": "a", "path": "a"}],
    }  # fmt: skip
    return parse(data, tmp_path, environment or {})


def test_secrets_come_from_the_environment_or_a_file_and_are_never_shown(tmp_path: Path) -> None:
    asked = {"mail_to": "a@x.vn, b@x.vn", "mail_from": "k@x.vn", "smtp_host": "x.vn", "webhook": "https://y/z"}
    environment = {"TANGTHU_SMTP_PASSWORD": "mật khẩu", "TANGTHU_WEBHOOK_SECRET": "khóa"}
    read = settings(tmp_path, environment, **asked)
    made = alert_settings(read)
    assert (made.to, made.password, made.secret) == (("a@x.vn", "b@x.vn"), "mật khẩu", "khóa")
    assert made.channels == (Channel.MAIL, Channel.WEBHOOK)
    assert "mật khẩu" not in repr(read)
    (tmp_path / "pass").write_text("trong tệp\n", encoding="utf-8")
    assert alert_settings(settings(tmp_path, **asked, smtp_password_file="pass")).password == "trong tệp"
    assert alert_settings(settings(tmp_path)).channels == ()


@pytest.mark.parametrize(
    "asked",
    [
        {"mail_to": "a@x.vn"},
        {"mail_to": "nobody", "mail_from": "k@x.vn", "smtp_host": "x"},
        {"mail_to": "a@x.vn\nBcc: b@y", "mail_from": "k@x.vn", "smtp_host": "x"},
        {"webhook": "ftp://x/y"},
        {"webhook": "file:///etc/passwd"},
        {"webhook": "https://"},
        {"smtp_password_file": "none-there"},
        {"smtp_security": "tls"},
        {"per_hour": 0},
    ],
)
def test_settings_that_cannot_be_are_refused_in_words(tmp_path: Path, asked: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="alerts"):
        alert_settings(settings(tmp_path, **asked))
