"""Small files of known formats, made from their specifications."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from preservation.identification.port import WINDOW, Sample

PDF_14 = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\nstartxref\n0\n%%EOF\n"
PNG = (
    bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55")
    + bytes.fromhex("0000000a49444154789c6360000000020001")
    + bytes.fromhex("0000000049454e44ae426082")
)
# An expression that backtracks needs minutes for this.
ENDLESS_MP3 = b"ID3" + b"\xff\xfb\x90" * 60_000


def sample(name: str, data: bytes, spool: Path | None = None) -> Sample:
    """What the one pass would show of a file; with a folder ``spool`` the whole file is put there."""
    path = None
    if spool is not None:
        path = spool / "spooled"
        path.write_bytes(data)
    return Sample(name, len(data), data[:WINDOW], data[-WINDOW:] if data else b"", path)


def word_document(inner: bytes = b"<w:document/>") -> bytes:
    """An Office Open XML text document with no more than what names it as one."""
    types = (
        b'<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        b'content-types"><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
        b'officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", types)
        package.writestr("word/document.xml", inner)
    return out.getvalue()
