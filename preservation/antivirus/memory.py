"""Scanners without a service: none at all, and one for tests that knows EICAR."""

from __future__ import annotations

from metadata.outcomes import Virus
from preservation.antivirus.eicar import EICAR
from preservation.antivirus.port import NO_SCANNER, Scan, ScanResult
from storage.port import Bytes


class NoScanner:
    """The archive has no scanner: nothing is scanned, and each file says so."""

    name = ""

    def ready(self) -> None:
        pass

    def begin(self, size: int) -> Scan:
        return _Unscanned()

    def close(self) -> None:
        pass


class _Unscanned:
    def write(self, data: Bytes) -> None:
        pass

    def end(self) -> ScanResult:
        return NO_SCANNER

    def abandon(self) -> None:
        pass


class MemoryScanner:
    """Finds EICAR anywhere in a file's bytes; does not look into a file of more than ``limit`` bytes."""

    name = "MemoryScanner 1"

    def __init__(self, limit: int = 1 << 40) -> None:
        self._limit = limit

    def ready(self) -> None:
        pass

    def begin(self, size: int) -> Scan:
        return _MemoryScan(self._limit)

    def close(self) -> None:
        pass


class _MemoryScan:
    def __init__(self, limit: int) -> None:
        self._left = limit
        self._end = b""
        self._found = False

    def write(self, data: Bytes) -> None:
        self._left -= memoryview(data).nbytes
        seen = self._end + bytes(data)
        self._found = self._found or EICAR in seen
        self._end = seen[-len(EICAR) :]

    def end(self) -> ScanResult:
        if self._left < 0:
            return ScanResult(Virus.NOT_SCANNED, "too large")
        return ScanResult(Virus.INFECTED, "Eicar-Test-Signature") if self._found else ScanResult(Virus.CLEAN)

    def abandon(self) -> None:
        pass
