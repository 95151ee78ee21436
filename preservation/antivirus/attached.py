"""Files in a PDF, each sent to the scanner by itself: scanners overlook some of them."""

from __future__ import annotations

from typing import BinaryIO

from metadata.outcomes import Virus
from preservation.antivirus.port import ScanResult, VirusScanner
from preservation.workshop.port import TaskLimits, WorkLost, Workshop

_TASK = "preservation.formats.pdf_files:attached"
_LIMITS = TaskLimits(seconds=60.0, cpu_seconds=60)


class AttachedFiles:
    """Unpacks what is in PDFs, in the workshop, and has it scanned. Threads may share it."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    def scan(self, pdf: BinaryIO, scanner: VirusScanner) -> ScanResult | None:
        """The first word against a file in it; None when there is none, or they are clean.

        None too when the PDF cannot be unpacked: then the scanner's word on the whole of it is all there is. Raises
        ScannerUnavailable.
        """
        for data in self._unpacked(pdf):
            scan = scanner.begin(len(data))
            try:
                scan.write(data)
            except BaseException:
                scan.abandon()
                raise
            result = scan.end()
            if result.outcome is not Virus.CLEAN:
                return ScanResult(result.outcome, f"{result.name} (attachment)")
        return None

    def _unpacked(self, pdf: BinaryIO) -> list[bytes]:
        try:
            found = self._workshop.run(_TASK, {}, [pdf], _LIMITS).get("files")
        except WorkLost:
            return []
        return [one for one in found if isinstance(one, bytes)] if isinstance(found, list) else []
