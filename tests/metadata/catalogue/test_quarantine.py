"""Records of quarantined packages: two different people decide, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from metadata.catalogue import Catalogue
from metadata.catalogue.quarantine import Decision, QuarantinedPackage, QuarantineState
from metadata.errors import AlreadyExists, NotFound, TangThuError, UsageError
from metadata.identifiers import AgencyCode, FondsCode, ObjId

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
PACKAGE = QuarantinedPackage(
    "Q-1", AgencyCode("H20.01"), ObjId("urn:uuid-1"), "Hồ sơ đất đai", b"\1" * 32, "hồ sơ.zip",
    None, FondsCode("F1"), NOW, "ClamAV 1.4.6", "{}",
)  # fmt: skip
RELEASE, DISCARD = Decision.RELEASE, Decision.DISCARD


@pytest.fixture
def held(catalogue: Catalogue) -> Catalogue:
    catalogue.quarantine.hold(PACKAGE)
    return catalogue


def test_what_is_held_is_given_back_and_stays_as_it_was_first(held: Catalogue) -> None:
    assert held.quarantine.get("Q-1") == PACKAGE
    assert held.quarantine.hold(replace(PACKAGE, title="other", since=NOW + timedelta(1))) == PACKAGE
    assert held.quarantine.find("Q-2") is None
    with pytest.raises(NotFound):
        held.quarantine.get("Q-2")


def test_two_people_release(held: Catalogue) -> None:
    first = held.quarantine.vote("Q-1", "  Nguyễn Văn A ", RELEASE, "Báo nhầm", NOW)
    assert (first.state, [vote.person for vote in first.votes]) == (QuarantineState.HELD, ["Nguyễn Văn A"])
    assert held.quarantine.waiting() == 1
    both = held.quarantine.vote("Q-1", "Trần Thị B", RELEASE, "Đồng ý", NOW + timedelta(seconds=1))
    assert both.state is QuarantineState.RELEASING
    assert [(vote.person, vote.reason) for vote in both.votes] == [
        ("Nguyễn Văn A", "Báo nhầm"),
        ("Trần Thị B", "Đồng ý"),
    ]
    assert [one.id for one in held.quarantine.decided()] == ["Q-1"]
    held.quarantine.released("Q-1", "aip-1", NOW + timedelta(hours=1))
    over = held.quarantine.get("Q-1")
    assert (over.state, over.aip, over.ended) == (QuarantineState.RELEASED, "aip-1", NOW + timedelta(hours=1))
    assert (held.quarantine.packages(), held.quarantine.waiting()) == ([], 0)
    assert held.quarantine.packages(over=True) == [over]


@pytest.mark.parametrize("same", ["Nguyễn Văn A", "nguyễn  văn a", " NGUYỄN VĂN A.", "Nguyen Van A", "Nguyễn Văn A"])
def test_the_same_person_twice_is_refused(held: Catalogue, same: str) -> None:
    held.quarantine.vote("Q-1", "Nguyễn Văn A", RELEASE, "Báo nhầm", NOW)
    for decision in Decision:
        with pytest.raises(AlreadyExists):
            held.quarantine.vote("Q-1", same, decision, "Đồng ý", NOW)
    assert held.quarantine.get("Q-1").state is QuarantineState.HELD
    assert len(held.quarantine.get("Q-1").votes) == 1


def test_two_who_disagree_need_a_third(held: Catalogue) -> None:
    held.quarantine.vote("Q-1", "A", RELEASE, "Báo nhầm", NOW)
    assert held.quarantine.vote("Q-1", "B", DISCARD, "Nguy hiểm", NOW).state is QuarantineState.HELD
    assert held.quarantine.vote("Q-1", "C", DISCARD, "Đúng", NOW).state is QuarantineState.DISCARDING
    held.quarantine.discarded("Q-1", NOW)
    assert held.quarantine.get("Q-1").state is QuarantineState.DISCARDED


def test_what_is_decided_is_decided(held: Catalogue) -> None:
    for person in ("A", "B"):
        held.quarantine.vote("Q-1", person, DISCARD, "x", NOW)
    for decision in Decision:
        with pytest.raises(AlreadyExists):
            held.quarantine.vote("Q-1", "C", decision, "x", NOW)


@pytest.mark.parametrize(("person", "reason"), [("", "x"), (" \t", "x"), ("...", "x"), ("A", ""), ("A", " \n ")])
def test_a_name_and_a_reason_are_needed(held: Catalogue, person: str, reason: str) -> None:
    with pytest.raises(UsageError):
        held.quarantine.vote("Q-1", person, RELEASE, reason, NOW)


def test_nobody_decides_on_what_is_not_there(held: Catalogue) -> None:
    with pytest.raises(NotFound):
        held.quarantine.vote("Q-2", "A", RELEASE, "x", NOW)


def test_many_at_once_decide_once(held: Catalogue) -> None:
    def vote(number: int) -> bool:
        try:
            return held.quarantine.vote("Q-1", f"P {number}", RELEASE, "x", NOW).state is QuarantineState.RELEASING
        except TangThuError:
            return False

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(vote, range(12))) == 1
    assert len(held.quarantine.get("Q-1").votes) == 2


def test_a_new_round_begins_without_votes(held: Catalogue) -> None:
    for person in ("A", "B"):
        held.quarantine.vote("Q-1", person, RELEASE, "x", NOW)
    again = held.quarantine.hold_again("Q-1", '{"more":1}', "ClamAV 1.5")
    assert (again.state, again.votes, again.receipt, again.scanner) == (
        QuarantineState.HELD, (), '{"more":1}', "ClamAV 1.5",
    )  # fmt: skip
    assert held.quarantine.vote("Q-1", "A", DISCARD, "x", NOW).votes[0].decision is DISCARD
