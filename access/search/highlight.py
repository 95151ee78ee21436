"""Where a text matched, and the passage to show."""

from __future__ import annotations

from collections.abc import Sequence

from access.search.folding import Word, words
from access.search.port import Hit, Marked, SearchEntry
from access.search.query import Group

PASSAGE = 220


def hit(entry: SearchEntry, groups: Sequence[Group]) -> Hit:
    """The entry with its matches marked and the field that matches most, apart from title and number.

    Where a word stands spelled as it was typed, its other spellings are not marked: they are chance.
    """
    found = {text: words(text) for text in (entry.title, entry.notation, *(text for _, text in entry.texts))}
    spelled = frozenset(
        group for group in groups if group.accented and any(_places(one, group, exactly=True) for one in found.values())
    )
    title, _ = _mark(entry.title, found[entry.title], groups, spelled)
    notation, _ = _mark(entry.notation, found[entry.notation], groups, spelled)
    best: tuple[int, str, Marked] | None = None
    for name, text in entry.texts:
        if title.marks and text in (entry.type_name, entry.organ):
            continue  # shown beside the title anyway
        marked, distinct = _mark(text, found[text], groups, spelled)
        if distinct and (best is None or distinct > best[0]):
            best = (distinct, name, marked)
    if best is None:
        return Hit(entry, title, notation, None, "")
    return Hit(entry, title, notation, _passage(best[2]), best[1])


def _mark(text: str, found: Sequence[Word], groups: Sequence[Group], spelled: frozenset[Group]) -> tuple[Marked, int]:
    """The text with its matches, and how many of the groups matched."""
    places = [_places(found, group, exactly=group in spelled) for group in groups]
    marks = sorted(span for spans in places for span in spans)
    return Marked(text, _merged(marks)), sum(map(bool, places))


def _places(found: Sequence[Word], group: Group, *, exactly: bool) -> list[tuple[int, int]]:
    """Where the words of ``group`` stand side by side."""
    wanted = group.exact if exactly else group.folded
    forms = [word.exact if exactly else word.folded for word in found]
    return [
        (found[first].start, found[first + len(wanted) - 1].end)
        for first in range(len(forms) - len(wanted) + 1)
        if tuple(forms[first : first + len(wanted)]) == wanted
    ]


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
