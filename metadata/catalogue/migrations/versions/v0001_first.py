"""The first tables: holdings, their life, the audit's schedule, and the work in progress."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create them."""
    _holdings()
    _contents()
    _life()
    _work()


def _holdings() -> None:
    op.create_table(
        "aip_version",
        sa.Column("version", _KEY, nullable=False, autoincrement=False),
        sa.Column("aip", _WORDS, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("key", _WORDS, nullable=False),
        sa.Column("package_type", _WORDS, nullable=False),
        sa.Column("archive", _WORDS, nullable=False),
        sa.Column("agency", _WORDS, nullable=False),
        sa.Column("fonds", _WORDS, nullable=False),
        sa.Column("objid", _WORDS, nullable=False),
        sa.Column("code", _WORDS, nullable=False),
        sa.Column("title", _WORDS, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("file_count", sa.BigInteger(), nullable=False),
        sa.Column("payload_bytes", sa.BigInteger(), nullable=False),
        sa.Column("document_count", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("aip", "number", name="uq_aip_version_aip_number"),
        sa.UniqueConstraint("agency", "objid", "number", name="uq_aip_version_agency_objid_number"),
        sa.PrimaryKeyConstraint("version", name="pk_aip_version"),
    )
    op.create_index("ix_aip_version_newest", "aip_version", ["created", "version"])
    op.create_index("ix_aip_version_holder", "aip_version", ["agency", "fonds", "created", "version"])
    op.create_index("ix_aip_version_totals", "aip_version", ["size", "file_count", "payload_bytes", "document_count"])
    op.create_table(
        "replica",
        _version("replica"),
        sa.Column("store", _WORDS, nullable=False),
        sa.Column("outcome", _WORDS, nullable=False),
        sa.Column("checked", sa.BigInteger()),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version", "store", name="pk_replica"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_replica_checked", "replica", ["checked"])
    op.create_index(
        "ix_replica_not_match",
        "replica",
        ["outcome", "version"],
        sqlite_where=sa.text("outcome <> 'MATCH'"),
        postgresql_where=sa.text("outcome <> 'MATCH'"),
    )
    op.create_table(
        "fixity_due",
        _version("fixity_due"),
        sa.Column("next_check", sa.BigInteger(), nullable=False),
        sa.Column("lease_token", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger()),
        sa.Column("worker", _WORDS),
        sa.PrimaryKeyConstraint("version", name="pk_fixity_due"),
        postgresql_with={"fillfactor": "70", "autovacuum_vacuum_scale_factor": "0.02"},
    )
    op.create_index("ix_fixity_due_next_check", "fixity_due", ["next_check", "version"])


def _contents() -> None:
    op.create_table(
        "member",
        sa.Column("version", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("path", _WORDS, nullable=False),
        sa.Column("role", _WORDS, nullable=False),
        sa.Column("header_at", sa.BigInteger(), nullable=False),
        sa.Column("data_at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("crc32", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sha512", sa.LargeBinary(), nullable=False),
        sa.Column("format", sa.BigInteger()),
        sa.PrimaryKeyConstraint("version", "number", name="pk_member"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "file_format",
        sa.Column("format", _KEY, nullable=False, autoincrement=False),
        sa.Column("puid", _WORDS),
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("version", _WORDS, nullable=False),
        sa.Column("mime", _WORDS, nullable=False),
        sa.Column("basis", _WORDS, nullable=False),
        sa.Column("warning", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("format", name="pk_file_format"),
    )
    op.create_table(
        "record",
        _version("record"),
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("level", _WORDS, nullable=False),
        sa.Column("code", _WORDS, nullable=False),
        sa.Column("title", _WORDS, nullable=False),
        sa.Column("type_name", _WORDS, nullable=False),
        sa.Column("notation", _WORDS, nullable=False),
        sa.Column("organ", _WORDS, nullable=False),
        sa.Column("language", _WORDS, nullable=False),
        sa.Column("access", _WORDS, nullable=False),
        sa.Column("start_text", _WORDS, nullable=False),
        sa.Column("start_iso", _WORDS),
        sa.Column("end_text", _WORDS, nullable=False),
        sa.Column("end_iso", _WORDS),
        sa.Column("pages", sa.BigInteger()),
        sa.Column("keywords", _WORDS, nullable=False),
        sa.Column("fields", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("version", "number", name="pk_record"),
    )
    op.create_table(
        "record_member",
        sa.Column("version", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("record", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("position", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("member", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version", "record", "position", name="pk_record_member"),
        sqlite_with_rowid=False,
    )


def _life() -> None:
    op.create_table(
        "event",
        _version("event"),
        sa.Column("ordinal", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("type", _WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("detail", _WORDS, nullable=False),
        sa.Column("outcome", _WORDS, nullable=False),
        sa.Column("note", _WORDS, nullable=False),
        sa.Column("agent_id", _WORDS, nullable=False),
        sa.Column("agent_name", _WORDS, nullable=False),
        sa.Column("store", _WORDS),
        sa.PrimaryKeyConstraint("version", "ordinal", name="pk_event"),
    )
    op.create_table(
        "log_head",
        _version("log_head"),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_log_head"),
    )
    op.create_table(
        "receipt",
        _version("receipt"),
        sa.Column("document", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_receipt"),
    )


def _work() -> None:
    op.create_table(
        "search_outbox",
        sa.Column("id", _KEY, nullable=False, autoincrement=True),
        sa.Column("aip", _WORDS, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("action", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_outbox"),
    )
    op.create_table(
        "intake",
        sa.Column("agency", _WORDS, nullable=False),
        sa.Column("objid", _WORDS, nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("worker", _WORDS, nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "objid", name="pk_intake"),
    )


def _version(table: str) -> sa.Column[int]:
    owner = sa.ForeignKey("aip_version.version", name=f"fk_{table}_version")
    return sa.Column("version", _KEY, owner, nullable=False, autoincrement=False)
