"""In what colour the page images of a PDF are, by what their dictionaries say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pikepdf

from preservation.formats.pdf_objects import resolved

Size = tuple[int, int]

_COMPONENTS = {"/DeviceGray": 1, "/CalGray": 1, "/DeviceRGB": 3, "/CalRGB": 3, "/Lab": 3, "/DeviceCMYK": 4}
_MODELS = {1: "grey", 3: "RGB", 4: "CMYK"}


def poorest_colour(
    pdf: pikepdf.Pdf, known: Mapping[Size, Sequence[dict[str, Any]]], pages: Sequence[Sequence[Size]]
) -> str:
    """Of each page's images the richest colour, of those the poorest; empty when one is not known.

    ``known``: what dictionaries of images of a size say. ``pages``: of each page image the sizes of its pictures.
    """
    poorest: tuple[int, str] | None = None
    for sizes in dict.fromkeys(tuple(one) for one in pages):
        found = [_of_image(pdf, one) for size in sizes for one in known.get(size, [])]
        if not found or any(bits == 0 for bits, _ in found):
            return ""
        poorest = min(poorest or max(found), max(found))
    return poorest[1] if poorest else ""


def _of_image(pdf: pikepdf.Pdf, described: Mapping[str, Any]) -> tuple[int, str]:
    """Bits a pixel, and the colour's name; (0, "") when the dictionary does not say."""
    if described["/ImageMask"] is True:
        return 1, "bilevel"
    bits = described["/BitsPerComponent"]
    model, components = _space(pdf, described["/ColorSpace"])
    if not (isinstance(bits, int) and 0 < bits <= 16 and components):
        return 0, ""
    return components * bits, "bilevel" if (model, bits) == ("grey", 1) else model


def _space(pdf: pikepdf.Pdf, value: object) -> tuple[str, int]:
    """The name of a colour space and its components; ("", 0) when it is none that is known."""
    value = resolved(pdf, value)
    parts: list[Any] = value if isinstance(value, list) else [value]
    kind, more = parts[0] if parts else None, parts[1] if len(parts) > 1 else None
    if kind in ("/Indexed", "/I"):
        return "palette", 1
    if kind == "/Separation":
        return "spot", 1
    if kind == "/DeviceN":
        return "spot", len(more) if isinstance(more, list) else 0
    components = _COMPONENTS.get(kind) if isinstance(kind, str) else None
    if kind == "/ICCBased":
        profile = resolved(pdf, more)
        components = profile.get("/N") if isinstance(profile, dict) else None
    return (_MODELS[components], components) if components in _MODELS else ("", 0)
