"""Where a text matched, and the passage to show."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import islice

from access.search.folding import Word, fold, habits, spell, words
from access.search.port import TEXT_FIELD, Hit, Marked, SearchEntry
from access.search.query import Group

PASSAGE = 220
_BLOCK = 1 << 16
_PLACES = 200  # of each group of words, in one block of a long text


def hit(entry: SearchEntry, groups: Sequence[Group], words_of_files: Callable[[], str] = str) -> Hit:
    """The entry with its matches marked and the field that matches most, apart from title and number.

    Where a word stands spelled as it was typed, its other spellings are not marked: they are chance. ``words_of_files``
    is asked only when no field has all that was looked for.
    """
    found = {text: words(text) for text in (entry.title, entry.notation, *(text for _, text in entry.texts))}
    spelled = frozenset(
        group for group in groups if group.accented and any(_places(one, group, exactly=True) for one in found.values())
    )
    title, entitled = _mark(entry.title, found[entry.title], groups, spelled)
    notation, _ = _mark(entry.notation, found[entry.notation], groups, spelled)
    best: tuple[int, str, Marked] | None = None
    for name, text in entry.texts:
        if title.marks and text in (entry.type_name, entry.organ):
            continue  # shown beside the title anyway
        marked, distinct = _mark(text, found[text], groups, spelled)
        if distinct and (best is None or distinct > best[0]):
            best = (distinct, name, marked)
    in_fields = best[0] if best else 0
    wanting = max(entitled, in_fields) < len(groups)
    if wanting and (passage := _in_long_text(words_of_files(), groups)) and passage[0] > in_fields:
        return Hit(entry, title, notation, passage[1], TEXT_FIELD)
    if best is None:
        return Hit(entry, title, notation, None, "")
    return Hit(entry, title, notation, _passage(best[2]), best[1])


def _in_long_text(text: str, groups: Sequence[Group]) -> tuple[int, Marked] | None:
    """How many of the groups one passage of a text in NFC has, and that passage, the first with most of them."""
    best: tuple[int, int, tuple[int, int], frozenset[Group]] | None = None
    for begin in range(0, len(text), _BLOCK):
        found = _in_block(text[begin : begin + _BLOCK + PASSAGE], groups)
        if found is not None and (best is None or found[0] > best[0]):
            best = (found[0], begin, *found[1:])
            if best[0] == len(groups):
                break
    if best is None:
        return None
    most, at, (start, stop), exactly = best
    begin, end = _bounds(text, at + start, at + stop)
    passage = text[begin:end]
    return most, _framed(_mark(passage, words(passage), groups, exactly)[0], begin > 0, end < len(text))


def _in_block(block: str, groups: Sequence[Group]) -> tuple[int, tuple[int, int], frozenset[Group]] | None:
    """As above: how many, where the passage begins to match, and which groups stand as they were typed."""
    folded = fold(block)
    if len(folded) != len(block):
        return None
    spelled = spell(block) if any(group.accented for group in groups) else ""
    exactly = frozenset(group for group in groups if group.accented and _pattern(group.exact).search(spelled))
    places = sorted(
        (match.start(), match.end(), number)
        for number, group in enumerate(groups)
        for match in islice(
            _pattern(group.exact).finditer(spelled) if group in exactly else _pattern(group.folded).finditer(folded),
            _PLACES,
        )
    )
    if not places:
        return None
    room = PASSAGE * 3 // 4
    near = [
        len({one for start, _, one in places[at : at + 50] if start <= places[at][0] + room})
        for at in range(len(places))
    ]
    at = near.index(max(near))
    return near[at], places[at][:2], exactly


def _pattern(forms: Sequence[str]) -> re.Pattern[str]:
    """The words side by side, as whole words."""
    written = ("|".join(map(re.escape, habits(form))) for form in forms)
    return re.compile(r"(?<![^\W_])" + r"[\W_]+".join(f"(?:{one})" for one in written) + r"(?![^\W_])")


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
    begin, end = _bounds(text, *marked.marks[0])
    kept = tuple((start - begin, min(stop, end) - begin) for start, stop in marked.marks if begin <= start < end)
    return _framed(Marked(text[begin:end], kept), begin > 0, end < len(text))


def _bounds(text: str, start: int, stop: int) -> tuple[int, int]:
    """From where to where a passage around a match reaches."""
    begin = max(0, start - PASSAGE // 4)
    end = min(len(text), begin + PASSAGE)
    if begin:
        begin = text.find(" ", begin, start) + 1 or begin
    if end < len(text):
        end = max(text.rfind(" ", stop, end), 0) or end
    return begin, end


def _framed(marked: Marked, more_before: bool, more_after: bool) -> Marked:
    head, tail = ("… " if more_before else ""), (" …" if more_after else "")
    marks = tuple((start + len(head), stop + len(head)) for start, stop in marked.marks)
    return Marked(head + marked.text + tail, marks)
