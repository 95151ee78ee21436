"""A BagIt bag (RFC 8493 and its drafts) as a package: the dossier made of bag-info.

``docs/packages.md`` says which elements of ``bag-info.txt`` give agency, fonds, code, title and dates.
"""

from __future__ import annotations

import re

from ingest.packages.bag_judge import PAYLOAD, JudgedBag, bag_facts, judge_bag
from ingest.packages.examined import Examined, Subject, aip_folder
from ingest.packages.reading import agency_code, fonds_code, judge_title, object_id, record_code
from metadata.bagit_profile import judge_bag_profile, tt05_bag_profile
from metadata.holdings import PackageType, Role
from metadata.tt05.records import Fields, dossier_record

__all__ = ["JudgedBag", "bag_facts", "examine_bag", "judge_bag"]

_CODE = re.compile(r"[A-Za-z0-9]+([.-][A-Za-z0-9]+)*")


def examine_bag(subject: Subject) -> Examined | None:
    """Check everything of a bag but its digests, and plan it. None when it is refused."""
    bag = judge_bag(subject)
    if bag is None:
        return None
    if subject.ledger.totals(PAYLOAD).files == 0:
        subject.findings.add("BAG-NO-PAYLOAD", subject.source.name)
    judge_bag_profile(tt05_bag_profile(), bag_facts(subject, bag), subject.findings, only_what_is_there=True)
    return _dossier(subject, bag)


def _dossier(subject: Subject, bag: JudgedBag) -> Examined | None:
    """The dossier that bag-info describes, and the plan of all files."""
    name, findings = bag.declaration.rules.info, subject.findings
    agency = subject.agency or agency_code(bag.first("Agency-Code"))
    if agency is None and _CODE.fullmatch(bag.first("Source-Organization")):
        agency = agency_code(bag.first("Source-Organization"))
    fonds = subject.fonds or fonds_code(bag.first("Fonds-Code") or bag.first("Bag-Group-Identifier"))
    objid = object_id(bag.first("External-Identifier"))
    inner = bag.first("Internal-Sender-Identifier") or bag.first("External-Identifier")
    code = record_code(f"{subject.archive}.{inner}") if inner else None
    if agency is None:
        subject.untold("AGENCY", name)
    if fonds is None:
        subject.untold("FONDS", name)
    if objid is None or code is None:
        findings.add("PACKAGE-NO-OBJID", name)
    if agency is None or fonds is None or objid is None or code is None or findings.refused:
        return None
    if not bag.first("External-Description"):
        findings.add("BAG-NO-TITLE", name)
    title = bag.first("External-Description") or inner
    judge_title(subject, title, name)
    form = _form(subject, bag, code.value, title)
    target = f"data/{aip_folder(agency, fonds, objid)}/representations/rep1/data/"
    subject.ledger.plan_all(PAYLOAD, target, Role.CONTENT)
    subject.ledger.plan_all("", "data/submission/", Role.SUBMISSION)
    sent_as = f"BagIt {bag.declaration.version}"
    return Examined(sent_as, PackageType.PLAIN, agency, fonds, objid, code, title, dossier_record(form), form)


def _form(subject: Subject, bag: JudgedBag, code: str, title: str) -> Fields:
    day = bag.first("Bagging-Date")
    pairs = (
        ("arcFileCode", code),
        ("title", title),
        ("mode", bag.first("Mode")),
        ("startDate", bag.first("Start-Date") or day),
        ("endDate", bag.first("End-Date") or day),
        ("totalDoc", str(subject.ledger.totals(PAYLOAD).files)),
        ("description", bag.first("Internal-Sender-Description")),
    )
    return Fields(tuple((name, text) for name, text in pairs if text))
