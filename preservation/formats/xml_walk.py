"""Walking through XML from outside: expat with limits, which reads nothing beyond the document.

References to entities in text are not expanded (those in attributes only within expat's own bound).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from xml.parsers import expat

from preservation.formats.task import Broken

DEPTH = 500
TOKEN = 16 << 20
SEPARATOR = "}"
_AMPLIFIED = "limit on input amplification factor (from DTD and entities) breached"


class TooMuch(Exception):
    """More than is looked at; says nothing against the file. The message, in English, says what."""


class XmlVisitor:
    """What is called on the way. Names are ``namespace}local`` or ``local``; the default does nothing."""

    declared_encoding = ""

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def characters(self, text: str) -> None: ...

    def doctype(self) -> None:
        raise Broken("a DOCTYPE, which this format does not allow")


@lru_cache(maxsize=4096)
def local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition(SEPARATOR)[2]


def walk(chunks: Iterable[bytes], visitor: XmlVisitor, what: str = "") -> None:
    """Parse a document once, flat in memory. ``what`` names it in messages.

    Raises Broken for what is not well-formed, TooMuch beyond the limits or in an encoding that is not known here.
    """
    label = f"{what}: " if what else ""
    parser = _parser(visitor, label)
    total = 0
    try:
        for chunk in chunks:
            total += len(chunk)
            parser.Parse(chunk, False)
            if total - parser.CurrentByteIndex > TOKEN + len(chunk):
                raise TooMuch(f"{label}a tag, comment or declaration of more than {TOKEN} bytes")
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        if reason == _AMPLIFIED:
            raise TooMuch(f"{label}entities that grow beyond all bounds") from error
        raise Broken(f"{label}not well-formed at line {error.lineno}, column {error.offset + 1}: {reason}") from error
    except (LookupError, ValueError) as error:
        raise TooMuch(f"{label}an encoding that is not known here: {error}") from error


def _parser(visitor: XmlVisitor, label: str) -> expat.XMLParserType:
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH:
            raise TooMuch(f"{label}nested deeper than {DEPTH} elements")
        visitor.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        visitor.end(name)

    def declared(version: str, encoding: str | None, standalone: int) -> None:
        del version, standalone
        visitor.declared_encoding = encoding or ""

    parser = expat.ParserCreate(namespace_separator=SEPARATOR)
    parser.buffer_text = True
    parser.buffer_size = 64 * 1024
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = visitor.characters
    parser.StartDoctypeDeclHandler = lambda *_: visitor.doctype()
    parser.XmlDeclHandler = declared
    parser.DefaultHandler = _ignore  # so that entities in text are not expanded
    return parser


def _ignore(_: str) -> None:
    pass


def chunks_of(read: Callable[[int], bytes], size: int = 64 * 1024) -> Iterable[bytes]:
    """What ``read`` gives until its end."""
    while chunk := read(size):
        yield chunk
