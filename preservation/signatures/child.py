"""The child process that judges signatures: ``python -m preservation.signatures.child <memory bytes> <CPU seconds>``.

The first message on standard input is the trust store, answered when all is ready; then come questions until the pipe
closes. The process limits itself before the first byte from outside arrives: address space, CPU time, no byte written
to any file, no socket to another machine. Where Linux lets an ordinary user do so, it also leaves
the network altogether.
"""

from __future__ import annotations

import ctypes
import logging
import math
import os
import resource
import sys
from typing import Any

from preservation.signatures import wire
from preservation.signatures.answering import Answerer
from preservation.signatures.trust import TrustStore

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_AF_UNIX = 1
_FORBIDDEN = (
    "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg",
    "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.remove", "os.rename",
    "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown", "os.utime", "shutil.move",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def main() -> None:
    memory, seconds = int(sys.argv[1]), int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "wb")
    # What any library prints must not come between the answers.
    os.dup2(2, 1)
    logging.disable(logging.CRITICAL)
    confine(memory)
    answerer = Answerer.of(TrustStore.of_json(wire.read(sys.stdin.buffer) or {}))
    answers.write(wire.pack({"ready": True}))
    answers.flush()
    while (message := wire.read(sys.stdin.buffer)) is not None:
        allow(seconds)
        report = answerer.answer(wire.question_of_json(message))
        answers.write(wire.pack(report.fields()))
        answers.flush()


def confine(memory: int) -> None:
    """Limit this process for good."""
    leave_network()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    sys.addaudithook(_watch)


def allow(seconds: int) -> None:
    """After ``seconds`` more of CPU time the kernel ends this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime) + seconds
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def leave_network() -> bool:
    """Into a network of its own, without any way out, where the kernel allows it; whether it did. Elsewhere the watch
    below remains. Root needs no user namespace of its own for that, and would lose the right to read every file."""
    if sys.platform != "linux":
        return False
    wanted = _NEW_NETWORK if os.geteuid() == 0 else _NEW_USER | _NEW_NETWORK
    unshare = getattr(ctypes.CDLL(None, use_errno=True), "unshare", None)
    return unshare is not None and bool(unshare(wanted) == 0)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Python's own audit of what runs in it: no way out, no writing. It guards against libraries, not against code
    that already runs as it likes; that is what the kernel's limits are for."""
    if event in _FORBIDDEN or (event == "socket.__new__" and arguments[1] != _AF_UNIX):
        raise PermissionError(event)
    if event == "open" and (arguments[2] or 0) & _WRITING:
        raise PermissionError(event)


if __name__ == "__main__":
    main()
