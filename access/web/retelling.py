"""The sentences of events, which the archive keeps in English, told again in the reader's language."""

from __future__ import annotations

import re
from functools import cache

from access.web.words import Language, all_words, word

_KNOWN = (
    "detail.given_dip",
    "detail.given_note",
    "detail.given_link",
    "detail.given_aip",
    "detail.validated",
    "detail.digests",
    "detail.digests_note",
    "detail.formats",
    "detail.formats_note",
    "detail.made",
    "detail.made_note",
    "detail.taken_over",
    "detail.taken_over_note",
    "detail.scanned",
    "detail.scanned_named",
    "detail.scanned_note",
    "detail.released",
    "detail.inspected",
    "detail.inspected_named",
    "detail.inspected_note",
    "detail.extracted",
    "detail.extracted_note",
    "detail.signed",
    "detail.signed_note",
    "detail.signed_none",
    "detail.signed_by",
    "detail.signed_file",
    "detail.replicated",
    "detail.read_back",
    "detail.ended",
    "detail.read_whole",
    "detail.recovered",
    "detail.recovery_begun",
    "detail.recovery_cut_off",
    "detail.copied",
    "detail.taken_in",
)


def retell(language: Language, text: str) -> str:
    """``text`` in this language when it is a sentence that we know, else as it was written."""
    if language is Language.EN:
        return text
    for pattern, key in _patterns():
        if found := pattern.fullmatch(text):
            return word(language, key, **{name: _number(value) for name, value in found.groupdict().items()})
    return text


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The English wording of each sentence as a pattern; its braces are what may differ."""
    return tuple(
        (re.compile(re.sub(r"\\\{([a-z]+)\\\}", r"(?P<\1>.+?)", re.escape(all_words()[key].en)), re.DOTALL), key)
        for key in _KNOWN
    )


def _number(text: str) -> str:
    """Numbers as people write them; a code such as 02 is none."""
    plain = text.isascii() and text.isdigit() and str(int(text)) == text
    return f"{int(text):,}".replace(",", ".") if plain else text
