"""Writing a package that goes out, as a ZIP or a folder: it appears whole or not at all, and memory stays flat."""

from __future__ import annotations

import errno
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from metadata.errors import AlreadyExists, Damaged, NoSpace, TangThuError, UsageError
from metadata.text import Sentence
from storage.aip.zip64 import Directory, central_record, end_records, local_header

_COPY = 1 << 20


class PackageOut(Protocol):
    """Where the files of a package go."""

    def add(self, path: str, size: int, crc32: int, chunks: Iterable[bytes]) -> None:
        """Write one file. Raises Damaged when ``chunks`` are not ``size`` bytes of that CRC-32, NoSpace, UsageError."""
        ...


@contextmanager
def new_package(target: Path) -> Iterator[PackageOut]:
    """A new package at ``target``: a ZIP of stored members when its name ends in ``.zip``, else a folder.

    It is put together beside ``target`` and takes its name only when the block has ended well. Raises AlreadyExists
    when something has that name, NoSpace, UsageError when it cannot be written there.
    """
    with _told(target):
        _refuse_existing(target)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".tangthu-", ignore_cleanup_errors=True) as beside:
            part = Path(beside) / "package"
            out = _Zip(part) if target.suffix.lower() == ".zip" else _Folder(part)
            with out:
                yield out
            _refuse_existing(target)
            part.rename(target)


def _refuse_existing(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise AlreadyExists(Sentence(f"{target} đã có rồi.", f"{target} exists already."))


@contextmanager
def _told(target: Path) -> Iterator[None]:
    """What the disk refuses, as an error that says what to do."""
    try:
        yield
    except TangThuError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(
                Sentence(f"Hết chỗ khi ghi {target}.", f"No space left while {target} was written.")
            ) from error
        raise UsageError(
            Sentence(f"Không ghi được {target}: {error.strerror}.", f"Cannot write {target}: {error.strerror}.")
        ) from error


class _Zip:
    """Members as in an AIP object: stored, UTF-8 names, ZIP64 where numbers need it, the same bytes every time."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")
        self._directory: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file, self._directory:
            if error is None:
                self._end()

    def add(self, path: str, size: int, crc32: int, chunks: Iterable[bytes]) -> None:
        name = path.encode()
        offset = self._file.tell()
        self._file.write(local_header(name, size, crc32))
        _copy(path, size, crc32, chunks, self._file)
        self._directory.write(central_record(name, size, crc32, offset))
        self._count += 1

    def _end(self) -> None:
        offset, size = self._file.tell(), self._directory.tell()
        self._directory.seek(0)
        shutil.copyfileobj(self._directory, self._file, _COPY)
        self._file.write(end_records(Directory(offset, size, self._count)))


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def add(self, path: str, size: int, crc32: int, chunks: Iterable[bytes]) -> None:
        parts = path.split("/")
        if any(part in ("", ".", "..") or "\0" in part for part in parts):
            raise _differs(path)
        place = self._path.joinpath(*parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:
            _copy(path, size, crc32, chunks, file)


def _copy(path: str, size: int, crc32: int, chunks: Iterable[bytes], file: IO[bytes]) -> None:
    found, total = 0, 0
    for chunk in chunks:
        found = zlib.crc32(chunk, found)
        total += len(chunk)
        file.write(chunk)
    if (total, found) != (size, crc32):
        raise _differs(path)


def _differs(path: str) -> Damaged:
    return Damaged(
        Sentence(
            f"Tệp {path} không như danh mục của kho ghi; gói tin không được đưa ra.",
            f"File {path} is not as the catalogue has it; the package is not given out.",
        )
    )
