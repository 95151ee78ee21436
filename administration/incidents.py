"""Incidents of an archive as its settings want them: who is told, and after how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from administration.archive import Archive
    from metadata.incidents import Incident
    from preservation.incidents import Incidents


def incidents_of(archive: Archive) -> Incidents:
    """Each incident that is opened is queued to be told to people."""
    from preservation.incidents import Incidents, incident_to_json

    def tell(incident: Incident, again: bool) -> None:
        alerts, now = archive.catalogue.alerts, archive.clock()
        (alerts.queue if again else alerts.queue_once)(incident.id, incident_to_json(incident), now)

    return Incidents(archive.catalogue, archive.journal, archive.clock, tell)
