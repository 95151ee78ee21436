"""What a store holds and the catalogue does not know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from metadata.identifiers import StoreId


class StrangerKind(StrEnum):
    """What it looks like."""

    ORPHAN = "orphan"  # a complete AIP object that was never acknowledged
    LOG = "log"  # log objects of an AIP that is not here and that the catalogue does not know
    ELSEWHERE = "elsewhere"  # of an AIP that the catalogue knows, in a store where it counts no replica
    FOREIGN = "foreign"  # a key that is not one of ours


class StrangerState(StrEnum):
    """SEEN once (an ingest may be at it), TOLD to people; the others are what became of it. REMOVING is decided and not
    done yet."""

    SEEN = "seen"
    TOLD = "told"
    KEPT = "kept"
    REMOVING = "removing"
    REMOVED = "removed"
    ADOPTED = "adopted"

    @property
    def waits(self) -> bool:
        """Whether people have yet to decide."""
        return self in (StrangerState.SEEN, StrangerState.TOLD)


class StrangerDecision(StrEnum):
    """What two people may decide: leave it where it is, or remove it."""

    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class StrangerVote:
    """One person's word: the name as typed, the decision, the reason, when."""

    person: str
    decision: StrangerDecision
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Stranger:
    """One object. ``digest`` is its SHA-256 once it was read whole, which is before it is removed."""

    store: StoreId
    key: str
    kind: StrangerKind
    size: int
    modified: datetime
    first_seen: datetime
    last_seen: datetime
    state: StrangerState = StrangerState.SEEN
    round: int = 1
    ended: datetime | None = None
    digest: bytes | None = None
    votes: tuple[StrangerVote, ...] = ()
