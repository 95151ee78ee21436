"""The moments of keeping work at which the kill tests kill: an armed process dies when it comes to its window."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from metadata.events import Event, EventType
from metadata.journal import EntryKind
from preservation.backup_sets import MANIFEST
from preservation.incidents import MENDED, OPENED
from storage.keys import BACKUP_PREFIX, parse_log_key, parse_object_key


@dataclass(frozen=True, slots=True)
class Window:
    """``at`` is ``module:name`` of what has just returned; ``when`` says of its arguments whether this is the one."""

    at: str
    when: Callable[..., bool] = lambda *_: True

    def find(self) -> tuple[Any, str]:
        """What holds the function, and its name there."""
        module, _, path = self.at.partition(":")
        *owners, name = path.split(".")
        return functools.reduce(getattr, owners, import_module(module)), name


def die() -> None:
    """As kill -9 does it."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(window: Window) -> None:
    """From now on this process dies in that window."""
    owner, name = window.find()
    original = getattr(owner, name)

    @functools.wraps(original)
    def dying(*arguments: Any, **named: Any) -> Any:
        ours = window.when(*arguments)
        result = original(*arguments, **named)
        if ours:
            die()
        return result

    setattr(owner, name, dying)


def _logs(type: EventType, *outcomes: str) -> Callable[..., bool]:
    def when(_catalogue: object, _stores: object, _version: object, _key: object, events: list[Event]) -> bool:
        return any(event.type is type and event.outcome in outcomes for event in events)

    return when


def _backup(store: object, key: str, *_: object) -> bool:
    return key.startswith(BACKUP_PREFIX) and not key.endswith(MANIFEST)


def _act(act: str) -> Callable[..., bool]:
    return lambda _self, _id, told, *_: told == act


def _entry(kind: EntryKind) -> Callable[..., bool]:
    return lambda _self, told, *_: told is kind


_BURY = "storage.stores.directory:DirectoryStore.bury"
_PUT = "storage.stores.directory:DirectoryStore.put"
_WRITTEN = "preservation.journal:ArchiveJournal.write"
_DAMAGED = ("MISMATCH", "MISSING")
WINDOWS = {
    "audit: damage is logged": Window("preservation.audit:log_events", _logs(EventType.FIXITY_CHECK, *_DAMAGED)),
    "audit: damage is in the catalogue": Window(
        "metadata.catalogue.fixity:FixitySchedule.finish",
        lambda _self, _lease, results, *_: any(outcome.damaged for outcome in results.values()),
    ),
    "audit: damage is told": Window("preservation.watch:Watch.audited", lambda _self, audit: bool(audit.damaged)),
    "repair: damage is logged": Window("preservation.repair:log_events", _logs(EventType.FIXITY_CHECK, *_DAMAGED)),
    "repair: one row is noted": Window("metadata.catalogue.fixity:FixitySchedule.set_replica"),
    "repair: copy is staged": Window("preservation.copying:StagedCopy.stage"),
    "repair: damaged one is buried": Window(_BURY, lambda _self, key: parse_object_key(key) is not None),
    "repair: copy has its name": Window(
        "storage.stores.directory:DirectoryStore._publish", lambda _self, _from, _to, key: bool(parse_object_key(key))
    ),
    "repair: copy is in place": Window("preservation.copying:StagedCopy.replace"),
    "repair: end is logged": Window("preservation.repair:log_events", _logs(EventType.RECOVERY, "success")),
    "repair: end is in the catalogue": Window("preservation.repair:Repairer._finish"),
    "repair: log object is buried": Window(_BURY, lambda _self, key: parse_log_key(key) is not None),
    "repair: log is whole": Window("preservation.audit:restore_log"),
    "incident: opened in the journal": Window("preservation.incidents:Incidents._write", _act(OPENED)),
    "incident: mended in the journal": Window("preservation.incidents:Incidents._write", _act(MENDED)),
    "journal: entry in one store": Window("storage.journal:_put_first"),
    "journal: entry in all stores": Window("preservation.journal:append_entry"),
    "backup: part in one store": Window(_PUT, _backup),
    "backup: manifest in one store": Window(
        _PUT, lambda _self, key, *_: key.startswith(BACKUP_PREFIX) and key.endswith(MANIFEST)
    ),
    "backup: sealed": Window("preservation.backup:_Targets.seal"),
    "backup: read back": Window("preservation.backup:_read_back"),
    "backup: told": Window(_WRITTEN, _entry(EntryKind.BACKUP)),
    "drill: unpacked": Window("preservation.drills:restore_aip"),
    "drill: loaded": Window("preservation.drills:load"),
    "drill: told": Window(_WRITTEN, _entry(EntryKind.DRILL)),
}
REPLICATION = tuple(f"replicate: {name}" for name in ("read", "copied", "logged", "noted"))
"""Failpoints that the replicator names itself."""
