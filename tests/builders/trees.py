"""A folder on disk as a PackageTree, for judging packages without an ingest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


class FolderTree:
    """Everything under ``root``; links are not followed because tests make none."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def name(self) -> str:
        return self._root.name

    def size_of(self, path: str) -> int | None:
        found = self._root / path
        return found.stat().st_size if found.is_file() else None

    def has_folder(self, folder: str) -> bool:
        return (self._root / folder).is_dir()

    def children(self, folder: str, limit: int = 1000) -> list[str]:
        names = (f"{one.name}/" if one.is_dir() else one.name for one in (self._root / folder).iterdir())
        return sorted(names)[:limit] if self.has_folder(folder) else []

    def paths(self, folder: str = "") -> Iterator[str]:
        for path in sorted((self._root / folder).rglob("*")):
            if path.is_file():
                yield path.relative_to(self._root).as_posix()

    def open(self, path: str) -> BinaryIO:
        return (self._root / path).open("rb")
