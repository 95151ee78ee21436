"""The life of a version: its PREMIS events in order, and the head of its log."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select, update

from metadata.catalogue.database import Database, chunks
from metadata.catalogue.retelling import retell_formats
from metadata.catalogue.rows import event_row, read_event
from metadata.catalogue.schema import event, log_head
from metadata.errors import Busy, NotFound
from metadata.events import Event, LogHead
from metadata.identifiers import VersionId
from metadata.text import Sentence


class Events:
    """Events are added, never changed. Each comes with the log object that carries it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, version: VersionId, events: Sequence[Event], head: LogHead) -> None:
        """Add the events of the log objects up to ``head``. Doing it again changes nothing.

        Raises NotFound for a version not held; Busy when the log has gone on in the meantime (read it, then try again).
        """
        with self._database.write() as connection:
            append_events(self._database, connection, version, events, head)

    def of(self, version: VersionId) -> list[Event]:
        """In the order in which they were logged."""
        query = select(event).where(event.c.version == version.row).order_by(event.c.ordinal)
        with self._database.read() as connection:
            return [read_event(version, row) for row in connection.execute(query)]

    def head(self, version: VersionId) -> LogHead | None:
        """The last log object that the catalogue knows; None for a version not held."""
        with self._database.read() as connection:
            return _head(connection, version, lock=False)


def append_events(
    database: Database, connection: Connection, version: VersionId, events: Sequence[Event], head: LogHead
) -> None:
    """The one place where events enter the catalogue (DESIGN §2, invariant 5); errors as :meth:`Events.append`."""
    if any(one.version != version for one in events):
        raise ValueError(f"an event of another version among those of {version}")
    current = _head(connection, version, lock=True)
    if current is None:
        raise _not_held(version)
    known = _known(connection, version, events)
    fresh = list({one.id: one for one in events if str(one.id) not in known}.values())
    if head == current or head.number < current.number:
        if fresh:
            raise _log_went_on(version)
        return
    if head.number == current.number:
        raise _log_went_on(version)
    connection.execute(
        update(log_head).where(log_head.c.version == version.row).values(number=head.number, digest=head.digest)
    )
    last = connection.scalar(select(func.max(event.c.ordinal)).where(event.c.version == version.row)) or 0
    database.insert(connection, event, (event_row(last + place, one) for place, one in enumerate(fresh, 1)))
    retell_formats(database, connection, version, fresh)


def _head(connection: Connection, version: VersionId, *, lock: bool) -> LogHead | None:
    query = select(log_head.c.number, log_head.c.digest).where(log_head.c.version == version.row)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return None if row is None else LogHead(row.number, row.digest)


def _known(connection: Connection, version: VersionId, events: Sequence[Event]) -> set[str]:
    known: set[str] = set()
    for part in chunks([str(one.id) for one in events]):
        query = select(event.c.id).where(event.c.version == version.row, event.c.id.in_(part))
        known.update(connection.scalars(query))
    return known


def _not_held(version: VersionId) -> NotFound:
    return NotFound(Sentence(f"Danh mục không có gói tin {version}.", f"The catalogue holds no version {version}."))


def _log_went_on(version: VersionId) -> Busy:
    return Busy(
        Sentence(
            f"Nhật ký của gói tin {version} vừa được ghi thêm bởi tiến trình khác: hãy đọc lại rồi thử lại.",
            f"Another worker has added to the log of {version}: read it, then try again.",
        )
    )
