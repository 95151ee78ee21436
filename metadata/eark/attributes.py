"""What single attributes must be, as ``attributes.toml`` says it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from urllib.parse import urlsplit

from metadata.eark.names import attribute_name
from metadata.eark.requirements import Report
from metadata.eark.vocabularies import in_vocabulary, is_date_time, is_media_type

_Check = tuple[str, str, Callable[[str], bool]]


@cache
def _checks() -> Mapping[str, tuple[_Check, ...]]:
    entries = tomllib.loads((resources.files("metadata.eark") / "attributes.toml").read_text(encoding="utf-8"))
    found: dict[str, tuple[_Check, ...]] = {}
    for entry in entries["checks"]:
        check = (entry["requirement"], attribute_name(entry["attribute"]), _predicate(entry["must"]))
        found[entry["element"]] = (*found.get(entry["element"], ()), check)
    return found


def _predicate(must: str) -> Callable[[str], bool]:
    kind, _, operand = must.partition(" ")
    plain: dict[str, Callable[[str], bool]] = {
        "present": bool,
        "datetime": is_date_time,
        "media-type": is_media_type,
        "url": _is_url,
    }
    if kind == "is":
        return lambda value: value == operand
    if kind == "in":
        return lambda value: in_vocabulary(operand, value)
    return plain[kind]


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path))


def check_attributes(element: str, attributes: Mapping[str, str], report: Report, at: str = "") -> None:
    """Judge the attributes of an element, named as in ``attributes.toml``."""
    for requirement, name, good in _checks().get(element, ()):
        value = attributes.get(name, "")
        if not value or not good(value):
            report.add(requirement, at, value)
