"""RIFF: WAVE (with its broadcast extension and RF64) and AVI."""

from __future__ import annotations

from collections.abc import Iterator

from preservation.formats.audiovisual_windows import NotSeen, Recording, Windows, four
from preservation.formats.task import Broken

_UNKNOWN = (0, 0xFFFFFFFF)
_CHUNKS = 10_000
_SOUND = {1: "PCM", 2: "ADPCM", 3: "PCM float", 6: "A-law", 7: "µ-law", 0x50: "MPEG", 0x55: "MP3", 0x161: "WMA"}
_EXTENSIBLE = 0xFFFE


def inspect_riff(windows: Windows) -> Recording:
    """Raises Broken."""
    mark, size, kind = windows.unpack("<4sI4s", 0)
    if mark == b"RIFF" and size not in _UNKNOWN:
        windows.must_hold(size + 8, "its RIFF")
    if kind == b"WAVE":
        return _wave(windows)
    if kind == b"AVI ":
        return _avi(windows)
    raise Broken(f"it is RIFF of another kind ({four(kind)})")


def _chunks(windows: Windows, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, begin and length of each chunk from ``at`` on, as far as headers are at hand."""
    for _ in range(_CHUNKS):
        if at + 8 > min(end, windows.size):
            return
        try:
            name, size = windows.unpack("<4sI", at)
        except NotSeen:
            return
        yield name, at + 8, size
        at += 8 + size + size % 2


def _wave(windows: Windows) -> Recording:
    found, rate, data = Recording(), 0, None
    large = 0
    for name, at, size in _chunks(windows, 12, windows.size):
        if name == b"ds64":
            (large,) = windows.unpack("<Q", at + 8)
        elif name == b"fmt ":
            tag, _, _, rate = windows.unpack("<HHII", at)
            if tag == _EXTENSIBLE and size >= 26:
                (tag,) = windows.unpack("<H", at + 24)
            found.codecs.append(_SOUND.get(tag, f"0x{tag:04x}"))
        elif name == b"bext":
            found.codecs.append("BWF")
        elif name == b"data":
            data = large if size == 0xFFFFFFFF and large else size
            if data not in _UNKNOWN:
                windows.must_hold(at + data, "its sound")
            break
    if not found.codecs or data is None:
        raise Broken("it has no fmt or no data chunk")
    if rate:
        found.duration = data * 1000 // rate
    return found


def _avi(windows: Windows) -> Recording:
    found, chunks = Recording(), _chunks(windows, 12, windows.size)
    lists = ((at, size) for name, at, size in chunks if name == b"LIST" and windows.some(at, 4) == b"hdrl")
    at, size = next(lists, (0, 0))
    if not size:
        raise Broken("it has no header list")
    for name, inner, length in _chunks(windows, at + 4, at + size):
        if name == b"avih":
            each, frames = windows.unpack("<I12xI", inner)
            found.duration = each * frames // 1000
            found.width, found.height = windows.unpack("<II", inner + 32)
        elif name == b"LIST" and windows.some(inner, 4) == b"strl":
            _stream(windows, inner + 4, inner + length, found)
    if found.width is None:
        raise Broken("it has no main header")
    return found


def _stream(windows: Windows, at: int, end: int, found: Recording) -> None:
    kind = b""
    for name, inner, _ in _chunks(windows, at, end):
        if name == b"strh":
            kind, handler = windows.unpack("<4s4s", inner)
            if kind == b"vids":
                found.codecs.append(four(handler))
        elif name == b"strf" and kind == b"auds":
            (tag,) = windows.unpack("<H", inner)
            found.codecs.append(_SOUND.get(tag, f"0x{tag:04x}"))
