"""Writing down that something was given out: in the log beside the AIP, then in the catalogue."""

from __future__ import annotations

import uuid

from access.services import AccessServices
from metadata.errors import Busy, StoreUnavailable
from metadata.events import Agent, Event, EventType
from metadata.holdings import AipVersion
from preservation.checks import SUCCESS
from preservation.life import log_events
from storage.keys import log_key
from storage.port import Store

_TRIES = 5


def dissemination(version: AipVersion, services: AccessServices, agent: Agent, detail: str, note: str) -> Event:
    """The event of one act of giving out, not written yet. Every act is its own, also when the same is given again."""
    return Event(
        uuid.uuid4(), version.id, EventType.DISSEMINATION, services.clock(), detail, SUCCESS, note, agent
    )  # fmt: skip


def record(services: AccessServices, version: AipVersion, event: Event) -> None:
    """Write ``event`` to the log in every store that answers, and to the catalogue. Doing it again changes nothing.

    Raises StoreUnavailable when no store that holds the AIP answers, Damaged when their logs contradict each other,
    CatalogueUnavailable.
    """
    for left in reversed(range(_TRIES)):
        stores = _answering(services, version)
        logged = log_events(services.catalogue, stores, version.id, version.key, [event])
        try:
            services.catalogue.events.append(version.id, logged.events, logged.head)
        except Busy:  # an audit has written to the same log in the meantime
            if not left:
                raise
        else:
            return


def _answering(services: AccessServices, version: AipVersion) -> list[Store]:
    """The stores that hold the AIP and can be written to now. One that is away gets the event with the next one."""
    held = [replica.store for replica in services.catalogue.holdings.replicas(version.id)]
    answering: list[Store] = []
    for store_id in (one for one in held if one in services.stores):
        try:
            store = services.open_store(store_id)
            store.head(log_key(version.key, 1))
        except StoreUnavailable:
            continue
        answering.append(store)
    return answering
