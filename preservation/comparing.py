"""Holding a catalogue that came out of a backup against the one that is in use, as of the backup's moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from metadata.catalogue import Catalogue
from metadata.catalogue.portable import OF_VERSIONS
from metadata.text import Sentence

_PAGE = 200
_FIXED = ("aip_version", "record", "record_member", "receipt")
_NEVER_CHANGING_ALONE = tuple(table.name for table in OF_VERSIONS if table.name != "placement")
_IN_FLIGHT = timedelta(hours=1)
"""An ingest writes its events before its rows: so much older than a backup may be what the backup does not have."""

Wrong = Callable[[Sentence], None]
_Pair = tuple[int, str | None, str | None]


@dataclass(slots=True)
class _Page:
    same: list[int] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)


def compare(restored: Catalogue, live: Catalogue, at: datetime, wrong: Wrong) -> None:
    """Tell what a backup of the moment ``at`` gave back otherwise than it is.

    A version that has not changed since must have the same rows; one that has gone on what never changes, and its
    events as far as they go. What the backup lacks must be newer than it. Flat in memory.
    """
    page = _Page()
    with closing(restored.portable.states()) as old, closing(live.portable.states()) as now:
        for version, before, after in _merged(old, now):
            if after is None:
                wrong(_told(version, "danh mục không còn gói này", "the catalogue holds it no more"))
            elif before is None:
                _newer(live, version, at, wrong)
            else:
                (page.same if before == after else page.moved).append(version)
            if len(page.same) + len(page.moved) >= _PAGE:
                _compare(restored, live, page, wrong)
                page = _Page()
    _compare(restored, live, page, wrong)


def _merged(old: Iterator[tuple[int, str]], now: Iterator[tuple[int, str]]) -> Iterator[_Pair]:
    """Both by version: each version with its state there and here, None where it is not."""
    before, after = next(old, None), next(now, None)
    while before is not None or after is not None:
        if after is None or (before is not None and before[0] < after[0]):
            assert before is not None
            yield before[0], before[1], None
            before = next(old, None)
        elif before is None or after[0] < before[0]:
            yield after[0], None, after[1]
            after = next(now, None)
        else:
            yield after[0], before[1], after[1]
            before, after = next(old, None), next(now, None)


def _compare(restored: Catalogue, live: Catalogue, page: _Page, wrong: Wrong) -> None:
    for version in _different(restored, live, page.same, _NEVER_CHANGING_ALONE):
        if dict(restored.portable.states([version])) == dict(live.portable.states([version])):
            wrong(_told(version, "bản sao lưu khác danh mục", "the backup differs from the catalogue"))
        else:
            page.moved.append(version)  # it has gone on while we looked
    for version in _different(restored, live, page.moved, _FIXED):
        wrong(_told(version, "bản sao lưu khác danh mục", "the backup differs from the catalogue"))
    for version in page.moved:
        told = restored.portable.events_of(version)
        if live.portable.events_of(version)[: len(told)] != told:
            wrong(_told(version, "có sự kiện đã mất hoặc bị sửa", "events are gone or were changed"))


def _different(restored: Catalogue, live: Catalogue, versions: Sequence[int], tables: Sequence[str]) -> list[int]:
    if not versions:
        return []
    old, now = (one.portable.digests(versions, tables) for one in (restored, live))
    return [version for version in versions if old[version] != now[version]]


def _newer(live: Catalogue, version: int, at: datetime, wrong: Wrong) -> None:
    if live.survey.known_since(version) < at - _IN_FLIGHT:
        wrong(_told(version, "bản sao lưu thiếu gói này", "the backup lacks it"))


def _told(version: int, vi: str, en: str) -> Sentence:
    return Sentence(f"Gói tin {version:016x}: {vi}", f"Version {version:016x}: {en}")
