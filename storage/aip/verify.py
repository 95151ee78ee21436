"""Verifying a stored AIP object: every byte of it is accounted for, and what does not match is named.

With the members that the catalogue expects, each is digested where it should lie, and the object's own structure is
compared with what the writer would have written. Without them (``storage.aip.offline``) the object's directory,
manifests and CRCs are held against each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from metadata.errors import Cold, NotFound, OnShelf, TemporaryError
from metadata.holdings import Member
from metadata.outcomes import Fixity
from storage.aip.blocks import Block, Cursor, ReadAhead
from storage.aip.damage import DIRECTORY_PLACE, Damage, DamageKind, Damages, Verdict
from storage.aip.directory import first_root, read_directory
from storage.aip.offline import examine_offline
from storage.aip.tally import CentralTally
from storage.aip.zip64 import ZipSyntaxError, local_header
from storage.keys import parse_object_key
from storage.port import Store

__all__ = [
    "DIRECTORY_PLACE", "Damage", "DamageKind", "ExpectedMember", "Verdict", "verify_blocks", "verify_object",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExpectedMember:
    """What the catalogue knows of a member; a :class:`~metadata.holdings.Member` will do as well."""

    path: str
    offset: int
    size: int
    crc32: int
    sha256: bytes


Expected = Iterable[ExpectedMember | Member]


def verify_object(
    store: Store, key: str, expected: Expected | None, on_progress: Callable[[int], None] | None = None
) -> Verdict:
    """Read the object under ``key`` once, from end to end, and hold every byte against what it should be.

    ``expected`` are all members (tag files too) in their order; None verifies the object by itself. ``on_progress``
    gets the bytes of each block read. Never raises for what it finds: an absent object is MISSING, a store that does
    not answer makes it UNREADABLE; a medium on its shelf, or an object in the cold, NOT_CHECKED.
    """
    with ReadAhead(store, key) as blocks:
        return verify_blocks(iter(blocks), store, key, expected, on_progress)


def verify_blocks(
    blocks: Iterator[Block],
    store: Store,
    key: str,
    expected: Expected | None,
    on_progress: Callable[[int], None] | None = None,
) -> Verdict:
    """As :func:`verify_object`, with the object's blocks given (``storage.replicas`` reads several at once)."""
    damages = Damages()
    counter = _Counter(on_progress)
    with closing(counter.count(blocks)) as counted:
        try:
            cursor = Cursor(counted)
            if expected is None:
                examine_offline(store, key, cursor, damages)
            else:
                _Examination(cursor, _root(store, key), damages).run(expected)
        except NotFound as error:
            return Verdict(Fixity.MISSING, (), counter.total, 0, error.sentence)
        except (Cold, OnShelf) as error:
            return Verdict(Fixity.NOT_CHECKED, (), counter.total, 0, error.sentence)
        except TemporaryError as error:
            return Verdict(Fixity.UNREADABLE, damages.kept(), counter.total, len(damages.kept()), error.sentence)
    return damages.verdict(counter.total)


class _Counter:
    def __init__(self, on_progress: Callable[[int], None] | None) -> None:
        self.total = 0
        self._on_progress = on_progress

    def count(self, blocks: Iterator[Block]) -> Generator[Block, None, None]:
        for block in blocks:
            self.total += block[1]
            if self._on_progress:
                self._on_progress(block[1])
            yield block


def _root(store: Store, key: str) -> str:
    """The top folder: told by the key, or for other keys by the object's own directory."""
    version = parse_object_key(key)
    if version is not None:
        return version.root
    info = store.head(key)
    try:
        return first_root(store, key, read_directory(store, key, info.size)) if info else ""
    except ZipSyntaxError:
        return ""


class _Examination:
    """One object against the members expected."""

    def __init__(self, cursor: Cursor, root: str, damages: Damages) -> None:
        self._cursor = cursor
        self._prefix = f"{root}/".encode()
        self._damages = damages
        self._position = 0

    def run(self, expected: Expected) -> None:
        tally = CentralTally()
        take, sha256 = self._cursor.take, hashlib.sha256
        for member in expected:
            name = self._prefix + member.path.encode()
            tally.add(name, member.size, member.crc32, member.offset)
            if member.offset != self._position and not self._move(member):
                continue
            header = local_header(name, member.size, member.crc32)
            found = take(len(header))
            if found != header:
                self._header(member.path, header, found)
            size = member.size
            self._position += len(header) + size
            if size <= 1 << 20:
                data = take(size)
                got, digest = len(data), sha256(data).digest()
            else:
                got, digest = self._digest(size)
            if got != size:
                self._damages.add(member.path, DamageKind.TRUNCATED, f"{size}", f"{got}")
            elif digest != member.sha256:
                self._damages.add(member.path, DamageKind.DATA, member.sha256.hex(), digest.hex())
        tally.compare(self._cursor, self._position, self._damages)

    def _digest(self, size: int) -> tuple[int, bytes]:
        running, got = hashlib.sha256(), 0
        for piece in self._cursor.pieces(size):
            running.update(piece)
            got += len(piece)
        return got, running.digest()

    def _header(self, path: str, header: bytes, found: memoryview) -> None:
        kind = DamageKind.HEADER if len(found) == len(header) else DamageKind.TRUNCATED
        self._damages.add(path, kind, header.hex(), found.hex())

    def _move(self, member: ExpectedMember | Member) -> bool:
        """Go to a member that does not follow the one before: what is between is damage, and so is an overlap."""
        self._damages.add(member.path, DamageKind.POSITION, f"{member.offset}", f"{self._position}")
        if member.offset < self._position:
            return False
        for _ in self._cursor.pieces(member.offset - self._position):
            pass
        self._position = member.offset
        return True
