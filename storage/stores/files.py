"""Files and folders that are on disk when a function returns. All functions raise OSError."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from storage.port import Bytes, Part

_OPEN: Final = os.O_CLOEXEC | os.O_NOFOLLOW
_COPY_BYTES: Final = 1 << 30
_BUFFER_BYTES: Final = 1 << 20
_WRITING_MODE: Final = 0o640
_SEALED_MODE: Final = 0o440
_FOLDER: Final = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_NO_CLONE: Final = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF)


@contextmanager
def folder_below(root: Path, path: str, mode: int | None = None) -> Iterator[int]:
    """A descriptor of the folder ``path`` below ``root``, for as long as it is needed; no symbolic link is followed
    below ``root``. With ``mode`` the folders that are missing are made."""
    descriptor = os.open(root, _FOLDER)
    try:
        for name in path.split("/"):
            below = _step(descriptor, name, mode)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def refuse_link(path: Path) -> None:
    """Raise OSError when it is a symbolic link."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, f"“{path.name}” in it is a symbolic link, which is not followed")


def _step(above: int, name: str, mode: int | None) -> int:
    try:
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=above)
    except FileNotFoundError:
        if mode is None:
            raise
        with suppress(FileExistsError):
            os.mkdir(name, mode, dir_fd=above)
        return _step(above, name, None)
    except NotADirectoryError:
        if stat.S_ISLNK(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, f"“{name}” in it is a symbolic link, which is not followed") from None
        raise


def open_file(path: str | Path, folder: int | None = None) -> int:
    """A descriptor for reading a regular file, and nothing else: no link is followed, no pipe waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | _OPEN, dir_fd=folder)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "something that is no file lies in the place of one")


def read_file(path: Path, limit: int) -> bytes:
    """All bytes of a regular file. ValueError when there are more than ``limit``."""
    with os.fdopen(open_file(path), "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"{path} is larger than {limit} bytes")
    return data


def write_sealed(path: Path, data: Bytes) -> None:
    """A new read-only file with these bytes, on disk (its name is not: that is the folder's part)."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, _SEALED_MODE)
    try:
        _write_all(descriptor, data, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_at(path: Path, data: Bytes, offset: int) -> None:
    """Write at a place of a file that may be there already. Begins the way to the disk, does not wait for its end."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | _OPEN, _WRITING_MODE)
    try:
        _write_all(descriptor, data, offset)
        # On Linux this starts writing back what is dirty, so that the one fsync at the end finds little to do.
        os.posix_fadvise(descriptor, offset, len(data), os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: Bytes, offset: int) -> None:
    view = memoryview(data).cast("B")
    while view:
        count = os.pwrite(descriptor, view, offset)
        view, offset = view[count:], offset + count


def sync_folder(path: Path) -> None:
    """Put the names in a folder on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def removed_empty(folder: Path) -> bool:
    """Remove a folder if it is empty."""
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def assemble(folder: Path, parts: Sequence[Part]) -> Path:
    """The file made of ``parts`` in their order, read-only and on disk.

    Parts that were written to their places are there already; others are joined, without copying where the file
    system can share blocks. ValueError or FileNotFoundError when a part is not what it was.
    """
    if not parts:
        raise ValueError("an object has at least one part")
    size = sum(part.size for part in parts)
    if _in_place(parts):
        path = folder / "data"
    elif len(parts) == 1:
        path = folder / parts[0].tag
    else:
        path = folder / "joined"
        _join(folder, parts, path)
    descriptor = os.open(path, os.O_RDWR | _OPEN)
    try:
        if os.fstat(descriptor).st_size < size:
            raise ValueError("the parts are shorter than they were")
        os.ftruncate(descriptor, size)
        os.fchmod(descriptor, _SEALED_MODE)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return path


def _in_place(parts: Sequence[Part]) -> bool:
    offset = 0
    for part in parts:
        if part.tag != f"at-{offset}":
            return False
        offset += part.size
    return True


def _join(folder: Path, parts: Sequence[Part], path: Path) -> None:
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _OPEN, _WRITING_MODE)
    try:
        offset = 0
        for part in parts:
            place = part.tag.removeprefix("at-")
            in_place = place != part.tag
            source = os.open(folder / ("data" if in_place else part.tag), os.O_RDONLY | _OPEN)
            try:
                _copy(source, int(place) if in_place else 0, target, offset, part.size)
            finally:
                os.close(source)
            offset += part.size
    finally:
        os.close(target)


def _copy(source: int, start: int, target: int, offset: int, size: int) -> None:
    done = 0
    while done < size:
        try:
            count = os.copy_file_range(source, target, min(size - done, _COPY_BYTES), start + done, offset + done)
        except OSError as error:
            if error.errno not in _NO_CLONE:
                raise
            data = os.pread(source, min(size - done, _BUFFER_BYTES), start + done)
            _write_all(target, data, offset + done)
            count = len(data)
        if count == 0:
            raise ValueError("a part is shorter than it was")
        done += count
