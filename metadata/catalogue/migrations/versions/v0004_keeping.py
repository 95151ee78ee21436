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

_PLACEMENTS = {
    "sqlite": """
        INSERT INTO placement (version, fonds, access, stores)
        SELECT v.version, v.fonds, COALESCE(r.access, ''), (
            SELECT COALESCE(group_concat(store, ','), '')
            FROM (SELECT store FROM replica WHERE replica.version = v.version ORDER BY store)
        )
        FROM aip_version v LEFT JOIN record r ON r.version = v.version AND r.number = 0
        """,
    "postgresql": """
        INSERT INTO placement (version, fonds, access, stores)
        SELECT v.version, v.fonds, COALESCE(r.access, ''), (
            SELECT COALESCE(string_agg(store, ',' ORDER BY store), '') FROM replica WHERE replica.version = v.version
        )
        FROM aip_version v LEFT JOIN record r ON r.version = v.version AND r.number = 0
        """,
}
"""Where what is held lies already."""
_FORMATS = """
    INSERT INTO outcome_count (kind, outcome, version, members)
    SELECT 'format', coalesce(file_format.puid, ''), member.version, count(*)
    FROM member LEFT JOIN file_format ON file_format.format = member.format
    WHERE member.role = 'content' GROUP BY coalesce(file_format.puid, ''), member.version
"""
_SUMS = (
    """
    INSERT INTO held_sum (kind, name, amount)
    SELECT 'format', outcome, SUM(members) FROM outcome_count WHERE kind = 'format' GROUP BY outcome
    """,
    """
    INSERT INTO held_sum (kind, name, amount)
    SELECT 'received', CAST(created / 86400000000 AS TEXT), SUM(size)
    FROM aip_version GROUP BY CAST(created / 86400000000 AS TEXT)
    """,
)
"""How many content files of each format are held, and how many bytes came on which day."""
_COVERAGE = """
    INSERT INTO coverage (store, fonds, day, replicas, bytes)
    SELECT r.store, v.fonds, COALESCE(r.checked / 86400000000, -1), COUNT(*), SUM(v.size)
    FROM replica r JOIN aip_version v ON v.version = r.version
    GROUP BY r.store, v.fonds, COALESCE(r.checked / 86400000000, -1)
    """
"""When what is held was last read."""


def _due_by_replica() -> None:
    """What is due, by replica; leases that are held end. And the keys in their order, for comparing with a listing."""
    op.drop_table("fixity_due")
    op.create_table(
        "fixity_due",
        sa.Column("version", _KEY, nullable=False, autoincrement=False),
        sa.Column("store", _WORDS, nullable=False),
        sa.Column("next_check", sa.BigInteger(), nullable=False),
        sa.Column("lease_token", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger()),
        sa.Column("worker", _WORDS),
        sa.Column("tag", _WORDS),
        sa.ForeignKeyConstraint(["version"], ["aip_version.version"], name="fk_fixity_due_version_aip_version"),
        sa.PrimaryKeyConstraint("version", "store", name="pk_fixity_due"),
        postgresql_with={"fillfactor": "70", "autovacuum_vacuum_scale_factor": "0.02"},
    )
    op.execute(
        "INSERT INTO fixity_due (version, store, next_check, lease_token) SELECT version, store, due, 0 FROM replica"
    )
    op.create_index("ix_fixity_due_next_check", "fixity_due", ["store", "next_check", "version"])
    op.create_index("ix_aip_version_key", "aip_version", ["key", "version"])


def upgrade() -> None:
    """Create the tables."""
    _due_by_replica()
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
        "placement",
        sa.Column("version", _KEY, nullable=False, autoincrement=False),
        sa.Column("fonds", _WORDS, nullable=False),
        sa.Column("access", _WORDS, nullable=False),
        sa.Column("stores", _WORDS, nullable=False),
        sa.ForeignKeyConstraint(["version"], ["aip_version.version"], name="fk_placement_version_aip_version"),
        sa.PrimaryKeyConstraint("version", name="pk_placement"),
    )
    op.execute(_PLACEMENTS[op.get_context().dialect.name])
    op.create_index("ix_placement_stores", "placement", ["fonds", "access", "stores", "version"])
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
    op.create_index("ix_incident_opened", "incident", ["opened", "id"])
    op.create_index("ix_incident_version", "incident", ["version", "state"])
    op.create_index("ix_incident_subject", "incident", ["kind", "subject", "state"])
    op.create_index(
        "ix_incident_current",
        "incident",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("state <> 'closed'"),
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "store_contact",
        sa.Column("store", _WORDS, nullable=False),
        sa.Column("answered", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("full", sa.BigInteger()),
        sa.PrimaryKeyConstraint("store", name="pk_store_contact"),
    )
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
    op.execute(_COVERAGE)
    op.create_table(
        "held_sum",
        sa.Column("kind", _WORDS, nullable=False),
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_held_sum"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stranger",
        sa.Column("store", _WORDS, nullable=False),
        sa.Column("key", _WORDS, nullable=False),
        sa.Column("kind", _WORDS, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("state", _WORDS, nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger()),
        sa.Column("digest", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("store", "key", name="pk_stranger"),
    )
    op.create_index("ix_stranger_state", "stranger", ["state", "store", "first_seen", "key"])
    op.create_table(
        "stranger_vote",
        sa.Column("store", _WORDS, nullable=False),
        sa.Column("key", _WORDS, nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("person_key", _WORDS, nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("decision", _WORDS, nullable=False),
        sa.Column("reason", _WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("store", "key", "round", "person_key", name="pk_stranger_vote"),
    )
    op.create_table(
        "alert",
        sa.Column("id", _KEY, nullable=False, autoincrement=True),
        sa.Column("channel", _WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("incident", _WORDS, nullable=False),
        sa.Column("document", _WORDS, nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("next_try", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.BigInteger()),
        sa.Column("trouble", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    op.create_index("ix_alert_incident", "alert", ["incident"])
    op.create_index("ix_alert_next_try", "alert", ["channel", "sent", "next_try"])
    op.execute(_FORMATS)
    for statement in _SUMS:
        op.execute(statement)
