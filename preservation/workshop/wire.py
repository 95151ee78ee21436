"""What a workshop and its children say to each other: frames of a head, words as JSON, and bytes as they are.

``bytes`` stand in the words as an object that says their length, and follow the words in the order in which they are
named, so that an answer cannot mean more bytes than it brought.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

from preservation.workshop.port import Values

HEAD = struct.Struct(">BII")
"""Kind, length of the words, length of the bytes behind them."""

QUESTION, READY, BEGUN, ANSWER, RAISED, ENDS = 0, 1, 2, 3, 4, 8
"""Kinds of frames. ``ENDS`` is added to an answer after which the child is not to be asked again."""

LARGEST_FILES = 16
_BYTES = "\0bytes"
_MOST_PARTS = 1 << 22


def pack(kind: int, values: Values) -> list[bytes]:
    """The parts of a frame, to be sent one behind the other. Raises TypeError, ValueError for what JSON has not."""
    blobs: list[bytes] = []

    def aside(value: object) -> dict[str, int]:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise TypeError(f"{type(value).__name__} cannot be sent")
        blobs.append(bytes(value))
        return {_BYTES: len(blobs[-1])}

    words = json.dumps(values, default=aside, separators=(",", ":")).encode("ascii")
    return [HEAD.pack(kind, len(words), sum(map(len, blobs))) + words, *blobs]


def ending(head: bytes) -> bytes:
    """The first part of a frame, saying too that the child is not to be asked again."""
    return bytes([head[0] | ENDS]) + head[1:]


def unpack(body: memoryview, words: int) -> Values:
    """The values of a frame behind its head. Raises ValueError, RecursionError for what :func:`pack` does not make."""
    text = bytes(body[:words])
    # Three bytes can make an object of a hundred: who sends them must not choose how much memory is taken here.
    if text.count(b",") + text.count(b"[") + text.count(b"{") > _MOST_PARTS:
        raise ValueError("too many values")
    at = words

    def back(one: dict[str, object]) -> object:
        nonlocal at
        if len(one) != 1 or _BYTES not in one:
            return one
        length = one[_BYTES]
        if type(length) is not int or not 0 <= length <= len(body) - at:
            raise ValueError("bytes that were not sent")
        at += length
        return bytes(body[at - length : at])

    values = json.loads(text, object_hook=back if words < len(body) or _BYTES_ESCAPED in text else None)
    if at != len(body) or not isinstance(values, Mapping):
        raise ValueError("no values")
    return values


_BYTES_ESCAPED = json.dumps(_BYTES).encode("ascii")
