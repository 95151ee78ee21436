"""A DIP is what the law says, holds what was asked for and nothing else, and never a byte that was not verified."""

from __future__ import annotations

import contextlib
import io
import uuid
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from access.dissemination import recording
from access.dissemination.dip import make_dip
from access.dissemination.export import export_aip
from access.dissemination.linked import files_of
from access.shelf import Shelf
from ingest.check import CheckVerdict, check_package
from ingest.receipt import Receipt
from metadata.errors import AlreadyExists, Busy, Damaged, NotFound, StoreUnavailable, UsageError
from metadata.events import Event, EventType
from metadata.identifiers import StoreId
from metadata.mets import MetsFile, MetsHeader, MetsReference, MetsRoot
from metadata.mets.reader import iter_mets
from metadata.package_kinds import PackageKind, PackageProfile
from metadata.text import Sentence
from metadata.tt05.dip import AccessRequest, dip_document
from metadata.tt05.profile import DocumentKind
from metadata.tt05.records import Fields, read_simpledc
from metadata.tt05.sip import SipDocument
from preservation.audit import Auditor
from preservation.rebuild import rebuild
from storage.log import read_log
from storage.replicas import Store
from tests.builders.archive import AGENT, ARCHIVE, SmallArchive, small_archive
from tests.builders.eark import build_eark
from tests.builders.giving import REQUEST, dip_of, services_of, version_of
from tests.builders.packages import linked_document, sip_tailieu
from tests.builders.shared_data import official_errors
from tests.builders.small_bags import write_bag
from tests.builders.tt05 import PDF, document_fields, documents, sip_hoso

REP = "representations/rep1/"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    with small_archive(tmp_path / "kho") as made:
        yield made


def held(archive: SmallArchive, tmp_path: Path, **details: object) -> Receipt:
    receipt = archive.receive(sip_hoso(tmp_path / "nop", **details))  # type: ignore[arg-type]
    assert receipt.aip, receipt.findings
    return receipt


def inside(path: Path) -> dict[str, bytes]:
    """The files of a DIP, its folder's name taken off."""
    with zipfile.ZipFile(path) as found:
        assert found.testzip() is None
        return {name.partition("/")[2]: found.read(name) for name in found.namelist()}


def fields(data: bytes) -> dict[str, str]:
    return dict(read_simpledc(io.BytesIO(data)))


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_dip_has_the_tree_of_the_circular(archive: SmallArchive, tmp_path: Path) -> None:
    receipt = held(archive, tmp_path)
    made = dip_of(archive, receipt, tmp_path / "out.zip")
    found = inside(made.path)
    assert sorted(name for name in found if not name.startswith("schemas/")) == [
        "METS.xml",
        "metadata/descriptive/EAD.xml",
        "metadata/preservation/PREMIS.xml",
        f"{REP}METS.xml",
        f"{REP}data/File1.pdf",
        f"{REP}data/File2.pdf",
        f"{REP}metadata/descriptive/EAD_doc_File1.xml",
        f"{REP}metadata/descriptive/EAD_doc_File2.xml",
    ]
    assert {f"schemas/{name}.xsd" for name in ("METS", "EAD", "EAD_doc", "EAD_pic", "EAD_media")} <= set(found)
    assert (made.documents, made.files, made.bytes) == (2, 2, 2 * len(PDF) + 6)
    with zipfile.ZipFile(made.path) as package:
        assert {name.partition("/")[0] for name in package.namelist()} == {made.objid}
    assert made.objid.startswith("uuid-") and made.objid.upper()[5:] == made.objid[5:]


def test_its_ead_is_the_request(archive: SmallArchive, tmp_path: Path) -> None:
    made = dip_of(archive, held(archive, tmp_path), tmp_path / "out.zip")
    assert list(read_simpledc(io.BytesIO(inside(made.path)["metadata/descriptive/EAD.xml"]))) == [
        ("requestID", "YC-2026-0007"),
        ("requestDate", "02/07/2026"),
        ("purpose", "02"),
        ("purposeContent", "Giải quyết khiếu nại đất đai"),
        ("feeObjectType", "10"),
        ("researchTopic", "Địa chính"),
        ("description", "Cần gấp <trước> 10/7 & đủ"),
    ]


def test_documents_are_described_by_the_forms_of_a_dip(archive: SmallArchive, tmp_path: Path) -> None:
    """What form A leaves out of an AIP comes back from what the agency sent."""
    made = dip_of(archive, held(archive, tmp_path), tmp_path / "out.zip")
    assert list(fields(inside(made.path)[f"{REP}metadata/descriptive/EAD_doc_File1.xml"]).items()) == [
        ("docId", "D0000001"),
        ("arcDocCode", f"{ARCHIVE}.H20.05.2024.01.TCCB.0000001"),
        ("maintenance", "01"),
        ("typeName", "22"),
        ("codeNumber", "101"),
        ("codeNotation", "SNV-TCCB"),
        ("issuedDate", "02/03/2024"),
        ("subject", "Về việc tuyển dụng công chức đợt 1"),
        ("language", "01"),
        ("numberOfPage", "2"),
        ("mode", "01"),
        ("confidenceLevel", "01"),
        ("process", "0"),
        ("riskRecovery", "0"),
    ]


def test_the_sample_of_the_field_is_given_out_too(archive: SmallArchive, tmp_path: Path) -> None:
    """There the descriptions are called EAD_DOC_…: what they say is found all the same."""
    made = dip_of(archive, held(archive, tmp_path, sample=True), tmp_path / "out.zip")
    found = fields(inside(made.path)[f"{REP}metadata/descriptive/EAD_doc_File2.xml"])
    assert (found["docId"], found["riskRecovery"]) == ("D0000002", "0")


def test_its_mets_tells_every_file_and_satisfies_the_schema(archive: SmallArchive, tmp_path: Path) -> None:
    import hashlib

    made = dip_of(archive, held(archive, tmp_path), tmp_path / "out.zip")
    found = inside(made.path)
    told = {}
    for mets, folder in (("METS.xml", ""), (f"{REP}METS.xml", REP)):
        assert official_errors(found[mets], "mets-1-12-1.xsd") == []
        items = list(iter_mets(io.BytesIO(found[mets])))
        header = next(item for item in items if isinstance(item, MetsHeader))
        root = next(item for item in items if isinstance(item, MetsRoot))
        assert (header.oais_type, root.type) == ("DIP", "MIXED")
        for item in items:
            if isinstance(item, MetsFile | MetsReference):
                told[f"{folder}{item.path}"] = (item.size, item.checksum)
    assert official_errors(found["metadata/preservation/PREMIS.xml"], "premis-v3-0.xsd") == []
    assert told.pop("METS.xml", None) is None
    assert told == {
        name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in found.items() if name != "METS.xml"
    }
    root = next(item for item in iter_mets(io.BytesIO(found["METS.xml"])) if isinstance(item, MetsRoot))
    assert (root.objid, root.profile) == (made.objid, "https://earkdip.dilcis.eu/profile/E-ARK-DIP.xml")


def test_only_what_was_chosen_goes_out(archive: SmallArchive, tmp_path: Path) -> None:
    receipt = held(archive, tmp_path, contents=documents(5, {"Phụ lục.xlsx": b"x"}))
    found = inside(dip_of(archive, receipt, tmp_path / "out.zip", [4, 1, 4]).path)
    assert sorted(name for name in found if name.startswith(REP)) == [
        f"{REP}METS.xml",
        f"{REP}data/File1.pdf",
        f"{REP}data/File4.pdf",
        f"{REP}data/Phụ lục.xlsx",
        f"{REP}metadata/descriptive/EAD_doc_File1.xml",
        f"{REP}metadata/descriptive/EAD_doc_File4.xml",
    ]


@pytest.mark.parametrize("number", [0, 3, 10**9])
def test_a_document_that_is_not_there_makes_no_dip(archive: SmallArchive, tmp_path: Path, number: int) -> None:
    receipt = held(archive, tmp_path)
    (tmp_path / "out").mkdir()
    with pytest.raises(NotFound):
        dip_of(archive, receipt, tmp_path / "out" / "x.zip", [1, number])
    assert leftovers(tmp_path / "out") == []
    assert archive.leftovers() == []
    assert not given(archive, receipt)


def test_a_file_that_nothing_describes_goes_out_with_the_whole(archive: SmallArchive, tmp_path: Path) -> None:
    def mutate(folder: Path) -> None:
        mets = folder / REP / "METS.xml"
        text = mets.read_text()
        first = text.index('<div ID="', text.index('LABEL="MetadataLink"'))
        mets.write_text(text[:first] + text[text.index("</div>\n", first) + len("</div>\n") :])

    contents = documents(2, {"phụ lục.txt": b"1"})
    receipt = held(archive, tmp_path, contents=contents, mutate=mutate, then_reseal=True)
    assert dict(receipt.counts)["SIP-FILE-WITHOUT-DOCUMENT"] == 1
    found = inside(dip_of(archive, receipt, tmp_path / "out.zip").path)
    assert found[f"{REP}data/File1.pdf"] == PDF + b"%1\n"
    assert f"{REP}data/File1.pdf" not in inside(dip_of(archive, receipt, tmp_path / "1.zip", [1, 2]).path)


def test_pictures_and_films_keep_their_own_forms(archive: SmallArchive, tmp_path: Path) -> None:
    picture = SipDocument(
        "Ảnh 1",
        Fields.of({"docCode": "H20.05.2024.01.TCCB.0000003", "typePic": "02", "imageTitle": "Lễ khánh thành",
                   "photoTime": "9/1975", "mode": "01", "maintenance": "01", "riskRecovery": "1"}),
        {"Ảnh 1.jpg": b"\xff\xd8\xff\xe0"},
        DocumentKind.PICTURE,
    )  # fmt: skip
    film = SipDocument(
        "phim", Fields.of({"docCode": "H20.05.2024.01.TCCB.0000004", "typeMedia": "02", "movieTitle": "Phim",
                           "playTime": "00:01:30", "mode": "01", "maintenance": "01"}),
        {"phim.mpg": b""}, DocumentKind.MEDIA,
    )  # fmt: skip
    receipt = held(archive, tmp_path, contents=[*documents(1), picture, film])
    found = inside(dip_of(archive, receipt, tmp_path / "out.zip").path)
    shown = fields(found[f"{REP}metadata/descriptive/EAD_pic_Ảnh 1.xml"])
    assert shown["arcDocCode"] == f"{ARCHIVE}.H20.05.2024.01.TCCB.0000003"
    assert (shown["photoTime"], shown["riskRecovery"], shown["maintenance"]) == ("09/1975", "1", "01")
    assert fields(found[f"{REP}metadata/descriptive/EAD_media_phim.xml"])["playTime"] == "00:01:30"
    assert found[f"{REP}data/phim.mpg"] == b""


def test_a_plain_package_gives_its_files_as_documents(archive: SmallArchive, tmp_path: Path) -> None:
    receipt = archive.receive(write_bag(tmp_path / "bag"))
    found = inside(dip_of(archive, receipt, tmp_path / "out.zip", [2]).path)
    assert [name for name in found if name.startswith(f"{REP}data/")] == [f"{REP}data/02 Báo cáo.txt"]
    shown = fields(found[f"{REP}metadata/descriptive/EAD_doc_0000002.xml"])
    assert shown["subject"] == "02 Báo cáo.txt"


def test_an_eark_package_gives_its_files_as_documents(archive: SmallArchive, tmp_path: Path) -> None:
    """Of each representation, which a DIP has only one of: their files lie apart."""
    sip = build_eark(tmp_path / "sip", "sip")
    receipt = archive.receive(sip, agency="H20.05", fonds="P_SNV")
    assert receipt.aip, receipt.findings
    made = dip_of(archive, receipt, tmp_path / "out.zip")
    found = inside(made.path)
    sent = {}
    for path in sip.glob("representations/*/data/**/*"):
        representation, _, name = path.relative_to(sip / "representations").as_posix().split("/", 2)
        if path.is_file():
            sent[name if representation == "rep1" else f"{representation}/{name}"] = path.read_bytes()
    given_out = {
        name.removeprefix(f"{REP}data/"): data for name, data in found.items() if name.startswith(f"{REP}data/")
    }
    assert given_out == sent
    assert made.documents == made.files == len(sent) > 0
    assert dip_of(archive, receipt, tmp_path / "1.zip", [1]).files == 1
    assert check_package(made.path, tmp_path, PackageProfile(PackageKind.DIP)).verdict is not CheckVerdict.REFUSED


def test_a_dip_may_be_a_folder(archive: SmallArchive, tmp_path: Path) -> None:
    made = dip_of(archive, held(archive, tmp_path), tmp_path / "gói")
    assert leftovers(tmp_path / "gói") == [made.objid]
    assert (tmp_path / "gói" / made.objid / REP / "data/File1.pdf").read_bytes() == PDF + b"%1\n"


# What must never happen


def given(archive: SmallArchive, receipt: Receipt) -> list[Event]:
    version = version_of(archive, receipt)
    return [one for one in archive.catalogue.events.of(version.id) if one.type is EventType.DISSEMINATION]


def test_what_was_given_out_is_written_in_every_log_and_survives_a_rebuild(
    archive: SmallArchive, tmp_path: Path
) -> None:
    receipt = held(archive, tmp_path)
    made = dip_of(archive, receipt, tmp_path / "out.zip", [2])
    (event,) = given(archive, receipt)
    assert event == made.event
    assert (event.outcome, event.agent) == ("success", AGENT)
    assert made.objid in event.detail
    size = len(PDF) + 3
    assert event.note == f"request YC-2026-0007, purpose 02; documents: 2; 1 files, {size} bytes"
    for store in archive.stores:
        logged = [one for entry in read_log(store, receipt.key) for one in entry.events]
        assert event in logged
    with small_archive(tmp_path / "mới", stores=archive.stores) as anew:
        assert rebuild(anew.catalogue, archive.stores, archive.clock).rebuilt == 1
        assert given(anew, receipt) == [event]


def test_the_same_request_again_is_another_giving(archive: SmallArchive, tmp_path: Path) -> None:
    receipt = held(archive, tmp_path)
    first, second = (dip_of(archive, receipt, tmp_path / f"{n}.zip") for n in (1, 2))
    assert first.objid != second.objid
    assert [one.id for one in given(archive, receipt)] == [first.event.id, second.event.id]


def flip(folder: Path, content: bytes, at: int = 0) -> None:
    """Turn one bit of a content file in the one object that a store has."""
    (path,) = folder.rglob("v1.zip")
    data = bytearray(path.read_bytes())
    data[data.index(content) + at] ^= 1
    path.write_bytes(data)


def test_a_damaged_replica_is_passed_over(archive: SmallArchive, tmp_path: Path) -> None:
    receipt = held(archive, tmp_path)
    flip(archive.folder / "a", PDF + b"%1\n")
    found = inside(dip_of(archive, receipt, tmp_path / "out.zip").path)
    assert found[f"{REP}data/File1.pdf"] == PDF + b"%1\n"


@pytest.mark.parametrize("target", ["x.zip", "x"])
def test_when_no_replica_is_right_nothing_goes_out(archive: SmallArchive, tmp_path: Path, target: str) -> None:
    receipt = held(archive, tmp_path, contents=documents(3))
    for name in "ab":
        flip(archive.folder / name, PDF + b"%3\n")
    (tmp_path / "out").mkdir()
    with pytest.raises(Damaged):
        dip_of(archive, receipt, tmp_path / "out" / target)
    assert leftovers(tmp_path / "out") == []
    assert archive.leftovers() == []
    assert not given(archive, receipt)
    assert dip_of(archive, receipt, tmp_path / "out" / target, [1, 2]).files == 2


def test_a_large_file_damaged_near_its_end_leaves_nothing(archive: SmallArchive, tmp_path: Path) -> None:
    big = bytes(range(256)) * (70_000)
    contents = [SipDocument("Lớn", document_fields(1), {"Lớn.pdf": big})]
    receipt = held(archive, tmp_path, contents=contents)
    for name in "ab":
        flip(archive.folder / name, big, len(big) - 10)
    (tmp_path / "out").mkdir()
    with pytest.raises(Damaged):
        dip_of(archive, receipt, tmp_path / "out" / "x.zip")
    assert leftovers(tmp_path / "out") == []


@pytest.mark.parametrize("target", ["x.zip", "x"])
def test_nothing_is_overwritten(archive: SmallArchive, tmp_path: Path, target: str) -> None:
    receipt = held(archive, tmp_path)
    (tmp_path / target).write_bytes(b"mine")
    with pytest.raises(AlreadyExists):
        dip_of(archive, receipt, tmp_path / target)
    assert (tmp_path / target).read_bytes() == b"mine"
    assert not given(archive, receipt)


def test_a_folder_that_is_not_there_is_told(archive: SmallArchive, tmp_path: Path) -> None:
    receipt = held(archive, tmp_path)
    with pytest.raises(UsageError):
        dip_of(archive, receipt, tmp_path / "không có" / "x.zip")
    assert not given(archive, receipt)


def test_without_a_log_to_write_to_nothing_goes_out(
    archive: SmallArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = held(archive, tmp_path)

    def away(*_: object) -> None:
        raise StoreUnavailable(Sentence("không", "no"))

    monkeypatch.setattr(recording, "log_events", away)
    with pytest.raises(StoreUnavailable):
        dip_of(archive, receipt, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_a_store_that_is_away_gets_the_event_later(archive: SmallArchive, tmp_path: Path) -> None:
    receipt = held(archive, tmp_path)

    def open_store(name: StoreId) -> Store:
        if name.value == "b":
            raise StoreUnavailable(Sentence("không", "no"))
        return archive.stores[0]

    first = dip_of(archive, receipt, tmp_path / "1.zip", open_store=open_store)
    second = dip_of(archive, receipt, tmp_path / "2.zip")
    for store in archive.stores:
        logged = [one for entry in read_log(store, receipt.key) for one in entry.events]
        assert [first.event, second.event] == logged[-2:]


def test_another_writer_of_the_log_is_waited_for(
    archive: SmallArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = held(archive, tmp_path)
    real, times = archive.catalogue.events.append, []

    def busy(*arguments: object) -> None:
        times.append(1)
        if len(times) < 3:
            raise Busy(Sentence("bận", "busy"))
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(archive.catalogue.events, "append", busy)
    made = dip_of(archive, receipt, tmp_path / "x.zip")
    assert given(archive, receipt) == [made.event]
    logged = [one for entry in read_log(archive.stores[0], receipt.key) for one in entry.events]
    assert logged.count(made.event) == 1


def test_many_at_once_and_an_audit_leave_one_log_that_tells_them_all(archive: SmallArchive, tmp_path: Path) -> None:
    receipt = held(archive, tmp_path)
    auditor = Auditor(archive.catalogue, {store.id: store for store in archive.stores}, archive.clock, AGENT)
    with ThreadPoolExecutor(4) as pool:
        dips = [pool.submit(dip_of, archive, receipt, tmp_path / f"{n}.zip") for n in range(6)]
        audits = [pool.submit(auditor.audit, version_of(archive, receipt).id) for _ in range(2)]
        made = {dip.result().event.id for dip in dips}
        for audit in audits:
            with contextlib.suppress(Busy):
                audit.result()
    assert {one.id for one in given(archive, receipt)} == made
    for store in archive.stores:
        logged = [one.id for entry in read_log(store, receipt.key) for one in entry.events]
        assert len(logged) == len(set(logged))
        assert made <= set(logged)


# An AIP for another archive


def test_an_export_is_the_package_of_the_aip_alone(archive: SmallArchive, tmp_path: Path) -> None:
    receipt = held(archive, tmp_path, documentation={"UserManual.pdf": PDF})
    version = version_of(archive, receipt)
    made = export_aip(services_of(archive), AGENT, version, tmp_path / "x.zip")
    with zipfile.ZipFile(io.BytesIO(archive.object(receipt))) as kept, zipfile.ZipFile(made.path) as out:
        prefix = f"{version.id}/data/{made.folder}/"
        expected = {
            name.removeprefix(f"{version.id}/data/"): kept.read(name)
            for name in kept.namelist()
            if name.startswith(prefix)
        }
        assert {name: out.read(name) for name in out.namelist()} == expected
    assert f"{made.folder}/metadata/preservation/PREMIS.xml" in expected
    assert made.folder.startswith("urn_P_SNV_uuid-")
    assert [one.detail for one in given(archive, receipt)] == ["AIP_hoso given to another archive"]


# Values


@pytest.mark.parametrize(
    "wrong",
    [
        {"request_id": " "},
        {"request_id": "x" * 101},
        {"request_date": ""},
        {"request_date": "07/2026"},
        {"request_date": "31/02/2026"},
        {"purpose_content": "x" * 501},
        {"description": "a\x00b"},
        {"research_topic": "x" * 251},
    ],
)
def test_a_request_that_cannot_be_written_is_none(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        AccessRequest(**({"request_id": "YC", "request_date": "01/02/2026", "purpose": "01"} | wrong))


def test_what_an_aip_lacks_is_taken_from_the_submission_then_from_the_dossier() -> None:
    aip = Fields.of({"arcFileCode": "LT.A", "docCode": "LT.A.0000001", "subject": "S", "ghiThem": "?"})
    made = dip_document(aip, Fields.of({"docId": "D1"}), Fields.of({"maintenance": "02", "mode": "03"}), ARCHIVE)
    assert list(made) == [
        ("docId", "D1"), ("arcDocCode", "LT.A.0000001"), ("maintenance", "02"), ("subject", "S"), ("ghiThem", "?"),
    ]  # fmt: skip


def test_making_a_dip_tells_how_far_it_is(archive: SmallArchive, tmp_path: Path) -> None:
    receipt, told = held(archive, tmp_path), list[int]()
    version = version_of(archive, receipt)
    made = make_dip(services_of(archive), AGENT, tmp_path, version, REQUEST, tmp_path / "x.zip", (), told.append)
    assert sum(told) == made.bytes


# Linked documents


def linking(archive: SmallArchive, tmp_path: Path, *links: str) -> Receipt:
    """A dossier whose documents only link to those of one that is held already."""
    held(archive, tmp_path, contents=documents(2, {"Phụ lục.xlsx": b"x"}))
    contents = [linked_document(n, text.encode(), f"Liên kết {n}") for n, text in enumerate(links, 11)]
    return held(archive, tmp_path, identity=uuid.uuid4(), contents=contents)


def test_a_linked_document_goes_out_itself(archive: SmallArchive, tmp_path: Path) -> None:
    """From the package in which it is; a DIP has no links (Phụ lục V)."""
    receipt = linking(archive, tmp_path, "D0000002", "D0000001")
    made = dip_of(archive, receipt, tmp_path / "out.zip")
    data = {
        name.removeprefix(f"{REP}data/"): content for name, content in inside(made.path).items() if "/data/" in name
    }
    assert data == {
        "Liên kết 11.pdf": PDF + b"%2\n",
        "Liên kết 12.pdf/File1.pdf": PDF + b"%1\n",
        "Liên kết 12.pdf/Phụ lục.xlsx": b"x",
    }
    assert check_package(made.path, tmp_path, PackageProfile(PackageKind.DIP)).verdict is CheckVerdict.GOOD
    (from_where,) = {one.id for one in archive.catalogue.holdings.every_version()} - {made.event.version}
    noted = [one for one in archive.catalogue.events.of(from_where) if one.type is EventType.DISSEMINATION]
    assert [(one.detail, one.note) for one in noted] == [(made.event.detail, f"linked from {made.event.version}")]


def test_loose_documents_go_out_by_their_own_codes(archive: SmallArchive, tmp_path: Path) -> None:
    receipt = archive.receive(sip_tailieu(tmp_path / "nop"))
    made = dip_of(archive, receipt, tmp_path / "out.zip")
    shown = fields(inside(made.path)[f"{REP}metadata/descriptive/EAD_doc_File1.xml"])
    assert shown["arcDocCode"] == f"{ARCHIVE}.H20.05.2024.01.TCCB.0000001"
    assert (shown["docId"], shown["maintenance"], shown["riskRecovery"]) == ("D0000001", "01", "0")
    assert check_package(made.path, tmp_path, PackageProfile(PackageKind.DIP)).verdict is CheckVerdict.GOOD


@pytest.mark.parametrize("where", ["", "x#1", "5a3b#x", "{}#99", "{}#"])
def test_a_link_to_what_is_not_held_gives_nothing(archive: SmallArchive, tmp_path: Path, where: str) -> None:
    version = version_of(archive, linking(archive, tmp_path, "D0000002"))
    shown = Shelf(archive.catalogue).document(version, 1)
    lost = replace(shown, record=replace(shown.record, fields={"linkedDocument": where.format(version.id)}))
    with pytest.raises(NotFound):
        list(files_of(archive.catalogue, version, lost))


def test_what_leaves_the_archive_has_no_remark_of_its_own_judge(archive: SmallArchive, tmp_path: Path) -> None:
    """A SIP without one gives an AIP and a DIP without one."""
    receipt = held(archive, tmp_path)
    assert receipt.findings == ()
    export = export_aip(services_of(archive), AGENT, version_of(archive, receipt), tmp_path / "aip.zip")
    for path, kind in (
        (export.path, PackageKind.AIP_HOSO),
        (dip_of(archive, receipt, tmp_path / "d.zip").path, PackageKind.DIP),
    ):
        report = check_package(path, tmp_path, PackageProfile(kind))
        assert (report.verdict, report.findings) == (CheckVerdict.GOOD, ())


def test_an_aip_of_another_archive_gives_a_dip_that_names_its_documents(archive: SmallArchive, tmp_path: Path) -> None:
    """The agency's own descriptions stayed there; the METS of the AIP tells what they called the documents."""
    export = export_aip(services_of(archive), AGENT, version_of(archive, held(archive, tmp_path)), tmp_path / "aip.zip")
    with small_archive(tmp_path / "kho khác") as other:
        made = dip_of(other, other.receive(export.path), tmp_path / "d.zip")
    shown = fields(inside(made.path)[f"{REP}metadata/descriptive/EAD_doc_File2.xml"])
    assert (shown["docId"], shown["maintenance"], shown["riskRecovery"]) == ("D0000002", "01", "0")
