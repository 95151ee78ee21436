"""Backups of what is not an AIP: catalogue, settings, trust, formats; into the stores, beside the records.

Everything is written to at least two stores, read back from each, and only then does the journal say that it counts
(TT 05 Điều 27). Nothing of an old backup is ever removed. The parts of an attempt that died lie unnamed and harmless.
"""

from __future__ import annotations

import heapq
import os
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Protocol

from metadata.backups import Backup, BackupKind, BackupOutcome
from metadata.catalogue import Catalogue
from metadata.catalogue.portable import STATE, Line, State
from metadata.dates import VIETNAM
from metadata.errors import AlreadyExists, Damaged, StoreUnavailable, TangThuError, Unreadable
from metadata.events import Agent
from metadata.identifiers import ArchiveCode, StoreId
from metadata.incidents import IncidentKind
from metadata.journal import Entry, EntryKind
from metadata.text import Sentence
from preservation.backup_sets import (
    FILES,
    MANIFEST,
    Manifest,
    PartWriter,
    manifest_in,
    part_from,
    read_part,
    read_rows,
)
from preservation.checks import Clock
from preservation.journal import ArchiveJournal
from storage.port import Store

Files = Iterable[tuple[str, Path | bytes]]
"""Names below the archive's home, and where the bytes are."""
Told = Callable[[str, int, int], None]
"""Told what is being done, and how much of how much (0: nobody knows)."""
_MOST = 1000


class Incidents(Protocol):
    """Who is told when a backup fails."""

    def meet(self, kind: IncidentKind, subject: str, told: Sentence) -> object: ...

    def mend(self, kind: IncidentKind, subject: str) -> object: ...


@dataclass(frozen=True, slots=True)
class BackupPlace:
    """What backups work with. ``stores`` gives those that may hold one now; ``files`` what is packed beside the rows.

    ``copies`` is in how many stores a backup must have been read back to count.
    """

    archive: ArchiveCode
    catalogue: Catalogue
    journal: ArchiveJournal
    stores: Callable[[], Sequence[Store]]
    files: Callable[[], Files]
    clock: Clock
    agent: Agent
    copies: int = 2
    every: timedelta = timedelta(days=1)
    incidents: Incidents | None = None


class Backups:
    """Makes backups and knows those that were made. Threads and machines may each have one."""

    def __init__(self, place: BackupPlace) -> None:
        self._place = place

    def listed(self, limit: int = 100) -> list[Backup]:
        """The newest first, those that failed too, out of the journal."""
        entries = self._place.catalogue.journal.entries(EntryKind.BACKUP, limit=limit)
        return Backup.all_of(entries)

    def due(self) -> BackupKind | None:
        """What is to be made now: something once in every period, a full one first in every month (Vietnam's)."""
        made = self.made()
        now, zero = self._place.clock().astimezone(VIETNAM), datetime(1970, 1, 1, tzinfo=VIETNAM)
        fulls = [one.at.astimezone(VIETNAM) for one in made if one.kind is BackupKind.FULL]
        if not any((at.year, at.month) == (now.year, now.month) for at in fulls):
            return BackupKind.FULL
        last, every = made[0].at.astimezone(VIETNAM), self._place.every
        return BackupKind.INCREMENTAL if (last - zero) // every != (now - zero) // every else None

    def new_id(self) -> str:
        """An identifier that sorts by time."""
        return f"{self._place.clock():%Y%m%dT%H%M%SZ}-{os.urandom(3).hex()}"

    def make(self, full: bool = False, id: str = "", person: str = "", told: Told | None = None) -> Backup:
        """Make a backup, or finish the one of that ``id`` that somebody began; without a base it is a full one.

        A failure is written into the journal, opens an incident and is raised: StoreUnavailable (fewer stores than
        needed took it), TemporaryError, NoSpace.
        """
        id = id or self.new_id()
        entry = Entry.derive("backup", id)
        if (known := self._place.catalogue.journal.find(entry)) is not None:
            return self._told(Backup.of(known.entry))
        try:
            made = self._make(id, full, person, told or (lambda *_: None))
        except TangThuError as error:
            self._failed(id, full, person, error)
            raise
        written = self._place.journal.write(EntryKind.BACKUP, id, made.outcome, made.document(), person, entry)
        return self._told(Backup.of(written))

    def _told(self, made: Backup) -> Backup:
        """The newest backup mends what was wrong with the one before, though whoever made it may have died since."""
        if self._place.incidents is not None and self.listed(1) == [made]:
            self._place.incidents.mend(IncidentKind.BACKUP, "backup")
        return made

    def _make(self, id: str, full: bool, person: str, told: Told) -> Backup:
        stores = list(self._place.stores())
        needed = self._place.copies
        if len(stores) < needed:
            raise _too_few(len(stores), needed, "")
        notes: dict[StoreId, Sentence] = {}
        manifest = _begun(stores, id)
        if manifest is None:
            manifest = self._written(id, full, _Targets(stores, needed, notes), told)
        else:
            _spread(stores, manifest, notes)
        held = tuple(store.id for store in stores if _read_back(store, manifest, notes, told))
        if len(held) < needed:
            raise _too_few(len(held), needed, "; ".join(str(one) for one in notes.values()))
        missing = "; ".join(f"{store}: {why}" for store, why in notes.items() if store not in held)
        return Backup(
            id, manifest.kind, manifest.base, manifest.at, self._place.clock(), BackupOutcome.MADE, manifest.size,
            len(manifest.parts) + 1, sum(manifest.rows.values()), manifest.versions, held, manifest.digest,
            missing[:_MOST], person,
        )  # fmt: skip

    def _written(self, id: str, full: bool, targets: _Targets, told: Told) -> Manifest:
        chain = [] if full else self._chain(targets.stores)
        try:
            return self._write(id, chain, targets, told)
        except (Damaged, Unreadable):
            if not chain:
                raise
        # What it would rest on is lost: a whole one is made, whose first parts may be there already.
        return self._write(id, [], targets, told)

    def _write(self, id: str, chain: Sequence[Manifest], targets: _Targets, told: Told) -> Manifest:
        """Every part into every store that takes it, the manifest last."""
        place = self._place
        at, base = place.clock(), chain[-1] if chain else None
        versions, _ = place.catalogue.portable.counts()
        shell = Manifest(
            id, BackupKind.INCREMENTAL if base else BackupKind.FULL, at, place.archive, place.agent.identifier, (), {},
            versions, 0, base.id if base else "", base.digest if base else b"",
        )  # fmt: skip
        writer = PartWriter(lambda name, data: targets.put(shell.key(name), data))
        watched = _Watched(told, base.journal if base else 0)
        before = _states(targets.stores, chain) if chain else None
        with closing(place.catalogue.portable.export(before, watched.journal)) as lines:
            writer.lines(watched.over(lines))
        left_out = _pack_files(writer, place.files())
        rows = {name: count for name, count in sorted(writer.rows.items()) if name != STATE}
        manifest = Manifest(
            id, shell.kind, at, place.archive, shell.software, tuple(writer.parts), rows, versions, watched.journal,
            shell.base, shell.base_digest, left_out,
        )  # fmt: skip
        return targets.seal(manifest)

    def _chain(self, stores: Sequence[Store]) -> list[Manifest]:
        """What the newest backup rests on, the full one first; empty when anything of it is not as the journal says."""
        made = {one.id: one for one in self.made()}
        chain: list[Manifest] = []
        wanted = next(iter(made), "")
        while wanted:
            known = made.get(wanted)
            found = None if known is None else _vouched(stores, known)
            if found is None or len(chain) > _MOST:
                return []
            chain.insert(0, found)
            wanted = found.base
        return chain

    def made(self) -> list[Backup]:
        """Those that count, the newest first."""
        return [one for one in self.listed(_MOST) if one.outcome is BackupOutcome.MADE]

    def _failed(self, id: str, full: bool, person: str, error: TangThuError) -> None:
        now = self._place.clock()
        kind = BackupKind.FULL if full else BackupKind.INCREMENTAL
        failed = Backup(id, kind, "", now, now, BackupOutcome.FAILED, note=str(error)[:_MOST], person=person)
        try:
            self._place.journal.write(EntryKind.BACKUP, id, failed.outcome, failed.document(), person)
            if self._place.incidents is not None:
                told = Sentence(
                    f"Không sao lưu được: {error.sentence.vi}", f"A backup could not be made: {error.sentence.en}"
                )
                self._place.incidents.meet(IncidentKind.BACKUP, "backup", told)
        except TangThuError:
            # No store and no catalogue answers: the caller hears of the first failure, which says why.
            return


class _Targets:
    """The stores that still take part; fewer than needed ends it."""

    def __init__(self, stores: Sequence[Store], needed: int, notes: dict[StoreId, Sentence]) -> None:
        self.stores = list(stores)
        self._needed = needed
        self._notes = notes

    def put(self, key: str, data: bytes) -> None:
        for store in list(self.stores):
            try:
                store.put(key, data)
            except AlreadyExists:
                continue  # an earlier try was here; what lies there is read back and held against the manifest
            except TangThuError as error:
                self._leave(store, error)

    def seal(self, manifest: Manifest) -> Manifest:
        """The manifest that counts: ours, or that of another worker on the same backup who was faster."""
        for store in list(self.stores):
            try:
                store.put(manifest.key(), manifest.encode())
            except AlreadyExists:
                found = manifest_in(store, manifest.id)
                if found is not None and found != manifest:
                    _spread(self.stores, found, self._notes)
                    return found
            except TangThuError as error:
                self._leave(store, error)
        return manifest

    def _leave(self, store: Store, error: TangThuError) -> None:
        self.stores.remove(store)
        self._notes[store.id] = error.sentence
        if len(self.stores) < self._needed:
            raise error


class _Watched:
    """Lines on their way: counted, and the last number of the journal among them."""

    def __init__(self, told: Told, journal: int) -> None:
        self._told = told
        self.journal = journal

    def over(self, lines: Iterable[Line]) -> Iterator[Line]:
        for count, line in enumerate(lines, 1):
            if line.section == "journal":
                self.journal = max(self.journal, int(line.values[0]))
            if count % 10_000 == 0:
                self._told("rows", count, 0)
            yield line


def _pack_files(writer: PartWriter, files: Files) -> tuple[str, ...]:
    """A packed tar of the files, cut into parts; the names of those that could not be read or hold a private key."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    left_out: list[str] = []

    class Out:
        def write(self, data: bytes) -> int:
            writer.files(packer.compress(data))
            return len(data)

    with tarfile.open(fileobj=Out(), mode="w|", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        for name, source in files:
            try:
                data = source if isinstance(source, bytes) else source.read_bytes()
            except OSError:
                left_out.append(name)
                continue
            if b"PRIVATE KEY-----" in data:
                left_out.append(name)
                continue
            _add(tar, name, data)
    writer.files(packer.flush())
    writer.cut("tar.gz", FILES)
    return tuple(left_out)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    import io

    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o600
    tar.addfile(info, io.BytesIO(data))


def _states(stores: Sequence[Store], chain: Sequence[Manifest]) -> Iterator[State]:
    """The state of every version as the chain leaves it, by version: sorted streams, merged, the newest wins."""

    def of(place: int, manifest: Manifest) -> Iterator[tuple[int, int, str | None]]:
        parts = (part for part in manifest.parts if STATE in part.sections)
        data = (part_from(stores, manifest, part, lambda *_: None) for part in parts)
        for section, _, values in read_rows(data):
            if section != STATE:
                return
            yield int(values[0]), -place, values[1]

    merged = heapq.merge(*(of(place, manifest) for place, manifest in enumerate(chain)))
    for version, told in groupby(merged, key=lambda state: state[0]):
        digest = next(told)[2]
        if digest is not None:
            yield version, digest


def _begun(stores: Sequence[Store], id: str) -> Manifest | None:
    for store in stores:
        try:
            if (found := manifest_in(store, id)) is not None:
                return found
        except TangThuError:
            continue  # looked at again when it is read back, and told there
    return None


def _vouched(stores: Sequence[Store], backup: Backup) -> Manifest | None:
    """Its manifest as the journal knows it, from any store."""
    for store in stores:
        try:
            found = manifest_in(store, backup.id)
        except TangThuError:
            continue
        if found is not None and found.digest == backup.digest:
            return found
    return None


def _spread(stores: Sequence[Store], manifest: Manifest, notes: dict[StoreId, Sentence]) -> None:
    """Bring to every store what it lacks of a backup whose manifest somebody has written."""
    for store in stores:
        try:
            for part in manifest.parts:
                if store.head(manifest.key(part.name)) is None:
                    data = part_from(stores, manifest, part, lambda *_: None)
                    _put(store, manifest.key(part.name), data)
            _put(store, manifest.key(MANIFEST), manifest.encode())
        except TangThuError as error:
            notes[store.id] = error.sentence


def _put(store: Store, key: str, data: bytes) -> None:
    try:
        store.put(key, data)
    except AlreadyExists:
        return  # read back with the rest


def _read_back(store: Store, manifest: Manifest, notes: dict[StoreId, Sentence], told: Told) -> bool:
    """Whether the store has every byte of it now."""
    if store.id in notes:
        return False
    try:
        for count, part in enumerate(manifest.parts, 1):
            read_part(store, manifest, part)
            told(f"{store.id}", count, len(manifest.parts))
        if manifest_in(store, manifest.id) != manifest:
            raise Unreadable(Sentence("bản kê không khớp", "the manifest does not match"))
    except TangThuError as error:
        notes[store.id] = error.sentence
        return False
    return True


def _too_few(count: int, needed: int, why: str) -> StoreUnavailable:
    because = f" ({why})" if why else ""
    return StoreUnavailable(
        Sentence(
            f"Bản sao lưu chỉ nằm đúng trong {count} nơi lưu, cần {needed}{because}. Hãy xem nơi lưu rồi sao lưu lại.",
            f"The backup lies whole in {count} stores only, {needed} are needed{because}. Look at the stores, then "
            "make it again.",
        )
    )
