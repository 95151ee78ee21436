"""What the log of an AIP tells of repairs: that one begins, before anything is touched, and how it ended, once.

A worker may die between putting a copy in its place and saying so. Whoever looks at the replica next finds it whole,
and the beginning in the log: then the end is written down by that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from metadata.catalogue import Catalogue, Lease
from metadata.events import Agent, Event, EventType
from metadata.identifiers import StoreId, VersionId
from metadata.outcomes import Fixity
from preservation.checks import SUCCESS, Check

BEGUN = "begun"
"""The outcome of an event that says what is about to be done."""
ABOUT = "A copy of one that matched is about to take the place of the damaged replica"
ENDED = "The damaged replica was replaced by a copy of one that matched"
CUT_OFF = "A repair was cut off before it could say how it ended; the replica is whole"
"""What such events say in words: before, after, and when somebody else had to find out."""


def begun(version: VersionId, store: StoreId, at: datetime, token: int, agent: Agent) -> Event:
    """Says that the replica in ``store`` is about to be replaced, by the worker with that lease ``token``."""
    kind = EventType.RECOVERY
    identity = Event.derive(version, kind.value, store.value, BEGUN, str(token))
    return Event(identity, version, kind, at, ABOUT, BEGUN, "", agent, store)


def ended(beginning: Event, at: datetime, outcome: str, note: str, agent: Agent, detail: str = ENDED) -> Event:
    """How what ``beginning`` tells of ended. Its identifier is the same whoever writes it down."""
    version, kind, store = beginning.version, beginning.type, beginning.store
    identity = Event.derive(version, kind.value, store.value if store else "", str(beginning.id))
    return Event(identity, version, kind, at, detail, outcome, note, agent, store)


def cut_off(catalogue: Catalogue, lease: Lease, checks: Iterable[Check], at: datetime, agent: Agent) -> Sequence[Event]:
    """The ends, not yet told, of repairs of replicas that were damaged at the last look and match in ``checks``."""
    damaged = {replica.store for replica in lease.replicas if replica.outcome.damaged}
    whole = [check.store for check in checks if check.outcome is Fixity.MATCH and check.store in damaged]
    if not whole:
        return ()
    told = [event for event in catalogue.events.of(lease.version) if event.type is EventType.RECOVERY]
    last = {event.store: event for event in told}
    return [
        ended(last[store], at, SUCCESS, "", agent, CUT_OFF)
        for store in whole
        if store in last and last[store].outcome == BEGUN
    ]
