"""A child of the workshop: ``python -m preservation.workshop.child <socket> <lifeline>``, both as descriptors.

The first message brings its equipment, answered when it has confined itself; then come tasks until the socket closes.
Whatever a file does to it costs that file only (DESIGN §2 rule 10).
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from preservation.workshop import wire
from preservation.workshop.confinement import allow, confine, resident_memory
from preservation.workshop.port import Values
from preservation.workshop.tools import Bench


def main() -> None:
    parent = socket.socket(fileno=int(sys.argv[1]))
    _end_with_parent(int(sys.argv[2]))
    logging.disable(logging.CRITICAL)
    resident = resident_memory()
    if (first := _receive(parent)) is None:
        return
    setting, _ = first
    confinement = confine(setting["memory"], [Path(one) for one in setting["readable"]])
    _send(parent, wire.pack(wire.READY, confinement.fields()))
    costs = Costs(setting["start_seconds"], allow, lambda: resident() > setting["resident"])
    serve(parent, Bench(setting["equipment"]), costs)


@dataclass(frozen=True, slots=True)
class Costs:
    """``allow`` lets the process have so many seconds more of CPU time: ``start_seconds`` for what a task needs, then
    the task's own. ``swollen``: whether it holds more memory than it should keep."""

    start_seconds: int
    allow: Callable[[int], None]
    swollen: Callable[[], bool]


def serve(parent: socket.socket, bench: Bench, costs: Costs) -> None:
    """Do one task after the other until the parent closes."""
    while (question := _receive(parent)) is not None:
        parts = _answer(parent, bench, costs, *question)
        if costs.swollen():
            parts[0] = wire.ending(parts[0])
        _send(parent, parts)


def _answer(
    parent: socket.socket, bench: Bench, costs: Costs, question: Values, files: Sequence[BinaryIO]
) -> list[bytes]:
    """The frame that tells what the task gave or that it raised."""
    with ExitStack() as stack:
        for file in files:
            stack.callback(_close, file)
        try:
            task = bench.known(question["task"])
            if task is None:
                # Its module is loaded and made ready before the clock of the file begins.
                costs.allow(costs.start_seconds)
                task = bench.find(question["task"])
                _send(parent, wire.pack(wire.BEGUN, {}))
            costs.allow(question["cpu_seconds"])
            return wire.pack(wire.ANSWER, task(bench, question["arguments"], files))
        except MemoryError:
            return wire.pack(wire.RAISED | wire.ENDS, {"what": "MemoryError"})
        except Exception as error:  # the border to parsers of all kinds  # noqa: BLE001
            return wire.pack(wire.RAISED, {"what": type(error).__name__})


def _receive(parent: socket.socket) -> tuple[Values, list[BinaryIO]] | None:
    """The next message and the files that came with it, each at its beginning; None when the parent has closed."""
    head, descriptors, _, _ = socket.recv_fds(parent, wire.HEAD.size, wire.LARGEST_FILES, socket.MSG_WAITALL)
    if len(head) < wire.HEAD.size:
        return None
    _, words, blobs = wire.HEAD.unpack(head)
    body = memoryview(bytearray(words + blobs))
    at = 0
    while at < len(body):
        if not (got := parent.recv_into(body[at:], 0, socket.MSG_WAITALL)):
            return None
        at += got
    files: list[BinaryIO] = [os.fdopen(one, "rb") for one in descriptors]
    for file in files:
        with suppress(OSError):
            file.seek(0)
    return wire.unpack(body, words), files


def _send(parent: socket.socket, parts: Sequence[bytes]) -> None:
    for part in parts:
        parent.sendall(part)


def _close(file: BinaryIO) -> None:
    with suppress(OSError, ValueError):
        file.close()


def _end_with_parent(lifeline: int) -> None:
    """Have the kernel kill this process when the other end of the pipe is closed, whatever it is busy with then.

    Elsewhere than on Linux the socket that closes ends it after its task, and the limits end the task.
    """
    if sys.platform == "linux":
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)


if __name__ == "__main__":
    main()
