"""The tables. ``migrations/versions`` creates them; a test holds the two equal.

The key of a version is :attr:`metadata.identifiers.VersionId.row`, derived and not counted, so that a rebuilt catalogue
equals the lost one. The wide tables (member, record, event) are clustered by version and carry no second index: every
question asked of them names the version.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC; raises ValueError for a naive datetime."""
    if moment.tzinfo is None:
        raise ValueError(f"a naive datetime has no place in the catalogue: {moment!r}")
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """The inverse of :func:`to_micros`: aware UTC."""
    return _EPOCH + value * _MICROSECOND


class Moment(TypeDecorator[datetime]):
    """An aware datetime as microseconds since 1970 UTC: the same number in both databases, no zone to get wrong."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)


# Byte order on both: what sorts first must not depend on the locale a server was made with.
Words = Text().with_variant(Text(collation="C"), "postgresql")
# Only a column declared INTEGER is SQLite's own row key.
Key = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def version_column(*, primary_key: bool = True) -> Column[int]:
    return Column("version", Key, ForeignKey("aip_version.version"), primary_key=primary_key, autoincrement=False)


aip_version = Table(
    "aip_version",
    metadata,
    Column("version", Key, primary_key=True, autoincrement=False),
    Column("aip", Words, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("key", Words, nullable=False),
    Column("package_type", Words, nullable=False),
    Column("archive", Words, nullable=False),
    Column("agency", Words, nullable=False),
    Column("fonds", Words, nullable=False),
    Column("objid", Words, nullable=False),
    Column("code", Words, nullable=False),
    Column("title", Words, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("file_count", BigInteger, nullable=False),
    Column("payload_bytes", BigInteger, nullable=False),
    Column("document_count", BigInteger, nullable=False),
    Column("created", Moment, nullable=False),
    UniqueConstraint("aip", "number"),
    UniqueConstraint("agency", "objid", "number"),
    Index("ix_aip_version_newest", "created", "version"),
    Index("ix_aip_version_key", "key", "version"),
    Index("ix_aip_version_holder", "agency", "fonds", "created", "version"),
    Index("ix_aip_version_totals", "size", "file_count", "payload_bytes", "document_count"),
)

replica = Table(
    "replica",
    metadata,
    version_column(),
    Column("store", Words, primary_key=True),
    Column("outcome", Words, nullable=False),
    Column("checked", Moment),
    Column("due", Moment, nullable=False),
    Index("ix_replica_checked", "checked"),
    Index(
        "ix_replica_not_match",
        "outcome",
        "version",
        sqlite_where=text("outcome <> 'MATCH'"),
        postgresql_where=text("outcome <> 'MATCH'"),
    ),
    sqlite_with_rowid=False,
)

# Narrow, because leasing rewrites its rows and its index each time. One row a replica: stores are read at their own
# pace. ``tag`` is the store's own word for the object when it last matched.
fixity_due = Table(
    "fixity_due",
    metadata,
    version_column(),
    Column("store", Words, primary_key=True),
    Column("next_check", Moment, nullable=False),
    Column("lease_token", BigInteger, nullable=False),
    Column("leased_until", Moment),
    Column("worker", Words),
    Column("tag", Words),
    Index("ix_fixity_due_next_check", "store", "next_check", "version"),
    postgresql_with={"fillfactor": "70", "autovacuum_vacuum_scale_factor": "0.02"},
)

# No foreign keys on member and record_member: they are written by one function, in bulk, with the version itself.
member = Table(
    "member",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("path", Words, nullable=False),
    Column("role", Words, nullable=False),
    Column("header_at", BigInteger, nullable=False),
    Column("data_at", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("crc32", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("sha512", LargeBinary, nullable=False),
    Column("format", BigInteger),
    sqlite_with_rowid=False,
)

# What checks say of members; narrow, and only for those that somebody looked at.
characteristic = Table(
    "characteristic",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("validity", Words, nullable=False),
    Column("virus", Words, nullable=False),
    Column("virus_name", Words, nullable=False),
    Column("signature", Words),
    Column("signatures", BigInteger, nullable=False),
    Column("pages", BigInteger),
    Column("facts", Words, nullable=False),
    sqlite_with_rowid=False,
)

# How many members of a version came to an outcome: the overview's sums, and where to look, without reading the members.
outcome_count = Table(
    "outcome_count",
    metadata,
    Column("kind", Words, primary_key=True),
    Column("outcome", Words, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("members", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Each combination once, under a key derived from it; thirty million members share some hundreds.
file_format = Table(
    "file_format",
    metadata,
    Column("format", Key, primary_key=True, autoincrement=False),
    Column("puid", Words),
    Column("name", Words, nullable=False),
    Column("version", Words, nullable=False),
    Column("mime", Words, nullable=False),
    Column("basis", Words, nullable=False),
    Column("warning", Words, nullable=False),
)

record = Table(
    "record",
    metadata,
    version_column(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("level", Words, nullable=False),
    Column("code", Words, nullable=False),
    Column("title", Words, nullable=False),
    Column("type_name", Words, nullable=False),
    Column("notation", Words, nullable=False),
    Column("organ", Words, nullable=False),
    Column("language", Words, nullable=False),
    Column("access", Words, nullable=False),
    Column("start_text", Words, nullable=False),
    Column("start_iso", Words),
    Column("end_text", Words, nullable=False),
    Column("end_iso", Words),
    Column("pages", BigInteger),
    Column("keywords", Words, nullable=False),
    Column("fields", Words, nullable=False),
)

record_member = Table(
    "record_member",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("record", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("member", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

event = Table(
    "event",
    metadata,
    version_column(),
    Column("ordinal", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Words, nullable=False),
    Column("type", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("detail", Words, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("note", Words, nullable=False),
    Column("agent_id", Words, nullable=False),
    Column("agent_name", Words, nullable=False),
    Column("store", Words),
    Column("links", Words, nullable=False, server_default=""),
)

log_head = Table(
    "log_head",
    metadata,
    version_column(),
    Column("number", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
)

receipt = Table(
    "receipt",
    metadata,
    version_column(),
    Column("document", Words, nullable=False),
)

# Work in progress: not rebuilt, not dumped.
search_outbox = Table(
    "search_outbox",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("aip", Words, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("action", Words, nullable=False),
)

intake = Table(
    "intake",
    metadata,
    Column("agency", Words, primary_key=True),
    Column("objid", Words, primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("worker", Words, nullable=False),
    Column("lease_until", Moment, nullable=False),
    Column("first_seen", Moment, nullable=False),
)

# Kept in the quarantine folder too, but for who decided what: not dumped.
quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Words, primary_key=True),
    Column("agency", Words, nullable=False),
    Column("objid", Words, nullable=False),
    Column("title", Words, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("name", Words, nullable=False),
    Column("said_agency", Words),
    Column("said_fonds", Words),
    Column("since", Moment, nullable=False),
    Column("scanner", Words, nullable=False),
    Column("receipt", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("round", BigInteger, nullable=False),
    Column("ended", Moment),
    Column("aip", Words, nullable=False),
    Index("ix_quarantine_state", "state", "since", "id"),
)

quarantine_vote = Table(
    "quarantine_vote",
    metadata,
    Column("id", Words, ForeignKey("quarantine.id"), primary_key=True),
    Column("round", BigInteger, primary_key=True, autoincrement=False),
    Column("person_key", Words, primary_key=True),
    Column("person", Words, nullable=False),
    Column("decision", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
)
