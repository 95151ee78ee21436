"""Codes of whole packages, and of the pass over their bytes: each with a package that breaks one thing and a twin."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from access.dissemination.export import export_aip
from ingest.check import check_package
from tests.builders.archive import AGENT, small_archive
from tests.builders.bags import INFO, bag
from tests.builders.giving import services_of, version_of
from tests.builders.tt05 import PDF, SENDER, Sender, dossier_fields, edit, reseal, sip_hoso
from tests.rules.cases import Build, Case, codes_of

CODED = (("Source-Organization", "H20.05"), ("Bag-Group-Identifier", "P1"), *INFO[1:])
LATER = "later"
_REP = "representations/rep1/"
_DIGEST = hashlib.sha256(PDF + b"%1\n").hexdigest()


# Judges


def ingested(agency: str = "", twice: bool = False) -> Callable[[Path, Path, str], set[str]]:
    """The codes of an ingest, told by ``agency``; ``twice``: of a second one, of what lies in ``again`` beside it."""

    def judge(package: Path, work: Path, _: str) -> set[str]:
        with small_archive(work) as archive:
            receipt = archive.receive(package, agency=agency or None)
            if twice:
                receipt = archive.receive(package.parent / "again" / package.name, "again", agency=agency or None)
        return {code for code, _ in receipt.counts}

    return judge


def returned(package: Path, work: Path, _: str) -> set[str]:
    """The codes when the AIP made of a package is given to the archive that the file ``where`` beside it names."""
    with small_archive(work / "kho") as archive, small_archive(work / "kho khác") as other:
        version = version_of(archive, archive.receive(package))
        given = export_aip(services_of(archive), AGENT, version, work / "aip.zip").path
        taker = archive if package.with_name("where").read_text() == "back" else other
        return {code for code, _ in taker.receive(given, "again").counts}


def exported(mutate: Callable[[Path], object]) -> Build:
    """The AIP of a SIP_hoso as another archive gives it, changed there."""

    def build(folder: Path) -> Path:
        with small_archive(folder / "kho") as archive:
            receipt = archive.receive(sip_hoso(folder / "nop"))
            given = export_aip(services_of(archive), AGENT, version_of(archive, receipt), folder / "aip").path
        (package,) = given.iterdir()
        mutate(package)
        reseal(package)
        return package

    return build


def premis(old: str, new: str) -> Build:
    return exported(lambda package: edit(package, f"{_REP}metadata/preservation/PREMIS_rep1.xml", old, new))


def changing(package: Path, work: Path, _: str) -> set[str]:
    """The codes of a package that is changed as the file ``later`` beside it says once its bytes are being read."""
    work.mkdir()
    note = package.with_name(LATER)

    def change(done: int, total: int) -> None:
        del done, total
        if note.exists():
            file = package / "data/Công văn 01.txt"
            file.unlink()
            if note.read_text() == "longer":
                file.write_bytes(b"longer than it was, by far: " * 9)
            note.unlink()

    return set(check_package(package, work, on_progress=change).counts)


# Packages


def coded(folder: Path, **changes: object) -> Path:
    return bag(folder / "goi", **({"info": CODED} | changes))  # type: ignore[arg-type]


def told(without: str = "", **instead: str) -> Build:
    """A bag that says all it should in bag-info.txt, but for one label."""
    info = [(label, instead.get(label.replace("-", "_"), text)) for label, text in CODED if label != without]
    return partial(coded, info=info)


def changed_later(how: str) -> Build:
    def build(folder: Path) -> Path:
        package = coded(folder)
        package.with_name(LATER).write_text(how)
        return package

    return build


def another(mutate: Callable[[Path], object]) -> Build:
    """A package, and the same changed in a second folder."""

    def build(folder: Path) -> Path:
        package = coded(folder)
        shutil.copytree(package, folder / "again" / package.name)
        mutate(folder / "again" / package.name)
        return package

    return build


def not_a_package(folder: Path) -> Path:
    package = coded(folder)
    (package / "bagit.txt").rename(package / "bagit.text")
    return package


def other_payload(package: Path) -> None:
    shutil.rmtree(package)
    coded(package.parent, payload={"Công văn 01.txt": b"Kinh gui\n"})


def sip(code: str = "H20.05.2024.01.TCCB", fonds: str = "P_SNV", **changes: str) -> Build:
    sender = Sender(SENDER.agency, fonds, SENDER.agreement, SENDER.software, SENDER.software_version)
    return lambda folder: sip_hoso(folder, dossier=dossier_fields(code, **changes), sender=sender)


def given_to(where: str) -> Build:
    def build(folder: Path) -> Path:
        (folder / "where").write_text(where)
        return sip()(folder)

    return build


def package_case(
    code: str,
    bad: Build,
    *also: str,
    good: Build = coded,
    name: str = "",
    judge: Callable[[Path, Path, str], set[str]] = codes_of,
) -> Case:
    return Case(f"package: {code} {name}".strip(), frozenset({code}), good, bad, frozenset(also), judge=judge)


CODES = ("TT05-FILE-CODE", "TT05-DOC-CODE")  # of a dossier's code that is another than its documents' codes say

CASES = [
    package_case("PACKAGE-UNKNOWN", not_a_package),
    package_case("PACKAGE-NO-AGENCY", told("Source-Organization"), judge=ingested()),
    package_case("PACKAGE-NO-AGENCY", sip("TCCB"), *CODES, good=sip(), name="SIP_hoso", judge=ingested()),
    package_case("PACKAGE-NO-FONDS", told("Bag-Group-Identifier"), judge=ingested()),
    package_case("PACKAGE-UNTOLD-AGENCY", told("Source-Organization")),
    package_case("PACKAGE-UNTOLD-FONDS", told("Bag-Group-Identifier")),
    package_case("PACKAGE-NO-OBJID", told("External-Identifier")),
    package_case("PACKAGE-CODE", sip("H20.05.2024." + "x" * 300), "TT05-LENGTH-NOTED", *CODES, good=sip()),
    package_case("PACKAGE-TITLE", told(External_Description="x" * 10_001)),
    package_case("PACKAGE-WEAK-DIGEST", partial(coded, algorithms=("md5",))),
    Case(
        "package: PACKAGE-OTHER-AGENCY", frozenset({"PACKAGE-OTHER-AGENCY"}),
        sip("H20.06.2024.01"), sip("H20.05.2024.01"), judge=ingested("H20.06"),
    ),
    package_case(
        "PASS-CHECKSUM",
        partial(coded, mutate=lambda folder: edit(folder, "data/Công văn 01.txt", "Kính", "Kinh")),
        "BAG-OXUM",
    ),
    package_case(
        "PASS-CHECKSUM", premis(_DIGEST, "0" * 64), good=exported(lambda package: None), name="in the PREMIS of an AIP"
    ),
    package_case(
        "SIP-CHECKSUM", premis(_DIGEST, "abc"), good=exported(lambda package: None), name="in the PREMIS of an AIP"
    ),
    package_case(
        "SIP-SIZE", premis("<size>", "<size>9"), good=exported(lambda package: None), name="in the PREMIS of an AIP"
    ),
    Case("package: PASS-CHANGED", frozenset({"PASS-CHANGED"}), coded, changed_later("longer"), judge=changing),
    Case("package: PASS-UNREADABLE", frozenset({"PASS-UNREADABLE"}), coded, changed_later("gone"), judge=changing),
    Case(
        "package: HELD-AS-AIP", frozenset({"HELD-AS-AIP"}), given_to("another"), given_to("back"), judge=returned
    ),
    Case(
        "package: HELD-DIFFERENT", frozenset({"HELD-DIFFERENT"}),
        another(lambda package: None), another(other_payload), judge=ingested(twice=True),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_thing_broken_gives_its_code(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)
