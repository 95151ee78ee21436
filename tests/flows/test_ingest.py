"""From an agency's package to a registered AIP in two stores; refusals that leave nothing."""

from __future__ import annotations

import json
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.receipt import Receipt, Verdict
from metadata.errors import NoSpace, StoreUnavailable, TemporaryError
from metadata.holdings import PackageType, Role
from metadata.identifiers import AipId, StoreId, VersionId
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation.identification.port import IdentifierUnavailable
from storage.stores.memory import MemoryStore
from tests.builders.archive import SmallArchive, judge_with_everything, small_archive
from tests.builders.bags import PAYLOAD, bag
from tests.builders.identifier import MemoryIdentifier
from tests.builders.tt05 import documents, sip_hoso


@pytest.fixture
def archive(tmp_path: Path):
    with small_archive(tmp_path / "archive") as made:
        yield made


INFO = (
    ("Source-Organization", "H20.01"),
    ("Bag-Group-Identifier", "P01"),
    ("External-Identifier", "BAG-2026-0001"),
    ("External-Description", "Tài liệu rời năm 2026"),
)


def good_bag(folder: Path, payload: Mapping[str, bytes] = PAYLOAD) -> Path:
    return bag(folder, payload, info=INFO)


def version_of(receipt: Receipt) -> VersionId:
    return VersionId(AipId.parse(receipt.aip), receipt.version)


def packed(folder: Path, kind: str) -> Path:
    """The package in another wrapping."""
    if kind == "folder":
        return folder
    target = folder.with_name(f"{folder.name}.{kind}")
    if kind == "zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    out.write(path, path.relative_to(folder.parent))
    else:
        with tarfile.open(target, "w:gz" if kind == "tar.gz" else "w") as out:
            out.add(folder, folder.name)
    return target


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz"])
@pytest.mark.parametrize("package", ["sip", "bag"])
def test_accepted_package_is_registered_and_valid_for_every_judge(
    archive: SmallArchive, tmp_path: Path, kind: str, package: str
) -> None:
    source = sip_hoso(tmp_path / "sent") if package == "sip" else good_bag(tmp_path / "sent" / "bag")
    receipt = archive.receive(packed(source, kind))
    assert receipt.verdict is Verdict.ACCEPTED, receipt.findings
    assert archive.leftovers() == []
    assert archive.object(receipt, 0) == archive.object(receipt, 1)
    root = judge_with_everything(archive.object(receipt), tmp_path)
    expected = PackageType.AIP_HOSO if package == "sip" else PackageType.PLAIN
    version = archive.catalogue.holdings.version(version_of(receipt))
    assert version is not None
    assert version.package_type is expected
    assert (root / "data" / "findings.json").is_file()
    replicas = archive.catalogue.holdings.replicas(version.id)
    assert [(replica.store.value, replica.outcome) for replica in replicas] == [
        ("a", Fixity.MATCH),
        ("b", Fixity.MATCH),
    ]
    members = list(archive.catalogue.holdings.members(version.id))
    assert len(members) == version.file_count + 6
    assert {member.role for member in members} >= {Role.CONTENT, Role.METADATA, Role.SUBMISSION, Role.TAG}
    assert all(member.format is not None for member in members if member.role is Role.CONTENT)


def test_every_byte_received_is_kept_under_its_name(archive: SmallArchive, tmp_path: Path) -> None:
    source = sip_hoso(tmp_path / "sent", documentation={"UserManual.pdf": b"%PDF-1.4 manual"})
    receipt = archive.receive(source)
    root = judge_with_everything(archive.object(receipt), tmp_path)
    (package,) = root.glob("data/urn*")
    for path in sorted(source.rglob("*")):
        if path.is_file():
            inside = path.relative_to(source)
            kept = [base / inside for base in (package, root / "data" / "submission") if (base / inside).is_file()]
            assert any(copy.read_bytes() == path.read_bytes() for copy in kept), inside


def test_same_package_again_gives_the_same_receipt_in_any_wrapping(archive: SmallArchive, tmp_path: Path) -> None:
    source = sip_hoso(tmp_path / "sent")
    first = archive.receive(source)
    keys = archive.keys()
    for kind in ("folder", "zip", "tar"):
        assert archive.receive(packed(source, kind)) == first
    assert archive.keys() == keys
    assert archive.leftovers() == []


def test_same_objid_with_other_content_is_refused(archive: SmallArchive, tmp_path: Path) -> None:
    first = archive.receive(sip_hoso(tmp_path / "one"))
    other = archive.receive(sip_hoso(tmp_path / "two", contents=documents(3)))
    assert other.verdict is Verdict.REFUSED
    assert "HELD-DIFFERENT" in dict(other.counts)
    assert archive.receive(tmp_path / "one" / Path(first.objid).name) == first
    assert archive.leftovers() == []


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_flipped_byte_is_refused_with_its_place_and_leaves_nothing(archive: SmallArchive, tmp_path: Path) -> None:
    source = sip_hoso(tmp_path / "sent")
    flip(source / "representations" / "rep1" / "data" / "File2.pdf")
    receipt = archive.receive(source)
    assert [(one.code, one.place) for one in receipt.findings if one.code.startswith("PASS")] == [
        ("PASS-CHECKSUM", "representations/rep1/data/File2.pdf")
    ]
    assert receipt.verdict is Verdict.REFUSED
    assert archive.keys() == [[], []]
    assert archive.leftovers() == []
    assert archive.catalogue.holdings.counts().aips == 0


def test_repaired_package_is_accepted_after_a_refusal(archive: SmallArchive, tmp_path: Path) -> None:
    source = sip_hoso(tmp_path / "sent")
    data = source / "representations" / "rep1" / "data" / "File1.pdf"
    good = data.read_bytes()
    flip(data)
    assert archive.receive(source).verdict is Verdict.REFUSED
    data.write_bytes(good)
    assert archive.receive(source).verdict is Verdict.ACCEPTED


def test_large_files_and_every_size_around_the_chunk(archive: SmallArchive, tmp_path: Path) -> None:
    mebi = 1 << 20
    sizes = [0, 1, mebi - 1, mebi, mebi + 1, 3 * mebi + 17, 17 * mebi]
    payload = {f"data/{size}.bin": bytes((size + i) % 251 for i in range(1000)) * (size // 1000 + 1) for size in sizes}
    payload = {name: data[: int(name[5:-4])] for name, data in payload.items()}
    receipt = archive.receive(good_bag(tmp_path / "bag", {name[5:]: data for name, data in payload.items()}))
    assert receipt.verdict is Verdict.ACCEPTED, receipt.findings
    root = judge_with_everything(archive.object(receipt), tmp_path)
    (kept,) = root.glob("data/urn*/representations/rep1/data")
    for name, data in payload.items():
        assert (kept / name[5:]).read_bytes() == data


def test_fifty_workers_with_the_same_package_make_one_aip(tmp_path: Path) -> None:
    source = sip_hoso(tmp_path / "sent")
    receipts: list[Receipt] = []
    with small_archive(tmp_path / "archive") as archive:
        object.__setattr__(archive.place, "sleep", lambda seconds: threading.Event().wait(0.01))

        def work(number: int) -> None:
            receipts.append(archive.receive(source, f"job-{number}"))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(receipts) == 50
        assert len(set(receipts)) == 1
        assert archive.catalogue.holdings.counts().aips == 1
        assert archive.leftovers() == []


class Wrapped:
    """A store that fails in one method."""

    def __init__(self, store, method: str, error: Exception) -> None:
        self._store, self._method, self._error = store, method, error
        self.active = True

    def __getattr__(self, name: str):
        if name == self._method and self.active:
            raise self._error
        return getattr(self._store, name)


@pytest.mark.parametrize("method", ["put", "begin", "put_part", "complete"])
@pytest.mark.parametrize("error", [StoreUnavailable, NoSpace])
def test_store_that_fails_leaves_nothing_and_may_be_tried_again(tmp_path: Path, method: str, error: type) -> None:
    from metadata.text import Sentence

    payload = {"big.bin": bytes(17 << 20)} if method != "put" else {"small.txt": b"x"}
    source = good_bag(tmp_path / "bag", payload)
    stores = [MemoryStore(StoreId("a")), MemoryStore(StoreId("b"))]
    failing = Wrapped(stores[1], method, error(Sentence("hỏng", "broken")))
    with small_archive(tmp_path / "archive", stores=[stores[0], failing]) as archive:
        with pytest.raises(TemporaryError):
            archive.receive(source)
        failing.active = False
        assert archive.keys() == [[], []]
        assert archive.leftovers() == []
        assert archive.catalogue.holdings.counts().aips == 0
        assert archive.receive(source).verdict is Verdict.ACCEPTED


def test_orphan_of_other_bytes_under_the_key_is_replaced(archive: SmallArchive, tmp_path: Path) -> None:
    source = sip_hoso(tmp_path / "sent")
    receipt = archive.receive(source)
    with small_archive(tmp_path / "again") as again:
        again.stores[0].put(receipt.key, b"left by a worker that died before an upgrade")
        assert again.receive(source).verdict is Verdict.ACCEPTED
        assert again.object(receipt, 0) == again.object(receipt, 1)
        assert again.leftovers() == []


def test_aip_is_the_same_byte_by_byte_for_the_same_first_moment(tmp_path: Path) -> None:
    source = sip_hoso(tmp_path / "sent")
    objects = []
    for name in ("one", "two"):
        with small_archive(tmp_path / name) as archive:
            objects.append(archive.object(archive.receive(source)))
    assert objects[0] == objects[1]


@pytest.mark.parametrize("objid", ["BAG  2026 1", "BAG\u00a01", "a:b", "%2E"])
def test_identifier_of_any_spelling_is_found_again(archive: SmallArchive, tmp_path: Path, objid: str) -> None:
    info = (*(pair for pair in INFO if pair[0] != "External-Identifier"), ("External-Identifier", objid))
    source = bag(tmp_path / "bag", {"a.txt": b"x"}, info=info)
    receipt = archive.receive(source)
    assert (receipt.verdict, receipt.objid) == (Verdict.ACCEPTED, objid)
    assert archive.receive(source) == receipt
    held = archive.catalogue.holdings.version(version_of(receipt))
    assert held is not None
    assert held.objid.value == objid


@pytest.mark.parametrize("objid", ["BAG\u20281", "BAG\u00851", "BAG\x1c1"])
def test_identifier_of_two_lines_is_refused(archive: SmallArchive, tmp_path: Path, objid: str) -> None:
    info = (*(pair for pair in INFO if pair[0] != "External-Identifier"), ("External-Identifier", objid))
    receipt = archive.receive(bag(tmp_path / "bag", {"a.txt": b"x"}, info=info))
    assert "PACKAGE-NO-OBJID" in dict(receipt.counts)
    assert archive.keys() == [[], []]


def test_receipt_is_json_and_comes_back_equal(archive: SmallArchive, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for receipt in (archive.receive(sip_hoso(tmp_path / "sent")), archive.receive(tmp_path / "empty")):
        assert Receipt.from_json(receipt.to_json()) == receipt
        assert json.loads(receipt.to_json())["format"] == "tangthu-receipt/1"


def test_steps_resume_in_another_process_without_what_the_first_one_knew(tmp_path: Path) -> None:
    """Each step by a service of its own, as after a crash between steps."""
    from ingest.place import Submission
    from ingest.service import IngestService

    source = sip_hoso(tmp_path / "sent")
    with small_archive(tmp_path / "archive") as archive:
        submission = Submission(source)
        assert IngestService(archive.place).examine("job", submission) is None
        stored = IngestService(archive.place).store("job", submission)
        assert not isinstance(stored, Receipt)
        receipt = IngestService(archive.place).register("job", submission, stored)
        assert receipt.verdict is Verdict.ACCEPTED
        assert IngestService(archive.place).register("job", submission, stored) == receipt
        shutil.rmtree(archive.folder / "work")
        (archive.folder / "work").mkdir()
        assert archive.leftovers() == []


def test_expired_claim_of_a_dead_worker_is_taken_over_with_its_first_moment(tmp_path: Path) -> None:
    source = sip_hoso(tmp_path / "sent")
    with small_archive(tmp_path / "archive", lease=timedelta(seconds=5)) as archive:
        first = archive.receive(source)
    with small_archive(tmp_path / "other", lease=timedelta(milliseconds=50)) as archive:
        seen = archive.clock.now
        archive.catalogue.intake.claim(*_claimant(first), "dead worker", seen, timedelta(milliseconds=20))
        receipt = archive.receive(source)
        assert receipt.first_seen == seen


def _claimant(receipt: Receipt):
    from metadata.identifiers import AgencyCode, ObjId

    return AgencyCode(receipt.agency), ObjId(receipt.objid)


def test_metadata_that_changes_between_the_two_readings_is_refused(archive: SmallArchive, tmp_path: Path) -> None:
    from ingest.place import Submission

    source = sip_hoso(tmp_path / "sent")
    assert archive.service.examine("job", Submission(source)) is None
    mets = source / "METS.xml"
    mets.write_bytes(mets.read_bytes().replace(b"NEW", b"OLD"))
    outcome = archive.service.store("job", Submission(source))
    assert isinstance(outcome, Receipt)
    assert [(one.code, one.place) for one in outcome.findings] == [("PASS-CHECKSUM", "METS.xml")]
    assert archive.leftovers() == []


class Away(MemoryIdentifier):
    """Cannot look at files until it is told that it can."""

    away = True

    def ready(self) -> None:
        if self.away:
            raise IdentifierUnavailable(Sentence("không xem được", "cannot look"))


def test_without_anybody_who_can_look_into_files_nothing_is_kept_and_nothing_refused(tmp_path: Path) -> None:
    """Formats that could not be looked at would be written into the AIP for good as formats that nobody knows."""
    identifier = Away()
    with small_archive(tmp_path / "archive", identifier=identifier) as archive:
        package = sip_hoso(tmp_path)
        with pytest.raises(IdentifierUnavailable):
            archive.receive(package)
        assert all(not list(store.list("")) for store in archive.stores)
        identifier.away = False
        assert archive.receive(package).verdict is Verdict.ACCEPTED
