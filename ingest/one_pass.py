"""The one pass: every byte of the submission is read once (DESIGN §4).

While a file passes, its digests are computed, the virus scanner gets it, its bytes go into the AIP being written on
every replica, and a content file is examined (:mod:`ingest.examining`). What the sender declared is compared at the end
of each file. After the first refusal nothing more is written, but all files are still read, so that the sender learns
everything at once. What checks beside the pass found is in the ledger (:func:`ingest.checks_said.say_checks`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, Self

from ingest.digesting import CHUNK, FileDigests, HashWorkers
from ingest.examining import Examining, LargeExhibit
from ingest.ledger import Ledger
from ingest.ledger_rows import Placement, PlannedFile
from ingest.scanning import LargeScan, Scanning
from ingest.sources import BrokenEntryError, Source
from ingest.sources.port import is_ours
from metadata.findings import Findings
from metadata.holdings import Role
from metadata.identifiers import Algorithm
from preservation.antivirus.memory import NoScanner
from preservation.antivirus.port import VirusScanner
from preservation.examination import Examiner
from storage.hashing import MemberDigests
from storage.port import Bytes

_BATCH_BYTES = 1 << 20
_BATCH_FILES = 64
_BATCHES_AHEAD = 8


class MemberKeeper(Protocol):
    """One large member being kept."""

    def write(self, data: Bytes) -> object: ...
    def end(self, digests: MemberDigests) -> Placement | None: ...


class Keeper(Protocol):
    """Where the bytes go: storage's AipWriter, or nowhere."""

    def add(self, path: str, data: Bytes, digests: MemberDigests) -> Placement | None: ...
    def begin(self, path: str, size: int) -> MemberKeeper: ...


class Nowhere:
    """Keeps nothing: for a package that is already held, and for what comes after a refusal."""

    def add(self, path: str, data: Bytes, digests: MemberDigests) -> None:
        pass

    def begin(self, path: str, size: int) -> Self:
        return self

    def write(self, data: Bytes) -> None:
        pass

    def end(self, digests: MemberDigests) -> None:
        pass


@dataclass(frozen=True, slots=True)
class _Held:
    """A small file, read and waiting for its digests."""

    planned: PlannedFile
    data: bytes


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks at the files while they pass: at all of them the ``scanner``, at content files the ``examiner``.

    ``threads``: how many content files are examined at a time. None or NoScanner: nobody looks, and it costs nothing.
    """

    examiner: Examiner | None = None
    scanner: VirusScanner | None = None
    threads: int = 1


NOBODY = Watch()


class OnePass:
    """One reading of a package into ``keeper``: an AIP being written, or :class:`Nowhere`.

    ``spool`` is a folder for copies of files that are looked into.
    """

    def __init__(
        self,
        source: Source,
        ledger: Ledger,
        findings: Findings,
        keeper: Keeper,
        watch: Watch,
        spool: Path,
        on_progress: Callable[[int], None],
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._findings = findings
        self._keeper = keeper
        self._on_progress = on_progress
        self._examining = Examining(watch.examiner, ledger, spool, watch.threads) if watch.examiner else None
        scanner = None if isinstance(watch.scanner, NoScanner) else watch.scanner
        self._scanning = Scanning(scanner, ledger) if scanner else None
        self._batches: deque[tuple[list[_Held], Future[list[FileDigests]]]] = deque()
        self._batch: list[_Held] = []
        self._batch_bytes = 0

    def run(self) -> None:
        """Read everything. Refusals are in ``findings``; errors of stores, scanner and our own disk are raised."""
        beside = [one for one in (self._scanning, self._examining) if one]
        with ExitStack() as ending:
            for one in beside:
                ending.callback(one.close)
            with HashWorkers() as hashing:
                for planned in self._ledger.files():
                    if planned.size <= CHUNK:
                        self._small(planned, hashing)
                    else:
                        self._send_batch(hashing)
                        self._settle(0)
                        self._large(planned, hashing)
                self._send_batch(hashing)
                self._settle(0)
            for one in beside:
                one.finish()

    def _small(self, planned: PlannedFile, hashing: HashWorkers) -> None:
        try:
            with self._source.open(planned.path) as stream:
                data = stream.read(planned.size + 1)
        except BrokenEntryError as broken:
            self._broken(broken)
            return
        except OSError as error:
            self._unreadable(planned, error)
            return
        self._on_progress(len(data))
        if len(data) != planned.size:
            self._changed(planned, f"{len(data)}" if len(data) < planned.size else f"> {planned.size}")
            return
        self._batch.append(_Held(planned, data))
        self._batch_bytes += len(data)
        if self._batch_bytes >= _BATCH_BYTES or len(self._batch) >= _BATCH_FILES:
            self._send_batch(hashing)
            self._settle(_BATCHES_AHEAD)

    def _send_batch(self, hashing: HashWorkers) -> None:
        if self._batch:
            jobs = [(held.data, _wanted(held.planned)) for held in self._batch]
            self._batches.append((self._batch, hashing.batch(jobs)))
            self._batch, self._batch_bytes = [], 0

    def _settle(self, ahead: int) -> None:
        """Place hashed files, in order, until at most ``ahead`` batches are under way."""
        while len(self._batches) > ahead:
            batch, answer = self._batches.popleft()
            for held, digests in zip(batch, answer.result(), strict=True):
                self._compare(held.planned, digests)
                self._place_small(held, digests)

    def _place_small(self, held: _Held, digests: FileDigests) -> None:
        placed = self._keeper.add(held.planned.target, held.data, digests.member)
        self._ledger.record(held.planned.seq, digests.member, placed)
        if self._scanning:
            self._scanning.whole(held.planned.seq, held.data)
        if self._examining and held.planned.role is Role.CONTENT:
            self._examining.whole(held.planned, held.data)

    def _large(self, planned: PlannedFile, hashing: HashWorkers) -> None:
        looking: list[LargeScan | LargeExhibit] = []
        with ExitStack() as undo:
            if self._scanning:
                looking.append(self._scanning.begin(planned.seq, planned.size))
            if self._examining and planned.role is Role.CONTENT:
                looking.append(self._examining.begin(planned))
            for one in looking:
                undo.callback(one.abandon)
            if self._stream(planned, hashing, looking):
                for one in looking:
                    one.end()
                undo.pop_all()

    def _stream(self, planned: PlannedFile, hashing: HashWorkers, looking: Sequence[LargeScan | LargeExhibit]) -> bool:
        """Whether it could be read whole."""
        try:
            with self._source.open(planned.path) as stream:
                return self._read(planned, stream, hashing, looking)
        except BrokenEntryError as broken:
            self._broken(broken)
        except OSError as error:
            self._unreadable(planned, error)
        return False

    def _read(
        self,
        planned: PlannedFile,
        stream: BinaryIO,
        hashing: HashWorkers,
        looking: Sequence[LargeScan | LargeExhibit],
    ) -> bool:
        member = self._keeper.begin(planned.target, planned.size)
        digester = hashing.stream(_wanted(planned))
        total = 0
        for buffer, size in _chunks(stream, hashing):
            total += size
            if total > planned.size:
                hashing.give_back(buffer)
                break
            with hashing.lent(buffer), memoryview(buffer)[:size] as view:
                for one in looking:
                    one.write(view)
                member.write(view)
            digester.feed(buffer, size)
            self._on_progress(size)
        digests = digester.end()
        if total != planned.size:
            self._changed(planned, f"{total}" if total < planned.size else f"> {planned.size}")
            return False
        self._compare(planned, digests)
        self._ledger.record(planned.seq, digests.member, member.end(digests.member))
        return True

    def _compare(self, planned: PlannedFile, digests: FileDigests) -> None:
        for declared in planned.declared:
            algorithm = declared.digest.algorithm
            if digests.of(algorithm) != declared.digest.value:
                self._refuse("PASS-CHECKSUM", planned, algorithm=algorithm.value, manifest=declared.source)

    def _changed(self, planned: PlannedFile, found: str) -> None:
        self._refuse("PASS-CHANGED", planned, expected=planned.size, found=found)

    def _unreadable(self, planned: PlannedFile, error: OSError) -> None:
        if is_ours(error):
            raise error
        self._refuse("PASS-UNREADABLE", planned, reason=error.strerror or type(error).__name__)

    def _broken(self, broken: BrokenEntryError) -> None:
        broken.note(self._findings)
        self._keeper = Nowhere()

    def _refuse(self, code: str, planned: PlannedFile, **details: object) -> None:
        self._findings.add(code, planned.path, **details)
        self._keeper = Nowhere()


def _wanted(planned: PlannedFile) -> frozenset[Algorithm]:
    return frozenset(declared.digest.algorithm for declared in planned.declared)


def _chunks(stream: BinaryIO, hashing: HashWorkers) -> Iterator[tuple[bytearray, int]]:
    while True:
        buffer = hashing.buffer()
        with hashing.lent(buffer):
            size = stream.readinto(buffer)  # type: ignore[attr-defined]
        if not size:
            hashing.give_back(buffer)
            return
        yield buffer, size
