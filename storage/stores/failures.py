"""What a store says when it cannot do as asked: one place for the sentences, in both languages."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from metadata.errors import (
    AlreadyExists,
    Cold,
    Damaged,
    Locked,
    NoSpace,
    NotFound,
    OnShelf,
    StoreUnavailable,
    UsageError,
)
from metadata.identifiers import StoreId
from metadata.text import Sentence

MAX_PREFIX_BYTES = 64
"""The longest prefix of a store in a bucket, in UTF-8 bytes."""

MAX_KEY_BYTES = 1024 - MAX_PREFIX_BYTES
"""The longest key that every store takes: the limit of S3, less the prefix."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def checked_key(key: str) -> str:
    """``key`` itself; ValueError when it is empty, too long, or has control characters or lone surrogates."""
    if not key or len(key.encode()) > MAX_KEY_BYTES or any(ord(c) < 32 or ord(c) == 127 for c in key):
        raise ValueError(f"not a valid key: {key[:80]!r}")
    return key


def checked_range(size: int, start: int, length: int | None) -> int:
    """How many bytes a reading gives; ValueError when the range is not wholly inside the object."""
    wanted = size - start if length is None else length
    if start < 0 or wanted < 0 or start + wanted > size:
        raise ValueError(f"bytes {start}+{length} are not inside an object of {size} bytes")
    return wanted


def unavailable(store: StoreId, reason: str) -> StoreUnavailable:
    return StoreUnavailable(
        Sentence(
            vi=f"Nơi lưu “{store}” không trả lời ({reason}). Hãy kiểm tra nơi lưu rồi thử lại.",
            en=f"The store “{store}” does not answer ({reason}). Check the store and try again.",
        )
    )


def not_mounted(store: StoreId, reason: str) -> StoreUnavailable:
    return StoreUnavailable(
        Sentence(
            vi=f"Nơi lưu “{store}” chưa được gắn vào hệ thống ({reason}). Hãy gắn đúng ổ đĩa của nơi lưu rồi thử lại.",
            en=f"The store “{store}” is not mounted ({reason}). Mount the store's own disk and try again.",
        )
    )


def no_space(store: StoreId) -> NoSpace:
    return NoSpace(
        Sentence(
            vi=f"Nơi lưu “{store}” đã hết chỗ lưu. Hãy mở rộng dung lượng rồi thử lại.",
            en=f"The store “{store}” is full. Give it more space and try again.",
        )
    )


def not_found(store: StoreId, key: str) -> NotFound:
    return NotFound(
        Sentence(vi=f"Nơi lưu “{store}” không có đối tượng “{key}”.", en=f"The store “{store}” has no object “{key}”.")
    )


def no_upload(store: StoreId, key: str) -> NotFound:
    return NotFound(
        Sentence(
            vi=f"Nơi lưu “{store}” không còn lượt tải lên này của “{key}”, hoặc thiếu phần của nó.",
            en=f"The store “{store}” does not have this upload of “{key}”, or not all of its parts.",
        )
    )


def already_exists(store: StoreId, key: str) -> AlreadyExists:
    return AlreadyExists(
        Sentence(
            vi=f"Nơi lưu “{store}” đã có đối tượng “{key}”; đối tượng đã lưu không bao giờ bị ghi đè.",
            en=f"The store “{store}” already has an object “{key}”; a stored object is never overwritten.",
        )
    )


def on_shelf(store: StoreId, label: str) -> OnShelf:
    """A medium that nobody has connected: no incident."""
    name = f"{store}, {label}" if label else f"{store}"
    return OnShelf(
        Sentence(
            vi=f"Phương tiện “{name}” đang cất trên giá. Khi cần đọc, hãy nối nó vào máy rồi thử lại.",
            en=f"The medium “{name}” is on the shelf. Connect it when it is to be read, and try again.",
        )
    )


def sealed(store: StoreId) -> OnShelf:
    return OnShelf(
        Sentence(
            vi=f"Bộ lưu trữ “{store}” đã đóng; không nhận thêm, không bỏ đi đối tượng nào.",
            en=f"The set “{store}” is closed; no object is added to it or removed from it.",
        )
    )


def locked(store: StoreId, key: str, until: datetime | None) -> Locked:
    """``until`` None: a legal hold, without an end."""
    vi, en = (f"đến {until:%d/%m/%Y %H:%M} UTC", f"until {until:%Y-%m-%d %H:%M} UTC") if until else ("", "")
    return Locked(
        Sentence(
            vi=f"Nơi lưu “{store}” đang khóa đối tượng “{key}” {vi or 'theo yêu cầu giữ nguyên'}; chưa xóa được.",
            en=f"The store “{store}” keeps “{key}” locked {en or 'by a legal hold'}; it cannot be removed yet.",
        )
    )


def cold(store: StoreId, key: str) -> Cold:
    return Cold(
        Sentence(
            vi=f"Đối tượng “{key}” nằm trong nơi lưu lạnh “{store}”: hãy xin lấy ra và đọc lại sau vài giờ.",
            en=f"“{key}” is in the cold store “{store}”: ask for it and read it in some hours.",
        )
    )


def not_encrypted(store: StoreId) -> UsageError:
    return UsageError(
        Sentence(
            vi=f"Máy chủ của nơi lưu “{store}” không mã hóa như thiết lập stores.sse yêu cầu; không ghi gì.",
            en=f"The server of the store “{store}” does not encrypt as stores.sse asks; nothing was kept there.",
        )
    )


def put_wrongly(store: StoreId, key: str) -> Damaged:
    return Damaged(
        Sentence(
            vi=f"Nơi lưu “{store}” đã ghi sai đối tượng “{key}”; đối tượng hỏng đã được xóa. Hãy gửi lại.",
            en=f"The store “{store}” put “{key}” together wrongly; the bad object was removed. Send it again.",
        )
    )


@contextmanager
def disk_errors(store: StoreId) -> Iterator[None]:
    """Turn the operating system's errors into the house's: a full disk is NoSpace, all others StoreUnavailable."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise no_space(store) from error
        raise unavailable(store, error.strerror or type(error).__name__) from error
