"""The index follows the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from access.search.feeder import UNIDENTIFIED_FORMAT, Feeder
from access.search.memory import MemoryIndex
from access.search.port import Change, Facet
from access.search.tantivy_index import TantivyIndex
from metadata.errors import Busy
from metadata.text import Sentence
from tests.builders.reading import Archive, Paper
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
