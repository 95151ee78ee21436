"""What the catalogue keeps of stores: states, and what probes found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from metadata.catalogue import Catalogue
from metadata.identifiers import StoreId
from metadata.stores import Ability, Found, Probe, StoreRecord, StoreState

AT = datetime(2026, 11, 26, tzinfo=UTC)
LATER = AT + timedelta(days=1)
A, B = StoreId("kho-a"), StoreId("kho-b")


def test_states_and_probes(catalogue: Catalogue) -> None:
    stores = catalogue.stores
    assert stores.records() == {}
    found = Probe(AT, {Ability.RANGES: Found.YES, Ability.OBJECT_LOCK: Found.UNKNOWN}, {Ability.RANGES: "ghi chú"}, "x")
    stores.set_probe(A, found)
    stores.set_state(B, StoreState.DRAINING, AT)
    stores.set_state(B, StoreState.DRAINING, LATER)
    assert stores.records() == {
        A: StoreRecord(A, StoreState.ACTIVE, AT, found),
        B: StoreRecord(B, StoreState.DRAINING, AT),
    }
    stores.set_state(A, StoreState.RETIRED, LATER)
    newer = Probe(LATER, {Ability.RANGES: Found.NO})
    stores.set_probe(A, newer)
    assert stores.records()[A] == StoreRecord(A, StoreState.RETIRED, LATER, newer)
