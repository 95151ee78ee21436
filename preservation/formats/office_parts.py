"""What the readers of ZIP-based office formats have in common: parts parsed from members, words within bounds."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources
from typing import Any

from preservation.formats.port import TEXT_LIMIT, Remark
from preservation.formats.xml_walk import XmlVisitor, local, walk
from preservation.formats.zip_contents import ZipContents

_LISTED = 5


@cache
def office_data() -> Mapping[str, Any]:
    """``office.toml``."""
    return tomllib.loads((resources.files("preservation.formats") / "office.toml").read_text(encoding="utf-8"))


class Words:
    """Words of a document, up to the bound; spaces where lines end."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._room = TEXT_LIMIT

    @property
    def full(self) -> bool:
        return self._room <= 0

    def add(self, text: str) -> None:
        if self._room > 0:
            self._parts.append(text[: self._room])
            self._room -= len(text)

    def end_line(self) -> None:
        if self._parts and self._parts[-1] != "\n":
            self.add("\n")

    def text(self) -> str:
        return "".join(self._parts).strip()


class TextVisitor(XmlVisitor):
    """Takes the words inside elements named in ``text`` (None: all), and ends a line after those in ``breaks``."""

    def __init__(self, words: Words, text: Collection[str] | None, breaks: Collection[str]) -> None:
        self._words = words
        self._text = None if text is None else frozenset(text)
        self._breaks = frozenset(breaks)
        self._inside = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        del attributes
        if self._text is None or local(name) in self._text:
            self._inside += 1

    def end(self, name: str) -> None:
        short = local(name)
        if self._text is None or short in self._text:
            self._inside -= 1
        if short in self._breaks:
            self._words.end_line()

    def characters(self, text: str) -> None:
        if self._inside:
            self._words.add(text)


def parse(contents: ZipContents, name: str, visitor: XmlVisitor) -> None:
    """Walk through a member. Raises KeyError when it is not there, else as its parts do."""
    walk(contents.chunks(name), visitor, name)


class Values(XmlVisitor):
    """The text of some elements of a small document, by their local names; the first of each."""

    def __init__(self, *wanted: str) -> None:
        self._wanted = frozenset(wanted)
        self._at = ""
        self.found: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        del attributes
        short = local(name)
        self._at = short if short in self._wanted and short not in self.found else ""
        if self._at:
            self.found[short] = ""

    def end(self, name: str) -> None:
        self._at = ""

    def characters(self, text: str) -> None:
        if self._at and len(self.found[self._at]) < 300:
            self.found[self._at] += text


def count(text: str) -> int | None:
    """A count that a file tells of itself; None for what is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def listed(things: Collection[str]) -> str:
    """The first few, for a sentence."""
    ordered = sorted(set(things))
    return ", ".join(ordered[:_LISTED]) + (", …" if len(ordered) > _LISTED else "")


def told(code: str, things: Collection[str]) -> list[Remark]:
    """A remark that lists things, when there are any."""
    return [Remark(code, {"found": listed(things)})] if things else []
