"""What an audit may take of a store: bytes a second, hours of the day, bytes a month. Pure but for waiting.

What is left of a month is computed from the counters of what was read, not from memory: a new process knows it too.
Every process has the rate to itself; run as many auditing processes as the store's rate allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from metadata.audits import CoverageDay

LOCAL = timezone(timedelta(hours=7))
_LONGEST_WAIT = 1.0


@dataclass(frozen=True, slots=True)
class Budget:
    """0 is no limit. ``hours`` are (from, to) of the day at +07:00, past midnight when to ≤ from; None: always."""

    bytes_per_second: int = 0
    hours: tuple[int, int] | None = None
    bytes_per_month: int = 0

    def open_at(self, at: datetime) -> bool:
        """Whether audits may read at this time of the day."""
        if self.hours is None:
            return True
        begin, end = self.hours
        hour = at.astimezone(LOCAL).hour
        return begin <= hour < end if begin < end else hour >= begin or hour < end

    def left(self, days: Iterable[CoverageDay], at: datetime) -> int | None:
        """Bytes that may still be read this month, by what was read in it already; None: as many as one likes."""
        if not self.bytes_per_month:
            return None
        first = at.date().replace(day=1)
        spent = sum(one.bytes for one in days if one.day is not None and one.day >= first)
        return max(0, self.bytes_per_month - spent)


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
