"""A good bag as members of an archive file, so that the archive file can break exactly one thing around it."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.builders.hostile import TarMember, ZipEnd, ZipMember, raw_tar, raw_zip

PAYLOAD: Mapping[str, bytes] = {"data/a.txt": b"alpha" * 9, "data/b.txt": b"beta"}
ROOT = "goi/"
_INFO = {
    "Agency-Code": "H20.99",
    "Fonds-Code": "P.THU",
    "External-Identifier": "bag-1",
    "Internal-Sender-Identifier": "H20.99.2024.1",
    "External-Description": "Hồ sơ sen",
    "Bagging-Date": "2024-05-01",
}
Members = Callable[[list[ZipMember]], list[ZipMember]]
TarMembers = Callable[[list[TarMember]], list[TarMember]]


def raw(name: str) -> bytes:
    """A name's bytes, whatever it is."""
    return name.encode("utf-8", "surrogateescape")


def bag_files(payload: Mapping[str, bytes] = PAYLOAD) -> dict[str, bytes]:
    """All files of a BagIt 1.0 bag with that payload (paths with ``data/``), by path."""
    manifest = b"".join(
        hashlib.sha256(data).hexdigest().encode() + b"  " + raw(path.replace("%", "%25")) + b"\n"
        for path, data in payload.items()
    )
    tags = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": "".join(f"{label}: {text}\n" for label, text in _INFO.items()).encode(),
        "manifest-sha256.txt": manifest,
    }
    tagged = "".join(f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in tags.items())
    return {**tags, "tagmanifest-sha256.txt": tagged.encode(), **payload}


def zip_of(
    payload: Mapping[str, bytes] = PAYLOAD, change: Members = lambda members: members, **end: object
) -> Callable[[Path], Path]:
    """Writes ``goi.zip``: the bag in one folder, ``change`` applied to its members, ``end`` to the ZIP's end."""

    def build(folder: Path) -> Path:
        members = [ZipMember(raw(ROOT + path), data) for path, data in bag_files(payload).items()]
        path = folder / "goi.zip"
        path.write_bytes(raw_zip(change(members), ZipEnd(**end)))  # type: ignore[arg-type]
        return path

    return build


def tar_of(
    payload: Mapping[str, bytes] = PAYLOAD,
    change: TarMembers = lambda members: members,
    after: Callable[[bytes], bytes] = bytes,
    end: bytes = bytes(1024),
) -> Callable[[Path], Path]:
    """Writes ``goi.tar``: the bag in one folder; ``after`` may compress it or do worse."""

    def build(folder: Path) -> Path:
        members = [TarMember(raw(ROOT + path), data) for path, data in bag_files(payload).items()]
        path = folder / "goi.tar"
        path.write_bytes(after(raw_tar(change(members), end)))
        return path

    return build


def folder_of(
    payload: Mapping[str, bytes] = PAYLOAD, change: Callable[[Path], object] = lambda folder: None
) -> Callable[[Path], Path]:
    """Writes the bag as a folder ``goi``, then ``change`` is let loose on it."""

    def build(folder: Path) -> Path:
        for path, data in bag_files(payload).items():
            place = folder / ROOT / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        change(folder / "goi")
        return folder / "goi"

    return build


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)
