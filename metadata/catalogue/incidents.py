"""The rows of incidents: one of a kind and subject at a time, until it is closed.

``preservation.incidents`` writes what happens to them into the archive's journal first; these rows follow it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from metadata.canonical import canonical
from metadata.catalogue.database import Database
from metadata.catalogue.rows import Found
from metadata.catalogue.schema import replica
from metadata.catalogue.schema_keeping import incident, store_contact
from metadata.errors import NotFound
from metadata.identifiers import StoreId, VersionId
from metadata.incidents import Incident, IncidentKind, IncidentState
from metadata.outcomes import Fixity
from metadata.text import Sentence

MENDED = "mended"
"""Under this name ``facts`` keep what mended the incident."""


class Incidents:
    """Nothing is ever deleted here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def meet(self, new: Incident) -> Incident:
        """Open ``new``; when one of its kind and subject is not closed, that is counted up and open again.

        Gives what is there then. An ``id`` that is there already and closed stays closed.
        """
        with self._database.write() as connection:
            make = self._insert(incident).values(_values(new)).on_conflict_do_nothing()
            if connection.execute(make.returning(incident.c.id)).first() is not None:
                return new
            row = connection.execute(_current(new.kind, new.subject).with_for_update()).first()
            if row is None:
                return _one(connection, new.id)
            values = {
                "seen": incident.c.seen + 1, "state": IncidentState.OPEN.value, "mended": None,
                "vi": new.told.vi, "en": new.told.en,
            }  # fmt: skip
            if new.facts:
                values["facts"] = canonical(new.facts)
            connection.execute(update(incident).where(incident.c.id == row.id).values(values))
            return _one(connection, row.id)

    def mend(self, id: str, at: datetime, facts: Mapping[str, Any]) -> Incident:
        """What was wrong is right again; nothing happens to one that is mended or closed. Raises NotFound."""
        with self._database.write() as connection:
            found = _one(connection, id, lock=True)
            if found.state is IncidentState.OPEN:
                told = canonical({**found.facts, MENDED: dict(facts)})
                _set(connection, id, state=IncidentState.MENDED.value, mended=at, facts=told)
            return _one(connection, id)

    def close(self, id: str, at: datetime, cause: str, handling: str, person: str) -> Incident:
        """Sign it off; one that is closed stays as it is. Raises NotFound."""
        with self._database.write() as connection:
            if _one(connection, id, lock=True).state is not IncidentState.CLOSED:
                state = IncidentState.CLOSED.value
                _set(connection, id, state=state, closed=at, cause=cause, handling=handling, person=person)
            return _one(connection, id)

    def put(self, one: Incident) -> None:
        """Write a row as the journal tells it, whatever was there."""
        values = _values(one)
        make = self._insert(incident).values(values)
        with self._database.write() as connection:
            connection.execute(make.on_conflict_do_update(index_elements=["id"], set_=values))

    def get(self, id: str) -> Incident:
        """The incident of this id. Raises NotFound."""
        with self._database.read() as connection:
            return _one(connection, id)

    def find(self, id: str) -> Incident | None:
        """The incident of this id, or None."""
        with self._database.read() as connection:
            row = connection.execute(select(incident).where(incident.c.id == id)).first()
        return None if row is None else _read(row)

    def current(self, kind: IncidentKind, subject: str) -> Incident | None:
        """The one of this kind and subject that is not closed."""
        with self._database.read() as connection:
            row = connection.execute(_current(kind, subject)).first()
        return None if row is None else _read(row)

    def last(self, kind: IncidentKind, subject: str) -> Incident | None:
        """The last of this kind and subject that is closed."""
        where = (incident.c.kind == kind.value, incident.c.subject == subject)
        query = select(incident).where(*where, incident.c.state == IncidentState.CLOSED.value)
        with self._database.read() as connection:
            row = connection.execute(query.order_by(incident.c.closed.desc()).limit(1)).first()
        return None if row is None else _read(row)

    def closed(self, kind: IncidentKind, subject: str) -> int:
        """How many of this kind and subject are closed."""
        where = (incident.c.kind == kind.value, incident.c.subject == subject)
        query = select(func.count()).select_from(incident).where(*where, incident.c.state == IncidentState.CLOSED.value)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def listed(
        self,
        state: IncidentState | None = None,
        kind: IncidentKind | None = None,
        limit: int = 100,
        before: str | None = None,
        version: VersionId | None = None,
        store: StoreId | None = None,
    ) -> list[Incident]:
        """The newest first, those before the incident with the id ``before``; of one AIP version, of one store."""
        query = select(incident).order_by(incident.c.opened.desc(), incident.c.id.desc()).limit(limit)
        for column, value in ((incident.c.state, state), (incident.c.kind, kind)):
            query = query if value is None else query.where(column == value.value)
        for column, name in ((incident.c.version, version), (incident.c.store, store)):
            query = query if name is None else query.where(column == str(name))
        with self._database.read() as connection:
            if before is not None:
                last = _one(connection, before)
                same = and_(incident.c.opened == last.opened, incident.c.id < last.id)
                query = query.where(or_(incident.c.opened < last.opened, same))
            return [_read(row) for row in connection.execute(query)]

    def counts(self) -> Mapping[IncidentState, int]:
        """How many there are in each state."""
        query = select(incident.c.state, func.count()).group_by(incident.c.state)
        with self._database.read() as connection:
            found: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
        return {state: found.get(state.value, 0) for state in IncidentState}

    def open_of(self, kind: IncidentKind, store: StoreId) -> int:
        """How many of this kind are open for one store."""
        where = (incident.c.state == IncidentState.OPEN.value, incident.c.kind == kind.value)
        query = select(func.count()).select_from(incident).where(*where, incident.c.store == store.value)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def standing(self, version: VersionId) -> list[Incident]:
        """Those about one AIP version that are open."""
        query = select(incident).where(incident.c.version == str(version), incident.c.state == IncidentState.OPEN.value)
        with self._database.read() as connection:
            return [_read(row) for row in connection.execute(query)]

    def damaged(self, store: StoreId) -> int:
        """How many replicas in a store are damaged, as far as the last look at each says."""
        bad = [outcome.value for outcome in Fixity if outcome.damaged]
        where = (replica.c.outcome.in_(bad), replica.c.outcome != Fixity.MATCH.value, replica.c.store == store.value)
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(replica).where(*where)) or 0

    def contact(self, store: StoreId, at: datetime, *, answered: bool) -> datetime:
        """Note that a store was asked and whether it answered; when it last did (at first: now)."""
        self._note(store, {"answered": at, "asked": at}, {"asked": at} | ({"answered": at} if answered else {}))
        query = select(store_contact.c.answered).where(store_contact.c.store == store.value)
        with self._database.read() as connection:
            last: datetime = connection.execute(query).scalar_one()
        return last

    def note_full(self, store: StoreId, at: datetime) -> None:
        """A store says that it is full."""
        if self.full(store) is None:
            self._note(store, {"answered": at, "asked": at, "full": at}, {"full": at})

    def note_room(self, store: StoreId) -> None:
        """A store has taken something."""
        if self.full(store) is not None:
            with self._database.write() as connection:
                connection.execute(
                    update(store_contact).where(store_contact.c.store == store.value).values({"full": None})
                )

    def full(self, store: StoreId) -> datetime | None:
        """Since when a store has said that it is full; None when it has room."""
        with self._database.read() as connection:
            since: datetime | None = connection.scalar(
                select(store_contact.c.full).where(store_contact.c.store == store.value)
            )
            return since

    def last_closed(self, kind: IncidentKind) -> datetime | None:
        """When the last one of this kind was closed."""
        with self._database.read() as connection:
            last: datetime | None = connection.scalar(
                select(func.max(incident.c.closed)).where(incident.c.kind == kind.value)
            )
            return last

    def last_look(self) -> datetime | None:
        """The newest moment at which any replica was looked at."""
        with self._database.read() as connection:
            last: datetime | None = connection.scalar(select(func.max(replica.c.checked)))
            return last

    def _note(self, store: StoreId, first: Mapping[str, datetime], new: Mapping[str, datetime]) -> None:
        make = self._insert(store_contact).values({"store": store.value, **first})
        with self._database.write() as connection:
            connection.execute(make.on_conflict_do_update(index_elements=["store"], set_=dict(new)))

    def _insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        return (postgresql.insert if self._database.is_postgresql else sqlite.insert)(table)


def _current(kind: IncidentKind, subject: str) -> Select[tuple[Any, ...]]:
    where = (incident.c.kind == kind.value, incident.c.subject == subject)
    return select(incident).where(*where, incident.c.state != IncidentState.CLOSED.value)


def _set(connection: Connection, id: str, **values: object) -> None:
    connection.execute(update(incident).where(incident.c.id == id).values(values))


def _one(connection: Connection, id: str, *, lock: bool = False) -> Incident:
    query = select(incident).where(incident.c.id == id)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFound(
            Sentence(
                f"Không có sự cố nào có mã {id}: «tangthu incidents list» liệt kê các sự cố.",
                f"There is no incident {id}: “tangthu incidents list” lists them.",
            )
        )
    return _read(row)


def _values(one: Incident) -> dict[str, object]:
    return {
        "id": one.id, "kind": one.kind.value, "subject": one.subject, "state": one.state.value, "opened": one.opened,
        "vi": one.told.vi, "en": one.told.en, "version": str(one.version or ""), "store": str(one.store or ""),
        "seen": one.seen, "mended": one.mended, "closed": one.closed, "cause": one.cause, "handling": one.handling,
        "person": one.person, "facts": canonical(one.facts),
    }  # fmt: skip


def _read(row: Found) -> Incident:
    return Incident(
        row.id, IncidentKind(row.kind), row.subject, row.opened, Sentence(row.vi, row.en), IncidentState(row.state),
        VersionId.parse(row.version) if row.version else None, StoreId(row.store) if row.store else None,
        row.seen, row.mended, row.closed, row.cause, row.handling, row.person, json.loads(row.facts),
    )  # fmt: skip
