from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from metadata.audits import CoverageDay
from metadata.identifiers import FondsCode, StoreId
from preservation.budgets import Budget, Budgets, Throttle
from storage.stores.memory import MemoryStore


@pytest.mark.parametrize(
    ("hours", "utc", "may"),
    [
        (None, 3, True), ((22, 6), 15, True), ((22, 6), 22, True), ((22, 6), 23, False),
        ((8, 17), 1, True), ((8, 17), 10, False),
    ],
)  # fmt: skip
def test_hours_are_those_of_the_place(hours: tuple[int, int] | None, utc: int, may: bool) -> None:
    assert Budget(hours=hours).open_at(datetime(2026, 11, 26, utc, tzinfo=UTC)) is may


def test_money_is_counted_over_all_stores_by_what_was_read_in_the_month() -> None:
    days = [
        CoverageDay(StoreId(store), FondsCode("P"), day, 1, 2_000_000_000)
        for store in ("dear", "cheap", "free")
        for day in (date(2026, 10, 31), date(2026, 11, 1), None)
    ]
    now = datetime(2026, 11, 26, tzinfo=UTC)
    prices = {StoreId("dear"): Budget(price=10.0), StoreId("cheap"): Budget(price=1.5)}
    assert Budgets(prices, 100).money_left(days, now) == pytest.approx(77)
    assert Budgets(prices, 20).money_left(days, now) == 0
    assert Budgets(prices, 20).shut(StoreId("cheap"), now, lambda: days)
    assert Budgets(prices, 20).shut(StoreId("free"), now, lambda: days) is None
    assert Budgets(prices).shut(StoreId("dear"), now, lambda: days) is None
    assert Budgets(prices, 100).shut(StoreId("dear"), now, lambda: days) is None


def test_a_store_is_seen_through_the_budget_only_where_there_is_one() -> None:
    store = MemoryStore(StoreId("a"))
    assert Budget(hours=(1, 2), price=3.0).within(store) is store
    assert Budget(requests_per_second=5.0).within(store) is not store


def test_a_rate_is_kept() -> None:
    time, waits = [0.0], []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        time[0] += seconds

    throttle = Throttle(100, lambda: time[0], sleep)
    for _ in range(10):
        throttle(100)
    assert time[0] == pytest.approx(10, abs=1.1)
    assert max(waits) <= 1.0
    Throttle(0, lambda: time[0], sleep)(10**12)
    assert time[0] < 12
