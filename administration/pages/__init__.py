"""The clerk's and the officer's pages, in the reading room's frame, behind its door."""

from __future__ import annotations

from collections.abc import Mapping

from access.services import AccessServices
from access.web import Annex
from administration.archive import Archive
from administration.checks import CheckDesk
from administration.desk import Desk
from administration.packs import PackDesk
from administration.pages import check, pack, quarantine
from administration.pages.uploads import DRAINED

__all__ = ["clerks_pages", "uploads"]

_PLACES = ((check.PATH, "nav.checks"), (pack.PATH, "nav.packs"), (quarantine.PATH, "nav.quarantine"))


def clerks_pages(services: AccessServices, archive: Archive, checks: CheckDesk, packs: PackDesk) -> Annex:
    """All of them, over their desks and the archive."""
    return Annex(
        "administration.pages",
        _PLACES,
        lambda pages: (
            check.router(services, pages, checks),
            pack.router(services, pages, packs, checks),
            quarantine.router(services, pages, archive),
        ),
        {quarantine.PATH: archive.catalogue.quarantine.waiting},
    )


def uploads(checks: CheckDesk, packs: PackDesk) -> Mapping[str, int]:
    """The paths here that take uploads, and how many bytes a request may have."""
    desks: tuple[tuple[str, Desk], ...] = ((check.PATH, checks), (pack.PATH, packs))
    return {path: desk.bounds.upload + DRAINED for path, desk in desks}
