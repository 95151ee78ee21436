"""What an examination of a package gives, whatever its kind."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.ledger import Ledger
from ingest.sources.port import Source
from metadata.findings import Findings
from metadata.holdings import PackageType, Record
from metadata.identifiers import AgencyCode, AipId, ArchiveCode, Digest, FondsCode, ObjId, RecordCode
from metadata.tt05.records import Fields


@dataclass(frozen=True, slots=True)
class Examined:
    """All that an AIP is made from, beside the ledger.

    ``sent_as`` names the package as it came (``SIP_hoso``, ``BagIt 1.0``); ``code`` is the archival code of the
    dossier; ``form`` is EAD.xml in AIP form; ``dossier`` the same for search, without members.
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
        return "METS.xml" if self.package_type is PackageType.AIP_HOSO else "bag-info.txt"

    @property
    def folder(self) -> str:
        """The package's folder in the AIP: its OBJID with ``:`` and separators as ``_``."""
        return aip_folder(self.agency, self.fonds, self.objid)


def aip_folder(agency: AgencyCode, fonds: FondsCode, objid: ObjId) -> str:
    """The folder of an AIP, known before the rest of the examination is done."""
    name = f"urn_{fonds}_uuid-{str(AipId.of(agency, objid)).upper()}"
    return name.replace(":", "_").replace("/", "_").replace("\\", "_")


@dataclass(frozen=True, slots=True)
class Subject:
    """A package under examination. ``root`` is where it lies in the source; ``source`` is seen from there already.

    ``seen`` are the digests of files at the root as they were when they were read for the examination.
    """

    source: Source
    root: str
    ledger: Ledger
    findings: Findings
    archive: ArchiveCode
    agency: AgencyCode | None
    fonds: FondsCode | None
    seen: dict[str, Digest] = field(default_factory=dict)
