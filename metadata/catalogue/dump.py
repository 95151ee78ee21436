"""Every row that a rebuild must bring back, in one order, for comparing two catalogues."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Select, select

from metadata.catalogue.database import BATCH, Database
from metadata.catalogue.schema import (
    aip_version,
    characteristic,
    event,
    file_format,
    log_head,
    member,
    outcome_count,
    receipt,
    record,
    record_member,
    replica,
)
from metadata.catalogue.schema_keeping import held_sum, placement


def dump(database: Database) -> Iterator[tuple[str, dict[str, object]]]:
    """Table name and row, by table and then by primary key. Formats come inside their members.

    Left out is what stores cannot tell: intake, leases, the search outbox. One transaction sees one state; close the
    iterator when leaving it early.
    """
    with database.snapshot() as connection:
        holdings = aip_version, placement, replica, member, characteristic, outcome_count, record, record_member
        for table in (*holdings, event, log_head, receipt, held_sum):
            query: Select[tuple[object, ...]] = select(table)
            if table is member:
                formats = [
                    column.label(f"format_{column.name}") for column in file_format.columns if column.name != "format"
                ]
                joined = member.outerjoin(file_format, file_format.c.format == member.c.format)
                query = select(member, *formats).select_from(joined)
            rows = connection.execution_options(yield_per=BATCH).execute(query.order_by(*table.primary_key))
            for row in rows.mappings():
                yield table.name, dict(row)
