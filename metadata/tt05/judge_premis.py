"""Judging PREMIS.xml and PREMIS_rep1.xml of a TT 05 package: objects, events and agents have what they must have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from metadata.tt05.judge_notes import KEPT, Notes
from metadata.xml import Element, Opened, iter_elements

_TYPE = "http://www.w3.org/2001/XMLSchema-instance}type"
_LINKS = 10_000


class PremisJudge:
    """One PREMIS document. ``creation`` is the event that it must have, "" for none."""

    def __init__(self, path: str, notes: Notes, creation: str) -> None:
        self._path = path
        self._notes = notes
        self._forms = notes.profile.premis
        self._creation = creation
        self._objects = 0
        self._identifiers: set[int] = set()
        self._agents: set[str] = set()
        self._linked: dict[str, None] = {}

    def read(self, stream: BinaryIO) -> None:
        """Judge the whole document. Raises XmlRefused."""
        begun = False
        for event in iter_elements(stream, None, place=self._path):
            if isinstance(event, Opened) and not begun:
                namespace, _, local = event.name.rpartition("}")
                if local != "premis":
                    self._notes.wrong_root("PREMIS-ROOT", self._path, event.name)
                    return
                if namespace != self._forms.namespace:
                    self._notes.add("PREMIS-VERSION", self._path, value=namespace or "-")
                begun = True
            elif isinstance(event, Element):
                self._element(event)
        self._end()

    def _element(self, element: Element) -> None:
        if element.local == "object":
            self._object(element)
        elif element.local == "event":
            self._event(element)
        elif element.local == "agent":
            self._agent(element)

    def _object(self, element: Element) -> None:
        self._objects += 1
        kind, value = _text(element, "objectIdentifierType"), _text(element, "objectIdentifierValue")
        by_element = _text(element, "objectCategory")
        category = element.attributes.get(_TYPE, "").rpartition(":")[2] or by_element
        self._lacks("PREMIS-OBJECT", element, self._forms.object, xmlID=element.attributes.get("xmlID", ""),
                    objectCategory=category)  # fmt: skip
        if category and category not in self._forms.categories:
            self._notes.tally("PREMIS-CATEGORY", self._path, category)
        if by_element:
            self._notes.tally("PREMIS-CATEGORY-ELEMENT", self._path)
        pair = hash((kind, value))
        if value and pair in self._identifiers:
            self._notes.add("PREMIS-OBJECT-TWICE", self._path, value=value)
        elif len(self._identifiers) < KEPT:
            self._identifiers.add(pair)

    def _event(self, element: Element) -> None:
        kind, when = _text(element, "eventType"), _text(element, "eventDateTime")
        self._lacks("PREMIS-EVENT", element, self._forms.event)
        if when and not _is_time(when):
            self._notes.tally("PREMIS-TIME", self._path, when)
        if kind.lower() == self._creation:
            self._creation = ""
        agent = _text(element, "linkingAgentIdentifierValue")
        if agent and len(self._linked) < _LINKS:
            self._linked[agent] = None

    def _agent(self, element: Element) -> None:
        identifier = _text(element, "agentIdentifierValue")
        self._lacks("PREMIS-AGENT", element, self._forms.agent)
        if len(self._agents) < _LINKS:
            self._agents.add(identifier)

    def _lacks(self, code: str, element: Element, names: tuple[str, ...], **known: str) -> None:
        """``known`` are the values of names that are no elements in it."""
        for name in names:
            if not (known[name] if name in known else _text(element, name)).strip():
                self._notes.tally(code, self._path, wanted=name)

    def _end(self) -> None:
        if not self._objects:
            self._notes.add("PREMIS-NO-OBJECT", self._path)
        for agent in self._linked:
            if agent not in self._agents and len(self._agents) < _LINKS:
                self._notes.add("PREMIS-LINK", self._path, value=agent)
        if self._creation:
            self._notes.add("PREMIS-CREATION", self._path, wanted=self._creation)


def _text(element: Element, local: str) -> str:
    """The text of the first element of that name, however deep."""
    return next((one.text.strip() for one in _all(element) if one.local == local), "")


def _all(element: Element) -> Iterator[Element]:
    for child in element.children:
        yield child
        yield from _all(child)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
