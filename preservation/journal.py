"""Writing the archive's journal: into the stores first, then into the catalogue."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from metadata.catalogue import Catalogue
from metadata.errors import TangThuError
from metadata.events import Agent
from metadata.journal import Entry, EntryKind, Numbered
from preservation.checks import Clock
from preservation.journal_recovery import Note, Recovery, complete
from storage.journal import append_entry, fits
from storage.port import Store


class ArchiveJournal:
    """Threads and machines may each have one."""

    def __init__(self, catalogue: Catalogue, stores: Sequence[Store], clock: Clock, agent: Agent) -> None:
        self._catalogue = catalogue
        self._stores = tuple(stores)
        self._clock = clock
        self._agent = agent

    def write(
        self,
        kind: EntryKind,
        subject: str,
        act: str,
        document: Mapping[str, Any] | None = None,
        person: str = "",
        id: uuid.UUID | None = None,
    ) -> Entry:
        """Add an entry; with an ``id`` that is there already, nothing happens and that entry is given.

        A store that was away gets what it lacks; one that contradicts the catalogue is left as it is (the watch tells).
        Raises StoreUnavailable when no store answers, Damaged when all that do contradict it, TemporaryError.
        """
        # The end is looked up first: what another adds from here on is met while appending, and not doubled.
        last = self._catalogue.journal.last()
        if id is not None and (known := self._catalogue.journal.find(id)) is not None:
            return known.entry
        entry = Entry(id or uuid.uuid4(), self._clock(), kind, subject, act, person, self._agent, document or {})
        for store in self._stores:
            if last is not None and _is_behind(store, last):
                complete(self._catalogue, store, last.number)
        placed = append_entry(self._stores, last, entry)
        self._catalogue.journal.add(placed)
        return placed[-1].entry

    def recover(self, note: Note = lambda *_: None) -> int:
        """Bring into the catalogue what the stores tell and it lacks, and to every store what it lacks; how many rows
        were added. ``note`` hears of stores that contradict others, are broken or away.

        Raises StoreUnavailable or Unreadable when no store can tell anything and the catalogue knows nothing.
        """
        return Recovery(self._catalogue, self._stores, note).run()


def _is_behind(store: Store, last: Numbered) -> bool:
    with suppress(TangThuError):
        return fits(store, last) is None
    return False
