"""Formats of containers by what lies inside: which inner files there are and what they begin with."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from preservation.identification.pronom.gates import Gates
from preservation.identification.pronom.inside import Broken, Inside, OleInside, Reader, ZipInside
from preservation.identification.pronom.matching import Matcher, Seen, bytes_asked, matchers_of
from preservation.identification.pronom.signature_file import ByteSignature, ContainerSignature, SignatureFiles


@dataclass(slots=True)
class _Path:
    """All that signatures ask of the inner files of one path: each with its number, though many ask the same."""

    asked: dict[ByteSignature, int] = field(default_factory=dict)
    matchers: list[tuple[Matcher, ...]] = field(default_factory=list)
    gates: Gates | None = None

    def add(self, one: ByteSignature) -> int:
        if one not in self.asked:
            self.asked[one] = len(self.matchers)
            self.matchers.append(matchers_of(one.sequences))
        return self.asked[one]

    def matching(self, data: bytes) -> set[int]:
        """The numbers of what ``data`` has."""
        if self.gates is None:
            self.gates = Gates(list(self.asked))
        seen = Seen()
        numbers = self.gates.candidates(data, data)
        return {number for number in numbers if all(one.matches(data, data, seen) for one in self.matchers[number])}


@dataclass(frozen=True, slots=True)
class _Container:
    """``files``: paths that must be there, each with what it must match one of; nothing: being there is enough."""

    puids: tuple[str, ...]
    files: tuple[tuple[str, frozenset[int]], ...]
    asked: int


@dataclass(slots=True)
class _Kind:
    """The signatures of one kind of container, by the one of their paths that fewest of them ask for."""

    paths: dict[str, _Path] = field(default_factory=dict)
    signatures: dict[str, list[_Container]] = field(default_factory=dict)


class Containers:
    """All container signatures, ready to be tried."""

    def __init__(self, files: SignatureFiles) -> None:
        self._triggers = files.triggers
        self._numbers = [at for at, one in enumerate(files.signatures) if one.puid in files.triggers]
        self._gates = Gates([files.signatures[number] for number in self._numbers])
        self._kinds = {kind: _kind(files.containers, kind) for kind in sorted({one.kind for one in files.containers})}

    def triggers(self, head: bytes, tail: bytes) -> list[int]:
        """Places of byte signatures that may match, and after which a look inside is worth it."""
        return [self._numbers[place] for place in self._gates.candidates(head, tail)]

    def look(
        self, found: Iterable[str], size: int, head: bytes, tail: bytes, file: BinaryIO | None
    ) -> tuple[dict[str, int], str]:
        """The PUIDs that match inside a file of the formats ``found``, with how many bytes their signature asks for;
        and what could not be looked at. ``file`` is the whole file, None when it is not at hand."""
        inner: dict[str, int] = {}
        trouble = ""
        for name in {self._triggers[puid]: None for puid in found if puid in self._triggers}:
            kind = self._kinds.get(name)
            if kind is None:
                continue
            try:
                read = _reader(size, head, tail, file)
                inner |= _matches(kind, ZipInside(read, size, tail) if name == "ZIP" else OleInside(read, size, head))
            except (Broken, struct.error, OSError) as error:
                trouble = f"{name}: {error}"
        return inner, trouble


def _kind(containers: Sequence[ContainerSignature], name: str) -> _Kind:
    kind = _Kind()
    made: list[_Container] = []
    uses: dict[str, int] = {}
    for one in containers:
        if one.kind != name:
            continue
        files = []
        for file in one.files:
            path = kind.paths.setdefault(file.path, _Path())
            numbers = [path.add(ByteSignature("", sequences)) for sequences in file.signatures]
            files.append((file.path, frozenset(numbers)))
            uses[file.path] = uses.get(file.path, 0) + 1
        asked = sum(len(file.path) + min(map(bytes_asked, file.signatures), default=0) for file in one.files)
        made.append(_Container(one.puids, tuple(files), asked))
    for container in made:
        rarest = min((path for path, _ in container.files), key=uses.__getitem__)
        kind.signatures.setdefault(rarest, []).append(container)
    return kind


def _matches(kind: _Kind, inside: Inside) -> dict[str, int]:
    there = kind.paths.keys() & inside.names.keys()
    matched: dict[str, set[int]] = {}
    found: dict[str, int] = {}
    for rarest in there:
        for container in kind.signatures.get(rarest, ()):
            for path, numbers in container.files:
                if path not in there:
                    break
                if not numbers:
                    continue
                if path not in matched:
                    matched[path] = kind.paths[path].matching(inside.read(path))
                if matched[path].isdisjoint(numbers):
                    break
            else:
                found |= dict.fromkeys(container.puids, container.asked)
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
