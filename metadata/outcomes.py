"""Outcomes of checks. "Could not look" is neither good nor bad, so every check has more than two."""

from __future__ import annotations

from enum import StrEnum


class Fixity(StrEnum):
    """What a look at stored bytes found."""

    MATCH = "MATCH"
    MISMATCH = "MISMATCH"
    MISSING = "MISSING"
    UNREADABLE = "UNREADABLE"
    NOT_CHECKED = "NOT_CHECKED"

    @property
    def damaged(self) -> bool:
        """Whether a repair is called for. UNREADABLE is not: we could not look."""
        return self in (Fixity.MISMATCH, Fixity.MISSING)
