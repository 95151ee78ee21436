"""One workshop and everything that asks it: the identifier, the inspector and the checker of signatures."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from preservation.antivirus.attached import AttachedFiles
from preservation.examination import Examiner
from preservation.formats.inspector import FormatInspector
from preservation.formats.verapdf import VeraPdf
from preservation.identification import identifier
from preservation.identification.data import SignaturePaths
from preservation.signatures import checker
from preservation.signatures.fetching import AllowedHost, Fetcher, FetchingChecker
from preservation.signatures.port import SignatureChecker
from preservation.signatures.trust import TrustStore
from preservation.workshop.pool import ChildWorkshop


class Checkers:
    """All who look into content files, at work in ``children`` child processes (0: as many as there are processors).

    ``formats`` are PRONOM's signature files, ``trust`` is what signatures are judged by. Children start when the first
    file comes. Threads may share it. Evidence about signatures is fetched from the ``hosts`` only, from nobody when
    there are none. ``verapdf`` is the program's path where there is one.
    """

    def __init__(
        self,
        formats: SignaturePaths,
        trust: TrustStore,
        children: int = 0,
        hosts: tuple[AllowedHost, ...] = (),
        verapdf: Path | None = None,
    ) -> None:
        self.children = children or os.cpu_count() or 1
        self._workshop = ChildWorkshop(
            {**identifier.equipment_of(formats), **checker.equipment_of(trust)},
            children=self.children,
            readable=[formats.binary, formats.container],
        )
        self.identifier = identifier.PronomIdentifier(self._workshop, formats)
        validator = None if verapdf is None else VeraPdf(verapdf, self._workshop)
        self.inspector = FormatInspector(self._workshop, verapdf=validator)
        judge = checker.PyHankoChecker(trust, self._workshop)
        self.signatures: SignatureChecker = judge
        if hosts:
            self.signatures = FetchingChecker(judge, Fetcher(hosts, self._workshop))
        self.attached = AttachedFiles(self._workshop)

    def examiner(self, seen: datetime) -> Examiner:
        """Who examines files that the archive first had at that time."""
        return Examiner(self.identifier, self.inspector, self.signatures, seen=seen)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the children."""
        self._workshop.close()
