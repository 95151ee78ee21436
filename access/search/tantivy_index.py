"""The SearchIndex on disk, with tantivy. Words are cut and folded by us; tantivy splits at spaces only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tantivy import (
    Document,
    Index,
    IndexWriter,
    Occur,
    Order,
    Query,
    Schema,
    SchemaBuilder,
    Searcher,
    TextAnalyzerBuilder,
    Tokenizer,
)

from access.search.codec import pack, unpack
from access.search.folding import spellings, words
from access.search.highlight import hit
from access.search.port import (
    MAX_WINDOW,
    Change,
    Facet,
    FacetCount,
    Rights,
    SearchEntry,
    SearchQuery,
    SearchResults,
    Sort,
    facet_counts,
)
from access.search.query import ParsedQuery, parse
from metadata.errors import Busy, TemporaryError, Unreadable
from metadata.text import Sentence

LAYOUT = "2"  # a new folder for every change of the schema or of the folding: an index of another layout is not read
WRITER_MEMORY = 64_000_000
_EXACT = 1000.0
_FACET_VALUES = 10_000
_EXACT_IN_FILES = 5.0
_FOLDED = (("title_folded", 2.0), ("body_folded", 1.0), ("text_folded", 0.1))
_SPELLED = (("title_exact", 1.0), ("body_exact", 1.0))
_SPELLED_IN_FILES = (*_SPELLED, ("text_exact", 1.0))


class TantivyIndex:
    """An index in a folder. Many processes may search; one may write at a time."""

    def __init__(self, folder: Path) -> None:
        """Open the index in ``folder`` or make an empty one. Raises Unreadable when what lies there is not one."""
        path = folder / LAYOUT
        path.mkdir(parents=True, exist_ok=True)
        self._schema = _schema()
        try:
            self._index = Index(self._schema, path=str(path))
        except ValueError as error:
            raise Unreadable(
                Sentence(
                    "Không đọc được chỉ mục tìm kiếm; hãy xóa thư mục chỉ mục rồi dựng lại từ danh mục.",
                    "The search index cannot be read; delete its folder and build it again from the catalogue.",
                )
            ) from error
        self._index.register_tokenizer("spaces", TextAnalyzerBuilder(Tokenizer.whitespace()).build())

    def apply(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        with self._writer() as writer:
            for change in changes:
                _put(writer, change)

    def replace(self, changes: Iterable[Change]) -> int:
        with self._writer() as writer:
            writer.delete_all_documents()
            for change in changes:
                _put(writer, change, fresh=True)
        return self.count()

    def count(self) -> int:
        return self._searcher().num_docs

    def search(self, query: SearchQuery, rights: Rights) -> SearchResults:
        parsed = parse(query.text)
        searcher = self._searcher()
        asked = self._query(query, parsed, rights)
        facets = _facets(searcher, asked)
        return SearchResults(
            total=sum(item.count for item in facets[Facet.LEVEL]),  # each record has exactly one level
            hits=tuple(hit(entry, parsed.groups, text) for entry, text in _page(searcher, asked, query)),
            facets=facets,
            shortened=parsed.shortened,
        )

    def _searcher(self) -> Searcher:
        self._index.reload()
        return self._index.searcher()

    @contextmanager
    def _writer(self) -> Iterator[IndexWriter]:
        try:
            writer = self._index.writer(heap_size=WRITER_MEMORY, num_threads=1)
        except ValueError as error:
            raise Busy(
                Sentence(
                    "Chỉ mục tìm kiếm đang được ghi; hãy thử lại sau.", "The search index is being written; try later."
                )
            ) from error
        try:
            yield writer
            _commit(writer)
        finally:
            # Without a commit this drops what was added; either way it gives the lock back.
            writer.wait_merging_threads()

    def _query(self, query: SearchQuery, parsed: ParsedQuery, rights: Rights) -> Query:
        clauses = [(Occur.Must, Query.const_score_query(_allowed(rights), 0.0))]
        for facet, values in query.filters.items():
            if values:
                chosen = [(Occur.Should, Query.term_query(self._schema, facet.value, value)) for value in values]
                clauses.append((Occur.Must, Query.const_score_query(Query.boolean_query(chosen), 0.0)))
        if query.text.strip() and not parsed.groups:
            clauses.append((Occur.Must, Query.empty_query()))
        clauses += [(Occur.Must, self._stands(group.folded, _FOLDED)) for group in parsed.groups]
        return Query.boolean_query(clauses + self._preferred(parsed))

    def _preferred(self, parsed: ParsedQuery) -> list[tuple[Occur, Query]]:
        """What makes a match better: the words side by side, the spelling exactly as typed."""
        better: list[tuple[Occur, Query]] = []
        if parsed.accented:
            for fields, worth in ((_SPELLED, _EXACT), (_SPELLED_IN_FILES, _EXACT_IN_FILES)):
                exactly = [(Occur.Must, self._stands(group.exact, fields)) for group in parsed.accented]
                better.append((Occur.Should, Query.const_score_query(Query.boolean_query(exactly), worth)))
        if whole := parsed.whole:
            better.append((Occur.Should, self._stands(whole.folded, _FOLDED)))
            if whole.accented:
                phrase = self._stands(whole.exact, _SPELLED)
                better.append((Occur.Should, Query.const_score_query(phrase, _EXACT)))
        return better

    def _stands(self, wanted: Sequence[str], fields: Iterable[tuple[str, float]]) -> Query:
        """The words stand side by side in one of the fields."""
        places = []
        for field, boost in fields:
            place = (
                Query.phrase_query(self._schema, field, list(wanted))
                if len(wanted) > 1
                else Query.term_query(self._schema, field, wanted[0])
            )
            places.append((Occur.Should, Query.boost_query(place, boost)))
        return Query.boolean_query(places)


def _commit(writer: IndexWriter) -> None:
    try:
        writer.commit()
    except ValueError as error:
        raise TemporaryError(
            Sentence(
                "Không ghi được chỉ mục tìm kiếm; dữ liệu lưu trữ không bị ảnh hưởng, hãy thử lại.",
                "The search index could not be written; the archive's data are untouched, try again.",
            )
        ) from error


def _schema() -> Schema:
    builder = SchemaBuilder()
    builder.add_text_field("aip", tokenizer_name="raw", index_option="basic")
    for field, _ in (*_FOLDED, *_SPELLED_IN_FILES):
        builder.add_text_field(field, tokenizer_name="spaces", index_option="position")
    for facet in Facet:
        builder.add_text_field(facet.value, fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("order", fast=True)
    builder.add_bytes_field("entry", stored=True)
    builder.add_bytes_field("text", stored=True)
    return builder.build()


def _put(writer: IndexWriter, change: Change, *, fresh: bool = False) -> None:
    if not fresh:
        writer.delete_documents_by_term("aip", str(change.aip))
    for entry in change.entries:
        writer.add_document(_document(change, entry))


def _document(change: Change, entry: SearchEntry) -> Document:
    document = Document()
    document.add_text("aip", str(change.aip))
    for name, texts in (
        ("title", (entry.title, entry.notation, entry.code)),
        ("body", tuple(text for _, text in entry.texts)),
    ):
        for text in texts:
            found = words(text)
            document.add_text(f"{name}_folded", " ".join(word.folded for word in found))
            document.add_text(f"{name}_exact", " ".join(word.exact for word in found))
    if entry.text:
        folded, exact = spellings(entry.text)
        document.add_text("text_folded", folded)
        document.add_text("text_exact", exact)
        document.add_bytes("text", entry.text.encode("utf-8", "replace"))
    for facet in Facet:
        for value in entry.values(facet):
            document.add_text(facet.value, value)
    document.add_unsigned("order", entry.order)
    document.add_bytes("entry", pack(entry))
    return document


def _allowed(rights: Rights) -> Query:
    return Query.all_query() if rights.all_records else Query.empty_query()


def _page(searcher: Searcher, asked: Query, query: SearchQuery) -> Iterator[tuple[SearchEntry, Callable[[], str]]]:
    """The entries of a page, each with what gives the words of its files."""
    if query.sort is not Sort.RELEVANCE:
        order = Order.Desc if query.sort is Sort.NEWEST else Order.Asc
        found = searcher.search(
            asked, query.limit, count=False, order_by_field="order", order=order, offset=query.offset
        ).hits
        addresses = [address for _, address in found]
    else:
        # Equal scores come back in the order of segments, which merging changes: the first 1,000 are ordered again.
        found = searcher.search(asked, MAX_WINDOW, count=False).hits
        orders = searcher.fast_field_values("order", [address for _, address in found])
        ranked = sorted(
            zip(found, orders, strict=True), key=lambda item: (-round(float(item[0][0]), 3), -int(item[1] or 0))
        )
        addresses = [address for (_, address), _ in ranked[query.offset : query.offset + query.limit]]
    for address in addresses:
        stored = searcher.doc(address)
        yield unpack(bytes(stored["entry"][0])), partial(_text, stored["text"])


def _text(stored: Sequence[bytes]) -> str:
    return stored[0].decode() if stored else ""


def _facets(searcher: Searcher, asked: Query) -> Mapping[Facet, tuple[FacetCount, ...]]:
    wanted = {facet.value: {"terms": {"field": facet.value, "size": _FACET_VALUES}} for facet in Facet}
    counted = searcher.aggregate(asked, wanted)
    return {
        facet: facet_counts(facet, ((item["key"], item["doc_count"]) for item in counted[facet.value]["buckets"]))
        for facet in Facet
    }
