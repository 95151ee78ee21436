"""Who looks into content files, out of the settings: the same for an ingest and for a deep check."""

from __future__ import annotations

from pathlib import Path

from administration.settings import Settings
from preservation.checkers import Checkers
from preservation.identification.data import signatures_in
from preservation.signatures.fetching import allowed_hosts
from preservation.signatures.trust import INDEX, TrustStore


def checkers_of(settings: Settings, *, fetch: bool) -> Checkers:
    """By the archive's own signature files, trust store and programs; ``fetch``: also by what may be fetched for it."""
    folder, program = settings.trust_folder, settings.text("formats.verapdf")
    return Checkers(
        signatures_in(settings.formats_folder),
        TrustStore.load(folder) if (folder / INDEX).exists() else TrustStore(),
        settings.count("work.checkers"),
        allowed_hosts(settings.text("signatures.fetch_hosts")) if fetch else (),
        Path(program) if program else None,
    )
