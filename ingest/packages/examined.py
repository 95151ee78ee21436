"""What an examination of a package gives, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ingest.ledger import Ledger
from ingest.sources.port import Source
from metadata.bagit import BAGIT_VERSIONS
from metadata.events import Agent, EventType
from metadata.findings import Findings
from metadata.holdings import PackageType, Record
from metadata.identifiers import AgencyCode, AipId, ArchiveCode, Digest, FondsCode, ObjId, RecordCode, VersionId
from metadata.tt05.records import Fields

Resolve = Callable[[FondsCode, Iterable[str]], Mapping[str, tuple[VersionId, int]]]
"""Which held document of a fonds has a name (docId, docCode, title): AIP version, number. Unknown ones are absent."""


@dataclass(frozen=True, slots=True)
class Description:
    """A descriptive metadata file kept as it came: its path in the package, its standard as the METS says."""

    path: str
    md_type: str
    md_version: str = ""


@dataclass(frozen=True, slots=True)
class CarriedEvent:
    """An event out of the PREMIS of an AIP of another system. ``identifier`` is as written there."""

    identifier: str
    type: EventType
    at: datetime
    detail: str
    outcome: str
    note: str
    agent: Agent


@dataclass(frozen=True, slots=True)
class Carried:
    """The events that an AIP brings along (at most 1,000), and how many more its PREMIS has."""

    events: tuple[CarriedEvent, ...] = ()
    left: int = 0


@dataclass(frozen=True, slots=True)
class Examined:
    """All that an AIP is made from, beside the ledger.

    ``sent_as`` names the package as it came (``SIP_hoso``, ``BagIt 1.0``); ``code`` is the archival code of the
    dossier; ``form`` is EAD.xml in AIP form; ``dossier`` the same for search, without members. ``representations`` are
    their names in the order of their files. ``descriptions`` are those that are kept as they came.
    ``carried`` is not None for an AIP of another system. ``links`` are files that only name a document held already.
    """

    sent_as: str
    package_type: PackageType
    agency: AgencyCode
    fonds: FondsCode
    objid: ObjId
    code: RecordCode
    title: str
    dossier: Record
    form: Fields
    representations: tuple[str, ...] = ("rep1",)
    descriptions: tuple[Description, ...] = ()
    carried: Carried | None = None
    links: tuple[str, ...] = ()

    @property
    def aip(self) -> AipId:
        """The identity of the AIP: the same for every worker that meets this package."""
        return AipId.of(self.agency, self.objid)

    @property
    def aip_objid(self) -> str:
        """OBJID of the AIP: ``urn:<fonds>:uuid-<AIP id in upper case>`` (TT 05 Phụ lục I)."""
        return f"urn:{self.fonds}:uuid-{str(self.aip).upper()}"

    @property
    def named_in(self) -> str:
        """The file of the package that gives its OBJID."""
        rules = BAGIT_VERSIONS.get(self.sent_as.removeprefix("BagIt "))
        return rules.info if rules else "METS.xml"

    @property
    def folder(self) -> str:
        """The package's folder in the AIP: its OBJID with ``:`` and separators as ``_``."""
        return aip_folder(self.agency, self.fonds, self.objid)


def aip_folder(agency: AgencyCode, fonds: FondsCode, objid: ObjId) -> str:
    """The folder of an AIP, known before the rest of the examination is done."""
    name = f"urn_{fonds}_uuid-{str(AipId.of(agency, objid)).upper()}"
    return name.replace(":", "_").replace("/", "_").replace("\\", "_")


_UNTOLD = {
    "AGENCY": ("PACKAGE-UNTOLD-AGENCY", "PACKAGE-NO-AGENCY"),
    "FONDS": ("PACKAGE-UNTOLD-FONDS", "PACKAGE-NO-FONDS"),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """A package under examination. ``root`` is where it lies in the source; ``source`` is seen from there already.

    ``checking`` says that nobody takes the package in: what the caller would say with a transfer is not known yet.
    ``resolve`` finds held documents that the package links to; None when there is no archive to ask.
    ``seen`` are the digests of files at the root as they were when they were read for the examination.
    ``unread`` are the folders of METS files that are missing or could not be read.
    """

    source: Source
    root: str
    ledger: Ledger
    findings: Findings
    archive: ArchiveCode
    agency: AgencyCode | None
    fonds: FondsCode | None
    checking: bool = False
    resolve: Resolve | None = None
    seen: dict[str, Digest] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def untold(self, what: str, place: str) -> None:
        """Note that the package does not tell its AGENCY or FONDS: an error only where it is taken in."""
        checked, taken_in = _UNTOLD[what]
        self.findings.add(checked if self.checking else taken_in, place)
