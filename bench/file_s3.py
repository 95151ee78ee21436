"""An S3 server that costs almost nothing: GET with ranges and HEAD of files in a folder, by ``sendfile``.

For measuring the client of an audit alone; a real server on the same two cores would be measured with it.
It checks no signature and keeps nothing.
"""

from __future__ import annotations

import os
import re
import socket
from email.utils import formatdate
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import unquote

_RANGE = re.compile(rb"[Rr]ange: bytes=(\d+)-(\d*)\r\n")


def _answer(connection: socket.socket, folder: Path) -> None:
    pending = b""
    while True:
        while b"\r\n\r\n" not in pending:
            data = connection.recv(65536)
            if not data:
                return
            pending += data
        head, _, pending = pending.partition(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n", 1)[0].split(b" ", 2)
        path = folder / unquote(target.split(b"?")[0].decode().lstrip("/"))
        if not path.is_file():
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            continue
        size = path.stat().st_size
        start, end, status = 0, size - 1, b"200 OK"
        if asked := _RANGE.search(head + b"\r\n"):
            start, end, status = int(asked[1]), int(asked[2]) if asked[2] else size - 1, b"206 Partial Content"
            end = min(end, size - 1)
        length = end - start + 1
        connection.sendall(
            b"HTTP/1.1 %b\r\nContent-Length: %d\r\nContent-Range: bytes %d-%d/%d\r\nAccept-Ranges: bytes\r\n"
            b'ETag: "bench"\r\nLast-Modified: %b\r\n\r\n'
            % (status, length, start, end, size, formatdate(usegmt=True).encode())
        )
        if method == b"GET":
            with path.open("rb") as file:
                while length > 0:
                    sent = os.sendfile(connection.fileno(), file.fileno(), start, min(length, 1 << 22))
                    start, length = start + sent, length - sent


def _serve(listener: socket.socket, folder: Path) -> None:
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                _answer(connection, folder)
            finally:
                os._exit(0)
        connection.close()


class FileS3:
    """The server as a context manager; ``endpoint`` is where it listens. Buckets are folders of ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._process = get_context("fork").Process(target=_serve, args=(self._listener, folder), daemon=False)

    def __enter__(self) -> FileS3:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._listener.close()
