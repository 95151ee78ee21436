"""What the first pages of a PDF paint: pictures, forms and fonts that are not there, colours of the device."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pikepdf

from preservation.formats.pdf_objects import FAULTS

PAGES = 200
BYTES = 16 << 20
"""Of decoded contents, in all; a page with more than a sixteenth of it is passed over."""

FORMS = 200_000
"""Forms that one form may come to, those within others counted as often as they are painted."""

Number = tuple[int, int]

_PAINTED = re.compile(rb"(/[^\s/<>\[\](){}%]{1,200})\s+Do\b")
_COLOURS = {"rg": "RGB", "RG": "RGB", "k": "CMYK", "K": "CMYK", "g": "Gray", "G": "Gray"}
_USED = {"Do": "/XObject", "Tf": "/Font"}


@dataclass(slots=True)
class Contents:
    """``missing``: what is painted and is not there, with its page. ``colours`` of the device that are set: Gray, RGB,
    CMYK. What forms on the pages paint is not looked at."""

    missing: list[str] = field(default_factory=list)
    colours: set[str] = field(default_factory=set)


def read_contents(pdf: pikepdf.Pdf) -> Contents:
    """Look at the first pages. A page whose contents cannot be read is passed over."""
    found, left = Contents(), BYTES
    for number, page in enumerate(pdf.pages):
        if number >= PAGES or left <= 0:
            break
        try:
            size = _size(page)
            if size <= BYTES // 16:
                left -= size
                _read(found, page, number + 1)
        except (*FAULTS, ValueError, TypeError, LookupError, AttributeError):
            continue
    return found


def multiplies(pdf: pikepdf.Pdf, forms: Mapping[Number, Mapping[str, Number]]) -> bool:
    """Whether forms that paint forms come to more than ``FORMS`` from any one. One that paints itself never ends."""
    weights: dict[Number, int] = {}
    for first in forms:
        if first in weights:
            continue
        path = {first: _paints(pdf, forms, first)}
        while path:
            one, parts = next(reversed(path.items()))
            following = next((part for part in parts if part not in weights and part not in path), None)
            if following is not None:
                path[following] = _paints(pdf, forms, following)
                continue
            del path[one]
            weight = 1 + sum(times * weights.get(part, FORMS) for part, times in parts.items())
            if weight > FORMS:
                return True
            weights[one] = weight
    return False


def _paints(pdf: pikepdf.Pdf, forms: Mapping[Number, Mapping[str, Number]], form: Number) -> Counter[Number]:
    """How often a form paints which forms."""
    known = {name: part for name, part in forms[form].items() if part in forms}
    found = Counter[Number]()
    if known:
        try:
            thing: object = pdf.get_object(form)
            contents = bytes(thing.get_stream_buffer()) if isinstance(thing, pikepdf.Stream) else b""
        except FAULTS:
            return found
        for match in _PAINTED.finditer(contents):
            if (part := known.get(match[1].decode("latin-1"))) is not None:
                found[part] += 1
    return found


def _size(page: pikepdf.Page) -> int:
    contents = page.obj.get("/Contents")
    streams = list(contents) if isinstance(contents, pikepdf.Array) else [contents]
    return sum(len(memoryview(one.get_stream_buffer())) for one in streams if isinstance(one, pikepdf.Stream))


def _read(found: Contents, page: pikepdf.Page, number: int) -> None:
    resources = page.resources
    known = {operator: resources.get(kind) for operator, kind in _USED.items()}
    for instruction in pikepdf.parse_content_stream(page, "Do Tf g G rg RG k K"):
        operator = str(instruction.operator)
        if operator in _COLOURS:
            found.colours.add(_COLOURS[operator])
        elif operator in known and len(found.missing) < 100:
            name, there = str(instruction.operands[0]), known[operator]
            if not isinstance(there, pikepdf.Dictionary) or not isinstance(there.get(name), pikepdf.Object):
                found.missing.append(f"page {number}: {name} is not there")
