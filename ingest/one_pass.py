"""The one pass: every byte of the submission is read once (DESIGN §4).

While a file passes, its digests are computed, its first and last windows are kept for identification, a container is
spooled up to a bound, and its bytes go into the AIP being written on every replica. What the sender declared is
compared at the end of each file. After the first refusal nothing more is written, but all files are still read, so
that the sender learns everything at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, Self

from ingest.digesting import CHUNK, FileDigests, HashWorkers
from ingest.ledger import Ledger
from ingest.ledger_rows import Placement, PlannedFile
from ingest.sources import BrokenEntryError, Source
from ingest.sources.port import is_ours
from metadata.findings import Findings
from metadata.holdings import Format, Role
from metadata.identifiers import Algorithm
from preservation.identification.port import WINDOW, Identifier, Sample
from storage.hashing import MemberDigests
from storage.port import Bytes

SPOOL_LIMIT = 64 << 20
_BATCH_BYTES = 1 << 20
_BATCH_FILES = 64
_BATCHES_AHEAD = 8
_IDENTIFICATIONS_AHEAD = 256
_CONTAINERS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")


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


class OnePass:
    """One reading of a package into ``keeper``: an AIP being written, or :class:`Nowhere`."""

    def __init__(
        self,
        source: Source,
        ledger: Ledger,
        findings: Findings,
        keeper: Keeper,
        identifier: Identifier | None,
        spool: Path,
        on_progress: Callable[[int], None],
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._findings = findings
        self._keeper = keeper
        self._spool = spool
        self._on_progress = on_progress
        self._identification = _Identification(identifier, ledger) if identifier else None
        self._batches: deque[tuple[list[_Held], Future[list[FileDigests]]]] = deque()
        self._batch: list[_Held] = []
        self._batch_bytes = 0

    def run(self) -> None:
        """Read everything. Refusals are in ``findings``; errors of stores and of our own disk are raised."""
        try:
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
            if self._identification:
                self._identification.finish()
        finally:
            if self._identification:
                self._identification.close()

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
        if self._identification and held.planned.role is Role.CONTENT:
            spool = None
            if held.data.startswith(_CONTAINERS):
                spool = self._spool / f"{held.planned.seq}"
                spool.write_bytes(held.data)
            sample = Sample(held.planned.path, len(held.data), held.data[:WINDOW], held.data[-WINDOW:], spool)
            self._identification.submit(held.planned.seq, sample)

    def _large(self, planned: PlannedFile, hashing: HashWorkers) -> None:
        try:
            with self._source.open(planned.path) as stream:
                self._stream(planned, stream, hashing)
        except BrokenEntryError as broken:
            self._broken(broken)
        except OSError as error:
            self._unreadable(planned, error)

    def _stream(self, planned: PlannedFile, stream: BinaryIO, hashing: HashWorkers) -> None:
        identify = self._identification if planned.role is Role.CONTENT else None
        windows = _Windows(planned, self._spool if identify else None)
        member = self._keeper.begin(planned.target, planned.size)
        digester = hashing.stream(_wanted(planned))
        total = 0
        try:
            for buffer, size in _chunks(stream, hashing):
                total += size
                if total > planned.size:
                    hashing.give_back(buffer)
                    break
                with hashing.lent(buffer), memoryview(buffer)[:size] as view:
                    windows.feed(view)
                    member.write(view)
                digester.feed(buffer, size)
                self._on_progress(size)
        except BaseException:
            windows.discard()
            raise
        digests = digester.end()
        if total != planned.size:
            windows.discard()
            self._changed(planned, f"{total}" if total < planned.size else f"> {planned.size}")
            return
        self._compare(planned, digests)
        self._ledger.record(planned.seq, digests.member, member.end(digests.member))
        if identify:
            identify.submit(planned.seq, windows.sample())

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


class _Windows:
    """The first and last 128 KiB of a large file, and the whole of it on disk when it may be a container."""

    def __init__(self, planned: PlannedFile, folder: Path | None) -> None:
        self._planned = planned
        self._folder = folder
        self._head = b""
        self._tail = b""
        self._path: Path | None = None
        self._file: BinaryIO | None = None

    def feed(self, view: memoryview) -> None:
        if not self._head:
            self._head = bytes(view[:WINDOW])
            if self._folder and self._planned.size <= SPOOL_LIMIT and self._head.startswith(_CONTAINERS):
                self._path = self._folder / f"{self._planned.seq}"
                self._file = self._path.open("wb")
        elif len(self._head) < WINDOW:
            self._head += bytes(view[: WINDOW - len(self._head)])
        self._tail = (self._tail + bytes(view[-WINDOW:]))[-WINDOW:]
        if self._file:
            self._file.write(view)

    def sample(self) -> Sample:
        if self._file:
            self._file.close()
        return Sample(self._planned.path, self._planned.size, self._head, self._tail, self._path)

    def discard(self) -> None:
        if self._file and self._path:
            self._file.close()
            self._path.unlink()


class _Identification:
    """Identification beside the pass: one thread asks, the answers go into the ledger in their time."""

    def __init__(self, identifier: Identifier, ledger: Ledger) -> None:
        self._identifier = identifier
        self._ledger = ledger
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="identify")
        self._waiting: deque[tuple[int, Path | None, Future[Format]]] = deque()

    def submit(self, seq: int, sample: Sample) -> None:
        self._waiting.append((seq, sample.spool, self._executor.submit(self._identifier.identify, sample)))
        while len(self._waiting) > _IDENTIFICATIONS_AHEAD:
            self._take()

    def finish(self) -> None:
        while self._waiting:
            self._take()

    def _take(self) -> None:
        seq, spool, answer = self._waiting.popleft()
        self._ledger.identified(seq, answer.result())
        if spool:
            spool.unlink(missing_ok=True)

    def close(self) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)
