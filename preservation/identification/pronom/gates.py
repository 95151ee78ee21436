"""Which signatures can match at all: each is filed under bytes that a matching file must have.

Of 2,200 signatures about twenty remain for a file: a dictionary lookup for each distinct place of fixed literals, and
one search for each literal that may lie anywhere in a window.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os.path import commonprefix

from preservation.identification.pronom.expression import Gap, Node, Run, shared, strings_of, widths_of
from preservation.identification.pronom.signature_file import ByteSequence, ByteSignature

_FAR = 1 << 40
_WINDOW = 128 * 1024
_NEAR = 4096
_LONGEST = 16
_TELLING = 4
_SHORT = 64
_STEPS = 4
_MANY = 40
_AWAY = 25  # most signatures begin at the begin: each other place is one more lookup for every file
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
        """How few files will have it, and how soon that is known."""
        if self.fixed:
            telling = min(rarity(one[:8]) for one in self.literals)
            return 100 + 10 * telling - 0.3 * len(self.literals) - (_AWAY if self.low else 0)
        width = min(self.high - self.low, _WINDOW)
        return min(8 * min(map(rarity, self.literals)), 48) - 2 * len(self.literals) - width / 2048

    def narrowed(self) -> _Place:
        """With the one string that all its literals share at one place, when that tells enough: one search for all."""
        if self.high - self.low <= _STEPS or len(self.literals) == 1:
            return self
        if self.tail and len(set(map(len, self.literals))) > 1:
            return self
        at, literal = shared(self.literals)
        if len(literal) < (1 if self.high - self.low <= _SHORT else _TELLING):
            return self
        moved = -at if self.tail else at
        return _Place(self.tail, self.low + moved, self.high + moved, frozenset((literal,)))


_Member = tuple[int, int, bytes, list[int]]
_Search = tuple[int, int, bytes, list[_Member]]
"""Literals that begin alike: what they begin with is looked for between two places where any of them may be, then each
of them, by the range of its own, and with the signatures that ask for it."""


class Gates:
    """Signatures by what must be there. Numbers are places in the sequence given.

    ``near``: only bytes that lie near the file's begin or end count, so that it also holds for files larger than the
    windows; signatures with none are no candidates.
    """

    def __init__(self, signatures: Sequence[ByteSignature], *, near: bool = False) -> None:
        self._always: list[int] = []
        fixed: dict[tuple[bool, int, int], dict[bytes, list[int]]] = {}
        floating: dict[tuple[bool, int, int, bytes], list[int]] = {}
        every = [
            [place.narrowed() for place in _places_of(one) if not near or place.high <= _NEAR] for one in signatures
        ]
        uses = Counter(place for places in every for place in set(places))
        for number, places in enumerate(every):
            if not places:
                self._always += [] if near else [number]
                continue
            best = max(places, key=lambda place: place.score - min(uses[place], _MANY))
            if best.high - best.low <= _STEPS:
                _file(fixed, best, number)
                continue
            for literal in best.literals:
                floating.setdefault((best.tail, best.low, best.high, literal), []).append(number)
        self._at_head = [(at, at + length, by_bytes) for (tail, at, length), by_bytes in fixed.items() if not tail]
        self._at_tail = [(at, length, by_bytes) for (tail, at, length), by_bytes in fixed.items() if tail]
        self._in_head = _searches({key[1:]: numbers for key, numbers in floating.items() if not key[0]})
        self._in_tail = _searches({key[1:]: numbers for key, numbers in floating.items() if key[0]})

    def candidates(self, head: bytes, tail: bytes) -> list[int]:
        """The signatures that a file with these windows may match, in order."""
        found = set(self._always)
        end = len(tail)
        for start, stop, by_bytes in self._at_head:
            if numbers := by_bytes.get(head[start:stop]):
                found.update(numbers)
        for offset, length, by_bytes in self._at_tail:
            if offset <= end and (numbers := by_bytes.get(tail[end - offset : end - offset + length])):
                found.update(numbers)
        find = head.find
        for low, high, literal, members in self._in_head:
            if find(literal, low, high + len(literal)) >= 0:
                for first, last, whole, numbers in members:
                    if len(members) == 1 or find(whole, first, last + len(whole)) >= 0:
                        found.update(numbers)
        find = tail.find
        for low, high, literal, members in self._in_tail:
            if find(literal, max(0, end - high), max(0, end - low + len(literal))) >= 0:
                for first, last, whole, numbers in members:
                    if len(members) == 1 or find(whole, max(0, end - last), max(0, end - first + len(whole))) >= 0:
                        found.update(numbers)
        return sorted(found)


def _file(fixed: dict[tuple[bool, int, int], dict[bytes, list[int]]], place: _Place, number: int) -> None:
    shortest = min(map(len, place.literals))
    longest = 8 if place.high < _STEPS and not place.tail else 4
    length = longest if shortest >= longest else 4 if shortest >= 4 else shortest
    for offset in range(place.low, place.high + 1):
        by_bytes = fixed.setdefault((place.tail, offset, length), {})
        for literal in {one[:length] for one in place.literals}:
            by_bytes.setdefault(literal, []).append(number)


def _searches(floating: Mapping[tuple[int, int, bytes], list[int]]) -> list[_Search]:
    alike: dict[bytes, list[_Member]] = {}
    for (low, high, literal), numbers in floating.items():
        alike.setdefault(literal[:_TELLING], []).append((low, high, literal, numbers))
    found = []
    for members in alike.values():
        lows, highs, literals, _ = zip(*members, strict=True)
        start = commonprefix(literals)  # noqa: RUF071 - of bytes, not of paths
        found.append((min(lows), max(highs), start, members))
    return found


def reaches_far(signature: ByteSignature) -> bool:
    """Whether it may match beyond the windows: a sequence may lie anywhere, or its parts far from each other."""
    for sequence in signature.sequences:
        most = widths_of(sequence.nodes)[1]
        if sequence.reference == "VAR" or most is None or most > _WINDOW:
            return True
    return False


def _places_of(signature: ByteSignature) -> Iterator[_Place]:
    for sequence in signature.sequences:
        yield from _places(sequence)


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
