"""What the search index has yet to hear: written in the same transaction as the change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, delete, func, insert, literal, select

from metadata.catalogue.database import Database, chunks
from metadata.catalogue.rows import version_id
from metadata.catalogue.schema import aip_version, search_outbox
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

    def pending(self, limit: int = 500) -> list[OutboxEntry]:
        """The oldest entries first. An entry stays until :meth:`done`."""
        query = select(search_outbox).order_by(search_outbox.c.id).limit(limit)
        with self._database.read() as connection:
            return [OutboxEntry(row.id, version_id(row), OutboxAction(row.action)) for row in connection.execute(query)]

    def done(self, ids: Sequence[int]) -> None:
        """Forget entries; no error for those already forgotten."""
        with self._database.write() as connection:
            for part in chunks(ids):
                connection.execute(delete(search_outbox).where(search_outbox.c.id.in_(part)))

    def waiting(self) -> int:
        """How many entries there are."""
        with self._database.read() as connection:
            return _count(connection)

    def refill(self) -> int:
        """Put every version held into the queue, for an index made anew; returns how many."""
        held = select(aip_version.c.aip, aip_version.c.number, literal(OutboxAction.PUT.value))
        with self._database.write() as connection:
            connection.execute(delete(search_outbox))
            connection.execute(
                insert(search_outbox).from_select(["aip", "number", "action"], held.order_by(aip_version.c.created))
            )
            return _count(connection)


def enqueue(connection: Connection, version: VersionId, action: OutboxAction) -> None:
    """Add an entry inside the transaction of the change itself."""
    entry = {"aip": str(version.aip), "number": version.number, "action": action.value}
    connection.execute(insert(search_outbox), [entry])


def _count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(search_outbox)) or 0
