"""Putting a new version into the catalogue: one transaction, all or nothing, flat in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

from sqlalchemy import Connection, Table, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from metadata.catalogue.database import BATCH, Database, Row, batched
from metadata.catalogue.events import append_events
from metadata.catalogue.format_counts import count_formats
from metadata.catalogue.held_sums import RECEIVED, move_sums, received_day
from metadata.catalogue.outbox import OutboxAction, enqueue
from metadata.catalogue.replica_rows import ReplicaRows
from metadata.catalogue.rows import (
    characteristic_row,
    format_key,
    format_row,
    member_row,
    record_row,
    version_row,
)
from metadata.catalogue.schema import (
    aip_version,
    characteristic,
    file_format,
    log_head,
    member,
    outcome_count,
    receipt,
    record,
    record_member,
    to_micros,
)
from metadata.errors import AlreadyExists
from metadata.events import Event, LogHead
from metadata.holdings import AipVersion, Format, Level, Member, Record, Replica, Role
from metadata.text import Sentence

_RECORD_BATCH = 500


class Registration:
    """Writes one version through one open transaction."""

    def __init__(self, database: Database, connection: Connection, version: AipVersion) -> None:
        self._database = database
        self._connection = connection
        self._version = version
        self._row = version.id.row

    def write_version(self) -> None:
        """Raises AlreadyExists. First of all, so that a second writer waits here and not after its work."""
        wanted = self._insert_missing(aip_version).values(version_row(self._version, document_count=0))
        if self._connection.scalar(wanted.returning(aip_version.c.version)) is None:
            raise AlreadyExists(
                Sentence(
                    f"Gói tin {self._version.id} đã có trong danh mục.",
                    f"The catalogue already holds {self._version.id}.",
                )
            )

    def write_members(self, members: Iterable[Member]) -> None:
        """Members as they come, what checks say of them, and the sums of that; then the formats met among them, by
        key, so that no two writers wait in a ring."""
        keys: dict[Format, int] = {}
        counts: Counter[tuple[str, str]] = Counter()
        iterator = iter(members)
        while batch := list(islice(iterator, BATCH)):
            self._database.insert(self._connection, member, (self._member(one, keys) for one in batch))
            found = [(one.number, one.characteristics) for one in batch if one.characteristics is not None]
            if found:
                rows = (characteristic_row(self._row, number, value) for number, value in found)
                self._database.insert(self._connection, characteristic, rows)
            _count(batch, counts)
        sums = ((kind, str(outcome), self._row, count) for (kind, outcome), count in sorted(counts.items()))
        self._database.insert(self._connection, outcome_count, sums)
        self._write_formats(keys)

    def _member(self, one: Member, keys: dict[Format, int]) -> Row:
        key = None
        if one.format is not None and (key := keys.get(one.format)) is None:
            key = keys[one.format] = format_key(one.format)
        return member_row(self._row, one, key)

    def _write_formats(self, keys: dict[Format, int]) -> None:
        columns = [column.name for column in file_format.columns]
        formats = sorted((format_row(value, key) for value, key in keys.items()), key=lambda row: int(row[0]))
        for batch in batched(formats, _RECORD_BATCH):
            rows_by_name = [dict(zip(columns, row, strict=True)) for row in batch]
            self._connection.execute(self._insert_missing(file_format), rows_by_name)

    def write_records(self, records: Iterable[Record]) -> None:
        """The dossier and its documents, with the members that carry them."""
        documents = 0
        iterator = iter(records)
        while batch := [one for _, one in zip(range(_RECORD_BATCH), iterator, strict=False)]:
            documents += sum(one.level is Level.DOCUMENT for one in batch)
            self._database.insert(self._connection, record, (record_row(self._row, one) for one in batch))
            self._database.insert(
                self._connection,
                record_member,
                (
                    (self._row, one.number, position, number)
                    for one in batch
                    for position, number in enumerate(one.members, 1)
                ),
            )
        self._connection.execute(
            update(aip_version).where(aip_version.c.version == self._row).values(document_count=documents)
        )

    def write_replicas(self, replicas: Sequence[Replica]) -> ReplicaRows:
        """The replicas, and when each is to be looked at again; the caller writes the coverage at the end.

        Raises ValueError when there is none.
        """
        if not replicas or any(one.version != self._version.id for one in replicas):
            raise ValueError(f"{self._version.id} needs replicas, all of them its own")
        rows = ReplicaRows(self._database, self._connection, self._version.id)
        for one in replicas:
            rows.add(one)
        return rows

    def write_life(self, events: Sequence[Event], document: str, head: LogHead) -> None:
        """Events, log head and receipt, and word to the search index."""
        self._connection.execute(insert(log_head), [{"version": self._row, "number": 0, "digest": b""}])
        append_events(self._database, self._connection, self._version.id, events, head)
        self._connection.execute(insert(receipt), [{"version": self._row, "document": document}])
        enqueue(self._connection, self._version.id, OutboxAction.PUT)

    def write_sums(self) -> None:
        """What the version adds to the sums over all that is held. Near the end: the rows are everybody's."""
        count_formats(self._database, self._connection, self._version.id)
        day = received_day(to_micros(self._version.created))
        move_sums(self._database, self._connection, RECEIVED, {day: self._version.size})

    def _insert_missing(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        make = postgresql.insert if self._database.is_postgresql else sqlite.insert
        return make(table).on_conflict_do_nothing()


def _count(batch: Iterable[Member], counts: Counter[tuple[str, str]]) -> None:
    """Sum up what was found: the scanner's word on any member, of content files validity and signatures too."""
    for one in batch:
        found = one.characteristics
        if found is None:
            continue
        counts["virus", found.virus] += 1
        if one.role is Role.CONTENT:
            counts["validity", found.validity] += 1
            if found.signature is not None:
                counts["signature", found.signature] += 1
