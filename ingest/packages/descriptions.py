"""Title and dates out of descriptive metadata that is not TT 05's: Dublin Core, EAD 2002, EAD 3. No more is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from metadata.xml import Element, Opened, iter_elements

_EAD = ("urn:isbn:1-931666-22-9", "http://ead3.archivists.org/schema/")
_DC = ("http://purl.org/dc/elements/1.1/", "http://purl.org/dc/terms/")
_TITLES = ("title", "unittitle")
_DATES = ("date", "created", "issued", "unitdate", "unitdatestructured")
_CONTAINERS = ("unittitle", "unitdate", "unitdatestructured")
_LOOKED = 10_000  # elements, after which a description says nothing more of the whole


@dataclass(frozen=True, slots=True)
class Described:
    """What a description says of the whole package; "" for what it does not say. Dates as they are written."""

    title: str = ""
    start: str = ""
    end: str = ""


def _names() -> frozenset[str]:
    plain = (*_TITLES, *_DATES)
    spaces = {"": plain} | dict.fromkeys(_DC, plain) | dict.fromkeys(_EAD, _CONTAINERS)
    return frozenset(f"{space}}}{name}" if space else name for space, names in spaces.items() for name in names)


_WHOLE = _names()


def read_description(stream: BinaryIO, path: str) -> Described:
    """The first title and the first date of a document in Dublin Core or EAD; nothing of others. Raises XmlRefused."""
    title = start = end = ""
    for number, item in enumerate(iter_elements(stream, _WHOLE, place=path)):
        if number >= _LOOKED or (title and start):
            continue  # read to the end all the same: a document is well-formed or it is not
        if isinstance(item, Opened) or not isinstance(item, Element):
            continue
        if item.local in _TITLES:
            title = title or _one_line(item)
        elif not start:
            start, end = _dates(item)
    return Described(title, start, end)


def _dates(element: Element) -> tuple[str, str]:
    """From ``normal="2001/2009"`` or ``standarddate``, else from the text, where ``/`` stands between two dates."""
    parts = [child for child in _all(element) if child.local in ("fromdate", "todate")]
    if parts:
        ends = [part.attributes.get("standarddate", "") or _one_line(part) for part in parts]
        return ends[0], ends[-1]
    normal = element.attributes.get("normal", "") or element.attributes.get("standarddate", "")
    text = normal or _one_line(element)
    first, slash, last = text.partition("/")
    is_range = bool(slash) and text.count("/") == 1 and len(first) >= 4
    return (first.strip(), last.strip()) if is_range else (text, text)


def _one_line(element: Element) -> str:
    return " ".join(" ".join(child.text for child in _all(element)).split())[:10_000]


def _all(element: Element) -> list[Element]:
    found, waiting = [], [element]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting.extend(reversed(one.children))
    return found
