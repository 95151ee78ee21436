"""Small AIP objects, and stores that hold them."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from metadata.holdings import Member, Role
from metadata.identifiers import AipId, ArchiveCode, FondsCode, RecordCode, StoreId, VersionId
from storage.aip.parts import PartFanout
from storage.aip.writer import AipWriter, Sealed
from storage.hashing import digest_bytes
from storage.keys import object_key
from storage.port import Store
from storage.stores.memory import MemoryStore

VERSION = VersionId(AipId(uuid.UUID("0b7c5a52-5a3b-5f0c-8f5e-2f6a4c1e9d77")), 1)
KEY = object_key(ArchiveCode("H49"), FondsCode("01.02"), RecordCode("15/QĐ-UBND"), VERSION)
PAYLOAD: Mapping[str, bytes] = {
    "data/H49/representations/rep1/data/Quyết định 15 50%.pdf": b"%PDF-1.7 mot ban ghi" * 3,
    "data/H49/trống.txt": b"",
    "data/H49/METS.xml": b"<mets/>",
}


@dataclass(frozen=True, slots=True)
class BuiltAip:
    """What a writer would tell the catalogue."""

    key: str
    members: tuple[Member, ...]
    sealed: Sealed


def build_aip(
    stores: Iterable[Store],
    payload: Mapping[str, bytes] = PAYLOAD,
    key: str = KEY,
    root: str = VERSION.root,
    streamed: Iterable[str] = (),
) -> BuiltAip:
    """Write an AIP of ``payload`` to ``stores``; members in ``streamed`` are written before their digests are known."""
    members = []
    later = set(streamed)
    with (
        tempfile.TemporaryDirectory() as work,
        PartFanout(list(stores), key) as out,
        AipWriter(out, root, Path(work)) as writer,
    ):
        for path, data in payload.items():
            digests = digest_bytes(data)
            if path in later:
                member = writer.begin(path, len(data))
                for start in range(0, len(data), 100_000):
                    member.write(memoryview(data)[start : start + 100_000])
                placed = member.end(digests)
            else:
                placed = writer.add(path, data, digests)
            members.append(
                Member(
                    placed.number, path, Role.CONTENT, placed.offset, placed.data, len(data),
                    digests.crc32, digests.sha256, digests.sha512,
                )
            )  # fmt: skip
        sealed = writer.seal([("Source-Organization", "Sở Nội vụ")])
        out.complete()
    tags = sealed.members
    return BuiltAip(key, (tags[0], *members, *tags[1:]), sealed)


def memory_store(name: str = "a") -> MemoryStore:
    """An empty store in memory."""
    return MemoryStore(StoreId(name))


def object_bytes(store: Store, key: str = KEY) -> bytes:
    """All bytes of an object."""
    info = store.head(key)
    assert info is not None
    with store.open(key) as stream:
        return stream.read(info.size)


def store_with(data: bytes, key: str = KEY, name: str = "a") -> MemoryStore:
    """A store that holds ``data`` under ``key``."""
    store = memory_store(name)
    store.put(key, data)
    return store
