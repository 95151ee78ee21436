"""The keys of objects: for people to read, and enough to rebuild the catalogue from the stores alone."""

from __future__ import annotations

import hashlib
import re

from metadata.identifiers import AipId, ArchiveCode, FondsCode, RecordCode, VersionId

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_SEGMENT_BYTES = 200
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_OBJECT = re.compile(rf"(?:[^/]+/){{3}}({_UUID})/v([1-9][0-9]{{0,8}})\.zip", re.DOTALL)
_OWN = "_tangthu/"
JOURNAL_PREFIX = f"{_OWN}journal/"
"""What the keys of the archive's journal begin with."""
BACKUP_PREFIX = f"{_OWN}backup/"
"""What the keys of all backups begin with."""
_JOURNAL = re.compile(r"_tangthu/journal/([0-9]{9})\.json")
_LOG = re.compile(rf"((?:[^/]+/){{3}}{_UUID}/v[1-9][0-9]{{0,8}})\.log/([0-9]{{6,9}})\.json", re.DOTALL)


def object_key(archive: ArchiveCode, fonds: FondsCode, code: RecordCode, version: VersionId) -> str:
    """``<archive>/<fonds>/<dossier code>/<aip-id>/v<N>.zip``: where an AIP version lies in every store."""
    folders = "/".join(_segment(part.value) for part in (archive, fonds, code))
    return f"{folders}/{version.aip}/v{version.number}.zip"


def log_prefix(object_key: str) -> str:
    """What the keys of an AIP version's log objects begin with. Raises ValueError when it is no object key."""
    if not _OBJECT.fullmatch(object_key):
        raise ValueError(f"not the key of an AIP object: {object_key[:200]!r}")
    return f"{object_key.removesuffix('.zip')}.log/"


def log_key(object_key: str, number: int) -> str:
    """Where log object ``number`` (from 1) of the AIP version under ``object_key`` lies. Raises ValueError."""
    if number < 1:
        raise ValueError(f"log objects are numbered from 1, not {number}")
    return f"{log_prefix(object_key)}{number:06d}.json"


def parse_object_key(key: str) -> VersionId | None:
    """The AIP version that lies under ``key``; None when it is not the key of an AIP object."""
    match = _OBJECT.fullmatch(key)
    return VersionId(AipId.parse(match[1]), int(match[2])) if match else None


def parse_log_key(key: str) -> tuple[str, int] | None:
    """The object key that a log object belongs to, and its number; None when it is not the key of a log object."""
    match = _LOG.fullmatch(key)
    if match is None or int(match[2]) < 1:
        return None
    object_key = f"{match[1]}.zip"
    return (object_key, int(match[2])) if log_key(object_key, int(match[2])) == key else None


def is_own_key(key: str) -> bool:
    """Whether ``key`` is one of the archive as a whole (journal, backups) and not of an AIP."""
    return key.startswith(_OWN)


def journal_key(number: int) -> str:
    """Where entry ``number`` (from 1) of the archive's journal lies in every store. Raises ValueError."""
    if not 1 <= number <= 999_999_999:
        raise ValueError(f"journal entries are numbered from 1 to 999,999,999, not {number}")
    return f"{JOURNAL_PREFIX}{number:09d}.json"


def parse_journal_key(key: str) -> int | None:
    """The number of the journal entry that lies under ``key``; None when it is not the key of one."""
    match = _JOURNAL.fullmatch(key)
    return int(match[1]) or None if match else None


def backup_prefix(backup: str) -> str:
    """What the keys of a backup's objects begin with."""
    return f"{BACKUP_PREFIX}{_segment(backup)}/"


def probe_prefix(probe: str) -> str:
    """What the keys of the scratch objects of a trial begin with; none is left when it has ended."""
    return f"{_OWN}probe/{_segment(probe)}/"


SET_KEY = f"{_OWN}set.json"
"""What a medium holds that was closed as a set: every object's key, size and SHA-256."""


def _segment(text: str) -> str:
    """One folder name: what stores and file systems may misread is percent-encoded, letters of any script stay.

    Longer than 200 bytes (file systems stop at 255, S3 keys at 1,024) it is cut and ends in ``~`` and a digest.
    """
    if text in (".", ".."):
        return "%2E" * len(text)
    parts = [c if c in _PLAIN or (not c.isascii() and c.isalpha()) else _percent(c) for c in text]
    if len("".join(parts).encode()) <= _SEGMENT_BYTES:
        return "".join(parts)
    mark = "~" + hashlib.sha256(text.encode()).hexdigest()[:16]
    kept, room = [], _SEGMENT_BYTES - len(mark)
    for part in parts:
        room -= len(part.encode())
        if room < 0:
            break
        kept.append(part)
    return "".join(kept) + mark


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())
