"""Looking into bytes as the task does it, without a child."""

from __future__ import annotations

import io

from metadata.holdings import Format
from metadata.identifiers import Puid
from preservation.formats.port import Inspection, Specimen
from preservation.formats.task import look

WINDOW = 128 << 10
FORMATS = {
    "pdf": Format(Puid("fmt/276"), "Acrobat PDF 1.7", "1.7", "application/pdf", "signature"),
    "jpg": Format(Puid("fmt/43"), "JPEG File Interchange Format", "1.01", "image/jpeg", "signature"),
    "png": Format(Puid("fmt/12"), "Portable Network Graphics", "1.1", "image/png", "signature"),
    "tif": Format(Puid("fmt/353"), "Tagged Image File Format", "", "image/tiff", "signature"),
    "jp2": Format(Puid("x-fmt/392"), "JP2 (JPEG 2000 part 1)", "", "image/jp2", "signature"),
    "gif": Format(Puid("fmt/4"), "Graphics Interchange Format", "89a", "image/gif", "signature"),
    "bmp": Format(Puid("fmt/116"), "Windows Bitmap", "3.0", "image/bmp", "signature"),
    "webp": Format(Puid("fmt/566"), "WebP", "Lossy", "", "signature"),
} | {
    kind: Format(None, kind, "", mime, "signature")
    for kind, mime in {
        "txt": "text/plain",
        "csv": "text/csv",
        "xml": "application/xml, text/xml",
        "svg": "image/svg+xml",
        "htm": "text/html",
        "rtf": "application/rtf, text/rtf",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt": "application/vnd.oasis.opendocument.text",
        "ods": "application/vnd.oasis.opendocument.spreadsheet",
        "odp": "application/vnd.oasis.opendocument.presentation",
        "odg": "application/vnd.oasis.opendocument.graphics",
        "odb": "application/vnd.oasis.opendocument.base",
        "doc": "application/msword",
        "xls": "application/vnd.ms-excel",
        "ppt": "application/vnd.ms-powerpoint",
        "msg": "application/vnd.ms-outlook",
        "epub": "application/epub+zip",
        "eml": "message/rfc822",
        "mht": "multipart/related",
        "zip": "application/zip",
        "tar": "application/x-tar",
        "gz": "application/gzip",
        "rar": "application/vnd.rar",
        "wav": "audio/x-wav",
        "mp3": "audio/mpeg",
        "flac": "audio/flac",
        "ogg": "audio/ogg",
        "wma": "audio/x-ms-wma",
        "avi": "video/x-msvideo",
        "mov": "video/quicktime",
        "mp4": "application/mp4, video/mp4",
        "webm": "video/webm",
    }.items()
}
FORMATS["7z"] = Format(Puid("fmt/484"), "7Zip format", "", "", "signature")


def specimen(kind: str, data: bytes) -> Specimen:
    """As the one pass has it of a file that was identified as ``kind``."""
    return Specimen(f"1.{kind}", len(data), FORMATS[kind], data[:WINDOW], data[-WINDOW:])


def looked(kind: str, data: bytes) -> Inspection:
    return look(specimen(kind, data), io.BytesIO(data))


def codes(found: Inspection) -> list[str]:
    return [remark.code for remark in found.remarks]
