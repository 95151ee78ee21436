"""Timing and tables: rows are interleaved and repeated, the median counts, every ratio is within one run."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Row:
    """One thing measured: what it is, how to do it once, and what came out (seconds of wall and of CPU).

    ``before`` and ``after`` are not measured.
    """

    name: str
    run: Callable[[], object]
    before: Callable[[], object] = lambda: None
    after: Callable[[], object] = lambda: None
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.wall)


def cpu_seconds() -> float:
    """CPU of this process and of its finished children."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def interleave(rows: Sequence[Row], rounds: int = 3) -> None:
    """Run every row once a round, so that what else happens on the machine falls on all alike."""
    for number in range(rounds):
        for row in rows:
            row.before()
            before, began = cpu_seconds(), time.perf_counter()
            row.run()
            row.wall.append(time.perf_counter() - began)
            row.cpu.append(cpu_seconds() - before)
            row.after()
            print(f"  round {number + 1}: {row.name}: {row.wall[-1]:.2f} s", file=sys.stderr)


def table(title: str, rows: Sequence[Row], *, size: int, files: int) -> str:
    """A Markdown table; ratios are to the first row."""
    base = rows[0].median
    lines = [
        f"### {title}",
        "",
        f"{files:,} files, {size / 1e9:.2f} GB; median of {len(rows[0].wall)}, interleaved; {os.cpu_count()} cores",
        "",
        "| | wall s | CPU s | MB/s | files/s | ratio |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.name} | {row.median:.2f} | {statistics.median(row.cpu):.2f} | {size / row.median / 1e6:.0f} "
        f"| {files / row.median:.0f} | {row.median / base:.2f} |"
        for row in rows
    ]
    return "\n".join([*lines, ""])


def peak_of(arguments: Sequence[str]) -> tuple[int, float]:
    """Peak resident memory in bytes, and wall seconds, of ``python -m …`` in a process of its own."""
    began = time.perf_counter()
    code = (
        "import pathlib, runpy, sys; sys.argv = sys.argv[1:]; runpy.run_module(sys.argv[0], run_name='__main__'); "
        "status = pathlib.Path('/proc/self/status').read_text(); print(status.partition('VmHWM:')[2].split()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return int(done.stdout.split()[-1]) * 1024, time.perf_counter() - began
