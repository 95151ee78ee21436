"""The files put into a PDF, unpacked: clamd overlooks some of them (it does not see the filter of a stream whose
dictionary has a hexadecimal string in an inner dictionary before it, as qpdf writes them).

A workshop's task; parsers of outside files run nowhere else.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO

import pikepdf

from preservation.formats.pdf_objects import set_limits
from preservation.workshop.port import Tools, Values

LARGEST = 64 << 20
"""Bytes of all unpacked files together; what is beyond that clamd alone looks at."""
MOST = 1000
_DEEPEST = 3


def attached(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """``files``: one PDF. Answers ``files``: the bytes of each file in it and in PDFs in it."""
    set_limits()
    found: list[bytes] = []
    _gather(files[0], found, 0)
    return {"files": found}


def _gather(file: BinaryIO, found: list[bytes], depth: int) -> None:
    with pikepdf.open(file) as pdf:
        for stream in _streams(pdf):
            data = _unpacked(stream)
            if len(data) + sum(map(len, found)) > LARGEST or len(found) >= MOST:
                continue
            found.append(data)
            if depth < _DEEPEST and b"%PDF-" in data[:1024]:
                with suppress(pikepdf.PdfError):
                    _gather(io.BytesIO(data), found, depth + 1)


def _streams(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Stream]:
    """Every stream that a file specification names, and every one that calls itself an embedded file, each once."""
    seen: set[tuple[int, int]] = set()
    for one in pdf.objects:
        for stream in _named_by(one):
            if stream.objgen not in seen:
                seen.add(stream.objgen)
                yield stream


def _named_by(one: pikepdf.Object) -> Iterator[pikepdf.Stream]:
    if isinstance(one, pikepdf.Stream):
        if one.get("/Type") == pikepdf.Name.EmbeddedFile:
            yield one
        return
    for part in _parts(one, 0):
        files = part.get("/EF")
        if isinstance(files, pikepdf.Dictionary):
            yield from (value for _, value in files.items() if isinstance(value, pikepdf.Stream))


def _parts(one: pikepdf.Object, depth: int) -> Iterator[pikepdf.Dictionary]:
    """Dictionaries in an object: itself, and those that lie in it directly."""
    if depth > 8 or (depth and one.is_indirect):
        return
    if isinstance(one, pikepdf.Dictionary):
        yield one
        for _, value in one.items():
            if isinstance(value, (pikepdf.Dictionary, pikepdf.Array)):
                yield from _parts(value, depth + 1)
    elif isinstance(one, pikepdf.Array):
        for value in list(one)[:MOST]:
            if isinstance(value, (pikepdf.Dictionary, pikepdf.Array)):
                yield from _parts(value, depth + 1)


def _unpacked(stream: pikepdf.Stream) -> bytes:
    try:
        return bytes(stream.read_bytes())
    except pikepdf.PdfError:
        return bytes(stream.read_raw_bytes())
