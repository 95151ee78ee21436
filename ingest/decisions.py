"""What people decide about packages in quarantine, and the doing of it. Every step may be repeated."""

from __future__ import annotations

from dataclasses import replace

from ingest.place import IngestPlace, Progress, Sleep
from ingest.receipt import Receipt, Verdict
from ingest.service import IngestService
from metadata.catalogue.quarantine import Decision, QuarantinedPackage, QuarantineState
from metadata.errors import Damaged


class Decisions:
    """Over one archive's quarantine. Safe to use from several threads."""

    def __init__(self, place: IngestPlace, service: IngestService) -> None:
        self._place = place
        self._service = service
        self._records = place.catalogue.quarantine

    def vote(self, id: str, person: str, decision: Decision, reason: str) -> QuarantinedPackage:
        """Note one person's word; what is decided by it is not done yet.

        Raises NotFound, UsageError without a name or reason, AlreadyExists for the same person again, or too late.
        """
        return self._records.vote(id, person, decision, reason, self._place.clock())

    def carry_out(
        self, job: str, id: str, progress: Progress = lambda *_: None, sleep: Sleep | None = None
    ) -> QuarantinedPackage:
        """Do what is decided, if it is not done; gives the package as it then stands.

        A release that is refused, or finds more than those who decided knew, makes people decide anew.
        Raises NotFound, TemporaryError when it may be tried again, Damaged when the copy is not what was sent.
        """
        package = self._records.get(id)
        if package.state is QuarantineState.RELEASING:
            self._release(job, package, progress, sleep)
        elif package.state is QuarantineState.DISCARDING:
            self._service.room.remove(package)
            self._records.discarded(id, self._place.clock())
        elif package.state.over:
            self._service.room.remove(package)  # a worker died between the record and the bytes
        return self._records.get(id)

    def _release(self, job: str, package: QuarantinedPackage, progress: Progress, sleep: Sleep | None) -> None:
        try:
            submission = self._service.room.submission_of(package)
            receipt = self._service.receive(job, submission, progress, sleep)
        except Damaged:
            self._records.hold_again(package.id, package.receipt, package.scanner)
            raise
        if receipt.verdict is Verdict.ACCEPTED:
            self._records.released(package.id, receipt.aip, self._place.clock())
            self._place.at("quarantine released")
            self._service.room.remove(package)
        else:
            self._records.hold_again(package.id, _both(package, receipt).to_json(), self._place.scanner.name)


def _both(package: QuarantinedPackage, refused: Receipt) -> Receipt:
    """What was known of a package, and what stood against its release."""
    known = Receipt.from_json(package.receipt)
    new = tuple(one for one in refused.findings if one not in known.findings)
    counts = dict(known.counts) | dict(refused.counts)
    return replace(known, findings=known.findings + new, counts=tuple(sorted(counts.items())))
