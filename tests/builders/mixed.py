"""Mixed documents as agencies send them, made from nothing: PDF of several kinds, offices, images, text, signatures.

Every file is another one but for the signed PDF and XML, of which there are a few each: a signature takes a while.
"""

from __future__ import annotations

import io
import random
import struct
import wave
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pikepdf
from PIL import Image, ImageDraw

from tests.builders.compound import compound_file
from tests.builders.offices import docx, odt, pptx, some_text, xlsx
from tests.builders.signatures import archival, cades, pdf, sign
from tests.builders.xml_signatures import sign_xml

Files = list[tuple[str, bytes]]
Make = Callable[[random.Random, str], Files]

_A4 = 1240, 1754
_SIGNED = 12


def mixed_package(folder: Path, count: int, seed: int = 7) -> Counter[str]:
    """Write ``count`` files (a signature beside a file is one more) under ``folder``, 500 to a folder; how many of
    each kind."""
    rng = random.Random(seed)
    kinds = [kind for kind, (weight, _) in _KINDS.items() for _ in range(weight)]
    made = Counter[str]()
    for number in range(count):
        # Each kind comes once before chance has its way.
        kind = list(_KINDS)[number] if number < len(_KINDS) else rng.choice(kinds)
        place = folder / f"{number // 500:03d}"
        if number % 500 == 0:
            place.mkdir(parents=True)
        for name, data in _KINDS[kind][1](rng, f"{number:06d}"):
            (place / name).write_bytes(data)
            made[kind] += 1
    return made


def kinds() -> Iterator[str]:
    """The names of the kinds."""
    return iter(_KINDS)


# PDF


@cache
def _page(number: int) -> Image.Image:
    """A page of grey lines and stains, as a scanner gives it at 150 dpi."""
    rng = random.Random(number)
    page = Image.new("L", _A4, 250)
    draw = ImageDraw.Draw(page)
    for top in range(120, _A4[1] - 150, 34):
        left = 120
        while left < _A4[0] - 200:
            width = rng.randrange(20, 90)
            draw.rectangle((left, top, left + width, top + rng.randrange(10, 16)), fill=rng.randrange(20, 90))
            left += width + 12
    for _ in range(2000):
        page.putpixel((rng.randrange(_A4[0]), rng.randrange(_A4[1])), rng.randrange(120, 255))
    return page


@cache
def _scan(number: int, quality: int = 60) -> bytes:
    out = io.BytesIO()
    _page(number % 8).save(out, "JPEG", quality=quality, dpi=(150, 150))
    return out.getvalue()


def _paged(rng: random.Random, name: str, pages: int, *, scanned: bool, archival_profile: bool = False) -> bytes:
    document = pikepdf.new()
    font = document.make_indirect(
        pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    )
    for number in range(pages):
        resources = pikepdf.Dictionary()
        drawn = b""
        if scanned:
            picture = pikepdf.Stream(document, _scan(rng.randrange(8)))
            picture.Type, picture.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
            picture.Width, picture.Height = _A4
            picture.ColorSpace, picture.BitsPerComponent = pikepdf.Name.DeviceGray, 8
            picture.Filter = pikepdf.Name.DCTDecode
            resources.XObject = pikepdf.Dictionary(Scan=document.make_indirect(picture))
            drawn = b"q 595 0 0 842 0 0 cm /Scan Do Q\n"
        if not archival_profile:
            resources.Font = pikepdf.Dictionary(F1=font)
            lines = [f"Trang {number} so {name}", *("cong van so ke hoach " * 4 for _ in range(20))]
            mode = 3 if scanned else 0
            drawn += b"".join(
                b"BT %d Tr /F1 11 Tf 60 %d Td (%s) Tj ET\n" % (mode, 780 - 30 * at, line.encode())
                for at, line in enumerate(lines)
            )
        page = pikepdf.Dictionary(
            Type=pikepdf.Name.Page,
            MediaBox=[0, 0, 595, 842],
            Contents=document.make_stream(drawn),
            Resources=resources,
        )
        document.pages.append(pikepdf.Page(document.make_indirect(page)))
    with document.open_metadata() as words:
        words["dc:title"] = f"Văn bản {name}"
        if archival_profile:
            words["pdfaid:part"], words["pdfaid:conformance"] = "2", "B"
    if archival_profile:
        _say_colours(document)
    out = io.BytesIO()
    modes = pikepdf.ObjectStreamMode
    document.save(out, static_id=True, object_stream_mode=rng.choice([modes.generate, modes.disable]))
    return out.getvalue()


def _say_colours(document: pikepdf.Pdf) -> None:
    profile = document.make_stream(_grey_profile())
    profile.N = 1
    intent = pikepdf.Dictionary(
        Type=pikepdf.Name.OutputIntent,
        S=pikepdf.Name.GTS_PDFA1,
        OutputConditionIdentifier="Grey",
        DestOutputProfile=profile,
    )
    document.Root.OutputIntents = [document.make_indirect(intent)]


def _grey_profile() -> bytes:
    """An ICC profile of grey with a gamma of 2.2: header, description, white point, curve (ICC.1)."""
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"Grey\0" + bytes(78),
        b"wtpt": b"XYZ " + bytes(4) + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D),
        b"kTRC": b"curv" + bytes(4) + struct.pack(">IH", 1, 563) + bytes(2),
        b"cprt": b"text" + bytes(4) + b"None\0" + bytes(3),
    }
    table, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">2I", at + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", at + len(body), bytes(4), 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    header += struct.pack(">6H4s", 2024, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    header += struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D) + bytes(48)
    return header + table + body


@cache
def _signed_pdf(number: int) -> bytes:
    if number % 4 == 0:
        return archival()
    if number % 4 == 1:
        return sign(pdf(2), "signer" if number % 8 == 1 else "second")
    return sign(_paged(random.Random(number), f"s{number}", 1, scanned=True), "signer")


def _pdf(name: str, data: bytes) -> Files:
    return [(f"{name}.pdf", data)]


# Offices of before


def _ole(main: str, label: bytes) -> Make:
    def make(rng: random.Random, name: str) -> Files:
        kind = b"\x01\0\xfe\xff\x03\x0a\0\0" + bytes(20) + struct.pack("<I", len(label)) + label
        words = some_text(rng, rng.randrange(500, 3000)).encode("utf-16-le")
        body = b"\xec\xa5\xc1\0" + bytes(500) + words if main == "WordDocument" else _workbook(words)
        streams = {main: body, "\x01CompObj": kind}
        return [(name + (".doc" if main == "WordDocument" else ".xls"), compound_file(streams))]

    return make


def _workbook(data: bytes) -> bytes:
    """Records of BIFF8: the beginning of a workbook, ``data`` in records that go on, the end (MS-XLS §2.3)."""

    def record(kind: int, content: bytes) -> bytes:
        return struct.pack("<2H", kind, len(content)) + content

    begin = record(0x809, struct.pack("<4H2I", 0x600, 5, 0xDBB, 1996, 0, 6))
    return begin + b"".join(record(0x3C, data[at : at + 8000]) for at in range(0, len(data), 8000)) + record(0xA, b"")


# Images, text and the rest


def _image(form: str, ending: str) -> Make:
    def make(rng: random.Random, name: str) -> Files:
        page = _page(rng.randrange(8)).resize((620, 877))
        ImageDraw.Draw(page).text((20, 20), name, fill=0)
        out = io.BytesIO()
        if form == "TIFF":
            page.convert("1").save(out, form, compression="group4", dpi=(150, 150))
        else:
            page.save(out, form, dpi=(150, 150))
        return [(f"{name}.{ending}", out.getvalue())]

    return make


def _png(rng: random.Random, name: str) -> Files:
    """By hand: rows of few greys, so that it is made fast."""
    width, height = 620, 877
    rows = [b"\0" + bytes(rng.choices((40, 200, 250), k=width)) for _ in range(40)]
    raw = b"".join(rows[at % 40] for at in range(height))
    header = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        (b"tEXt", b"Title\0" + name.encode()),
        (b"IDAT", zlib.compress(raw, 1)),
        (b"IEND", b""),
    ]
    data = b"".join(
        struct.pack(">I", len(one)) + key + one + struct.pack(">I", zlib.crc32(key + one)) for key, one in chunks
    )
    return [(f"{name}.png", b"\x89PNG\r\n\x1a\n" + data)]


def _plain(encoding: str) -> Make:
    def make(rng: random.Random, name: str) -> Files:
        text = f"Văn bản {name}\r\n" + "\r\n".join(some_text(rng, 14) for _ in range(rng.randrange(20, 400)))
        return [(f"{name}.txt", text.encode(encoding))]

    return make


def _xml(rng: random.Random, name: str) -> Files:
    rows = "".join(f"<dong so='{at}'>{some_text(rng, 10)}</dong>" for at in range(rng.randrange(50, 500)))
    return [(f"{name}.xml", f'<?xml version="1.0" encoding="UTF-8"?>\n<bang ten="{name}">{rows}</bang>'.encode())]


@cache
def _signed_xml(number: int) -> bytes:
    return sign_xml(f"<hoadon><so>{number}</so><noidung>{'Tiền điện ' * 200}</noidung></hoadon>".encode())


def _beside(rng: random.Random, name: str) -> Files:
    """A text document and the signature of it that lies beside."""
    document = docx(rng, name)
    return [(f"{name}.docx", document), (f"{name}.docx.p7s", cades(document))]


def _sound(rng: random.Random, name: str) -> Files:
    out = io.BytesIO()
    with wave.open(out, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(8000)
        made.writeframes(rng.randbytes(16000 * rng.randrange(2, 20)))
    return [(f"{name}.wav", out.getvalue())]


def _film(rng: random.Random, name: str) -> Files:
    """An MP4 by its boxes: its film is noise."""

    def box(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", 8 + len(data)) + kind + data

    length = rng.randrange(5, 500) * 1000
    header = bytes(12) + struct.pack(">2I", 1000, length) + struct.pack(">IH", 0x10000, 0x100) + bytes(10)
    header += struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000) + bytes(24) + struct.pack(">I", 2)
    made = box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + box(b"moov", box(b"mvhd", header))
    return [(f"{name}.mp4", made + box(b"mdat", rng.randbytes(rng.randrange(100_000, 2_000_000))))]


_KINDS: dict[str, tuple[int, Make]] = {
    "scanned PDF": (24, lambda rng, name: _pdf(name, _paged(rng, name, rng.randrange(1, 5), scanned=True))),
    "text PDF": (14, lambda rng, name: _pdf(name, _paged(rng, name, rng.randrange(1, 9), scanned=False))),
    "PDF/A-2b": (
        13,
        lambda rng, name: _pdf(name, _paged(rng, name, rng.randrange(1, 4), scanned=True, archival_profile=True)),
    ),
    "signed PDF": (8, lambda rng, name: _pdf(name, _signed_pdf(rng.randrange(_SIGNED)))),
    "DOCX": (10, lambda rng, name: [(f"{name}.docx", docx(rng, name))]),
    "XLSX": (4, lambda rng, name: [(f"{name}.xlsx", xlsx(rng, name))]),
    "PPTX": (1, lambda rng, name: [(f"{name}.pptx", pptx(rng, name))]),
    "ODT": (2, lambda rng, name: [(f"{name}.odt", odt(rng, name))]),
    "DOC": (3, _ole("WordDocument", b"Microsoft Word 97-2003 Document\0")),
    "XLS": (2, _ole("Workbook", b"Microsoft Excel 97-2003\0")),
    "JPEG": (5, _image("JPEG", "jpg")),
    "PNG": (2, _png),
    "TIFF": (2, _image("TIFF", "tif")),
    "XML": (3, _xml),
    "signed XML": (1, lambda rng, name: [(f"{name}.xml", _signed_xml(rng.randrange(_SIGNED)))]),
    "text, UTF-8": (1, _plain("utf-8")),
    "text, UTF-16": (1, _plain("utf-16")),
    "text, TCVN3": (1, lambda rng, name: [(f"{name}.txt", _legacy(rng, name))]),
    "DOCX with .p7s": (1, _beside),
    "WAV": (1, _sound),
    "MP4": (1, _film),
}


def _legacy(rng: random.Random, name: str) -> bytes:
    """Vietnamese in TCVN3: each letter that it has in one byte, others left out."""
    letters = dict(zip("ăâêôơưđáàảãạ", b"\xa8\xa9\xaa\xab\xac\xad\xae\xb8\xb5\xb6\xb7\xb9", strict=True))
    text = f"{name} " + some_text(rng, 800).lower()
    return bytes(letters.get(one, ord(one) if ord(one) < 128 else 0x20) for one in text)
