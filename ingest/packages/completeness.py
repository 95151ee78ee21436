"""What the METS files of a package name against what lies in it: complete, of the right sizes, of one digest each."""

from __future__ import annotations

from ingest.packages.examined import Subject
from ingest.packages.recognition import METS


def completeness(subject: Subject, unnamed: str) -> None:
    """Everything that a METS names is there and as big as it says; everything that is there is named.

    ``unnamed`` is the code of the finding for a file that no METS names; where a METS could not be read to its end,
    that is said of no file. Digests are compared in the one pass.
    """
    findings, ledger = subject.findings, subject.ledger
    for lost in ledger.missing():
        findings.add("SIP-MISSING", lost.path, mets=lost.source)
    for other in ledger.sizes_differing():
        found = ledger.size_of(other.path)
        findings.add("SIP-SIZE", other.path, mets=other.source, declared=other.value, found=found)
    for two in ledger.digests_differing():
        findings.add("SIP-TWO-DIGESTS", two.path, mets=two.source)
    unread = tuple(subject.unread)
    for path in ledger.undeclared():
        if path != METS and not (unread and path.startswith(unread)):
            findings.add(unnamed, path)
