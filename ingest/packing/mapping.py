"""Mapping files: which column, element or attribute of a source gives which field. Data that an archivist can write.

``docs/packing.md`` describes the form; ``ingest/packing/mappings`` has those that are shipped.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any

from ingest.packing.model import BESIDE_FORM
from ingest.packing.text import fold, fold_heading
from metadata.errors import NotFound, UsageError
from metadata.text import Sentence
from metadata.tt05.profile import DocumentKind, Profile, default_profile

_TABLES: dict[str, DocumentKind | None] = {
    "dossier": None,
    "text": DocumentKind.TEXT,
    "picture": DocumentKind.PICTURE,
    "media": DocumentKind.MEDIA,
}
_TABLE_KEYS = {"names", "fields", "ignore", "fixed"}
_KEYS = {"title", "source", "codes", "dates", "sheets_ignored", *_TABLES}
_SIZE = 1 << 20


class SourceKind(StrEnum):
    """What a mapping reads."""

    WORKBOOK = "workbook"
    XML = "xml"
    EDXML = "edxml"


@dataclass(frozen=True, slots=True)
class Part:
    """Columns or paths that make a value together, with ``separator`` between those that are not empty."""

    paths: tuple[str, ...]
    separator: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Where the records of one kind are.

    ``names`` are names of sheets or elements; ``fields`` the ways to find each field, best first; ``ignore`` columns or
    elements that are left out silently; ``fixed`` what a field is when the source does not say.
    """

    kind: DocumentKind | None
    names: tuple[str, ...]
    fields: Mapping[str, tuple[Part, ...]]
    ignore: frozenset[str]
    fixed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SourceMapping:
    """One mapping file. ``codes``: for each field the folded words that stand for a code; ``dates``: further forms."""

    title: Sentence
    source: SourceKind
    tables: tuple[Table, ...]
    codes: Mapping[str, Mapping[str, str]]
    dates: tuple[re.Pattern[str], ...]
    sheets_ignored: frozenset[str]

    def table(self, kind: DocumentKind | None) -> Table | None:
        """The table of that kind."""
        return next((table for table in self.tables if table.kind is kind), None)


def shipped_mappings() -> dict[str, SourceMapping]:
    """The mappings of the distribution by name."""
    folder = resources.files("ingest.packing") / "mappings"
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda one: one.name)
    return {entry.name.removesuffix(".toml"): parse_mapping(entry.read_text(encoding="utf-8")) for entry in found}


def load_mapping(name: str | Path) -> SourceMapping:
    """A shipped mapping by name, or one in a file. Raises NotFound, UsageError (it is no mapping)."""
    shipped = shipped_mappings()
    if str(name) in shipped:
        return shipped[str(name)]
    path = Path(name)
    if not path.is_file():
        known = ", ".join(shipped)
        raise NotFound(
            Sentence(
                f"Không có bảng ánh xạ «{name}»: hãy nêu một tệp .toml hoặc một tên có sẵn ({known}).",
                f"There is no mapping “{name}”: give a .toml file or one of the names {known}.",
            )
        )
    try:
        with path.open("rb") as stream:
            return parse_mapping(stream.read(_SIZE).decode("utf-8"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"thiếu / lacks {error}" if isinstance(error, KeyError) else str(error)
        raise UsageError(
            Sentence(
                f"Bảng ánh xạ {path.name} không đúng mẫu ({reason}). Xem docs/packing.md.",
                f"The mapping {path.name} is not one ({reason}). See docs/packing.md.",
            )
        ) from error


def parse_mapping(text: str, profile: Profile | None = None) -> SourceMapping:
    """Read a mapping in TOML. Raises ValueError, KeyError, TypeError when it is not one: no key is passed over."""
    profile = profile or default_profile()
    data = tomllib.loads(text)
    _known(data, _KEYS, "")
    tables = tuple(_table(name, data[name], profile) for name in _TABLES if name in data)
    if not tables or tables[0].kind is not None:
        raise ValueError("[dossier] is missing")
    codes = {
        field: {fold(word): str(code) for word, code in words.items()} for field, words in data.get("codes", {}).items()
    }
    _known(codes, profile.lists, "codes.")
    return SourceMapping(
        Sentence(*data["title"]),
        SourceKind(data["source"]),
        tables,
        codes,
        tuple(date_pattern(form) for form in data.get("dates", [])),
        frozenset(fold(name) for name in data.get("sheets_ignored", [])),
    )


def _table(name: str, data: dict[str, Any], profile: Profile) -> Table:
    _known(data, _TABLE_KEYS, f"{name}.")
    kind = _TABLES[name]
    known = {*profile.form(kind, "sip").fields, *BESIDE_FORM}
    fields = {field: tuple(_parts(ways)) for field, ways in data.get("fields", {}).items()}
    _known(fields, known, f"{name}.fields.")
    fixed = {field: str(value) for field, value in data.get("fixed", {}).items()}
    _known(fixed, known, f"{name}.fixed.")
    return Table(
        kind, tuple(data["names"]), fields, frozenset(fold_heading(text) for text in data.get("ignore", [])), fixed
    )


def _parts(ways: str | list[Any] | dict[str, Any]) -> Iterable[Part]:
    if isinstance(ways, str):
        yield Part((ways,))
    elif isinstance(ways, list):
        for way in ways:
            yield from _parts(way)
    else:
        _known(ways, {"join", "with"}, "")
        yield Part(tuple(str(path) for path in ways["join"]), str(ways.get("with", "")))


def _known(data: Iterable[str], known: Iterable[str], where: str) -> None:
    if wrong := sorted(set(data) - set(known)):
        raise ValueError(f"unknown: {', '.join(where + str(key) for key in wrong)}")


def date_pattern(form: str) -> re.Pattern[str]:
    """``YYYY/MM/DD`` as a pattern with the groups y, m and d. ``*`` at the end lets anything follow."""
    groups = {"YYYY": r"(?P<y>\d{4})", "MM": r"(?P<m>\d{W})", "DD": r"(?P<d>\d{W})"}
    body, rest = form.removesuffix("*"), ".*" if form.endswith("*") else ""
    tokens = re.split("(YYYY|MM|DD)", body)
    if "YYYY" not in tokens:
        raise ValueError(f"a date form has YYYY: {form!r}")
    width = "1,2" if any(token and token not in groups for token in tokens) else "2"
    pattern = "".join(groups.get(token, re.escape(token)) for token in tokens).replace("{W}", f"{{{width}}}")
    return re.compile(pattern + rest, re.DOTALL | re.ASCII)
