"""Small bags on disk, good or with one thing wrong, for tests that need a package and not its details."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

FILES: Mapping[str, bytes] = {
    "01 Công văn về việc kiểm tra.txt": "Kính gửi: các đơn vị\n".encode(),
    "02 Báo cáo.txt": "Báo cáo tình hình\n".encode() * 400,
}


def write_bag(
    folder: Path, objid: str = "bag-1", files: Mapping[str, bytes] = FILES, *, flip: str = "", title: str = "Hồ sơ sen"
) -> Path:
    """A BagIt 1.0 bag at ``folder``; ``flip`` names a file of which one bit is turned after the manifest was made."""
    data = folder / "data"
    data.mkdir(parents=True)
    lines = []
    for name, content in files.items():
        lines.append(f"{hashlib.sha256(content).hexdigest()}  data/{name}\n")
        (data / name).write_bytes(bytes([content[0] ^ 1]) + content[1:] if name == flip else content)
    (folder / "manifest-sha256.txt").write_text("".join(lines), encoding="utf-8")
    (folder / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n", encoding="utf-8")
    info = {
        "Agency-Code": "H20.99",
        "Fonds-Code": "P.THU",
        "External-Identifier": objid,
        "Internal-Sender-Identifier": f"H20.99.2024.{objid}",
        "External-Description": title,
        "Bagging-Date": "2024-05-01",
    }
    (folder / "bag-info.txt").write_text("".join(f"{k}: {v}\n" for k, v in info.items()), encoding="utf-8")
    return folder
