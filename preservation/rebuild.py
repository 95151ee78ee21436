"""Making the catalogue anew from the stores alone (DESIGN §2, invariant 6).

Keys say which versions there are, each object says what it holds, its log says what became of it. The rows are those
that were registered, one by one. What the stores do not agree on is reported, never smoothed over.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path

from metadata.canonical import canonical
from metadata.catalogue import Catalogue
from metadata.errors import AlreadyExists, Damaged, NotFound, StoreUnavailable, TangThuError, Unreadable
from metadata.events import Event
from metadata.holdings import Replica
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

_MOST_PROBLEMS = 1000


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that the stores do not tell as they should: about which key, in which store (None: between stores)."""

    key: str
    store: StoreId | None
    message: Sentence


@dataclass(slots=True)
class RebuildReport:
    """What a rebuild came to. ``known`` versions were in the catalogue already; ``unfinished`` were never acknowledged.

    ``lost`` are versions that could not be read from any store. The first 1,000 problems are kept.
    """

    rebuilt: int = 0
    known: int = 0
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
) -> RebuildReport:
    """Put every version that the stores hold into ``catalogue``; versions that are there are left as they are.

    It may be stopped and begun again. ``on_progress`` gets each key when it is done. Raises StoreUnavailable when a
    store cannot be listed, TemporaryError of the catalogue.
    """
    return _Rebuild(catalogue, stores, clock, schedule or Schedule(), work).run(on_progress)


def rebuild_one(
    catalogue: Catalogue,
    stores: Sequence[Store],
    key: str,
    clock: Callable[[], datetime],
    schedule: Schedule | None = None,
    work: Path | None = None,
) -> RebuildReport:
    """As :func:`rebuild`, for the one version under ``key``. Raises ValueError when it is no object key."""
    version = parse_object_key(key)
    if version is None:
        raise ValueError(f"not the key of an AIP object: {key[:200]!r}")
    made = _Rebuild(catalogue, stores, clock, schedule or Schedule(), work)
    made.take(key, version, [(store, info) for store in stores if (info := store.head(key)) is not None])
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

    def run(self, on_progress: Callable[[str], None] | None) -> RebuildReport:
        for key, holders in _objects(self._stores):
            version = parse_object_key(key)
            if version is not None:
                self.take(key, version, holders)
                if on_progress:
                    on_progress(key)
            elif key != MARKER_KEY and parse_log_key(key) is None and not is_own_key(key):
                for store, _ in holders:
                    self._note(key, store.id, "khóa không phải của kho lưu trữ này", "this key is not one of ours")
        return self.report

    def take(self, key: str, version: VersionId, holders: Sequence[tuple[Store, ObjectInfo]]) -> None:
        """One version, out of the stores that hold it."""
        if self._catalogue.holdings.version(version) is not None:
            self.report.known += 1
            return
        log = self._log(key)
        if log is None:
            self.report.unfinished.append(key)
            return
        if len({info.size for _, info in holders}) > 1:
            sizes = ", ".join(f"{store.id}: {info.size}" for store, info in holders)
            self._note(key, None, f"các kho có kích thước khác nhau ({sizes})", f"sizes differ ({sizes})")
        for store, _ in holders:
            try:
                self._register(key, version, store, holders, log)
            except (Unreadable, Damaged, NotFound, StoreUnavailable) as error:
                self.report.note(key, store.id, error.sentence)
            except AlreadyExists:
                self.report.known += 1
                return
            else:
                self.report.rebuilt += 1
                return
        self.report.lost.append(key)

    def _register(
        self, key: str, version: VersionId, store: Store, holders: Sequence[tuple[Store, ObjectInfo]], log: _Log
    ) -> None:
        description = describe_stored(store, key, self._work)
        events = [*description.events, *log.events]
        replicas = self._replicas(key, version, {holder.id for holder, _ in holders}, events)
        self._catalogue.holdings.register(
            description.version,
            description.members(),
            description.records(),
            replicas,
            events,
            log.receipt,
            log.entries[-1].head,
        )

    def _replicas(self, key: str, version: VersionId, holders: set[StoreId], events: Sequence[Event]) -> list[Replica]:
        """As the events tell, but for what the stores show to be otherwise: that is due at once."""
        now = self._clock()
        told = {replica.store: replica for replica in replicas_of(version, events, self._schedule)}
        present = {store.id for store in self._stores}
        for store in sorted(present & set(told) - holders):
            if told[store].outcome is not Fixity.MISSING:
                self._note(key, store, "kho không còn bản sao", "the store no longer has its replica")
                told[store] = Replica(version, store, Fixity.MISSING, now, now)
        for store in sorted(holders - set(told)):
            self._note(key, store, "có bản sao mà nhật ký không nói tới", "it has a replica that the log does not name")
            told[store] = Replica(version, store, Fixity.NOT_CHECKED, None, now)
        return [told[store] for store in sorted(told)]

    def _log(self, key: str) -> _Log | None:
        """The longest log that any store has whole; None when no store has one."""
        logs: dict[StoreId, tuple[LogObject, ...]] = {}
        for store in self._stores:
            entries: list[LogObject] = []
            try:
                for entry in read_log(store, key):
                    entries.append(entry)
            except TangThuError as error:
                self.report.note(key, store.id, error.sentence)
            logs[store.id] = tuple(entries)
        best = max(logs.values(), key=len, default=())
        for store_id, found in logs.items():
            if found != best[: len(found)]:
                self._note(key, store_id, "nhật ký khác với kho khác", "its log differs from another store's")
            elif len(found) < len(best):
                self._note(
                    key, store_id, f"nhật ký thiếu {len(best) - len(found)} bản ghi",
                    f"its log lacks {len(best) - len(found)} objects",
                )  # fmt: skip
        return _Log(best) if best else None

    def _note(self, key: str, store: StoreId | None, vi: str, en: str) -> None:
        where = f" ({store})" if store else ""
        self.report.note(key, store, Sentence(f"{key}{where}: {vi}.", f"{key}{where}: {en}."))


def _objects(stores: Sequence[Store]) -> Iterator[tuple[str, list[tuple[Store, ObjectInfo]]]]:
    """Every key of all stores in order, with the stores that have it; flat in memory."""
    merged = heapq.merge(*(_listed(store) for store in stores), key=lambda pair: pair[1].key)
    for key, group in groupby(merged, key=lambda pair: pair[1].key):
        yield key, list(group)


def _listed(store: Store) -> Iterator[tuple[Store, ObjectInfo]]:
    for info in store.list():
        yield store, info
