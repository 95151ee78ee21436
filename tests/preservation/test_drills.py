"""Restores on trial: they pass where all is well, and find what is not."""

from __future__ import annotations

import io
import random
import shutil
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import bagit
import pytest

from metadata.backups import DrillOutcome
from metadata.catalogue import Catalogue
from metadata.catalogue.schema import event, member
from metadata.incidents import IncidentKind, IncidentState
from preservation.audit import Auditor
from preservation.backup_sets import manifest_in
from preservation.checks import Schedule
from preservation.drills import DrillPlace, Drills
from preservation.incidents import Incidents
from preservation.journal import ArchiveJournal
from preservation.trial import Trial, restore_aip, validate
from storage.port import Store
from storage.stores.memory import MemoryStore
from storage.wrappers import Fault, FaultStore
from tests.builders.kept import AGENT, FILES, PERIOD, Clock, flip, keep, raw, replace
from tests.preservation.test_backup import backups_of

# bagit.py does not decode a percent sign as RFC 8493 has it.
PLAIN = [file for file in FILES if "%" not in file.name]
NewCatalogue = Callable[[str], Catalogue]


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    made = tmp_path / "scratch"
    made.mkdir()
    return made


def drills_of(catalogue: Catalogue, stores: list[Store], clock: Clock, scratch: Path, aips: int = 3) -> Drills:
    journal = ArchiveJournal(catalogue, stores, clock, AGENT)
    backups, incidents = backups_of(catalogue, stores, clock), Incidents(catalogue, journal, clock)
    chance = random.Random(5).randrange
    return Drills(DrillPlace(catalogue, journal, lambda: stores, clock, scratch, backups, incidents, aips, chance))


def test_a_drill_passes_and_is_written_down(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, scratch: Path
) -> None:
    for name in "abcdef":
        keep(catalogue, stores, name)
    backup = backups_of(catalogue, [*stores], clock).make()
    clock.forward(timedelta(hours=1))
    drills = drills_of(catalogue, [*stores], clock, scratch)
    done = drills.run(person="Trần Thị B")
    assert (done.outcome, done.problems, done.backup) == (DrillOutcome.PASSED, (), backup.id)
    assert len(set(done.aips)) == 3 and done.files > 30 and done.size > 10_000 and done.rows == backup.rows
    assert drills.listed() == [done]
    assert list(scratch.iterdir()) == []
    clock.forward(timedelta(days=7))
    assert drills.run().backup == ""
    clock.forward(timedelta(days=25))
    assert drills.run().backup == backup.id


def test_what_was_restored_is_a_bag_to_others_too(
    catalogue: Catalogue, stores: list[MemoryStore], scratch: Path
) -> None:
    kept = keep(catalogue, stores, files=PLAIN)
    trial = restore_aip(catalogue, stores[1], kept.version, scratch)
    assert (trial.problems, trial.files) == ([], len(kept.members))
    bagit.Bag(str(scratch / kept.id.root)).validate()


@pytest.mark.parametrize("place", ["start", "middle", "data", "end"])
def test_a_damaged_aip_fails_it_and_is_an_incident_until_a_drill_passes(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, scratch: Path, place: str
) -> None:
    kept = keep(catalogue, stores)
    size = kept.version.size
    at = {"start": 3, "middle": size // 2, "data": kept.member("Báo cáo số 1.pdf").data + 5, "end": size - 30}[place]
    for store in stores:
        flip(store, kept.key, at)
    drills = drills_of(catalogue, [*stores], clock, scratch)
    assert drills.run(chain=False).outcome is DrillOutcome.FAILED
    told = catalogue.incidents.current(IncidentKind.BACKUP, "drill")
    assert told is not None and told.state is IncidentState.OPEN
    assert "chỗ sai, kê ở trang Sao lưu" in told.told.vi and " / " not in told.told.vi
    for store in stores:
        flip(store, kept.key, at)
    assert drills.run(chain=False).outcome is DrillOutcome.PASSED
    assert catalogue.incidents.current(IncidentKind.BACKUP, "drill").state is IncidentState.MENDED  # type: ignore[union-attr]


def test_what_a_rogue_store_gives_does_not_fill_the_disk(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, scratch: Path
) -> None:
    kept = keep(catalogue, stores)
    size, root = kept.version.size, kept.id.root
    bomb, locked = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(f"{root}/data/bomb", bytes(50 << 20))
    with zipfile.ZipFile(locked, "w") as made:
        made.writestr(f"{root}/data/x", b"secret")
    data = locked.getvalue()
    at = data.index(b"PK\x01\x02") + 8
    for odd in (raw(stores[0], kept.key) + bytes(5 << 20), bomb.getvalue().ljust(size, b"\0")[-size:], bomb.getvalue(),
                b"\1".join((data[:at], data[at + 1 :]))):  # fmt: skip
        replace(stores[0], kept.key, odd)
        trial = restore_aip(catalogue, stores[0], kept.version, scratch)
        assert trial.problems
        assert sum(path.stat().st_size for path in scratch.rglob("*") if path.is_file()) <= size
        shutil.rmtree(scratch / root, ignore_errors=True)


def test_a_bag_is_judged_as_bagit_judges_it(catalogue: Catalogue, stores: list[MemoryStore], scratch: Path) -> None:
    kept = keep(catalogue, stores, files=PLAIN)
    restore_aip(catalogue, stores[0], kept.version, scratch)
    bag = scratch / kept.id.root
    files = sorted(path for path in bag.rglob("*") if path.is_file() and path.name != "tagmanifest-sha512.txt")
    for path in files:
        for harm in ("flip", "lose"):
            copy = scratch / "copy"
            shutil.copytree(bag, copy)
            target = copy / path.relative_to(bag)
            if harm == "lose":
                target.unlink()
            else:
                data = target.read_bytes()
                target.write_bytes(bytes([data[0] ^ 1]) + data[1:] if data else b"x")
            trial = Trial()
            validate(copy, trial)
            try:
                bagit.Bag(str(copy)).validate()
                good = True
            except bagit.BagError:
                good = False
            assert trial.problems or good, (path, harm)
            assert trial.problems, (path, harm)
            shutil.rmtree(copy)
    (bag / "data" / "thừa").write_bytes(b"x")
    trial = Trial()
    validate(bag, trial)
    assert trial.problems


def test_a_store_that_is_away_is_neither_good_nor_bad(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, scratch: Path
) -> None:
    keep(catalogue, stores)
    away: list[Store] = [FaultStore(stores[0], lambda call: Fault.BEFORE if call.key.endswith(".zip") else None)]
    done = drills_of(catalogue, away, clock, scratch).run(chain=False)
    assert (done.outcome, done.aips) == (DrillOutcome.INCOMPLETE, ())
    assert catalogue.incidents.current(IncidentKind.BACKUP, "drill") is None


def test_what_went_on_since_the_backup_is_no_failure(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, scratch: Path
) -> None:
    kept = [keep(catalogue, stores, name) for name in "abc"]
    backups_of(catalogue, [*stores], clock).make()
    clock.forward(timedelta(days=2))
    keep(catalogue, stores, "mới", at=clock.now)
    Auditor(catalogue, {store.id: store for store in stores}, clock, AGENT, Schedule(PERIOD)).audit(kept[0].id)
    done = drills_of(catalogue, [*stores], clock, scratch).run(0, chain=True)
    assert (done.outcome, done.problems) == (DrillOutcome.PASSED, ())


@pytest.mark.parametrize("harm", ["member", "event", "gone", "lacking", "part", "manifest"])
def test_a_backup_that_is_not_the_catalogue_fails_it(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, scratch: Path, harm: str
) -> None:
    kept = [keep(catalogue, stores, name) for name in "ab"]
    made = backups_of(catalogue, [*stores], clock).make()
    manifest = manifest_in(stores[0], made.id)
    assert manifest is not None
    clock.forward(timedelta(days=1))
    database = catalogue._database
    with database.write() as connection:
        if harm == "member":
            connection.execute(member.update().where(member.c.version == kept[0].id.row).values(size=member.c.size + 1))
        elif harm == "event":
            connection.execute(event.update().where(event.c.version == kept[1].id.row).values(outcome="khác"))
        elif harm == "gone":
            for table in (
                "fixity_due",
                "placement",
                "replica",
                "record",
                "event",
                "log_head",
                "receipt",
                "aip_version",
            ):
                found = member.metadata.tables[table]
                connection.execute(found.delete().where(found.c.version == kept[0].id.row))
    if harm == "lacking":
        keep(catalogue, stores, "cũ", at=made.at - timedelta(days=5))
    for store in stores:
        if harm == "part":
            flip(store, manifest.key(manifest.parts[0].name), 30)
        elif harm == "manifest":
            store.delete(manifest.key())
    done = drills_of(catalogue, [*stores], clock, scratch).run(0, chain=True)
    assert done.outcome is DrillOutcome.FAILED, done


def test_one_who_dies_before_a_failed_drill_is_an_incident_leaves_it_to_the_next(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep(catalogue, stores)
    for store in stores:
        flip(store, kept.key, kept.member("ảnh.pdf").data)

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Incidents, "meet", die)
        drills_of(catalogue, [*stores], clock, scratch).run(chain=False, id="drill@1")
    assert catalogue.incidents.listed() == []
    assert drills_of(catalogue, [*stores], clock, scratch).run(chain=False, id="drill@1").problems
    (one,) = catalogue.incidents.listed(kind=IncidentKind.BACKUP)
    assert (one.subject, one.state) == ("drill", IncidentState.OPEN)


def test_the_same_drill_twice_is_one(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, scratch: Path
) -> None:
    keep(catalogue, stores)
    drills = drills_of(catalogue, [*stores], clock, scratch)
    assert drills.run(chain=False, id="drill@1") == drills.run(chain=False, id="drill@1")
    assert len(drills.listed()) == 1
