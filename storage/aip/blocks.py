"""Reading an object once from end to end: a thread reads ahead while the caller digests what has come."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from storage.port import ByteStream, Store

BLOCK = 4 << 20
_FIRST = 256 << 10
"""The first block is smaller: most AIPs are small, and to clear megabytes for each would cost more than to read it."""
_AHEAD = 3
_PATIENCE = 0.2
_JOIN = 120.0

Block = tuple[bytearray, int]
"""A buffer and how many bytes of it are filled: all of them but for the last block."""


class ReadAhead:
    """The blocks of an object from its start, each full but the last. A block is good until the next is asked for.

    Iterating raises what the store raised. Leaving the context stops the thread.
    """

    def __init__(self, store: Store, key: str, size: int = BLOCK) -> None:
        self._store = store
        self._key = key
        self._free: queue.Queue[bytearray | None] = queue.Queue()
        self._full: queue.Queue[Block | BaseException | None] = queue.Queue()
        self._stop = threading.Event()
        self._size = size
        self._thread = threading.Thread(target=self._run, name=f"read-{store.id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._free.put(None)
        self._thread.join(_JOIN)

    def __iter__(self) -> Iterator[Block]:
        while True:
            item = self._next()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
            if len(item[0]) == self._size:
                self._free.put(item[0])

    def _next(self) -> Block | BaseException | None:
        while True:
            with contextlib.suppress(queue.Empty):
                return self._full.get(timeout=_PATIENCE)
            if not self._thread.is_alive() and self._full.empty():
                raise RuntimeError("the reading thread ended without a word")

    def _run(self) -> None:
        try:
            with self._store.open(self._key) as stream:
                for buffer in self._buffers():
                    filled = _fill(stream, buffer)
                    if filled:
                        self._full.put((buffer, filled))
                    if filled < len(buffer):
                        break
            self._full.put(None)
        except Exception as error:  # noqa: BLE001 - a worker: the thread that iterates raises it
            self._full.put(error)

    def _buffers(self) -> Iterator[bytearray]:
        """A small one, new ones until there are enough, then those that come back; none any more once it is over."""
        if self._size > _FIRST:
            yield bytearray(_FIRST)
        for _ in range(_AHEAD):
            if self._stop.is_set():
                return
            yield bytearray(self._size)
        while (buffer := self._free.get()) is not None and not self._stop.is_set():
            yield buffer


def _fill(stream: ByteStream, buffer: bytearray) -> int:
    filled = 0
    with memoryview(buffer) as view:
        while filled < len(view) and (count := stream.readinto(view[filled:])):
            filled += count
    return filled


class Lockstep:
    """The blocks of the first store's object, while those of the other stores are compared with them byte by byte.

    ``equal`` holds, at the end, the indexes (in ``stores``) of the objects that were the same to the last byte. An
    object whose store fails or whose bytes differ drops out; it is not read further. The first one's errors are raised.
    """

    def __init__(self, stores: Sequence[Store], key: str, size: int = BLOCK) -> None:
        self._stores = stores
        self._key = key
        self._size = size
        self.equal: set[int] = set()

    def __iter__(self) -> Generator[Block, None, None]:
        with ExitStack() as stack:
            first, *others = (stack.enter_context(ReadAhead(store, self._key, self._size)) for store in self._stores)
            mirrors = {index: iter(other) for index, other in enumerate(others, start=1)}
            for block in first:
                for index in [index for index, mirror in mirrors.items() if not _same(block, mirror)]:
                    del mirrors[index]
                yield block
            self.equal = {0} | {index for index, mirror in mirrors.items() if _ended(mirror)}


def _same(block: Block, mirror: Iterator[Block]) -> bool:
    try:
        other = next(mirror, None)
    except Exception:  # noqa: BLE001 - whatever it was, this replica is looked at by itself afterwards
        return False
    if other is None or other[1] != block[1]:
        return False
    if block[1] == len(block[0]):
        return block[0] == other[0]
    return block[0][: block[1]] == other[0][: other[1]]


def _ended(mirror: Iterator[Block]) -> bool:
    try:
        return next(mirror, None) is None
    except Exception:  # noqa: BLE001 - as above
        return False


class Cursor:
    """A place in a run of blocks. What :meth:`take` and :meth:`pieces` give is good until the next call."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks = blocks
        self._view = memoryview(b"")
        self._at = 0
        self._end = 0
        self._base = 0
        self._pushed = b""

    @property
    def position(self) -> int:
        """Bytes taken so far."""
        return self._base + self._at - len(self._pushed)

    def take(self, size: int) -> memoryview:
        """The next ``size`` bytes, fewer only at the end."""
        end = self._at + size
        if end <= self._end and not self._pushed:
            view = self._view[self._at : end]
            self._at = end
            return view
        joined = bytearray()
        for piece in self.pieces(size):
            joined += piece
        return memoryview(joined)

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The next ``size`` bytes as they lie in the blocks, fewer only at the end."""
        if self._pushed:
            pushed, self._pushed = self._pushed[:size], self._pushed[size:]
            size -= len(pushed)
            yield memoryview(pushed)
        while size and (self._at < self._end or self._refill()):
            end = min(self._end, self._at + size)
            view = self._view[self._at : end]
            size -= len(view)
            self._at = end
            yield view

    def push_back(self, data: bytes) -> None:
        """Give back the bytes taken last."""
        self._pushed = data + self._pushed

    def rest(self, most: int) -> int:
        """Read to the end and say how many bytes that was; beyond ``most`` bytes no further, however many follow."""
        count = len(self._pushed)
        self._pushed = b""
        while count <= most and (self._at < self._end or self._refill()):
            count += self._end - self._at
            self._at = self._end
        return count

    def _refill(self) -> bool:
        block = next(self._blocks, None)
        if block is None:
            return False
        self._base += self._end
        self._view = memoryview(block[0])
        self._at, self._end = 0, block[1]
        return True
