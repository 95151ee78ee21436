"""Where a text matched, and the passage to show."""

from __future__ import annotations

from collections.abc import Sequence

from access.search.folding import Word, words
from access.search.port import Hit, Marked, SearchEntry
from access.search.query import Group

PASSAGE = 220


def mark(text: str, groups: Sequence[Group]) -> Marked:
    """``text`` with every place that one of ``groups`` matches, diacritics aside."""
    found = words(text)
    marks: list[tuple[int, int]] = []
    for first in range(len(found)):
        lengths = [len(group.folded) for group in groups if _stands(found, first, group)]
        if lengths:
            marks.append((found[first].start, found[first + max(lengths) - 1].end))
    return Marked(text, _merged(marks))


def hit(entry: SearchEntry, groups: Sequence[Group]) -> Hit:
    """The entry with its matches marked and the field that matches most, apart from title and number."""
    best: tuple[int, str, Marked] | None = None
    for name, text in entry.texts if groups else ():
        marked = mark(text, groups)
        distinct = len({text[start:end].casefold() for start, end in marked.marks})
        if distinct and (best is None or distinct > best[0]):
            best = (distinct, name, marked)
    title, notation = mark(entry.title, groups), mark(entry.notation, groups)
    if best is None:
        return Hit(entry, title, notation, None, "")
    return Hit(entry, title, notation, _passage(best[2]), best[1])


def _stands(found: Sequence[Word], first: int, group: Group) -> bool:
    if first + len(group.folded) > len(found):
        return False
    return all(found[first + step].folded == word for step, word in enumerate(group.folded))


def _merged(marks: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in marks:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _passage(marked: Marked) -> Marked:
    """About 220 code points around the first match, cut at spaces, with an ellipsis where something is left out."""
    text = marked.text
    if len(text) <= PASSAGE:
        return marked
    begin = max(0, marked.marks[0][0] - PASSAGE // 4)
    end = min(len(text), begin + PASSAGE)
    if begin:
        begin = text.find(" ", begin, marked.marks[0][0]) + 1 or begin
    if end < len(text):
        end = max(text.rfind(" ", marked.marks[0][1], end), 0) or end
    head, tail = ("… " if begin else ""), (" …" if end < len(text) else "")
    shift = len(head) - begin
    kept = tuple((start + shift, min(stop, end) + shift) for start, stop in marked.marks if begin <= start < end)
    return Marked(head + text[begin:end] + tail, kept)
