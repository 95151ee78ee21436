"""Every kind of package that is for keeping, from its arrival to an AIP that can be rebuilt; and those that are not."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.check import check_package
from ingest.receipt import Receipt, Verdict
from metadata.catalogue import Catalogue
from metadata.events import EventType
from metadata.findings import Findings
from metadata.holdings import AipVersion, PackageType, Record
from metadata.identifiers import AipId, VersionId
from metadata.mets import MetsFile, MetsReference, MetsRoot, iter_mets
from metadata.package_kinds import PackageKind, PackageProfile
from metadata.tt05.fields import Fields
from metadata.tt05.profile import DocumentKind
from metadata.tt05.sip import SipDocument
from preservation.checks import Schedule
from preservation.rebuild import rebuild
from tests.builders.archive import PERIOD, SmallArchive, judge_with_everything, small_archive
from tests.builders.bags import bag
from tests.builders.eark import build_eark, move, swap, write
from tests.builders.packages import EAD, REP, linked_document, package_of, sip_tailieu
from tests.builders.trees import FolderTree
from tests.builders.tt05 import documents, dossier_fields, edit, reseal, sip_hoso

BAG = (
    ("Source-Organization", "H20.01"),
    ("Bag-Group-Identifier", "P01"),
    ("External-Identifier", "BAG-2026-0001"),
    ("External-Description", "Tài liệu rời năm 2026"),
)


@pytest.fixture
def archive(tmp_path: Path):
    with small_archive(tmp_path / "archive") as made:
        yield made


def held(archive: SmallArchive, receipt: Receipt) -> AipVersion:
    assert receipt.verdict is Verdict.ACCEPTED, [(one.code, one.place, one.message.en) for one in receipt.findings]
    found = archive.catalogue.holdings.version(VersionId(AipId.parse(receipt.aip), 1))
    assert found is not None
    return found


def records(archive: SmallArchive, receipt: Receipt) -> list[Record]:
    return list(archive.catalogue.holdings.records(held(archive, receipt).id))


def extracted(archive: SmallArchive, receipt: Receipt, folder: Path) -> Path:
    """The AIP as its bag, judged by everything."""
    folder.mkdir(parents=True, exist_ok=True)
    return judge_with_everything(archive.object(receipt), folder)


def assert_bytes_kept(source: Path, root: Path) -> None:
    (package,) = root.glob("data/urn*")
    for path in sorted(source.rglob("*")):
        if path.is_file():
            inside = path.relative_to(source)
            kept = [base / inside for base in (package, root / "data" / "submission") if (base / inside).is_file()]
            assert any(copy.read_bytes() == path.read_bytes() for copy in kept), inside


def assert_mets_complete(root: Path) -> None:
    """Every file of the package is named by its METS files with its size and digest, and nothing else is."""
    (package,) = root.glob("data/urn*")
    named: dict[str, tuple[int | None, str]] = {}
    for mets in package.rglob("METS.xml"):
        base = mets.parent
        with mets.open("rb") as stream:
            for item in iter_mets(stream):
                if isinstance(item, MetsFile | MetsReference):
                    assert item.path is not None
                    named[(base / item.path).relative_to(package).as_posix()] = item.size, item.checksum
    found = {path.relative_to(package).as_posix(): path for path in package.rglob("*") if path.is_file()}
    assert set(named) == set(found) - {"METS.xml"}
    for name, (size, digest) in named.items():
        data = found[name].read_bytes()
        assert (size, digest) == (len(data), hashlib.sha256(data).hexdigest()), name


def assert_rebuilt(archive: SmallArchive, folder: Path) -> None:
    again = Catalogue(f"sqlite:///{folder / 'again.sqlite'}")
    try:
        again.upgrade()
        report = rebuild(again, archive.stores, archive.clock, Schedule(PERIOD), folder)
        assert (report.unfinished, report.lost, report.problems) == ([], [], [])
        assert list(again.dump()) == list(archive.catalogue.dump())
    finally:
        again.close()


def eark_sip(folder: Path) -> Path:
    return build_eark(folder, "sip")


def aip_hoso(folder: Path) -> Path:
    """An AIP_hoso that another archive made."""
    with small_archive(folder / "other") as other:
        return package_of(other.object(other.receive(sip_hoso(folder / "sip"))), folder / "aip")


def aip_tailieu(folder: Path) -> Path:
    with small_archive(folder / "other") as other:
        return package_of(other.object(other.receive(sip_tailieu(folder / "sip"))), folder / "aip")


KINDS: dict[str, tuple[Callable[[Path], Path], PackageType]] = {
    "bag": (lambda folder: bag(folder / "bag", info=BAG), PackageType.PLAIN),
    "SIP_hoso": (sip_hoso, PackageType.AIP_HOSO),
    "SIP_tailieu": (sip_tailieu, PackageType.AIP_TAILIEU),
    "AIP_hoso": (aip_hoso, PackageType.AIP_HOSO),
    "AIP_tailieu": (aip_tailieu, PackageType.AIP_TAILIEU),
    "E-ARK SIP": (eark_sip, PackageType.EARK),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_package_becomes_an_aip_that_every_judge_accepts_and_a_rebuild_finds(
    archive: SmallArchive, tmp_path: Path, name: str
) -> None:
    build, made = KINDS[name]
    source = build(tmp_path / "sent")
    receipt = archive.receive(source)
    version = held(archive, receipt)
    assert version.package_type is made
    root = extracted(archive, receipt, tmp_path / "out")
    if name != "bag":
        assert_bytes_kept(source, root)
    assert_mets_complete(root)
    assert_rebuilt(archive, tmp_path)
    assert archive.leftovers() == []
    assert archive.receive(source) == receipt
    dossier = archive.catalogue.holdings.dossier(version.id)
    assert dossier is not None
    assert dossier.title == receipt.title != ""
    assert dossier.code == version.code.value
    found = list(archive.catalogue.holdings.records(version.id, 1))
    assert found
    assert all(one.members for one in found)
    types = [event.type for event in archive.catalogue.events.of(version.id)]
    assert EventType.INFORMATION_PACKAGE_CREATION in types


# TT 05


def test_loose_documents_are_kept_as_aip_tailieu_in_form_a(archive: SmallArchive, tmp_path: Path) -> None:
    receipt = archive.receive(sip_tailieu(tmp_path / "sent"))
    root = extracted(archive, receipt, tmp_path / "out")
    dossier, first, _ = records(archive, receipt)
    assert list(dossier.fields) == ["arcFileCode", "title", "source", "description"]
    assert dossier.code == "H20.H20.05.2024.01.0000001"
    assert first.code == "H20.H20.05.2024.01.TCCB.0000001"
    (mets,) = root.glob("data/urn*/METS.xml")
    with mets.open("rb") as stream:
        said = next(item for item in iter_mets(stream) if isinstance(item, MetsRoot))
    assert said.type == "Collection"


def test_docid_of_a_sip_stays_findable_in_the_aip(archive: SmallArchive, tmp_path: Path) -> None:
    receipt = archive.receive(sip_hoso(tmp_path / "sent"))
    assert [one.fields["docId"] for one in records(archive, receipt)[1:]] == ["D0000001", "D0000002"]
    (package,) = extracted(archive, receipt, tmp_path / "out").glob("data/urn*")
    written = (package / REP / "metadata/descriptive/EAD_doc_File1.xml").read_text(encoding="utf-8")
    assert "docId" not in written  # form A of an AIP has no such field


def test_an_aip_keeps_codes_documents_and_its_life_before(archive: SmallArchive, tmp_path: Path) -> None:
    with small_archive(tmp_path / "other") as other:
        first = other.receive(sip_hoso(tmp_path / "sip", contents=documents(3)))
        there = records(other, first)
        life = other.catalogue.events.of(held(other, first).id)
        source = package_of(other.object(first), tmp_path / "aip")
    receipt = archive.receive(source)
    here = records(archive, receipt)
    assert [(one.number, one.code, one.title, one.fields.get("docId", "")) for one in here] == [
        (one.number, one.code, one.title, one.fields.get("docId", "")) for one in there
    ]
    events = archive.catalogue.events.of(held(archive, receipt).id)
    before = [event for event in life if event.store is None and event.type is not EventType.INGESTION_END]
    assert [(event.id, event.type, event.at) for event in events[: len(before)]] == [
        (event.id, event.type, event.at) for event in before
    ]
    taken = next(event for event in events if event.type is EventType.INGESTION)
    assert taken.outcome == "success"
    assert f"{len(before)} of its events" in taken.note
    root = extracted(archive, receipt, tmp_path / "out")
    kept = root / "data" / "submission" / "metadata" / "preservation" / "PREMIS.xml"
    assert kept.read_bytes() == (source / "metadata" / "preservation" / "PREMIS.xml").read_bytes()


def test_events_that_nobody_can_place_are_counted_and_stay_in_the_file(archive: SmallArchive, tmp_path: Path) -> None:
    source = aip_hoso(tmp_path)
    premis = "metadata/preservation/PREMIS.xml"
    edit(source, premis, "<eventType>validation</eventType>", "<eventType>blessing</eventType>")
    reseal(source)
    receipt = archive.receive(source)
    version = held(archive, receipt)
    assert dict(receipt.counts)["AIP-EVENTS-LEFT"] == 1
    taken = next(event for event in archive.catalogue.events.of(version.id) if event.type is EventType.INGESTION)
    assert taken.outcome == "warning"


# Linked documents


def test_a_link_points_to_the_held_document(archive: SmallArchive, tmp_path: Path) -> None:
    first = archive.receive(sip_hoso(tmp_path / "one"))
    code = "H20.05.2025.02.TCCB"
    contents = [*documents(1), linked_document(2, b"D0000002\n", code=code)]
    second = sip_hoso(tmp_path / "two", identity=uuid.UUID(int=2), dossier=dossier_fields(code), contents=contents)
    receipt = archive.receive(second)
    linked = records(archive, receipt)[2]
    assert linked.fields["linkedDocument"] == f"{held(archive, first).id}#2"
    root = extracted(archive, receipt, tmp_path / "out")
    (kept,) = root.glob(f"data/urn*/{REP}data/File2.pdf.fetch.txt")
    assert kept.read_bytes() == b"D0000002\n"
    with (kept.parent.parent / "METS.xml").open("rb") as stream:
        uses = {item.path: item.use for item in iter_mets(stream) if isinstance(item, MetsFile)}
    assert uses == {"data/File1.pdf": "Data", "data/File2.pdf.fetch.txt": "Holeyfile"}
    assert_mets_complete(root)
    assert_rebuilt(archive, tmp_path)
    # The link has the name of what it points to: it does not make the name mean two documents.
    third = sip_hoso(tmp_path / "three", identity=uuid.UUID(int=3), dossier=dossier_fields(code), contents=contents)
    assert records(archive, archive.receive(third))[2].fields["linkedDocument"] == linked.fields["linkedDocument"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"D0000009", "LINK-UNRESOLVED"),
        (b"Ki\xe1\xba\xbfn Giang", "LINK-UNRESOLVED"),
        (b"", "LINK-FORM"),
        (b"D1\nD2", "LINK-FORM"),
        (b"\xff\xfe", "LINK-FORM"),
        (b"D" * 5000, "LINK-FORM"),
        (b"urn_P_SNV_nonsense", "LINK-FORM"),
        (b"urn_P9_uuid-7d0d1987-0f1c-47a7-8fd6-cc5c7de4064f_data/a.pdf 5 data/b.pdf D1", "LINK-OTHER-FONDS"),
        (b"http://169.254.169.254/latest", "LINK-UNRESOLVED"),
        (b"file:///etc/passwd", "LINK-UNRESOLVED"),
    ],
)
def test_a_link_that_leads_nowhere_is_refused(archive: SmallArchive, tmp_path: Path, text: bytes, code: str) -> None:
    receipt = archive.receive(sip_hoso(tmp_path, contents=[*documents(1), linked_document(2, text)]))
    assert receipt.verdict is Verdict.REFUSED
    assert code in dict(receipt.counts)
    assert archive.leftovers() == []


def test_the_archival_form_of_a_link_is_read_too(archive: SmallArchive, tmp_path: Path) -> None:
    first = archive.receive(sip_hoso(tmp_path / "one"))
    line = f"urn_P_SNV_uuid-{uuid.UUID(int=7)}_representations/rep1/data/File 1.pdf 1024 representations/x.pdf D0000001"
    contents = [*documents(1), linked_document(2, line.encode())]
    receipt = archive.receive(sip_hoso(tmp_path / "two", identity=uuid.UUID(int=2), contents=contents))
    assert records(archive, receipt)[2].fields["linkedDocument"] == f"{held(archive, first).id}#1"


def test_links_stay_in_their_fonds(archive: SmallArchive, tmp_path: Path) -> None:
    archive.receive(sip_hoso(tmp_path / "one"), fonds="P_OTHER")
    contents = [*documents(1), linked_document(2, b"D0000001")]
    receipt = archive.receive(sip_hoso(tmp_path / "two", identity=uuid.UUID(int=2), contents=contents))
    assert dict(receipt.counts)["LINK-UNRESOLVED"] == 1


# E-ARK


def test_an_eark_sip_keeps_its_representations_and_descriptions(archive: SmallArchive, tmp_path: Path) -> None:
    receipt = archive.receive(eark_sip(tmp_path / "sent"))
    version = held(archive, receipt)
    assert (version.agency.value, version.fonds.value, version.title) == ("A-02", "P1", "Hồ sơ 2025")
    (package,) = extracted(archive, receipt, tmp_path / "out").glob("data/urn*")
    for part in ("rep1", "rep2"):
        inside = package / "representations" / part
        assert (inside / "data/b/b.txt").read_bytes() == b"bb\n"
        assert (inside / "metadata/descriptive/dc.xml").is_file()
        assert (inside / f"metadata/preservation/PREMIS_{part}.xml").is_file()
    assert (package / "metadata/descriptive/ead.xml").is_file()
    for mets, path, kind in (("", "ead.xml", "EAD"), ("representations/rep2/", "dc.xml", "DC")):
        with (package / mets / "METS.xml").open("rb") as stream:
            found = [item for item in iter_mets(stream) if isinstance(item, MetsReference)]
        assert next(one.md_type for one in found if one.href == f"metadata/descriptive/{path}") == kind
    assert [one.title for one in records(archive, receipt)[1:]] == [
        "rep1/a.txt",
        "rep1/b/b.txt",
        "rep2/a.txt",
        "rep2/b/b.txt",
    ]


def test_the_aip_of_an_eark_sip_keeps_the_rules_of_an_eark_aip(archive: SmallArchive, tmp_path: Path) -> None:
    from metadata.eark import judge_eark

    receipt = archive.receive(eark_sip(tmp_path / "sent"))
    (package,) = extracted(archive, receipt, tmp_path / "out").glob("data/urn*")
    findings = Findings()
    judge_eark(FolderTree(package), findings, PackageProfile(PackageKind.EARK_AIP, "2.2.0"))
    assert not findings.refused, [(one.code, one.place, one.message.en) for one in findings.kept()]


DC = "http://purl.org/dc/elements/1.1/"
EAD_2002 = "urn:isbn:1-931666-22-9"
EAD_3 = "http://ead3.archivists.org/schema/"
DUBLIN_CORE = f'<dc xmlns:dc="{DC}"><dc:title>Sổ  hộ tịch</dc:title><dc:date>1998/2004</dc:date></dc>'
FINDING_AID = f"""<ead xmlns="{EAD_2002}"><eadheader><titleproper>Không phải</titleproper></eadheader><archdesc><did>
<unittitle>Phông <emph>xã</emph></unittitle><unitdate normal="1975-05-01/1986">thời bao cấp</unitdate>
</did></archdesc></ead>"""
STRUCTURED = f"""<ead xmlns="{EAD_3}"><archdesc><did><unittitle>Ba</unittitle><unitdatestructured><daterange>
<fromdate standarddate="1990">x</fromdate><todate standarddate="1991">y</todate></daterange></unitdatestructured>
</did></archdesc></ead>"""
DESCRIPTIONS: dict[str, tuple[str, str, str | None, str | None]] = {
    "Dublin Core": (DUBLIN_CORE, "Sổ hộ tịch", "1998", "2004"),
    "EAD 2002": (FINDING_AID, "Phông xã", "1975-05-01", "1986"),
    "EAD 3": (STRUCTURED, "Ba", "1990", "1991"),
    "no date": ("<dc><title>Không ngày</title></dc>", "Không ngày", None, None),
    "nothing known": ("<mods><titleInfo/></mods>", "goi-tin-1", None, None),
}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_title_and_dates_come_out_of_the_description_when_mets_has_no_label(
    archive: SmallArchive, tmp_path: Path, name: str
) -> None:
    text, title, start, end = DESCRIPTIONS[name]
    source = eark_sip(tmp_path / "sent")
    write("metadata/descriptive/ead.xml", text)(source)
    swap(' LABEL="Hồ sơ 2025"', "")(source)
    reseal_eark(source)
    dossier = records(archive, archive.receive(source))[0]
    assert (dossier.title, dossier.start.iso, dossier.end.iso) == (title, start, end)


def reseal_eark(source: Path) -> None:
    """Make the root METS say again what the description is."""
    data = (source / "metadata/descriptive/ead.xml").read_bytes()
    was = b"<ead/>\n"
    mets = source / "METS.xml"
    text = mets.read_text(encoding="utf-8")
    text = text.replace(hashlib.sha256(was).hexdigest(), hashlib.sha256(data).hexdigest())
    head, mark, tail = text.partition('xlink:href="metadata/descriptive/ead.xml"')
    tail = tail.replace(f'SIZE="{len(was)}"', f'SIZE="{len(data)}"', 1)
    mets.write_text(head + mark + tail, encoding="utf-8")


def test_a_real_ead_named_as_in_tt05_is_not_taken_for_the_dossier(archive: SmallArchive, tmp_path: Path) -> None:
    source = eark_sip(tmp_path / "sent")
    move("metadata/descriptive/ead.xml", "metadata/descriptive/EAD.xml")(source)
    swap("descriptive/ead.xml", "descriptive/EAD.xml")(source)
    receipt = archive.receive(source)
    assert records(archive, receipt)[0].title == "Hồ sơ 2025"
    assert_bytes_kept(source, extracted(archive, receipt, tmp_path / "out"))
    assert_rebuilt(archive, tmp_path)


def test_a_description_named_as_the_archives_own_is_kept_with_the_submission(
    archive: SmallArchive, tmp_path: Path
) -> None:
    source = eark_sip(tmp_path / "sent")
    move("metadata/descriptive/ead.xml", "metadata/descriptive/dossier.xml")(source)
    swap("descriptive/ead.xml", "descriptive/dossier.xml")(source)
    receipt = archive.receive(source)
    root = extracted(archive, receipt, tmp_path / "out")
    assert_bytes_kept(source, root)
    assert_mets_complete(root)


def test_a_breach_of_an_eark_must_refuses_the_package(archive: SmallArchive, tmp_path: Path) -> None:
    source = eark_sip(tmp_path / "sent")
    swap(' RECORDSTATUS="NEW"', ' RECORDSTATUS="NEWEST"')(source)
    swap('csip:OAISPACKAGETYPE="SIP"', 'csip:OAISPACKAGETYPE="PIS"')(source)
    assert archive.receive(source).verdict is Verdict.REFUSED


def test_agency_and_fonds_of_an_eark_sip_may_come_from_the_caller(archive: SmallArchive, tmp_path: Path) -> None:
    source = eark_sip(tmp_path / "sent")
    swap('TYPE="REFERENCECODE"', 'TYPE="OTHERCODE"')(source)
    assert dict(archive.receive(source).counts)["PACKAGE-NO-FONDS"] == 1
    receipt = archive.receive(source, agency="H20.77", fonds="P77")
    version = held(archive, receipt)
    assert (version.agency.value, version.fonds.value) == ("H20.77", "P77")


# Not for keeping


def eark_dip(folder: Path) -> Path:
    return build_eark(folder, "dip")


def tt05_dip(folder: Path) -> Path:
    source = sip_hoso(folder)
    edit(source, EAD, "<simpledc>", "<simpledc><requestID>YC-1</requestID>")
    reseal(source)
    return source


@pytest.mark.parametrize("build", [eark_dip, tt05_dip, lambda folder: build_eark(folder, "aip")])
def test_what_is_not_for_keeping_is_refused_with_what_to_do(
    archive: SmallArchive, tmp_path: Path, build: Callable[[Path], Path]
) -> None:
    receipt = archive.receive(build(tmp_path / "sent"))
    assert receipt.verdict is Verdict.REFUSED
    assert dict(receipt.counts)["PACKAGE-NOT-FOR-KEEPING"] == 1
    assert archive.leftovers() == []
    assert archive.keys() == [[], []]


# What the archive makes keeps the rules that it judges others by


def pictures(folder: Path) -> Path:
    """Text, a photograph and a film."""
    code = "H20.05.2024.01.TCCB"
    picture = {"typePic": "02", "imageTitle": "Lễ hội", "photoTime": "2/9/2024"}
    film = {"typeMedia": "02", "movieTitle": "Phim tư liệu", "recordDate": "9/2024"}
    contents = documents(1)
    for number, (kind, file, fields) in enumerate(
        ((DocumentKind.PICTURE, "Anh1.jpg", picture), (DocumentKind.MEDIA, "Phim1.avi", film)), 2
    ):
        shared = {"docCode": f"{code}.{number:07d}", "maintenance": "01", "mode": "01"}
        contents.append(SipDocument(file[:-4], Fields.of(shared | fields), {file: b"\xff\xd8"}, kind))
    return sip_hoso(folder, dossier=dossier_fields(totalDoc="3"), contents=contents)


@pytest.mark.parametrize(
    ("build", "kind"),
    [
        (sip_hoso, "tt05-aip-hoso"),
        (lambda folder: sip_hoso(folder, sample=True), "tt05-aip-hoso"),
        (pictures, "tt05-aip-hoso"),
        (sip_tailieu, "tt05-aip-tailieu"),
        (aip_hoso, "tt05-aip-hoso"),
        (eark_sip, "eark-aip@2.2.0"),
    ],
)
def test_nothing_is_found_in_an_aip_of_ours(
    archive: SmallArchive, tmp_path: Path, build: Callable[[Path], Path], kind: str
) -> None:
    receipt = archive.receive(build(tmp_path / "sent"))
    held(archive, receipt)
    (tmp_path / "work").mkdir()
    report = check_package(package_of(archive.object(receipt), tmp_path / "out"), tmp_path / "work")
    assert report.profile == kind
    assert dict(report.counts) == {}


def test_links_among_files_keep_their_documents_in_a_rebuild(archive: SmallArchive, tmp_path: Path) -> None:
    """METS has links after the files, the members lie by name: both orders lead to the same document."""
    archive.receive(sip_hoso(tmp_path / "one"))
    contents = [linked_document(1, b"D0000002"), documents(2)[1], linked_document(3, b"D0000001"), documents(4)[3]]
    source = sip_hoso(tmp_path / "two", identity=uuid.UUID(int=2), contents=contents)
    receipt = archive.receive(source)
    version = held(archive, receipt)
    found = [archive.catalogue.holdings.document(version.id, number) for number in (1, 2, 3, 4)]
    names = [[member.path.rpartition("/")[2] for member in one.members] for one in found if one is not None]
    assert names == [["File1.pdf.fetch.txt"], ["File2.pdf"], ["File3.pdf.fetch.txt"], ["File4.pdf"]]
    assert_rebuilt(archive, tmp_path)


@pytest.mark.parametrize("build", [eark_sip, sip_tailieu, aip_hoso])
def test_the_wrapping_makes_no_difference(archive: SmallArchive, tmp_path: Path, build: Callable[[Path], Path]) -> None:
    source = build(tmp_path / "sent")
    first = archive.receive(source)
    held(archive, first)
    for kind in ("zip", "gztar"):
        packed = shutil.make_archive(str(tmp_path / f"packed-{kind}"), kind, source.parent, source.name)
        assert archive.receive(Path(packed)) == first
    assert archive.leftovers() == []


def test_a_csip_package_that_says_it_is_a_sip_is_taken_in(archive: SmallArchive, tmp_path: Path) -> None:
    source = build_eark(tmp_path / "sent", "csip")
    assert {"PACKAGE-NO-AGENCY", "PACKAGE-NO-FONDS"} <= set(dict(archive.receive(source).counts))
    version = held(archive, archive.receive(source, agency="H20.01", fonds="P1"))
    assert version.package_type is PackageType.EARK
    other = build_eark(tmp_path / "other", "csip")
    for mets in ("METS.xml", "representations/rep1/METS.xml", "representations/rep2/METS.xml"):
        swap('OAISPACKAGETYPE="SIP"', 'OAISPACKAGETYPE="AIU"', mets)(other)
    refused = archive.receive(other, agency="H20.01", fonds="P1")
    assert "PACKAGE-NOT-FOR-KEEPING" in dict(refused.counts)
