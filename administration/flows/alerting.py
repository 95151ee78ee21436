"""Telling people what happened, each minute."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from administration.work.plan import Job, Json, Step, Workflow

if TYPE_CHECKING:
    from administration.archive import Archive
    from administration.work.clock import Chime


def alerting(archive: Archive) -> tuple[Workflow, ...]:
    """What is due to be told. What fails is due again later, so that a round itself is tried once."""

    def round(_: Job) -> Json:
        done = archive.alerts.round()
        return {
            "sent": {channel.value: count for channel, count in done.sent.items()},
            "failed": {channel.value: why for channel, why in done.failed.items()},
        }

    return (Workflow("alerts", "alerts", (Step("round", round, 1),)),)


def alerting_chimes() -> tuple[Chime, ...]:
    """When to look."""
    from administration.work.clock import Chime

    return (Chime("alerts", timedelta(minutes=1)),)
