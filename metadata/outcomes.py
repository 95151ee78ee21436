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

    @property
    def looked(self) -> bool:
        """Whether the look came to an end: the bytes were read, or it is certain that there are none."""
        return self in (Fixity.MATCH, Fixity.MISMATCH, Fixity.MISSING)


class Virus(StrEnum):
    """What a virus scanner said of a file. NOT_SCANNED (too large, no scanner) is never as good as CLEAN."""

    CLEAN = "CLEAN"
    INFECTED = "INFECTED"
    NOT_SCANNED = "NOT_SCANNED"


class SignatureOutcome(StrEnum):
    """What a check of digital signatures found, from good to bad. INDETERMINATE and UNREADABLE are neither."""

    VALID = "VALID"
    VALID_WITH_NOTES = "VALID_WITH_NOTES"
    INDETERMINATE = "INDETERMINATE"
    UNREADABLE = "UNREADABLE"
    INVALID = "INVALID"


class Validity(StrEnum):
    """Whether a file is what its format says it must be.

    NOT_CHECKED: there is no checker for the format, or the file was larger than any is given. UNREADABLE: the checker
    could not finish (crash, time, memory, a password), which says nothing of the file's bytes.
    """

    VALID = "VALID"
    VALID_WITH_NOTES = "VALID_WITH_NOTES"
    INVALID = "INVALID"
    UNREADABLE = "UNREADABLE"
    NOT_CHECKED = "NOT_CHECKED"
