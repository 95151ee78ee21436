"""The preservation officer's pages: is anything broken, will everything have been read in time, what is running."""

from __future__ import annotations

from access.services import AccessServices
from access.web import Annex
from administration.archive import Archive
from administration.pages.preservation import acts, looks
from administration.work.asking import WorkDesk
from metadata.incidents import IncidentState

__all__ = ["officers_pages"]


def officers_pages(services: AccessServices, archive: Archive) -> Annex:
    """All of them; how many incidents are open stands beside the link to them."""
    desk = WorkDesk(archive.settings.work_url)
    return Annex(
        "administration.pages.preservation",
        ((looks.PATH, "nav.preservation"),),
        lambda pages: (looks.router(services, pages, archive, desk), acts.router(services, pages, archive, desk)),
        {looks.PATH: lambda: archive.catalogue.incidents.counts()[IncidentState.OPEN]},
        ((f"{looks.PATH}/aips/", "aip.picture"),),
    )
