"""What the store in a bucket withstands: broken lines, lost replies, servers that refuse or lie."""

from __future__ import annotations

import base64
import random
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from metadata.errors import AlreadyExists, Damaged, NoSpace, NotFound, StoreUnavailable, TangThuError
from metadata.identifiers import ArchiveCode, StoreId
from storage.marker import MARKER_KEY
from storage.stores.s3 import S3Account, S3Store
from storage.wrappers import RetryPolicy, RetryStore
from tests.contracts.store import FIRST, content, keys
from tests.services.ceph import S3Service
from tests.services.fault_proxy import FaultProxy, Trouble

pytestmark = pytest.mark.services
ARCHIVE = ArchiveCode("LTLS")
BUCKET = "faults"


def account(service: S3Service, endpoint: str = "") -> S3Account:
    return S3Account(endpoint or service.http, service.access_key, service.secret_key, read_timeout=1.0)


@pytest.fixture(scope="module")
def sound(s3: S3Service) -> Iterator[S3Store]:
    """The store over a good line."""
    store = S3Store(StoreId("s3-a"), account(s3), BUCKET, f"{uuid.uuid4()}/")
    store.create(ARCHIVE)
    yield store
    store.close()


@pytest.fixture
def key() -> str:
    return f"{uuid.uuid4()}.zip"


@pytest.fixture(scope="module")
def bad_line(s3: S3Service) -> Iterator[FaultProxy]:
    with FaultProxy(s3.http) as line:
        yield line


@pytest.fixture(scope="module")
def over_bad_line(bad_line: FaultProxy, s3: S3Service, sound: S3Store) -> Iterator[S3Store]:
    """The same store over a bad line."""
    far = account(s3, bad_line.address)
    store = S3Store(StoreId("s3-a"), far, BUCKET, sound._prefix, sleep=lambda _: None)
    yield store
    store.close()


@pytest.fixture
def store(bad_line: FaultProxy, over_bad_line: S3Store) -> S3Store:
    bad_line.plan = lambda _line, _number: None
    over_bad_line.head("nothing")
    bad_line.requests.clear()
    return over_bad_line


@pytest.fixture
def line(bad_line: FaultProxy, store: S3Store) -> FaultProxy:
    """The line of ``store``, as yet without trouble."""
    return bad_line


def refusal(status: str, code: str) -> bytes:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    return f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


def test_reading_goes_on_where_the_line_broke(store: S3Store, sound: S3Store, line: FaultProxy, key: str) -> None:
    data = random.Random(5).randbytes(3 << 20)
    sound.put(key, data)
    line.plan = lambda _, number: Trouble(cut_after=1_000_000) if number in (1, 2) else None
    assert content(store, key) == data
    assert len(line.requests) == 3
    line.requests.clear()
    assert content(store, key, 1000, 2 << 20) == data[1000 : 1000 + (2 << 20)]
    assert len(line.requests) == 3


def test_a_line_that_breaks_without_progress_is_not_the_end(
    store: S3Store, sound: S3Store, line: FaultProxy, key: str
) -> None:
    sound.put(key, bytes(100_000))
    line.plan = lambda _, number: Trouble(cut_after=50_000) if number == 1 else Trouble(cut_after=0)
    with store.open(key) as stream:
        received = 0
        with pytest.raises(StoreUnavailable):
            while count := stream.readinto(bytearray(100_000)):
                received += count
    assert received < 50_000
    assert len(line.requests) == 4


def test_an_object_that_changed_between_is_not_mixed(
    store: S3Store, sound: S3Store, line: FaultProxy, key: str
) -> None:
    sound.put(key, bytes(100_000))
    line.plan = lambda _, number: Trouble(cut_after=50_000) if number == 1 else None
    with store.open(key) as stream:
        sound.delete(key)
        sound.put(key, b"\x01" * 100_000)
        with pytest.raises(StoreUnavailable):
            stream.read(100_000)


def test_connections_are_kept_and_used_again(store: S3Store, sound: S3Store, line: FaultProxy, key: str) -> None:
    sound.put(key, b"0123456789")
    before = line.connections
    for start in range(10):
        assert content(store, key, start) == b"0123456789"[start:]
        assert content(store, key, start, 1) == b"0123456789"[start : start + 1]
    assert line.connections == before + 1
    with store.open(key) as stream:  # left in the middle: its connection is not used again
        assert stream.read(2) == b"01"
    assert content(store, key) == b"0123456789"


def test_a_kept_connection_that_the_server_has_closed(
    store: S3Store, sound: S3Store, line: FaultProxy, key: str
) -> None:
    sound.put(key, b"data")
    assert content(store, key) == b"data"
    line.plan = lambda _, number: Trouble(cut_after=0) if number == 2 else None
    assert content(store, key) == b"data"
    assert len(line.requests) == 3


ANSWERS: dict[str, tuple[bytes, type[TangThuError]]] = {
    "busy": (refusal("503", "SlowDown"), StoreUnavailable),
    "broken": (refusal("500", "InternalError"), StoreUnavailable),
    "forbidden": (refusal("403", "AccessDenied"), StoreUnavailable),
    "bucket": (refusal("404", "NoSuchBucket"), StoreUnavailable),
    "quota": (refusal("403", "QuotaExceeded"), NoSpace),
    "disk": (refusal("507", "InsufficientStorage"), NoSpace),
    "race": (refusal("409", "ConditionalRequestConflict"), StoreUnavailable),
    "no http": (b"SSH-2.0-OpenSSH\r\n", StoreUnavailable),
    "nothing": (b"", StoreUnavailable),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("operation", ["put", "open", "begin", "put_part", "complete", "delete", "abort", "list"])
def test_what_the_server_says_becomes_an_error_of_ours(
    store: S3Store, line: FaultProxy, key: str, operation: str, answer: str
) -> None:
    upload = store.begin(key)
    part = store.put_part(upload, 1, b"data")
    text, expected = ANSWERS[answer]
    line.plan = lambda _line, _number: Trouble(answer=text)
    uses: dict[str, Callable[[], Any]] = {
        "put": lambda: store.put(key, b"data"),
        "open": lambda: store.open(key),
        "begin": lambda: store.begin(key),
        "put_part": lambda: store.put_part(upload, 2, b"x"),
        "complete": lambda: store.complete(upload, [part]),
        "delete": lambda: store.delete(key),
        "abort": lambda: store.abort(upload),
        "list": lambda: list(store.list()),
    }
    with pytest.raises(expected):
        uses[operation]()
    line.plan = lambda _line, _number: None
    assert store.head(key) is None


def test_a_server_that_gives_other_bytes(store: S3Store, sound: S3Store, line: FaultProxy, key: str) -> None:
    sound.put(key, b"0123456789")
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"
    other = b"HTTP/1.1 206 OK\r\nContent-Length: 2\r\nContent-Range: bytes 2-3/10\r\n\r\n23"
    none = b"HTTP/1.1 206 OK\r\nContent-Length: 2\r\n\r\n45"
    for answer in (whole, other, none):
        trouble = Trouble(answer=answer)
        line.plan = lambda _line, _number, trouble=trouble: trouble
        with pytest.raises(StoreUnavailable):
            store.open(key, 4, 2)


@pytest.mark.parametrize("operation", ["begin", "complete", "list"])
def test_an_answer_that_is_no_xml_is_no_answer(store: S3Store, line: FaultProxy, key: str, operation: str) -> None:
    upload = store.begin(key)
    part = store.put_part(upload, 1, b"data")
    line.plan = lambda _line, _number: Trouble(answer=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<Lis|t></>")
    uses: dict[str, Callable[[], Any]] = {
        "begin": lambda: store.begin(key),
        "complete": lambda: store.complete(upload, [part]),
        "list": lambda: list(store.list()),
    }
    with pytest.raises(StoreUnavailable):
        uses[operation]()


def test_a_server_that_does_not_answer(store: S3Store, sound: S3Store, line: FaultProxy, key: str) -> None:
    sound.put(key, b"data")
    line.plan = lambda _line, _number: Trouble(stall=True)
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.put(key, b"data")
    assert time.monotonic() - begun < 5


def test_a_lost_reply_to_complete_is_recognised(store: S3Store, sound: S3Store, line: FaultProxy, key: str) -> None:
    upload = store.begin(key)
    parts = [store.put_part(upload, 1, FIRST), store.put_part(upload, 2, b"end")]
    line.plan = lambda text, _: Trouble(cut_after=0) if text.startswith("POST") else None
    store.complete(upload, parts)
    assert content(sound, key) == FIRST + b"end"
    assert list(sound.uploads(key)) == []


def test_another_writers_object_is_not_taken_for_ones_own(
    store: S3Store, sound: S3Store, line: FaultProxy, key: str
) -> None:
    upload = store.begin(key)
    part = store.put_part(upload, 1, b"mine")
    sound.put(key, b"them")
    line.plan = lambda text, _: Trouble(cut_after=0) if text.startswith("POST") else None
    with pytest.raises((StoreUnavailable, NotFound)):
        store.complete(upload, [part])
    assert content(sound, key) == b"them"


def test_trying_again_over_a_line_that_loses_every_other_answer(
    store: S3Store, sound: S3Store, line: FaultProxy, key: str
) -> None:
    line.plan = lambda _, number: Trouble(cut_after=0) if number % 2 else None
    retry = RetryStore(store, RetryPolicy(first=0.001))
    retry.put(key, b"data")
    upload = retry.begin(f"{key}-2")
    retry.complete(upload, [retry.put_part(upload, 1, b"parts")])
    assert content(retry, key) == b"data"
    assert content(retry, f"{key}-2") == b"parts"
    with pytest.raises(AlreadyExists):
        retry.put(key, b"other")
    assert {key, f"{key}-2"} <= set(keys(retry))
    retry.delete(key)
    assert sound.head(key) is None


def test_a_body_damaged_on_its_way_is_refused(sound: S3Store, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = sound.begin(key)
    wrong = base64.b64encode(bytes(8)).decode()
    monkeypatch.setattr("storage.stores.s3_checksums.crc_text", lambda _: wrong)
    with pytest.raises(StoreUnavailable):
        sound.put(key, b"data")
    with pytest.raises(StoreUnavailable):
        sound.put_part(upload, 1, b"data")
    assert sound.head(key) is None


def test_parts_put_together_wrongly_are_found_and_removed(
    sound: S3Store, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = sound.begin(key)
    part = sound.put_part(upload, 1, b"data")
    monkeypatch.setattr("awscrt.checksums.combine_crc64nvme", lambda *_: 1)
    with pytest.raises(Damaged):
        sound.complete(upload, [part])
    assert sound.head(key) is None


def test_a_bucket_without_the_marker_is_not_mounted(s3: S3Service, sound: S3Store) -> None:
    for bucket, prefix, name in (
        ("never-made", "", "s3-a"),
        (BUCKET, "elsewhere/", "s3-a"),
        (BUCKET, sound._prefix, "s3-b"),
    ):
        store = S3Store(StoreId(name), account(s3), bucket, prefix)
        for use in (lambda s: s.head("k"), lambda s: list(s.list()), lambda s: s.open("k"), lambda s: s.put("k", b"")):
            with pytest.raises(StoreUnavailable):
                use(store)
        store.close()


def test_a_marker_that_vanishes_makes_nothing_missing(s3: S3Service) -> None:
    store = S3Store(StoreId("s3-a"), account(s3), BUCKET, f"{uuid.uuid4()}/")
    store.create(ARCHIVE)
    store.create(ARCHIVE)
    assert store.head("k") is None
    store._client.delete_object(Bucket=BUCKET, Key=store._prefix + MARKER_KEY)
    for use in (lambda: store.head("k"), lambda: store.open("k")):
        with pytest.raises(StoreUnavailable):
            use()
    store.close()


def test_the_marker_is_kept(sound: S3Store, s3: S3Service) -> None:
    with pytest.raises(ValueError, match="never deleted"):
        sound.delete(MARKER_KEY)
    with pytest.raises(AlreadyExists):
        sound.create(ArchiveCode("other"))
    with pytest.raises(ValueError, match="at most 64"):
        S3Store(StoreId("s3-a"), account(s3), BUCKET, "x" * 65)


def test_who_may_not(s3: S3Service, sound: S3Store) -> None:
    wrong = S3Store(StoreId("s3-a"), replace(account(s3), secret_key="wrong"), BUCKET, sound._prefix)
    with pytest.raises(StoreUnavailable):
        wrong.head("k")
    assert "wrong" not in repr(replace(account(s3), secret_key="wrong"))
    wrong.close()


def test_an_unknown_certificate_is_refused(s3: S3Service, sound: S3Store, key: str) -> None:
    sound.put(key, b"data")
    secure = replace(account(s3, s3.https), ca=Path(s3.ca))
    good = S3Store(StoreId("s3-a"), secure, BUCKET, sound._prefix)
    assert content(good, key) == b"data"
    bad = S3Store(StoreId("s3-a"), replace(secure, ca=None), BUCKET, sound._prefix, sleep=lambda _: None)
    with pytest.raises(StoreUnavailable):
        bad.head(key)
    bad._mounted = True
    with pytest.raises(StoreUnavailable):
        bad.open(key)
    good.close()
    bad.close()
