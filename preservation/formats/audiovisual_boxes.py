"""ISO base media and QuickTime (MP4, MOV, M4A …): boxes in boxes (ISO/IEC 14496-12)."""

from __future__ import annotations

from collections.abc import Iterator

from preservation.formats.audiovisual_windows import NotSeen, Recording, Windows, four
from preservation.formats.task import Broken

_BOXES = 10_000
_INSIDE = (b"trak", b"mdia", b"minf", b"stbl")
_DEPTH = 8


def inspect_boxes(windows: Windows) -> Recording:
    """Raises Broken for boxes that end beyond the file or when there is no moov; NotSeen when it is not at hand."""
    found, moov, seen_to = Recording(), False, 0
    for name, at, end in _boxes(windows, 0, windows.size):
        windows.must_hold(end, f"its box {four(name)}")
        seen_to = end
        if name == b"moov":
            moov = True
            _movie(windows, at, end, found, 0)
    if not moov and seen_to >= windows.size:
        raise Broken("it has no moov, without which it cannot be played")
    if not moov:
        raise NotSeen
    return found


def _boxes(windows: Windows, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, begin of what is in it, and end of each box, as far as headers are at hand."""
    for _ in range(_BOXES):
        if at + 8 > end:
            return
        try:
            size, name = windows.unpack(">I4s", at)
            begin = at + 8
            if size == 1:
                (size,) = windows.unpack(">Q", at + 8)
                begin = at + 16
        except NotSeen:
            return
        ends = end if size == 0 else at + size
        if ends < begin:
            raise Broken(f"a box at byte {at} is smaller than its own header")
        yield name, begin, ends
        at = ends


def _movie(windows: Windows, at: int, end: int, found: Recording, depth: int) -> None:
    if depth > _DEPTH:
        raise Broken("its boxes are nested too deep")
    for name, begin, ends in _boxes(windows, at, end):
        if ends > end:
            raise Broken(f"its box {four(name)} ends beyond the one that it is in")
        try:
            if name == b"mvhd":
                found.duration = _duration(windows, begin)
            elif name == b"tkhd" and found.width is None:
                width, height = windows.unpack(">II", ends - 8)
                if width and height:
                    found.width, found.height = width >> 16, height >> 16
            elif name == b"stsd":
                found.codecs.append(four(windows.read(begin + 12, 4)))
            elif name in _INSIDE:
                _movie(windows, begin, ends, found, depth + 1)
        except NotSeen:
            return


def _duration(windows: Windows, begin: int) -> int | None:
    version = windows.read(begin, 1)[0]
    scale, length = windows.unpack(">IQ" if version == 1 else ">II", begin + (20 if version == 1 else 12))
    return length * 1000 // scale if scale and length not in (0xFFFFFFFF, (1 << 64) - 1) else None
