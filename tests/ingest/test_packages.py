"""What a package is, what is made of it, and every way in which it may be wrong."""

from __future__ import annotations

import shutil
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.check import check_package
from ingest.ledger import Ledger
from ingest.packages import Examined, examine
from ingest.sources import open_source
from metadata.findings import Findings, Severity, finding_rules
from metadata.holdings import PackageType, Role
from metadata.identifiers import AgencyCode, ArchiveCode, FondsCode
from metadata.package_kinds import PackageKind, PackageProfile
from tests.builders.bags import bag, write_tag_manifests
from tests.builders.eark import build_eark
from tests.builders.packages import EAD, sip_tailieu
from tests.builders.tt05 import documents, dossier_fields, edit, reseal, sip_hoso

ARCHIVE = ArchiveCode("LTLS-DT")
DESCRIBED = (
    ("External-Identifier", "BAG-2024-0001"),
    ("External-Description", "Tài liệu rời năm 2024"),
    ("Bagging-Date", "2026-07-01"),
)
INFO = (("Source-Organization", "Sở Nội vụ tỉnh Đồng Tháp"), *DESCRIBED)
CODED = (("Source-Organization", "H20.05"), ("Bag-Group-Identifier", "P1"), *DESCRIBED)
REP = "representations/rep1/"


class Look:
    """An examination of one package, closed again."""

    def __init__(self, path: Path, work: Path, agency: str | None = None, fonds: str | None = None) -> None:
        self.findings = Findings()
        source = open_source(path, work / "q", self.findings)
        assert source is not None
        with Ledger(work / "ledger") as ledger:
            self.examined: Examined | None = examine(
                source,
                ledger,
                self.findings,
                ARCHIVE,
                AgencyCode(agency) if agency else None,
                FondsCode(fonds) if fonds else None,
            )
            if self.examined is not None:
                self.files = list(ledger.files())
                self.documents = list(ledger.documents())
                for file in self.files:
                    with source.open(file.path) as stream:
                        assert len(stream.read(file.size + 1)) == file.size
        source.close()

    @property
    def codes(self) -> set[str]:
        return set(self.findings.counts)


def write(name: str, data: bytes = b"x") -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)

    return change


def remove(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def change(name: str, old: str, new: str) -> Callable[[Path], object]:
    return lambda folder: edit(folder, name, old, new)


def coded(tmp_path: Path, **options: object) -> Path:
    return bag(tmp_path / "bag", **({"info": CODED} | options))  # type: ignore[arg-type]


def test_not_a_package(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    write("letter.txt")(folder)
    look = Look(folder, tmp_path)
    assert look.examined is None
    assert look.codes == {"PACKAGE-UNKNOWN"}


# Bags


def test_a_bag_gives_a_dossier_and_describes_no_documents(tmp_path: Path) -> None:
    look = Look(coded(tmp_path), tmp_path)
    examined = look.examined
    assert examined is not None
    assert look.codes == set()
    assert (examined.sent_as, examined.package_type) == ("BagIt 1.0", PackageType.PLAIN)
    assert (examined.agency.value, examined.fonds.value, examined.objid.value) == ("H20.05", "P1", "BAG-2024-0001")
    assert examined.code.value == "LTLS-DT.BAG-2024-0001"
    assert examined.title == examined.dossier.title == "Tài liệu rời năm 2024"
    assert examined.dossier.start.iso == "2026-07-01"
    assert examined.form.get("totalDoc") == "2"
    assert examined.aip_objid == f"urn:P1:uuid-{str(examined.aip).upper()}"
    assert examined.folder == examined.aip_objid.replace(":", "_")
    content = [file for file in look.files if file.role is Role.CONTENT]
    assert content[0].target == f"data/{examined.folder}/{REP}data/Công văn 01.txt"
    assert {d.source for d in content[0].declared} == {"manifest-sha256.txt", "manifest-sha512.txt"}
    assert {f.target for f in look.files if f.role is Role.SUBMISSION} >= {"data/submission/bagit.txt"}
    assert look.documents == []


def test_what_the_caller_says_goes_before_what_the_bag_says(tmp_path: Path) -> None:
    info = (*CODED, ("Agency-Code", "H20.07"), ("Fonds-Code", "P2"), ("Start-Date", "2020"), ("Mode", "02"))
    path = coded(tmp_path, info=(*info, ("Internal-Sender-Identifier", "2024.01")))
    said = Look(path, tmp_path).examined
    assert said is not None
    assert (said.agency.value, said.fonds.value, said.code.value) == ("H20.07", "P2", "LTLS-DT.2024.01")
    assert (said.dossier.start.iso, said.dossier.end.iso, said.dossier.access) == ("2020", "2026-07-01", "02")
    given = Look(path, tmp_path, "H20.08", "P3").examined
    assert given is not None
    assert (given.agency.value, given.fonds.value) == ("H20.08", "P3")


@pytest.mark.parametrize("version", ["0.97", "0.96", "0.93"])
def test_old_bags_are_read(tmp_path: Path, version: str) -> None:
    look = Look(coded(tmp_path, version=version), tmp_path, "H20", "P1")
    assert look.examined is not None
    assert look.examined.sent_as == f"BagIt {version}"


BAGS: dict[str, tuple[dict[str, object], str]] = {
    "missing": ({"mutate": remove("data/Công văn 01.txt"), "oxum": False}, "BAG-MISSING"),
    "missing tag file": ({"mutate": remove("bag-info.txt")}, "BAG-MISSING-TAG"),
    "extra": ({"mutate": write("data/thừa.txt"), "oxum": False}, "BAG-EXTRA"),
    "oxum": ({"mutate": write("data/Công văn 01.txt", b"other")}, "BAG-OXUM"),
    "oxum nonsense": ({"info": (*CODED, ("Payload-Oxum", "a.b")), "oxum": False}, "BAG-OXUM"),
    "fetch": ({"fetch": b"http://169.254.169.254/ 5 data/x\n"}, "BAG-FETCH"),
    "unknown algorithm": ({"tags": {"manifest-foo.txt": b"00  data/x\n"}}, "BAG-ALGORITHM"),
    "no manifest": ({"algorithms": ()}, "BAG-NO-MANIFEST"),
    "version": ({"version": "9.9"}, "BAG-VERSION"),
    "encoding": ({"mutate": change("bagit.txt", "UTF-8", "rot13")}, "BAG-ENCODING"),
    "declaration": ({"mutate": write("bagit.txt", b"hello")}, "BAG-DECLARATION"),
    "malformed line": ({"mutate": write("manifest-sha256.txt", b"nonsense\n")}, "BAG-MANIFEST-LINE"),
    "outside": ({"mutate": write("manifest-sha256.txt", b"00  data/../../x\n")}, "BAG-PATH-OUTSIDE"),
    "tag in manifest": ({"mutate": write("manifest-sha256.txt", b"00  bagit.txt\n")}, "BAG-WRONG-MANIFEST"),
    "short digest": ({"mutate": write("manifest-sha256.txt", b"00  data/x\n")}, "BAG-DIGEST"),
    "no payload": ({"payload": {}}, "BAG-NO-PAYLOAD"),
    "no identifier": ({"info": CODED[:2]}, "PACKAGE-NO-OBJID"),
    "no agency": ({"info": INFO}, "PACKAGE-NO-AGENCY"),
    "no fonds": ({"info": CODED[:1] + CODED[2:]}, "PACKAGE-NO-FONDS"),
    "identifier too long": ({"info": (*CODED[:2], ("External-Identifier", "x" * 300))}, "PACKAGE-NO-OBJID"),
    "bag-info malformed": ({"mutate": write("bag-info.txt", b"no colon\n")}, "BAG-TAG-LINE"),
    "percent encoding": (
        {"mutate": write("manifest-sha256.txt", b"%s  data/%%2e%%2e/x\n" % (b"0" * 64))},
        "BAG-MISSING",
    ),
}


@pytest.mark.parametrize("name", BAGS)
def test_a_bag_that_is_wrong(tmp_path: Path, name: str) -> None:
    options, code = BAGS[name]
    look = Look(coded(tmp_path, **options), tmp_path)
    assert look.examined is None
    assert code in look.codes
    assert finding_rules()[code].severity is Severity.ERROR


def test_manifests_that_disagree_about_what_there_is(tmp_path: Path) -> None:
    def shorten(folder: Path) -> None:
        manifest = folder / "manifest-sha512.txt"
        manifest.write_bytes(manifest.read_bytes().splitlines(keepends=True)[0])

    assert Look(coded(tmp_path, before_tag_manifests=shorten), tmp_path).codes == {"BAG-NOT-IN-MANIFEST"}
    shutil.rmtree(tmp_path / "bag")
    look = Look(coded(tmp_path, version="0.97", before_tag_manifests=shorten), tmp_path)
    assert look.codes == {"BAG-IN-ONE-MANIFEST"}
    assert look.examined is not None


def test_a_line_twice(tmp_path: Path) -> None:
    def twice(folder: Path) -> None:
        manifest = folder / "manifest-sha256.txt"
        manifest.write_bytes(manifest.read_bytes() * 2)

    assert Look(coded(tmp_path, before_tag_manifests=twice), tmp_path).codes == {"BAG-TWICE"}


@pytest.mark.parametrize("algorithm", ["md5", "sha1"])
def test_weak_digests_are_taken_with_a_warning(tmp_path: Path, algorithm: str) -> None:
    look = Look(coded(tmp_path, algorithms=(algorithm,)), tmp_path)
    assert look.examined is not None
    assert look.codes == {"PACKAGE-WEAK-DIGEST"}


def test_a_manifest_in_another_normal_form(tmp_path: Path) -> None:
    def respell(folder: Path) -> None:
        (folder / "data" / "t\u1ebf.txt").rename(folder / "data" / "te\u0302\u0301.txt")

    look = Look(coded(tmp_path, payload={"t\u1ebf.txt": b"x"}, mutate=respell), tmp_path)
    assert look.codes == {"BAG-SPELLING"}
    assert [len(file.declared) for file in look.files if file.role is Role.CONTENT] == [2]


def test_a_file_whose_name_has_a_percent_sign(tmp_path: Path) -> None:
    look = Look(coded(tmp_path, payload={"a%0Ab": b"x", "100%.txt": b"y"}), tmp_path)
    assert look.codes == set()


def test_a_bag_without_a_title_gets_its_identifier(tmp_path: Path) -> None:
    look = Look(coded(tmp_path, info=CODED[:3]), tmp_path)
    assert look.examined is not None
    assert (look.examined.title, look.codes) == ("BAG-2024-0001", {"BAG-NO-TITLE"})


# SIP_hoso


@pytest.mark.parametrize("sample", [False, True])
def test_a_sip_gives_a_dossier_and_its_documents(tmp_path: Path, sample: bool) -> None:
    path = sip_hoso(tmp_path, sample=sample, contents=documents(3), documentation={"UserManual.pdf": b"%PDF"})
    look = Look(path, tmp_path)
    examined = look.examined
    assert examined is not None
    assert sample == bool(look.codes)
    assert all(code.startswith("TT05-") for code in look.codes)  # what the sample does otherwise is noted, no more
    assert (examined.sent_as, examined.package_type) == ("SIP_hoso", PackageType.AIP_HOSO)
    assert (examined.agency.value, examined.fonds.value) == ("H20.05", "P_SNV")
    assert examined.code.value == examined.form.get("arcFileCode") == "LTLS-DT.H20.05.2024.01.TCCB"
    assert [d.paths for d in look.documents] == [(f"{REP}data/File{n}.pdf",) for n in (1, 2, 3)]
    assert [d.ead_name for d in look.documents] == [f"EAD_doc_File{n}.xml" for n in (1, 2, 3)]
    assert look.documents[1].form.get("docOrdinal") == "2"
    roles = {file.path.split("/")[0]: file.role for file in look.files}
    assert (roles["schemas"], roles["documentation"], roles["METS.xml"]) == (
        Role.SUBMISSION,  # they are those of a SIP: the AIP has its own
        Role.SUPPORT,
        Role.SUBMISSION,
    )
    assert look.files[0].target == f"data/{examined.folder}/{REP}data/File1.pdf"
    assert look.files[0].mime == "application/pdf"


def test_the_same_package_as_folder_and_as_zip_is_examined_the_same(tmp_path: Path) -> None:
    folder = sip_hoso(tmp_path)
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(tmp_path))
    one, other = Look(folder, tmp_path), Look(tmp_path / "p.zip", tmp_path)
    assert one.examined == other.examined
    assert [replace(file, seq=0) for file in one.files] == [replace(file, seq=0) for file in other.files]
    assert one.documents == other.documents


def test_an_href_that_was_never_encoded_is_read_as_it_is(tmp_path: Path) -> None:
    def rename(folder: Path) -> None:
        (folder / REP / "data" / "File1.pdf").rename(folder / REP / "data" / "File1%20a.pdf")
        edit(folder, f"{REP}METS.xml", "data/File1.pdf", "data/File1%20a.pdf")
        edit(folder, "METS.xml", " SIZE=", " LABELX=", 100)  # the inner METS has another size now

    look = Look(sip_hoso(tmp_path, mutate=rename), tmp_path)
    assert look.examined is not None
    assert look.documents[0].paths == (f"{REP}data/File1%20a.pdf",)


def test_documents_come_in_natural_order(tmp_path: Path) -> None:
    look = Look(sip_hoso(tmp_path, contents=documents(11)), tmp_path)
    assert [d.record.number for d in look.documents] == list(range(1, 12))
    assert look.documents[10].paths == (f"{REP}data/File11.pdf",)


SIPS: dict[str, tuple[dict[str, object], str]] = {
    "absolute URL": ({"mutate": change(f"{REP}METS.xml", "data/File1.pdf", "http://10.0.0.1/x")}, "SIP-OUTSIDE"),
    "file URL": ({"mutate": change(f"{REP}METS.xml", "data/File1.pdf", "file:///etc/passwd")}, "SIP-OUTSIDE"),
    "up and out": ({"mutate": change(f"{REP}METS.xml", "data/File1.pdf", "../../../x")}, "SIP-OUTSIDE"),
    "encoded up and out": ({"mutate": change(f"{REP}METS.xml", "data/File1.pdf", "%2e%2e/x")}, "SIP-OUTSIDE"),
    "not UTF-8": ({"mutate": change(f"{REP}METS.xml", "data/File1.pdf", "data/%ff.pdf")}, "NAME-ENCODING"),
    "another package": ({"mutate": change("METS.xml", f"{REP}METS.xml", "../uuid-1/METS.xml")}, "SIP-OUTSIDE"),
    "missing": ({"mutate": remove(f"{REP}data/File1.pdf")}, "SIP-MISSING"),
    "no representation": ({"mutate": remove(f"{REP}METS.xml")}, "SIP-MISSING"),
    "unnamed": ({"mutate": write(f"{REP}data/thừa.txt")}, "SIP-UNNAMED"),
    "size": ({"mutate": write(f"{REP}data/File1.pdf", b"short")}, "SIP-SIZE"),
    "no EAD": ({"mutate": remove("metadata/descriptive/EAD.xml")}, "SIP-NO-EAD"),
    "doctype in METS": ({"mutate": change("METS.xml", "<mets", "<!DOCTYPE mets><mets")}, "XML-DOCTYPE"),
    "doctype in EAD": (
        {"mutate": change("metadata/descriptive/EAD.xml", "<simpledc", "<!DOCTYPE s><simpledc"), "then_reseal": True},
        "XML-DOCTYPE",
    ),
    "doctype in EAD_doc": (
        {
            "mutate": change(f"{REP}metadata/descriptive/EAD_doc_File1.xml", "<simpledc", "<!DOCTYPE s><simpledc"),
            "then_reseal": True,
        },
        "XML-DOCTYPE",
    ),
    "not XML": ({"mutate": write("METS.xml", b"hello")}, "XML-NOT-WELL-FORMED"),
    "no METS": ({"mutate": write("METS.xml", b"<x/>")}, "METS-ROOT"),
    "no OBJID": ({"mutate": change("METS.xml", " OBJID=", " LABELX=")}, "PACKAGE-NO-OBJID"),
    "an AIP": ({"mutate": change("METS.xml", 'OAISPACKAGETYPE="SIP"', 'OAISPACKAGETYPE="AIP"')}, "SIP-NOT-A-SIP"),
    "checksum": (
        {"mutate": change(f"{REP}METS.xml", 'CHECKSUMTYPE="SHA-256"', 'CHECKSUMTYPE="CRC32"')},
        "SIP-CHECKSUM",
    ),
    "no fileCode": ({"dossier": dossier_fields(fileCode=None)}, "TT05-REQUIRED"),
    "fileCode without agency": ({"dossier": dossier_fields("01-TCCB")}, "PACKAGE-NO-AGENCY"),
    "fileCode too long": ({"dossier": dossier_fields("H20.2024." + "x" * 300)}, "PACKAGE-CODE"),
    "no fonds": (
        {"mutate": change(f"{REP}METS.xml", "IDENTIFICATIONCODE", "OTHER"), "then_reseal": True},
        "PACKAGE-NO-FONDS",
    ),
    "no documents": ({"contents": ()}, "SIP-NO-DOCUMENT"),
}


@pytest.mark.parametrize("name", SIPS)
def test_a_sip_that_is_wrong(tmp_path: Path, name: str) -> None:
    options, code = SIPS[name]
    look = Look(sip_hoso(tmp_path, **options), tmp_path)  # type: ignore[arg-type]
    assert look.examined is None
    assert code in look.codes


def test_an_odd_objid_is_a_warning(tmp_path: Path) -> None:
    def odd(folder: Path) -> None:
        edit(folder, "METS.xml", f'OBJID="{folder.name}"', 'OBJID="GOI-01"')

    look = Look(sip_hoso(tmp_path, mutate=odd), tmp_path)
    assert look.examined is not None
    assert look.examined.objid.value == "GOI-01"
    assert look.codes == {"SIP-OBJID-FORM"}


def test_a_folder_with_another_name_is_a_note(tmp_path: Path) -> None:
    sip_hoso(tmp_path / "in").rename(tmp_path / "in" / "goi")
    look = Look(tmp_path / "in", tmp_path)
    assert look.examined is not None
    assert look.codes == {"SIP-FOLDER-NAME"}


def test_the_caller_may_be_another_agency_than_the_code_says(tmp_path: Path) -> None:
    look = Look(sip_hoso(tmp_path), tmp_path, "H20.99", "P9")
    assert look.examined is not None
    assert (look.examined.agency.value, look.examined.fonds.value) == ("H20.99", "P9")
    assert look.codes == {"PACKAGE-OTHER-AGENCY"}


def test_a_description_finds_its_file_by_structmap_name_or_code(tmp_path: Path) -> None:
    def rename(new: str) -> Callable[[Path], object]:
        def doing(folder: Path) -> None:
            (folder / REP / "data" / "File1.pdf").rename(folder / REP / "data" / new)
            edit(folder, f"{REP}METS.xml", "data/File1.pdf", f"data/{new}", 1)
            mets = folder / REP / "METS.xml"
            text = mets.read_text(encoding="utf-8")
            mets.write_text(text.replace("DMDID=", "LABELX="), encoding="utf-8")
            reseal(folder)

        return doing

    for number, name in enumerate(("D0000001.pdf", "H20.05.2024.01.TCCB.0000001.pdf")):
        look = Look(sip_hoso(tmp_path / str(number), identity=uuid.UUID(int=number), mutate=rename(name)), tmp_path)
        assert look.documents[0].paths == (f"{REP}data/{name}",)
    look = Look(sip_hoso(tmp_path / "2", mutate=rename("khác.pdf")), tmp_path)
    assert look.examined is None
    assert look.codes == {"SIP-DOCUMENT-WITHOUT-FILE", "SIP-FILE-WITHOUT-DOCUMENT"}


def test_a_second_file_of_a_document_belongs_to_it(tmp_path: Path) -> None:
    look = Look(sip_hoso(tmp_path, contents=documents(2, {"phụ lục.xlsx": b"PK"})), tmp_path)
    assert set(look.documents[0].paths) == {f"{REP}data/File1.pdf", f"{REP}data/phụ lục.xlsx"}


def test_tag_manifests_are_checked_too(tmp_path: Path) -> None:
    def lose(folder: Path) -> None:
        write("notes.txt")(folder)
        write_tag_manifests(folder)
        (folder / "notes.txt").unlink()

    assert Look(coded(tmp_path, mutate=lose), tmp_path).codes == {"BAG-MISSING-TAG"}


# What kind


def archival(folder: Path) -> None:
    edit(folder, EAD, "fileCode>", "arcFileCode>", 2)


def kind_of(path: Path, work: Path) -> str:
    """The profile that a check judges by."""
    (work / "work").mkdir(exist_ok=True)
    return check_package(path, work / "work").profile


@pytest.mark.parametrize(
    ("build", "kind"),
    [
        (coded, "bagit"),
        (sip_hoso, "tt05-sip-hoso"),
        (sip_tailieu, "tt05-sip-tailieu"),
        (lambda folder: sip_hoso(folder, mutate=change("METS.xml", 'TYPE="Mixed"', 'TYPE="X"')), "tt05-sip-hoso"),
        (lambda folder: sip_tailieu(folder, mutate=change("METS.xml", 'TYPE="Collection"', 'TYPE="X"')),
         "tt05-sip-tailieu"),
        (lambda folder: sip_hoso(folder, mutate=change("METS.xml", 'TYPE="SIP"', 'TYPE="DIP"')), "tt05-sip-hoso"),
        (lambda folder: sip_hoso(folder, mutate=change(EAD, "<fileCode>", "<requestID>1</requestID><fileCode>")),
         "tt05-dip"),
        (lambda folder: sip_hoso(folder, mutate=archival), "tt05-aip-hoso"),
        (lambda folder: sip_tailieu(folder, mutate=archival), "tt05-aip-tailieu"),
        (lambda folder: sip_hoso(folder, mutate=remove(EAD)), "tt05-sip-hoso"),
        (lambda folder: sip_hoso(folder, mutate=write(EAD, b"<!DOCTYPE x><simpledc/>")), "tt05-sip-hoso"),
        (lambda folder: sip_hoso(folder, mutate=write("METS.xml", b"")), "tt05-sip-hoso"),
        (lambda folder: build_eark(folder, "csip"), "eark-csip@2.2.0"),
        (lambda folder: build_eark(folder, "sip"), "eark-sip@2.2.0"),
        (lambda folder: build_eark(folder, "sip", "2.1.0"), "eark-sip@2.1.0"),
        (lambda folder: build_eark(folder, "aip"), "eark-aip@2.2.0"),
    ],
)  # fmt: skip
def test_a_package_is_recognised_by_what_it_says_and_what_lies_in_it(
    tmp_path: Path, build: Callable[[Path], Path], kind: str
) -> None:
    assert kind_of(build(tmp_path / "p"), tmp_path) == kind


@pytest.mark.parametrize("kind", [kind for kind in PackageKind if kind is not PackageKind.BAG])
def test_a_kind_asked_for_that_has_no_mets_is_told_so(tmp_path: Path, kind: PackageKind) -> None:
    (tmp_path / "work").mkdir()
    path = sip_hoso(tmp_path / "p")
    (path / "METS.xml").rename(path / "mets.xml")
    report = check_package(path, tmp_path / "work", PackageProfile(kind))
    assert report.profile == kind.value
    assert "PACKAGE-METS-CASE" in report.counts
    assert not {"SOURCE-UNREADABLE", "CHECK-UNREADABLE"} & set(report.counts)
    (path / "mets.xml").unlink()
    assert "PACKAGE-UNKNOWN" in check_package(path, tmp_path / "work", PackageProfile(kind)).counts


def test_the_name_of_a_representation_leaves_room_for_the_files_named_after_it(tmp_path: Path) -> None:
    path = build_eark(tmp_path / "p", "sip")
    (path / "representations" / "rep2").rename(path / "representations" / ("r" * 241))
    assert "NAME-LONG" in Look(path, tmp_path).codes


def test_an_eark_package_whose_mets_cannot_be_read_is_judged_by_its_tree(tmp_path: Path) -> None:
    path = build_eark(tmp_path / "p", "sip")
    write("METS.xml", b"")(path)
    (tmp_path / "work").mkdir()
    report = check_package(path, tmp_path / "work")
    assert report.profile == "eark-csip"
    assert "XML-NOT-WELL-FORMED" in report.counts
    assert "PACKAGE-METS-KIND" not in report.counts


def test_a_representation_may_name_what_lies_above_it_in_the_package(tmp_path: Path) -> None:
    """But nothing above the package, and no ``..`` that is hidden or stands later."""
    path = build_eark(tmp_path / "p", "sip")
    inner = path / "representations/rep1/METS.xml"
    good = inner.read_text(encoding="utf-8")
    found = {}
    for href in ("../../schemas/ead.xsd", "../../../x", "../../schemas/../x", "..%2f..%2fx", "../../%2e%2e/x", "../.."):
        inner.write_text(good.replace('"data/a.txt"', f'"{href}"'), encoding="utf-8")
        look = Look(path, tmp_path)
        found[href] = "SIP-OUTSIDE" in look.codes
    assert found.pop("../../schemas/ead.xsd") is False
    assert set(found.values()) == {True}
