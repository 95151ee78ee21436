"""Which replicas are to be looked at, by whom, and what was found (lease = next_check moved forward + a token).

A row is one replica; what is leased is one version with those of its replicas that are due and free, so that they can
be read in lockstep. Its cost does not depend on how many are due, nor on how many are held.
"""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, any_, func, literal, select, union_all, update

from metadata.catalogue.database import Database, chunks
from metadata.catalogue.events import append_events
from metadata.catalogue.leases import Expected, FixityState, Lease
from metadata.catalogue.placements import note_placement
from metadata.catalogue.replica_rows import ReplicaRows, version_not_held
from metadata.catalogue.rows import Found, read_replica, version_id
from metadata.catalogue.schema import aip_version, fixity_due, log_head, replica
from metadata.errors import Busy
from metadata.events import Event, LogHead
from metadata.holdings import Replica
from metadata.identifiers import FondsCode, StoreId, VersionId
from metadata.outcomes import Fixity
from metadata.text import Sentence

_LONGEST = timedelta(days=1)
_CHOOSING = 0x7A_6E_6C_65  # any number, as long as nothing else takes it


class FixitySchedule:
    """The audit's to-do list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lease_due(
        self, now: datetime, limit: int, length: timedelta, worker: str, stores: Collection[StoreId] | None = None
    ) -> list[Lease]:
        """Take up to ``limit`` versions that have replicas due, in any store or in one of ``stores``, the longest due
        first; nobody else gets these replicas for ``length``."""
        token = secrets.randbits(62) + 1
        with self._database.write() as connection:
            if self._database.is_postgresql:
                # One chooses at a time, as on SQLite: two would part the replicas of a version between them.
                connection.execute(select(func.pg_advisory_xact_lock(_CHOOSING)))
            names = _stores(connection) if stores is None else sorted(store.value for store in stores)
            first: dict[int, datetime] = {}
            for row in sorted(_longest_due(connection, names, now, limit), key=lambda one: (one[1], one[0])):
                if len(first) < limit:
                    first.setdefault(row[0], row[1])
            taken = _take_due(connection, names, now, list(first), now + length, token, worker) if first else []
            leases = _leases(connection, taken, token)
        return sorted(leases, key=lambda one: (first[one.version.row], one.version.row))

    def lease_version(
        self,
        version: VersionId,
        now: datetime,
        length: timedelta,
        worker: str,
        stores: Collection[StoreId] | None = None,
    ) -> Lease:
        """Take all replicas of one version, or those in ``stores``, whether due or not.

        Raises NotFound when there is none; Busy while another has one of them. A lease that would last for more than
        a day was taken by a clock that was wrong, and holds nobody up.
        """
        token = secrets.randbits(62) + 1
        with self._database.write() as connection:
            rows = _locked(connection, version)
            wanted = [row for row in rows if stores is None or StoreId(row.store) in stores]
            if not wanted:
                raise version_not_held(version)
            if any(row.leased_until is not None and now < row.leased_until <= now + _LONGEST for row in wanted):
                raise _stale(version)
            taken = [(version.row, row.store) for row in wanted]
            _take(connection, taken, now + length, token, worker)
            return _leases(connection, taken, token)[0]

    def renew(self, lease: Lease, now: datetime, length: timedelta) -> None:
        """Hold on for ``length`` from ``now``. Raises Busy when the lease is no longer ours."""
        until = now + length
        with self._database.write() as connection:
            _hold(connection, lease)
            rows = update(fixity_due).where(*_ours(lease))
            connection.execute(rows.values(next_check=until, leased_until=until))

    def put_off(self, lease: Lease, stores: Collection[StoreId], until: datetime) -> Lease:
        """Give the replicas in ``stores`` back, to be looked at from ``until`` on; the lease of the rest. Raises Busy
        when the lease is no longer ours."""
        with self._database.write() as connection:
            _hold(connection, lease)
            for store in sorted(stores):
                _outdate(connection, lease.version, store, until)
        return replace(lease, replicas=tuple(one for one in lease.replicas if one.store not in stores))

    def give_back(self, lease: Lease, until: datetime | None = None) -> bool:
        """End a lease without a result: its replicas are due as they were, or at ``until`` if that is later. False
        when the lease is no longer ours; what is still ours of it ends all the same."""
        with self._database.write() as connection:
            held = [row for row in _locked(connection, lease.version) if row.lease_token == lease.token]
            _end(connection, lease, until)
        return len(held) == len(lease.replicas)

    def finish(
        self,
        lease: Lease,
        results: Mapping[StoreId, Fixity],
        checked_at: datetime,
        next_due: datetime | Mapping[StoreId, datetime],
        events: Sequence[Event],
        head: LogHead,
        tags: Mapping[StoreId, str] | None = None,
    ) -> None:
        """Write what was found, its events, and when to look again, and end the lease: one transaction.

        ``next_due`` is one moment for all replicas, or one for each of ``results``; ``tags`` are the stores' own words
        for the objects that matched. Raises Busy when the lease is no longer ours or the log has gone on, ValueError
        for a replica that is not there; then nothing is written.
        """
        with self._database.write() as connection:
            _hold(connection, lease)
            rows = ReplicaRows(self._database, connection, lease.version)
            for store, outcome in results.items():
                due = next_due[store] if isinstance(next_due, Mapping) else next_due
                if not rows.change(store, outcome, checked_at, due):
                    raise ValueError(f"{lease.version} has no replica in {store}")
            _end(connection, lease)
            for store, tag in (tags or {}).items():
                here = fixity_due.c.version == lease.version.row, fixity_due.c.store == store.value
                connection.execute(update(fixity_due).where(*here).values(tag=tag))
            append_events(self._database, connection, lease.version, events, head)
            rows.write_coverage()

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

        With ``lease`` it must be ours, and stays. A lease of this replica that is another's ends: what that worker has
        read may be older than the repair. Raises NotFound; Busy as :meth:`finish`.
        """
        with self._database.write() as connection:
            if lease is None:
                _locked(connection, version)
            else:
                _hold(connection, lease)
            rows = ReplicaRows(self._database, connection, version)
            if not rows.change(store, outcome, checked_at, next_due):
                rows.add(Replica(version, store, outcome, checked_at if outcome.looked else None, next_due))
                note_placement(self._database, connection, version.row)
            if lease is None or store not in {one.store for one in lease.replicas}:
                _outdate(connection, version, store, next_due)
            append_events(self._database, connection, version, events, head)
            rows.write_coverage()

    def hasten(self, version: VersionId, store: StoreId, now: datetime, to: datetime | None = None) -> bool:
        """Make one replica due ``to`` (now), unless somebody is at it or it is due before; whether it was made so. A
        lease for more than a day was taken by a clock that was wrong, and its worker is no more."""
        to = to or now
        here = replica.c.version == version.row, replica.c.store == store.value
        with self._database.write() as connection:
            _locked(connection, version)
            due = fixity_due.c.version == version.row, fixity_due.c.store == store.value
            until = fixity_due.c.leased_until
            free = until.is_(None) | (until <= now) | (until > now + _LONGEST)
            row = update(fixity_due).where(*due, free, fixity_due.c.next_check > to)
            if not connection.execute(row.values(next_check=to, leased_until=None, worker=None)).rowcount:
                return False
            connection.execute(update(replica).where(*here, replica.c.due > to).values(due=to))
        return True

    def expected(
        self, store: StoreId, after: str = "", fonds: FondsCode | None = None, limit: int = 1000
    ) -> list[Expected]:
        """What ``store`` must hold: up to ``limit`` objects whose key comes after ``after``, by key in code-point
        order."""
        due = fixity_due.c.version == aip_version.c.version, fixity_due.c.store == store.value
        columns = (aip_version.c.aip, aip_version.c.number, aip_version.c.key, aip_version.c.size, aip_version.c.fonds)
        # No join: SQLite would begin with the store, and sort all that it holds for each page.
        query = (
            select(
                *columns,
                select(fixity_due.c.tag).where(*due).scalar_subquery().label("tag"),
                select(fixity_due.c.next_check).where(*due).scalar_subquery().label("next_check"),
                select(log_head.c.number)
                .where(log_head.c.version == aip_version.c.version)
                .scalar_subquery()
                .label("log"),
            )
            .where(aip_version.c.key > after, select(fixity_due.c.version).where(*due).exists())
            .order_by(aip_version.c.key)
            .limit(limit)
        )
        if fonds is not None:
            query = query.where(aip_version.c.fonds == fonds.value)
        with self._database.read() as connection:
            return [
                Expected(
                    version_id(row), row.key, row.size, FondsCode(row.fonds), row.tag, row.next_check, row.log or 0
                )
                for row in connection.execute(query)
            ]

    def stores(self) -> list[StoreId]:
        """The stores that have replicas, by name."""
        with self._database.read() as connection:
            return [StoreId(name) for name in _stores(connection)]

    def due(self, now: datetime, stores: Collection[StoreId] | None = None) -> list[Replica]:
        """The first 1,000 replicas that are due and free, the longest due first."""
        with self._database.read() as connection:
            names = _stores(connection) if stores is None else sorted(store.value for store in stores)
            return list(_due_replicas(connection, names, now, 1000))

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
        """How the audit stands. Its cost grows with what is due, or will be within a day."""
        due = leased = 0
        with self._database.read() as connection:
            for name in _stores(connection):
                count = select(func.count()).select_from(fixity_due).where(fixity_due.c.store == name)
                due += connection.scalar(count.where(fixity_due.c.next_check <= now)) or 0
                soon = fixity_due.c.next_check > now, fixity_due.c.next_check <= now + _LONGEST
                leased += connection.scalar(count.where(*soon, fixity_due.c.leased_until > now)) or 0
        return FixityState(due, leased)


def _stores(connection: Connection) -> list[str]:
    """The stores that have replicas: one look into the index for each."""
    names: list[str] = []
    query = select(func.min(fixity_due.c.store))
    name = connection.scalar(query)
    while name is not None:
        names.append(name)
        name = connection.scalar(query.where(fixity_due.c.store > name))
    return names


def _longest_due(
    connection: Connection, names: Iterable[str], now: datetime, limit: int
) -> Iterator[tuple[int, datetime]]:
    """Of each store the versions due longest. Only one chooses at a time, so nothing need be locked yet."""
    for name in names:
        query = (
            select(fixity_due.c.version, fixity_due.c.next_check)
            .where(fixity_due.c.store == name, fixity_due.c.next_check <= now)
            .order_by(fixity_due.c.next_check, fixity_due.c.version)
            .limit(limit)
        )
        for row in connection.execute(query):
            yield row.version, row.next_check


def _take_due(
    connection: Connection,
    names: Sequence[str],
    now: datetime,
    versions: Sequence[int],
    until: datetime,
    token: int,
    worker: str,
) -> list[tuple[int, str]]:
    """Take all replicas of these versions that are due and free in the stores: which they are. One statement, whose
    text does not depend on how many there are."""
    columns = fixity_due.c.version, fixity_due.c.store
    due = [fixity_due.c.store.in_(names), fixity_due.c.next_check <= now]
    rows = update(fixity_due).values(next_check=until, leased_until=until, worker=worker, lease_token=token)
    if connection.dialect.name == "postgresql":
        here = fixity_due.c.version == any_(literal(sorted(versions), ARRAY(BigInteger)))
        free = select(*columns).where(here, *due).with_for_update(skip_locked=True).cte("free")
        rows = rows.where(fixity_due.c.version == free.c.version, fixity_due.c.store == free.c.store)
    else:
        listed = func.json_each(json.dumps(sorted(versions))).table_valued("value")
        rows = rows.where(fixity_due.c.version.in_(select(listed.c.value)), *due)
    return [(row.version, row.store) for row in connection.execute(rows.returning(*columns))]


def _take(connection: Connection, taken: Sequence[tuple[int, str]], until: datetime, token: int, worker: str) -> None:
    versions: dict[str, list[int]] = defaultdict(list)
    for version, store in taken:
        versions[store].append(version)
    values = {"next_check": until, "leased_until": until, "worker": worker, "lease_token": token}
    for store, rows in sorted(versions.items()):
        for part in chunks(rows):
            here = fixity_due.c.store == store, fixity_due.c.version.in_(part)
            connection.execute(update(fixity_due).where(*here).values(values))


def _leases(connection: Connection, taken: Sequence[tuple[int, str]], token: int) -> list[Lease]:
    ours = set(taken)
    versions: list[Found] = []
    replicas: dict[int, list[Replica]] = defaultdict(list)
    columns = (aip_version.c.aip, aip_version.c.number, aip_version.c.key, aip_version.c.size, aip_version.c.fonds)
    for part in chunks(sorted({version for version, _ in taken})):
        found = connection.execute(select(aip_version.c.version, *columns).where(aip_version.c.version.in_(part))).all()
        identities = {row.version: version_id(row) for row in found}
        versions += found
        query = select(replica).where(replica.c.version.in_(part)).order_by(replica.c.version, replica.c.store)
        for row in connection.execute(query):
            if (row.version, row.store) in ours:
                replicas[row.version].append(read_replica(identities[row.version], row))
    return [
        Lease(version_id(row), row.key, row.size, FondsCode(row.fonds), tuple(replicas[row.version]), token)
        for row in versions
    ]


def _locked(connection: Connection, version: VersionId) -> Sequence[Found]:
    """The version's rows by store, locked to the end of the transaction. Raises NotFound when there is none."""
    query = select(fixity_due).where(fixity_due.c.version == version.row).order_by(fixity_due.c.store)
    rows = connection.execute(query.with_for_update()).all()
    if not rows:
        raise version_not_held(version)
    return rows


def _ours(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return fixity_due.c.version == lease.version.row, fixity_due.c.lease_token == lease.token


def _hold(connection: Connection, lease: Lease) -> None:
    """Lock the version's rows; raises Busy when one of the lease's replicas was given to another since."""
    held = [row for row in _locked(connection, lease.version) if row.lease_token == lease.token]
    if len(held) != len(lease.replicas):
        raise _stale(lease.version)


def _end(connection: Connection, lease: Lease, until: datetime | None = None) -> None:
    """End the lease: each replica is due again when its own row says."""
    here = replica.c.version == fixity_due.c.version, replica.c.store == fixity_due.c.store
    due = select(replica.c.due).where(*here).scalar_subquery()
    rows = update(fixity_due).where(*_ours(lease))
    connection.execute(rows.values(next_check=due, leased_until=None, worker=None))
    if until is not None:
        connection.execute(rows.where(fixity_due.c.next_check < until).values(next_check=until))


def _outdate(connection: Connection, version: VersionId, store: StoreId, due: datetime) -> None:
    """End whatever lease there is of this replica, and make its token worthless."""
    here = fixity_due.c.version == version.row, fixity_due.c.store == store.value
    values = {"next_check": due, "leased_until": None, "worker": None, "lease_token": 0}
    connection.execute(update(fixity_due).where(*here).values(values))


def _due_replicas(connection: Connection, names: Sequence[str], now: datetime, limit: int) -> Iterator[Replica]:
    if not names:
        return
    first = [
        select(fixity_due.c.next_check, fixity_due.c.version, fixity_due.c.store)
        .where(fixity_due.c.store == name, fixity_due.c.next_check <= now)
        .order_by(fixity_due.c.next_check, fixity_due.c.version)
        .limit(limit)
        .subquery()
        for name in names
    ]
    rows = union_all(*(select(one) for one in first)).subquery()
    query = (
        select(replica, aip_version.c.aip, aip_version.c.number)
        .join(rows, (rows.c.version == replica.c.version) & (rows.c.store == replica.c.store))
        .join(aip_version, aip_version.c.version == replica.c.version)
        .order_by(rows.c.next_check, rows.c.version, rows.c.store)
        .limit(limit)
    )
    for row in connection.execute(query):
        yield read_replica(version_id(row), row)


def _stale(version: VersionId) -> Busy:
    return Busy(
        Sentence(
            f"Gói tin {version} đang do tiến trình khác kiểm tra: hãy thử lại sau.",
            f"Another worker is checking {version}: try again later.",
        )
    )
