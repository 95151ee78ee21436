"""The SIP_hoso that we write: complete, consistent, read back; and the builder's switches."""

from __future__ import annotations

import filecmp
import hashlib
from pathlib import Path

import pytest
from lxml import etree

from metadata.mets import MetsFile, MetsHeader, MetsLink, MetsPointer, MetsReference, MetsRoot, iter_mets
from metadata.tt05.records import read_simpledc
from metadata.tt05.sip import media_type
from tests.builders.shared_data import official_errors
from tests.builders.tt05 import PDF, documents, dossier_fields, edit, reseal, sip_hoso

REP = "representations/rep1/"


def mets(folder: Path, name: str) -> list:
    with (folder / name).open("rb") as stream:
        return list(iter_mets(stream, name))


def disagreements(folder: Path) -> list[str]:
    """Every path whose size or digest is not what METS says, and every file that no METS names."""
    wrong, named = [], {"METS.xml"}
    for base in ("", REP):
        for item in mets(folder, f"{base}METS.xml"):
            if isinstance(item, MetsFile | MetsReference):
                path = folder / base / (item.path or "")
                named.add(f"{base}{item.path}")
                content = path.read_bytes()
                if item.size != len(content) or item.digest.value != hashlib.sha256(content).digest():
                    wrong.append(f"{base}{item.path}")
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return wrong + sorted(present ^ named)


def test_the_package_is_complete_and_consistent(tmp_path: Path) -> None:
    folder = sip_hoso(tmp_path, documentation={"Hướng dẫn.pdf": PDF}, contents=documents(3, {"phụ lục.xlsx": b"x"}))
    assert folder.name == "uuid-7D0D1987-0F1C-47A7-8FD6-CC5C7DE4064F"
    assert disagreements(folder) == []
    for name in ("METS.xml", f"{REP}METS.xml"):
        assert official_errors((folder / name).read_bytes(), "mets-1-12-1.xsd") == []
    root = mets(folder, "METS.xml")
    assert isinstance(root[0], MetsRoot)
    assert root[0].objid == folder.name
    assert next(item for item in root if isinstance(item, MetsHeader)).oais_type == "SIP"
    assert [item.path for item in root if isinstance(item, MetsPointer)] == [f"{REP}METS.xml"]
    with (folder / "metadata/descriptive/EAD.xml").open("rb") as stream:
        assert read_simpledc(stream) == dossier_fields(totalDoc="3")


def test_each_file_is_linked_to_its_document(tmp_path: Path) -> None:
    items = mets(sip_hoso(tmp_path, contents=documents(2, {"phụ lục.xlsx": b"x"})), f"{REP}METS.xml")
    described = {item.id: item.path for item in items if isinstance(item, MetsReference)}
    files = {item.id: item.path for item in items if isinstance(item, MetsFile)}
    links = [(files[i.file_id], described[i.dmd_ids[0]]) for i in items if isinstance(i, MetsLink)]
    assert links == [
        ("data/File1.pdf", "metadata/descriptive/EAD_doc_File1.xml"),
        ("data/phụ lục.xlsx", "metadata/descriptive/EAD_doc_File1.xml"),
        ("data/File2.pdf", "metadata/descriptive/EAD_doc_File2.xml"),
    ]


def test_the_same_dossier_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = sip_hoso(tmp_path / "a"), sip_hoso(tmp_path / "b")
    names = [path.relative_to(one).as_posix() for path in one.rglob("*") if path.is_file()]
    assert filecmp.cmpfiles(one, two, names, shallow=False) == (names, [], [])


def test_a_file_may_be_given_by_its_path_and_a_folder_is_not_written_twice(tmp_path: Path) -> None:
    source = tmp_path / "nguồn.pdf"
    source.write_bytes(PDF * 10)
    folder = sip_hoso(tmp_path / "out", contents=documents(1, {"nguồn.pdf": source}))
    assert (folder / REP / "data" / "nguồn.pdf").read_bytes() == PDF * 10
    assert disagreements(folder) == []
    with pytest.raises(FileExistsError):
        sip_hoso(tmp_path / "out")


def test_the_sample_deviates_and_is_consistent_and_read(tmp_path: Path) -> None:
    folder = sip_hoso(tmp_path, sample=True)
    assert disagreements(folder) == []
    assert (folder / "schemas" / "ead.xsd").is_file()
    items = mets(folder, f"{REP}METS.xml")
    assert all(item.checksum.isupper() for item in items if isinstance(item, MetsFile))
    assert etree.parse(str(folder / "METS.xml")).xpath("count(//*[local-name()='amdSec' and not(*)])") == 1


def test_a_break_is_exactly_one_thing(tmp_path: Path) -> None:
    data = "data/File1.pdf"
    folder = sip_hoso(tmp_path / "a", mutate=lambda sip: (sip / REP / data).write_bytes(b"other"))
    assert disagreements(folder) == [REP + data]
    folder = sip_hoso(tmp_path / "b", mutate=lambda sip: (sip / REP / data).write_bytes(b"other"), then_reseal=True)
    assert disagreements(folder) == []
    folder = sip_hoso(tmp_path / "c", mutate=lambda sip: edit(sip, "METS.xml", 'SIZE="', 'SIZE="9'))
    assert len(disagreements(folder)) == 1
    reseal(folder)
    assert disagreements(folder) == []


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("a.PDF", "application/pdf"),
        ("b.tiff", "image/tiff"),
        ("c", "application/octet-stream"),
        ("d.x", "application/octet-stream"),
    ],
)
def test_media_types(name: str, mime: str) -> None:
    assert media_type(name) == mime
