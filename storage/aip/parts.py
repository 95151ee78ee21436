"""One stream of bytes cut into the parts of a multipart upload to every replica at once.

Each replica has its own thread and a short queue, so a slow one holds the others up only when it is a few parts
behind. Parts are shared, not copied. Nothing can be seen in any store before :meth:`PartFanout.complete`.
"""

from __future__ import annotations

import contextlib
import mmap
import queue
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from metadata.errors import AlreadyExists, TangThuError
from metadata.identifiers import StoreId
from storage.port import Bytes, Part, Store, Upload

FIRST_PART = 16 << 20
MOST_PARTS = 10_000
_STEP = 1_200
_IN_MEMORY = 64 << 20
_PATIENCE = 0.2
_JOIN = 120.0


def part_size(number: int, first: int = FIRST_PART) -> int:
    """Bytes in part ``number`` (from 1): 16 MiB, doubling every 1,200 parts, so that 10,000 parts hold over 5 TiB."""
    return first << ((number - 1) // _STEP)


class Completion(StrEnum):
    """How a replica came to hold the object: we made it, or it was there (from another worker, or before a crash)."""

    CREATED = "created"
    EXISTED = "existed"


class _Chunk:
    """A part on its way. When every replica has sent it, its buffer goes back to the pool."""

    __slots__ = ("buffer", "number", "offset", "size", "waiting")

    def __init__(self, number: int, offset: int, buffer: memoryview) -> None:
        self.number = number
        self.offset = offset
        self.buffer = buffer
        self.size = 0
        self.waiting = 0

    def end(self) -> int:
        return self.offset + self.size


class PartFanout:
    """A stream into an object that comes to be in every store at once, or in none.

    Use it as a context manager: leaving it without :meth:`complete` aborts everywhere. The store must not keep the
    buffer that ``put_part`` gets. Memory: about six parts (parts over 64 MiB lie in a temporary file in ``work``).

    A replica's error (StoreUnavailable, NoSpace, …) is raised by the next :meth:`write` or by :meth:`complete`.
    """

    def __init__(
        self,
        stores: Sequence[Store],
        key: str,
        queue_parts: int = 2,
        work: Path | None = None,
        first_part: int = FIRST_PART,
    ) -> None:
        self.position = 0
        self._first_part = first_part
        self._work = work
        self._lock = threading.Lock()
        self._pool: list[memoryview] = []
        self._held: list[_Chunk] = []
        self._hold: tuple[int, int] | None = None
        self._over = False
        self._replicas = [_Replica(store, key, queue_parts, self._release) for store in stores]
        self._chunk = self._next_chunk(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._over:
            self.abort()

    def write(self, data: Bytes) -> None:
        """Append ``data``, copied once. Raises what a replica raised."""
        size = len(data)
        chunk = self._chunk
        start = chunk.size
        if start + size < len(chunk.buffer):
            chunk.buffer[start : start + size] = data
            chunk.size = start + size
            self.position += size
        else:
            with memoryview(data) as view:
                self._write_across(view)

    def _write_across(self, view: memoryview) -> None:
        done = 0
        while done < len(view):
            chunk = self._chunk
            size = min(len(view) - done, len(chunk.buffer) - chunk.size)
            chunk.buffer[chunk.size : chunk.size + size] = view[done : done + size]
            chunk.size += size
            self.position += size
            done += size
            if chunk.size == len(chunk.buffer):
                self._finish_chunk()
                self._chunk = self._next_chunk(chunk.number + 1)

    def hold(self, size: int) -> int:
        """Write ``size`` zero bytes to be :meth:`patch`-ed later; return their offset.

        The parts that hold them wait until then and are sent out of order. One hold at a time: raises ValueError.
        """
        if self._hold is not None:
            raise ValueError("bytes are already held back")
        offset = self.position
        self._hold = (offset, offset + size)
        self.write(bytes(size))
        return offset

    def patch(self, offset: int, data: Bytes) -> None:
        """Fill in the bytes held back at ``offset`` and let their parts go. Raises ValueError when it is not those."""
        if self._hold != (offset, offset + len(data)):
            raise ValueError("not the bytes that are held back")
        for chunk in (*self._held, self._chunk):
            start, end = max(offset, chunk.offset), min(offset + len(data), chunk.end())
            if start < end:
                chunk.buffer[start - chunk.offset : end - chunk.offset] = data[start - offset : end - offset]
        self._hold = None
        held, self._held = self._held, []
        for chunk in held:
            self._send(chunk)

    def complete(self) -> Mapping[StoreId, Completion]:
        """Send what remains and make the object in every store; say for each whether it was there already.

        An object of one small part is created by a single ``put``. Raises what a replica raised; then nothing more is
        completed and the other uploads are aborted.
        """
        if self._hold is not None or self._over:
            raise ValueError("the object is not finished, or was finished before")
        try:
            small = self._chunk if self._chunk.number == 1 else None
            if small is None and self._chunk.size:
                self._finish_chunk()
            self._flush()
            for replica in self._replicas:
                self._hand(replica, _Finish(small))
            self._join()
        except BaseException:
            self.abort()
            raise
        self._over = True
        return MappingProxyType({replica.store.id: replica.completion for replica in self._replicas})

    def abort(self) -> None:
        """Forget everything sent, in every store. A store that does not answer keeps its parts: sweep them later."""
        self._over = True
        for replica in self._replicas:
            replica.cancel()
        for replica in self._replicas:
            replica.join()
        for replica in self._replicas:
            replica.abort()

    def _next_chunk(self, number: int) -> _Chunk:
        if number > MOST_PARTS:
            raise ValueError("an object of more than 10,000 parts")
        size = part_size(number, self._first_part)
        with self._lock:
            buffer = self._pool.pop() if self._pool and len(self._pool[-1]) == size else None
        return _Chunk(number, self.position, buffer or self._new_buffer(size))

    def _new_buffer(self, size: int) -> memoryview:
        if size <= _IN_MEMORY:
            return memoryview(bytearray(size))
        with tempfile.TemporaryFile(dir=self._work) as file:
            file.truncate(size)
            return memoryview(mmap.mmap(file.fileno(), size))

    def _finish_chunk(self) -> None:
        chunk = self._chunk
        if self._hold is not None and chunk.end() > self._hold[0] and chunk.offset < self._hold[1]:
            self._held.append(chunk)
        else:
            self._send(chunk)

    def _send(self, chunk: _Chunk) -> None:
        chunk.waiting = len(self._replicas)
        for replica in self._replicas:
            self._hand(replica, chunk)

    def _hand(self, replica: _Replica, item: _Item) -> None:
        """Queue ``item``; wait while the replica is behind, unless any replica has failed."""
        if self._over:
            raise ValueError("the object was finished or aborted before")
        replica.start()
        while True:
            self._raise_errors()
            with contextlib.suppress(queue.Full):
                replica.queue.put(item, timeout=_PATIENCE)
                return

    def _flush(self) -> None:
        """Wait until every replica has taken every part: only then may the first object come to be."""
        sent = [threading.Event() for _ in self._replicas]
        for replica, event in zip(self._replicas, sent, strict=True):
            self._hand(replica, event)
        for event in sent:
            while not event.wait(_PATIENCE):
                self._raise_errors()

    def _join(self) -> None:
        for replica in self._replicas:
            while replica.thread.is_alive():
                replica.thread.join(_PATIENCE)
        self._raise_errors()

    def _raise_errors(self) -> None:
        for replica in self._replicas:
            if replica.error is not None:
                raise replica.error

    def _release(self, chunk: _Chunk) -> None:
        with self._lock:
            chunk.waiting -= 1
            if chunk.waiting == 0 and len(chunk.buffer) <= _IN_MEMORY:
                self._pool.append(chunk.buffer)


class _Finish:
    """The end of the stream; ``small`` is the whole object when no part of it was sent."""

    __slots__ = ("small",)

    def __init__(self, small: _Chunk | None) -> None:
        self.small = small


_Item = _Chunk | _Finish | threading.Event


class _Replica:
    """The thread that sends parts to one store."""

    def __init__(self, store: Store, key: str, queue_parts: int, release: Callable[[_Chunk], None]) -> None:
        self.store = store
        self.queue: queue.Queue[_Item | None] = queue.Queue(max(1, queue_parts))
        self.error: BaseException | None = None
        self.completion = Completion.CREATED
        self._key = key
        self._release = release
        self._cancelled = threading.Event()
        self._upload: Upload | None = None
        self._parts: list[Part] = []
        self.thread = threading.Thread(target=self._run, name=f"parts-{store.id}", daemon=True)

    def start(self) -> None:
        if self.thread.ident is None:
            self.thread.start()

    def cancel(self) -> None:
        """Stop after the request that is under way."""
        self._cancelled.set()
        with contextlib.suppress(queue.Full):
            self.queue.put_nowait(None)

    def join(self) -> None:
        """Wait for the thread; not for ever, in case the store hangs."""
        if self.thread.ident is not None:
            self.thread.join(_JOIN)

    def abort(self) -> None:
        if self._upload is not None:
            with contextlib.suppress(TangThuError):
                self.store.abort(self._upload)

    def _run(self) -> None:
        try:
            while not self._cancelled.is_set():
                item = self.queue.get()
                if item is None:
                    return
                if isinstance(item, _Finish):
                    self._finish(item)
                    return
                if isinstance(item, _Chunk):
                    self._send(item)
                else:
                    item.set()
        except Exception as error:  # noqa: BLE001 - a worker: the writing thread raises it
            self.error = error

    def _send(self, chunk: _Chunk) -> None:
        if self._upload is None:
            self._upload = self.store.begin(self._key)
        data = chunk.buffer[: chunk.size]
        self._parts.append(self.store.put_part(self._upload, chunk.number, data, chunk.offset))
        self._release(chunk)

    def _finish(self, end: _Finish) -> None:
        try:
            if self._upload is None:
                self.store.put(self._key, end.small.buffer[: end.small.size] if end.small else b"")
            else:
                self.store.complete(self._upload, sorted(self._parts, key=lambda part: part.number))
                self._upload = None
        except AlreadyExists:
            self.completion = Completion.EXISTED
            self.abort()
