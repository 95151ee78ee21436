"""Pages that another package brings into the house: its templates, words and files, shown in the same frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import APIRouter

if TYPE_CHECKING:
    from access.web.page import Pages


@dataclass(frozen=True, slots=True)
class Annex:
    """``package`` has ``templates/``, ``static/`` and ``words.toml``; its names must not be those of access.

    ``links`` are what it adds to the navigation, as (path, key of its words). ``routers`` makes its routers, given what
    renders its pages. ``aip_links`` stand on a dossier's page, as (what comes before an AIP's name, key). ``counts``
    tell, for paths among the links, how many things wait there for somebody.
    """

    package: str
    links: tuple[tuple[str, str], ...]
    routers: Callable[[Pages], Sequence[APIRouter]]
    counts: Mapping[str, Callable[[], int]] = field(default_factory=dict)
    aip_links: tuple[tuple[str, str], ...] = ()
