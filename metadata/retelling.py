"""A format that was told anew of a file in a sealed AIP, and the event that says so.

The object stays as it is; who reads the AIP's log after it gives the member the last format that was told. The note of
the event is what a rebuild reads: canonical JSON of the member's number and of both formats.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from metadata.canonical import canonical
from metadata.events import Agent, Event, EventType
from metadata.holdings import Format
from metadata.identifiers import Puid, VersionId

_LINK = "member"


@dataclass(frozen=True, slots=True)
class Retold:
    """A member by number and path, and its format now; ``before`` None: nobody had looked."""

    number: int
    path: str
    format: Format
    before: Format | None

    def event(self, version: VersionId, at: datetime, agent: Agent) -> Event:
        """The event; telling the same again by the same ``agent`` (its signature files) is the same event."""
        return Event(
            Event.derive(version, EventType.FORMAT_IDENTIFICATION.value, agent.identifier, str(self.number)),
            version,
            EventType.FORMAT_IDENTIFICATION,
            at,
            f"Identified again: {_short(self.before)} is now told as {_short(self.format)}",
            "success",
            canonical({"member": self.number, "format": _fields(self.format), "before": _fields(self.before)}),
            agent,
            links=((_LINK, self.path),),
        )

    @classmethod
    def of(cls, event: Event) -> Retold | None:
        """What an event tells; None for one that is about something else, or is not written as above."""
        path = next((value for kind, value in event.links if kind == _LINK), None)
        if event.type is not EventType.FORMAT_IDENTIFICATION or path is None:
            return None
        try:
            known = json.loads(event.note)
            told, number = _format(known["format"]), known["member"]
            return None if told is None else cls(int(number), path, told, _format(known["before"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            return None


def _fields(format: Format | None) -> list[str | None] | None:
    if format is None:
        return None
    puid = None if format.puid is None else str(format.puid)
    return [puid, format.name, format.version, format.mime, format.basis, format.warning]


def _format(fields: Sequence[str] | None) -> Format | None:
    """Raises TypeError, ValueError for what no event of ours says."""
    if fields is None:
        return None
    puid, name, version, mime, basis, warning = fields
    return Format(None if puid is None else Puid(puid), *map(str, (name, version, mime, basis, warning)))


def _short(format: Format | None) -> str:
    return "a file nobody had looked at" if format is None else f"{format.puid or format.mime} ({format.basis})"
