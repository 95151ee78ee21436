"""Packages in quarantine: what was found, whose they are, and who decided what. Two people must decide the same.

A *round* ends when what was decided could not be done (a release that found more): then both must decide anew.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from metadata.catalogue.database import Database
from metadata.catalogue.schema import quarantine, quarantine_vote
from metadata.errors import AlreadyExists, NotFound, UsageError
from metadata.identifiers import AgencyCode, FondsCode, ObjId
from metadata.text import Sentence

PEOPLE = 2
"""So many different people must decide the same."""
_LONGEST_PERSON, _LONGEST_REASON = 200, 2000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class QuarantineState(StrEnum):
    """HELD waits for people; RELEASING and DISCARDING are decided and not done yet; the others are over."""

    HELD = "held"
    RELEASING = "releasing"
    RELEASED = "released"
    DISCARDING = "discarding"
    DISCARDED = "discarded"

    @property
    def over(self) -> bool:
        return self in (QuarantineState.RELEASED, QuarantineState.DISCARDED)


class Decision(StrEnum):
    """What people may decide: take the package in as it is, or have its bytes removed."""

    RELEASE = "release"
    DISCARD = "discard"


_DECIDED = {Decision.RELEASE: QuarantineState.RELEASING, Decision.DISCARD: QuarantineState.DISCARDING}


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's word: the name as typed, the decision, the reason, when."""

    person: str
    decision: Decision
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class QuarantinedPackage:
    """A package in quarantine. ``name`` is that of the folder or file that was sent; ``content`` the SHA-256 of what is
    in it; ``said_agency`` and ``said_fonds`` are what was said beside it when it was sent; ``receipt`` is the document
    that the sender gets while it is held. ``votes`` are those of this round; ``aip`` is what became of a released one.
    """

    id: str
    agency: AgencyCode
    objid: ObjId
    title: str
    content: bytes
    name: str
    said_agency: AgencyCode | None
    said_fonds: FondsCode | None
    since: datetime
    scanner: str
    receipt: str
    state: QuarantineState = QuarantineState.HELD
    round: int = 1
    ended: datetime | None = None
    aip: str = ""
    votes: tuple[Vote, ...] = ()


class Quarantine:
    """The records. What is over stays: nothing is ever deleted here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(self, package: QuarantinedPackage) -> QuarantinedPackage:
        """Note a package; one of the same id that is there already stays as it is. Gives what is there."""
        make = postgresql.insert if self._database.is_postgresql else sqlite.insert
        values = {
            "id": package.id, "agency": package.agency.value, "objid": package.objid.value, "title": package.title,
            "content": package.content, "name": package.name,
            "said_agency": package.said_agency and package.said_agency.value,
            "said_fonds": package.said_fonds and package.said_fonds.value,
            "since": package.since, "scanner": package.scanner, "receipt": package.receipt,
            "state": QuarantineState.HELD.value, "round": 1, "ended": None, "aip": "",
        }  # fmt: skip
        with self._database.write() as connection:
            connection.execute(make(quarantine).values(values).on_conflict_do_nothing())
            return _one(connection, package.id)

    def find(self, id: str) -> QuarantinedPackage | None:
        """The package of this id, or None."""
        with self._database.read() as connection:
            row = connection.execute(select(quarantine).where(quarantine.c.id == id)).first()
            return None if row is None else _package(connection, row)

    def get(self, id: str) -> QuarantinedPackage:
        """The package of this id. Raises NotFound."""
        found = self.find(id)
        if found is None:
            raise _not_found(id)
        return found

    def packages(self, *, over: bool = False, limit: int = 200) -> list[QuarantinedPackage]:
        """Those that wait, the longest first; those that are ``over``, the latest first."""
        states = [state.value for state in QuarantineState if state.over is over]
        when = quarantine.c.ended.desc() if over else quarantine.c.since
        query = select(quarantine).where(quarantine.c.state.in_(states)).order_by(when, quarantine.c.id).limit(limit)
        with self._database.read() as connection:
            return [_package(connection, row) for row in connection.execute(query).all()]

    def decided(self) -> list[QuarantinedPackage]:
        """Those for which is decided what is not done yet."""
        return [one for one in self.packages(limit=10_000) if one.state is not QuarantineState.HELD]

    def waiting(self) -> int:
        """How many wait for people."""
        held = quarantine.c.state == QuarantineState.HELD.value
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(quarantine).where(held)) or 0

    def vote(self, id: str, person: str, decision: Decision, reason: str, at: datetime) -> QuarantinedPackage:
        """Note one person's word, and the decision when it is the second for the same.

        Raises NotFound, UsageError without a name or a reason, AlreadyExists when this person has decided already or
        when it is decided. Names that differ by case, white space and diacritics only are the same person's.
        """
        person, reason = _words(person, _LONGEST_PERSON), _words(reason, _LONGEST_REASON)
        if not person_key(person) or not reason:
            raise UsageError(
                Sentence("Hãy ghi họ tên người quyết định và lý do.", "Name the person who decides, and the reason.")
            )
        with self._database.write() as connection:
            before = _one(connection, id, lock=True)
            if before.state is not QuarantineState.HELD:
                raise AlreadyExists(
                    Sentence(f"Gói {id} đã được quyết định rồi.", f"Package {id} has been decided already.")
                )
            if person_key(person) in {person_key(vote.person) for vote in before.votes}:
                raise AlreadyExists(
                    Sentence(
                        f"{person} đã quyết định gói này rồi: cần một người khác.",
                        f"{person} has decided on this package already: another person must.",
                    )
                )
            row = {
                "id": id, "round": before.round, "person_key": person_key(person), "person": person,
                "decision": decision.value, "reason": reason, "at": at,
            }  # fmt: skip
            connection.execute(insert(quarantine_vote).values(row))
            if sum(vote.decision is decision for vote in before.votes) + 1 >= PEOPLE:
                _set(connection, id, state=_DECIDED[decision].value)
            return _one(connection, id)

    def released(self, id: str, aip: str, at: datetime) -> None:
        """It was taken in as ``aip``."""
        with self._database.write() as connection:
            _set(connection, id, state=QuarantineState.RELEASED.value, aip=aip, ended=at)

    def discarded(self, id: str, at: datetime) -> None:
        """Its bytes are gone."""
        with self._database.write() as connection:
            _set(connection, id, state=QuarantineState.DISCARDED.value, ended=at)

    def hold_again(self, id: str, receipt: str, scanner: str) -> QuarantinedPackage:
        """What was decided could not be done, as ``receipt`` says: it waits for people again, in a new round."""
        with self._database.write() as connection:
            package = _one(connection, id, lock=True)
            state = QuarantineState.HELD.value
            _set(connection, id, state=state, round=package.round + 1, receipt=receipt, scanner=scanner)
            return _one(connection, id)


def person_key(name: str) -> str:
    """What two spellings of one person's name have in common."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("đ", "d"))
    return " ".join("".join(one for one in plain if unicodedata.category(one)[0] in "LN" or one == " ").split())


def _words(text: str, longest: int) -> str:
    return _CONTROL.sub(" ", text).strip()[:longest]


def _set(connection: Connection, id: str, **values: object) -> None:
    if connection.execute(update(quarantine).where(quarantine.c.id == id).values(values)).rowcount == 0:
        raise _not_found(id)


def _one(connection: Connection, id: str, *, lock: bool = False) -> QuarantinedPackage:
    query = select(quarantine).where(quarantine.c.id == id)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise _not_found(id)
    return _package(connection, row)


def _package(connection: Connection, row: Row[tuple[object, ...]]) -> QuarantinedPackage:
    given = dict(row._mapping)
    votes = connection.execute(
        select(quarantine_vote)
        .where(quarantine_vote.c.id == given["id"], quarantine_vote.c.round == given["round"])
        .order_by(quarantine_vote.c.at, quarantine_vote.c.person_key)
    )
    return QuarantinedPackage(
        **given
        | {
            "agency": AgencyCode(given["agency"]),
            "objid": ObjId(given["objid"]),
            "said_agency": None if given["said_agency"] is None else AgencyCode(given["said_agency"]),
            "said_fonds": None if given["said_fonds"] is None else FondsCode(given["said_fonds"]),
            "state": QuarantineState(given["state"]),
            "votes": _votes(votes.all()),
        }
    )


def _votes(rows: Sequence[Row[tuple[object, ...]]]) -> tuple[Vote, ...]:
    return tuple(Vote(row.person, Decision(row.decision), row.reason, row.at) for row in rows)


def _not_found(id: str) -> NotFound:
    return NotFound(
        Sentence(
            f"Không có gói {id} trong khu cách ly: «tangthu quarantine list» liệt kê các gói.",
            f"There is no package {id} in quarantine: “tangthu quarantine list” lists them.",
        )
    )
