"""What a reader typed, understood leniently: nothing typed is ever an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from access.search.folding import Word, words

MAX_WORDS = 32
MAX_TEXT = 2000
_QUOTES = re.compile(r"[\"“”„«»]")
_JOINTS = re.compile(r"[/\-._–—&:@+]+")


@dataclass(frozen=True, slots=True)
class Group:
    """Words that must stand side by side in this order: one word, a quoted phrase, or a number such as 12/QĐ-UBND."""

    folded: tuple[str, ...]
    exact: tuple[str, ...]

    @property
    def accented(self) -> bool:
        """Whether the reader wrote diacritics, so that the exact spelling is worth more."""
        return self.folded != self.exact


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """All groups must be found. ``shortened`` says that the text was longer than what is looked for."""

    groups: tuple[Group, ...]
    shortened: bool

    @property
    def accented(self) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if group.accented)

    @property
    def whole(self) -> Group | None:
        """All words as one phrase; None when there is only one group."""
        if len(self.groups) < 2:
            return None
        return Group(
            tuple(word for group in self.groups for word in group.folded),
            tuple(word for group in self.groups for word in group.exact),
        )


def parse(text: str) -> ParsedQuery:
    """Read words, "phrases in quotes" and numbers with their separators. Never raises; an open quote is ignored."""
    kept: dict[Group, None] = {}
    count = 0
    shortened = len(text) > MAX_TEXT
    for run in _runs(text[:MAX_TEXT]):
        room = run[: MAX_WORDS - count]
        shortened = shortened or len(room) < len(run)
        if not room:
            break
        group = Group(tuple(word.folded for word in room), tuple(word.exact for word in room))
        if group not in kept:
            kept[group] = None
            count += len(room)
    return ParsedQuery(tuple(kept), shortened)


def _runs(text: str) -> Iterator[list[Word]]:
    pieces = _QUOTES.split(text)
    for number, piece in enumerate(pieces):
        found = list(words(piece))
        if number % 2 == 1 and number < len(pieces) - 1:
            if found:
                yield found
            continue
        yield from _joined(piece, found)


def _joined(text: str, found: list[Word]) -> Iterator[list[Word]]:
    run: list[Word] = []
    for word in found:
        if run and not _JOINTS.fullmatch(text[run[-1].end : word.start]):
            yield run
            run = []
        run.append(word)
    if run:
        yield run
