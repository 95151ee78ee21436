"""The commit protocol: stage → complete on every replica → read back → one transaction → receipt (DESIGN §2, §4).

Three steps, each repeatable, so that a worker that dies leaves nothing that the next cannot finish:
:meth:`IngestService.examine`, :meth:`IngestService.store`, :meth:`IngestService.register`. What one process knows of a
package between the steps is a convenience; another process starts from what the stores and the catalogue hold.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace

from ingest.describe import describe
from ingest.ledger import Ledger
from ingest.one_pass import NOBODY, Nowhere
from ingest.opened import OpenPackage, watch_of
from ingest.own_disk import own_disk
from ingest.packages import Examined, examine
from ingest.place import ClaimKeeper, IngestPlace, Progress, Sleep, Stored, Submission
from ingest.quarantine import (
    QuarantineRoom,
    damaged_copy,
    name_kept,
    only_viruses,
    quarantine_id,
    receipt_of,
)
from ingest.receipt import Receipt, Verdict
from ingest.registration import recall, register
from ingest.sources import open_source
from ingest.waiting import Patience
from metadata.catalogue import Claim, ClaimLost
from metadata.catalogue.quarantine import QuarantinedPackage
from metadata.errors import AlreadyExists, Busy, NotFound, StoreUnavailable, TangThuError
from metadata.findings import Findings
from metadata.holdings import AipVersion
from metadata.identifiers import AipId, StoreId, VersionId
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation.antivirus.port import ScannerUnavailable
from storage.aip.parts import Completion, PartFanout
from storage.aip.writer import AipWriter
from storage.keys import object_key
from storage.replicas import ReplicaSet, sweep

_OWN = re.compile(r"urn:.+:uuid-(?P<aip>[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})", re.DOTALL)
"""OBJID of an AIP that an archive of this software made."""


class IngestService:
    """Takes packages in. Safe to use from several threads, each with its own job names."""

    def __init__(self, place: IngestPlace) -> None:
        self._place = place
        self._packages: dict[str, OpenPackage] = {}
        self.room = QuarantineRoom(place.quarantine or place.work.parent / "quarantine", place.catalogue, place.at)

    def receive(
        self, job: str, submission: Submission, progress: Progress = lambda *_: None, sleep: Sleep | None = None
    ) -> Receipt:
        """All three steps. Raises TemporaryError when it may be tried again; a refusal is a receipt.

        While the virus scanner is away it waits, without limit.
        """
        refused = self.examine(job, submission)
        if refused is not None:
            return refused
        stored = self.store(job, submission, progress, sleep)
        return stored if isinstance(stored, Receipt) else self.register(job, submission, stored, progress, sleep)

    def examine(self, job: str, submission: Submission) -> Receipt | None:
        """Open the package and judge it by its names, structure and metadata: a receipt when it is refused."""
        self._place.at("examine")
        opened = self._open(job, submission)
        return opened if isinstance(opened, Receipt) else None

    def store(
        self, job: str, submission: Submission, progress: Progress = lambda *_: None, sleep: Sleep | None = None
    ) -> Stored | Receipt:
        """Read every byte once into every store and read it back. A receipt when it is refused, or held already.

        While the virus scanner is away nothing is kept and nothing claimed: it waits by ``sleep`` (default: the
        place's), and begins again when the scanner is back.
        """
        patience = Patience(self._place.scanner, sleep or self._place.sleep, progress)
        try:
            while True:
                package = self._packages.get(job) or self._open(job, submission)
                if isinstance(package, Receipt):
                    return package
                if self._held(package.examined) is None:
                    patience.until_ready()
                    if self._place.identifier is not None:
                        self._place.identifier.ready()
                outcome: Stored | Receipt | None = None
                try:
                    with own_disk():
                        outcome = self._store(job, package, progress)
                except ScannerUnavailable as gone:
                    self.close(job)
                    patience.after_break(gone)
                if outcome is not None:
                    break
                self.close(job)
        except BaseException:  # a worker that is told to stop leaves no folder either; raised again
            self.close(job)
            raise
        if isinstance(outcome, Receipt):
            self.close(job)
        return outcome

    def register(
        self, job: str, submission: Submission, stored: Stored, progress: Progress = lambda *_: None,
        sleep: Sleep | None = None,
    ) -> Receipt:  # fmt: skip
        """Write the first log object, then one catalogue transaction; the receipt is what stands there in the end.

        When the claim was lost since, another may have put something else under the key: then it is stored again.
        """
        while True:
            try:
                return self._register(job, stored)
            except ClaimLost:
                self.close(job)
                again = self.store(job, submission, progress, sleep)
                if isinstance(again, Receipt):
                    return again
                stored = again

    def _register(self, job: str, stored: Stored) -> Receipt:
        place = self._place
        held = place.catalogue.holdings.version(stored.version)
        if held is None:
            package = self._packages.get(job)
            with contextlib.suppress(AlreadyExists), own_disk():
                register(place, stored, package.known() if package else None)
            held = place.catalogue.holdings.version(stored.version)
        place.at("registered")
        place.catalogue.intake.forget(stored.claim)
        if held is None or held.content.hex() != stored.receipt.content:
            raise ClaimLost(
                Sentence(
                    f"Tiến trình khác đã lưu một gói khác dưới mã {stored.receipt.objid}: hãy thử lại.",
                    f"Another worker has stored another package as {stored.receipt.objid}: try again.",
                )
            )
        self.close(job)
        return self.held_receipt(stored.version)

    def held_receipt(self, version: VersionId) -> Receipt:
        """The receipt of a package that is held. Raises NotFound."""
        text = self._place.catalogue.holdings.receipt(version)
        if text is None:
            raise NotFound(Sentence(f"Không có gói AIP {version}.", f"There is no AIP {version}."))
        return Receipt.from_json(text)

    def close(self, job: str) -> None:
        """Forget what this process has of a package: ledger, quarantine, spools."""
        package = self._packages.pop(job, None)
        if package is not None:
            package.close()

    # Opening

    def _open(self, job: str, submission: Submission) -> OpenPackage | Receipt:
        folder = self._place.work / job
        shutil.rmtree(folder, ignore_errors=True)
        with own_disk():
            folder.mkdir(parents=True)
            with contextlib.ExitStack() as undo:
                undo.callback(shutil.rmtree, folder, ignore_errors=True)
                findings = Findings()
                source = open_source(submission.path, folder / "quarantine", findings, self._place.limits)
                if source is None:
                    return Receipt.refused(findings)
                undo.callback(source.close)
                ledger = undo.enter_context(Ledger(folder / "ledger.sqlite"))
                examined = examine(
                    source,
                    ledger,
                    findings,
                    self._place.archive,
                    submission.agency,
                    submission.fonds,
                    self._place.limits,
                    self._place.catalogue.holdings.named_documents,
                )
                if examined is None or findings.refused:
                    return _refused(findings, examined)
                undo.pop_all()
        package = OpenPackage(folder, submission, source, ledger, findings, examined)
        self._packages[job] = package
        return package

    # Storing

    def _store(self, job: str, package: OpenPackage, progress: Progress) -> Stored | Receipt | None:
        """None when it is to be done again: what lay under the key is gone now, or is held after all."""
        intake = self._place.catalogue.intake
        claim = self._claim(job, package)
        if isinstance(claim, AipVersion):
            return self._compare_with_held(package, claim, progress)
        version = VersionId(package.examined.aip, 1)
        key = object_key(self._place.archive, package.examined.fonds, package.examined.code, version)
        with ClaimKeeper(self._place, claim) as lease:
            try:
                with own_disk():
                    if recall(self._place, version, key):
                        intake.forget(claim)
                        return None
                    outcome = self._keep_or_discard(package, version, key, lease, progress)
                    if isinstance(outcome, Receipt) and only_viruses(package.findings):
                        outcome = self._quarantine(job, package, lease)
            except TangThuError:
                intake.forget(claim)
                raise
        if isinstance(outcome, Receipt):
            intake.forget(claim)
        elif outcome is None:
            intake.release(claim)
        return outcome

    def _quarantine(self, job: str, package: OpenPackage, lease: ClaimKeeper) -> Receipt:
        """Keep the package as it was sent, where people decide on it. Of one that they let out more was found now."""
        submission, examined, content = package.submission, package.examined, package.ledger.content_digest()
        id = quarantine_id(examined.agency, examined.objid, content)
        seen = lease.claim.first_seen
        receipt = replace(package.receipt(VersionId(examined.aip, 1), "", lease.claim), quarantine=id)
        receipt = replace(receipt, verdict=Verdict.QUARANTINED, aip="", version=0, stores=())
        if submission.release is not None:
            return receipt
        held = QuarantinedPackage(
            id, examined.agency, examined.objid, examined.title, content, name_kept(submission.path),
            submission.agency, submission.fonds, seen, self._place.scanner.name, receipt.to_json(),
        )  # fmt: skip
        return receipt_of(
            self.room.hold(
                submission.path,
                held,
                lambda path: self._content_of(f"{job}-quarantine", replace(submission, path=path)),
                lease.keep,
            )
        )

    def _content_of(self, job: str, submission: Submission) -> bytes:
        """SHA-256 of what is in a package, as of a receipt; empty when it is refused before that."""
        package = self._open(job, submission)
        if isinstance(package, Receipt):
            return b""
        try:
            package.read(self._place, Nowhere(), NOBODY, lambda *_: None, lambda: None)
            return b"" if package.findings.refused else package.ledger.content_digest()
        finally:
            self.close(job)

    def _keep_or_discard(
        self, package: OpenPackage, version: VersionId, key: str, lease: ClaimKeeper, progress: Progress
    ) -> Stored | Receipt | None:
        try:
            with own_disk():
                outcome = self._keep(package, version, key, lease, progress)
        except TangThuError:
            with contextlib.suppress(TangThuError):  # a later holder of the claim, or the daily sweep, does the rest
                self._discard(key, lease)
            raise
        if outcome is None:
            self._discard(key, lease)
        return outcome

    def _claim(self, job: str, package: OpenPackage) -> Claim | AipVersion:
        """The claim on the package, or the version held. Waits while another worker is at it."""
        place, examined = self._place, package.examined
        while True:
            held = self._held(examined)
            if held is not None:
                return held
            try:
                claim = place.catalogue.intake.claim(examined.agency, examined.objid, job, place.clock(), place.lease)
            except Busy:
                place.sleep(min(0.5, place.lease.total_seconds() / 10))
                continue
            held = self._held(examined)
            if held is None:
                place.at("claimed")
                return claim
            place.catalogue.intake.forget(claim)

    def _held(self, examined: Examined) -> AipVersion | None:
        """What is held of this package: by the name that it was sent under, or by the AIP id made of that name.

        Or it is an AIP that this archive holds itself: given out once, it comes back.
        """
        holdings = self._place.catalogue.holdings
        held = holdings.find(examined.agency, examined.objid) or holdings.version(VersionId(examined.aip, 1))
        if held is None and (own := _OWN.fullmatch(examined.objid.value)):
            held = holdings.version(VersionId(AipId.parse(own["aip"].lower()), 1))
        return held

    def _compare_with_held(self, package: OpenPackage, held: AipVersion, progress: Progress) -> Receipt:
        """The package is held: read it all the same, and its receipt again only if it is the same."""
        package.read(self._place, Nowhere(), NOBODY, progress, lambda: None)
        if not package.findings.refused and package.ledger.content_digest() == held.content:
            return self.held_receipt(held.id)
        if not package.findings.refused:
            examined = package.examined
            sent_so = held.objid == examined.objid or held.aip == examined.aip
            code = "HELD-DIFFERENT" if sent_so else "HELD-AS-AIP"
            package.findings.add(code, examined.named_in, objid=examined.objid, aip=held.aip)
        return _refused(package.findings, package.examined)

    def _keep(
        self, package: OpenPackage, version: VersionId, key: str, lease: ClaimKeeper, progress: Progress
    ) -> Stored | Receipt | None:
        place = self._place
        chosen = place.chosen(package.examined.fonds, package.examined.dossier.access)
        sweep(place.in_use(), key)
        with (
            PartFanout(chosen.stores, key, work=package.folder) as fanout,
            AipWriter(fanout, version.root, package.folder) as writer,
        ):
            place.at("pass begun")
            package.read(place, writer, watch_of(place, lease.claim.first_seen), progress, lease.keep)
            package.say(place)
            if (release := package.submission.release) and package.ledger.content_digest() != release.package.content:
                raise damaged_copy(release.package)
            lease.confirm()
            if package.findings.refused:
                return _refused(package.findings, package.examined)
            place.at("pass done")
            making = package.making(place, version, lease.claim)
            bag_info = describe(package.examined, package.ledger, package.findings, writer, making)
            package.sealed = writer.seal(bag_info)
            lease.confirm()
            place.at("sealed")
            completions = fanout.complete()
        place.at("completed")
        if not self._read_back(package, key, chosen, completions, lease, progress):
            return None
        place.at("read back")
        receipt = package.receipt(version, key, lease.claim, chosen)
        return Stored(version, key, receipt, place.clock(), lease.claim)

    def _read_back(
        self,
        package: OpenPackage,
        key: str,
        chosen: ReplicaSet,
        completions: Mapping[StoreId, Completion],
        lease: ClaimKeeper,
        progress: Progress,
    ) -> bool:
        """Whether all match. False when one that was there before does not; raises when a new one does not."""
        assert package.sealed is not None
        size, done = package.sealed.size, 0

        def on_progress(count: int) -> None:
            nonlocal done
            done += count
            progress("read back", done, size)

        verdicts = chosen.read_back(key, package.members, on_progress)
        lease.confirm()
        bad = {store: verdict.outcome for store, verdict in verdicts.items() if verdict.outcome is not Fixity.MATCH}
        if any(outcome.damaged and completions[store] is Completion.EXISTED for store, outcome in bad.items()):
            return False
        if bad:
            names = ", ".join(store.value for store in bad)
            raise StoreUnavailable(
                Sentence(
                    f"Nơi lưu {names} trả lại khác với những gì đã ghi. Không lưu gì cả; hãy xem nơi lưu rồi gửi lại.",
                    f"Store {names} gives back other than what was written. Nothing was kept; check it and send again.",
                )
            )
        return True

    def _discard(self, key: str, lease: ClaimKeeper) -> None:
        """Under the claim, and where no log was, what lies under the key is nobody's. Raises what a store raised."""
        trouble: TangThuError | None = None
        stores = self._place.in_use()
        for store in stores:
            lease.confirm()
            try:
                store.delete(key)
            except TangThuError as error:
                trouble = error
        lease.confirm()
        sweep(stores, key)
        if trouble is not None:
            raise trouble


def _refused(findings: Findings, examined: Examined | None) -> Receipt:
    if examined is None:
        return Receipt.refused(findings)
    return Receipt.refused(findings, examined.agency.value, examined.objid.value, examined.title)
