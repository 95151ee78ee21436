"""PDFs made here: typeset ones that are right, scans, ones written object by object; and any with one thing changed."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Sequence
from functools import cache

import pikepdf
import typst
from pikepdf import Array, Dictionary, Name, Stream, String
from PIL import Image

WORDS = "Quyết định số 12/QĐ-UBND về việc lưu trữ"
_XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
xmlns:pdfaid="{namespace}">{claim}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>"""


@cache
def typeset(standard: str = "a-2b", pages: int = 1) -> bytes:
    """A page of Vietnamese with its fonts embedded; ``standard`` as typst names it, empty for none."""
    text = "\n#pagebreak()\n".join([f'#set text(lang: "vi")\n= Cộng hòa xã hội chủ nghĩa Việt Nam\n{WORDS}.'] * pages)
    return typst.compile(text.encode(), pdf_standards=standard or [], timestamp=0)


def changed(data: bytes, change: Callable[[pikepdf.Pdf], None], **saving: object) -> bytes:
    """The same document with something changed by qpdf."""
    target = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        change(pdf)
        saving.setdefault("fix_metadata_version", False)
        if "encryption" not in saving:
            saving |= {"compress_streams": False, "stream_decode_level": pikepdf.StreamDecodeLevel.none}
        pdf.save(target, deterministic_id="encryption" not in saving, preserve_pdfa=False, **saving)
    return target.getvalue()


def scan(
    mode: str = "RGB", pixels: tuple[int, int] = (827, 1169), dpi: float = 100, words: str = "", pages: int = 1
) -> bytes:
    """Pages that are one picture each, at ``dpi``; ``words`` lie on them unseen, as text recognition leaves them."""
    pdf = pikepdf.new()
    width, height = (one * 72 / dpi for one in pixels)
    for _ in range(pages):
        page = pdf.add_blank_page(page_size=(width, height))
        picture = _picture(pdf, mode, pixels)
        layer = f"BT 3 Tr /F1 12 Tf 20 20 Td ({words}) Tj ET" if words else ""
        page.obj.Contents = Stream(pdf, f"q {width} 0 0 {height} 0 0 cm /Im0 Do Q {layer}".encode())
        page.obj.Resources = Dictionary(XObject=Dictionary(Im0=picture), Font=Dictionary(F1=helvetica(pdf)))
    return saved(pdf)


def _picture(pdf: pikepdf.Pdf, mode: str, pixels: tuple[int, int]) -> pikepdf.Object:
    image = Image.new(mode, pixels, 1)
    stream = Stream(pdf, zlib.compress(image.tobytes()))
    space = {"1": Name.DeviceGray, "L": Name.DeviceGray, "RGB": Name.DeviceRGB, "CMYK": Name.DeviceCMYK}[mode]
    stream.stream_dict = Dictionary(
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=pixels[0],
        Height=pixels[1],
        ColorSpace=space,
        BitsPerComponent=1 if mode == "1" else 8,
        Filter=Name.FlateDecode,
    )
    return pdf.make_indirect(stream)


def helvetica(pdf: pikepdf.Pdf, name: str = "Helvetica") -> pikepdf.Object:
    """A font that is not embedded."""
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name("/" + name), Encoding=Name.WinAnsiEncoding)
    return pdf.make_indirect(font)


def saved(pdf: pikepdf.Pdf) -> bytes:
    target = io.BytesIO()
    pdf.save(target, deterministic_id=True)
    return target.getvalue()


def claiming(claim: str, namespace: str = "http://www.aiim.org/pdfa/ns/id/") -> Callable[[pikepdf.Pdf], None]:
    """Gives a document XMP with the claim, as elements of ``pdfaid``."""

    def change(pdf: pikepdf.Pdf) -> None:
        xmp = _XMP.format(namespace=namespace, claim=claim).encode()
        pdf.Root.Metadata = pdf.make_indirect(Stream(pdf, xmp, Type=Name.Metadata, Subtype=Name.XML))

    return change


def pdfa(part: int, level: str) -> str:
    """A claim for :func:`claiming`."""
    return f"<pdfaid:part>{part}</pdfaid:part><pdfaid:conformance>{level}</pdfaid:conformance>"


def attached(pdf: pikepdf.Pdf, name: str = "bảng.xlsx", data: bytes = b"PK\x03\x04") -> None:
    """Attaches a file to the document."""
    stream = pdf.make_indirect(Stream(pdf, data, Type=Name.EmbeddedFile))
    file = Dictionary(Type=Name.Filespec, F=String(name), UF=String(name), EF=Dictionary(F=stream, UF=stream))
    names = Dictionary(EmbeddedFiles=Dictionary(Names=Array([String(name), pdf.make_indirect(file)])))
    pdf.Root.Names = names


def written(objects: Sequence[bytes], *, size: int | None = None, trailer: bytes = b"") -> bytes:
    """A PDF object by object as given: the first is the catalogue; nothing of it is looked at."""
    body, offsets = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, one in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % one for one in offsets)
    body += b"trailer\n<< /Root 1 0 R /Size %d %s >>\n" % (size or len(objects) + 1, trailer)
    return bytes(body + b"startxref\n%d\n%%%%EOF\n" % start)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream for :func:`written`."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def one_page(contents: bytes = b"", resources: bytes = b"<< >>", *more: bytes, catalogue: bytes = b"") -> bytes:
    """A page whose contents are object 4, a stream as given; ``more`` objects are numbered from 5."""
    return written(
        [
            b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalogue,
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources %s >>" % resources,
            contents or stream(b"0 0 100 100 re f"),
            *more,
        ]
    )


def flate_bomb(megabytes: int) -> bytes:
    """Deflated zeros, as a stream for :func:`written`."""
    packer = zlib.compressobj(9)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(megabytes)]
    return stream(b"".join([*parts, packer.flush()]), b"/Filter /FlateDecode")
