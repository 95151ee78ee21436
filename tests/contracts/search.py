"""What every SearchIndex must do. Subclass it and give the ``index`` fixture."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest

from access.search.port import TEXT_FIELD, Change, Facet, Rights, SearchIndex, SearchQuery, SearchResults, Sort
from metadata.holdings import Level
from tests.builders.search import aip, change, entry

ALL = Rights.everything()


def ask(index: SearchIndex, text: str = "", **options: object) -> SearchResults:
    return index.search(SearchQuery(text, **options), ALL)  # type: ignore[arg-type]


def titles(results: SearchResults) -> list[str]:
    return [hit.entry.title for hit in results.hits]


class SearchContract:
    @pytest.fixture
    def library(self, index: SearchIndex) -> SearchIndex:
        index.apply(
            [
                change(
                    1,
                    entry("Công văn về việc nộp lưu hồ sơ", notation="2402/2019/QĐ-UBND", start="12/03/2019"),
                    entry("Cong van ve viec nop luu ho so", notation="17/CV", start="01/02/2020"),
                    entry("Quyết định giao đất", type_name="Quyết định", texts=(("keyword", "đất đai; Cao Lãnh"),)),
                ),
                change(
                    2,
                    entry("Hồ sơ họp Ủy ban", level=Level.DOSSIER, start="2018", end="2020", agency="H20.07"),
                    entry("Tờ trình đường Nguyễn Huệ", formats=("PDF/A 1b", "DOCX"), access="Hạn chế"),
                ),
            ]
        )
        return index

    @pytest.mark.parametrize("text", ["cong van", "công văn", "CÔNG VĂN", unicodedata.normalize("NFD", "công văn")])
    def test_diacritics_and_case_never_hide_a_record(self, library: SearchIndex, text: str) -> None:
        assert set(titles(ask(library, text))) == {"Công văn về việc nộp lưu hồ sơ", "Cong van ve viec nop luu ho so"}

    def test_the_spelling_typed_comes_first(self, index: SearchIndex) -> None:
        index.apply(
            [
                change(1, entry("quyet dinh quyet dinh quyet dinh", start="2020")),
                change(2, entry("một văn bản rất dài nói về nhiều việc và cuối cùng là một quyết định", start="1990")),
                change(3, entry("quyết đinh", start="2021")),
            ]
        )
        assert titles(ask(index, "quyết định"))[0].endswith("một quyết định")
        assert titles(ask(index, '"quyết định"'))[0].endswith("một quyết định")
        assert ask(index, "quyết định").total == 3

    def test_d_stroke_folds_both_ways(self, library: SearchIndex) -> None:
        assert titles(ask(library, "duong")) == ["Tờ trình đường Nguyễn Huệ"]
        assert titles(ask(library, "Ðường")) == ["Tờ trình đường Nguyễn Huệ"]

    def test_old_and_new_tone_places_are_one_spelling(self, index: SearchIndex) -> None:
        index.apply([change(1, entry("Thuy", start="2022")), change(2, entry("Thụy", start="2000"))])
        assert titles(ask(index, "thuỵ")) == ["Thụy", "Thuy"]

    @pytest.mark.parametrize("text", ["2402/2019/QĐ-UBND", "2402/2019/qd-ubnd", "2402", "QĐ-UBND", '"2402/2019"'])
    def test_numbers_of_documents_are_found(self, library: SearchIndex, text: str) -> None:
        assert titles(ask(library, text)) == ["Công văn về việc nộp lưu hồ sơ"]

    def test_the_parts_of_a_number_must_stand_together(self, library: SearchIndex) -> None:
        assert ask(library, "2019/2402").total == 0

    def test_all_words_must_be_found_and_a_phrase_in_its_order(self, library: SearchIndex) -> None:
        assert ask(library, "lưu công").total == 2
        assert ask(library, '"lưu công"').total == 0
        assert ask(library, '"nộp lưu" “hồ sơ”').total == 2
        assert ask(library, "công vănx").total == 0

    def test_words_may_stand_in_different_fields(self, library: SearchIndex) -> None:
        assert titles(ask(library, "giao cao lãnh")) == ["Quyết định giao đất"]

    def test_a_phrase_never_runs_over_two_fields(self, index: SearchIndex) -> None:
        index.apply([change(1, entry("a", texts=(("x", "một hai"), ("y", "ba bốn"))))])
        assert ask(index, '"hai ba"').total == 0
        assert ask(index, '"một hai" "ba bốn"').total == 1

    @pytest.mark.parametrize(
        "text",
        [
            '"',
            '"công',
            'công" văn "',
            "NEAR(",
            "a:* <-> b",
            "title:x OR",
            "(((",
            "\\",
            "\x00",
            "\ud800",
            "+-&&||!{}[]^~?",
        ],
    )
    def test_nothing_typed_is_an_error(self, library: SearchIndex, text: str) -> None:
        assert ask(library, text).total <= library.count()

    def test_signs_alone_find_nothing(self, library: SearchIndex) -> None:
        assert ask(library, "?!").total == 0

    def test_ten_thousand_words_are_shortened(self, library: SearchIndex) -> None:
        assert ask(library, " ".join(f"từ{n}" for n in range(10_000))).shortened
        assert ask(library, "x" * 100_000).shortened
        assert not ask(library, "công văn").shortened

    def test_facets_count_all_that_matched(self, library: SearchIndex) -> None:
        facets = ask(library, limit=1).facets
        shown = {facet: [(item.value, item.count) for item in counts] for facet, counts in facets.items()}
        assert shown[Facet.LEVEL] == [("document", 4), ("dossier", 1)]
        assert shown[Facet.AGENCY] == [("H20.05", 4), ("H20.07", 1)]
        assert shown[Facet.YEAR] == [("2020", 2), ("2019", 2), ("2018", 1)]
        assert shown[Facet.TYPE] == [("Công văn", 4), ("Quyết định", 1)]
        assert shown[Facet.ACCESS] == [("Công khai", 4), ("Hạn chế", 1)]
        assert ("DOCX", 1) in shown[Facet.FORMAT]
        assert shown[Facet.FONDS] == [("UBND", 5)]

    def test_facets_follow_the_words(self, library: SearchIndex) -> None:
        assert [item.count for item in ask(library, "quyết định giao").facets[Facet.TYPE]] == [1]

    @pytest.mark.parametrize(
        ("filters", "total"),
        [
            ({Facet.AGENCY: ("H20.07",)}, 1),
            ({Facet.AGENCY: ("H20.07", "H20.05")}, 5),
            ({Facet.YEAR: ("2019",)}, 2),
            ({Facet.YEAR: ("2019",), Facet.LEVEL: ("document",)}, 1),
            ({Facet.FORMAT: ("DOCX",)}, 1),
            ({Facet.ACCESS: ("hạn chế",)}, 0),
            ({Facet.TYPE: ()}, 5),
            ({Facet.TYPE: ("x" * 70_000, "\x00", "' OR 1=1 --")}, 0),
        ],
    )
    def test_filters(self, library: SearchIndex, filters: dict[Facet, tuple[str, ...]], total: int) -> None:
        results = ask(library, filters=filters)
        assert results.total == len(results.hits) == total

    def test_rights_govern_everything_shown(self, library: SearchIndex) -> None:
        results = library.search(SearchQuery("công văn"), Rights.nothing())
        assert (results.total, results.hits) == (0, ())
        assert not any(results.facets.values())

    def test_order_is_total_and_pages_meet(self, index: SearchIndex) -> None:
        for number in range(1, 8):
            index.apply([change(number, *(entry("hồ sơ", start="2020") for _ in range(7)))])
        for sort in Sort:
            whole = [hit.entry.key for hit in ask(index, "ho so", sort=sort, limit=100).hits]
            pages = [
                hit.entry.key for n in range(0, 49, 5) for hit in ask(index, "ho so", sort=sort, offset=n, limit=5).hits
            ]
            assert pages == whole
            assert len(set(whole)) == 49

    def test_order_does_not_depend_on_the_order_of_feeding(self, index: SearchIndex) -> None:
        changes = [change(number, entry("hồ sơ", start="2020")) for number in range(1, 9)]
        for one in changes:
            index.apply([one])
        before = [hit.entry.key for hit in ask(index, "hồ").hits]
        index.replace(reversed(changes))
        assert [hit.entry.key for hit in ask(index, "hồ").hits] == before

    def test_by_date(self, library: SearchIndex) -> None:
        newest = [hit.entry.start.text for hit in ask(library, sort=Sort.NEWEST).hits]
        assert newest[:3] == ["01/02/2020", "12/03/2019", "2018"]
        assert [hit.entry.start.text for hit in ask(library, sort=Sort.OLDEST).hits] == newest[::-1]

    def test_the_same_change_again_changes_nothing(self, library: SearchIndex) -> None:
        library.apply([change(1, entry("Một")), change(1, entry("Hai"))])
        assert titles(ask(library, "mot")) == []
        assert titles(ask(library, "hai")) == ["Hai"]
        assert library.count() == 3

    def test_no_entries_remove_an_aip(self, library: SearchIndex) -> None:
        library.apply([Change(aip(1), ())])
        assert library.count() == 2
        library.apply([])
        assert library.count() == 2

    def test_a_replacement_that_fails_leaves_all_as_it_was(self, library: SearchIndex) -> None:
        def broken() -> Iterator[Change]:
            yield change(9, entry("mới"))
            raise LookupError

        with pytest.raises(LookupError):
            library.replace(broken())
        assert library.count() == 5
        assert ask(library, "mới").total == 0
        assert library.replace([change(9, entry("mới"))]) == 1

    def test_an_entry_comes_back_as_it_went_in(self, index: SearchIndex) -> None:
        given_entry = entry("Tiêu <b>đề</b>", texts=(("keyword", "a"),), formats=("PDF",), start="lạ", end="2020")
        index.apply([change(1, given_entry)])
        assert ask(index).hits[0].entry == given_entry

    def test_words_of_files_are_found_and_weigh_little(self, index: SearchIndex) -> None:
        index.apply(
            [
                change(1, entry("Tờ trình", text="quy hoạch quy hoạch quy hoạch " * 50, start="2022")),
                change(2, entry("Báo cáo quy hoạch", start="1990")),
                change(3, entry("Báo cáo", texts=(("keyword", "quy hoach"),), start="1991")),
            ]
        )
        assert titles(ask(index, "quy hoach")) == ["Báo cáo quy hoạch", "Báo cáo", "Tờ trình"]
        assert titles(ask(index, '"hoach quy" trinh')) == ["Tờ trình"]
        assert ask(index, "quy hoach").hits[0].snippet is None

    def test_the_spelling_typed_comes_first_in_files_too(self, index: SearchIndex) -> None:
        index.apply(
            [
                change(1, entry("a", text="quyết đinh " * 30, start="2022")),
                change(2, entry("b", text="Nay ban hành quyết định này.", start="1990")),
            ]
        )
        assert titles(ask(index, "quyết định")) == ["b", "a"]

    def test_a_passage_of_the_files_shows_where_the_words_stand_together(self, index: SearchIndex) -> None:
        far = "Cao dài lời " * 40 + "đất " + "lời " * 200
        text = f"{far}Điều 2. <b>Giao đất</b>\ntại huyện Cao Lãnh. " + "lời " * 300
        index.apply([change(1, entry("Quyết định", text=text, texts=(("keyword", "cao"),)))])
        hit = ask(index, 'giao dat "cao lanh"').hits[0]
        assert hit.snippet is not None
        assert hit.snippet_field == TEXT_FIELD
        assert [hit.snippet.text[a:b] for a, b in hit.snippet.marks] == ["Giao", "đất", "Cao Lãnh"]
        assert hit.snippet.text.startswith("… ")
        assert hit.snippet.text.endswith(" …")
        assert "<b>" not in hit.snippet.html
        assert len(hit.snippet.text) < 240
        assert hit.entry.text == ""
        assert ask(index, "cao").hits[0].snippet_field == "keyword"
        assert ask(index, "quyet dinh").hits[0].snippet is None

    def test_a_passage_marks_the_spelling_typed(self, index: SearchIndex) -> None:
        index.apply([change(1, entry("a", text="hòa rồi hoá và hóa, HOÁ-đơn"))])
        for typed, marked in (("hoá", ["hoá", "hóa", "HOÁ"]), ("hoa", ["hòa", "hoá", "hóa", "HOÁ"]), ("hoà", ["hòa"])):
            hit = ask(index, typed).hits[0]
            assert hit.snippet is not None
            assert [hit.snippet.text[a:b] for a, b in hit.snippet.marks] == marked

    @pytest.mark.parametrize(
        "text", ["x" * 200, "\x00\ud800 a", "İ" * 5 + " a", "a" + "\u0301" * 300 + " b", " " * 3000 + "a"]
    )
    def test_any_words_of_files_may_be_fed_and_found(self, index: SearchIndex, text: str) -> None:
        index.apply([change(1, entry("t", text=unicodedata.normalize("NFC", text)))])
        assert ask(index, "t").total == 1
        assert ask(index, "a").total in (0, 1)

    def test_rights_govern_the_words_of_files(self, index: SearchIndex) -> None:
        index.apply([change(1, entry("t", text="bí mật"))])
        assert index.search(SearchQuery("bí mật"), Rights.nothing()).total == 0

    def test_matches_are_marked_in_the_text_as_received(self, index: SearchIndex) -> None:
        decomposed = unicodedata.normalize("NFD", "Về công văn <script>đến</script>")
        index.apply(
            [change(1, entry(decomposed, texts=(("keyword", "x " * 300 + "công tác, CONG VAN đi " + "y " * 300),)))]
        )
        hit = ask(index, '"cong van"').hits[0]
        assert [decomposed[a:b] for a, b in hit.title.marks] == [unicodedata.normalize("NFD", "công văn")]
        assert "<script>" not in hit.title.html
        assert hit.title.html.count("<mark>") == 1
        assert hit.snippet is not None
        assert hit.snippet_field == "keyword"
        assert [hit.snippet.text[a:b] for a, b in hit.snippet.marks] == ["CONG VAN"]
        assert hit.snippet.text.startswith("… ")
        assert hit.snippet.text.endswith(" …")
        assert len(hit.snippet.text) < 240
