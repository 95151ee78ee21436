"""Safe streaming XML: reading that refuses what is dangerous, and the escapes that writing needs.

Reading is expat with handlers of our own: a DOCTYPE stops it before any declaration is looked at, so there are no
entities, no external files and no network; depth, attributes, text and bytes are limited; memory stays flat.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote_from_bytes, unquote_to_bytes
from xml.parsers import expat

from metadata.refusal import DocumentRefused

_CHUNK = 64 * 1024
_SEPARATOR = "}"
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPED = "data:,"
_ENCODING_ERRORS = frozenset(
    expat.errors.codes[text]
    for text in (
        expat.errors.XML_ERROR_UNKNOWN_ENCODING,
        expat.errors.XML_ERROR_INCORRECT_ENCODING,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
    )
)
_INVALID_TOKEN = expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN]


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """What a document may have at most. Sizes are in bytes."""

    depth: int = 100
    attributes: int = 200
    text: int = 10_000_000  # in one element that is handed over whole, with its tags
    total: int = 2_000_000_000
    nodes: int = 100_000  # elements in one element that is handed over whole
    token: int = 10_000_000  # bytes of one tag, comment or instruction


LIMITS = XmlLimits()


class XmlRefused(DocumentRefused):
    """XML that is not well-formed, not safe or too big. ``code`` begins with ``XML-``."""


class Readable(Protocol):
    """A binary stream."""

    def read(self, size: int, /) -> bytes: ...


class Element:
    """An element with all that is in it. ``name`` is ``namespace}local`` or ``local``; so are the attributes' names.

    A plain class: a million files make twenty million of these.
    """

    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[Element] | tuple[()] = ()
        self.text = ""

    @property
    def local(self) -> str:
        """The name without its namespace."""
        return self.name.rpartition(_SEPARATOR)[2]

    def find(self, name: str) -> Element | None:
        """The first child of that name."""
        for child in self.children:
            if child.name == name:
                return child
        return None

    def find_text(self, *path: str) -> str:
        """The text of the first element along ``path``, ``""`` when there is none."""
        at: Element | None = self
        for name in path:
            at = at.find(name) if at is not None else None
        return at.text if at is not None else ""


@dataclass(frozen=True, slots=True)
class Opened:
    """An element that is not handed over whole has begun."""

    name: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Closed:
    """It has ended."""

    name: str


XmlEvent = Element | Opened | Closed


def iter_elements(
    stream: Readable,
    whole: Collection[str] | None,
    opened: Collection[str] = (),
    *,
    place: str = "XML",
    limits: XmlLimits = LIMITS,
) -> Iterator[XmlEvent]:
    """Read ``stream`` once, in document order, with memory that does not grow with it.

    Elements named in ``whole`` come as :class:`Element` when they end (the outermost where they nest); those named in
    ``opened`` come as :class:`Opened` and :class:`Closed` around what is in them; others are passed over. ``whole``
    None means every child of the root. The root itself always comes as Opened and Closed unless it is in ``whole``.
    Raises XmlRefused, and what ``stream`` raises.
    """
    reader = _Reader(whole, opened, place, limits)
    total = 0
    while chunk := stream.read(_CHUNK):
        total += len(chunk)
        if total > limits.total:
            reader.too_large("bytes", limits.total)
        reader.feed(chunk, total)
        yield from reader.take()
    reader.end()
    yield from reader.take()


class _Reader:
    """Expat's handlers, and the events that they have made since the last ``take``."""

    def __init__(self, whole: Collection[str] | None, opened: Collection[str], place: str, limits: XmlLimits) -> None:
        self._whole = frozenset(whole) if whole is not None else None
        self._opened = frozenset(opened)
        self._place = place
        self._limits = limits
        self._events: list[XmlEvent] = []
        self._depth = 0
        self._record_begin: int | None = None
        self._chunk = b""
        self._begin = 0
        self._parser = parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        parser.buffer_text = True
        parser.buffer_size = _CHUNK
        parser.StartElementHandler = self._start_outside
        parser.EndElementHandler = self._end_outside
        parser.StartDoctypeDeclHandler = self._doctype

    def take(self) -> list[XmlEvent]:
        events, self._events = self._events, []
        return events

    def feed(self, chunk: bytes, total: int) -> None:
        self._chunk, self._begin = chunk, total - len(chunk)
        self._run(lambda: self._parser.Parse(chunk, False))
        if total - self._parser.CurrentByteIndex > self._limits.token + 2 * _CHUNK:
            self.too_large("bytes in one tag", self._limits.token)
        if self._record_begin is not None and total - self._record_begin > self._limits.text:
            self.too_large("bytes in one record", self._limits.text)

    def end(self) -> None:
        self._run(lambda: self._parser.Parse(b"", True))

    def too_large(self, what: str, limit: int) -> None:
        raise XmlRefused("XML-TOO-LARGE", self._place, what=what, limit=limit, line=self._parser.CurrentLineNumber)

    def _run(self, parse: Callable[[], object]) -> None:
        try:
            parse()
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            bad_bytes = error.code == _INVALID_TOKEN and self._undecodable()
            if error.code in _ENCODING_ERRORS or bad_bytes:
                raise XmlRefused("XML-ENCODING", self._place, line=error.lineno, reason=reason) from error
            raise XmlRefused(
                "XML-NOT-WELL-FORMED", self._place, line=error.lineno, column=error.offset + 1, reason=reason
            ) from error
        except (LookupError, ValueError, UnicodeError) as error:  # from the decoder of an encoding expat does not know
            line = self._parser.CurrentLineNumber
            raise XmlRefused("XML-ENCODING", self._place, line=line, reason=error) from error

    def _undecodable(self) -> bool:
        """Whether the byte that stopped expat is one that no XML in ASCII has: then the encoding is what is wrong."""
        at = self._parser.ErrorByteIndex - self._begin
        return 0 <= at < len(self._chunk) and self._chunk[at] >= 0x80

    def _doctype(self, *_: object) -> None:
        raise XmlRefused("XML-DOCTYPE", self._place, line=self._parser.CurrentLineNumber)

    def _too_deep(self) -> None:
        raise XmlRefused("XML-TOO-DEEP", self._place, line=self._parser.CurrentLineNumber, limit=self._limits.depth)

    def _start_outside(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > self._limits.depth:
            self._too_deep()
        if len(attributes) > self._limits.attributes:
            self.too_large("attributes", self._limits.attributes)
        if name in self._whole if self._whole is not None else self._depth == 2:
            self._record(Element(name, attributes))
        elif self._depth == 1 or name in self._opened:
            self._events.append(Opened(name, attributes))

    def _end_outside(self, name: str) -> None:
        self._depth -= 1
        if self._depth == 0 or name in self._opened:
            self._events.append(Closed(name))

    def _record(self, record: Element) -> None:
        """Take everything up to the end of ``record``. Closures, because these three run for every element and text."""
        parser, path, nodes = self._parser, [record], 0
        most_attributes, most_nodes = self._limits.attributes, self._limits.nodes
        room = self._limits.depth - self._depth
        at = record
        more: list[str] = []  # the text of ``at`` after its first piece: joined once, for it may be long

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal at, nodes
            nodes += 1
            if len(path) > room:
                self._too_deep()
            if len(attributes) > most_attributes:
                self.too_large("attributes", most_attributes)
            if nodes > most_nodes:
                self.too_large("elements in one record", most_nodes)
            if more:
                settle()
            element = Element(name, attributes)
            if at.children:
                at.children.append(element)
            else:
                at.children = [element]
            path.append(element)
            at = element

        def characters(text: str) -> None:
            if at.text:
                more.append(text)
            else:
                at.text = text

        def settle() -> None:
            at.text += "".join(more)
            more.clear()

        def end(_: str) -> None:
            nonlocal at
            if more:
                settle()
            path.pop()
            if path:
                at = path[-1]
            else:
                self._end_record(record)

        self._record_begin = parser.CurrentByteIndex
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = characters

    def _end_record(self, record: Element) -> None:
        self._depth -= 1
        self._events.append(record)
        self._record_begin = None
        self._parser.StartElementHandler = self._start_outside
        self._parser.EndElementHandler = self._end_outside
        self._parser.CharacterDataHandler = None


def legal(text: str) -> str:
    """``text`` for a label: characters that XML 1.0 cannot hold are shown as ``\\u0001``. Not reversible."""
    return _ILLEGAL.sub(lambda match: f"\\u{ord(match.group()):04x}", text) if _ILLEGAL.search(text) else text


def escape_text(text: str) -> str:
    """``text`` as element content. What XML 1.0 cannot hold is shown as by :func:`legal`."""
    text = legal(text)
    if "&" in text or "<" in text or ">" in text or "\r" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return text


def escape_attribute(text: str) -> str:
    """``text`` as the content of an attribute in double quotes."""
    text = escape_text(text)
    if '"' in text or "\n" in text or "\t" in text:
        return text.replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
    return text


def exact_text(text: str) -> str:
    """``text`` for XML such that :func:`read_exact` gives it back, whatever characters it has.

    Text that XML 1.0 can hold stays as it is. Other text (control characters, bytes of a name that were not UTF-8) is
    written as an RFC 2397 URL: ``data:,`` and the UTF-8 bytes percent-encoded; so is text that itself begins so.
    """
    if _ILLEGAL.search(text) or text.startswith(_ESCAPED):
        return _ESCAPED + quote_from_bytes(text.encode("utf-8", "surrogateescape"))
    return text


def read_exact(text: str) -> str:
    """Inverse of :func:`exact_text`."""
    if text.startswith(_ESCAPED):
        return unquote_to_bytes(text[len(_ESCAPED) :]).decode("utf-8", "surrogateescape")
    return text
