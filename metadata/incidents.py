"""Incidents: what went wrong with what is kept, its cause, how it was handled (NĐ 113/2025 Điều 22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from metadata.identifiers import StoreId, VersionId
from metadata.text import Sentence


class IncidentKind(StrEnum):
    """What went wrong."""

    DAMAGE = "damage"  # a replica does not match, or is gone; two reads say so
    LOST = "lost"  # no replica matches any more: a person must decide
    UNREADABLE = "unreadable"  # a replica could not be looked at for too long
    LOG = "log"  # the logs beside an AIP contradict each other or are incomplete
    STORE_AWAY = "store-away"  # a store did not answer for too long
    STORE_FULL = "store-full"
    STRANGER = "stranger"  # a store holds what the catalogue does not know
    BACKUP = "backup"  # a backup or a drill failed
    CLOCK = "clock"  # the clock of the machine cannot be right


class IncidentState(StrEnum):
    """OPEN: nobody has dealt with it. MENDED: what was wrong is right again, a person has yet to write the cause and
    how it was handled. CLOSED: written and signed off."""

    OPEN = "open"
    MENDED = "mended"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. ``subject`` tells it from others of its kind (a version and a store, a store, a key).

    ``told`` says what happened; ``facts`` are for programs and forms: damages found, what repaired them (the fix file).
    ``cause`` and ``handling`` are what a person wrote. An incident of the same kind and subject is not opened twice
    while one is not closed: ``seen`` counts how often it was met.
    """

    id: str
    kind: IncidentKind
    subject: str
    opened: datetime
    told: Sentence
    state: IncidentState = IncidentState.OPEN
    version: VersionId | None = None
    store: StoreId | None = None
    seen: int = 1
    mended: datetime | None = None
    closed: datetime | None = None
    cause: str = ""
    handling: str = ""
    person: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
