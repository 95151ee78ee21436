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
    return (
        Workflow("watch", "index", (Step("review", lambda _: _review(archive)),)),
        Workflow("reconcile", "audit", (Step("list", lambda _: _reconcile(archive)),)),
    )


def watching_chimes() -> tuple[Chime, ...]:
    """When that is done."""
    from administration.work.clock import Chime

    return Chime("watch", timedelta(minutes=10)), Chime("reconcile", timedelta(days=1))


def _review(archive: Archive) -> Json:
    review = archive.watch.review()
    return {
        "met": review.met,
        "mended": review.mended,
        "away": [store.value for store in review.away],
        "clock": review.clock.en if review.clock else None,
    }


def _reconcile(archive: Archive) -> Json:
    """Every store that ought to answer; one that does not is left to the next day."""
    from administration.incidents import answering_stores
    from metadata.errors import TemporaryError

    done: dict[str, Json] = {}
    for store in answering_stores(archive):
        try:
            report = archive.reconciler.reconcile(store)
        except TemporaryError as error:
            done[store.value] = {"en": error.sentence.en}
            continue
        kinds: dict[str, Json] = {kind.value: count for kind, count in sorted(report.strangers.items())}
        done[store.value] = {"objects": report.objects, "strangers": kinds, "told": report.told, "gone": report.gone}
    return done
