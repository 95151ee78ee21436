"""Digests computed beside the reading: two threads, because ``hashlib`` lets go of the interpreter while it works.

Small files are hashed whole, many to a job; a large file goes through both threads at once, SHA-256 and CRC-32 in one,
SHA-512 (the slower) in the other. Buffers are used again, so memory does not grow with the file.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread
from types import TracebackType
from typing import Self

from metadata.identifiers import Algorithm
from storage.hashing import MemberDigests

CHUNK = 1 << 20
_BUFFERS = 8
_OWN = (Algorithm.SHA256, Algorithm.SHA512)


@dataclass(frozen=True, slots=True)
class FileDigests:
    """What a file's bytes came to: the digests that we keep, and others that the sender declared."""

    member: MemberDigests
    declared: Mapping[Algorithm, bytes]

    def of(self, algorithm: Algorithm) -> bytes:
        """Raise KeyError when the algorithm was not asked for."""
        if algorithm is Algorithm.SHA256:
            return self.member.sha256
        if algorithm is Algorithm.SHA512:
            return self.member.sha512
        return self.declared[algorithm]


def digest_whole(data: bytes, wanted: frozenset[Algorithm] = frozenset()) -> FileDigests:
    """Every digest of a file at hand."""
    member = MemberDigests(len(data), hashlib.sha256(data).digest(), hashlib.sha512(data).digest(), zlib.crc32(data))
    return FileDigests(member, {name: _new(name, data) for name in wanted if name not in _OWN})


def _new(algorithm: Algorithm, data: bytes) -> bytes:
    return hashlib.new(algorithm.value, data, usedforsecurity=False).digest()


class _Chunk:
    """A buffer on its way through both threads; the second to finish gives it back."""

    __slots__ = ("_left", "_lock", "_pool", "buffer")

    def __init__(self, buffer: bytearray, pool: SimpleQueue[bytearray]) -> None:
        self.buffer = buffer
        self._pool = pool
        self._left = 2
        self._lock = Lock()

    def done(self) -> None:
        with self._lock:
            self._left -= 1
            last = self._left == 0
        if last:
            self._pool.put(self.buffer)


class HashWorkers:
    """The two hashing threads of one pass. Leaving the context ends them."""

    def __init__(self) -> None:
        self._queues: tuple[SimpleQueue[Callable[[], None] | None], ...] = (SimpleQueue(), SimpleQueue())
        self._threads = [Thread(target=_work, args=(queue,), name="hash", daemon=True) for queue in self._queues]
        self._buffers: SimpleQueue[bytearray] = SimpleQueue()
        for _ in range(_BUFFERS):
            self._buffers.put(bytearray(CHUNK))
        self._next = 0
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for queue in self._queues:
            queue.put(None)
        for thread in self._threads:
            thread.join()

    def batch(self, files: Sequence[tuple[bytes, frozenset[Algorithm]]]) -> Future[list[FileDigests]]:
        """Hash whole files in one of the threads; the answers are in the files' order."""
        answer: Future[list[FileDigests]] = Future()

        def job() -> None:
            answer.set_result([digest_whole(data, wanted) for data, wanted in files])

        self._queues[self._next].put(job)
        self._next ^= 1
        return answer

    def buffer(self) -> bytearray:
        """A free buffer of CHUNK bytes; waits until one is."""
        return self._buffers.get()

    def give_back(self, buffer: bytearray) -> None:
        """Return a buffer that was not used."""
        self._buffers.put(buffer)

    @contextmanager
    def lent(self, buffer: bytearray) -> Iterator[None]:
        """Give ``buffer`` back when what is done with it fails: a pass that loses its buffers waits for ever."""
        try:
            yield
        except BaseException:  # raised again
            self.give_back(buffer)
            raise

    def stream(self, wanted: frozenset[Algorithm]) -> StreamDigester:
        """Begin a file that is too large to hold."""
        return StreamDigester(self._queues, self._buffers, wanted)


class StreamDigester:
    """The digests of one large file, fed chunk by chunk."""

    def __init__(
        self,
        queues: tuple[SimpleQueue[Callable[[], None] | None], ...],
        buffers: SimpleQueue[bytearray],
        wanted: frozenset[Algorithm],
    ) -> None:
        self._queues = queues
        self._buffers = buffers
        self._sha256 = hashlib.sha256()
        self._sha512 = hashlib.sha512()
        self._others = {
            name: hashlib.new(name.value, usedforsecurity=False) for name in sorted(wanted) if name not in _OWN
        }
        self._crc32 = 0
        self._size = 0

    def feed(self, buffer: bytearray, size: int) -> None:
        """Take ``size`` bytes of a buffer from :meth:`HashWorkers.buffer`; given back when both are done."""
        chunk = _Chunk(buffer, self._buffers)
        self._size += size

        def first() -> None:
            with memoryview(buffer)[:size] as view:
                self._sha256.update(view)
                self._crc32 = zlib.crc32(view, self._crc32)
                for other in self._others.values():
                    other.update(view)
            chunk.done()

        def second() -> None:
            with memoryview(buffer)[:size] as view:
                self._sha512.update(view)
            chunk.done()

        self._queues[0].put(first)
        self._queues[1].put(second)

    def end(self) -> FileDigests:
        """Wait for both threads and give the digests."""
        arrived: list[Future[None]] = [Future(), Future()]
        for queue, future in zip(self._queues, arrived, strict=True):
            queue.put(_arrive(future))
        for future in arrived:
            future.result()
        member = MemberDigests(self._size, self._sha256.digest(), self._sha512.digest(), self._crc32)
        return FileDigests(member, {name: other.digest() for name, other in self._others.items()})


def _arrive(future: Future[None]) -> Callable[[], None]:
    return lambda: future.set_result(None)


def _work(queue: SimpleQueue[Callable[[], None] | None]) -> None:
    while (job := queue.get()) is not None:
        job()
