"""Making the catalogue anew from the stores alone (DESIGN §2, invariant 6).

Keys say which versions there are, each object says what it holds, its log says what became of it. The rows are those
that were registered, one by one. What the stores do not agree on is reported, never smoothed over.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import groupby, islice
from pathlib import Path

from metadata.canonical import canonical
from metadata.catalogue import Catalogue
from metadata.catalogue.survey import Standing
from metadata.errors import AlreadyExists, Damaged, NotFound, StoreUnavailable, TangThuError, Unreadable
from metadata.events import Event
from metadata.holdings import AipVersion, Member, Record, Replica
from metadata.identifiers import StoreId, VersionId
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation.checks import Schedule
from preservation.description import describe_stored
from preservation.life import replicas_of
from storage.keys import is_own_key, parse_log_key, parse_object_key
from storage.log import LogObject, read_log
from storage.marker import MARKER_KEY
from storage.port import ObjectInfo, Store
from storage.wrappers import WholeObjectStore

_MOST_PROBLEMS = 1000
_BATCH = 500
_AT_ONCE = 20_000
_SMALL = 4 << 20


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that the stores do not tell as they should: about which key, in which store (None: between stores)."""

    key: str
    store: StoreId | None
    message: Sentence


@dataclass(slots=True)
class RebuildReport:
    """What a rebuild came to. ``known`` versions were in the catalogue already; ``unfinished`` were never acknowledged.

    ``updated`` of those known had a longer log than the catalogue knew. ``lost`` are versions that could not be read
    from any store. ``elsewhere`` counts replicas that logs name in stores that were not given. The first 1,000
    problems are kept.
    """

    rebuilt: int = 0
    known: int = 0
    updated: int = 0
    elsewhere: dict[StoreId, int] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0

    def note(self, key: str, store: StoreId | None, message: Sentence) -> None:
        """Keep a problem, or at least count it."""
        self.problem_count += 1
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(key, store, message))


@dataclass(frozen=True, slots=True)
class _Item:
    """A version as the listings show it: the stores that hold it, and how far its log goes in each."""

    key: str
    version: VersionId
    holders: Sequence[tuple[Store, ObjectInfo]]
    logs: Mapping[StoreId, int]


@dataclass(frozen=True, slots=True)
class _Log:
    entries: tuple[LogObject, ...]

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(event for entry in self.entries for event in entry.events)

    @property
    def receipt(self) -> str:
        """The receipt as it was registered: canonical JSON."""
        return canonical(self.entries[0].receipt or {})


def rebuild(
    catalogue: Catalogue,
    stores: Sequence[Store],
    clock: Callable[[], datetime],
    schedule: Schedule | None = None,
    work: Path | None = None,
    on_progress: Callable[[str], None] | None = None,
    workers: int = 1,
) -> RebuildReport:
    """Put every version that the stores hold into ``catalogue``; of versions that are there, what their logs tell and
    it does not know yet.

    It may be stopped and begun again: what is there costs two questions for every 500. ``on_progress`` gets each key
    when it is done. Raises StoreUnavailable when a store cannot be listed, TemporaryError of the catalogue.
    """
    return _Rebuild(catalogue, stores, clock, schedule or Schedule(), work).run(on_progress, workers)


def rebuild_one(
    catalogue: Catalogue,
    stores: Sequence[Store],
    key: str,
    clock: Callable[[], datetime],
    schedule: Schedule | None = None,
    work: Path | None = None,
) -> RebuildReport:
    """As :func:`rebuild`, for the one version under ``key``.

    Raises ValueError when it is no object key, StoreUnavailable when it was not read and a store did not answer.
    """
    version = parse_object_key(key)
    if version is None:
        raise ValueError(f"not the key of an AIP object: {key[:200]!r}")
    made = _Rebuild(catalogue, stores, clock, schedule or Schedule(), work)
    made.take(key, version, [(store, info) for store in stores if (info := store.head(key)) is not None])
    if made.report.lost and made.away is not None:
        raise made.away
    return made.report


class _Rebuild:
    def __init__(
        self,
        catalogue: Catalogue,
        stores: Sequence[Store],
        clock: Callable[[], datetime],
        schedule: Schedule,
        work: Path | None,
    ) -> None:
        self._catalogue = catalogue
        self._stores = stores
        self._clock = clock
        self._schedule = schedule
        self._work = work
        self.report = RebuildReport()
        self.away: StoreUnavailable | None = None
        self._noting = threading.Lock()
        self._writing = threading.Lock()

    def run(self, on_progress: Callable[[str], None] | None, workers: int) -> RebuildReport:
        items = self._items()
        with ThreadPoolExecutor(workers) as pool:
            while batch := list(islice(items, _BATCH)):
                standing = self._catalogue.survey.standing([item.version for item in batch])
                # One worker works in this thread, so that what ends it ends there.
                act = partial(self._look, standing)
                for item in map(act, batch) if workers == 1 else pool.map(act, batch):
                    if on_progress:
                        on_progress(item.key)
        self.report.problems.sort(key=lambda problem: problem.key)
        return self.report

    def _items(self) -> Iterator[_Item]:
        """Every version in the order of the keys; its logs come before it. What is no version's is told."""
        logs: dict[StoreId, int] = {}
        owner = ""
        for key, holders in _objects(self._stores):
            log = parse_log_key(key)
            if owner and (log[0] if log else key) != owner:
                self._without_object(owner)
                owner, logs = "", {}
            if log is not None:
                owner = log[0]
                logs |= {store.id: log[1] for store, _ in holders}
            elif (version := parse_object_key(key)) is not None:
                yield _Item(key, version, holders, logs)
                owner, logs = "", {}
            elif key != MARKER_KEY and not is_own_key(key):
                for store, _ in holders:
                    self._note(key, store.id, "khóa không phải của kho lưu trữ này", "this key is not one of ours")
        if owner:
            self._without_object(owner)

    def _without_object(self, key: str) -> None:
        self._note(key, None, "có nhật ký nhưng không nơi lưu nào còn gói", "there is a log, and no store has the AIP")
        self.report.lost.append(key)

    def _look(self, standing: Mapping[VersionId, Standing], item: _Item) -> _Item:
        known = standing.get(item.version)
        if known is None:
            self.take(item.key, item.version, item.holders)
            return item
        self._count("known")
        self._compare(item, known)
        if max(item.logs.values(), default=0) > known.head.number:
            self._go_on(item, known)
        return item

    def _compare(self, item: _Item, known: Standing) -> None:
        """What the listing alone shows to be otherwise than the catalogue has it."""
        held, longest = {store.id for store, _ in item.holders}, max(known.head.number, *item.logs.values(), 0)
        for store, info in item.holders:
            if info.size != known.size:
                self._note(
                    item.key, store.id, f"dài {info.size} byte, danh mục ghi {known.size}",
                    f"has {info.size} bytes, the catalogue says {known.size}",
                )  # fmt: skip
            if (lacks := longest - item.logs.get(store.id, 0)) > 0:
                self._lacks(item.key, store.id, lacks)
        given = {store.id for store in self._stores}
        for replica in known.replicas:
            if replica.store not in given:
                self._elsewhere(replica.store)
            elif replica.store not in held and replica.outcome is not Fixity.MISSING:
                self._note(item.key, replica.store, "nơi lưu không còn bản sao", "the store no longer has its replica")

    def _go_on(self, item: _Item, known: Standing) -> None:
        """The events that the longest log has beyond the catalogue's head, and the replicas as they leave them."""
        try:
            log = self._log(item.key)
        except StoreUnavailable:
            return
        place = known.head.number - 1
        if log is None or len(log.entries) <= place or log.entries[place].head != known.head:
            self._note(item.key, None, "nhật ký khác với danh mục", "its log is not the one that the catalogue knows")
            return
        later = log.entries[known.head.number :]
        events, head = [event for entry in later for event in entry.events], log.entries[-1].head
        if not later:
            return
        fixity = self._catalogue.fixity
        with self._writing:
            for one in replicas_of(item.version, events, self._schedule, known.fonds):
                at = one.checked or self._clock()
                fixity.set_replica(item.version, one.store, one.outcome, at, one.due, events, head)
            self._catalogue.events.append(item.version, events, head)
        self._count("updated")

    def _count(self, name: str) -> None:
        with self._noting:
            setattr(self.report, name, getattr(self.report, name) + 1)

    def _elsewhere(self, store: StoreId) -> None:
        with self._noting:
            self.report.elsewhere[store] = self.report.elsewhere.get(store, 0) + 1

    def _lacks(self, key: str, store: StoreId, count: int) -> None:
        self._note(key, store, f"nhật ký thiếu {count} bản ghi", f"its log lacks {count} objects")

    def take(self, key: str, version: VersionId, holders: Sequence[tuple[Store, ObjectInfo]]) -> None:
        """One version, out of the stores that hold it."""
        if self._catalogue.holdings.version(version) is not None:
            self._count("known")
            return
        try:
            log = self._log(key)
        except StoreUnavailable as error:
            self.away = error
            self.report.lost.append(key)
            return
        if log is None:
            self.report.unfinished.append(key)
            return
        if len({info.size for _, info in holders}) > 1:
            sizes = ", ".join(f"{store.id}: {info.size}" for store, info in holders)
            self._note(key, None, f"các nơi lưu có kích thước khác nhau ({sizes})", f"sizes differ ({sizes})")
        for store, info in holders:
            try:
                self._read(info, version, store, holders, log)
            except (Unreadable, Damaged, NotFound, StoreUnavailable) as error:
                self.away = error if isinstance(error, StoreUnavailable) else self.away
                self._tell(key, store.id, error.sentence)
            except AlreadyExists:
                self._count("known")
                return
            else:
                self._count("rebuilt")
                return
        self.report.lost.append(key)

    def _read(
        self, info: ObjectInfo, version: VersionId, store: Store, holders: Sequence[tuple[Store, ObjectInfo]], log: _Log
    ) -> None:
        """A small object by one request; if anything is wrong with it then, part by part, each as often as it takes."""
        if info.size <= _SMALL:
            with suppress(Unreadable, Damaged, NotFound):
                self._register(info.key, version, WholeObjectStore(store, info), holders, log)
                return
        self._register(info.key, version, store, holders, log)

    def _register(
        self, key: str, version: VersionId, store: Store, holders: Sequence[tuple[Store, ObjectInfo]], log: _Log
    ) -> None:
        description = describe_stored(store, key, self._work)
        events = [*description.events, *log.events]
        replicas = self._replicas(key, description.version, {holder.id for holder, _ in holders}, events)
        members: Iterable[Member] = description.members()
        records: Iterable[Record] = description.records()
        if description.version.file_count <= _AT_ONCE:
            # Read before the catalogue is locked, so that workers wait for stores at the same time.
            members, records = list(members), list(records)
        with self._writing:
            self._catalogue.holdings.register(
                description.version, members, records, replicas, events, log.receipt, log.entries[-1].head
            )

    def _replicas(self, key: str, row: AipVersion, holders: set[StoreId], events: Sequence[Event]) -> list[Replica]:
        """As the events tell, but for what the stores show to be otherwise: that is due at once."""
        now = self._clock()
        version = row.id
        told = {replica.store: replica for replica in replicas_of(version, events, self._schedule, row.fonds)}
        present = {store.id for store in self._stores}
        # A list may be behind: nobody's loss is concluded from it before the store was asked for the object itself.
        unlisted = [store for store in self._stores if store.id in told and store.id not in holders]
        holders = holders | {store.id for store in unlisted if store.head(key) is not None}
        for store in set(told) - present:
            self._elsewhere(store)
        for store in sorted(present & set(told) - holders):
            if told[store].outcome is not Fixity.MISSING:
                self._note(key, store, "nơi lưu không còn bản sao", "the store no longer has its replica")
                told[store] = Replica(version, store, Fixity.MISSING, now, now)
        for store in sorted(holders - set(told)):
            self._note(key, store, "có bản sao mà nhật ký không nói tới", "it has a replica that the log does not name")
            told[store] = Replica(version, store, Fixity.NOT_CHECKED, None, now)
        return [told[store] for store in sorted(told)]

    def _log(self, key: str) -> _Log | None:
        """The longest log that any store has whole; None when no store has one.

        Raises StoreUnavailable when a store did not answer and none could be read to its end: a log that nobody has
        seen the end of would give an older state for the newest.
        """
        away: StoreUnavailable | None = None
        whole = False
        logs: dict[StoreId, tuple[LogObject, ...]] = {}
        for store in self._stores:
            entries: list[LogObject] = []
            try:
                for entry in read_log(store, key):
                    entries.append(entry)
                whole = whole or bool(entries)
            except StoreUnavailable as error:
                away = error
                self._tell(key, store.id, error.sentence)
            except TangThuError as error:
                self._tell(key, store.id, error.sentence)
            logs[store.id] = tuple(entries)
        if away is not None and not whole:
            raise away
        best = max(logs.values(), key=len, default=())
        for store_id, found in logs.items():
            if found != best[: len(found)]:
                self._note(key, store_id, "nhật ký khác với nơi lưu khác", "its log differs from another store's")
            elif len(found) < len(best):
                self._lacks(key, store_id, len(best) - len(found))
        return _Log(best) if best else None

    def _note(self, key: str, store: StoreId | None, vi: str, en: str) -> None:
        where = f" ({store})" if store else ""
        self._tell(key, store, Sentence(f"{key}{where}: {vi}.", f"{key}{where}: {en}."))

    def _tell(self, key: str, store: StoreId | None, message: Sentence) -> None:
        with self._noting:
            self.report.note(key, store, message)


def _objects(stores: Sequence[Store]) -> Iterator[tuple[str, list[tuple[Store, ObjectInfo]]]]:
    """Every key of all stores in order, with the stores that have it; flat in memory."""
    merged = heapq.merge(*(_listed(store) for store in stores), key=lambda pair: pair[1].key)
    for key, group in groupby(merged, key=lambda pair: pair[1].key):
        yield key, list(group)


def _listed(store: Store) -> Iterator[tuple[Store, ObjectInfo]]:
    for info in store.list():
        yield store, info
