"""What audits may take of stores: bytes and requests a second, hours of the day, money a month. Pure but for waiting.

What is left of a month is computed from the counters of what was read, not from memory: a new process knows it too.
Every process has the rates to itself; run as many auditing processes as the store's rate allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from metadata.audits import CoverageDay
from metadata.identifiers import StoreId
from metadata.text import Sentence
from storage.port import Store
from storage.wrappers import LimitStore

LOCAL = timezone(timedelta(hours=7))
_LONGEST_WAIT = 1.0
_GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Budget:
    """Of one store; 0 is no limit. ``hours`` are (from, to) of the day at +07:00, past midnight when to ≤ from; None:
    always. ``price`` is the money that reading a GB costs."""

    bytes_per_second: int = 0
    requests_per_second: float = 0.0
    hours: tuple[int, int] | None = None
    price: float = 0.0

    def open_at(self, at: datetime) -> bool:
        """Whether audits may read at this time of the day."""
        if self.hours is None:
            return True
        begin, end = self.hours
        hour = at.astimezone(LOCAL).hour
        return begin <= hour < end if begin < end else hour >= begin or hour < end

    def cost(self, size: int) -> float:
        """What reading so many bytes costs."""
        return self.price * size / _GB

    def within(self, store: Store) -> Store:
        """The store as audits see it: no faster than this."""
        if not (self.bytes_per_second or self.requests_per_second):
            return store
        rates = self.bytes_per_second or None, self.requests_per_second or None
        return LimitStore(store, rates[0], requests_per_second=rates[1])


_NONE = Budget()


@dataclass(frozen=True, slots=True)
class Budgets:
    """Of all stores: each its own, and the money for a calendar month (UTC) of all together; 0 is no limit."""

    stores: Mapping[StoreId, Budget] = field(default_factory=dict)
    money_per_month: float = 0.0

    def of(self, store: StoreId) -> Budget:
        """What may be taken of a store."""
        return self.stores.get(store, _NONE)

    def bounds_money(self, store: StoreId) -> bool:
        """Whether reading this store is bounded by the month's money."""
        return bool(self.money_per_month and self.of(store).price)

    def money_left(self, days: Iterable[CoverageDay], at: datetime) -> float:
        """What may still be spent this month, by what was read in it already."""
        first = at.date().replace(day=1)
        read = (one for one in days if one.day is not None and one.day >= first)
        return max(0.0, self.money_per_month - sum(self.of(one.store).cost(one.bytes) for one in read))

    def shut(self, store: StoreId, at: datetime, days: Callable[[], Iterable[CoverageDay]]) -> Sentence | None:
        """Why audits do not read this store now; None: they may. ``days`` is asked only where money counts."""
        budget = self.of(store)
        if budget.hours is not None and not budget.open_at(at):
            begin, end = budget.hours
            return Sentence(
                f"Ngoài giờ: nơi lưu này chỉ được kiểm tra từ {begin} giờ đến {end} giờ.",
                f"Out of hours: audits read this store from {begin}:00 to {end}:00 only.",
            )
        if self.bounds_money(store) and not self.money_left(days(), at):
            return Sentence(
                "Đã hết kinh phí đọc của tháng này (audit.money_per_month): đầu tháng sau chạy tiếp.",
                "This month's money for reading (audit.money_per_month) is spent: it goes on next month.",
            )
        return None


class Throttle:
    """Slows a reader down to a rate. Called with bytes as they are read; waits a second at most each time it is."""

    def __init__(
        self,
        rate: int,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``rate`` is in bytes a second; 0: no limit."""
        self._rate, self._now, self._sleep = rate, now, sleep
        self._free_at = now()

    def __call__(self, count: int) -> None:
        """Count bytes."""
        if self._rate <= 0:
            return
        now = self._now()
        self._free_at = max(self._free_at, now - _LONGEST_WAIT) + count / self._rate
        while (wait := self._free_at - self._now()) > 0:
            self._sleep(min(wait, _LONGEST_WAIT))
