"""Incidents of an archive as its settings want them: who is told, and after how long."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from metadata.errors import TangThuError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from administration.keeping import Keeping
    from metadata.identifiers import StoreId
    from metadata.incidents import Incident
    from preservation.incidents import Incidents
    from preservation.reconciliation import Reconciler
    from preservation.salvage import Salvager
    from preservation.watch import Watch
    from storage.port import Store
    from storage.wrappers.room import Notice


def incidents_of(archive: Keeping) -> Incidents:
    """Each incident that is opened is queued to be told to people."""
    from preservation.incidents import Incidents, incident_to_json

    def tell(incident: Incident, again: bool) -> None:
        alerts, now = archive.catalogue.alerts, archive.clock()
        (alerts.queue if again else alerts.queue_once)(incident.id, incident_to_json(incident), now)

    return Incidents(archive.catalogue, archive.journal, archive.clock, tell)


def watch_of(archive: Keeping) -> Watch:
    """Its limits are those of the settings; it asks the bare stores, so that nobody waits for those that are away.

    Retired stores and media on a shelf need not answer.
    """
    from preservation.watch import Watch, WatchLimits

    limits = WatchLimits(
        timedelta(hours=archive.settings.number("incidents.away_hours")),
        timedelta(hours=archive.settings.number("incidents.unreadable_hours")),
        archive.settings.count("incidents.each"),
    )
    return Watch(archive.catalogue, archive.incidents, archive.clock, limits, lambda: answering_stores(archive))


def answering_stores(archive: Keeping) -> Mapping[StoreId, Store]:
    """The stores that ought to answer now."""
    from metadata.stores import StoreState

    records = archive.catalogue.stores.records()
    retired = {id for id, record in records.items() if record.state is StoreState.RETIRED}
    resting = {store.id for store in archive.settings.stores if store.traits.offline}
    return {id: store for id, store in archive.bare_stores.items() if id not in retired | resting}


def reconciler_of(archive: Keeping) -> Reconciler:
    """It tells a stranger when it was seen twice as far apart as the settings say."""
    from preservation.reconciliation import Reconciler

    wait = timedelta(hours=archive.settings.number("incidents.stranger_hours"))
    return Reconciler(archive.catalogue, archive.stores, archive.incidents, archive.journal, archive.clock, wait)


def salvager_of(archive: Keeping) -> Salvager:
    """What it puts together lies in the archive's own folder, which no sweep touches."""
    from preservation.salvage import Salvager

    room = archive.settings.home / "salvage"
    room.mkdir(parents=True, exist_ok=True)
    return Salvager(archive.catalogue, archive.stores, archive.repairer, archive.journal, archive.clock, room)


def room_notice(archive: Keeping) -> Notice:
    """Notes which stores say that they are full; never stops what was being done."""

    def notice(store: StoreId, has_room: bool) -> None:
        rows = archive.catalogue.incidents
        with suppress(TangThuError):
            if has_room:
                rows.note_room(store)
            else:
                rows.note_full(store, archive.clock())

    return notice
