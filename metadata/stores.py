"""What the archive knows of its stores: where they stand, what they can do, whether they are in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from metadata.dates import read_utc, utc_text
from metadata.identifiers import StoreId


class StoreState(StrEnum):
    """ACTIVE takes new replicas; DRAINING takes none, what it has is being copied away; RETIRED counts no more.

    Nothing is deleted from a retired store: it can be reinstated (NĐ 113/2025 Điều 22: for at least three months).
    """

    ACTIVE = "active"
    DRAINING = "draining"
    RETIRED = "retired"


class Ability(StrEnum):
    """What a store may be able to do; a probe finds it out by trying (``tangthu storage probe``)."""

    CONDITIONAL_CREATE = "conditional-create"  # an object is never overwritten, whoever is faster
    CONDITIONAL_COMPLETE = "conditional-complete"  # the same for multipart uploads
    CHECKSUMS = "checksums"  # a wrong body is refused, the right checksum is kept and told
    OBJECT_LOCK = "object-lock"  # a locked version cannot be deleted before its time
    VERSIONING = "versioning"
    UPLOAD_LISTING = "upload-listing"  # unfinished uploads can be listed and aborted
    LIFECYCLE = "lifecycle"
    RANGES = "ranges"
    ENCRYPTION = "encryption"  # at rest, by the server
    HARD_LINKS = "hard-links"  # of a folder: atomic, conditional creation
    EXACT_NAMES = "exact-names"  # of a folder: names are kept as they are given


class Found(StrEnum):
    """What a probe found of an ability. UNKNOWN: it could not be tried (no right to, or the store did not answer)."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Probe:
    """What trying a store out came to: each ability, and a word on what was seen where it is not simply there."""

    at: datetime
    abilities: Mapping[Ability, Found]
    notes: Mapping[Ability, str] = field(default_factory=dict)
    server: str = ""

    def document(self) -> dict[str, Any]:
        """As JSON has it: in the catalogue, in the journal, on the command line."""
        return {
            "at": utc_text(self.at),
            "server": self.server,
            "abilities": {ability.value: found.value for ability, found in sorted(self.abilities.items())},
            "notes": {ability.value: note for ability, note in sorted(self.notes.items())},
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """What :meth:`document` said. Abilities that this release does not know are left out."""
        known = {ability.value for ability in Ability}
        return cls(
            read_utc(document["at"]),
            {Ability(name): Found(found) for name, found in document["abilities"].items() if name in known},
            {Ability(name): note for name, note in document["notes"].items() if name in known},
            document["server"],
        )


@dataclass(frozen=True, slots=True)
class StoreTraits:
    """What policies ask of a store, out of the settings. ``site`` is a place (a building); ``locked`` means that the
    store locks what is put into it; ``cold`` that reading needs a request and hours; ``offline`` that it is a medium on
    a shelf: written once as a set, read when somebody connects it."""

    id: StoreId
    site: str = ""
    kind: str = "directory"
    locked: bool = False
    cold: bool = False
    offline: bool = False


@dataclass(frozen=True, slots=True)
class StoreRecord:
    """What the catalogue knows of a store: its state and since when, and the last probe."""

    id: StoreId
    state: StoreState
    since: datetime
    probe: Probe | None = None
