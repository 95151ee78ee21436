"""Which of our modules looks into which format: ``families.toml`` beside this one."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from metadata.holdings import Format


@dataclass(frozen=True, slots=True)
class Family:
    """Formats that one module looks into. ``libraries`` are distributions; ``whole``: it needs the whole file."""

    name: str
    module: str
    libraries: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class _Families:
    all: tuple[Family, ...]
    of_puid: Mapping[str, Family]
    of_mime: Mapping[str, Family]


def families() -> tuple[Family, ...]:
    """All there are, in the order of the file."""
    return _families().all


def family_of(format: Format) -> Family | None:
    """The family of an identified format by its PUID, else by its MIME type; None when nobody looks into it."""
    known = _families()
    if format.puid is not None and (found := known.of_puid.get(str(format.puid))):
        return found
    # PRONOM writes several types in one field, and some with parameters.
    mimes = (one.partition(";")[0].strip().lower() for one in format.mime.split(","))
    return next((known.of_mime[one] for one in mimes if one in known.of_mime), None)


@cache
def _families() -> _Families:
    """Raises ValueError when two families want the same format."""
    data = tomllib.loads((resources.files("preservation.formats") / "families.toml").read_text(encoding="utf-8"))
    found: list[Family] = []
    of_puid: dict[str, Family] = {}
    of_mime: dict[str, Family] = {}
    for name, entry in data.items():
        family = Family(name, entry["module"], tuple(entry["libraries"]), entry["whole"])
        found.append(family)
        for keys, of in ((entry["puids"], of_puid), (entry["mimes"], of_mime)):
            for key in keys:
                if key in of:
                    raise ValueError(f"{key} is in two families: {of[key].name}, {name}")
                of[key] = family
    return _Families(tuple(found), MappingProxyType(of_puid), MappingProxyType(of_mime))
