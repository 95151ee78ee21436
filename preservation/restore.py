"""Taking a backup out again: the newest chain that the stores still have whole, into an empty catalogue.

A chain is a full backup and the incremental ones on top of it. Each part may come from another store. When a part of
an incremental one is gone everywhere, the catalogue is left as the one before it left it: logs tell the rest.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from metadata.backups import Backup, BackupKind, BackupOutcome
from metadata.bagit import leaves_root
from metadata.catalogue import Catalogue
from metadata.errors import Damaged, TangThuError, Unreadable
from metadata.identifiers import StoreId
from metadata.journal import EntryKind, Numbered
from metadata.text import Sentence
from preservation.backup_sets import FILES, Manifest, backups_in, manifest_in, part_from, read_rows, sections
from storage.journal import read_journal
from storage.port import Store

Note = Callable[[StoreId | None, Sentence], None]
"""Hears of what is not as it should be, and in which store."""
Told = Callable[[str, int, int], None]
_ENOUGH = 2
_MOST_BYTES = 256 << 20
"""So many bytes the files of a backup have at most: settings, trust, formats."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A full backup, then each that goes on top of the one before; with the stores that may have parts of them.

    ``vouched`` is in how many stores the journal tells of the newest one."""

    manifests: tuple[Manifest, ...]
    stores: tuple[Store, ...]
    vouched: int

    @property
    def newest(self) -> Manifest:
        return self.manifests[-1]


@dataclass(slots=True)
class Loaded:
    """What was loaded: the last backup of the chain that came in whole, and how many rows."""

    backup: str = ""
    rows: int = 0
    problems: list[Sentence] = field(default_factory=list)


def journal_digests(stores: Sequence[Store], note: Note) -> dict[str, tuple[bytes, int]]:
    """What the journals in the stores say the manifest of each backup is, and how many of them say so.

    Where journals part, only what most of them tell goes on to count; without a majority nothing that comes later.
    """
    found: dict[str, tuple[bytes, int]] = {}
    streams = {store.id: read_journal(store) for store in stores}
    while told := _next(streams, note):
        digests = Counter(numbered.digest for numbered in told.values()).most_common(2)
        digest, count = digests[0]
        if len(digests) > 1 and digests[1][1] == count:
            note(None, _parted(", ".join(map(str, told)), next(iter(told.values())).number))
            break
        for store, numbered in told.items():
            if numbered.digest != digest:
                del streams[store]
                note(store, _parted(str(store), numbered.number))
        entry = next(one.entry for one in told.values() if one.digest == digest)
        if entry.kind is EntryKind.BACKUP and entry.act == BackupOutcome.MADE.value:
            with suppress(ValueError, KeyError, TypeError):
                found.setdefault(entry.subject, (Backup.of(entry).digest, count))
    return found


def _next(streams: dict[StoreId, Iterator[Numbered]], note: Note) -> dict[StoreId, Numbered]:
    """The next entry of each journal; those that have ended are taken out."""
    told: dict[StoreId, Numbered] = {}
    for store, stream in list(streams.items()):
        try:
            numbered = next(stream, None)
        except TangThuError as error:
            note(store, error.sentence)
            numbered = None
        if numbered is None:
            del streams[store]
        else:
            told[store] = numbered
    return told


def _parted(stores: str, number: int) -> Sentence:
    return Sentence(
        f"Nhật ký ở {stores} mâu thuẫn nhau từ mục {number}: những gì chỉ nó kể sau đó không được tin.",
        f"The journals in {stores} contradict others from entry {number} on: what comes later there is not believed.",
    )


def chains(stores: Sequence[Store], note: Note) -> Iterator[Chain]:
    """Every chain that the stores have manifests of, the newest first; but before those that only one store's journal
    tells of, those that two do, so that one store alone can pass nothing off as the newest. One that no journal tells
    of comes last, and that is told."""
    known = journal_digests(stores, note)
    ids: set[str] = set()
    for store in stores:
        try:
            ids.update(backups_in(store))
        except TangThuError as error:
            note(store.id, error.sentence)
    nowhere = (b"", 0)
    for backup in sorted(ids, key=lambda id: (min(known.get(id, nowhere)[1], _ENOUGH), id), reverse=True):
        chain: list[Manifest] = []
        wanted, digest = backup, b""
        while wanted:
            found = _manifest(stores, wanted, digest or known.get(wanted, nowhere)[0], note)
            if found is None or len(chain) > len(ids):
                break
            chain.insert(0, found)
            wanted, digest = found.base, found.base_digest
        if chain and chain[0].kind is BackupKind.FULL:
            if backup not in known:
                note(
                    None,
                    Sentence(
                        f"Nhật ký không có bản sao lưu {backup}.", f"The journal does not name the backup {backup}."
                    ),
                )
            yield Chain(tuple(chain), tuple(stores), known.get(backup, nowhere)[1])


def load(catalogue: Catalogue, chain: Chain, note: Note, told: Told = lambda *_: None) -> Loaded:
    """Bring the chain into ``catalogue``, in the place of all that it holds. Raises Damaged or Unreadable when not even
    the full backup can be read, StoreUnavailable, TemporaryError."""
    loaded = Loaded()
    for manifest in chain.manifests:
        try:
            rows = _load(catalogue, chain, manifest, note, told)
        except (Damaged, Unreadable) as error:
            if not loaded.backup:
                raise
            note(None, error.sentence)
            loaded.problems.append(error.sentence)
            break
        loaded.backup, loaded.rows = manifest.id, loaded.rows + rows
    return loaded


def files(chain: Chain, note: Note) -> Iterator[tuple[str, bytes]]:
    """The files of the newest backup of the chain: names below the archive's home, and their bytes."""
    manifest = chain.newest
    parts = (part for part in manifest.parts if part.sections == (FILES,))
    data = (part_from(chain.stores, manifest, part, note) for part in parts)
    try:
        unpacked = _Bounded(gzip.GzipFile(fileobj=_Joined(data)), _MOST_BYTES)
        with tarfile.open(fileobj=unpacked, mode="r|") as tar:
            for info in tar:
                opened = tar.extractfile(info) if info.isreg() else None
                if opened is not None and not leaves_root(info.name):
                    yield info.name, opened.read()
    except (tarfile.TarError, EOFError, OSError, ValueError, RecursionError, zlib.error) as error:
        raise Unreadable(
            Sentence(
                f"Các tệp của bản sao lưu {manifest.id} không đọc được.",
                f"The files of the backup {manifest.id} cannot be read.",
            )
        ) from error


def _load(catalogue: Catalogue, chain: Chain, manifest: Manifest, note: Note, told: Told) -> int:
    wanted = [part for part in manifest.parts if part.sections != (FILES,)]

    def data() -> Iterator[bytes]:
        for count, part in enumerate(wanted, 1):
            yield part_from(chain.stores, manifest, part, note)
            told(manifest.id, count, len(wanted))

    try:
        rows = catalogue.portable.load(sections(read_rows(data())), full=manifest.kind is BackupKind.FULL)
    except ValueError as error:
        raise Unreadable(
            Sentence(
                f"Bản sao lưu {manifest.id} do bản phần mềm khác viết hoặc tự mâu thuẫn: {error}.",
                f"The backup {manifest.id} is another release's, or contradicts itself: {error}.",
            )
        ) from error
    return rows


def _manifest(stores: Sequence[Store], backup: str, digest: bytes, note: Note) -> Manifest | None:
    """The manifest with that digest (empty: any, the first), from whatever store has it."""
    for store in stores:
        try:
            found = manifest_in(store, backup)
        except TangThuError as error:
            note(store.id, error.sentence)
            continue
        if found is not None and digest in (b"", found.digest):
            return found
        if found is not None:
            note(
                store.id,
                Sentence(
                    f"Bản kê của bản sao lưu {backup} trong nơi lưu “{store.id}” khác với nhật ký.",
                    f"The manifest of the backup {backup} in the store “{store.id}” is not the one that the journal "
                    "names.",
                ),
            )
    return None


class _Joined(io.RawIOBase):
    """Pieces of bytes as one stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        while not self._rest and (piece := next(self._pieces, None)) is not None:
            self._rest = piece
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


class _Bounded(io.RawIOBase):
    """A stream that must end before ``limit`` bytes: a few packed bytes can stand for endless ones."""

    def __init__(self, inner: gzip.GzipFile, limit: int) -> None:
        self._inner = inner
        self._left = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._inner.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise OSError("larger than the files of a backup are")
        return data
