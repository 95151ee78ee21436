"""Verifying an AIP object by itself, without a catalogue, and telling which of its parts is the wrong one.

Each fact is told more than once: a member's name, size and CRC by its local header and the central directory, its
name and digests by the manifests, the manifests' digests by the tag manifests. The part that stands alone is wrong.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator

from metadata.errors import NotFound
from metadata.text import Sentence
from storage.aip.blocks import Cursor
from storage.aip.damage import DIRECTORY_PLACE, DamageKind, Damages
from storage.aip.directory import Order, ZipEntry, first_root, iter_entries, read_directory, split_name
from storage.aip.manifests import ManifestJudge
from storage.aip.tally import CentralTally
from storage.aip.writer import PAYLOAD
from storage.aip.zip64 import LOCAL_SIZE, Header, ZipSyntaxError, local_header, parse_local
from storage.hashing import MemberDigests
from storage.keys import parse_object_key
from storage.port import Store


def examine_offline(store: Store, key: str, cursor: Cursor, damages: Damages) -> None:
    """Hold the object's parts against each other; ``cursor`` reads it. Raises NotFound, StoreUnavailable."""
    info = store.head(key)
    if info is None:
        raise NotFound(Sentence(f"Không có đối tượng {key}.", f"There is no object {key}."))
    with ManifestJudge(store, key, damages) as judge:
        _Offline(store, key, cursor, damages, judge).run(info.size)
        judge.judge()


class _Offline:
    """One walk over the object, led by its directory as long as that makes sense, then by its local headers."""

    def __init__(self, store: Store, key: str, cursor: Cursor, damages: Damages, judge: ManifestJudge) -> None:
        version = parse_object_key(key)
        self._key_root = version.root if version else None
        self._root = self._key_root or ""
        self._store, self._key = store, key
        self._cursor = cursor
        self._damages = damages
        self._judge = judge
        self._order = Order()
        self._tally = CentralTally()
        self._position = 0

    def run(self, total: int) -> None:
        trouble = ""
        try:
            for entry in self._directory(total):
                self._member(entry)
        except ZipSyntaxError as error:
            trouble = str(error)
            self._walk()
        self._tally.compare(self._cursor, self._position, self._damages)
        try:
            self._order.end()
        except ZipSyntaxError as error:
            trouble = trouble or str(error)
        if trouble and not self._damages.at(DIRECTORY_PLACE):
            self._damages.add(DIRECTORY_PLACE, DamageKind.DIRECTORY, "", trouble)

    def _directory(self, total: int) -> Iterator[ZipEntry]:
        directory = read_directory(self._store, self._key, total)
        self._root = self._root or first_root(self._store, self._key, directory)
        return iter_entries(self._store, self._key, directory, self._root)

    def _walk(self) -> None:
        """Go on from local header to local header, when the directory cannot be trusted."""
        while (header := self._next_header()) is not None:
            try:
                root, path = split_name(header.name)
            except ZipSyntaxError as error:
                self._damages.add(DIRECTORY_PLACE, DamageKind.HEADER, "", str(error))
                return
            if self._position == 0:
                if self._key_root not in (None, root):
                    self._damages.add(DIRECTORY_PLACE, DamageKind.OBJECT, self._root, root)
                self._root = root
            data = self._position + header.length
            self._member(ZipEntry(path, self._position, data, header.size, header.crc32))

    def _next_header(self) -> Header | None:
        """The local header at the cursor, which stays before it; None where the central directory begins."""
        fixed = bytes(self._cursor.take(LOCAL_SIZE))
        more = b""
        try:
            if len(fixed) == LOCAL_SIZE:
                parse_local(fixed)
                lengths = int.from_bytes(fixed[26:28], "little") + int.from_bytes(fixed[28:30], "little")
                more = bytes(self._cursor.take(lengths))
            return parse_local(fixed + more)
        except ZipSyntaxError:
            return None
        finally:
            self._cursor.push_back(fixed + more)

    def _member(self, entry: ZipEntry) -> None:
        try:
            self._order.next(entry.path)
        except ZipSyntaxError as error:
            self._damages.add(entry.path, DamageKind.POSITION, "", str(error))
        name = f"{self._root}/{entry.path}".encode()
        header = local_header(name, entry.size, entry.crc32)
        found = bytes(self._cursor.take(len(header)))
        digests = self._digest(entry.size)
        self._tally.add(name, entry.size, entry.crc32, self._position)
        self._position += len(header) + entry.size
        if digests.size != entry.size:
            self._damages.add(entry.path, DamageKind.TRUNCATED, f"{entry.size}", f"{digests.size}")
        elif found != header:
            self._header(entry, name, found, header, digests.crc32)
        elif digests.crc32 != entry.crc32:
            self._crc(entry, digests.crc32)
        self._judge.passed(entry, digests)

    def _digest(self, size: int) -> MemberDigests:
        sha256, sha512, crc32, got = hashlib.sha256(), hashlib.sha512(), 0, 0
        for piece in self._cursor.pieces(size):
            sha256.update(piece)
            sha512.update(piece)
            crc32 = zlib.crc32(piece, crc32)
            got += len(piece)
        return MemberDigests(got, sha256.digest(), sha512.digest(), crc32)

    def _header(self, entry: ZipEntry, name: bytes, found: bytes, header: bytes, crc32: int) -> None:
        """The local header and the directory disagree: the bytes, or at the end the manifest, say who is right."""
        try:
            told = parse_local(found)
        except ZipSyntaxError:
            told = None
        if told is not None and told.size == entry.size and told.crc32 == crc32:
            if told.name == name:
                self._damages.add(
                    DIRECTORY_PLACE, DamageKind.DIRECTORY, f"crc32 {crc32:08x}", f"crc32 {entry.crc32:08x}"
                )
                return
            if self._disputed(entry, told.name):
                return
        self._damages.add(entry.path, DamageKind.HEADER, header.hex(), found.hex())
        if crc32 != entry.crc32:
            self._crc(entry, crc32)

    def _disputed(self, entry: ZipEntry, told: bytes) -> bool:
        """Whether only the name within the payload differs, so that the manifest can tell which is right."""
        try:
            root, path = split_name(told)
        except ZipSyntaxError:
            return False
        if root != self._root or not (path.startswith(PAYLOAD) and entry.path.startswith(PAYLOAD)):
            return False
        return self._judge.dispute(entry.path, path)

    def _crc(self, entry: ZipEntry, crc32: int) -> None:
        self._damages.add(entry.path, DamageKind.DATA, f"crc32 {entry.crc32:08x}", f"crc32 {crc32:08x}")
