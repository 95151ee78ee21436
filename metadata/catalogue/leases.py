"""What the audit's to-do list gives out: leases, what a store must hold, and how the list stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from metadata.holdings import Replica
from metadata.identifiers import FondsCode, VersionId


@dataclass(frozen=True, slots=True)
class Lease:
    """One version to be audited: its object's key and size (bytes), its fonds, the replicas that are ours, and the
    token that makes them so."""

    version: VersionId
    key: str
    size: int
    fonds: FondsCode
    replicas: tuple[Replica, ...]
    token: int


@dataclass(frozen=True, slots=True)
class FixityState:
    """Replicas due now, and replicas under lease."""

    due: int
    leased: int


@dataclass(frozen=True, slots=True)
class Expected:
    """An object that a store must hold: its key and size in bytes, and the store's own word for it when it last
    matched (None: not known), when it is to be read again, and how many objects its log must have."""

    version: VersionId
    key: str
    size: int
    fonds: FondsCode
    tag: str | None
    due: datetime
    log: int
