"""Two workers with a clock each, over the same database and the same stores: everything is done once."""

from __future__ import annotations

import signal
import time
from collections import Counter
from datetime import UTC, datetime

import pytest

from administration.archive import Archive
from metadata.audits import AuditKind, AuditState
from metadata.backups import BackupKind
from metadata.events import EventType
from metadata.outcomes import Fixity
from tests.flows.test_cli import Desk, desk, started  # noqa: F401 - a fixture
from tests.services.postgres import PostgresService, postgres_service  # noqa: F401 - a fixture

PATIENCE = 180
STORES = ("kho-a", "kho-b")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_two_clocks_make_one_backup_one_light_audit_and_one_look(
    desk: Desk,  # noqa: F811
    database: str,
    request: pytest.FixtureRequest,
) -> None:
    if database == "postgresql":
        service: PostgresService = request.getfixturevalue("postgres_service")
        with (desk.home / "tangthu.toml").open("a", encoding="utf-8") as file:
            for section in ("catalogue", "work"):
                file.write(f'\n[{section}]\nurl = "{service.new_database()}"\n')
    desk.ingest(*(desk.bag(name) for name in ("một", "hai", "ba")))
    begun = datetime.now(UTC)
    with Archive.open(desk.home) as archive:
        versions = [version.id for version in archive.catalogue.holdings.every_version()]
        for version in versions:
            for replica in archive.catalogue.holdings.replicas(version):
                assert archive.catalogue.fixity.hasten(version, replica.store, begun)
        with started(desk, "worker") as one, started(desk, "worker") as other:
            end = time.monotonic() + PATIENCE
            while not _all_done(archive, begun):
                assert time.monotonic() < end
                assert one.poll() is None and other.poll() is None
                time.sleep(0.5)
            time.sleep(2)  # for what should not come
            for process in (one, other):
                process.send_signal(signal.SIGTERM)
            ends = [process.communicate(timeout=60)[1] for process in (one, other)]
        assert ([one.returncode, other.returncode], ends) == ([0, 0], ["", ""])
        assert [backup.kind for backup in archive.backups.listed()] == [BackupKind.FULL]
        light = [one for one in archive.catalogue.audits.latest() if one.kind is AuditKind.LIGHT]
        assert sorted((one.store.value, one.state, one.unread) for one in light) == [
            (store, AuditState.DONE, 0) for store in STORES
        ]
        looks = Counter(
            (event.version, event.store.value)
            for version in versions
            for event in archive.catalogue.events.of(version)
            if event.type is EventType.FIXITY_CHECK and event.at >= begun and event.store
        )
        assert looks == {(version, store): 1 for version in versions for store in STORES}
        replicas = [one for version in versions for one in archive.catalogue.holdings.replicas(version)]
        assert {one.outcome for one in replicas} == {Fixity.MATCH}
        assert archive.catalogue.incidents.listed() == []
    assert desk.ask("audit", "--all")["replicas"] == {"MATCH": 6}


def _all_done(archive: Archive, begun: datetime) -> bool:
    catalogue = archive.catalogue
    light = [one for one in catalogue.audits.latest() if one.kind is AuditKind.LIGHT]
    replicas = [
        one for version in catalogue.holdings.every_version() for one in catalogue.holdings.replicas(version.id)
    ]
    return (
        len(archive.backups.listed()) > 0
        and [one.state for one in light] == [AuditState.DONE] * len(STORES)
        and all(one.checked is not None and one.checked >= begun for one in replicas)
    )
