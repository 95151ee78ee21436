"""A good bag, with switches that break exactly one thing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PAYLOAD: Mapping[str, bytes] = {
    "Công văn 01.txt": "Kính gửi: Sở Nội vụ\n".encode(),
    "phụ lục/bảng kê.csv": "STT,Tên\n1,Ấn\n".encode(),
}
INFO = (
    ("Source-Organization", "Sở Nội vụ tỉnh Đồng Tháp"),
    ("External-Identifier", "BAG-2024-0001"),
    ("External-Description", "Tài liệu rời năm 2024"),
    ("Bagging-Date", "2026-07-01"),
)


def bag(
    folder: Path,
    payload: Mapping[str, bytes] = PAYLOAD,
    *,
    info: Sequence[tuple[str, str]] | None = INFO,
    algorithms: Sequence[str] = ("sha256", "sha512"),
    version: str = "1.0",
    encoding: str = "UTF-8",
    oxum: bool = True,
    tag_manifests: bool = True,
    fetch: bytes | None = None,
    tags: Mapping[str, bytes] | None = None,
    before_tag_manifests: Callable[[Path], object] | None = None,
    mutate: Callable[[Path], object] | None = None,
) -> Path:
    """Write a bag into ``folder`` (made here) and return it.

    ``payload`` is by path under ``data``; ``tags`` are further tag files. ``before_tag_manifests`` may break a
    manifest so that the tag manifests agree with the break; ``mutate`` gets the finished folder.
    """
    (folder / "data").mkdir(parents=True)
    for name, content in payload.items():
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    declared = f"BagIt-Version: {version}\nTag-File-Character-Encoding: {encoding}\n"
    (folder / "bagit.txt").write_bytes(declared.encode())
    if info is not None:
        sized = [("Payload-Oxum", f"{sum(map(len, payload.values()))}.{len(payload)}")] if oxum else []
        lines = "".join(f"{label}: {value}\n" for label, value in [*info, *sized])
        (folder / "bag-info.txt").write_bytes(lines.encode(encoding))
    for algorithm in algorithms:
        lines = "".join(
            f"{hashlib.new(algorithm, content).hexdigest()}  {_written(f'data/{name}')}\n"
            for name, content in payload.items()
        )
        (folder / f"manifest-{algorithm}.txt").write_bytes(lines.encode(encoding))
    if fetch is not None:
        (folder / "fetch.txt").write_bytes(fetch)
    for name, content in (tags or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    if before_tag_manifests is not None:
        before_tag_manifests(folder)
    if tag_manifests:
        write_tag_manifests(folder, algorithms)
    if mutate is not None:
        mutate(folder)
    return folder


def write_tag_manifests(folder: Path, algorithms: Sequence[str] = ("sha256", "sha512")) -> None:
    """Write (again) the tag manifests over every file outside ``data``."""
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and "data" not in path.relative_to(folder).parts[:1]
        and not path.name.startswith("tagmanifest-")
    )
    for algorithm in algorithms:
        lines = "".join(
            f"{hashlib.new(algorithm, (folder / name).read_bytes()).hexdigest()}  {_written(name)}\n" for name in names
        )
        (folder / f"tagmanifest-{algorithm}.txt").write_bytes(lines.encode())


def _written(path: str) -> str:
    return path.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
