"""What a backup is in a store: parts of at most some MiB, and a manifest that names each by its SHA-256, written last.

``_tangthu/backup/<id>/000001-<digest>.jsonl.gz`` … are the catalogue's rows, ``000023-<digest>.tar.gz`` … the files.
Each part of rows can be read by itself; parts of files are one stream, cut. A name holds the digest of its bytes, so
that a second try never meets other bytes under the same key. Without a manifest there is no backup.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Self

from metadata.backups import BackupKind
from metadata.canonical import canonical
from metadata.catalogue.portable import Line, columns_of
from metadata.dates import read_utc, utc_text
from metadata.errors import Damaged, NotFound, StoreUnavailable, TangThuError, Unreadable
from metadata.identifiers import ArchiveCode, StoreId
from metadata.text import Sentence
from storage.keys import BACKUP_PREFIX, backup_prefix
from storage.port import Store
from storage.settled import read_small

FORMAT = "tangthu-backup/1"
MANIFEST = "manifest.json"
FILES = "files"
"""What the parts of packed files tell, where others name their sections."""
PART_BYTES = 8 << 20
"""About how many bytes a part has; a store takes up to 16 MiB whole or not at all."""
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,99}")
_RAW_BYTES = 64 << 20
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class PartOf:
    """One part: its name below the backup's prefix, bytes, SHA-256, and the sections (or ``files``) that it tells."""

    name: str
    size: int
    sha256: bytes
    sections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. ``base`` is the backup it goes on top of, with ``base_digest`` of that one's manifest.

    ``journal`` is the number of the last journal entry that it holds, ``rows`` how many of each table.
    """

    id: str
    kind: BackupKind
    at: datetime
    archive: ArchiveCode
    software: str
    parts: tuple[PartOf, ...]
    rows: Mapping[str, int]
    versions: int
    journal: int
    base: str = ""
    base_digest: bytes = b""
    left_out: tuple[str, ...] = field(default=())

    def encode(self) -> bytes:
        """Canonical JSON, with a line feed at the end."""
        document = {
            "format": FORMAT,
            "id": self.id,
            "kind": self.kind.value,
            "at": utc_text(self.at),
            "archive": self.archive.value,
            "software": self.software,
            "base": self.base,
            "base_manifest": self.base_digest.hex(),
            "versions": self.versions,
            "journal": self.journal,
            "rows": dict(self.rows),
            "left_out": list(self.left_out),
            "parts": [
                {"name": one.name, "bytes": one.size, "sha256": one.sha256.hex(), "sections": list(one.sections)}
                for one in self.parts
            ],
        }
        return f"{canonical(document)}\n".encode()

    @classmethod
    def decode(cls, data: bytes, id: str) -> Self:
        """Raises ValueError unless it is exactly in the canonical form, and that backup's."""
        try:
            told = json.loads(data)
            parts = tuple(
                PartOf(one["name"], one["bytes"], bytes.fromhex(one["sha256"]), tuple(one["sections"]))
                for one in told["parts"]
            )
            made = cls(
                told["id"], BackupKind(told["kind"]), read_utc(told["at"]), ArchiveCode(told["archive"]),
                told["software"], parts, told["rows"], told["versions"], told["journal"], told["base"],
                bytes.fromhex(told["base_manifest"]), tuple(told["left_out"]),
            )  # fmt: skip
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError("not a manifest") from error
        if made.encode() != data or made.id != id:
            raise ValueError("a manifest that somebody has changed")
        return made

    @property
    def digest(self) -> bytes:
        """SHA-256 of the manifest: it vouches for everything that the backup holds."""
        return hashlib.sha256(self.encode()).digest()

    @property
    def size(self) -> int:
        """Bytes in one store."""
        return sum(part.size for part in self.parts) + len(self.encode())

    def key(self, name: str = MANIFEST) -> str:
        """Where a part, or the manifest, lies."""
        return backup_prefix(self.id) + name


class PartWriter:
    """Cuts what it is given into parts and hands each on. ``put`` gets the name and the bytes of a part."""

    def __init__(self, put: Callable[[str, bytes], None], part_bytes: int = PART_BYTES) -> None:
        self._put = put
        self._part_bytes = part_bytes
        self._pieces: list[bytes] = []
        self._size = 0
        self._raw = 0
        self._packer: Any = None
        self._sections: list[str] = []
        self._section = ""
        self.parts: list[PartOf] = []
        self.rows: Counter[str] = Counter()

    def lines(self, lines: Iterable[Line]) -> None:
        """Rows, each section and each part beginning with a line that names the columns."""
        for line in lines:
            if line.section != self._section or self._packer is None:
                self._head(line.section)
            self._pack(json.dumps(line.values, separators=(",", ":")).encode() + b"\n")
            self.rows[line.section] += 1
            if self._size >= self._part_bytes or self._raw >= _RAW_BYTES:
                self.cut("jsonl.gz")
        self.cut("jsonl.gz")

    def _head(self, section: str) -> None:
        if self._packer is None:
            self._packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
        if section not in self._sections:
            self._sections.append(section)
        self._section = section
        head = {"table": section, "columns": list(columns_of(section))}
        self._pack(json.dumps(head, separators=(",", ":")).encode() + b"\n")

    def _pack(self, data: bytes) -> None:
        self._raw += len(data)
        self.write(self._packer.compress(data))

    def write(self, data: bytes) -> None:
        """Bytes that are packed already."""
        if data:
            self._pieces.append(bytes(data))
            self._size += len(data)

    def files(self, data: bytes) -> None:
        """A piece of the packed files."""
        for start in range(0, len(data), self._part_bytes):
            self.write(data[start : start + self._part_bytes])
            if self._size >= self._part_bytes:
                self.cut("tar.gz", FILES)

    def cut(self, ending: str, *sections: str) -> None:
        """End the part."""
        if self._packer is not None:
            self.write(self._packer.flush())
        data = b"".join(self._pieces)
        told = sections or tuple(self._sections)
        self._pieces, self._size, self._raw, self._packer = [], 0, 0, None
        self._sections, self._section = [], ""
        if not data:
            return
        digest = hashlib.sha256(data)
        name = f"{len(self.parts) + 1:06d}-{digest.hexdigest()[:16]}.{ending}"
        self._put(name, data)
        self.parts.append(PartOf(name, len(data), digest.digest(), told))


def read_rows(parts: Iterable[bytes]) -> Iterator[tuple[str, Sequence[str], Sequence[Any]]]:
    """Section, columns and values of every row in packed parts. Raises Unreadable for what no backup would hold."""
    for data in parts:
        section, columns, left = "", (), 2 * _RAW_BYTES
        packed = gzip.GzipFile(fileobj=io.BytesIO(data))
        try:
            while line := packed.readline(left + 1):
                if (left := left - len(line)) < 0:
                    raise _broken(section)
                told = json.loads(line)
                if isinstance(told, dict):
                    section, columns = told["table"], tuple(told["columns"])
                elif isinstance(told, list) and len(told) == len(columns):
                    yield section, columns, told
                else:
                    raise _broken(section)
        except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error, RecursionError) as error:
            raise _broken(section) from error


def sections(
    rows: Iterable[tuple[str, Sequence[str], Sequence[Any]]],
) -> Iterator[tuple[str, Sequence[str], Iterator[Sequence[Any]]]]:
    """Rows by section, as the catalogue takes them."""
    for (name, columns), group in groupby(rows, key=lambda row: (row[0], tuple(row[1]))):
        yield name, columns, (row[2] for row in group)


def manifest_in(store: Store, backup: str) -> Manifest | None:
    """The manifest of a backup in a store; None when there is none. Raises Unreadable, StoreUnavailable."""
    key = backup_prefix(backup) + MANIFEST
    data = read_small(store, key)
    if data is None:
        return None
    try:
        return Manifest.decode(data, backup)
    except ValueError as error:
        raise Unreadable(
            Sentence(
                f"Bản kê {key} trong nơi lưu “{store.id}” không đọc được ({error}).",
                f"The manifest {key} in the store “{store.id}” cannot be read ({error}).",
            )
        ) from error


def backups_in(store: Store) -> list[str]:
    """The backups that have a manifest in a store, the newest last. One request for each, whatever their parts."""
    found: list[str] = []
    after = ""
    while (info := next(iter(store.list(BACKUP_PREFIX, after)), None)) is not None:
        backup = info.key.removeprefix(BACKUP_PREFIX).partition("/")[0]
        if _ID.fullmatch(backup) and store.head(backup_prefix(backup) + MANIFEST) is not None:
            found.append(backup)
        after = f"{BACKUP_PREFIX}{backup}/\U0010ffff"
    return found


def read_part(store: Store, manifest: Manifest, part: PartOf) -> bytes:
    """The bytes of a part. Raises NotFound, Damaged, Unreadable, StoreUnavailable."""
    key = manifest.key(part.name)
    data = read_small(store, key)
    if data is None:
        raise NotFound(Sentence(f"Nơi lưu “{store.id}” không có {key}.", f"The store “{store.id}” has no {key}."))
    if len(data) != part.size or hashlib.sha256(data).digest() != part.sha256:
        raise Damaged(
            Sentence(f"{key} trong nơi lưu “{store.id}” bị hỏng.", f"{key} in the store “{store.id}” is damaged.")
        )
    return data


def part_from(
    stores: Sequence[Store], manifest: Manifest, part: PartOf, note: Callable[[StoreId, Sentence], None]
) -> bytes:
    """The bytes of a part from the first store that has it whole; ``note`` hears of the others. Raises Damaged,
    StoreUnavailable when only stores that do not answer might have it."""
    away: StoreUnavailable | None = None
    for store in stores:
        try:
            return read_part(store, manifest, part)
        except StoreUnavailable as error:
            away = error
            note(store.id, error.sentence)
        except TangThuError as error:
            note(store.id, error.sentence)
    if away is not None:
        raise away
    key = manifest.key(part.name)
    raise Damaged(Sentence(f"Không nơi lưu nào còn {key} nguyên vẹn.", f"No store has {key} whole any more."))


def _broken(section: str) -> Unreadable:
    return Unreadable(
        Sentence(
            f"Bản sao lưu có dòng không đọc được ({section}).", f"A backup has a line that cannot be read ({section})."
        )
    )
