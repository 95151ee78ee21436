"""How much room a store has left, also of one that never answers."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from metadata.errors import OnShelf, StoreUnavailable
from metadata.identifiers import ArchiveCode, StoreId
from metadata.text import Sentence
from storage.space import Space, SpaceGauge
from storage.stores.directory import DirectoryStore

A, B = StoreId("a"), StoreId("b")


class Time:
    """Seconds that go on when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_folder_tells_the_space_of_its_file_system(tmp_path: Path) -> None:
    store = DirectoryStore(A, tmp_path / "kho")
    store.create(ArchiveCode("LTLS"))
    space, real = store.space(), os.statvfs(tmp_path)
    assert space.total == real.f_blocks * real.f_frsize
    assert 0 <= space.free <= space.total


def test_a_folder_that_is_not_mounted_does_not_tell_the_space_of_what_lies_under_it(tmp_path: Path) -> None:
    away, shelf = DirectoryStore(A, tmp_path / "kho"), DirectoryStore(B, tmp_path / "băng", "Băng 1", offline=True)
    with pytest.raises(StoreUnavailable):
        away.space()
    with pytest.raises(OnShelf):
        shelf.space()
    assert SpaceGauge({A: away.space, B: shelf.space}).read() == {A: None, B: None}


def test_one_that_hangs_holds_up_nobody_twice_and_is_asked_by_one_thread() -> None:
    time, answer, asked = Time(), threading.Event(), []

    def hang() -> Space:
        asked.append(threading.current_thread())
        assert answer.wait(60)
        return Space(1, 2)

    gauge = SpaceGauge({A: hang, B: lambda: Space(3, 4)}, patience=0.05, fresh=30, now=time)
    assert gauge.read() == {A: None, B: Space(3, 4)}
    time.now = 1000
    for _ in range(20):
        assert gauge.read()[A] is None
    assert len(asked) == 1
    answer.set()
    asked[0].join(60)
    assert gauge.read()[A] == Space(1, 2)


def test_an_answer_is_good_for_a_while_and_an_old_one_is_never_told() -> None:
    time, told = Time(), [Space(9, 10)]

    def ask() -> Space:
        if not told:
            raise StoreUnavailable(Sentence("Không trả lời.", "No answer."))
        return told.pop()

    gauge = SpaceGauge({A: ask}, patience=60, fresh=30, now=time)
    assert (gauge.read(), gauge.read()) == ({A: Space(9, 10)},) * 2
    time.now = 31
    assert gauge.read() == {A: None}
    told.append(Space(5, 10))
    assert gauge.read() == {A: None}
    time.now = 62
    assert gauge.read() == {A: Space(5, 10)}
