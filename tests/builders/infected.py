"""EICAR, which every scanner knows and which harms nobody, in files of many kinds."""

from __future__ import annotations

import base64
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence

import pikepdf

from preservation.antivirus.eicar import EICAR

SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def zipped(name: str, data: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP with one entry."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        archive.writestr(name, data)
    return made.getvalue()


def deep(depth: int, data: bytes = EICAR) -> bytes:
    """``data`` in a ZIP in a ZIP …"""
    for level in range(depth):
        data = zipped(f"{level}.zip" if level else "eicar.com", data)
    return data


def pdf_attachment(data: bytes = EICAR, name: str = "phụ lục.txt") -> bytes:
    """A PDF with an attachment as qpdf writes it: sorted keys, so that /Params with its /CheckSum is before /Filter."""
    with pikepdf.new() as document:
        document.add_blank_page()
        document.attachments[name] = pikepdf.AttachedFileSpec(document, data, filename=name)
        made = io.BytesIO()
        document.save(made, deterministic_id=True)
    return made.getvalue()


def pdf_plainly_attached(data: bytes = EICAR) -> bytes:
    """A PDF with an attachment, its dictionary in the order in which most programs write it."""
    packed = zlib.compress(data)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(a) 4 0 R] >> >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
        b"<< /Type /Filespec /F (a) /EF << /F 5 0 R >> >>",
        b"<< /Type /EmbeddedFile /Filter /FlateDecode /Length %d /Params << /Size %d >> >>\nstream\n%s\nendstream"
        % (len(packed), len(data), packed),
    ]
    made, offsets = b"%PDF-1.7\n", []
    for number, text in enumerate(objects, 1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, rows)
    return made + table + b"trailer << /Root 1 0 R /Size 6 >>\nstartxref\n%d\n%%%%EOF\n" % len(made)


def ole(streams: Sequence[tuple[str, bytes]]) -> bytes:
    """A compound file ([MS-CFB], version 3) with ``streams`` in its root, each in sectors of its own."""
    sectors: list[bytes] = []
    fat: list[int] = []

    def put(data: bytes) -> int:
        first, count = len(sectors), -(-len(data) // SECTOR)
        data = data.ljust(count * SECTOR, b"\0")
        sectors.extend(data[at : at + SECTOR] for at in range(0, len(data), SECTOR))
        fat.extend([*range(first + 1, first + count), _END])
        return first

    entries = []
    for number, (name, data) in enumerate(streams, 1):
        held = data.ljust(4096, b"\0")  # smaller ones would lie in the mini stream
        after = number + 1 if number < len(streams) else _FREE
        entries.append(_entry(name, 2, right=after, start=put(held), size=len(held)))
    root = _entry("Root Entry", 5, child=1 if streams else _FREE, start=_END)
    directory = put(b"".join([root, *entries]).ljust(SECTOR, b"\0"))
    table = len(sectors)
    fat.append(_FAT)
    assert len(fat) <= SECTOR // 4
    sectors.append(struct.pack(f"<{SECTOR // 4}I", *fat, *[_FREE] * (SECTOR // 4 - len(fat))))
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII", bytes.fromhex("d0cf11e0a1b11ae1"), 0x3E, 3, 0xFFFE, 9, 6,
        0, 1, directory, 0, 4096, _END, 0, _END, 0,
    )  # fmt: skip
    places = struct.pack("<109I", table, *[_FREE] * 108)
    return header + places + b"".join(sectors)


def _entry(
    name: str, kind: int, *, right: int = _FREE, child: int = _FREE, start: int = 0, size: int = 0
) -> bytes:  # fmt: skip
    spelled = name.encode("utf-16-le") + b"\0\0"
    fields = (spelled, len(spelled), kind, 1, _FREE, right, child, start, size)
    return struct.pack("<64sHBBIII36xIQ", *fields)


def ole_package(data: bytes = EICAR) -> bytes:
    """A document with a file put into it, as Word keeps it: the stream of an OLE package."""
    label = b"eicar.com\0C:\\eicar.com\0"
    body = struct.pack("<H", 2) + label + struct.pack("<HHI", 0, 3, 13) + b"C:\\eicar.com\0"
    body += struct.pack("<I", len(data)) + data
    return ole([("\1Ole10Native", struct.pack("<I", len(body)) + body)])


def office(data: bytes = EICAR) -> bytes:
    """A text document of Office Open XML with an embedded compound file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<w/>")
        archive.writestr("word/embeddings/oleObject1.bin", ole_package(data))
    return made.getvalue()


def mail(data: bytes = EICAR) -> bytes:
    """A letter with an attachment."""
    body = base64.encodebytes(data).replace(b"\n", b"\r\n")
    return (
        b"From: a@example.vn\r\nTo: b@example.vn\r\nSubject: =?utf-8?B?xJFp?=\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nKinh gui\r\n'
        b"--x\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="a.com"\r\n\r\n' + body + b"\r\n--x--\r\n"
    )


def tar_gz(data: bytes = EICAR) -> bytes:
    """A compressed tar."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        member = tarfile.TarInfo("eicar.com")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


CARRIERS: dict[str, Callable[[], bytes]] = {
    "eicar.com": lambda: EICAR,
    "văn bản.zip": lambda: deep(1),
    "zip trong zip.zip": lambda: deep(2),
    "zip không nén.zip": lambda: zipped("a.zip", zipped("eicar.com", EICAR, zipfile.ZIP_STORED), zipfile.ZIP_STORED),
    "đính kèm.pdf": pdf_plainly_attached,
    "đính kèm qpdf.pdf": pdf_attachment,
    "zip đính kèm.pdf": lambda: pdf_attachment(deep(2), "a.zip"),
    "cũ.doc": ole_package,
    "dòng.doc": lambda: ole([("WordDocument", b"\xec\xa5" + bytes(510)), ("EICAR", EICAR)]),
    "mới.docx": office,
    "thư.eml": mail,
    "tệp.tar.gz": tar_gz,
}
"""Files that hold EICAR, by a name for each."""
