"""Judging a package of TT 05: tree, METS, descriptions and PREMIS, by the profile of the circular.

What is judged elsewhere is not judged again: that every file named is there, of its size and digest, and named; that
OBJID and folder of a SIP or AIP are of their forms; that each document has its files (``SIP-…``, ``AIP-…``).
"""

from __future__ import annotations

from metadata.findings import Findings
from metadata.package_kinds import PackageKind
from metadata.package_tree import PackageTree
from metadata.tt05.judge_mets import MetsJudge
from metadata.tt05.judge_notes import Notes
from metadata.tt05.judge_premis import PremisJudge
from metadata.tt05.judge_records import RecordsJudge
from metadata.tt05.judge_tree import REPRESENTATION, judge_data, judge_tree, judge_zip_name
from metadata.tt05.profile import Profile, default_profile

_DIGITISED = "02"  # confidenceLevel


def judge_tt05(
    tree: PackageTree,
    findings: Findings,
    kind: PackageKind,
    profile: Profile | None = None,
    *,
    zip_name: str = "",
) -> None:
    """Judge the package in ``tree`` as one of ``kind`` (SIP_hoso, SIP_tailieu, AIP_hoso, AIP_tailieu or DIP).

    ``zip_name`` is the name of the ZIP that it came in, "" when it came otherwise. Flat in memory; every file is read
    once. A file that cannot be read is a finding (``TT05-UNREADABLE``, ``XML-…``) and the others are judged all the
    same. Raises OSError only for what is this machine's fault, ValueError for a kind that is not the circular's.
    """
    if not kind.is_tt05:
        raise ValueError(f"not a package of TT 05: {kind}")
    profile = profile or default_profile()
    rules, notes = profile.packages[kind], Notes(findings, profile)
    premis = judge_tree(tree, rules, notes)
    records = RecordsJudge(tree, kind, notes)
    package = records.package()
    code = package.get(rules.code) if rules.code else ""
    digitised = package.get("confidenceLevel") == _DIGITISED and rules.document_code_form == "package"
    judge_data(tree, rules, notes, code if digitised else "")
    title = package.get("title")
    for path, inner in (("METS.xml", False), (f"{REPRESENTATION}METS.xml", True)):
        if tree.size_of(path) is None:
            continue
        mets = MetsJudge(path, rules, notes, title, code, inner=inner)
        notes.read(tree, path, mets.read)
        if not inner:
            judge_zip_name(zip_name, mets.objid, rules, notes)
            _judge_folder(tree.name, mets.objid, kind, notes)
    records.documents(package)
    for path in premis:
        creation = rules.creation if path == "metadata/preservation/PREMIS.xml" else ""
        notes.read(tree, path, PremisJudge(path, notes, creation).read)
    notes.tell()


def _judge_folder(folder: str, objid: str, kind: PackageKind, notes: Notes) -> None:
    """The folder of a DIP is named by its OBJID; those of the others are judged with their names."""
    if kind is PackageKind.DIP and folder and objid and folder not in (objid, objid.replace(":", "_")):
        notes.add("FOLDER", folder, wanted=objid.replace(":", "_"))
