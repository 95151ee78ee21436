"""The audits of an archive, and what they may take of its stores, out of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.audits import CoverageDay
from metadata.errors import UsageError
from metadata.identifiers import FondsCode, StoreId
from metadata.text import Sentence

if TYPE_CHECKING:
    from administration.keeping import Keeping
    from administration.settings import Settings
    from preservation.audits import Audits
    from preservation.budgets import Budget


def audits_of(archive: Keeping) -> Audits:
    """Who brings audits on."""
    from preservation.audits import Audits

    hot, cold = budget_of(archive.settings, cold=False), budget_of(archive.settings, cold=True)
    budgets = {store.id: cold if store.cold else hot for store in archive.settings.stores}
    return Audits(
        archive.catalogue,
        archive.auditor,
        archive.stores,
        archive.journal,
        archive.clock,
        budgets,
        archive.reconciler,
    )


def budget_of(settings: Settings, *, cold: bool) -> Budget:
    """Raises UsageError for hours that cannot be."""
    from preservation.budgets import Budget

    rate, month = settings.number("audit.mb_per_second"), settings.number("audit.cold_gb_per_month")
    return Budget(round(rate * 1e6), _hours(settings.text("audit.hours")), round(month * 1e9) if cold else 0)


def _hours(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    begin, dash, end = text.partition("-")
    if not dash or not (begin.isdigit() and end.isdigit()) or int(begin) > 23 or int(end) > 24:
        raise UsageError(
            Sentence(
                f"audit.hours phải có dạng 22-6 (từ 22 giờ đến 6 giờ), không phải {text!r}.",
                f"audit.hours must look like 22-6 (from 22:00 to 6:00), not {text!r}.",
            )
        )
    return int(begin), int(end)


def coverage_days(archive: Keeping) -> list[CoverageDay]:
    """What was read when, for a page: by store and fonds only where some of them have periods of their own."""
    if archive.schedule.stores or archive.schedule.fonds:
        return archive.catalogue.coverage.days()
    every = StoreId("all"), FondsCode("all")
    return [CoverageDay(*every, day, count, size) for day, count, size in archive.catalogue.coverage_sums.by_day()]
