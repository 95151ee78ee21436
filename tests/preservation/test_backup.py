"""Backups: made, read back, counted; what a store takes, loses or damages meanwhile."""

from __future__ import annotations

import io
import tarfile
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from metadata.backups import BackupKind, BackupOutcome, Drill
from metadata.catalogue import Catalogue
from metadata.errors import StoreUnavailable, Unreadable
from metadata.identifiers import ArchiveCode, StoreId
from metadata.incidents import IncidentKind, IncidentState
from metadata.journal import Entry, EntryKind
from preservation.audit import Auditor
from preservation.backup import BackupPlace, Backups
from preservation.backup_sets import backups_in, manifest_in, read_part, read_rows
from preservation.checks import Schedule
from preservation.incidents import Incidents, restore_incidents
from preservation.journal import ArchiveJournal
from storage.journal import encode_entry, read_journal
from storage.keys import BACKUP_PREFIX, journal_key
from storage.port import Store
from storage.stores.memory import MemoryStore
from storage.wrappers import Fault, FaultStore
from tests.builders.kept import AGENT, PERIOD, Clock, flip, keep

NewCatalogue = Callable[[str], Catalogue]


def backups_of(catalogue: Catalogue, stores: list[Store], clock: Clock, *files: tuple[str, Path | bytes]) -> Backups:
    journal = ArchiveJournal(catalogue, stores, clock, AGENT)
    return Backups(
        BackupPlace(
            ArchiveCode("LT-DT"),
            catalogue,
            journal,
            lambda: stores,
            lambda: files,
            clock,
            AGENT,
            incidents=Incidents(catalogue, journal, clock),
        )
    )


def rows_of(store: Store, backup: str) -> list[str]:
    manifest = manifest_in(store, backup)
    assert manifest is not None
    parts = [read_part(store, manifest, part) for part in manifest.parts if part.sections != ("files",)]
    return [section for section, _, _ in read_rows(parts)]


def test_a_backup_lies_in_every_store_and_the_journal_says_so(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    keep(catalogue, stores)
    backups = backups_of(catalogue, [*stores], clock)
    made = backups.make(person="Nguyễn Văn A")
    assert (made.kind, made.outcome, made.base) == (BackupKind.FULL, BackupOutcome.MADE, "")
    assert made.stores == (stores[0].id, stores[1].id)
    assert backups.listed() == [made]
    for store in stores:
        manifest = manifest_in(store, made.id)
        assert manifest is not None
        assert (manifest.digest, manifest.size, len(manifest.parts) + 1) == (made.digest, made.size, made.objects)
        told = [section for section in rows_of(store, made.id) if section != "state"]
        assert len(told) == made.rows == sum(manifest.rows.values())
        assert set(told) >= {"aip_version", "member", "event", "log_head", "receipt"}
        assert sum(info.size for info in store.list(BACKUP_PREFIX)) == made.size


def test_the_next_one_holds_what_changed(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = [keep(catalogue, stores, name) for name in "abc"]
    backups = backups_of(catalogue, [*stores], clock)
    full = backups.make()
    clock.forward(timedelta(days=1))
    idle = backups.make()
    clock.forward(timedelta(days=1))
    Auditor(catalogue, {store.id: store for store in stores}, clock, AGENT, Schedule(PERIOD)).audit(kept[1].id)
    more = backups.make()
    assert [one.kind for one in (full, idle, more)] == [BackupKind.FULL, *[BackupKind.INCREMENTAL] * 2]
    assert (idle.base, more.base) == (full.id, idle.id)
    assert "aip_version" not in rows_of(stores[0], idle.id)
    assert rows_of(stores[0], more.id).count("aip_version") == 1
    assert rows_of(stores[1], more.id).count("journal") == 1
    assert backups.make(full=True).kind is BackupKind.FULL


def test_the_rhythm_of_the_circular(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    backups = backups_of(catalogue, [*stores], clock)
    made = []
    for _ in range(24 * 75):
        if (kind := backups.due()) is not None:
            made.append((kind, backups.make(kind is BackupKind.FULL)))
        clock.forward(timedelta(hours=1))
    assert all(kind is one.kind for kind, one in made)
    days = [one.at.astimezone().date() for _, one in made]
    assert len(made) == 76 and len(set(days)) >= 75
    assert [f"{one.at + timedelta(hours=7):%d/%m}" for kind, one in made if kind is BackupKind.FULL] == [
        "02/03", "01/04", "01/05",
    ]  # fmt: skip


def test_a_store_that_is_away_is_told_and_too_few_are_a_failure(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    third = MemoryStore(StoreId("kho-3"))
    away = FaultStore(third, lambda call: Fault.BEFORE)
    made = backups_of(catalogue, [*stores, away], clock).make()
    assert made.stores == (stores[0].id, stores[1].id)
    assert "kho-3" in made.note
    backups = backups_of(catalogue, [stores[0], away], clock)
    with pytest.raises(StoreUnavailable):
        backups.make(id="hong")
    failed = backups.listed()[0]
    assert (failed.id, failed.outcome, failed.stores) == ("hong", BackupOutcome.FAILED, ())
    assert catalogue.incidents.current(IncidentKind.BACKUP, "backup") is not None
    assert backups_in(stores[0]) == [made.id]


def test_what_a_store_damages_on_the_way_does_not_count(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    keep(catalogue, stores)

    class Liar(MemoryStore):
        def put(self, key: str, data: bytes | bytearray | memoryview) -> None:
            super().put(key, bytes(data)[:-1] + b"\7" if ".jsonl" in key else data)

    third = Liar(StoreId("kho-3"))
    made = backups_of(catalogue, [third, *stores], clock).make()
    assert made.stores == (stores[0].id, stores[1].id)
    with pytest.raises(StoreUnavailable):
        backups_of(catalogue, [third, stores[0]], clock).make()


def test_one_who_dies_before_the_incident_is_mended_leaves_it_to_the_next(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(catalogue, stores)
    away: list[Store] = [stores[0], FaultStore(stores[1], lambda _: Fault.BEFORE)]
    with pytest.raises(StoreUnavailable):
        backups_of(catalogue, away, clock).make()
    clock.forward(timedelta(hours=1))

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Incidents, "mend", die)
        backups_of(catalogue, [*stores], clock).make(id="mot")
    made = backups_of(catalogue, [*stores], clock).make(id="mot")
    assert made.outcome is BackupOutcome.MADE
    (one,) = catalogue.incidents.listed(kind=IncidentKind.BACKUP)
    assert one.state is IncidentState.MENDED


@pytest.mark.parametrize("after", range(0, 60, 3))
def test_killed_anywhere_and_begun_again_is_one_backup(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, after: int
) -> None:
    keep(catalogue, stores)

    class Killed(BaseException):
        pass

    left = after

    class Dying(FaultStore):
        def _call(self, operation, key, work):  # type: ignore[no-untyped-def]
            nonlocal left
            left -= 1
            if left == 0 and after:
                raise Killed
            return super()._call(operation, key, work)

    dying: list[Store] = [Dying(store, lambda call: None) for store in stores]
    try:
        backups_of(catalogue, dying, clock).make(id="mot")
    except Killed:
        keep(catalogue, stores, "thêm")
        clock.forward(timedelta(hours=1))
    backups = backups_of(catalogue, [*stores], clock)
    made = backups.make(id="mot")
    assert backups.listed() == [made]
    assert backups.make(id="mot") == made
    assert made.stores == (stores[0].id, stores[1].id)
    assert backups.make().base == "mot"


def test_a_base_that_no_store_has_any_more_makes_the_next_one_full(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    keep(catalogue, stores)
    backups = backups_of(catalogue, [*stores], clock)
    first = backups.make()
    for store in stores:
        flip(store, f"{BACKUP_PREFIX}{first.id}/manifest.json", 40)
    clock.forward(timedelta(hours=1))
    assert backups.make().kind is BackupKind.FULL


def test_a_base_whose_parts_are_damaged_everywhere_makes_the_next_one_full(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    keep(catalogue, stores)
    backups = backups_of(catalogue, [*stores], clock)
    first = manifest_in(stores[0], backups.make().id)
    assert first is not None
    for store in stores:
        flip(store, first.key(first.parts[0].name), 40)
    clock.forward(timedelta(hours=1))
    assert backups.make().kind is BackupKind.FULL


def test_files_go_along_but_no_private_key(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "gốc.pem").write_bytes(b"-----BEGIN CERTIFICATE-----")
    files: list[tuple[str, Path | bytes]] = [
        ("tangthu.toml", b"[archive]"),
        ("trust/gốc.pem", tmp_path / "gốc.pem"),
        ("trust/khóa.pem", b"-----BEGIN PRIVATE KEY-----"),
        ("trust/không có", tmp_path / "x"),
    ]
    made = backups_of(catalogue, [*stores], clock, *files).make()
    manifest = manifest_in(stores[1], made.id)
    assert manifest is not None
    assert manifest.left_out == ("trust/khóa.pem", "trust/không có")
    packed = b"".join(read_part(stores[1], manifest, part) for part in manifest.parts if part.sections == ("files",))
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        assert {one.name: tar.extractfile(one).read() for one in tar} == {  # type: ignore[union-attr]
            "tangthu.toml": b"[archive]", "trust/gốc.pem": b"-----BEGIN CERTIFICATE-----",
        }  # fmt: skip


@pytest.mark.parametrize("document", [{}, {"kind": "full", "bytes": "x"}, {"kind": []}, {"kind": "damage", "facts": 1}])
def test_an_entry_that_tells_nothing_of_use_stops_nothing(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, document: dict[str, object]
) -> None:
    journal, backups = ArchiveJournal(catalogue, stores, clock, AGENT), backups_of(catalogue, [*stores], clock)
    for kind, act in ((EntryKind.BACKUP, "made"), (EntryKind.DRILL, "passed"), (EntryKind.INCIDENT, "opened")):
        last = catalogue.journal.last()
        number, before = (last.number + 1, last.digest) if last else (1, b"")
        entry = Entry(uuid.uuid4(), clock(), kind, "x", act, "", AGENT, document)
        stores[1].put(journal_key(number), encode_entry(number, before, entry))
        journal.write(EntryKind.FORM, "x", "made")
    assert backups.due() is BackupKind.FULL
    assert Drill.all_of(catalogue.journal.entries(EntryKind.DRILL)) == []
    made = backups.make()
    assert backups.listed() == [made]
    restore_incidents(catalogue)


@pytest.mark.parametrize("change", [{"document": []}, {"document": "x"}, {"subject": 1}, {"person": None}])
def test_an_entry_of_other_kinds_is_no_entry(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, change: dict[str, object]
) -> None:
    entry = Entry(uuid.uuid4(), clock(), EntryKind.FORM, "x", "made", "", AGENT, {})
    stores[0].put(journal_key(1), encode_entry(1, b"", replace(entry, **change)))  # type: ignore[arg-type]
    with pytest.raises(Unreadable):
        list(read_journal(stores[0]))
