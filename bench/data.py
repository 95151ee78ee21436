"""Data for measurements: random bodies behind headers of real formats; made once, with a fixed seed."""

from __future__ import annotations

import hashlib
import random
import shutil
from pathlib import Path

from metadata.bagit import manifest_line

_HEADS = (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff\xe0\0\x10JFIF\0", b"II*\0")
_FOLDER = 500


def make_files(folder: Path, count: int, size: int, seed: int = 7) -> int:
    """``count`` files of about ``size`` bytes under ``folder`` (500 to a folder); give the bytes in all."""
    rng = random.Random(seed)
    block = rng.randbytes(min(max(size * 2, 1 << 20), 64 << 20))
    total = 0
    for number in range(count):
        path = folder / f"{number // _FOLDER:04d}" / f"{number:06d}.pdf"
        if number % _FOLDER == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        head = _HEADS[number % len(_HEADS)]
        length = max(len(head), int(size * rng.uniform(0.5, 1.5)) if count > 100 else size)
        start = rng.randrange(len(block) - min(length, len(block)) + 1)
        with path.open("wb") as out:
            out.write(head)
            left = length - len(head)
            while left > 0:
                left -= out.write(block[start : start + left])
                start = 0
        total += length
    return total


def make_bag(folder: Path, payload: Path, identifier: str) -> None:
    """A bag of ``payload`` (hard links), with one SHA-256 manifest, as an agency would send it."""
    shutil.copytree(payload, folder / "data", copy_function=lambda a, b: Path(b).hardlink_to(a))
    lines = []
    for path in sorted((folder / "data").rglob("*")):
        if path.is_file():
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").digest()
            lines.append(manifest_line(digest, path.relative_to(folder).as_posix()))
    (folder / "manifest-sha256.txt").write_bytes(b"".join(lines))
    (folder / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    info = f"Source-Organization: H20.01\nBag-Group-Identifier: P01\nExternal-Identifier: {identifier}\n"
    info += "External-Description: Bench\n"
    (folder / "bag-info.txt").write_text(info)
