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


@dataclass(frozen=True, slots=True)
class Marker:
    """Which store of which archive this is."""

    store: StoreId
    archive: ArchiveCode

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raise ValueError when ``data`` is not a marker."""
        try:
            fields = json.loads(data)
            return cls(StoreId(fields["store"]), ArchiveCode(fields["archive"]))
        except (KeyError, TypeError) as error:
            raise ValueError("not a marker") from error

    def to_bytes(self) -> bytes:
        fields = {"store": self.store.value, "archive": self.archive.value}
        return json.dumps(fields, ensure_ascii=False, sort_keys=True).encode() + b"\n"
