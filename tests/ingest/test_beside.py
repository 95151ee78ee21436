"""Work beside the pass is bounded ahead, and one slow job holds no other up."""

from __future__ import annotations

import threading

import pytest

from ingest.beside import Beside


def test_answers_come_as_they_are_done() -> None:
    taken: list[str] = []
    gate = threading.Event()
    beside: Beside[str] = Beside("t", 2, 10, 100, taken.append)

    def slow() -> str:
        assert gate.wait(30)
        return "slow"

    beside.submit(1, slow)
    for number in range(20):
        beside.submit(1, lambda number=number: f"{number}")
    assert "slow" not in taken
    assert len(taken) >= 11, "no more than ten are under way"
    gate.set()
    beside.finish()
    assert sorted(taken) == sorted(["slow", *map(str, range(20))])
    beside.close()


@pytest.mark.parametrize(("number", "size", "each", "most"), [(3, 1000, 1, 3), (100, 10, 4, 2), (100, 10, 50, 1)])
def test_what_is_ahead_is_bounded_by_number_and_bytes(number: int, size: int, each: int, most: int) -> None:
    lock, waiting, peak = threading.Lock(), 0, 0
    beside: Beside[None] = Beside("t", 8, number, size, lambda _: None)

    def job() -> None:
        nonlocal waiting
        with lock:
            waiting -= 1

    for _ in range(50):
        beside.room(each)
        with lock:
            waiting += 1
            peak = max(peak, waiting)
        beside.submit(each, job)
    beside.finish()
    beside.close()
    assert peak <= most


def test_what_a_job_raises_is_raised_to_whoever_submits() -> None:
    beside: Beside[None] = Beside("t", 1, 4, 100, lambda _: None)

    def fail() -> None:
        raise OSError(28, "full")

    beside.submit(1, fail)
    with pytest.raises(OSError, match="full"):
        beside.finish()
    beside.close()


def test_what_has_not_begun_is_dropped_at_the_end() -> None:
    begun, gate = threading.Event(), threading.Event()
    ran: list[int] = []
    beside: Beside[None] = Beside("t", 1, 9, 100, lambda _: None)

    def first() -> None:
        begun.set()
        assert gate.wait(30)

    beside.submit(1, first)
    for number in range(5):
        beside.submit(1, lambda number=number: ran.append(number))
    assert begun.wait(30)
    threading.Timer(0.05, gate.set).start()
    beside.close()
    assert ran == []
