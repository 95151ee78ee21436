"""XML: well-formed, within limits; what its root is, whether it runs scripts, what it says."""

from __future__ import annotations

from typing import BinaryIO

from metadata.characteristics import Facts
from metadata.outcomes import Validity
from preservation.formats.port import TEXT_LIMIT, Inspection, Remark, Specimen
from preservation.formats.task import judged
from preservation.formats.xml_walk import SEPARATOR, TooMuch, Undecided, XmlVisitor, chunks_of, local, walk

REFUSALS: tuple[type[Exception], ...] = ()

_ACTIVE = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml")
_ACTIVE_ROOTS = ("svg", "html")


def inspect(specimen: Specimen, file: BinaryIO | None) -> Inspection:
    """See :mod:`preservation.formats.task`."""
    if file is None:
        return Inspection(remarks=(Remark("FORMAT-TOO-LARGE"),))
    document = XmlDocument()
    try:
        walk(chunks_of(file.read, 1 << 20), document)
    except TooMuch as much:
        return Inspection(Validity.UNREADABLE, (Remark("FORMAT-UNREADABLE", {"reason": str(much)}),))
    except Undecided:
        return Inspection(remarks=(Remark("FORMAT-DOCTYPE"),), facts=Facts(claim=document.claim))
    remarks = []
    if document.relies_on_dtd:
        remarks.append(Remark("FORMAT-DOCTYPE"))
    if document.script:
        remarks.append(Remark("FORMAT-SCRIPT", {"script": document.script}))
    validity = judged(remarks)
    wide = specimen.head[:2] in (b"\xff\xfe", b"\xfe\xff")
    encoding = document.declared_encoding.lower() or ("utf-16" if wide else "utf-8")
    return Inspection(validity, tuple(remarks), Facts(encoding=encoding, claim=document.claim), document.words())


class XmlDocument(XmlVisitor):
    """Root, script and words of any document."""

    def __init__(self) -> None:
        self.root = ""
        self.script = ""
        self.relies_on_dtd = False
        self._text: list[str] = []
        self._room = TEXT_LIMIT

    @property
    def claim(self) -> str:
        """The root element, with its namespace in brackets."""
        space, _, name = self.root.rpartition(SEPARATOR)
        return f"{name} ({space})" if space else name

    def words(self) -> str:
        return "".join(self._text).strip()

    def doctype(self) -> None:
        self.relies_on_dtd = True

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.root = self.root or name
        space = name.rpartition(SEPARATOR)[0]
        if not self.script and (space in _ACTIVE or (not space and local(self.root).lower() in _ACTIVE_ROOTS)):
            self.script = _script(local(name), attributes)
        if self._room > 0 and self._text and not self._text[-1][-1:].isspace():
            self._text.append(" ")

    def characters(self, text: str) -> None:
        if self._room > 0:
            self._text.append(text[: self._room])
            self._room -= len(text)


def _script(name: str, attributes: dict[str, str]) -> str:
    """What of an element runs when a browser shows it; empty when nothing does."""
    if name.lower() == "script":
        return "<script>"
    for attribute, value in attributes.items():
        short = local(attribute).lower()
        if short.startswith("on") and len(short) > len("on"):
            return short
        if short in ("href", "src") and "".join(value[:100].split()).lower().startswith("javascript:"):
            return "javascript:"
    return ""
