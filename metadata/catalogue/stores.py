"""What the catalogue knows of the archive's stores: which state each is in, and what the last probe found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from metadata.canonical import canonical
from metadata.catalogue.database import Database
from metadata.catalogue.schema_keeping import store_record
from metadata.identifiers import StoreId
from metadata.stores import Probe, StoreRecord, StoreState


class Stores:
    """One row a store. A store without a row was never added by a command: it counts as ACTIVE, unprobed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def records(self) -> Mapping[StoreId, StoreRecord]:
        """All that are known, by their names."""
        query = select(store_record).order_by(store_record.c.store)
        with self._database.read() as connection:
            found = [
                StoreRecord(
                    StoreId(row.store),
                    StoreState(row.state),
                    row.since,
                    Probe.of(json.loads(row.probe)) if row.probe else None,
                )
                for row in connection.execute(query)
            ]
        return {record.id: record for record in found}

    def set_state(self, store: StoreId, state: StoreState, at: datetime) -> None:
        """Note the state since ``at``; saying the same again keeps the first time."""
        changed = update(store_record).where(store_record.c.store == store.value, store_record.c.state != state.value)
        with self._database.write() as connection:
            values = {"store": store.value, "state": state.value, "since": at, "probe": ""}
            connection.execute(self._insert().values(values).on_conflict_do_nothing())
            connection.execute(changed.values(state=state.value, since=at))

    def set_probe(self, store: StoreId, probe: Probe) -> None:
        """Note what the last probe found. A store that was not known is ACTIVE from then on."""
        text = canonical(probe.document())
        with self._database.write() as connection:
            values = {"store": store.value, "state": StoreState.ACTIVE.value, "since": probe.at, "probe": text}
            connection.execute(self._insert().values(values).on_conflict_do_nothing())
            connection.execute(update(store_record).where(store_record.c.store == store.value).values(probe=text))

    def _insert(self) -> postgresql.Insert | sqlite.Insert:
        return (postgresql.insert if self._database.is_postgresql else sqlite.insert)(store_record)
