"""Who looks at files while they pass, for tests that need no child process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

from ingest.one_pass import Watch
from preservation.antivirus.port import VirusScanner
from preservation.examination import Examiner
from preservation.formats.port import Inspection, Inspector, Specimen
from preservation.identification.port import Identifier
from preservation.signatures.port import Question, SignatureChecker, SignatureReport
from tests.builders.identifier import MemoryIdentifier

SEEN = datetime(2026, 7, 1, tzinfo=UTC)


def watching(
    identifier: Identifier | None = None,
    inspector: Inspector | None = None,
    checker: SignatureChecker | None = None,
    *,
    scanner: VirusScanner | None = None,
    threads: int = 2,
) -> Watch:
    """Somebody who identifies, and looks into files and at signatures as given."""
    return Watch(Examiner(identifier or MemoryIdentifier(), inspector, checker, seen=SEEN), scanner, threads)


@dataclass
class MemoryInspector:
    """Answers by ``answer``, with the whole file where it was at hand; remembers sizes by names, None: no file."""

    answer: Callable[[Specimen, bytes | None], Inspection] = lambda *_: Inspection()
    asked: dict[str, int | None] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    name = "MemoryInspector"

    def inspect(self, specimen: Specimen, file: BinaryIO | None) -> Inspection:
        data = None if file is None else file.read()
        with self.lock:
            self.asked[specimen.name] = None if data is None else len(data)
        return self.answer(specimen, data)


@dataclass
class MemoryChecker:
    """Answers by ``answer`` of a file's bytes and of what it signs; remembers the questions by names."""

    answer: Callable[[bytes, bytes | None], SignatureReport] = lambda *_: SignatureReport()
    asked: dict[str, Question] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, question: Question) -> SignatureReport:
        data = question.file.read()
        content = None if question.content is None else question.content.read()
        with self.lock:
            self.asked[question.name] = question
        return self.answer(data, content)

    def close(self) -> None:
        pass
