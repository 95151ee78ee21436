"""The pictures of the officer's pages and the tables beside them, out of the catalogue's sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup

from access.web.show import Show
from administration.pages.charts import Bar, Mark, bars, heat_map, timeline
from metadata.catalogue.coverage_sums import ReadState
from metadata.events import Event, EventType
from metadata.findings import visible
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from preservation.checks import SUCCESS

if TYPE_CHECKING:
    from administration.archive import Archive

Say = Callable[..., str]
AIP_LANE = "-"
MARKS = 500
FONDS = 12
"""Fonds that are drawn; the table beside has more."""
_MADE = (EventType.REPLICATION, EventType.RECOVERY)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table beside a picture of bars."""

    name: str
    within: int
    late: int
    never: int
    damaged: int
    bytes: int

    @property
    def total(self) -> int:
        return self.within + self.late + self.never + self.damaged


@dataclass(frozen=True, slots=True)
class Coverage:
    """The pictures of what was read when, and their numbers."""

    map: Markup
    months: Sequence[tuple[str, int]]
    by_store: Markup
    stores: Sequence[Row]
    by_fonds: Markup
    fonds: Sequence[Row]
    most: int = FONDS


def coverage(archive: Archive, say: Say, show: Show, days: Sequence[tuple[date | None, int, int]]) -> Coverage:
    """Draw what the counters say as of today."""
    today = archive.clock().date()
    first = today - timedelta(days=max(1, int(archive.settings.number("audit.period_days"))))
    read = {day: count for day, count, _ in days if day is not None and first <= day <= today}
    told = {day: (float(count), say("heat.told", count=show.number(count))) for day, count in read.items()}
    months: dict[str, int] = {}
    for day, count in sorted(read.items()):
        months[f"{day:%m/%Y}"] = months.get(f"{day:%m/%Y}", 0) + count
    sums = archive.catalogue.coverage_sums
    damaged = {store: archive.catalogue.incidents.damaged(StoreId(store)) for store in _stores(archive)}
    stores = [_row(one, damaged.get(one.name, 0)) for one in sums.by_store(first)]
    fonds = [_row(one, 0) for one in sums.by_fonds(first)]
    return Coverage(
        heat_map(say("heat.title"), say("heat.about"), told, first, today),
        list(months.items()),
        bars(say("bars.by_store"), say("bars.about"), [_bar(one, say, show) for one in stores], "store"),
        stores,
        bars(say("bars.by_fonds"), say("bars.about"), [_bar(one, say, show) for one in fonds[:FONDS]], "fonds"),
        fonds,
    )


def life(title: str, about: str, whole: str, events: Sequence[Event], tell: Callable[[Event], str]) -> Markup:
    """One AIP's life: a lane for itself, then one for each store. Of very many events the newest."""
    marks = [_mark(event, tell) for event in events[-MARKS:]]
    stores = sorted({mark.lane for mark in marks} - {AIP_LANE})
    lanes = [(AIP_LANE, whole), *((store, store) for store in stores)]
    return timeline(title, about, lanes, marks)


def _stores(archive: Archive) -> list[str]:
    return [one.id.value for one in archive.settings.stores]


def _row(one: ReadState, damaged: int) -> Row:
    within = max(0, one.within - damaged)
    return Row(one.name, within, one.late, one.never, min(damaged, one.within), one.bytes)


def _bar(row: Row, say: Say, show: Show) -> Bar:
    parts: Mapping[str, float] = {
        "within": row.within, "late": row.late, "never": row.never, "damaged": row.damaged,
    }  # fmt: skip
    share = f"{100 * (row.within + row.damaged) // row.total} %" if row.total else "—"
    return Bar(visible(row.name), parts, say("bars.told", share=share, total=show.number(row.total)))


def _mark(event: Event, tell: Callable[[Event], str]) -> Mark:
    if event.outcome in (Fixity.MISMATCH.value, Fixity.MISSING.value, "failure"):
        kind = "bad"
    elif event.outcome == Fixity.UNREADABLE.value:
        kind = "doubt"
    elif event.type in _MADE and event.outcome == SUCCESS:
        kind = "made"
    else:
        kind = "good" if event.type is EventType.FIXITY_CHECK else "note"
    lane = event.store.value if event.store else AIP_LANE
    return Mark(lane, event.at, kind, tell(event))
