"""The rows of strangers: what was met in which store, since when, who decided what. Two people must decide the same.

A *round* ends when what was decided could not be done (the object changed): then both must decide anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from metadata.catalogue.database import Database, chunks
from metadata.catalogue.quarantine import PEOPLE, person_key
from metadata.catalogue.rows import Found
from metadata.catalogue.schema import aip_version, replica
from metadata.catalogue.schema_keeping import stranger, stranger_vote
from metadata.errors import AlreadyExists, NotFound, UsageError
from metadata.identifiers import StoreId, VersionId
from metadata.strangers import Stranger, StrangerDecision, StrangerKind, StrangerState, StrangerVote
from metadata.text import Sentence

_LONGEST_PERSON, _LONGEST_REASON = 200, 2000
_DECIDED = {StrangerDecision.KEEP: StrangerState.KEPT, StrangerDecision.REMOVE: StrangerState.REMOVING}


class Strangers:
    """What people decided stays; what was only seen and is gone again is forgotten."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, store: StoreId, versions: Iterable[VersionId]) -> Mapping[VersionId, tuple[str, bool]]:
        """Those of ``versions`` that the catalogue knows: their key, and whether it counts a replica in ``store``."""
        by_row = {version.row: version for version in versions}
        here = and_(replica.c.version == aip_version.c.version, replica.c.store == store.value)
        found: dict[VersionId, tuple[str, bool]] = {}
        with self._database.read() as connection:
            for part in chunks(list(by_row)):
                query = (
                    select(aip_version.c.version, aip_version.c.key, replica.c.store)
                    .outerjoin_from(aip_version, replica, here)
                    .where(aip_version.c.version.in_(part))
                )
                for row in connection.execute(query):
                    found[by_row[row.version]] = (row.key, row.store is not None)
        return found

    def saw(self, seen: Sequence[Stranger], room: int) -> None:
        """Note strangers as they are now, of those not known yet no more than ``room``.

        One that changed (another size, another time) is a new one.
        """
        make = postgresql.insert if self._database.is_postgresql else sqlite.insert
        with self._database.write() as connection:
            for one in seen:
                values = {
                    "store": one.store.value, "key": one.key, "kind": one.kind.value, "size": one.size,
                    "modified": one.modified, "first_seen": one.last_seen, "last_seen": one.last_seen,
                    "state": StrangerState.SEEN.value, "round": 1, "ended": None, "digest": None,
                }  # fmt: skip
                there = connection.execute(select(stranger).where(_is(one.store, one.key)).with_for_update()).first()
                if there is None:
                    room -= 1
                    if room < 0:
                        continue
                    connection.execute(make(stranger).values(values).on_conflict_do_nothing())
                elif (there.size, there.modified) == (one.size, one.modified) and there.state not in _OVER:
                    new = {"last_seen": one.last_seen, "kind": one.kind.value}
                    connection.execute(update(stranger).where(_is(one.store, one.key)).values(new))
                else:
                    connection.execute(
                        update(stranger).where(_is(one.store, one.key)).values(values | {"round": there.round + 1})
                    )

    def ripe(self, store: StoreId, wait: timedelta, at: datetime) -> int:
        """Those seen twice at least ``wait`` apart are to be told: how many became so at ``at``."""
        old = stranger.c.last_seen - stranger.c.first_seen >= int(wait / timedelta(microseconds=1))
        where = (stranger.c.store == store.value, stranger.c.state == StrangerState.SEEN.value, old)
        with self._database.write() as connection:
            return connection.execute(update(stranger).where(*where).values(state=StrangerState.TOLD.value)).rowcount

    def forget(self, store: StoreId, before: datetime) -> int:
        """Drop those that wait for people and were not seen since ``before``: they are gone. How many."""
        waits = [state.value for state in StrangerState if state.waits]
        where = (stranger.c.store == store.value, stranger.c.state.in_(waits), stranger.c.last_seen < before)
        with self._database.write() as connection:
            return connection.execute(delete(stranger).where(*where)).rowcount

    def count(self, store: StoreId, state: StrangerState | None = None) -> Mapping[StrangerKind, int]:
        """How many of each kind, of one state or of all."""
        query = select(stranger.c.kind, func.count()).where(stranger.c.store == store.value).group_by(stranger.c.kind)
        if state is not None:
            query = query.where(stranger.c.state == state.value)
        with self._database.read() as connection:
            return {StrangerKind(row[0]): row[1] for row in connection.execute(query)}

    def listed(
        self,
        store: StoreId | None = None,
        state: StrangerState | None = None,
        limit: int = 100,
        after: tuple[StoreId, str] | None = None,
    ) -> list[Stranger]:
        """By store and key, those after ``after``."""
        query = select(stranger).order_by(stranger.c.store, stranger.c.key).limit(limit)
        if store is not None:
            query = query.where(stranger.c.store == store.value)
        if state is not None:
            query = query.where(stranger.c.state == state.value)
        if after is not None:
            same = and_(stranger.c.store == after[0].value, stranger.c.key > after[1])
            query = query.where(or_(stranger.c.store > after[0].value, same))
        with self._database.read() as connection:
            return [_stranger(connection, row) for row in connection.execute(query).all()]

    def get(self, store: StoreId, key: str) -> Stranger:
        """That one. Raises NotFound."""
        with self._database.read() as connection:
            return _one(connection, store, key)

    def vote(
        self, store: StoreId, key: str, person: str, decision: StrangerDecision, reason: str, at: datetime
    ) -> Stranger:
        """Note one person's word, and the decision when it is the second for the same.

        Raises NotFound, UsageError without a name or a reason, AlreadyExists when this person has decided already or
        when it is decided.
        """
        person, reason = person.strip()[:_LONGEST_PERSON], reason.strip()[:_LONGEST_REASON]
        if not person_key(person) or not reason:
            raise UsageError(
                Sentence("Hãy ghi họ tên người quyết định và lý do.", "Name the person who decides, and the reason.")
            )
        with self._database.write() as connection:
            before = _one(connection, store, key, lock=True)
            if not before.state.waits and before.state is not StrangerState.KEPT:
                raise AlreadyExists(Sentence(f"{key} đã được quyết định rồi.", f"{key} has been decided already."))
            if before.state is StrangerState.KEPT:
                before = _next_round(connection, before)
            if person_key(person) in {person_key(vote.person) for vote in before.votes}:
                raise AlreadyExists(
                    Sentence(
                        f"{person} đã quyết định rồi: cần một người khác.",
                        f"{person} has decided already: another person must.",
                    )
                )
            row = {
                "store": store.value, "key": key, "round": before.round, "person_key": person_key(person),
                "person": person, "decision": decision.value, "reason": reason, "at": at,
            }  # fmt: skip
            connection.execute(insert(stranger_vote).values(row))
            if sum(vote.decision is decision for vote in before.votes) + 1 >= PEOPLE:
                _set(connection, store, key, state=_DECIDED[decision].value)
            return _one(connection, store, key)

    def ended(self, store: StoreId, key: str, state: StrangerState, at: datetime, digest: bytes | None = None) -> None:
        """What was decided is done."""
        with self._database.write() as connection:
            _set(connection, store, key, state=state.value, ended=at, digest=digest)

    def again(self, store: StoreId, key: str) -> Stranger:
        """What was decided cannot be done: people decide anew, in a new round."""
        with self._database.write() as connection:
            return _next_round(connection, _one(connection, store, key, lock=True))


_OVER = (StrangerState.REMOVED.value, StrangerState.ADOPTED.value)


def _is(store: StoreId, key: str) -> ColumnElement[bool]:
    return and_(stranger.c.store == store.value, stranger.c.key == key)


def _set(connection: Connection, store: StoreId, key: str, **values: object) -> None:
    connection.execute(update(stranger).where(_is(store, key)).values(values))


def _next_round(connection: Connection, one: Stranger) -> Stranger:
    _set(connection, one.store, one.key, state=StrangerState.TOLD.value, round=one.round + 1)
    return _one(connection, one.store, one.key)


def _one(connection: Connection, store: StoreId, key: str, *, lock: bool = False) -> Stranger:
    query = select(stranger).where(_is(store, key))
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFound(
            Sentence(
                f"Nơi lưu {store} không có vật lạ nào ở {key}: «tangthu strangers list» liệt kê các vật lạ.",
                f"Store {store} has no stranger under {key}: “tangthu strangers list” lists them.",
            )
        )
    return _stranger(connection, row)


def _stranger(connection: Connection, row: Found) -> Stranger:
    votes = connection.execute(
        select(stranger_vote)
        .where(stranger_vote.c.store == row.store, stranger_vote.c.key == row.key, stranger_vote.c.round == row.round)
        .order_by(stranger_vote.c.at, stranger_vote.c.person_key)
    )
    return Stranger(
        StoreId(row.store), row.key, StrangerKind(row.kind), row.size, row.modified, row.first_seen, row.last_seen,
        StrangerState(row.state), row.round, row.ended, row.digest,
        tuple(StrangerVote(vote.person, StrangerDecision(vote.decision), vote.reason, vote.at) for vote in votes),
    )  # fmt: skip
