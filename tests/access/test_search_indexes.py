"""Both indexes keep the contract; and what only the one on disk can do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.search.folding import exact, fold, habits, spellings, words
from access.search.memory import MemoryIndex
from access.search.port import MAX_WINDOW, Marked, SearchIndex, SearchQuery
from access.search.query import parse
from access.search.tantivy_index import LAYOUT, TantivyIndex
from metadata.errors import Busy, Unreadable
from tests.builders.search import change, entry
from tests.contracts.search import SearchContract, ask


class TestMemoryIndex(SearchContract):
    @pytest.fixture
    def index(self) -> SearchIndex:
        return MemoryIndex()


class TestTantivyIndex(SearchContract):
    @pytest.fixture
    def index(self, tmp_path: Path) -> SearchIndex:
        return TantivyIndex(tmp_path / "index")


def test_an_index_on_disk_is_there_again(tmp_path: Path) -> None:
    TantivyIndex(tmp_path).apply([change(1, entry("Công văn"))])
    assert ask(TantivyIndex(tmp_path), "cong van").total == 1


def test_an_open_index_sees_what_another_wrote(tmp_path: Path) -> None:
    reader = TantivyIndex(tmp_path)
    assert reader.count() == 0
    TantivyIndex(tmp_path).apply([change(1, entry("Công văn"))])
    assert reader.count() == 1


def test_a_second_writer_is_told_to_come_back(tmp_path: Path) -> None:
    first, second = TantivyIndex(tmp_path), TantivyIndex(tmp_path)

    def writing() -> object:
        with pytest.raises(Busy):
            second.apply([change(2, entry("b"))])
        yield change(1, entry("a"))

    first.replace(writing())  # type: ignore[arg-type]
    second.apply([change(2, entry("b"))])
    assert first.count() == 2


def test_what_is_not_an_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / LAYOUT).mkdir()
    (tmp_path / LAYOUT / "meta.json").write_text("{")
    with pytest.raises(Unreadable):
        TantivyIndex(tmp_path)


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Đường Quyết ĐỊNH", "duong quyet dinh"), ("Ðð", "dd"), ("ứ ợ ẫ ỹ", "u o a y"), ("漢 ß İ", "漢 ß i")],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("old", "new"),
    [("hòa", "hoà"), ("Khỏe", "khoẻ"), ("thủy", "thuỷ"), ("quý", "quý"), ("của", "của"), ("hoàn", "hoàn")],
)
def test_tone_places(old: str, new: str) -> None:
    assert exact(old) == new
    assert old.lower() in habits(new)
    assert {exact(one) for one in habits(new)} == {new}


@given(st.text(max_size=200))
def test_the_words_of_a_long_text_are_those_of_a_short_one(text: str) -> None:
    found = words(text)
    assert spellings(text) == (" ".join(one.folded for one in found), " ".join(one.exact for one in found))


def test_words_stand_where_they_stood() -> None:
    text = "e\u0323\u0302 12/QĐ_x\u0300!"
    assert [(text[word.start : word.end], word.folded) for word in words(text)] == [
        ("e\u0323\u0302", "e"), ("12", "12"), ("QĐ", "qd"), ("x\u0300", "x"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("a b", [("a",), ("b",)]),
        ('"a b" c', [("a", "b"), ("c",)]),
        ('a "b c', [("a",), ("b",), ("c",)]),
        ("12/QĐ-UBND, x", [("12", "qd", "ubnd"), ("x",)]),
        ('"" a a', [("a",)]),
    ],
)
def test_parse(text: str, groups: list[tuple[str, ...]]) -> None:
    assert [group.folded for group in parse(text).groups] == groups


@pytest.mark.parametrize("page", [{"limit": 0}, {"limit": 101}, {"offset": -1}, {"offset": MAX_WINDOW}])
def test_a_page_has_bounds(page: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="page"):
        SearchQuery("a", **page)  # type: ignore[arg-type]


def test_marked_text_is_escaped() -> None:
    assert Marked("<a> & b", ((4, 5),)).html == "&lt;a&gt; <mark>&amp;</mark> b"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(max_size=40), st.text(alphabet='công văn đến/12-"', max_size=12)))
def test_both_indexes_find_the_same(tmp_path: Path, text: str) -> None:
    disk, memory = TantivyIndex(tmp_path), MemoryIndex()
    changes = [
        change(1, entry("Công văn đến 12/CV-G"), entry("cong van den", notation="1-2")),
        change(2, entry("ăn n")),
    ]
    if not disk.count():
        disk.replace(changes)
    memory.replace(changes)
    assert {hit.entry.key for hit in ask(disk, text).hits} == {hit.entry.key for hit in ask(memory, text).hits}
    assert ask(disk, text).facets == ask(memory, text).facets
