"""Packing a submission: read what the agency has, find what is missing, write the packages and their lists."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ingest.guards import GuardLimits
from ingest.packing.assembling import Completer, Judge, assemble
from ingest.packing.faults import Faults
from ingest.packing.files import FileIndex, Matcher
from ingest.packing.lists import write_lists
from ingest.packing.model import Dossier, Submission
from ingest.packing.reading import SourceFiles, read_submission
from ingest.packing.result import Packed, PackResult
from ingest.packing.unpacking import NotUnpackedError, unpack
from ingest.packing.writing import PackageWriter
from metadata.errors import AlreadyExists, NotFound
from metadata.text import Sentence
from metadata.tt05.profile import default_profile
from metadata.tt05.sip import Sender

Progress = Callable[[int, int], None]
_FILES_ZIP = GuardLimits(files=1_000_000)
_FIRST_MOMENT = datetime(1980, 1, 1, tzinfo=UTC)


def pack(
    source: Path,
    files: Path | None,
    out: Path,
    sender: Sender,
    *,
    mapping: str | Path | None = None,
    first_number: int = 1,
    partial: bool = False,
    dossier: Mapping[str, str] | None = None,
    created: datetime | None = None,
    limits: GuardLimits = _FILES_ZIP,
    on_progress: Progress = lambda *_: None,
) -> PackResult:
    """Write every dossier of ``source`` as a SIP_hoso ZIP into the new folder ``out``, with the submission's lists.

    ``source`` is a workbook (.xlsx), an XML export or edXML message, or a folder of those; ``files`` is the folder (or
    a ZIP) of the documents' files, by default the folder that ``source`` is in. ``mapping`` is the name of a mapping
    that is shipped or the path of one (``docs/packing.md``); by default the source itself says which it is.
    ``first_number`` is the STT of the first package in the submission. ``dossier`` gives fields of the dossier that
    edXML messages belong to. ``created`` is written as the packages' time, by default when the source was last changed.
    ``limits`` bound what is unpacked out of a ZIP of files.
    ``on_progress`` is told documents done and documents in all.

    Nothing is written when an error was found, unless ``partial``: then the dossiers without one are. ``out`` appears
    whole or not at all. Raises AlreadyExists (``out`` is there), NotFound (``source`` or ``files`` is not), UsageError
    (no such mapping, no such field), OSError.
    """
    _look(source, files, out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name[:100]}-") as folder:
        work = Path(folder)
        faults = Faults()
        dossiers, changed = _prepare(source, files, work, faults, SourceFiles(source, mapping, dossier), limits)
        good = [one for one in dossiers if not one.faulty and one.documents]
        if faults.fatal or (faults.refused and not partial) or not good:
            return PackResult((), (), faults.kept(), faults.counts)
        made = work / "out"
        made.mkdir()
        task = _Task(good, made, sender, _moment(created or changed or _modified(source)), first_number, partial)
        packages, lists = task.run(work, faults, on_progress)
        if packages:
            made.rename(out)
        return PackResult(
            tuple(_moved(one, out) for one in packages),
            tuple(out / path.name for path in lists) if packages else (),
            faults.kept(),
            faults.counts,
        )


def _look(source: Path, files: Path | None, out: Path) -> None:
    for path in (source, files):
        if path is not None and not path.exists():
            raise NotFound(Sentence(f"Không có {path}.", f"There is no {path}."))
    if out.exists() or out.is_symlink():
        sentence = Sentence(
            f"Đã có {out}: gói tin luôn được ghi vào một thư mục mới.",
            f"{out} is there already: packages are always written into a new folder.",
        )
        raise AlreadyExists(sentence)


def _prepare(
    source: Path, files: Path | None, work: Path, faults: Faults, reading: SourceFiles, limits: GuardLimits
) -> tuple[list[Dossier], datetime | None]:
    """Read, put together, complete and judge: everything that is wrong is in ``faults`` afterwards."""
    profile = default_profile()
    submission = read_submission(reading, profile, faults, work)
    if faults.fatal:
        return [], None
    if not submission.dossiers:
        faults.add("PACK-NO-DOSSIERS", source.name)
        return [], None
    dossiers = assemble(submission, faults)
    completer = Completer(profile)
    for dossier in dossiers:
        completer.complete(dossier)
    _match(dossiers, submission, files, work, faults, reading.read, limits)
    judge = Judge(profile, faults)
    for dossier in dossiers:
        judge.judge(dossier)
    completer.tell(faults)
    return dossiers, submission.changed


def _match(
    dossiers: Sequence[Dossier],
    submission: Submission,
    files: Path | None,
    work: Path,
    faults: Faults,
    read: list[Path],
    limits: GuardLimits,
) -> None:
    root = files or submission.base
    if root.is_file():
        try:
            unpack(root, work / "files", work / "files-zip", limits)
        except NotUnpackedError as error:
            faults.add("PACK-UNREADABLE", root.name, reason=error)
            return
        root = work / "files"
        root.mkdir(exist_ok=True)
    matcher = Matcher(FileIndex.of(root, faults, tuple(read)), faults)
    for dossier in dossiers:
        matcher.match(dossier)
    if files is not None:
        matcher.left([dossier.code for dossier in dossiers])


@dataclass(frozen=True, slots=True)
class _Task:
    """The writing of dossiers that are good."""

    dossiers: Sequence[Dossier]
    out: Path
    sender: Sender
    created: datetime
    first_number: int
    partial: bool

    def run(self, work: Path, faults: Faults, on_progress: Progress) -> tuple[list[Packed], tuple[Path, ...]]:
        """Write packages, then lists; nothing is left of a dossier whose file went away meanwhile."""
        profile = default_profile()
        writer = PackageWriter(profile, self.sender, self.created, work / "sip", self.out)
        total = sum(len(dossier.documents) for dossier in self.dossiers)
        done = 0
        packages: list[Packed] = []
        packed: list[Dossier] = []
        for dossier in self.dossiers:
            package = self._one(writer, dossier, self.first_number + len(packages), faults)
            if package is not None:
                packages.append(package)
                packed.append(dossier)
            elif not self.partial:
                return [], ()
            done += len(dossier.documents)
            on_progress(done, total)
        if not packages:
            return [], ()
        return packages, write_lists(packed, self.out, self.sender, self.created, profile, self.first_number)

    def _one(self, writer: PackageWriter, dossier: Dossier, number: int, faults: Faults) -> Packed | None:
        try:
            return writer.write(dossier, number)
        except OSError:
            if not _unreadable(dossier, faults):
                raise  # it is our own disk
            shutil.rmtree(writer.work, ignore_errors=True)
            return None


def _unreadable(dossier: Dossier, faults: Faults) -> bool:
    """Note the files of a dossier that cannot be read to their end; whether there are any."""
    found = False
    for document in dossier.documents:
        for path in document.files:
            try:
                with path.open("rb") as stream:
                    while stream.read(1 << 20):
                        pass
            except OSError as error:
                faults.add_of(document.row, "PACK-FILE-UNREADABLE", file=path.name, reason=error.strerror or error)
                found = True
    return found


def _moment(moment: datetime) -> datetime:
    """To the second, aware, and not before what a ZIP can say."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(_FIRST_MOMENT, aware.replace(microsecond=0))


def _modified(source: Path) -> datetime:
    """When the newest file of the source was changed."""
    paths = [source] if source.is_file() else [path for path in source.rglob("*") if path.is_file()]
    return datetime.fromtimestamp(max((path.stat().st_mtime for path in paths), default=0), UTC)


def _moved(packed: Packed, out: Path) -> Packed:
    return Packed(out / packed.path.name, packed.objid, packed.code, packed.title, packed.documents, packed.bytes)
