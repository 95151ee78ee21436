"""Being sure of a small object: lines and memories flip bits, so one reading that is odd is read again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from metadata.errors import StoreUnavailable
from metadata.identifiers import StoreId
from metadata.text import Sentence

_MOST_READS = 5


def settled(store: StoreId, read: Callable[[], bytes | None]) -> bytes | None:
    """What two readings agree on (None: there is no such object). Raises StoreUnavailable when no two of five do."""
    seen: list[bytes | None] = []
    for _ in range(_MOST_READS):
        data = read()
        if data in seen:
            return data
        seen.append(data)
    raise reads_differ(store)


def vouched(data: bytes, following: bytes | None) -> bool:
    """Whether the next object of a chain names the digest of ``data`` as ``previous``."""
    try:
        return following is not None and bool(json.loads(following)["previous"] == hashlib.sha256(data).hexdigest())
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def reads_differ(store: StoreId) -> StoreUnavailable:
    """Reading again gave other bytes: that is no damage of the object, and tells nothing about it."""
    return StoreUnavailable(
        Sentence(
            f"Các lần đọc từ nơi lưu “{store}” cho kết quả khác nhau: hãy kiểm tra đường truyền và bộ nhớ của máy.",
            f"Reads from the store “{store}” do not agree: look at the connection and at the machine's memory.",
        )
    )
