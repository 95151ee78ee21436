"""The rows of alerts: what people are to be told, until it has reached them.

Whoever sends takes all that is due on a channel first: until the moment that names the batch nobody else does. A sender
that dies in between has sent it or not, so that afterwards it may be told twice, and never not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from metadata.alerts import Alert, Batch, Channel
from metadata.canonical import canonical
from metadata.catalogue.database import Database
from metadata.catalogue.rows import Found
from metadata.catalogue.schema_keeping import alert


class Alerts:
    """One row for each alert and channel."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def queue(self, incident: str, document: Mapping[str, Any], at: datetime) -> None:
        """People are to be told what ``document`` says, by every channel, as soon as may be."""
        with self._database.write() as connection:
            add_alert(connection, incident, document, at)

    def queue_once(self, incident: str, document: Mapping[str, Any], at: datetime) -> bool:
        """The same, unless an alert with that ``incident`` is there; whether it was not."""
        with self._database.write() as connection:
            if connection.scalar(select(alert.c.id).where(alert.c.incident == incident).limit(1)) is not None:
                return False
            add_alert(connection, incident, document, at)
        return True

    def take(self, channel: Channel, now: datetime, lease: timedelta, limit: int) -> Batch | None:
        """Everything due on a channel, for us alone for ``lease``; its first ``limit`` alerts. None: nothing is due."""
        until = now + lease
        mine = (alert.c.channel == channel.value, alert.c.sent.is_(None), alert.c.next_try == until)
        with self._database.write() as connection:
            due = (alert.c.channel == channel.value, alert.c.sent.is_(None), alert.c.next_try <= now)
            taken = update(alert).where(*due).values(next_try=until, tries=alert.c.tries + 1)
            count = connection.execute(taken).rowcount
            if not count:
                return None
            tries = connection.scalar(select(func.max(alert.c.tries)).where(*mine)) or 1
            rows = connection.execute(select(alert).where(*mine).order_by(alert.c.id).limit(limit)).all()
        return Batch(channel, tuple(map(_read, rows)), count, tries, until)

    def sent(self, batch: Batch, at: datetime) -> int:
        """It has reached people; how many alerts that was. Nothing when another took the batch in the meantime."""
        return self._end(batch, sent=at, trouble="")

    def failed(self, batch: Batch, next_try: datetime, trouble: str) -> int:
        """It has not reached anybody, and why; all of it is tried again at ``next_try``."""
        return self._end(batch, next_try=next_try, trouble=trouble[:1000])

    def last_sent(self, channel: Channel) -> datetime | None:
        """When the last message went out on a channel."""
        query = select(func.max(alert.c.sent)).where(alert.c.channel == channel.value)
        with self._database.read() as connection:
            last: datetime | None = connection.scalar(query)
        return last

    def listed(self, *, waiting: bool = False, limit: int = 100, before: int | None = None) -> list[Alert]:
        """The newest first, older than the one with the id ``before``; or only those that have reached nobody yet."""
        query = select(alert).order_by(alert.c.id.desc()).limit(limit)
        if waiting:
            query = query.where(alert.c.sent.is_(None))
        if before is not None:
            query = query.where(alert.c.id < before)
        with self._database.read() as connection:
            return [_read(row) for row in connection.execute(query)]

    def waiting(self) -> Mapping[Channel, int]:
        """How many have reached nobody yet, by channel."""
        query = select(alert.c.channel, func.count()).where(alert.c.sent.is_(None)).group_by(alert.c.channel)
        with self._database.read() as connection:
            found = {row[0]: int(row[1]) for row in connection.execute(query)}
        return {channel: found.get(channel.value, 0) for channel in Channel}

    def forget(self, before: datetime, unused: tuple[Channel, ...] = ()) -> int:
        """Drop what was sent before that moment, and what is older on channels that nobody set up; how many rows."""
        old = delete(alert).where(alert.c.sent < before)
        never = delete(alert).where(
            alert.c.sent.is_(None), alert.c.at < before, alert.c.channel.in_([one.value for one in unused])
        )
        with self._database.write() as connection:
            return connection.execute(old).rowcount + connection.execute(never).rowcount

    def _end(self, batch: Batch, **values: object) -> int:
        mine = (alert.c.channel == batch.channel.value, alert.c.sent.is_(None), alert.c.next_try == batch.until)
        with self._database.write() as connection:
            return connection.execute(update(alert).where(*mine).values(values)).rowcount


def add_alert(connection: Connection, incident: str, document: Mapping[str, Any], at: datetime) -> None:
    """Queue an alert within a transaction of the caller's."""
    row = {"at": at, "incident": incident, "document": canonical(document), "tries": 0, "next_try": at, "trouble": ""}
    connection.execute(insert(alert), [row | {"channel": channel.value} for channel in Channel])


def _read(row: Found) -> Alert:
    return Alert(
        row.id, Channel(row.channel), row.at, row.incident, json.loads(row.document), row.tries, row.next_try,
        row.sent, row.trouble,
    )  # fmt: skip
