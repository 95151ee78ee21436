"""Which signatures can match at all: each is filed under bytes that a matching file must have.

Of 2,200 signatures about twenty remain for a file: a dictionary lookup for each distinct place of fixed literals, and
one search for each literal that may lie anywhere in a window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from preservation.identification.pronom.expression import Gap, Node, Run, strings_of, widths_of
from preservation.identification.pronom.signature_file import ByteSequence, ByteSignature

_FAR = 1 << 40
_WINDOW = 128 * 1024
_NEAR = 4096
_LONGEST = 16
_COMMON = frozenset((0x00, 0x20, 0xFF))


@dataclass(frozen=True, slots=True)
class _Place:
    """Literals of which one must begin between ``low`` and ``high``, from the front, or from the end when ``tail``."""

    tail: bool
    low: int
    high: int
    literals: frozenset[bytes]

    @property
    def fixed(self) -> bool:
        return self.low == self.high

    @property
    def score(self) -> float:
        """How few files will have it."""
        if self.fixed:
            return 100 + 10 * min(rarity(one[:8]) for one in self.literals) - 0.3 * len(self.literals)
        width = min(self.high - self.low, _WINDOW)
        return min(8 * min(map(rarity, self.literals)), 48) - 2 * len(self.literals) - width / 4096


class Gates:
    """Signatures by what must be there. Numbers are places in the sequence given.

    ``near``: only bytes that lie near the file's begin or end count, so that it also holds for files larger than the
    windows; signatures with none are no candidates.
    """

    def __init__(self, signatures: Sequence[ByteSignature], *, near: bool = False) -> None:
        self._always: list[int] = []
        self._fixed: dict[tuple[bool, int, int], dict[bytes, list[int]]] = {}
        self._floating: dict[tuple[bool, int, int, bytes], list[int]] = {}
        for number, signature in enumerate(signatures):
            places = [place for sequence in signature.sequences for place in _places(sequence)]
            if near:
                places = [place for place in places if place.high <= _NEAR]
            if places:
                self._file(max(places, key=lambda place: place.score), number)
            elif not near:
                self._always.append(number)

    def _file(self, place: _Place, number: int) -> None:
        if not place.fixed:
            for literal in place.literals:
                self._floating.setdefault((place.tail, place.low, place.high, literal), []).append(number)
            return
        shortest = min(map(len, place.literals))
        length = 8 if shortest >= 8 else 4 if shortest >= 4 else shortest
        by_bytes = self._fixed.setdefault((place.tail, place.low, length), {})
        for literal in {one[:length] for one in place.literals}:
            by_bytes.setdefault(literal, []).append(number)

    def candidates(self, head: bytes, tail: bytes) -> list[int]:
        """The signatures that a file with these windows may match, in order."""
        found = set(self._always)
        end = len(tail)
        for (at_tail, offset, length), by_bytes in self._fixed.items():
            buffer, start = (tail, end - offset) if at_tail else (head, offset)
            if start >= 0 and (numbers := by_bytes.get(buffer[start : start + length])):
                found.update(numbers)
        for (at_tail, low, high, literal), numbers in self._floating.items():
            if at_tail:
                if tail.find(literal, max(0, end - high), max(0, end - low + len(literal))) >= 0:
                    found.update(numbers)
            elif head.find(literal, low, high + len(literal)) >= 0:
                found.update(numbers)
        return sorted(found)


def reaches_far(signature: ByteSignature) -> bool:
    """Whether it may match beyond the windows: a sequence may lie anywhere, or its parts far from each other."""
    for sequence in signature.sequences:
        most = widths_of(sequence.nodes)[1]
        if sequence.reference == "VAR" or most is None or most > _WINDOW:
            return True
    return False


def _places(sequence: ByteSequence) -> Iterator[_Place]:
    """Every place of literals. From the end, offsets count to where the literal begins."""
    if sequence.reference == "EOF":
        for least, most, literals in _runs(reversed(sequence.nodes), backwards=True):
            yield _Place(True, least, most, literals)
        return
    anywhere = sequence.reference == "VAR"
    for least, most, literals in _runs(sequence.nodes, backwards=False):
        yield _Place(False, least, _FAR if anywhere else most, literals)


def _runs(nodes: Iterable[Node], *, backwards: bool) -> Iterator[tuple[int, int, frozenset[bytes]]]:
    """Literals with the range of offsets at which they begin, measured from the front, or (to their begin) the back."""
    low, high = 0, 0
    for node in nodes:
        parts = list(_parts(node))
        for literals, least, most in reversed(parts) if backwards else parts:
            if literals and backwards:
                lengths = sorted(map(len, literals))
                yield low + lengths[0], min(high + lengths[-1], _FAR), literals
            elif literals:
                yield low, high, literals
            low = min(low + least, _FAR)
            high = min(high + most, _FAR)


def _parts(node: Node) -> Iterator[tuple[frozenset[bytes] | None, int, int]]:
    if isinstance(node, Run):
        for literals, width in node.parts:
            yield literals, width, width
    elif isinstance(node, Gap):
        yield None, node.low, _FAR if node.high is None else node.high
    else:
        least, most = widths_of((node,))
        literals = strings_of(node)
        yield literals if literals and b"" not in literals else None, least, _FAR if most is None else most


def rarity(literal: bytes) -> float:
    """How much a literal tells: bytes that fill files count little."""
    return sum(0.3 if value in _COMMON else 1.0 for value in literal[:_LONGEST])
