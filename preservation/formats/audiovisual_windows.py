"""The two ends of a large file, read as if it were there; and what is found in them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from preservation.formats.task import Broken


class NotSeen(Exception):
    """What is asked lies between the windows."""


@dataclass(slots=True)
class Recording:
    """What a header says. ``duration`` in milliseconds, ``width`` and ``height`` in pixels."""

    duration: int | None = None
    width: int | None = None
    height: int | None = None
    codecs: list[str] = field(default_factory=list)
    application: str = ""


class Windows:
    """Bytes by their offset in the file. Raises NotSeen between the windows, Broken beyond the end."""

    def __init__(self, head: bytes, tail: bytes, size: int) -> None:
        self.head = head
        self.tail = tail
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        if offset < 0 or offset + length > self.size:
            raise Broken(f"it is cut short: {offset + length} bytes are needed, it has {self.size}")
        if offset + length <= len(self.head):
            return self.head[offset : offset + length]
        start = self.size - len(self.tail)
        if offset >= start:
            return self.tail[offset - start : offset - start + length]
        raise NotSeen

    def some(self, offset: int, length: int) -> bytes:
        """What is at hand of these bytes; empty when nothing is."""
        start = self.size - len(self.tail)
        if offset < len(self.head):
            return self.head[offset : offset + length]
        return self.tail[offset - start : offset - start + length] if offset >= start else b""

    def unpack(self, form: str, offset: int) -> tuple[Any, ...]:
        return struct.unpack(form, self.read(offset, struct.calcsize(form)))

    def must_hold(self, end: int, what: str) -> None:
        """Raises Broken when something ends beyond the end of the file."""
        if end > self.size:
            raise Broken(f"it is cut short: {what} ends at byte {end}, the file at {self.size}")


def four(code: bytes) -> str:
    """A code of four characters."""
    return code.decode("latin-1").strip("\0 ")
