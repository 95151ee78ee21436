"""Every kind of damage in one to three of three replicas: all found, all repaired where one good replica is left.

60 damages and 5,000 clean checks of a member in every run; TANGTHU_DAMAGES and TANGTHU_CLEAN say otherwise
(``make prove``: 10,000 and 1,000,000). A clean check is one member of one replica that was read and matched its digest.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from metadata.holdings import AipVersion, Member
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from storage.aip.verify import verify_object
from storage.port import Store
from storage.stores.directory import DirectoryStore
from tests.builders.archive import ARCHIVE
from tests.builders.kept import File, keep, raw, replace
from tests.flows.keeping import Keeping, keeping

DAMAGES = int(os.environ.get("TANGTHU_DAMAGES", "60"))
CLEAN = int(os.environ.get("TANGTHU_CLEAN", "5000"))
PACKAGES = 20
SMALL = 100
MEMORY = Path("/dev/shm")
KINDS = ("bits", "lost", "truncated", "swapped", "zeroed", "duplicated")
PLACES = ("payload", "METS", "manifest", "directory")
AGES = 500
"""After so many damages a new archive: each look adds to the logs, and each repair reads them."""


def _span(rng: random.Random, version: AipVersion, members: list[Member], place: str) -> tuple[int, int]:
    """Where in the object to strike: offset and length."""
    if place == "directory":
        end = max(member.data + member.size for member in members)
        return end, version.size - end
    endings = {"METS": "METS.xml", "manifest": "sha256.txt", "payload": ""}
    wanted = [one for one in members if one.size and one.path.endswith(endings[place])]
    chosen = rng.choice(wanted)
    return chosen.data, chosen.size


def _damaged(rng: random.Random, data: bytes, kind: str, begin: int, length: int) -> bytes:
    changed = bytearray(data)
    if kind == "bits":
        for bit in rng.sample(range(8 * length), min(8 * length, rng.randint(1, 64))):
            changed[begin + bit // 8] ^= 1 << bit % 8
    elif kind == "truncated":
        del changed[begin + rng.randrange(length) :]
    elif kind == "zeroed":
        changed[begin : begin + length] = bytes(length)
    else:
        changed[begin:begin] = changed[begin : begin + length]
    return bytes(changed)


class _Vandal:
    """Damages one version in some stores, remembers how it was."""

    def __init__(self, kept: Keeping, rng: random.Random) -> None:
        self._kept, self._rng = kept, rng

    def strike(self, version: AipVersion, other: AipVersion, stores: list[Store], kind: str, place: str) -> None:
        members = list(self._kept.archive.catalogue.holdings.members(version.id))
        for store in stores:
            if kind == "lost":
                store.delete(version.key)
                continue
            data = raw(store, version.key)
            if kind == "swapped":
                changed = raw(store, other.key)
            else:
                changed = _damaged(self._rng, data, kind, *_span(self._rng, version, members, place))
            assert changed != data
            replace(store, version.key, changed)


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    """In memory where that can be: what is damaged here need not outlive a power failure."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    with TemporaryDirectory(prefix="tangthu-", dir=MEMORY) as folder:
        yield Path(folder)


def _stores(folder: Path) -> list[Store]:
    stores: list[Store] = []
    for name in "abc":
        store = DirectoryStore(StoreId(name), folder / name)
        store.create(ARCHIVE)
        stores.append(store)
    return stores


def _keep_small(kept: Keeping, stores: list[Store]) -> None:
    """AIPs as small as can be, with all their parts."""
    for number in range(SMALL):
        files = [File(f"{one}.pdf", kept.rng.randbytes(kept.rng.randint(1, 3000))) for one in range(1 + number % 3)]
        held = keep(kept.archive.catalogue, stores, f"{number}", files, len(files), kept.archive.clock())
        kept.receipts[held.key] = Path()


@pytest.mark.timeout(0)
def test_prove_every_damage_is_found_and_repaired(folders: Path) -> None:
    rng, done = random.Random(4), 0
    met: Counter[str] = Counter()
    while done < DAMAGES:
        stores = _stores(folders / f"{done}")
        with keeping(folders / f"{done}", stores, stores, seed=done) as kept:
            _keep_small(kept, stores)
            vandal, versions = _Vandal(kept, rng), kept.versions
            for _ in range(min(AGES, DAMAGES - done)):
                version, other = rng.sample(versions, 2)
                kind, place, count = rng.choice(KINDS), rng.choice(PLACES), rng.choice((1, 1, 2, 2, 3))
                struck = rng.sample(stores, count)
                good = raw(stores[0], version.key)
                vandal.strike(version, other, struck, kind, place)
                audit = kept.audit(version)
                assert {check.store for check in audit.damaged} == {store.id for store in struck}, (kind, place)
                before = [store.head(version.key) and raw(store, version.key) for store in stores]
                report = kept.repairer().repair(version.id)
                if count == len(stores):
                    assert report.refused
                    assert [store.head(version.key) and raw(store, version.key) for store in stores] == before
                    for store in stores:
                        replace(store, version.key, good)
                    assert kept.audit(version).damaged == ()
                else:
                    assert set(report.repaired) == {store.id for store in struck}
                    assert [raw(store, version.key) for store in stores] == [good] * len(stores)
                met.update([kind, f"{count} of 3"])
                done += 1
            kept.judge()
    print(f"\n{done} damages {dict(met)}: all found, all repaired that could be; 95 % bound {3 / done:.3%}")


@pytest.mark.timeout(0)
def test_prove_no_false_alarm_in_clean_checks(folders: Path) -> None:
    stores, clean = _stores(folders), 0
    with keeping(folders, stores, stores, seed=9) as kept:
        kept.ingest(PACKAGES)
        held = {version.key: list(kept.archive.catalogue.holdings.members(version.id)) for version in kept.versions}
        while clean < CLEAN:
            for key, members in held.items():
                for store in stores:
                    assert verify_object(store, key, members).outcome is Fixity.MATCH
                    clean += len(members)
    print(f"\n{clean} clean checks of members: 0 false alarms; 95 % bound {3 / clean:.5%}")
