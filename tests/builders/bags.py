"""A good bag, with switches that break exactly one thing."""

from __future__ import annotations

import hashlib
import json
import unicodedata
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
        info_name = "package-info.txt" if version in ("0.93", "0.94", "0.95") else "bag-info.txt"
        sized = [("Payload-Oxum", f"{sum(map(len, payload.values()))}.{len(payload)}")] if oxum else []
        lines = "".join(f"{label}: {value}\n" for label, value in [*info, *sized])
        (folder / info_name).write_bytes(lines.encode(encoding))
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


def append(name: str, data: bytes | str) -> Callable[[Path], None]:
    """A change: ``data`` is added at the end of the file ``name``."""

    def change(folder: Path) -> None:
        with (folder / name).open("ab") as stream:
            stream.write(data.encode() if isinstance(data, str) else data)

    return change


def drop_line(name: str, holding: str) -> Callable[[Path], None]:
    """A change: the lines of the file ``name`` that hold ``holding`` go."""

    def change(folder: Path) -> None:
        lines = (folder / name).read_text("utf-8").splitlines(keepends=True)
        (folder / name).write_text("".join(line for line in lines if holding not in line), "utf-8")

    return change


def replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    """A change: every ``old`` in the file ``name`` becomes ``new``."""

    def change(folder: Path) -> None:
        data = (folder / name).read_bytes()
        assert old.encode() in data, f"{old!r} is not in {name}"
        (folder / name).write_bytes(data.replace(old.encode(), new.encode()))

    return change


def decompose(name: str) -> Callable[[Path], None]:
    """A change: the file ``name`` is written in NFD."""

    def change(folder: Path) -> None:
        text = (folder / name).read_text("utf-8")
        assert unicodedata.normalize("NFD", text) != text, f"{name} is the same in NFD"
        (folder / name).write_text(unicodedata.normalize("NFD", text), "utf-8")

    return change


def both(*changes: Callable[[Path], object]) -> Callable[[Path], None]:
    """Several changes, one after another."""

    def change(folder: Path) -> None:
        for one in changes:
            one(folder)

    return change


PROFILE_ID = "https://example.org/bagit-profile-1.0.json"


def profile(**changes: object) -> bytes:
    """A BagIt profile that asks for little; ``changes`` are fields, ``_`` for ``-``; None takes a field away."""
    fields: dict[str, object] = {
        "BagIt-Profile-Info": {
            "BagIt-Profile-Identifier": PROFILE_ID,
            "BagIt-Profile-Version": "1.3.0",
            "Source-Organization": "Kho lưu trữ",
            "External-Description": "Quy định thử",
            "Version": "1.0",
        },
        "Accept-BagIt-Version": ["0.97", "1.0"],
    }
    fields.update({name.replace("_", "-"): value for name, value in changes.items()})
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()
