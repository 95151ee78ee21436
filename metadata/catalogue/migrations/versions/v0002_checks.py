"""What checks say of members, their sums, and what else an event is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables and the column; what is held already has nothing in them."""
    op.create_table(
        "characteristic",
        sa.Column("version", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("validity", _WORDS, nullable=False),
        sa.Column("virus", _WORDS, nullable=False),
        sa.Column("virus_name", _WORDS, nullable=False),
        sa.Column("signature", _WORDS),
        sa.Column("signatures", sa.BigInteger(), nullable=False),
        sa.Column("pages", sa.BigInteger()),
        sa.Column("facts", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("version", "number", name="pk_characteristic"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outcome_count",
        sa.Column("kind", _WORDS, nullable=False),
        sa.Column("outcome", _WORDS, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("members", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "outcome", "version", name="pk_outcome_count"),
        sqlite_with_rowid=False,
    )
    op.add_column("event", sa.Column("links", _WORDS, nullable=False, server_default=""))
