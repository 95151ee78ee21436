"""Matroska and WebM: EBML elements (RFC 8794, RFC 9559)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from preservation.formats.audiovisual_windows import NotSeen, Recording, Windows
from preservation.formats.task import Broken

_ELEMENTS = 10_000
_EBML, _DOCTYPE, _SEGMENT = 0x1A45DFA3, 0x4282, 0x18538067
_INFO, _SCALE, _DURATION, _APPLICATION = 0x1549A966, 0x2AD7B1, 0x4489, 0x5741
_TRACKS, _TRACK, _CODEC, _VIDEO, _WIDTH, _HEIGHT = 0x1654AE6B, 0xAE, 0x86, 0xE0, 0xB0, 0xBA


def inspect_matroska(windows: Windows) -> Recording:
    """Raises Broken."""
    found = Recording()
    _, at, end = next(_elements(windows, 0, windows.size), (0, 0, 0))
    kinds = [windows.read(a, e - a) for n, a, e in _elements(windows, at, end) if n == _DOCTYPE and e - a < 20]
    if kinds and kinds[0].rstrip(b"\0") not in (b"matroska", b"webm"):
        raise Broken("its EBML is of another kind")
    segment = next((one for one in _elements(windows, end, windows.size) if one[0] == _SEGMENT), None)
    if segment is None:
        raise Broken("it has no segment")
    _, at, end = segment
    windows.must_hold(end, "its segment")
    try:
        for name, begin, ends in _elements(windows, at, end):
            if name == _INFO:
                _info(windows, begin, ends, found)
            elif name == _TRACKS:
                for track, first, last in _elements(windows, begin, ends):
                    if track == _TRACK:
                        _track(windows, first, last, found)
    except NotSeen:
        pass
    return found


def _info(windows: Windows, begin: int, ends: int, found: Recording) -> None:
    scale, length = 1_000_000, 0.0
    for name, at, end in _elements(windows, begin, ends):
        data = windows.read(at, min(end - at, 300))
        if name == _SCALE:
            scale = int.from_bytes(data[:8], "big")
        elif name == _DURATION and len(data) in (4, 8):
            (length,) = struct.unpack(">f" if len(data) == 4 else ">d", data)
        elif name == _APPLICATION:
            found.application = data.decode("utf-8", "replace").strip("\0 ")
    if 0 < length < 1e15 and 0 < scale < 1 << 40:
        found.duration = int(length * scale / 1_000_000)


def _track(windows: Windows, begin: int, ends: int, found: Recording) -> None:
    for name, at, end in _elements(windows, begin, ends):
        if name == _CODEC:
            found.codecs.append(windows.read(at, min(end - at, 40)).decode("latin-1").strip("\0 "))
        elif name == _VIDEO and found.width is None:
            sizes = {
                one: int.from_bytes(windows.read(a, min(e - a, 8)), "big") for one, a, e in _elements(windows, at, end)
            }
            found.width, found.height = sizes.get(_WIDTH), sizes.get(_HEIGHT)


def _elements(windows: Windows, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Identifier, begin and end of each element, as far as headers are at hand; an unknown size goes to the end."""
    for _ in range(_ELEMENTS):
        if at >= min(end, windows.size):
            return
        head = windows.some(at, 12)
        if len(head) < 2:
            return
        length = 9 - head[0].bit_length()
        if length > 4:
            raise Broken(f"an element at byte {at} has no identifier")
        name = int.from_bytes(head[:length], "big")
        rest = head[length:]
        width = 9 - rest[0].bit_length() if rest else 9
        if width > 8 or len(rest) < width:
            if at + length + 1 >= windows.size:
                raise Broken("it is cut short")
            raise Broken(f"an element at byte {at} has no size")
        size = int.from_bytes(rest[:width], "big") & ((1 << (7 * width)) - 1)
        begin = at + length + width
        ends = end if size == (1 << (7 * width)) - 1 else begin + size
        yield name, begin, ends
        at = ends
