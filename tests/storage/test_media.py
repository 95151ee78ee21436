"""Media on a shelf: closed as a set, checked by themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from metadata.errors import OnShelf
from metadata.identifiers import ArchiveCode, StoreId
from metadata.outcomes import Fixity
from storage.keys import SET_KEY
from storage.media import seal, verify_set
from storage.stores.directory import DirectoryStore
from storage.wrappers import RetryStore

AT = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
def medium(tmp_path: Path) -> DirectoryStore:
    store = DirectoryStore(StoreId("bang-1"), tmp_path / "medium", "Băng số 1", offline=True)
    store.create(ArchiveCode("LTLS"))
    store.put("a/one", b"first")
    store.put("a/two", b"second")
    return store


def test_a_closed_set_takes_nothing_and_gives_all(medium: DirectoryStore) -> None:
    waiting = medium.begin("later")
    medium.abort(waiting)
    assert seal(medium, "Băng số 1", AT) == (2, 11)
    for use in (
        lambda: medium.put("new", b""),
        lambda: medium.begin("new"),
        lambda: medium.delete("a/one"),
        lambda: seal(medium, "again", AT),
    ):
        with pytest.raises(OnShelf):
            use()
    with medium.open("a/one") as stream:
        assert stream.read(10) == b"first"
    text = medium._path(SET_KEY).read_text()
    assert "Băng số 1" in text and '"key":"a/two"' in text


def test_a_medium_that_is_not_connected_is_on_the_shelf_and_nobody_waits(tmp_path: Path) -> None:
    store = DirectoryStore(StoreId("bang-1"), tmp_path / "absent", "Băng số 1", offline=True)

    def never(_: float) -> None:
        raise AssertionError("waited for a medium on the shelf")

    with pytest.raises(OnShelf, match="Băng số 1"):
        RetryStore(store, sleep=never).head("k")


def outcomes(store: DirectoryStore) -> dict[str, Fixity]:
    return {one.key: one.outcome for one in verify_set(store) if one.outcome is not Fixity.NOT_CHECKED}


def test_what_was_changed_lost_or_added_is_told(medium: DirectoryStore) -> None:
    seal(medium, "", AT)
    assert outcomes(medium) == {SET_KEY: Fixity.MATCH}
    one, two = medium._path("a/one"), medium._path("a/two")
    one.chmod(0o600)
    one.write_bytes(b"fIrst")
    two.unlink()
    (two.parent / "three~o").write_bytes(b"new")
    assert outcomes(medium) == {
        "a/one": Fixity.MISMATCH, "a/two": Fixity.MISSING, "a/three": Fixity.MISMATCH, SET_KEY: Fixity.MATCH,
    }  # fmt: skip


def test_a_manifest_that_was_cut_or_altered_is_told(medium: DirectoryStore) -> None:
    seal(medium, "", AT)
    path = medium._path(SET_KEY)
    path.chmod(0o600)
    whole = path.read_bytes()
    for bad in (
        whole[:-1],
        whole.splitlines(keepends=True)[0],
        b"",
        b"{}\n",
        whole.replace(b'"objects":2', b'"objects":3'),
    ):
        path.write_bytes(bad)
        assert outcomes(medium)[SET_KEY] is Fixity.MISMATCH
