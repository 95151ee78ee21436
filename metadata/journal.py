"""The archive's own journal: what was done to the archive as a whole, by whom, and what came of it.

An AIP's life is told by the log beside it. What concerns no single AIP (a store that was added or retired, an incident
and how it was handled, a backup, a drill, what two people decided) is told by the journal. Entries are only added.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from metadata.events import Agent

_ENTRY_NAMESPACE = uuid.UUID("5d0c7c6e-1f5f-5a43-9a07-6f0a4b1b3c52")


class EntryKind(StrEnum):
    """What an entry is about. ``subject`` is what its comment names."""

    STORE = "store"  # a store's id: added, probed, drained, retired, reinstated, moved
    INCIDENT = "incident"  # an incident's id: opened, cause and handling written, closed
    AUDIT = "audit"  # an audit's id: begun, paused, resumed, limited, ended
    BACKUP = "backup"  # a backup's id: made, or failed
    RESTORE = "restore"  # a backup's id: an archive that was made from it
    DRILL = "drill"  # a drill's id: what was restored on trial, and whether it matched
    REPAIR = "repair"  # a version's id
    STRANGER = "stranger"  # a store's id and a key: found, voted on, removed
    FORM = "form"  # a form's id: drawn up


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    ``at`` is aware UTC; ``act`` says in one word what was done; ``person`` is who did or decided it, empty when the
    software did it by itself. ``document`` holds what there is to tell, as JSON has it.
    """

    id: uuid.UUID
    at: datetime
    kind: EntryKind
    subject: str
    act: str
    person: str
    agent: Agent
    document: Mapping[str, Any]

    @staticmethod
    def derive(*parts: str) -> uuid.UUID:
        """An identifier that a retry of the same act derives again, so that no entry is doubled."""
        return uuid.uuid5(_ENTRY_NAMESPACE, "\n".join(parts))


@dataclass(frozen=True, slots=True)
class Numbered:
    """An entry in its place: ``number`` from 1, and the SHA-256 of the object that carries it."""

    number: int
    digest: bytes
    entry: Entry
