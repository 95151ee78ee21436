from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from metadata.audits import CoverageDay
from metadata.identifiers import FondsCode, StoreId
from preservation.budgets import Budget, Throttle


@pytest.mark.parametrize(
    ("hours", "utc", "may"),
    [
        (None, 3, True), ((22, 6), 15, True), ((22, 6), 22, True), ((22, 6), 23, False),
        ((8, 17), 1, True), ((8, 17), 10, False),
    ],
)  # fmt: skip
def test_hours_are_those_of_the_place(hours: tuple[int, int] | None, utc: int, may: bool) -> None:
    assert Budget(hours=hours).open_at(datetime(2026, 11, 26, utc, tzinfo=UTC)) is may


def test_a_month_is_counted_by_what_was_read_in_it() -> None:
    days = [
        CoverageDay(StoreId("a"), FondsCode("P"), day, 1, 40) for day in (date(2026, 10, 31), date(2026, 11, 1), None)
    ]
    now = datetime(2026, 11, 26, tzinfo=UTC)
    assert Budget().left(days, now) is None
    assert Budget(bytes_per_month=100).left(days, now) == 60
    assert Budget(bytes_per_month=30).left(days, now) == 0


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
