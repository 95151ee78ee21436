"""The rows of the archive's journal: the same entries as in the stores, for asking."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.dialects import postgresql, sqlite

from metadata.canonical import canonical
from metadata.catalogue.database import Database
from metadata.catalogue.rows import Found
from metadata.catalogue.schema_keeping import journal
from metadata.events import Agent
from metadata.journal import Entry, EntryKind, Numbered


class Journal:
    """Entries are added, never changed. ``preservation.journal`` writes them to the stores first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self) -> Numbered | None:
        """The last entry that the catalogue knows."""
        query = select(journal).order_by(journal.c.number.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _read(row)

    def find(self, id: uuid.UUID) -> Numbered | None:
        """The entry with that identifier."""
        with self._database.read() as connection:
            row = connection.execute(select(journal).where(journal.c.id == str(id))).first()
        return None if row is None else _read(row)

    def entries(
        self, kind: EntryKind | None = None, subject: str | None = None, limit: int = 100, before: int | None = None
    ) -> list[Numbered]:
        """The newest first, of one kind or about one subject, older than number ``before``."""
        query: Select[tuple[object, ...]] = select(journal).order_by(journal.c.number.desc()).limit(limit)
        if kind is not None:
            query = query.where(journal.c.kind == kind.value)
        if subject is not None:
            query = query.where(journal.c.subject == subject)
        if before is not None:
            query = query.where(journal.c.number < before)
        with self._database.read() as connection:
            return [_read(row) for row in connection.execute(query)]

    def count(self) -> int:
        """How many entries there are."""
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(journal)) or 0

    def add(self, entries: Sequence[Numbered]) -> None:
        """Add what lies in the stores. Doing it again changes nothing."""
        with self._database.write() as connection:
            add_entries(self._database, connection, entries)


def add_entries(database: Database, connection: Connection, entries: Sequence[Numbered]) -> None:
    """The one place where journal entries enter the catalogue."""
    make = postgresql.insert if database.is_postgresql else sqlite.insert
    for numbered in entries:
        entry = numbered.entry
        values = {
            "number": numbered.number, "id": str(entry.id), "digest": numbered.digest, "at": entry.at,
            "kind": entry.kind.value, "subject": entry.subject, "act": entry.act, "person": entry.person,
            "agent_id": entry.agent.identifier, "agent_name": entry.agent.name,
            "document": canonical(entry.document),
        }  # fmt: skip
        connection.execute(make(journal).values(values).on_conflict_do_nothing())


def _read(row: Found) -> Numbered:
    entry = Entry(
        uuid.UUID(row.id), row.at, EntryKind(row.kind), row.subject, row.act, row.person,
        Agent(row.agent_id, row.agent_name), json.loads(row.document),
    )  # fmt: skip
    return Numbered(row.number, row.digest, entry)
