"""Codes of the kinds of packages, of METS files against what lies in the package, and of linked documents."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.builders.archive import small_archive
from tests.builders.bags import INFO, bag
from tests.builders.eark import Change, build_eark, swap
from tests.builders.packages import EAD, REP, linked_document, package_of, sip_tailieu
from tests.builders.tt05 import SENDER, Sender, documents, dossier_fields, edit, reseal, sip_hoso
from tests.rules.cases import Build, Case, codes_of

REP_METS = f"{REP}METS.xml"
CODED = (("Source-Organization", "H20.05"), ("Bag-Group-Identifier", "P1"), *INFO[1:])


def ingested(package: Path, work: Path, _: str) -> set[str]:
    """The codes of an ingest."""
    with small_archive(work) as archive:
        return {code for code, _ in archive.receive(package).counts}


def limited(target: str) -> Callable[[Path, Path, str], set[str]]:
    """The codes of a check where a limit is 1."""

    def judge(package: Path, work: Path, profile: str) -> set[str]:
        with patch(target, 1):
            return codes_of(package, work, profile)

    return judge


# Packages


def sip(*changes: Change, then_reseal: bool = True) -> Build:
    """A SIP_hoso, changed."""

    def build(folder: Path) -> Path:
        package = sip_hoso(folder, documentation={"UserManual.pdf": b"%PDF-1.4"})
        for change in changes:
            change(package)
        if then_reseal:
            reseal(package)
        return package

    return build


def alike(text: str, new: str, path: str = "METS.xml", count: int = 1) -> Change:
    return lambda package: edit(package, path, text, new, count)


def added(path: str, data: bytes = b"x") -> Change:
    return lambda package: (package / path).write_bytes(data)


def removed(path: str) -> Change:
    return lambda package: (package / path).unlink()


def linking(*texts: bytes) -> Build:
    """A SIP_hoso of one document and links."""
    links = [linked_document(number, text) for number, text in enumerate(texts, 2)]
    return lambda folder: sip_hoso(folder, contents=[*documents(1), *links])


def eark(kind: str = "sip", *changes: Change) -> Build:
    def build(folder: Path) -> Path:
        package = build_eark(folder, kind)
        for change in changes:
            change(package)
        return package

    return build


def aip(*changes: Change) -> Build:
    """An AIP_hoso of another archive, changed."""

    def build(folder: Path) -> Path:
        with small_archive(folder / "other") as archive:
            package = package_of(archive.object(archive.receive(sip_hoso(folder / "sip"))), folder / "aip")
        for change in changes:
            change(package)
        reseal(package)
        return package

    return build


def renamed(old: str, new: str, *, cut: Sequence[str] = ()) -> Change:
    def change(package: Path) -> None:
        (package / old).rename(package / new)
        for path in cut:
            shutil.rmtree(package / path)

    return change


def told(without: str) -> Build:
    return partial(_told, without)


def _told(without: str, folder: Path) -> Path:
    return bag(folder / "goi", info=[pair for pair in CODED if pair[0] != without])


def sent_by(fonds: str, code: str = "H20.05.2024.01.TCCB") -> Build:
    sender = Sender(SENDER.agency, fonds, SENDER.agreement, SENDER.software, SENDER.software_version)
    return lambda folder: sip_hoso(folder, dossier=dossier_fields(code), sender=sender)


def second_pointer(package: Path) -> None:
    """The root METS points to a second representation, which lies there and is a METS."""
    other = package / "representations" / "rep2"
    other.mkdir()
    shutil.copy(package / REP_METS, other / "METS.xml")
    text = (package / "METS.xml").read_text(encoding="utf-8")
    begin = text.index("<mptr")
    pointer = text[begin : text.index("/>", begin) + 2]
    text = text.replace(pointer, pointer + pointer.replace("rep1", "rep2"))
    (package / "METS.xml").write_text(text, encoding="utf-8")


def two_digests(package: Path) -> None:
    """The METS of the representation names a file twice, with another digest."""
    text = (package / REP_METS).read_text(encoding="utf-8")
    end = text.index("</file>") + len("</file>")
    begin = text.index("<file ")
    twin = text[begin:end]
    digest = twin.partition('CHECKSUM="')[2].partition('"')[0]
    twin = twin.replace(digest, "0" * 64).replace('ID="ID-', 'ID="ID-0', 1)
    (package / REP_METS).write_text(text[:end] + twin + text[end:], encoding="utf-8")


def unlinked(name: str, new: str) -> Change:
    """A file of the representation has another name, and no description is linked with any file."""

    def change(package: Path) -> None:
        (package / REP / "data" / name).rename(package / REP / "data" / new)
        edit(package, REP_METS, f"data/{name}", f"data/{new}")
        edit(package, REP_METS, " DMDID=", " LABELX=", 10)

    return change


def two_files(*, linked: bool) -> Build:
    """A document of two files; the second may be linked with no description."""

    def build(folder: Path) -> Path:
        package = sip_hoso(folder, contents=documents(1, {"phu luc.xlsx": b"PK"}))
        if not linked:
            text = (package / REP_METS).read_text(encoding="utf-8")
            before, _, last = text.rpartition(" DMDID=")
            (package / REP_METS).write_text(f"{before} LABELX={last}", encoding="utf-8")
            reseal(package)
        return package

    return build


def bare(package: Path) -> None:
    """No file of the METS of the representation has a digest."""
    path = package / REP_METS
    text = re.sub(r'<file (.*?) CHECKSUM="[^"]*" CHECKSUMTYPE="[^"]*"', r"<file \1", path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    mets = path.read_bytes()
    root = package / "METS.xml"
    named = re.compile(r'SIZE="\d+"([^>]*) CHECKSUM="[^"]*"([^>]*><FLocat [^>]*"representations/rep1/METS.xml")')
    right = rf'SIZE="{len(mets)}"\1 CHECKSUM="{hashlib.sha256(mets).hexdigest()}"\2'
    root.write_text(named.sub(right, root.read_text(encoding="utf-8")), encoding="utf-8")


def case(
    code: str, bad: Build, *also: str, good: Build | None = None, profile: str = "", name: str = "", **how: object
) -> Case:
    title = f"kinds: {code} {name}".strip()
    return Case(title, frozenset({code}), good or sip(), bad, frozenset(also), profile, **how)  # type: ignore[arg-type]


REP1_FILE = "data/File1.pdf"
OTHER_FORM = (
    "TT05-REQUIRED-NOTED",
    "TT05-UNKNOWN-FIELD-NOTED",
    "TT05-METS-TYPE",
    "TT05-METS-LABEL",
    "TT05-FILE-CODE",
    "TT05-DOC-CODE",
)
CHANGED = ("SIP-SIZE", "PASS-CHECKSUM")  # of a METS that another METS names
CASES = [
    # What kind
    case("PACKAGE-METS-CASE", sip(renamed("METS.xml", "mets.xml"), then_reseal=False)),
    case(
        "PACKAGE-METS-KIND", eark("sip", swap("earksip.dilcis.eu/profile/E-ARK-SIP-v2-2-0.xml", "example.org/x")),
        good=eark(),
    ),
    case("PACKAGE-OTHER-KIND", sip_tailieu, *OTHER_FORM, good=sip_hoso, profile="tt05-sip-hoso"),
    case("PACKAGE-NOT-FOR-KEEPING", eark("dip"), good=eark(), judge=ingested),
    # What an archive needs beyond the rules of the kind
    case("PACKAGE-UNTOLD-AGENCY", sent_by("P_SNV", "TCCB"), "TT05-FILE-CODE", "TT05-DOC-CODE", good=sent_by("P_SNV")),
    case("PACKAGE-UNTOLD-FONDS", eark("sip", swap('TYPE="REFERENCECODE"', 'TYPE="X"')), "EARK-SIP7", good=eark()),
    case(
        "PACKAGE-UNNAMED", eark("sip", added("representations/rep1/data/thua.txt")), "EARK-CSIP58", good=eark(),
    ),
    case(
        "PACKAGE-NO-CONTENT", eark("sip", lambda p: shutil.rmtree(p / "representations")), "SIP-MISSING",
        "EARK-CSIP79", "EARK-CSIP105", "EARK-CSIP107", "EARK-CSIP110", "EARK-CSIPSTR9", good=eark(),
    ),
    case(
        "PACKAGE-REPRESENTATIONS-MANY", eark(), "PACKAGE-UNNAMED",
        good=sip(), judge=limited("ingest.packages.eark_package._MOST"),
    ),
    # METS against what lies there
    case(
        "SIP-OUTSIDE", sip(alike(REP1_FILE, "../../../x", REP_METS), then_reseal=False),
        "SIP-UNNAMED", "TT05-FORMAT", *CHANGED,
    ),
    case("SIP-MISSING", sip(removed(f"{REP}data/File1.pdf"))),
    case("SIP-SIZE", sip(added(f"{REP}data/File1.pdf"), then_reseal=False), "PASS-CHECKSUM"),
    case("SIP-TWO-DIGESTS", sip(two_digests, then_reseal=False), "TT05-METS-ID", *CHANGED),
    case("SIP-UNNAMED", sip(added(f"{REP}data/thua.txt")), "SIP-FILE-WITHOUT-DOCUMENT"),
    case("SIP-CHECKSUM", sip(alike('CHECKSUMTYPE="SHA-256"', 'CHECKSUMTYPE="CRC32"', REP_METS)), "TT05-CHECKSUM-TYPE"),
    case("SIP-NO-DIGEST", sip(bare, then_reseal=False), "TT05-METS-ATTRIBUTE", "TT05-CHECKSUM-TYPE"),
    case("SIP-NOT-A-SIP", sip(alike('OAISPACKAGETYPE="SIP"', 'OAISPACKAGETYPE="AIP"')), "TT05-METS-OAIS-TYPE"),
    case("AIP-NOT-AN-AIP", aip(alike('OAISPACKAGETYPE="AIP"', 'OAISPACKAGETYPE="SIP"')), good=aip()),
    case("SIP-REPRESENTATIONS", sip(second_pointer), "TT05-REPRESENTATION-OTHER"),
    case("SIP-OBJID-FORM", sip(alike('OBJID="uuid-', 'OBJID="goi-'))),
    case(
        "SIP-FOLDER-NAME",
        lambda folder: sip_hoso(folder / "in").rename(folder / "in" / "goi").parent,
        good=lambda folder: sip_hoso(folder / "in").parent,
    ),
    case("SIP-NO-EAD", sip(removed(EAD)), "SIP-MISSING"),
    case(
        "SIP-NO-DOCUMENT", lambda folder: sip_hoso(folder, contents=()), "TT05-METS-LACKS", "TT05-TREE-LACKS",
        good=sip_hoso,
    ),
    case(
        "SIP-NOT-A-DESCRIPTION", sip(added(f"{REP}metadata/descriptive/khac.xml", b"<simpledc/>")), "SIP-UNNAMED",
    ),
    case("SIP-DOCUMENT-WITHOUT-FILE", sip(unlinked("File1.pdf", "khac.pdf")), "SIP-FILE-WITHOUT-DOCUMENT"),
    case("SIP-FILE-WITHOUT-DOCUMENT", two_files(linked=False), good=two_files(linked=True)),
    # AIPs of another system
    case("AIP-OBJID-FORM", aip(alike('OBJID="urn:', 'OBJID="URN-')), good=aip()),
    case("AIP-EVENTS-LEFT", aip(alike(">validation<", ">blessing<", "metadata/preservation/PREMIS.xml")), good=aip()),
    # Links
    case("LINK-UNKNOWN", linking(b"D0000009"), good=sip_hoso),
    case("LINK-FORM", linking(b""), good=linking(b"D0000009")),
    case(
        "LINK-OTHER-FONDS",
        linking(b"urn_P9_uuid-7d0d1987-0f1c-47a7-8fd6-cc5c7de4064f_a 5 b D1"),
        good=linking(b"urn_P_SNV_uuid-7d0d1987-0f1c-47a7-8fd6-cc5c7de4064f_a 5 b D1"),
    ),
    case("LINK-UNRESOLVED", linking(b"D0000009"), good=sip_hoso, judge=ingested),
    case("LINK-MANY", linking(b"D8", b"D9"), good=linking(b"D9"), judge=limited("ingest.packages.linked._LINKS")),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_thing_broken_gives_its_code(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)
