"""Matching a byte sequence in time linear in the window: positions are carried as intervals, nothing is tried again.

A signature is runs of a fixed width with gaps between them. A regular expression of the whole can be made to try the
same bytes millions of times by a file of 180 KB written for it, and is then busy for minutes; here each run looks at
each place once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from mmap import mmap

from preservation.identification.pronom.expression import Branch, Gap, Node, Run, widths_of

_NEEDLE = 4
_FAR = 4096
Interval = tuple[int, int]
"""Places from the first to the second, both included."""
Buffer = bytes | mmap


@dataclass(frozen=True, slots=True)
class _Literal:
    data: bytes

    def next(self, buffer: Buffer, low: int, high: int) -> int:
        return buffer.find(self.data, low, high + len(self.data))


@dataclass(frozen=True, slots=True)
class _Class:
    search: Callable[[Buffer, int, int], re.Match[bytes] | None]
    width: int

    def next(self, buffer: Buffer, low: int, high: int) -> int:
        found = self.search(buffer, low, min(high + self.width, len(buffer)))
        return -1 if found is None else found.start()


@dataclass(frozen=True, slots=True)
class _Step:
    """One node, ready. ``first`` says that after it only the first place that matches matters."""

    node: Gap | _Literal | _Class | tuple[tuple[_Step, ...], ...]
    width: int
    first: bool


class Matcher:
    """One byte sequence. ``reference`` is ``BOF``, ``EOF`` or ``VAR``; its nodes hold the offsets as gaps already."""

    def __init__(self, reference: str, nodes: Sequence[Node]) -> None:
        self.reference = reference
        self._low, self._high = widths_of(nodes)
        self._needle = _needle(nodes, anywhere=reference != "BOF")
        self._steps = _steps(nodes, last=reference != "EOF")

    def matches(self, head: Buffer, tail: Buffer, seen: dict[tuple[bool, bytes], bool]) -> bool:
        """Whether a file with these windows has the sequence; for a small file both are the whole.

        ``seen`` is kept for one file: which literals it has, for the many signatures that share them.
        """
        at_end = self.reference == "EOF"
        buffer = tail if at_end else head
        size = len(buffer)
        if size < self._low:
            return False
        if self._needle:
            there = seen.get((at_end, self._needle))
            if there is None:
                there = seen[at_end, self._needle] = buffer.find(self._needle) >= 0
            if not there:
                return False
        if self.reference == "BOF":
            starts = [(0, 0)]
        elif self.reference == "VAR":
            starts = [(0, size)]
        else:
            starts = [(0 if self._high is None else max(0, size - self._high), size - self._low)]
        ends = _walk(self._steps, buffer, starts)
        if self.reference == "EOF":
            return any(low <= size <= high for low, high in ends)
        return bool(ends)


def _needle(nodes: Sequence[Node], *, anywhere: bool) -> bytes:
    """The longest literal that a match must have far from where it begins; empty when there is none of four bytes.

    One that must lie near is looked for by the walk itself, which is cheaper.
    """
    found = b""
    spread = _FAR if anywhere else 0
    for node in nodes:
        low, high = widths_of((node,))
        spread += _FAR if high is None else high - low
        if isinstance(node, Run) and spread >= _FAR:
            for literals, width in node.parts:
                if literals is not None and len(literals) == 1 and width >= max(_NEEDLE, len(found) + 1):
                    found = next(iter(literals))
    return found


def _steps(nodes: Sequence[Node], *, last: bool) -> tuple[_Step, ...]:
    steps: list[_Step] = []
    for at, node in enumerate(nodes):
        following = nodes[at + 1] if at + 1 < len(nodes) else None
        first = (following is None and last) or (isinstance(following, Gap) and following.high is None)
        if isinstance(node, Gap):
            steps.append(_Step(node, 0, first))
        elif isinstance(node, Branch):
            steps.append(_Step(tuple(_steps(option, last=first) for option in node.alternatives), 0, first))
        else:
            steps.append(_Step(_run(node), node.width, first))
    return tuple(steps)


def _run(run: Run) -> _Literal | _Class:
    if run.literals is not None and len(run.literals) == 1:
        return _Literal(next(iter(run.literals)))
    return _Class(re.compile(b"(?s)" + run.regex).search, run.width)


def _walk(steps: Sequence[_Step], buffer: Buffer, places: list[Interval]) -> list[Interval]:
    size = len(buffer)
    for step in steps:
        if not places:
            break
        node = step.node
        if isinstance(node, Gap):
            places = _moved(places, node, size)
        elif isinstance(node, tuple):
            places = _merged([one for option in node for one in _walk(option, buffer, places)])
        else:
            places = _found(node, step, buffer, places)
    return places


def _moved(places: list[Interval], gap: Gap, size: int) -> list[Interval]:
    if gap.high is None:
        low = places[0][0] + gap.low
        return [(low, size)] if low <= size else []
    moved = [(low + gap.low, min(high + gap.high, size)) for low, high in places if low + gap.low <= size]
    return _merged(moved)


def _found(node: _Literal | _Class, step: _Step, buffer: Buffer, places: list[Interval]) -> list[Interval]:
    """The places behind each match that begins in ``places``."""
    ends: list[Interval] = []
    start = end = -2
    for low, high in places:
        at = node.next(buffer, low, high)
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
            at = node.next(buffer, at + 1, high) if at < high else -1
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
