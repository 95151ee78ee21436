"""A SearchIndex in memory: for tests and very small archives. It says what the real one must answer."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from access.search.folding import Word, words
from access.search.highlight import hit
from access.search.port import (
    Change,
    Facet,
    Rights,
    SearchEntry,
    SearchQuery,
    SearchResults,
    Sort,
    facet_counts,
)
from access.search.query import Group, ParsedQuery, parse
from metadata.identifiers import AipId


class MemoryIndex:
    """Looks at every entry for every question."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[AipId, tuple[SearchEntry, ...]] = {}

    def apply(self, changes: Sequence[Change]) -> None:
        with self._lock:
            for change in changes:
                self._entries[change.aip] = tuple(change.entries)

    def replace(self, changes: Iterable[Change]) -> int:
        fresh = {change.aip: tuple(change.entries) for change in changes}
        with self._lock:
            self._entries = fresh
        return self.count()

    def count(self) -> int:
        return sum(len(entries) for entries in self._entries.values())

    def search(self, query: SearchQuery, rights: Rights) -> SearchResults:
        parsed = parse(query.text)
        empty = bool(query.text.strip()) and not parsed.groups
        with self._lock:
            seen = [entry for entries in self._entries.values() for entry in entries] if rights.all_records else []
        found: list[tuple[float, SearchEntry]] = []
        for entry in () if empty else seen:
            worth = _worth(entry, parsed)
            if worth is not None and _chosen(entry, query.filters):
                found.append((worth, entry))
        counts = {facet: Counter(value for _, entry in found for value in entry.values(facet)) for facet in Facet}
        page = _ordered(found, query.sort)[query.offset : query.offset + query.limit]
        return SearchResults(
            total=len(found),
            hits=tuple(hit(replace(one, text=""), parsed.groups, lambda one=one: one.text) for one in page),  # type: ignore[misc]
            facets={facet: facet_counts(facet, count.items()) for facet, count in counts.items()},
            shortened=parsed.shortened,
        )


def _ordered(found: Sequence[tuple[float, SearchEntry]], sort: Sort) -> list[SearchEntry]:
    if sort is Sort.OLDEST:
        return sorted((entry for _, entry in found), key=lambda entry: entry.order)
    if sort is Sort.NEWEST:
        return sorted((entry for _, entry in found), key=lambda entry: -entry.order)
    return [entry for _, entry in sorted(found, key=lambda item: (-item[0], -item[1].order))]


def _chosen(entry: SearchEntry, filters: Mapping[Facet, tuple[str, ...]]) -> bool:
    return all(not values or set(values) & set(entry.values(facet)) for facet, values in filters.items())


def _worth(entry: SearchEntry, parsed: ParsedQuery) -> float | None:
    """How well the entry matches; None when it does not."""
    title = [words(text) for text in (entry.title, entry.notation, entry.code)]
    body = [words(text) for _, text in entry.texts]
    files = [words(entry.text)]
    worth = 0.0
    for group in parsed.groups:
        places: float = 2 * _times(title, group, exactly=False) + _times(body, group, exactly=False)
        in_files = _times(files, group, exactly=False)
        places += 0.5 * in_files / (in_files + 1)
        if not places:
            return None
        worth += places
    if parsed.accented and all(_times(title + body, group, exactly=True) for group in parsed.accented):
        worth += 1000
    if (whole := parsed.whole) and whole.accented and _times(title + body, whole, exactly=True):
        worth += 1000
    elif parsed.accented and all(_times(title + body + files, group, exactly=True) for group in parsed.accented):
        worth += 5
    return worth


def _times(texts: Sequence[Sequence[Word]], group: Group, *, exactly: bool) -> int:
    wanted = group.exact if exactly else group.folded
    count = 0
    for text in texts:
        forms = [word.exact if exactly else word.folded for word in text]
        count += sum(
            tuple(forms[first : first + len(wanted)]) == wanted for first in range(len(forms) - len(wanted) + 1)
        )
    return count
