"""Incidents: what the clock has looked at again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from administration.work.plan import Json, Step, Workflow

if TYPE_CHECKING:
    from administration.archive import Archive
    from administration.work.clock import Chime


def watching(archive: Archive) -> tuple[Workflow, ...]:
    """Asking the stores, and holding incidents against what is now."""
    return (Workflow("watch", "index", (Step("review", lambda _: _review(archive)),)),)


def watching_chimes() -> tuple[Chime, ...]:
    """When that is done."""
    from administration.work.clock import Chime

    return (Chime("watch", timedelta(minutes=10)),)


def _review(archive: Archive) -> Json:
    review = archive.watch.review()
    return {
        "met": review.met,
        "mended": review.mended,
        "away": [store.value for store in review.away],
        "clock": review.clock.en if review.clock else None,
    }
