"""Random damage to stored objects: all of it is found and named, none is reported falsely, all of it is repaired.

500 flipped bits in every run; TANGTHU_FLIPS says otherwise (``make prove``: 10,000).
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from metadata.holdings import AipVersion
from metadata.outcomes import Fixity
from preservation.audit import Auditor
from preservation.checks import Schedule
from preservation.rebuild import rebuild
from preservation.repair import Repairer
from storage.aip.verify import DIRECTORY_PLACE
from storage.port import Store
from storage.stores.paths import object_path
from tests.builders.archive import AGENT, PERIOD, SmallArchive, small_archive
from tests.builders.tt05 import documents, sip_hoso

FLIPS = int(os.environ.get("TANGTHU_FLIPS", "500"))
PACKAGES = 25


@contextmanager
def kept(folder: Path) -> Iterator[SmallArchive]:
    with small_archive(folder / "archive") as archive:
        for number in range(PACKAGES):
            identity = f"00000000-0000-4000-8000-{number:012d}"
            source = sip_hoso(folder / "sent", identity=identity, contents=documents(1 + number % 4))
            assert archive.receive(source).aip
        yield archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    with kept(tmp_path) as made:
        yield made


def auditor(archive: SmallArchive) -> Auditor:
    stores = {store.id: store for store in archive.stores}
    return Auditor(archive.catalogue, stores, archive.clock, AGENT, Schedule(PERIOD))


def repairer(archive: SmallArchive) -> Repairer:
    stores = {store.id: store for store in archive.stores}
    return Repairer(archive.catalogue, stores, archive.clock, AGENT, Schedule(PERIOD))


def file_of(archive: SmallArchive, store: Store, key: str) -> Path:
    """The file that holds the object."""
    return archive.folder / store.id.value / "objects" / object_path(key)


def flip(path: Path, offset: int, bit: int) -> None:
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ (1 << bit)]))


def member_at(archive: SmallArchive, version: AipVersion, offset: int) -> str:
    """The member whose header or bytes hold ``offset``; the directory's name beyond the last."""
    for member in archive.catalogue.holdings.members(version.id):
        if member.offset <= offset < member.data + member.size:
            return member.path
    return DIRECTORY_PLACE


@pytest.mark.timeout(0)
def test_every_flipped_bit_is_found_named_and_repaired(archive: SmallArchive) -> None:
    rng = random.Random(500)
    versions = list(archive.catalogue.holdings.every_version())
    found = repaired = 0
    audit, repair = auditor(archive), repairer(archive)
    for _ in range(FLIPS):
        version, store = rng.choice(versions), rng.choice(archive.stores)
        offset = rng.randrange(version.size)
        flip(file_of(archive, store, version.key), offset, rng.randrange(8))
        checks = {check.store: check for check in audit.audit(version.id).checks}
        assert checks[store.id].outcome is Fixity.MISMATCH, (version.key, offset)
        assert [check.outcome for key, check in checks.items() if key != store.id] == [Fixity.MATCH]
        places = {damage.place for damage in checks[store.id].damages}
        assert member_at(archive, version, offset) in places, (offset, places)
        found += 1
        report = repair.repair(version.id)
        assert not report.refused
        assert [one.value for one in report.repaired] == [store.id.value]
        repaired += 1
    assert (found, repaired) == (FLIPS, FLIPS)
    assert all(check.outcome is Fixity.MATCH for version in versions for check in audit.audit(version.id).checks)
    print(f"\n{FLIPS} flipped bits: {found} found, {repaired} repaired, 0 false alarms; 95 % bound {3 / FLIPS:.2%}")


def test_damage_in_every_replica_is_not_repaired_but_told(archive: SmallArchive) -> None:
    version = next(archive.catalogue.holdings.every_version())
    for store in archive.stores:
        flip(file_of(archive, store, version.key), version.size // 2, 0)
    report = repairer(archive).repair(version.id)
    assert report.refused
    assert report.repaired == ()
    assert [store.head(version.key) is not None for store in archive.stores] == [True, True]


@pytest.mark.parametrize("life", ["as ingested", "after audits", "after a repair"])
def test_rebuilt_catalogue_equals_the_lost_one_row_by_row(archive: SmallArchive, tmp_path: Path, life: str) -> None:
    versions = list(archive.catalogue.holdings.every_version())
    if life != "as ingested":
        for version in versions:
            auditor(archive).audit(version.id)
    if life == "after a repair":
        flip(file_of(archive, archive.stores[0], versions[0].key), 40, 3)
        auditor(archive).audit(versions[0].id)
        repairer(archive).repair(versions[0].id)
    before = list(archive.catalogue.dump())
    with small_archive(tmp_path / "empty", stores=archive.stores) as empty:
        report = rebuild(empty.catalogue, empty.stores, empty.clock, Schedule(PERIOD))
        assert report.problems == []
        assert list(empty.catalogue.dump()) == before
        assert {table for table, _ in before} >= {"aip_version", "member", "record", "event", "replica", "receipt"}
