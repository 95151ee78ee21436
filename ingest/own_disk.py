"""Faults of this machine, told apart from faults of a package."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from ingest.sources.port import is_full, is_ours
from metadata.errors import NoSpace, TemporaryError
from metadata.text import Sentence

_DISK = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})


@contextlib.contextmanager
def own_disk() -> Iterator[None]:
    """A full disk under the work folder is a reason to try again, not a verdict on the package."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise _no_space() from error
        if is_ours(error):
            raise _overloaded() from error
        raise
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _DISK:  # the rest of the code says which operation failed
            raise
        raise _no_space() from error


def _overloaded() -> TemporaryError:
    return TemporaryError(
        Sentence(
            "Máy đang quá tải (hết bộ nhớ hoặc số tệp được mở). Không lưu gì cả; hãy gửi lại sau.",
            "The machine is overloaded (out of memory or of open files). Nothing was kept; send again later.",
        )
    )


def _no_space() -> NoSpace:
    return NoSpace(
        Sentence(
            "Đĩa của thư mục làm việc đã đầy. Không lưu gì cả; hãy giải phóng chỗ rồi gửi lại.",
            "The disk under the work folder is full. Nothing was kept; make room and send again.",
        )
    )
