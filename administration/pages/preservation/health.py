"""What the overview says first: all is well, or what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from metadata.audits import AuditState
from metadata.backups import Backup, BackupOutcome, Drill, DrillOutcome
from metadata.incidents import IncidentState
from preservation.coverage import Picture, picture

if TYPE_CHECKING:
    from administration.archive import Archive
from administration.audits import coverage_days
from administration.rooms import rooms


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something to do: its ``colour`` (red or amber), the key of its words, where one does it, how many there are."""

    colour: str
    key: str
    at: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Health:
    """``read`` is how much was read whole when; ``troubles`` are the gravest first, none: all is well."""

    read: Picture
    troubles: tuple[Trouble, ...]
    backup: Backup | None
    drill: Drill | None

    @property
    def colour(self) -> str:
        return self.troubles[0].colour if self.troubles else "jade"


def health(archive: Archive) -> Health:
    """Look at counters and the last entries of the journal: costs the same however much is held."""
    read = picture(coverage_days(archive), archive.clock().date(), archive.schedule)
    backup, drill = next(iter(archive.backups.listed(1)), None), next(iter(archive.drills.listed(1)), None)
    return Health(read, tuple(_troubles(archive, read, backup, drill)), backup, drill)


def _troubles(archive: Archive, read: Picture, backup: Backup | None, drill: Drill | None) -> Sequence[Trouble]:
    incidents = archive.catalogue.incidents.counts()
    opened, mended = incidents[IncidentState.OPEN], incidents[IncidentState.MENDED]
    late = read.replicas - read.within
    paused = sum(one.state is AuditState.PAUSED for one in archive.standing.listed())
    every = timedelta(hours=archive.settings.number("backup.every_hours"))
    stale = backup is not None and archive.clock() - backup.ended > 2 * every
    low = sum(one.low for one in rooms(archive).values())
    failed = backup is not None and backup.outcome is BackupOutcome.FAILED
    found = [
        (opened, Trouble("red", "open", "/incidents?state=open", opened)),
        (mended, Trouble("amber", "mended", "/incidents?state=mended", mended)),
        (late, Trouble("amber", "late_going" if read.fast_enough else "late", "/audits", late)),
        (paused, Trouble("amber", "paused", "/audits", paused)),
        (low, Trouble("amber", "room", "/stores", low)),
        (failed, Trouble("amber", "backup_failed", "/backups")),
        (read.replicas and (backup is None or stale) and not failed, Trouble("amber", "backup_late", "/backups")),
        (drill is not None and drill.outcome is DrillOutcome.FAILED, Trouble("amber", "drill_failed", "/backups")),
    ]
    return [trouble for wrong, trouble in found if wrong]
