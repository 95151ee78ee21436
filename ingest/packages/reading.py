"""Reading a package's own metadata files: what cannot be read is a finding, never a traceback."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from ingest.packages.examined import Subject
from ingest.sources.port import BrokenEntryError, is_ours
from metadata.findings import judging
from metadata.identifiers import AgencyCode, Algorithm, Digest, FondsCode, ObjId, RecordCode
from metadata.refusal import DocumentRefused
from metadata.xml import legal

if TYPE_CHECKING:
    from typing_extensions import Buffer

T = TypeVar("T")
TITLE_LIMIT = 10_000
"""Characters in a dossier's title. TT 05 asks for fewer; this is what an AIP can hold."""


def reading(subject: Subject, path: str, read: Callable[[BinaryIO], T]) -> T | None:
    """What ``read`` makes of the file at ``path``; None when it, or the source, refuses it: a finding says why.

    Nothing in the package vouches for some files at its root, so they are digested here: the pass that keeps them
    must read the same bytes. When ``read`` itself fails, that is a finding too, and the other files are still read.
    """
    try:
        with subject.source.open(path) as stream, judging(subject.findings, path):
            if "/" in path:
                return read(stream)
            watched = _Digesting(stream)
            found = read(io.BufferedReader(watched))
            subject.seen[path] = watched.digest()
            return found
    except (DocumentRefused, BrokenEntryError) as refused:
        refused.note(subject.findings)
    except OSError as error:
        if is_ours(error):
            raise
        subject.findings.add("SOURCE-UNREADABLE", path, reason=error.strerror or type(error).__name__)
    return None


class _Digesting(io.RawIOBase):
    """A stream that is digested while it is read."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._sha256 = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        with memoryview(buffer) as view:
            data = self._stream.read(len(view))
            view[: len(data)] = data
        self._sha256.update(data)
        return len(data)

    def digest(self) -> Digest:
        """The digest of the whole, what was not read yet included."""
        while self.read(1 << 20):
            pass
        return Digest(Algorithm.SHA256, self._sha256.digest())


def judge_title(subject: Subject, title: str, place: str) -> None:
    """A title is written into XML and on one line of the AIP's bag-info.txt; what cannot be is refused."""
    if len(title) > TITLE_LIMIT or legal(title) != title:
        subject.findings.add("PACKAGE-TITLE", place, limit=TITLE_LIMIT)


def agency_code(text: str) -> AgencyCode | None:
    """The code, or None when ``text`` cannot be one."""
    try:
        return AgencyCode(text.strip())
    except ValueError:
        return None


def fonds_code(text: str) -> FondsCode | None:
    """The code, or None when ``text`` cannot be one."""
    try:
        return FondsCode(text.strip())
    except ValueError:
        return None


def record_code(text: str) -> RecordCode | None:
    """The code, or None when ``text`` cannot be one."""
    try:
        return RecordCode(text.strip())
    except ValueError:
        return None


def object_id(text: str) -> ObjId | None:
    """The OBJID, exactly as written, or None when ``text`` cannot be one."""
    try:
        return ObjId(text)
    except ValueError:
        return None
