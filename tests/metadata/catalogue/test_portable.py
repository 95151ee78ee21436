"""Rows on their way out of a catalogue and into another, of the other kind too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from metadata.catalogue import Catalogue
from metadata.catalogue.portable import LEFT_OUT, Line, columns_of
from metadata.catalogue.schema import metadata
from metadata.events import Event, EventType, LogHead
from metadata.identifiers import StoreId
from storage.stores.memory import MemoryStore
from tests.builders.kept import AGENT, NOW, keep
from tests.metadata.catalogue.test_quarantine import PACKAGE

STORES = [MemoryStore(StoreId("kho-1")), MemoryStore(StoreId("kho-2"))]


def sections(lines: Sequence[Line]) -> Iterator[tuple[str, Sequence[str], Iterator[Sequence[Any]]]]:
    """As a backup gives them back: after JSON."""
    for name, group in groupby(lines, key=lambda line: line.section):
        yield name, columns_of(name), (json.loads(json.dumps(list(line.values))) for line in group)


def states(lines: Sequence[Line]) -> list[tuple[int, str | None]]:
    return [(line.values[0], line.values[1]) for line in lines if line.section == "state"]


@pytest.fixture
def other(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Catalogue]:
    """A catalogue of the other kind, with something in it."""
    made = f"sqlite:///{tmp_path / 'khác.sqlite'}"
    if kind == "sqlite":
        made = request.getfixturevalue("postgres_url")
    with Catalogue(made) as catalogue:
        catalogue.upgrade()
        keep(catalogue, STORES, "thứ khác")
        yield catalogue


def whole(catalogue: Catalogue) -> list[Line]:
    return list(catalogue.portable.export())


def test_everything_goes_from_one_kind_of_database_into_the_other(catalogue: Catalogue, other: Catalogue) -> None:
    for name in "abc":
        keep(catalogue, STORES, name)
    lines = whole(catalogue)
    assert other.portable.load(sections(lines), full=True) == len([one for one in lines if one.section != "state"])
    assert list(other.dump()) == list(catalogue.dump())
    assert whole(other) == lines
    assert other.fixity.lease_due(NOW + timedelta(days=1000), 10, timedelta(1), "w")
    keep(other, STORES, "mới")
    assert other.outbox.pending(9)


def test_what_changed_goes_on_top(catalogue: Catalogue, other: Catalogue) -> None:
    kept = [keep(catalogue, STORES, name) for name in "abc"]
    first = whole(catalogue)
    other.portable.load(sections(first), full=True)
    late = Event(Event.derive(kept[1].id, "x"), kept[1].id, EventType.VALIDATION, NOW, "", "success", "", AGENT)
    catalogue.events.append(kept[1].id, [late], LogHead(2, b"2" * 32))
    new = keep(catalogue, STORES, "d")
    second = list(catalogue.portable.export(states(first)))
    assert {state[0] for state in states(second)} == {kept[1].id.row, new.id.row}
    assert {line.values[0] for line in second if line.section == "member"} == {kept[1].id.row, new.id.row}
    other.portable.load(sections(second), full=False)
    assert list(other.dump()) == list(catalogue.dump())
    assert list(catalogue.portable.export(list(catalogue.portable.states()))) == [
        line for line in second if line.section not in {"state", *VERSIONED}
    ]


VERSIONED = {table.name for table in metadata.sorted_tables if "version" in table.primary_key.columns}


def test_what_is_held_no_more_goes(catalogue: Catalogue, other: Catalogue) -> None:
    keep(catalogue, STORES, "a")
    first = whole(other)
    second = list(catalogue.portable.export(states(first)))
    other.portable.load(sections(second), full=False)
    assert list(other.dump()) == list(catalogue.dump())


def test_small_tables_are_told_whole(catalogue: Catalogue, other: Catalogue) -> None:
    package = PACKAGE
    catalogue.quarantine.hold(package)
    other.quarantine.hold(replace(package, id="q-khác"))
    second = list(catalogue.portable.export(list(other.portable.states())))
    other.portable.load(sections(second), full=False)
    assert other.quarantine.find(package.id) == package
    assert other.quarantine.find("q-khác") is None


def test_every_table_is_either_told_or_left_out() -> None:
    from metadata.catalogue.portable import GROWING, OF_VERSIONS, WHOLE

    told = [*OF_VERSIONS, *GROWING, *WHOLE]
    assert {table.name for table in told} | LEFT_OUT == {table.name for table in metadata.sorted_tables}
    assert len({table.name for table in told}) == len(told)


def test_a_table_of_another_release_is_refused_and_nothing_is_kept(catalogue: Catalogue) -> None:
    keep(catalogue, STORES, "a")
    before = list(catalogue.dump())
    with pytest.raises(ValueError, match="knows no table"):
        catalogue.portable.load([("sao", ("x",), iter([(1,)]))], full=True)
    assert list(catalogue.dump()) == before


def test_states_are_by_version(catalogue: Catalogue) -> None:
    for number in range(5):
        keep(catalogue, STORES, str(number), documents=1)
    versions = [version for version, _ in catalogue.portable.states()]
    assert versions == sorted(versions)
    assert catalogue.portable.counts() == (5, 0)
