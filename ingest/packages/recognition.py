"""From a source to an examined package: names and amounts first, then what kind it is, then its own rules."""

from __future__ import annotations

from ingest.guards import LIMITS, GuardLimits
from ingest.ledger import Ledger
from ingest.packages.bag import examine_bag
from ingest.packages.examined import Examined, Subject
from ingest.packages.sip_hoso import examine_sip
from ingest.scan import scan
from ingest.sources.port import Source
from metadata.findings import Findings
from metadata.identifiers import AgencyCode, ArchiveCode, FondsCode

FIRST_READING = "(lần đọc đầu / first reading)"
"""Where a digest comes from that nothing in the package declares."""


def examine(
    source: Source,
    ledger: Ledger,
    findings: Findings,
    archive: ArchiveCode,
    agency: AgencyCode | None = None,
    fonds: FondsCode | None = None,
    limits: GuardLimits = LIMITS,
) -> Examined | None:
    """Fill the ledger and say what the package is; None when it is refused: ``findings`` say why.

    ``agency`` and ``fonds`` are what the caller knows; they go before what the package says. The source
    has entered the package's root: the ledger's paths are its paths. Only metadata is read here, content is not.
    """
    root = scan(source, ledger, findings, limits)
    if root is None:
        return None
    source.enter(root)
    subject = Subject(source, root, ledger, findings, archive, agency, fonds)
    if ledger.size_of("bagit.txt") is not None:
        examined = examine_bag(subject)
    elif ledger.size_of("METS.xml") is not None:
        examined = examine_sip(subject)
    else:
        findings.add("PACKAGE-UNKNOWN", source.name)
        return None
    for path, digest in subject.seen.items():
        ledger.declare(path, digest, FIRST_READING)
    return None if findings.refused else examined
