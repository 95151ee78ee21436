"""PDF, by qpdf and PDFium: is it whole, what does it claim, what is in it, what are its words.

INVALID is what qpdf cannot read without repairing it, or a stream of which it cannot decode; images are not decoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

import pikepdf
import pypdfium2

from metadata.characteristics import Facts
from metadata.outcomes import Validity
from preservation.formats import pdfa
from preservation.formats.pdf_colour import poorest_colour
from preservation.formats.pdf_contents import FORMS, Contents, multiplies, read_contents
from preservation.formats.pdf_objects import FAULTS, LARGEST_STREAM, Objects, plain, set_limits, shown, text_of, walk
from preservation.formats.pdf_pages import Pages, read_pages
from preservation.formats.port import Inspection, Remark, Specimen
from preservation.formats.task import Broken, judged

REFUSALS: tuple[type[Exception], ...] = FAULTS

_STANDARD = frozenset(
    family + style
    for family, styles in {
        "Courier": ("", "-Bold", "-Oblique", "-BoldOblique"),
        "Helvetica": ("", "-Bold", "-Oblique", "-BoldOblique"),
        "Times": ("-Roman", "-Bold", "-Italic", "-BoldItalic"),
        "Symbol": ("",),
        "ZapfDingbats": ("",),
    }.items()
    for style in styles
)


def inspect(specimen: Specimen, file: BinaryIO | None) -> Inspection:
    """See :mod:`preservation.formats.task`. Read strictly first; what needs a repair is INVALID and looked into all the
    same."""
    assert file is not None
    set_limits()
    try:
        with _open(file, repair=False) as pdf:
            objects = walk(pdf)
            if not objects.warnings or not _lost(file, objects):
                return _inspected(pdf, file, objects, "")
            reason = objects.warnings[0]
    except pikepdf.PasswordError:
        return _locked()
    except FAULTS as error:
        if b"/Encrypt" in specimen.tail or b"/Encrypt" in specimen.head:
            return _locked()
        reason = plain(str(error))
    try:
        with _open(file, repair=True) as pdf:
            return _inspected(pdf, file, walk(pdf), reason)
    except pikepdf.PasswordError:
        return _locked()
    except FAULTS as error:
        raise Broken(plain(str(error))) from error


def _lost(file: BinaryIO, objects: Objects) -> bool:
    """Whether a repair brings back what strict reading had to leave out."""
    with _open(file, repair=True) as pdf:
        repaired = walk(pdf)
    return (repaired.reached, repaired.decoded) != (objects.reached, objects.decoded)


def _open(file: BinaryIO, *, repair: bool) -> pikepdf.Pdf:
    file.seek(0)
    pdf = pikepdf.open(file, attempt_recovery=repair, inherit_page_attributes=False)
    if not isinstance(pdf.Root, pikepdf.Dictionary):
        raise Broken("no document catalogue")
    return pdf


def _locked() -> Inspection:
    """A password is needed: nothing can be said of the file's contents."""
    return Inspection(Validity.UNREADABLE, (Remark("FORMAT-ENCRYPTED"),), Facts(encrypted=True))


def _inspected(pdf: pikepdf.Pdf, file: BinaryIO, objects: Objects, repaired: str) -> Inspection:
    """``repaired``: why the file had to be; empty when it had not."""
    if multiplies(pdf, objects.forms):
        objects.swollen = "content"
    contents = Contents() if objects.swollen == "content" else read_contents(pdf)
    faults = [repaired] if repaired else objects.faults + contents.missing
    remarks = [Remark("FORMAT-DAMAGED", {"reason": faults[0]})] if faults else []
    claim, trouble = pdfa.read_claim(pdf)
    looked = Pages()
    if objects.swollen != "content":
        try:
            looked = read_pages(file, fonts=claim is not None and bool(objects.fonts_not_embedded()))
        except pypdfium2.PdfiumError as error:
            remarks.append(Remark("FORMAT-PDF-TEXT", {"reason": str(error)}))
    pages = _count(pdf)
    remarks += _of_document(pdf, objects, repaired=bool(repaired))
    remarks += _of_pages(objects, looked, pages)
    if trouble:
        remarks.append(Remark("FORMAT-PDFA-CLAIM", {"reason": trouble}))
    if claim is not None:
        remarks += pdfa.judge(pdfa.Document(pdf, objects, looked.fonts, contents.colours), claim)
    facts = _facts(pdf, objects, looked, pages, str(claim or ""))
    return Inspection(judged(remarks), tuple(remarks), facts, looked.text)


def _count(pdf: pikepdf.Pdf) -> int:
    try:
        return len(pdf.pages)
    except (*FAULTS, ValueError):
        return 0


def _of_document(pdf: pikepdf.Pdf, objects: Objects, *, repaired: bool) -> Iterator[Remark]:
    if objects.warnings and not repaired:
        yield Remark("FORMAT-PDF-FAULTS", {"count": str(len(objects.warnings)), "first": objects.warnings[0]})
    if pdf.is_encrypted:
        yield Remark("FORMAT-PDF-RESTRICTED")
    if active := objects.actions & {"JavaScript", "Launch", "ImportData", "SubmitForm"}:
        yield Remark("FORMAT-PDF-ACTIVE", {"found": ", ".join(sorted(active))})
    if objects.xfa:
        yield Remark("FORMAT-PDF-XFA")
    if objects.files:
        yield Remark("FORMAT-PDF-FILES", {"count": str(len(objects.files)), "names": _some(objects.files)})
    if fonts := [one for one in objects.fonts_not_embedded() if one not in _STANDARD]:
        yield Remark("FORMAT-PDF-FONTS", {"fonts": _some(fonts)})


def _of_pages(objects: Objects, looked: Pages, pages: int) -> Iterator[Remark]:
    if objects.swollen:
        yield Remark("FORMAT-SWOLLEN", {"limit": f"{LARGEST_STREAM >> 20} MiB, {FORMS} forms"})
    elif not objects.complete or looked.looked_at < looked.count:
        yield Remark("FORMAT-PARTLY", {"seen": str(looked.looked_at), "of": str(pages)})
    if silent := [one for one in looked.images if not one.words]:
        yield Remark("FORMAT-PDF-NO-TEXT", {"count": str(len(silent)), "of": str(pages), "first": str(silent[0].page)})


def _some(names: Iterable[str]) -> str:
    listed = [one or "?" for one in names]
    return ", ".join(listed[:5]) + (" …" if len(listed) > 5 else "")


def _facts(pdf: pikepdf.Pdf, objects: Objects, looked: Pages, pages: int, claim: str) -> Facts:
    first = looked.images[0] if looked.images and looked.images[0].page == 1 else None
    width, height = max(first.sizes) if first else (None, None)
    return Facts(
        pages=pages,
        images=len(looked.images) if looked.looked_at == pages else None,
        width=width,
        height=height,
        resolution=min((one.resolution for one in looked.images), default=None),
        colour=poorest_colour(pdf, objects.images, [one.sizes for one in looked.images]),
        claim=claim,
        encrypted=pdf.is_encrypted,
        fonts_embedded=not objects.fonts_not_embedded() if objects.fonts else None,
        application=_application(pdf),
    )


def _application(pdf: pikepdf.Pdf) -> str:
    info = pdf.trailer.get("/Info")
    if not isinstance(info, pikepdf.Dictionary):
        return ""
    named = shown(info)
    return " / ".join(
        dict.fromkeys(filter(None, (text_of(named.get(key)).strip() for key in ("/Creator", "/Producer"))))
    )
