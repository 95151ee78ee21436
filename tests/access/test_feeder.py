"""The index follows the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from access.search.feeder import UNIDENTIFIED_FORMAT, Feeder
from access.search.file_text import FileTexts
from access.search.memory import MemoryIndex
from access.search.port import TEXT_FIELD, Change, Facet
from access.search.tantivy_index import TantivyIndex
from metadata.catalogue import OutboxAction
from metadata.errors import Busy, StoreUnavailable
from metadata.examination import TEXT, FileText
from metadata.holdings import AipVersion, Member
from metadata.identifiers import StoreId
from metadata.text import Sentence
from storage.port import Store
from tests.builders.kept import flip
from tests.builders.reading import STORES, Archive, Paper
from tests.contracts.search import ask


def test_what_was_told_is_found_and_told_once(library: Archive) -> None:
    library.add("Hồ sơ mới", [Paper("Thư công")], code="M")
    feeder = Feeder(library.catalogue, library.index)
    before = library.index.count()
    assert feeder.feed() == 1
    assert library.index.count() == before + 2
    assert feeder.feed() == 0


def test_rebuilding_gives_the_same_index(library: Archive, tmp_path: Path) -> None:
    fresh = TantivyIndex(tmp_path / "index")
    assert Feeder(library.catalogue, fresh).rebuild() == library.index.count() == 9
    for text in ("", "quy hoach", "2402/2019/QĐ-UBND", "so hoa"):
        assert ask(fresh, text).facets == ask(library.index, text).facets
        assert {hit.entry for hit in ask(fresh, text).hits} == {hit.entry for hit in ask(library.index, text).hits}


def test_an_index_that_fails_is_told_again(library: Archive) -> None:
    class Failing(MemoryIndex):
        def apply(self, changes: object) -> None:
            raise Busy(Sentence("bận", "busy"))

    library.add("Hồ sơ mới", [], code="M")
    with pytest.raises(Busy):
        Feeder(library.catalogue, Failing()).feed()
    assert library.catalogue.outbox.waiting() == 1
    assert Feeder(library.catalogue, library.index).feed() == 1


def test_only_the_latest_version_is_found(library: Archive) -> None:
    for version in (1, 2):
        library.add(f"Bản {version}", [], code="V", version=version)
    Feeder(library.catalogue, library.index).rebuild()
    assert [hit.entry.version.number for hit in ask(library.index, "bản").hits if "Bản" in hit.entry.title] == [2]
    assert library.catalogue.outbox.waiting() == 0


WORDS = "Điều 1. Giao cho Sở Nội vụ trồng 1.000 cây phượng vĩ."


def test_words_of_files_are_found_with_their_passage(library: Archive) -> None:
    library.add("Hồ sơ mới", [Paper("Quyết định", text=WORDS), Paper("Công văn", text="khác hẳn")], code="M")
    library.feed()
    (hit,) = ask(library.index, '"cây phượng"').hits
    assert (hit.entry.title, hit.snippet_field) == ("Quyết định", TEXT_FIELD)
    assert hit.snippet is not None
    assert hit.snippet.text == WORDS
    assert library.catalogue.outbox.waiting() == 0


def test_without_a_reader_words_of_files_are_not_searched(library: Archive) -> None:
    library.add("Hồ sơ mới", [Paper("Quyết định", text=WORDS)], code="M")
    assert Feeder(library.catalogue, library.index).feed() == 1
    assert ask(library.index, '"cây phượng"').total == 0
    assert ask(library.index, "quyết định").total > 0


def test_the_words_of_a_document_are_those_of_its_files_up_to_a_bound(
    library: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [FileText(number, "", f"từ{number} " * 3).line() for number in (2, 3, 5)]
    with FileTexts(lines) as texts:
        assert texts.of((5, 4, 2, 99)) == "từ5 từ5 từ5 \ntừ2 từ2 từ2 "
        assert texts.of(()) == ""
        monkeypatch.setattr("access.search.file_text.MAX_TEXT", 15)
        assert texts.of((2, 3, 5)) == "từ2 từ2 từ2 \ntừ"


@pytest.mark.parametrize("data", [b"{}\n", b"nonsense", FileText(3, "", "a").line() + FileText(2, "", "b").line()])
def test_words_that_cannot_be_read_cost_only_themselves(
    library: Archive, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    library.add("Hồ sơ mới", [Paper("Quyết định", text=WORDS)], code="M")
    monkeypatch.setattr(library, "read", lambda version, member: iter([data]))
    library.feed()
    assert ask(library.index, '"cây phượng"').total == 0
    assert ask(library.index, "hồ sơ mới").total > 0
    assert library.catalogue.outbox.waiting() == 0


def test_damaged_words_are_left_out_where_every_replica_is(library: Archive) -> None:
    held = library.add("Hồ sơ mới", [Paper("Quyết định", text=WORDS)], code="M")
    at = next(one for one in library.catalogue.holdings.members(held.id) if one.path == TEXT).data + 30
    flip(library.stores[STORES[0]], held.key, at)
    library.feed()
    assert ask(library.index, '"cây phượng"').total == 1
    library.catalogue.outbox.put(held.id, OutboxAction.PUT)
    flip(library.stores[STORES[1]], held.key, at)
    library.feed()
    assert ask(library.index, '"cây phượng"').total == 0
    assert library.catalogue.outbox.waiting() == 0


def test_a_store_that_is_away_only_puts_the_words_off(library: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    library.add("Hồ sơ mới", [Paper("Quyết định", text=WORDS)], code="M")
    library.add("Hồ sơ cũ", [], code="N")
    away = True

    def open_store(store: StoreId) -> Store:
        if away:
            raise StoreUnavailable(Sentence("vắng", "away"))
        return library.stores[store]

    monkeypatch.setattr(library, "open_store", open_store)
    feeder = library.feeder
    assert [feeder.feed(), feeder.feed()] == [2, 0]
    assert ask(library.index, "hồ sơ mới").total > 0
    assert ask(library.index, '"cây phượng"').total == 0
    assert library.catalogue.outbox.waiting() == 1
    assert [feeder.feed(), feeder.feed()] == [1, 0]
    away = False
    assert [feeder.feed(), feeder.feed()] == [1, 0]
    assert ask(library.index, '"cây phượng"').total == 1
    assert library.catalogue.outbox.waiting() == 0


def test_what_waits_for_a_store_holds_up_nothing_behind_it(library: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    away = library.add("Hồ sơ mới", [Paper("Quyết định", text=WORDS)], code="M")
    library.add("Hồ sơ cũ", [Paper("Công văn", text="hoa mai vàng")], code="N")
    plain = library.read

    def read(version: AipVersion, member: Member) -> Iterator[bytes]:
        if version == away:
            raise StoreUnavailable(Sentence("vắng", "away"))
        return plain(version, member)

    monkeypatch.setattr(library, "read", read)
    feeder = library.feeder
    assert [feeder.feed(1), feeder.feed(1), feeder.feed(1)] == [1, 1, 0]
    assert ask(library.index, "mai vàng").total == 1


def test_rebuilding_with_a_store_away_asks_for_the_words_later(
    library: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add("Hồ sơ mới", [Paper("Quyết định", text=WORDS)], code="M")
    plain = library.read

    def read(version: AipVersion, member: Member) -> Iterator[bytes]:
        raise StoreUnavailable(Sentence("vắng", "away"))

    monkeypatch.setattr(library, "read", read)
    library.feeder.rebuild()
    assert library.catalogue.outbox.waiting() == 1
    monkeypatch.setattr(library, "read", plain)
    library.feed()
    assert ask(library.index, '"cây phượng"').total == 1


def test_words_are_searched_and_codes_are_not(library: Archive) -> None:
    assert ask(library.index, "luu tru lich su").total == 1
    assert ask(library.index, "doi chieu").hits[0].snippet_field == "description"
    assert all("01" not in dict(hit.entry.texts).values() for hit in ask(library.index).hits)


def test_formats_of_the_files(library: Archive) -> None:
    counts = {item.value: item.count for item in ask(library.index).facets[Facet.FORMAT]}
    assert counts["Microsoft Word for Windows 2007 onwards"] == 2
    assert counts[UNIDENTIFIED_FORMAT] == 1


def test_a_version_that_is_gone_leaves_the_index(library: Archive) -> None:
    gone = ask(library.index, "quy hoach").hits[0].entry.version.aip
    library.index.apply([Change(gone, ())])
    assert ask(library.index, "quy hoach").total == 0
