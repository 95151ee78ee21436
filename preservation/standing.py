"""The audits that never end: of each store, what is due by the policy is read, within what the store may be asked.

There is one for each store that the settings name. People may pause it, resume it and limit it as any other audit
(``Audits``), not stop it. Stores that may be read equally fast are read together, so that replicas of one AIP that are
due together are compared side by side; those of another pace, or for money, go beside them at their own.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from metadata.audits import Audit, AuditKind, AuditState
from metadata.catalogue import Catalogue, Lease
from metadata.errors import TemporaryError
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation.audit import Auditor, in_turn
from preservation.audit_report import AuditReport, VersionAudit
from preservation.budgets import Budgets, Throttle
from preservation.checks import Clock, Progress

_LOOK = 1.0
_PAUSED = Sentence("Đang tạm dừng theo yêu cầu.", "Paused as asked.")
_SHELVED = Sentence(
    "Phương tiện đang cất trên giá: nối vào máy thì mới đọc được.",
    "The medium is on the shelf: it cannot be read until it is connected.",
)


def standing_id(store: StoreId) -> str:
    """The number of a store's standing audit."""
    return f"standing-{store}"


def standing_audits(catalogue: Catalogue, stores: Collection[StoreId], now: datetime) -> list[Audit]:
    """One for each store, begun where there was none."""
    rows = catalogue.audits
    known = rows.named([standing_id(store) for store in stores])
    for store in stores:
        id = standing_id(store)
        if id not in known:
            one = Audit(
                id,
                AuditKind.DEEP,
                store,
                None,
                1.0,
                AuditState.RUNNING,
                True,
                now,
                now,
                None,
                None,
                0,
                0,
                0,
                0,
                0,
                0,
                "",
            )
            with suppress(ValueError):  # another worker was quicker
                rows.add(one)
            known[id] = rows.get(id)
    return [known[standing_id(store)] for store in stores]


@dataclass(slots=True)
class _Sum:
    done: int = 0
    bytes: int = 0
    damaged: int = 0
    unread: int = 0


class StandingAudits:
    """Threads and machines may each have one."""

    def __init__(
        self, catalogue: Catalogue, auditor: Auditor, stores: Collection[StoreId], clock: Clock, budgets: Budgets
    ) -> None:
        """``stores`` are those that the settings name."""
        self._catalogue = catalogue
        self._rows = catalogue.audits
        self._auditor = auditor
        self._stores = stores
        self._clock = clock
        self._budgets = budgets

    def listed(self) -> list[Audit]:
        """One for each store, begun where there was none; ``done`` counts since then."""
        return standing_audits(self._catalogue, self._stores, self._clock())

    def waits(self, one: Audit) -> Sentence | None:
        """Why it reads nothing now: it is paused, its medium is not connected, it is out of its hours, or the month's
        money is spent; None: it reads."""
        if one.state is AuditState.PAUSED:
            return _PAUSED
        if self._auditor.on_shelf([one.store]):
            return _SHELVED
        return self._budgets.shut(one.store, self._clock(), self._catalogue.coverage.days)

    def step(
        self,
        limit: int,
        seconds: float = 300.0,
        on_progress: Progress | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> AuditReport:
        """Read up to ``limit`` versions that are due at each pace, and begin none after ``seconds``; what was found.

        What was read by then is counted even if one of the stores raises. Raises what ``Auditor.audit_batch`` does.
        """
        total, told = AuditReport(), in_turn(on_progress)
        turns = [_Turn(self, group, seconds, now) for group in self._groups()]

        def read(turn: _Turn) -> AuditReport:
            try:
                progress = turn.paced(told)
                return self._auditor.audit_batch(limit, progress, turn.stores, turn)
            finally:
                turn.write()

        if not turns:
            return total
        with ThreadPoolExecutor(len(turns), "standing") as pool:
            reading = [pool.submit(read, turn) for turn in turns]
        for one in reading:
            if one.exception() is None:
                total.include(one.result())
        errors = [error for one in reading if (error := one.exception()) is not None]
        if errors:
            raise errors[0]
        return total

    def _groups(self) -> list[list[Audit | StoreId]]:
        """What may be read now, by pace. A store that the settings name no more has no audit, only replicas due."""
        rows = {one.store: one for one in self.listed()}
        groups: dict[tuple[object, ...], list[Audit | StoreId]] = defaultdict(list)
        for store in self._catalogue.fixity.stores():
            one, budget = rows.get(store), self._budgets.of(store)
            if one is None:
                groups[(0, 0.0, None)].append(store)
            elif self.waits(one) is None:
                alone = store if one.limit or self._budgets.bounds_money(store) else None
                groups[(budget.bytes_per_second, budget.requests_per_second, alone)].append(one)
        return list(groups.values())


class _Turn:
    """One pace's turn: what may still be begun, and what was found, written into the rows now and then."""

    def __init__(
        self, audits: StandingAudits, group: Sequence[Audit | StoreId], seconds: float, now: Callable[[], float]
    ) -> None:
        self._audits = audits
        self.stores = [one.store if isinstance(one, Audit) else one for one in group]
        self._rows = {one.store: one for one in group if isinstance(one, Audit)}
        begun = now()
        self._now, self._until, self._look_at = now, begun + seconds, begun + _LOOK
        self._open = True
        self._sums: dict[StoreId, _Sum] = defaultdict(_Sum)
        self._lock = threading.Lock()
        self._money: float | None = None
        if any(audits._budgets.bounds_money(store) for store in self.stores):
            self._money = audits._budgets.money_left(audits._catalogue.coverage.days(), audits._clock())

    def paced(self, on_progress: Progress | None) -> Progress | None:
        """Waits where a person has limited this store, which is then alone."""
        rate = next((one.limit for one in self._rows.values() if one.limit), None)
        if rate is None:
            return on_progress
        throttle = in_turn(Throttle(rate))

        def tell(count: int) -> None:
            if throttle is not None:
                throttle(count)
            if on_progress is not None:
                on_progress(count)

        return tell

    def may(self, lease: Lease) -> bool:
        """Whether this one may be begun."""
        with self._lock:
            moment = self._now()
            if moment >= self._look_at:
                self._look_at = moment + _LOOK
                self._write()
                self._look()
            return self._open and moment < self._until and self._pays(lease)

    def audited(self, audit: VersionAudit) -> None:
        """Count what was found."""
        with self._lock:
            for check in audit.checks:
                found = self._sums[check.store]
                found.done += 1
                found.bytes += check.bytes_read
                found.damaged += check.outcome.damaged
                found.unread += check.outcome is Fixity.UNREADABLE

    def write(self) -> None:
        """What was counted, into the rows."""
        with self._lock:
            self._write()

    def _look(self) -> None:
        fresh = [self._audits._rows.get(one.id) for one in self._rows.values()]
        same = all(one.limit == self._rows[one.store].limit for one in fresh)
        self._open = same and all(self._audits.waits(one) is None for one in fresh)

    def _pays(self, lease: Lease) -> bool:
        if self._money is None:
            return True
        budgets = self._audits._budgets
        cost = sum(budgets.of(copy.store).cost(lease.size) for copy in lease.replicas)
        if cost > self._money:
            return False
        self._money -= cost
        return True

    def _write(self) -> None:
        with suppress(TemporaryError):  # these sums are for people to look at; what was found is written already
            for store, found in sorted(self._sums.items()):
                if store in self._rows:
                    at = self._audits._clock()
                    id = self._rows[store].id
                    self._audits._rows.count(id, at, found.done, found.bytes, found.damaged, found.unread)
            self._sums.clear()
