"""What the search index has yet to hear: written in the same transaction as the change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, delete, func, insert, select

from metadata.catalogue.database import Database, chunks
from metadata.catalogue.rows import version_id
from metadata.catalogue.schema import search_outbox
from metadata.identifiers import VersionId


class OutboxAction(StrEnum):
    PUT = "put"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One change of one version that the index has not yet taken."""

    id: int
    version: VersionId
    action: OutboxAction


class Outbox:
    """A queue that its one reader empties: read some, index them, commit the index, then say they are done."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pending(self, limit: int = 500, after: int = 0) -> list[OutboxEntry]:
        """The oldest entries first, those after entry ``after``. An entry stays until :meth:`done`."""
        query = select(search_outbox).where(search_outbox.c.id > after).order_by(search_outbox.c.id).limit(limit)
        with self._database.read() as connection:
            return [OutboxEntry(row.id, version_id(row), OutboxAction(row.action)) for row in connection.execute(query)]

    def done(self, ids: Sequence[int]) -> None:
        """Forget entries; no error for those already forgotten."""
        with self._database.write() as connection:
            for part in chunks(ids):
                connection.execute(delete(search_outbox).where(search_outbox.c.id.in_(part)))

    def put(self, version: VersionId, action: OutboxAction) -> None:
        """Add an entry for a change that the index has not taken whole."""
        with self._database.write() as connection:
            enqueue(connection, version, action)

    def waiting(self) -> int:
        """How many entries there are."""
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(search_outbox)) or 0


def enqueue(connection: Connection, version: VersionId, action: OutboxAction) -> None:
    """Add an entry inside the transaction of the change itself."""
    entry = {"aip": str(version.aip), "number": version.number, "action": action.value}
    connection.execute(insert(search_outbox), [entry])
