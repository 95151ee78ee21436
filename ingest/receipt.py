"""The receipt: what an agency gets for a transfer, accepted or refused; the same JSON each time it is asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from metadata.canonical import canonical
from metadata.dates import read_utc, utc_text
from metadata.findings import Finding, Findings

FORMAT = "tangthu-receipt/1"


class Verdict(StrEnum):
    """Whether the archive has taken the package over. Quarantined: not, and people will decide; it is kept as sent."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was sent, what became of it, and everything found.

    ``agency``, ``objid`` and ``content`` (SHA-256 of the submission, hexadecimal) are empty when a refused package did
    not get so far as to tell them; ``aip``, ``key`` and ``stores`` are empty for every refused package.
    ``first_seen`` is None for a refused package. ``quarantine`` is the name of one in quarantine there.
    """

    verdict: Verdict
    agency: str
    objid: str
    title: str
    aip: str
    version: int
    key: str
    content: str
    files: int
    bytes: int
    first_seen: datetime | None
    stores: tuple[str, ...]
    findings: tuple[Finding, ...]
    counts: tuple[tuple[str, int], ...]
    quarantine: str = ""

    @classmethod
    def refused(cls, findings: Findings, agency: str = "", objid: str = "", title: str = "") -> Self:
        """For a package of which nothing is kept."""
        counts = tuple(sorted(findings.counts.items()))
        return cls(Verdict.REFUSED, agency, objid, title, "", 0, "", "", 0, 0, None, (), findings.kept(), counts)

    def to_json(self) -> str:
        """Canonical: keys sorted, no spaces."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        fields |= {
            "format": FORMAT,
            "first_seen": utc_text(self.first_seen) if self.first_seen else None,
            "findings": [one.fields() for one in self.findings],
            "counts": dict(self.counts),
        }
        if not self.quarantine:  # as receipts were before there was a quarantine
            del fields["quarantine"]
        return canonical(fields)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Inverse of :meth:`to_json`. Raises ValueError when it is no receipt."""
        fields = json.loads(text)
        if fields.pop("format", None) != FORMAT:
            raise ValueError("not a receipt")
        fields |= {
            "verdict": Verdict(fields["verdict"]),
            "first_seen": read_utc(fields["first_seen"]) if fields["first_seen"] else None,
            "stores": tuple(fields["stores"]),
            "findings": tuple(Finding.of_fields(one) for one in fields["findings"]),
            "counts": tuple(sorted(fields["counts"].items())),
        }
        return cls(**fields)


def findings_document(findings: Findings) -> bytes:
    """``data/findings.json``: what was noted when the package was checked."""
    document = {
        "counts": dict(sorted(findings.counts.items())),
        "findings": [one.fields() for one in findings.kept()],
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"
