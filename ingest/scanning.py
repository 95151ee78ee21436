"""The virus scanner beside the pass: small files by a few threads, a large one chunk by chunk while it is read."""

from __future__ import annotations

from ingest.beside import Beside
from ingest.ledger import Ledger
from preservation.antivirus.port import Scan, ScanResult, VirusScanner
from storage.port import Bytes

_THREADS = 4
_AHEAD = 64
_AHEAD_BYTES = 32 << 20
_VERDICTS_AHEAD = 2
"""Large files that are with the scanner as a whole: each has a thread that waits, so that none is left in silence."""

Answer = tuple[int, ScanResult]


class Scanning:
    """One package's files on their way through the scanner; the answers go into the ledger as they come.

    Every method may raise ScannerUnavailable, about any file given before.
    """

    def __init__(self, scanner: VirusScanner, ledger: Ledger) -> None:
        self._scanner = scanner
        self._small: Beside[Answer] = Beside("scan", _THREADS, _AHEAD, _AHEAD_BYTES, lambda one: ledger.scanned(*one))
        self._verdicts: Beside[Answer] = Beside(
            "verdict", _VERDICTS_AHEAD, _VERDICTS_AHEAD, 1, lambda one: ledger.scanned(*one)
        )
        self._open: set[LargeScan] = set()

    def whole(self, seq: int, data: bytes) -> None:
        """A file at hand."""

        def job() -> Answer:
            scan = self._scanner.begin(len(data))
            try:
                scan.write(data)
            except BaseException:  # no scan may stay open, whatever ended it; raised again
                scan.abandon()
                raise
            return seq, scan.end()

        self._small.submit(len(data), job)

    def begin(self, seq: int, size: int) -> LargeScan:
        """A file that comes in pieces: end or abandon it before the next one begins."""
        self._verdicts.room()
        scan = LargeScan(self._scanner.begin(size), seq, self._verdicts, self._open)
        self._open.add(scan)
        return scan

    def finish(self) -> None:
        """Wait for all verdicts."""
        self._small.finish()
        self._verdicts.finish()

    def close(self) -> None:
        """Nothing more is wanted."""
        self._small.close()
        self._verdicts.close()
        for scan in list(self._open):
            scan.abandon()


class LargeScan:
    """A large file on its way."""

    def __init__(self, scan: Scan, seq: int, verdicts: Beside[Answer], unended: set[LargeScan]) -> None:
        self._scan = scan
        self._seq = seq
        self._verdicts = verdicts
        self._open = unended

    def write(self, data: Bytes) -> None:
        """The next piece, which may be used again when this returns."""
        self._scan.write(data)

    def end(self) -> None:
        """All was written: somebody waits for the verdict, the pass goes on."""
        self._verdicts.submit(0, self._verdict)

    def abandon(self) -> None:
        """No verdict is wanted. May be called at any time."""
        if self in self._open:
            self._open.discard(self)
            self._scan.abandon()

    def _verdict(self) -> Answer:
        self._open.discard(self)
        return self._seq, self._scan.end()
