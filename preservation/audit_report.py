"""What audits come to: of one version, and of a batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from metadata.identifiers import StoreId, VersionId
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation.checks import Check


@dataclass(frozen=True, slots=True)
class VersionAudit:
    """What an audit found of one version, by replica, and when. ``shelved`` media are not connected: they were not
    looked at, and are due as they were."""

    version: VersionId
    at: datetime
    checks: tuple[Check, ...]
    shelved: tuple[StoreId, ...] = ()

    @property
    def damaged(self) -> tuple[Check, ...]:
        """The replicas that call for a repair."""
        return tuple(check for check in self.checks if check.outcome.damaged)


@dataclass(slots=True)
class AuditReport:
    """The sum of a batch. ``postponed`` versions could not be finished (lease lost, store or catalogue away).

    ``failed`` are those that somebody must look into: the stores' logs contradict each other. ``shelved`` counts the
    replicas on media that are not connected, which is neither good nor bad.
    """

    audited: int = 0
    postponed: int = 0
    bytes_read: int = 0
    shelved: int = 0
    replicas: Counter[Fixity] = field(default_factory=Counter)
    damaged: list[VersionAudit] = field(default_factory=list)
    failed: list[tuple[VersionId, Sentence]] = field(default_factory=list)

    def add(self, audit: VersionAudit) -> None:
        """Count one version in."""
        self.audited += 1
        self.shelved += len(audit.shelved)
        self.bytes_read += sum(check.bytes_read for check in audit.checks)
        self.replicas.update(check.outcome for check in audit.checks)
        if audit.damaged:
            self.damaged.append(audit)

    def include(self, other: AuditReport) -> None:
        """Count another batch in."""
        self.audited += other.audited
        self.postponed += other.postponed
        self.shelved += other.shelved
        self.bytes_read += other.bytes_read
        self.replicas.update(other.replicas)
        self.damaged += other.damaged
        self.failed += other.failed
