"""Which versions are to be looked at, by whom, and what was found (lease = next_check moved forward + a token).

Leasing is per AIP version: one row and one index entry, whatever the number of files and replicas, and its cost does
not depend on how many are due.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Update, func, insert, or_, select, update

from metadata.catalogue.database import Database, chunks
from metadata.catalogue.events import append_events
from metadata.catalogue.placements import note_placement
from metadata.catalogue.rows import Found, read_replica, version_id
from metadata.catalogue.schema import aip_version, fixity_due, replica
from metadata.errors import Busy, NotFound
from metadata.events import Event, LogHead
from metadata.holdings import Replica
from metadata.identifiers import StoreId, VersionId
from metadata.outcomes import Fixity
from metadata.text import Sentence


@dataclass(frozen=True, slots=True)
class Lease:
    """One version to be audited: its object's key and size (bytes), its replicas, and the token that makes it ours."""

    version: VersionId
    key: str
    size: int
    replicas: tuple[Replica, ...]
    token: int


@dataclass(frozen=True, slots=True)
class FixityState:
    """For the operations page: versions due now, versions under lease, replicas never looked at, the oldest look."""

    due: int
    leased: int
    never_checked: int
    oldest_check: datetime | None


class FixitySchedule:
    """The audit's to-do list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lease_due(self, now: datetime, limit: int, lease: timedelta, worker: str) -> list[Lease]:
        """Take up to ``limit`` versions that are due, the longest due first; nobody else gets them for ``lease``."""
        picked = (
            select(fixity_due.c.version)
            .where(fixity_due.c.next_check <= now)
            .order_by(fixity_due.c.next_check, fixity_due.c.version)
            .limit(limit)
        )
        # FOR UPDATE SKIP LOCKED is left out on SQLite, where the transaction holds the only write lock anyhow.
        due = picked.with_for_update(skip_locked=True).cte("due").prefix_with("MATERIALIZED", dialect="postgresql")
        take = _lease(now + lease, worker).where(fixity_due.c.version.in_(select(due.c.version)))
        with self._database.write() as connection:
            tokens = {row.version: row.lease_token for row in connection.execute(take)}
            leases = _leases(connection, tokens)
        return sorted(leases, key=lambda one: (min(copy.due for copy in one.replicas), one.version.row))

    def lease_version(self, version: VersionId, now: datetime, lease: timedelta, worker: str) -> Lease:
        """Take one version whether due or not. Raises NotFound; Busy while another has it."""
        free = or_(fixity_due.c.leased_until.is_(None), fixity_due.c.leased_until <= now)
        with self._database.write() as connection:
            take = _lease(now + lease, worker).where(fixity_due.c.version == version.row, free)
            row = connection.execute(take).first()
            if row is not None:
                return _leases(connection, {row.version: row.lease_token})[0]
            held = connection.scalar(select(fixity_due.c.version).where(fixity_due.c.version == version.row))
        raise _not_held(version) if held is None else _stale(version)

    def renew(self, lease: Lease, now: datetime, length: timedelta) -> None:
        """Hold on for ``length`` from ``now``. Raises Busy when the lease is no longer ours."""
        until = now + length
        with self._database.write() as connection:
            _hold(connection, lease.version, lease.token)
            row = update(fixity_due).where(fixity_due.c.version == lease.version.row)
            connection.execute(row.values(next_check=until, leased_until=until))

    def give_back(self, lease: Lease) -> bool:
        """End a lease without a result: the version is due as it was. False when the lease is no longer ours."""
        with self._database.write() as connection:
            try:
                _hold(connection, lease.version, lease.token)
            except Busy:
                return False
            _end(connection, lease.version)
        return True

    def finish(
        self,
        lease: Lease,
        results: Mapping[StoreId, Fixity],
        checked_at: datetime,
        next_due: datetime | Mapping[StoreId, datetime],
        events: Sequence[Event],
        head: LogHead,
    ) -> None:
        """Write what was found, its events, and when to look again, and end the lease: one transaction.

        ``next_due`` is one moment for all replicas, or one for each of ``results``. Raises Busy when the lease is no
        longer ours or the log has gone on, ValueError for a replica that is not there; then nothing is written.
        """
        with self._database.write() as connection:
            _hold(connection, lease.version, lease.token)
            for store, outcome in results.items():
                due = next_due[store] if isinstance(next_due, Mapping) else next_due
                if not _set(connection, lease.version, store, outcome, checked_at, due):
                    raise ValueError(f"{lease.version} has no replica in {store}")
            _end(connection, lease.version)
            append_events(self._database, connection, lease.version, events, head)

    def set_replica(
        self,
        version: VersionId,
        store: StoreId,
        outcome: Fixity,
        checked_at: datetime,
        next_due: datetime,
        events: Sequence[Event],
        head: LogHead,
        lease: Lease | None = None,
    ) -> None:
        """Write the state of one replica after a repair, adding the replica when it is new.

        With ``lease`` it must be ours, and stays. Without, a lease that another worker holds ends: what that worker
        has read may be older than the repair. Raises NotFound; Busy as :meth:`finish`.
        """
        with self._database.write() as connection:
            _hold(connection, version, None if lease is None else lease.token)
            if not _set(connection, version, store, outcome, checked_at, next_due):
                row = {"version": version.row, "store": store.value, "outcome": outcome.value}
                connection.execute(insert(replica), [row | {"checked": checked_at, "due": next_due}])
                note_placement(self._database, connection, version.row)
            if lease is None:
                _end(connection, version, outdate=True)
            append_events(self._database, connection, version, events, head)

    def due(self, now: datetime) -> list[Replica]:
        """The first 1,000 replicas whose version is due, the longest due first."""
        query = (
            select(replica, aip_version.c.aip, aip_version.c.number)
            .join(aip_version, aip_version.c.version == replica.c.version)
            .join(fixity_due, fixity_due.c.version == replica.c.version)
            .where(fixity_due.c.next_check <= now, replica.c.due <= now)
            .order_by(fixity_due.c.next_check, fixity_due.c.version, replica.c.store)
            .limit(1000)
        )
        with self._database.read() as connection:
            return [read_replica(version_id(row), row) for row in connection.execute(query)]

    def damaged(self, limit: int = 1000) -> list[Replica]:
        """Replicas whose last look found MISMATCH or MISSING."""
        bad = [outcome.value for outcome in Fixity if outcome.damaged]
        query = (
            select(replica, aip_version.c.aip, aip_version.c.number)
            .join(aip_version, aip_version.c.version == replica.c.version)
            .where(replica.c.outcome.in_(bad), replica.c.outcome != Fixity.MATCH.value)
            .order_by(replica.c.version, replica.c.store)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [read_replica(version_id(row), row) for row in connection.execute(query)]

    def state(self, now: datetime) -> FixityState:
        """How the audit stands."""
        count = select(func.count()).select_from(fixity_due)
        with self._database.read() as connection:
            return FixityState(
                connection.scalar(count.where(fixity_due.c.next_check <= now)) or 0,
                connection.scalar(count.where(fixity_due.c.next_check > now, fixity_due.c.leased_until > now)) or 0,
                connection.scalar(select(func.count()).select_from(replica).where(replica.c.checked.is_(None))) or 0,
                connection.scalar(select(func.min(replica.c.checked))),
            )


def _lease(until: datetime, worker: str) -> Update:
    return (
        update(fixity_due)
        .values(next_check=until, leased_until=until, worker=worker, lease_token=fixity_due.c.lease_token + 1)
        .returning(fixity_due.c.version, fixity_due.c.lease_token)
    )


def _leases(connection: Connection, tokens: Mapping[int, int]) -> list[Lease]:
    versions: list[Found] = []
    replicas: dict[int, list[Replica]] = defaultdict(list)
    columns = (aip_version.c.version, aip_version.c.aip, aip_version.c.number, aip_version.c.key, aip_version.c.size)
    for part in chunks(list(tokens)):
        found = connection.execute(select(*columns).where(aip_version.c.version.in_(part))).all()
        identities = {row.version: version_id(row) for row in found}
        versions += found
        query = select(replica).where(replica.c.version.in_(part)).order_by(replica.c.store)
        for row in connection.execute(query):
            replicas[row.version].append(read_replica(identities[row.version], row))
    return [
        Lease(version_id(row), row.key, row.size, tuple(replicas[row.version]), tokens[row.version]) for row in versions
    ]


def _hold(connection: Connection, version: VersionId, token: int | None) -> None:
    """Lock the version's row to the end of the transaction; with a ``token``, only if it is the last one given out."""
    query = select(fixity_due.c.lease_token).where(fixity_due.c.version == version.row)
    found = connection.scalar(query.with_for_update())
    if found is None:
        raise _not_held(version)
    if token not in (None, found):
        raise _stale(version)


def _end(connection: Connection, version: VersionId, *, outdate: bool = False) -> None:
    """End the lease: due again when the first of the replicas is. ``outdate`` makes the token worthless."""
    first = select(func.min(replica.c.due)).where(replica.c.version == version.row).scalar_subquery()
    token = fixity_due.c.lease_token + int(outdate)
    values = {"next_check": first, "leased_until": None, "worker": None, "lease_token": token}
    connection.execute(update(fixity_due).where(fixity_due.c.version == version.row).values(values))


def _set(
    connection: Connection, version: VersionId, store: StoreId, outcome: Fixity, checked: datetime, due: datetime
) -> bool:
    row = update(replica).where(replica.c.version == version.row, replica.c.store == store.value)
    changed = connection.execute(row.values(outcome=outcome.value, checked=checked, due=due))
    return changed.rowcount == 1


def _not_held(version: VersionId) -> NotFound:
    return NotFound(Sentence(f"Mục lục không có gói tin {version}.", f"The catalogue holds no version {version}."))


def _stale(version: VersionId) -> Busy:
    return Busy(
        Sentence(
            f"Gói tin {version} đang do tiến trình khác kiểm tra: hãy thử lại sau.",
            f"Another worker is checking {version}: try again later.",
        )
    )
