"""TT 05's ``<simpledc>`` documents (EAD.xml, EAD_doc_*.xml; they are not EAD): names and texts, read and written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from metadata.refusal import DocumentRefused
from metadata.tt05.profile import DocumentKind
from metadata.xml import Element, Opened, Readable, escape_text, iter_elements

_FIELD_LIMIT = 1000
_FILE_NAME = re.compile(r"EAD_(?P<kind>doc|pic|media)_(?P<name>.+)\.xml", re.IGNORECASE | re.DOTALL)
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class RecordRefused(DocumentRefused):
    """A document that is no TT 05 record at all. ``code`` is TT05-ROOT or TT05-TOO-MANY-FIELDS."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Names and texts in the order in which they were received. A name may stand more than once."""

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Fields:
        return cls(tuple(pairs.items() if isinstance(pairs, Mapping) else pairs))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)

    def get(self, *names: str) -> str:
        """The first text that is not empty under the first of ``names`` that has one, else ``""``."""
        for name in names:
            for key, text in self.pairs:
                if key == name and text:
                    return text
        return ""

    def all(self, name: str) -> tuple[str, ...]:
        """Every text under ``name``, in order."""
        return tuple(text for key, text in self.pairs if key == name)

    def joined(self) -> dict[str, str]:
        """One text for each name, in order of first appearance; texts of a repeated name joined by ``; ``."""
        result: dict[str, str] = {}
        for name, text in self.pairs:
            result[name] = f"{result[name]}; {text}" if result.get(name) and text else result.get(name, "") or text
        return result

    def named(self, aliases: Mapping[str, str]) -> Fields:
        """The same with every alias replaced by the name it stands for, unless that name is there too."""
        present = {name for name, _ in self.pairs}
        return Fields(
            tuple((aliases[n] if n in aliases and aliases[n] not in present else n, t) for n, t in self.pairs)
        )


def document_kind(file_name: str) -> tuple[DocumentKind, str] | None:
    """What ``EAD_doc_File1.xml`` describes and the name in it (``File1``); None for other names. Any case."""
    match = _FILE_NAME.fullmatch(file_name)
    return (DocumentKind(match["kind"].lower()), match["name"]) if match else None


def read_simpledc(stream: Readable, place: str = "EAD.xml") -> Fields:
    """Read a ``<simpledc>`` document: its fields in order, texts without white space around them.

    Namespaces and order do not matter; a field with fields in it gives those. Raises XmlRefused, RecordRefused.
    """
    pairs: list[tuple[str, str]] = []
    root = ""
    for event in iter_elements(stream, None, place=place):
        if isinstance(event, Opened) and not root:
            root = event.name.rpartition("}")[2]
            if root.lower() != "simpledc":
                raise RecordRefused("TT05-ROOT", place, root=root)
        elif isinstance(event, Element):
            pairs.extend(_leaves(event))
        if len(pairs) > _FIELD_LIMIT:
            raise RecordRefused("TT05-TOO-MANY-FIELDS", place, limit=_FIELD_LIMIT)
    return Fields(tuple(pairs))


def _leaves(element: Element) -> Iterator[tuple[str, str]]:
    if not element.children:
        yield element.local, element.text.strip()
    for child in element.children:
        yield from _leaves(child)


def write_simpledc(out: BinaryIO, fields: Fields) -> None:
    """Write a ``<simpledc>`` document in UTF-8. Raises ValueError for a name that is no XML name."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>\n<simpledc>\n']
    for name, text in fields:
        if not _FIELD_NAME.fullmatch(name):
            raise ValueError(f"not a field name: {name[:80]!r}")
        lines.append(f"  <{name}>{escape_text(text)}</{name}>\n")
    lines.append("</simpledc>\n")
    out.write("".join(lines).encode("utf-8"))
