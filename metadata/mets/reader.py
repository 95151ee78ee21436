"""Reading METS, streaming and tolerant of what TT 05's readers disagree about; strict about what would mislead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from metadata.mets.model import (
    CSIP,
    NAMESPACE,
    XLINK,
    MetsAgent,
    MetsAltRecord,
    MetsFile,
    MetsHeader,
    MetsItem,
    MetsLink,
    MetsPointer,
    MetsReference,
    MetsRoot,
)
from metadata.refusal import DocumentRefused
from metadata.xml import LIMITS, Closed, Element, Opened, Readable, XmlLimits, iter_elements

_M = NAMESPACE + "}"
_HREF = XLINK + "}href"
_FLOCAT = _M + "FLocat"
_MDREF = _M + "mdRef"
_FILE = _M + "file"
_SECTIONS = {_M + name: name for name in ("dmdSec", "digiprovMD", "techMD", "rightsMD", "sourceMD")}
_WHOLE = frozenset(_M + name for name in ("metsHdr", "file", "mdRef", "mptr", "fptr"))
_OPENED = frozenset((*_SECTIONS, _M + "fileGrp", _M + "div"))
_SIZE_DIGITS = 18


class MetsRefused(DocumentRefused):
    """A document that is no METS, or has a value that cannot be meant. ``code`` begins with ``METS-``."""


def iter_mets(stream: Readable, place: str = "METS.xml", limits: XmlLimits = LIMITS) -> Iterator[MetsItem]:
    """Read a METS document once: what it says in document order, flat in memory.

    Accepted: an empty ``amdSec``, nested ``fileGrp``, any order of attributes, checksums of either case, schema and
    profile names of any version. Metadata inside ``mdWrap`` and structure that links nothing are passed over.
    Raises XmlRefused; MetsRefused: METS-ROOT, METS-VALUE, METS-NO-HREF.
    """
    yield from _Reader(place).read(stream, limits)


class _Reader:
    """The open elements around what is read now."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._uses: list[str] = []
        self._sections: list[tuple[str, str, str]] = []
        self._divs: list[tuple[str, tuple[str, ...]]] = []
        self._make: dict[str, Callable[[Element], Iterator[MetsItem]]] = {
            _FILE: self._file,
            _MDREF: self._reference,
            _M + "metsHdr": self._header,
            _M + "mptr": self._pointer,
            _M + "fptr": self._link,
        }

    def read(self, stream: Readable, limits: XmlLimits) -> Iterator[MetsItem]:
        make, begun = self._make, False
        for event in iter_elements(stream, _WHOLE, _OPENED, place=self._place, limits=limits):
            if isinstance(event, Element):
                if not begun:
                    raise MetsRefused("METS-ROOT", self._place, root=event.name)
                yield from make[event.name](event)
            elif isinstance(event, Closed):
                self._close(event.name)
            elif begun:
                self._open(event)
            else:
                yield self._root(event)
                begun = True

    def _root(self, event: Opened) -> MetsRoot:
        if event.name != _M + "mets":
            raise MetsRefused("METS-ROOT", self._place, root=event.name)
        found = event.attributes
        content = found.get(f"{CSIP}}}CONTENTINFORMATIONTYPE", "")
        return MetsRoot(
            found.get("OBJID", ""), found.get("TYPE", ""), found.get("PROFILE", ""), found.get("LABEL", ""), content
        )

    def _open(self, event: Opened) -> None:
        found = event.attributes
        if event.name in _SECTIONS:
            self._sections.append((_SECTIONS[event.name], found.get("ID", ""), found.get("STATUS", "")))
        elif event.name == _M + "fileGrp":
            self._uses.append(found.get("USE", "") or (self._uses[-1] if self._uses else ""))
        else:
            self._divs.append((found.get("LABEL", ""), tuple(found.get("DMDID", "").split())))

    def _close(self, name: str) -> None:
        if name in _SECTIONS:
            self._sections.pop()
        elif name == _M + "fileGrp":
            self._uses.pop()
        elif name == _M + "div":
            self._divs.pop()

    def _header(self, element: Element) -> Iterator[MetsItem]:
        found = element.attributes
        yield MetsHeader(
            found.get("CREATEDATE", ""),
            found.get("LASTMODDATE", ""),
            found.get("RECORDSTATUS", ""),
            found.get(f"{CSIP}}}OAISPACKAGETYPE", ""),
        )
        for child in element.children:
            if child.name == _M + "agent":
                yield _agent(child)
            elif child.name == _M + "altRecordID":
                yield MetsAltRecord(child.attributes.get("TYPE", ""), child.text.strip())

    def _file(self, element: Element) -> Iterator[MetsItem]:
        found = element.attributes
        located = False
        for child in element.children:
            if child.name == _FLOCAT:
                located = True
                yield MetsFile(
                    found.get("ID", ""),
                    self._uses[-1] if self._uses else "",
                    self._href(child, found.get("ID", "")),
                    self._size(found),
                    found.get("MIMETYPE", ""),
                    found.get("CHECKSUMTYPE", ""),
                    found.get("CHECKSUM", "").strip(),
                    found.get("CREATED", ""),
                )
            elif child.name == _FILE:
                located = True
                yield from self._file(child)
        if not located:
            raise MetsRefused("METS-NO-HREF", self._place, id=found.get("ID", ""))

    def _reference(self, element: Element) -> Iterator[MetsItem]:
        found = element.attributes
        section, identifier, status = self._sections[-1] if self._sections else ("", "", "")
        yield MetsReference(
            section,
            identifier,
            status,
            self._href(element, identifier),
            self._size(found),
            found.get("OTHERMDTYPE", "") or found.get("MDTYPE", ""),
            found.get("MDTYPEVERSION", ""),
            found.get("MIMETYPE", ""),
            found.get("CHECKSUMTYPE", ""),
            found.get("CHECKSUM", "").strip(),
            found.get("CREATED", ""),
            found.get("LABEL", ""),
            found.get(f"{XLINK}}}title", ""),
        )

    def _pointer(self, element: Element) -> Iterator[MetsItem]:
        label = self._divs[-1][0] if self._divs else ""
        yield MetsPointer(label, self._href(element, label), element.attributes.get(f"{XLINK}}}title", ""))

    def _link(self, element: Element) -> Iterator[MetsItem]:
        file_id = element.attributes.get("FILEID", "")
        if self._divs and self._divs[-1][1] and file_id:
            yield MetsLink(*self._divs[-1], file_id)

    def _href(self, element: Element, identifier: str) -> str:
        href = element.attributes.get(_HREF, "").strip()
        if not href:
            raise MetsRefused("METS-NO-HREF", self._place, id=identifier)
        return href

    def _size(self, found: Mapping[str, str]) -> int | None:
        text = found.get("SIZE", "").strip()
        if not text:
            return None
        if not (text.isascii() and text.isdigit()) or len(text) > _SIZE_DIGITS:
            raise MetsRefused("METS-VALUE", self._place, attribute="SIZE", value=text, id=found.get("ID", ""))
        return int(text)


def _agent(element: Element) -> MetsAgent:
    found = element.attributes
    notes = tuple(
        (child.attributes.get(f"{CSIP}}}NOTETYPE", ""), child.text.strip())
        for child in element.children
        if child.name == _M + "note"
    )
    return MetsAgent(
        role=found.get("ROLE", ""),
        type=found.get("TYPE", ""),
        name=element.find_text(_M + "name").strip(),
        other_type=found.get("OTHERTYPE", ""),
        notes=notes,
    )
