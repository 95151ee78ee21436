"""Audits that people begin, watch, pause, slow down and stop; the work is done in steps, by whichever worker comes.

What is due by the policy is read by the standing audits (``preservation.standing``), which are paused and limited here
too. These are beside them: a look at a whole store or fonds now, a sample by lot, the daily light look. A step works
for some seconds and goes on where the last one stopped; what people ask is seen between two replicas, or within a
second where a limit makes it wait.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from metadata.audits import Audit, AuditKind, AuditState
from metadata.catalogue import Catalogue
from metadata.catalogue.leases import Expected
from metadata.errors import Busy, Cold, NotFound, TangThuError, TemporaryError, UsageError
from metadata.identifiers import FondsCode, StoreId
from metadata.journal import EntryKind
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation.audit import Auditor
from preservation.audit_report import AuditReport
from preservation.budgets import Budgets, Throttle
from preservation.checks import Clock
from preservation.clock import check_clock, clock_trouble
from preservation.journal import ArchiveJournal
from preservation.light import look_lightly
from preservation.reconciliation import Reconciler
from preservation.standing import standing_audits
from storage.port import Store

_PAGE = 100


class Audits:
    """Threads and machines may each have one."""

    def __init__(
        self,
        catalogue: Catalogue,
        auditor: Auditor,
        stores: Mapping[StoreId, Store],
        journal: ArchiveJournal,
        clock: Clock,
        budgets: Budgets | None = None,
        reconciler: Reconciler | None = None,
    ) -> None:
        """``reconciler`` gets what light audits list, and tells the strangers among it."""
        self._catalogue = catalogue
        self._rows = catalogue.audits
        self._auditor = auditor
        self._stores = stores
        self._journal = journal
        self._clock = clock
        self._budgets = budgets or Budgets()
        self._reconciler = reconciler

    def begin(
        self,
        kind: AuditKind,
        store: StoreId,
        fonds: FondsCode | None = None,
        share: float = 1.0,
        limit: int | None = None,
        person: str = "",
        *,
        standing: bool = False,
    ) -> Audit:
        """Begin one. ``share`` is of a sample, 0 < share ≤ 1; ``limit`` in bytes a second.

        A standing one that has not ended is given back and none begun. Raises UsageError for what cannot be, NotFound
        for a store that the settings do not name, and what the journal raises.
        """
        self._check(store, share, limit)
        same = [one for one in self._rows.current() if one.standing and (one.kind, one.store) == (kind, store)]
        if standing and same:
            return same[0]
        if not standing:
            check_clock(self._catalogue, self._clock())
        days = self._catalogue.coverage.days(store, fonds)
        part = share if kind is AuditKind.SAMPLE else 1.0
        replicas = round(part * sum(day.replicas for day in days))
        size = round(part * sum(day.bytes for day in days))
        now = self._clock()
        one = Audit(
            uuid.uuid4().hex[:12], kind, store, fonds, part, AuditState.RUNNING, standing, now, now, None, limit,
            replicas, size, 0, 0, 0, 0, "", person,
        )  # fmt: skip
        if not standing:
            told = {"kind": kind.value, "store": store.value, "fonds": fonds.value if fonds else None, "share": part}
            self._note(one.id, "begun", told | {"limit": limit}, person)
        self._rows.add(one)
        return one

    def _check(self, store: StoreId, share: float, limit: int | None) -> None:
        if store not in self._stores:
            names = ", ".join(one.value for one in self._stores)
            raise NotFound(
                Sentence(f"Không có nơi lưu {store}. Có: {names}.", f"There is no store {store}. There are: {names}.")
            )
        if not 0 < share <= 1 or (limit is not None and limit < 1):
            raise UsageError(
                Sentence(
                    "Tỷ lệ mẫu phải lớn hơn 0 và không quá 1; giới hạn tốc độ phải lớn hơn 0.",
                    "The share of a sample must be above 0 and at most 1; a limit must be above 0.",
                )
            )

    def pause(self, id: str, person: str = "") -> Audit:
        """No replica is begun any more until it is resumed. Raises NotFound."""
        return self._set(id, AuditState.PAUSED, "paused", person)

    def resume(self, id: str, person: str = "") -> Audit:
        """It goes on where it was. Raises NotFound."""
        return self._set(id, AuditState.RUNNING, "resumed", person)

    def stop(self, id: str, person: str = "") -> Audit:
        """It ends here. Raises NotFound; UsageError for one that has no end."""
        if self._get(id).endless:
            raise UsageError(
                Sentence(
                    "Kiểm tra thường trực của một nơi lưu không ngừng hẳn được; hãy tạm dừng.",
                    "A store's standing audit cannot be ended; pause it.",
                )
            )
        return self._set(id, AuditState.STOPPED, "stopped", person)

    def set_limit(self, id: str, limit: int | None, person: str = "") -> Audit:
        """Bytes a second from now on; None: the store's own budget. Raises NotFound, UsageError."""
        one = self._get(id)
        self._check(one.store, 1.0, limit)
        self._note(id, "limited", {"limit": limit}, person)
        self._rows.set_limit(id, limit)
        return replace(one, limit=limit)

    def running(self) -> list[Audit]:
        """Those with an end that run or are paused."""
        return self._rows.current()

    def time_left(self, one: Audit) -> timedelta | None:
        """By how long it took so far; None when that cannot be told yet."""
        if not one.done_bytes or one.state is not AuditState.RUNNING:
            return None
        took = (one.touched - one.begun).total_seconds()
        return timedelta(seconds=round(took * max(0, one.bytes - one.done_bytes) / one.done_bytes))

    def step(self, id: str, seconds: float = 20.0, now: Callable[[], float] = time.monotonic) -> AuditReport:
        """Work on one audit for about so long; what was found. Nothing is done outside its store's hours, or when the
        month's budget is spent. Raises NotFound, also for a store that the settings name no more; StoreUnavailable."""
        one, report = self._rows.get(id), AuditReport()
        if one.state is not AuditState.RUNNING or not self._open(one):
            return report
        self._check(one.store, one.share, None)
        until = now() + seconds

        def keep_on() -> bool:
            return self._rows.get(id).state is AuditState.RUNNING and now() < until and self._open(one)

        if one.kind is AuditKind.LIGHT:
            self._lightly(one, keep_on)
        else:
            self._deeply(one, keep_on, report)
        return report

    def _lightly(self, one: Audit, keep_on: Callable[[], bool]) -> None:
        strangers, store = self._reconciler, self._stores[one.store]
        told = None if strangers is None else partial(strangers.sort, one.store)
        schedule = None if clock_trouble(self._catalogue, self._clock()) else self._auditor.schedule
        mend = self._auditor.mend_log
        found = look_lightly(self._catalogue, store, self._clock, one.fonds, one.place, told, keep_on, schedule, mend)
        if strangers is not None and found.place is None:
            strangers.listed_whole(one.store, one.begun)
        place = found.place or one.place
        moved = self._rows.advance(
            one.id, one.place, place, self._clock(), found.objects, found.bytes, unread=found.doubtful + found.short
        )
        if moved and found.place is None:
            self._done(one)

    def _open(self, one: Audit) -> bool:
        """Whether its store may be asked now; listing costs no money."""
        if one.kind is AuditKind.LIGHT:
            return self._budgets.of(one.store).open_at(self._clock())
        return self._budgets.shut(one.store, self._clock(), self._catalogue.coverage.days) is None

    def _deeply(self, one: Audit, keep_on: Callable[[], bool], report: AuditReport) -> None:
        place = one.place
        while page := self._catalogue.fixity.expected(one.store, place, one.fonds, _PAGE):
            for wanted in page:
                if not keep_on() or not self._affordable(one.store, wanted.size):
                    return
                if not self._one(one, place, wanted, report):
                    return
                place = wanted.key
        self._done(one)

    def _affordable(self, store: StoreId, size: int) -> bool:
        if not self._budgets.bounds_money(store):
            return True
        left = self._budgets.money_left(self._catalogue.coverage.days(), self._clock())
        return self._budgets.of(store).cost(size) <= left

    def _one(self, one: Audit, place: str, wanted: Expected, report: AuditReport) -> bool:
        """Look at the next replica, if it is in the sample; False when another worker is ahead."""
        if not _drawn(one, wanted):
            return self._rows.advance(one.id, place, wanted.key, self._clock(), 0, 0)
        damaged = unread = 0
        try:
            throttle = Throttle(self._rows.get(one.id).limit or 0)
            audit = self._auditor.audit(wanted.version, throttle, [one.store])
        except TemporaryError as error:
            if not isinstance(error, (Busy, Cold)):
                raise  # the store is away: go on from here when it is back
            unread = 1
        except TangThuError:
            unread = 1  # it left this store since, or its logs contradict each other: that is told elsewhere
        else:
            report.add(audit)
            damaged = len(audit.damaged)
            unread = sum(check.outcome is Fixity.UNREADABLE for check in audit.checks)
        return self._rows.advance(one.id, place, wanted.key, self._clock(), 1, wanted.size, damaged, unread)

    def _done(self, one: Audit) -> None:
        if self._rows.set_state(one.id, AuditState.DONE, self._clock()) and not one.standing:
            end = self._rows.get(one.id)
            self._note(one.id, "done", {"done": end.done, "damaged": end.damaged, "unread": end.unread}, "")

    def _set(self, id: str, state: AuditState, act: str, person: str) -> Audit:
        self._get(id)
        if self._rows.set_state(id, state, self._clock()):
            self._note(id, act, {}, person)
        return self._rows.get(id)

    def _get(self, id: str) -> Audit:
        """Also a standing one that nobody has looked at yet."""
        standing_audits(self._catalogue, self._stores, self._clock())
        return self._rows.get(id)

    def _note(self, id: str, act: str, document: Mapping[str, Any], person: str) -> None:
        self._journal.write(EntryKind.AUDIT, id, act, document, person)


def _drawn(one: Audit, wanted: Expected) -> bool:
    """Whether the lot falls on it: by a digest of the audit and the version, the same for every worker."""
    if one.kind is not AuditKind.SAMPLE:
        return True
    digest = hashlib.sha256(f"{one.id} {wanted.version}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < one.share * 2**64
