from __future__ import annotations

import threading

import pytest

from metadata.catalogue import Catalogue
from metadata.errors import Busy, NotFound
from metadata.events import LogHead
from tests.builders.holdings import STORES, a_head, a_version, an_event, ingest_events, register


def test_events_are_added_at_the_end(catalogue: Catalogue) -> None:
    held = register(catalogue)
    second, third = an_event(held.id, "hai", store=STORES[1]), an_event(held.id, "ba")
    catalogue.events.append(held.id, [second], a_head(2))
    catalogue.events.append(held.id, [third], a_head(3))
    assert catalogue.events.of(held.id) == [*held.events, second, third]
    assert catalogue.events.head(held.id) == a_head(3)


@pytest.mark.parametrize("again", [2, 1], ids=["the last", "one before the last"])
def test_adding_again_changes_nothing(catalogue: Catalogue, again: int) -> None:
    held = register(catalogue)
    batches = {1: ingest_events(held.id), 2: [an_event(held.id, "hai"), an_event(held.id, "ba")]}
    catalogue.events.append(held.id, batches[2], a_head(2))
    before = list(catalogue.dump())
    catalogue.events.append(held.id, batches[again], a_head(again))
    assert list(catalogue.dump()) == before


def test_an_event_given_twice_is_written_once(catalogue: Catalogue) -> None:
    held = register(catalogue)
    one, other = an_event(held.id, "hai"), an_event(held.id, "ba")
    catalogue.events.append(held.id, [one, one], a_head(2))
    catalogue.events.append(held.id, [one, other], a_head(3))
    assert catalogue.events.of(held.id) == [*held.events, one, other]


@pytest.mark.parametrize(
    "head",
    [a_head(1), a_head(2), LogHead(2, b"\x01" * 32)],
    ids=["behind", "same head, new event", "same number, other log"],
)
def test_a_log_that_has_gone_on_is_refused(catalogue: Catalogue, head: LogHead) -> None:
    held = register(catalogue)
    catalogue.events.append(held.id, [an_event(held.id, "hai")], a_head(2))
    before = list(catalogue.dump())
    with pytest.raises(Busy):
        catalogue.events.append(held.id, [an_event(held.id, "mới")], head)
    assert list(catalogue.dump()) == before


def test_another_log_of_the_same_number_is_refused_even_when_its_events_are_known(catalogue: Catalogue) -> None:
    held = register(catalogue)
    with pytest.raises(Busy):
        catalogue.events.append(held.id, held.events, LogHead(1, b"\x01" * 32))
    assert catalogue.events.head(held.id) == a_head(1)


def test_events_of_a_version_not_held_are_refused(catalogue: Catalogue) -> None:
    absent = a_version("vắng").id
    with pytest.raises(NotFound):
        catalogue.events.append(absent, [an_event(absent, "một")], a_head(1))


def test_events_of_another_version_are_refused(catalogue: Catalogue) -> None:
    held, other = register(catalogue), register(catalogue, "khác")
    with pytest.raises(ValueError, match="another version"):
        catalogue.events.append(held.id, [an_event(other.id, "hai")], a_head(2))


def test_many_events_at_once(catalogue: Catalogue) -> None:
    held = register(catalogue)
    many = [an_event(held.id, str(number)) for number in range(1201)]
    catalogue.events.append(held.id, many, a_head(2))
    catalogue.events.append(held.id, many, a_head(2))
    assert catalogue.events.of(held.id) == [*held.events, *many]


def test_of_many_writers_of_the_same_log_number_one_wins(catalogue: Catalogue) -> None:
    held = register(catalogue)
    start, won, refused = threading.Barrier(4), [], []

    def write(name: str) -> None:
        one = an_event(held.id, name)
        start.wait(10)
        try:
            catalogue.events.append(held.id, [one], LogHead(2, name.encode() * 16))
            won.append(one)
        except Busy:
            refused.append(one)

    threads = [threading.Thread(target=write, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(won), len(refused)) == (1, 3)
    assert catalogue.events.of(held.id) == [*held.events, *won]
