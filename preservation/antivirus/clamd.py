"""ClamAV's daemon behind the VirusScanner port: the INSTREAM command (clamd(8)), one connection a file.

A scanner that is there but does not find what it must, or stays silent about what it skipped, counts as unavailable.
"""

from __future__ import annotations

import io
import re
import socket
import struct
import threading
import time
import zipfile
from collections.abc import Callable

from metadata.outcomes import Virus
from metadata.text import Sentence
from preservation.antivirus.eicar import EICAR
from preservation.antivirus.port import Scan, ScannerUnavailable, ScanResult
from storage.port import Bytes

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 600.0
READY_SECONDS = 60.0
TOO_LARGE = "INSTREAM size limit exceeded"
TOO_SLOW = "no verdict in time"
_GATHER = 64 << 10
_MOST_ANSWER = 4096
_DEEP = 120
"""More than clamd's MaxRecursion in any sane configuration (the default is 17)."""
_VERSION = re.compile(r"(?P<engine>ClamAV [^/\s]+)(/(?P<number>\d+)/(?P<date>[^/]+))?")
_NOT_LOOKED_INTO = ("Heuristics.Limits.Exceeded", "Heuristics.Encrypted")
"""What clamd calls found when it could not look: a limit of its own, a password."""


class ClamdScanner:
    """Scans through a clamd at ``address``: a path of a Unix socket, or ``host:port``.

    ``answer``: seconds to wait for a verdict, and for each piece to be taken. ``connect``: for a connection, and for
    the answers of :meth:`ready`. Raises ValueError for an address that is neither.
    """

    def __init__(
        self,
        address: str,
        *,
        answer: float = ANSWER_SECONDS,
        connect: float = CONNECT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._where = _where(address)
        self._answer, self._connect, self._clock = answer, connect, clock
        self._lock = threading.Lock()
        self._name = ""
        self._good_until = 0.0

    @property
    def name(self) -> str:
        return self._name

    def ready(self) -> None:
        with self._lock:
            if self._clock() < self._good_until:
                return
            pong = self._ask("PING")
            if pong != "PONG":
                raise self._unavailable(f"PING: {pong!r}")
            self._name = self._asked_name()
            self._self_test()
            self._good_until = self._clock() + READY_SECONDS

    def begin(self, size: int) -> Scan:
        return _ClamdScan(self, self._connected(self._answer))

    def close(self) -> None:
        pass

    def _asked_name(self) -> str:
        answer = self._ask("VERSION")
        version = _VERSION.fullmatch(answer)
        if version is None:
            raise self._unavailable(f"VERSION: {answer!r}")
        if version["number"] is None:
            return f"{version['engine']}, no official database"
        return f"{version['engine']}, database {version['number']} of {version['date'].strip()}"

    def _self_test(self) -> None:
        if self._scan(EICAR).outcome is not Virus.INFECTED:
            raise self._unavailable(
                "không nhận ra tệp thử EICAR (cơ sở dữ liệu mẫu vi-rút có được nạp không?)",
                "it does not find the EICAR test file (is a signature database loaded?)",
            )
        if self._scan(_nested(EICAR, _DEEP)).outcome is Virus.CLEAN:
            raise self._unavailable(
                "im lặng bỏ qua phần vượt giới hạn (hãy đặt AlertExceedsMax yes trong clamd.conf)",
                "it is silent about what is beyond its limits (set AlertExceedsMax yes in clamd.conf)",
            )

    def _scan(self, data: bytes) -> ScanResult:
        scan = _ClamdScan(self, self._connected(self._connect))
        scan.write(data)
        return scan.end()

    def _ask(self, command: str) -> str:
        with self._connected(self._connect) as connection:
            try:
                connection.sendall(b"z%s\0" % command.encode())
                return _answer_of(connection)
            except OSError as error:
                raise self._unavailable(f"{command}: {_reason(error)}") from error

    def _connected(self, patience: float) -> socket.socket:
        family, where = self._where
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._connect)
            connection.connect(where)
            connection.settimeout(patience)
            if family != socket.AF_UNIX:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connection.close()
            raise self._unavailable(_reason(error)) from error
        return connection

    def _unavailable(self, vi: str, en: str = "") -> ScannerUnavailable:
        self._good_until = 0.0
        return ScannerUnavailable(
            Sentence(
                f"Máy quét vi-rút clamd ({self._address}) không dùng được: {vi}. Hồ sơ chờ đến khi máy quét trở lại.",
                f"The virus scanner clamd ({self._address}) cannot be used: {en or vi}. What waits for it goes on by "
                "itself when it is back.",
            )
        )


class _ClamdScan:
    """One INSTREAM. Small pieces are gathered, so that a small file costs one write and one read."""

    def __init__(self, scanner: ClamdScanner, connection: socket.socket) -> None:
        self._scanner = scanner
        self._connection = connection
        self._gathered = bytearray(b"zINSTREAM\0")
        self._ended: OSError | None = None

    def write(self, data: Bytes) -> None:
        with memoryview(data) as view:
            if not view.nbytes:
                return
            self._gathered += struct.pack(">I", view.nbytes)
            if len(self._gathered) + view.nbytes <= _GATHER:
                self._gathered += view
            else:
                self._send(self._gathered)
                self._gathered.clear()
                self._send(view)

    def end(self) -> ScanResult:
        self._gathered += b"\0\0\0\0"
        self._send(self._gathered)
        with self._connection:
            try:
                answer = _answer_of(self._connection)
            except TimeoutError as error:
                return self._too_slow(error)
            except OSError as error:
                raise self._scanner._unavailable(_reason(self._ended or error)) from error
        result = read_answer(answer)
        if result is None:
            raise self._scanner._unavailable(f"INSTREAM: {answer!r}")
        return result

    def abandon(self) -> None:
        self._connection.close()

    def _send(self, data: Bytes) -> None:
        """After a break nothing is sent any more: clamd may have said why before it closed, :meth:`end` reads it."""
        if self._ended is not None:
            return
        try:
            self._connection.sendall(data)
        except TimeoutError as error:
            self._connection.close()
            raise self._scanner._unavailable(_reason(error)) from error
        except OSError as error:
            self._ended = error

    def _too_slow(self, error: TimeoutError) -> ScanResult:
        """A clamd that still answers others has not gone: it is this file that takes it too long."""
        if self._scanner._ask("PING") == "PONG":
            return ScanResult(Virus.NOT_SCANNED, TOO_SLOW)
        raise self._scanner._unavailable(_reason(error)) from error


def read_answer(answer: str) -> ScanResult | None:
    """The verdict in clamd's answer to INSTREAM; None when it is none.

    ``stream: … ERROR`` is said of the file, any other ERROR but that of the size limit of the scanner itself.
    """
    said = answer.removeprefix("stream: ")
    if answer.startswith(TOO_LARGE):
        return ScanResult(Virus.NOT_SCANNED, TOO_LARGE)
    if said == answer:
        return None
    if said == "OK":
        return ScanResult(Virus.CLEAN)
    if said.endswith(" FOUND"):
        name = said.removesuffix(" FOUND")
        return ScanResult(Virus.NOT_SCANNED if name.startswith(_NOT_LOOKED_INTO) else Virus.INFECTED, name)
    if said.endswith(" ERROR"):
        return ScanResult(Virus.NOT_SCANNED, said.removesuffix(" ERROR"))
    return None


def _answer_of(connection: socket.socket) -> str:
    """Up to the NUL that ends it: a word that was cut is none. Raises OSError."""
    answer = b""
    while not answer.endswith(b"\0"):
        more = connection.recv(_MOST_ANSWER)
        if not more or len(answer) > _MOST_ANSWER:
            raise ConnectionError(f"the connection ended in the middle of an answer: {answer[:80]!r}")
        answer += more
    return answer.partition(b"\0")[0].decode(errors="replace").strip()


def _where(address: str) -> tuple[socket.AddressFamily, str | tuple[str, int]]:
    if address.startswith("/"):
        return socket.AF_UNIX, address
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"neither the path of a socket nor host:port: {address!r}")
    inner = host.removeprefix("[").removesuffix("]")
    return (socket.AF_INET6 if ":" in inner else socket.AF_INET), (inner, int(port))


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__


def _nested(data: bytes, depth: int) -> bytes:
    """``data`` in a ZIP in a ZIP …, ``depth`` times."""
    for _ in range(depth):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("a"), data)
        data = made.getvalue()
    return data
