"""What a look at an AIP object found: the verdict, and every damage by the member in whose bytes it lies."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from metadata.outcomes import Fixity
from metadata.text import Sentence

DIRECTORY_PLACE = "(zip directory)"
"""Where a damage lies that is in no member: the central directory, or the object as a whole."""

LIMIT = 1_000


class DamageKind(StrEnum):
    """What is wrong at a place. ``expected`` and ``found`` are digests, or for lengths and positions numbers."""

    DATA = "data"  # the member's bytes are not those of its digest
    HEADER = "header"  # its local header is not the one that was written
    POSITION = "position"  # it is not where it should be
    TRUNCATED = "truncated"  # the object ends before its bytes do
    DIRECTORY = "directory"  # the central directory or end record is not the one that was written
    APPENDED = "appended"  # bytes after the end
    OBJECT = "object"  # another AIP's object lies here


@dataclass(frozen=True, slots=True)
class Damage:
    """One damage: the member's path (relative to the bag root) or ``(zip directory)``, and what differs."""

    place: str
    kind: DamageKind
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a verification: the first 1,000 damages, how many there are, bytes read.

    ``reason`` says why an object is UNREADABLE; such a verdict says nothing about the bytes not read.
    """

    outcome: Fixity
    damages: tuple[Damage, ...]
    bytes_read: int
    damage_count: int = 0
    reason: Sentence | None = None


class Damages:
    """Damages as they are found, one of a kind a place; the later word on a place replaces the earlier."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, DamageKind], Damage] = {}
        self._beyond = 0

    def add(self, place: str, kind: DamageKind, expected: str, found: str) -> None:
        """Note a damage."""
        if (place, kind) in self._kept or len(self._kept) < LIMIT:
            self._kept[place, kind] = Damage(place, kind, expected, found)
        else:
            self._beyond += 1

    def at(self, place: str) -> bool:
        """Whether a damage at ``place`` is known."""
        return any((place, kind) in self._kept for kind in DamageKind)

    def verdict(self, bytes_read: int) -> Verdict:
        """MATCH when nothing was found, MISMATCH otherwise."""
        outcome = Fixity.MISMATCH if self._kept else Fixity.MATCH
        return Verdict(outcome, self.kept(), bytes_read, len(self._kept) + self._beyond)

    def kept(self) -> tuple[Damage, ...]:
        return tuple(self._kept.values())

    def __bool__(self) -> bool:
        return bool(self._kept)
