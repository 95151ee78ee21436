"""The Store port: what every store can do. One contract suite (``tests/contracts/store.py``) holds them to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from metadata.identifiers import StoreId

Bytes = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """A stored object: its key, its size in bytes, when it was written (aware UTC), and the store's own word for its
    content, which changes when that does; empty when the store has none."""

    key: str
    size: int
    modified: datetime
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload that has begun and is neither complete nor aborted."""

    key: str
    id: str
    started: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """A part that the store has taken. ``tag`` is the store's own word for it."""

    number: int
    size: int
    tag: str


class ByteStream(Protocol):
    """Bytes of an object in order. A connection that breaks raises StoreUnavailable, never a short read."""

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill as much of ``buffer`` as is at hand, at least one byte; 0 only at the end."""
        ...

    def read(self, size: int) -> bytes:
        """Exactly ``size`` bytes, fewer only at the end."""
        ...


class Store(Protocol):
    """A place that keeps objects under keys (Unicode text, NFC or not, kept exactly).

    All methods raise StoreUnavailable when the store does not answer, NoSpace when it is full.
    Objects are never changed: there is no overwrite.
    """

    @property
    def id(self) -> StoreId: ...

    def put(self, key: str, data: Bytes) -> None:
        """Create a small object (at most 16 MiB) whole or not at all. Raises AlreadyExists."""
        ...

    def open(self, key: str, start: int = 0, length: int | None = None) -> AbstractContextManager[ByteStream]:
        """Read ``length`` bytes from ``start`` (to the end when None).

        Raises NotFound, and ValueError when not all of these bytes are inside the object; both at once, not when read.
        """
        ...

    def head(self, key: str) -> ObjectInfo | None:
        """The object's size, or None when there is no such object. Proves nothing about readability."""
        ...

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        """Objects whose key begins with ``prefix`` and comes after ``after``, by key in code-point order."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; no error when there is none."""
        ...

    def bury(self, key: str) -> None:
        """Make way under ``key`` for a good copy: remove the object or, where it is locked, put it out of sight.

        Afterwards the key is free for ``head``, ``open``, ``list``, ``put`` and ``complete``; no error when it is free
        already. What was locked stays where it was until its lock ends. Raises Locked when it cannot even be hidden.
        """
        ...

    def thaw(self, key: str) -> bool:
        """Whether the object can be read now. If not, ask the store for it once: it can be in some hours or days.

        Until then ``open`` raises Cold. Raises NotFound.
        """
        ...

    def begin(self, key: str) -> Upload:
        """Begin a multipart upload. Nothing can be seen under ``key`` before ``complete``."""
        ...

    def put_part(self, upload: Upload, number: int, data: Bytes, offset: int | None = None) -> Part:
        """Send part ``number`` (1…10,000), in any order; sending it again replaces it. All but the last ≥ 5 MiB.

        ``offset`` is where the part will begin in the object, if that is known: a store of files then writes it to its
        place and need not join parts at the end. A part that is sent again has the offset that it had.
        """
        ...

    def complete(self, upload: Upload, parts: Sequence[Part]) -> None:
        """Make the object out of ``parts`` in their order, atomically. The upload is then gone.

        Raises AlreadyExists (the upload is gone too), NotFound (no such upload, or not with these parts).
        """
        ...

    def abort(self, upload: Upload) -> None:
        """Forget an upload and its parts; no error when there is none."""
        ...

    def uploads(self, prefix: str = "") -> Iterator[Upload]:
        """Uploads that are neither complete nor aborted."""
        ...
