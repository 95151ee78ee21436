"""Small images of every kind that is looked into, drawn here."""

from __future__ import annotations

import io
import random
import struct
import zlib

from PIL import Image, ImageDraw

KINDS = {"jpg": "JPEG", "png": "PNG", "tif": "TIFF", "jp2": "JPEG2000", "gif": "GIF", "bmp": "BMP", "webp": "WEBP"}


def picture(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A picture with something in every corner, so that a missing part shows."""
    image = Image.frombytes("L", size, random.Random(7).randbytes(size[0] * size[1])).convert("RGB")
    ImageDraw.Draw(image).line((0, 0, *size), fill="red", width=3)
    return image.convert(mode)


def encoded(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    """An image file of the kind, by its extension."""
    target = io.BytesIO()
    (image or picture()).save(target, KINDS[kind], **options)
    return target.getvalue()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb(width: int = 100_000, height: int = 100_000) -> bytes:
    """A PNG of one grey colour, far larger when decoded than its few kilobytes."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (1 << 20), 9)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def tiff_loop() -> bytes:
    """A TIFF of one picture whose directory names itself as the next."""
    data = bytearray(encoded("tif"))
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    struct.pack_into("<I", data, at + 2 + 12 * count, at)
    return bytes(data)
