"""E-ARK CSIP, files, structure and folders: every rule broken once, beside a twin that keeps it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from metadata.eark import judge_eark
from metadata.findings import Findings
from metadata.package_kinds import PackageProfile
from tests.builders.eark import WHEN, Change, both, cut, move, swap, within, write
from tests.builders.trees import FolderTree
from tests.rules.cases import Case
from tests.rules.eark import eark_case

REP = "representations/rep1/"
REP_METS = REP + "METS.xml"
DOC = 'href="documentation/manual.txt"'
OLD, MIDDLE = "csip@2.0.4", "csip@2.1.0"
GROUPS = ["CSIP60", "CSIP113", "CSIP114", "CSIP116", "CSIP118", "CSIP108", "CSIP109"]


def away(path: str) -> Change:
    """Take away a file or folder."""

    def change(root: Path) -> None:
        target = root / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    return change


def without(group: str, folder: str) -> Change:
    """Take away a file group and its folder."""
    return both(cut(f'<fileGrp ID="{group}"', "</fileGrp>"), away(folder))


FILES = [
    eark_case("CSIP60-NONE", without("grp-doc", "documentation"), ["CSIP116", "CSIPSTR16"]),
    eark_case("CSIP113-NONE", without("grp-sch", "schemas"), ["CSIP118", "CSIPSTR15"]),
    eark_case(
        "CSIP114-NONE",
        both(without("grp-rep1", "representations"), cut('<fileGrp ID="grp-rep2"', "</fileGrp>")),
        ["CSIP105", "CSIP107", "CSIP108", "CSIP110"],
    ),
    eark_case("CSIP58", cut("<fileSec", "</fileSec>"), ["CSIP108", "CSIP116", "CSIP118", "CSIP60"]),
    eark_case("CSIP58", swap("</fileSec>", '</fileSec><fileSec ID="f2"/>'), name="two"),
    eark_case("CSIP58", write(REP + "data/c.txt"), name="a file that is not referenced"),
    eark_case("CSIP59", swap('<fileSec ID="files">', "<fileSec>")),
    eark_case("CSIP60", cut('<fileGrp ID="grp-doc"', "</fileGrp>"), ["CSIP116"]),
    eark_case("CSIP60", write("documentation/more.txt"), name="a file that is not referenced"),
    eark_case("CSIP113", cut('<fileGrp ID="grp-sch"', "</fileGrp>"), ["CSIP118"]),
    eark_case(
        "CSIP114",
        both(cut('<fileGrp ID="grp-rep1"', "</fileGrp>"), cut('<fileGrp ID="grp-rep2"', "</fileGrp>")),
        ["CSIP108"],
    ),
    eark_case("CSIP61", within('USE="Representations/rep1"', ' ADMID="digiprov1"', ' ADMID="digiprov1 dmd1"')),
    eark_case("CSIP62", within('USE="Representations/rep1"', ' csip:CONTENTINFORMATIONTYPE="MIXED"', "")),
    eark_case("CSIP62", within('USE="Representations/rep1"', '="MIXED"', '="TT05"'), name="not in the vocabulary"),
    eark_case("CSIP62 CSIP63", within('USE="Representations/rep1"', '="MIXED"', '="OTHER"')),
    eark_case("CSIP64", swap(' USE="Documentation"', ""), ["CSIP60", "CSIP116"]),
    eark_case("CSIP64", swap(' USE="Schemas"', ' USE="schema"'), ["CSIP113", "CSIP118"], name="misspelt"),
    eark_case("CSIP65", swap('<fileGrp ID="grp-doc"', "<fileGrp"), ["CSIP116"]),
    eark_case("CSIP66", swap("</fileSec>", '<fileGrp ID="g" USE="Schemas"/></fileSec>'), ["CSIP118"]),
    eark_case("CSIP67", swap('<file ID="doc1"', "<file")),
    eark_case("CSIP67", swap('<file ID="doc1"', '<file ID="sch1"'), name="twice"),
    eark_case("CSIP68", within('ID="doc1"', ' MIMETYPE="text/plain"', ' MIMETYPE="tif"')),
    eark_case("CSIP68", within('ID="doc1"', ' MIMETYPE="text/plain"', ""), name="missing"),
    eark_case("CSIP69", within('ID="doc1"', ' SIZE="7"', "")),
    eark_case("CSIP69", within('ID="doc1"', ' SIZE="7"', ' SIZE="8"'), name="wrong"),
    eark_case("CSIP70", within('ID="doc1"', f' CREATED="{WHEN}"', "")),
    eark_case("CSIP71", within('ID="doc1"', ' CHECKSUM="', ' ID2="')),
    eark_case("CSIP71", within('ID="doc1"', ' CHECKSUM="', ' CHECKSUM="00'), name="of another length"),
    eark_case("CSIP71", write(REP + "data/a.txt", "b\n"), name="wrong"),
    eark_case("CSIP72", within('ID="doc1"', ' CHECKSUMTYPE="SHA-256"', "")),
    eark_case("CSIP73", swap(' OWNERID="m1"', ' OWNERID=""')),
    eark_case("CSIP74", within(' OWNERID="m1"', ' ADMID="rights1"', ' ADMID="dmd1"')),
    eark_case("CSIP75", within(' OWNERID="m1"', ' DMDID="dmd1"', ' DMDID="rights1"')),
    eark_case("CSIP76", cut("<FLocat", "/>"), ["CSIP60"]),
    eark_case("CSIP76", swap(DOC + "/>", DOC + "/><FLocat/>"), ["CSIP77", "CSIP78"], name="two"),
    eark_case("CSIP77", within('ID="doc1"', 'LOCTYPE="URL"', 'LOCTYPE="OTHER"')),
    eark_case("CSIP78", within('ID="doc1"', ' xlink:type="simple"', "")),
    eark_case("CSIP79", within('ID="doc1"', ' xlink:href="documentation/manual.txt"', ""), ["CSIP60"]),
    eark_case("CSIP79", move("documentation/manual.txt", "documentation/Manual.txt"), name="letter case"),
    eark_case("CSIP79", within('ID="doc1"', 'href="', 'href="a/../../'), ["CSIP60"], name="outside"),
    eark_case("LINE-ENDINGS", write("documentation/manual.txt", "manual\r\n")),
]
MAIN, METADATA, DOCUMENTATION = '<div ID="div-main"', '<div ID="div-md"', '<div ID="div-doc"'
SCHEMAS, PART, PLAIN = '<div ID="div-sch"', '<div ID="div-rep1"', '<div ID="div-rep"'
SECOND = '<div ID="d9" LABEL="{}"/>'
STRUCTURE = [
    eark_case("CSIP80", cut("<structMap", "</structMap>"), ["CSIP105"]),
    eark_case(
        "CSIP80", swap("</mets>", '<structMap ID="m2" TYPE="PHYSICAL" LABEL="CSIP"/></mets>'), ["CSIP84"], name="two"
    ),
    eark_case("CSIP81", swap('TYPE="PHYSICAL"', 'TYPE="LOGICAL"')),
    eark_case("CSIP81", swap(' TYPE="PHYSICAL"', ""), name="missing"),
    eark_case("CSIP82", swap('LABEL="CSIP"', 'LABEL="CSIP StructMap"')),
    eark_case("CSIP81 CSIP82", swap('TYPE="PHYSICAL" LABEL="CSIP"', 'TYPE="x" LABEL="x"'), name="both told at once"),
    eark_case("CSIP83", swap('<structMap ID="map"', "<structMap")),
    eark_case("CSIP84", swap("</structMap>", '<div ID="d9" LABEL="x"/></structMap>')),
    eark_case("CSIP85", swap(MAIN, "<div")),
    eark_case("CSIP86", within(MAIN, ' LABEL="goi-tin-1"', ' LABEL="x"'), profile=OLD),
    eark_case("CSIP88", cut(METADATA, "/>")),
    eark_case("CSIP89", swap(METADATA, "<div")),
    eark_case("CSIP90 CSIP88", swap(' LABEL="Metadata"', ' LABEL="metadata"')),
    eark_case("CSIP91", within(METADATA, ' ADMID="rights1 digiprov1"', "")),
    eark_case("CSIP91", within(METADATA, "rights1 digiprov1", "rights1"), name="one is missing"),
    eark_case("CSIP91", within(METADATA, "rights1 digiprov1", "rights1 digiprov1 grp-doc"), name="one too many"),
    eark_case("CSIP92", within(METADATA, ' DMDID="dmd1"', "")),
    eark_case("CSIP92", within(METADATA, ' DMDID="dmd1"', ' DMDID="dmd1 dmd2"'), name="one too many"),
    eark_case("CSIP93", cut(DOCUMENTATION, "</div>"), ["CSIP116"]),
    eark_case("CSIP93", swap(METADATA, SECOND.format("Documentation") + METADATA), ["CSIP96"], name="two"),
    eark_case("CSIP94", swap(DOCUMENTATION, "<div")),
    eark_case("CSIP95 CSIP93", swap('LABEL="Documentation"', 'LABEL="documentation"')),
    eark_case("CSIP96", swap('<fptr FILEID="grp-doc"/>', ""), ["CSIP116"]),
    eark_case("CSIP96-MUST", swap('<fptr FILEID="grp-doc"/>', ""), ["CSIP116"], profile=MIDDLE),
    eark_case("CSIP116", swap(' FILEID="grp-doc"', "")),
    eark_case("CSIP116", swap('FILEID="grp-doc"', 'FILEID="grp-sch"'), name="another group"),
    eark_case("CSIP97", cut(SCHEMAS, "</div>"), ["CSIP118"]),
    eark_case("CSIP98", swap(SCHEMAS, "<div")),
    eark_case("CSIP99 CSIP97", swap('LABEL="Schemas"', 'LABEL="Schema"')),
    eark_case("CSIP100", swap('<fptr FILEID="grp-sch"/>', ""), ["CSIP118"]),
    eark_case("CSIP100-MUST", swap('<fptr FILEID="grp-sch"/>', ""), ["CSIP118"], profile=OLD),
    eark_case("CSIP118", swap('FILEID="grp-sch"', 'FILEID="sch1"')),
    eark_case("CSIP101", cut(PLAIN, "</div>"), ["CSIP119"], described=False),
    eark_case("CSIP102", swap(PLAIN, "<div"), described=False),
    eark_case("CSIP103 CSIP101", swap('LABEL="Representations"', 'LABEL="representations"'), described=False),
    eark_case("CSIP104", cut('<fptr FILEID="grp-rep1"', 'rep2"/>'), ["CSIP119"], described=False),
    eark_case("CSIP104-MUST", cut('<fptr FILEID="grp-rep1"', 'rep2"/>'), ["CSIP119"], described=False, profile=OLD),
    eark_case("CSIP119", cut('<fptr FILEID="grp-rep1"', "/>"), described=False),
    eark_case("CSIP119", swap('FILEID="grp-rep1"', 'FILEID="grp-doc"'), described=False, name="another group"),
    eark_case("CSIP119", swap(' FILEID="grp"', "", REP_METS), ["CSIP69", "CSIP71"], name="in a representation"),
    eark_case("CSIP105", cut(PART, "</div>"), ["CSIP109"]),
    eark_case("CSIP105 CSIP107", swap('LABEL="Representations/rep1"', 'LABEL="Representations/rep9"'), name="no such"),
    eark_case("CSIP106", swap(PART, "<div")),
    eark_case("CSIP107", swap('LABEL="Representations/rep1"', 'LABEL="rep1"')),
    eark_case("CSIP108", swap(' xlink:title="grp-rep1"', ""), ["CSIP109"]),
    eark_case("CSIP108 CSIP109", swap('title="grp-rep1"', 'title="grp-doc"'), name="another group"),
    eark_case("CSIP109", cut("<mptr", "/>"), ["CSIP105"]),
    eark_case("CSIP110", swap('rep1/METS.xml" xlink:title', 'rep9/METS.xml" xlink:title'), ["CSIP105"]),
    eark_case("CSIP111", within(PART, ' xlink:type="simple"', "")),
    eark_case("CSIP112", within(PART, 'LOCTYPE="URL"', 'LOCTYPE="PURL"')),
]


class Nameless(FolderTree):
    """A package whose files lie at the top of an archive file."""

    name = ""


class Failing(FolderTree):
    """A package on a medium that does not give one file's bytes back."""

    def open(self, path: str) -> BinaryIO:
        if path.endswith("a.txt") and (self._root / "broken").exists():
            raise OSError("medium error")
        return super().open(path)


def judged_in(tree: type[FolderTree]):
    """The judge over another kind of tree, which is nothing special for the good twin."""

    def judge(package: Path, work: Path, profile: str) -> set[str]:
        findings = Findings()
        plain = tree is Nameless and not (package / "loose").exists()
        judge_eark(FolderTree(package) if plain else tree(package), findings, PackageProfile.parse(profile))
        return set(findings.counts)

    return judge


FOLDERS = [
    replace(eark_case("CSIPSTR1", write("loose")), judge=judged_in(Nameless)),
    replace(eark_case("UNREADABLE", write("broken")), judge=judged_in(Failing)),
    eark_case("CSIPSTR4", move("METS.xml", "mets.xml")),
    eark_case("CSIPSTR5", move("metadata", "Metadata"), ["CSIP24", "CSIP38", "CSIP51"]),
    eark_case(
        "CSIPSTR6",
        both(move("metadata/preservation", "metadata/other/p"), swap("metadata/preservation/", "metadata/other/p/")),
    ),
    eark_case(
        "CSIPSTR7",
        both(move("metadata/descriptive", "metadata/other/d"), swap("metadata/descriptive/", "metadata/other/d/")),
    ),
    eark_case(
        "CSIPSTR9",
        move("representations", "Representations"),
        ["CSIP79", "CSIP105", "CSIP107", "CSIP110"],
    ),
    eark_case("CSIPSTR10", write("representations/loose.txt")),
    eark_case("CSIPSTR11", write(REP + "Data/c.txt")),
    eark_case("CSIPSTR12", away(REP_METS), ["CSIP17", "CSIP32", "CSIP58", "CSIP79", "CSIP110"]),
    eark_case("CSIPSTR13", away(REP + "metadata"), ["CSIP24", "CSIP38"]),
    eark_case("CSIPSTR15", away("schemas"), ["CSIP79"]),
    eark_case("CSIPSTR16", away("documentation"), ["CSIP79"]),
]
CASES = [*FILES, *STRUCTURE, *FOLDERS]


@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name)
def test_rule_both_ways(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)
