"""Fixity audits: proof, again and again, that what is held is what was received.

Work is leased a version at a time, all its replicas are read whole, and what was found goes first to the log beside
the objects, then, in one transaction, into the catalogue.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Protocol

from metadata.catalogue import Catalogue, Lease
from metadata.errors import Busy, Cold, Damaged, NoSpace, OnShelf, StoreUnavailable, TangThuError, TemporaryError
from metadata.events import Agent, Event
from metadata.holdings import Member
from metadata.identifiers import StoreId, VersionId
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation.audit_report import AuditReport, VersionAudit
from preservation.checks import Check, Clock, Progress, Schedule, check_replica, unknown_store
from preservation.clock import check_clock
from preservation.lease_keeper import LeaseKeeper
from preservation.life import log_events, restore_log
from preservation.recovering import cut_off
from storage.marker import MARKER_KEY
from storage.port import Store
from storage.replicas import ReplicaSet

_LEASE = timedelta(hours=1)


class AuditWatch(Protocol):
    """Who is told what audits find (``preservation.watch``). Never raises for what it cannot do about it."""

    def audited(self, audit: VersionAudit) -> None: ...

    def contradicted(self, version: VersionId, told: Sentence) -> None: ...

    def log_lost(self, version: VersionId, numbers: Sequence[int]) -> None: ...

    def trouble_with_time(self) -> Sentence | None: ...


class AuditTurn(Protocol):
    """Who may stop a batch between two versions, and hears what is found of each (``preservation.standing``).

    Called from the readers' threads."""

    def may(self, lease: Lease) -> bool: ...

    def audited(self, audit: VersionAudit) -> None: ...


def in_turn(on_progress: Progress | None) -> Progress | None:
    """The same, called by one thread at a time."""
    if on_progress is None:
        return None
    told, turn = on_progress, threading.Lock()

    def tell(count: int) -> None:
        with turn:
            told(count)

    return tell


class Auditor:
    """Audits versions that are due, or one that is named. Threads and machines may each have one."""

    def __init__(
        self,
        catalogue: Catalogue,
        stores: Mapping[StoreId, Store],
        clock: Clock,
        agent: Agent,
        schedule: Schedule | None = None,
        lease: timedelta = _LEASE,
        worker: str = "audit",
        watch: AuditWatch | None = None,
        readers: int = 1,
        media: Collection[StoreId] = (),
    ) -> None:
        """``readers`` versions of a batch are read at a time; what was found is written down one after the other.
        ``media`` are stores that may be on a shelf."""
        self._catalogue = catalogue
        self._stores = stores
        self._clock = clock
        self._agent = agent
        self.schedule = schedule or Schedule()
        self._length = lease
        self._worker = worker
        self._watch = watch
        self._readers = readers
        self._media = media
        self._writing = threading.RLock()

    def audit_batch(
        self,
        limit: int,
        on_progress: Progress | None = None,
        stores: Collection[StoreId] | None = None,
        turn: AuditTurn | None = None,
    ) -> AuditReport:
        """Audit up to ``limit`` versions that are due, in any store or in ``stores``. What cannot be finished now
        is due again after the schedule's ``retry``, so that it does not stand before all others; what ``turn`` does
        not let begin stays due as it was, and so does what lies on a medium that is not connected.

        Nothing is due by a clock that cannot be right. With several readers ``on_progress`` is called from their
        threads, never from two at once; what no version should raise is raised when the rest has been read.
        """
        report = AuditReport()
        if self._watch is not None and self._watch.trouble_with_time() is not None:
            return report
        if shelved := self.on_shelf():
            named = self._catalogue.fixity.stores() if stores is None else stores
            stores = [store for store in named if store not in shelved]
        leases = self._catalogue.fixity.lease_due(self._clock(), limit, self._length, self._worker, stores)
        if self._readers == 1 or len(leases) < 2:
            for lease in leases:
                self._audit_into(report, lease, on_progress, turn)
            return report
        told = in_turn(on_progress)
        pool = ThreadPoolExecutor(min(self._readers, len(leases)), "audit")
        try:
            reading = [pool.submit(self._audit_into, report, lease, told, turn) for lease in leases]
            errors = [error for one in reading if (error := one.exception()) is not None]
        finally:
            pool.shutdown(cancel_futures=True)
        if errors:
            raise errors[0]
        return report

    def _audit_into(
        self, report: AuditReport, lease: Lease, on_progress: Progress | None, turn: AuditTurn | None = None
    ) -> None:
        """Audit one version of a batch; what comes of it is counted by one thread at a time."""
        if turn is not None and not turn.may(lease):
            self._catalogue.fixity.give_back(lease)
            return
        try:
            audit = self._audit(lease, on_progress)
            with self._writing:
                report.add(audit)
            if turn is not None:
                turn.audited(audit)
        except TangThuError as error:
            with self._writing:
                self._catalogue.fixity.give_back(lease, self._clock() + self.schedule.retry)
                if isinstance(error, TemporaryError):
                    report.postponed += 1
                else:
                    report.failed.append((lease.version, error.sentence))
                    self._contradicted(lease.version, error)

    def audit(
        self, version: VersionId, on_progress: Progress | None = None, stores: Collection[StoreId] | None = None
    ) -> VersionAudit:
        """Audit one version now, due or not: all its replicas, or those in ``stores``.

        Raises NotFound; Busy while another has it; OnShelf when none is connected; TemporaryError, also by a clock that
        cannot be right.
        """
        check_clock(self._catalogue, self._clock())
        lease = self._catalogue.fixity.lease_version(version, self._clock(), self._length, self._worker, stores)
        try:
            return self._audit(lease, on_progress)
        except TangThuError as error:
            self._catalogue.fixity.give_back(lease)
            self._contradicted(version, error)
            raise

    def audit_each(self, versions: Iterable[VersionId], on_progress: Progress | None = None) -> AuditReport:
        """Audit these now, due or not. What another has is put off."""
        report, fixity = AuditReport(), self._catalogue.fixity
        check_clock(self._catalogue, self._clock())
        for version in versions:
            try:
                lease = fixity.lease_version(version, self._clock(), self._length, self._worker)
            except Busy:
                report.postponed += 1
            else:
                self._audit_into(report, lease, on_progress)
        return report

    def on_shelf(self, among: Collection[StoreId] | None = None) -> set[StoreId]:
        """The media, or those ``among`` the stores, that are not connected now."""
        found: set[StoreId] = set()
        for store in self._media if among is None else set(self._media) & set(among):
            try:
                self._stores[store].head(MARKER_KEY)
            except OnShelf:
                found.add(store)
            except (KeyError, TangThuError):  # what is wrong with it is told where it is read
                continue
        return found

    def mend_log(self, version: VersionId, store: StoreId) -> None:
        """Give a store the log objects of a version that it lacks, from whichever store has them; what no store has any
        more is told. Raises NotFound; Busy while another has the replica; NoSpace; TemporaryError, also when a store
        that might have an object does not answer."""
        check_clock(self._catalogue, self._clock())
        lease = self._catalogue.fixity.lease_version(version, self._clock(), self._length, self._worker, [store])
        try:
            head = self._catalogue.events.head(version)
            stores = [self._stores[store], *self._others(lease)]
            _, lost = restore_log(stores, lease.key, head, store) if head else (0, ())
        finally:
            self._catalogue.fixity.give_back(lease)
        if lost and not self._all_of(version, stores):
            raise StoreUnavailable(
                Sentence(
                    f"Nhật ký của {version} thiếu bản ghi mà nơi lưu không trả lời có thể còn giữ: hãy đợi nơi lưu ấy.",
                    f"The log of {version} lacks objects that a store which does not answer may have: wait for it.",
                )
            )
        if lost and self._watch is not None:
            self._watch.log_lost(version, lost)

    def _all_of(self, version: VersionId, stores: Sequence[Store]) -> bool:
        """Whether these are all that have a replica: only then is what none of them has lost."""
        return {one.store for one in self._catalogue.holdings.replicas(version)} <= {store.id for store in stores}

    def _contradicted(self, version: VersionId, error: TangThuError) -> None:
        if self._watch is not None and isinstance(error, Damaged):
            self._watch.contradicted(version, error.sentence)

    def _audit(self, lease: Lease, on_progress: Progress | None) -> VersionAudit:
        lease = self._thawed(lease)
        keeper = LeaseKeeper(self._catalogue, lease, self._clock, self._length, on_progress)
        tags = self._tags(lease)
        checks = self.look(lease, keeper)
        with self._writing:
            keeper.confirm()
            lease, checks, shelved = self.without_shelved(lease, checks)
            return self.record(lease, checks, tags, shelved)

    def without_shelved(self, lease: Lease, checks: Sequence[Check]) -> tuple[Lease, list[Check], tuple[StoreId, ...]]:
        """Leave out what could not be read because its medium is not connected: it stays due as it was. The lease and
        the checks of the rest, and those media. Raises OnShelf when nothing is left, Busy."""
        unread = {check.store for check in checks if not check.outcome.looked}
        shelved = self.on_shelf(unread)
        for copy in lease.replicas:
            if copy.store in shelved:
                lease = self._catalogue.fixity.put_off(lease, {copy.store}, copy.due)
        if shelved and not lease.replicas:
            raise OnShelf(
                Sentence(
                    f"Gói tin {lease.version} nằm ở phương tiện đang cất trên giá: hãy nối vào máy rồi thử lại.",
                    f"{lease.version} lies on a medium that is on the shelf: connect it, then try again.",
                )
            )
        return lease, [check for check in checks if check.store not in shelved], tuple(sorted(shelved))

    def _thawed(self, lease: Lease) -> Lease:
        """The lease without the replicas that a cold store must bring up first: these are asked for, put off, and
        neither good nor bad. Raises Cold when none is left."""
        frozen: set[StoreId] = set()
        for copy in lease.replicas:
            with contextlib.suppress(TangThuError):  # the look will tell what is wrong with the store
                if copy.store in self._stores and not self._stores[copy.store].thaw(lease.key):
                    frozen.add(copy.store)
        if not frozen:
            return lease
        left = self._catalogue.fixity.put_off(lease, frozen, self._clock() + self.schedule.retry)
        if not left.replicas:
            raise Cold(
                Sentence(
                    f"Gói tin {lease.version} nằm ở nơi lưu lạnh: đã yêu cầu lấy ra, hãy đọc lại sau.",
                    f"{lease.version} lies in cold storage: it was asked for, read it later.",
                )
            )
        return left

    def _tags(self, lease: Lease) -> dict[StoreId, str]:
        """The stores' own words for the objects, asked before these are read: what changes later changes them."""
        tags: dict[StoreId, str] = {}
        for copy in lease.replicas:
            with contextlib.suppress(TemporaryError):
                info = self._stores[copy.store].head(lease.key) if copy.store in self._stores else None
                if info is not None and info.tag:
                    tags[copy.store] = info.tag
        return tags

    def record(
        self,
        lease: Lease,
        checks: Sequence[Check],
        tags: Mapping[StoreId, str] | None = None,
        shelved: tuple[StoreId, ...] = (),
    ) -> VersionAudit:
        """Write what was found to the log and the catalogue, and end the lease. Raises TemporaryError."""
        at = self._clock()
        events = self.events(lease, checks, at)
        stores = [*self.answering(checks), *self._others(lease)] if self.answering(checks) else []
        logged = log_events(self._catalogue, stores, lease.version, lease.key, events)
        results = {check.store: check.outcome for check in checks}
        due = {store: self.schedule.next_look(outcome, at, store, lease.fonds) for store, outcome in results.items()}
        known = {store: tag for store, tag in (tags or {}).items() if results.get(store) is Fixity.MATCH}
        self._catalogue.fixity.finish(lease, results, at, due, logged.events, logged.head, known)
        audit = VersionAudit(lease.version, at, tuple(checks), shelved)
        if self._watch is not None:
            self._watch.audited(audit)
        return audit

    def events(self, lease: Lease, checks: Sequence[Check], at: datetime) -> list[Event]:
        """What there is to tell of these looks at ``at``; and the ends of repairs that were cut off before, when the
        log, which is their last work, has been made whole. Raises StoreUnavailable."""
        looks = [check.event(lease.version, at, self._agent, str(lease.token)) for check in checks]
        ends = cut_off(self._catalogue, lease, checks, at, self._agent)
        if ends:
            self.restore_log(lease, checks)
        return [*looks, *ends]

    def restore_log(self, lease: Lease, checks: Sequence[Check]) -> tuple[int, tuple[int, ...]]:
        """Make the log whole in the stores that answered: how many objects were written, and the numbers of those that
        no store has any more, when all answered. A full store gets its own when it has room. Raises
        StoreUnavailable."""
        head, stores = self._catalogue.events.head(lease.version), self.answering(checks)
        try:
            written, lost = restore_log(stores, lease.key, head) if head and stores else (0, ())
            return written, lost if self._all_of(lease.version, stores) else ()
        except NoSpace:
            return 0, ()

    def _others(self, lease: Lease) -> list[Store]:
        """The stores with replicas that were not looked at now, and that answer: their logs go on as well. One that
        could not be read at the last look is not asked; its log is made whole when it is read again."""
        looked = {replica.store for replica in lease.replicas}
        found: list[Store] = []
        for other in self._catalogue.holdings.replicas(lease.version):
            store = self._stores.get(other.store)
            if store is not None and other.store not in looked and other.outcome is not Fixity.UNREADABLE:
                with contextlib.suppress(TemporaryError):
                    store.head(lease.key)
                    found.append(store)
        return found

    def answering(self, checks: Sequence[Check]) -> list[Store]:
        """The stores in which the log can be written now."""
        return [self._stores[check.store] for check in checks if check.answered]

    def look(self, lease: Lease, on_progress: Progress) -> list[Check]:
        """Read every replica of a leased version, write nothing."""

        def members() -> Iterator[Member]:
            return self._catalogue.holdings.members(lease.version)

        known = [self._stores[replica.store] for replica in lease.replicas if replica.store in self._stores]
        verdicts = ReplicaSet(known, 1).read_back(lease.key, members, on_progress) if known else {}
        return [
            check_replica(self._stores[replica.store], lease.key, members, on_progress, verdicts[replica.store])
            if replica.store in verdicts
            else unknown_store(replica.store)
            for replica in lease.replicas
        ]
