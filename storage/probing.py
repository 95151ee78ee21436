"""What a store can do, found out by trying; and what it means for the archive where it cannot."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final

from metadata.errors import AlreadyExists, TangThuError
from metadata.stores import Ability, Found, Probe
from metadata.text import Sentence
from storage.keys import probe_prefix
from storage.stores.directory import DirectoryStore
from storage.stores.s3 import S3Store

LACKING: Final[Mapping[Ability, Sentence]] = {
    Ability.CONDITIONAL_CREATE: Sentence(
        "Hai tiến trình ghi cùng một khóa đúng một lúc có thể đều tưởng mình ghi được. Phần mềm đọc lại sau mỗi lần ghi"
        " nhỏ; không nên để nhiều máy cùng ghi nhật ký vào nơi lưu này.",
        "Two writers of one key at the very same moment may both believe that they won. The software reads back after"
        " each small write; do not let several machines write journals here.",
    ),
    Ability.CONDITIONAL_COMPLETE: Sentence(
        "Gói lớn được kiểm tra trước khi ghép; không có bảo đảm của chính máy chủ.",
        "Before a large object is completed the key is looked up; the server itself guarantees nothing.",
    ),
    Ability.CHECKSUMS: Sentence(
        "Máy chủ không giữ mã CRC: khi ghi thì dựa vào MD5 (nếu nó kiểm), sau đó chỉ dựa vào đọc lại từng byte.",
        "The server keeps no CRC: writing relies on MD5 where it is checked, afterwards on reading every byte back.",
    ),
    Ability.OBJECT_LOCK: Sentence(
        "Nơi lưu này không chứng tỏ được là nó khóa: ai có khóa truy cập thì xóa được. Đừng tính là bản sao bị khóa.",
        "This store has not proved that it locks: whoever has its keys can delete. Do not count it as a locked copy.",
    ),
    Ability.VERSIONING: Sentence(
        "Không có phiên bản cũ: cái gì bị xóa ở máy chủ là mất ở nơi lưu này.",
        "No earlier versions are kept: what is deleted at the server is gone from this store.",
    ),
    Ability.UPLOAD_LISTING: Sentence(
        "Không dọn được lượt tải lên dở dang từ đây: hãy đặt quy tắc dọn ở máy chủ.",
        "Unfinished uploads cannot be cleared from here: set a rule for that at the server.",
    ),
    Ability.LIFECYCLE: Sentence(
        "Không xem được quy tắc tự xóa của bucket: hãy hỏi người quản trị máy chủ.",
        "Rules of the bucket that delete by themselves cannot be seen: ask who runs the server.",
    ),
    Ability.RANGES: Sentence(
        "Không đọc được một phần đối tượng: nơi lưu này không dùng được để phục vụ người đọc.",
        "Parts of objects cannot be read: this store is of no use to readers.",
    ),
    Ability.ENCRYPTION: Sentence(
        "Máy chủ không xác nhận mã hóa khi lưu; tài liệu mật cần đĩa mã hóa.",
        "The server does not confirm encryption at rest; confidential records need encrypted disks.",
    ),
    Ability.HARD_LINKS: Sentence(
        "Hệ thống tệp không có liên kết cứng: thư mục này không làm nơi lưu được.",
        "The file system has no hard links: this folder cannot be a store.",
    ),
    Ability.EXACT_NAMES: Sentence(
        "Hệ thống tệp lẫn lộn tên: thư mục này không làm nơi lưu được.",
        "The file system confuses names: this folder cannot be a store.",
    ),
}
"""What it means where an ability is not there."""


def probe(store: DirectoryStore | S3Store, at: datetime) -> Probe:
    """Try each ability on scratch objects under ``_tangthu/probe/``, which are removed.

    Raises StoreUnavailable when the store does not answer at all.
    """
    if isinstance(store, S3Store):
        trial = store.trial(probe_prefix(uuid.uuid4().hex))
        found = trial.run()
        server = trial.server()
    else:
        found, server = _try_folder(store), store.file_system()
    notes = {ability: note for ability, (_, note) in found.items() if note}
    return Probe(at, {ability: outcome for ability, (outcome, _) in found.items()}, notes, server)


def _try_folder(store: DirectoryStore) -> Mapping[Ability, tuple[Found, str]]:
    store.head("k")  # raises when the folder is not mounted
    key = f"{probe_prefix(uuid.uuid4().hex)}k"
    try:
        store.put(key, b"0123456789")
        again = _refused(store, key)
        with store.open(key, 2, 3) as stream:
            ranged = stream.read(3) == b"234"
        upload = store.begin(key)
        listed = any(one.id == upload.id for one in store.uploads(key))
        store.abort(upload)
    finally:
        with suppress(TangThuError):
            store.delete(key)
    fit = store.fitness()
    return {
        Ability.CONDITIONAL_CREATE: (Found.YES if again and fit[0] else Found.NO, ""),
        Ability.CONDITIONAL_COMPLETE: (Found.YES if again and fit[0] else Found.NO, ""),
        Ability.RANGES: (Found.YES if ranged else Found.NO, ""),
        Ability.UPLOAD_LISTING: (Found.YES if listed else Found.NO, ""),
        Ability.HARD_LINKS: (Found.YES if fit[0] else Found.NO, ""),
        Ability.EXACT_NAMES: (Found.YES if fit[1] else Found.NO, ""),
    }


def _refused(store: DirectoryStore, key: str) -> bool:
    try:
        store.put(key, b"other")
    except AlreadyExists:
        return True
    return False
