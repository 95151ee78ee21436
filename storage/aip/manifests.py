"""What a bag's own manifests say, held against what was read of it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from itertools import islice, zip_longest
from types import TracebackType
from typing import Self

from metadata.bagit import decode_path, manifest_line
from storage.aip.damage import DIRECTORY_PLACE, DamageKind, Damages
from storage.aip.directory import ZipEntry
from storage.aip.writer import (
    BAGIT_TXT,
    DECLARATION,
    MANIFEST_SHA256,
    MANIFEST_SHA512,
    PAYLOAD,
    TAGMANIFEST_SHA256,
    TAGMANIFEST_SHA512,
    manifest_path,
)
from storage.hashing import MemberDigests
from storage.port import Store

_PIECE = 1 << 20
_IN_MEMORY = 1 << 20
_MOST_DISPUTES = 1_000


def read_lines(store: Store, key: str, start: int, size: int) -> Iterator[bytes]:
    """The lines of a member, with their line feeds, a piece at a time. Raises NotFound, StoreUnavailable."""
    rest = b""
    with store.open(key, start, size) as stream:
        while piece := stream.read(_PIECE):
            *lines, rest = (rest + piece).split(b"\n")
            yield from (line + b"\n" for line in lines)
    if rest:
        yield rest


class ManifestJudge:
    """Gathers what passes, and judges it when all has passed. Flat in memory: the lines lie in a temporary file."""

    def __init__(self, store: Store, key: str, damages: Damages) -> None:
        self._store, self._key = store, key
        self._damages = damages
        self._lines = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by the context
        self._sha256 = hashlib.sha256()
        self._sha512 = hashlib.sha512()
        self._tags: dict[str, tuple[ZipEntry, MemberDigests]] = {}
        self._disputes: dict[int, tuple[str, str]] = {}
        self._payload = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()

    def dispute(self, path: str, header_path: str) -> bool:
        """The member about to pass is ``path`` to the directory and ``header_path`` to its header. False: too many."""
        if len(self._disputes) < _MOST_DISPUTES:
            self._disputes[self._payload] = (path, header_path)
        return self._payload in self._disputes

    def passed(self, entry: ZipEntry, digests: MemberDigests) -> None:
        """A member, in its order, with the digests of what was read."""
        if not entry.path.startswith(PAYLOAD):
            self._tags[entry.path] = (entry, digests)
            return
        line = manifest_line(digests.sha256, entry.path)
        self._lines.write(line)
        self._sha256.update(line)
        self._sha512.update(manifest_line(digests.sha512, entry.path))
        self._payload += 1

    def judge(self) -> None:
        """Note what does not agree. Raises NotFound, StoreUnavailable."""
        self._judge_tags(TAGMANIFEST_SHA256)
        self._judge_tags(TAGMANIFEST_SHA512)
        self._judge_fixed(DECLARATION, hashlib.sha256(BAGIT_TXT).digest())
        manifest = self._tags.get(MANIFEST_SHA256)
        if manifest and not self._damages.at(MANIFEST_SHA256) and manifest[1].sha256 != self._sha256.digest():
            self._compare_lines(manifest[0])
        for path, header_path in self._disputes.values():
            self._damages.add(path, DamageKind.HEADER, path, header_path)
        if not self._damages:
            self._judge_fixed(MANIFEST_SHA256, self._sha256.digest())
            self._judge_wide(MANIFEST_SHA512, self._sha512.digest())

    def _judge_fixed(self, tag: str, expected: bytes) -> None:
        if tag in self._tags and self._tags[tag][1].sha256 != expected and not self._damages.at(tag):
            self._damages.add(tag, DamageKind.DATA, expected.hex(), self._tags[tag][1].sha256.hex())

    def _judge_wide(self, tag: str, expected: bytes) -> None:
        if tag in self._tags and self._tags[tag][1].sha512 != expected:
            self._damages.add(tag, DamageKind.DATA, expected.hex(), self._tags[tag][1].sha512.hex())

    def _judge_tags(self, tagmanifest: str) -> None:
        """Each tag file against its line in a tag manifest; the tag manifest itself when its lines are not those."""
        if tagmanifest not in self._tags or self._damages.at(tagmanifest):
            return
        entry = self._tags[tagmanifest][0]
        listed = [tag for tag in self._tags if not tag.startswith("tagmanifest-")]
        lines = islice(read_lines(self._store, self._key, entry.data, entry.size), len(listed) + 1)
        for tag, line in zip_longest(listed, lines):
            digests = self._tags[tag][1] if tag else None
            found = (digests.sha256 if tagmanifest == TAGMANIFEST_SHA256 else digests.sha512) if digests else b""
            told, _, path = (line or b"").rstrip(b"\n").partition(b"  ")
            if tag is None or path != tag.encode():
                self._damages.add(tagmanifest, DamageKind.DATA, tag or "", path.decode(errors="replace"))
            elif line != manifest_line(found, tag) and (not self._damages.at(tag) or len(told) == 64):
                self._damages.add(tag, DamageKind.DATA, told.decode(errors="replace"), found.hex())

    def _compare_lines(self, manifest: ZipEntry) -> None:
        """The manifest's lines against those that the members read would have: the difference names its member."""
        self._lines.seek(0)
        told_lines = read_lines(self._store, self._key, manifest.data, manifest.size)
        for index, (own, told) in enumerate(zip_longest(self._lines, told_lines)):
            if own == told:
                continue
            found, _, path = (own or b"").rstrip(b"\n").partition(b"  ")
            expected, _, told_path = (told or b"").rstrip(b"\n").partition(b"  ")
            dispute = self._disputes.get(index)
            if dispute and manifest_path(dispute[1]) == told_path:
                del self._disputes[index]
                self._damages.add(DIRECTORY_PLACE, DamageKind.DIRECTORY, dispute[1], dispute[0])
            if path == told_path:
                place = decode_path(_text(path))
                self._damages.add(place, DamageKind.DATA, _text(expected), _text(found))
            elif dispute is None:
                self._damages.add(MANIFEST_SHA256, DamageKind.DATA, _text(path), _text(told_path))


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
