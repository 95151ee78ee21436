"""Audits as things that people start, watch, slow down and stop; and how much of the holdings was read when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from metadata.identifiers import FondsCode, StoreId


class AuditKind(StrEnum):
    """LIGHT: presence, size and the server's own checksum of every object, without reading it, and strangers.
    DEEP: every byte read and digested, member by member. SAMPLE: a deep audit of a random share."""

    LIGHT = "light"
    DEEP = "deep"
    SAMPLE = "sample"


class AuditState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Audit:
    """One audit of one store. ``standing`` ones are begun by the clock and follow the policy; others by a person.

    ``fonds`` None means all. ``share`` is of a sample, 0 < share ≤ 1. ``limit`` is in bytes a second, None: the store's
    own budget. ``replicas`` and ``bytes`` are how much there was to do when it began, ``done`` and ``done_bytes`` how
    much is done; ``damaged`` and ``unread`` how many were found so. ``place`` is where it goes on (opaque).
    """

    id: str
    kind: AuditKind
    store: StoreId
    fonds: FondsCode | None
    share: float
    state: AuditState
    standing: bool
    begun: datetime
    touched: datetime
    ended: datetime | None
    limit: int | None
    replicas: int
    bytes: int
    done: int
    done_bytes: int
    damaged: int
    unread: int
    place: str
    person: str = ""

    @property
    def endless(self) -> bool:
        """Whether it is a store's standing deep audit, which reads what is due for ever."""
        return self.standing and self.kind is AuditKind.DEEP


@dataclass(frozen=True, slots=True)
class CoverageDay:
    """How many replicas in a store, of a fonds, were last read whole on ``day`` (UTC; None: never), and their bytes."""

    store: StoreId
    fonds: FondsCode
    day: date | None
    replicas: int
    bytes: int
