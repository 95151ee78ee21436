"""One life of an archive: ingest, audit, damage, repair, serve, rebuild; the stores as the archive sees them may fail.

What is damaged is damaged behind the archive's back, and what is judged is judged there, on the sound stores.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ingest.place import Submission
from ingest.receipt import Receipt
from metadata.errors import Damaged, TemporaryError, Unreadable
from metadata.holdings import AipVersion
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from preservation.audit import Auditor
from preservation.audit_report import VersionAudit
from preservation.checks import Schedule
from preservation.rebuild import RebuildReport, rebuild
from preservation.repair import Repairer, RepairReport
from storage.aip.reader import AipReader
from storage.aip.verify import verify_object
from storage.keys import is_own_key, log_prefix
from storage.log import read_log
from storage.port import Store
from tests.builders.archive import AGENT, PERIOD, SmallArchive, small_archive
from tests.builders.kept import flip, raw, replace
from tests.builders.tt05 import documents, sip_hoso

T = TypeVar("T")
PATIENCE = 200
Damage = Callable[[random.Random, Store, str], None]


def _flip(rng: random.Random, store: Store, key: str) -> None:
    flip(store, key, rng.randrange(len(raw(store, key))), 1 << rng.randrange(8))


def _truncate(rng: random.Random, store: Store, key: str) -> None:
    data = raw(store, key)
    replace(store, key, data[: rng.randrange(len(data))])


def _lose(_rng: random.Random, store: Store, key: str) -> None:
    store.delete(key)


DAMAGES: tuple[Damage, ...] = (_flip, _truncate, _lose)


@dataclass
class Keeping:
    """``archive`` sees its stores as they fail; ``sound`` are the same ones as they are."""

    archive: SmallArchive
    sound: Sequence[Store]
    folder: Path
    rng: random.Random
    sent: int = 0
    tries: int = 0
    served: int = 0
    refused: int = 0
    checks: int = 0
    damaged: int = 0
    receipts: dict[str, Path] = field(default_factory=dict)

    def persist(self, work: Callable[[], T]) -> T:
        """As the work engine does: what may be tried again is tried again."""
        for _ in range(PATIENCE):
            self.tries += 1
            try:
                return work()
            except TemporaryError as error:
                last = error
        raise last

    @property
    def versions(self) -> list[AipVersion]:
        return list(self.archive.catalogue.holdings.every_version())

    def ingest(self, count: int = 1, bulk: Mapping[str, bytes] | None = None) -> None:
        """Packages come in, each is accepted once; ``bulk`` are further files of each."""
        for _ in range(count):
            identity = f"00000000-0000-4000-8000-{self.sent:012d}"
            path = sip_hoso(self.folder / "sent", identity=identity, contents=documents(1 + self.sent % 3, bulk))
            self.sent += 1
            receipt = self.persist(lambda path=path: self._receive(path))  # type: ignore[misc]
            assert receipt.aip
            assert receipt.key not in self.receipts
            self.receipts[receipt.key] = path

    def _receive(self, path: Path) -> Receipt:
        return self.archive.service.receive("job", Submission(path))

    def send_again(self) -> None:
        """A package that is held gives its receipt again, and no second AIP."""
        key = self.rng.choice(sorted(self.receipts))
        assert self.persist(lambda: self._receive(self.receipts[key])).key == key

    def auditor(self) -> Auditor:
        return Auditor(self.archive.catalogue, self._stores(), self.archive.clock, AGENT, Schedule(PERIOD))

    def repairer(self) -> Repairer:
        return Repairer(self.archive.catalogue, self._stores(), self.archive.clock, AGENT, Schedule(PERIOD))

    def _stores(self) -> dict[StoreId, Store]:
        return {store.id: store for store in self.archive.stores}

    def audit(self, version: AipVersion) -> VersionAudit:
        """Look until every replica could be seen; no look may call a replica bad that another calls good."""
        while True:
            audit = self.persist(lambda: self.auditor().audit(version.id))
            self.checks += len(audit.checks)
            if all(check.outcome is not Fixity.UNREADABLE for check in audit.checks):
                return audit
            assert self.checks < 10**7

    def audit_all(self) -> None:
        """Nothing is damaged, so nothing may be called so."""
        for version in self.versions:
            audit = self.audit(version)
            assert audit.damaged == (), (version.key, [check.note for check in audit.damaged])

    def damage_and_repair(self, damage: Damage | None = None) -> None:
        """One replica of one version is damaged; exactly that is found, and mended from another."""
        version, store = self.rng.choice(self.versions), self.rng.choice(self.sound)
        (damage or self.rng.choice(DAMAGES))(self.rng, store, version.key)
        self.damaged += 1
        assert [check.store for check in self.audit(version).damaged] == [store.id]
        report = self._repair(version)
        assert not report.refused
        assert [check for check in self.audit(version).checks if check.outcome is not Fixity.MATCH] == []

    def _repair(self, version: AipVersion) -> RepairReport:
        while True:
            report = self.persist(lambda: self.repairer().repair(version.id))
            unseen = any(check.outcome is Fixity.UNREADABLE for check in report.checks)
            if not report.failed and not unseen:
                return report
            assert self.tries < 10**7

    def serve(self, count: int) -> None:
        """Members are read out; what comes whole is what was received, and nothing else is taken for it."""
        for _ in range(count):
            version, store = self.rng.choice(self.versions), self.rng.choice(self.archive.stores)
            member = self.rng.choice(list(self.archive.catalogue.holdings.members(version.id)))
            (sound,) = (one for one in self.sound if one.id == store.id)
            with sound.open(version.key, member.data, member.size) as stream:
                right = stream.read(member.size)
            for _ in range(PATIENCE):
                given = b""
                try:
                    with_digest = AipReader(store, version.key).open(member, member.sha256)
                    for chunk in with_digest:
                        given += chunk
                except (TemporaryError, Damaged, Unreadable):
                    self.refused += 1
                    assert right.startswith(given)
                    continue
                assert given == right
                self.served += len(given)
                break

    def rebuild(self) -> RebuildReport:
        """An empty catalogue gets every row back; what a list or a read hid is met by another run."""
        before = list(self.archive.catalogue.dump())
        folder = self.folder / f"empty-{self.tries}"
        with small_archive(folder, stores=list(self.archive.stores)) as empty:
            for _ in range(PATIENCE):
                report = self.persist(
                    lambda: rebuild(empty.catalogue, self.archive.stores, self.archive.clock, Schedule(PERIOD))
                )
                if report.known == len(self.versions):
                    break
            after = list(empty.catalogue.dump())
            assert after == before, _first_difference(before, after)
        return report

    def judge(self) -> None:
        """On the sound stores: everything acknowledged is there, whole, once, and nothing else is."""
        versions = self.versions
        assert sorted(version.key for version in versions) == sorted(self.receipts)
        for store in self.sound:
            for version in versions:
                members = self.archive.catalogue.holdings.members(version.id)
                verdict = verify_object(store, version.key, members)
                assert verdict.outcome is Fixity.MATCH, (store.id, version.key, verdict)
                assert list(read_log(store, version.key)) == list(read_log(self.sound[0], version.key))
            found = [info.key for info in store.list() if not is_own_key(info.key)]
            objects = [key for key in found if not _log_of(versions, key)]
            assert objects == sorted(self.receipts)

    def life(self, packages: int = 3, damages: int = 2, reads: int = 10) -> None:
        """Once through everything."""
        self.ingest(packages)
        self.send_again()
        self.audit_all()
        for _ in range(damages):
            self.damage_and_repair()
        self.serve(reads)
        self.rebuild()
        self.judge()


def _log_of(versions: Sequence[AipVersion], key: str) -> bool:
    return any(key.startswith(log_prefix(version.key)) for version in versions)


def _first_difference(one: Sequence[object], other: Sequence[object]) -> object:
    missing = [row for row in one if row not in other][:2]
    added = [row for row in other if row not in one][:2]
    return {"rows that are gone": missing, "rows that are new": added}


@contextmanager
def keeping(folder: Path, seen: Sequence[Store], sound: Sequence[Store], seed: int) -> Iterator[Keeping]:
    """An archive over the stores ``seen``, which are ``sound`` below."""
    with small_archive(folder / "archive", stores=list(seen)) as archive:
        yield Keeping(archive, sound, folder, random.Random(seed))
