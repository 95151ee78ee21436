"""What the store in a bucket makes of an answer to “complete” that names another checksum; no server is asked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import awscrt.checksums
import pytest

from metadata.errors import Damaged, StoreUnavailable
from metadata.identifiers import StoreId
from storage.port import Part, Upload
from storage.stores.s3 import S3Account, S3Store
from storage.stores.s3_checksums import crc_text

DATA = b"bytes that are kept"
CRC = crc_text(awscrt.checksums.crc64nvme(DATA))
OTHER = crc_text(awscrt.checksums.crc64nvme(b"other bytes"))
ETAG = hashlib.md5(DATA, usedforsecurity=False).hexdigest()
JOINED = hashlib.md5(bytes.fromhex(ETAG), usedforsecurity=False).hexdigest() + "-1"
ELSE = "0" * 32 + "-1"
KEY = "a.zip"
PARTS = {"crc": Part(1, len(DATA), f"{ETAG} {CRC}"), "etag": Part(1, len(DATA), f"{ETAG} -")}


@dataclass
class Answers:
    """A server that answers as given, and remembers what was removed."""

    made: dict[str, Any]
    found: dict[str, Any] | Exception
    removed: list[str] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)

    def complete_multipart_upload(self, **_: Any) -> dict[str, Any]:
        return self.made

    def head_object(self, Key: str, ChecksumMode: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803 - S3's names
        self.modes.append(ChecksumMode)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def delete_object(self, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.removed.append(Key)
        return {}

    def close(self) -> None:
        pass


def complete(answers: Answers, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    store = S3Store(StoreId("s3-a"), S3Account("http://localhost:1", "a", "b"), "bucket")
    monkeypatch.setattr(store, "_client", answers)
    monkeypatch.setattr(store, "_check_mounted", lambda again=False: None)
    monkeypatch.setattr(store, "_remove", lambda key: answers.removed.append(key))
    store.complete(Upload(KEY, "1", datetime(2026, 3, 2, tzinfo=UTC)), [part])


@pytest.mark.parametrize(
    ("part", "made", "found"),
    [
        ("crc", {"ChecksumCRC64NVME": OTHER}, {"ChecksumCRC64NVME": CRC}),
        ("crc", {"ChecksumCRC64NVME": OTHER}, {"ETag": f'"{JOINED}"'}),
        ("etag", {"ETag": f'"{ELSE}"'}, {"ETag": f'"{JOINED}"'}),
    ],
)
def test_an_answer_altered_on_the_line_removes_nothing(
    part: str, made: dict[str, Any], found: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Answers(made, found)
    complete(answers, PARTS[part], monkeypatch)
    assert answers.removed == []
    assert answers.modes[-1] == "ENABLED"


@pytest.mark.parametrize(
    ("part", "made", "found"),
    [
        ("crc", {"ChecksumCRC64NVME": OTHER}, {"ChecksumCRC64NVME": OTHER}),
        ("crc", {"ChecksumCRC64NVME": OTHER}, {"ETag": f'"{ELSE}"'}),
        ("crc", {"ChecksumCRC64NVME": OTHER}, {}),
        ("etag", {"ETag": f'"{ELSE}"'}, {"ETag": f'"{ELSE}"'}),
    ],
)
def test_what_the_server_says_twice_is_believed(
    part: str, made: dict[str, Any], found: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Answers(made, found)
    with pytest.raises(Damaged):
        complete(answers, PARTS[part], monkeypatch)
    assert answers.removed == [KEY]


def test_when_nobody_can_say_nothing_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import EndpointConnectionError

    answers = Answers({"ChecksumCRC64NVME": OTHER}, EndpointConnectionError(endpoint_url="http://localhost:1"))
    with pytest.raises(StoreUnavailable):
        complete(answers, PARTS["crc"], monkeypatch)
    assert answers.removed == []


class Listing:
    """A server that lists what it likes."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def get_paginator(self, _: str) -> Listing:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        at = datetime(2026, 3, 2, tzinfo=UTC)
        return [{"Contents": [{"Key": name, "Size": 1, "LastModified": at} for name in self._names]}]

    def close(self) -> None:
        pass


@pytest.mark.parametrize("names", [("p/b", "p/a"), ("p/a", "p/a"), ("q/a",), ("a",)])
def test_a_list_that_goes_round_in_circles_or_elsewhere_is_no_list(
    names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = S3Store(StoreId("s3-a"), S3Account("http://localhost:1", "a", "b"), "bucket", "p")
    monkeypatch.setattr(store, "_client", Listing(*names))
    monkeypatch.setattr(store, "_check_mounted", lambda again=False: None)
    with pytest.raises(StoreUnavailable, match="out of order"):
        list(store.list())
