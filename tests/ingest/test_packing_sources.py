"""The sources of packing: XML exports, edXML messages, data of TT 02/2019, mappings, and workbooks to beware of."""

from __future__ import annotations

import io
import re
import resource
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from ingest.check import CheckVerdict
from ingest.packing import PackResult, pack
from ingest.packing.edxml import NAMESPACES
from ingest.packing.lists import number_words
from ingest.packing.mapping import date_pattern, load_mapping, parse_mapping, shipped_mappings
from ingest.packing.text import cell_text, fold, fold_heading
from ingest.packing.writing import zip_name
from metadata.errors import NotFound, UsageError
from metadata.tt05.profile import default_profile
from tests.builders.packing import (
    CODE,
    EXPORT,
    OTHER,
    PDF,
    SENDER,
    dossier,
    export,
    headings_table,
    message,
    messages,
    packed,
    text,
    workbook,
    write_files,
    zipped,
)
from tests.ingest.test_packing import contents, descriptions, record, verdict


def only(result: PackResult, tmp_path: Path) -> dict[str, bytes]:
    """The files of the one package, in which the check finds nothing."""
    (one,) = result.packages
    assert verdict(one.path, tmp_path / "work") == (CheckVerdict.GOOD, {})
    return contents(one.path)


def data_files(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path.rpartition("/")[2]: content for path, content in files.items() if "/data/" in path}


def test_an_export_of_decree_30_becomes_a_package(tmp_path: Path) -> None:
    result = packed(export(tmp_path), tmp_path / "out")
    assert {one.severity.value for one in result.findings} == {"note"}
    files = only(result, tmp_path)
    ead = record(files, "metadata/descriptive/EAD.xml")
    assert (ead["fileCode"], ead["title"]) == (CODE, "Hồ sơ tuyển dụng công chức năm 2024")
    assert (ead["maintenance"], ead["mode"], ead["language"]) == ("01", "01", "01")
    assert (ead["startDate"], ead["endDate"], ead["totalDoc"], ead["numberOfPage"]) == (
        "02/01/2024", "30/12/2024", "2", "5",
    )  # fmt: skip
    assert ead["description"] == "Nguyễn Văn Ấn"
    second, first = descriptions(files)  # in the order of their files' names
    assert (first["docCode"], second["docCode"]) == (f"{CODE}.0000001", f"{CODE}.0000002")
    assert (first["typeName"], first["codeNumber"], first["codeNotation"]) == ("02", "101", "QĐ-SNV")
    assert (first["issuedDate"], second["issuedDate"]) == ("15/03/2024", "20/03/2024")
    assert (first["subject"], first["numberOfPage"]) == ("Về việc tuyển dụng <đợt 1>", "3")
    assert sorted(data_files(files)) == ["cv-12.pdf", "qd-101.pdf"]


def test_faults_of_an_export_name_file_and_element(tmp_path: Path) -> None:
    def broken(made: str) -> str:
        made = made.replace("<Subject>Trả lời về chỉ tiêu</Subject>", "").replace("2024/03/15", "hôm qua")
        return made.replace("qd-101.pdf", "khong-co.pdf")

    result = packed(export(tmp_path, mutate=broken), tmp_path / "out")
    found = {(one.code, one.place) for one in result.findings if one.severity.value == "error"}
    assert found == {
        ("TT05-REQUIRED", "export.xml: IncomingDocument[1]/Subject"),
        ("TT05-DATE", "export.xml: OutgoingDocument[1]/IssuedDate"),
        ("PACK-DOCUMENT-WITHOUT-FILE", "export.xml: OutgoingDocument[1]/File/@name"),
    }


VARIANT = """
title = ["Biến thể", "A variant"]
source = "xml"
dates = ["DD-MM-YYYY"]
[dossier]
names = ["HoSo"]
[dossier.fields]
fileCode = "@ma"
title = "TieuDe"
maintenance = "THBQ"
mode = "CheDo"
[dossier.fixed]
language = "01"
riskRecovery = "0"
confidenceLevel = "01"
[text]
names = ["VanBan"]
[text.fields]
fileCode = "@hoSo"
typeName = "Loai"
issuedDate = "Ngay"
organName = "CoQuan"
subject = "TrichYeu"
numberOfPage = "Trang"
file = "Tep"
[codes.maintenance]
"Lưu vĩnh viễn" = "01"
[codes.typeName]
"QĐ" = "02"
"""


def test_a_variant_is_read_through_a_mapping_file(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(VARIANT, encoding="utf-8")
    (tmp_path / "nguon").mkdir()
    (tmp_path / "nguon" / "a.xml").write_text(
        f'<x:Goi xmlns:x="urn:b"><x:HoSo ma="{CODE}"><x:TieuDe>Một</x:TieuDe><x:THBQ>lưu VĨNH VIỄN</x:THBQ>'
        f"<x:CheDo>Công khai</x:CheDo></x:HoSo><x:VanBan hoSo='{CODE}'><x:Loai>QĐ</x:Loai><x:Ngay>5-3-2024</x:Ngay>"
        "<x:CoQuan>Sở</x:CoQuan><x:TrichYeu>Hai</x:TrichYeu><x:Trang>4</x:Trang><x:Tep>a.pdf</x:Tep></x:VanBan></x:Goi>",
        encoding="utf-8",
    )
    write_files(tmp_path / "files", {"a.pdf": PDF})
    result = pack(tmp_path / "nguon", tmp_path / "files", tmp_path / "out", SENDER, mapping=tmp_path / "map.toml")
    files = only(result, tmp_path)
    assert record(files, "metadata/descriptive/EAD.xml")["maintenance"] == "01"
    (doc,) = descriptions(files)
    assert (doc["typeName"], doc["issuedDate"], doc["numberOfPage"]) == ("02", "05/03/2024", "4")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (
            lambda made: made.replace("<Export", "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><Export"),
            "PACK-UNREADABLE",
        ),
        (lambda made: made.replace("</Export>", ""), "PACK-UNREADABLE"),
        (lambda made: "<Export/>", "PACK-NO-DOSSIERS"),
        (lambda made: "<a>" * 500 + "</a>" * 500, "PACK-UNREADABLE"),
    ],
)
def test_bad_xml_is_a_finding(tmp_path: Path, change: Callable[[str], str], code: str) -> None:
    result = packed(export(tmp_path, mutate=change), tmp_path / "out")
    assert set(result.counts) == {code}


@pytest.mark.parametrize("namespace", [*NAMESPACES, "urn:other"])
def test_edxml_messages_become_a_dossier(tmp_path: Path, namespace: str) -> None:
    source = messages(tmp_path, message(2, namespace=namespace), message(1, namespace=namespace))
    result = packed(source, tmp_path / "out")
    assert set(result.counts) == {"PACK-FILLED"}
    assert not result.refused, result.findings
    files = only(result, tmp_path)
    docs = descriptions(files)
    assert [doc["subject"] for doc in docs] == ["Về việc tuyển dụng đợt 1", "Về việc tuyển dụng đợt 2"]
    first = docs[0]
    assert (first["codeNumber"], first["codeNotation"], first["issuedDate"]) == ("101", "SNV-TCCB", "01/03/2024")
    assert (first["organName"], first["typeName"], first["numberOfPage"]) == ("Sở Nội vụ", "22", "2")
    assert (first["maintenance"], first["mode"], first["language"]) == ("01", "01", "01")
    assert data_files(files) == {
        f"{CODE}.0000001.pdf": PDF + b"%%1\n".replace(b"%%", b"%"),
        f"{CODE}.0000002.pdf": PDF + b"%2\n",
    }


def test_the_dossier_of_messages_may_be_given_and_attachments_may_be_plain(tmp_path: Path) -> None:
    (tmp_path / "m.xml").write_text(
        message(attachments={"công văn.pdf": PDF, "bảng.docx": zipped({"[Content_Types].xml": b"<x/>"})}),
        encoding="utf-8",
    )
    given = {"fileCode": CODE, "title": "Một", "maintenance": "Vĩnh viễn", "mode": "01", "language": "01"}
    given |= {"riskRecovery": "0", "confidenceLevel": "01"}
    result = pack(tmp_path / "m.xml", None, tmp_path / "out", SENDER, dossier=given)
    assert sorted(data_files(only(result, tmp_path))) == ["bảng.docx", "công văn.pdf"]
    with pytest.raises(UsageError, match="khongCo"):
        pack(tmp_path / "m.xml", None, tmp_path / "out2", SENDER, dossier={"khongCo": "1"})


def test_messages_in_folders_belong_to_the_dossiers_of_those_names(tmp_path: Path) -> None:
    workbook(tmp_path, dossiers=[dossier(), dossier(OTHER)], texts=[], files={})
    (tmp_path / "files").rmdir()
    for code, number in ((CODE, 1), (OTHER, 2)):
        (tmp_path / code).mkdir()
        (tmp_path / code / "m.edxml").write_text(message(number), encoding="utf-8")
    result = packed(tmp_path, tmp_path / "out")
    assert [(one.code, one.documents) for one in result.packages] == [(CODE, 1), (OTHER, 1)]


@pytest.mark.parametrize(
    "attachments",
    [
        {"x.pdf": zipped({"../x.pdf": PDF})},
        {"x.pdf": zipped({"a": bytes(50_000_000)})},
        {"x.pdf": zipped({"a": PDF})[:-30]},
        {"x.pdf": b""},
        {"x.pdf": zipped({})},
    ],
)
def test_a_bad_attachment_is_a_finding(tmp_path: Path, attachments: dict[str, bytes]) -> None:
    result = packed(messages(tmp_path, message(attachments=attachments)), tmp_path / "out")
    assert "PACK-ATTACHMENT" in result.counts
    assert result.refused


def test_an_attachment_that_the_manifest_names_must_be_there(tmp_path: Path) -> None:
    def without(made: str) -> str:
        return made[: made.index("<Attachment>")] + "</AttachmentEncoded></edXML>"

    assert "PACK-ATTACHMENT" in packed(messages(tmp_path, message(mutate=without)), tmp_path / "out").counts


def test_what_a_message_says_beyond_the_circular_is_named(tmp_path: Path) -> None:
    def more(made: str) -> str:
        return made.replace("<Subject>", "<To><OrganId>x</OrganId></To><DueDate>2024/04/01</DueDate><Subject>")

    result = packed(messages(tmp_path, message(mutate=more)), tmp_path / "out")
    (note,) = [one for one in result.findings if one.code == "PACK-NOT-CARRIED"]
    assert "DueDate, To" in note.message.vi
    assert not result.refused


def test_data_of_circular_02_2019_is_read_by_its_mapping(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "HoSo"
    parts = {"OrganId": "000.00.05.H20", "FileCatalog": 2016, "FileNotation": "01.TCCB", "FondId": "P_SNV"}
    rows = {
        "HoSo": parts
        | {"Title": "Hồ sơ một", "Maintenance": "Vĩnh viễn", "Rights": "Không hạn chế", "Language": "Tiếng Việt"}
        | {"StartDate": "01-02-2016", "EndDate": "31.12.2016", "TotalDoc": 1, "NumberSheet": 4, "PageNumber": 8}
        | {"Format": "Bình thường", "InforSign": "TC", "Description": "ghi chú"},
        "VanBan": parts
        | {"DocCode": "000.00.05.H20.2016.01.TCCB.0000001", "DocOrdinal": 1, "TypeName": "Quyết định"}
        | {"CodeNumber": "15", "CodeNotation": "QĐ-SNV", "IssuedDate": "2016/03/01", "OrganName": "Sở Nội vụ"}
        | {
            "Subject": "Một",
            "Language": "Tiếng Việt",
            "PageAmount": 8,
            "Mode": "Công khai",
            "ConfidenceLevel": "Số hóa",
        },
    }
    for name, row in rows.items():
        sheet = book[name] if name in book.sheetnames else book.create_sheet(name)
        sheet.append(list(row))
        sheet.append(list(row.values()))
    book.save(tmp_path / "cu.xlsx")
    write_files(tmp_path / "files", {"000.00.05.H20.2016.01.TCCB.0000001.pdf": PDF})
    result = packed(tmp_path / "cu.xlsx", tmp_path / "out", mapping="tt02")
    assert {one.severity.value for one in result.findings} == {"note"}
    files = only(result, tmp_path)
    ead = record(files, "metadata/descriptive/EAD.xml")
    assert ead["fileCode"] == "000.00.05.H20.2016.01.TCCB"
    assert (ead["mode"], ead["startDate"], ead["endDate"]) == ("01", "01/02/2016", "31/12/2016")
    assert (ead["numberOfPaper"], ead["numberOfPage"], ead["format"]) == ("4", "8", "02")
    (doc,) = descriptions(files)
    assert (doc["numberOfPage"], doc["confidenceLevel"], doc["issuedDate"]) == ("8", "02", "01/03/2016")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[dossier]", "[dosier]", "unknown: dosier"),
        ('title = "TieuDe"', 'tieude = "TieuDe"', "dossier.fields.tieude"),
        ('source = "xml"', 'source = "csv"', "csv"),
        ("[codes.maintenance]", "[codes.thoihan]", "codes.thoihan"),
        ('dates = ["DD-MM-YYYY"]', 'dates = ["DD-MM-YY"]', "YYYY"),
        ('names = ["HoSo"]', "", "names"),
        ('title = ["Biến thể", "A variant"]', "", "title"),
        ('source = "xml"', "source = ", "Invalid"),
    ],
)
def test_a_mapping_file_with_a_fault_is_told(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in VARIANT
    (tmp_path / "map.toml").write_text(VARIANT.replace(old, new), encoding="utf-8")
    with pytest.raises(UsageError, match=says):
        load_mapping(tmp_path / "map.toml")


def test_mappings_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nd30"):
        packed(export(tmp_path), tmp_path / "out", mapping="khong-co")
    assert set(shipped_mappings()) == {"tt05", "tt02", "nd30", "edxml"}
    with pytest.raises(ValueError, match="dossier"):
        parse_mapping('title = ["a", "b"]\nsource = "xml"\n')


def test_several_workbooks_in_a_folder_are_a_question(tmp_path: Path) -> None:
    path = workbook(tmp_path)
    path.with_name("khac.xlsx").write_bytes(path.read_bytes())
    with pytest.raises(UsageError, match="khac"):
        packed(tmp_path, tmp_path / "out")


def test_sheets_of_other_names_are_known_by_their_headings(tmp_path: Path) -> None:
    def rename(book: openpyxl.Workbook) -> None:
        for number, sheet in enumerate(reversed(book.worksheets), 1):
            sheet.title = f"Sheet{number}"

    source = workbook(tmp_path, pictures=[], mutate=rename)
    assert packed(source, tmp_path / "out").findings == ()


def test_xml_beside_a_workbook_is_a_document_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    workbook(tmp_path / "a", texts=[text(file="hoa-don.xml")], files={})
    (tmp_path / "a" / "hoa-don.xml").write_text("<HDon><TToan>1</TToan></HDon>", encoding="utf-8")
    result = pack(tmp_path / "a", None, tmp_path / "out", SENDER)
    assert set(result.counts) <= {"PACK-FORMAT"}
    assert [one.documents for one in result.packages] == [1]


def test_xml_in_an_export_without_records_is_a_file_like_any_other(tmp_path: Path) -> None:
    export(
        tmp_path,
        files={"qd-101.xml": b"<HDon/>", "pdf/cv-12.pdf": PDF},
        mutate=lambda made: made.replace("qd-101.pdf", "qd-101.xml"),
    )
    result = packed(tmp_path, tmp_path / "out")
    assert [one.documents for one in result.packages] == [2]


def test_the_result_may_lie_in_the_folder_of_the_source(tmp_path: Path) -> None:
    export(tmp_path)
    first = packed(tmp_path, tmp_path / "out")
    assert len(first.packages) == 1
    result = pack(tmp_path, tmp_path, tmp_path / "out2", SENDER)
    assert {one.place.partition("/")[0] for one in result.findings if one.code == "PACK-FILE-UNUSED"} == {"out"}


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """The workbook with its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, change(name, source.read(name)))
    path.write_bytes(out.getvalue())
    return path


_TITLE = b' t="inlineStr"><is><t>title</t></is></c>'


def sheet_part(change: Callable[[bytes], bytes]) -> Callable[[str, bytes], bytes]:
    return lambda name, data: change(data) if name == "xl/worksheets/sheet1.xml" else data


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml", "[Content_Types].xml"]
)
def test_a_doctype_in_any_part_of_a_workbook_is_refused(tmp_path: Path, part: str) -> None:
    declared = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'

    def change(name: str, data: bytes) -> bytes:
        at = data.index(b"?>") + 2 if data.startswith(b"<?xml") else 0
        return data[:at] + declared + data[at:] if name == part else data

    result = packed(rewritten(workbook(tmp_path), change), tmp_path / "out")
    assert set(result.counts) == {"PACK-UNREADABLE"}
    assert "XML-DOCTYPE" in result.findings[0].message.vi


def test_a_million_empty_rows_are_passed_over_quickly(tmp_path: Path) -> None:
    empty = b"".join(b'<row r="%d" ht="15.%d"/>' % (n, n % 97) for n in range(3, 1_048_577))
    source = rewritten(
        workbook(tmp_path), sheet_part(lambda data: data.replace(b"</sheetData>", empty + b"</sheetData>"))
    )
    before = time.monotonic()
    result = packed(source, tmp_path / "out")
    assert result.findings == ()
    assert time.monotonic() - before < 30


def test_a_sheet_that_claims_to_be_huge_is_not_believed(tmp_path: Path) -> None:
    def change(data: bytes) -> bytes:
        start, end = data.index(b"<dimension"), data.index(b"/>", data.index(b"<dimension"))
        return data[:start] + b'<dimension ref="A1:XFD1048576"' + data[end:]

    assert packed(rewritten(workbook(tmp_path), sheet_part(change)), tmp_path / "out").findings == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"</sheetData>", b'<row r="x"><c r="??"><v>1</v></c></row></sheetData>'),
        lambda data: data.replace(b'r="A1"', b'r="A99999999"'),
        lambda data: data.replace(_TITLE, b' t="s"><v>999999</v></c>'),
        lambda data: data.replace(_TITLE, b' t="n"><v>zzz</v></c>'),
        lambda data: data.replace(_TITLE, b' t="d"><v>yesterday</v></c>'),
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: b"<worksheet/>",
    ],
)
def test_a_broken_sheet_is_a_finding_and_never_a_traceback(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    result = packed(rewritten(workbook(tmp_path), sheet_part(change)), tmp_path / "out")
    assert result.refused
    assert all(code.startswith(("PACK-", "TT05-")) for code in result.counts)


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"])
def test_a_workbook_without_a_part_is_a_finding(tmp_path: Path, part: str) -> None:
    result = packed(rewritten(workbook(tmp_path), lambda name, data: b"" if name == part else data), tmp_path / "out")
    assert result.refused
    assert set(result.counts) <= {"PACK-UNREADABLE", "PACK-NO-SHEET", "PACK-NO-HEADING", "PACK-NO-DOSSIERS"}


def test_shared_strings_are_read_and_their_lack_is_a_finding(tmp_path: Path) -> None:
    """As Excel writes its cells: texts in a part of their own, looked up by number."""
    strings: list[str] = []

    def share(match: re.Match[str]) -> str:
        strings.append(match[1])
        return f' t="s"><v>{len(strings) - 1}</v></c>'

    def change(name: str, data: bytes) -> bytes:
        if name.startswith("xl/worksheets/"):
            return re.sub(r' t="inlineStr"><is><t[^>]*>([^<]*)</t></is></c>', share, data.decode()).encode()
        return data

    path = rewritten(workbook(tmp_path), change)
    assert CODE in strings
    assert "PACK-UNREADABLE" in packed(path, tmp_path / "out").counts
    items = "".join(f"<si><t>{one}</t></si>" for one in strings)
    table = f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{items}</sst>'.encode()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'.encode()
    rewritten(path, lambda name, data: data.replace(b"</Types>", part) if name == "[Content_Types].xml" else data)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", table)
    assert packed(path, tmp_path / "out").findings == ()


class _Pipe(io.BytesIO):
    """A stream that cannot go back."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise OSError(29, "Illegal seek")

    def tell(self) -> int:
        raise OSError(29, "Illegal seek")


def test_a_zip_as_excel_and_as_streaming_programs_write_it_is_read(tmp_path: Path) -> None:
    """Excel leaves room to grow in the first local header; others put sizes behind the data."""
    parts = zipfile.ZipFile(workbook(tmp_path))
    excel, streamed = tmp_path / "excel.xlsx", tmp_path / "streamed.xlsx"
    with zipfile.ZipFile(excel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in parts.namelist():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.extra = b"\x20\xa2\x40\x00\x28\xa0\x3c\x02" + bytes(60)
            archive.writestr(info, parts.read(name), zipfile.ZIP_DEFLATED)
            info.extra = b""
    out = _Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in parts.namelist():
            archive.writestr(name, parts.read(name))
    streamed.write_bytes(out.getvalue())
    for path in (excel, streamed):
        result = pack(path, tmp_path / "files", tmp_path / f"out-{path.stem}", SENDER)
        assert result.findings == ()


def test_a_bomb_is_refused_without_being_unpacked(tmp_path: Path) -> None:
    path = workbook(tmp_path)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("xl/bomb.xml", "w") as out,
    ):
        for _ in range(410):
            out.write(b" " * (1 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = packed(path, tmp_path / "out")
    assert set(result.counts) <= {"PACK-LARGE", "PACK-UNREADABLE"}
    assert result.refused
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_a_tar_or_a_pdf_is_no_workbook(tmp_path: Path) -> None:
    for name, content in {"a.xlsx": PDF, "b.txt": b"", "c.xlsx": b"PK\x03\x04"}.items():
        (tmp_path / name).write_bytes(content)
        assert set(packed(tmp_path / name, tmp_path / "out").counts) == {"PACK-UNREADABLE"}


def test_a_thousand_faults_of_a_kind_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    texts = [text(number, subject=None, file="a.pdf") for number in range(1, 1501)]
    result = packed(workbook(tmp_path, texts=texts, files={"a.pdf": PDF}), tmp_path / "out")
    assert result.counts["TT05-REQUIRED"] == 1500
    assert sum(one.code == "TT05-REQUIRED" for one in result.findings) == 1000


def test_labels_and_headings_cannot_be_confused() -> None:
    profile = default_profile()
    for name, codes in profile.lists.items():
        labels = [fold(label.vi) for label in codes.values()]
        assert len(set(labels)) == len(labels), name
    for form in profile.forms.values():
        headings = [fold_heading(rule.label) for rule in form.fields.values()]
        assert len(set(headings)) == len(headings), form.name


def test_text_is_folded_and_cells_are_spoken() -> None:
    assert fold("Mã HỒ SƠ  (đ)") == "mahosod"
    assert fold_heading("Ngày, tháng, năm (DD/MM/YYYY) *") == "ngaythangnam"
    assert cell_text(5.0) == "5"
    assert cell_text(0.5) == "0.5"
    assert cell_text(12345678901234567890.0) == "1.23456789012346e+19"
    assert cell_text("dòng_x000D_\nhai") == "dòng\r\nhai"
    assert cell_text(True) == "1"
    assert date_pattern("YYYYMMDD").fullmatch("20240301")
    assert not date_pattern("YYYYMMDD").fullmatch("2024031")
    assert zip_name(7, "uuid-X") == "0007uuid-X.zip"
    words = {0: "không", 5: "năm", 15: "mười lăm", 21: "hai mươi mốt", 24: "hai mươi tư", 105: "một trăm linh năm"}
    words |= {1_000: "một nghìn", 1_105: "một nghìn một trăm linh năm", 2_000_015: "hai triệu không trăm mười lăm"}
    assert {number: number_words(number) for number in words} == words


def test_the_export_of_the_guide_is_the_one_that_is_tested() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "packing.md").read_text(encoding="utf-8")
    example = guide.partition("```xml\n")[2].partition("```")[0]
    assert example.split() == EXPORT.split()


@pytest.mark.parametrize("kind", ["dossier", "text", "picture", "media"])
def test_the_tables_of_the_guide_are_those_of_the_profile(kind: str) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "packing.md").read_text(encoding="utf-8")
    assert headings_table(kind) in guide


def test_the_mapping_of_the_guide_is_one() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "packing.md").read_text(encoding="utf-8")
    mapping = parse_mapping(guide.partition("```toml\n")[2].partition("```")[0])
    assert mapping.codes["maintenance"][fold("lưu VĨNH viễn")] == "01"
