"""Walking through XML from outside: expat with limits, which reads nothing beyond the document.

References to entities in text are not expanded (those in attributes only within expat's own bound).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain
from xml.parsers import expat

from preservation.formats.task import Broken

DEPTH = 500
TOKEN = 16 << 20
SEPARATOR = "}"
_AMPLIFIED = "limit on input amplification factor (from DTD and entities) breached"
_DECLARED = re.compile(rb"<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_OF_SEVERAL_BYTES = {
    "big5": "big5hkscs",
    "cp932": "cp932",
    "cp949": "cp949",
    "euc_jp": "euc_jp",
    "euc_kr": "cp949",
    "gb18030": "gb18030",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
}
"""Encodings that expat does not read, as Python names them, and those that hold what is written under their names."""


class Undecided(Exception):
    """A name whose namespace only a DTD elsewhere could declare, which is not read."""


class TooMuch(Exception):
    """More than is looked at; says nothing against the file. The message, in English, says what."""


class XmlVisitor:
    """What is called on the way. Names are ``namespace}local`` or ``local``; the default does nothing."""

    declared_encoding = ""
    relies_on_dtd_elsewhere = False

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

    Raises Broken for what is not well-formed, TooMuch beyond the limits or in an encoding that is not known here,
    Undecided.
    """
    label = f"{what}: " if what else ""
    chunks, encoding = _readable(chunks, label)
    parser = _parser(visitor, label, encoding)
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
        if reason == expat.errors.XML_ERROR_UNBOUND_PREFIX and visitor.relies_on_dtd_elsewhere:
            raise Undecided from error
        raise Broken(f"{label}not well-formed at line {error.lineno}, column {error.offset + 1}: {reason}") from error
    except (LookupError, ValueError) as error:
        raise TooMuch(f"{label}an encoding that is not known here: {error}") from error


def _readable(chunks: Iterable[bytes], label: str) -> tuple[Iterable[bytes], str | None]:
    """The document in an encoding that expat reads, and which one that is when it is not the declared one."""
    pieces = iter(chunks)
    first = next(pieces, b"")
    declared = _DECLARED.match(first)
    try:
        codec = codecs.lookup(declared[1].decode("ascii")) if declared else None
    except LookupError:
        codec = None
    if codec is None or codec.name not in _OF_SEVERAL_BYTES:
        return chain((first,), pieces), None
    return _recoded(chain((first,), pieces), codecs.lookup(_OF_SEVERAL_BYTES[codec.name]), label), "utf-8"


def _recoded(pieces: Iterable[bytes], codec: codecs.CodecInfo, label: str) -> Iterator[bytes]:
    decoder = codec.incrementaldecoder()
    try:
        for piece in pieces:
            yield decoder.decode(piece).encode("utf-8")
        yield decoder.decode(b"", final=True).encode("utf-8")
    except UnicodeError as error:
        raise Broken(f"{label}not of the encoding {codec.name} that it declares") from error


def _parser(visitor: XmlVisitor, label: str, encoding: str | None) -> expat.XMLParserType:
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

    def doctype(name: str, system: str | None, public: str | None, internal: bool) -> None:
        del name, public, internal
        visitor.relies_on_dtd_elsewhere = bool(system)
        visitor.doctype()

    parser = expat.ParserCreate(encoding, SEPARATOR)
    parser.buffer_text = True
    parser.buffer_size = 64 * 1024
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = visitor.characters
    parser.StartDoctypeDeclHandler = doctype
    parser.XmlDeclHandler = declared
    parser.DefaultHandler = _ignore  # so that entities in text are not expanded
    return parser


def _ignore(_: str) -> None:
    pass


def chunks_of(read: Callable[[int], bytes], size: int = 64 * 1024) -> Iterable[bytes]:
    """What ``read`` gives until its end."""
    while chunk := read(size):
        yield chunk
