"""Every format that a file matches, by PRONOM's own rules.

Runs in the child process only: it looks into bytes from outside.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from preservation.identification.answer import Answer, Candidate
from preservation.identification.choice import GENERAL_TEXT, extension_of
from preservation.identification.pronom.gates import Gates
from preservation.identification.pronom.inside import Broken, Inside, OleInside, Reader, ZipInside
from preservation.identification.pronom.matching import Matcher
from preservation.identification.pronom.signature_file import (
    ByteSequence,
    ContainerSignature,
    SignatureFiles,
)


@dataclass(frozen=True, slots=True)
class _InnerFile:
    path: str
    alternatives: tuple[tuple[Matcher, ...], ...]


@dataclass(frozen=True, slots=True)
class _Container:
    puids: tuple[str, ...]
    files: tuple[_InnerFile, ...]


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
        self._gates = Gates(files.signatures)
        self._by_extension: dict[str, list[str]] = {}
        for puid, one in files.formats.items():
            for extension in one.extensions:
                self._by_extension.setdefault(extension, []).append(puid)
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
        kinds = {self._triggers[puid]: None for puid in found if puid in self._triggers}
        inner: list[str] = []
        trouble = ""
        for kind in kinds:
            try:
                inner += self._look_inside(kind, size, head, tail, file)
            except (Broken, struct.error, OSError) as error:
                trouble = f"{kind}: {error}"
        return Answer(self._named(self._best(found)), self._named(self._best(inner)), extension, trouble=trouble)

    def match(self, head: bytes, tail: bytes) -> list[str]:
        """The PUIDs whose byte signatures match, inferior ones among them, in the order of the signature file."""
        seen: dict[tuple[bool, bytes], bool] = {}
        found: dict[str, None] = {}
        for number in self._gates.candidates(head, tail):
            puid = self._puids[number]
            if puid not in found and all(one.matches(head, tail, seen) for one in self._matchers[number]):
                found[puid] = None
        return list(found)

    def _best(self, puids: Iterable[str]) -> list[str]:
        """Without those that another found one goes before."""
        found = list(dict.fromkeys(puids))
        return [p for p in found if not any(p in self._formats[q].superior_to for q in found if q in self._formats)]

    def _of_extension(self, extension: str) -> tuple[Candidate, ...]:
        """The formats of a file name's extension, made when first asked for."""
        known = self._candidates.get(extension)
        if known is None:
            found = self._by_extension.get(extension, [])
            if not found:
                return ()
            best, general = self._best(found), GENERAL_TEXT.get(extension)
            known = self._candidates[extension] = self._named([p for p in found if p == general or p in best])
        return known

    def _named(self, puids: Sequence[str]) -> tuple[Candidate, ...]:
        made = []
        for puid in puids:
            if one := self._formats.get(puid):
                made.append(Candidate(puid, one.name, one.version, one.mime, one.extensions))
        return tuple(made)

    def _add(self, container: ContainerSignature) -> None:
        kind = self._kinds.setdefault(container.kind, _Kind())
        files = tuple(
            _InnerFile(one.path, tuple(_matchers(sequences) for sequences in one.signatures)) for one in container.files
        )
        kind.signatures.append(_Container(container.puids, files))
        kind.paths |= {one.path for one in files}

    def _look_inside(self, name: str, size: int, head: bytes, tail: bytes, file: BinaryIO | None) -> list[str]:
        kind = self._kinds.get(name)
        if kind is None:
            return []
        read = _reader(size, head, tail, file)
        inside: Inside = ZipInside(read, size, tail) if name == "ZIP" else OleInside(read, head)
        return _inner_matches(kind, inside)


def _inner_matches(kind: _Kind, inside: Inside) -> list[str]:
    there = kind.paths & inside.names.keys()
    bytes_of: dict[str, bytes] = {}
    found: list[str] = []
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
            found += signature.puids
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


def _matchers(sequences: Sequence[ByteSequence]) -> tuple[Matcher, ...]:
    """The cheapest first: those that begin at a fixed place."""
    made = [Matcher(sequence.reference, sequence.nodes) for sequence in sequences]
    return tuple(sorted(made, key=lambda one: one.reference == "VAR"))
