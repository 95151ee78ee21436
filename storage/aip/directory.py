"""Reading the central directory of an AIP object: strictly, a piece at a time, flat in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from storage.aip.writer import DECLARATION, PAYLOAD, TAG_TAIL
from storage.aip.zip64 import TAIL_SIZE, Directory, Header, ZipSyntaxError, local_header_size, parse_central, parse_end
from storage.port import Store

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """A member as the central directory tells it. ``path`` is relative to the bag root; offsets are of the object."""

    path: str
    offset: int
    data: int
    size: int
    crc32: int


def read_directory(store: Store, key: str, total: int) -> Directory:
    """Where the central directory of an object of ``total`` bytes lies. Raises ZipSyntaxError, NotFound."""
    start = max(0, total - TAIL_SIZE)
    return parse_end(_read(store, key, start, total - start), total)


def _read(store: Store, key: str, start: int, length: int) -> bytes:
    """A piece of the object. Raises ZipSyntaxError when the store has less than it said."""
    try:
        opened = store.open(key, start, length)
    except ValueError as error:
        raise ZipSyntaxError("an object that is shorter than the store said") from error
    with opened as stream:
        return stream.read(length)


def first_root(store: Store, key: str, directory: Directory) -> str:
    """The top folder that the first record names. Raises ZipSyntaxError."""
    for header in _records(store, key, directory):
        return split_name(header.name)[0]
    raise ZipSyntaxError("an empty central directory")


def split_name(name: bytes) -> tuple[str, str]:
    """A stored name as top folder and path below it. Raises ZipSyntaxError."""
    try:
        root, slash, path = name.decode().partition("/")
    except UnicodeDecodeError as error:
        raise ZipSyntaxError("a name that is not UTF-8") from error
    if not slash or not root or not path:
        raise ZipSyntaxError("a name that is not below a top folder")
    return root, path


def iter_entries(store: Store, key: str, directory: Directory, root: str) -> Iterator[ZipEntry]:
    """The members, in order. An entry is given only once the next one says the same about where it ends.

    Raises ZipSyntaxError as soon as the records are not those of a gapless bag below ``root``.
    """
    order = Order()
    waiting: ZipEntry | None = None
    position = 0
    for header in _records(store, key, directory):
        folder, path = split_name(header.name)
        if folder != root or header.offset != position:
            raise ZipSyntaxError("a record that does not follow the one before")
        order.next(path)
        if waiting is not None:
            yield waiting
        data = position + local_header_size(header.name, header.size)
        waiting = ZipEntry(path, position, data, header.size, header.crc32)
        position = data + header.size
    if position != directory.offset:
        raise ZipSyntaxError("members that do not reach the central directory")
    order.end()
    if waiting is not None:
        yield waiting


class Order:
    """The order of members that the writer gives: the declaration, the payload, the other tag files."""

    def __init__(self) -> None:
        self._count = 0
        self._tags = 0

    def next(self, path: str) -> None:
        """Raises ZipSyntaxError when ``path`` cannot come next."""
        self._count += 1
        if self._count == 1:
            fits = path == DECLARATION
        elif path.startswith(PAYLOAD):
            fits = self._tags == 0 and len(path) > len(PAYLOAD)
        else:
            fits = self._tags < len(TAG_TAIL) and path == TAG_TAIL[self._tags]
            self._tags += 1
        if not fits:
            raise ZipSyntaxError("a member that is not in its place")

    def end(self) -> None:
        """Raises ZipSyntaxError when tag files are missing."""
        if self._tags != len(TAG_TAIL):
            raise ZipSyntaxError("a bag without all its tag files")


def _records(store: Store, key: str, directory: Directory) -> Iterator[Header]:
    buffer, at, count = b"", 0, 0
    position, end = directory.offset, directory.offset + directory.size
    while position < end or at < len(buffer):
        header = parse_central(buffer, at) if at < len(buffer) else None
        if header is not None:
            at += header.length
            count += 1
            yield header
            continue
        if position >= end:
            raise ZipSyntaxError("a central directory that ends within a record")
        length = min(_PIECE, end - position)
        buffer, at = buffer[at:] + _read(store, key, position, length), 0
        position += length
    if count != directory.count:
        raise ZipSyntaxError("a central directory with another number of records")
