"""A package that is being taken in: what one process knows of it, the reading of it, and what is then said of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from ingest.checks_said import say_checks, say_tt05_formats
from ingest.describe import Making
from ingest.ledger import Ledger
from ingest.one_pass import Nowhere, OnePass, Watch
from ingest.packages import Examined
from ingest.place import IngestPlace, Progress, Submission
from ingest.receipt import Receipt, Verdict
from ingest.sources import Source
from metadata.catalogue import Claim
from metadata.findings import Findings
from metadata.holdings import Member
from metadata.identifiers import VersionId
from preservation.antivirus.memory import NoScanner
from preservation.antivirus.port import ScanResult
from preservation.description import Known
from preservation.examination import Examiner
from storage.aip.writer import AipWriter, Sealed
from storage.port import Store


@dataclass(slots=True)
class OpenPackage:
    """What this process knows of a package that it is taking in. ``sealed`` once its AIP is written."""

    folder: Path
    submission: Submission
    source: Source
    ledger: Ledger
    findings: Findings
    examined: Examined
    sealed: Sealed | None = None

    def close(self) -> None:
        """Let go of it, and of everything about it in the work folder."""
        self.ledger.close()
        self.source.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def read(
        self,
        place: IngestPlace,
        keeper: AipWriter | Nowhere,
        watch: Watch,
        progress: Progress,
        keep: Callable[[], None],
    ) -> None:
        """The one pass over its bytes. ``keep`` is called with each piece."""
        total, done = self.ledger.totals().bytes, 0
        half = False

        def on_progress(size: int) -> None:
            nonlocal done, half
            done += size
            keep()
            progress("read", done, total)
            if not half and done * 2 >= total:
                half = True
                place.at("pass half")

        spool = self.folder / "spool"
        spool.mkdir(exist_ok=True)
        OnePass(self.source, self.ledger, self.findings, keeper, watch, spool, on_progress).run()

    def say(self, place: IngestPlace) -> None:
        """What those who watched the pass found, as findings."""
        if isinstance(place.scanner, NoScanner):
            self.findings.add("VIRUS-NO-SCANNER", self.source.name)
        release = self.submission.release
        say_checks(self.ledger, self.findings, valid_signatures=place.valid_signatures, release=release)
        if self.examined.package_type.describes_documents:
            say_tt05_formats(self.ledger, self.findings, signatures_checked=place.signatures is not None)

    def making(self, place: IngestPlace, version: VersionId, claim: Claim) -> Making:
        """The circumstances under which its AIP is made."""
        looked, release = place.identifier is not None, self.submission.release
        return Making(
            version,
            claim.first_seen,
            place.archive,
            place.agent,
            place.identifier.name if place.identifier else "",
            self.folder,
            scanner=place.scanner.name,
            inspector=place.inspector.name if place.inspector and looked else "",
            checked=place.signatures is not None and looked,
            released=release.told() if release else "",
        )

    def receipt(self, version: VersionId, key: str, claim: Claim, stores: Iterable[Store] = ()) -> Receipt:
        """For the package taken in as ``version``, read back in ``stores``."""
        examined, totals = self.examined, self.ledger.totals()
        return Receipt(
            verdict=Verdict.ACCEPTED,
            agency=examined.agency.value,
            objid=examined.objid.value,
            title=examined.title,
            aip=str(version.aip),
            version=version.number,
            key=key,
            content=self.ledger.content_digest().hex(),
            files=totals.files,
            bytes=totals.bytes,
            first_seen=claim.first_seen,
            stores=tuple(store.id.value for store in stores),
            findings=self.findings.kept(),
            counts=tuple(sorted(self.findings.counts.items())),
        )

    def members(self) -> Iterator[Member]:
        """Every member of the sealed AIP, in the order in which it lies there."""
        assert self.sealed is not None
        declaration, *tail = self.sealed.members
        yield declaration
        yield from self.ledger.members()
        yield from tail

    def known(self) -> Known:
        """What need not be read from the stored AIP, because this process has just written and read it."""
        assert self.sealed is not None
        return Known(self.members, {member.path: member for member in self.sealed.members})


def watch_of(place: IngestPlace, seen: datetime) -> Watch:
    """Who looks at the files of a package that was first seen then."""
    if place.identifier is None:
        return Watch(None, place.scanner)
    scanner, attached = place.scanner, place.attached

    def scan_attached(pdf: BinaryIO) -> ScanResult | None:
        return attached.scan(pdf, scanner) if attached else None

    nobody = attached is None or isinstance(scanner, NoScanner)
    examiner = Examiner(
        place.identifier, place.inspector, place.signatures, seen=seen, scan_attached=None if nobody else scan_attached
    )
    return Watch(examiner, place.scanner, place.checkers)
