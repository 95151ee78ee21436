"""The circumstances of a making, and the identifiers that its documents share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from metadata.events import Agent, Event, EventType
from metadata.identifiers import ArchiveCode, VersionId


@dataclass(frozen=True, slots=True)
class Making:
    """The circumstances of the making of one AIP version.

    ``identifier``, ``scanner`` and ``inspector`` name what identified formats, scanned for malware and looked into
    files, each with its version; empty: nobody did. ``checked``: signatures were looked for.
    ``released`` tells of the decision by which the package came out of quarantine; empty: it was not there.
    """

    version: VersionId
    created: datetime
    archive: ArchiveCode
    agent: Agent
    identifier: str
    work: Path
    scanner: str = ""
    inspector: str = ""
    checked: bool = False
    released: str = ""

    def event(
        self,
        kind: EventType,
        detail: str,
        note: str,
        outcome: str = "success",
        agent: Agent | None = None,
        links: tuple[tuple[str, str], ...] = (),
        *parts: str,
    ) -> Event:
        """An event of the making; ``parts`` tell it from others of its type."""
        identity = Event.derive(self.version, kind.value, *parts)
        by = agent or self.agent
        return Event(identity, self.version, kind, self.created, detail, outcome, note, by, None, links)
