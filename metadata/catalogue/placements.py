"""Which AIP versions lie in which set of stores: what a policy asks for and is missing is found by asking for few sets.

There are as many sets as there are combinations of fonds, access level and stores: tens, however many versions. Each is
judged once, and the versions of those that lack a replica follow from the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from metadata.catalogue.database import Database
from metadata.catalogue.events import append_events
from metadata.catalogue.replica_rows import ReplicaRows
from metadata.catalogue.rows import version_id
from metadata.catalogue.schema import aip_version, record, replica
from metadata.catalogue.schema_keeping import placement
from metadata.errors import NotFound
from metadata.events import Event, LogHead
from metadata.holdings import Replica
from metadata.identifiers import FondsCode, StoreId, VersionId
from metadata.outcomes import Fixity
from metadata.text import Sentence


@dataclass(frozen=True, slots=True)
class Placement:
    """Versions of one fonds and access level (of the dossier; "" when it has none) that lie in the same stores."""

    fonds: FondsCode
    access: str
    stores: tuple[StoreId, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """One version, its object's key and size in bytes. ``row`` is where to go on after it."""

    version: VersionId
    key: str
    size: int

    @property
    def row(self) -> int:
        return self.version.row


class Placements:
    """The sets, and the rows of replicas that come and go with a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sets(self) -> list[Placement]:
        """Every set that some version lies in. One look into the index for each."""
        columns = placement.c.fonds, placement.c.access, placement.c.stores
        query = select(*columns).order_by(*columns).limit(1)
        found: list[Placement] = []
        with self._database.read() as connection:
            row = connection.execute(query).first()
            while row is not None:
                stores = tuple(StoreId(name) for name in row.stores.split(",") if name)
                found.append(Placement(FondsCode(row.fonds), row.access, stores))
                after = tuple_(*columns) > tuple_(row.fonds, row.access, row.stores)
                row = connection.execute(query.where(after)).first()
        return found

    def of(self, version: VersionId) -> Placement | None:
        """Where one version lies; None for one not held."""
        with self._database.read() as connection:
            row = connection.execute(select(placement).where(placement.c.version == version.row)).first()
        if row is None:
            return None
        return Placement(
            FondsCode(row.fonds), row.access, tuple(StoreId(name) for name in row.stores.split(",") if name)
        )

    def versions(self, place: Placement, after: int | None = None, limit: int = 100) -> list[Placed]:
        """Versions that lie there, by row, those after row ``after``."""
        query = (
            select(placement.c.version, aip_version.c.aip, aip_version.c.number, aip_version.c.key, aip_version.c.size)
            .join(aip_version, aip_version.c.version == placement.c.version)
            .where(*_here(place))
            .order_by(placement.c.version)
            .limit(limit)
        )
        if after is not None:
            query = query.where(placement.c.version > after)
        with self._database.read() as connection:
            return [Placed(version_id(row), row.key, row.size) for row in connection.execute(query)]

    def doubtful(
        self, place: Placement, stores: Sequence[StoreId], limit: int = 1000
    ) -> list[tuple[VersionId, StoreId]]:
        """Replicas in ``stores`` of versions that lie there, whose last look found anything but a match."""
        query = (
            select(placement.c.version, aip_version.c.aip, aip_version.c.number, replica.c.store)
            .join(replica, replica.c.version == placement.c.version)
            .join(aip_version, aip_version.c.version == placement.c.version)
            .where(*_here(place), replica.c.store.in_([store.value for store in stores]))
            .where(replica.c.outcome != Fixity.MATCH.value)
            .order_by(placement.c.version, replica.c.store)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [(version_id(row), StoreId(row.store)) for row in connection.execute(query)]

    def amount(self, places: Sequence[Placement]) -> tuple[int, int]:
        """How many versions lie there, and their bytes. Its cost grows with them."""
        versions = size = 0
        with self._database.read() as connection:
            for place in places:
                query = (
                    select(func.count(), func.coalesce(func.sum(aip_version.c.size), 0))
                    .select_from(placement.join(aip_version, aip_version.c.version == placement.c.version))
                    .where(*_here(place))
                )
                counted, summed = connection.execute(query).one()
                versions, size = versions + counted, size + int(summed)
        return versions, size

    def forget(self, version: VersionId, store: StoreId, events: Sequence[Event], head: LogHead) -> bool:
        """Take a replica out of the catalogue, with the events that tell it; False when there was none.

        The caller holds the lease of the version. Raises ValueError for the last replica, NotFound, Busy when the log
        has gone on.
        """
        with self._database.write() as connection:
            append_events(self._database, connection, version, events, head)
            here = replica.c.version == version.row
            rest = select(func.count()).select_from(replica).where(here, replica.c.store != store.value)
            if not connection.scalar(rest):
                raise ValueError(f"{version} has no replica but that in {store}")
            rows = ReplicaRows(self._database, connection, version)
            gone = rows.drop(store)
            note_placement(self._database, connection, version.row)
            rows.write_coverage()
        return gone

    def bring_back(
        self, version: VersionId, store: StoreId, due: datetime, events: Sequence[Event], head: LogHead
    ) -> bool:
        """Note a replica that nobody has looked at since it came back, due at ``due``; False when it is noted already.

        The caller holds the lease of the version. Raises NotFound, Busy as :meth:`forget`.
        """
        with self._database.write() as connection:
            append_events(self._database, connection, version, events, head)
            known = select(func.count()).select_from(replica)
            if connection.scalar(known.where(replica.c.version == version.row, replica.c.store == store.value)):
                return False
            rows = ReplicaRows(self._database, connection, version)
            rows.add(Replica(version, store, Fixity.NOT_CHECKED, None, due))
            note_placement(self._database, connection, version.row)
            rows.write_coverage()
        return True


def note_placement(database: Database, connection: Connection, row: int) -> None:
    """Write down where the version of that row lies now: whoever adds or removes a replica calls it."""
    access = select(record.c.access).where(record.c.version == row, record.c.number == 0).scalar_subquery()
    query = select(aip_version.c.fonds, func.coalesce(access, "").label("access")).where(aip_version.c.version == row)
    found = connection.execute(query).first()
    if found is None:
        raise NotFound(Sentence("Danh mục không có gói tin này.", "The catalogue holds no such version."))
    stores = connection.scalars(select(replica.c.store).where(replica.c.version == row).order_by(replica.c.store))
    values = {"fonds": found.fonds, "access": found.access, "stores": ",".join(stores)}
    make = postgresql.insert if database.is_postgresql else sqlite.insert
    statement = make(placement).values(version=row, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["version"], set_=values))


def _here(place: Placement) -> tuple[ColumnElement[bool], ...]:
    stores = ",".join(store.value for store in place.stores)
    return (
        placement.c.fonds == place.fonds.value,
        placement.c.access == place.access,
        placement.c.stores == stores,
    )
