"""Whether bytes are text, and how it is encoded: only what can be told from the bytes themselves."""

from __future__ import annotations

import codecs
import re

from preservation.formats.text_encoding import legacy_encoding

_CONTROL = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROL_CHARACTERS = re.compile("[\0-\x06\x0e-\x1a\x1c-\x1f\x7f\ufffe\uffff]")
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32le"),
    (b"\0\0\xfe\xff", "utf-32be"),
    (b"\xff\xfe", "utf-16le"),
    (b"\xfe\xff", "utf-16be"),
)
_ASCII = bytes(range(128))
_LEGACY = {"tcvn3": "x-tcvn3", "vni": "x-vni", "viscii": "viscii", "cp1258": "windows-1258"}
UNKNOWN = "unknown-8bit"
_LOOKED_AT = 4096
_MOSTLY = 0.5


def encoding_of(head: bytes, tail: bytes, size: int) -> str:
    """The encoding, in IANA's name (of TCVN3 and VNI, which have none: ``x-tcvn3``, ``x-vni``), of a file with these
    windows; empty when it is no text.

    Text has no control characters but those of terminals (bell to carriage return, escape), and perhaps DOS's end mark
    as its last byte. UTF-16 is told by its mark, or without one by every second byte being zero in most places.
    Text that is mostly ASCII and not UTF-8 is of 8 bits: Vietnamese encodings are told, others are ``unknown-8bit``.
    """
    if size <= len(head):
        head, tail = (head[:-1] if head[-1:] == b"\x1a" else head), b""
    elif tail[-1:] == b"\x1a":
        tail = tail[:-1]
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name if _decodes(head, tail, size, name) else ""
    if b"\0" in head[:_LOOKED_AT]:
        name = _wide(head[:_LOOKED_AT])
        return name if name and _decodes(head, tail, size, name) else ""
    if _CONTROL.search(head) or _CONTROL.search(tail):
        return ""
    if head.isascii() and tail.isascii():
        return "us-ascii" if head else ""
    return "utf-8" if _decodes(head, tail, size, "utf-8") else _of_8_bits(head)


def _of_8_bits(head: bytes) -> str:
    """Vietnamese of the years before Unicode when that is what the bytes read as, else nothing but that it is text."""
    if len(head.translate(None, _ASCII)) * 2 >= len(head):
        return ""
    return _LEGACY.get(legacy_encoding(head), UNKNOWN)


def _wide(start: bytes) -> str:
    """UTF-16 without a mark: one of the two bytes of most characters of a western text is zero."""
    pairs = len(start) // 2
    even, odd = start[: pairs * 2 : 2].count(0), start[1 : pairs * 2 : 2].count(0)
    if not even and odd >= pairs * _MOSTLY:
        return "utf-16le"
    if not odd and even >= pairs * _MOSTLY:
        return "utf-16be"
    return ""


def _decodes(head: bytes, tail: bytes, size: int, name: str) -> bool:
    unit = {"utf-8": 1, "utf-16le": 2, "utf-16be": 2, "utf-32le": 4, "utf-32be": 4}[name]
    if tail:
        # The last window may begin inside a character.
        tail = tail[(len(tail) - size) % unit :]
        tail = tail[:3].lstrip(bytes(range(0x80, 0xC0))) + tail[3:] if unit == 1 else _whole_pair(tail, name)
    try:
        text = codecs.getincrementaldecoder(name)().decode(head, final=not tail)
        text += codecs.getincrementaldecoder(name)().decode(tail, final=True)
    except UnicodeDecodeError:
        return False
    return bool(text) and _CONTROL_CHARACTERS.search(text) is None


def _whole_pair(tail: bytes, name: str) -> bytes:
    """Without the second half of a surrogate pair at its begin."""
    high = tail[1:2] if name == "utf-16le" else tail[:1]
    return tail[2:] if name.startswith("utf-16") and b"\xdc" <= high <= b"\xdf" else tail
