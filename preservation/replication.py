"""Catching up: the replicas that the policies ask for and that are missing are made from one that matches now.

What is missing is found by the sets of stores that versions lie in (``metadata.catalogue.placements``): its cost grows
with what is missing, not with the holdings. One version is one act under its lease, in this order: read a replica whole
and hold it against its digests while it is sent; complete the copy only when it matched; read the copy back; write the
log beside all of them; last the catalogue. Whoever dies on the way leaves at most an object that the next one finds,
reads and takes over.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from metadata.catalogue import Catalogue, Lease
from metadata.catalogue.placements import Placed, Placement
from metadata.errors import (
    Busy,
    Damaged,
    NoSpace,
    NotFound,
    StoreUnavailable,
    TangThuError,
    TemporaryError,
    UsageError,
)
from metadata.events import Agent, Event, EventType
from metadata.holdings import Member
from metadata.identifiers import StoreId, VersionId
from metadata.outcomes import Fixity
from metadata.stores import StoreState
from metadata.text import Sentence
from preservation.checks import FAILURE, SUCCESS, Check, Clock, Progress, Schedule, check_replica
from preservation.clock import check_clock
from preservation.lease_keeper import LeaseKeeper
from preservation.life import log_events
from preservation.places import Places, Standing
from storage.aip.blocks import Block, ReadAhead
from storage.aip.parts import PartFanout
from storage.aip.verify import Verdict, verify_blocks
from storage.keys import log_key
from storage.port import Store

_LEASE = timedelta(hours=1)
_PAGE = 200
_MOST_FAILED = 1000
Checkpoint = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Lack:
    """Versions that lie in the same stores and lack replicas in ``targets``; or why their policy cannot be met."""

    place: Placement
    targets: tuple[StoreId, ...]
    trouble: Sentence | None = None


@dataclass(slots=True)
class ReplicationReport:
    """What a round came to. ``copied`` counts replicas made, ``adopted`` those that lay there already and matched.

    ``postponed`` versions come again the next round: another worker has them, or a store did not answer (``away``).
    ``failed`` (the first 1,000 of ``failures``) need somebody: no replica matches, or a copy was damaged on the way.
    """

    copied: int = 0
    adopted: int = 0
    bytes: int = 0
    postponed: int = 0
    failures: int = 0
    failed: list[tuple[VersionId, Sentence]] = field(default_factory=list)
    away: dict[StoreId, Sentence] = field(default_factory=dict)
    unsatisfied: list[Lack] = field(default_factory=list)

    def fail(self, version: VersionId, why: Sentence) -> None:
        """Count one version that could not be helped."""
        self.failures += 1
        if len(self.failed) < _MOST_FAILED:
            self.failed.append((version, why))


class Replicator:
    """Makes missing replicas. Threads and machines may each have one: no version is in two hands."""

    def __init__(
        self,
        catalogue: Catalogue,
        stores: Mapping[StoreId, Store],
        places: Places,
        clock: Clock,
        agent: Agent,
        schedule: Schedule | None = None,
        work: Path | None = None,
        lease: timedelta = _LEASE,
        worker: str = "replicate",
        at: Checkpoint = lambda _: None,
    ) -> None:
        self._catalogue = catalogue
        self._stores = stores
        self._places = places
        self._clock = clock
        self._agent = agent
        self._schedule = schedule or Schedule()
        self._work = work
        self._length = lease
        self._worker = worker
        self._at = at

    def lacks(self, held: StoreId | None = None) -> list[Lack]:
        """Where something is missing; only versions that ``held`` has, when it is given."""
        standing = self._places.standing()
        found = []
        for place in self._catalogue.placements.sets():
            if held is not None and held not in place.stores:
                continue
            lack = self._lack(standing, place)
            if lack.targets or lack.trouble:
                found.append(lack)
        return found

    def owed(self, held: StoreId | None = None) -> tuple[int, int]:
        """How many replicas are missing, and their bytes. Its cost grows with them."""
        replicas = size = 0
        for lack in self.lacks(held):
            versions, stored = self._catalogue.placements.amount([lack.place])
            replicas += versions * len(lack.targets)
            size += stored * len(lack.targets)
        return replicas, size

    def run(
        self, limit: int | None = None, held: StoreId | None = None, on_progress: Progress | None = None
    ) -> ReplicationReport:
        """Make what is missing, of up to ``limit`` versions; each is tried once.

        ``on_progress`` gets the bytes sent, read and read back. Raises CatalogueUnavailable;
        TemporaryError by a clock that cannot be right.
        """
        check_clock(self._catalogue, self._clock())
        report = ReplicationReport()
        tried = 0
        for lack in self.lacks(held):
            if lack.trouble is not None:
                report.unsatisfied.append(lack)
                continue
            for version in self._versions(lack, report):
                if limit is not None and tried >= limit:
                    return report
                tried += 1
                self._try(version.version, report, on_progress)
        return report

    def replicate(self, version: VersionId, on_progress: Progress | None = None) -> ReplicationReport:
        """Make what is missing of one version now. Raises NotFound, Busy, UsageError, TemporaryError."""
        check_clock(self._catalogue, self._clock())
        report = ReplicationReport()
        self._replicate(version, report, on_progress)
        return report

    def _lack(self, standing: Standing, place: Placement) -> Lack:
        try:
            missing = self._places.missing(standing, place.fonds, place.access, place.stores)
        except UsageError as error:
            return Lack(place, (), error.sentence)
        return Lack(place, tuple(missing))

    def _versions(self, lack: Lack, report: ReplicationReport) -> Iterator[Placed]:
        """The versions of one set, page by page, while one of the stores that they lack can be reached."""
        after: int | None = None
        while any(target not in report.away for target in lack.targets):
            page = self._catalogue.placements.versions(lack.place, after, _PAGE)
            if not page:
                return
            for placed in page:
                if all(target in report.away for target in lack.targets):
                    return
                yield placed
            after = page[-1].row

    def _try(self, version: VersionId, report: ReplicationReport, on_progress: Progress | None) -> None:
        try:
            self._replicate(version, report, on_progress)
        except (Busy, NotFound, StoreUnavailable, NoSpace):
            report.postponed += 1
        except TemporaryError:
            raise
        except TangThuError as error:
            report.fail(version, error.sentence)

    def _replicate(self, version: VersionId, report: ReplicationReport, on_progress: Progress | None) -> None:
        lease = self._catalogue.fixity.lease_version(version, self._clock(), self._length, self._worker)
        try:
            keeper = LeaseKeeper(self._catalogue, lease, self._clock, self._length, on_progress)
            self._fill(lease, keeper, report)
        finally:
            with contextlib.suppress(TemporaryError):  # it runs out by itself
                self._catalogue.fixity.give_back(lease)

    def _fill(self, lease: Lease, keeper: LeaseKeeper, report: ReplicationReport) -> None:
        place = self._catalogue.placements.of(lease.version)
        if place is None:
            return
        standing = self._places.standing()
        trouble: TangThuError | None = None
        for target in self._places.missing(standing, place.fonds, place.access, place.stores):
            if target in report.away:
                continue
            try:
                self._make(lease, standing, target, keeper, report)
            except TangThuError as error:
                trouble = error
        if trouble is not None:
            raise trouble

    def _make(
        self, lease: Lease, standing: Standing, target: StoreId, keeper: LeaseKeeper, report: ReplicationReport
    ) -> None:
        store = self._stores[target]
        with _noting(report, target):
            there = store.head(lease.key) is not None
        source = None if there else self._copy(lease, standing, store, keeper, report)
        self._at("copied")
        if not self._warm(store, lease.key):
            raise _cold(store, lease)
        check = check_replica(store, lease.key, lambda: self._members(lease), keeper)
        if check.outcome not in (Fixity.MATCH, Fixity.MISMATCH):
            raise StoreUnavailable(
                Sentence(
                    f"Bản sao mới của {lease.version} ở nơi lưu “{target}” chưa đọc lại được: {check.note}",
                    f"The new replica of {lease.version} in the store “{target}” cannot be read back: {check.note}",
                )
            )
        keeper.confirm()
        self._record(lease, check, source, report)
        if check.outcome is not Fixity.MATCH:
            raise Damaged(
                Sentence(
                    f"Nơi lưu “{target}” có một bản sao hỏng của {lease.version}; đã ghi lại để sửa: {check.note}",
                    f"There is a damaged replica of {lease.version} in the store “{target}”; it was noted, to be "
                    f"repaired: {check.note}",
                )
            )
        if source is None:
            report.adopted += 1
        else:
            report.copied += 1
        report.bytes += lease.size

    def _copy(
        self, lease: Lease, standing: Standing, target: Store, keeper: LeaseKeeper, report: ReplicationReport
    ) -> StoreId:
        """Send a replica that matches while it is sent; which. Raises what the target raises, or why there is none."""
        why = Sentence("không có bản sao nào đọc được", "no replica can be read")
        unreadable = False
        for source in self._sources(lease, standing, report):
            if not self._warm(source, lease.key):
                why, unreadable = _cold(source, lease).sentence, True
                continue
            verdict = self._send(lease, source, target, keeper, report)
            if verdict is None or verdict.outcome is Fixity.MATCH:
                return source.id
            if verdict.outcome is Fixity.UNREADABLE:
                unreadable = True
                report.away.setdefault(source.id, verdict.reason or why)
            why = verdict.reason or Sentence(
                f"bản ở nơi lưu {source.id} không khớp", f"that in {source.id} does not match"
            )
        told = Sentence(
            f"Không nhân được gói {lease.version} sang nơi lưu “{target.id}”: {why.vi}.",
            f"{lease.version} cannot be copied to the store “{target.id}”: {why.en}.",
        )
        raise StoreUnavailable(told) if unreadable else Damaged(told)

    def _sources(self, lease: Lease, standing: Standing, report: ReplicationReport) -> Iterator[Store]:
        """Those that matched last first; a store that is retired is not asked, one on a shelf or cold last."""

        def rank(store: StoreId) -> tuple[bool, bool]:
            traits = self._places.traits.get(store)
            return outcomes[store] is not Fixity.MATCH, traits is not None and (traits.offline or traits.cold)

        outcomes = {replica.store: replica.outcome for replica in lease.replicas}
        for id in sorted(outcomes, key=rank):
            if id in self._stores and id not in report.away and standing.state(id) is not StoreState.RETIRED:
                yield self._stores[id]

    def _send(
        self, lease: Lease, source: Store, target: Store, keeper: LeaseKeeper, report: ReplicationReport
    ) -> Verdict | None:
        """The verdict on the source, read while it was sent; the copy is complete when it matched. None: there was one.

        Raises what the target raises.
        """
        with _noting(report, target.id):
            for upload in list(target.uploads(lease.key)):
                if upload.key == lease.key:
                    target.abort(upload)
        with PartFanout([target], lease.key, work=self._work) as fanout, ReadAhead(source, lease.key) as blocks:
            tee = _Tee(blocks, fanout)
            verdict = verify_blocks(iter(tee), source, lease.key, self._members(lease), keeper)
            with _noting(report, target.id):
                if tee.trouble is not None:
                    raise tee.trouble
                if verdict.outcome is Fixity.MATCH:
                    self._at("read")
                    keeper.confirm()
                    fanout.complete()
        return verdict

    def _warm(self, store: Store, key: str) -> bool:
        """Whether the object can be read now; of a cold store it is asked for, and can be in a later round."""
        traits = self._places.traits.get(store.id)
        if traits is None or not traits.cold:
            return True
        try:
            return store.thaw(key)
        except NotFound:  # whoever reads it will tell
            return True

    def _members(self, lease: Lease) -> Iterator[Member]:
        return self._catalogue.holdings.members(lease.version)

    def _record(self, lease: Lease, check: Check, source: StoreId | None, report: ReplicationReport) -> None:
        """First the log beside the replicas, the new one's too, then the row. Done again it tells nothing twice."""
        at = self._clock()
        events = self._events(lease.version, check, source, at)
        stores = [*self._answering(lease, report), self._stores[check.store]]
        logged = log_events(self._catalogue, stores, lease.version, lease.key, events)
        self._at("logged")
        told = {event.id: event for event in logged.events}
        at = told.get(events[-1].id, events[-1]).at
        due = self._schedule.next_look(check.outcome, at, check.store, lease.fonds)
        self._catalogue.fixity.set_replica(
            lease.version, check.store, check.outcome, at, due, logged.events, logged.head, lease=lease
        )
        self._at("noted")

    def _events(self, version: VersionId, check: Check, source: StoreId | None, at: datetime) -> Sequence[Event]:
        """The making, unless one who died has told it and an audit met that since; last the look."""
        head, told = self._catalogue.events.head(version), self._catalogue.events.of(version)
        look = check.event(version, at, self._agent, f"replica after {head.number if head else 0}")
        kind = EventType.REPLICATION
        given_up = sum(one.type is EventType.DEACCESSION and one.store == check.store for one in told)
        identity = Event.derive(version, kind.value, check.store.value, f"replica {given_up}")
        if any(one.id == identity for one in told):
            return (look,)
        detail = "The AIP was copied to the store, read whole and compared on the way"
        if source is None:
            detail = "The AIP lay in the store already and was taken over"
        outcome = SUCCESS if check.outcome is Fixity.MATCH else FAILURE
        note = source.value if source else ""
        made = Event(identity, version, kind, at, detail, outcome, note, self._agent, check.store)
        return made, look

    def _answering(self, lease: Lease, report: ReplicationReport) -> list[Store]:
        """The stores that hold the version and can take the log now; the others are brought along the next time."""
        found = []
        for id in (replica.store for replica in lease.replicas):
            if id in report.away or id not in self._stores:
                continue
            with contextlib.suppress(StoreUnavailable), _noting(report, id):
                self._stores[id].head(log_key(lease.key, 1))
                found.append(self._stores[id])
        return found


def _cold(store: Store, lease: Lease) -> StoreUnavailable:
    return StoreUnavailable(
        Sentence(
            f"nơi lưu “{store.id}” là nơi lưu lạnh, {lease.version} đã được yêu cầu và sẽ đọc được sau",
            f"the store “{store.id}” is cold; {lease.version} was asked for and can be read later",
        )
    )


class _Tee:
    """Blocks as they are read, sent on at the same time. What the target raises ends the sending, not the reading."""

    def __init__(self, blocks: Iterable[Block], fanout: PartFanout) -> None:
        self._blocks = blocks
        self._fanout = fanout
        self.trouble: TangThuError | None = None

    def __iter__(self) -> Iterator[Block]:
        for block in self._blocks:
            with memoryview(block[0]) as view, view[: block[1]] as filled:
                try:
                    self._fanout.write(filled)
                except TangThuError as error:
                    self.trouble = error
                    return
            yield block


@contextlib.contextmanager
def _noting(report: ReplicationReport, store: StoreId) -> Iterator[None]:
    """A store that does not answer, or is full, is left alone for the rest of the round."""
    try:
        yield
    except (StoreUnavailable, NoSpace) as error:
        report.away.setdefault(store, error.sentence)
        raise
