"""A filter of system calls (seccomp, Linux 3.5): no new process, no program, no socket, whoever asks for them.

The list is data, ``syscalls.toml``; the filter is a small program that the kernel runs at each call
(``Documentation/userspace-api/seccomp_filter.rst``).
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import tomllib
from importlib.resources import files
from typing import Any

_SET_SECCOMP, _FILTER = 22, 2
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16
_THREAD = 0x00010000
_OTHER_TABLE = 0x40000000
_LITTLE = struct.Struct("=HBBI")


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def restrict() -> bool:
    """Refuse the calls of ``syscalls.toml`` to this process for good; whether the kernel took it.

    The process must have given up new privileges before.
    """
    table = _table().get(platform.machine())
    if table is None:
        return False
    code = program(table)
    length = len(code) // _LITTLE.size
    return bool(ctypes.CDLL(None).prctl(_SET_SECCOMP, _FILTER, ctypes.byref(_Program(length, code))) == 0)


def program(table: dict[str, Any]) -> bytes:
    """The filter for a machine: calls by another machine's convention end the process, those listed fail."""
    refused = _returns(_ERRNO | errno.EPERM)
    steps = [
        _step(_LOAD, _MACHINE),
        _step(_EQUAL, table["audit"], yes=1),
        _returns(_KILL),
        _step(_LOAD, _NUMBER),
        _step(_AT_LEAST, _OTHER_TABLE, no=1),
        _returns(_KILL),
        _step(_EQUAL, table["clone3"], no=1),
        _returns(_ERRNO | errno.ENOSYS),
    ]
    for part in ("network", "processes", "writing"):
        for number in table[part].values():
            steps += [_step(_EQUAL, number, no=1), refused]
    steps += [
        _step(_EQUAL, table["clone"], no=3),
        _step(_LOAD, _FIRST_ARGUMENT),
        _step(_ANY_BIT, _THREAD, yes=1),
        refused,
        _returns(_ALLOW),
    ]
    return b"".join(steps)


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """One instruction; ``yes`` and ``no`` are how many to leap over."""
    return _LITTLE.pack(code, yes, no, value)


def _returns(value: int) -> bytes:
    return _step(_RETURN, value)


def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files(__package__).joinpath("syscalls.toml").read_text(encoding="utf-8"))
