"""Waiting for the virus scanner: what it cannot scan now is neither refused nor let pass, it waits without limit."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ingest.place import Progress
from preservation.antivirus.port import ScannerUnavailable, VirusScanner

WAITING = "waiting for the virus scanner"
"""The step of which the progress tells, with nothing done of nothing."""
_LONGEST_ASKING = 60.0
_LONGEST_BREAKING = 600.0
_log = logging.getLogger(__name__)


class Patience:
    """Waits for one transfer. ``sleep`` gets seconds, each time twice as many up to a minute; it may raise."""

    def __init__(self, scanner: VirusScanner, sleep: Callable[[float], None], progress: Progress) -> None:
        self._scanner = scanner
        self._sleep = sleep
        self._progress = progress
        self._broken = 0

    def until_ready(self) -> None:
        """Returns when the scanner is there and finds what it must find."""
        seconds = 1.0
        while True:
            try:
                self._scanner.ready()
            except ScannerUnavailable as gone:
                self._wait(seconds, gone)
                seconds = min(2 * seconds, _LONGEST_ASKING)
            else:
                return

    def after_break(self, gone: ScannerUnavailable) -> None:
        """It was ready and then went in the middle: something in the package may be what it dies of, so that each
        further time waits longer, up to ten minutes."""
        self._broken += 1
        self._wait(min(2.0 ** (self._broken - 1), _LONGEST_BREAKING), gone)

    def _wait(self, seconds: float, gone: ScannerUnavailable) -> None:
        _log.warning("%s", gone.sentence.en)
        self._progress(WAITING, 0, 0)
        self._sleep(seconds)
