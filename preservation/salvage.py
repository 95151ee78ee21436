"""When no replica is whole: what can still be saved, member by member.

An object is its members' bytes between headers that follow from the catalogue (``storage.aip.zip64``). When each member
is whole in some replica, the object can be made again byte for byte; else what is whole is written out for people.
Nothing that does not match its digest leaves here.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from metadata.catalogue import Catalogue
from metadata.catalogue.quarantine import person_key
from metadata.dates import utc_text
from metadata.errors import Damaged, NotFound, TangThuError, TemporaryError, UsageError
from metadata.findings import visible
from metadata.holdings import AipVersion, Member
from metadata.identifiers import StoreId, VersionId
from metadata.journal import EntryKind
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation.checks import Clock, Progress
from preservation.journal import ArchiveJournal
from preservation.repair import Repairer, RepairReport
from storage.aip.parts import PartFanout
from storage.aip.reader import AipReader
from storage.aip.verify import verify_object
from storage.aip.zip64 import Directory, central_record, end_records, local_header
from storage.port import Store
from storage.stores.directory import DirectoryStore

REPORT = "tangthu-salvage.json"
"""In the folder that is written: which members are there, from which store, and which are lost."""
SALVAGED = StoreId("salvage")
"""What repairs name as their source when the object was put together again."""
_IN_MEMORY = 16 << 20
_MOST_NAMED = 10_000
_PEOPLE = 2


@dataclass(slots=True)
class Salvage:
    """What salvaging came to. ``whole`` members were saved, ``taken`` says how many from which store; ``lost`` are
    whole in no replica; ``unknown`` could not be looked at everywhere, so that another try may save them."""

    version: VersionId
    whole: int = 0
    bytes: int = 0
    taken: dict[StoreId, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    missing: int = 0

    def miss(self, path: str, *, unsure: bool) -> None:
        """Count a member that was not saved; the first 10,000 are named."""
        self.missing += 1
        if len(self.lost) + len(self.unknown) < _MOST_NAMED:
            (self.unknown if unsure else self.lost).append(path)

    def to_json(self) -> dict[str, object]:
        """For programs, and for the report in the folder."""
        return {
            "version": str(self.version),
            "whole": self.whole,
            "bytes": self.bytes,
            "taken": {store.value: count for store, count in sorted(self.taken.items())},
            "missing": self.missing,
            "lost": [visible(path, 4096) for path in self.lost],
            "unknown": [visible(path, 4096) for path in self.unknown],
        }


class Salvager:
    """Works on one version at a time. ``room`` is a folder with space for one AIP, kept over crashes."""

    def __init__(
        self,
        catalogue: Catalogue,
        stores: Mapping[StoreId, Store],
        repairer: Repairer,
        journal: ArchiveJournal,
        clock: Clock,
        room: Path,
    ) -> None:
        self._catalogue = catalogue
        self._stores = stores
        self._repairer = repairer
        self._journal = journal
        self._clock = clock
        self._room = room

    def write_out(self, version: VersionId, folder: Path, on_progress: Progress | None = None) -> Salvage:
        """Write every member that is whole somewhere below ``folder``, which is empty or not there yet.

        Raises NotFound for a version not held, UsageError for a folder that cannot be used.
        """
        held, salvage = self._held(version), Salvage(version)
        _prepare(folder)
        for member in self._catalogue.holdings.members(version):
            target = _inside(folder / version.root, member.path)

            def save(chunks: Iterator[bytes], target: Path = target) -> None:
                _write(target, chunks, on_progress)

            self._from_any(held, member, save, salvage)
        told = {"at": utc_text(self._clock()), "key": held.key, **salvage.to_json()}
        (folder / REPORT).write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return salvage

    def rebuild(
        self, version: VersionId, people: Sequence[str], on_progress: Progress | None = None
    ) -> tuple[Salvage, RepairReport | None]:
        """Make the object again out of several replicas, prove it, and put it in the place of the damaged ones.

        Two different people must ask for it. Nothing is touched unless every member is whole somewhere: then the report
        is None. The new object lies in ``room`` until replicas read back whole. Raises NotFound, UsageError (too few
        people), TemporaryError.
        """
        names = [person.strip() for person in people]
        if len({person_key(name) for name in names if person_key(name)}) < _PEOPLE:
            raise UsageError(
                Sentence(
                    "Dựng lại một gói từ nhiều bản sao phải do hai người khác nhau cùng quyết định.",
                    "Making an AIP again out of several replicas takes two different people.",
                )
            )
        held, salvage = self._held(version), Salvage(version)
        place = self._room / f"{version}"
        scratch = DirectoryStore(SALVAGED, place)
        scratch.create(held.archive)
        if not self._is_whole(scratch, held):
            scratch.delete(held.key)
            self._assemble(held, scratch, salvage, on_progress)
            if salvage.missing:
                shutil.rmtree(place, ignore_errors=True)
                return salvage, None
            if not self._is_whole(scratch, held):
                raise Damaged(_not_proven(version))
        taken = {store.value: count for store, count in sorted(salvage.taken.items())}
        self._journal.write(
            EntryKind.REPAIR, str(version), "salvaged", {"key": held.key, "members": taken}, ", ".join(sorted(names))
        )
        report = self._repairer.repair(version, on_progress, scratch)
        if report.repaired and not report.failed:
            shutil.rmtree(place, ignore_errors=True)
        return salvage, report

    def _assemble(self, held: AipVersion, scratch: Store, salvage: Salvage, on_progress: Progress | None) -> None:
        """Write the object anew as the writer would have, its members from wherever they are whole.

        All members are looked for, so that the list of what is lost is whole too; then nothing is kept.
        """
        prefix = f"{held.id.root}/".encode()
        with PartFanout([scratch], held.key, work=self._room) as out:
            for member in self._catalogue.holdings.members(held.id):
                header = local_header(prefix + member.path.encode(), member.size, member.crc32)

                def put(chunks: Iterator[bytes], header: bytes = header) -> None:
                    out.write(header)
                    for chunk in chunks:
                        out.write(chunk)
                        if on_progress:
                            on_progress(len(chunk))

                self._from_any(held, member, put, salvage, twice=True)
            if salvage.missing:
                return
            directory, count = out.position, 0
            for member in self._catalogue.holdings.members(held.id):
                out.write(central_record(prefix + member.path.encode(), member.size, member.crc32, member.offset))
                count += 1
            out.write(end_records(Directory(directory, out.position - directory, count)))
            if out.position != held.size:
                raise Damaged(_not_proven(held.id))
            out.complete()

    def _from_any(
        self,
        held: AipVersion,
        member: Member,
        use: Callable[[Iterator[bytes]], None],
        salvage: Salvage,
        *,
        twice: bool = False,
    ) -> None:
        """Hand a member to ``use`` from the first store that has it whole.

        With ``twice`` it is never handed over before all of it has matched: a small one from memory, a larger one is
        read through first.
        """
        unsure = False
        for replica in self._catalogue.holdings.replicas(held.id):
            store = self._stores.get(replica.store)
            if store is None:
                unsure = True
                continue
            try:
                chunks = AipReader(store, held.key).open(member)
                if twice and member.size > _IN_MEMORY:
                    for _ in chunks:
                        pass
                    chunks = AipReader(store, held.key).open(member)
                elif twice:
                    chunks = iter([b"".join(chunks)])
                use(chunks)
            except TemporaryError:
                unsure = True
            except (Damaged, NotFound):
                continue
            else:
                salvage.whole += 1
                salvage.bytes += member.size
                salvage.taken[store.id] = salvage.taken.get(store.id, 0) + 1
                return
        salvage.miss(member.path, unsure=unsure)

    def _is_whole(self, store: Store, held: AipVersion) -> bool:
        members = self._catalogue.holdings.members(held.id)
        return verify_object(store, held.key, members).outcome is Fixity.MATCH

    def _held(self, version: VersionId) -> AipVersion:
        held = self._catalogue.holdings.version(version)
        if held is None:
            raise NotFound(
                Sentence(f"Danh mục không có gói tin {version}.", f"The catalogue holds no version {version}.")
            )
        return held


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        used = any(folder.iterdir())
    except OSError as error:
        raise _no_folder(folder, str(error)) from error
    if used:
        raise _no_folder(folder, "thư mục không trống / it is not empty")


def _inside(folder: Path, path: str) -> Path:
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise _no_folder(folder, visible(path))
    return folder.joinpath(*parts)


def _write(target: Path, chunks: Iterator[bytes], on_progress: Progress | None) -> None:
    """Nothing is left under the name unless all of it matched."""
    part = target.with_name(f".{len(target.name)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("xb") as file:
                for chunk in chunks:
                    file.write(chunk)
                    if on_progress:
                        on_progress(len(chunk))
            part.rename(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise _no_folder(target, str(error)) from error


def _no_folder(path: Path, why: str) -> TangThuError:
    shown = visible(str(path))
    return UsageError(Sentence(f"Không ghi được vào {shown}: {why}.", f"Cannot write to {shown}: {why}."))


def _not_proven(version: VersionId) -> Sentence:
    return Sentence(
        f"Gói {version} dựng lại không khớp mã băm đã lưu: không có gì bị đụng đến.",
        f"{version} as made again does not match its digests: nothing was touched.",
    )
