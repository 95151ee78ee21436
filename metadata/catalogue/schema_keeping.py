"""The tables of keeping for ever: journal, places, stores, incidents, audits, coverage, strangers, alerts."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, LargeBinary, Table, UniqueConstraint, text

from metadata.catalogue.schema import Key, Moment, Words, metadata, version_column

# What the archive did as a whole. The same entries lie in the stores; these rows are for asking.
journal = Table(
    "journal",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Words, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("act", Words, nullable=False),
    Column("person", Words, nullable=False),
    Column("agent_id", Words, nullable=False),
    Column("agent_name", Words, nullable=False),
    Column("document", Words, nullable=False),
    UniqueConstraint("id"),
    Index("ix_journal_kind", "kind", "number"),
    Index("ix_journal_subject", "subject", "number"),
)

# Where each version lies, as one word: few sets of stores, and each set's versions by its index.
placement = Table(
    "placement",
    metadata,
    version_column(),
    Column("fonds", Words, nullable=False),
    Column("access", Words, nullable=False),
    Column("stores", Words, nullable=False),
    Index("ix_placement_stores", "fonds", "access", "stores", "version"),
)

store_record = Table(
    "store_record",
    metadata,
    Column("store", Words, primary_key=True),
    Column("state", Words, nullable=False),
    Column("since", Moment, nullable=False),
    Column("probe", Words, nullable=False, server_default=""),
)

incident = Table(
    "incident",
    metadata,
    Column("id", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("opened", Moment, nullable=False),
    Column("vi", Words, nullable=False),
    Column("en", Words, nullable=False),
    Column("version", Words, nullable=False),
    Column("store", Words, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("mended", Moment),
    Column("closed", Moment),
    Column("cause", Words, nullable=False),
    Column("handling", Words, nullable=False),
    Column("person", Words, nullable=False),
    Column("facts", Words, nullable=False),
    Index("ix_incident_state", "state", "opened", "id"),
    Index("ix_incident_opened", "opened", "id"),
    Index("ix_incident_version", "version", "state"),
    Index("ix_incident_subject", "kind", "subject", "state"),
    # Whoever meets the same thing at the same time finds the one that is there.
    Index(
        "ix_incident_current",
        "kind",
        "subject",
        unique=True,
        sqlite_where=text("state <> 'closed'"),
        postgresql_where=text("state <> 'closed'"),
    ),
)

# When a store last answered, and since when it says that it is full: what is away for too long is an incident.
store_contact = Table(
    "store_contact",
    metadata,
    Column("store", Words, primary_key=True),
    Column("answered", Moment, nullable=False),
    Column("asked", Moment, nullable=False),
    Column("full", Moment),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("store", Words, nullable=False),
    Column("fonds", Words),
    Column("share", Float, nullable=False),
    Column("state", Words, nullable=False),
    Column("standing", Boolean, nullable=False),
    Column("begun", Moment, nullable=False),
    Column("touched", Moment, nullable=False),
    Column("ended", Moment),
    Column("limit", BigInteger),
    Column("replicas", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("done_bytes", BigInteger, nullable=False),
    Column("damaged", BigInteger, nullable=False),
    Column("unread", BigInteger, nullable=False),
    Column("place", Words, nullable=False),
    Column("person", Words, nullable=False),
    Index("ix_audit_state", "state", "store", "begun"),
)

# How much of each fonds in each store was last read whole on which day: kept with every look, so that the picture of
# the holdings costs nothing. Day is counted from 1970 UTC; -1 means never.
coverage = Table(
    "coverage",
    metadata,
    Column("store", Words, primary_key=True),
    Column("fonds", Words, primary_key=True),
    Column("day", BigInteger, primary_key=True, autoincrement=False),
    Column("replicas", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Sums over all that is held, moved with what they count: content files by format, bytes by the day they were received.
held_sum = Table(
    "held_sum",
    metadata,
    Column("kind", Words, primary_key=True),
    Column("name", Words, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What reconciliation met in a store and the catalogue does not know.
stranger = Table(
    "stranger",
    metadata,
    Column("store", Words, primary_key=True),
    Column("key", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("modified", Moment, nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("state", Words, nullable=False),
    Column("round", BigInteger, nullable=False),
    Column("ended", Moment),
    Column("digest", LargeBinary),
    Index("ix_stranger_state", "state", "store", "first_seen", "key"),
)

stranger_vote = Table(
    "stranger_vote",
    metadata,
    Column("store", Words, primary_key=True),
    Column("key", Words, primary_key=True),
    Column("round", BigInteger, primary_key=True, autoincrement=False),
    Column("person_key", Words, primary_key=True),
    Column("person", Words, nullable=False),
    Column("decision", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
)

# Word to people that something happened, on each channel, until it is sent.
alert = Table(
    "alert",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("channel", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("incident", Words, nullable=False),
    Column("document", Words, nullable=False),
    Column("tries", BigInteger, nullable=False),
    Column("next_try", Moment, nullable=False),
    Column("sent", Moment),
    Column("trouble", Words, nullable=False),
    Index("ix_alert_next_try", "channel", "sent", "next_try"),
    Index("ix_alert_incident", "incident"),
)
