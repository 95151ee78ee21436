"""Judging the tree of a TT 05 package: what must lie in it, what may, and the names that are written otherwise."""

from __future__ import annotations

from fnmatch import fnmatchcase

from metadata.package_tree import PackageTree
from metadata.tt05.judge_notes import Notes
from metadata.tt05.packages import PackageRules

REPRESENTATION = "representations/rep1/"
DESCRIPTIVE = "metadata/descriptive/"
PRESERVATION = "metadata/preservation/"
LINK = ".fetch.txt"


def judge_tree(tree: PackageTree, rules: PackageRules, notes: Notes) -> list[str]:
    """Judge folders and names; gives the paths of the PREMIS files that are there."""
    details = {"package": rules.name, "annex": rules.annex}
    _allowed(tree, "", rules.root, notes, rules.name)
    _allowed(tree, "metadata/", ("descriptive/", "preservation/"), notes, rules.name)
    _allowed(tree, DESCRIPTIVE, ("[Ee][Aa][Dd].[Xx][Mm][Ll]",), notes, rules.name)
    for name in tree.children("representations/"):
        if name != "rep1/":
            notes.add("REPRESENTATION-OTHER", f"representations/{name}", package=rules.name)
    _allowed(tree, REPRESENTATION, rules.representation, notes, rules.name)
    _allowed(tree, f"{REPRESENTATION}metadata/", ("descriptive/", "preservation/"), notes, rules.name)
    if not tree.has_folder(f"{REPRESENTATION}data/"):
        notes.add("TREE-LACKS", f"{REPRESENTATION}data/", **details)
    for path in rules.required:
        if not _there(tree, path, notes):
            notes.add("TREE-LACKS", path, **details)
    if not [path for path in rules.one_of if _there(tree, path, notes)] and rules.one_of:
        notes.add("TREE-LACKS", rules.one_of[0], **details)
    return [
        *_preservation(tree, PRESERVATION, "PREMIS.xml", rules, notes),
        *_preservation(tree, f"{REPRESENTATION}{PRESERVATION}", "PREMIS_rep1.xml", rules, notes),
    ]


def judge_zip_name(name: str, objid: str, rules: PackageRules, notes: Notes) -> None:
    """The name of the ZIP that a SIP came in: ``[STT][OBJID].zip`` (Phụ lục III, IV)."""
    if rules.zip_name is None or not name.lower().endswith(".zip") or not objid:
        return
    stem = name[: -len(".zip")]
    match = rules.zip_name.fullmatch(stem)
    if stem == objid:
        notes.add("ZIP-NAME-OBJID", name)
    elif match is None or match["objid"] != objid:
        notes.add("ZIP-NAME", name, objid=objid)


def judge_data(tree: PackageTree, rules: PackageRules, notes: Notes, digitised: str) -> None:
    """Content files by their names: links where none may be; for a digitised dossier, its code before each number.

    ``digitised`` is the dossier's code, "" when its files may have any name.
    """
    folder = f"{REPRESENTATION}data/"
    codes = {digitised, digitised.partition(".")[2] if rules.parent else digitised} - {""}
    for path in tree.paths(folder):
        name = path.rpartition("/")[2]
        if name.endswith(LINK):
            if not rules.linked:
                notes.add("LINKED", path, package=rules.name)
        elif digitised and not any(name.startswith(f"{code}.") for code in codes):
            notes.tally("CONTENT-NAME", folder, name, wanted=f"{digitised}.0000001")


def _allowed(tree: PackageTree, folder: str, patterns: tuple[str, ...], notes: Notes, package: str) -> None:
    for name in tree.children(folder):
        if not any(fnmatchcase(name, pattern) for pattern in patterns):
            notes.add("TREE-OTHER", folder + name, package=package)


def _there(tree: PackageTree, path: str, notes: Notes) -> bool:
    """Whether there is such a file; one whose name differs in case only is noted."""
    if tree.size_of(path) is not None:
        return True
    folder, _, wanted = path.rpartition("/")
    other = next((name for name in tree.children(f"{folder}/") if name.lower() == wanted.lower()), None)
    if other is not None:
        notes.add("SCHEMA-CASE", f"{folder}/{other}", wanted=wanted)
    return other is not None


def _preservation(tree: PackageTree, folder: str, wanted: str, rules: PackageRules, notes: Notes) -> list[str]:
    names = tree.children(folder)
    if rules.premis == "none":
        for name in names:
            notes.add("PREMIS-IN-SIP", folder + name)
    else:
        if rules.premis == "required" and wanted not in names:
            notes.add("PREMIS-LACKS", folder + wanted)
        for name in names:
            if name != wanted:
                notes.tally("PREMIS-NAME", folder, name, wanted=wanted)
    return [folder + name for name in names if name.lower().endswith(".xml")]
