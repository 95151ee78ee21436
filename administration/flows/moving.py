"""Making the replicas that policies ask for, and what moving stores leaves to do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, cast

from administration.work.plan import Job, Json, Step, Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from administration.archive import Archive
    from administration.settings import Settings
    from administration.work.clock import Chime
    from preservation.replication import ReplicationReport


def moving(archive: Archive) -> tuple[Workflow, ...]:
    """One round of catching up."""
    return (Workflow("replicate", "replicate", (Step("replicate", lambda job: _replicate(archive, job)),)),)


def moving_chimes(settings: Settings) -> tuple[Chime, ...]:
    """When rounds start."""
    from administration.work.clock import Chime

    every = timedelta(minutes=settings.number("replication.every_minutes"))
    return (Chime("replicate", every, {"limit": settings.count("replication.batch")}),)


def _replicate(archive: Archive, job: Job) -> Json:
    """First what was begun with stores and not ended, then what is missing."""
    limit = cast("Mapping[str, int]", job.argument)["limit"]
    for store in archive.store_keeper.settle():
        archive.store_keeper.work(store, limit)
    return replication_to_json(archive.replicator.run(limit))


def replication_to_json(report: ReplicationReport) -> dict[str, Json]:
    """A round for people and programs."""
    return {
        "copied": report.copied,
        "adopted": report.adopted,
        "bytes": report.bytes,
        "postponed": report.postponed,
        "failures": report.failures,
        "failed": [{"version": str(one), "vi": why.vi, "en": why.en} for one, why in report.failed],
        "away": [{"store": one.value, "vi": why.vi, "en": why.en} for one, why in report.away.items()],
        "unsatisfied": [
            {
                "fonds": lack.place.fonds.value,
                "access": lack.place.access,
                "stores": [store.value for store in lack.place.stores],
                "vi": lack.trouble.vi if lack.trouble else "",
                "en": lack.trouble.en if lack.trouble else "",
            }
            for lack in report.unsatisfied
        ],
    }
