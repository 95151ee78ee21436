"""Sets of very many strings in little memory."""

from __future__ import annotations

from array import array

_FIRST = 1 << 10


class Fingerprints:
    """A set of 64-bit hashes, open addressing: 12 to 24 bytes a string, whatever its length.

    Python's hash is keyed anew in each process, so nobody can prepare strings that collide; that two of a million do by
    chance has a probability of 3 in 10⁸.
    """

    __slots__ = ("_count", "_slots")

    def __init__(self) -> None:
        self._slots = array("q", (0,)) * _FIRST
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, text: str) -> bool:
        """Whether it is new."""
        if 3 * self._count >= 2 * len(self._slots):
            self._grow()
        return self._put(hash(text) or 1)

    def __contains__(self, text: str) -> bool:
        slots = self._slots
        mask = len(slots) - 1
        value = hash(text) or 1
        at = value & mask
        while slots[at]:
            if slots[at] == value:
                return True
            at = (at + 1) & mask
        return False

    def _put(self, value: int) -> bool:
        slots = self._slots
        mask = len(slots) - 1
        at = value & mask
        while slots[at]:
            if slots[at] == value:
                return False
            at = (at + 1) & mask
        slots[at] = value
        self._count += 1
        return True

    def _grow(self) -> None:
        old = self._slots
        self._slots = array("q", (0,)) * (2 * len(old))
        self._count = 0
        for value in old:
            if value:
                self._put(value)
