"""Word to people that something happened: what is told, by which channel, and whether it has reached them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from metadata.text import Sentence


class Channel(StrEnum):
    """How word is sent. Each alert goes by every channel that is set up, and each keeps its own account of it."""

    MAIL = "mail"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert on one channel. ``incident`` is the id of what it is about, empty when it is about none.

    ``tries`` counts attempts; ``next_try`` is when the next is due; ``trouble`` is why the last one failed.
    """

    id: int
    channel: Channel
    at: datetime
    incident: str
    document: Mapping[str, Any]
    tries: int
    next_try: datetime
    sent: datetime | None
    trouble: str

    @property
    def told(self) -> Sentence:
        """What it says, whoever wrote its document."""
        told = self.document.get("told", self.document)
        if not isinstance(told, Mapping):
            told = {}
        return Sentence(str(told.get("vi", "")), str(told.get("en", "")))


@dataclass(frozen=True, slots=True)
class Batch:
    """What one message is to tell. ``alerts`` are the first, ``count`` is all of them, ``tries`` how often the one
    that failed most was tried, this time included. ``until`` is when others may take it; it names the batch."""

    channel: Channel
    alerts: tuple[Alert, ...]
    count: int
    tries: int
    until: datetime
