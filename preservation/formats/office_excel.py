"""Workbooks of Excel 5 to 2003: records of a stream (MS-XLS 2.1.4); words of cells, locked ones told."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from preservation.formats.office_parts import Words
from preservation.formats.task import Broken

_BEGINS = (0x0809, 0x0409, 0x0209, 0x0009)
_END, _LOCKED, _CONTINUED, _STRINGS, _LABEL = 0x000A, 0x002F, 0x003C, 0x00FC, 0x0204
_BIFF8 = 0x0600


class Locked(Exception):
    """A password is needed."""


def read_workbook(data: bytes) -> str:
    """The words of its cells. Raises Broken when it is none or is cut short, Locked; struct.error when its table of
    strings is not what it says."""
    words, strings, version, ended = Words(), list[bytes](), 0, False
    for number, (kind, body) in enumerate(_records(data)):
        if number == 0:
            if kind not in _BEGINS:
                raise Broken("its workbook does not begin as one")
            version = struct.unpack_from("<H", body.ljust(2, b"\0"))[0]
        if kind == _LOCKED and not ended:
            raise Locked
        ended = ended or kind == _END
        if kind == _STRINGS or (kind == _CONTINUED and strings and not ended):
            strings.append(body)
        elif strings and not ended and kind != _CONTINUED:
            _shared(strings, words)
            strings.clear()
        elif kind == _LABEL and version != _BIFF8 and len(body) >= 8:
            (length,) = struct.unpack_from("<H", body, 6)
            words.add(body[8 : 8 + length].decode("cp1252", "replace") + "\n")
    if not ended:
        raise Broken("its workbook is cut short")
    if strings:
        _shared(strings, words)
    return words.text()


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, at)
        yield kind, data[at + 4 : at + 4 + size]
        at += 4 + size


def _shared(pieces: list[bytes], words: Words) -> None:
    """The shared strings (2.4.265), of which a record and those that continue it are the pieces."""
    reader = _Pieces(pieces)
    _, count = struct.unpack("<II", reader.take(8))
    for _ in range(count):
        if words.full:
            return
        length, flags = struct.unpack("<HB", reader.take(3))
        runs = struct.unpack("<H", reader.take(2))[0] if flags & 8 else 0
        more = struct.unpack("<I", reader.take(4))[0] if flags & 4 else 0
        words.add(reader.characters(length, wide=bool(flags & 1)) + "\n")
        reader.skip(4 * runs + more)


class _Pieces:
    """Bytes over the borders of records. Raises struct.error at the end."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self._piece = 0
        self._at = 0

    def _here(self, most: int) -> bytes:
        if self._at >= len(self._pieces[self._piece]):
            self._piece, self._at = self._piece + 1, 0
            if self._piece >= len(self._pieces):
                raise struct.error("the end of the strings")
        found = self._pieces[self._piece][self._at : self._at + most]
        self._at += len(found)
        return found

    def take(self, length: int) -> bytes:
        found = b""
        while length > len(found):
            found += self._here(length - len(found))
        return found

    def skip(self, length: int) -> None:
        while length:
            length -= len(self._here(length))

    def characters(self, length: int, *, wide: bool) -> str:
        """Where a string goes on in another record, its first byte says anew how wide characters are."""
        found = ""
        while length:
            if self._at >= len(self._pieces[self._piece]):
                wide = self._here(1)[:1] == b"\1"
            data = self._here(length * (2 if wide else 1))
            part = data.decode("utf-16-le" if wide else "latin-1", "replace")
            found += part
            length -= max(1, len(data) // (2 if wide else 1))
        return found
