"""The archive's workflows: its services as steps over JSON, for the work engine; and when the clock starts them.

Each module has some of them; what they have in common, and all of them together, is here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from administration.flows.alerting import alerting, alerting_chimes
from administration.flows.auditing import auditing, auditing_chimes
from administration.flows.backups import (
    backing_up,
    backup_chimes,
    backup_request,
    backup_to_json,
    drill_request,
    drill_to_json,
    is_asked,
)
from administration.flows.ingesting import decided_request, ingest_request, ingesting, stored_from_json, stored_to_json
from administration.flows.keeping import audit_to_json, keeping, keeping_chimes, repair_to_json
from administration.flows.moving import moving, moving_chimes, replication_to_json
from administration.flows.progress import Progress
from administration.flows.tidying import STALE_UPLOAD, feed, sweep, sweep_folders, sweep_uploads, tidying
from administration.flows.watching import watching, watching_chimes
from administration.work.plan import Workflow, WorkOptions

if TYPE_CHECKING:
    from administration.archive import Archive
    from administration.settings import Settings
    from administration.work.clock import Chime

__all__ = [
    "STALE_UPLOAD", "Progress", "audit_to_json", "backup_request", "backup_to_json", "chimes", "decided_request",
    "drill_request", "drill_to_json", "feed", "ingest_request", "is_asked", "repair_to_json", "replication_to_json",
    "stored_from_json", "stored_to_json", "sweep", "sweep_folders", "sweep_uploads", "work_options",
    "workflows",
]  # fmt: skip


def workflows(archive: Archive, on_progress: Progress = lambda *_: None) -> tuple[Workflow, ...]:
    """Ingest, what was decided of quarantine, audit, repair, index and tidy, over ``archive``."""
    return (
        *ingesting(archive, on_progress),
        *keeping(archive),
        *auditing(archive),
        *moving(archive),
        *tidying(archive),
        *watching(archive),
        *backing_up(archive),
        *alerting(archive),
    )


def work_options(settings: Settings, queues: tuple[str, ...] | None = None) -> WorkOptions:
    """How the engine works, out of the settings. Audits, repairs, indexing, quarantine: one at a time."""
    return WorkOptions(
        concurrency=settings.count("work.workers"),
        ttl=settings.number("work.ttl_seconds"),
        deaths=settings.count("work.max_deaths"),
        keep_days=settings.number("work.keep_days"),
        queues=queues,
        limits={"alerts": 1, "audit": 1, "backup": 1, "repair": 1, "replicate": 1, "index": 1, "quarantine": 1},
    )


def chimes(settings: Settings) -> tuple[Chime, ...]:
    """What the clock starts."""
    from administration.work.clock import Chime

    return (
        *keeping_chimes(settings),
        *auditing_chimes(settings),
        *moving_chimes(settings),
        *watching_chimes(),
        *backup_chimes(settings),
        *alerting_chimes(),
        Chime("index", timedelta(seconds=15)),
        Chime("quarantine", timedelta(minutes=1), {"id": None}),
        Chime("tidy", timedelta(days=1)),
    )
