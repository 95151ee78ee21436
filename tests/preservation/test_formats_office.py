"""Office files, EPUB, RTF: whole ones are VALID with their facts and words; each defect is found by its own code."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import docx
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.outcomes import Validity
from preservation.formats import zip_contents
from tests.builders.contents import (
    KIEU,
    compound,
    epub,
    old_excel,
    old_power_point,
    old_word,
    opendocument,
    outlook,
    relations,
    strings,
    tcvn3,
    vni,
    word,
    zipped,
)
from tests.builders.shared_data import shared_data
from tests.preservation.looking import codes, looked

VALID, NOTES, INVALID, UNREADABLE = Validity.VALID, Validity.VALID_WITH_NOTES, Validity.INVALID, Validity.UNREADABLE
FIELD = (
    '<w:p><w:r><w:instrText> DDE</w:instrText></w:r><w:r><w:instrText>AUTO c:\\\\cmd.exe "/k calc"</w:instrText></w:r>'
    "</w:p>"
)
RTF = rb"{\rtf1\ansi\ansicpg1258{\fonttbl{\f0 Arial;}}\f0 Tr\u259?m n\u259?m\par c\'e2u hai {\*\hidden no}\par }"


def test_a_word_file_is_valid_and_tells_its_facts() -> None:
    found = looked("docx", zipped(word()))
    assert (found.validity, codes(found)) == (VALID, [])
    assert (found.facts.pages, found.facts.pages_said) == (None, 7)
    assert found.facts.application == "Tàng Thư Writer 1.0"
    assert found.text == KIEU.strip()


def test_documents_of_other_peoples_libraries_are_valid() -> None:
    out, document = io.BytesIO(), docx.Document()
    for line in KIEU.splitlines():
        document.add_paragraph(line)
    document.add_table(2, 2).cell(0, 0).text = "ô đầu"
    document.save(out)
    found = looked("docx", out.getvalue())
    assert (found.validity, codes(found)) == (VALID, [])
    assert "Phong tình có lục" in found.text
    assert "ô đầu" in found.text

    out, book = io.BytesIO(), openpyxl.Workbook()
    book.active.append(["Số và ký hiệu", 12])
    book.create_sheet("Hai").append(["trích yếu"])
    book.save(out)
    found = looked("xlsx", out.getvalue())
    assert (found.validity, codes(found), found.facts.pages) == (VALID, [], None)
    assert "Số và ký hiệu" in found.text
    assert "trích yếu" in found.text


def test_slides_are_counted_and_read_in_their_order() -> None:
    space = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    slides = {f"ppt/slides/slide{n}.xml": f"<sld {space}><a:p><a:t>trang {n}</a:t></a:p></sld>" for n in (10, 2, 1)}
    members = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": relations(("officeDocument", "ppt/presentation.xml", False)),
        "ppt/presentation.xml": "<p/>",
        **slides,
    }
    found = looked("pptx", zipped(members))
    assert (found.validity, found.facts.pages, found.text) == (VALID, 3, "trang 1\ntrang 2\ntrang 10")


def _encrypted_zip() -> bytes:
    """Every member says that it is encrypted."""
    data = bytearray(zipped(word()))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        start = data.find(mark)
        while start >= 0:
            data[start + at] |= 1
            start = data.find(mark, start + 4)
    return bytes(data)


def _bomb() -> bytes:
    return zipped(word(word__media__image2=b"\0" * (80 << 20)))


def _flipped(data: bytes, mark: bytes) -> bytes:
    """One bit of the data of the member of that name changed."""
    at = data.index(mark) + len(mark) + 20
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _twice() -> bytes:
    out = io.BytesIO(zipped(word()))
    with zipfile.ZipFile(out, "a") as package, pytest.warns(UserWarning):
        package.writestr("word/document.xml", "<x/>")
    return out.getvalue()


GOOD_ZIP = zipped(word())

# What was done to a good file of a kind, by what it is then and the code of the one remark ("" for none).
Files = dict[str, tuple[str, bytes]]
WHOLE: Files = {
    "docx with a page field": ("docx", zipped(word(body='<w:fldSimple w:instr="PAGE"/>'))),
    "odt": ("odt", zipped(opendocument())),
    "odt with a link": ("odt", zipped(opendocument(body='<text:a xlink:href="http://x/">x</text:a>'))),
    "odt with an empty library": (
        "odt",
        zipped(opendocument(**{"Basic/Standard/script-lb.xml": "<x/>", "Basic/script-lc.xml": "<x/>"})),
    ),
    "epub": ("epub", zipped(epub())),
    "doc": ("doc", compound(old_word())),
    "xls": ("xls", compound(old_excel((0x00FC, strings("Một", "Hai"))))),
    "ppt": ("ppt", compound(old_power_point("Một", "Hai"))),
    "msg": ("msg", compound(outlook())),
    "rtf": ("rtf", RTF),
}
BROKEN: Files = {
    "docx without types": ("docx", zipped(word(**{"[Content_Types].xml": None, "mimetype": "x"}))),
    "docx without relations": ("docx", zipped(word(**{"_rels/.rels": None}))),
    "docx without main part": ("docx", zipped(word(**{"word/document.xml": None}))),
    "docx not well-formed": ("docx", zipped(word(body="<w:p>"))),
    "docx with DOCTYPE": ("docx", zipped(word(**{"word/document.xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}))),
    "docx cut short": ("docx", GOOD_ZIP[:-200]),
    "docx with a flipped bit in a picture": ("docx", _flipped(GOOD_ZIP, b"word/media/image1.png")),
    "docx with a part that stands twice": ("docx", _twice()),
    "docx with locked members": ("docx", _encrypted_zip()),
    "zip that is no office file": ("docx", zipped({"a": "b"})),
    "odt without manifest": ("odt", zipped(opendocument(**{"META-INF/manifest.xml": None}))),
    "odt without content": ("odt", zipped(opendocument(**{"content.xml": None}))),
    "odt with packed mimetype": ("odt", zipped(opendocument(), stored=())),
    "odt of another mimetype": ("odt", zipped(opendocument(mimetype="application/x"))),
    "epub without container": ("epub", zipped(epub(**{"META-INF/container.xml": None}))),
    "epub without package": ("epub", zipped(epub(**{"OEBPS/content.opf": None}))),
    "doc that is none": ("doc", compound({"WordDocument": b"x" * 600})),
    "doc cut short": ("doc", compound(old_word())[:-1100]),
    "xls that is none": ("xls", compound({"Workbook": b"\1\2\3\4" * 8})),
    "rtf cut short": ("rtf", RTF[:-3]),
    "rtf that is none": ("rtf", b"hello"),
}
LOCKED: Files = {
    "odt": ("odt", zipped(opendocument(manifest="<manifest:encryption-data/>"))),
    "epub": ("epub", zipped(epub(**{"META-INF/rights.xml": "<x/>"}))),
    "doc": ("doc", compound(old_word(flags=0x0100))),
    "xls": ("xls", compound(old_excel((0x002F, b"\0" * 6)))),
    "ppt": ("ppt", compound(old_power_point("Một", token=0xF3D1C4DF))),
    "docx": ("docx", compound({"EncryptedPackage": b"x" * 9, "EncryptionInfo": b"y"})),
}
MACROS: Files = {
    "docm": ("docx", zipped(word(**{"word/vbaProject.bin": b"x"}))),
    "xlsm of Excel 4": ("xlsx", zipped(word(**{"xl/macrosheets/sheet1.xml": "<x/>"}))),
    "odt": ("odt", zipped(opendocument(**{"Basic/Standard/Module1.xml": "<x/>"}))),
    "doc": ("doc", compound(old_word(**{"Macros/VBA/ThisDocument": b"x"}))),
    "rtf with a control": ("rtf", RTF[:-1] + rb"{\object\objocx{\*\objdata 01}}}"),
}
BOOK = word(
    **{
        "_rels/.rels": relations(("officeDocument", "xl/workbook.xml", False)),
        "xl/workbook.xml": "<workbook><sheets/></workbook>",
    }
)
DDE: Files = {
    "docx": ("docx", zipped(word(body=FIELD))),
    "docx, in one": ("docx", zipped(word(body='<w:fldSimple w:instr="DDE cmd"/>'))),
    "ods": ("ods", zipped(opendocument("spreadsheet", body="<office:dde-source/>"))),
    "xlsx": ("xlsx", zipped({**BOOK, "xl/externalLinks/externalLink1.xml": "<externalLink><ddeLink/></externalLink>"})),
    "doc": ("doc", compound(old_word("\x13 DDEAUTO cmd \x14x\x15"))),
    "rtf": ("rtf", RTF[:-1] + rb"{\field{\*\fldinst DDEAUTO c:\\cmd}}}"),
}
TEMPLATE = relations(("attachedTemplate", "http://x/y.dotm", True))
OUTSIDE: Files = {
    "docx": ("docx", zipped(word(**{"word/_rels/settings.xml.rels": TEMPLATE}))),
    "odt": ("odt", zipped(opendocument(body='<draw:image xlink:href="http://x/1.png"/>'))),
    "rtf": ("rtf", RTF[:-1] + rb"{\object\objlink{\*\objdata 01}}}"),
}
FONTS: Files = {
    "docx": ("docx", zipped(word(text=tcvn3(KIEU).decode("cp1252")))),
    "doc": ("doc", compound(old_word(vni(KIEU).decode("cp1252")))),
}
WORDLESS: Files = {
    "doc without its table": ("doc", compound({**old_word(), "1Table": b""})),
    "xls with strings that are none": ("xls", compound(old_excel((0x00FC, b"\xff" * 20)))),
}
DEEP = "<w:p>" * 600 + "</w:p>" * 600
OUTCOMES: list[tuple[Validity, str, Files]] = [
    (VALID, "", WHOLE),
    (INVALID, "FORMAT-BROKEN", BROKEN),
    (UNREADABLE, "FORMAT-ENCRYPTED", LOCKED),
    (UNREADABLE, "FORMAT-SWOLLEN", {"docx": ("docx", _bomb())}),
    (UNREADABLE, "FORMAT-UNREADABLE", {"docx nested too deep": ("docx", zipped(word(body=DEEP)))}),
    (NOTES, "FORMAT-MACROS", MACROS),
    (NOTES, "FORMAT-DDE", DDE),
    (VALID, "FORMAT-EXTERNAL", OUTSIDE),
    (NOTES, "FORMAT-LEGACY-FONT", FONTS),
    (VALID, "FORMAT-NO-TEXT", WORDLESS),
    (VALID, "FORMAT-SCRIPT", {"epub": ("epub", zipped(epub(**{"OEBPS/2.html": "<p onclick='x()'>a</p>"})))}),
    (Validity.NOT_CHECKED, "", {"doc of another time": ("doc", b"\xfe\x37\0\x23" + b"x" * 900)}),
]
EVERY = [(validity, code, *file) for validity, code, files in OUTCOMES for file in files.values()]
NAMES = [f"{code} {name}" for _, code, files in OUTCOMES for name in files]


@pytest.mark.parametrize(("validity", "code", "kind", "data"), EVERY, ids=NAMES)
def test_each_defect_by_its_code(validity: Validity, code: str, kind: str, data: bytes) -> None:
    found = looked(kind, data)
    assert (found.validity, codes(found)) == (validity, [code] if code else []), found.remarks


@pytest.mark.parametrize("kind", ["text", "presentation"])
def test_opendocument_facts(kind: str) -> None:
    found = looked("odt", zipped(opendocument(kind, body="<draw:page/><draw:page/>" if kind == "presentation" else "")))
    assert found.facts.application == "Tàng Thư Writer"
    assert (found.facts.pages, found.facts.pages_said) == (2 if kind == "presentation" else None, 7)
    assert found.text == KIEU.strip()


def test_words_and_facts_of_old_offices() -> None:
    found = looked("doc", compound(old_word()))
    assert found.text.splitlines() == ["Truyen Kieu", *KIEU.splitlines()]
    assert (found.facts.pages, found.facts.pages_said) == (None, 7)
    found = looked("ppt", compound(old_power_point("Một", "Hai")))
    assert (found.text, found.facts.pages) == ("Một\nHai", 2)
    assert looked("msg", compound(outlook())).text.startswith("Giấy mời\nTrăm năm")
    assert looked("doc", compound(old_word(vni(KIEU).decode("cp1252")))).text.startswith("Truyen Kieu\nTrăm năm")


def test_words_of_workbooks() -> None:
    assert looked("xls", compound(old_excel((0x00FC, strings("Một", "hai ba", rich=2))))).text == "Một\nhai ba"
    # A string that goes on in another record, there with narrow characters.
    cut = struct.pack("<II", 1, 1) + struct.pack("<HB", 8, 1) + "Một ".encode("utf-16-le")
    found = looked("xls", compound(old_excel((0x00FC, cut), (0x003C, b"\0hai!"))))
    assert (found.validity, codes(found), found.text) == (VALID, [], "Một hai!")
    found = looked("xls", compound(old_excel((0x00FC, cut), (0x003C, b""), (0x003C, b"\0hai!"))))
    assert ".py:" not in str(found.remarks)
    # Excel 5: each cell has its words.
    old = struct.pack("<HHH", 0x0809, 8, 0x0500) + b"\0" * 6 + struct.pack("<HH", 0x000A, 0)
    label = struct.pack("<HHHH", 0, 0, 0, 4) + b"xong"
    old += struct.pack("<HH", 0x0204, len(label)) + label
    assert looked("xls", compound({"Book": old})).text == "xong"
    vn = old_excel((0x00FC, strings(*tcvn3(KIEU).decode("cp1252").splitlines())))
    assert codes(looked("xls", compound(vn))) == ["FORMAT-LEGACY-FONT"]


def test_words_of_rtf() -> None:
    assert looked("rtf", RTF).text == "Trăm năm\ncâu hai"
    old = b"".join(b"\\'%02x" % byte if byte > 127 else bytes([byte]) for byte in tcvn3(KIEU)).replace(b"\n", b"\\par ")
    found = looked("rtf", b"{\\rtf1 " + old + b"}")
    assert (codes(found), found.text) == (["FORMAT-LEGACY-FONT"], KIEU.strip())


@pytest.mark.parametrize(
    ("at", "number"),
    [
        (44, 0xFFFF),  # more tables than there are
        (44, 3),
        (48, 0x00FFFFFF),  # the directory outside the file
        (76, 0x00FFFFFF),  # a table outside the file
        (30, 0x0011),  # sectors of another size
    ],
)
def test_headers_of_compound_files_that_lie(at: int, number: int) -> None:
    data = bytearray(compound(old_word()))
    struct.pack_into("<I", data, at, number)
    assert codes(looked("doc", bytes(data))) == ["FORMAT-BROKEN"]


def test_a_chain_that_runs_in_a_ring_is_broken() -> None:
    data = bytearray(compound({"WordDocument": b"x" * 20_000}))
    table = 512 * (1 + struct.unpack_from("<I", data, 76)[0])
    struct.pack_into("<I", data, table + 4 * 5, 2)
    found = looked("doc", bytes(data))
    assert codes(found) == ["FORMAT-BROKEN"]
    assert "ring" in found.remarks[0].details["reason"]


def test_a_member_larger_than_it_says_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_contents, "UNPACKED", 4000)
    assert codes(looked("docx", zipped(word()))) == ["FORMAT-SWOLLEN"]
    monkeypatch.undo()
    data = bytearray(_bomb())
    at = data.index(b"PK\1\2")
    while data[at + 46 : at + 46 + 10] != b"word/media" or b"image2" not in data[at + 46 : at + 70]:
        at = data.index(b"PK\1\2", at + 4)
    struct.pack_into("<I", data, at + 24, 100)  # it says that it is 100 bytes long
    assert codes(looked("docx", bytes(data))) == ["FORMAT-BROKEN"]


def test_bytes_behind_the_end_of_a_packed_member_are_passed_over_once() -> None:
    """A stream of more than one piece that ends early: what follows its end is no reason to go on for ever."""
    packed = zlib.compressobj(wbits=-15)
    inside = b"\0" * 70_000
    data = packed.compress(inside) + packed.flush()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, text in word(**{"word/media/image2.png": data + b"x" * 100}).items():
            assert text is not None
            package.writestr(name, text)
    made = bytearray(out.getvalue())
    for mark, method, size in ((b"PK\3\4", 8, 22), (b"PK\1\2", 10, 24)):
        at = made.index(mark)
        while b"image2" not in made[at : at + 80]:
            at = made.index(mark, at + 4)
        struct.pack_into("<H", made, at + method, 8)
        struct.pack_into("<II", made, at + size - 8, zlib.crc32(inside), len(data) + 100)
        struct.pack_into("<I", made, at + size, len(inside))
    assert codes(looked("docx", bytes(made))) == []


WORKBOOK = old_excel((0x00FC, strings("Một", rich=1)))
SEEDS = [
    *(zipped(one) for one in (word(), opendocument(), epub())),
    *(compound(one) for one in (old_word(), WORKBOOK, old_power_point("Một"), outlook())),
    RTF,
]
KINDS = ["docx", "odt", "epub", "doc", "xls", "ppt", "msg", "rtf"]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_files_never_break_the_look(data: st.DataObject) -> None:
    """Whatever is done to a good file, the answer is an outcome: UNREADABLE only for what is beyond the bounds."""
    number = data.draw(st.integers(0, len(SEEDS) - 1))
    mutated = bytearray(SEEDS[number])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        how = data.draw(st.sampled_from(["set", "cut", "put", "number"]))
        if how == "set":
            mutated[at] = data.draw(st.integers(0, 255))
        elif how == "cut":
            del mutated[at : at + data.draw(st.integers(1, 600))]
        elif how == "put":
            mutated[at:at] = data.draw(st.binary(max_size=40))
        else:
            mutated[at : at + 4] = data.draw(
                st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\xfe\xff\xff\xff", b"\0\0\0\x80"])
            )
        if not mutated:
            return
    found = looked(KINDS[number], bytes(mutated))
    failed = [one.details["reason"] for one in found.remarks if one.code == "FORMAT-UNREADABLE"]
    assert not [one for one in failed if ".py:" in one], failed


SAMPLES = {
    "LibreOffice7-ODF-1.3/LibreOfficeWriter_odt_1.3.odt": ("odt", VALID, []),
    "LibreOffice7-ODF-1.3/LibreOfficeCalc_ods_1.3.ods": ("ods", VALID, []),
    "LibreOffice7-ODF-1.3/LibreOfficeImpress_odp_1.3.odp": ("odp", VALID, []),
    "LibreOffice7-ODF-1.3/LibreOfficeDraw_odg_1.3.odg": ("odg", VALID, []),
    "LibreOffice7-ODF-1.3/LibreOfficeBase_odb_1.3.odb": ("odb", VALID, []),
    "LibreOffice 3.5.0rc3 OSX/simple.odt": ("odt", VALID, []),
    "OpenOffice.org 3.2.0 OSX/pdf-features/simple.odt": ("odt", VALID, []),
    "OpenOffice.org 3.2.0 OSX/embeds/embedded-png.odt": ("odt", VALID, []),
    "OpenOffice.org 3.2.0 OSX/embeds/embedded-tiff.odt": ("odt", VALID, []),
    "OpenOffice.org 3.3.0 OSX/pdf-features/simple.odt": ("odt", VALID, []),
    "powerpoint4-mac/ecdl+paris2001.ppt": ("ppt", VALID, []),
    "powerpoint4-mac/unc-+oxford2001.ppt": ("ppt", VALID, []),
    "powerpoint4-mac/ecdl paris.ppt": ("ppt", VALID, ["FORMAT-NO-TEXT"]),
    "Old Word file/NEWSSLID.DOC": ("doc", Validity.NOT_CHECKED, []),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_real_files(name: str) -> None:
    kind, validity, expected = SAMPLES[name]
    path = shared_data("samples", "office-examples", *name.split("/"))
    if path is None:
        pytest.skip("the shared files are not there")
    found = looked(kind, path.read_bytes())
    assert (found.validity, codes(found)) == (validity, expected), found.remarks


@pytest.mark.parametrize("name", ["text_only", "externalLink", "fileAttachment", "webCapture"])
def test_real_word_files(name: str) -> None:
    path = shared_data("samples", "pdfCabinetOfHorrors", f"{name}.doc")
    if path is None:
        pytest.skip("the shared files are not there")
    found = looked("doc", path.read_bytes())
    assert (found.validity, found.facts.application) == (VALID, "Microsoft Office Word")
    assert found.text.startswith("This is a test document.")
