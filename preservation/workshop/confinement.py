"""What a child of the workshop takes from itself before the first byte from outside arrives, for good.

What holds depends on the system: :func:`confine` tries each and says what it got. ``docs/workshop.md`` has the table.
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
import struct
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from preservation.workshop import landlock, seccomp
from preservation.workshop.port import Values

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_NO_NEW_PRIVILEGES = 38
_CAPABILITY_VERSION, _READ_ANY = 0x20080522, 2
_CAPABILITIES, _CAPABILITY_SETS = struct.Struct("=Ii"), struct.Struct("=6I")
_DESCRIPTORS = 64
_AF_UNIX = 1
_FORBIDDEN = frozenset(
    {
        "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto",
        "socket.sendmsg", "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn",
        "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
        "os.chown", "os.utime", "shutil.move",
    }
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Beside the interpreter's own: what the C library and parsers read (fonts, time zones, code pages).
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share", "/etc/ld.so.cache",
           "/etc/localtime", "/dev/null", "/dev/zero", "/dev/urandom", "/System/Library")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Confinement:
    """What holds in a child, whatever runs in it.

    ``landlock`` is the version of the kernel's Landlock by which it may read no file but the interpreter's and those
    it was told of, and write none, 0 where there is none; ``seccomp``: the kernel refuses it processes, programs and
    sockets; ``own_network``: it is in a network without any way out; ``memory``: its address space is bounded (macOS
    takes the limit and does not hold it). Everywhere: no written byte, bounded CPU time and descriptors, no core
    dump; and Python's own audit refuses writing, programs and sockets to libraries written in Python.
    """

    landlock: int
    seccomp: bool
    own_network: bool
    memory: bool

    def fields(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def of_fields(cls, fields: Values) -> Self:
        """Inverse of :meth:`fields`. Raises KeyError, TypeError, ValueError."""
        flags = (bool(fields[name]) for name in ("seccomp", "own_network", "memory"))
        return cls(int(fields["landlock"]), *flags)


def confine(memory: int, readable: Iterable[Path]) -> Confinement:
    """Limit this process for good: ``memory`` bytes of address space; files below ``readable``, and what Python and
    its libraries need, may be read."""
    alone = leave_network()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_DESCRIPTORS, _DESCRIPTORS))
    bounded = False
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        bounded = sys.platform == "linux"
    version, filtered = 0, False
    if sys.platform == "linux" and _no_new_privileges():
        _drop_capabilities()
        version = landlock.restrict([*_interpreter(), *readable], listable=_sources())
        filtered = seccomp.restrict()
    sys.addaudithook(_watch)
    return Confinement(version, filtered, alone, bounded)


def allow(seconds: int) -> None:
    """After ``seconds`` more of CPU time the kernel ends this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime) + seconds
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def resident_memory() -> Callable[[], int]:
    """What tells the bytes of memory that this process holds; to be made before it is confined.

    Elsewhere than on Linux, the most that it ever held.
    """
    if sys.platform != "linux":
        return lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    statm, page = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC), resource.getpagesize()
    return lambda: int(os.pread(statm, 100, 0).split()[1]) * page


def leave_network() -> bool:
    """This process into a network of its own, where the kernel allows it; whether it did. Root needs no user namespace
    of its own for that."""
    if sys.platform != "linux":
        return False
    wanted = _NEW_NETWORK if os.geteuid() == 0 else _NEW_USER | _NEW_NETWORK
    unshare = getattr(ctypes.CDLL(None, use_errno=True), "unshare", None)
    return unshare is not None and bool(unshare(wanted) == 0)


def _no_new_privileges() -> bool:
    zero = ctypes.c_ulong(0)
    return bool(ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, ctypes.c_ulong(1), zero, zero, zero) == 0)


def _drop_capabilities() -> None:
    """Root's, or those of a user namespace: with them a process may raise its limits again. What is kept is to read the
    signature files, whoever owns them."""
    header = _CAPABILITIES.pack(_CAPABILITY_VERSION, 0)
    kept = 1 << _READ_ANY if os.geteuid() == 0 else 0
    ctypes.CDLL(None).capset(header, _CAPABILITY_SETS.pack(kept, kept, 0, 0, 0, 0))


def _sources() -> Path:
    """The folder in which our packages lie: its names may be listed, which importing needs."""
    return Path(__file__).resolve().parents[2]


def _interpreter() -> list[Path]:
    """What Python reads to run our tasks: itself, its libraries, those of our packages that tasks may use."""
    ours = [_sources() / name for name in ("metadata", "preservation")]
    theirs = [Path(one) for one in (sys.prefix, sys.base_prefix, *sys.path) if one and Path(one) != _sources()]
    return [*ours, *theirs, *map(Path, _SYSTEM)]


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Python's own audit of what runs in it. It guards against libraries, not against code that already runs as it
    likes; that is what the kernel's limits are for."""
    if event in _FORBIDDEN or (event == "socket.__new__" and arguments[1] != _AF_UNIX):
        raise PermissionError(event)
    if event == "open" and (arguments[2] or 0) & _WRITING:
        raise PermissionError(event)
