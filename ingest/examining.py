"""The examination of content files beside the pass, and the copies of them on our disk that it needs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ingest.beside import Beside
from ingest.checks_said import signature_remarks
from ingest.ledger import Ledger
from ingest.ledger_rows import PlannedFile
from preservation.examination import LARGEST, Examination, Examiner, Exhibit, wanted_whole
from preservation.identification.port import WINDOW
from preservation.signed import signed_aside

_AHEAD = 64
_AHEAD_BYTES = 1 << 30
_AWAITING = 64
_AWAITING_BYTES = 1 << 30
_AFTER_INSPECTION = 1000
"""What is said of signatures comes after what is said of the format."""


class _Copy:
    """A file in the work folder, there for as long as somebody holds it."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self._holders = 1

    def hold(self) -> None:
        self._holders += 1

    def let_go(self) -> None:
        self._holders -= 1
        if not self._holders:
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Done:
    seq: int
    found: Examination
    copies: tuple[_Copy, ...]


class Examining:
    """One package's content files under examination; what is found goes into the ledger as it comes.

    A file that others sign from beside (``.p7s``) is kept until they have come too, as long as there is room.
    """

    def __init__(self, examiner: Examiner, ledger: Ledger, folder: Path, threads: int) -> None:
        self._examiner = examiner
        self._ledger = ledger
        self._folder = folder
        self._beside: Beside[_Done] = Beside("examine", threads, _AHEAD + threads, _AHEAD_BYTES, self._take)
        self._awaiting: OrderedDict[str, tuple[_Copy, int]] = OrderedDict()
        self._awaiting_bytes = 0

    def whole(self, planned: PlannedFile, data: bytes) -> None:
        """A file at hand; it is written to our disk if somebody wants to look into it."""
        copy = _Copy(self._folder / f"{planned.seq}", planned.size)
        written = self._ledger.signatures_beside(planned.path) > 0
        if written:
            copy.path.write_bytes(data)

        def whole() -> Path:
            nonlocal written
            if not written:
                copy.path.write_bytes(data)
                written = True
            return copy.path

        self.submit(planned, data[:WINDOW], data[-WINDOW:], copy, whole)

    def begin(self, planned: PlannedFile) -> LargeExhibit:
        """A file that comes in pieces: end or abandon it before the next one begins."""
        wanted = self._ledger.signatures_beside(planned.path) > 0
        return LargeExhibit(self, planned, self._folder / f"{planned.seq}", wanted=wanted)

    def submit(
        self, planned: PlannedFile, head: bytes, tail: bytes, copy: _Copy | None, whole: Callable[[], Path | None]
    ) -> None:
        """Have a file examined of which there is, or ``whole`` makes, a ``copy``."""
        content, lost = self._content_of(planned.path)
        copies = tuple(one for one in (copy, content) if one is not None)
        if copy is not None:
            self._await(planned.path, copy)
        exhibit = Exhibit(planned.path, planned.size, head, tail, whole, content.path if content else None, lost)
        size = sum(one.size for one in copies)
        self._beside.submit(size, lambda: _Done(planned.seq, self._examiner.examine(exhibit), copies))

    def finish(self) -> None:
        """Wait until all are examined."""
        self._beside.finish()
        while self._awaiting:
            self._drop(next(iter(self._awaiting)))

    def close(self) -> None:
        """Nothing more is wanted. Copies that are left go with the work folder."""
        self._beside.close()

    def _take(self, done: _Done) -> None:
        found, ledger = done.found, self._ledger
        ledger.identified(done.seq, found.format)
        if found.attached is not None:
            ledger.scanned(done.seq, found.attached)
        ledger.examined(done.seq, found.inspection, found.signatures)
        for at, remark in enumerate(signature_remarks(found), _AFTER_INSPECTION):
            ledger.remark(done.seq, at, remark)
        for copy in done.copies:
            copy.let_go()

    # Files that wait for their signatures

    def _await(self, path: str, copy: _Copy) -> None:
        signatures = self._ledger.signatures_beside(path)
        if not signatures:
            return
        copy.hold()
        self._awaiting[path] = copy, signatures
        self._awaiting_bytes += copy.size
        while len(self._awaiting) > 1 and (len(self._awaiting) > _AWAITING or self._awaiting_bytes > _AWAITING_BYTES):
            self._drop(next(iter(self._awaiting)))

    def _drop(self, path: str) -> None:
        copy, _ = self._awaiting.pop(path)
        self._awaiting_bytes -= copy.size
        copy.let_go()

    def _content_of(self, path: str) -> tuple[_Copy | None, bool]:
        """What the file at ``path`` signs by its name, held for it; and whether there is such a file but no copy."""
        content = signed_aside(path)
        if content is None or content not in self._awaiting:
            return None, content is not None and self._ledger.size_of(content) is not None
        copy, left = self._awaiting[content]
        copy.hold()
        self._awaiting[content] = copy, left - 1
        if left == 1:
            self._drop(content)
        return copy, False


class LargeExhibit:
    """A large file on its way: its first and last 128 KiB, and the whole of it on disk when it may be looked into."""

    def __init__(self, examining: Examining, planned: PlannedFile, path: Path, *, wanted: bool) -> None:
        self._examining = examining
        self._planned = planned
        self._path = path
        self._wanted = wanted or signed_aside(planned.path) is not None
        self._head = b""
        self._tail = b""
        self._file: BinaryIO | None = None

    def write(self, view: memoryview) -> None:
        """The next piece; the first of it must not be empty."""
        if not self._head:
            self._head = bytes(view[:WINDOW])
            size = self._planned.size
            if size <= LARGEST and (self._wanted or wanted_whole(size, self._head)):
                self._file = self._path.open("wb")
        elif len(self._head) < WINDOW:
            self._head += bytes(view[: WINDOW - len(self._head)])
        self._tail = (self._tail + bytes(view[-WINDOW:]))[-WINDOW:]
        if self._file:
            self._file.write(view)

    def end(self) -> None:
        """All was written: it is examined, the pass goes on."""
        if self._file is None:
            self._examining.submit(self._planned, self._head, self._tail, None, lambda: None)
            return
        self._file.close()
        copy = _Copy(self._path, self._planned.size)
        self._examining.submit(self._planned, self._head, self._tail, copy, lambda: copy.path)

    def abandon(self) -> None:
        """The file could not be read to its end."""
        if self._file:
            self._file.close()
            self._path.unlink(missing_ok=True)
