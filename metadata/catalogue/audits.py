"""Audits as rows: what was begun, how far it is, and what a person wants of it. What they found is in the replicas."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import insert, select, update

from metadata.audits import Audit, AuditKind, AuditState
from metadata.catalogue.database import Database
from metadata.catalogue.rows import Found
from metadata.catalogue.schema_keeping import audit
from metadata.errors import NotFound
from metadata.identifiers import FondsCode, StoreId
from metadata.text import Sentence

ENDED = (AuditState.STOPPED, AuditState.DONE)
_HAS_END = ~(audit.c.standing & (audit.c.kind == AuditKind.DEEP.value))


class Audits:
    """One row an audit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, one: Audit) -> None:
        """A new audit. Raises ValueError when there is one of that id."""
        row = asdict(one) | {
            "kind": one.kind.value,
            "store": one.store.value,
            "fonds": None if one.fonds is None else one.fonds.value,
            "state": one.state.value,
        }
        with self._database.write() as connection:
            connection.execute(insert(audit), [row])

    def get(self, id: str) -> Audit:
        """Raises NotFound."""
        with self._database.read() as connection:
            row = connection.execute(select(audit).where(audit.c.id == id)).first()
        if row is None:
            raise NotFound(
                Sentence(
                    f"Không có đợt kiểm tra {id}: «tangthu audits list» liệt kê các đợt.",
                    f"There is no audit {id}: “tangthu audits list” lists them.",
                )
            )
        return _read(row)

    def named(self, ids: Collection[str]) -> dict[str, Audit]:
        """Those of these that there are."""
        with self._database.read() as connection:
            rows = connection.execute(select(audit).where(audit.c.id.in_(ids)))
            return {row.id: _read(row) for row in rows}

    def current(self) -> list[Audit]:
        """Those with an end that run or are paused, by store and beginning."""
        wanted = [state.value for state in AuditState if state not in ENDED]
        query = select(audit).where(audit.c.state.in_(wanted), _HAS_END)
        query = query.order_by(audit.c.store, audit.c.begun, audit.c.id)
        with self._database.read() as connection:
            return [_read(row) for row in connection.execute(query)]

    def latest(self, limit: int = 50) -> list[Audit]:
        """The last with an end that were begun, the newest first."""
        query = select(audit).where(_HAS_END).order_by(audit.c.begun.desc(), audit.c.id).limit(limit)
        with self._database.read() as connection:
            return [_read(row) for row in connection.execute(query)]

    def set_state(self, id: str, state: AuditState, at: datetime) -> bool:
        """False when it has ended already, or is in that state."""
        gone = [one.value for one in (*ENDED, state)]
        values = {"state": state.value, "touched": at, "ended": at if state in ENDED else None}
        with self._database.write() as connection:
            row = update(audit).where(audit.c.id == id, audit.c.state.not_in(gone)).values(values)
            return connection.execute(row).rowcount == 1

    def set_limit(self, id: str, limit: int | None) -> None:
        """Bytes a second; None: the store's own budget."""
        with self._database.write() as connection:
            connection.execute(update(audit).where(audit.c.id == id).values(limit=limit))

    def advance(
        self, id: str, before: str, place: str, at: datetime, done: int, size: int, damaged: int = 0, unread: int = 0
    ) -> bool:
        """It went on from ``before`` to ``place``; False when another worker has brought it on: nothing is counted
        twice. The last two are how many of ``done`` were found damaged, and could not be read."""
        values = _more(at, done, size, damaged, unread) | {"place": place}
        with self._database.write() as connection:
            row = update(audit).where(audit.c.id == id, audit.c.place == before).values(values)
            return connection.execute(row).rowcount == 1

    def count(self, id: str, at: datetime, done: int, size: int, damaged: int, unread: int) -> None:
        """So much more was done of one that has no place to go on from."""
        with self._database.write() as connection:
            row = update(audit).where(audit.c.id == id).values(_more(at, done, size, damaged, unread))
            connection.execute(row)


def _more(at: datetime, done: int, size: int, damaged: int, unread: int) -> dict[str, object]:
    return {
        "touched": at, "done": audit.c.done + done, "done_bytes": audit.c.done_bytes + size,
        "damaged": audit.c.damaged + damaged, "unread": audit.c.unread + unread,
    }  # fmt: skip


def _read(row: Found) -> Audit:
    fonds = None if row.fonds is None else FondsCode(row.fonds)
    return Audit(
        row.id, AuditKind(row.kind), StoreId(row.store), fonds, row.share, AuditState(row.state), row.standing,
        row.begun, row.touched, row.ended, row.limit, row.replicas, row.bytes, row.done, row.done_bytes, row.damaged,
        row.unread, row.place, row.person,
    )  # fmt: skip
