"""Feeding the search index, and removing what dead jobs left."""

from __future__ import annotations

import contextlib
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

from administration.work.plan import Json, Step, Workflow
from metadata.errors import Busy, StoreUnavailable

if TYPE_CHECKING:
    from administration.archive import Archive

STALE_UPLOAD = timedelta(days=2)


def tidying(archive: Archive) -> tuple[Workflow, ...]:
    """Index and tidy."""
    return (
        Workflow("index", "index", (Step("feed", lambda _: feed(archive)),)),
        Workflow("tidy", "audit", (Step("sweep", lambda _: sweep(archive)),)),
    )


def feed(archive: Archive) -> int:
    """Bring the search index up to date; how many changes it took in. Another that feeds it now does it for us.

    An index with nothing in it, as a release with another layout begins with, is made anew.
    """
    count = 0
    with contextlib.suppress(Busy):
        if not archive.index.count() and archive.catalogue.holdings.versions(1):
            return archive.feeder.rebuild()
        while taken := archive.feeder.feed():
            count += taken
    return count


def sweep(archive: Archive) -> Json:
    """Abort uploads and remove temporary folders so old that nobody can still be at them; how many of each."""
    uploads, _ = sweep_uploads(archive, STALE_UPLOAD)
    copies = archive.ingest.room.sweep((archive.clock() - STALE_UPLOAD).timestamp())
    return {"uploads": uploads, "folders": sweep_folders(archive, STALE_UPLOAD) + copies}


def sweep_uploads(archive: Archive, age: timedelta) -> tuple[int, list[StoreUnavailable]]:
    """Abort uploads begun longer ago than ``age``, in every store in use; how many, and which stores did not answer."""
    from storage.replicas import sweep as sweep_stores

    count, away = 0, []
    for store in archive.places.in_use():
        try:
            count += sweep_stores([archive.stores[store]], "", archive.clock() - age)
        except StoreUnavailable as error:
            away.append(error)
    return count, away


def sweep_folders(archive: Archive, age: timedelta) -> int:
    """Remove what dead jobs left in the work folder longer ago than ``age``; how many folders."""
    before, count = (archive.clock() - age).timestamp(), 0
    folder = archive.settings.work_folder
    for entry in list(folder.iterdir()) if folder.is_dir() else []:
        if entry.is_dir() and entry.stat().st_mtime < before:
            shutil.rmtree(entry, ignore_errors=True)
            count += 1
    return count
