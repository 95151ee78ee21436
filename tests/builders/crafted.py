"""Files of about 180 KB that are made to keep an identifier of formats busy."""

from __future__ import annotations

from tests.builders.samples import ENDLESS_MP3

CRAFTED = {
    "mp3": ENDLESS_MP3,
    "mp2": b"\xff\xfc\x90" * 60_000,
    "mp2 and more": b"\xff\xfc\x90" * 60_000 + b"x",
    "bib": b"{}" * 90_000,
    "at signs": b"@ " * 90_000,
    "xmp": b"%PDF-1.4\n" + b"xmlns:pdfaid='http://www.aiim.org/pdfa/ns/id/' " * 4000,
    "pdf/a": b"%PDF-1.4\n" + b"xmlns:pdfaid='http://www.aiim.org/pdfa/ns/id' pdfaid:conformance=\"B\" " * 2400,
    "dxf": b"0\nSECTION\n  2\nHEADER\n9\n$ACADVER\n  1\nAC\n" * 4000,
    "wave": b"RIFF\0\0\0\0WAVEfmt " + b"fmt data" * 22_000,
    "ole": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + b"\x3e\0\3\0\xfe\xff\x09\0" + b"\1\0\0\0" * 45_000,
    "zeros": bytes(180_000),
}
