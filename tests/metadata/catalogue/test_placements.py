"""Where versions lie: few sets, kept with each replica that comes or goes, and filled for what was held before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from metadata.catalogue import Catalogue
from metadata.catalogue.database import Database
from metadata.catalogue.migrate import upgrade
from metadata.catalogue.placements import Placement
from metadata.catalogue.rows import record_row, replica_row, version_row
from metadata.catalogue.schema import aip_version, record, replica
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from tests.builders.holdings import NOW, a_head, a_version, an_event, records, register, replicas

HOUR = timedelta(hours=1)


def test_versions_are_found_by_the_set_of_their_stores(catalogue: Catalogue) -> None:
    held = [register(catalogue, name) for name in "abc"]
    (place,) = catalogue.placements.sets()
    assert place.stores == tuple(replica.store for replica in held[0].replicas)
    found = catalogue.placements.versions(place)
    assert {one.version for one in found} == {one.id for one in held}
    assert [one.row for one in found] == sorted(one.row for one in found)
    assert catalogue.placements.versions(place, after=found[0].row, limit=1) == found[1:2]
    assert catalogue.placements.amount([place]) == (3, sum(one.version.size for one in held))
    nowhere = Placement(place.fonds, place.access, (StoreId("kho-xa"),))
    assert catalogue.placements.amount([nowhere]) == (0, 0)


def test_a_replica_that_comes_moves_its_version_to_another_set(catalogue: Catalogue) -> None:
    one, other = register(catalogue, "a"), register(catalogue, "b")
    new = StoreId("kho-moi")
    event = an_event(one.id, "nhân bản")
    catalogue.fixity.set_replica(one.id, new, Fixity.MATCH, NOW, NOW + HOUR, [event], a_head(2))
    before = tuple(replica.store for replica in other.replicas)
    assert sorted(place.stores for place in catalogue.placements.sets()) == sorted(
        [before, tuple(sorted([*before, new]))]
    )
    found = catalogue.placements.of(one.id)
    assert found is not None and new in found.stores
    assert [each.version for each in catalogue.placements.versions(found)] == [one.id]


def test_a_replica_is_forgotten_and_comes_back_unlooked_at(catalogue: Catalogue) -> None:
    held = register(catalogue, "a")
    first, second = (replica.store for replica in held.replicas)
    assert catalogue.placements.forget(held.id, first, [an_event(held.id, "rút")], a_head(2))
    assert not catalogue.placements.forget(held.id, first, [], a_head(2))
    assert [replica.store for replica in catalogue.holdings.replicas(held.id)] == [second]
    assert [place.stores for place in catalogue.placements.sets()] == [(second,)]
    with pytest.raises(ValueError, match="no replica but"):
        catalogue.placements.forget(held.id, second, [], a_head(2))
    assert catalogue.placements.bring_back(held.id, first, NOW + HOUR, [an_event(held.id, "trở lại")], a_head(3))
    assert not catalogue.placements.bring_back(held.id, first, NOW, [], a_head(3))
    back = catalogue.holdings.replicas(held.id)[0]
    assert (back.store, back.outcome, back.checked, back.due) == (first, Fixity.NOT_CHECKED, None, NOW + HOUR)
    assert [event.note for event in catalogue.events.of(held.id)][-2:] == ["rút", "trở lại"]


def test_fonds_and_access_levels_are_sets_of_their_own(catalogue: Catalogue) -> None:
    held = register(catalogue, "a")
    (place,) = catalogue.placements.sets()
    record = next(catalogue.holdings.records(held.id))
    assert (place.fonds, place.access) == (held.version.fonds, record.access)


def test_what_was_held_before_has_its_place(empty_url: str) -> None:
    database = Database(empty_url)
    upgrade(database, "0003")
    with database.write() as connection:
        for name, described in (("a", True), ("b", False)):
            version = a_version(name)
            connection.execute(insert(aip_version), [version_row(version, document_count=0)])
            database.insert(connection, replica, map(replica_row, reversed(replicas(version.id))))
            if described:
                database.insert(connection, record, (record_row(version.id.row, one) for one in records()))
    upgrade(database)
    database.close()
    with Catalogue(empty_url) as catalogue:
        stores = tuple(sorted(one.store for one in replicas(a_version("a").id)))
        fonds, access = a_version("a").fonds, records()[0].access
        assert catalogue.placements.sets() == [Placement(fonds, "", stores), Placement(fonds, access, stores)]
