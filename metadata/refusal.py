"""The root of the errors that a document reader raises: Unreadable, with the finding that says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.errors import Unreadable
from metadata.findings import finding

if TYPE_CHECKING:
    from metadata.findings import Finding, Findings


class DocumentRefused(Unreadable):
    """A document that cannot be read as what it should be.

    ``code`` is a finding code, ``place`` the document as received, ``details`` what fills the finding's sentences.
    """

    def __init__(self, code: str, place: str, **details: object) -> None:
        self.finding: Finding = finding(code, place, **details)
        super().__init__(self.finding.message)
        self.code = code
        self.place = place
        self.details = details

    def note(self, findings: Findings) -> None:
        """Add what is wrong to ``findings``."""
        findings.add(self.code, self.place, **self.details)
