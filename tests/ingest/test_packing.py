"""Packing from end to end: from a workbook and files to SIPs that the check finds nothing in and the archive keeps."""

from __future__ import annotations

import io
import random
import shutil
import tempfile
import zipfile
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.check import CheckVerdict, check_package
from ingest.packing import TemplateKind, pack, write_template
from ingest.packing.sheets import is_computed
from ingest.receipt import Verdict
from metadata.errors import AlreadyExists, NotFound
from metadata.tt05.fields import read_simpledc
from metadata.tt05.profile import DocumentKind, Need, default_profile
from tests.builders.archive import small_archive
from tests.builders.packing import (
    CODE,
    JPEG,
    OTHER,
    PDF,
    SENDER,
    SHEETS,
    Values,
    dossier,
    media,
    packed,
    picture,
    text,
    workbook,
    write_files,
)

_AT_HALF_PAST_NINE = datetime(2024, 3, 15, 9, 30)  # noqa: DTZ001 -- Excel has no zones


def contents(package: Path) -> dict[str, bytes]:
    """The files of a ZIP by their paths below its one top folder."""
    with zipfile.ZipFile(package) as archive:
        assert archive.testzip() is None
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def record(files: dict[str, bytes], path: str) -> dict[str, str]:
    return dict(read_simpledc(io.BytesIO(files[path])).pairs)


def descriptions(files: dict[str, bytes]) -> list[dict[str, str]]:
    folder = "representations/rep1/metadata/descriptive/"
    return [record(files, path) for path in sorted(files) if path.startswith(folder)]


def verdict(package: Path, work: Path) -> tuple[CheckVerdict, dict[str, int]]:
    work.mkdir(exist_ok=True)
    report = check_package(package, work)
    return report.verdict, dict(report.counts)


def all_kinds(folder: Path, **options: Any) -> Path:
    """A workbook with a dossier of a text, a photograph and a film, and one of a text."""
    return workbook(
        folder,
        dossiers=[dossier(totalDoc="3"), dossier(OTHER)],
        texts=[text(), text(1, OTHER)],
        pictures=[picture(2)],
        recordings=[media(3)],
        **options,
    )


def test_a_complete_submission_packs_without_a_word_and_checks_without_a_finding(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    result = packed(all_kinds(tmp_path), tmp_path / "out", on_progress=lambda *amount: seen.append(amount))
    assert result.findings == ()
    assert not result.refused
    assert [one.code for one in result.packages] == [CODE, OTHER]
    assert [one.path.name[:9] for one in result.packages] == ["0001uuid-", "0002uuid-"]
    assert [one.path.name for one in result.packages] == [
        f"{number:04}{one.objid}.zip" for number, one in enumerate(result.packages, 1)
    ]
    assert [one.documents for one in result.packages] == [3, 1]
    assert seen == [(3, 4), (4, 4)]
    for one in result.packages:
        assert one.bytes == one.path.stat().st_size
        assert verdict(one.path, tmp_path / "work") == (CheckVerdict.GOOD, {})
    files = contents(result.packages[0].path)
    names = {path.rpartition("/")[2] for path in files if "/data/" in path}
    assert names == {f"{CODE}.0000001.pdf", f"{CODE}.0000002.jpg", f"{CODE}.0000003.mp4"}
    assert f"representations/rep1/metadata/descriptive/EAD_pic_{CODE}.0000002.xml" in files
    assert record(files, "metadata/descriptive/EAD.xml")["maintenance"] == "01"


def test_the_archive_takes_what_was_packed(tmp_path: Path) -> None:
    result = packed(all_kinds(tmp_path), tmp_path / "out")
    with small_archive(tmp_path / "kho") as archive:
        for one in result.packages:
            receipt = archive.receive(one.path, job=one.code)
            assert (receipt.verdict, receipt.findings) == (Verdict.ACCEPTED, ())
            assert receipt.title == one.title


def test_packing_twice_gives_the_same_bytes_and_another_file_another_package(tmp_path: Path) -> None:
    source = all_kinds(tmp_path)
    first = packed(source, tmp_path / "one")
    second = packed(source, tmp_path / "two")
    assert [one.path.read_bytes() for one in first.packages] == [one.path.read_bytes() for one in second.packages]
    (path,) = (tmp_path / "files").rglob(f"{OTHER}.0000001.pdf")
    path.write_bytes(PDF + b"%other\n")
    third = packed(source, tmp_path / "three")
    assert third.packages[0].objid == first.packages[0].objid
    assert third.packages[1].objid != first.packages[1].objid


def test_a_filled_template_packs_and_its_example_does_not(tmp_path: Path) -> None:
    template = tmp_path / "mau.xlsx"
    write_template(template)
    book = openpyxl.load_workbook(template)
    rows = {"dossier": [dossier(totalDoc="3")], "text": [text()], "picture": [picture(2)], "media": [media(3)]}
    for kind, values in rows.items():
        sheet = book[SHEETS[kind]]
        columns = {cell.value: cell.column for cell in sheet[2]}
        for line, row in enumerate(values, 4):
            for field, value in row.items():
                sheet.cell(line, columns[field]).value = value
    book.save(template)
    files = {f"{CODE}.0000001.pdf": PDF, f"{CODE}.0000002.jpg": JPEG, f"{CODE}.0000003.mp4": b"\0mp4"}
    write_files(tmp_path / "files", files)
    result = packed(template, tmp_path / "out")
    assert result.findings == ()
    assert [one.code for one in result.packages] == [CODE]
    assert verdict(result.packages[0].path, tmp_path / "work") == (CheckVerdict.GOOD, {})


@pytest.mark.parametrize("kind", TemplateKind)
def test_templates_have_every_field_of_their_forms(kind: TemplateKind) -> None:
    out = io.BytesIO()
    write_template(out, kind)
    book = openpyxl.load_workbook(out)
    profile = default_profile()
    kinds = {"Hồ sơ": None, "Văn bản": DocumentKind.TEXT, "Ảnh": DocumentKind.PICTURE}
    kinds["Ghi âm, ghi hình"] = DocumentKind.MEDIA
    assert book.sheetnames[0] == "Hướng dẫn"
    for name in book.sheetnames[1:-1]:
        sheet = book[name]
        form = profile.form(kinds[name], "sip")
        fields = [cell.value for cell in sheet[2]][1:]
        assert [field for field in fields if field in form.fields] == list(form.fields)
        for cell in sheet[1]:
            rule = form.fields.get(sheet.cell(2, cell.column).value)
            if rule is not None and rule.need is Need.REQUIRED:
                assert cell.value.endswith(" (*)" if is_computed(kinds[name], rule.name) else " *")
        lists = {rule.sqref for rule in sheet.data_validations.dataValidation if rule.type == "list"}
        assert len(lists) == sum(rule.name in profile.lists for rule in form.fields.values())
    assert len(book.sheetnames) == {"all": 6, "dossiers": 3}.get(kind.value, 4)


def test_an_empty_template_says_that_there_is_no_dossier(tmp_path: Path) -> None:
    write_template(tmp_path / "mau.xlsx")
    result = pack(tmp_path / "mau.xlsx", None, tmp_path / "out", SENDER)
    assert set(result.counts) == {"PACK-NO-DOSSIERS"}
    assert not (tmp_path / "out").exists()


def test_every_fault_is_said_at_once_with_sheet_and_cell(tmp_path: Path) -> None:
    source = workbook(
        tmp_path,
        dossiers=[dossier(title=None, endDate="31/02/2024", mode="Bí mật lắm"), dossier("HS 7")],
        texts=[text(subject=None), text(2, numberOfPage="năm"), text(3, "H20.05.2024.99.X")],
        files={},
    )
    result = packed(source, tmp_path / "out")
    found = {(one.code, one.place) for one in result.findings}
    assert {
        ("TT05-REQUIRED", "Hồ sơ!B2"),
        ("TT05-DATE", "Hồ sơ!G2"),
        ("TT05-CODE", "Hồ sơ!D2"),
        ("PACK-FILE-CODE", "Hồ sơ!A3"),
        ("PACK-DOSSIER-EMPTY", "Hồ sơ!A3"),
        ("TT05-REQUIRED", "Văn bản!L2"),
        ("TT05-NUMBER", "Văn bản!N3"),
        ("PACK-NO-DOSSIER", "Văn bản!A4"),
        ("PACK-TOTAL", "Hồ sơ!I2"),
        ("PACK-DOCUMENT-WITHOUT-FILE", "Văn bản!E2"),
        ("PACK-DOCUMENT-WITHOUT-FILE", "Văn bản!E3"),
    } <= found
    assert result.refused
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files", "nop.xlsx"]


def test_with_an_error_nothing_is_written_but_partial_packs_what_is_good(tmp_path: Path) -> None:
    source = workbook(tmp_path, dossiers=[dossier(), dossier(OTHER, title=None)], texts=[text(), text(1, OTHER)])
    refused = packed(source, tmp_path / "out")
    assert refused.refused
    assert not (tmp_path / "out").exists()
    result = packed(source, tmp_path / "out", partial=True)
    assert [one.code for one in result.packages] == [CODE]
    assert set(result.counts) == {"TT05-REQUIRED"}
    assert len(list((tmp_path / "out").iterdir())) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files", "nop.xlsx", "out"]


def test_an_existing_folder_is_never_written_into(tmp_path: Path) -> None:
    source = workbook(tmp_path)
    (tmp_path / "out").mkdir()
    with pytest.raises(AlreadyExists):
        packed(source, tmp_path / "out")
    with pytest.raises(NotFound):
        packed(tmp_path / "khong-co.xlsx", tmp_path / "out2")
    with pytest.raises(NotFound):
        pack(source, tmp_path / "khong-co", tmp_path / "out2", SENDER)
    assert not (tmp_path / "out2").exists()


def test_a_failing_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = all_kinds(tmp_path)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ingest.packing.writing.write_zip", fail)
    with pytest.raises(OSError, match="No space"):
        packed(source, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files", "nop.xlsx"]


def test_first_number_counts_on(tmp_path: Path) -> None:
    result = packed(all_kinds(tmp_path), tmp_path / "out", first_number=12345)
    assert [one.path.name[:9] for one in result.packages] == ["12345uuid", "12346uuid"]


def test_what_is_empty_is_filled_from_the_rest_and_said(tmp_path: Path) -> None:
    blank = dict.fromkeys(["totalDoc", "numberOfPage", "startDate", "endDate", "numberOfPaper"], "")
    plain = dict.fromkeys(
        ["docId", "docCode", "maintenance", "language", "mode", "confidenceLevel", "riskRecovery"], ""
    )
    source = workbook(
        tmp_path,
        dossiers=[dossier(**blank)],
        texts=[text(1, issuedDate="7/5/2024", numberOfPage=3, **plain), text(2, issuedDate="12/02/2024", **plain)],
        files={f"{CODE}.0000001.pdf": PDF, f"{CODE}.0000002.pdf": PDF},
    )
    result = packed(source, tmp_path / "out")
    assert set(result.counts) == {"PACK-FILLED"}
    files = contents(result.packages[0].path)
    ead = record(files, "metadata/descriptive/EAD.xml")
    assert [ead[field] for field in blank] == ["2", "5", "12/02/2024", "07/05/2024", "0"]
    first, second = descriptions(files)
    assert first["docCode"] == f"{CODE}.0000001"
    assert second["docCode"] == f"{CODE}.0000002"
    assert [first[field] for field in ("maintenance", "language", "mode", "riskRecovery")] == ["01", "01", "01", "0"]
    assert len(first["docId"]) <= 25
    assert first["docId"] != second["docId"]
    assert verdict(result.packages[0].path, tmp_path / "work") == (CheckVerdict.GOOD, {})


def test_cells_become_text_as_people_see_it(tmp_path: Path) -> None:
    source = workbook(
        tmp_path,
        dossiers=[dossier(startDate=date(2024, 1, 2), numberOfPage=5.0, maintenance=1, description="dòng 1\ndòng 2")],
        texts=[text(codeNumber="007", issuedDate=_AT_HALF_PAST_NINE, numberOfPage=2.0, process=False)],
        pictures=[],
        recordings=[media(2, playTime=time(0, 12, 30))],
    )
    book = openpyxl.load_workbook(source)
    book["Hồ sơ"]["I2"] = 2
    book.save(source)
    files = contents(packed(source, tmp_path / "out").packages[0].path)
    ead = record(files, "metadata/descriptive/EAD.xml")
    assert (ead["startDate"], ead["numberOfPage"], ead["maintenance"]) == ("02/01/2024", "5", "01")
    assert ead["description"] == "dòng 1\ndòng 2"
    doc, film = descriptions(files)
    assert (doc["codeNumber"], doc["issuedDate"], doc["numberOfPage"], doc["process"]) == (
        "007",
        "15/03/2024",
        "2",
        "0",
    )
    assert film["playTime"] == "00:12:30"


def test_a_signed_file_goes_before_the_unsigned_one(tmp_path: Path) -> None:
    files = {f"2024/VV/P/{CODE}/{CODE}.0000001{suffix}.pdf": PDF + suffix.encode() for suffix in ("", "_signed")}
    result = packed(workbook(tmp_path, files=files), tmp_path / "out")
    assert result.findings == ()
    made = contents(result.packages[0].path)
    assert [path.rpartition("/")[2] for path in made if "/data/" in path] == [f"{CODE}.0000001_signed.pdf"]


def test_files_are_found_by_name_path_code_and_in_a_zip(tmp_path: Path) -> None:
    names = ["Công văn số 1.PDF", r"C:\tep\2024\cv2.pdf", "a/giống.pdf", ""]
    texts = [text(number, file=name) for number, name in enumerate(names, 1)]
    files = {
        "x/công văn số 1.pdf": PDF + b"1",
        "2024/cv2.pdf": PDF + b"2",
        "a/giống.pdf": PDF + b"3",
        "b/giống.pdf": PDF + b"9",
        f"{CODE}.0000004.pdf": PDF + b"4",
        f"{CODE}.0000004.docx": b"PK4",
    }
    source = workbook(tmp_path, dossiers=[dossier(totalDoc="4", numberOfPage="8")], texts=texts, files=files)
    archive = tmp_path / "tep.zip"
    shutil.make_archive(str(archive.with_suffix("")), "zip", tmp_path / "files")
    for where in (tmp_path / "files", archive):
        result = pack(source, where, tmp_path / f"out-{where.name}", SENDER)
        assert {(one.code, one.place) for one in result.findings} == {("PACK-FILE-UNUSED", "b/giống.pdf")}
        made = contents(result.packages[0].path)
        data = {path.rpartition("/")[2]: content for path, content in made.items() if "/data/" in path}
        assert sorted(content[-1:] for content in data.values()) == [b"1", b"2", b"3", b"4", b"4"]
        assert verdict(result.packages[0].path, tmp_path / "work") == (CheckVerdict.GOOD, {})


def test_files_of_one_name_and_awkward_names_get_the_documents_code(tmp_path: Path) -> None:
    texts = [text(1, file="a/cv.pdf"), text(2, file="b/CV.pdf"), text(3, file="c/a:b?.pdf")]
    files = {"a/cv.pdf": PDF + b"1", "b/CV.pdf": PDF + b"2", "c/a:b?.pdf": PDF + b"3"}
    source = workbook(tmp_path, dossiers=[dossier(totalDoc="3")], texts=texts, files=files)
    result = packed(source, tmp_path / "out")
    made = contents(result.packages[0].path)
    names = sorted(path.rpartition("/")[2] for path in made if "/data/" in path)
    assert names == [f"{CODE}.000000{n}.pdf" for n in (1, 2, 3)]
    assert verdict(result.packages[0].path, tmp_path / "work") == (CheckVerdict.GOOD, {})


def test_files_of_a_digitised_dossier_are_named_by_its_code(tmp_path: Path) -> None:
    digitised = dossier(confidenceLevel="Số hóa", paperFileCode="H20.K1.07", totalDoc="2")
    texts = [text(1, file="quét 1.pdf", confidenceLevel="02"), text(2, file=f"{CODE}.bìa.pdf", confidenceLevel="02")]
    source = workbook(
        tmp_path, dossiers=[digitised], texts=texts, files={"quét 1.pdf": PDF, f"{CODE}.bìa.pdf": PDF + b"2"}
    )
    result = packed(source, tmp_path / "out")
    made = contents(result.packages[0].path)
    names = sorted(path.rpartition("/")[2] for path in made if "/data/" in path)
    assert names == [f"{CODE}.0000001.pdf", f"{CODE}.bìa.pdf"]
    assert verdict(result.packages[0].path, tmp_path / "work") == (CheckVerdict.GOOD, {})


def test_what_a_clerk_cannot_put_right_is_packed_and_said(tmp_path: Path) -> None:
    source = workbook(
        tmp_path, dossiers=[dossier(maintenance="70 năm")], texts=[text(subject="x" * 600, issuedDate="3/1975")]
    )
    result = packed(source, tmp_path / "out")
    assert {(one.code, one.severity.value, one.place) for one in result.findings} == {
        ("TT05-PERMANENT-NOTED", "warning", "Hồ sơ!C2"),
        ("TT05-LENGTH-NOTED", "warning", "Văn bản!L2"),
        ("TT05-DATE-PARTIAL", "warning", "Văn bản!J2"),
    }
    assert set(verdict(result.packages[0].path, tmp_path / "work")[1]) == set(result.counts)


def test_a_text_of_absurd_length_is_an_error(tmp_path: Path) -> None:
    result = packed(workbook(tmp_path, dossiers=[dossier(title="x" * 10_001)]), tmp_path / "out")
    assert [(one.code, one.severity.value, one.place) for one in result.findings] == [
        ("TT05-LENGTH", "error", "Hồ sơ!B2")
    ]


def test_a_code_that_is_not_the_dossiers_and_an_end_before_the_beginning_are_errors(tmp_path: Path) -> None:
    source = workbook(
        tmp_path, dossiers=[dossier(endDate="01/01/2020")], texts=[text(docCode="H20.X.0000001", file="a.pdf")],
        files={"a.pdf": PDF},
    )  # fmt: skip
    result = packed(source, tmp_path / "out")
    assert {(one.code, one.severity.value, one.place) for one in result.findings} == {
        ("TT05-DOC-CODE", "error", "Văn bản!E2"),
        ("TT05-PERIOD", "error", "Hồ sơ!G2"),
    }


def test_a_whole_dossier_in_one_file_has_the_dossiers_code(tmp_path: Path) -> None:
    result = packed(workbook(tmp_path, files={f"{CODE}.pdf": PDF}), tmp_path / "out")
    assert result.findings == ()
    assert f"representations/rep1/data/{CODE}.pdf" in contents(result.packages[0].path)


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    source = workbook(tmp_path, files={})
    secret = tmp_path / "secret.pdf"
    secret.write_bytes(PDF)
    (tmp_path / "files" / f"{CODE}.0000001.pdf").symlink_to(secret)
    assert "PACK-DOCUMENT-WITHOUT-FILE" in packed(source, tmp_path / "out").counts


def test_the_lists_say_what_was_packed_and_no_cell_is_a_formula(tmp_path: Path) -> None:
    source = workbook(
        tmp_path,
        dossiers=[dossier(title='=HYPERLINK("http://x")', description="+1"), dossier(OTHER, title="@SUM(1)")],
        texts=[text(subject="-2+3"), text(1, OTHER, numberOfPage="10")],
    )
    result = packed(source, tmp_path / "out")
    assert [path.name for path in result.lists] == [
        "muc-luc-ho-so.xlsx", "muc-luc-ho-so.pdf", "muc-luc-van-ban.xlsx", "muc-luc-van-ban.pdf",
    ]  # fmt: skip
    for path in result.lists:
        if path.suffix == ".pdf":
            data = path.read_bytes()
            assert data.startswith(b"%PDF-1.7")
            assert b"pdfaid:part>2<" in data
            continue
        for row in openpyxl.load_workbook(path).active.iter_rows():
            assert all(cell.data_type in ("s", "n") and (cell.value is None or cell.data_type == "s") for cell in row)
    rows = [[cell.value for cell in row] for row in openpyxl.load_workbook(result.lists[0]).active.iter_rows()]
    first = next(row for row in rows if row[0] == "1")
    assert first == ["1", CODE, '=HYPERLINK("http://x")', "02/01/2024 – 30/12/2024", "Vĩnh viễn", "0/2", "+1"]
    assert [row[0] for row in rows if "Viết" in str(row[0])] == ["Viết bằng chữ: Hai hồ sơ (đơn vị bảo quản)."]
    rows = [[cell.value for cell in row] for row in openpyxl.load_workbook(result.lists[2]).active.iter_rows()]
    assert ["1", "101/QĐ-SNV", "15/03/2024", "Quyết định: -2+3", "Sở Nội vụ", "1–2", None] in rows
    assert any(str(row[0]).startswith("Số, ký hiệu hồ sơ: 01.TCCB   Năm: 2024") for row in rows)


def test_characters_without_a_glyph_do_not_stop_the_lists(tmp_path: Path) -> None:
    result = packed(workbook(tmp_path, dossiers=[dossier(title="𡨸喃 😀 \uf0b7")]), tmp_path / "out")
    assert result.findings == ()
    assert result.lists[1].read_bytes().startswith(b"%PDF")
    assert "𡨸喃 😀 \uf0b7" in {row[2].value for row in openpyxl.load_workbook(result.lists[0]).active.iter_rows()}


def test_the_moment_of_a_package_is_when_its_workbook_was_saved(tmp_path: Path) -> None:
    source = workbook(tmp_path)
    saved = openpyxl.load_workbook(source).properties.modified.replace(tzinfo=UTC)
    (one,) = packed(source, tmp_path / "out").packages
    assert f'CREATEDATE="{saved.astimezone():%Y}'.encode() in contents(one.path)["METS.xml"]
    told = packed(source, tmp_path / "told", created=datetime(2025, 1, 2, 3, 4, 5, 6, tzinfo=UTC))
    assert b'CREATEDATE="2025-01-02T10:04:05.0+07:00"' in contents(told.packages[0].path)["METS.xml"]


_SAFE = st.characters(exclude_categories=["C", "Z"], exclude_characters="_")
_WORDS = st.lists(st.text(_SAFE, min_size=1, max_size=12), min_size=1, max_size=4).map(" ".join)


def _earlier_first(fields: dict[str, tuple[object, str]]) -> dict[str, tuple[object, str]]:
    first, last = sorted((fields["startDate"], fields["endDate"]), key=lambda pair: pair[1].split("/")[::-1])
    return fields | {"startDate": first, "endDate": last}


@st.composite
def _date(draw: st.DrawFn) -> tuple[object, str]:
    day = draw(st.dates(date(1900, 3, 1), date(2100, 12, 31)))
    text_form = f"{day.day:02}/{day.month:02}/{day.year}"
    forms = [(day, text_form), (text_form, text_form), (f"{day.day}/{day.month}/{day.year}", text_form)]
    forms += [(day.isoformat(), text_form), (f" {day.day}/{day.month:02}/{day.year} ", text_form)]
    return draw(st.sampled_from(forms))


def _code(field: str) -> st.SearchStrategy[tuple[object, str]]:
    codes = default_profile().lists[field]
    return st.sampled_from(
        [
            way
            for code, label in codes.items()
            for way in (
                (code, code),
                (int(code), code),
                (label.vi, code),
                (label.en.upper(), code),
                (f"{code} - {label.vi}", code),
            )
        ]
    )


_NUMBER = st.integers(0, 999).flatmap(lambda n: st.sampled_from([(n, str(n)), (float(n), str(n)), (str(n), str(n))]))
_TEXT = _WORDS.map(lambda words: (words, words))
_YES = st.sampled_from([("1", "1"), (True, "1"), ("Có", "1"), (0, "0"), ("KHÔNG", "0")])
_DOSSIER = st.fixed_dictionaries(
    {"title": _TEXT, "mode": _code("mode"), "language": _code("language"), "startDate": _date(), "endDate": _date(),
     "keyword": _TEXT, "numberOfPaper": _NUMBER, "numberOfPage": _NUMBER, "format": _code("format")}
).map(_earlier_first)  # fmt: skip
_DOCUMENT = st.fixed_dictionaries(
    {"subject": _TEXT, "typeName": _code("typeName"), "issuedDate": _date(), "organName": _TEXT,
     "language": _code("language"), "numberOfPage": _NUMBER, "mode": _code("mode"), "process": _YES,
     "codeNotation": _TEXT.filter(lambda pair: len(pair[1]) <= 30)}
)  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(_DOSSIER, st.lists(_DOCUMENT, min_size=1, max_size=3)), min_size=1, max_size=3),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_random_dossiers_come_back_as_they_were_typed(
    dossiers: list[tuple[Any, list[Any]]], shuffle: random.Random, vietnamese: bool
) -> None:
    rows: list[Values] = []
    texts: list[Values] = []
    wanted: dict[str, tuple[dict[str, str], list[dict[str, str]]]] = {}
    for number, (fields, documents) in enumerate(dossiers, 1):
        code = f"H20.05.2024.{number:02}.TCCB"
        rows.append(dossier(code, totalDoc=str(len(documents)), **{key: cell for key, (cell, _) in fields.items()}))
        expected = [{key: value for key, (_, value) in one.items()} for one in documents]
        wanted[code] = ({key: value for key, (_, value) in fields.items()}, expected)
        texts += [text(n, code, **{key: cell for key, (cell, _) in one.items()}) for n, one in enumerate(documents, 1)]
    for row in texts:
        row["docId"] = f"D{texts.index(row)}"
    headings = {}
    if vietnamese:
        profile = default_profile()
        headings = {
            name: rule.label
            for form in ("dossier_sip", "text_sip")
            for name, rule in profile.forms[form].fields.items()
        }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = workbook(folder, dossiers=rows, texts=texts, headings=headings, shuffle=shuffle)
        result = packed(source, folder / "out")
        assert result.findings == ()
        for one in result.packages:
            files = contents(one.path)
            fields, documents = wanted[one.code]
            found = record(files, "metadata/descriptive/EAD.xml")
            assert {key: found.get(key) for key in fields} == fields
            made = descriptions(files)
            assert [
                {key: found.get(key) for key in doc} for found, doc in zip(made, documents, strict=True)
            ] == documents
            assert verdict(one.path, folder / "work") == (CheckVerdict.GOOD, {})
