"""Who turns what audits, repairs and stores show into incidents, and sees when they are mended.

What is found is written down at once. What could not be written down then (no store answered, a crash) is met again by
:meth:`Watch.review`, which holds the incidents against what the catalogue says and asks the stores.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from metadata.catalogue import Catalogue
from metadata.dates import local_day, local_text, utc_text
from metadata.errors import TangThuError, TemporaryError, Unreadable
from metadata.events import Event, EventType
from metadata.holdings import Replica
from metadata.identifiers import StoreId, VersionId
from metadata.incidents import Incident, IncidentKind, IncidentState
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation.checks import SUCCESS, Check, Clock
from preservation.clock import clock_trouble
from preservation.damage import found_to_json, repaired_to_json, told_of
from preservation.incidents import Incidents
from preservation.journal_recovery import complete
from storage.journal import fits
from storage.keys import JOURNAL_PREFIX
from storage.marker import MARKER_KEY
from storage.port import Store

if TYPE_CHECKING:
    from preservation.audit_report import VersionAudit
    from preservation.repair import RepairReport

_LOG = logging.getLogger(__name__)
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """How long a store may be away and a replica unreadable; from how many damaged replicas of one store on they are
    one incident of the store, and no longer one each."""

    away: timedelta = timedelta(hours=24)
    unreadable: timedelta = timedelta(hours=72)
    each: int = 100


@dataclass(slots=True)
class Review:
    """What a review came to: incidents met, mended, and stores that did not answer."""

    met: int = 0
    mended: int = 0
    away: tuple[StoreId, ...] = ()
    clock: Sentence | None = None


class Watch:
    """Threads and machines may each have one. Nothing that goes wrong here stops an audit or a repair."""

    def __init__(
        self,
        catalogue: Catalogue,
        incidents: Incidents,
        clock: Clock,
        limits: WatchLimits | None = None,
        asked: Callable[[], Mapping[StoreId, Store]] = dict,
    ) -> None:
        """``asked`` gives the stores that ought to answer now."""
        self._catalogue = catalogue
        self._incidents = incidents
        self._clock = clock
        self._limits = limits or WatchLimits()
        self._asked = asked

    def audited(self, audit: VersionAudit) -> None:
        """A version was looked at, and what was found is in the catalogue."""
        with _noted(str(audit.version)):
            standing = {(one.kind, one.subject): one for one in self._catalogue.incidents.standing(audit.version)}
            odd = [check for check in audit.checks if check.outcome is not Fixity.MATCH]
            if not standing and not odd:
                return
            events = self._catalogue.events.of(audit.version)
            for check in audit.checks:
                self._looked(audit.version, check, audit.at, events, standing)
            self._whole(audit.version, standing)

    def contradicted(self, version: VersionId, told: Sentence) -> None:
        """The stores' logs of a version contradict each other."""
        with _noted(str(version)):
            self._incidents.meet(IncidentKind.LOG, str(version), told, version)

    def repaired(self, report: RepairReport) -> None:
        """A repair is over."""
        with _noted(str(report.version)):
            events = self._catalogue.events.of(report.version)
            for store, source in report.sources.items():
                facts = repaired_to_json(store, [source], "copied whole", events)
                for kind in (IncidentKind.DAMAGE, IncidentKind.UNREADABLE):
                    self._incidents.mend(kind, replica_subject(report.version, store), facts)
            if report.repaired:
                self._incidents.mend(IncidentKind.LOST, str(report.version), {"how": "repaired"})
            # What lies on a shelf may be whole.
            all_bad = report.refused and not report.shelved and all(check.outcome.damaged for check in report.checks)
            if all_bad and not self._accepted(IncidentKind.LOST, str(report.version), events):
                self._lost(report)
        if report.log_lost:
            self.log_lost(report.version, report.log_lost)

    def log_lost(self, version: VersionId, numbers: Sequence[int]) -> None:
        """No store has these objects of a version's log any more. Told once, also to who meets them again."""
        subject, facts = str(version), {"lost": list(numbers[:_AT_ONCE])}
        with _noted(subject):
            last = self._catalogue.incidents.last(IncidentKind.LOG, subject)
            if last is not None and last.state is IncidentState.CLOSED and last.facts.get("lost") == facts["lost"]:
                return
            told = Sentence(
                f"Nhật ký của gói {version} mất các bản ghi 1–{len(numbers)} ở mọi nơi lưu.",
                f"Objects 1–{len(numbers)} of the log of {version} are lost in every store.",
            )
            self._incidents.meet(IncidentKind.LOG, subject, told, version, None, facts)

    def review(self) -> Review:
        """Hold the incidents against what is now; ask the stores. What cannot be written now is left to the next."""
        review = Review(clock=self._time())
        if review.clock is not None:
            return review
        review.away = tuple(store for store in self._asked() if not self._answers(store))
        for id in self._asked():
            if id not in review.away:
                with _noted(id.value):
                    self._journal(id)
        for replica in self._catalogue.fixity.damaged(_AT_ONCE):
            with _noted(str(replica.version)):
                review.met += self._missed(replica)
        for one in self._open():
            with _noted(one.id):
                review.mended += self._settle(one)
        return review

    def trouble_with_time(self) -> Sentence | None:
        """Why nothing may be concluded from what the clock shows; None when it can be right."""
        return clock_trouble(self._catalogue, self._clock())

    def _looked(
        self,
        version: VersionId,
        check: Check,
        at: datetime,
        events: list[Event],
        standing: Mapping[tuple[IncidentKind, str], Incident],
    ) -> None:
        subject = replica_subject(version, check.store)
        if check.outcome.damaged:
            self._damaged(version, check, at, events)
        elif check.outcome is Fixity.UNREADABLE:
            self._unread(version, check, events)
        elif check.outcome is Fixity.MATCH:
            for kind in (IncidentKind.DAMAGE, IncidentKind.UNREADABLE):
                if (kind, subject) in standing:
                    facts = repaired_to_json(check.store, (), "matched when read again", events)
                    self._incidents.mend(kind, subject, facts)

    def _damaged(self, version: VersionId, check: Check, at: datetime, events: list[Event]) -> None:
        held = self._catalogue.holdings.version(version)
        key = held.key if held else str(version)
        subject, rows = replica_subject(version, check.store), self._catalogue.incidents
        if rows.current(IncidentKind.DAMAGE, subject) is None and (
            rows.open_of(IncidentKind.DAMAGE, check.store) >= self._limits.each
        ):
            self._many(check.store)
            return
        facts = found_to_json(check, key, at, events)
        if not self._accepted(IncidentKind.DAMAGE, subject, events, facts if check.reads else None, check.store):
            told = told_of(check, key, held)
            self._incidents.meet(IncidentKind.DAMAGE, subject, told, version, check.store, facts)

    def _accepted(
        self,
        kind: IncidentKind,
        subject: str,
        events: Sequence[Event],
        facts: Mapping[str, Any] | None = None,
        store: StoreId | None = None,
    ) -> bool:
        """Whether a person has closed this as it is, and nothing has changed since; no replica (none in ``store``)
        that was found whole meanwhile."""
        last = self._catalogue.incidents.last(kind, subject)
        if last is None or last.mended is not None or self._catalogue.incidents.current(kind, subject) is not None:
            return False
        if any(
            event.type is EventType.FIXITY_CHECK
            and event.outcome == Fixity.MATCH.value
            and last.closed is not None
            and event.at > last.closed
            and store in (None, event.store)
            for event in events
        ):
            return False
        return facts is None or all(last.facts.get(name) == facts[name] for name in ("outcome", "damages"))

    def _many(self, store: StoreId) -> None:
        count = self._catalogue.incidents.damaged(store)
        told = Sentence(
            f"Nơi lưu {store} có rất nhiều bản sao bị hỏng hoặc mất (hiện là {count}): hãy xem cả nơi lưu.",
            f"Very many replicas in store {store} are damaged or gone ({count} now): look at the store as a whole.",
        )
        self._incidents.meet(IncidentKind.DAMAGE, store.value, told, None, store, {"replicas": count})

    def _unread(self, version: VersionId, check: Check, events: list[Event]) -> None:
        since = _unread_since(events, check.store)
        if since is None or self._clock() - since < self._limits.unreadable:
            return
        if self._catalogue.incidents.current(IncidentKind.STORE_AWAY, check.store.value) is not None:
            return
        told = Sentence(
            f"Từ {local_day(since)} không đọc được bản sao {version} ở nơi lưu {check.store}: {check.note}.",
            f"The replica of {version} in store {check.store} cannot be read since {local_day(since)}: {check.note}.",
        )
        facts = {"since": utc_text(since), "note": check.note}
        subject = replica_subject(version, check.store)
        self._incidents.meet(IncidentKind.UNREADABLE, subject, told, version, check.store, facts)

    def _whole(self, version: VersionId, standing: Mapping[tuple[IncidentKind, str], Incident]) -> None:
        outcomes = [replica.outcome for replica in self._catalogue.holdings.replicas(version)]
        bad = all(outcome.damaged for outcome in outcomes)
        if bad and not self._accepted(IncidentKind.LOST, str(version), self._catalogue.events.of(version)):
            self._incidents.meet(IncidentKind.LOST, str(version), _lost_told(version), version)
        elif Fixity.MATCH in outcomes and (IncidentKind.LOST, str(version)) in standing:
            self._incidents.mend(IncidentKind.LOST, str(version), {"how": "a replica matches again"})
        log = standing.get((IncidentKind.LOG, str(version)))
        if log is not None and not log.facts.get("lost"):
            self._incidents.mend(IncidentKind.LOG, str(version), {"how": "the log was written in every store"})

    def _lost(self, report: RepairReport) -> None:
        savable = [
            {"path": one.path, "stores": [store.value for store in one.stores]} for one in report.savable[:_AT_ONCE]
        ]
        facts = {"damaged_members": len(report.savable), "savable": savable}
        self._incidents.meet(
            IncidentKind.LOST, str(report.version), _lost_told(report.version), report.version, None, facts
        )

    def _missed(self, replica: Replica) -> int:
        """A replica that the catalogue knows to be damaged, and no incident tells of."""
        rows, subject = self._catalogue.incidents, replica_subject(replica.version, replica.store)
        known = rows.current(IncidentKind.DAMAGE, subject)
        if known is not None and known.state is IncidentState.OPEN:
            return 0
        if known is None and rows.current(IncidentKind.DAMAGE, replica.store.value) is not None:
            return 0
        at = replica.checked or self._clock()
        look = Check(replica.store, replica.outcome, (), 0, 0, _last_note(self._catalogue, replica))
        self._damaged(replica.version, look, at, self._catalogue.events.of(replica.version))
        return 1

    def _open(self) -> Iterator[Incident]:
        """The open ones, at most a thousand, the newest first."""
        yield from self._catalogue.incidents.listed(IncidentState.OPEN, limit=_AT_ONCE)

    def _settle(self, one: Incident) -> int:
        """Mend what the catalogue says is right again; how many."""
        facts: dict[str, Any] = {"how": "right again in the catalogue"}
        if one.kind in (IncidentKind.DAMAGE, IncidentKind.UNREADABLE) and one.version is None and one.store is not None:
            right = self._catalogue.incidents.damaged(one.store) == 0
        elif one.kind in (IncidentKind.DAMAGE, IncidentKind.UNREADABLE, IncidentKind.LOST) and one.version is not None:
            replicas = [
                replica
                for replica in self._catalogue.holdings.replicas(one.version)
                if one.store in (None, replica.store)
            ]
            right = any(replica.outcome is Fixity.MATCH for replica in replicas)
            if one.store is not None:
                events = self._catalogue.events.of(one.version)
                facts = repaired_to_json(one.store, _sources(events, one.store), "repaired", events)
        elif one.kind is IncidentKind.STORE_FULL and one.store is not None:
            right = self._catalogue.incidents.full(one.store) is None
        else:
            return 0
        return 1 if right and self._incidents.mend(one.kind, one.subject, facts) else 0

    def _answers(self, store: StoreId) -> bool:
        """Ask a store; say so when it has been away for too long, when it is back, and when it is full."""
        now, rows = self._clock(), self._catalogue.incidents
        try:
            self._asked()[store].head(MARKER_KEY)
        except TemporaryError as error:
            since = rows.contact(store, now, answered=False)
            if now - since >= self._limits.away:
                told = Sentence(
                    f"Nơi lưu {store} không trả lời từ {local_text(since)}: {error.sentence.vi}",
                    f"Store {store} has not answered since {local_text(since)}: {error.sentence.en}",
                )
                with _noted(store.value):
                    facts = {"since": utc_text(since)}
                    self._incidents.meet(IncidentKind.STORE_AWAY, store.value, told, None, store, facts)
            return False
        rows.contact(store, now, answered=True)
        with _noted(store.value):
            self._incidents.mend(IncidentKind.STORE_AWAY, store.value, {"answered": utc_text(now)})
            since_full = rows.full(store)
            if since_full is not None:
                told = Sentence(
                    f"Nơi lưu {store} báo đã đầy từ {local_text(since_full)}: hãy thêm dung lượng.",
                    f"Store {store} has said since {local_text(since_full)} that it is full: make room.",
                )
                self._incidents.meet(
                    IncidentKind.STORE_FULL, store.value, told, None, store, {"since": utc_text(since_full)}
                )
        return True

    def _journal(self, store: StoreId) -> None:
        """The archive's own journal goes on without a store that has another; a person must say which is true."""
        last = self._catalogue.journal.last()
        try:
            right = last is None or fits(self._asked()[store], last)
        except Unreadable:
            right = False
        if right:
            self._incidents.mend(IncidentKind.LOG, store.value, {"how": "the journal fits again"})
        elif right is False or last is None or not complete(self._catalogue, self._asked()[store], last.number):
            told = Sentence(
                f"Nhật ký của kho lưu trữ ở nơi lưu {store} mâu thuẫn với danh mục và không được ghi tiếp: hãy cất "
                f"riêng các tệp {JOURNAL_PREFIX} của nơi lưu này, xem xét, rồi bỏ những tệp khác với các nơi lưu kia.",
                f"The archive's journal in store {store} contradicts the catalogue and is not written on: put the "
                f"store's objects {JOURNAL_PREFIX} by, look into them, then remove those that differ from the others'.",
            )
            self._incidents.meet(IncidentKind.LOG, store.value, told, None, store)

    def _time(self) -> Sentence | None:
        """A clock that cannot be right is told by the row alone: nothing is dated by it in the journal."""
        trouble, rows = self.trouble_with_time(), self._catalogue.incidents
        there = rows.current(IncidentKind.CLOCK, "clock")
        if trouble is not None:
            self._incidents.meet_undated(IncidentKind.CLOCK, "clock", trouble)
        elif there is not None and there.state is IncidentState.OPEN:
            with _noted("clock"):
                self._incidents.date(there.id)
                self._incidents.mend(IncidentKind.CLOCK, "clock", {"how": "the clock can be right again"})
        return trouble


def replica_subject(version: VersionId, store: StoreId) -> str:
    """The subject of an incident about one replica."""
    return f"{version} {store}"


@contextmanager
def _noted(what: str) -> Iterator[None]:
    try:
        yield
    except TangThuError as error:
        _LOG.warning("the incident of %s cannot be written down now: %s", what, error)


def _lost_told(version: VersionId) -> Sentence:
    return Sentence(
        f"Không còn bản sao nào của gói {version} nguyên vẹn. Không có gì bị đụng đến; phải có người quyết định.",
        f"No replica of {version} is whole any more. Nothing was touched; a person must decide.",
    )


def _unread_since(events: list[Event], store: StoreId) -> datetime | None:
    """The first of the looks, up to the last, that could not read the replica."""
    since: datetime | None = None
    for event in events:
        if event.type is EventType.FIXITY_CHECK and event.store == store:
            since = (since or event.at) if event.outcome == Fixity.UNREADABLE.value else None
    return since


def is_store_id(text: str) -> bool:
    """Whether ``text`` can be the id of a store."""
    try:
        StoreId(text)
    except ValueError:
        return False
    return True


def _last_note(catalogue: Catalogue, replica: Replica) -> str:
    notes = [
        event.note
        for event in catalogue.events.of(replica.version)
        if event.type is EventType.FIXITY_CHECK and event.store == replica.store
    ]
    return notes[-1] if notes else ""


def _sources(events: list[Event], store: StoreId) -> list[StoreId]:
    """Where the last recovery of a replica came from, as its event says."""
    done = [event for event in events if event.type is EventType.RECOVERY and event.store == store]
    return [StoreId(done[-1].note)] if done and done[-1].outcome == SUCCESS and is_store_id(done[-1].note) else []
