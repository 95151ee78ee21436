"""Tasks for workshops: plain ones, and what a parser that has lost its way, or was taken over, may do."""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from preservation.workshop.port import Tools, Values

MODULE = __name__
_LIBC = ctypes.CDLL(None, use_errno=True)


def nothing(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    return {}


def echo(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """What it was given, and what the files hold from where they stand."""
    return {**arguments, "files": [file.read() for file in files]}


def equipped(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    return {"equipment": dict(tools.equipment)}


def count(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """How often it was asked in this process, and which that is."""
    numbers = tools.once("numbers", list)
    numbers.append(len(numbers) + 1)
    return {"asked": numbers[-1], "process": os.getpid()}


def fail(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    raise ValueError("một tệp hỏng")


def run_out(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    raise MemoryError


def make_what_fails(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """Its tool cannot be made the first time."""
    times = tools.once("times", list)

    def make() -> int:
        times.append(1)
        return 1 // (len(times) - 1)

    with suppress(ZeroDivisionError):
        tools.once("late", make)
    return {"made": tools.once("late", make), "times": len(times)}


def unsayable(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    return {"answer": object()}


def close_files(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    for file in files:
        file.close()
    return {}


def say(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    print("lời không ai hỏi" * 1000)
    print("lỗi", file=sys.stderr)
    os.write(1, b"x" * 100_000)
    return {"said": True}


def spin(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    while True:
        pass


def sleep(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    time.sleep(arguments["seconds"])
    return {"slept": arguments["seconds"]}


def hold_the_interpreter(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """As a library in C does that never comes back."""
    ctypes.PyDLL(None).sleep(1000)
    return {}


def leave(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    sys.exit(0)


def crash(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    ctypes.string_at(0)
    return {}


def recurse(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    return recurse(tools, arguments, files)


def recurse_in_c(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """The stack of the process, not of Python."""
    sys.setrecursionlimit(1 << 30)
    nested: object = ()
    for _ in range(10_000_000):
        nested = (nested,)
    return {"text": repr(nested)}


def take_memory(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    return {"taken": len(bytearray(arguments["bytes"]))}


def keep_memory(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    tools.once("kept", list).append(b"x" * arguments["bytes"])
    return {"process": os.getpid()}


def answer_at_length(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    return {"text": "x" * arguments["bytes"]}


def fork(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """Processes, by Python and past it; how many could be made."""
    made = 0
    for _ in range(20):
        with suppress(OSError):
            made += _child_of(os.fork())
        made += _child_of(_LIBC.fork())
        with suppress(OSError):
            subprocess.run(["/bin/true"], check=False)
            made += 1
    return {"made": made}


def _child_of(process: int) -> int:
    if process == 0:
        time.sleep(1000)
    return int(process > 0)


def run_thread(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(1))
    thread.start()
    thread.join()
    return {"ran": bool(seen)}


def read_path(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """A file by its path, past Python's own audit."""
    descriptor = _LIBC.open(os.fsencode(arguments["path"]), os.O_RDONLY)
    if descriptor < 0:
        return {"refused": os.strerror(ctypes.get_errno())}
    return {"read": os.read(descriptor, 100)}


def write_path(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """Make, change, rename, remove; in Python and past it. What was refused."""
    path, other = Path(arguments["path"]), Path(arguments["path"] + "-2")
    name, other_name = os.fsencode(path), os.fsencode(other)
    tries: dict[str, Any] = {
        "make": lambda: _LIBC.open(name + b"-new", os.O_CREAT | os.O_WRONLY, 0o600),
        "change": lambda: _LIBC.open(name, os.O_WRONLY),
        "cut": lambda: _LIBC.truncate(name, ctypes.c_long(0)),
        "rename": lambda: _LIBC.rename(name, other_name),
        "remove": lambda: _LIBC.unlink(name),
        "link": lambda: _LIBC.symlink(name, other_name),
        "folder": lambda: _LIBC.mkdir(other_name, 0o700),
        "mode": lambda: _LIBC.chmod(name, 0o777),
        "owner": lambda: _LIBC.chown(name, 1, 1),
        "times": lambda: _LIBC.utimes(name, None),
        "attribute": lambda: _LIBC.setxattr(name, b"user.x", b"1", ctypes.c_size_t(1), 0),
        "python": lambda: _python_says(lambda: path.write_bytes(b"changed")),
    }
    return {"refused": [what for what, attempt in tries.items() if attempt() < 0], "tried": list(tries)}


def write_given(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """The file it was given for reading."""
    descriptor = files[0].fileno()
    tries = [_LIBC.write(descriptor, b"changed", ctypes.c_size_t(7)), _LIBC.ftruncate(descriptor, ctypes.c_long(0))]
    return {"refused": [one < 0 for one in tries]}


def _python_says(attempt: Any) -> int:
    try:
        attempt()
    except OSError:
        return -1
    return 0


def reach(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """Connect to a port and to a Unix socket, ask for a name; in Python and past it."""
    inet, unix, stream, datagram = 2, 1, 1, 2
    tries: dict[str, Any] = {
        "connect": lambda: _python_says(lambda: socket.create_connection(("127.0.0.1", arguments["port"]), 2)),
        "name": lambda: _python_says(lambda: socket.getaddrinfo("localhost", 80)),
        "unix": lambda: _python_says(lambda: socket.socket(socket.AF_UNIX).connect(arguments["path"])),
        "tcp": lambda: _LIBC.socket(inet, stream, 0),
        "udp": lambda: _LIBC.socket(inet, datagram, 0),
        "local": lambda: _LIBC.socket(unix, stream, 0),
    }
    return {"refused": [what for what, attempt in tries.items() if attempt() < 0], "tried": list(tries)}


def limits(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    names = ("RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_CPU")
    return {name: list(resource.getrlimit(getattr(resource, name))) for name in names}


def raise_limits(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    refused = []
    for name in ("RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"):
        try:
            resource.setrlimit(getattr(resource, name), (1 << 40, 1 << 40))
        except (ValueError, OSError):
            refused.append(name)
    return {"refused": refused}


def capabilities(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """Those that count now, as the kernel numbers them."""
    sets = (ctypes.c_uint32 * 6)()
    _LIBC.capget(struct.pack("=Ii", 0x20080522, 0), sets)
    return {"effective": [bit for bit in range(64) if (sets[0] | sets[3] << 32) >> bit & 1]}


def open_files(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """How many descriptors it has open."""
    opened = 0
    for descriptor in range(64):
        with suppress(OSError):
            os.fstat(descriptor)
            opened += 1
    return {"open": opened}


def environment(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    return {"names": sorted(os.environ)}
