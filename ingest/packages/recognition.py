"""What kind of package a submission is: by what the caller asks for, what its METS says, and what lies in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from ingest.packages.examined import Subject
from ingest.packages.reading import reading
from ingest.packages.tree import SubjectTree
from ingest.sources.port import is_ours
from metadata.eark.recognition import eark_profile
from metadata.mets import MetsHeader, MetsRoot, iter_mets
from metadata.package_kinds import PackageKind, PackageProfile
from metadata.refusal import DocumentRefused
from metadata.tt05.fields import Fields, document_kind, read_simpledc

METS = "METS.xml"
EAD = "metadata/descriptive/EAD.xml"
_LOOKED = 10_000  # files of descriptions that are looked at for one named as TT 05 names them
_KINDS = {
    ("SIP", False): PackageKind.SIP_HOSO,
    ("SIP", True): PackageKind.SIP_TAILIEU,
    ("AIP", False): PackageKind.AIP_HOSO,
    ("AIP", True): PackageKind.AIP_TAILIEU,
}


@dataclass(frozen=True, slots=True)
class _Mets:
    """What the beginning of the root METS says."""

    type: str = ""
    oais_type: str = ""


def recognise(subject: Subject, asked: PackageProfile | None = None) -> PackageProfile | None:
    """The profile to judge by; None when nothing fits: a finding says what to do.

    ``asked`` goes before what the package says; where they differ, that is a finding too.
    """
    found = _found(subject)
    if asked is None:
        return found or _unknown(subject)
    if found is not None and found.kind is not asked.kind and not _related(found.kind, asked.kind):
        subject.findings.add("PACKAGE-OTHER-KIND", subject.source.name, asked=asked, found=found.kind)
    elif found is None and asked.kind is not PackageKind.BAG and subject.ledger.size_of(METS) is None:
        _unknown(subject)
    return asked


def _related(found: PackageKind, asked: PackageKind) -> bool:
    """Whether both hold at once: TT 05's packages and all of E-ARK's are CSIP packages."""
    return (found.is_eark or found.is_tt05) and asked.is_eark


def _found(subject: Subject) -> PackageProfile | None:
    if subject.ledger.size_of("bagit.txt") is not None:
        return PackageProfile(PackageKind.BAG)
    if subject.ledger.size_of(METS) is None:
        return None
    tt05 = _tt05(subject)
    return PackageProfile(tt05) if tt05 else eark_profile(SubjectTree(subject))


def _unknown(subject: Subject) -> PackageProfile | None:
    """Say why nothing fits: the name of METS.xml, what it says, or that there is none.

    With a METS that cannot be read the tree is judged as a CSIP package all the same: every such kind is one.
    """
    findings, names = subject.findings, subject.ledger.tops(1000)
    other = next((name for name in names if name != METS and name.lower() == METS.lower()), None)
    if subject.ledger.size_of(METS) is not None:
        before = dict(findings.counts)
        reading(subject, METS, lambda stream: deque(iter_mets(stream, METS), 0))
        if before != dict(findings.counts):
            return PackageProfile(PackageKind.EARK_CSIP)
        findings.add("PACKAGE-METS-KIND", METS)
    elif other is not None:
        findings.add("PACKAGE-METS-CASE", other)
    else:
        findings.add("PACKAGE-UNKNOWN", subject.source.name)
    return None


def _tt05(subject: Subject) -> PackageKind | None:
    """Which package of TT 05 this is; None when nothing in it is TT 05's.

    What the records themselves say goes before the METS: the circular's own example of a DIP calls itself a SIP.
    """
    ead, mets = _simpledc(subject), _mets(subject)
    if ead is None and not _has_documents(subject):
        return None
    fields = ead or Fields(())
    if fields.get("requestID") or (ead is None and mets.oais_type == "DIP"):
        return PackageKind.DIP
    code, archival = bool(fields.get("fileCode")), bool(fields.get("arcFileCode"))
    if code is not archival:
        oais_type = "AIP" if archival else "SIP"
    elif mets.oais_type == "DIP":
        return PackageKind.DIP
    else:
        oais_type = mets.oais_type if mets.oais_type in ("SIP", "AIP") else "SIP"
    return _KINDS[oais_type, _is_loose(fields, mets)]


def _is_loose(fields: Fields, mets: _Mets) -> bool:
    """Documents of no dossier: METS TYPE Collection, else by the fields that only a batch or only a dossier has."""
    if mets.type.lower() in ("mixed", "collection"):
        return mets.type.lower() == "collection"
    return bool(fields.get("source")) and not fields.get("startDate", "endDate", "maintenance")


def _simpledc(subject: Subject) -> Fields | None:
    """EAD.xml when it is the ``simpledc`` of TT 05; None otherwise. Its own rules are judged later."""
    if subject.ledger.size_of(EAD) is None:
        return None
    found: list[Fields] = []
    with _peeking(), subject.source.open(EAD) as stream:
        found.append(read_simpledc(stream, EAD))
    return found[0] if found else None


def _mets(subject: Subject) -> _Mets:
    """TYPE and OAISPACKAGETYPE, as far as they can be read; what is wrong with it is told when it is judged."""
    found = _Mets()
    with _peeking(), subject.source.open(METS) as stream:
        for item in islice(iter_mets(stream, METS), 2):
            if isinstance(item, MetsRoot):
                found = _Mets(item.type)
            elif isinstance(item, MetsHeader):
                found = _Mets(found.type, item.oais_type.upper())
    return found


@contextmanager
def _peeking() -> Iterator[None]:
    """What cannot be read says nothing of the kind; only what is this machine's fault is raised."""
    try:
        yield
    except DocumentRefused:
        pass
    except OSError as error:
        if is_ours(error):
            raise


def _has_documents(subject: Subject) -> bool:
    """Whether a representation has descriptions named as TT 05 names them: ``EAD_doc_<name>.xml``."""
    for folder in SubjectTree(subject).children("representations/"):
        inside = f"representations/{folder}metadata/descriptive/"
        for path in islice(subject.ledger.paths(inside), _LOOKED):
            if document_kind(path.removeprefix(inside)):
                return True
    return False
