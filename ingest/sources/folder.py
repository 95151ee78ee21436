"""A package as a folder. No link is followed, at no component, not even one that appears while we read."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO, cast

from ingest.guards import LIMITS
from ingest.sources.port import EntryKind, SourceEntry

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class FolderSource:
    """Raises OSError when ``path`` is not a folder that can be opened."""

    def __init__(self, path: Path, depth: int = LIMITS.depth) -> None:
        self._name = path.resolve().name
        self._root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._parts: list[str] = []
        self._open: list[int] = []
        self._folder = ""
        self._inside = ""
        self._depth = depth

    @property
    def name(self) -> str:
        return self._name

    @property
    def media_type(self) -> str:
        return ""

    def entries(self) -> Iterator[SourceEntry]:
        """Every entry, folders before what is in them. Raises OSError when a folder cannot be read.

        Folders beyond the depth are not gone into: what lies in the last one is too deep already, and each level costs
        an open file.
        """
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            handle = self._descend(folder)
            try:
                yield from _entries(handle, f"{folder}/" if folder else "", waiting, self._depth)
            finally:
                os.close(handle)

    def enter(self, root: str) -> None:
        """``open`` takes paths from ``root`` on."""
        self._inside = root

    def open(self, path: str) -> BinaryIO:
        """Open a regular file. Raises OSError (ELOOP for a link, EINVAL for what is not a file)."""
        folder, _, name = (self._inside + path).rpartition("/")
        if folder != self._folder:
            self._walk(folder)
        handle = os.open(name, _FILE, dir_fd=self._open[-1] if self._open else self._root)
        stream = FileIO(handle, "r")
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            stream.close()
            raise OSError(errno.EINVAL, "not a regular file", path)
        return cast("BinaryIO", stream)

    def close(self) -> None:
        """Close every folder. May be called twice."""
        self._leave(0)
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def _descend(self, folder: str) -> int:
        self._walk(folder)
        return os.open(".", _FOLDER, dir_fd=self._open[-1] if self._open else self._root)

    def _walk(self, folder: str) -> None:
        """Make ``folder`` the open one, keeping those of its parents that are open already."""
        parts = folder.split("/") if folder else []
        same = 0
        while same < min(len(parts), len(self._parts)) and parts[same] == self._parts[same]:
            same += 1
        self._leave(same)
        for part in parts[same:]:
            if part in {"", ".", ".."}:
                raise OSError(errno.EINVAL, "not a path inside the package", folder)
            self._open.append(os.open(part, _FOLDER, dir_fd=self._open[-1] if self._open else self._root))
            self._parts.append(part)
        self._folder = folder

    def _leave(self, keep: int) -> None:
        for handle in self._open[keep:]:
            os.close(handle)
        del self._open[keep:], self._parts[keep:]
        self._folder = "/".join(self._parts)


def _entries(handle: int, prefix: str, waiting: list[str], depth: int) -> Iterator[SourceEntry]:
    file, folder, link, special = EntryKind.FILE, EntryKind.FOLDER, EntryKind.LINK, EntryKind.SPECIAL
    with os.scandir(handle) as found:
        for entry in found:
            path = prefix + entry.name
            if entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                yield SourceEntry(path, status.st_size, file)
            elif entry.is_dir(follow_symlinks=False):
                if path.count("/") < depth:
                    waiting.append(path)
                yield SourceEntry(path, 0, folder)
            else:
                yield SourceEntry(path, 0, link if entry.is_symlink() else special)
