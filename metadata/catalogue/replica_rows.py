"""The rows of a replica: what is known of it, when it is due, and the counters that it is part of, always together."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from metadata.catalogue.coverage import CoverageMoves
from metadata.catalogue.database import Database
from metadata.catalogue.rows import replica_row
from metadata.catalogue.schema import aip_version, fixity_due, replica
from metadata.errors import NotFound
from metadata.holdings import Replica
from metadata.identifiers import StoreId, VersionId
from metadata.outcomes import Fixity
from metadata.text import Sentence


class ReplicaRows:
    """Changes replicas of one version through one open transaction. :meth:`write_coverage` comes last."""

    def __init__(self, database: Database, connection: Connection, version: VersionId) -> None:
        """Raises NotFound for a version not held."""
        self._database = database
        self._connection = connection
        self._version = version
        query = select(aip_version.c.fonds, aip_version.c.size).where(aip_version.c.version == version.row)
        found = connection.execute(query).first()
        if found is None:
            raise version_not_held(version)
        self._fonds, self._size = str(found.fonds), int(found.size)
        self._moves = CoverageMoves()

    def add(self, one: Replica, tag: str | None = None) -> None:
        """A replica that is not there yet; ``tag`` is the store's own word for its object."""
        row = {"version": self._version.row, "store": one.store.value}
        self._database.insert(self._connection, replica, [replica_row(one)])
        due = {"next_check": one.due, "lease_token": 0, "leased_until": None, "worker": None, "tag": tag}
        self._connection.execute(insert(fixity_due), [row | due])
        self._moves.add(one.store, self._fonds, one.checked, self._size)

    def change(self, store: StoreId, outcome: Fixity, at: datetime, due: datetime) -> bool:
        """What a look at ``at`` found; False when there is no such replica. When it was last read whole stays as it
        was if nobody could look."""
        here = replica.c.version == self._version.row, replica.c.store == store.value
        found = self._connection.execute(select(replica.c.checked).where(*here)).first()
        if found is None:
            return False
        checked = at if outcome.looked else found.checked
        values = {"outcome": outcome.value, "checked": checked, "due": due}
        self._connection.execute(update(replica).where(*here).values(values))
        self._moves.remove(store, self._fonds, found.checked, self._size)
        self._moves.add(store, self._fonds, checked, self._size)
        return True

    def drop(self, store: StoreId) -> bool:
        """Forget a replica; False when there is none."""
        here = replica.c.version == self._version.row, replica.c.store == store.value
        found = self._connection.execute(delete(replica).where(*here).returning(replica.c.checked)).first()
        if found is None:
            return False
        due = fixity_due.c.version == self._version.row, fixity_due.c.store == store.value
        self._connection.execute(delete(fixity_due).where(*due))
        self._moves.remove(store, self._fonds, found.checked, self._size)
        return True

    def write_coverage(self) -> None:
        """Move the counters. The last act of the transaction."""
        self._moves.write(self._database, self._connection)


def version_not_held(version: VersionId) -> NotFound:
    return NotFound(Sentence(f"Danh mục không có gói tin {version}.", f"The catalogue holds no version {version}."))
