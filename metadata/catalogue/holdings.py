"""What is held: versions, their members, their records, their replicas."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, tuple_

from metadata.catalogue.database import BATCH, Database
from metadata.catalogue.intake import Claim, strike_out
from metadata.catalogue.naming import named_documents
from metadata.catalogue.placements import note_placement
from metadata.catalogue.registration import Registration
from metadata.catalogue.rows import read_member, read_record, read_replica, read_version
from metadata.catalogue.schema import (
    aip_version,
    characteristic,
    file_format,
    member,
    outcome_count,
    receipt,
    record,
    record_member,
    replica,
)
from metadata.events import Event, LogHead
from metadata.holdings import AipVersion, Format, Member, Record, Replica
from metadata.identifiers import AgencyCode, FondsCode, ObjId, VersionId
from metadata.outcomes import Fixity, SignatureOutcome, Validity, Virus

_RECORD_BATCH = 500
_OUTCOMES = {"virus": Virus, "validity": Validity, "signature": SignatureOutcome}


@dataclass(frozen=True, slots=True)
class Counts:
    """Totals over all versions held. ``bytes`` counts payload, ``stored`` the AIP objects (one replica), in bytes."""

    aips: int
    versions: int
    documents: int
    files: int
    bytes: int
    stored: int
    replicas: Mapping[Fixity, int]


@dataclass(frozen=True, slots=True)
class CheckCounts:
    """How many files of all versions held came to each outcome: of all members the scanner's, of content files whether
    they are what their format says, of signed ones what became of their signatures."""

    virus: Mapping[Virus, int]
    validity: Mapping[Validity, int]
    signature: Mapping[SignatureOutcome, int]


@dataclass(frozen=True, slots=True)
class Holder:
    """An agency and one of its fonds, and how many versions are held of them."""

    agency: AgencyCode
    fonds: FondsCode
    versions: int


@dataclass(frozen=True, slots=True)
class Document:
    """A document with the member files that carry it, in their order."""

    record: Record
    members: tuple[Member, ...]


class Holdings:
    """What the archive holds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(
        self,
        version: AipVersion,
        members: Iterable[Member],
        records: Iterable[Record],
        replicas: Sequence[Replica],
        events: Sequence[Event],
        document: str,
        head: LogHead,
        claim: Claim | None = None,
    ) -> None:
        """Take a version in: all rows in one transaction, or none. ``document`` is the receipt (JSON).

        With ``claim`` the transaction ends it too, and raises ClaimLost when it is no longer ours: another worker may
        have put something else under the key.

        ``members`` and ``records`` are read once, as they come; what they raise is raised here and nothing is kept.
        Raises AlreadyExists when the version is held; ValueError for rows that contradict each other.
        """
        with self._database.write() as connection:
            if claim is not None:
                strike_out(connection, claim)
            registration = Registration(self._database, connection, version)
            registration.write_version()
            registration.write_members(members)
            registration.write_records(records)
            rows = registration.write_replicas(replicas)
            note_placement(self._database, connection, version.id.row)
            registration.write_life(events, document, head)
            registration.write_sums()
            rows.write_coverage()

    def find(self, agency: AgencyCode, objid: ObjId) -> AipVersion | None:
        """The latest version of the package that ``agency`` sent as ``objid``."""
        query = (
            select(aip_version)
            .where(aip_version.c.agency == agency.value, aip_version.c.objid == objid.value)
            .order_by(aip_version.c.number.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else read_version(row)

    def version(self, version: VersionId) -> AipVersion | None:
        """That version, or None."""
        with self._database.read() as connection:
            row = connection.execute(select(aip_version).where(aip_version.c.version == version.row)).first()
        return None if row is None else read_version(row)

    def versions(
        self,
        limit: int = 50,
        after: AipVersion | None = None,
        agency: AgencyCode | None = None,
        fonds: FondsCode | None = None,
    ) -> list[AipVersion]:
        """The newest first; ``after`` is the last one of the page before. A late page costs no more than the first."""
        query = select(aip_version).order_by(aip_version.c.created.desc(), aip_version.c.version.desc()).limit(limit)
        if after is not None:
            same_moment = and_(aip_version.c.created == after.created, aip_version.c.version < after.id.row)
            query = query.where(
                aip_version.c.created <= after.created, or_(aip_version.c.created < after.created, same_moment)
            )
        if agency is not None:
            query = query.where(aip_version.c.agency == agency.value)
        if fonds is not None:
            query = query.where(aip_version.c.fonds == fonds.value)
        with self._database.read() as connection:
            return [read_version(row) for row in connection.execute(query)]

    def every_version(self) -> Iterator[AipVersion]:
        """All versions by catalogue key, in short transactions."""
        last = -1
        while True:
            query = select(aip_version).where(aip_version.c.version > last).order_by(aip_version.c.version).limit(500)
            with self._database.read() as connection:
                page = [read_version(row) for row in connection.execute(query)]
            yield from page
            if not page:
                return
            last = page[-1].id.row

    def members(self, version: VersionId) -> Iterator[Member]:
        """All members by number, in short transactions: flat in memory, and no lock while the caller works."""
        last, formats = 0, dict[int, Format]()
        while True:
            query = _members(version, member.c.number > last).order_by(member.c.number).limit(BATCH)
            with self._database.read() as connection:
                page = [read_member(row, formats) for row in connection.execute(query)]
            yield from page
            if len(page) < BATCH:
                return
            last = page[-1].number

    def member(self, version: VersionId, path: str) -> Member | None:
        """The member at ``path`` (relative to the bag root). Its cost grows with the version's number of members."""
        with self._database.read() as connection:
            row = connection.execute(_members(version, member.c.path == path)).first()
        return None if row is None else read_member(row, {})

    def member_numbered(self, version: VersionId, number: int) -> Member | None:
        """The member with that number, or None."""
        with self._database.read() as connection:
            row = connection.execute(_members(version, member.c.number == number)).first()
        return None if row is None else read_member(row, {})

    def records(self, version: VersionId, first: int = 0, limit: int | None = None) -> Iterator[Record]:
        """The dossier and its documents by number, from ``first`` on, at most ``limit``, in short transactions."""
        left = limit
        while left is None or left > 0:
            size = _RECORD_BATCH if left is None else min(left, _RECORD_BATCH)
            with self._database.read() as connection:
                page = _records(connection, version, record.c.number >= first, size)
            yield from page
            if len(page) < size:
                return
            first = page[-1].number + 1
            left = None if left is None else left - len(page)

    def dossier(self, version: VersionId) -> Record | None:
        """The record of the dossier itself (number 0), or None."""
        with self._database.read() as connection:
            return next(iter(_records(connection, version, record.c.number == 0, 1)), None)

    def document(self, version: VersionId, number: int) -> Document | None:
        """One document with its members, or None."""
        with self._database.read() as connection:
            found = _records(connection, version, record.c.number == number, 1)
            if not found:
                return None
            on = (record_member.c.version == member.c.version) & (record_member.c.member == member.c.number)
            query = (
                _members(version, record_member.c.record == number)
                .join(record_member, on)
                .order_by(record_member.c.position)
            )
            return Document(found[0], tuple(read_member(row, {}) for row in connection.execute(query)))

    def documents_of(self, version: VersionId, number: int) -> tuple[int, ...]:
        """The numbers of the records that member ``number`` carries: what decides who may read it."""
        query = (
            select(record_member.c.record)
            .where(record_member.c.version == version.row, record_member.c.member == number)
            .distinct()
            .order_by(record_member.c.record)
        )
        with self._database.read() as connection:
            return tuple(connection.scalars(query))

    def named_documents(self, fonds: FondsCode, names: Iterable[str]) -> Mapping[str, tuple[VersionId, int]]:
        """Which documents of a fonds are called so, see :func:`metadata.catalogue.naming.named_documents`."""
        with self._database.read() as connection:
            return named_documents(connection, fonds, names)

    def replicas(self, version: VersionId) -> list[Replica]:
        """Its replicas by store."""
        query = select(replica).where(replica.c.version == version.row).order_by(replica.c.store)
        with self._database.read() as connection:
            return [read_replica(version, row) for row in connection.execute(query)]

    def receipt(self, version: VersionId) -> str | None:
        """The receipt (JSON) exactly as it was registered, or None."""
        with self._database.read() as connection:
            return connection.scalar(select(receipt.c.document).where(receipt.c.version == version.row))

    def counts(self) -> Counts:
        """Totals for the front page."""
        columns = aip_version.c
        totals = select(
            func.count(),
            *(func.coalesce(func.sum(one), 0) for one in (columns.document_count, columns.file_count)),
            *(func.coalesce(func.sum(one), 0) for one in (columns.payload_bytes, columns.size)),
        )
        by_outcome = select(replica.c.outcome, func.count()).group_by(replica.c.outcome)
        with self._database.read() as connection:
            versions, documents, files, payload, stored = map(int, connection.execute(totals).one())
            # Asked apart, so that each question is answered from an index alone.
            aips = connection.scalar(select(func.count(columns.aip.distinct()))) or 0
            found = {Fixity(outcome): count for outcome, count in connection.execute(by_outcome)}
        outcomes = {outcome: found.get(outcome, 0) for outcome in Fixity}
        return Counts(aips, versions, documents, files, payload, stored, outcomes)

    def check_counts(self, version: VersionId | None = None) -> CheckCounts:
        """What the checks of ingest came to, over all that is held, or in one version: read from sums of versions."""
        columns = outcome_count.c
        query = select(columns.kind, columns.outcome, func.sum(columns.members)).group_by(columns.kind, columns.outcome)
        if version is None:
            query = query.where(columns.kind.in_(tuple(_OUTCOMES)))
        else:
            known = [*((kind, one.value) for kind, outcomes in _OUTCOMES.items() for one in outcomes)]
            named = tuple_(columns.kind, columns.outcome).in_(known)
            query = query.where(named, columns.version == version.row)
        with self._database.read() as connection:
            found = {(kind, outcome): int(count) for kind, outcome, count in connection.execute(query)}
        return CheckCounts(
            {outcome: found.get(("virus", outcome.value), 0) for outcome in Virus},
            {outcome: found.get(("validity", outcome.value), 0) for outcome in Validity},
            {outcome: found.get(("signature", outcome.value), 0) for outcome in SignatureOutcome},
        )

    def holders(self) -> list[Holder]:
        """Every agency and fonds of which something is held, in code-point order."""
        columns = (aip_version.c.agency, aip_version.c.fonds)
        query = select(*columns, func.count().label("versions")).group_by(*columns).order_by(*columns)
        with self._database.read() as connection:
            return [
                Holder(AgencyCode(row.agency), FondsCode(row.fonds), row.versions) for row in connection.execute(query)
            ]


def _members(version: VersionId, *conditions: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    formats = (
        getattr(file_format.c, name).label(f"format_{name}")
        for name in ("puid", "name", "version", "mime", "basis", "warning")
    )
    found = (
        getattr(characteristic.c, name).label(f"found_{name}")
        for name in ("validity", "virus", "virus_name", "signature", "signatures", "facts")
    )
    same = (characteristic.c.version == member.c.version) & (characteristic.c.number == member.c.number)
    joined = member.outerjoin(file_format, file_format.c.format == member.c.format).outerjoin(characteristic, same)
    return select(member, *formats, *found).select_from(joined).where(member.c.version == version.row, *conditions)


def _records(connection: Connection, version: VersionId, condition: ColumnElement[bool], limit: int) -> list[Record]:
    query = select(record).where(record.c.version == version.row, condition).order_by(record.c.number).limit(limit)
    rows = connection.execute(query).all()
    if not rows:
        return []
    members: dict[int, list[int]] = defaultdict(list)
    carried = (
        select(record_member.c.record, record_member.c.member)
        .where(
            record_member.c.version == version.row,
            record_member.c.record.between(rows[0].number, rows[-1].number),
        )
        .order_by(record_member.c.record, record_member.c.position)
    )
    for number, carrier in connection.execute(carried):
        members[number].append(carrier)
    return [read_record(row, tuple(members[row.number])) for row in rows]
