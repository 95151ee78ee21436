"""The rows of incidents, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from metadata.catalogue import Catalogue
from metadata.errors import NotFound
from metadata.identifiers import StoreId
from metadata.incidents import Incident, IncidentKind, IncidentState
from metadata.text import Sentence

AT = datetime(2026, 11, 26, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def incident(id: str = "damage-1", subject: str = "x", **given: object) -> Incident:
    made = Incident(id, IncidentKind.DAMAGE, subject, AT, Sentence("hỏng", "damaged"), store=StoreId("kho-1"))
    return replace(made, **{"facts": {"a": 1}} | given)  # type: ignore[arg-type]


def test_one_of_a_kind_and_subject_is_open(catalogue: Catalogue) -> None:
    rows = catalogue.incidents
    assert rows.meet(incident()) == incident()
    again = rows.meet(incident("damage-2", opened=AT + DAY, facts={}))
    assert (again.id, again.seen, again.opened, again.facts) == ("damage-1", 2, AT, {"a": 1})
    assert rows.meet(incident("damage-3", "y")).id == "damage-3"
    assert rows.current(IncidentKind.DAMAGE, "x") == again
    assert rows.current(IncidentKind.LOST, "x") is None


def test_what_is_mended_and_met_again_is_open_again(catalogue: Catalogue) -> None:
    rows = catalogue.incidents
    rows.meet(incident())
    mended = rows.mend("damage-1", AT + DAY, {"from": "kho-2"})
    assert (mended.state, mended.mended, mended.facts) == (
        IncidentState.MENDED,
        AT + DAY,
        {"a": 1, "mended": {"from": "kho-2"}},
    )
    assert rows.mend("damage-1", AT + 2 * DAY, {}) == mended
    again = rows.meet(incident("damage-1", facts={"b": 2}))
    assert (again.state, again.mended, again.seen, again.facts) == (IncidentState.OPEN, None, 2, {"b": 2})


def test_what_is_closed_stays_closed_and_the_next_is_another(catalogue: Catalogue) -> None:
    rows = catalogue.incidents
    rows.meet(incident())
    closed = rows.close("damage-1", AT + DAY, "nguyên nhân", "xử lý", "Lan")
    assert (closed.state, closed.cause, closed.handling, closed.person) == (
        IncidentState.CLOSED, "nguyên nhân", "xử lý", "Lan",
    )  # fmt: skip
    assert rows.close("damage-1", AT + 2 * DAY, "khác", "khác", "Minh") == closed
    assert rows.meet(incident()) == closed
    assert rows.meet(incident("damage-2")).id == "damage-2"
    assert rows.closed(IncidentKind.DAMAGE, "x") == 1


def test_they_are_listed_newest_first_page_by_page(catalogue: Catalogue) -> None:
    rows = catalogue.incidents
    for number in range(6):
        rows.meet(incident(f"damage-{number}", f"s{number}", opened=AT + DAY * (number // 2)))
    rows.close("damage-5", AT, "a", "b", "c")
    seen: list[str] = []
    while page := rows.listed(limit=2, before=seen[-1] if seen else None):
        seen += [one.id for one in page]
    assert seen == [f"damage-{number}" for number in (5, 4, 3, 2, 1, 0)]
    assert [one.id for one in rows.listed(IncidentState.CLOSED)] == ["damage-5"]
    assert rows.listed(kind=IncidentKind.LOST) == []
    assert rows.counts() == {IncidentState.OPEN: 5, IncidentState.MENDED: 0, IncidentState.CLOSED: 1}
    assert rows.open_of(IncidentKind.DAMAGE, StoreId("kho-1")) == 5


def test_who_asks_for_none_is_told(catalogue: Catalogue) -> None:
    for act in (
        lambda: catalogue.incidents.get("x"),
        lambda: catalogue.incidents.mend("x", AT, {}),
        lambda: catalogue.incidents.close("x", AT, "a", "b", "c"),
    ):
        with pytest.raises(NotFound):
            act()


def test_many_that_meet_the_same_open_one(catalogue: Catalogue) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: catalogue.incidents.meet(incident(f"damage-{number}")), range(24)))
    assert len({one.id for one in found}) == 1
    assert catalogue.incidents.get(found[0].id).seen == 24


def test_contact_tells_when_a_store_last_answered(catalogue: Catalogue) -> None:
    store = StoreId("kho-1")
    contact = catalogue.incidents.contact
    assert contact(store, AT, answered=False) == AT
    assert contact(store, AT + DAY, answered=False) == AT
    assert contact(store, AT + 2 * DAY, answered=True) == AT + 2 * DAY
    assert contact(store, AT + 3 * DAY, answered=False) == AT + 2 * DAY
