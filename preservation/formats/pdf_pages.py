"""What the pages of a PDF show: their words, and whether they are pictures of paper; by PDFium.

Images are not decoded: their size in pixels stands in their dictionary, their size on paper in the page.
"""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pypdfium2
import pypdfium2.raw as raw

from preservation.formats.port import TEXT_LIMIT

PAGES = 5_000
"""Pages that are looked at."""

SECONDS = 20.0
"""After so long no further page is begun."""

_OBJECTS = 20_000
_DEPTH = 3
_FILLS = 0.75
"""Share of a page from which an image, or several of a twentieth each, make it a page image."""
_STRIP = 0.05
_INVISIBLE = 3

_Handle = Any
"""What PDFium gives for one of its things."""

Matrix = tuple[float, float, float, float, float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class PageImage:
    """A page that is one picture: page number from 1, the pictures' sizes in pixels, dots an inch of the best picture
    that fills it (of the worst strip when strips fill it together), whether there are words on the page."""

    page: int
    sizes: tuple[tuple[int, int], ...]
    resolution: int
    words: bool


@dataclass(slots=True)
class Pages:
    """``text`` of all pages, at most TEXT_LIMIT characters. ``looked_at`` is smaller than ``count`` when a bound was
    reached. ``fonts``: names of fonts that visible words use and the file does not bring along."""

    count: int = 0
    looked_at: int = 0
    text: str = ""
    images: list[PageImage] = field(default_factory=list)
    fonts: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Picture:
    pixels: tuple[int, int]
    share: float
    resolution: float


def read_pages(file: BinaryIO, *, fonts: bool) -> Pages:
    """Look at the pages one after the other. Raises pypdfium2.PdfiumError when PDFium refuses the document; a page that
    it refuses counts as one without anything on it."""
    pages, until = Pages(), time.monotonic() + SECONDS
    texts, length = [], 0
    file.seek(0)
    with pypdfium2.PdfDocument(file) as document:
        pages.count = len(document)
        for number in range(min(pages.count, PAGES)):
            if time.monotonic() > until:
                break
            pages.looked_at += 1
            try:
                page = document[number]
            except pypdfium2.PdfiumError:
                continue
            with closing(page):
                text = _text(page)
                _look(pages, page, number + 1, words=bool(text.strip()), fonts=fonts)
            if length < TEXT_LIMIT and text:
                texts.append(text)
                length += len(text) + 1
    pages.text = "\n".join(texts)[:TEXT_LIMIT]
    return pages


def _text(page: pypdfium2.PdfPage) -> str:
    """The words of a page as PDFium puts them in order; its own line ends and its mark for a hyphen made plain."""
    try:
        with closing(page.get_textpage()) as words:
            text: str = words.get_text_bounded()
    except pypdfium2.PdfiumError:
        return ""
    return text.replace("\r\n", "\n").replace("\x02", "-").replace("\ufffe", "-")


def _look(pages: Pages, page: pypdfium2.PdfPage, number: int, *, words: bool, fonts: bool) -> None:
    left, bottom, right, top = page.get_bbox()
    area = (right - left) * (top - bottom)
    pictures = []
    for kind, thing, matrix in _things(page):
        if kind == raw.FPDF_PAGEOBJ_IMAGE and area > 0:
            picture = _picture(thing, matrix, (left, bottom, right, top), area)
            if picture is not None:
                pictures.append(picture)
        elif kind == raw.FPDF_PAGEOBJ_TEXT and fonts and len(pages.fonts) < 100:
            name = _font_not_embedded(thing)
            if name:
                pages.fonts.add(name)
    filling = [one for one in pictures if one.share >= _FILLS]
    strips = [one for one in pictures if one.share >= _STRIP]
    if filling:
        resolution = max(one.resolution for one in filling)
    elif sum(one.share for one in strips) >= _FILLS:
        filling, resolution = strips, min(one.resolution for one in strips)
    else:
        return
    sizes = tuple(dict.fromkeys(one.pixels for one in filling))
    pages.images.append(PageImage(number, sizes, min(round(resolution), 1_000_000), words))


def _things(page: pypdfium2.PdfPage) -> Iterator[tuple[int, _Handle, Matrix]]:
    """Objects of a page and of the forms on it, each with the matrix of what it lies in."""
    left = _OBJECTS
    identity: Matrix = (1, 0, 0, 1, 0, 0)
    waiting: list[tuple[_Handle, int, Matrix]] = [(page.raw, 0, identity)]
    while waiting:
        holder, depth, outer = waiting.pop()
        count = (raw.FPDFFormObj_CountObjects if depth else raw.FPDFPage_CountObjects)(holder)
        get = raw.FPDFFormObj_GetObject if depth else raw.FPDFPage_GetObject
        for index in range(min(count, left)):
            thing = get(holder, index)
            kind = raw.FPDFPageObj_GetType(thing)
            if kind == raw.FPDF_PAGEOBJ_FORM and depth < _DEPTH:
                waiting.append((thing, depth + 1, _times(_matrix(thing), outer)))
            else:
                yield kind, thing, outer
        left -= max(count, 0)
        if left <= 0:
            return


def _picture(thing: _Handle, outer: Matrix, box: Box, area: float) -> _Picture | None:
    width, height = ctypes.c_uint(), ctypes.c_uint()
    if not raw.FPDFImageObj_GetImagePixelSize(thing, width, height):
        return None
    a, b, c, d, e, f = _times(_matrix(thing), outer)
    across, down = math.hypot(a, b), math.hypot(c, d)
    xs, ys = [e, e + a, e + c, e + a + c], [f, f + b, f + d, f + b + d]
    wide = min(max(xs), box[2]) - max(min(xs), box[0])
    high = min(max(ys), box[3]) - max(min(ys), box[1])
    if not (width.value and height.value and across > 0 and down > 0 and wide > 0 and high > 0):
        return None
    resolution = min(width.value * 72 / across, height.value * 72 / down)
    share = wide * high / area
    if not (math.isfinite(resolution) and math.isfinite(share)):
        return None
    return _Picture((width.value, height.value), share, resolution)


def _matrix(thing: _Handle) -> Matrix:
    found = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(thing, found):
        return (0, 0, 0, 0, 0, 0)
    return (found.a, found.b, found.c, found.d, found.e, found.f)


def _times(inner: Matrix, outer: Matrix) -> Matrix:
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


def _font_not_embedded(thing: _Handle) -> str:
    """The name of the font of visible words that the file does not bring along; else empty."""
    if raw.FPDFTextObj_GetTextRenderMode(thing) == _INVISIBLE:
        return ""
    font = raw.FPDFTextObj_GetFont(thing)
    if not font or raw.FPDFFont_GetIsEmbedded(font) != 0:
        return ""
    size = raw.FPDFFont_GetBaseFontName(font, None, 0)
    if not 0 < size < 1000:
        return "?"
    name = ctypes.create_string_buffer(size)
    raw.FPDFFont_GetBaseFontName(font, name, size)
    return name.value.decode("utf-8", "replace") or "?"
