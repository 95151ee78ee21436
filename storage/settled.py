"""Being sure of a small object: lines and memories flip bits, so one reading that is odd is read again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from metadata.errors import NotFound, StoreUnavailable, Unreadable
from metadata.identifiers import StoreId
from metadata.text import Sentence
from storage.port import Store

SMALL = 16 << 20
"""The most bytes of an object that is read whole into memory."""
_MOST_READS = 5


def read_small(store: Store, key: str) -> bytes | None:
    """All bytes of an object; None when there is none. Raises Unreadable for more than ``SMALL``, StoreUnavailable."""
    info = store.head(key)
    if info is None:
        return None
    if info.size > SMALL:
        raise Unreadable(
            Sentence(
                f"{key} trong nơi lưu “{store.id}” lớn hơn bất cứ thứ gì phần mềm này ghi ở đó.",
                f"{key} in the store “{store.id}” is larger than anything that this software writes there.",
            )
        )
    try:
        with store.open(key) as stream:
            return stream.read(SMALL)
    except NotFound:
        return None


def surely(store: Store, key: str) -> bytes | None:
    """What two readings of an object agree on. Raises as :func:`settled` and :func:`read_small`."""
    return settled(store.id, lambda: read_small(store, key))


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
