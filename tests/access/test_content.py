"""Bytes go out only when a replica proves right, and as nothing but a file to save."""

from __future__ import annotations

import hashlib

import pytest
from httpx import Client

from access.content import OutsideFileError, Span, disposition, read_range
from metadata.errors import StoreUnavailable
from metadata.holdings import AipVersion
from metadata.identifiers import StoreId
from metadata.text import Sentence
from storage.port import Store
from tests.builders.browser import browser
from tests.builders.reading import STORES, Archive

DATA = b"%PDF-1.7 quyet dinh " * 50
PATH = "data/urn_uuid/representations/rep1/data/002/quyet-dinh.pdf"


@pytest.fixture
def url(versions: list[AipVersion]) -> str:
    return f"/api/aips/{versions[0].aip}/content/{PATH}"


def damage(library: Archive, store: StoreId, version: AipVersion) -> None:
    """Flip one bit in the middle of the file in one store."""
    member = library.catalogue.holdings.member(version.id, PATH)
    assert member is not None
    with library.stores[store].open(version.key) as stream:
        data = bytearray(stream.read(version.size))
    data[member.data + 500] ^= 1
    library.stores[store].delete(version.key)
    library.stores[store].put(version.key, data)


def test_a_file_as_it_was_and_nothing_but_a_file(reader: Client, url: str) -> None:
    response = reader.get(url)
    assert response.status_code == 200
    assert response.content == DATA
    assert response.headers["ETag"] == f'"{hashlib.sha256(DATA).hexdigest()}"'
    assert response.headers["Content-Length"] == str(len(DATA))
    assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''quyet-dinh.pdf"
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("sandbox;")
    assert response.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=990-", 990, 1000), ("bytes=-5", 995, 1000)],
)
def test_one_range(reader: Client, url: str, asked: str, start: int, end: int) -> None:
    response = reader.get(url, headers={"Range": asked})
    assert response.status_code == 206
    assert response.content == DATA[start:end]
    assert response.headers["Content-Range"] == f"bytes {start}-{end - 1}/1000"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=" + "0-1," * 10_000 + "5-6", "lines=1-2", "bytes=-", "x"])
def test_several_ranges_or_nonsense_give_the_whole(reader: Client, url: str, asked: str) -> None:
    response = reader.get(url, headers={"Range": asked})
    assert (response.status_code, response.content) == (200, DATA)


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=99999999999999-", "bytes=-0"])
def test_a_range_outside(reader: Client, url: str, asked: str) -> None:
    response = reader.get(url, headers={"Range": asked})
    assert response.status_code == 416
    assert response.headers["Content-Range"] == "bytes */1000"
    assert response.json()["code"] == "range"


def test_only_when_changed(reader: Client, url: str) -> None:
    tag = reader.head(url).headers["ETag"]
    assert reader.get(url, headers={"If-None-Match": f'"x", W/{tag}'}).status_code == 304
    assert reader.get(url, headers={"If-Range": tag, "Range": "bytes=0-1"}).status_code == 206
    assert reader.get(url, headers={"If-Range": '"other"', "Range": "bytes=0-1"}).status_code == 200


def test_head_says_how_much_without_reading(reader: Client, library: Archive, url: str) -> None:
    for store in STORES:
        library.stores[store].open = None  # type: ignore[method-assign, assignment]
    response = reader.head(url)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Length"] == "1000"


def test_a_damaged_replica_is_passed_over(
    reader: Client, library: Archive, versions: list[AipVersion], url: str
) -> None:
    damage(library, STORES[0], versions[0])
    assert reader.get(url).content == DATA
    assert reader.get(url, headers={"Range": "bytes=0-9"}).content == DATA[:10]


def test_a_missing_replica_is_passed_over(
    reader: Client, library: Archive, versions: list[AipVersion], url: str
) -> None:
    library.stores[STORES[0]].delete(versions[0].key)
    assert reader.get(url).content == DATA


def test_no_wrong_byte_goes_out(reader: Client, library: Archive, versions: list[AipVersion], url: str) -> None:
    for store in STORES:
        damage(library, store, versions[0])
    for headers in ({}, {"Range": "bytes=0-9"}):
        response = reader.get(url, headers=headers)
        assert response.status_code == 500
        assert response.json()["code"] == "damaged"
        assert b"%PDF" not in response.content
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_store_that_does_not_answer(
    reader: Client, library: Archive, versions: list[AipVersion], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = library.open_store

    def down(store: StoreId) -> Store:
        if store == STORES[0]:
            raise StoreUnavailable(Sentence("nghỉ", "down"))
        return whole(store)

    monkeypatch.setattr(Archive, "open_store", lambda self, store: down(store))
    with browser(library.application()) as client:
        client.headers = reader.headers
        assert client.get(url).content == DATA
        damage(library, STORES[1], versions[0])
        response = client.get(url)
        assert response.status_code == 503
        assert response.json()["code"] == "unavailable"


def test_what_a_browser_could_run_has_no_type(reader: Client, versions: list[AipVersion]) -> None:
    files = reader.get(f"/api/aips/{versions[2].aip}/files").json()["files"]
    page = next(file for file in files if file["path"].endswith(".html"))
    response = reader.get(f"/api/aips/{versions[2].aip}/content/{page['path']}")
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "data/%2e%2e/bagit.txt", "%2e%2e/bagit.txt", "BAGIT.TXT", "a%00b", "x" * 20_000]
)
def test_no_other_path(reader: Client, versions: list[AipVersion], path: str) -> None:
    assert reader.get(f"/api/aips/{versions[0].aip}/content/{path}").status_code == 404


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("data/phụ lục.docx", "attachment; filename*=UTF-8''ph%E1%BB%A5%20l%E1%BB%A5c.docx"),
        (
            'a"; filename=evil.html\r\nSet-Cookie: x',
            "attachment; filename*=UTF-8''a%22%3B%20filename%3Devil.html__Set-Cookie%3A%20x",
        ),
        ("data/\u202egpj.exe", "attachment; filename*=UTF-8''_gpj.exe"),
        ("data/..", "attachment; filename*=UTF-8''file"),
        ("a\\b.txt", "attachment; filename*=UTF-8''a_b.txt"),
    ],
)
def test_names_say_nothing_but_a_name(path: str, header: str) -> None:
    assert disposition(path) == header


@pytest.mark.parametrize(
    ("header", "size", "span"),
    [
        ("", 10, None),
        ("bytes=5-2", 10, None),
        ("bytes=2-99", 10, Span(2, 8)),
        ("bytes=-99", 10, Span(0, 10)),
        ("BYTES = 1 - 1", 10, Span(1, 1)),
        ("bytes=" + "9" * 50 + "-", 10, None),
    ],
)
def test_read_range(header: str, size: int, span: Span | None) -> None:
    assert read_range(header, size) == span


@pytest.mark.parametrize(("header", "size"), [("bytes=0-", 0), ("bytes=-1", 0), ("bytes=10-", 10)])
def test_ranges_outside(header: str, size: int) -> None:
    with pytest.raises(OutsideFileError):
        read_range(header, size)
