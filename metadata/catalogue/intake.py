"""Who is taking in which package: one worker at a time, and the moment at which it was first seen.

A claim is a lease. Its token is drawn anew each time, so that a worker that slept through its lease is recognised.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from metadata.catalogue.database import Database
from metadata.catalogue.schema import intake
from metadata.errors import Busy
from metadata.identifiers import AgencyCode, ObjId
from metadata.text import Sentence

_FREE = datetime(1970, 1, 1, tzinfo=UTC)


class ClaimLost(Busy):
    """Another worker has taken the package over, or it was struck out: what was done under the claim counts no more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to take in one package until the lease ends.

    ``first_seen`` is the moment of the first claim ever made, kept by the later ones: what is derived from it comes out
    the same after a crash.
    """

    agency: AgencyCode
    objid: ObjId
    token: int
    first_seen: datetime


@dataclass(frozen=True, slots=True)
class OpenIntake:
    """An intake that has begun and is not forgotten: who has it, since when, until when (in the past: nobody)."""

    agency: AgencyCode
    objid: ObjId
    worker: str
    first_seen: datetime
    lease_until: datetime


class Intake:
    """Claims on packages, by agency and OBJID."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, agency: AgencyCode, objid: ObjId, worker: str, now: datetime, lease: timedelta) -> Claim:
        """Take the package for ``lease``. Raises Busy while another claim lasts, even one by the same ``worker``."""
        make = postgresql.insert if self._database.is_postgresql else sqlite.insert
        wanted = make(intake).values(
            agency=agency.value,
            objid=objid.value,
            token=secrets.randbits(63),
            worker=worker,
            lease_until=now + lease,
            first_seen=now,
        )
        statement = wanted.on_conflict_do_update(
            index_elements=[intake.c.agency, intake.c.objid],
            set_={name: wanted.excluded[name] for name in ("token", "worker", "lease_until")},
            where=intake.c.lease_until <= now,
        ).returning(intake.c.token, intake.c.first_seen)
        with self._database.write() as connection:
            row = connection.execute(statement).first()
        if row is None:
            raise _busy(agency, objid)
        return Claim(agency, objid, row.token, row.first_seen)

    def renew(self, claim: Claim, now: datetime, lease: timedelta) -> None:
        """Hold on for ``lease`` from ``now``. Raises ClaimLost when it is no longer ours: stop at once."""
        with self._database.write() as connection:
            held = connection.execute(update(intake).where(_ours(claim)).values(lease_until=now + lease))
        if held.rowcount == 0:
            raise _lost(claim)

    def release(self, claim: Claim) -> bool:
        """Let others claim it, keeping ``first_seen``. False, and nothing changed, when the claim is not ours."""
        with self._database.write() as connection:
            freed = connection.execute(
                update(intake).where(_ours(claim)).values(lease_until=_FREE, token=secrets.randbits(63))
            )
        return freed.rowcount == 1

    def forget(self, claim: Claim) -> bool:
        """Strike it out: the package is held or refused for good. False, and nothing changed, when it is not ours."""
        with self._database.write() as connection:
            return connection.execute(delete(intake).where(_ours(claim))).rowcount == 1

    def open(self, limit: int = 500) -> list[OpenIntake]:
        """Intakes begun and not forgotten, the oldest first."""
        query = select(intake).order_by(intake.c.first_seen, intake.c.agency, intake.c.objid).limit(limit)
        with self._database.read() as connection:
            return [
                OpenIntake(AgencyCode(row.agency), ObjId(row.objid), row.worker, row.first_seen, row.lease_until)
                for row in connection.execute(query)
            ]


def _ours(claim: Claim) -> ColumnElement[bool]:
    return and_(
        intake.c.agency == claim.agency.value, intake.c.objid == claim.objid.value, intake.c.token == claim.token
    )


def strike_out(connection: Connection, claim: Claim) -> None:
    """End the claim within the transaction that it was made for. Raises ClaimLost when it is no longer ours."""
    if connection.execute(delete(intake).where(_ours(claim))).rowcount == 0:
        raise _lost(claim)


def _lost(claim: Claim) -> ClaimLost:
    return ClaimLost(_sentence(claim.agency, claim.objid))


def _busy(agency: AgencyCode, objid: ObjId) -> Busy:
    return Busy(_sentence(agency, objid))


def _sentence(agency: AgencyCode, objid: ObjId) -> Sentence:
    return Sentence(
        f"Gói tin {objid} của cơ quan {agency} đang được tiến trình khác tiếp nhận: hãy thử lại sau.",
        f"Package {objid} of agency {agency} is being taken in by another worker: try again later.",
    )
