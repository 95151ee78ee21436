from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from metadata.catalogue import Catalogue
from metadata.catalogue.statistics import DatabaseCheck, FondsCount, ReplicaCount
from metadata.holdings import PackageType
from metadata.identifiers import FondsCode, StoreId
from metadata.incidents import Incident, IncidentKind, IncidentState
from metadata.outcomes import Fixity
from metadata.text import Sentence
from tests.builders.holdings import NOW, RECEIPT, a_head, a_version, ingest_events, members, records, register, replicas

YEAR, NEXT = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def put(catalogue: Catalogue, name: str, **changes: object) -> None:
    version = replace(a_version(name), **changes)  # type: ignore[arg-type]
    catalogue.holdings.register(
        version, members(5), records(), replicas(version.id), ingest_events(version.id), RECEIPT, a_head(1)
    )


def test_an_empty_archive_has_empty_statistics(catalogue: Catalogue) -> None:
    sums = catalogue.statistics
    assert (sums.fonds(YEAR, NEXT), sums.replicas(YEAR, NEXT)) == ([], [])
    assert (sums.formats(NEXT), sums.incidents(YEAR, NEXT)) == ({}, {})


def test_holdings_by_fonds_count_the_newest_version_and_what_came_in_the_period(catalogue: Catalogue) -> None:
    register(catalogue, "cũ", created=YEAR - timedelta(days=1))
    register(catalogue, "cũ", 2, created=NOW)
    register(catalogue, "mới", created=NOW)
    put(catalogue, "lẻ", fonds=FondsCode("P02"), package_type=PackageType.AIP_TAILIEU, created=NOW)
    register(catalogue, "sau", created=NEXT)
    assert catalogue.statistics.fonds(YEAR, NEXT) == [
        FondsCount(FondsCode("P01"), 2, 0, 4, 10, 200_000, 1, 0, 2, 5, 100_000),
        FondsCount(FondsCode("P02"), 0, 1, 2, 5, 100_000, 0, 1, 2, 5, 100_000),
    ]
    assert [one.dossiers for one in catalogue.statistics.fonds(NEXT, NEXT + timedelta(days=1))] == [3, 0]


def test_replicas_by_store_outcome_and_time_of_the_last_look(catalogue: Catalogue) -> None:
    held = register(catalogue, "một")
    register(catalogue, "hai")
    lease = catalogue.fixity.lease_version(held.id, NOW, timedelta(minutes=1), "w")
    looked = NOW + timedelta(days=1)
    results = {StoreId("kho-1"): Fixity.MISSING}
    catalogue.fixity.finish(lease, results, looked, looked, [], a_head(2))
    kho_1, kho_2 = StoreId("kho-1"), StoreId("kho-2")
    assert catalogue.statistics.replicas(NOW, NOW + timedelta(hours=1)) == [
        ReplicaCount(kho_1, Fixity.MATCH, "within", 1, 123_456),
        ReplicaCount(kho_1, Fixity.MISSING, "after", 1, 123_456),
        ReplicaCount(kho_2, Fixity.MATCH, "within", 2, 246_912),
    ]
    assert {one.when for one in catalogue.statistics.replicas(NEXT, NEXT)} == {"before"}


def test_formats_are_counted_by_content_file(catalogue: Catalogue) -> None:
    register(catalogue, "một")
    register(catalogue, "hai")
    held = [one for name in ("một", "hai") for one in catalogue.holdings.members(a_version(name).id)]
    known = sum(str(one.format and one.format.puid) == "fmt/354" for one in held)
    unknown = sum(one.format is not None and one.format.puid is None for one in held)
    assert catalogue.statistics.formats(NEXT) == {"": unknown, "fmt/354": known}
    assert catalogue.statistics.formats(YEAR) == {}


def test_incidents_of_a_period_by_kind_and_state(catalogue: Catalogue) -> None:
    for number, kind in enumerate((IncidentKind.DAMAGE, IncidentKind.DAMAGE, IncidentKind.STORE_AWAY)):
        catalogue.incidents.put(Incident(str(number), kind, str(number), NOW, Sentence("a", "b")))
    catalogue.incidents.close("1", NOW, "x", "y", "z")
    assert catalogue.statistics.incidents(YEAR, NEXT) == {
        (IncidentKind.DAMAGE, IncidentState.CLOSED): 1,
        (IncidentKind.DAMAGE, IncidentState.OPEN): 1,
        (IncidentKind.STORE_AWAY, IncidentState.OPEN): 1,
    }
    assert catalogue.statistics.incidents(NEXT, NEXT + timedelta(days=1)) == {}


def test_the_database_says_whether_it_is_sound(catalogue: Catalogue, kind: str) -> None:
    register(catalogue)
    pages, *rows = catalogue.statistics.check_database()
    assert pages.name == "pages" and pages.wrong == (0 if kind == "sqlite" else pages.wrong)
    assert rows == [DatabaseCheck(name, 0) for name in ("replicas", "log", "receipt")]
