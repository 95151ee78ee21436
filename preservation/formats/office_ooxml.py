"""Office Open XML (docx, xlsx, pptx …): parts that must be there, well-formed XML, what is active or outside."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from metadata.characteristics import Facts
from preservation.formats.office_parts import TextVisitor, Values, Words, count, office_data, parse, told
from preservation.formats.port import Inspection, Remark
from preservation.formats.task import Broken, judged
from preservation.formats.text_encoding import in_unicode
from preservation.formats.xml_walk import XmlVisitor, local
from preservation.formats.zip_contents import ZipContents

_TYPES = "[Content_Types].xml"
_RELATIONS = "_rels/.rels"
_DDE = re.compile(r"\s*(DDEAUTO|DDE)\b", re.IGNORECASE)
_MACRO_PARTS = re.compile(r"(^|/)(vbaProject\.bin$|macrosheets/|activeX/)", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+)")


class _Relations(XmlVisitor):
    """Relationships: of each its type (last word), target, and whether it is outside."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str, bool]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if local(name) == "Relationship" and len(self.all) < 10_000:
            kind = attributes.get("Type", "").rpartition("/")[2]
            self.all.append((kind, attributes.get("Target", ""), attributes.get("TargetMode") == "External"))


class _Main(TextVisitor):
    """A part with words: also its fields that call other programs, and how many sheets it names."""

    def __init__(self, words: Words, form: Mapping[str, Any], *, wordy: bool) -> None:
        super().__init__(words, form["text"] if wordy else (), form["breaks"])
        self.root = ""
        self.dde: set[str] = set()
        self._instruction: str | None = None
        self._hyphens = words

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        short = local(name)
        self.root = self.root or short
        if short == "instrText":
            self._instruction = self._instruction or ""
        elif short == "fldSimple":
            self._field(next((text for key, text in attributes.items() if local(key) == "instr"), ""))
        elif short in ("ddeLink", "ddeItem"):
            self.dde.add("DDE")
        elif short == "softHyphen":  # how a letter of old Vietnamese fonts is written
            self._hyphens.add("\xad")

    def end(self, name: str) -> None:
        super().end(name)
        # A field's words may be cut over several runs: they are joined until the paragraph ends.
        if local(name) == "p" and self._instruction is not None:
            self._field(self._instruction)
            self._instruction = None

    def characters(self, text: str) -> None:
        super().characters(text)
        if self._instruction is not None and len(self._instruction) < 1000:
            self._instruction += text

    def _field(self, text: str) -> None:
        if found := _DDE.match(text):
            self.dde.add(found.group(1).upper())


def inspect_ooxml(contents: ZipContents) -> Inspection:
    """Raises Broken, Swollen, TooMuch."""
    for name in (_TYPES, _RELATIONS):
        if name not in contents.members:
            raise Broken(f"it has no {name}")
    contents.refuse_swollen()
    parse(contents, _TYPES, XmlVisitor())
    relations = _Relations()
    parse(contents, _RELATIONS, relations)
    main = next((target.lstrip("/") for kind, target, _ in relations.all if kind == "officeDocument"), "")
    if main not in contents.members:
        raise Broken(f"its main part {main!r} is missing" if main else "it names no main part")
    form = office_data()["ooxml"].get(main.partition("/")[0], office_data()["ooxml"]["visio"])
    words, dde = Words(), set[str]()
    for name in [main, *_parts(contents, form, main)]:
        part = _Main(words, form, wordy=name != main or form["main_has_words"])
        parse(contents, name, part)
        dde |= part.dde
    outside = _outside(contents)
    for name in contents.order:  # what was not parsed is unpacked for its check sum
        contents.check(name)
    remarks = [
        *told("FORMAT-MACROS", {posixpath.basename(n) or n for n in contents.members if _MACRO_PARTS.search(n)}),
        *told("FORMAT-DDE", dde),
        *told("FORMAT-EXTERNAL", outside),
    ]
    text, legacy = in_unicode(words.text())
    if legacy:
        remarks.append(Remark("FORMAT-LEGACY-FONT", {"encoding": legacy.upper()}))
    return Inspection(judged(remarks), tuple(remarks), _facts(contents, main), text)


def _parts(contents: ZipContents, form: Mapping[str, Any], main: str) -> list[str]:
    """Other parts with words, in the order of what they are and of their numbers."""
    found = []
    for begin in form["parts"]:
        here = [name for name in contents.members if name.startswith(begin) and name.endswith(".xml") and name != main]
        found += sorted(here, key=lambda name: [int(one) for one in _NUMBER.findall(name)[:3] if len(one) < 10])
    return found


def _outside(contents: ZipContents) -> set[str]:
    """What is taken from outside the file, as types of relationships; links to be clicked are not."""
    ordinary = office_data()["ooxml_ordinary"]["types"]
    found = set()
    for name in contents.order:
        if name.endswith(".rels"):
            relations = _Relations()
            parse(contents, name, relations)
            found |= {kind for kind, _, external in relations.all if external and kind not in ordinary}
    return found


def _facts(contents: ZipContents, main: str) -> Facts:
    """Slides are counted; pages of a text are what the file says; sheets are no pages."""
    said = Values("Pages", "Application", "AppVersion")
    if "docProps/app.xml" in contents.members:
        parse(contents, "docProps/app.xml", said)
    application = f"{said.found.get('Application', '')} {said.found.get('AppVersion', '')}".strip()
    if main.startswith("word/"):
        return Facts(pages_said=count(said.found.get("Pages", "")) or None, application=application)
    slides = sum(bool(re.fullmatch(r"ppt/slides/slide\d+\.xml", name)) for name in contents.members)
    return Facts(pages=slides if main.startswith("ppt/") else None, application=application)
