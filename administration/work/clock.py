"""The clock: APScheduler, which only asks for workflows whose id is job + tick: two clocks do no double work."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from apscheduler.schedulers.background import BackgroundScheduler

from administration.work.plan import Json, Request

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chime:
    """Ask for ``workflow`` once in every ``period``, counted from 1970, whoever asks and however often."""

    workflow: str
    period: timedelta
    argument: Json = None

    def request(self, now: datetime) -> Request:
        tick = int(now.timestamp() // self.period.total_seconds())
        return Request(self.workflow, f"{self.workflow}@{tick}", self.argument)


class Clock:
    """Rings its chimes until closed: the current tick at once, then each new one. A context manager."""

    def __init__(
        self,
        enqueue: Callable[[Request], None],
        chimes: Sequence[Chime],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._enqueue = enqueue
        self._chimes = tuple(chimes)
        self._now = now
        self._scheduler = BackgroundScheduler(timezone=UTC)

    def __enter__(self) -> Self:
        for chime in self._chimes:
            # Looking more often than once a period costs one row lookup, and lets no tick slip through jitter.
            seconds = max(0.2, chime.period.total_seconds() / 4)
            self._scheduler.add_job(
                self._ring,
                "interval",
                [chime],
                seconds=seconds,
                next_run_time=datetime.now(UTC),
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )
        self._scheduler.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scheduler.shutdown(wait=True)

    def _ring(self, chime: Chime) -> None:
        try:
            self._enqueue(chime.request(self._now()))
        except Exception:  # noqa: BLE001 -- the worker's border: a clock that stops would stop every audit
            _log.exception("could not ask for %s", chime.workflow)
