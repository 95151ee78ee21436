"""ASF: Windows Media sound and film."""

from __future__ import annotations

import uuid

from preservation.formats.audiovisual_windows import NotSeen, Recording, Windows, four
from preservation.formats.task import Broken


def _guid(text: str) -> bytes:
    return uuid.UUID(text).bytes_le


ASF = _guid("75B22630-668E-11CF-A6D9-00AA0062CE6C")
_FILE = _guid("8CABDCA1-A947-11CF-8EE4-00C00C205365")
_STREAM = _guid("B7DC0791-A9B7-11CF-8EE6-00C00C205365")
_SOUND = _guid("F8699E40-5B4D-11CF-A8FD-00805F5C442B")
_FILM = _guid("BC19EFC0-5B4D-11CF-A8FD-00805F5C442B")
_WAVES = {0x160: "WMA 1", 0x161: "WMA 2", 0x162: "WMA Pro", 0x163: "WMA Lossless"}


def inspect_asf(windows: Windows) -> Recording:
    """Raises Broken."""
    size, count = windows.unpack("<QI", 16)
    windows.must_hold(size, "its header")
    found, at, told = Recording(), 30, False
    for _ in range(min(count, 1000)):
        try:
            kind, length = windows.unpack("<16sQ", at)
            if kind == _FILE:
                told = True
                _file(windows, at, found)
            elif kind == _STREAM:
                _stream(windows, at, found)
        except NotSeen:
            break
        if length < 24:
            raise Broken("an object of its header is smaller than its own header")
        at += length
        windows.must_hold(at, "an object of its header")
    if not told:
        raise Broken("its header does not tell of the file")
    return found


def _file(windows: Windows, at: int, found: Recording) -> None:
    (size,) = windows.unpack("<Q", at + 40)
    duration, _, preroll, flags = windows.unpack("<QQQI", at + 64)
    if not flags & 1:  # not a broadcast, of which these are not known
        windows.must_hold(size, "the file, as it says")
        found.duration = max(0, duration // 10_000 - preroll)


def _stream(windows: Windows, at: int, found: Recording) -> None:
    kind = windows.read(at + 24, 16)
    if kind == _SOUND:
        (tag,) = windows.unpack("<H", at + 78)
        found.codecs.append(_WAVES.get(tag, f"0x{tag:04x}"))
    elif kind == _FILM:
        found.width, found.height = windows.unpack("<II", at + 78)
        found.codecs.append(four(windows.read(at + 78 + 11 + 16, 4)))
