"""The marker object: how a store says whose it is.

A folder without its marker is a disk that is not mounted, not a store that has lost everything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

from metadata.identifiers import ArchiveCode, StoreId

MARKER_KEY = "tangthu-store.json"
"""Read like any object; never listed, never deleted."""
MARKER_BYTES = 64 << 10
"""More than any marker has."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Which store of which archive this is."""

    store: StoreId
    archive: ArchiveCode
    label: str = ""
    """What is written on a medium that lies on a shelf."""

    def is_of(self, store: StoreId, archive: ArchiveCode) -> bool:
        """Whether it is this store of this archive, whatever its label."""
        return (self.store, self.archive) == (store, archive)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raise ValueError when ``data`` is not a marker."""
        try:
            fields = json.loads(data)
            return cls(StoreId(fields["store"]), ArchiveCode(fields["archive"]), str(fields.get("label", "")))
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError("not a marker") from error

    def to_bytes(self) -> bytes:
        fields = {"store": self.store.value, "archive": self.archive.value}
        if self.label:
            fields["label"] = self.label
        return json.dumps(fields, ensure_ascii=False, sort_keys=True).encode() + b"\n"
