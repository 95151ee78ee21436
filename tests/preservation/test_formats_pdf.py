"""PDFs: whole ones are VALID with their facts and words; each defect is found by its own code and no other."""

from __future__ import annotations

import io
import random
import re
import unicodedata
import zlib
from collections.abc import Callable

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Encryption, Name, Permissions, Stream, String

from metadata.characteristics import Facts
from metadata.outcomes import Validity
from preservation.formats import pdf_objects, pdf_pages
from tests.builders import pdfs
from tests.builders.images import encoded
from tests.builders.pdfs import attached, changed, claiming, one_page, pdfa, scan, stream, typeset, written
from tests.builders.shared_data import shared_data
from tests.preservation.looking import codes, looked

VALID, NOTES, INVALID, UNREADABLE = Validity.VALID, Validity.VALID_WITH_NOTES, Validity.INVALID, Validity.UNREADABLE


def test_a_typeset_document_is_valid_and_its_words_come_out_as_they_are() -> None:
    found = looked("pdf", typeset(pages=3))
    assert (found.validity, found.remarks) == (VALID, ())
    assert (found.facts.pages, found.facts.images, found.facts.claim) == (3, 0, "PDF/A-2b")
    assert (found.facts.encrypted, found.facts.fonts_embedded) == (False, True)
    assert found.facts.application.startswith("Typst")
    assert found.text.count(pdfs.WORDS) == 3
    assert unicodedata.is_normalized("NFC", found.text)


def test_words_that_are_decomposed_stay_so() -> None:
    word = "tie\u0302\u0301ng"
    codes_of = "".join(f"<{index:04x}> <{ord(c):04x}>\n" for index, c in enumerate(word, 65))
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def\n"
        "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        f"{len(word)} beginbfchar\n{codes_of}endbfchar endcmap end end"
    )
    shown = "".join(f"{index:04x}" for index in range(65, 65 + len(word)))
    data = one_page(
        stream(f"BT /F1 12 Tf 20 20 Td <{shown}> Tj ET".encode()),
        b"<< /Font << /F1 5 0 R >> >>",
        b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [6 0 R]"
        b" /ToUnicode 7 0 R >>",
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity)"
        b" /Supplement 0 >> /FontDescriptor << /Type /FontDescriptor /FontName /X /Flags 4 >> >>",
        stream(cmap.encode()),
    )
    assert word in looked("pdf", data).text


def test_only_so_many_characters_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_pages, "TEXT_LIMIT", 50)
    assert len(looked("pdf", typeset(pages=3)).text) == 50


# One thing done to a document that is right, what it is then, and the codes of all that is remarked.
Change = Callable[[pikepdf.Pdf], None]


def _set(name: str, value: Callable[[pikepdf.Pdf], object]) -> Change:
    return lambda pdf: pdf.Root.__setattr__(name, value(pdf))


def _script(pdf: pikepdf.Pdf) -> Dictionary:
    return Dictionary(Type=Name.Action, S=Name.JavaScript, JS=String("app.alert(1)"))


def _form(pdf: pikepdf.Pdf) -> Dictionary:
    return Dictionary(Fields=Array([]), XFA=pdf.make_indirect(Stream(pdf, b"<xdp/>")))


def _annotation(kind: str) -> Change:
    def change(pdf: pikepdf.Pdf) -> None:
        note = Dictionary(Type=Name.Annot, Subtype=Name("/" + kind), Rect=Array([0, 0, 1, 1]), F=4)
        pdf.pages[0].obj.Annots = Array([pdf.make_indirect(note)])

    return change


def _visible_helvetica(pdf: pikepdf.Pdf) -> None:
    page = pdf.pages[0]
    page.contents_add(b"BT /Fx 12 Tf 20 20 Td (abc) Tj ET")
    page.resources.Font[Name.Fx] = pdfs.helvetica(pdf, "Arial")


def _unseen_helvetica(pdf: pikepdf.Pdf) -> None:
    page = pdf.pages[0]
    page.contents_add(b"BT 3 Tr /Fx 12 Tf 20 20 Td (abc) Tj ET")
    page.resources.Font[Name.Fx] = pdfs.helvetica(pdf)


def _lzw(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].obj.Resources.Extra = pdf.make_indirect(
        Stream(pdf, b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01", Filter=Name.LZWDecode)
    )


def _state(**entries: object) -> Change:
    return lambda pdf: pdf.pages[0].obj.Resources.__setattr__("ExtGState", Dictionary(G9=Dictionary(**entries)))


def _without_intent(pdf: pikepdf.Pdf) -> None:
    del pdf.Root.OutputIntents


def _without_tags(pdf: pikepdf.Pdf) -> None:
    if "/StructTreeRoot" in pdf.Root:
        del pdf.Root.StructTreeRoot


def _red(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].contents_add(b"1 0 0 rg 0 0 9 9 re f")


def _both(*changes: Change) -> Change:
    def change(pdf: pikepdf.Pdf) -> None:
        for one in changes:
            one(pdf)

    return change


PLAIN = typeset("")
A1, A2, A3 = typeset("a-1b"), typeset("a-2b"), typeset("a-3b")
CHANGES: dict[str, tuple[bytes, Change, Validity, list[str]]] = {
    "a script": (PLAIN, _set("OpenAction", _script), NOTES, ["FORMAT-PDF-ACTIVE"]),
    "an XFA form": (PLAIN, _set("AcroForm", _form), NOTES, ["FORMAT-PDF-XFA"]),
    "an attachment": (PLAIN, attached, VALID, ["FORMAT-PDF-FILES"]),
    "a font that is not embedded": (PLAIN, _visible_helvetica, VALID, ["FORMAT-PDF-FONTS"]),
    "a standard font": (PLAIN, _unseen_helvetica, VALID, []),
    "a link to a page": (PLAIN, _annotation("Link"), VALID, []),
    "transparency in plain PDF": (PLAIN, _state(ca=0.5), VALID, []),
    "PDF/A-1 with transparency": (A1, _state(ca=0.5), NOTES, ["FORMAT-PDFA-TRANSPARENCY"]),
    "PDF/A-1 with a soft mask": (A1, _state(SMask=Dictionary(S=Name.Alpha)), NOTES, ["FORMAT-PDFA-TRANSPARENCY"]),
    "PDF/A-1 with a blend mode": (A1, _state(BM=Name.Multiply), NOTES, ["FORMAT-PDFA-TRANSPARENCY"]),
    "PDF/A-1 opaque": (A1, _state(ca=1, CA=1.0, BM=Name.Normal, SMask=Name("/None")), VALID, []),
    "PDF/A-2 with transparency": (A2, _state(ca=0.5), VALID, []),
    "PDF/A with a script": (A2, _set("OpenAction", _script), NOTES, ["FORMAT-PDF-ACTIVE", "FORMAT-PDFA-ACTION"]),
    "PDF/A with triggers": (A2, _set("AA", lambda _: Dictionary()), NOTES, ["FORMAT-PDFA-ACTION"]),
    "PDF/A with a film": (A2, _annotation("Movie"), NOTES, ["FORMAT-PDFA-ANNOTATION"]),
    "PDF/A-2 with a table": (A2, attached, NOTES, ["FORMAT-PDF-FILES", "FORMAT-PDFA-FILES"]),
    "PDF/A-2 with a PDF": (A2, lambda pdf: attached(pdf, "a.pdf", A2), VALID, ["FORMAT-PDF-FILES"]),
    "PDF/A-1 with a PDF": (
        A1,
        lambda pdf: attached(pdf, "a.pdf", A2),
        NOTES,
        ["FORMAT-PDF-FILES", "FORMAT-PDFA-FILES"],
    ),
    "PDF/A-3 with a table": (A3, attached, VALID, ["FORMAT-PDF-FILES"]),
    "PDF/A with a font elsewhere": (A2, _visible_helvetica, NOTES, ["FORMAT-PDF-FONTS", "FORMAT-PDFA-FONTS"]),
    "PDF/A with unseen words": (A2, _unseen_helvetica, VALID, []),
    "PDF/A with LZW": (A2, _lzw, NOTES, ["FORMAT-PDFA-FILTER"]),
    "PDF/A without intent": (A2, _without_intent, VALID, []),
    "PDF/A with red of the device": (A2, _red, VALID, []),
    "PDF/A without intent, with red": (A2, _both(_without_intent, _red), NOTES, ["FORMAT-PDFA-COLOUR"]),
    "PDF/A with XFA": (A2, _set("AcroForm", _form), NOTES, ["FORMAT-PDF-XFA", "FORMAT-PDFA-STRUCTURE"]),
    "PDF/A-2a without tags": (A2, _both(_without_tags, claiming(pdfa(2, "A"))), NOTES, ["FORMAT-PDFA-STRUCTURE"]),
    "PDF/A-7": (A2, claiming(pdfa(7, "B")), NOTES, ["FORMAT-PDFA-CLAIM"]),
    "PDF/A-1u": (A2, claiming(pdfa(1, "U")), NOTES, ["FORMAT-PDFA-CLAIM"]),
    "a claim in another namespace": (A2, claiming(pdfa(2, "B"), "http://example/"), NOTES, ["FORMAT-PDFA-CLAIM"]),
    "a claim in broken XMP": (A2, claiming(pdfa(2, "B") + "<x>"), NOTES, ["FORMAT-PDFA-CLAIM"]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_thing_is_found_by_its_code(name: str) -> None:
    data, change, validity, remarks = CHANGES[name]
    found = looked("pdf", changed(data, change))
    assert (found.validity, codes(found)) == (validity, remarks), found.remarks


@pytest.mark.parametrize("data", [PLAIN, A1, A2, A3, typeset("a-2u"), typeset("a-4")])
def test_what_is_right_gives_nothing(data: bytes) -> None:
    for one in (data, changed(data, lambda _: None)):
        assert (looked("pdf", one).validity, codes(looked("pdf", one))) == (VALID, [])


def test_the_clause_and_what_was_found_are_told() -> None:
    found = looked("pdf", changed(A2, _set("OpenAction", _script)))
    details = found.remarks[1].details
    assert details == {"claim": "PDF/A-2b", "clause": "ISO 19005-2, 6.5.1", "found": "JavaScript"}


def test_a_password_makes_unreadable_and_restrictions_a_note() -> None:
    locked = changed(PLAIN, lambda _: None, encryption=Encryption(user="bí mật", owner="x"))
    found = looked("pdf", locked)
    assert (found.validity, codes(found), found.facts) == (UNREADABLE, ["FORMAT-ENCRYPTED"], Facts(encrypted=True))
    allow = Permissions(print_highres=False)
    restricted = changed(PLAIN, lambda _: None, encryption=Encryption(user="", owner="x", allow=allow))
    found = looked("pdf", restricted)
    assert (found.validity, codes(found)) == (NOTES, ["FORMAT-PDF-RESTRICTED"])
    assert (found.facts.encrypted, found.facts.pages) == (True, 1)
    assert pdfs.WORDS in found.text
    of_pdfa = looked("pdf", changed(A2, lambda _: None, encryption=Encryption(user="", owner="x", allow=allow)))
    assert codes(of_pdfa) == ["FORMAT-PDF-RESTRICTED", "FORMAT-PDFA-ENCRYPTED"]


def test_encryption_by_certificate_is_encryption() -> None:
    data = written(
        [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"],
        trailer=b"/Encrypt << /Filter /Adobe.PubSec /SubFilter /adbe.pkcs7.s5 /V 4 >> /ID [<00> <00>]",
    )
    assert codes(looked("pdf", data)) == ["FORMAT-ENCRYPTED"]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.replace(b"startxref", b"startxerf"),
        PLAIN[:-40],
        PLAIN[:400] + PLAIN[401:],
        one_page(stream(zlib.compress(random.Random(1).randbytes(999).hex().encode())[:300], b"/Filter /FlateDecode")),
        one_page(stream(b"q /Im0 Do Q"), b"<< /XObject << /Im0 99 0 R >> >>"),
        one_page(stream(b"BT /F1 9 Tf (a) Tj ET"), b"<< /Font << /F1 5 0 R >> >>", b"null"),
        one_page(stream(b"0 g").replace(b"/Length 3", b"/Length 7000")),
    ],
    ids=[
        "no startxref",
        "cut",
        "a byte missing",
        "contents cut",
        "a picture missing",
        "a font missing",
        "a wrong length",
    ],
)
def test_what_needs_a_repair_is_invalid(data: bytes) -> None:
    found = looked("pdf", data)
    assert (found.validity, set(codes(found)) - {"FORMAT-PDF-TEXT"}) == (INVALID, {"FORMAT-DAMAGED"}), found.remarks
    assert "object at 0x" not in str(found.remarks)


def test_no_pdf_at_all_is_broken() -> None:
    none = written([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"])
    for data in (b"", b"%PDF-1.7\n", b"hello" * 100, PLAIN[:200], PLAIN[: len(PLAIN) * 2 // 3], none):
        found = looked("pdf", data)
        assert (found.validity, codes(found)) == (INVALID, ["FORMAT-BROKEN"]), data[:20]


def test_faults_that_readers_get_over_are_told_of() -> None:
    data = one_page(stream(b"0 g"), b"<< /Font << >> /Font << >> >>")
    few = re.sub(rb"/Size \d+", b"/Size 3", one_page())
    for one, first in ((data, "(object 3 0"), (few, "reported number of objects (3)")):
        found = looked("pdf", one)
        assert (found.validity, codes(found)) == (NOTES, ["FORMAT-PDF-FAULTS"])
        assert found.remarks[0].details["first"].startswith(first), found.remarks


@pytest.mark.parametrize(
    "data",
    [b"\xef\xbb\xbf" + PLAIN, b"\r\n" * 50 + one_page(), one_page() + b"\r\n\0\0", one_page().replace(b"%%EOF\n", b"")],
    ids=["a mark before", "lines before", "bytes after", "no end"],
)
def test_what_every_reader_takes_is_no_fault(data: bytes) -> None:
    assert codes(looked("pdf", data)) == []


@pytest.mark.parametrize(
    ("mode", "colour", "dpi"), [("RGB", "RGB", 200), ("L", "grey", 300), ("1", "bilevel", 600), ("CMYK", "CMYK", 150)]
)
def test_a_scan_is_told_by_its_pictures(mode: str, colour: str, dpi: int) -> None:
    found = looked("pdf", scan(mode, (8 * dpi, 11 * dpi), dpi, words="van ban", pages=2))
    assert (found.validity, codes(found)) == (VALID, [])
    facts = found.facts
    assert (facts.pages, facts.images, facts.resolution, facts.colour) == (2, 2, dpi, colour)
    assert (facts.width, facts.height) == (8 * dpi, 11 * dpi)


def test_a_scan_without_words_is_told_of() -> None:
    found = looked("pdf", scan(pages=3))
    assert (found.validity, codes(found)) == (VALID, ["FORMAT-PDF-NO-TEXT"])
    assert dict(found.remarks[0].details) == {"count": "3", "of": "3", "first": "1"}


def test_the_lowest_page_and_its_best_picture_count() -> None:
    first, second = (pikepdf.open(io.BytesIO(scan("RGB", (8 * dpi, 11 * dpi), dpi, "a"))) for dpi in (300, 150))
    first.pages.extend(second.pages)
    assert looked("pdf", pdfs.saved(first)).facts.resolution == 150
    # A mask of 300 dots an inch over a coarse background, as scanners compress pages of text.
    page = first.pages[1]
    sharp = pikepdf.open(io.BytesIO(scan("1", (2400, 3300), 300)))
    page.obj.Resources.XObject.Im1 = first.copy_foreign(sharp.pages[0].obj.Resources.XObject.Im0)
    page.contents_add(b"q 576 0 0 792 0 0 cm /Im1 Do Q")
    assert looked("pdf", pdfs.saved(first)).facts.resolution == 300


def test_strips_and_forms_make_a_page_image_and_a_logo_does_not() -> None:
    def strips(pdf: pikepdf.Pdf) -> None:
        page = pdf.pages[0]
        page.obj.Contents = Stream(pdf, b"".join(b"q 576 0 0 99 0 %d cm /Im0 Do Q\n" % (99 * n) for n in range(8)))

    def form(pdf: pikepdf.Pdf) -> None:
        page = pdf.pages[0]
        inner = Stream(pdf, b"q 288 0 0 396 0 0 cm /Im0 Do Q", Type=Name.XObject, Subtype=Name.Form)
        inner.BBox, inner.Resources = Array([0, 0, 288, 396]), Dictionary(XObject=page.obj.Resources.XObject)
        page.obj.Resources = Dictionary(XObject=Dictionary(Fm=pdf.make_indirect(inner)))
        page.obj.Contents = Stream(pdf, b"2 0 0 2 0 0 cm /Fm Do")

    def logo(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].obj.Contents = Stream(pdf, b"q 100 0 0 100 0 0 cm /Im0 Do Q")

    data = scan("RGB", (800, 1100), 100)
    for change, images, resolution in ((strips, 1, 100), (form, 1, 100), (logo, 0, None)):
        found = looked("pdf", changed(data, change))
        assert (found.facts.images, found.facts.resolution) == (images, resolution), change


def test_a_picture_that_is_cut_off_is_told_of() -> None:
    def with_picture(data: bytes) -> Change:
        def change(pdf: pikepdf.Pdf) -> None:
            picture = pdf.pages[0].obj.Resources.XObject.Im0
            picture.write(data, filter=Name.DCTDecode)
            picture.Width, picture.Height = 64, 48

        return change

    jpeg = encoded("jpg")
    for data, validity, remarks in (
        (jpeg, VALID, []),
        (jpeg + b"\0" * 500, VALID, []),
        (jpeg[:-2], NOTES, ["FORMAT-PDF-FAULTS"]),
        (jpeg[: len(jpeg) // 2], NOTES, ["FORMAT-PDF-FAULTS"]),
    ):
        found = looked("pdf", changed(scan(words="abc"), with_picture(data)))
        assert (found.validity, codes(found)) == (validity, remarks)


def test_what_swells_is_not_unpacked_and_not_called_good() -> None:
    found = looked("pdf", one_page(pdfs.flate_bomb(100)))
    assert (found.validity, codes(found)) == (UNREADABLE, ["FORMAT-SWOLLEN"])
    nested = zlib.compress(zlib.compress(bytes(80 << 20), 9), 9)
    found = looked("pdf", one_page(stream(nested, b"/Filter [/FlateDecode /FlateDecode]")))
    assert (found.validity, codes(found)) == (UNREADABLE, ["FORMAT-SWOLLEN"])


def _nested(depth: int, each: int) -> bytes:
    """A page that paints a form that paints ``each`` times a form …"""
    head = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9]"
    forms = [
        stream(b"/F Do " * each, head + b" /Resources << /XObject << /F %d 0 R >> >>" % (number + 1))
        for number in range(5, 5 + depth)
    ]
    return one_page(stream(b"/F Do"), b"<< /XObject << /F 5 0 R >> >>", *forms, stream(b"0 g", head))


def test_forms_that_multiply_are_not_painted() -> None:
    found = looked("pdf", _nested(20, 10))
    assert (found.validity, codes(found)) == (UNREADABLE, ["FORMAT-SWOLLEN"])
    assert looked("pdf", _nested(4, 10)).validity is VALID
    for contents, validity in ((b"/F Do /F Do", UNREADABLE), (b"/I Do", VALID)):
        shared = one_page(
            stream(b"/F Do"),
            b"<< /XObject << /F 5 0 R >> >>",
            stream(contents, b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources 6 0 R"),
            b"<< /XObject 7 0 R >>",
            b"<< /F 5 0 R /G 5 0 R /I 8 0 R >>",
            stream(b"0 g", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9]"),
        )
        assert looked("pdf", shared).validity is validity


def test_what_is_not_looked_at_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_pages, "PAGES", 2)
    found = looked("pdf", typeset(pages=3))
    assert (found.validity, codes(found)) == (NOTES, ["FORMAT-PARTLY"])
    assert (found.remarks[0].details, found.facts.pages) == ({"seen": "2", "of": "3"}, 3)
    monkeypatch.setattr(pdf_objects, "OBJECTS", 5)
    assert "FORMAT-PARTLY" in codes(looked("pdf", PLAIN))


def test_an_enormous_table_of_objects_costs_nothing() -> None:
    data = one_page()
    for size in (b"1000000000", b"99999999999999999999"):
        found = looked("pdf", re.sub(rb"/Size \d+", b"/Size " + size, data))
        assert found.validity in (VALID, NOTES, INVALID)
    tables = re.sub(rb"xref\n0 5\n", b"xref\n0 999999999\n", data)
    assert looked("pdf", tables).validity is INVALID


def test_big_dictionaries_and_arrays_are_walked() -> None:
    keys = b" ".join(b"/K%d %d 0 R" % (n, n % 4 + 1) for n in range(200_000))
    found = looked("pdf", one_page(stream(b"0 g"), b"<< >>", b"<< %s >>" % keys, catalogue=b"/X 5 0 R"))
    assert found.validity is VALID
    loop = one_page(stream(b"0 g"), b"<< >>", b"[ 5 0 R 5 0 R [ 5 0 R ] ]", catalogue=b"/X 5 0 R")
    assert looked("pdf", loop).validity is VALID
    deep = one_page(stream(b"0 g"), b"<< >>", b"[" * 100_000 + b"]" * 100_000, catalogue=b"/X 5 0 R")
    assert looked("pdf", deep).validity is not VALID


def test_contents_that_lack_a_name_are_passed_over() -> None:
    assert looked("pdf", one_page(stream(b"Do 12 Tf q"))).validity is VALID


def test_a_count_of_pages_that_is_wrong_is_damage() -> None:
    kids = b"[ 3 0 R << /Type /Pages /Kids [] /Count 0 >> 9 0 R 3 0 R ]"
    data = one_page().replace(b"[3 0 R] /Count 1", kids + b" /Count 7")
    assert looked("pdf", data).validity is not UNREADABLE


def test_pages_that_go_round_in_circles_end() -> None:
    data = written(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
        ]
    )
    assert looked("pdf", data).validity in (INVALID, NOTES)


def test_a_tree_of_pages_that_shares_its_branches_does_not_multiply() -> None:
    nodes = [b"<< /Type /Pages /Kids [%s] /Count 1 >>" % (b"%d 0 R " % (number + 1) * 10) for number in range(2, 12)]
    page = b"<< /Type /Page /Parent 11 0 R /MediaBox [0 0 9 9] /Resources << >> >>"
    found = looked("pdf", written([b"<< /Type /Catalog /Pages 2 0 R >>", *nodes, page]))
    assert (found.validity, codes(found)) == (INVALID, ["FORMAT-BROKEN"])


SEEDS = [PLAIN, A1, A2, scan(pixels=(40, 60), words="abc"), changed(A2, attached), one_page()]


@pytest.mark.parametrize("seed", range(len(SEEDS)))
def test_noise_never_comes_out_of_the_task(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        data = bytearray(SEEDS[seed])
        for _ in range(chance.choice((1, 5, 50))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        found = looked("pdf", bytes(data))
        assert found.fields()


# What is right for each file of the cabinet and of the corpus that is not simply VALID without remarks.
CABINET = {
    "balloon_a1b_jp2k.pdf": (NOTES, ["FORMAT-PDF-NO-TEXT", "FORMAT-PDFA-CLAIM"]),
    "calistoMTNoFontsEmbedded.pdf": (VALID, ["FORMAT-PDF-FONTS"]),
    "corruptionOneByteMissing.pdf": (INVALID, ["FORMAT-DAMAGED"]),
    "embedded_video_avi.pdf": (VALID, ["FORMAT-PDF-FILES"]),
    "embedded_video_quicktime.pdf": (VALID, ["FORMAT-PDF-FILES"]),
    "encryption_nocopy.pdf": (NOTES, ["FORMAT-PDF-RESTRICTED"]),
    "encryption_noprinting.pdf": (NOTES, ["FORMAT-PDF-RESTRICTED"]),
    "encryption_notextaccess.pdf": (NOTES, ["FORMAT-PDF-RESTRICTED"]),
    "encryption_openpassword.pdf": (UNREADABLE, ["FORMAT-ENCRYPTED"]),
    "externalLink.pdf": (NOTES, ["FORMAT-PDF-ACTIVE"]),
    "fileAttachment.pdf": (NOTES, ["FORMAT-PDF-ACTIVE", "FORMAT-PDF-FILES"]),
    "fileAttachment_fileAttachmentAnnotation.pdf": (VALID, ["FORMAT-PDF-FILES"]),
    "javascript.pdf": (NOTES, ["FORMAT-PDF-ACTIVE"]),
    "pdf-17-header18.pdf": (VALID, ["FORMAT-PDF-FONTS"]),
    "test_fontArialNotEmbedded.pdf": (VALID, ["FORMAT-PDF-FONTS"]),
    "text_only_fontsEmbeddedAll.pdf": (VALID, []),
    "text_only_fontsEmbeddedSubset.pdf": (VALID, []),
    "text_only_fontsNotEmbedded.pdf": (VALID, ["FORMAT-PDF-FONTS"]),
    "text_only_pdfa1b.pdf": (VALID, []),
    "veraPDFHiRes.pdf": (VALID, ["FORMAT-PDF-NO-TEXT"]),
    "veraPDFHiResChangedHeight.pdf": (VALID, ["FORMAT-PDF-NO-TEXT"]),
    "veraPDFHiResWrongObjectID.pdf": (INVALID, ["FORMAT-DAMAGED"]),
    "webCapture.pdf": (NOTES, ["FORMAT-PDF-ACTIVE", "FORMAT-PDF-FONTS"]),
}


def test_the_cabinet_of_horrors() -> None:
    folder = shared_data("samples", "pdfCabinetOfHorrors")
    if folder is None:
        pytest.skip("the shared samples are not here")
    seen = {path.name: looked("pdf", path.read_bytes()) for path in sorted(folder.glob("*.pdf"))}
    assert {name: (found.validity, codes(found)) for name, found in seen.items()} == CABINET
    assert seen["veraPDFHiRes.pdf"].facts.resolution == 300
    assert seen["test_fontArialNotEmbedded.pdf"].facts.pages == 56


def test_the_corpus_of_pdfa() -> None:
    """Nothing is said against files that a PDF/A validator passes; actions that are not allowed are all found."""
    folder = shared_data("samples", "pdfa")
    if folder is None:
        pytest.skip("the shared samples are not here")
    for path in sorted(folder.glob("*.pdf")):
        found = looked("pdf", path.read_bytes())
        against = {code for code in codes(found) if code.startswith("FORMAT-PDFA")}
        assert found.facts.claim == "PDF/A-2b", path.name
        if "-pass-" in path.name:
            assert (found.validity, codes(found)) == (VALID, []), path.name
        elif " 6-5-" in path.name:
            assert "FORMAT-PDFA-ACTION" in against, path.name
        else:
            assert not against, f"{path.name}: of contents only a validator can tell"
