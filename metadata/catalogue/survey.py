"""Questions about many versions at once: where they stand, and some of them drawn by lot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from metadata.catalogue.database import Database, chunks
from metadata.catalogue.rows import read_replica, read_version
from metadata.catalogue.schema import aip_version, event, log_head, replica
from metadata.events import EventType, LogHead
from metadata.holdings import AipVersion, Replica
from metadata.identifiers import FondsCode, VersionId

_KEYS = 1 << 63


@dataclass(frozen=True, slots=True)
class Standing:
    """What the catalogue knows of a version without its members: size (bytes), last log object, replicas, fonds."""

    size: int
    head: LogHead
    replicas: tuple[Replica, ...]
    fonds: FondsCode


class Survey:
    """Cheap looks over what is held."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def standing(self, versions: Sequence[VersionId]) -> Mapping[VersionId, Standing]:
        """Of those that are held: two questions for every 500, whatever the holdings."""
        by_row = {version.row: version for version in versions}
        replicas: dict[int, list[Replica]] = defaultdict(list)
        found: dict[VersionId, Standing] = {}
        with self._database.read() as connection:
            for part in chunks(list(by_row)):
                copies = select(replica).where(replica.c.version.in_(part)).order_by(replica.c.version, replica.c.store)
                for row in connection.execute(copies):
                    replicas[row.version].append(read_replica(by_row[row.version], row))
                row_of = aip_version.c.version, aip_version.c.size, aip_version.c.fonds
                columns = *row_of, log_head.c.number, log_head.c.digest
                joined = aip_version.join(log_head, log_head.c.version == aip_version.c.version)
                query = select(*columns).select_from(joined).where(aip_version.c.version.in_(part))
                for row in connection.execute(query):
                    head = LogHead(row.number, row.digest)
                    found[by_row[row.version]] = Standing(
                        row.size, head, tuple(replicas[row.version]), FondsCode(row.fonds)
                    )
        return found

    def draw(self, count: int, below: Callable[[int], int]) -> list[AipVersion]:
        """Up to ``count`` different versions by lot; ``below(n)`` gives a number from 0 to n - 1.

        Keys are digests: a random key's successor is a random version, and the cost does not grow with the holdings.
        """
        drawn: dict[VersionId, AipVersion] = {}
        first = select(aip_version).order_by(aip_version.c.version).limit(1)
        with self._database.read() as connection:
            for _ in range(4 * count):
                if len(drawn) == count:
                    break
                after = connection.execute(first.where(aip_version.c.version >= below(_KEYS))).first()
                row = after or connection.execute(first).first()
                if row is not None:
                    version = read_version(row)
                    drawn[version.id] = version
        return list(drawn.values())

    def known_since(self, version: int) -> datetime:
        """When the last event before its registration was: that it was received for good; else when it was made."""
        ended = select(event.c.at).where(event.c.version == version, event.c.type == EventType.INGESTION_END.value)
        made = select(aip_version.c.created).where(aip_version.c.version == version)
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(ended.order_by(event.c.ordinal).limit(1)) or connection.scalar(
                made
            )
        if found is None:
            raise ValueError(f"no version {version}")
        return found
