"""Ingest of mixed documents with every check on, and the share of each step: ``python -m bench mixed``.

In one run: ``sha256sum`` over the same files, an ingest that looks into nothing, the ingest that looks into everything.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from bench.chart import Bar, bars
from bench.data import make_bag
from bench.ingest import Acknowledged
from bench.measure import Row, interleave, table
from ingest.place import IngestPlace
from metadata.holdings import Format
from preservation.antivirus.clamd import ClamdScanner
from preservation.antivirus.memory import NoScanner
from preservation.antivirus.port import Scan, ScanResult, VirusScanner
from preservation.checkers import Checkers
from preservation.formats.families import family_of
from preservation.formats.port import Inspection, Inspector, Specimen
from preservation.identification.data import default_signatures
from preservation.identification.port import Identifier, Sample
from preservation.signatures.port import Question, SignatureChecker, SignatureReport
from storage.port import Bytes
from tests.builders.mixed import mixed_package
from tests.builders.signatures import authority
from tests.services.clamd import running

CHART = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "mixed.svg"
_LARGEST_SCAN = 100 << 20


class Steps:
    """Seconds and files by step, added up over the threads that wait for the answers."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.files = Counter[str]()
        self._lock = threading.Lock()

    @contextmanager
    def of(self, step: str, *, files: int = 1) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self.seconds[step] += time.perf_counter() - began
                self.files[step] += files

    def clear(self) -> None:
        self.seconds.clear()
        self.files.clear()


class TimedIdentifier:
    def __init__(self, inner: Identifier, steps: Steps) -> None:
        self._inner, self._steps, self.name = inner, steps, inner.name

    def ready(self) -> None:
        self._inner.ready()

    def identify(self, sample: Sample) -> Format:
        with self._steps.of("identification"):
            return self._inner.identify(sample)

    def close(self) -> None:
        self._inner.close()


class TimedInspector:
    def __init__(self, inner: Inspector, steps: Steps) -> None:
        self._inner, self._steps, self.name = inner, steps, inner.name

    def inspect(self, specimen: Specimen, file: BinaryIO | None) -> Inspection:
        family = family_of(specimen.format)
        with self._steps.of(f"validity: {family.name}" if family else "validity: nobody looks"):
            return self._inner.inspect(specimen, file)


class TimedChecker:
    def __init__(self, inner: SignatureChecker, steps: Steps) -> None:
        self._inner, self._steps = inner, steps

    def check(self, question: Question) -> SignatureReport:
        with self._steps.of("signatures"):
            return self._inner.check(question)

    def close(self) -> None:
        self._inner.close()


class TimedScanner:
    def __init__(self, inner: VirusScanner, steps: Steps) -> None:
        self._inner, self._steps = inner, steps

    @property
    def name(self) -> str:
        return self._inner.name

    def ready(self) -> None:
        self._inner.ready()

    def begin(self, size: int) -> Scan:
        with self._steps.of("virus scan"):
            return _TimedScan(self._inner.begin(size), self._steps)

    def close(self) -> None:
        self._inner.close()


class _TimedScan:
    def __init__(self, inner: Scan, steps: Steps) -> None:
        self._inner, self._steps = inner, steps

    def write(self, data: Bytes) -> None:
        with self._steps.of("virus scan", files=0):
            self._inner.write(data)

    def end(self) -> ScanResult:
        with self._steps.of("virus scan", files=0):
            return self._inner.end()

    def abandon(self) -> None:
        self._inner.abandon()


class Checked(Acknowledged):
    """An acknowledged ingest into an archive with everybody at work; children start and end within what is measured."""

    def __init__(self, package: Path, folder: Path, scanner: VirusScanner, steps: Steps) -> None:
        super().__init__(package, folder, 2)
        self._scanner, self._steps = scanner, steps

    def prepare(self) -> None:
        self._steps.clear()
        self._checkers = Checkers(default_signatures(), authority().store())
        super().prepare()

    def place(self) -> IngestPlace:
        steps, checkers = self._steps, self._checkers
        return replace(
            super().place(),
            identifier=TimedIdentifier(checkers.identifier, steps),
            inspector=TimedInspector(checkers.inspector, steps),
            signatures=TimedChecker(checkers.signatures, steps),
            scanner=self._scanner if isinstance(self._scanner, NoScanner) else TimedScanner(self._scanner, steps),
            attached=checkers.attached,
            checkers=checkers.children,
        )

    def run(self) -> None:
        super().run()
        self._checkers.close()


def sha256sum(files: list[Path]) -> None:
    """coreutils, many files a call."""
    for start in range(0, len(files), 2000):
        subprocess.run(["sha256sum", *map(str, files[start : start + 2000])], check=True, stdout=subprocess.DEVNULL)


def run(parent: Path, count: int = 5000, rounds: int = 3, chart: Path | None = None) -> str:
    """The tables; the chart of the shares goes to ``chart``."""
    payload, package = parent / "mixed", parent / "mixed-bag"
    kinds = mixed_package(payload, count)
    make_bag(package, payload, "bench-mixed")
    files = sorted(path for path in payload.rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in files)
    steps = Steps()
    with ExitStack() as stack:
        scanner = _scanner(stack)
        rows = [
            Row("sha256sum of the same files", lambda: sha256sum(files)),
            Acknowledged(package, parent / "plain", 2).row("ingest, 2 replicas, nobody looks into files"),
            Checked(package, parent / "checked", scanner, steps).row("ingest, 2 replicas, all checks on"),
        ]
        interleave(rows, rounds)
    title = f"Ingest of {len(files):,} mixed documents, all checks on"
    text = table(title, rows, size=size, files=len(files))
    text += "\n" + _kinds(kinds) + "\n" + _shares(steps, rows, scanner)
    if chart is not None:
        chart.write_text(_chart(steps, len(files), rows[2].median), encoding="utf-8")
    for folder in (payload, package):
        shutil.rmtree(folder)
    return text


def _scanner(stack: ExitStack) -> VirusScanner:
    """A real clamd where there is one (with a database that knows EICAR only: its cost is the way there and back, and
    the unpacking)."""
    limit = f"{_LARGEST_SCAN}"
    try:
        clamd = stack.enter_context(running(StreamMaxLength=limit, MaxFileSize=limit, MaxScanSize=limit))
    except RuntimeError:
        return NoScanner()
    scanner = ClamdScanner(clamd.address)
    scanner.ready()
    return scanner


def _kinds(kinds: Counter[str]) -> str:
    return "Of these: " + ", ".join(f"{name} {number:,}" for name, number in kinds.most_common()) + ".\n"


def _shares(steps: Steps, rows: list[Row], scanner: VirusScanner) -> str:
    total = sum(steps.seconds.values())
    ratio = rows[2].median / rows[1].median
    about = f"With all checks {ratio:.1f} × as long as with none. Scanner: {scanner.name or 'none'}. "
    lines = [
        about + "Seconds of waiting for each answer, added up over all threads, in the last round:",
        "",
        "| step | files | seconds | share | ms a file |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {step} | {steps.files[step]:,} | {seconds:.1f} | {seconds / total:.0%} "
        f"| {1000 * seconds / max(1, steps.files[step]):.1f} |"
        for step, seconds in sorted(steps.seconds.items(), key=lambda one: -one[1])
    ]
    return "\n".join([*lines, ""])


def _chart(steps: Steps, files: int, seconds: float) -> str:
    total = sum(steps.seconds.values())
    rows = [
        Bar(step, spent, f"{spent / total:.0%}, {1000 * spent / max(1, steps.files[step]):.1f} ms a file")
        for step, spent in sorted(steps.seconds.items(), key=lambda one: -one[1])
    ]
    return bars(
        f"Ingest of {files:,} mixed documents with all checks on",
        f"{files / seconds:.0f} files/s with two replicas; share of each check in the time of all checks",
        rows,
    )
