"""Packages in quarantine, and who decided what about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "quarantine",
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("agency", _WORDS, nullable=False),
        sa.Column("objid", _WORDS, nullable=False),
        sa.Column("title", _WORDS, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("said_agency", _WORDS),
        sa.Column("said_fonds", _WORDS),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("scanner", _WORDS, nullable=False),
        sa.Column("receipt", _WORDS, nullable=False),
        sa.Column("state", _WORDS, nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger()),
        sa.Column("aip", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
    )
    op.create_index("ix_quarantine_state", "quarantine", ["state", "since", "id"])
    op.create_table(
        "quarantine_vote",
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("person_key", _WORDS, nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("decision", _WORDS, nullable=False),
        sa.Column("reason", _WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["quarantine.id"], name="fk_quarantine_vote_id"),
        sa.PrimaryKeyConstraint("id", "round", "person_key", name="pk_quarantine_vote"),
    )
