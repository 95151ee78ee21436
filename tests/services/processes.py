"""Daemons that tests start: free ports for them, and ending exactly those that were started."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from pathlib import Path


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on at this moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def process_start(pid: int) -> str:
    """When a process began, so that its id is not taken for another's; empty when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def end_group(file: Path) -> None:
    """Kill the process whose id and start ``file`` tells, with the group that it leads, and wait until it is gone."""
    try:
        pid, started = file.read_text().split()
    except (OSError, ValueError):
        return
    if process_start(int(pid)) != started:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(int(pid), signal.SIGKILL)
    end = time.monotonic() + 20
    while process_start(int(pid)) == started and time.monotonic() < end:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(int(pid), os.WNOHANG)
        time.sleep(0.02)
