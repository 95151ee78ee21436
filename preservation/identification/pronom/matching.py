"""Matching a byte sequence in time linear in the window: positions are carried as intervals, nothing is tried again.

A signature is runs of a fixed width with gaps between them. A regular expression of the whole can be made to try the
same bytes millions of times by a file of 180 KB written for it, and is then busy for minutes; here each run looks at
each place once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from preservation.identification.pronom.expression import Branch, Gap, Node, Run, shared, strings_of, widths_of
from preservation.identification.pronom.signature_file import ByteSequence

_NEEDLE = 4
_ENOUGH = 12
_LONG = 24
_ANCHOR = 3
_NEAR = 16
_FEW = 16
_MOST = 1 << 16
_FAR = 4096
Interval = tuple[int, int]
"""Places from the first to the second, both included."""


_Seen = dict[tuple[object, int, int], Any]


class Seen:
    """What was found in one file, for the many signatures that look for the same: in its head, and in its tail."""

    __slots__ = ("head", "tail")

    def __init__(self) -> None:
        self.head: _Seen = {}
        self.tail: _Seen = {}


@dataclass(frozen=True, slots=True, eq=False)
class _Literal:
    data: bytes

    def next(self, buffer: bytes, low: int, high: int) -> int:
        return buffer.find(self.data, low, high + len(self.data))


@dataclass(frozen=True, slots=True, eq=False)
class _Class:
    """Bytes that ``pattern`` matches. They hold ``anchor`` at ``at``; None when no string is always there."""

    pattern: re.Pattern[bytes]
    width: int
    anchor: _Literal | None
    at: int

    def next(self, buffer: bytes, low: int, high: int) -> int:
        end = min(high + self.width, len(buffer))
        if low == high:
            return low if self.pattern.match(buffer, low, end) else -1
        if self.anchor is None:
            found = self.pattern.search(buffer, low, end)
            return -1 if found is None else found.start()
        place = self.anchor.next(buffer, low + self.at, high + self.at)
        while place >= 0:
            if self.pattern.match(buffer, place - self.at, end):
                return place - self.at
            place = self.anchor.next(buffer, place + 1, high + self.at)
        return -1


@dataclass(frozen=True, slots=True)
class _Choice:
    """One of several sequences. ``literals`` are all strings that these can be, empty when they are too many; ``start``
    is what all of them begin with, None when they do not begin alike."""

    options: tuple[tuple[_Step, ...], ...]
    literals: tuple[bytes, ...]
    longest: int
    start: _Literal | None


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One node behind those before it, ready. ``first``: after it only the first place that matches matters.

    Sequences that begin alike have the same first steps, so that these are walked once for a file.
    """

    node: Gap | _Literal | _Class | _Choice
    width: int
    first: bool


class Matcher:
    """One byte sequence. ``reference`` is ``BOF``, ``EOF`` or ``VAR``; its nodes hold the offsets as gaps already."""

    def __init__(self, reference: str, nodes: Sequence[Node]) -> None:
        self.reference = reference
        self._low, self._high = widths_of(nodes)
        needle = _needle(nodes, anywhere=reference != "BOF")
        self._needle = _literal(needle) if needle else None
        self._steps = _steps(nodes, last=reference != "EOF")

    def matches(self, head: bytes, tail: bytes, seen: Seen) -> bool:
        """Whether a file with these windows has the sequence; for a small file both are the whole.

        ``seen`` is kept for one file, for the many signatures that share what they look for.
        """
        at_end = self.reference == "EOF"
        buffer, known = (tail, seen.tail) if at_end else (head, seen.head)
        size = len(buffer)
        if size < self._low:
            return False
        if self._needle and _first(self._needle, buffer, 0, size, known) < 0:
            return False
        if self.reference == "BOF":
            start = 0, 0
        elif self.reference == "VAR":
            start = 0, size
        else:
            start = 0 if self._high is None else max(0, size - self._high), size - self._low
        places = [start]
        for step in self._steps:
            ends = known.get((step, *start))
            if ends is None:
                ends = known[step, *start] = _step(step, buffer, places, known)
            if not ends:
                return False
            places = ends
        return not at_end or any(low <= size <= high for low, high in places)


def matchers_of(sequences: Sequence[ByteSequence]) -> tuple[Matcher, ...]:
    """The cheapest first: those that begin at a fixed place."""
    made = [Matcher(sequence.reference, sequence.nodes) for sequence in sequences]
    return tuple(sorted(made, key=lambda one: one.reference == "VAR"))


def bytes_asked(sequences: Sequence[ByteSequence]) -> int:
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


def _needle(nodes: Sequence[Node], *, anywhere: bool) -> bytes:
    """A literal that a match must have far from where it begins: the first that tells enough, else the longest; empty
    when there is none of four bytes. The first ones are shared by most sequences.

    One that must lie near is looked for by the walk itself, which is cheaper.
    """
    found = b""
    spread = _FAR if anywhere else 0
    for node in nodes:
        low, high = widths_of((node,))
        spread += _FAR if high is None else high - low
        if isinstance(node, Run) and spread >= _FAR:
            for _, string in _strings(node):
                if len(found) < _ENOUGH and len(string) >= max(_NEEDLE, len(found) + 1):
                    found = string[:_LONG]  # what is longer is shared by fewer
    return found


def _steps(nodes: Sequence[Node], *, last: bool) -> tuple[_Step, ...]:
    steps: list[_Step] = []
    for at, node in enumerate(nodes):
        following = nodes[at + 1] if at + 1 < len(nodes) else None
        first = (following is None and last) or (isinstance(following, Gap) and following.high is None)
        steps.append(_behind(steps[-1] if steps else None, node, first=first))
    return tuple(steps)


@cache
def _behind(before: _Step | None, node: Node, *, first: bool) -> _Step:
    """The step of ``node`` after another: one object for all sequences that have the same up to there."""
    if isinstance(node, Gap):
        return _Step(node, 0, first)
    if isinstance(node, Branch):
        options = tuple(_steps(option, last=first) for option in node.alternatives)
        return _Step(_choice(node, options), 0, first)
    return _Step(_run(node), node.width, first)


def _choice(node: Branch, options: tuple[tuple[_Step, ...], ...]) -> _Choice:
    literals = tuple(sorted(strings_of(node) or ()))
    at, string = shared(literals) if literals else (0, b"")
    start = _literal(string) if at == 0 and len(string) >= _NEEDLE else None
    return _Choice(options, literals, max(map(len, literals), default=0), start)


def _run(run: Run) -> _Literal | _Class:
    if run.literals is not None and len(run.literals) == 1:
        return _literal(next(iter(run.literals)))
    anchor, at = b"", 0
    for place, string in _strings(run):
        if len(string) >= max(_ANCHOR, len(anchor) + 1):
            anchor, at = string, place
    return _class(run.regex, run.width, anchor, at)


def _strings(run: Run) -> Iterator[tuple[int, bytes]]:
    """Strings that the bytes of a run hold whatever they are, and where."""
    place = 0
    for literals, width in run.parts:
        if literals:
            at, string = shared(literals)
            yield place + at, string
        place += width


@cache
def _literal(data: bytes) -> _Literal:
    """One for all sequences, so that it is looked for once."""
    return _Literal(data)


@cache
def _class(regex: bytes, width: int, anchor: bytes, at: int) -> _Class:
    return _Class(re.compile(b"(?s)" + regex), width, _literal(anchor) if anchor else None, at)


def _walk(steps: Sequence[_Step], buffer: bytes, places: list[Interval], seen: _Seen) -> list[Interval]:
    for step in steps:
        if not places:
            break
        places = _step(step, buffer, places, seen)
    return places


def _step(step: _Step, buffer: bytes, places: list[Interval], seen: _Seen) -> list[Interval]:
    node = step.node
    if isinstance(node, Gap):
        return _moved(places, node, len(buffer))
    if isinstance(node, _Choice):
        return _chosen(node, buffer, places, seen)
    return _found(node, step, buffer, places, seen)


def _chosen(node: _Choice, buffer: bytes, places: list[Interval], seen: _Seen) -> list[Interval]:
    ends: list[Interval] = []
    wide: list[Interval] = []
    if node.start and len(places) == 1 and places[0][1] - places[0][0] > _NEAR:
        places = _starts(node.start, buffer, places[0], seen)
    for low, high in places:
        if not node.literals or high - low > _NEAR:
            wide.append((low, high))
            continue
        there = buffer[low : high + node.longest]
        for at in range(high - low + 1):
            if there.startswith(node.literals, at):
                behind = low + at
                ends += [(behind + len(one),) * 2 for one in node.literals if there.startswith(one, at)]
    if wide:
        ends += [one for option in node.options for one in _walk(option, buffer, wide, seen)]
    return _merged(ends)


def _first(node: _Literal | _Class, buffer: bytes, low: int, high: int, seen: _Seen) -> int:
    """Where ``node`` begins first between two places, remembered; -1 when it does not."""
    key = node, low, high
    place = seen.get(key)
    if place is None:
        if isinstance(node, _Class) and node.anchor and _absent(node, node.anchor, buffer, low, high, seen):
            place = -1
        else:
            place = node.next(buffer, low, high)
        seen[key] = place
    return place


def _absent(node: _Class, anchor: _Literal, buffer: bytes, low: int, high: int, seen: _Seen) -> bool:
    return _first(anchor, buffer, low + node.at, high + node.at, seen) < 0


def _starts(literal: _Literal, buffer: bytes, place: Interval, seen: _Seen) -> list[Interval]:
    """Where a literal begins; when that is in many places, all that lies from the first of them on."""
    low, high = place
    at = _first(literal, buffer, low, high, seen)
    found: list[Interval] = []
    while at >= 0:
        found.append((at, at))
        if len(found) > _FEW:
            return [(found[0][0], high)]
        at = _first(literal, buffer, at + 1, high, seen) if at < high else -1
    return found


def _moved(places: list[Interval], gap: Gap, size: int) -> list[Interval]:
    if gap.high is None:
        low = places[0][0] + gap.low
        return [(low, size)] if low <= size else []
    moved = [(low + gap.low, min(high + gap.high, size)) for low, high in places if low + gap.low <= size]
    return _merged(moved)


def _found(node: _Literal | _Class, step: _Step, buffer: bytes, places: list[Interval], seen: _Seen) -> list[Interval]:
    """The places behind each match that begins in ``places``."""
    ends: list[Interval] = []
    start = end = -2
    for low, high in places:
        at = _first(node, buffer, low, high, seen) if high - low > _NEAR else node.next(buffer, low, high)
        while at >= 0:
            behind = at + step.width
            if step.first:
                return [(behind, behind)]
            if behind == end + 1:
                end = behind
            else:
                if end >= 0:
                    ends.append((start, end))
                start = end = behind
            at = node.next(buffer, at + 1, high) if at < high and len(ends) < _MOST else -1
    if end >= 0:
        ends.append((start, end))
    return ends


def _merged(places: list[Interval]) -> list[Interval]:
    if len(places) < 2:
        return places
    result: list[Interval] = []
    for low, high in sorted(places):
        if result and low <= result[-1][1] + 1:
            if high > result[-1][1]:
                result[-1] = (result[-1][0], high)
        else:
            result.append((low, high))
    return result
