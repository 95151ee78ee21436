"""The vocabularies that attributes are compared with, and the forms that values must have."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from importlib import resources
from typing import Any

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-](0\d|1[0-4]):[0-5]\d)?")
_MEDIA_TYPE = re.compile(r"([a-z][a-z-]*)/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}(\s*;.*)?", re.IGNORECASE)
_MEDIA_TYPE_LENGTH = 256
_NAME = re.compile(r"[^\W\d][\w.\-]*")
_CITS = re.compile(r"cits[a-z]+_v\d+_\d+")
_DASHES = str.maketrans({"–": "-", "—": "-", "‐": "-"})


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((resources.files("metadata.eark") / "vocabularies.toml").read_text(encoding="utf-8"))


@cache
def _folded(name: str) -> frozenset[str]:
    return frozenset(_fold(term) for term in _data()[name])


def _fold(text: str) -> str:
    return text.strip().translate(_DASHES).casefold()


def in_vocabulary(name: str, value: str) -> bool:
    """Whether ``value`` is a term of that vocabulary, as written; of words for people, case and dashes do not count."""
    if name == "content_category":
        return _fold(value) in _folded(name)
    return value in _data()[name] or (name == "content_information_type" and bool(_CITS.fullmatch(value)))


def is_placeholder(path: str) -> bool:
    """Whether the file only keeps its folder from being lost."""
    return path.rpartition("/")[2] in _data()["placeholder"]


def profile_urls(requirement: str, version: str) -> Sequence[str]:
    """What PROFILE may be, by the requirement that says so; empty when that version says nothing."""
    return [url for url, versions in _data()["profile"].get(requirement, {}).items() if version in versions]


def version_of_profile(url: str) -> str:
    """The newest version that names this PROFILE; ``""`` when none tells."""
    for urls in _data()["profile"].values():
        if url in urls:
            return str(urls[url][-1])
    return ""


@lru_cache(maxsize=10_000)
def is_date_time(value: str) -> bool:
    """Whether it is an xs:dateTime of the years 0001 to 9999."""
    if not _DATE_TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value[:19])
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1000)
def is_media_type(value: str) -> bool:
    """Whether it has the form of RFC 6838 with a top-level type that IANA knows, of at most 256 characters."""
    found = _MEDIA_TYPE.fullmatch(value)
    if not found or len(value) > _MEDIA_TYPE_LENGTH:
        return False
    top = found.group(1).casefold()
    return top.startswith("x-") or top in _folded("media_type")


def is_name(value: str) -> bool:
    """Whether it can be an xml:id (NCName)."""
    return bool(_NAME.fullmatch(value))
