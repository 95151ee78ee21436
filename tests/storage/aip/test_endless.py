"""An object that goes on and on after its end is damaged, and looking at it ends."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import pytest

from storage.aip import tally
from storage.aip.blocks import Cursor


def endless(data: bytes) -> Iterator[tuple[bytearray, int]]:
    yield bytearray(data), len(data)
    yield from repeat((bytearray(1 << 20), 1 << 20))


def test_what_follows_the_end_is_not_read_to_its_end() -> None:
    cursor = Cursor(endless(b"abc"))
    assert bytes(cursor.take(3)) == b"abc"
    assert 64 << 20 < cursor.rest(tally._MOST_APPENDED) <= 65 << 20


@pytest.mark.parametrize("size", [0, 5])
def test_what_ends_is_counted(size: int) -> None:
    cursor = Cursor(iter([(bytearray(3 + size), 3 + size)]))
    cursor.take(3)
    assert cursor.rest(100) == size
