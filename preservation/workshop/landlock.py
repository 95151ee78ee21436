"""Landlock, Linux's own way for a process to give up the file system: by its three system calls, as of version 1 (Linux
5.13); network rules as of 4, scopes as of 6 (``Documentation/userspace-api/landlock.rst``)."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION, _BENEATH = 1, 1
_EXECUTE, _READ_FILE, _READ_FOLDER = 1, 1 << 2, 1 << 3
_RULESET = struct.Struct("=QQQ")
_RULE = struct.Struct("=Qi")
# How many rights to files, and to TCP ports, and how many scopes each version knows.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_NETWORK_SINCE, _NETWORK_RIGHTS = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11
_NEWEST_FILE_RIGHTS = 16


def version() -> int:
    """The version that the kernel has, 0 when it has none."""
    return max(0, int(ctypes.CDLL(None, use_errno=True).syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION)))


def restrict(readable: Iterable[Path], listable: Path) -> int:
    """Give up all files but for reading those at and below ``readable``, and the names below ``listable``; all TCP
    and signals to others where the kernel knows of them. The version by which it holds, 0 when it does not.

    The process must have given up new privileges before.
    """
    known = version()
    if not known:
        return 0
    call = ctypes.CDLL(None, use_errno=True).syscall
    files = (1 << _FILE_RIGHTS.get(known, _NEWEST_FILE_RIGHTS)) - 1
    network = _NETWORK_RIGHTS if known >= _NETWORK_SINCE else 0
    rules = _RULESET.pack(files, network, _SCOPES if known >= _SCOPES_SINCE else 0)
    ruleset = call(_CREATE, rules, ctypes.c_size_t(len(rules)), 0)
    if ruleset < 0:
        return 0
    try:
        for path in readable:
            _add(ruleset, path, _READ_FILE | _READ_FOLDER | _EXECUTE if path.is_dir() else _READ_FILE)
        _add(ruleset, listable, _READ_FOLDER)
        return 0 if call(_RESTRICT, ruleset, 0) else known
    finally:
        os.close(ruleset)


def _add(ruleset: int, path: Path, rights: int) -> None:
    """What is not there needs no rule."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = _RULE.pack(rights, descriptor)
        ctypes.CDLL(None, use_errno=True).syscall(_ADD, ruleset, _BENEATH, rule, 0)
    finally:
        os.close(descriptor)
