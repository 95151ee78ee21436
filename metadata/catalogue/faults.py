"""What a driver's error means to the house: by its code, never by its text."""

from __future__ import annotations

import sqlite3

from metadata.errors import Busy, CatalogueUnavailable, NoSpace, Unreadable, UsageError
from metadata.text import Sentence

_BUSY = Sentence(
    "Cơ sở dữ liệu danh mục đang bận: hãy thử lại sau.",
    "The catalogue's database is busy: try again later.",
)
_FULL = Sentence(
    "Ổ đĩa chứa cơ sở dữ liệu danh mục đã đầy: hãy giải phóng dung lượng rồi thử lại.",
    "The disk under the catalogue's database is full: make room, then try again.",
)
_AWAY = Sentence(
    "Không kết nối được cơ sở dữ liệu danh mục: hãy kiểm tra máy chủ rồi thử lại.",
    "The catalogue's database does not answer: check the server, then try again.",
)
_BROKEN = Sentence(
    "Tệp cơ sở dữ liệu danh mục bị hỏng: hãy dựng lại danh mục từ các nơi lưu.",
    "The catalogue's database file is damaged: rebuild the catalogue from the stores.",
)
_UNPREPARED = Sentence(
    "Danh mục chưa được khởi tạo hoặc thuộc phiên bản khác: hãy chạy lệnh khởi tạo kho lưu trữ.",
    "The catalogue has not been prepared, or is of another version: initialise the archive.",
)

_SQLITE = {
    sqlite3.SQLITE_BUSY: (Busy, _BUSY),
    sqlite3.SQLITE_LOCKED: (Busy, _BUSY),
    sqlite3.SQLITE_FULL: (NoSpace, _FULL),
    sqlite3.SQLITE_CORRUPT: (Unreadable, _BROKEN),
    sqlite3.SQLITE_NOTADB: (Unreadable, _BROKEN),
    sqlite3.SQLITE_ERROR: (UsageError, _UNPREPARED),
}
# SQLSTATE, the longest prefix wins (PostgreSQL, appendix A).
_POSTGRESQL = {
    "53100": (NoSpace, _FULL),
    "53": (Busy, _BUSY),
    "40": (Busy, _BUSY),
    "55P03": (Busy, _BUSY),
    "42P01": (UsageError, _UNPREPARED),
    "42703": (UsageError, _UNPREPARED),
}


def house_error(error: BaseException) -> Exception:
    """The error to raise in place of a driver's: one of the house, or ValueError when the rows themselves are wrong."""
    state = getattr(error, "sqlstate", None)
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        wrong_rows = isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.DataError)
        kind, sentence = _SQLITE.get(code, (CatalogueUnavailable, _AWAY))
    else:
        wrong_rows = state is not None and state[:2] in ("22", "23")
        matches = [prefix for prefix in _POSTGRESQL if (state or "").startswith(prefix)]
        kind, sentence = _POSTGRESQL.get(max(matches, key=len, default=""), (CatalogueUnavailable, _AWAY))
        wrong_rows = wrong_rows or (state is None and type(error).__name__ == "DataError")
    if wrong_rows:
        return ValueError(f"rows that the catalogue cannot hold: {error}")
    return kind(sentence)
