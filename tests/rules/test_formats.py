"""What is said of PDFs and images that were looked into, and of files that could not be."""

from __future__ import annotations

import random
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Encryption, Name, Stream, String

from metadata.findings import Findings
from preservation.formats import pdf_pages
from preservation.formats.inspector import FormatInspector
from preservation.formats.port import Inspection
from preservation.formats.task import look
from preservation.formats.verapdf import VeraPdf
from preservation.workshop.local import LocalWorkshop
from preservation.workshop.port import WorkLost
from tests.builders import pdfs
from tests.builders.images import encoded, png_bomb
from tests.builders.pdfs import changed, one_page, scan, stream, typeset
from tests.preservation.looking import specimen
from tests.rules.cases import Case

Change = Callable[[pikepdf.Pdf], None]


def _said(found: Inspection, path: Path) -> set[str]:
    """The codes of what would be said of the file; their sentences are made, so that they can be."""
    findings = Findings()
    for remark in found.remarks:
        findings.add(remark.code, path.name, **remark.details)
    return set(findings.counts)


def codes_of_file(path: Path, work: Path, profile: str = "") -> set[str]:
    """The codes that looking into a file gives, as it crosses to a child and back."""
    del work, profile
    with path.open("rb") as file:
        inspector = FormatInspector(LocalWorkshop())
        return _said(inspector.inspect(specimen(path.suffix[1:], path.read_bytes()), file), path)


def _codes_with_a_child_lost(late: bool) -> Callable[[Path, Path, str], set[str]]:
    class Lost(LocalWorkshop):
        def run(self, task: str, arguments: object, files: object = (), limits: object = None) -> dict[str, object]:
            raise WorkLost(late=late)

    def judge(path: Path, work: Path, profile: str) -> set[str]:
        """As for a file on which the child dies when ``bad`` is in its name."""
        if path.parent.name == "good":
            return codes_of_file(path, work)
        with path.open("rb") as file:
            return _said(FormatInspector(Lost()).inspect(specimen("pdf", path.read_bytes()), file), path)

    return judge


def _codes_without_the_file(path: Path, work: Path, profile: str) -> set[str]:
    """As for a file that was too large to be kept when it is the bad one."""
    data = path.read_bytes()
    return codes_of_file(path, work) if path.parent.name == "good" else _said(look(specimen("pdf", data), None), path)


def _codes_with_a_checker_that_fails(path: Path, work: Path, profile: str) -> set[str]:
    def fail(*_: object, **__: object) -> None:
        raise IndexError("one that nobody thought of")

    with pytest.MonkeyPatch.context() as patch:
        if path.parent.name == "bad":
            patch.setattr(pdf_pages, "_look", fail)
        return codes_of_file(path, work)


def _codes_of_two_pages(path: Path, work: Path, profile: str) -> set[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdf_pages, "PAGES", 2)
        return codes_of_file(path, work)


def _codes_with_verapdf(path: Path, work: Path, profile: str) -> set[str]:
    """As with a stand-in for veraPDF that answers what is written behind the file's end."""
    del profile
    work.mkdir()
    program = work / "verapdf"
    said = path.read_bytes().rpartition(b"%said ")[2].decode()
    report = said and REPORT.format(complies=str(said == "0").lower(), rules=RULE if said == "1" else "")
    program.write_text(f"#!{sys.executable}\nprint({report!r})\nraise SystemExit({said})\n", encoding="utf-8")
    program.chmod(0o755)
    workshop = LocalWorkshop()
    with path.open("rb") as file:
        inspector = FormatInspector(workshop, verapdf=VeraPdf(program, workshop, work))
        return _said(inspector.inspect(specimen("pdf", path.read_bytes()), file), path)


def _case(
    code: str, good: bytes, bad: bytes, *also: str, kind: str = "pdf", judge: Callable[..., set[str]] = codes_of_file
) -> Case:
    def build(data: bytes) -> Callable[[Path], Path]:
        def write(folder: Path) -> Path:
            path = folder / f"1.{kind}"
            path.write_bytes(data)
            return path

        return write

    return Case(f"a file: {code}", frozenset({code}), build(good), build(bad), frozenset(also), judge=judge)


def _script(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("1"))


def _xfa(pdf: pikepdf.Pdf) -> None:
    pdf.Root.AcroForm = Dictionary(Fields=Array([]), XFA=pdf.make_indirect(Stream(pdf, b"<xdp/>")))


def _film(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].obj.Annots = Array([Dictionary(Subtype=Name.Movie, Rect=Array([0, 0, 1, 1]))])


def _font(pdf: pikepdf.Pdf) -> None:
    page = pdf.pages[0]
    page.contents_add(b"BT /Fx 12 Tf 20 20 Td (abc) Tj ET")
    page.resources.Font[Name.Fx] = pdfs.helvetica(pdf, "Arial")


def _lzw(pdf: pikepdf.Pdf) -> None:
    packed = Stream(pdf, b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01", Filter=Name.LZWDecode)
    pdf.pages[0].obj.Resources.Extra = pdf.make_indirect(packed)


def _glass(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].obj.Resources.ExtGState = Dictionary(G9=Dictionary(ca=0.5))


def _no_profile(pdf: pikepdf.Pdf) -> None:
    del pdf.Root.OutputIntents
    pdf.pages[0].contents_add(b"1 0 0 rg 0 0 9 9 re f")


def _no_tags(pdf: pikepdf.Pdf) -> None:
    pdfs.claiming(pdfs.pdfa(2, "A"))(pdf)
    if "/StructTreeRoot" in pdf.Root:
        del pdf.Root.StructTreeRoot


REPORT = """<report><buildInformation><releaseDetails id="core" version="1.28.2"/></buildInformation><jobs><job>
<validationReport isCompliant="{complies}"><details>{rules}</details></validationReport></job></jobs></report>"""
RULE = '<rule specification="ISO 19005-2:2011" clause="6.1.3" testNumber="1" status="failed"/>'
PLAIN, A1, A2 = typeset(""), typeset("a-1b"), typeset()
PASSED, REFUSED, GIVEN_UP = (A2 + b"\n%said " + one for one in (b"0", b"1", b"7"))
CUT = zlib.compress(random.Random(1).randbytes(999).hex().encode())[:300]
OWNER = changed(PLAIN, lambda _: None, encryption=Encryption(user="", owner="x"))
OWNER_A2 = changed(A2, lambda _: None, encryption=Encryption(user="", owner="x"))
CASES = [
    _case("FORMAT-TOO-LARGE", PLAIN, PLAIN, judge=_codes_without_the_file),
    _case("FORMAT-STALLED", PLAIN, PLAIN, judge=_codes_with_a_child_lost(late=True)),
    _case("FORMAT-CRASHED", PLAIN, PLAIN, judge=_codes_with_a_child_lost(late=False)),
    _case("FORMAT-UNREADABLE", PLAIN, PLAIN, judge=_codes_with_a_checker_that_fails),
    _case("FORMAT-BROKEN", encoded("jpg"), encoded("jpg")[:200], kind="jpg"),
    _case("FORMAT-DAMAGED", one_page(), one_page(stream(CUT, b"/Filter /FlateDecode"))),
    _case("FORMAT-SWOLLEN", encoded("png"), png_bomb(), kind="png"),
    _case("FORMAT-PARTLY", typeset("", 2), typeset("", 3), judge=_codes_of_two_pages),
    _case("FORMAT-ENCRYPTED", PLAIN, changed(PLAIN, lambda _: None, encryption=Encryption(user="x", owner="x"))),
    _case("FORMAT-PDF-FAULTS", one_page(), one_page(stream(b"0 g"), b"<< /Font << >> /Font << >> >>")),
    _case("FORMAT-PDF-RESTRICTED", PLAIN, OWNER),
    _case("FORMAT-PDF-ACTIVE", PLAIN, changed(PLAIN, _script)),
    _case("FORMAT-PDF-XFA", PLAIN, changed(PLAIN, _xfa)),
    _case("FORMAT-PDF-FILES", PLAIN, changed(PLAIN, pdfs.attached)),
    _case("FORMAT-PDF-FONTS", PLAIN, changed(PLAIN, _font)),
    _case("FORMAT-PDF-NO-TEXT", scan(words="abc"), scan()),
    _case("FORMAT-PDF-TEXT", one_page(), one_page().replace(b"%PDF", b"%XYZ"), "FORMAT-PDF-FAULTS"),
    _case("FORMAT-PDFA-CLAIM", A2, changed(A2, pdfs.claiming(pdfs.pdfa(7, "B")))),
    _case("FORMAT-PDFA-ENCRYPTED", A2, OWNER_A2, "FORMAT-PDF-RESTRICTED"),
    _case("FORMAT-PDFA-ACTION", A2, changed(A2, _script), "FORMAT-PDF-ACTIVE"),
    _case("FORMAT-PDFA-ANNOTATION", A2, changed(A2, _film)),
    _case("FORMAT-PDFA-FILES", A2, changed(A2, pdfs.attached), "FORMAT-PDF-FILES"),
    _case("FORMAT-PDFA-FONTS", A2, changed(A2, _font), "FORMAT-PDF-FONTS"),
    _case("FORMAT-PDFA-FILTER", A2, changed(A2, _lzw)),
    _case("FORMAT-PDFA-TRANSPARENCY", A1, changed(A1, _glass)),
    _case("FORMAT-PDFA-COLOUR", A2, changed(A2, _no_profile)),
    _case("FORMAT-PDFA-STRUCTURE", A2, changed(A2, _no_tags)),
    _case("FORMAT-PDFA-VALIDATED", REFUSED, PASSED, judge=_codes_with_verapdf),
    _case("FORMAT-PDFA-REFUSED", PASSED, REFUSED, judge=_codes_with_verapdf),
    _case("FORMAT-PDFA-UNDECIDED", PASSED, GIVEN_UP, judge=_codes_with_verapdf),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)
