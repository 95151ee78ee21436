"""The SearchIndex port. One contract suite (``tests/contracts/search.py``) holds every implementation to it.

The index is derived: it is fed from the catalogue's outbox and can be rebuilt from the catalogue at any time.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from metadata.dates import RecordDate
from metadata.holdings import Level
from metadata.identifiers import AipId, VersionId

MAX_WINDOW = 1000
MAX_PAGE = 100
MAX_YEARS = 60
MAX_TEXT = 1 << 20
"""Code points of the words of a document's files that are searched."""
TEXT_FIELD = "text"
"""The field of a snippet out of them."""


class Facet(StrEnum):
    """What results can be narrowed by."""

    LEVEL = "level"
    AGENCY = "agency"
    FONDS = "fonds"
    YEAR = "year"
    TYPE = "type"
    ACCESS = "access"
    FORMAT = "format"


class Sort(StrEnum):
    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class Rights:
    """What the reader may see: part of every query, so that it governs hits, totals, facets and snippets alike."""

    all_records: bool

    @classmethod
    def everything(cls) -> Rights:
        return cls(all_records=True)

    @classmethod
    def nothing(cls) -> Rights:
        return cls(all_records=False)


@dataclass(frozen=True, slots=True)
class SearchEntry:
    """A dossier (``number`` 0) or document as the index keeps it.

    ``texts`` are further searched fields: (name, text). ``dossier_*`` are those of its dossier. ``text`` are the words
    of its files in NFC, at most ``MAX_TEXT``: they weigh little, and a hit does not give them back but for a passage.
    """

    version: VersionId
    number: int
    level: Level
    title: str
    notation: str
    code: str
    organ: str
    type_name: str
    access: str
    agency: str
    fonds: str
    dossier_title: str
    dossier_code: str
    start: RecordDate
    end: RecordDate
    formats: tuple[str, ...]
    texts: tuple[tuple[str, str], ...]
    text: str = field(default="", compare=False, repr=False)

    @property
    def key(self) -> str:
        return f"{self.version}/{self.number}"

    @property
    def order(self) -> int:
        """A 63-bit number that puts newer records later and is the same in every index; undated records come first."""
        date = (self.start.year or 0) * 10_000 + (self.start.month or 0) * 100 + (self.start.day or 0)
        return (date << 36) | (int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:5], "big") >> 4)

    @property
    def years(self) -> tuple[str, ...]:
        """Every year from the first to the last date, at most 60 of them."""
        first, last = self.start.year or self.end.year, self.end.year or self.start.year
        if first is None or last is None:
            return ()
        return tuple(f"{year:04d}" for year in range(first, max(first, min(last, first + MAX_YEARS - 1)) + 1))

    def values(self, facet: Facet) -> tuple[str, ...]:
        """The record's values of a facet, without empty ones and without repeats."""
        found: tuple[str, ...] = {
            Facet.LEVEL: (self.level.value,),
            Facet.AGENCY: (self.agency,),
            Facet.FONDS: (self.fonds,),
            Facet.YEAR: self.years,
            Facet.TYPE: (self.type_name,),
            Facet.ACCESS: (self.access,),
            Facet.FORMAT: self.formats,
        }[facet]
        return tuple(dict.fromkeys(value.strip()[:255] for value in found if value.strip()))


@dataclass(frozen=True, slots=True)
class Change:
    """All entries of one AIP from now on; none at all removes it from the index. ``entries`` are read once."""

    aip: AipId
    entries: Iterable[SearchEntry]


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A question. Facet values are alternatives within a facet, and all chosen facets must hold.

    Raises ValueError when ``limit`` is not 1…100, ``offset`` is negative or the page ends beyond hit 1,000.
    """

    text: str = ""
    filters: Mapping[Facet, tuple[str, ...]] = field(default_factory=dict)
    sort: Sort = Sort.RELEVANCE
    offset: int = 0
    limit: int = 20

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_PAGE or self.offset < 0 or self.offset + self.limit > MAX_WINDOW:
            raise ValueError("a page has 1 to 100 hits and lies within the first 1,000")


@dataclass(frozen=True, slots=True)
class Marked:
    """Text as received with the places that matched: half-open ranges of code points, in order, not overlapping."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()

    @property
    def pieces(self) -> tuple[tuple[str, bool], ...]:
        """The text cut at its marks: (piece, whether it matched)."""
        found: list[tuple[str, bool]] = []
        position = 0
        for start, end in self.marks:
            found += [(self.text[position:start], False), (self.text[start:end], True)]
            position = end
        found.append((self.text[position:], False))
        return tuple(piece for piece in found if piece[0])

    @property
    def html(self) -> str:
        """The text escaped for HTML, matches in ``<mark>``."""
        return "".join(
            f"<mark>{html.escape(text)}</mark>" if matched else html.escape(text) for text, matched in self.pieces
        )


@dataclass(frozen=True, slots=True)
class Hit:
    """A record found. ``snippet`` is the passage that matched outside title and number, ``snippet_field`` its field:
    one of ``texts``, or ``TEXT_FIELD``."""

    entry: SearchEntry
    title: Marked
    notation: Marked
    snippet: Marked | None
    snippet_field: str


@dataclass(frozen=True, slots=True)
class FacetCount:
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class SearchResults:
    """``total`` counts all that matched, ``facets`` over all of them; ``shortened``: only the first words were used."""

    total: int
    hits: tuple[Hit, ...]
    facets: Mapping[Facet, tuple[FacetCount, ...]]
    shortened: bool


class SearchIndex(Protocol):
    """Finds records. Implementations agree on what matches, on counts, and on exact spelling before folded spelling.

    Hits of equal worth are in the order of ``SearchEntry.order``, newest first, so pages never overlap.
    """

    def apply(self, changes: Sequence[Change]) -> None:
        """Take changes in, all or none; the same changes again change nothing. Raises Busy, TemporaryError."""
        ...

    def replace(self, changes: Iterable[Change]) -> int:
        """Forget everything and take in these, all or none; the number of entries. Raises Busy, TemporaryError."""
        ...

    def search(self, query: SearchQuery, rights: Rights) -> SearchResults:
        """Answer. Never raises for any text or filter value."""
        ...

    def count(self) -> int:
        """How many entries there are."""
        ...


def facet_counts(facet: Facet, counts: Iterable[tuple[str, int]]) -> tuple[FacetCount, ...]:
    """Counts in the order they are shown: years newest first, others by count, then by value."""
    found = [FacetCount(value, count) for value, count in counts if count > 0]
    if facet is Facet.YEAR:
        return tuple(sorted(found, key=lambda item: item.value, reverse=True))
    return tuple(sorted(found, key=lambda item: (-item.count, item.value)))
