"""Formats and quality of files as TT 05 has them, as values. Loaded from ``formats.toml`` and the table of formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of one media type that the table has: in its words, and by PUID."""

    said: str
    puids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Digitisation:
    """What TT 05 Điều 8 asks of digitised documents: dots an inch, bits a second, colour, the PDF profile."""

    resolution: int
    drawing: int
    without_colour: frozenset[str]
    pdf_claim: str
    sound: int
    film: int


@dataclass(frozen=True, slots=True)
class FormatForms:
    """``accepted`` are the media types in any words for them; ``versions`` is by media type."""

    accepted: frozenset[str]
    versions: Mapping[str, Versions]
    digitisation: Digitisation


def format_forms(data: Mapping[str, Any]) -> FormatForms:
    """Raises KeyError, TypeError, ValueError for data of another shape."""
    accepted = {one for types in data["mime"].values() for one in types} | set(data["also"]["mime"])
    versions = {mime: Versions(said, frozenset(puids)) for mime, (said, *puids) in data["versions"].items()}
    entry = dict(data["digitisation"])
    numbers = {name: int(entry.pop(name)) for name in ("resolution", "drawing", "sound", "film")}
    digitisation = Digitisation(
        without_colour=frozenset(entry.pop("without_colour")), pdf_claim=str(entry.pop("pdf_claim")), **numbers
    )
    if entry:
        raise ValueError(f"unknown in [digitisation]: {sorted(entry)}")
    return FormatForms(frozenset(accepted), MappingProxyType(versions), digitisation)
