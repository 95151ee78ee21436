"""S3 as servers have it that no test can start: cold classes, encryption, roles, proxies; answers as they give them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from metadata.errors import AlreadyExists, Cold, StoreUnavailable, UsageError
from metadata.identifiers import ArchiveCode, StoreId
from metadata.outcomes import Fixity
from storage.aip.verify import verify_object
from storage.marker import MARKER_KEY, Marker
from storage.stores.s3 import S3Account, S3Options, S3Store
from storage.stores.s3_client import read_credentials
from storage.wrappers import LimitStore, RetryStore
from tests.contracts.store import content

MARKER = Marker(StoreId("s3-a"), ArchiveCode("LTLS")).to_bytes()
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Server:
    """Answers as it is told; ``seen`` are the requests: method, path, headers."""

    answer: Callable[[str, str], Answer | None] = lambda method, path: None
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    address: str = ""


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
            found = server.answer(self.command, self.path)
            if found is None:
                found = (200, {}, MARKER) if MARKER_KEY in self.path else (200, {"ETag": '"x"'}, b"")
            status, headers, body = found
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _any  # noqa: N815  as the library calls them

        def log_message(self, format: str, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.address = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as made:
        yield made


def store_at(server: Server, options: S3Options | None = None) -> S3Store:
    account = S3Account(server.address, "key", "secret", read_timeout=5)
    return S3Store(StoreId("s3-a"), account, "bucket", sleep=lambda _: None, options=options)


def refusal(status: int, code: str) -> Answer:
    return status, {"Content-Type": "application/xml"}, f"<Error><Code>{code}</Code></Error>".encode()


HEAD = {"Content-Length": "10", "Last-Modified": "Thu, 26 Nov 2026 10:00:00 GMT", "ETag": '"x"'}


class TestCold:
    def frozen(self, restore: str, answer: Answer = (202, {}, b"")) -> Callable[[str, str], Answer | None]:
        def told(method: str, path: str) -> Answer | None:
            if MARKER_KEY in path:
                return None
            if method == "HEAD":
                return (
                    200,
                    HEAD | {"x-amz-storage-class": "GLACIER"} | ({"x-amz-restore": restore} if restore else {}),
                    b"",
                )
            return answer if method == "POST" else refusal(403, "InvalidObjectState")

        return told

    def posts(self, server: Server) -> list[str]:
        return [path for method, path, _ in server.seen if method == "POST"]

    def test_a_frozen_object_is_asked_for_once_and_can_be_read_later(self, server: Server) -> None:
        store = RetryStore(store_at(server))
        server.answer = self.frozen("")
        assert store.thaw("k") is False
        assert self.posts(server) == ["/bucket/k?restore"]
        server.answer = self.frozen('ongoing-request="true"')
        assert store.thaw("k") is False
        assert len(self.posts(server)) == 1
        server.answer = self.frozen('ongoing-request="false", expiry-date="Fri, 27 Nov 2026 00:00:00 GMT"')
        assert store.thaw("k") is True

    def test_somebody_else_was_faster_to_ask(self, server: Server) -> None:
        server.answer = self.frozen("", refusal(409, "RestoreAlreadyInProgress"))
        assert store_at(server).thaw("k") is False

    def test_reading_it_says_to_come_back_in_hours_and_nobody_waits(self, server: Server) -> None:
        def never(_: float) -> None:
            raise AssertionError("waited for a cold object")

        server.answer = self.frozen("")
        store = RetryStore(store_at(server), sleep=never)
        with pytest.raises(Cold, match="hours"), store.open("k"):
            pass
        assert verify_object(store, "k", None).outcome is Fixity.NOT_CHECKED


def test_encryption_that_is_not_confirmed_keeps_nothing(server: Server) -> None:
    store = store_at(server, S3Options(sse="kms", sse_key="key-1"))
    with pytest.raises(UsageError, match="encrypt"):
        store.put("k", b"data")
    [sent] = [headers for method, path, headers in server.seen if method == "PUT"]
    assert sent["x-amz-server-side-encryption"] == "aws:kms"
    assert sent["x-amz-server-side-encryption-aws-kms-key-id"] == "key-1"
    assert [path for method, path, _ in server.seen if method == "DELETE"] == ["/bucket/k"]
    server.answer = lambda method, path: (
        (200, {"x-amz-server-side-encryption": "aws:kms"}, b"") if method == "PUT" else None
    )
    store.put("k", b"data")


def test_checksums_go_by_what_the_server_keeps_of_the_marker(server: Server) -> None:
    store_at(server).put("k", b"data")
    assert "content-md5" in server.seen[-1][2]
    store_at(server, S3Options(checksums="none")).put("k", b"data")
    assert not {"content-md5", "x-amz-checksum-crc64nvme"} & set(server.seen[-1][2])
    store_at(server, S3Options(checksums="crc64nvme", storage_class="STANDARD_IA")).put("k", b"data")
    assert server.seen[-1][2]["x-amz-checksum-crc64nvme"] and "content-md5" not in server.seen[-1][2]
    assert server.seen[-1][2]["x-amz-storage-class"] == "STANDARD_IA"


def test_where_creation_is_not_atomic_what_was_put_is_read_back(server: Server) -> None:
    server.answer = lambda method, path: (200, {}, b"another") if method == "GET" and MARKER_KEY not in path else None
    with pytest.raises(AlreadyExists):
        store_at(server, S3Options(careful=lambda: True)).put("k", b"data")


def test_a_container_role_is_asked_for_keys(server: Server) -> None:
    keys = {"AccessKeyId": "ROLE", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}
    server.answer = lambda method, path: (200, {}, json.dumps(keys).encode()) if path == "/role" else None
    account = S3Account(server.address, "", "", role={"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.address}/role"})
    store = S3Store(StoreId("s3-a"), account, "bucket", sleep=lambda _: None)
    store.put("k", b"data")
    assert "ROLE/" in server.seen[-1][2]["authorization"]
    assert server.seen[-1][2]["x-amz-security-token"] == "t"


def test_all_requests_go_by_the_proxy(server: Server) -> None:
    account = S3Account("http://s3.invalid", "key", "secret", proxy=server.address)
    store = S3Store(StoreId("s3-a"), account, "bucket", sleep=lambda _: None)
    store.put("k", b"data")
    server.answer = lambda method, path: (200, HEAD, b"0123456789")
    assert content(store, "k") == b"0123456789"
    store.close()
    assert {path.split("/")[2] for _, path, _ in server.seen} == {"s3.invalid"}


class TestCredentials:
    @pytest.mark.parametrize(
        "text",
        [
            "KEY\nSECRET=/+\n",
            "# ghi chú\nKEY\n\nSECRET=/+",
            "[other]\naws_access_key_id=x\n[default]\naws_access_key_id = KEY\naws_secret_access_key = SECRET=/+\n",
            "[only]\naws_access_key_id = KEY\naws_secret_access_key = SECRET=/+\n",
        ],
    )
    def test_a_file_of_keys(self, tmp_path: Path, text: str) -> None:
        file = tmp_path / "keys"
        file.write_text(text)
        file.chmod(0o600)
        assert read_credentials(file) == ("KEY", "SECRET=/+")

    @pytest.mark.parametrize("text", ["", "KEY\n", "[a]\nx=1\n", "a\nb\nc\n", "\x00\xff"])
    def test_a_file_of_something_else(self, tmp_path: Path, text: str) -> None:
        file = tmp_path / "keys"
        file.write_bytes(text.encode("latin-1"))
        file.chmod(0o600)
        with pytest.raises(UsageError):
            read_credentials(file)

    def test_a_file_that_others_may_read_or_none(self, tmp_path: Path) -> None:
        file = tmp_path / "keys"
        with pytest.raises(UsageError):
            read_credentials(file)
        file.write_text("KEY\nSECRET\n")
        file.chmod(0o640)
        with pytest.raises(UsageError, match="chmod 600"):
            read_credentials(file)


def test_requests_a_second(server: Server) -> None:
    now, slept = 0.0, []

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    store = LimitStore(store_at(server), sleep=sleep, clock=lambda: now, requests_per_second=2)
    for _ in range(3):
        store.put("k", b"")
    assert slept == [0.5, 0.5]


def test_who_does_not_answer_is_unavailable() -> None:
    account = S3Account("http://127.0.0.1:9", "", "", role={}, connect_timeout=0.2)
    with pytest.raises(StoreUnavailable):
        S3Store(StoreId("s3-a"), account, "bucket", sleep=lambda _: None).head("k")
