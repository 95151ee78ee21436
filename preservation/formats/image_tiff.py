"""The chain of directories (IFDs) of a TIFF or BigTIFF: are they where they should be, and does it end?

TIFF 6.0 §2; BigTIFF of libtiff 4.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

DIRECTORIES = 10_000


def is_tiff(head: bytes) -> bool:
    """Whether a file begins as a TIFF does."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def fault_of_chain(file: BinaryIO, size: int) -> str:
    """What is wrong with the chain, in English; empty when nothing is. At most ``DIRECTORIES`` are followed."""
    file.seek(0)
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    entry, count, offset = (20, "Q", "Q") if big else (12, "H", "I")
    wide = struct.Struct(order + count), struct.Struct(order + offset)
    try:
        (at,) = wide[1].unpack_from(head, 8 if big else 4)
    except struct.error:
        return "the header is cut off"
    seen: set[int] = set()
    while at and len(seen) < DIRECTORIES:
        if at in seen:
            return f"directory {len(seen) + 1} is an earlier one again (loop)"
        if at >= size:
            return f"directory {len(seen) + 1} lies beyond the end of the file"
        seen.add(at)
        file.seek(at)
        entries = file.read(wide[0].size)
        if len(entries) < wide[0].size:
            return f"directory {len(seen)} is cut off"
        file.seek(at + wide[0].size + wide[0].unpack(entries)[0] * entry)
        following = file.read(wide[1].size)
        if len(following) < wide[1].size:
            return f"directory {len(seen)} is cut off"
        (at,) = wide[1].unpack(following)
    return "" if seen else "no directory"
