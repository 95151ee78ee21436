"""What a store holds and the catalogue does not know: found, told once it stays, and removed by two people only.

An ingest that is under way has objects that the catalogue does not know yet: a stranger is told when it was seen twice
with time between. There is one incident a store, however many strangers.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from metadata.catalogue import Catalogue
from metadata.dates import utc_text
from metadata.errors import NotFound, UsageError
from metadata.identifiers import StoreId, VersionId
from metadata.incidents import IncidentKind
from metadata.journal import Entry, EntryKind
from metadata.strangers import Stranger, StrangerDecision, StrangerKind, StrangerState
from metadata.text import Sentence
from preservation.checks import Clock, Schedule
from preservation.incidents import Incidents
from preservation.journal import ArchiveJournal
from preservation.rebuild import RebuildReport, rebuild_one
from storage.keys import is_own_key, log_prefix, parse_log_key, parse_object_key
from storage.marker import MARKER_KEY
from storage.port import ObjectInfo, Store

MOST = 10_000
"""So many strangers of one store are noted; what is beyond waits until these are dealt with."""
_BATCH = 500
_SHOWN = 20
_PIECE = 1 << 20


@dataclass(slots=True)
class Reconciled:
    """What reconciling one store came to: objects seen, strangers by kind, how many were newly told, how many gone."""

    store: StoreId
    objects: int = 0
    strangers: dict[StrangerKind, int] = field(default_factory=dict)
    told: int = 0
    gone: int = 0


class Reconciler:
    """Threads and machines may each have one."""

    def __init__(
        self,
        catalogue: Catalogue,
        stores: Mapping[StoreId, Store],
        incidents: Incidents,
        journal: ArchiveJournal,
        clock: Clock,
        wait: timedelta = timedelta(hours=24),
    ) -> None:
        self._catalogue = catalogue
        self._stores = stores
        self._incidents = incidents
        self._journal = journal
        self._clock = clock
        self._wait = wait

    def reconcile(self, store: StoreId, on_progress: Callable[[int], None] | None = None) -> Reconciled:
        """List a store to its end, and hold every key against the catalogue. Raises NotFound, StoreUnavailable."""
        began, report = self._clock(), Reconciled(store)
        batch: list[ObjectInfo] = []
        for info in self._store(store).list():
            batch.append(info)
            report.objects += 1
            if len(batch) == _BATCH:
                self.sort(store, batch)
                batch.clear()
            if on_progress:
                on_progress(report.objects)
        self.sort(store, batch)
        self.listed_whole(store, began, report)
        return report

    def sort(self, store: StoreId, infos: Sequence[ObjectInfo]) -> int:
        """Note which of these objects are strangers; how many. A light audit, which lists anyhow, calls it as well."""
        versions = [(info, _version_of(info.key)) for info in infos if not _is_ours(info.key)]
        known = self._catalogue.strangers.known(store, {version for _, version in versions if version is not None})
        now, found = self._clock(), []
        for info, version in versions:
            kind = self._kind(store, info.key, version, known.get(version) if version else None)
            if kind is not None:
                found.append(Stranger(store, info.key, kind, info.size, info.modified, now, now))
        if found:
            self._catalogue.strangers.saw(found, MOST - sum(self._catalogue.strangers.count(store).values()))
        return len(found)

    def listed_whole(self, store: StoreId, began: datetime, report: Reconciled | None = None) -> Reconciled:
        """After a listing of the whole store that ``began`` then: what is gone is forgotten, what stayed is told."""
        report, rows = report or Reconciled(store), self._catalogue.strangers
        for one in rows.listed(store, StrangerState.REMOVING, _BATCH):
            with suppress(UsageError):  # locked until a date, or changed: as before, people are told by the list
                self.carry_out(store, one.key)
        report.gone = rows.forget(store, began)
        report.told = rows.ripe(store, self._wait, self._clock())
        report.strangers = dict(rows.count(store, StrangerState.SEEN))
        told = rows.count(store, StrangerState.TOLD)
        for kind, count in told.items():
            report.strangers[kind] = report.strangers.get(kind, 0) + count
        self._tell(store, told)
        return report

    def vote(self, store: StoreId, key: str, person: str, decision: StrangerDecision, reason: str) -> Stranger:
        """One person's word; with the second for the same it is done. Errors as those of the rows, and of the store."""
        one = self._catalogue.strangers.vote(store, key, person, decision, reason, self._clock())
        return one if one.state.waits else self.carry_out(store, key)

    def carry_out(self, store: StoreId, key: str) -> Stranger:
        """Do what two people decided; doing it again is harmless.

        Before anything is removed it is looked at once more: when the catalogue knows it now, or it changed, nothing is
        touched, people decide anew, and UsageError says so. Its SHA-256 is in the journal before it is gone.
        """
        rows = self._catalogue.strangers
        one = rows.get(store, key)
        if one.state is StrangerState.KEPT and one.ended is None:
            self._write(one, "kept", {})
            rows.ended(store, key, StrangerState.KEPT, self._clock())
        elif one.state is StrangerState.REMOVING:
            self._remove(one)
        self._tell(store, rows.count(store, StrangerState.TOLD))
        return rows.get(store, key)

    def adopt(self, store: StoreId, key: str, person: str, schedule: Schedule, work: Path) -> RebuildReport:
        """Take an orphan that has a whole log into the catalogue, as a rebuild would. Raises NotFound, UsageError."""
        one = self._catalogue.strangers.get(store, key)
        if one.kind is not StrangerKind.ORPHAN or not person.strip():
            raise UsageError(
                Sentence(
                    "Chỉ gói AIP hoàn chỉnh chưa được ghi nhận mới có thể đưa vào danh mục, và phải có người ký tên.",
                    "Only a complete AIP that was never acknowledged can be adopted, and by a person with a name.",
                )
            )
        report = rebuild_one(self._catalogue, list(self._stores.values()), key, self._clock, schedule, work)
        if not report.rebuilt and not report.known:
            why = "; ".join(str(problem.message) for problem in report.problems[:3])
            raise UsageError(
                Sentence(
                    f"Không đưa được {key} vào danh mục: không có nhật ký nguyên vẹn. {why}",
                    f"{key} cannot be adopted: it has no whole log. {why}",
                )
            )
        self._write(one, "adopted", {}, person.strip())
        for id in self._stores:
            self._adopted(id, key)
        return report

    def _adopted(self, store: StoreId, key: str) -> None:
        rows = self._catalogue.strangers
        try:
            rows.get(store, key)
        except NotFound:
            return
        rows.ended(store, key, StrangerState.ADOPTED, self._clock())
        self._tell(store, rows.count(store, StrangerState.TOLD))

    def _remove(self, one: Stranger) -> None:
        """Read whole, written down, then deleted."""
        store, now = self._store(one.store), self._clock()
        act = self._entry_id(one, "removed")
        if self._catalogue.journal.find(act) is None:
            self._look_again(one, store)
            objects = [(key, *_digest(store, key)) for key in self._keys(one, store)]
            read = [{"key": key, "size": size, "sha256": digest} for key, size, digest in objects]
            self._write(one, "removed", {"objects": read})
        entry = self._catalogue.journal.find(act)
        told = _own(one, entry.entry.document if entry else {})
        if store.head(one.key) is not None:
            self._look_again(one, store)
        for key in told:
            store.delete(key)
        self._catalogue.strangers.ended(one.store, one.key, StrangerState.REMOVED, now, told.get(one.key))

    def _look_again(self, one: Stranger, store: Store) -> None:
        info = store.head(one.key)
        version = _version_of(one.key)
        known = self._catalogue.strangers.known(one.store, [version] if version else [])
        kind = self._kind(one.store, one.key, version, known.get(version) if version else None)
        if info is not None and kind is not None and (info.size, info.modified) == (one.size, one.modified):
            return
        self._catalogue.strangers.again(one.store, one.key)
        raise UsageError(
            Sentence(
                f"{one.key} ở nơi lưu {one.store} đã thay đổi hoặc đã được ghi nhận: không xóa gì; hãy đối chiếu lại.",
                f"{one.key} in store {one.store} changed or is known by now: nothing was removed; reconcile again.",
            )
        )

    def _keys(self, one: Stranger, store: Store) -> list[str]:
        """The object, and with an orphan the log beside it."""
        if one.kind is not StrangerKind.ORPHAN:
            return [one.key]
        return [one.key, *(info.key for info in store.list(log_prefix(one.key)))]

    def _kind(
        self, store: StoreId, key: str, version: VersionId | None, known: tuple[str, bool] | None
    ) -> StrangerKind | None:
        """None: it is where it belongs."""
        if version is None:
            return StrangerKind.FOREIGN
        log = parse_log_key(key)
        object_key = log[0] if log else key
        if known is not None:
            return None if known == (object_key, True) else StrangerKind.ELSEWHERE
        if log is None:
            return StrangerKind.ORPHAN
        return None if self._store(store).head(object_key) is not None else StrangerKind.LOG

    def _tell(self, store: StoreId, told: Mapping[StrangerKind, int]) -> None:
        """One incident of the store: opened when there are strangers, mended when there are none any more."""
        count = sum(told.values())
        if not count:
            self._incidents.mend(IncidentKind.STRANGER, store.value, {"how": "nothing is left to decide"})
            return
        known = self._catalogue.incidents.current(IncidentKind.STRANGER, store.value)
        if known is not None and known.state.value == "open" and known.facts.get("count") == count:
            return
        first = self._catalogue.strangers.listed(store, StrangerState.TOLD, _SHOWN)
        facts = {
            "count": count,
            "kinds": {kind.value: number for kind, number in sorted(told.items())},
            "first": [{"key": one.key, "kind": one.kind.value, "size": one.size} for one in first],
        }
        sentence = Sentence(
            f"Nơi lưu {store} có {count} vật mà danh mục không biết: hãy xem «tangthu strangers list».",
            f"Store {store} holds {count} objects that the catalogue does not know: see “tangthu strangers list”.",
        )
        self._incidents.meet(IncidentKind.STRANGER, store.value, sentence, None, store, facts)

    def _write(self, one: Stranger, act: str, more: Mapping[str, Any], person: str = "") -> None:
        document = {
            "store": one.store.value,
            "key": one.key,
            "kind": one.kind.value,
            "size": one.size,
            "modified": utc_text(one.modified),
            "votes": [
                {"person": vote.person, "decision": vote.decision.value, "reason": vote.reason, "at": utc_text(vote.at)}
                for vote in one.votes
            ],
            **more,
        }
        people = person or ", ".join(sorted(vote.person for vote in one.votes))
        subject = f"{one.store}:{one.key}"
        self._journal.write(EntryKind.STRANGER, subject, act, document, people, self._entry_id(one, act))

    def _entry_id(self, one: Stranger, act: str) -> uuid.UUID:
        seen = utc_text(one.first_seen)
        return Entry.derive(EntryKind.STRANGER.value, one.store.value, one.key, seen, str(one.round), act)

    def _store(self, store: StoreId) -> Store:
        found = self._stores.get(store)
        if found is None:
            names = ", ".join(one.value for one in self._stores)
            raise NotFound(
                Sentence(f"Không có nơi lưu {store}. Có: {names}.", f"There is no store {store}. There are: {names}.")
            )
        return found


def _own(one: Stranger, document: Mapping[str, Any]) -> dict[str, bytes]:
    """The objects that the journal says are removed with ``one``, with their SHA-256: never a key that is not its own,
    because an entry may have come from a store that somebody else rules."""
    log = log_prefix(one.key) if one.kind is StrangerKind.ORPHAN else one.key
    found: dict[str, bytes] = {}
    for told in document.get("objects", ()):
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            if told["key"] == one.key or (told["key"].startswith(log) and parse_log_key(told["key"]) is not None):
                found[told["key"]] = bytes.fromhex(told["sha256"])
    return found


def _is_ours(key: str) -> bool:
    return key == MARKER_KEY or is_own_key(key)


def _version_of(key: str) -> VersionId | None:
    log = parse_log_key(key)
    return parse_object_key(log[0] if log else key)


def _digest(store: Store, key: str) -> tuple[int, str]:
    """Size and SHA-256 of an object, read whole. Raises TangThuError when that cannot be had."""
    running, size = hashlib.sha256(), 0
    with store.open(key) as stream:
        while chunk := stream.read(_PIECE):
            running.update(chunk)
            size += len(chunk)
    return size, running.hexdigest()
