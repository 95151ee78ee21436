"""A real clamd for tests: Debian's, in the foreground, with a configuration and a signature database of our own.

The database holds one signature, EICAR's, at the very beginning of a file: what lies inside another file is found only
when clamd has looked into that file. Nothing is downloaded.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from preservation.antivirus.clamd import ClamdScanner
from preservation.antivirus.eicar import EICAR
from preservation.antivirus.port import ScannerUnavailable

STREAM_LIMIT = 8 << 20
_START_SECONDS = 60

SETTINGS = {
    "Foreground": "yes",
    "LocalSocketMode": "600",
    "AlertExceedsMax": "yes",
    "StreamMaxLength": f"{STREAM_LIMIT}",
    "MaxFileSize": f"{STREAM_LIMIT}",
    "MaxScanSize": f"{4 * STREAM_LIMIT}",
    "SelfCheck": "0",
    "ConcurrentDatabaseReload": "no",
}


class Clamd:
    """One clamd in ``folder``; ``settings`` are added to SETTINGS, or taken from it when None."""

    def __init__(self, folder: Path, **settings: str | None) -> None:
        self.address = str(folder / "clamd.sock")
        self._folder = folder
        (folder / "db").mkdir()
        (folder / "db" / "test.ndb").write_text(f"Eicar-Test-Signature:0:0:{EICAR.hex()}\n")
        (folder / "tmp").mkdir()
        own = {"LocalSocket": self.address, "DatabaseDirectory": folder / "db", "TemporaryDirectory": folder / "tmp"}
        if os.geteuid() == 0:
            own["User"] = "root"
        lines = [f"{name} {value}" for name, value in (SETTINGS | settings | own).items() if value is not None]
        (folder / "clamd.conf").write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> Path:
        """Where clamd keeps what it needs; its temporary files are in ``tmp``."""
        return self._folder

    def start(self) -> None:
        """Returns when it answers. Raises RuntimeError with its own words when it does not."""
        Path(self.address).unlink(missing_ok=True)
        clamd = shutil.which("clamd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if clamd is None:
            raise RuntimeError("clamd is not installed (Debian: clamav-daemon)")
        with (self._folder / "log").open("ab") as log:
            command = [clamd, "-c", str(self._folder / "clamd.conf")]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError((self._folder / "log").read_text()[-3000:])
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            ClamdScanner(self.address).begin(0).end()
        except ScannerUnavailable:
            return False
        return True

    def kill(self) -> None:
        """At once, in the middle of whatever it does."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It is there, and does nothing at all."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextmanager
def running(**settings: str | None) -> Iterator[Clamd]:
    """A clamd of its own, which a test may kill and start again."""
    folder = Path(tempfile.mkdtemp(prefix="tangthu-clamd-"))  # short: the path of a socket has at most 107 bytes
    try:
        clamd = Clamd(folder, **settings)
        try:
            clamd.start()
            yield clamd
        finally:
            clamd.kill()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def clamd_service() -> Iterator[Clamd]:
    """The clamd of this test process. A test that would stop it starts one of its own."""
    with running() as clamd:
        yield clamd
