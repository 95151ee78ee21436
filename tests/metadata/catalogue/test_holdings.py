from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from metadata.catalogue import Catalogue, ClaimLost, Counts, Holder
from metadata.errors import AlreadyExists
from metadata.holdings import Level
from metadata.identifiers import AgencyCode, FondsCode, ObjId
from metadata.outcomes import Fixity, SignatureOutcome, Validity, Virus
from tests.builders.holdings import (
    NOW,
    RECEIPT,
    STORES,
    a_head,
    a_record,
    a_version,
    an_event,
    ingest_events,
    members,
    records,
    register,
    replicas,
)


def test_what_is_registered_comes_back_equal(catalogue: Catalogue) -> None:
    held = register(catalogue)
    assert catalogue.holdings.version(held.id) == held.version
    assert list(catalogue.holdings.members(held.id)) == held.members
    assert list(catalogue.holdings.records(held.id)) == held.records
    assert catalogue.holdings.replicas(held.id) == held.replicas
    assert catalogue.holdings.receipt(held.id) == RECEIPT
    assert catalogue.events.of(held.id) == held.events
    assert catalogue.events.head(held.id) == a_head(1)


def test_fields_keep_their_order(catalogue: Catalogue) -> None:
    held = register(catalogue)
    dossier = catalogue.holdings.dossier(held.id)
    assert dossier is not None
    assert dossier.level is Level.DOSSIER
    assert list(dossier.fields) == ["zeta", "alpha", "Đơn vị"]


def test_nothing_is_found_of_what_is_not_held(catalogue: Catalogue) -> None:
    absent = a_version("vắng").id
    holdings = catalogue.holdings
    assert (holdings.version(absent), holdings.receipt(absent), holdings.dossier(absent)) == (None, None, None)
    assert (holdings.document(absent, 1), holdings.member(absent, "data/x")) == (None, None)
    assert (list(holdings.members(absent)), list(holdings.records(absent)), holdings.replicas(absent)) == ([], [], [])
    assert holdings.find(AgencyCode("H20.05"), ObjId("urn:uuid:vắng")) is None
    assert catalogue.events.head(absent) is None


def test_a_version_is_registered_once(catalogue: Catalogue) -> None:
    held = register(catalogue)
    before = list(catalogue.dump())
    with pytest.raises(AlreadyExists) as error:
        register(catalogue)
    assert str(held.id) in error.value.sentence.vi
    assert list(catalogue.dump()) == before


def test_find_gives_the_latest_version(catalogue: Catalogue) -> None:
    register(catalogue, number=1)
    second = register(catalogue, number=2)
    assert catalogue.holdings.find(second.version.agency, second.version.objid) == second.version


def test_a_failure_midway_leaves_nothing(catalogue: Catalogue) -> None:
    version = a_version()

    def broken():
        yield from members(6000)
        raise KeyError("hết giấy")

    with pytest.raises(KeyError, match="hết giấy"):
        catalogue.holdings.register(
            version, broken(), records(), replicas(version.id), ingest_events(version.id), RECEIPT, a_head(1)
        )
    assert list(catalogue.dump()) == []
    assert catalogue.outbox.pending() == []
    assert catalogue.fixity.lease_due(NOW + timedelta(days=1000), 10, timedelta(hours=1), "w") == []
    assert register(catalogue).version == version


@pytest.mark.parametrize(
    "what", ["members twice", "records twice", "no replica", "alien replica", "alien event", "surrogate", "too large"]
)
def test_rows_that_contradict_each_other_are_refused_whole(catalogue: Catalogue, what: str) -> None:
    version, other = a_version(), a_version("khác").id
    rows, papers = list(members(3)), records()
    copies, events = replicas(version.id), ingest_events(version.id)
    if what == "members twice":
        rows += rows[-1:]
    elif what == "records twice":
        papers += papers[-1:]
    elif what == "no replica":
        copies = []
    elif what == "alien replica":
        copies = replicas(other)
    elif what == "alien event":
        events += ingest_events(other)
    elif what == "surrogate":
        papers = [replace(papers[0], title="nửa \ud800")]
    elif what == "too large":
        papers = [replace(papers[0], pages=2**70)]
    with pytest.raises(ValueError, match=r"."):
        catalogue.holdings.register(version, rows, papers, copies, events, RECEIPT, a_head(1))
    assert list(catalogue.dump()) == []


def test_a_naive_datetime_is_refused(catalogue: Catalogue) -> None:
    with pytest.raises(ValueError, match="naive"):
        register(catalogue, due=NOW.replace(tzinfo=None))


def test_a_member_is_found_by_path_and_by_number(catalogue: Catalogue) -> None:
    held = register(catalogue)
    register(catalogue, "khác")
    third = held.members[2]
    assert catalogue.holdings.member(held.id, third.path) == third
    assert catalogue.holdings.member(held.id, third.path.replace("3", "33")) is None
    assert catalogue.holdings.member_numbered(held.id, 3) == third
    assert catalogue.holdings.member_numbered(held.id, 6) is None


def test_a_document_brings_its_members_in_its_own_order(catalogue: Catalogue) -> None:
    held = register(catalogue)
    document = catalogue.holdings.document(held.id, 1)
    assert document is not None
    assert document.record == held.records[1]
    assert document.members == (held.members[2], held.members[0])
    assert catalogue.holdings.document(held.id, 3) is None


def test_a_member_knows_its_documents(catalogue: Catalogue) -> None:
    version = a_version()
    papers = [a_record(0), a_record(1, (1, 2)), a_record(2, (2, 2))]
    catalogue.holdings.register(
        version, members(3), papers, replicas(version.id), ingest_events(version.id), RECEIPT, a_head(1)
    )
    assert [catalogue.holdings.documents_of(version.id, number) for number in (1, 2, 3)] == [(1,), (1, 2), ()]


@pytest.mark.parametrize(
    ("first", "limit", "expected"), [(0, 2, [0, 1]), (2, 2, [2, 3]), (1, None, list(range(1, 1203))), (1202, 5, [1202])]
)
def test_records_come_in_pages(catalogue: Catalogue, first: int, limit: int | None, expected: list[int]) -> None:
    version = a_version()
    papers = (a_record(number, (1,)) for number in range(1203))
    catalogue.holdings.register(
        version, members(1), papers, replicas(version.id), ingest_events(version.id), RECEIPT, a_head(1)
    )
    found = list(catalogue.holdings.records(version.id, first, limit))
    assert [one.number for one in found] == expected
    assert {one.members for one in found} == {(1,)}


def test_many_members_come_back_in_order(catalogue: Catalogue) -> None:
    version = a_version()
    catalogue.holdings.register(
        version, members(12_001), [], replicas(version.id), ingest_events(version.id), RECEIPT, a_head(1)
    )
    assert all(one == other for one, other in zip(catalogue.holdings.members(version.id), members(12_001), strict=True))


def test_versions_are_listed_newest_first_in_pages(catalogue: Catalogue) -> None:
    # Four of seven made in the same microsecond: the page must not lose or repeat any.
    held = [register(catalogue, str(place), created=NOW + timedelta(seconds=max(0, place - 3))) for place in range(7)]
    pages, last = [], None
    while page := catalogue.holdings.versions(2, last):
        pages.append(page)
        last = page[-1]
    listed = [one for page in pages for one in page]
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert listed == sorted((one.version for one in held), key=lambda one: (one.created, one.id.row), reverse=True)


def test_versions_are_listed_of_one_agency_and_fonds(catalogue: Catalogue) -> None:
    first = register(catalogue)
    moved = replace(a_version("khác"), fonds=FondsCode("P02"))
    catalogue.holdings.register(moved, members(1), [], replicas(moved.id), ingest_events(moved.id), RECEIPT, a_head(1))
    listed = catalogue.holdings.versions
    assert listed(agency=AgencyCode("H20.05"), fonds=FondsCode("P02")) == [moved]
    assert listed(fonds=FondsCode("P01")) == [first.version]
    assert listed(agency=AgencyCode("H20")) == []
    assert catalogue.holdings.holders() == [
        Holder(AgencyCode("H20.05"), FondsCode("P01"), 1),
        Holder(AgencyCode("H20.05"), FondsCode("P02"), 1),
    ]


def test_every_version_comes_once(catalogue: Catalogue) -> None:
    held = {register(catalogue, str(place)).version for place in range(3)}
    found = list(catalogue.holdings.every_version())
    assert len(found) == 3
    assert set(found) == held


def test_counts(catalogue: Catalogue) -> None:
    none = dict.fromkeys(Fixity, 0)
    assert catalogue.holdings.counts() == Counts(0, 0, 0, 0, 0, 0, none)
    register(catalogue, number=1)
    register(catalogue, number=2)
    held = register(catalogue, "khác")
    catalogue.fixity.set_replica(held.id, STORES[0], Fixity.MISSING, NOW, NOW, [], a_head(2))
    assert catalogue.holdings.counts() == Counts(
        2, 3, 6, 15, 300_000, 370_368, none | {Fixity.MATCH: 5, Fixity.MISSING: 1}
    )


def test_outcomes_of_checks_are_summed_over_all_versions(catalogue: Catalogue) -> None:
    nothing = catalogue.holdings.check_counts()
    assert {*nothing.virus.values(), *nothing.validity.values(), *nothing.signature.values()} == {0}
    register(catalogue)
    register(catalogue, "khác")
    found = catalogue.holdings.check_counts()
    assert found.virus == {Virus.CLEAN: 4, Virus.INFECTED: 0, Virus.NOT_SCANNED: 4}
    assert {key: count for key, count in found.validity.items() if count} == {
        Validity.VALID_WITH_NOTES: 2,
        Validity.NOT_CHECKED: 4,
    }
    assert {key: count for key, count in found.signature.items() if count} == {SignatureOutcome.INVALID: 2}
    one = catalogue.holdings.check_counts(a_version().id)
    assert (one.virus[Virus.CLEAN], one.signature[SignatureOutcome.INVALID]) == (2, 1)
    assert not any(catalogue.holdings.check_counts(a_version("vắng").id).virus.values())


def test_what_else_an_event_is_about_comes_back(catalogue: Catalogue) -> None:
    version = a_version()
    links = (("File", f"{version.id}/data/Công văn.pdf"), ("member", 'data/"\x00\ud800'))
    told = [replace(an_event(version.id, "ký số"), links=links), *ingest_events(version.id)]
    catalogue.holdings.register(version, members(1), [], replicas(version.id), told, RECEIPT, a_head(1))
    assert catalogue.events.of(version.id) == told


def test_registering_ends_the_claim_and_wants_it(catalogue: Catalogue) -> None:
    version = a_version()
    claim = catalogue.intake.claim(version.agency, version.objid, "w", NOW, timedelta(seconds=60))
    rows = members(1), [], replicas(version.id), ingest_events(version.id), RECEIPT, a_head(1)
    with pytest.raises(ClaimLost):
        catalogue.holdings.register(version, *rows, replace(claim, token=claim.token ^ 1))
    assert catalogue.holdings.version(version.id) is None
    assert len(catalogue.intake.open()) == 1
    catalogue.holdings.register(version, *rows, claim)
    assert catalogue.holdings.version(version.id) == version
    assert catalogue.intake.open() == []
