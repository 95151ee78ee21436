"""SIP_hoso of TT 05 (Phụ lục III) as a package: its METS, its records, which file belongs to which document."""

from __future__ import annotations

import re

from ingest.packages.examined import Examined, Subject, aip_folder
from ingest.packages.reading import agency_code, fonds_code, judge_title, object_id, reading, record_code
from ingest.packages.sip_documents import SipDocuments
from ingest.packages.sip_mets import SipMets
from metadata.holdings import PackageType, Role
from metadata.identifiers import AgencyCode
from metadata.tt05.records import Fields, dossier_record, judge_dossier, read_simpledc, sip_to_aip_dossier

REPRESENTATION = "representations/rep1/"
_EAD = "metadata/descriptive/EAD.xml"
_FILE_CODE = re.compile(r"(?P<agency>.+?)\.(?P<year>(1[89]|20)\d\d)\..+", re.DOTALL)
_OBJID = re.compile(r"uuid-[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def examine_sip(subject: Subject) -> Examined | None:
    """Check everything of a SIP_hoso but its digests, and plan it. None when it is refused."""
    findings, ledger = subject.findings, subject.ledger
    root = SipMets(subject, "")
    root.read()
    representations = [path for path in root.pointers if path != "METS.xml"] or [f"{REPRESENTATION}METS.xml"]
    if representations != [f"{REPRESENTATION}METS.xml"]:
        findings.add("SIP-REPRESENTATIONS", "METS.xml")
    inner = SipMets(subject, REPRESENTATION)
    if ledger.size_of(f"{REPRESENTATION}METS.xml") is None:
        findings.add("SIP-MISSING", f"{REPRESENTATION}METS.xml", mets="METS.xml")
    else:
        inner.read()
    _completeness(subject)
    _objid(subject, root)
    fields = _dossier(subject, root)
    if fields is None or findings.refused:
        return None
    return _examined(subject, root, inner, fields)


def _completeness(subject: Subject) -> None:
    """Everything that a METS names is there and as big as it says; everything that is there is named."""
    findings, ledger = subject.findings, subject.ledger
    for lost in ledger.missing():
        findings.add("SIP-MISSING", lost.path, mets=lost.source)
    for other in ledger.sizes_differing():
        found = ledger.size_of(other.path)
        findings.add("SIP-SIZE", other.path, mets=other.source, declared=other.value, found=found)
    for two in ledger.digests_differing():
        findings.add("SIP-TWO-DIGESTS", two.path, mets=two.source)
    for path in ledger.undeclared():
        if path != "METS.xml":
            findings.add("SIP-UNNAMED", path)
    for path in ledger.paths(f"{REPRESENTATION}data/"):
        if path.lower().endswith(".fetch.txt"):
            findings.add("SIP-LINKED", path)


def _objid(subject: Subject, root: SipMets) -> None:
    findings, objid = subject.findings, root.objid
    if object_id(objid) is None:
        findings.add("PACKAGE-NO-OBJID", "METS.xml")
    elif not _OBJID.fullmatch(objid):
        findings.add("SIP-OBJID-FORM", "METS.xml", objid=objid)
    folder = subject.root.rstrip("/")
    if folder and objid and folder not in (objid, objid.replace(":", "_")):
        findings.add("SIP-FOLDER-NAME", folder, objid=objid)
    if root.oais_type and root.oais_type != "SIP":
        findings.add("SIP-NOT-A-SIP", "METS.xml", type=root.oais_type)


def _dossier(subject: Subject, root: SipMets) -> Fields | None:
    """EAD.xml, judged; None when there is none that can be read."""
    path = next((p for p in root.descriptions if p.rpartition("/")[2].lower() == "ead.xml"), _EAD)
    if subject.ledger.size_of(path) is None:
        subject.findings.add("SIP-NO-EAD", path)
        return None
    fields = reading(subject, path, lambda stream: read_simpledc(stream, path))
    if fields is not None:
        judge_dossier(fields, subject.findings, path)
    return fields


def _examined(subject: Subject, root: SipMets, inner: SipMets, fields: Fields) -> Examined | None:
    findings, ledger = subject.findings, subject.ledger
    agency = _agency(subject, fields.get("fileCode"))
    notes = (fonds_code(note) for note in (*inner.identification_codes, *root.identification_codes))
    fonds = subject.fonds or next((note for note in notes if note is not None), None)
    form = sip_to_aip_dossier(fields, subject.archive)
    code, objid = record_code(form.get("arcFileCode")), object_id(root.objid)
    if agency is None:
        findings.add("PACKAGE-NO-AGENCY", "METS.xml")
    if fonds is None:
        findings.add("PACKAGE-NO-FONDS", f"{REPRESENTATION}METS.xml")
    if code is None:
        findings.add("PACKAGE-CODE", _EAD, value=form.get("arcFileCode"))
    if agency is None or fonds is None or code is None or objid is None:
        return None
    SipDocuments(subject, REPRESENTATION, code.value).read()
    title = " ".join(fields.get("title").split())
    judge_title(subject, title, _EAD)
    if findings.refused:
        return None
    base = f"data/{aip_folder(agency, fonds, objid)}/"
    ledger.plan_all(f"{REPRESENTATION}data/", f"{base}{REPRESENTATION}data/", Role.CONTENT)
    for folder in ("schemas/", "documentation/"):
        ledger.plan_all(folder, base + folder, Role.SUPPORT)
    ledger.plan_all("", "data/submission/", Role.SUBMISSION)
    record = dossier_record(form)
    return Examined("SIP_hoso", PackageType.AIP_HOSO, agency, fonds, objid, code, title, record, form)


def _agency(subject: Subject, file_code: str) -> AgencyCode | None:
    """The caller's word, else the identification code that a fileCode begins with (TT 05 Phụ lục III)."""
    match = _FILE_CODE.fullmatch(file_code)
    said = agency_code(match["agency"]) if match else None
    if subject.agency is not None and said is not None and said != subject.agency:
        subject.findings.add("PACKAGE-OTHER-AGENCY", _EAD, said=said, agency=subject.agency)
    return subject.agency or said
