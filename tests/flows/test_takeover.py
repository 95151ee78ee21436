"""Workers that lose their claim, stores that cannot be looked at, a catalogue that has forgotten: no AIP is lost."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.place import ClaimKeeper, Submission
from ingest.receipt import Receipt, Verdict
from ingest.service import IngestService
from metadata.catalogue import Catalogue, ClaimLost
from metadata.errors import StoreUnavailable
from metadata.identifiers import AgencyCode, AipId, ObjId, StoreId, VersionId
from metadata.outcomes import Fixity
from storage.aip.verify import verify_object
from storage.port import Store
from storage.stores.memory import MemoryStore
from storage.wrappers import Call, Fault, FaultStore
from tests.builders.archive import SmallArchive, small_archive
from tests.builders.tt05 import documents, sip_hoso

HOUR = timedelta(hours=1)


class Switch:
    """A plan of faults that is told what fails, and for which keys."""

    def __init__(self) -> None:
        self.operations: frozenset[str] = frozenset()

    def __call__(self, call: Call) -> Fault | None:
        return Fault.BEFORE if call.operation in self.operations and call.key.endswith(".zip") else None

    def fail(self, *operations: str) -> None:
        self.operations = frozenset(operations)


def whole(archive: SmallArchive, receipt: Receipt) -> list[Fixity]:
    version = VersionId(AipId.parse(receipt.aip), receipt.version)
    members = archive.catalogue.holdings.members
    return [verify_object(store, receipt.key, members(version)).outcome for store in archive.stores]


def test_an_object_that_cannot_be_looked_at_is_not_taken_for_a_bad_one(tmp_path: Path) -> None:
    """It was there before, and its store does not answer: try again later, and keep nothing of this try going."""
    source, switch = sip_hoso(tmp_path / "sent"), Switch()
    stores: list[Store] = [MemoryStore(StoreId("a")), FaultStore(MemoryStore(StoreId("b")), switch)]
    with small_archive(tmp_path / "archive", stores=stores) as archive:
        assert not isinstance(archive.service.store("first", Submission(source)), Receipt)
        archive.service.close("first")
        archive.clock.now += HOUR
        switch.fail("open", "delete")
        with pytest.raises(StoreUnavailable):
            archive.service.store("second", Submission(source))
        switch.fail()
        receipt = archive.receive(source)
        assert (receipt.verdict, whole(archive, receipt)) == (Verdict.ACCEPTED, [Fixity.MATCH] * 2)
        assert archive.leftovers() == []


def test_an_object_in_the_way_that_cannot_be_removed_is_no_reason_to_go_on_for_ever(tmp_path: Path) -> None:
    source, switch = sip_hoso(tmp_path / "sent"), Switch()
    with small_archive(tmp_path / "elsewhere") as elsewhere:
        key = elsewhere.receive(source).key
    stores: list[Store] = [MemoryStore(StoreId("a")), FaultStore(MemoryStore(StoreId("b")), switch)]
    with small_archive(tmp_path / "archive", stores=stores) as archive:
        stores[1].put(key, b"left by a worker that died before an upgrade")
        switch.fail("delete")
        with pytest.raises(StoreUnavailable):
            archive.receive(source)
        switch.fail()
        assert archive.receive(source).verdict is Verdict.ACCEPTED
        assert archive.leftovers() == []


def test_what_a_forgetful_catalogue_does_not_know_is_not_deleted(tmp_path: Path) -> None:
    """The catalogue is lost. Another package of the same OBJID comes before the rebuild: the AIP held stays."""
    one, two = sip_hoso(tmp_path / "one"), sip_hoso(tmp_path / "two", contents=documents(3))
    with small_archive(tmp_path / "archive") as archive:
        first = archive.receive(one)
        before = [archive.object(first, store) for store in (0, 1)]
    for path in (tmp_path / "archive").glob("catalogue.sqlite*"):
        path.unlink()
    with small_archive(tmp_path / "archive") as archive:
        archive.clock.now += HOUR
        other = archive.receive(two)
        assert "HELD-DIFFERENT" in dict(other.counts)
        assert [archive.object(first, store) for store in (0, 1)] == before
        assert archive.receive(one) == first
        assert whole(archive, first) == [Fixity.MATCH] * 2
        assert archive.leftovers() == []


def test_a_lost_catalogue_and_a_store_that_fails_delete_nothing(tmp_path: Path) -> None:
    source, switch = sip_hoso(tmp_path / "sent"), Switch()
    stores: list[Store] = [MemoryStore(StoreId("a")), FaultStore(MemoryStore(StoreId("b")), switch)]
    with small_archive(tmp_path / "archive", stores=stores) as archive:
        first = archive.receive(source)
    shutil.rmtree(tmp_path / "archive")
    with small_archive(tmp_path / "archive", stores=stores) as archive:
        archive.clock.now += HOUR
        switch.fail("open", "put", "complete", "head", "list")
        with pytest.raises(StoreUnavailable):
            archive.receive(source)
        switch.fail()
        assert archive.receive(source) == first
        assert whole(archive, first) == [Fixity.MATCH] * 2


def taken_over(archive: SmallArchive, between: Callable[[IngestService], None], source: Path) -> Receipt:
    """A worker that has stored the package sleeps over its claim; ``between`` happens; then it goes on."""
    sleeper, submission = IngestService(archive.place), Submission(source)
    stored = sleeper.store("sleeper", submission)
    assert not isinstance(stored, Receipt)
    archive.clock.now += HOUR
    between(IngestService(archive.place))
    return sleeper.register("sleeper", submission, stored)


def test_a_worker_that_slept_does_not_register_what_another_has_removed(tmp_path: Path) -> None:
    source, switch = sip_hoso(tmp_path / "sent"), Switch()
    stores: list[Store] = [MemoryStore(StoreId("a")), FaultStore(MemoryStore(StoreId("b")), switch)]
    with small_archive(tmp_path / "archive", stores=stores) as archive:

        def fails(other: IngestService) -> None:
            switch.fail("open")
            with pytest.raises(StoreUnavailable):
                other.receive("other", Submission(source))
            switch.fail()
            assert archive.keys() == [[], []]

        receipt = taken_over(archive, fails, source)
        assert (receipt.verdict, whole(archive, receipt)) == (Verdict.ACCEPTED, [Fixity.MATCH] * 2)
        assert archive.leftovers() == []


def test_a_worker_that_slept_gets_no_receipt_for_the_package_of_another(tmp_path: Path) -> None:
    one, two = sip_hoso(tmp_path / "one"), sip_hoso(tmp_path / "two", contents=documents(3))
    with small_archive(tmp_path / "archive") as archive:
        accepted: list[Receipt] = []
        receipt = taken_over(archive, lambda other: accepted.append(other.receive("other", Submission(two))), one)
        assert [other.verdict for other in accepted] == [Verdict.ACCEPTED]
        assert "HELD-DIFFERENT" in dict(receipt.counts)
        assert whole(archive, accepted[0]) == [Fixity.MATCH] * 2
        assert archive.leftovers() == []


def test_a_worker_that_slept_removes_nothing(tmp_path: Path) -> None:
    """The second deletion of its tidying up is tried for longer than the claim lasts, and another is done by then."""
    source = sip_hoso(tmp_path / "sent")
    accepted: list[Receipt] = []
    asleep = threading.Event()

    def plan(call: Call) -> Fault | None:
        if call.operation == "delete" and not asleep.is_set():
            asleep.set()
            archive.clock.now += HOUR
            accepted.append(IngestService(archive.place).receive("other", Submission(source)))
        return Fault.BEFORE if call.operation == "open" and not asleep.is_set() else None

    stores: list[Store] = [FaultStore(MemoryStore(StoreId("a")), plan), MemoryStore(StoreId("b"))]
    with small_archive(tmp_path / "archive", stores=stores) as archive:
        with pytest.raises(StoreUnavailable):
            archive.receive(source)
        # The deletion that was under way when it fell asleep cannot be called back; every other one can.
        assert [one.verdict for one in accepted] == [Verdict.ACCEPTED]
        assert whole(archive, accepted[0]) == [Fixity.MISSING, Fixity.MATCH]


def test_a_worker_that_slept_refuses_nothing(tmp_path: Path) -> None:
    source = sip_hoso(tmp_path / "sent")
    data = source / "representations" / "rep1" / "data" / "File2.pdf"

    def at(step: str) -> None:
        if step == "pass half" and archive.clock.now.hour < 2:
            archive.clock.now += HOUR
            archive.catalogue.intake.claim(*claimant, "other", archive.clock(), timedelta(seconds=1))

    with small_archive(tmp_path / "elsewhere") as elsewhere:
        receipt = elsewhere.receive(source)
        claimant = AgencyCode(receipt.agency), ObjId(receipt.objid)
    data.write_bytes(data.read_bytes()[::-1])
    with small_archive(tmp_path / "archive", at=at) as archive:
        with pytest.raises(ClaimLost):
            archive.receive(source)
        archive.clock.now += HOUR
        assert archive.receive(source).verdict is Verdict.REFUSED


def test_a_claim_is_kept_while_nothing_can_be_told_of_the_work(tmp_path: Path) -> None:
    with small_archive(tmp_path / "archive", lease=timedelta(seconds=0.03)) as archive:
        intake, renewed = archive.catalogue.intake, threading.Event()
        claim = intake.claim(AgencyCode("H20"), ObjId("x"), "w", archive.clock(), timedelta(seconds=0.03))
        until = intake.open()[0].lease_until
        with ClaimKeeper(archive.place, claim) as lease:
            while intake.open()[0].lease_until == until:
                renewed.wait(0.005)
            lease.keep()
            intake.forget(claim)
            with pytest.raises(ClaimLost):
                while True:
                    renewed.wait(0.005)
                    lease.keep()


def test_registering_ends_the_claim_in_the_same_transaction(tmp_path: Path) -> None:
    source = sip_hoso(tmp_path / "sent")
    seen: list[int] = []

    def at(step: str) -> None:
        if step == "registered":
            with Catalogue(f"sqlite:///{tmp_path / 'archive' / 'catalogue.sqlite'}") as catalogue:
                seen.append(len(catalogue.intake.open()))

    with small_archive(tmp_path / "archive", at=at) as archive:
        archive.receive(source)
        assert seen == [0]
