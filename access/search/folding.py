"""Vietnamese words for searching: NFC, case and diacritics folded, each word knowing where it stands in the text.

Two forms of a word are compared. ``folded`` has no diacritics and ``đ`` is ``d``, so that ``cong van`` finds
``công văn``. ``exact`` keeps them, but writes the tone mark where the new orthography puts it (``thuỵ`` for ``thụy``),
so that both habits of writing are the same word.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

MAX_WORD = 100
_WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f])*")
_MARKS = re.compile(r"[\u0300-\u036f]")
_LETTERS = tuple(chain(range(0xC0, 0x250), range(0x370, 0x530), range(0x1E00, 0x2000)))
_D_STROKES = {0x0110: "d", 0x0111: "d", 0x00D0: "d", 0x00F0: "d"}
_LOWER = {code: chr(code).lower() for code in (*range(0x41, 0x5B), *_LETTERS) if len(chr(code).lower()) == 1} | {
    0x00D0: "đ",
    0x00F0: "đ",
}
_FOLD = _LOWER | {code: unicodedata.normalize("NFD", chr(code))[0].lower() for code in _LETTERS} | _D_STROKES
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_OLD_TONE = re.compile(rf"(?:(?<=o)([{_TONES}])(?=[ae]$))|(?:(?<=u)([{_TONES}])(?=y$))")

_NEW_TONE = re.compile(rf"(?:(?<=o)([ae])|(?<=u)(y))([{_TONES}])$")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: where it begins and ends there (code points of the text as received) and its two forms."""

    start: int
    end: int
    folded: str
    exact: str


def fold(text: str) -> str:
    """``text`` in NFC, lower case, without diacritics; one code point of the NFC text gives one code point."""
    return unicodedata.normalize("NFC", text).translate(_FOLD)


def spell(text: str) -> str:
    """``text`` in NFC and lower case with its diacritics; one code point of the NFC text gives one code point."""
    return unicodedata.normalize("NFC", text).translate(_LOWER)


def exact(word: str) -> str:
    """One word in NFC and lower case with its diacritics, the tone mark of oa, oe, uy on the last vowel."""
    lower = spell(word)
    if lower[-1:] not in "aey" or lower.isascii():
        return lower
    plain = unicodedata.normalize("NFD", lower)
    if not (match := _OLD_TONE.search(plain)):
        return lower
    moved = plain[: match.start()] + plain[match.end() :] + match.group()
    return unicodedata.normalize("NFC", moved)


def habits(exactly: str) -> tuple[str, ...]:
    """Both ways to write a word that :func:`exact` gave, as they stand in lower case: one when there is but one."""
    plain = unicodedata.normalize("NFD", exactly)
    older = unicodedata.normalize("NFC", _NEW_TONE.sub(lambda found: found[3] + (found[1] or found[2]), plain))
    return (exactly,) if older == exactly else (exactly, older)


def words(text: str) -> tuple[Word, ...]:
    """The words of ``text`` in order; what is neither letter nor digit separates. Words are cut at 100 code points."""
    if unicodedata.is_normalized("NFC", text):
        return tuple(_word(match, match.start(), match.end()) for match in _WORD.finditer(text))
    composed, places = _compose(text)
    return tuple(_word(match, places[match.start()], places[match.end()]) for match in _WORD.finditer(composed))


def spellings(text: str) -> tuple[str, str]:
    """All words of a long text, folded and exact, each joined by single spaces: what :func:`words` would give."""
    forms = [_forms(word[:MAX_WORD]) for word in _WORD.findall(unicodedata.normalize("NFC", text))]
    return " ".join([folded for folded, _ in forms]), " ".join([spelled for _, spelled in forms])


@lru_cache(maxsize=1 << 15)
def _forms(word: str) -> tuple[str, str]:
    return _MARKS.sub("", fold(word)), exact(word)


def _word(match: re.Match[str], start: int, end: int) -> Word:
    return Word(start, end, *_forms(match.group()[:MAX_WORD]))


def _compose(text: str) -> tuple[str, list[int]]:
    """``text`` composed letter by letter, and for each code point of the result (and its end) its place in ``text``."""
    composed: list[str] = []
    places: list[int] = []
    start = 0
    for position in range(1, len(text) + 1):
        if position < len(text) and _continues(text[position]):
            continue
        cluster = unicodedata.normalize("NFC", text[start:position])
        composed.append(cluster)
        places.extend([start] * len(cluster))
        start = position
    return "".join(composed), [*places, len(text)]


def _continues(character: str) -> bool:
    return bool(unicodedata.combining(character)) or "\u1160" <= character <= "\u11ff"
