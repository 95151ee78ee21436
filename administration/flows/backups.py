"""Backups in the circular's rhythm, and restores on trial."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from administration.work.plan import Job, Json, Request, Step, Workflow
from metadata.backups import BackupKind
from metadata.dates import utc_text

if TYPE_CHECKING:
    from administration.archive import Archive
    from administration.settings import Settings
    from administration.work.clock import Chime
    from metadata.backups import Backup, Drill

ASKED = "-asked-"
"""In the ids of jobs that people asked for."""


def backing_up(archive: Archive) -> tuple[Workflow, ...]:
    """Backup and drill, one at a time. What a backup is called is settled in a step of its own: whoever takes the job
    over finishes the same one."""
    make = Step("plan", lambda job: _plan(archive, job)), Step("make", lambda job: _make(archive, job), 3)
    run = (Step("run", lambda job: _drill(archive, job), 3),)
    return Workflow("backup", "backup", make), Workflow("drill", "backup", run)


def backup_chimes(settings: Settings) -> tuple[Chime, ...]:
    """Asked for more often than they are due, so that a night without the machine is made up for soon."""
    from administration.work.clock import Chime

    every = timedelta(hours=settings.number("backup.every_hours"))
    return (
        Chime("backup", min(every, timedelta(hours=1))),
        Chime("drill", timedelta(days=settings.number("drills.every_days"))),
    )


def backup_request(kind: BackupKind, person: str, now: datetime) -> Request:
    """A backup that a person asks for: made whether or not one is due."""
    return Request("backup", f"backup{ASKED}{utc_text(now)}", {"kind": kind.value, "person": person})


def drill_request(person: str, now: datetime) -> Request:
    """A drill that a person asks for."""
    return Request("drill", f"drill{ASKED}{utc_text(now)}", {"person": person})


def is_asked(job: str) -> bool:
    """Whether a job of that id was asked for by one of the above."""
    return job.startswith((f"backup{ASKED}", f"drill{ASKED}"))


def _plan(archive: Archive, job: Job) -> Json:
    asked = cast("Mapping[str, str]", job.argument or {})
    kind = BackupKind(asked["kind"]) if asked else archive.backups.due()
    if kind is None:
        return None
    return {"id": archive.backups.new_id(), "kind": kind.value, "person": asked.get("person", "")}


def _make(archive: Archive, job: Job) -> Json:
    planned = cast("Mapping[str, str] | None", job.results["plan"])
    if planned is None:
        return None
    return backup_to_json(archive.backups.make(planned["kind"] == "full", planned["id"], planned.get("person", "")))


def _drill(archive: Archive, job: Job) -> Json:
    person = cast("Mapping[str, str]", job.argument or {}).get("person", "")
    return drill_to_json(archive.drills.run(id=job.id, person=person))


def backup_to_json(backup: Backup) -> dict[str, Json]:
    """A backup for people and programs."""
    return {
        "id": backup.id,
        "kind": backup.kind.value,
        "base": backup.base,
        "at": utc_text(backup.at),
        "ended": utc_text(backup.ended),
        "outcome": backup.outcome.value,
        "bytes": backup.size,
        "objects": backup.objects,
        "rows": backup.rows,
        "versions": backup.versions,
        "stores": [store.value for store in backup.stores],
        "manifest": backup.digest.hex(),
        "note": backup.note,
        "person": backup.person,
    }


def drill_to_json(drill: Drill) -> dict[str, Json]:
    """A drill for people and programs."""
    return {
        "id": drill.id,
        "at": utc_text(drill.at),
        "seconds": round(drill.seconds, 3),
        "outcome": drill.outcome.value,
        "aips": list(drill.aips),
        "files": drill.files,
        "bytes": drill.size,
        "backup": drill.backup,
        "rows": drill.rows,
        "problems": list(drill.problems),
        "person": drill.person,
    }
