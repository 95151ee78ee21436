"""Where packages are taken in, what is asked, and how a worker holds on to its claim."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ingest.guards import LIMITS, GuardLimits
from ingest.receipt import Receipt
from metadata.catalogue import Catalogue, Claim, ClaimLost
from metadata.errors import TangThuError
from metadata.events import Agent
from metadata.identifiers import AgencyCode, ArchiveCode, FondsCode, StoreId, VersionId
from preservation.antivirus.attached import AttachedFiles
from preservation.antivirus.memory import NoScanner
from preservation.antivirus.port import VirusScanner
from preservation.checks import Schedule
from preservation.formats.port import Inspector
from preservation.identification.port import Identifier
from preservation.signatures.port import SignatureChecker
from storage.port import Store
from storage.replicas import ReplicaSet

if TYPE_CHECKING:
    from ingest.quarantine import Release

Checkpoint = Callable[[str], None]
Choice = Callable[[FondsCode, str], Sequence[StoreId]]
"""The stores that a package of this fonds and access level goes to."""
Sleep = Callable[[float], None]
Progress = Callable[[str, int, int], None]
"""Told the step, and how many bytes of how many are done."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A package to take in. ``agency`` and ``fonds`` are what the sender did not say in it, or None.

    ``release`` is the decision by which it comes out of quarantine.
    """

    path: Path
    agency: AgencyCode | None = None
    fonds: FondsCode | None = None
    release: Release | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A package that lies, read back, in every store that its receipt names, and is not registered yet."""

    version: VersionId
    key: str
    receipt: Receipt
    stored_at: datetime
    claim: Claim


@dataclass(frozen=True, slots=True)
class IngestPlace:
    """Where packages are taken in: the archive, its catalogue and stores, its work folder, and its habits.

    ``replicas`` are all stores; ``choose`` says which of them a package of a fonds and access level goes to, ``used``
    which of them may hold anything of one, from before a crash (None: all).
    ``inspector`` and ``signatures`` look into content files when there is an ``identifier``, ``checkers`` of them at a
    time; ``attached`` has the scanner look at files in PDFs; with ``valid_signatures`` a signature that is not valid is
    a refusal (the submission agreement says so).
    Packages in quarantine lie in ``quarantine`` (default: a folder beside ``work``).
    ``period`` is after how long a replica is read again, ``schedule`` the same with the periods of stores and fonds.
    ``lease`` must be longer than a store is tried again: what a worker still asks of a store must end with its claim.
    """

    archive: ArchiveCode
    catalogue: Catalogue
    replicas: ReplicaSet
    identifier: Identifier | None
    work: Path
    agent: Agent
    clock: Callable[[], datetime]
    period: timedelta
    limits: GuardLimits = LIMITS
    scanner: VirusScanner = field(default_factory=NoScanner)
    inspector: Inspector | None = None
    signatures: SignatureChecker | None = None
    attached: AttachedFiles | None = None
    checkers: int = 1
    choose: Choice | None = None
    used: Callable[[], Sequence[StoreId]] | None = None
    valid_signatures: bool = False
    quarantine: Path | None = None
    lease: timedelta = timedelta(seconds=60)
    sleep: Sleep = time.sleep
    at: Checkpoint = field(default=lambda _: None)
    schedule: Schedule | None = None

    @property
    def looks(self) -> Schedule:
        """When replicas are looked at again."""
        return self.schedule or Schedule(self.period)

    def chosen(self, fonds: FondsCode, access: str) -> ReplicaSet:
        """The stores that such a package goes to. Raises UsageError when the replica policy cannot be satisfied."""
        return self.replicas if self.choose is None else self.replicas.of(self.choose(fonds, access))

    def in_use(self) -> tuple[Store, ...]:
        """The stores in which something of a package may lie that is not registered."""
        return self.replicas.stores if self.used is None else tuple(map(self.replicas.store, self.used()))


class ClaimKeeper:
    """The claim, renewed in the background until the context ends. A process that sleeps loses it."""

    def __init__(self, place: IngestPlace, claim: Claim) -> None:
        self.claim = claim
        self._place = place
        self._lost: ClaimLost | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="claim", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def keep(self) -> None:
        """Raises ClaimLost when it is known that another has taken the package over."""
        if self._lost is not None:
            raise self._lost

    def confirm(self) -> None:
        """Asks: raises ClaimLost when another has taken the package over, TemporaryError when nobody could say."""
        self.keep()
        self._place.catalogue.intake.renew(self.claim, self._place.clock(), self._place.lease)

    def _run(self) -> None:
        while not self._over.wait(self._place.lease.total_seconds() / 3):
            try:
                self.confirm()
            except ClaimLost as lost:
                self._lost = lost
                return
            except TangThuError:
                continue  # the catalogue may answer the next time, while the claim still lasts
