"""The five packages that we write: complete, valid by their own schemas and the official ones, the same each time."""

from __future__ import annotations

import filecmp
from importlib import resources
from pathlib import Path

import pytest
from lxml import etree

from metadata.identifiers import ArchiveCode
from metadata.mets import MetsFile, MetsReference, iter_mets
from metadata.package_kinds import PackageKind
from metadata.premis import iter_premis
from metadata.tt05.fields import Fields, document_kind, read_simpledc
from metadata.tt05.profile import (
    CIRCULAR,
    DocumentKind,
    ProfileRefused,
    default_profile,
    load_profile,
    parse_profile,
    profile_text,
)
from metadata.tt05.records import sip_to_aip_batch, sip_to_aip_loose_document
from metadata.tt05.schema import form_schema, package_schemas
from tests.builders.shared_data import official_errors
from tests.builders.tt05 import (
    BUILDERS,
    PDF,
    SipDocument,
    all_kinds,
    batch_fields,
    document_fields,
    dossier_fields,
    media_fields,
    picture_fields,
    sip_hoso,
)

KINDS = pytest.mark.parametrize("kind", BUILDERS, ids=str)
REP = "representations/rep1/"
METS = ("METS.xml", f"{REP}METS.xml")
ARCHIVE = ArchiveCode("H20")


def descriptions(folder: Path) -> dict[Path, str]:
    """Every description of a package, and the schema that is for it."""
    found = {folder / "metadata/descriptive/EAD.xml": "EAD.xsd"}
    for path in (folder / REP / "metadata/descriptive").iterdir():
        kind = document_kind(path.name)
        assert kind is not None
        found[path] = f"EAD_{kind[0]}.xsd"
    return found


def schema(folder: Path, name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(folder / "schemas" / name)))


@KINDS
def test_every_description_is_valid_by_the_schema_in_the_package(kind: PackageKind, tmp_path: Path) -> None:
    folder = BUILDERS[kind](tmp_path, contents=all_kinds())
    found = descriptions(folder)
    assert set(found.values()) == {"EAD.xsd", "EAD_doc.xsd", "EAD_pic.xsd", "EAD_media.xsd"}
    for path, name in found.items():
        by = schema(folder, name)
        assert by.validate(etree.parse(str(path))), by.error_log
        broken = path.read_text(encoding="utf-8").replace("</simpledc>", "<khác/></simpledc>")
        assert not by.validate(etree.fromstring(broken.encode()))


@KINDS
def test_both_mets_files_are_valid_by_the_schema_in_the_package(kind: PackageKind, tmp_path: Path) -> None:
    folder = BUILDERS[kind](tmp_path)
    by = schema(folder, "METS.xsd")
    for name in METS:
        data = (folder / name).read_bytes()
        assert by.validate(etree.fromstring(data)), by.error_log
        assert official_errors(data, "mets-1-12-1.xsd") == []
        for old, new in (
            (b' OBJID="', b' OBJID="x'),
            (b' SIZE="', b' SIZE="-'),
            (b'FILEID="ID-', b'FILEID="ID-x'),
            (b"<metsHdr", b"<structMap/><metsHdr"),
            (b'RECORDSTATUS="NEW"', b'RECORDSTATUS="OLD"'),
        ):
            assert old in data
            assert not by.validate(etree.fromstring(data.replace(old, new, 1))), old


@KINDS
def test_everything_is_named_with_its_size_and_digest(kind: PackageKind, tmp_path: Path) -> None:
    folder = BUILDERS[kind](tmp_path)
    named = {"METS.xml"}
    for base in ("", REP):
        with (folder / base / "METS.xml").open("rb") as stream:
            for item in iter_mets(stream, base):
                if isinstance(item, MetsFile | MetsReference):
                    assert item.path is not None
                    assert item.size == (folder / base / item.path).stat().st_size
                    named.add(base + item.path)
    assert named == {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@KINDS
def test_the_same_package_gives_the_same_bytes(kind: PackageKind, tmp_path: Path) -> None:
    one, two = BUILDERS[kind](tmp_path / "a"), BUILDERS[kind](tmp_path / "b")
    names = [path.relative_to(one).as_posix() for path in one.rglob("*") if path.is_file()]
    assert filecmp.cmpfiles(one, two, names, shallow=False) == (names, [], [])


@pytest.mark.parametrize("kind", [PackageKind.AIP_HOSO, PackageKind.AIP_TAILIEU], ids=str)
def test_the_premis_of_an_aip_is_read_back(kind: PackageKind, tmp_path: Path) -> None:
    folder = BUILDERS[kind](tmp_path)
    for name in ("metadata/preservation/PREMIS.xml", f"{REP}metadata/preservation/PREMIS_rep1.xml"):
        assert official_errors((folder / name).read_bytes(), "premis-v3-0.xsd") == []
        with (folder / name).open("rb") as stream:
            assert list(iter_premis(stream, name))


def test_a_dip_may_have_premis(tmp_path: Path) -> None:
    folder = BUILDERS[PackageKind.DIP](tmp_path, events=True)
    assert (folder / "metadata/preservation/PREMIS.xml").is_file()
    assert not (folder / REP / "metadata/preservation").exists()


def test_a_linked_document_is_a_holey_file(tmp_path: Path) -> None:
    linked = SipDocument("File2", document_fields(2), {"File2.doc.fetch.txt": b"D0000007"})
    folder = sip_hoso(tmp_path, contents=[SipDocument("File1", document_fields(1), {"File1.pdf": PDF}), linked])
    mets = etree.parse(str(folder / REP / "METS.xml"))
    names = {"m": "http://www.loc.gov/METS/", "x": "http://www.w3.org/1999/xlink"}
    assert mets.xpath("//m:fileGrp[@USE='Holeyfile']//@x:href", namespaces=names) == ["data/File2.doc.fetch.txt"]
    (file,) = mets.xpath("//m:div[@LABEL='MetadataLink/Holey']//m:fptr/@FILEID", namespaces=names)
    assert mets.xpath(f"//m:file[@ID='{file}']/m:FLocat/@x:href", namespaces=names) == ["data/File2.doc.fetch.txt"]
    assert mets.xpath("count(//m:fileGrp[@USE='Data']/m:file)", namespaces=names) == 1


# From one form to another


def test_a_batch_becomes_archival() -> None:
    aip = sip_to_aip_batch(batch_fields(), ARCHIVE)
    assert list(dict(aip)) == ["arcFileCode", "title", "source", "description"]
    assert aip.get("arcFileCode") == "H20.H20.05.2024.01.0000001"


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (DocumentKind.TEXT, document_fields(1)),
        (DocumentKind.PICTURE, picture_fields(1)),
        (DocumentKind.MEDIA, media_fields(1)),
    ],
)
def test_a_loose_document_keeps_every_field(kind: DocumentKind, fields: Fields) -> None:
    aip = sip_to_aip_loose_document(Fields((*fields.pairs, ("riêng", "x"))), ARCHIVE, kind)
    assert aip.get("arcDocCode") == f"H20.{fields.get('docCode')}"
    assert {name: text for name, text in aip if name != "arcDocCode"} == {
        name: text for name, text in (*fields, ("riêng", "x")) if name != "docCode"
    }
    assert sip_to_aip_loose_document(aip, ARCHIVE, kind).get("arcDocCode") == aip.get("arcDocCode")


# The profile and its schemas


def test_an_archive_may_have_its_own_copy_of_the_circular(tmp_path: Path) -> None:
    (tmp_path / "all.toml").write_text(profile_text().replace('"07" = ["Khác", "Other"]', ""), encoding="utf-8")
    assert "07" not in load_profile(tmp_path).lists["maintenance"]
    lacking = profile_text().replace('TT05-REP-OBJID = "warning"', "#")
    assert parse_profile(lacking).rules["TT05-REP-OBJID"] == "warning"
    with pytest.raises(ValueError, match="forms"):
        parse_profile(profile_text().replace('package = "batch_sip"', 'package = "khong_co"'))
    with pytest.raises(ValueError, match="premis"):
        parse_profile(profile_text().replace('premis = "none"', 'premis = "perhaps"'))
    with pytest.raises(ValueError, match="pattern"):
        parse_profile(profile_text().replace("zip_name = '", "zip_name = '("))


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("lists.toml", '"01" = ["Vĩnh viễn", "Permanent"]', '"01" = [Vĩnh viễn]', "lists.toml"),
        ("fields.toml", '"string", 100, "R"]', '"chuoi", 100, "R"]', "chuoi"),
        ("fields.toml", 'identity = ["fileCode", "title"]', 'identity = ["maHoSo"]', "maHoSo"),
        ("fields.toml", '["mode", "Chế độ sử dụng", "code"', '["cheDo", "Chế độ sử dụng", "code"', "cheDo"),
        ("fields.toml", '"Mã hồ sơ gốc giấy", "string", 100, "C"', '"Mã hồ sơ gốc giấy", "string", 100, "R"', "when"),
        ("packages.toml", "[packages.tt05-dip]", "[packages.tt05-dvp]", "tt05-dvp"),
        ("packages.toml", "objid = 'uuid-", "objid = '(uuid-", "pattern"),
        ("judging.toml", 'TT05-TOTAL = "warning"', 'TT05-TONG = "warning"', "TT05-TONG"),
        ("judging.toml", 'TT05-TOTAL = "warning"', 'TT05-TOTAL = "nặng"', "nặng"),
        ("judging.toml", "number = ", "so = ", "so"),
        ("judging.toml", "[aliases]", "[mime]", "mime"),
    ],
)
def test_a_mistake_in_the_files_of_a_circular_is_told(
    file: str, old: str, new: str, named: str, tmp_path: Path
) -> None:
    place = resources.files("metadata.tt05") / CIRCULAR
    for entry in place.iterdir():
        (tmp_path / entry.name).write_bytes(entry.read_bytes())
    assert load_profile(tmp_path).rules == default_profile().rules
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ProfileRefused) as caught:
        load_profile(tmp_path)
    assert named in caught.value.sentence.vi
    assert named in caught.value.sentence.en


@pytest.mark.parametrize(
    ("changes", "valid"),
    [
        ({}, True),
        ({"keyword": ""}, True),
        ({"format": ""}, True),
        ({"language": "01, 02"}, True),
        ({"title": ""}, False),
        ({"mode": "04"}, False),
        ({"language": "01, 99"}, False),
        ({"startDate": "2024"}, False),
        ({"totalDoc": "hai"}, False),
        ({"riskRecovery": "2"}, False),
        ({"keyword": "x" * 101}, False),
    ],
)
def test_a_schema_knows_what_its_form_knows(changes: dict[str, str], valid: bool) -> None:
    by = etree.XMLSchema(etree.fromstring(form_schema(default_profile().forms["dossier_sip"])))
    document = etree.Element("simpledc")
    for name, text in dossier_fields(**changes):
        etree.SubElement(document, name).text = text
    assert by.validate(document) is valid


@KINDS
def test_the_schemas_of_each_kind_are_schemas(kind: PackageKind) -> None:
    for data in package_schemas(kind).values():
        etree.XMLSchema(etree.fromstring(data))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    folder = BUILDERS[PackageKind.SIP_TAILIEU](tmp_path)
    with (folder / "metadata/descriptive/EAD.xml").open("rb") as stream:
        assert read_simpledc(stream) == batch_fields()
