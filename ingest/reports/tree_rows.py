"""The files of a report as the rows of a tree: folders once, files under them, each with its mark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingest.check import GRAVITY, CheckedFile
from metadata.findings import Severity


@dataclass(frozen=True, slots=True)
class TreeRow:
    """A folder (its name ends with ``/``, ``size`` None) or a file. ``worst`` of a folder is of everything in it."""

    depth: int
    name: str
    size: int | None
    worst: Severity | None

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/")


def tree_rows(files: Iterable[CheckedFile]) -> Iterator[TreeRow]:
    """``files`` in the order of their paths, with a row for each folder that begins."""
    listed = sorted(files, key=lambda one: one.path.split("/"))
    worst: dict[str, Severity] = {}
    for one in listed:
        for folder in _folders(one.path):
            if one.worst and (folder not in worst or GRAVITY.index(one.worst) < GRAVITY.index(worst[folder])):
                worst[folder] = one.worst
    begun: list[str] = []
    for one in listed:
        folders = _folders(one.path)
        same = next((at for at, (a, b) in enumerate(zip(begun, folders, strict=False)) if a != b), len(folders))
        same = min(same, len(begun))
        for depth, folder in enumerate(folders[same:], same):
            yield TreeRow(depth, f"{folder.rstrip('/').rpartition('/')[2]}/", None, worst.get(folder))
        begun = folders
        if not one.path.endswith("/"):
            yield TreeRow(len(folders), one.path.rpartition("/")[2], one.size, one.worst)


def _folders(path: str) -> list[str]:
    """Every folder on the way to ``path``, each with its ``/``, the outermost first."""
    return [path[: at + 1] for at, c in enumerate(path) if c == "/" and at]
