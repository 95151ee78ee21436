"""SIP and AIP of TT 05 (Phụ lục I–IV) as packages: their METS, their records, which file belongs to which document."""

from __future__ import annotations

import re

from ingest.packages.carried_events import carried_events
from ingest.packages.completeness import completeness
from ingest.packages.examined import Carried, Examined, Subject, aip_folder
from ingest.packages.linked import LinkedDocuments
from ingest.packages.package_mets import PackageMets
from ingest.packages.premis_fixity import premis_fixity
from ingest.packages.reading import agency_code, fonds_code, judge_title, object_id, reading, record_code
from ingest.packages.recognition import EAD
from ingest.packages.tt05_documents import PackageDocuments
from metadata.holdings import PackageType, Role
from metadata.identifiers import AgencyCode, ArchiveCode, FondsCode
from metadata.package_kinds import PackageKind
from metadata.tt05.fields import Fields, read_simpledc
from metadata.tt05.records import dossier_record, sip_to_aip_batch, sip_to_aip_dossier

REPRESENTATION = "representations/rep1/"
_SENT_AS = {
    PackageKind.SIP_HOSO: "SIP_hoso",
    PackageKind.SIP_TAILIEU: "SIP_tailieu",
    PackageKind.AIP_HOSO: "AIP_hoso",
    PackageKind.AIP_TAILIEU: "AIP_tailieu",
}
_LOOSE = (PackageKind.SIP_TAILIEU, PackageKind.AIP_TAILIEU)
_AIPS = (PackageKind.AIP_HOSO, PackageKind.AIP_TAILIEU)
_FILE_CODE = re.compile(r"(?P<agency>.+?)\.(?P<year>(1[89]|20)\d\d)\..+", re.DOTALL)
_CODE = re.compile(r"[A-Za-z0-9]+([.-][A-Za-z0-9]+)+")
_SIP_OBJID = re.compile(r"uuid-[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_AIP_OBJID = re.compile(r"urn:((?P<fonds>[^:]+):)?uuid[:-][0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class Tt05Package:
    """One SIP or AIP of TT 05, its METS files read into the ledger."""

    def __init__(self, subject: Subject, kind: PackageKind) -> None:
        self._subject = subject
        self._kind = kind
        self._is_aip = kind in _AIPS
        self._root = PackageMets(subject, "")
        self._inner = PackageMets(subject, REPRESENTATION)

    @property
    def objid(self) -> str:
        """``mets/@OBJID`` as written; "" when there is none."""
        return self._root.objid

    @property
    def title(self) -> str:
        """LABEL of the root METS."""
        return self._root.label

    def structure(self) -> None:
        """Read both METS files and judge what they name; nothing of the records."""
        findings, ledger = self._subject.findings, self._subject.ledger
        self._root.read()
        representations = [path for path in self._root.pointers if path != "METS.xml"]
        if (representations or [f"{REPRESENTATION}METS.xml"]) != [f"{REPRESENTATION}METS.xml"]:
            findings.add("SIP-REPRESENTATIONS", "METS.xml")
        if ledger.size_of(f"{REPRESENTATION}METS.xml") is None:
            findings.add("SIP-MISSING", f"{REPRESENTATION}METS.xml", mets="METS.xml")
            self._subject.unread.append(REPRESENTATION)
        else:
            self._inner.read()
        completeness(self._subject, "SIP-UNNAMED")
        if self._is_aip:
            premis_fixity(self._subject, REPRESENTATION, f"{REPRESENTATION}metadata/preservation/PREMIS_rep1.xml")
        self._names()

    def examine(self) -> Examined | None:
        """Judge the records, and plan the AIP. None when it is refused."""
        fields = self._dossier()
        return None if fields is None else self._examined(fields)

    def _names(self) -> None:
        findings, objid = self._subject.findings, self._root.objid
        if object_id(objid) is None:
            findings.add("PACKAGE-NO-OBJID", "METS.xml")
        elif not (_AIP_OBJID if self._is_aip else _SIP_OBJID).fullmatch(objid):
            findings.add("AIP-OBJID-FORM" if self._is_aip else "SIP-OBJID-FORM", "METS.xml", objid=objid)
        folder = self._subject.root.rstrip("/")
        if folder and objid and folder not in (objid, objid.replace(":", "_")):
            findings.add("SIP-FOLDER-NAME", folder, objid=objid)
        wanted, code = ("AIP", "AIP-NOT-AN-AIP") if self._is_aip else ("SIP", "SIP-NOT-A-SIP")
        if self._root.oais_type and self._root.oais_type != wanted:
            findings.add(code, "METS.xml", type=self._root.oais_type)

    def _dossier(self) -> Fields | None:
        """EAD.xml; None when there is none that can be read. Its fields are judged by the circular's judge."""
        described = self._root.descriptions
        path = next((path for path in described if path.rpartition("/")[2].lower() == "ead.xml"), EAD)
        if self._subject.ledger.size_of(path) is None:
            self._subject.findings.add("SIP-NO-EAD", path)
            return None
        return reading(self._subject, path, lambda stream: read_simpledc(stream, path))

    def _examined(self, fields: Fields) -> Examined | None:
        subject = self._subject
        findings, ledger = subject.findings, subject.ledger
        agency, fonds = self._agency(fields), self._fonds()
        form = self._form(fields, subject.archive)
        code, objid = record_code(form.get("arcFileCode")), object_id(self._root.objid)
        if agency is None:
            subject.untold("AGENCY", "METS.xml")
        if fonds is None:
            subject.untold("FONDS", f"{REPRESENTATION}METS.xml")
        if code is None:
            findings.add("PACKAGE-CODE", EAD, value=form.get("arcFileCode"))
        links = LinkedDocuments(subject, f"{REPRESENTATION}data/", fonds)
        links.read()
        PackageDocuments(subject, REPRESENTATION, form.get("arcFileCode"), self._kind, links).read()
        title = " ".join(fields.get("title").split())
        judge_title(subject, title, EAD)
        carried = self._carried()
        if agency is None or fonds is None or code is None or objid is None or findings.refused:
            return None
        base = f"data/{aip_folder(agency, fonds, objid)}/"
        ledger.plan_all(f"{REPRESENTATION}data/", f"{base}{REPRESENTATION}data/", Role.CONTENT)
        for folder in ("schemas/", "documentation/") if self._is_aip else ("documentation/",):
            ledger.plan_all(folder, base + folder, Role.SUPPORT)
        ledger.plan_all("", "data/submission/", Role.SUBMISSION)
        made = PackageType.AIP_TAILIEU if self._kind in _LOOSE else PackageType.AIP_HOSO
        record, sent_as = dossier_record(form), _SENT_AS[self._kind]
        return Examined(
            sent_as, made, agency, fonds, objid, code, title, record, form, carried=carried, links=links.paths
        )  # fmt: skip

    def _form(self, fields: Fields, archive: ArchiveCode) -> Fields:
        """EAD.xml in AIP form: as it is for an AIP, whose codes are kept."""
        if self._is_aip:
            return fields
        convert = sip_to_aip_dossier if self._kind is PackageKind.SIP_HOSO else sip_to_aip_batch
        return convert(fields, archive)

    def _agency(self, fields: Fields) -> AgencyCode | None:
        """The caller's word, else the identification code that a fileCode begins with, else the AIP's own agent."""
        subject = self._subject
        if self._is_aip:
            names = (a.name for a in self._inner.agents if a.type == "ORGANIZATION" and _CODE.fullmatch(a.name))
            said = next((agency_code(name) for name in names), None)
        else:
            match = _FILE_CODE.fullmatch(fields.get("fileCode"))
            said = agency_code(match["agency"]) if match else None
        if subject.agency is not None and said is not None and said != subject.agency:
            subject.findings.add("PACKAGE-OTHER-AGENCY", EAD, said=said, agency=subject.agency)
        return subject.agency or said

    def _fonds(self) -> FondsCode | None:
        """The caller's word, else a note IDENTIFICATIONCODE, else what the OBJID of an AIP begins with."""
        notes = [fonds_code(note) for note in (*self._inner.identification_codes, *self._root.identification_codes)]
        named = _AIP_OBJID.fullmatch(self._root.objid)
        last = fonds_code(named["fonds"]) if self._is_aip and named and named["fonds"] else None
        return self._subject.fonds or next((note for note in (*notes, last) if note is not None), None)

    def _carried(self) -> Carried | None:
        return carried_events(self._subject, "metadata/preservation/PREMIS.xml") if self._is_aip else None
