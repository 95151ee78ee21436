"""Reading an AIP object: its directory, its manifests, and its members, never a byte that does not match its digest."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property

from metadata.bagit import decode_path
from metadata.errors import Damaged, NotFound, Unreadable
from metadata.holdings import Member
from metadata.identifiers import Algorithm, Digest
from metadata.text import Sentence
from storage.aip.directory import ZipEntry, first_root, iter_entries, read_directory
from storage.aip.writer import MANIFEST_SHA256, MANIFEST_SHA512, PAYLOAD, TAGMANIFEST_SHA256, TAGMANIFEST_SHA512
from storage.aip.zip64 import Directory, ZipSyntaxError
from storage.keys import parse_object_key
from storage.port import ByteStream, Store
from storage.settled import reads_differ

CHUNK = 1 << 20
_RANGE_IN_MEMORY = 16 << 20
_MOST_READS = 3
_TAG_LIMIT = 1 << 20
_MANIFESTS = {Algorithm.SHA256: MANIFEST_SHA256, Algorithm.SHA512: MANIFEST_SHA512}


class AipReader:
    """One AIP object in one store. Nothing is read before it is asked for; memory stays flat at any size.

    Methods raise NotFound (no such object or member), Unreadable (not an AIP object), Damaged (bytes that do not match)
    and StoreUnavailable.
    """

    def __init__(self, store: Store, key: str) -> None:
        self.store = store
        self.key = key

    @cached_property
    def root(self) -> str:
        """The name of the bag's top folder, as the object itself tells it."""
        try:
            return first_root(self.store, self.key, self._directory)
        except ZipSyntaxError as error:
            raise self._unreadable(error) from error

    @cached_property
    def size(self) -> int:
        """The object's size in bytes."""
        info = self.store.head(self.key)
        if info is None:
            raise NotFound(Sentence(f"Không có đối tượng {self.key}.", f"There is no object {self.key}."))
        return info.size

    @cached_property
    def _directory(self) -> Directory:
        try:
            return read_directory(self.store, self.key, self.size)
        except ZipSyntaxError as error:
            raise self._unreadable(error) from error

    @cached_property
    def _tags(self) -> dict[str, ZipEntry]:
        return {entry.path: entry for entry in self.entries() if not entry.path.startswith(PAYLOAD)}

    def entries(self) -> Iterator[ZipEntry]:
        """The members in their order, from the central directory, 1 MiB of it at a time."""
        version = parse_object_key(self.key)
        root = version.root if version else self.root
        try:
            yield from iter_entries(self.store, self.key, self._directory, root)
        except ZipSyntaxError as error:
            raise self._unreadable(error) from error

    def entry(self, path: str) -> ZipEntry:
        """The member at ``path``. Reads the directory up to it."""
        if not path.startswith(PAYLOAD):
            found = self._tags.get(path)
        else:
            found = next((entry for entry in self.entries() if entry.path == path), None)
        if found is None:
            raise NotFound(Sentence(f"Gói {self.key} không có tệp {path}.", f"AIP {self.key} has no member {path}."))
        return found

    def manifest(self, algorithm: Algorithm = Algorithm.SHA256) -> Iterator[tuple[str, bytes]]:
        """Each payload path and its digest (SHA-256 or SHA-512), in order; the last ones once the manifest matched."""
        path = _MANIFESTS[algorithm]
        for line in _lines(self.open(self.entry(path))):
            digest, _, listed = line.partition("  ")
            try:
                yield decode_path(listed), Digest.parse(algorithm, digest).value
            except ValueError as error:
                raise self._unreadable(error) from error

    def read(self, path: str, limit: int, sha256: bytes | None = None) -> bytes:
        """The bytes of a member of at most ``limit`` bytes, matched with ``sha256`` or what the bag's manifests say."""
        entry = self.entry(path)
        if entry.size > limit:
            raise Unreadable(
                Sentence(
                    f"Tệp {path} có {entry.size} byte, quá giới hạn {limit} byte.",
                    f"Member {path} has {entry.size} bytes, more than the limit of {limit}.",
                )
            )
        return b"".join(self.open(entry, sha256))

    def open(self, member: Member | ZipEntry, sha256: bytes | None = None) -> Iterator[bytes]:
        """The member's bytes in chunks of 1 MiB. The last chunk is withheld until the digest matches (else Damaged).

        The digest is ``sha256``, a Member's own, or for a ZipEntry what the bag's manifests say.
        """
        if isinstance(member, Member):
            sha256 = sha256 or member.sha256
        elif sha256 is None:
            sha256 = self._digest(member.path)
        return _verified(self.store, self.key, member, sha256)

    def _digest(self, path: str) -> bytes | None:
        """What the manifests say; None for a tag manifest, which only its CRC vouches for."""
        if path in (TAGMANIFEST_SHA256, TAGMANIFEST_SHA512):
            return None
        listed = self.manifest() if path.startswith(PAYLOAD) else self._tag_digests()
        found = None
        for other, digest in listed:  # to the end: a manifest is not believed before all of it has matched
            if other == path:
                found = digest
        if found is None:
            raise Unreadable(Sentence(f"Không có mã băm nào của tệp {path}.", f"No manifest has a digest of {path}."))
        return found

    def _tag_digests(self) -> Iterator[tuple[str, bytes]]:
        text = self.read(TAGMANIFEST_SHA256, _TAG_LIMIT).decode(errors="replace")
        for line in text.splitlines():
            digest, _, path = line.partition("  ")
            yield path, bytes.fromhex(digest)

    def _unreadable(self, error: ValueError) -> Unreadable:
        return Unreadable(
            Sentence(
                f"Đối tượng {self.key} trong nơi lưu {self.store.id} không phải là gói AIP nguyên vẹn ({error}).",
                f"Object {self.key} in store {self.store.id} is not a whole AIP ({error}).",
            )
        )


def open_range(store: Store, key: str, member: Member, start: int, length: int) -> Iterator[bytes]:
    """``length`` bytes of a member from ``start``, in chunks, after the *whole* member has matched its digest.

    The member is read once more for a range over 16 MiB: the first reading proves the member and notes the digest of
    every chunk of the range, the second serves each chunk only when it is still that chunk. Raises ValueError for a
    range outside the member, NotFound, Damaged, StoreUnavailable; Damaged by a first ``next`` when the member is.
    """
    if start < 0 or length < 0 or start + length > member.size:
        raise ValueError(f"no range {start}+{length} in a member of {member.size} bytes")
    return _range(store, key, member, start, length)


def _range(store: Store, key: str, member: Member, start: int, length: int) -> Iterator[bytes]:
    chunks: list[bytes] = []
    keep = length <= _RANGE_IN_MEMORY
    position = 0
    for chunk in _aligned(store, key, member, start, length):
        overlap = chunk[max(0, start - position) : max(0, start + length - position)]
        position += len(chunk)
        if overlap:
            chunks.append(overlap if keep else hashlib.sha256(overlap).digest())
    if keep:
        yield from chunks
        return
    with store.open(key, member.data + start, length) as stream:
        for digest in chunks:
            chunk = stream.read(CHUNK)
            if hashlib.sha256(chunk).digest() != digest:
                raise _damaged(store, key, member.path)
            yield chunk


def _aligned(store: Store, key: str, member: Member, start: int, length: int) -> Iterator[bytes]:
    """A whole member, matched at its end, cut so that the range within it begins a chunk."""
    running = hashlib.sha256()
    with _opened(store, key, member) as stream:
        for begin, end in ((0, start), (start, start + length), (start + length, member.size)):
            left = end - begin
            while left and (chunk := stream.read(min(CHUNK, left))):
                running.update(chunk)
                left -= len(chunk)
                yield chunk
    if running.digest() != member.sha256:
        raise _damaged(store, key, member.path)


def _verified(store: Store, key: str, member: Member | ZipEntry, sha256: bytes | None) -> Iterator[bytes]:
    """The chunks of a member; of one that does not match, not the last.

    Damage is believed when two readings agree on it. What came whole in one chunk is then simply read again.
    """
    seen: list[tuple[int, bytes]] = []
    given = False
    while len(seen) < _MOST_READS:
        running, crc32, withheld = hashlib.sha256(), 0, b""
        with _opened(store, key, member) as stream:
            while chunk := stream.read(CHUNK):
                running.update(chunk)
                crc32 = zlib.crc32(chunk, crc32)
                if withheld and not seen:
                    given = True
                    yield withheld
                withheld = chunk
        found = (crc32, running.digest())
        if crc32 == member.crc32 and sha256 in (None, found[1]):
            if given and seen:
                break
            if withheld:
                yield withheld
            return
        if found in seen:
            raise _damaged(store, key, member.path)
        seen.append(found)
    raise reads_differ(store.id)


@contextmanager
def _opened(store: Store, key: str, member: Member | ZipEntry) -> Iterator[ByteStream]:
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(store.open(key, member.data, member.size))
        except ValueError as error:  # the object ends before the member does
            raise _damaged(store, key, member.path) from error
        yield stream


def _damaged(store: Store, key: str, path: str) -> Damaged:
    return Damaged(
        Sentence(
            f"Tệp {path} của {key} trong nơi lưu {store.id} không khớp mã băm; không byte nào sai được đưa ra.",
            f"Member {path} of {key} in store {store.id} does not match its digest; it is not served.",
        )
    )


def _lines(chunks: Iterator[bytes]) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)
    if rest:
        yield rest.decode(errors="replace")
