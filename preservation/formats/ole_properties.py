"""What a compound file says of itself: the property set SummaryInformation (MS-OLEPS)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from preservation.formats.ole_contents import OleContents

_NAME = "\x05SummaryInformation"
_PAGES, _APPLICATION = 14, 18
_TEXT, _WIDE_TEXT, _NUMBER = 0x1E, 0x1F, 3


@dataclass(frozen=True, slots=True)
class Summary:
    """Pages as the file says, and the program that made it."""

    pages: int | None = None
    application: str = ""


def summary(contents: OleContents) -> Summary:
    """Empty where the file says nothing, or says it wrongly."""
    if _NAME not in contents.streams:
        return Summary()
    try:
        return _read(contents.read(_NAME, 1 << 20))
    except (struct.error, IndexError):
        return Summary()


def _read(data: bytes) -> Summary:
    (section,) = struct.unpack_from("<I", data, 44)
    _, count = struct.unpack_from("<II", data, section)
    pages, application = None, ""
    for index in range(min(count, 100)):
        kind, offset = struct.unpack_from("<II", data, section + 8 + index * 8)
        at = section + offset
        if kind == _PAGES and struct.unpack_from("<I", data, at)[0] == _NUMBER:
            pages = struct.unpack_from("<i", data, at + 4)[0]
        elif kind == _APPLICATION:
            form, size = struct.unpack_from("<II", data, at)
            raw = data[at + 8 : at + 8 + min(size, 300) * (2 if form == _WIDE_TEXT else 1)]
            application = raw.decode("utf-16-le" if form == _WIDE_TEXT else "cp1252", "replace").rstrip("\0")
    return Summary(pages if pages is not None and pages > 0 else None, application.strip())
