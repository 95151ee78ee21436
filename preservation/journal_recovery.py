"""The archive's journal after a loss: into the catalogue what the stores tell, and to every store what it lacks.

Entries are taken one by one, and only what follows the one before by its digest. Flat in memory.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from metadata.catalogue import Catalogue
from metadata.errors import AlreadyExists, TangThuError
from metadata.identifiers import StoreId
from metadata.journal import Numbered
from metadata.text import Sentence
from storage.journal import encode_entry, fits, read_journal
from storage.keys import JOURNAL_PREFIX, journal_key, parse_journal_key
from storage.port import Store

Note = Callable[[str, StoreId, Sentence], None]
"""Hears of a key, in which store, and what is wrong there."""
_BATCH = 200


class Recovery:
    """One run. ``run`` gives how many rows were added; it raises what the stores raised when none could be read."""

    def __init__(self, catalogue: Catalogue, stores: Sequence[Store], note: Note) -> None:
        self._catalogue = catalogue
        self._stores = stores
        self._note = note
        self._trouble: TangThuError | None = None
        self._contradicting: set[StoreId] = set()

    def run(self) -> int:
        """Everything after what the catalogue knows, then what stores lack of what it knew."""
        last = self._catalogue.journal.last()
        known, count = last.number if last else 0, 0
        streams = {store.id: self._entries(store, known) for store in self._stores}
        batch: list[Numbered] = []
        while (found := self._next(last, streams)) is not None:
            self._bring(last, found, streams)
            batch.append(found)
            count, last = count + 1, found
            if len(batch) >= _BATCH:
                self._catalogue.journal.add(batch)
                batch = []
        self._catalogue.journal.add(batch)
        if self._trouble is not None and not count and not known:
            raise self._trouble
        self.complete(known)
        return count

    def complete(self, known: int) -> bool:
        """Give the stores what they lack of the entries up to number ``known``, which the catalogue vouches for.
        False when one of them contradicts these: it is left as it is."""
        for store in self._stores:
            if store.id not in self._contradicting:
                self._complete(store, known)
        return not self._contradicting

    def _entries(self, store: Store, after: int) -> Iterator[Numbered]:
        try:
            yield from read_journal(store, after)
        except TangThuError as error:
            self._trouble = error
            self._note(JOURNAL_PREFIX, store.id, error.sentence)

    def _next(self, last: Numbered | None, streams: dict[StoreId, Iterator[Numbered]]) -> Numbered | None:
        """The entry that follows ``last``, as most stores have it; a store with another is told and left."""
        told: dict[StoreId, Numbered] = {}
        for store, stream in list(streams.items()):
            found = next(stream, None)
            if found is None:
                del streams[store]
            elif hashlib.sha256(_bytes(last, found)).digest() == found.digest:
                told[store] = found
            else:
                self._contradicts(store, found, streams)
        if not told:
            return None
        digest, _ = Counter(found.digest for found in told.values()).most_common(1)[0]
        for store, found in told.items():
            if found.digest != digest:
                self._contradicts(store, found, streams)
        return next(found for found in told.values() if found.digest == digest)

    def _contradicts(self, store: StoreId, found: Numbered, streams: dict[StoreId, Iterator[Numbered]]) -> None:
        streams.pop(store, None)
        self._contradicting.add(store)
        key = journal_key(found.number)
        self._note(
            key,
            store,
            Sentence(f"{key} ({store}): mâu thuẫn với nơi lưu khác.", f"{key} ({store}): contradicts others."),
        )

    def _bring(self, last: Numbered | None, found: Numbered, streams: dict[StoreId, Iterator[Numbered]]) -> None:
        for store in self._stores:
            if store.id not in streams and store.id not in self._contradicting:
                self._put(store, journal_key(found.number), _bytes(last, found))

    def _complete(self, store: Store, known: int) -> None:
        """Of the entries up to ``known``, which the catalogue vouches for, those that the store lacks."""
        wanted = 1
        try:
            if not self._agrees(store, known):
                return
            for info in store.list(JOURNAL_PREFIX):
                number = parse_journal_key(info.key) or 0
                while wanted < min(number, known + 1):
                    self._restore(store, wanted)
                    wanted += 1
                wanted = max(wanted, number + 1)
            for number in range(wanted, known + 1):
                self._restore(store, number)
        except TangThuError as error:
            self._note(JOURNAL_PREFIX, store.id, error.sentence)

    def _agrees(self, store: Store, known: int) -> bool:
        """Whether the last entry that both have is the same: what a store has of its own is not built upon."""
        numbers = (parse_journal_key(info.key) or 0 for info in store.list(JOURNAL_PREFIX))
        end = max((number for number in numbers if number <= known), default=0)
        found = self._catalogue.journal.entries(limit=1, before=end + 1) if end else []
        if found and found[0].number == end and fits(store, found[0]) is False:
            self._contradicts(store.id, found[0], {})
            return False
        return True

    def _restore(self, store: Store, number: int) -> None:
        found = self._catalogue.journal.entries(limit=2, before=number + 1)
        if found and found[0].number == number:
            before = found[1] if len(found) > 1 else None
            data = _bytes(before, found[0])
            if hashlib.sha256(data).digest() == found[0].digest:
                self._put(store, journal_key(number), data)

    def _put(self, store: Store, key: str, data: bytes) -> None:
        try:
            store.put(key, data)
        except AlreadyExists:
            return
        except TangThuError as error:
            self._note(key, store.id, error.sentence)


def complete(catalogue: Catalogue, store: Store, known: int) -> bool:
    """Give one store what it lacks of the entries up to number ``known``; False when its own contradict them."""
    return Recovery(catalogue, [store], lambda *_: None).complete(known)


def _bytes(before: Numbered | None, found: Numbered) -> bytes:
    return encode_entry(found.number, before.digest if before else b"", found.entry)
