"""Packages in which a scanner finds something: kept as sent, until two different people decide."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest.decisions import Decisions
from ingest.quarantine import QuarantineRoom
from ingest.receipt import Receipt, Verdict
from metadata.catalogue.quarantine import Decision, QuarantinedPackage, QuarantineState
from metadata.errors import AlreadyExists, Damaged, NoSpace, TemporaryError
from metadata.identifiers import AgencyCode, FondsCode
from metadata.outcomes import Virus
from preservation.antivirus.clamd import ClamdScanner
from preservation.antivirus.eicar import EICAR
from preservation.antivirus.memory import MemoryScanner
from preservation.antivirus.port import Scan, ScannerUnavailable, ScanResult, VirusScanner
from storage.port import Bytes
from tests.builders.archive import SmallArchive, small_archive
from tests.builders.bags import bag
from tests.services.fake_clamd import FakeClamd

RELEASE, DISCARD = Decision.RELEASE, Decision.DISCARD
SAID = {"agency": "H20.01", "fonds": "F1"}


def infected(folder: Path, name: str = "gói", **more: bytes) -> Path:
    return bag(folder / name, {"sạch.txt": b"clean", "lạ.com": EICAR, **more}, tag_manifests=False)


def decisions(archive: SmallArchive) -> Decisions:
    return Decisions(archive.place, archive.service)


def decide(archive: SmallArchive, id: str, decision: Decision) -> QuarantinedPackage:
    """Two people decide, and it is done."""
    for person, reason in (("Nguyễn Văn A", "Tệp mẫu thử"), ("Trần Thị B", "Đã xem, đồng ý")):
        decisions(archive).vote(id, person, decision, reason)
    return decisions(archive).carry_out("decide", id)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    with small_archive(tmp_path / "archive") as made:
        yield made


def room(archive: SmallArchive) -> list[str]:
    """Every file in quarantine."""
    folder = archive.folder / "quarantine"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@contextmanager
def nothing_left(archive: SmallArchive) -> Iterator[None]:
    yield
    assert archive.leftovers() == []
    assert not list((archive.folder / "quarantine").glob(".new-*"))


def test_an_infected_package_is_kept_as_sent_and_not_taken_in(archive: SmallArchive, tmp_path: Path) -> None:
    sent = infected(tmp_path)
    with nothing_left(archive):
        receipt = archive.receive(sent, **SAID)
    assert (receipt.verdict, receipt.aip, receipt.stores) == (Verdict.QUARANTINED, "", ())
    assert dict(receipt.counts)["VIRUS-FOUND"] == 1
    assert archive.keys() == [[], []]
    held = archive.catalogue.quarantine.get(receipt.quarantine)
    assert (held.agency, held.state, held.name) == (AgencyCode("H20.01"), QuarantineState.HELD, "gói")
    assert (held.said_agency, held.said_fonds) == (AgencyCode("H20.01"), FondsCode("F1"))
    assert (held.scanner, held.content.hex()) == ("MemoryScanner 1", receipt.content)
    copy = archive.folder / "quarantine" / held.id / "submission" / "gói"
    files = {str(path.relative_to(sent)): path.read_bytes() for path in sent.rglob("*") if path.is_file()}
    assert {str(path.relative_to(copy)): path.read_bytes() for path in copy.rglob("*") if path.is_file()} == files
    for path in (archive.folder / "quarantine").rglob("*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_sent_again_in_any_wrapping_it_gets_the_same_answer(archive: SmallArchive, tmp_path: Path) -> None:
    sent = infected(tmp_path)
    first = archive.receive(sent, **SAID)
    before = room(archive)
    packed = Path(shutil.make_archive(str(tmp_path / "gói-nén"), "zip", tmp_path, "gói"))
    assert archive.receive(sent, "again", **SAID) == archive.receive(packed, "zip", **SAID) == first
    assert room(archive) == before


def test_two_people_release_it_and_the_aip_tells_all(archive: SmallArchive, tmp_path: Path) -> None:
    sent = infected(tmp_path)
    held = archive.receive(sent, **SAID)
    with nothing_left(archive):
        over = decide(archive, held.quarantine, RELEASE)
    assert over.state is QuarantineState.RELEASED
    receipt = archive.receive(sent, "again", **SAID)
    assert (receipt.verdict, receipt.aip) == (Verdict.ACCEPTED, over.aip)
    found = {one.code: one.severity.value for one in receipt.findings}
    assert found["VIRUS-FOUND"] == "warning"
    assert room(archive) == [f"{held.quarantine}/record.json"]
    events = {event.type.value: event for event in archive.catalogue.events.of(version(archive))}
    told = events["quarantine"].note
    for word in ("MemoryScanner 1", "Eicar-Test-Signature", "lạ.com", "Nguyễn Văn A", "Tệp mẫu thử", "Trần Thị B",
                 "Đã xem, đồng ý", held.quarantine):  # fmt: skip
        assert word in told, word
    assert events["virus check"].outcome == Virus.INFECTED.value
    assert "Eicar-Test-Signature" in events["virus check"].note
    assert decisions(archive).carry_out("again", held.quarantine) == over


def version(archive: SmallArchive):
    (one,) = archive.catalogue.holdings.every_version()
    return one.id


def test_one_person_alone_releases_nothing(archive: SmallArchive, tmp_path: Path) -> None:
    held = archive.receive(infected(tmp_path), **SAID)
    decisions(archive).vote(held.quarantine, "A", RELEASE, "x")
    assert decisions(archive).carry_out("job", held.quarantine).state is QuarantineState.HELD
    assert archive.keys() == [[], []]


def test_two_people_discard_it_and_a_tombstone_stays(archive: SmallArchive, tmp_path: Path) -> None:
    sent = infected(tmp_path)
    held = archive.receive(sent, **SAID)
    over = decide(archive, held.quarantine, DISCARD)
    assert (over.state, over.title, len(over.votes)) == (QuarantineState.DISCARDED, held.title, 2)
    assert room(archive) == [f"{held.quarantine}/record.json"]
    again = archive.receive(sent, "again", **SAID)
    assert again.verdict is Verdict.REFUSED
    assert {"VIRUS-FOUND", "VIRUS-DISCARDED"} <= dict(again.counts).keys()
    assert room(archive) == [f"{held.quarantine}/record.json"]
    assert archive.leftovers() == []


def test_a_clean_package_of_the_same_name_is_taken_in_meanwhile(archive: SmallArchive, tmp_path: Path) -> None:
    held = archive.receive(infected(tmp_path), **SAID)
    clean = bag(tmp_path / "sạch", {"sạch.txt": b"clean"}, tag_manifests=False)
    assert archive.receive(clean, "clean", **SAID).verdict is Verdict.ACCEPTED
    refused = decide(archive, held.quarantine, RELEASE)
    assert (refused.state, refused.votes) == (QuarantineState.HELD, ())
    assert "HELD-DIFFERENT" in dict(Receipt.from_json(refused.receipt).counts)
    assert decide(archive, held.quarantine, DISCARD).state is QuarantineState.DISCARDED


def test_a_package_that_is_bad_besides_is_refused_and_not_kept(archive: SmallArchive, tmp_path: Path) -> None:
    sent = infected(tmp_path)
    (sent / "data" / "sạch.txt").write_bytes(b"CLEAN")
    receipt = archive.receive(sent, **SAID)
    assert receipt.verdict is Verdict.REFUSED
    assert {"VIRUS-FOUND", "PASS-CHECKSUM"} <= dict(receipt.counts).keys()
    assert room(archive) == []


def test_what_could_not_be_scanned_is_quarantined_too(tmp_path: Path) -> None:
    with small_archive(tmp_path / "archive", scanner=MemoryScanner(limit=2_000_000)) as archive:
        sent = bag(tmp_path / "gói", {"lớn.bin": bytes(3_000_000)}, tag_manifests=False)
        receipt = archive.receive(sent, **SAID)
        assert receipt.verdict is Verdict.QUARANTINED
        assert dict(receipt.counts)["VIRUS-NOT-SCANNED"] == 1
        assert decide(archive, receipt.quarantine, RELEASE).state is QuarantineState.RELEASED


def test_without_a_scanner_a_package_passes_and_says_so(tmp_path: Path) -> None:
    from preservation.antivirus.memory import NoScanner

    with small_archive(tmp_path / "archive", scanner=NoScanner()) as archive:
        receipt = archive.receive(infected(tmp_path), **SAID)
        assert (receipt.verdict, dict(receipt.counts)["VIRUS-NO-SCANNER"]) == (Verdict.ACCEPTED, 1)


def test_a_scanner_that_learned_more_makes_people_decide_anew(tmp_path: Path) -> None:
    sent = infected(tmp_path, "gói", **{"khác.txt": b"other words"})
    with small_archive(tmp_path / "archive") as archive:
        held = archive.receive(sent, **SAID)
    with small_archive(tmp_path / "archive", scanner=Learned()) as archive:
        again = decide(archive, held.quarantine, RELEASE)
        assert (again.state, again.votes, again.round) == (QuarantineState.HELD, (), 2)
        assert archive.keys() == [[], []]
        assert dict(Receipt.from_json(again.receipt).counts)["VIRUS-FOUND"] == 2
        assert decide(archive, held.quarantine, RELEASE).state is QuarantineState.RELEASED


class Learned(MemoryScanner):
    """Knows one word more than EICAR."""

    name = "MemoryScanner 2"

    def begin(self, size: int) -> Scan:
        scan, seen = super().begin(size), bytearray()

        class Both:
            def write(self, data: Bytes) -> None:
                seen.extend(data)
                scan.write(data)

            def end(self) -> ScanResult:
                found = seen == b"other words"
                return ScanResult(Virus.INFECTED, "Word") if found else scan.end()

            def abandon(self) -> None:
                scan.abandon()

        return Both()


def test_a_copy_that_rotted_is_not_taken_in(archive: SmallArchive, tmp_path: Path) -> None:
    held = archive.receive(infected(tmp_path), **SAID)
    folder = archive.folder / "quarantine" / held.quarantine / "submission" / "gói"
    (folder / "data" / "extra.txt").write_bytes(b"x")
    with (folder / "manifest-sha256.txt").open("a") as manifest, (folder / "manifest-sha512.txt").open("a") as other:
        import hashlib

        manifest.write(f"{hashlib.sha256(b'x').hexdigest()}  data/extra.txt\n")
        other.write(f"{hashlib.sha512(b'x').hexdigest()}  data/extra.txt\n")
    info = (folder / "bag-info.txt").read_text()
    (folder / "bag-info.txt").write_text(info.replace("Payload-Oxum: ", "X-Was: "))
    with pytest.raises(Damaged):
        decide(archive, held.quarantine, RELEASE)
    assert archive.catalogue.quarantine.get(held.quarantine).state is QuarantineState.HELD
    assert archive.keys() == [[], []]
    shutil.rmtree(folder)
    with pytest.raises(Damaged):
        decide(archive, held.quarantine, RELEASE)
    assert decide(archive, held.quarantine, DISCARD).state is QuarantineState.DISCARDED


class Killed(BaseException):
    """The worker dies here."""


POINTS = ("quarantine copied", "quarantine renamed", "quarantined", "quarantine released", "quarantine removing")


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("decision", list(Decision))
def test_a_worker_that_dies_anywhere_leaves_nothing_half(tmp_path: Path, point: str, decision: Decision) -> None:
    deaths = 0

    def at(where: str) -> None:
        nonlocal deaths
        if where == point and deaths < 2:
            deaths += 1
            raise Killed

    sent = infected(tmp_path)
    with small_archive(tmp_path / "archive", at=at) as archive:

        def surviving(act):
            while True:
                try:
                    return act()
                except Killed:
                    archive.clock.now += archive.place.lease * 2

        receipt = surviving(lambda: archive.receive(sent, **SAID))
        assert receipt.verdict is Verdict.QUARANTINED
        for person in ("A", "B"):
            decisions(archive).vote(receipt.quarantine, person, decision, "x")
        over = surviving(lambda: decisions(archive).carry_out("job", receipt.quarantine))
        assert over.state.over
        assert room(archive) == [f"{over.id}/record.json"]
        assert len(list(archive.catalogue.holdings.every_version())) == (decision is RELEASE)
        assert archive.leftovers() == []


def test_what_a_killed_worker_copied_is_swept_and_what_is_lost_is_noted_again(
    archive: SmallArchive, tmp_path: Path
) -> None:
    held = archive.receive(infected(tmp_path), **SAID)
    folder = archive.folder / "quarantine"
    shutil.copytree(folder / held.quarantine, folder / f".new-{held.quarantine}-00000000")
    assert archive.service.room.sweep(0) == 0
    assert archive.service.room.sweep(2**40) == 1
    with small_archive(tmp_path / "other") as other:
        shutil.copytree(folder, other.folder / "quarantine")
        assert QuarantineRoom(other.folder / "quarantine", other.catalogue).restore() == 1
        assert other.catalogue.quarantine.get(held.quarantine) == archive.catalogue.quarantine.get(held.quarantine)
        assert other.service.room.restore() == 0


def test_the_record_in_the_folder_tells_what_was_found(archive: SmallArchive, tmp_path: Path) -> None:
    held = archive.receive(infected(tmp_path), **SAID)
    record = json.loads((archive.folder / "quarantine" / held.quarantine / "record.json").read_text())
    assert (record["scanner"], record["agency"], Receipt.from_json(record["receipt"])) == (
        "MemoryScanner 1", "H20.01", held,
    )  # fmt: skip


# Waiting for the scanner


@dataclass
class Flaky(MemoryScanner):
    """Is away as ``plan`` says, one word for each time somebody asks whether it is ready: ``away``, ``breaks``."""

    plan: list[str]
    asked: list[str] = field(default_factory=list)
    breaking: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def ready(self) -> None:
        word = self.plan.pop(0) if self.plan else "good"
        self.asked.append(word)
        self.breaking = word == "breaks"
        if word == "away":
            raise gone()

    def begin(self, size: int) -> Scan:
        if self.breaking and size > 100:
            raise gone()
        return super().begin(size)


def gone() -> ScannerUnavailable:
    from metadata.text import Sentence

    return ScannerUnavailable(Sentence("Máy quét vắng mặt.", "The scanner is away."))


@pytest.mark.parametrize("plan", [["away"] * 40, ["breaks"] * 12, ["breaks", "away", "away", "breaks"]])
def test_a_transfer_waits_for_the_scanner_without_limit_and_keeps_nothing(tmp_path: Path, plan: list[str]) -> None:
    scanner: VirusScanner = Flaky(list(plan))
    slept: list[float] = []
    told: list[tuple[str, int, int]] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        assert archive.keys() == [[], []]
        assert archive.catalogue.intake.open() == []
        assert [upload for store in archive.stores for upload in store.uploads()] == []

    with small_archive(tmp_path / "archive", scanner=scanner, sleep=sleep) as archive:
        from ingest.place import Submission

        sent = bag(tmp_path / "gói", {"lớn.txt": b"z" * 3_000_000, "nhỏ.txt": b"q" * 200}, tag_manifests=False)
        submission = Submission(sent, AgencyCode("H20.01"), FondsCode("F1"))
        receipt = archive.service.receive("job", submission, lambda *step: told.append(step))
        assert receipt.verdict is Verdict.ACCEPTED
        assert len(slept) == len(plan)
        assert told.count(("waiting for the virus scanner", 0, 0)) == len(plan)
        assert max(slept) <= 600
        assert archive.leftovers() == []


def test_a_package_that_is_held_needs_no_scanner(tmp_path: Path) -> None:
    sent = bag(tmp_path / "gói", tag_manifests=False)
    with small_archive(tmp_path / "archive") as archive:
        first = archive.receive(sent, **SAID)
    with small_archive(tmp_path / "archive", scanner=Flaky(["away"] * 3)) as archive:
        assert archive.service.receive("again", submission(sent)) == first
        assert len(archive.place.scanner.plan) == 3  # type: ignore[attr-defined]


def submission(sent: Path):
    from ingest.place import Submission

    return Submission(sent, AgencyCode("H20.01"), FondsCode("F1"))


def test_an_infected_zip_is_kept_as_the_zip_that_was_sent(archive: SmallArchive, tmp_path: Path) -> None:
    infected(tmp_path)
    packed = Path(shutil.make_archive(str(tmp_path / "gói"), "zip", tmp_path, "gói"))
    held = archive.receive(packed, **SAID)
    copy = archive.folder / "quarantine" / held.quarantine / "submission" / "gói.zip"
    assert copy.read_bytes() == packed.read_bytes()
    assert zipfile.is_zipfile(copy)
    assert decide(archive, held.quarantine, RELEASE).state is QuarantineState.RELEASED


@pytest.mark.parametrize("name", ["gói\n", "\udcff", "..", "."])
def test_odd_names_are_kept_under_one_that_can_be_written(
    archive: SmallArchive, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name in (".", ".."):
        sent = infected(tmp_path)
        monkeypatch.chdir(sent / "data" if name == ".." else sent)
        held = archive.receive(Path(name), **SAID)
    else:
        held = archive.receive(infected(tmp_path, name), **SAID)
    kept = archive.catalogue.quarantine.get(held.quarantine).name
    assert kept == ("gói" if name.startswith(".") else "package")
    assert decide(archive, held.quarantine, RELEASE).state is QuarantineState.RELEASED


@pytest.mark.parametrize("cut", range(1, 14))
def test_whichever_connection_to_the_scanner_breaks_the_transfer_goes_on(tmp_path: Path, cut: int) -> None:
    slept: list[float] = []
    with FakeClamd(tmp_path, cut=cut) as clamd:
        scanner = ClamdScanner(clamd.address, connect=30, clock=lambda: 1000.0 * len(clamd.commands))
        with small_archive(tmp_path / "archive", scanner=scanner, sleep=slept.append) as archive:
            sent = bag(tmp_path / "gói", {"lớn.txt": b"z" * 3_000_000, "nhỏ.txt": b"q"}, tag_manifests=False)
            assert archive.receive(sent, **SAID).verdict is Verdict.ACCEPTED
            assert len(slept) == (clamd.connections >= cut)
            assert archive.leftovers() == []


def test_a_full_disk_in_the_quarantine_is_tried_again_later(
    archive: SmallArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = infected(tmp_path)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch, nothing_left(archive):
        patch.setattr("ingest.quarantine.os.write", full)
        with pytest.raises(NoSpace):
            archive.receive(sent, **SAID)
        assert room(archive) == []
    assert archive.receive(sent, **SAID).verdict is Verdict.QUARANTINED


def test_a_package_that_changes_while_it_is_copied_is_not_quarantined_as_it_was_not_read(
    tmp_path: Path,
) -> None:
    sent = infected(tmp_path)

    def at(point: str) -> None:
        if point == "quarantine copied":
            (copy,) = (tmp_path / "archive" / "quarantine").glob(".new-*/submission/gói/data/lạ.com")
            copy.write_bytes(EICAR + b"\n")

    with small_archive(tmp_path / "archive", at=at) as archive, nothing_left(archive):
        with pytest.raises(TemporaryError):
            archive.receive(sent, **SAID)
        assert room(archive) == []


def die_at(folder: str, sent: str, point: str, decision: str) -> None:
    """In a process of its own: take the package in and have it decided; kill oneself at ``point``."""

    def at(where: str) -> None:
        if where == point:
            os.kill(os.getpid(), signal.SIGKILL)

    with small_archive(Path(folder), at=at) as archive:
        finish(archive, Path(sent), Decision(decision))


def finish(archive: SmallArchive, sent: Path, decision: Decision) -> QuarantinedPackage:
    """Whatever is done already of it."""
    archive.receive(sent, **SAID)
    records = archive.catalogue.quarantine
    (id,) = (one.id for one in [*records.packages(), *records.packages(over=True)])
    for person in ("A", "B"):
        with suppress(AlreadyExists):
            decisions(archive).vote(id, person, decision, "x")
    return decisions(archive).carry_out("decide", id)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("decision", list(Decision))
def test_after_sigkill_anywhere_the_next_worker_finishes(tmp_path: Path, point: str, decision: Decision) -> None:
    sent, folder = infected(tmp_path), tmp_path / "archive"
    code = "import sys; from tests.flows.test_quarantine import die_at; die_at(*sys.argv[1:])"
    died = subprocess.run([sys.executable, "-c", code, str(folder), str(sent), point, decision.value], check=False)
    assert died.returncode == (-signal.SIGKILL if reached(point, decision) else 0)
    with small_archive(folder) as archive:
        archive.clock.now += 3 * archive.place.lease
        over = finish(archive, sent, decision)
        assert over.state.over
        archive.service.room.sweep(2**40)
        assert room(archive) == [f"{over.id}/record.json"]
        assert len(list(archive.catalogue.holdings.every_version())) == (decision is RELEASE)
        assert [one for one in archive.leftovers() if not one.startswith("file job")] == []


def reached(point: str, decision: Decision) -> bool:
    return point != "quarantine released" or decision is RELEASE
