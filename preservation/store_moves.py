"""Draining, retiring, moving and reinstating stores, with a history (NĐ 113/2025 Điều 22).

A store is emptied by copying, never by deleting: a draining store takes nothing more, every AIP that would be left with
too few replicas is copied elsewhere by the replicator, and only when nothing depends on it any more may two people
retire it. Then the catalogue forgets its replicas, each with an event in the AIP's own log; the bytes stay where they
are, and as long as they do the store can be reinstated. What was decided, by whom and what came of it is written down
in the archive's journal before it is done, so that whoever comes after a crash goes on where it stopped.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from metadata.catalogue import Catalogue, Lease
from metadata.catalogue.placements import Placement
from metadata.catalogue.quarantine import PEOPLE, person_key
from metadata.dates import utc_text
from metadata.errors import Busy, NotFound, StoreUnavailable, TemporaryError, UsageError
from metadata.events import Agent, Event, EventType
from metadata.identifiers import StoreId, VersionId
from metadata.journal import Entry, EntryKind
from metadata.stores import StoreState
from metadata.text import Sentence
from preservation.checks import SUCCESS, Clock, Progress
from preservation.journal import ArchiveJournal
from preservation.life import log_events
from preservation.places import DRAIN, MOVE, REINSTATE, RETIRE, STATES_TOLD, Places, last_word
from preservation.replication import Checkpoint, ReplicationReport, Replicator
from preservation.store_standing import (
    Draining,
    Retiring,
    destination_of,
    must_be_named,
    said,
    why_it_depends,
)
from storage.keys import log_key, parse_object_key
from storage.port import Store

DRAINED, AGREE, RETIRED, REINSTATED, FAILED = "drained", "agree-retire", "retired", "reinstated", "failed"
_LEASE = timedelta(minutes=10)
_PAGE = 200
_NAMED = 100
_TOLD = 10_000


class StoreKeeper:
    """Moves stores. Everything may be done again; several may do it at once."""

    def __init__(
        self,
        catalogue: Catalogue,
        stores: Mapping[StoreId, Store],
        places: Places,
        replicator: Replicator,
        journal: ArchiveJournal,
        clock: Clock,
        agent: Agent,
        lease: timedelta = _LEASE,
        at: Checkpoint = lambda _: None,
    ) -> None:
        self._catalogue = catalogue
        self._stores = stores
        self._places = places
        self._replicator = replicator
        self._journal = journal
        self._clock = clock
        self._agent = agent
        self._length = lease
        self._at = at

    # Draining

    def drain(self, store: StoreId, person: str, reason: str = "", to: StoreId | None = None) -> Draining:
        """Let a store take nothing more; what would be missing is to be copied, to ``to`` when it is given.

        Raises UsageError when the other stores could not satisfy the policies, or for a store that is not in use.
        """
        state = self._known(store)
        if state is StoreState.RETIRED:
            raise said(f"Nơi lưu “{store}” đã thôi dùng.", f"The store “{store}” is retired.")
        must_be_named(person)
        last = last_word(self._catalogue, store)
        if state is StoreState.DRAINING and last is not None and destination_of(last) == to:
            return self.progress(store)
        self._may_drain(store, to)
        aips, size = self._catalogue.placements.amount(self._sets(store))
        document: dict[str, Any] = {"aips": aips, "bytes": size, "reason": reason}
        if to is not None:
            document["to"] = to.value
        self._journal.write(EntryKind.STORE, store.value, DRAIN if to is None else MOVE, document, person)
        self._at("told")
        self._catalogue.stores.set_state(store, StoreState.DRAINING, self._clock())
        return self.progress(store)

    def progress(self, store: StoreId) -> Draining:
        """How far it is. Its cost grows with what is left."""
        state, last = self._known(store), last_word(self._catalogue, store)
        told: Mapping[str, Any] = last.document if last is not None and last.act in (DRAIN, MOVE) else {}
        left, left_bytes, trouble = 0, 0, None
        if state is StoreState.DRAINING:
            for lack in self._replicator.lacks(store):
                aips, size = self._catalogue.placements.amount([lack.place])
                left, left_bytes, trouble = left + aips, left_bytes + size, lack.trouble or trouble
        return Draining(
            store,
            state,
            last.at if last else None,
            last.person if last else "",
            destination_of(last) if last else None,
            int(told.get("aips", 0)),
            int(told.get("bytes", 0)),
            left,
            left_bytes,
            len(self._doubtful(store)) if state is StoreState.DRAINING else 0,
            trouble,
        )

    def work(self, store: StoreId, limit: int | None = None, on_progress: Progress | None = None) -> ReplicationReport:
        """Copy what a draining store must not be the last to have; tell the journal what failed, and when it is done.

        Replicas elsewhere that do not stand proved are made due. Raises UsageError when it is not draining.
        """
        if self._known(store) is not StoreState.DRAINING:
            raise said(f"Nơi lưu “{store}” không đang được rút dần.", f"The store “{store}” is not being drained.")
        report = self._replicator.run(limit, store, on_progress)
        for version, holder in self._doubtful(store):
            self._catalogue.fixity.hasten(version, holder, self._clock())
        begun = last_word(self._catalogue, store)
        assert begun is not None
        if report.failed:
            failed = [{"version": str(one), "vi": why.vi, "en": why.en} for one, why in report.failed[:_NAMED]]
            identity = Entry.derive(FAILED, str(begun.id), *(str(one) for one, _ in report.failed))
            document = {"failures": report.failures, "failed": failed}
            self._journal.write(EntryKind.STORE, store.value, FAILED, document, id=identity)
        if self.progress(store).ready:
            self._at("drained")
            document = {"aips": begun.document["aips"], "bytes": begun.document["bytes"], "since": utc_text(begun.at)}
            self._journal.write(
                EntryKind.STORE, store.value, DRAINED, document, id=Entry.derive(DRAINED, str(begun.id))
            )
        return report

    # Retiring

    def retire(self, store: StoreId, person: str, reason: str, on_progress: Progress | None = None) -> Retiring:
        """Agree that a store is retired; the second of two different people has it done.

        Raises UsageError while anything still depends on the store, or it is not being drained.
        """
        must_be_named(person, reason)
        if self._known(store) is StoreState.RETIRED:
            return self._forget(store, on_progress)
        standing = self.progress(store)
        if not standing.ready:
            raise why_it_depends(standing)
        begun = last_word(self._catalogue, store)
        assert begun is not None
        document = {"reason": reason, "of": str(begun.id)}
        identity = Entry.derive(AGREE, str(begun.id), person_key(person))
        self._journal.write(EntryKind.STORE, store.value, AGREE, document, person, identity)
        agreed = self._agreed(store, begun)
        if len(agreed) < PEOPLE:
            return Retiring(store, agreed, retired=False)
        aips, size = self._catalogue.placements.amount(self._sets(store))
        decided: dict[str, Any] = {"aips": aips, "bytes": size, "people": list(agreed), "reason": reason}
        both = ", ".join(agreed)
        self._journal.write(EntryKind.STORE, store.value, RETIRE, decided, both, Entry.derive(RETIRE, str(begun.id)))
        self._at("told")
        self._catalogue.stores.set_state(store, StoreState.RETIRED, self._clock())
        self._at("retired")
        return self._forget(store, on_progress)

    # Reinstating

    def reinstate(self, store: StoreId, person: str, reason: str = "", on_progress: Progress | None = None) -> int:
        """Take a store into use again. Of a retired one the replicas that are still there are noted again, unproved
        and due now; how many. Raises UsageError, StoreUnavailable when it does not answer."""
        must_be_named(person)
        state = self._known(store)
        last = last_word(self._catalogue, store)
        if state is StoreState.ACTIVE and (last is None or last.act != REINSTATE):
            raise said(f"Nơi lưu “{store}” đang được dùng.", f"The store “{store}” is in use.")
        if state is not StoreState.ACTIVE:
            next(iter(self._stores[store].list()), None)  # one that does not answer is not taken back
            document = {"from": state.value, "reason": reason}
            self._journal.write(EntryKind.STORE, store.value, REINSTATE, document, person)
            self._at("told")
            self._catalogue.stores.set_state(store, StoreState.ACTIVE, self._clock())
        return self._bring_back(store, on_progress)

    # What is left to do, and what was done

    def settle(self) -> list[StoreId]:
        """Go on with what was begun and not ended: states that were told and not set, replicas of retired stores,
        reinstatings. Gives the stores that are being drained, for :meth:`work`. Raises TemporaryError."""
        self.recover()
        draining = []
        for store in self._places.traits:
            state, last = self._known(store), last_word(self._catalogue, store)
            if state is StoreState.DRAINING and last is not None:
                draining.append(store)
            elif state is StoreState.RETIRED and (self._unended(store, last, RETIRED) or self._sets(store)):
                self._forget(store, None)
            elif last is not None and last.act == REINSTATE and self._unended(store, last, REINSTATED):
                with contextlib.suppress(StoreUnavailable):
                    self._bring_back(store, None)
        return draining

    def recover(self) -> None:
        """Bring the states of the stores to what the journal says: after a crash, or when the catalogue is new."""
        records = self._catalogue.stores.records()
        for store in self._places.traits:
            last = last_word(self._catalogue, store)
            known = records[store].state if store in records else StoreState.ACTIVE
            if last is not None and STATES_TOLD[last.act] is not known:
                self._catalogue.stores.set_state(store, STATES_TOLD[last.act], last.at)

    def history(self, store: StoreId | None = None, limit: int = 100) -> list[Entry]:
        """What was done with the stores, the newest first."""
        subject = None if store is None else store.value
        return [one.entry for one in self._catalogue.journal.entries(EntryKind.STORE, subject, limit)]

    # Within

    def _known(self, store: StoreId) -> StoreState:
        if store not in self._places.traits:
            names = ", ".join(one.value for one in self._places.traits)
            raise NotFound(
                Sentence(f"Không có nơi lưu “{store}”. Có: {names}.", f"There is no store “{store}”, only: {names}.")
            )
        return self._places.standing().state(store)

    def _sets(self, store: StoreId) -> list[Placement]:
        return [place for place in self._catalogue.placements.sets() if store in place.stores]

    def _may_drain(self, store: StoreId, to: StoreId | None) -> None:
        """Raises UsageError when the stores that remain could not hold what they must."""
        standing = self._places.standing()
        if to is not None and (self._known(to) is not StoreState.ACTIVE or to == store):
            raise said(f"Không chuyển sang “{to}” được.", f"“{to}” cannot be moved to: it must be another, in use.")
        after = standing.with_state(store, StoreState.DRAINING, to)
        self._places.check(after)
        for place in self._sets(store):
            policy = self._places.policy(place.fonds, place.access)
            if to is not None and not policy.allows(to):
                raise said(
                    f"Chính sách bản sao “{policy.name}” không cho dùng nơi lưu “{to}”. Hãy thêm nó vào chính sách.",
                    f"The replica policy “{policy.name}” does not allow the store “{to}”. Add it to the policy.",
                )
            self._places.wanted(after, place.fonds, place.access, place.stores)

    def _doubtful(self, store: StoreId) -> list[tuple[VersionId, StoreId]]:
        """The first 1,000 replicas that are to stand for those in ``store`` and did not match when last looked at."""
        standing = self._places.standing()
        found: list[tuple[VersionId, StoreId]] = []
        for place in self._sets(store):
            with contextlib.suppress(UsageError):
                wanted = self._places.wanted(standing, place.fonds, place.access, place.stores)
                found += self._catalogue.placements.doubtful(place, wanted)
        return found[:1000]

    def _agreed(self, store: StoreId, begun: Entry) -> tuple[str, ...]:
        """The different people who agreed since the draining began, the first first."""
        people: dict[str, str] = {}
        for entry in reversed(self.history(store, _TOLD)):
            if entry.act == AGREE and entry.document.get("of") == str(begun.id):
                people.setdefault(person_key(entry.person), entry.person)
        return tuple(people.values())

    def _unended(self, store: StoreId, last: Entry | None, end: str) -> bool:
        return last is not None and self._catalogue.journal.find(Entry.derive(end, str(last.id))) is None

    def _forget(self, store: StoreId, on_progress: Progress | None) -> Retiring:
        """Take what a retired store has out of the catalogue, each with an event in its log; then the tombstone.

        An AIP that was being taken in when the store was retired stays until its replica has been made elsewhere.
        """
        last = last_word(self._catalogue, store)
        assert last is not None
        away: set[StoreId] = set()
        count = 0
        for version in self._versions(store):
            with contextlib.suppress(Busy, NotFound, StoreUnavailable), self._leased(version) as lease:
                self._drop(lease, store, last, away)
                count += 1
                if on_progress:
                    on_progress(lease.size)
        left, _ = self._catalogue.placements.amount(self._sets(store))
        people = tuple(last.document.get("people", ()))
        if not left:
            document = {"aips": last.document.get("aips", count), "bytes": last.document.get("bytes", 0)}
            identity = Entry.derive(RETIRED, str(last.id))
            self._journal.write(EntryKind.STORE, store.value, RETIRED, document, id=identity)
        return Retiring(store, people, retired=True, forgotten=count, left=left)

    def _versions(self, store: StoreId) -> Iterator[VersionId]:
        """Every version that lies in ``store`` and lacks nothing elsewhere, page by page; it may leave its set
        meanwhile."""
        lacking = {lack.place for lack in self._replicator.lacks(store)}
        for place in (one for one in self._sets(store) if one not in lacking):
            after: int | None = None
            while page := self._catalogue.placements.versions(place, after, _PAGE):
                for placed in page:
                    yield placed.version
                after = page[-1].row

    @contextlib.contextmanager
    def _leased(self, version: VersionId) -> Iterator[Lease]:
        lease = self._catalogue.fixity.lease_version(version, self._clock(), self._length, "storage")
        try:
            yield lease
        finally:
            with contextlib.suppress(TemporaryError, NotFound):
                self._catalogue.fixity.give_back(lease)

    def _drop(self, lease: Lease, store: StoreId, act: Entry, away: set[StoreId]) -> None:
        kind = EventType.DEACCESSION
        detail = "The store was retired; its replica counts no more, its bytes were left where they are"
        event = self._event(lease.version, kind, store, act, detail)
        holders = [replica.store for replica in lease.replicas if replica.store != store]
        logged = log_events(
            self._catalogue, self._answering(holders, lease.key, away), lease.version, lease.key, [event]
        )
        self._at("logged")
        self._catalogue.placements.forget(lease.version, store, logged.events, logged.head)
        self._at("forgotten")

    def _bring_back(self, store: StoreId, on_progress: Progress | None) -> int:
        """Note again what a reinstated store has of what is held. Raises StoreUnavailable."""
        last = last_word(self._catalogue, store)
        assert last is not None
        count, postponed = 0, 0
        if last.document.get("from") == StoreState.RETIRED.value:
            away: set[StoreId] = set()
            for info in self._stores[store].list():
                version = parse_object_key(info.key)
                held = self._catalogue.holdings.version(version) if version else None
                if held is None or held.key != info.key or store in self._holders(held.id):
                    continue
                try:
                    with self._leased(held.id) as lease:
                        self._take_back(lease, store, last, away)
                    count += 1
                except (Busy, NotFound):
                    postponed += 1
                if on_progress:
                    on_progress(info.size)
        if not postponed:
            identity = Entry.derive(REINSTATED, str(last.id))
            self._journal.write(EntryKind.STORE, store.value, REINSTATED, {"aips": count}, id=identity)
        return count

    def _holders(self, version: VersionId) -> Sequence[StoreId]:
        place = self._catalogue.placements.of(version)
        return place.stores if place else ()

    def _take_back(self, lease: Lease, store: StoreId, act: Entry, away: set[StoreId]) -> None:
        detail = "The store is in use again; its replica is to be read whole before it counts as proved"
        event = self._event(lease.version, EventType.ACCESSION, store, act, detail)
        holders = self._answering([replica.store for replica in lease.replicas], lease.key, away)
        logged = log_events(self._catalogue, [*holders, self._stores[store]], lease.version, lease.key, [event])
        self._at("logged")
        due = next((one.at for one in logged.events if one.id == event.id), event.at)
        self._catalogue.placements.bring_back(lease.version, store, due, logged.events, logged.head)
        self._at("back")

    def _event(self, version: VersionId, kind: EventType, store: StoreId, act: Entry, detail: str) -> Event:
        identity = Event.derive(version, kind.value, store.value, str(act.id))
        return Event(identity, version, kind, self._clock(), detail, SUCCESS, act.person, self._agent, store)

    def _answering(self, holders: Sequence[StoreId], key: str, away: set[StoreId]) -> list[Store]:
        found = []
        for id in holders:
            if id not in self._stores or id in away:
                continue
            try:
                self._stores[id].head(log_key(key, 1))
                found.append(self._stores[id])
            except StoreUnavailable:
                away.add(id)
        return found
