"""Formats of members as the events of their AIP's life tell them anew."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, update
from sqlalchemy.dialects import postgresql, sqlite

from metadata.catalogue.database import Database
from metadata.catalogue.format_counts import count_formats
from metadata.catalogue.outbox import OutboxAction, enqueue
from metadata.catalogue.rows import format_key, format_row
from metadata.catalogue.schema import file_format, member
from metadata.events import Event
from metadata.identifiers import VersionId
from metadata.retelling import Retold


def retell_formats(database: Database, connection: Connection, version: VersionId, events: Iterable[Event]) -> None:
    """Give members the formats that ``events`` tell, in their order, and tell the search index when there are any.

    Inside the transaction in which the events enter the catalogue, so that a rebuild comes to the same.
    """
    told = [retold for event in events if (retold := Retold.of(event)) is not None]
    if not told:
        return
    columns = [column.name for column in file_format.columns]
    rows = {key: dict(zip(columns, format_row(one.format, key), strict=True)) for one, key in _keyed(told)}
    make = postgresql.insert if database.is_postgresql else sqlite.insert
    connection.execute(make(file_format).on_conflict_do_nothing(), [rows[key] for key in sorted(rows)])
    for one, key in _keyed(told):
        row = member.c.version == version.row, member.c.number == one.number, member.c.path == one.path
        connection.execute(update(member).where(*row).values(format=key))
    enqueue(connection, version, OutboxAction.PUT)
    count_formats(database, connection, version)


def _keyed(told: Iterable[Retold]) -> Iterable[tuple[Retold, int]]:
    return [(one, format_key(one.format)) for one in told]
