"""What the checker and its child process say to each other: JSON in frames of a length and bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from preservation.signatures.port import Question

LENGTH = struct.Struct(">I")
LARGEST_FRAME = 1 << 27


def pack(message: Mapping[str, Any]) -> bytes:
    """A frame. Raises ValueError when it is larger than a frame may be."""
    data = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if len(data) > LARGEST_FRAME:
        raise ValueError(f"a frame of {len(data)} bytes")
    return LENGTH.pack(len(data)) + data


def unpack(data: bytes) -> dict[str, Any]:
    """Raises ValueError when it is not a JSON object."""
    message = json.loads(data.decode("utf-8", "surrogatepass"))
    if not isinstance(message, dict):
        raise ValueError("not a message")  # noqa: TRY004 - of bytes, not of a type
    return message


def read(stream: BinaryIO) -> dict[str, Any] | None:
    """The next message, None at the end of the stream. Raises EOFError when it ends inside a frame."""
    header = stream.read(LENGTH.size)
    if not header:
        return None
    (length,) = LENGTH.unpack(header)
    if length > LARGEST_FRAME:
        raise EOFError("a frame that is too large")
    data = stream.read(length)
    if len(data) < length:
        raise EOFError("half a frame")
    return unpack(data)


def question_to_json(question: Question) -> dict[str, Any]:
    return question.arguments() | {"paths": [str(Path(file.name).resolve()) for file in question.files]}


def question_of_json(data: Mapping[str, Any]) -> Question:
    return Question.of_arguments(data, [Path(path).open("rb") for path in data["paths"]])
