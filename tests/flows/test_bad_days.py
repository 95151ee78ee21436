"""The whole life of an archive while three requests in ten go wrong: nothing lost, doubled, or wrongly called damaged.

1,000 faults of stores of files and 300 on lines to a real server in every run; TANGTHU_FAULTS and TANGTHU_LINE_FAULTS
say otherwise (``make prove``: 100,000 and 5,000).
"""

from __future__ import annotations

import os
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from metadata.identifiers import StoreId
from storage.port import Store
from storage.stores.directory import DirectoryStore
from storage.stores.s3 import S3Account, S3Store
from storage.wrappers import Call, FaultStore, RetryPolicy, RetryStore
from storage.wrappers import Fault as StoreFault
from tests.builders.archive import ARCHIVE
from tests.flows.keeping import Keeping, keeping
from tests.services.ceph import S3Service, s3_service
from tests.services.fault_proxy import FaultProxy, mixed

FAULTS = int(os.environ.get("TANGTHU_FAULTS", "1000"))
LINE_FAULTS = int(os.environ.get("TANGTHU_LINE_FAULTS", "300"))
RATE = 0.3
POLICY = RetryPolicy(deadline=30.0)
BUCKET = "bad-days"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Service]:
    with s3_service() as service:
        yield service


def told(kind: str, faults: int, requests: int, lives: int, life: Counter[str]) -> None:
    print(
        f"\n{kind}: {faults} faults in {requests} requests, {lives} lives, {life['packages']} packages, "
        f"{life['checks']} replicas checked, {life['damaged']} damaged and repaired, {life['served']} bytes served: "
        f"0 wrong bytes, 0 lost, 0 doubled, 0 wrong alarms; 95 % bound {3 / faults:.4%}"
    )


def add(life: Counter[str], kept: Keeping) -> None:
    life.update(packages=kept.sent, checks=kept.checks, damaged=kept.damaged, served=kept.served)


class _Lines:
    """A store of each kind of line (http, https) to one real service, each with a bad line and a good one."""

    def __init__(self, stack: ExitStack, service: S3Service, seed: int) -> None:
        ca = Path(service.ca)
        self.proxies = [
            stack.enter_context(FaultProxy(service.http, mixed(RATE, seed), keep_lines=False, silence=0.05)),
            stack.enter_context(
                FaultProxy(service.https, mixed(RATE, seed + 1), ca, ca.with_name("tls.key"), 0.05, keep_lines=False)
            ),
        ]
        self.seen: list[Store] = []
        self.sound: list[Store] = []
        for name, proxy in zip("ab", self.proxies, strict=True):
            account = S3Account(
                service.http, service.access_key, service.secret_key, service.region, ca, read_timeout=20
            )
            prefix = f"{uuid.uuid4()}/"
            sound = S3Store(StoreId(name), account, BUCKET, prefix)
            sound.create(ARCHIVE)
            far = S3Account(proxy.address, service.access_key, service.secret_key, service.region, ca, read_timeout=20)
            bad = S3Store(StoreId(name), far, BUCKET, prefix, sleep=lambda _: None)
            stack.callback(sound.close)
            stack.callback(bad.close)
            self.sound.append(sound)
            self.seen.append(RetryStore(bad, POLICY, sleep=lambda _: None))

    @property
    def faults(self) -> int:
        return sum(proxy.troubled for proxy in self.proxies)

    @property
    def requests(self) -> int:
        return sum(proxy.count for proxy in self.proxies)


@pytest.mark.services
@pytest.mark.timeout(0)
def test_prove_a_life_over_bad_lines(tmp_path: Path, s3: S3Service) -> None:
    faults = requests = lives = 0
    life: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    while faults < LINE_FAULTS:
        with ExitStack() as stack:
            lines = _Lines(stack, s3, seed=1000 + 2 * lives)
            kept = stack.enter_context(keeping(tmp_path / f"{lives}", lines.seen, lines.sound, seed=lives))
            kept.life()
            add(life, kept)
            faults, requests, lives = faults + lines.faults, requests + lines.requests, lives + 1
            for proxy in lines.proxies:
                kinds.update(f"{operation}: {fault.value}" for operation, fault in proxy.met.elements())
            for store in lines.sound:
                for info in list(store.list()):
                    store.delete(info.key)
    told("bad lines to a real server, http and https", faults, requests, lives, life)
    print(", ".join(f"{name} {count}" for name, count in kinds.most_common()))


class _Dice:
    """Faults of a store of files, by chance: no answer, lost replies, broken reads, flipped bits."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self.met = self.asked = 0

    def __call__(self, call: Call) -> StoreFault | None:
        self.asked += 1
        if self._dice.random() >= RATE:
            return None
        self.met += 1
        usual = [StoreFault.BEFORE, StoreFault.AFTER]
        # A stream whose read failed has lost its place in a store of files; the next try opens it anew.
        return self._dice.choice([*usual, StoreFault.SHORT, StoreFault.FLIP] if call.operation == "read" else usual)


@pytest.mark.timeout(0)
def test_prove_a_life_on_bad_disks(tmp_path: Path) -> None:
    faults = requests = lives = 0
    life: Counter[str] = Counter()
    while faults < FAULTS:
        sound: list[Store] = []
        for name in "ab":
            store = DirectoryStore(StoreId(name), tmp_path / f"{lives}-{name}")
            store.create(ARCHIVE)
            sound.append(store)
        dice = [_Dice(10 * lives + index) for index in range(2)]
        seen = [
            RetryStore(FaultStore(store, one), POLICY, sleep=lambda _: None)
            for store, one in zip(sound, dice, strict=True)
        ]
        with keeping(tmp_path / f"{lives}", seen, sound, seed=lives) as kept:
            kept.life()
            add(life, kept)
        faults, requests, lives = (
            faults + sum(one.met for one in dice),
            requests + sum(one.asked for one in dice),
            lives + 1,
        )
    told("bad disks", faults, requests, lives, life)
