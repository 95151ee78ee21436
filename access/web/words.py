"""The words of the pages in both languages, from ``words.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType

from metadata.text import Sentence


class Language(StrEnum):
    VI = "vi"
    EN = "en"

    def of(self, sentence: Sentence) -> str:
        """The sentence in this language."""
        return sentence.vi if self is Language.VI else sentence.en


@cache
def all_words(package: str = "access.web") -> Mapping[str, Sentence]:
    """Every word of a package's ``words.toml`` by its key, such as ``search.title``."""
    data = tomllib.loads((resources.files(package) / "words.toml").read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            f"{section}.{key}": Sentence(entry["vi"], entry["en"])
            for section, entries in data.items()
            for key, entry in entries.items()
        }
    )


def word(language: Language, key: str, **details: object) -> str:
    """A word of access, its braces filled with ``details``. Raises KeyError for an unknown key or a missing detail."""
    return say(all_words(), language, key, **details)


def say(words: Mapping[str, Sentence], language: Language, key: str, /, **details: object) -> str:
    """One of ``words``, as :func:`word`."""
    return language.of(words[key]).format_map(details)
