"""Every format that a file matches, by PRONOM's own rules.

Runs in the child process only: it looks into bytes from outside.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from typing import BinaryIO

from preservation.identification.answer import Answer, Candidate
from preservation.identification.choice import GENERAL_TEXT, extension_of
from preservation.identification.pronom.expression import Branch, Node, Run
from preservation.identification.pronom.gates import Gates, reaches_far
from preservation.identification.pronom.inside import Broken, Inside, OleInside, Reader, ZipInside
from preservation.identification.pronom.matching import Buffer, Matcher
from preservation.identification.pronom.signature_file import ByteSequence, ContainerSignature, SignatureFiles
from preservation.identification.text import encoding_of

_WHOLE = 64 << 20
"""Bytes of the largest file that is looked at from end to end for signatures that may lie anywhere."""


@dataclass(frozen=True, slots=True)
class _InnerFile:
    path: str
    alternatives: tuple[tuple[Matcher, ...], ...]


@dataclass(frozen=True, slots=True)
class _Container:
    puids: tuple[str, ...]
    files: tuple[_InnerFile, ...]
    asked: int


@dataclass(slots=True)
class _Kind:
    """The signatures of one kind of container, and every path that any of them asks for."""

    signatures: list[_Container] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)


class PronomEngine:
    """All signatures, ready to be tried."""

    def __init__(self, files: SignatureFiles) -> None:
        self._formats = files.formats
        self._triggers = files.triggers
        self._puids = [signature.puid for signature in files.signatures]
        self._matchers = [_matchers(signature.sequences) for signature in files.signatures]
        self._asked = [_bytes_asked(signature.sequences) for signature in files.signatures]
        self._gates = Gates(files.signatures)
        self._far = [number for number, one in enumerate(files.signatures) if reaches_far(one)]
        self._far_gates = Gates([files.signatures[number] for number in self._far], near=True)
        self._by_extension: dict[str, list[str]] = {}
        for puid, one in files.formats.items():
            for extension in one.extensions:
                self._by_extension.setdefault(extension, []).append(puid)
        self._signed = {one.puid for one in files.signatures} | {p for one in files.containers for p in one.puids}
        self._candidates: dict[str, tuple[Candidate, ...]] = {}
        self._kinds: dict[str, _Kind] = {}
        for container in files.containers:
            self._add(container)

    def by_name(self, name: str) -> Answer:
        """The formats of a file name's extension only."""
        return Answer(extension=self._of_extension(extension_of(name)))

    def answer(self, name: str, size: int, head: bytes, tail: bytes, file: BinaryIO | None = None) -> Answer:
        """All formats that match; never raises for any content but MemoryError.

        ``head`` and ``tail`` are the first and last 128 KiB (both the whole file when it is no larger); ``file`` is the
        whole, open for reading at any place, None when it is not at hand. It is left open.
        """
        extension = self._of_extension(extension_of(name))
        if not head:
            return Answer(extension=extension)
        found = self.match(head, tail)
        inner, trouble = self._inside(found, size, head, tail, file)
        if not inner and size > len(head):
            try:
                found |= self._far_away(found, size, head, tail, file)
            except (OSError, ValueError) as error:
                trouble = trouble or str(error)
        encoding = "" if found else encoding_of(head, tail, size)
        return Answer(self._named(self._best(found)), self._named(self._best(inner)), extension, encoding, trouble)

    def match(self, head: bytes, tail: bytes) -> dict[str, int]:
        """The PUIDs whose byte signatures match, inferior ones among them; how many bytes their signature asks for."""
        return self._matching(self._gates.candidates(head, tail), head, tail)

    def _matching(self, numbers: Iterable[int], head: Buffer, tail: Buffer) -> dict[str, int]:
        seen: dict[tuple[bool, bytes], bool] = {}
        found: dict[str, int] = {}
        for number in numbers:
            puid = self._puids[number]
            if puid not in found and all(one.matches(head, tail, seen) for one in self._matchers[number]):
                found[puid] = self._asked[number]
        return found

    def _far_away(
        self, found: Mapping[str, int], size: int, head: bytes, tail: bytes, file: BinaryIO | None
    ) -> dict[str, int]:
        """What matches only when the middle of the file is looked at: a PDF/A's claim may lie anywhere."""
        numbers = [self._far[place] for place in self._far_gates.candidates(head, tail)]
        numbers = [number for number in numbers if self._puids[number] not in found]
        if not numbers:
            return {}
        if file is None or size > _WHOLE:
            return self._matching(numbers, both := head + tail, both)
        with whole_of(file) as whole:
            return self._matching(numbers, whole, whole)

    def _inside(
        self, found: Iterable[str], size: int, head: bytes, tail: bytes, file: BinaryIO | None
    ) -> tuple[dict[str, int], str]:
        inner: dict[str, int] = {}
        trouble = ""
        for kind in {self._triggers[puid]: None for puid in found if puid in self._triggers}:
            try:
                inner |= self._look_inside(kind, size, head, tail, file)
            except (Broken, struct.error, OSError) as error:
                trouble = f"{kind}: {error}"
        return inner, trouble

    def _best(self, found: Mapping[str, int]) -> list[str]:
        """Without those that another found one goes before; those whose signature asks for most bytes first."""
        puids = [p for p in found if not any(p in self._formats[q].superior_to for q in found if q in self._formats)]
        return sorted(puids, key=lambda p: (-found[p], _pronom_order(p))) if len(puids) > 1 else puids

    def _of_extension(self, extension: str) -> tuple[Candidate, ...]:
        """The formats of a file name's extension, made when first asked for."""
        known = self._candidates.get(extension)
        if known is None:
            found = self._by_extension.get(extension, [])
            if not found:
                return ()
            best, general = self._best(dict.fromkeys(found, 0)), GENERAL_TEXT.get(extension)
            known = self._candidates[extension] = self._named([p for p in found if p == general or p in best])
        return known

    def _named(self, puids: Sequence[str]) -> tuple[Candidate, ...]:
        made = []
        for puid in puids:
            if one := self._formats.get(puid):
                made.append(Candidate(puid, one.name, one.version, one.mime, one.extensions, puid in self._signed))
        return tuple(made)

    def _add(self, container: ContainerSignature) -> None:
        kind = self._kinds.setdefault(container.kind, _Kind())
        files = tuple(
            _InnerFile(one.path, tuple(_matchers(sequences) for sequences in one.signatures)) for one in container.files
        )
        asked = sum(len(one.path) + min(map(_bytes_asked, one.signatures), default=0) for one in container.files)
        kind.signatures.append(_Container(container.puids, files, asked))
        kind.paths |= {one.path for one in files}

    def _look_inside(self, name: str, size: int, head: bytes, tail: bytes, file: BinaryIO | None) -> dict[str, int]:
        kind = self._kinds.get(name)
        if kind is None:
            return {}
        read = _reader(size, head, tail, file)
        inside: Inside = ZipInside(read, size, tail) if name == "ZIP" else OleInside(read, head)
        return _inner_matches(kind, inside)


def _inner_matches(kind: _Kind, inside: Inside) -> dict[str, int]:
    there = kind.paths & inside.names.keys()
    bytes_of: dict[str, bytes] = {}
    found: dict[str, int] = {}
    for signature in kind.signatures if there else ():
        if not all(file.path in there for file in signature.files):
            continue
        for file in signature.files:
            if not file.alternatives:
                continue
            data = bytes_of.get(file.path)
            if data is None:
                data = bytes_of[file.path] = inside.read(file.path)
            seen: dict[tuple[bool, bytes], bool] = {}
            if not any(all(one.matches(data, data, seen) for one in matchers) for matchers in file.alternatives):
                break
        else:
            found |= dict.fromkeys(signature.puids, signature.asked)
    return found


def _reader(size: int, head: bytes, tail: bytes, file: BinaryIO | None) -> Reader:
    """From the windows where they have it, else from the whole file when it is at hand."""
    tail_at = size - len(tail)

    def read(offset: int, length: int) -> bytes:
        if offset + length <= len(head) or (file is None and offset < tail_at):
            return head[offset : offset + length]
        if offset >= tail_at or file is None:
            return tail[offset - tail_at : offset - tail_at + length]
        file.seek(offset)
        return file.read(length)

    return read


def _bytes_asked(sequences: Sequence[ByteSequence]) -> int:
    """How many bytes that are not any byte a file must have at least."""
    return sum(_asked(sequence.nodes) for sequence in sequences)


def _asked(nodes: Sequence[Node]) -> int:
    total = 0
    for node in nodes:
        if isinstance(node, Run):
            total += sum(width for strings, width in node.parts if strings is not None)
        elif isinstance(node, Branch):
            total += min(map(_asked, node.alternatives))
    return total


def _pronom_order(puid: str) -> tuple[bool, int]:
    number = puid.rpartition("/")[2]
    return puid.startswith("x-"), int(number) if number.isdigit() else 0


@contextmanager
def whole_of(file: BinaryIO) -> Iterator[Buffer]:
    """All bytes of a file: mapped when it lies on a disk, so that they cost no memory."""
    try:
        number = file.fileno()
    except (io.UnsupportedOperation, AttributeError):
        file.seek(0)
        yield file.read()
        return
    with mmap(number, 0, access=ACCESS_READ) as whole:
        yield whole


def _matchers(sequences: Sequence[ByteSequence]) -> tuple[Matcher, ...]:
    """The cheapest first: those that begin at a fixed place."""
    made = [Matcher(sequence.reference, sequence.nodes) for sequence in sequences]
    return tuple(sorted(made, key=lambda one: one.reference == "VAR"))
