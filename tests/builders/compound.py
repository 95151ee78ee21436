"""A small writer of OLE2 compound files (MS-CFB version 3), for tests."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

_SECTOR = 512
_MINI = 64
_CUTOFF = 4096
_END, _FREE, _FAT, _NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5


@dataclass
class _Entry:
    name: str
    kind: int
    data: bytes = b""
    children: dict[str, int] = field(default_factory=dict)
    left: int = _NONE
    right: int = _NONE
    child: int = _NONE
    start: int = _END
    size: int = 0


def compound_file(streams: Mapping[str, bytes]) -> bytes:
    """An OLE2 file with these streams; ``/`` in a name makes storages. Up to about 7 MB in all."""
    entries = [_Entry("Root Entry", _ROOT)]
    for path, data in streams.items():
        at = 0
        *folders, name = path.split("/")
        for folder in folders:
            at = _child(entries, at, folder, _STORAGE)
        entries[_child(entries, at, name, _STREAM)].data = data
    for entry in entries:
        _link(entries, entry)
    table: list[int] = []
    body = bytearray()
    mini, mini_table = bytearray(), list[int]()
    for entry in entries:
        entry.size = len(entry.data)
        if len(entry.data) >= _CUTOFF:
            entry.start = _chain(body, table, entry.data, _SECTOR)
        elif entry.data:
            entry.start = _chain(mini, mini_table, entry.data, _MINI)
    entries[0].start, entries[0].size = _chain(body, table, bytes(mini), _SECTOR), len(mini)
    mini_start = _chain(body, table, struct.pack(f"<{len(mini_table)}I", *mini_table), _SECTOR)
    mini_sectors = -(-len(mini_table) * 4 // _SECTOR)
    directory = _chain(body, table, b"".join(map(_packed, entries)), _SECTOR)
    fat_sectors = -(-len(table) // (_SECTOR // 4 - 1))
    first_fat = len(table)
    table += [_FAT] * fat_sectors
    table += [_FREE] * (fat_sectors * (_SECTOR // 4) - len(table))
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIIII",
        bytes.fromhex("d0cf11e0a1b11ae1"), b"", 0x3E, 3, 0xFFFE, 9, 6, 0,
        fat_sectors, directory, 0, _CUTOFF, mini_start, mini_sectors, _END, 0, first_fat,
    )  # fmt: skip
    header += struct.pack("<108I", *(first_fat + n if n < fat_sectors else _FREE for n in range(1, 109)))
    return header + bytes(body) + struct.pack(f"<{len(table)}I", *table)


def _child(entries: list[_Entry], parent: int, name: str, kind: int) -> int:
    children = entries[parent].children
    if name not in children:
        entries.append(_Entry(name, kind))
        children[name] = len(entries) - 1
    return children[name]


def _link(entries: list[_Entry], parent: _Entry) -> None:
    """The children as a list that leans to the right: a tree that is allowed, if not a good one."""
    numbers = [parent.children[name] for name in sorted(parent.children, key=lambda n: (len(n), n.upper()))]
    parent.child = numbers[0] if numbers else _NONE
    for number, following in pairwise([*numbers, _NONE]):
        entries[number].right = following


def _chain(body: bytearray, table: list[int], data: bytes, size: int) -> int:
    count = -(-len(data) // size)
    if not count:
        return _END
    first = len(table)
    table += [*range(first + 1, first + count), _END]
    body += data.ljust(count * size, b"\0")
    return first


def _packed(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16xI16xIII",
        name, len(name) + 2, entry.kind, 1, entry.left, entry.right, entry.child, 0, entry.start, entry.size, 0,
    )  # fmt: skip
