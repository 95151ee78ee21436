"""What keeping for ever needs: the archive's journal, its stores, incidents, audits, coverage, strangers, alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "journal",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", _WORDS, nullable=False),
        sa.Column("subject", _WORDS, nullable=False),
        sa.Column("act", _WORDS, nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("agent_id", _WORDS, nullable=False),
        sa.Column("agent_name", _WORDS, nullable=False),
        sa.Column("document", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_journal"),
        sa.UniqueConstraint("id", name="uq_journal_id"),
    )
    op.create_index("ix_journal_kind", "journal", ["kind", "number"])
    op.create_index("ix_journal_subject", "journal", ["subject", "number"])
    op.create_table(
        "store_record",
        sa.Column("store", _WORDS, nullable=False),
        sa.Column("state", _WORDS, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("probe", _WORDS, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("store", name="pk_store_record"),
    )
    op.create_table(
        "incident",
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("kind", _WORDS, nullable=False),
        sa.Column("subject", _WORDS, nullable=False),
        sa.Column("state", _WORDS, nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("vi", _WORDS, nullable=False),
        sa.Column("en", _WORDS, nullable=False),
        sa.Column("version", _WORDS, nullable=False),
        sa.Column("store", _WORDS, nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("mended", sa.BigInteger()),
        sa.Column("closed", sa.BigInteger()),
        sa.Column("cause", _WORDS, nullable=False),
        sa.Column("handling", _WORDS, nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("facts", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
    )
    op.create_index("ix_incident_state", "incident", ["state", "opened", "id"])
    op.create_index("ix_incident_subject", "incident", ["kind", "subject", "state"])
    op.create_table(
        "audit",
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("kind", _WORDS, nullable=False),
        sa.Column("store", _WORDS, nullable=False),
        sa.Column("fonds", _WORDS),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("state", _WORDS, nullable=False),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.Column("begun", sa.BigInteger(), nullable=False),
        sa.Column("touched", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger()),
        sa.Column("limit", sa.BigInteger()),
        sa.Column("replicas", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("done_bytes", sa.BigInteger(), nullable=False),
        sa.Column("damaged", sa.BigInteger(), nullable=False),
        sa.Column("unread", sa.BigInteger(), nullable=False),
        sa.Column("place", _WORDS, nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_state", "audit", ["state", "store", "begun"])
    op.create_table(
        "coverage",
        sa.Column("store", _WORDS, nullable=False),
        sa.Column("fonds", _WORDS, nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("replicas", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("store", "fonds", "day", name="pk_coverage"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stranger",
        sa.Column("store", _WORDS, nullable=False),
        sa.Column("key", _WORDS, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("state", _WORDS, nullable=False),
        sa.Column("told", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("store", "key", name="pk_stranger"),
    )
    op.create_index("ix_stranger_state", "stranger", ["state", "first_seen"])
    op.create_table(
        "stranger_vote",
        sa.Column("store", _WORDS, nullable=False),
        sa.Column("key", _WORDS, nullable=False),
        sa.Column("person_key", _WORDS, nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("decision", _WORDS, nullable=False),
        sa.Column("reason", _WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("store", "key", "person_key", name="pk_stranger_vote"),
    )
    op.create_table(
        "alert",
        sa.Column("id", _KEY, nullable=False, autoincrement=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("incident", _WORDS, nullable=False),
        sa.Column("document", _WORDS, nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("next_try", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    op.create_index("ix_alert_next_try", "alert", ["sent", "next_try"])
