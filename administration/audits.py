"""The audits of an archive, and what they may take of its stores, out of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from administration.store_settings import parse_hours
from metadata.audits import CoverageDay
from metadata.identifiers import FondsCode, StoreId
from metadata.text import Sentence

if TYPE_CHECKING:
    from administration.keeping import Keeping
    from administration.settings import Settings
    from administration.store_settings import StoreSettings
    from preservation.audits import Audits
    from preservation.budgets import Budgets
    from preservation.standing import StandingAudits


def audits_of(archive: Keeping) -> Audits:
    """Who brings audits on."""
    from preservation.audits import Audits

    return Audits(
        archive.catalogue,
        archive.auditor,
        archive.audit_stores,
        archive.journal,
        archive.clock,
        budgets_of(archive.settings),
        archive.reconciler,
    )


def standing_of(archive: Keeping) -> StandingAudits:
    """Who reads what is due by the policy."""
    from preservation.standing import StandingAudits

    budgets = budgets_of(archive.settings)
    return StandingAudits(archive.catalogue, archive.auditor, list(archive.stores), archive.clock, budgets)


def waiting_stores(archive: Keeping) -> dict[str, Sentence]:
    """The stores of which nothing that is due is read now, and why."""
    told = {one.store.value: archive.standing.waits(one) for one in archive.standing.listed()}
    return {store: why for store, why in told.items() if why is not None}


def budgets_of(settings: Settings) -> Budgets:
    """What audits may take: a store's own setting counts before the archive's."""
    from preservation.budgets import Budget, Budgets

    def of(store: StoreSettings) -> Budget:
        rate = store.audit_mb_per_second or settings.number("audit.mb_per_second")
        requests = store.audit_requests_per_second or settings.number("audit.requests_per_second")
        hours = parse_hours(store.audit_hours or settings.text("audit.hours"))
        return Budget(round(rate * 1e6), requests, hours, store.read_price_per_gb)

    return Budgets({store.id: of(store) for store in settings.stores}, settings.number("audit.money_per_month"))


def coverage_days(archive: Keeping) -> list[CoverageDay]:
    """What was read when, for a page: by store and fonds only where some of them have periods of their own."""
    if archive.schedule.stores or archive.schedule.fonds:
        return archive.catalogue.coverage.days()
    every = StoreId("all"), FondsCode("all")
    return [CoverageDay(*every, day, count, size) for day, count, size in archive.catalogue.coverage_sums.by_day()]
