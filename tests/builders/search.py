"""Search entries with one thing changed."""

from __future__ import annotations

import uuid
from dataclasses import replace

from access.search.port import Change, SearchEntry
from metadata.dates import RecordDate
from metadata.holdings import Level
from metadata.identifiers import AipId, VersionId


def aip(number: int) -> AipId:
    return AipId(uuid.UUID(int=number))


def entry(title: str, *, start: str = "", end: str = "", **changes: object) -> SearchEntry:
    plain = SearchEntry(
        version=VersionId(aip(1), 1),
        number=1,
        level=Level.DOCUMENT,
        title=title,
        notation="",
        code="",
        organ="",
        type_name="Công văn",
        access="Công khai",
        agency="H20.05",
        fonds="UBND",
        dossier_title="Hồ sơ mẫu",
        dossier_code="2019.01",
        start=RecordDate.read(start),
        end=RecordDate.read(end),
        formats=("PDF/A 1b",),
        texts=(),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def change(number: int, *entries: SearchEntry) -> Change:
    version = VersionId(aip(number), 1)
    return Change(aip(number), tuple(replace(one, version=version, number=n) for n, one in enumerate(entries, start=1)))
