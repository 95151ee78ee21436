"""Keys as paths below a folder, one to one, so that people find objects with ordinary tools.

Keys as ``storage.keys`` makes them are their own paths. What a file system cannot hold is escaped with ``~``:

    ~7E       a character, by the hexadecimal bytes of its UTF-8 form (``~`` itself, ``\\ : * ? " < > |``, a leading
              dot, a trailing dot or space, the first letter of a name that Windows reserves)
    ~e        an empty segment
    x~-/y     the segment ``xy``, too long for one name
    x~o       an object whose name does not end in .zip or .json
    x.zip~d   a folder whose name does

The last two let an object ``a`` and an object ``a/b`` stand side by side, as they may in S3.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_NAME_BYTES = 240
"""Longest name that is made, in bytes; file systems allow 255."""

_UNSAFE = re.compile(r'[~\\:*?"<>|\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
_UNITS = re.compile(r"(?:~[0-9A-F]{2})+|[^~]", re.DOTALL)
_ESCAPES = re.compile(r"(?:~[0-9A-F]{2})+")
_SUFFIXES = (".zip", ".json")
_CONTINUED = "~-"
_OBJECT = "~o"
_FOLDER = "~d"
_EMPTY = "~e"


def _escape(character: str) -> str:
    return "".join(f"~{byte:02X}" for byte in character.encode())


def _names(segment: str, is_object: bool) -> list[str]:
    """The path components of one segment."""
    units = [_escape(c) if _UNSAFE.match(c) else c for c in segment]
    if units and units[0] == ".":
        units[0] = _escape(".")
    if units and units[-1] in (".", " "):
        units[-1] = _escape(units[-1])
    if _RESERVED.match(segment):
        units[0] = _escape(segment[0])
    names, current, used = [], "", 0
    for unit in units:
        size = len(unit.encode())
        if used + size > _NAME_BYTES:
            names.append(current + _CONTINUED)
            current, used = "", 0
        current += unit
        used += size
    current = current or _EMPTY
    if current.endswith(_SUFFIXES) is not is_object:
        current += _OBJECT if is_object else _FOLDER
    return [*names, current]


def object_path(key: str) -> str:
    """The path of the object, relative to the folder of objects."""
    *folders, last = key.split("/")
    return "/".join([name for folder in folders for name in _names(folder, False)] + _names(last, True))


def folder_path(prefix: str) -> str:
    """The path of the folder that holds all keys beginning with ``prefix``, which is empty or ends in ``/``."""
    return "/".join(name for folder in prefix.split("/")[:-1] for name in _names(folder, False))


class Meaning(NamedTuple):
    """What a path component stands for."""

    text: str
    is_object: bool
    continued: bool


def read_name(name: str) -> Meaning | None:
    """None for a name that no key has: something that others have put into the folder."""
    plain = name
    for mark in (_CONTINUED, _OBJECT, _FOLDER):
        plain = plain.removesuffix(mark)
    if plain == _EMPTY:
        plain = ""
    elif not plain or "".join(_UNITS.findall(plain)) != plain:
        return None
    try:
        text = _ESCAPES.sub(lambda match: bytes.fromhex(match[0].replace("~", "")).decode(), plain)
    except UnicodeDecodeError:
        return None
    return Meaning(text, name.endswith((_OBJECT, *_SUFFIXES)), name.endswith(_CONTINUED))
