"""What the identifier and its child process say to each other: frames of a length and bytes, the answers as JSON."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import BinaryIO

from preservation.identification.answer import Answer

LENGTH = struct.Struct(">I")
LARGEST_FRAME = 1 << 20


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked. An empty ``spool`` means that no whole file is at hand; ``by_name`` asks by file name only."""

    name: str
    size: int
    head: bytes
    tail: bytes
    spool: str
    by_name: bool = False


def pack_query(query: Query) -> bytes:
    """The three frames of a query: its words, the head, the tail."""
    words = {"name": query.name, "size": query.size, "spool": query.spool, "by_name": query.by_name}
    return b"".join(frame(part) for part in (json.dumps(words).encode(), query.head, query.tail))


def read_query(stream: BinaryIO) -> Query | None:
    """The next query, None when the other side has closed the pipe."""
    first = read_frame(stream)
    if first is None:
        return None
    words = json.loads(first)
    head, tail = read_frame(stream), read_frame(stream)
    return Query(words["name"], words["size"], head or b"", tail or b"", words["spool"], words["by_name"])


def pack_answer(answer: Answer) -> bytes:
    return frame(json.dumps(answer.fields()).encode())


def parse_answer(data: bytes) -> Answer:
    """Read the JSON of an answer. Raises ValueError, KeyError or TypeError when it is not one."""
    return Answer.of_fields(json.loads(data))


def frame(data: bytes) -> bytes:
    """``data`` behind its length. Raises ValueError when it is larger than a frame may be."""
    if len(data) > LARGEST_FRAME:
        raise ValueError(f"a frame of {len(data)} bytes")
    return LENGTH.pack(len(data)) + data


def read_frame(stream: BinaryIO) -> bytes | None:
    """One frame, None at the end. Raises EOFError when the stream ends inside a frame."""
    header = stream.read(LENGTH.size)
    if not header:
        return None
    if len(header) < LENGTH.size:
        raise EOFError("half a frame")
    (length,) = LENGTH.unpack(header)
    if length > LARGEST_FRAME:
        raise EOFError("a frame that is too large")
    data = stream.read(length)
    if len(data) < length:
        raise EOFError("half a frame")
    return data
