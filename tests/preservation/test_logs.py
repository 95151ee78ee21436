"""The logs beside the AIPs stay whole in every store, whatever breaks off, and a light look sees where they are not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from metadata.catalogue import Catalogue
from metadata.errors import StoreUnavailable
from metadata.identifiers import ArchiveCode, StoreId
from metadata.outcomes import Fixity
from preservation.audit import Auditor
from preservation.checks import Schedule
from preservation.life import restore_log
from storage.keys import log_key, log_prefix
from storage.log import read_log
from storage.media import gather, seal
from storage.port import Store
from storage.stores.directory import DirectoryStore
from storage.stores.memory import MemoryStore
from storage.wrappers import Call, Fault, FaultStore
from tests.builders.kept import AGENT, PERIOD, Clock, Kept, keep, replace

FIRST = StoreId("kho-1")


def _auditor(catalogue: Catalogue, stores: list[Store], clock: Clock) -> Auditor:
    return Auditor(catalogue, {store.id: store for store in stores}, clock, AGENT, Schedule(PERIOD))


def _grown(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, name: str = "a") -> Kept:
    """An AIP whose log has five objects."""
    kept = keep(catalogue, stores, name)
    for _ in range(4):
        clock.forward()
        _auditor(catalogue, [*stores], clock).audit(kept.id)
    return kept


def _listed(store: Store, kept: Kept) -> list[str]:
    return [info.key[-11:-5] for info in store.list(log_prefix(kept.key))]


def _nothing(store: Store, kept: Kept) -> None:
    for info in list(store.list(log_prefix(kept.key))):
        store.delete(info.key)


def _short(store: Store, kept: Kept) -> None:
    for number in (4, 5):
        store.delete(log_key(kept.key, number))


def _holed(store: Store, kept: Kept) -> None:
    for number in (1, 3):
        store.delete(log_key(kept.key, number))


harms = pytest.mark.parametrize("harm", [_nothing, _short, _holed])


@pytest.mark.parametrize("puts", range(5))
def test_a_restore_that_breaks_off_leaves_no_hole_and_the_next_look_goes_on(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, puts: int
) -> None:
    kept = _grown(catalogue, stores, clock)
    head = catalogue.events.head(kept.id)
    assert head is not None and head.number == 5
    _nothing(stores[1], kept)
    done: list[str] = []

    def plan(call: Call) -> Fault | None:
        if call.operation == "put":
            done.append(call.key)
        return Fault.BEFORE if len(done) > puts else None

    with pytest.raises(StoreUnavailable):
        restore_log([stores[0], FaultStore(stores[1], plan)], kept.key, head)
    assert _listed(stores[1], kept) == [f"{number:06d}" for number in range(1, puts + 1)]
    clock.forward()
    _auditor(catalogue, [*stores], clock).audit(kept.id)
    assert list(read_log(stores[1], kept.key)) == list(read_log(stores[0], kept.key))


def test_what_does_not_belong_into_a_log_is_replaced_by_the_next_look(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = _grown(catalogue, stores, clock)
    replace(stores[1], log_key(kept.key, 6), b"{}")
    clock.forward()
    audit = _auditor(catalogue, [*stores], clock).audit(kept.id)
    assert [check.outcome for check in audit.checks] == [Fixity.MATCH] * 2
    assert list(read_log(stores[1], kept.key)) == list(read_log(stores[0], kept.key))


def test_a_closed_medium_is_audited_and_its_log_ends_when_it_was_closed(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, tmp_path: Path
) -> None:
    medium = DirectoryStore(StoreId("bang-1"), tmp_path / "medium", "Băng 1", offline=True)
    medium.create(ArchiveCode("LT-DT"))
    kept = keep(catalogue, [*stores, medium])  # type: ignore[list-item]
    gather(medium, stores)
    seal(medium, "Băng 1", datetime(2026, 4, 1, tzinfo=UTC))
    for _ in range(2):
        clock.forward()
        report = _auditor(catalogue, [*stores, medium], clock).audit_batch(5)
        assert (report.replicas, report.postponed, report.failed) == ({Fixity.MATCH: 3}, 0, [])
    assert _listed(medium, kept) == ["000001"]
    assert _listed(stores[0], kept) == ["000001", "000002", "000003"]
