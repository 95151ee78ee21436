"""What the archive's statistics and forms are made of: sums over what is held.

Each costs no more than one pass over the versions or the replicas, in the database: none is for a page that people
wait for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Subquery, and_, case, func, literal, select, text

from metadata.catalogue.database import Database
from metadata.catalogue.schema import aip_version, log_head, outcome_count, receipt, replica
from metadata.catalogue.schema_keeping import incident
from metadata.holdings import PackageType
from metadata.identifiers import FondsCode, StoreId
from metadata.incidents import IncidentKind, IncidentState
from metadata.outcomes import Fixity

FORMAT = "format"
"""The kind of the sums over formats among the outcomes of checks."""


@dataclass(frozen=True, slots=True)
class FondsCount:
    """What is held of one fonds: ``dossiers`` are AIPs of dossiers, ``others`` all other AIPs; of each its newest
    version counts. ``bytes`` are payload. What begins with ``new`` came in within the period."""

    fonds: FondsCode
    dossiers: int
    others: int
    documents: int
    files: int
    bytes: int
    new_dossiers: int
    new_others: int
    new_documents: int
    new_files: int
    new_bytes: int


@dataclass(frozen=True, slots=True)
class ReplicaCount:
    """Replicas of one store whose last look came to ``outcome``. ``when`` says when that look was: ``within`` the
    period, ``before`` it, ``after`` it, ``never``. ``bytes`` is their size in the store."""

    store: StoreId
    outcome: Fixity
    when: str
    replicas: int
    bytes: int


@dataclass(frozen=True, slots=True)
class DatabaseCheck:
    """One check of the database: its name, how many rows are wrong (None: it could not be made), and a word on it."""

    name: str
    wrong: int | None
    note: str = ""


class Statistics:
    """Sums over the holdings. Moments are aware; a period is from ``begin`` to before ``end``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def fonds(self, begin: datetime, end: datetime) -> list[FondsCount]:
        """What was held of each fonds at ``end``, and what of it had come since ``begin``; in code-point order."""
        newest, columns = _newest(end), aip_version.c
        dossier = columns.package_type == PackageType.AIP_HOSO.value
        fresh = newest.c.first >= begin
        held: list[ColumnElement[int]] = [case((dossier, 1), else_=0), case((dossier, 0), else_=1)]
        held += [columns.document_count, columns.file_count, columns.payload_bytes]
        sums = [func.sum(one) for one in held] + [func.sum(case((fresh, one), else_=0)) for one in held]
        same = and_(newest.c.aip == columns.aip, newest.c.number == columns.number)
        query = select(columns.fonds, *sums).join(newest, same).group_by(columns.fonds).order_by(columns.fonds)
        with self._database.read() as connection:
            return [FondsCount(FondsCode(row[0]), *map(int, row[1:])) for row in connection.execute(query)]

    def replicas(self, begin: datetime, end: datetime) -> list[ReplicaCount]:
        """Replicas of what was held at ``end``, by store, outcome and time of the last look at them."""
        checked = replica.c.checked
        when = case(
            (checked.is_(None), literal("never")),
            (checked < begin, literal("before")),
            (checked >= end, literal("after")),
            else_=literal("within"),
        ).label("moment")
        keys = (replica.c.store, replica.c.outcome, when)
        query = (
            select(*keys, func.count(), func.sum(aip_version.c.size))
            .join(aip_version, aip_version.c.version == replica.c.version)
            .where(aip_version.c.created < end)
            .group_by(replica.c.store, replica.c.outcome, text("moment"))
            .order_by(replica.c.store, replica.c.outcome, text("moment"))
        )
        with self._database.read() as connection:
            return [
                ReplicaCount(StoreId(store), Fixity(outcome), moment, int(count), int(size))
                for store, outcome, moment, count, size in connection.execute(query)
            ]

    def formats(self, end: datetime) -> Mapping[str, int]:
        """Content files of all versions held at ``end`` by PRONOM identifier, the most frequent first; "" if untold."""
        total = func.sum(outcome_count.c.members)
        query = (
            select(outcome_count.c.outcome, total)
            .join(aip_version, aip_version.c.version == outcome_count.c.version)
            .where(outcome_count.c.kind == FORMAT, aip_version.c.created < end)
            .group_by(outcome_count.c.outcome)
            .order_by(total.desc(), outcome_count.c.outcome)
        )
        with self._database.read() as connection:
            return {puid: int(count) for puid, count in connection.execute(query)}

    def incidents(self, begin: datetime, end: datetime) -> Mapping[tuple[IncidentKind, IncidentState], int]:
        """Incidents opened within the period, by kind and by how they stand now."""
        keys = (incident.c.kind, incident.c.state)
        within = (incident.c.opened >= begin, incident.c.opened < end)
        query = select(*keys, func.count()).where(*within).group_by(*keys).order_by(*keys)
        with self._database.read() as connection:
            found = connection.execute(query).all()
        return {(IncidentKind(kind), IncidentState(state)): int(count) for kind, state, count in found}

    def check_database(self) -> list[DatabaseCheck]:
        """Whether the database is sound: its own check of its pages, and rows that must be there for each version."""
        return [self._pages(), *self._rows()]

    def _pages(self) -> DatabaseCheck:
        with self._database.read() as connection:
            if not self._database.is_postgresql:
                found = [str(row[0]) for row in connection.execute(text("PRAGMA quick_check(100)"))]
                wrong = [line for line in found if line != "ok"]
                return DatabaseCheck("pages", len(wrong), "; ".join(wrong[:3])[:300])
            if connection.scalar(text("SHOW data_checksums")) != "on":
                return DatabaseCheck("pages", None, "data_checksums = off")
            query = "SELECT coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()"
            return DatabaseCheck("pages", int(connection.scalar(text(query)) or 0))

    def _rows(self) -> list[DatabaseCheck]:
        lacking = {"replicas": replica, "log": log_head, "receipt": receipt}
        made = []
        with self._database.read() as connection:
            for name, table in lacking.items():
                there = select(table.c.version).where(table.c.version == aip_version.c.version).exists()
                query = select(func.count()).select_from(aip_version).where(~there)
                made.append(DatabaseCheck(name, connection.scalar(query) or 0))
        return made


def _newest(end: datetime) -> Subquery:
    """Of each AIP that was held at ``end`` the number of its newest version then, and when its first one came."""
    columns = aip_version.c
    then: ColumnElement[bool] = columns.created < end
    number, first = func.max(columns.number).label("number"), func.min(columns.created).label("first")
    return select(columns.aip, number, first).where(then).group_by(columns.aip).subquery()
