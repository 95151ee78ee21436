"""Bits of every byte of a small AIP are flipped, one at a time: each is found, and the member it lies in is named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from metadata.outcomes import Fixity
from storage.aip.verify import DIRECTORY_PLACE, Verdict, verify_blocks
from tests.builders.aips import KEY, BuiltAip, build_aip, memory_store, object_bytes, store_with

NO_KEY = "elsewhere/object.zip"


def place_of(built: BuiltAip, position: int) -> str:
    for member in built.members:
        if member.offset <= position < member.data + member.size:
            return member.path
    return DIRECTORY_PLACE


def verify_bytes(data: bytearray, built: BuiltAip | None, key: str = KEY) -> Verdict:
    """Without the reading thread: this is called tens of thousands of times."""
    store = store_with(bytes(data), key)
    blocks: Iterator[tuple[bytearray, int]] = iter([(data, len(data))])
    return verify_blocks(blocks, store, key, built.members if built else None)


@pytest.mark.parametrize(
    ("how", "bit"),
    [
        *(("catalogue", bit) for bit in range(8)),
        *(("offline", bit) for bit in (0, 3, 5, 7)),
        ("offline, key unknown", 3),
    ],
)
def test_each_flipped_bit_is_found_and_its_member_named(how: str, bit: int) -> None:
    store = memory_store()
    built = build_aip([store])
    whole = object_bytes(store)
    expected = built if how == "catalogue" else None
    key = NO_KEY if how.endswith("unknown") else KEY
    assert verify_bytes(bytearray(whole), expected, key).outcome is Fixity.MATCH
    wrong = []
    for position in range(len(whole)):
        data = bytearray(whole)
        data[position] ^= 1 << bit
        verdict = verify_bytes(data, expected, key)
        places = {damage.place for damage in verdict.damages}
        if verdict.outcome is not Fixity.MISMATCH or places != {place_of(built, position)}:
            wrong.append((position, place_of(built, position), verdict.damages))
    assert wrong == []
