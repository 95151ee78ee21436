"""The counters of what was read when always say what the rows say."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.audits import CoverageDay
from metadata.catalogue import Catalogue
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from tests.builders.holdings import NOW, STORES, a_head, register


def test_a_new_version_is_counted_in_each_store(catalogue: Catalogue) -> None:
    held = register(catalogue)
    day = NOW.date()
    wanted = [CoverageDay(store, held.version.fonds, day, 1, held.version.size) for store in sorted(STORES)]
    assert catalogue.coverage.days() == wanted
    assert catalogue.coverage.days(STORES[0], held.version.fonds) == wanted[:1]


def test_a_look_moves_it_to_its_day_and_no_look_does_not(catalogue: Catalogue) -> None:
    held = register(catalogue)
    later = NOW + timedelta(days=400)
    (lease,) = catalogue.fixity.lease_due(later, 1, timedelta(hours=1), "w")
    results = {STORES[0]: Fixity.MATCH, STORES[1]: Fixity.UNREADABLE}
    catalogue.fixity.finish(lease, results, later, later, [], a_head(2))
    days: dict[StoreId, date | None] = {one.store: one.day for one in catalogue.coverage.days()}
    assert days == {STORES[0]: later.date(), STORES[1]: NOW.date()}
    assert catalogue.coverage.days() == catalogue.coverage.recounted()
    assert len(held.replicas) == 2


_ACT = st.tuples(
    st.sampled_from(["finish", "set", "new", "lease", "forget", "back"]),
    st.integers(0, 3),
    st.integers(0, 2),
    st.sampled_from(list(Fixity)),
    st.integers(0, 40),
)
_THREE = (*STORES, StoreId("kho-3"))


def _history(catalogue: Catalogue, acts: list[tuple[str, int, int, Fixity, int]]) -> None:
    held = [register(catalogue, str(number)) for number in range(2)]
    number = 2
    for act, which, where, outcome, day in acts:
        at, store = NOW + timedelta(days=day), _THREE[where]
        version = held[which % 2].id
        number += 1
        known = {replica.store for replica in catalogue.holdings.replicas(version)}
        if act == "finish":
            for lease in catalogue.fixity.lease_due(at, 1, timedelta(hours=1), "w"):
                results = {one.store: outcome for one in lease.replicas}
                catalogue.fixity.finish(lease, results, at, at + timedelta(days=day), [], a_head(number))
        elif act == "lease":
            catalogue.fixity.lease_due(at, 1, timedelta(hours=1), "dead")
        elif act == "forget" and known - {store}:
            catalogue.placements.forget(version, store, [], a_head(number))
        elif act == "back":
            catalogue.placements.bring_back(version, store, at, [], a_head(number))
        elif act in ("set", "new"):
            catalogue.fixity.set_replica(version, store, outcome, at, at + timedelta(days=1), [], a_head(number))


def _holds(catalogue: Catalogue) -> None:
    counted = catalogue.coverage.days()
    assert counted == catalogue.coverage.recounted()
    assert all(one.replicas > 0 for one in counted)


@settings(max_examples=25, deadline=None)
@given(st.lists(_ACT, max_size=25))
def test_after_any_history_the_counters_are_those_of_the_rows(acts: list[tuple[str, int, int, Fixity, int]]) -> None:
    with TemporaryDirectory() as folder, Catalogue(f"sqlite:///{Path(folder) / 'c.sqlite'}") as catalogue:
        catalogue.upgrade()
        _history(catalogue, acts)
        _holds(catalogue)


def test_a_history_on_both_databases(catalogue: Catalogue) -> None:
    acts = [
        ("finish", 0, 0, Fixity.MATCH, 40), ("set", 1, 2, Fixity.UNREADABLE, 3), ("forget", 1, 0, Fixity.MATCH, 1),
        ("back", 1, 0, Fixity.MATCH, 9), ("finish", 0, 0, Fixity.MISSING, 30), ("set", 0, 0, Fixity.MATCH, 31),
    ]  # fmt: skip
    _history(catalogue, acts)
    _holds(catalogue)
