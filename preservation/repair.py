"""Repairing damaged replicas from one that matches now, never the other way round.

In this order: look at all replicas; write down what was found, and what is begun; stage a copy of a good replica beside
the damaged one; delete the damaged one; complete the copy; read it back; make the log whole; write down how it
ended. Without a good replica nothing is touched, and the report says which members can still be saved, and from where.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from metadata.catalogue import Catalogue, Lease
from metadata.errors import (
    AlreadyExists,
    Damaged,
    NoSpace,
    NotFound,
    StoreUnavailable,
    TangThuError,
    Unreadable,
    UsageError,
)
from metadata.events import Agent, Event
from metadata.identifiers import StoreId, VersionId
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation.audit import Auditor, AuditWatch
from preservation.audit_report import VersionAudit
from preservation.checks import FAILURE, SUCCESS, Check, Clock, Progress, Schedule, check_replica, describe
from preservation.clock import check_clock
from preservation.copying import StagedCopy
from preservation.lease_keeper import LeaseKeeper
from preservation.life import log_events
from preservation.recovering import begun, ended
from storage.aip.verify import Verdict
from storage.port import Store

_LEASE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Savable:
    """A member file that is damaged in some replica, and the stores that still have it whole; none: it is lost."""

    path: str
    stores: tuple[StoreId, ...]


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What a repair came to. ``refused``: no replica matches, nothing was touched, ``savable`` lists what is damaged.

    ``checks`` are of before the repair. ``failed`` replicas could not be made whole, with the reason.
    ``sources`` says which store each repaired replica was copied from.
    ``log_written`` counts log objects put back beside the replicas; ``log_lost`` are those that no store has.
    """

    version: VersionId
    checks: tuple[Check, ...]
    repaired: tuple[StoreId, ...] = ()
    failed: tuple[tuple[StoreId, Sentence], ...] = ()
    savable: tuple[Savable, ...] = ()
    log_written: int = 0
    log_lost: tuple[int, ...] = ()
    sources: Mapping[StoreId, StoreId] = field(default_factory=dict)
    shelved: tuple[StoreId, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether there was damage and no good replica to repair it from."""
        damaged = any(check.outcome.damaged for check in self.checks)
        good = any(check.outcome is Fixity.MATCH for check in self.checks)
        return damaged and not good and not self.repaired and not self.failed


class RepairWatch(AuditWatch, Protocol):
    """Who is told of repairs too (``preservation.watch``)."""

    def repaired(self, report: RepairReport) -> None: ...


class Repairer:
    """Repairs one version at a time, under its lease."""

    def __init__(
        self,
        catalogue: Catalogue,
        stores: Mapping[StoreId, Store],
        clock: Clock,
        agent: Agent,
        schedule: Schedule | None = None,
        lease: timedelta = _LEASE,
        worker: str = "repair",
        watch: RepairWatch | None = None,
        media: Collection[StoreId] = (),
    ) -> None:
        """``media`` are stores that may be on a shelf: such a replica is left as it is while it is not connected."""
        self._catalogue = catalogue
        self._stores = stores
        self._clock = clock
        self._agent = agent
        self._schedule = schedule or Schedule()
        self._length = lease
        self._worker = worker
        self._watch = watch
        self._auditor = Auditor(catalogue, stores, clock, agent, self._schedule, lease, worker, watch, media=media)

    def repair(
        self, version: VersionId, on_progress: Progress | None = None, given: Store | None = None
    ) -> RepairReport:
        """Make every replica of ``version`` match again. Raises NotFound; Busy while another has it; TemporaryError,
        also by a clock that cannot be right.

        Without a good replica they are made of the object in ``given``, which the caller has verified.
        """
        check_clock(self._catalogue, self._clock())
        lease = self._catalogue.fixity.lease_version(version, self._clock(), self._length, self._worker)
        try:
            keeper = LeaseKeeper(self._catalogue, lease, self._clock, self._length, on_progress)
            report = self._repair(lease, keeper, given)
        except TangThuError as error:
            self._catalogue.fixity.give_back(lease)
            if self._watch is not None and isinstance(error, Damaged):
                self._watch.contradicted(version, error.sentence)
            raise
        if self._watch is not None:
            self._watch.repaired(report)
        return report

    def _repair(self, lease: Lease, keeper: LeaseKeeper, given: Store | None = None) -> RepairReport:
        looked = self._auditor.look(lease, keeper)
        keeper.confirm()
        lease, looked, shelved = self._auditor.without_shelved(lease, looked)
        keeper.hold(lease)
        checks = tuple(looked)
        good = [self._stores[check.store] for check in checks if check.outcome is Fixity.MATCH]
        damaged = [check for check in checks if check.outcome.damaged]
        if not good and given is not None:
            good = [given]
        if not good or not damaged:
            written, lost = self._auditor.restore_log(lease, checks)
            self._auditor.record(lease, checks)
            savable = self._savable(lease, checks) if damaged else ()
            return RepairReport(
                lease.version, checks, savable=savable, log_written=written, log_lost=lost, shelved=shelved
            )
        begins = self._note(lease, checks)
        repaired: dict[StoreId, tuple[Check, StoreId]] = {}
        failed: list[tuple[StoreId, Sentence]] = []
        for check in damaged:
            outcome = self._replace(lease, good, self._stores[check.store], keeper)
            if isinstance(outcome, Sentence):
                failed.append((check.store, outcome))
            else:
                repaired[check.store] = outcome
        written, lost = self._auditor.restore_log(lease, checks)
        keeper.confirm()
        self._finish(lease, checks, begins, repaired, failed)
        for source in good if failed else ():  # what they were copied from may be why
            self._catalogue.fixity.hasten(lease.version, source.id, self._clock())
        sources = {store: source for store, (_, source) in repaired.items()}
        return RepairReport(lease.version, checks, tuple(repaired), tuple(failed), (), written, lost, sources, shelved)

    def _note(self, lease: Lease, checks: Sequence[Check]) -> Mapping[StoreId, Event]:
        """What was found and what is begun enter log and catalogue before anything is deleted; the lease stays. Gives
        the beginnings."""
        at = self._clock()
        damaged = [check.store for check in checks if check.outcome.damaged]
        begins = {store: begun(lease.version, store, at, lease.token, self._agent) for store in damaged}
        events = [*self._auditor.events(lease, checks, at), *begins.values()]
        logged = log_events(self._catalogue, self._auditor.answering(checks), lease.version, lease.key, events)
        for check in checks:
            due = self._schedule.next_look(check.outcome, at, check.store, lease.fonds)
            self._catalogue.fixity.set_replica(
                lease.version, check.store, check.outcome, at, due, logged.events, logged.head, lease=lease
            )
        if self._watch is not None:
            self._watch.audited(VersionAudit(lease.version, at, tuple(checks)))
        return begins

    def _replace(
        self, lease: Lease, good: Sequence[Store], target: Store, keeper: LeaseKeeper
    ) -> tuple[Check, StoreId] | Sentence:
        """Copy a good replica over the damaged one in ``target``: the check of the new one and where it came from, or
        why there is none."""
        reason = Sentence("không có bản sao tốt", "there is no good replica")
        for source in (*good, *good):
            copy = StagedCopy(source, target, lease.key)
            try:
                sent = copy.stage(self._catalogue.holdings.members(lease.version), keeper)
                if sent.outcome is not Fixity.MATCH:
                    reason = _spoilt(source.id, sent)
                    continue
                keeper.confirm()
                copy.replace()
            except (StoreUnavailable, AlreadyExists, NotFound, Damaged) as error:
                reason = error.sentence
                continue
            except (NoSpace, Unreadable, UsageError) as error:
                # Full, or locked: trying again now does not help, and the damaged one is still there.
                copy.discard()
                return error.sentence
            check = check_replica(target, lease.key, lambda: self._catalogue.holdings.members(lease.version), keeper)
            if check.outcome is Fixity.MATCH:
                return check, source.id
            reason = Sentence(f"bản mới đọc lại: {check.note}", f"the new copy when read back: {check.note}")
        return reason

    def _finish(
        self,
        lease: Lease,
        before: Sequence[Check],
        begins: Mapping[StoreId, Event],
        repaired: Mapping[StoreId, tuple[Check, StoreId]],
        failed: Sequence[tuple[StoreId, Sentence]],
    ) -> None:
        at = self._clock()
        events = [check.event(lease.version, at, self._agent, f"{lease.token} after") for check, _ in repaired.values()]
        for store, (_, source) in repaired.items():
            events.append(ended(begins[store], at, SUCCESS, source.value, self._agent))
        events += [ended(begins[store], at, FAILURE, str(reason), self._agent) for store, reason in failed]
        logged = log_events(self._catalogue, self._auditor.answering(before), lease.version, lease.key, events)
        results = {store: check.outcome for store, (check, _) in repaired.items()}
        due = {store: self._schedule.next_look(outcome, at, store, lease.fonds) for store, outcome in results.items()}
        self._catalogue.fixity.finish(lease, results, at, due, logged.events, logged.head)

    def _savable(self, lease: Lease, checks: Sequence[Check]) -> tuple[Savable, ...]:
        """Every member that is damaged in some replica, in member order. The ZIP directory can be made anew."""
        places = {check.store: {damage.place for damage in check.damages} for check in checks if check.answered}
        # Of a replica that is gone, or has more damages than were kept, nothing can be promised.
        unsure = {c.store for c in checks if c.outcome is Fixity.MISSING or c.damage_count > len(c.damages)}
        damaged = set().union(*places.values())
        return tuple(
            Savable(member.path, tuple(s for s in places if s not in unsure and member.path not in places[s]))
            for member in self._catalogue.holdings.members(lease.version)
            if member.path in damaged or len(unsure) == len(places)
        )


def _spoilt(source: StoreId, found: Verdict) -> Sentence:
    what = describe(found)
    return Sentence(
        f"bản sao ở nơi lưu {source} không còn khớp khi được chép đi: {what}",
        f"the replica in store {source} matched no longer when it was copied: {what}",
    )
