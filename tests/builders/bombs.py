"""Small files that cost their readers much: time, memory, or stack."""

from __future__ import annotations

import zlib

from tests.builders.pdfs import one_page, stream, written

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


def endless_xref() -> bytes:
    """100 kB: a cross-reference stream that says it has a milliard entries, and has a hundred million bytes of them."""
    packed = zlib.compress(bytes(100_000_000), 9)
    out = HEADER + b"1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Count 0/Kids[]>>\nendobj\n"
    words = b"/Type/XRef/Root 1 0 R/Size 1000000000/W[1 1 1]/Filter/FlateDecode"
    return out + b"3 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (stream(packed, words), len(out))


def endless_xref_table() -> bytes:
    """The same promise in a plain table."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 0/Kids[]>>"]
    document = written(objects, size=1_000_000_000)
    return document.replace(b"xref\n0 3\n", b"xref\n0 1000000000\n", 1)


def many_keys(count: int = 500_000) -> bytes:
    """A dictionary with half a million keys."""
    keys = b"".join(b"/K%d %d" % (number, number) for number in range(count))
    return written([b"<</Type/Catalog/Pages 2 0 R/Names<<%b>>>>" % keys, b"<</Type/Pages/Count 0/Kids[]>>"])


def many_fields(count: int = 1_000_000) -> bytes:
    """A form whose list of fields names one field a million times."""
    return written(
        [
            b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%b]>>>>" % (b"3 0 R " * count),
            b"<</Type/Pages/Count 0/Kids[]>>",
            b"<</FT/Tx/T(x)>>",
        ]
    )


def many_pages(count: int = 1_000_000) -> bytes:
    """A page tree that names one page a million times."""
    kids = b"3 0 R " * count
    return written(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count %d/Kids[%b]>>" % (count, kids),
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
        ]
    )


def page_loop() -> bytes:
    """A page tree that contains itself."""
    return written([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 9/Kids[2 0 R 2 0 R]/Parent 2 0 R>>"])


def nested_pages(depth: int = 200_000) -> bytes:
    """Page trees in page trees."""
    nodes = [b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % (number + 3) for number in range(depth)]
    return written([b"<</Type/Catalog/Pages 2 0 R>>", *nodes, b"<</Type/Page/MediaBox[0 0 9 9]>>"])


def nested_arrays(depth: int = 1_000_000) -> bytes:
    """Arrays in arrays."""
    deep = b"[" * depth + b"]" * depth
    return written([b"<</Type/Catalog/Pages 2 0 R/Deep %b>>" % deep, b"<</Type/Pages/Count 0/Kids[]>>"])


def decode_bomb(layers: int = 2, size: int = 1 << 28) -> bytes:
    """Page contents of a quarter of a gigabyte, packed again and again."""
    packer = zlib.compressobj(9)
    piece = b"0 0 m 9 9 l S\n" * 80_000
    data = b"".join(packer.compress(piece) for _ in range(size // len(piece))) + packer.flush()
    for _ in range(layers - 1):
        data = zlib.compress(data, 9)
    return one_page(stream(data, b"/Filter[%b]" % (b"/FlateDecode" * layers)))


def filters_bomb(count: int = 100_000) -> bytes:
    """A stream with a hundred thousand filters."""
    return one_page(stream(zlib.compress(b"q Q"), b"/Filter[%b]" % (b"/FlateDecode" * count)))


def image_bomb() -> bytes:
    """A picture of 10^10 pixels, shown."""
    words = b"/Type/XObject/Subtype/Image/Width 100000/Height 100000/ColorSpace/DeviceRGB/BitsPerComponent 8"
    image = stream(zlib.compress(bytes(100_000_000), 9), words + b"/Filter/FlateDecode")
    return one_page(stream(b"q 500 0 0 500 0 0 cm /I Do Q"), b"<</XObject<</I 5 0 R>>>>", image)


def form_loop() -> bytes:
    """Two forms that draw each other, many times."""
    drawn = stream(b"/F Do " * 1000, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 6 0 R>>>>")
    again = stream(b"/F Do " * 1000, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>")
    return one_page(stream(b"/F Do"), b"<</XObject<</F 5 0 R>>>>", drawn, again)


def form_tower(height: int = 30) -> bytes:
    """Forms, each of which draws the next ten times: 10^30 in all."""
    forms = [
        stream(
            b"/F Do " * 10,
            b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F %d 0 R>>>>" % (number + 6),
        )
        for number in range(height)
    ]
    last = stream(b"BT ET", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]")
    return one_page(stream(b"/F Do"), b"<</XObject<</F 5 0 R>>>>", *forms, last)


def object_stream_bomb() -> bytes:
    """An object stream that unpacks to a quarter of a gigabyte."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1 << 8)) + packer.flush()
    words = b"/Type/ObjStm/N 1000000000/First 5/Filter/FlateDecode"
    out = bytearray(HEADER + b"1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n")
    holder = len(out)
    out += b"3 0 obj\n%b\nendobj\n" % stream(data, words)
    start = len(out)
    rows = b"".join(
        bytes([kind]) + place.to_bytes(4, "big") + index.to_bytes(2, "big")
        for kind, place, index in ((0, 0, 65535), (1, len(HEADER), 0), (2, 3, 0), (1, holder, 0), (1, start, 0))
    )
    out += b"4 0 obj\n%b\nendobj\n" % stream(rows, b"/Type/XRef/Size 5/W[1 4 2]/Root 1 0 R")
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start


PDF_BOMBS = {
    "69 xref stream of a milliard": endless_xref,
    "69 xref table of a milliard": endless_xref_table,
    "70 half a million keys": many_keys,
    "70 a million fields": many_fields,
    "70 a million pages": many_pages,
    "70 page loop": page_loop,
    "70 nested pages": nested_pages,
    "70 nested arrays": nested_arrays,
    "71 contents packed once": lambda: decode_bomb(1),
    "71 contents packed twice": lambda: decode_bomb(2),
    "71 contents packed three times": lambda: decode_bomb(3),
    "71 a hundred thousand filters": filters_bomb,
    "71 picture": image_bomb,
    "71 forms in a loop": form_loop,
    "71 forms in a tower": form_tower,
    "71 object stream": object_stream_bomb,
}
