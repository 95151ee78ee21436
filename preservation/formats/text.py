"""Plain text: how it is encoded, in all of it, and what it says. CSV and JSON are looked at as text only."""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO

from metadata.characteristics import Facts
from preservation.formats.port import TEXT_LIMIT, Inspection, Remark, Specimen
from preservation.formats.task import Broken, judged
from preservation.formats.text_encoding import decode_legacy, legacy_encoding, legacy_names
from preservation.identification.text import UNKNOWN, encoding_of

REFUSALS: tuple[type[Exception], ...] = ()

_CHUNK = 1 << 20
_SURELY = 3
_DECODED = ("us-ascii", "utf-8", "utf-16le", "utf-16be", "utf-32le", "utf-32be")
_CONTROL = re.compile(rb"[\x00\x01\x03\x04\x07\x0e-\x13\x15-\x18\x1c\x1d\x1f\x7f]")  # not those of VISCII's letters


def inspect(specimen: Specimen, file: BinaryIO | None) -> Inspection:
    """See :mod:`preservation.formats.task`."""
    stream = io.BytesIO(specimen.head) if file is None else file
    encoding, text = read_text(specimen, stream)
    remarks = encoding_remarks(encoding)
    return Inspection(judged(remarks), remarks, Facts(encoding=encoding), text)


def encoding_remarks(encoding: str) -> tuple[Remark, ...]:
    """What is to be said of a text's encoding."""
    if encoding == UNKNOWN:
        return (Remark("FORMAT-UNKNOWN-ENCODING"),)
    if encoding in legacy_names():
        return (Remark("FORMAT-LEGACY-ENCODING", {"encoding": encoding.upper()}),)
    return ()


def read_text(specimen: Specimen, file: BinaryIO) -> tuple[str, str]:
    """How a text is encoded and how it begins, as Unicode. Linear; all of it is decoded where decoding can fail.

    Raises Broken for what is no text: control characters, or UTF that does not decode.
    """
    encoding = encoding_of(specimen.head, specimen.tail, specimen.size)
    if encoding not in _DECODED:
        return _eight_bit(file, 0)
    decoder = codecs.getincrementaldecoder("utf-8" if encoding == "us-ascii" else encoding)()
    kept, room, total, ascii_only = [], TEXT_LIMIT, 0, True
    file.seek(0)
    while chunk := file.read(_CHUNK):
        if encoding in ("us-ascii", "utf-8") and b"\0" in chunk:
            raise Broken(f"NUL at byte {total + chunk.index(0)}, where text cannot have it")
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            if encoding == "us-ascii" and ascii_only:
                return _eight_bit(file, max(0, total + error.start - 1024))
            raise Broken(f"it begins as {encoding} and is not so near byte {total + error.start}") from error
        ascii_only = ascii_only and text.isascii()
        total += len(chunk)
        if room > 0:
            kept.append(text[:room])
            room -= len(text)
    try:
        decoder.decode(b"", True)
    except UnicodeDecodeError as error:
        raise Broken(f"it ends within a character of {encoding}") from error
    if encoding == "us-ascii" and not ascii_only:
        encoding = "utf-8"
    return encoding, "".join(kept).removeprefix("\ufeff")


def _eight_bit(file: BinaryIO, telling: int) -> tuple[str, str]:
    """Text in one of the encodings of single bytes, told by what stands at ``telling``."""
    file.seek(telling)
    start = file.read(_CHUNK)
    found = _CONTROL.search(start)
    if found:
        raise Broken(f"byte {found.group()[0]:02x} at {telling + found.start()}, which no text has")
    if telling == 0:
        _refuse_damaged(start)
    encoding = legacy_encoding(start) or UNKNOWN
    file.seek(0)
    data = file.read(2 * TEXT_LIMIT)
    if encoding == UNKNOWN:
        return encoding, data.decode("cp1252", "replace")
    return encoding, decode_legacy(data, encoding)


def _refuse_damaged(start: bytes) -> None:
    """Raises Broken for UTF-8 that ceases to be: a few characters beyond ASCII stood before the first wrong byte."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start, final=len(start) < _CHUNK)
    except UnicodeDecodeError as error:
        before = start[: error.start].decode("utf-8")
        if sum(not one.isascii() for one in before) >= _SURELY:
            raise Broken(f"it begins as utf-8 and is not so at byte {error.start}") from error
