"""Salvage: what is whole anywhere is saved, what is not is named, and nothing unverified comes out."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.catalogue import Catalogue
from metadata.errors import NotFound, UsageError
from metadata.identifiers import AipId, StoreId, VersionId
from metadata.incidents import IncidentKind, IncidentState
from metadata.journal import EntryKind
from metadata.outcomes import Fixity
from preservation.checks import Schedule
from preservation.incidents import Incidents
from preservation.journal import ArchiveJournal
from preservation.repair import Repairer
from preservation.salvage import REPORT, SALVAGED, Salvager
from preservation.watch import Watch
from storage.port import Store
from storage.stores.memory import MemoryStore
from storage.wrappers import Call, Fault, FaultStore
from tests.builders.kept import AGENT, Clock, File, Kept, flip, keep, raw, replace

PEOPLE = ("Trần Thị Lan", "Lê Minh")


class Bench:
    def __init__(self, catalogue: Catalogue, stores: list[Store], clock: Clock, room: Path) -> None:
        journal = ArchiveJournal(catalogue, stores, clock, AGENT)
        self.incidents = Incidents(catalogue, journal, clock)
        self.watch = Watch(catalogue, self.incidents, clock)
        by_id = {store.id: store for store in stores}
        self.repairer = Repairer(catalogue, by_id, clock, AGENT, Schedule(), watch=self.watch)
        self.salvager = Salvager(catalogue, by_id, self.repairer, journal, clock, room)


@pytest.fixture
def room(tmp_path: Path) -> Path:
    made = tmp_path / "salvage"
    made.mkdir()
    return made


def break_both(stores: list[MemoryStore], kept: Kept) -> None:
    """Each replica has lost another member, and its directory."""
    flip(stores[0], kept.key, kept.member("Báo cáo số 1.pdf").data)
    flip(stores[1], kept.key, kept.member("ảnh.pdf").data)
    for store in stores:
        flip(store, kept.key, kept.version.size - 40)


def test_what_is_whole_somewhere_is_written_out(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, room: Path, tmp_path: Path
) -> None:
    kept = keep(catalogue, stores)
    good = raw(stores[0], kept.key)
    break_both(stores, kept)
    both = kept.member("bảng 50%.csv")
    for store in stores:
        flip(store, kept.key, both.data)
    salvage = Bench(catalogue, [*stores], clock, room).salvager.write_out(kept.id, tmp_path / "ra")
    assert (salvage.whole, salvage.lost, salvage.unknown) == (len(kept.members) - 1, [both.path], [])
    root = tmp_path / "ra" / kept.id.root
    written = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert written == {
        member.path: good[member.data : member.data + member.size] for member in kept.members if member != both
    }
    told = json.loads((tmp_path / "ra" / REPORT).read_text("utf-8"))
    assert (told["lost"], told["key"]) == ([both.path], kept.key)


def test_what_could_not_be_looked_at_is_not_called_lost(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, room: Path, tmp_path: Path
) -> None:
    kept = keep(catalogue, stores)
    flip(stores[0], kept.key, kept.member("ảnh.pdf").data)
    away = FaultStore(stores[1], lambda call: Fault.BEFORE)
    salvage = Bench(catalogue, [stores[0], away], clock, room).salvager.write_out(kept.id, tmp_path / "ra")
    assert (salvage.lost, salvage.unknown) == ([], [kept.member("ảnh.pdf").path])


def test_it_writes_into_no_used_folder_and_knows_no_other_version(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, room: Path, tmp_path: Path
) -> None:
    kept = keep(catalogue, stores)
    salvager = Bench(catalogue, [*stores], clock, room).salvager
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path, tmp_path / "file"):
        with pytest.raises(UsageError):
            salvager.write_out(kept.id, folder)
    with pytest.raises(NotFound):
        salvager.write_out(VersionId(AipId.parse("00000000-0000-4000-8000-000000000000"), 1), tmp_path / "x")


def test_two_people_have_it_made_again_byte_for_byte(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, room: Path
) -> None:
    kept = keep(catalogue, stores)
    good = raw(stores[0], kept.key)
    break_both(stores, kept)
    bench = Bench(catalogue, [*stores], clock, room)
    assert bench.repairer.repair(kept.id).refused
    before = [raw(store, kept.key) for store in stores]
    for people in ((), ("Lan",), ("Lan", "LAN"), ("Lan", " ")):
        with pytest.raises(UsageError):
            bench.salvager.rebuild(kept.id, people)
    assert [raw(store, kept.key) for store in stores] == before
    salvage, report = bench.salvager.rebuild(kept.id, PEOPLE)
    assert report is not None
    assert (report.repaired, report.refused) == ((stores[0].id, stores[1].id), False)
    assert set(report.sources.values()) == {SALVAGED}
    assert set(salvage.taken) == {store.id for store in stores}
    assert [raw(store, kept.key) for store in stores] == [good, good]
    assert [replica.outcome for replica in catalogue.holdings.replicas(kept.id)] == [Fixity.MATCH] * 2
    assert list(room.iterdir()) == []
    entry = catalogue.journal.entries(EntryKind.REPAIR, str(kept.id))[0].entry
    assert (entry.act, entry.person) == ("salvaged", "Lê Minh, Trần Thị Lan")
    assert {one.state for one in catalogue.incidents.listed()} == {IncidentState.MENDED}
    assert len(catalogue.incidents.listed(kind=IncidentKind.LOST)) == 1


def test_when_a_member_is_lost_nothing_is_touched(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, room: Path
) -> None:
    kept = keep(catalogue, stores)
    for store in stores:
        flip(store, kept.key, kept.member("ảnh.pdf").data)
    before = [raw(store, kept.key) for store in stores]
    salvage, report = Bench(catalogue, [*stores], clock, room).salvager.rebuild(kept.id, PEOPLE)
    assert report is None
    assert (salvage.missing, salvage.lost) == (1, [kept.member("ảnh.pdf").path])
    assert [raw(store, kept.key) for store in stores] == before
    assert list(room.iterdir()) == []


class _Dead(BaseException):
    pass


@pytest.mark.parametrize("operation", ["begin", "put_part", "bury", "complete", "put"])
def test_killed_anywhere_the_object_can_still_be_made(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, room: Path, operation: str
) -> None:
    """The only whole members lie in the replica that goes first: they are in the room until it reads back whole."""
    kept = keep(catalogue, stores)
    good = raw(stores[0], kept.key)
    break_both(stores, kept)
    for number in range(1, 4):

        def die(call: Call, number: int = number) -> Fault | None:
            if (call.operation, call.number) == (operation, number):
                raise _Dead
            return None

        shaky: list[Store] = [FaultStore(store, die) for store in stores]
        try:
            Bench(catalogue, shaky, clock, room).salvager.rebuild(kept.id, PEOPLE)
        except _Dead:
            clock.forward()
    Bench(catalogue, [*stores], clock, room).salvager.rebuild(kept.id, PEOPLE)
    assert [raw(store, kept.key) for store in stores] == [good, good]


FILES = tuple(File(f"tệp {number}.bin", bytes([number]) * (number * 37 % 211), None) for number in range(6))


@contextmanager
def fresh(path: Path) -> Iterator[Catalogue]:
    with Catalogue(f"sqlite:///{path}") as catalogue:
        catalogue.upgrade()
        yield catalogue


@settings(max_examples=40, deadline=None)
@given(data=st.data(), count=st.integers(2, 3))
def test_random_damages_that_leave_each_member_somewhere(data: st.DataObject, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder, fresh(Path(folder) / "c.sqlite") as catalogue:
        stores = [MemoryStore(StoreId(f"kho-{number}")) for number in range(count)]
        kept = keep(catalogue, stores, files=FILES)
        good = raw(stores[0], kept.key)
        keeper = [data.draw(st.integers(0, count - 1)) for _ in kept.members]
        for number, store in enumerate(stores):
            broken = bytearray(good)
            spans = [
                (member.offset, member.data + member.size)
                for member, owner in zip(kept.members, keeper, strict=True)
                if owner != number
            ]
            # Headers are nobody's to keep: they follow from the catalogue.
            spans += [(member.offset, member.data) for member in kept.members]
            spans.append((kept.members[-1].data + kept.members[-1].size, len(good)))
            for start, end in data.draw(st.lists(st.sampled_from(spans), min_size=1, max_size=8)):
                at = data.draw(st.integers(start, max(start, end - 1)))
                length = data.draw(st.integers(1, 64))
                for place in range(at, min(at + length, end)):
                    broken[place] ^= data.draw(st.integers(1, 255)) if place == at else 0xFF
            cut = data.draw(st.sampled_from([len(good), kept.members[-1].data + kept.members[-1].size]))
            replace(store, kept.key, bytes(broken[:cut]) + data.draw(st.sampled_from([b"", b"more"])))
        bench = Bench(catalogue, [*stores], Clock(), Path(folder))
        bench.salvager.rebuild(kept.id, PEOPLE)
        assert [raw(store, kept.key) for store in stores] == [good] * count


@pytest.mark.parametrize("gone", [(0, 1), (0, 2), (1, 2)])
def test_replicas_that_are_gone_are_no_obstacle(
    catalogue: Catalogue, clock: Clock, room: Path, gone: tuple[int, int]
) -> None:
    stores = [MemoryStore(StoreId(f"kho-{number}")) for number in range(3)]
    kept = keep(catalogue, stores)
    good = raw(stores[0], kept.key)
    for number in gone:
        stores[number].delete(kept.key)
    (left,) = {0, 1, 2} - set(gone)
    flip(stores[left], kept.key, kept.version.size - 40)
    _, report = Bench(catalogue, [*stores], clock, room).salvager.rebuild(kept.id, PEOPLE)
    assert report is not None
    assert [raw(store, kept.key) for store in stores] == [good] * 3
