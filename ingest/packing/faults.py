"""What is found while packing, and whose fault it is: a row's, or the whole submission's."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.packing.model import Row
from metadata.findings import Finding, Findings, Severity, finding_rules


class Faults:
    """A bounded list of findings. An error of no row stops everything; one of a row stops only its dossier."""

    def __init__(self) -> None:
        self._findings = Findings()
        self.fatal = False

    def add(self, code: str, place: str, **details: object) -> None:
        """Note something about the source as a whole."""
        self._findings.add(code, place, **details)
        self.fatal = self.fatal or is_error(code)

    def add_of(self, row: Row, code: str, field: str = "", /, **details: object) -> None:
        """Note something about a row, or about one value of it."""
        self._findings.add(code, row.place(field), **details)
        row.faulty = row.faulty or is_error(code)

    def weigh_of(self, row: Row, severity: Severity, code: str, field: str = "", /, **details: object) -> None:
        """The same, as grave as a profile says."""
        self._findings.weigh(severity, code, row.place(field), **details)
        row.faulty = row.faulty or severity is Severity.ERROR

    def add_loose(self, code: str, place: str, **details: object) -> None:
        """Note something that keeps no dossier from being packed by itself, though it may be an error."""
        self._findings.add(code, place, **details)

    @property
    def refused(self) -> bool:
        return self._findings.refused

    @property
    def counts(self) -> Mapping[str, int]:
        return dict(self._findings.counts)

    def kept(self) -> tuple[Finding, ...]:
        """Errors first, then warnings, then notes; each in the order in which they were found."""
        order = list(Severity)
        return tuple(sorted(self._findings.kept(), key=lambda one: order.index(one.severity)))


def is_error(code: str) -> bool:
    """Whether a finding of that code refuses what it is about."""
    return finding_rules()[code].severity is Severity.ERROR
