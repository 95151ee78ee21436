"""The rows of strangers, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from metadata.catalogue import Catalogue
from metadata.errors import AlreadyExists
from metadata.identifiers import StoreId
from metadata.strangers import Stranger, StrangerDecision, StrangerKind, StrangerState
from storage.stores.memory import MemoryStore
from tests.builders.kept import keep

AT = datetime(2026, 11, 26, 8, tzinfo=UTC)
DAY = timedelta(days=1)
STORE = StoreId("kho-1")


def seen(key: str = "a", at: datetime = AT, size: int = 3) -> Stranger:
    return Stranger(STORE, key, StrangerKind.FOREIGN, size, AT, at, at)


def test_seen_twice_with_time_between_it_is_told(catalogue: Catalogue) -> None:
    rows = catalogue.strangers
    rows.saw([seen("a"), seen("b")], 10)
    rows.saw([seen("a", AT + DAY)], 10)
    assert rows.ripe(STORE, DAY, AT + DAY) == 1
    assert [(one.key, one.state) for one in rows.listed()] == [("a", StrangerState.TOLD), ("b", StrangerState.SEEN)]
    assert rows.forget(STORE, AT + DAY) == 1
    assert rows.count(STORE) == {StrangerKind.FOREIGN: 1}


def test_what_changed_is_another(catalogue: Catalogue) -> None:
    rows = catalogue.strangers
    rows.saw([seen()], 10)
    rows.vote(STORE, "a", "A", StrangerDecision.REMOVE, "x", AT)
    rows.saw([seen(at=AT + DAY, size=4)], 0)
    there = rows.get(STORE, "a")
    assert (there.size, there.first_seen, there.state, there.votes) == (4, AT + DAY, StrangerState.SEEN, ())


def test_no_more_than_there_is_room_for(catalogue: Catalogue) -> None:
    catalogue.strangers.saw([seen(f"{number:02}") for number in range(9)], 5)
    catalogue.strangers.saw([seen(f"{number:02}", AT + DAY) for number in range(9)], 0)
    assert [one.last_seen for one in catalogue.strangers.listed()] == [AT + DAY] * 5
    page = catalogue.strangers.listed(limit=2)
    assert [one.key for one in catalogue.strangers.listed(limit=2, after=(STORE, page[-1].key))] == ["02", "03"]


def test_one_person_does_not_decide_whatever_is_tried_at_once(catalogue: Catalogue) -> None:
    catalogue.strangers.saw([seen()], 10)

    def vote(_: int) -> bool:
        try:
            catalogue.strangers.vote(STORE, "a", "Đỗ Lan", StrangerDecision.REMOVE, "x", AT)
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(vote, range(12))) == 1
    there = catalogue.strangers.get(STORE, "a")
    assert (there.state, len(there.votes)) == (StrangerState.SEEN, 1)
    catalogue.strangers.vote(STORE, "a", "Minh", StrangerDecision.REMOVE, "x", AT)
    with pytest.raises(AlreadyExists):
        catalogue.strangers.vote(STORE, "a", "Hà", StrangerDecision.KEEP, "x", AT)


def test_it_is_known_where_a_version_has_a_replica(catalogue: Catalogue) -> None:
    kept = keep(catalogue, [MemoryStore(STORE)])
    other = keep(None, [MemoryStore(STORE)], "khác")
    known = catalogue.strangers.known
    assert known(STORE, [kept.id, other.id]) == {kept.id: (kept.key, True)}
    assert known(StoreId("kho-2"), [kept.id]) == {kept.id: (kept.key, False)}
    assert known(STORE, []) == {}
