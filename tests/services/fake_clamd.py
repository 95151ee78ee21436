"""A clamd that misbehaves as a test wants: listens on a Unix socket or TCP, and answers by a script."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from preservation.antivirus.eicar import EICAR


class Gone(Exception):
    """Raised by a script: the connection is cut without a word."""


@dataclass
class FakeClamd:
    """Answers PING, VERSION and INSTREAM as clamd does unless ``scripts`` has another answer for the command.

    A script gets the connection after the command's name was read; what it returns is sent before the connection is
    closed. The connection of number ``cut`` (from 1) is cut before anything is read.
    """

    folder: Path | None = None
    scripts: dict[str, Callable[[socket.socket], bytes]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    cut: int = 0
    connections: int = 0
    version: bytes = b"ClamAV 1.4.6/27483/Wed Nov 25 09:36:32 2026\0"

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        if self.folder is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        else:
            self.address = str(self.folder / "clamd.sock")
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(self.address)
            self._listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def stall(self, _: socket.socket) -> bytes:
        """A script: no answer comes while the fake runs."""
        self._ended.wait()
        raise Gone

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.connections == self.cut:
                connection.close()
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, Gone), connection:
            command = b""
            while not command.endswith(b"\0"):
                command += exactly(connection, 1)
            name = command[1:-1].decode()
            self.commands.append(name)
            script = self.scripts.get(name) or getattr(self, f"_{name.lower()}")
            connection.sendall(script(connection))

    def _ping(self, _: socket.socket) -> bytes:
        return b"PONG\0"

    def _version(self, _: socket.socket) -> bytes:
        return self.version

    def _instream(self, connection: socket.socket) -> bytes:
        data = stream(connection)
        if EICAR in data:
            return b"stream: Eicar-Test-Signature FOUND\0"
        nested = data.startswith(b"PK")
        return b"stream: Heuristics.Limits.Exceeded.MaxRecursion FOUND\0" if nested else b"stream: OK\0"


def exactly(connection: socket.socket, size: int) -> bytes:
    """``size`` bytes. Raises Gone when they do not come."""
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise Gone
        data += more
    return data


def stream(connection: socket.socket, most: int | None = None) -> bytes:
    """What INSTREAM brings, up to its end or until more than ``most`` bytes came."""
    data = b""
    while size := struct.unpack(">I", exactly(connection, 4))[0]:
        data += exactly(connection, size)
        if most is not None and len(data) > most:
            break
    return data
