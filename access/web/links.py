"""Addresses of search pages, always whole so that they can be kept and shared; and paths safe to go back to."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from access.search.port import Facet, SearchQuery, Sort

PAGE_SIZE = 20
_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]{0,2000}")


@dataclass(frozen=True, slots=True)
class SearchAddress:
    """What a search page shows, as its address says it. ``page`` counts from 1."""

    text: str = ""
    chosen: tuple[tuple[Facet, str], ...] = ()
    sort: Sort = Sort.RELEVANCE
    page: int = 1

    @property
    def url(self) -> str:
        pairs = [("q", self.text)] if self.text else []
        pairs += [(facet.value, value) for facet, value in self.chosen]
        pairs += [("sort", self.sort.value)] if self.sort is not Sort.RELEVANCE else []
        pairs += [("page", str(self.page))] if self.page > 1 else []
        return "/search" + (f"?{urlencode(pairs)}" if pairs else "")

    def query(self) -> SearchQuery:
        """What to ask the index."""
        filters: dict[Facet, tuple[str, ...]] = {}
        for facet, value in self.chosen:
            filters[facet] = (*filters.get(facet, ()), value)
        return SearchQuery(self.text, filters, self.sort, (self.page - 1) * PAGE_SIZE, PAGE_SIZE)

    def has(self, facet: Facet, value: str) -> bool:
        return (facet, value) in self.chosen

    def adding(self, facet: Facet, value: str) -> SearchAddress:
        return replace(self, chosen=(*self.chosen, (facet, value)), page=1)

    def without(self, facet: Facet, value: str) -> SearchAddress:
        return replace(self, chosen=tuple(pair for pair in self.chosen if pair != (facet, value)), page=1)

    def sorted_by(self, sort: Sort) -> SearchAddress:
        return replace(self, sort=sort, page=1)

    def at(self, page: int) -> SearchAddress:
        return replace(self, page=page)


def local_path(text: str) -> str:
    """``text`` when it is an address within this site, else the home page: nobody is sent elsewhere."""
    return text if _LOCAL.fullmatch(text) else "/"
